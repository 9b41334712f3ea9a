
# README.md is correct and complete.
#
# Every ```sql block runs, in order, in one psql session on a fresh database,
# and must not fail.  The first one therefore has CREATE EXTENSION.
#
# A ```text block right after a ```sql block (nothing but blank lines between
# them) is what psql prints for it: psql -X -q, the default format.  So it has
# no command tags, and no NOTICEs since it is the standard output alone.  Blanks
# at the end of a line and empty lines at the end of a block do not matter,
# since an editor may take them off.  What differs each time, such as a time or
# a UUID, may be written as an ellipsis (U+2026), which stands for any
# characters of its line.  The session's time zone is UTC.
#
# Every function, view, template and setting that the extension brings is
# named in the README, in code, and has a COMMENT.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# TAP tests run where the Makefile is.
my $readme = slurp_file('README.md');

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', 'timezone = UTC');
$node->start;
my $version = $node->safe_psql('postgres', 'SHOW server_version_num');

###
# The examples
###

# Each block, with the line that it begins in, and for a block of SQL what it
# is said to print.
sub read_blocks
{
	my ($text) = @_;
	my @blocks;
	my $last;

	while ($text =~ /^```(\w*)[^\n]*\n(.*?)^```[ \t]*$/msg)
	{
		my ($language, $body) = ($1, $2);
		my $line = 1 + (substr($text, 0, $-[0]) =~ tr/\n//);
		my $follows = defined $last
		  && substr($text, $last->{end}, $-[0] - $last->{end}) =~ /^\s*$/;

		if ($language eq 'sql')
		{
			$body =~ s/^.*-- PostgreSQL 15 and later$//mg if $version < 150000;
			$last = { line => $line, sql => $body, end => $+[0] };
			push @blocks, $last;
			next;
		}
		$last->{output} = $body if $language eq 'text' && $follows;
		undef $last;
	}
	return @blocks;
}

# Runs them all, and returns what each of them printed; less of them if one
# fails.
sub run_blocks
{
	my (@blocks) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/readme.sql';
	my $marker = '=== the next block begins ===';
	my ($stdout, $stderr) = ('', '');

	append_to_file($file,
		join('', map { "\\echo $marker\n$_->{sql}\n" } @blocks));
	my $ran = IPC::Run::run(
		[
			'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('readme'),
			'-f', $file
		],
		'>', \$stdout,
		'2>', \$stderr);
	my (undef, @printed) = split(/^\Q$marker\E\n/m, $stdout, -1);

	ok($ran, 'all blocks of SQL run')
	  or diag("the one in line $blocks[$#printed]{line} does not:\n$stderr");
	return @printed;
}

sub trim
{
	my ($text) = @_;
	$text =~ s/[ \t]+$//mg;
	$text =~ s/\n*\z/\n/;
	return $text;
}

# The text as a pattern: an ellipsis, with the blanks around it, stands for
# anything.
sub pattern
{
	my ($text) = @_;
	my $pattern =
	  join('[^\n]*', map { quotemeta } split(/ *\xe2\x80\xa6 */, $text, -1));
	return qr/\A$pattern\z/;
}

$node->safe_psql('postgres', 'CREATE DATABASE readme');
my @blocks = read_blocks($readme);
cmp_ok(scalar @blocks, '>', 0, 'there are examples');
my @printed = run_blocks(@blocks);

foreach my $i (grep { defined $blocks[$_]{output} } 0 .. $#printed)
{
	my $said = trim($blocks[$i]{output});
	my $printed = trim($printed[$i]);

	# "is" shows both when they differ.
	is( $printed =~ pattern($said) ? $said : $printed,
		$said, "the block in line $blocks[$i]{line} prints what follows it");
}

###
# The inventory
###

# In code: after "dtmodel.", or within backticks.
sub is_named
{
	my ($name) = @_;
	return $readme =~ /\bdtmodel\.\Q$name\E\b|`[^`\n]*\b\Q$name\E\b[^`\n]*`/;
}

$node->safe_psql('postgres', 'CREATE EXTENSION dtmodel');
my $members = $node->safe_psql(
	'postgres', q(
	SELECT DISTINCT o.kind, o.name, bool_and(coalesce(o.comment, '') <> '')
	FROM pg_depend AS d
	JOIN pg_extension AS e ON e.oid = d.refobjid
	JOIN (
		SELECT 'pg_proc'::regclass AS classid, oid AS objid, 'function' AS kind,
			   proname AS name, obj_description(oid, 'pg_proc') AS comment
		FROM pg_proc
		UNION ALL
		SELECT 'pg_class'::regclass, oid, 'relation', relname,
			   obj_description(oid, 'pg_class')
		FROM pg_class
		UNION ALL
		SELECT 'pg_operator'::regclass, oid, 'operator', oprname,
			   obj_description(oid, 'pg_operator')
		FROM pg_operator
	) AS o USING (classid, objid)
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
	  AND e.extname = 'dtmodel'
	GROUP BY o.kind, o.name ORDER BY o.kind, o.name));
cmp_ok(scalar(split(/\n/, $members)), '>', 20, 'the extension has members');
foreach my $member (split(/\n/, $members))
{
	my ($kind, $name, $has_comment) = split(/\|/, $member);

	ok(is_named($name), "$kind $name is named");
	is($has_comment, 't', "$kind $name has a comment");
}

my $settings = $node->safe_psql('postgres',
	"LOAD 'dtmodel'; SELECT name FROM pg_settings WHERE name LIKE 'dtmodel.%' ORDER BY 1"
);
isnt($settings, '', 'the extension has settings');
foreach my $name (split(/\n/, $settings))
{
	ok(is_named($name =~ s/^dtmodel\.//r), "setting $name is named");
}

isnt(
	$node->safe_psql(
		'postgres',
		q(SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'dtmodel')
	),
	'',
	'the extension has a comment');

$node->stop;
done_testing();
