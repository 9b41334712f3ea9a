
# Every name and operator in the install script is qualified: the result of the
# script does not depend on search_path.
#
# The catalogue keeps what a name was found to be, not how it was written.  So
# the script runs with a search_path that has a namesake of everything in
# pg_catalog before pg_catalog itself.  What it makes must depend on none of
# them.  Our functions are in C, or have a body that is parsed when the script
# runs: none is looked up later.
#
# The check detects missing qualifications: it is repeated for the script without
# one of its qualifications, for each of them.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# TAP tests run where the Makefile is.
my ($version) = slurp_file('dtmodel.control') =~ /^default_version = '(.*)'$/m;
my $script = slurp_file("sql/dtmodel--$version.sql");
$script =~ s/^\\echo .* \\quit$//m or die 'the script can be run by psql';
$script =~ s/'MODULE_PATHNAME'/'\$libdir\/dtmodel'/g;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "fsync = off\nclient_min_messages = error");
$node->start;

# Namesakes.  A function, type or relation is found by its name alone or with
# the very arguments that the one of pg_catalog has.
$node->safe_psql('postgres', 'CREATE DATABASE hostile');
$node->safe_psql(
	'hostile', <<'SQL');
CREATE SCHEMA hostile;
DO $do$
DECLARE
	o record;
BEGIN
	SET LOCAL check_function_bodies = off;
	FOR o IN
		SELECT typname FROM pg_type
		WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'p', 'r', 'm') AND typname !~ '^_'
	LOOP
		EXECUTE format('CREATE DOMAIN hostile.%I AS pg_catalog.int4', o.typname);
	END LOOP;
	FOR o IN
		SELECT c.relname, string_agg(quote_ident(a.attname), ', ') AS columns
		FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
		WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v')
		  AND c.relname !~ '^pg_stat' AND a.attnum > 0 AND a.atttypid <> 'anyarray'::regtype
		GROUP BY c.relname
	LOOP
		EXECUTE format('CREATE VIEW hostile.%I AS SELECT %s FROM pg_catalog.%1$I', o.relname, o.columns);
	END LOOP;
	FOR o IN
		SELECT pg_get_functiondef(oid) AS definition FROM pg_proc
		WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f'
	LOOP
		BEGIN
			EXECUTE regexp_replace(o.definition, '^CREATE OR REPLACE FUNCTION pg_catalog\.', 'CREATE FUNCTION hostile.');
		EXCEPTION WHEN invalid_function_definition THEN
			-- of a pseudo-type's own functions there can be only one
		END;
	END LOOP;
	FOR o IN
		SELECT oprname, oprcode::oid::regproc AS function,
			   CASE WHEN oprleft <> 0 THEN format('LEFTARG = pg_catalog.%I,', l.typname) END AS leftarg,
			   format('RIGHTARG = pg_catalog.%I', r.typname) AS rightarg
		FROM pg_operator LEFT JOIN pg_type AS l ON l.oid = oprleft JOIN pg_type AS r ON r.oid = oprright
		WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprcode <> 0
	LOOP
		EXECUTE format('CREATE OPERATOR hostile.%s (%s %s, FUNCTION = %s)', o.oprname, o.leftarg, o.rightarg, o.function);
	END LOOP;
END
$do$;
SQL
cmp_ok($node->safe_psql('hostile', q(SELECT count(*) FROM pg_proc WHERE pronamespace = 'hostile'::regnamespace)),
	'>', 2500, 'there are namesakes');

# What a script makes of namesakes, if it can be run at all; nothing of it is kept.
my $findings = <<'SQL';
SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) || ' uses ' ||
       pg_catalog.pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
FROM pg_catalog.pg_depend AS d,
     LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) AS user_,
     LATERAL pg_catalog.pg_identify_object(d.refclassid, d.refobjid, 0) AS used
WHERE used.schema OPERATOR(pg_catalog.=) 'hostile'
  AND d.deptype OPERATOR(pg_catalog.=) 'n'
  AND user_.identity !~ '\mhostile\.'
ORDER BY 1;
SQL
$findings =~ s/ !~ / OPERATOR(pg_catalog.!~) /;

sub findings
{
	my ($text) = @_;
	my ($stdout, $stderr);
	my $status = $node->psql(
		'hostile',
		"SET search_path = hostile, pg_catalog;\nBEGIN;\n$text\n$findings\nROLLBACK;",
		stdout => \$stdout,
		stderr => \$stderr,
		on_error_stop => 1);

	return $status == 0 ? $stdout : $stderr;
}

is(findings($script), '', 'all that the script uses is qualified');

# Without one qualification.  Names that are key words of SQL mean the types of
# pg_catalog without it, too; they are those of the grammar of PostgreSQL.
my %key_words = map { $_ => 1 } qw(interval);
my %qualified;
while ($script =~ /OPERATOR\(pg_catalog\.(\S+?)\)|\bpg_catalog\.("?\w+"?)/g)
{
	my $name = $1 // $2;

	$qualified{$name} //= [ $-[0], $+[0] - $-[0] ] unless $key_words{$name};
}
cmp_ok(scalar keys %qualified, '>', 30, 'the script has qualified names');

foreach my $name (sort keys %qualified)
{
	my ($at, $length) = @{ $qualified{$name} };
	my $text = $script;

	substr($text, $at, $length) = $name;
	isnt(findings($text), '', "$name is seen without its schema");
}

# Of other functions, a name would be looked up when they run.
unlike($script, qr/LANGUAGE (?!C\b|sql\b[^;']*\nBEGIN ATOMIC\n)/i, 'all functions are in C, or were parsed');

$node->stop;
done_testing();
