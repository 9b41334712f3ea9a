
# Every version that was released: it can be installed, a model of it works with
# the current library, and after each way of updating to the newest version the
# catalogue says the same as after CREATE EXTENSION.
#
# The catalogue of an extension is what pg_depend says belongs to it, with all
# columns of the system catalogues but those that differ from one database to the
# next, in which object identifiers are replaced by what they refer to.  So a
# comparison does not depend on what the objects of a version are.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

my $definition = <<'SQL';
-- The names of the objects that a column with object identifiers refers to.  A
-- column of type regproc has them already.
CREATE FUNCTION public.names(catalog oid, value text) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN value !~ '^[][{}", 0-9]+$' THEN value
				ELSE (SELECT string_agg(coalesce(pg_describe_object(catalog, m[1]::oid, 0), 'none'), ', ' ORDER BY n)
					  FROM regexp_matches(value, '\d+', 'g') WITH ORDINALITY AS x (m, n)) END
$$;

-- The columns of system catalogues that are compared, with the catalogue that they
-- refer to.  Not those that say where an object is stored, how large it is, or the
-- numbers of columns, and no expressions, which have a definition in SQL.
CREATE TABLE public.compared AS
	SELECT attrelid AS catalog, attname, atttypid, pktable
	FROM pg_attribute LEFT JOIN pg_get_catalog_foreign_keys() ON fktable = attrelid AND fkcols = ARRAY[attname]::text[]
	WHERE attrelid < 16384 AND attnum > 0 AND atttypid <> 'pg_node_tree'::regtype
	  AND attname <> ALL ('{oid,relfilenode,reltablespace,relpages,reltuples,relallvisible,relallfrozen,relfrozenxid,relminmxid,reltoastrelid,relnatts,
						   relhasindex,relhasrules,relhastriggers,relhassubclass,
						   attrelid,attnum,attcacheoff,atthasmissing,attmissingval,adnum,conkey,confkey}');
CREATE INDEX ON public.compared (catalog);

-- One row of a system catalogue, as it is in every database.
CREATE FUNCTION public.normal(catalog oid, r jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_object_agg(c.attname,
							CASE WHEN c.pktable IS NOT NULL THEN to_jsonb(public.names(c.pktable, r ->> c.attname))
								 WHEN c.atttypid = 'aclitem[]'::regtype AND jsonb_typeof(r -> c.attname) = 'array'
								 THEN (SELECT jsonb_agg(i ORDER BY i) FROM jsonb_array_elements_text(r -> c.attname) AS i)
								 -- minor releases of 2026 and later count the changes of a column here
								 WHEN c.attname = 'attoptions' AND jsonb_typeof(r -> c.attname) = 'array'
								 THEN (SELECT jsonb_agg(i) FROM jsonb_array_elements_text(r -> c.attname) AS i WHERE i !~ '^pg_attver=')
								 ELSE r -> c.attname END)
	FROM public.compared AS c WHERE c.catalog = normal.catalog
$$;

-- What belongs to an extension, and what of it: each property in a line.
CREATE FUNCTION public.catalogue(extension name) RETURNS SETOF text LANGUAGE plpgsql STABLE AS $$
DECLARE
	p record;
	r jsonb;
BEGIN
	FOR p IN
		WITH RECURSIVE part (classid, objid) AS (
			SELECT 'pg_extension'::regclass::oid, oid FROM pg_extension WHERE extname = extension
			UNION
			-- members, and what is part of one: constraints, defaults, indexes, rules and row types
			SELECT d.classid, d.objid FROM part JOIN pg_depend AS d ON (refclassid, refobjid) = (part.classid, part.objid)
			WHERE deptype IN ('e', 'a', 'i'))
		SELECT part.*, pg_describe_object(classid, objid, 0) AS name FROM part, pg_identify_object(classid, objid, 0)
		WHERE coalesce(schema, '') <> 'pg_toast'
	LOOP
		EXECUTE format('SELECT public.normal(%s, to_jsonb(c)) FROM %s AS c WHERE oid = $1', p.classid, p.classid::regclass) INTO STRICT r USING p.objid;
		r := r || jsonb_build_object(
			'definition', CASE p.classid
				WHEN 'pg_proc'::regclass THEN CASE WHEN r ->> 'prokind' <> 'a' THEN pg_get_functiondef(p.objid) END
				WHEN 'pg_attrdef'::regclass THEN (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE oid = p.objid)
				WHEN 'pg_constraint'::regclass THEN pg_get_constraintdef(p.objid)
				WHEN 'pg_rewrite'::regclass THEN pg_get_ruledef(p.objid)
				WHEN 'pg_trigger'::regclass THEN pg_get_triggerdef(p.objid)
				WHEN 'pg_class'::regclass THEN CASE r ->> 'relkind' WHEN 'v' THEN pg_get_viewdef(p.objid) WHEN 'i' THEN pg_get_indexdef(p.objid) END END,
			'comment', obj_description(p.objid, p.classid::regclass::name),
			-- what a dump of the privileges starts from
			'initial privileges', (SELECT jsonb_agg(to_jsonb(i::text) ORDER BY i::text) FROM pg_init_privs AS ip, unnest(initprivs) AS i
								   WHERE (ip.classoid, ip.objoid, ip.objsubid) = (p.classid, p.objid, 0)),
			'member', (SELECT count(*) FROM pg_depend AS d WHERE (d.classid, d.objid, d.deptype) = (p.classid, p.objid, 'e')));
		RETURN QUERY SELECT concat_ws(' ', p.name, key || ':', value) FROM jsonb_each(r);
		RETURN QUERY
			SELECT concat_ws(' ', pg_describe_object(p.classid, p.objid, attnum), key || ':', value)
			FROM (SELECT *, row_number() OVER (ORDER BY attnum) AS place FROM pg_attribute
				  WHERE attrelid = p.objid AND p.classid = 'pg_class'::regclass AND attnum > 0 AND NOT attisdropped) AS a,
				 jsonb_each(public.normal('pg_attribute'::regclass, to_jsonb(a))
							|| jsonb_build_object('place', place, 'comment', col_description(attrelid, attnum)));
	END LOOP;
END
$$;
SQL

my $databases = 0;

# A database with a version of an extension: the newest, or this one.
sub install
{
	my ($extension, $version) = @_;
	my $database = 'db' . ++$databases;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, $definition . "CREATE EXTENSION $extension" . (defined $version ? " VERSION '$version'" : ''));
	return $database;
}

sub catalogue
{
	my ($database, $extension) = @_;
	return split(/\n/, $node->safe_psql($database, "SELECT public.catalogue('$extension')"));
}

# What one catalogue has and the other has not.
sub difference
{
	my ($old, $new) = @_;
	my (%old, %new);

	@old{@$old} = ();
	@new{@$new} = ();
	return join("\n", sort((map { "- $_" } grep { !exists $new{$_} } @$old), (map { "+ $_" } grep { !exists $old{$_} } @$new)));
}

###
# The comparison
###
my $newest = install('dtmodel');
my @newest = catalogue($newest, 'dtmodel');

is(difference(\@newest, [ catalogue(install('dtmodel'), 'dtmodel') ]), '', 'two databases have the same catalogue');

# It is complete: every member, with what a listing of psql shows of it.
my @kinds = ('column', 'constraint', 'default value', 'event trigger', 'extension', 'function', 'index', 'rule', 'schema', 'table', 'view');
is(join(', ', grep { my $kind = $_; !grep { /^$kind / } @newest } @kinds), '', 'objects of all kinds are compared');
is( $node->safe_psql($newest, q(SELECT count(*) FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = refobjid WHERE extname = 'dtmodel' AND deptype = 'e')),
	scalar(grep { / member: 1$/ } @newest), 'every member is');

# It finds a change of any kind.
my @changes = (
	[ 'ALTER FUNCTION dtmodel.table_name(text) VOLATILE', 'function dtmodel.table_name(text) provolatile: "v"' ],
	[ 'ALTER FUNCTION dtmodel.table_name(text) CALLED ON NULL INPUT', 'function dtmodel.table_name(text) proisstrict: false' ],
	[ 'ALTER FUNCTION dtmodel.table_name(text) PARALLEL UNSAFE', 'function dtmodel.table_name(text) proparallel: "u"' ],
	[ 'ALTER FUNCTION dtmodel.table_name(text) COST 7', 'function dtmodel.table_name(text) procost: 7' ],
	[ 'ALTER FUNCTION dtmodel.table_name(text) SECURITY DEFINER', 'function dtmodel.table_name(text) prosecdef: true' ],
	[ 'ALTER FUNCTION dtmodel.table_name(text) SET search_path = public', 'function dtmodel.table_name(text) proconfig: ["search_path=public"]' ],
	[ 'ALTER FUNCTION dtmodel.table_name(text) OWNER TO other', 'function dtmodel.table_name(text) proowner: "role other"' ],
	[ 'ALTER FUNCTION dtmodel.mixins() ROWS 11', 'function dtmodel.mixins() prorows: 11' ],
	[ 'ALTER FUNCTION dtmodel.get_all SUPPORT generate_series_int8_support', qr/^\+ function dtmodel\.get_all\(.* prosupport: "generate_series_int8_support"/m ],
	[ 'ALTER FUNCTION dtmodel_internal.slug_trigger() SET SCHEMA dtmodel', 'function dtmodel.slug_trigger() pronamespace: "schema dtmodel"' ],
	[ q(CREATE OR REPLACE FUNCTION dtmodel.table_name(class text) RETURNS text LANGUAGE c AS '$libdir/dtmodel', 'dtmodel_class_name'), 'function dtmodel.table_name(text) prosrc: "dtmodel_class_name"' ],
	[ q(CREATE OR REPLACE FUNCTION dtmodel.uuidv7(shift interval DEFAULT '1 day') RETURNS uuid LANGUAGE c AS '$libdir/dtmodel', 'dtmodel_uuidv7_shifted'), qr/^\+ function dtmodel\.uuidv7\(interval\) definition: .*DEFAULT '1 day'/m ],
	[ 'COMMENT ON FUNCTION dtmodel.table_name(text) IS NULL', 'function dtmodel.table_name(text) comment: null' ],
	[ 'REVOKE EXECUTE ON FUNCTION dtmodel.table_name(text) FROM PUBLIC', qr/^\+ function dtmodel\.table_name\(text\) proacl: \["\w+=X/m ],
	[ 'REVOKE USAGE ON SCHEMA dtmodel_internal FROM PUBLIC', qr/^- schema dtmodel_internal nspacl: .*"=U/m ],
	[ 'ALTER SCHEMA dtmodel OWNER TO other', 'schema dtmodel nspowner: "role other"' ],
	[ 'CREATE FUNCTION dtmodel.more() RETURNS int LANGUAGE sql RETURN 1; ALTER EXTENSION dtmodel ADD FUNCTION dtmodel.more()', 'function dtmodel.more() member: 1' ],
	[ 'ALTER EXTENSION dtmodel DROP FUNCTION dtmodel.mixins()', qr/^- function dtmodel\.mixins\(\) member: 1/m ],
	[ 'CREATE OPERATOR dtmodel.@@@ (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq, RESTRICT = eqsel); ALTER EXTENSION dtmodel ADD OPERATOR dtmodel.@@@ (text, text)', 'operator dtmodel.@@@(text,text) oprrest: "eqsel"' ],
	[ 'ALTER TABLE dtmodel.version_mixin ALTER version SET DEFAULT 2', qr/^\+ default value for column version of table dtmodel\.version_mixin definition: "2"/m ],
	[ 'ALTER TABLE dtmodel.version_mixin ALTER version DROP NOT NULL', 'column version of table dtmodel.version_mixin attnotnull: false' ],
	[ 'ALTER TABLE dtmodel.slug_mixin ALTER slug TYPE varchar(9)', 'column slug of table dtmodel.slug_mixin atttypid: "type character varying"' ],
	[ 'ALTER TABLE dtmodel.slug_mixin ADD more int', 'column more of table dtmodel.slug_mixin place: 2' ],
	[ q(COMMENT ON COLUMN dtmodel.slug_mixin.slug IS 'other'), 'column slug of table dtmodel.slug_mixin comment: "other"' ],
	[ 'ALTER TABLE dtmodel.configurable_mixin DROP CONSTRAINT ck_settings', qr/^- constraint ck_settings on table dtmodel\.configurable_mixin definition: /m ],
	[ 'ALTER TABLE dtmodel.configurable_mixin DROP CONSTRAINT ck_settings, ADD CONSTRAINT ck_settings CHECK (settings IS NOT NULL)', qr/^\+ constraint ck_settings on table dtmodel\.configurable_mixin definition: .*IS NOT NULL/m ],
	[ 'CREATE INDEX more ON dtmodel.slug_mixin (slug)', qr/^\+ index dtmodel\.more definition: /m ],
	[ 'GRANT INSERT ON dtmodel.slug_mixin TO PUBLIC', qr/^\+ table dtmodel\.slug_mixin relacl: .*"=ar/m ],
	[ 'ALTER TABLE dtmodel.slug_mixin ENABLE ROW LEVEL SECURITY', 'table dtmodel.slug_mixin relrowsecurity: true' ],
	[ 'ALTER VIEW dtmodel.models SET (security_barrier)', 'view dtmodel.models reloptions: ["security_barrier=true"]' ],
	[ q(CREATE OR REPLACE VIEW dtmodel.models AS SELECT NULL::regclass AS model, NULL::text AS class, NULL::text[] AS primary_key, NULL::text[] AS mixins, NULL::text[] AS drift, NULL::text[] AS session), qr/^\+ view dtmodel\.models definition: /m ],
	[ 'ALTER EVENT TRIGGER dtmodel_history_drop DISABLE', 'event trigger dtmodel_history_drop evtenabled: "D"' ],
	[ 'ALTER EVENT TRIGGER dtmodel_history_drop ENABLE', 'event trigger dtmodel_history_drop evtenabled: "O"' ],
	[ 'COMMENT ON EXTENSION dtmodel IS NULL', 'extension dtmodel comment: null' ]);

$node->safe_psql('postgres', 'CREATE ROLE other');
foreach my $change (@changes)
{
	my ($sql, $expected) = @$change;
	my @lines = split(/\n/, $node->safe_psql($newest, "BEGIN; $sql; SELECT public.catalogue('dtmodel'); ROLLBACK"));

	$expected = qr/^\+ \Q$expected\E$/m if !ref $expected;
	like(difference(\@newest, \@lines), $expected, "is found: $sql");
}

###
# A model, with everything that 1.0 has
###
sub make_model
{
	my ($database) = @_;

	$node->safe_psql(
		$database, q(
		CREATE TABLE docs (LIKE dtmodel.model_base INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL, title text);
		CREATE TABLE pages (id int PRIMARY KEY, doc uuid REFERENCES docs ON DELETE CASCADE);
		SELECT dtmodel.add_model('docs'), dtmodel.add_soft_delete('docs', deleted_by => 'deleted_by', hide => true),
			   dtmodel.add_audit('docs'), dtmodel.add_version('docs'), dtmodel.add_slug('docs', 'title'),
			   dtmodel.add_settings('docs', '{theme}'), dtmodel.add_history('docs');
		SELECT dtmodel.add_soft_delete('pages'), dtmodel.require_live_parent('pages', 'doc');
		SELECT dtmodel.create_live_view('docs'), dtmodel.unique_live('docs', 'title');));
	return;
}

# What it does, in both tiers.
my $behaviour = join("\n", ('a-b|dark|ann|1', '4|bob||3|1|{}') x 2);

sub use_model
{
	my ($database) = @_;
	my @answers;

	foreach my $preload ('', 'dtmodel')
	{
		local $ENV{PGOPTIONS} = "-c session_preload_libraries=$preload -c client_min_messages=warning";

		push @answers, $node->safe_psql(
			$database, q(
			SET dtmodel.actor = 'ann';
			SELECT slug, settings ->> 'theme', created_by, version FROM dtmodel.create(NULL::docs, '{"title": "A b", "theme": "dark"}');
			INSERT INTO pages SELECT 1, id FROM docs;
			SET dtmodel.actor = 'bob';
			UPDATE docs SET title = 'C';
			DELETE FROM live_docs;
			SET dtmodel.with_deleted = on;
			SELECT dtmodel.restore(d) IS NULL FROM docs AS d \g /dev/null
			SELECT version, updated_by, deleted_by, (SELECT count(*) FROM docs_history),
				   (SELECT count(*) FROM pages WHERE NOT is_deleted),
				   (SELECT drift FROM dtmodel.models WHERE model = 'docs'::regclass)
			FROM docs;
			SET dtmodel.hard_delete = on;
			DELETE FROM docs;
			CALL dtmodel.purge_history('docs', '0');));
	}
	return join("\n", @answers);
}

my $broken = install('dtmodel');
make_model($broken);
$node->safe_psql($broken, 'ALTER TABLE docs DISABLE TRIGGER zz_dtmodel_version');
isnt(use_model($broken), $behaviour, 'a model that does not work is found');

###
# The walk
###

# Of the scripts that there are, all ways to the newest version: each a list of versions.
sub paths
{
	my ($from, $to, $steps, @before) = @_;

	return [ @before, $to ] if $from eq $to;
	return map { my $next = $_; (grep { $_ eq $next } @before) ? () : paths($next, $to, $steps, @before, $from) } sort keys %{ $steps->{$from} // {} };
}

# What differs from a new installation, by path; '' for nothing.  Each path has a
# database of its own, with a model that is used after every step.  (Only where
# the extension is called dtmodel: the library knows its templates by that.)
sub walk
{
	my ($extension) = @_;
	my $default = $node->safe_psql('postgres', "SELECT default_version FROM pg_available_extensions WHERE name = '$extension'");
	my @new = catalogue(install($extension), $extension);
	my %steps;
	my %result;

	# A path of one step has a script of its own.
	foreach my $step (split(/\n/, $node->safe_psql('postgres', "SELECT source, target FROM pg_extension_update_paths('$extension') WHERE path = source || '--' || target")))
	{
		my ($source, $target) = split(/\|/, $step);
		$steps{$source}{$target} = 1;
	}
	foreach my $version (split(/\n/, $node->safe_psql('postgres', "SELECT version FROM pg_available_extension_versions WHERE name = '$extension' ORDER BY 1")))
	{
		my @paths = paths($version, $default, \%steps);

		$result{$version} = 'there is no way to the newest version' if !@paths;
		foreach my $path (@paths)
		{
			my $database = install($extension, $version);
			my $name = join('--', @$path);

			if ($extension eq 'dtmodel')
			{
				make_model($database);
				is(use_model($database), $behaviour, "$name: a model of $version works with the library of today");
			}
			foreach my $target (@$path[ 1 .. $#$path ])
			{
				$node->safe_psql($database, "ALTER EXTENSION $extension UPDATE TO '$target'");
				is(use_model($database), $behaviour, "$name: and after the update to $target") if $extension eq 'dtmodel';
			}
			$result{$name} = difference(\@new, [ catalogue($database, $extension) ]);
		}
	}
	return \%result;
}

my $versions = walk('dtmodel');
is(join("\n", map { "$_: $versions->{$_}" } grep { $versions->{$_} ne '' } sort keys %$versions),
	'', 'after every update the catalogue is that of a new installation');

# None is missing: the changelog has a chapter for each version, the newest first.
# TAP tests run where the Makefile is.
my @released = slurp_file('CHANGELOG.md') =~ /^## (\S+)/mg;
is($node->safe_psql('postgres', q(SELECT default_version FROM pg_available_extensions WHERE name = 'dtmodel')), $released[0], 'the newest version is the default');
is(join(' ', grep { my $version = $_; !grep { /^\Q$version\E(--|$)/ } keys %$versions } @released), '', 'every version of the changelog was walked from');

###
# What the walk finds: made-up versions, of an extension of another name
###

# Its scripts are that of 1.0, without some functions.
my $script = slurp_file('sql/dtmodel--1.0.sql');
my %functions;
foreach my $name ('str', 'repr')
{
	$script =~ /^(CREATE FUNCTION dtmodel\.$name\(.*?;\n)\n(COMMENT ON FUNCTION dtmodel\.$name\(.*?;\n)/ms or die "no $name";
	$functions{$name} = [ $1, $2 ];
}

sub without
{
	my $text = $script;
	foreach my $name (@_)
	{
		$text =~ s/\Q$_\E// foreach @{ $functions{$name} };
	}
	return $text;
}

# Two ways lead from 0.7 to 1.0. Of the updates to 1.0 one forgets a comment, and
# there is none from 0.6.
my %files = (
	'.control' => slurp_file('dtmodel.control') =~ s/^default_version.*/default_version = '1.0'/mr,
	'--0.6.sql' => without('str'),
	'--0.7.sql' => without('str', 'repr'),
	'--0.7--0.8.sql' => join('', @{ $functions{repr} }),
	'--0.7--0.9.sql' => join('', @{ $functions{repr} }),
	'--0.8.sql' => without('str'),
	'--0.8--1.0.sql' => $functions{str}[0],
	'--0.9--1.0.sql' => join('', @{ $functions{str} }),
	'--1.0.sql' => $script);

# From 18 on a setting names the folders of extensions; before, they are in the
# installation, which may not be ours.
my $has_path = $node->safe_psql('postgres', q(SELECT count(*) FROM pg_settings WHERE name = 'extension_control_path'));
my $share = $has_path ? PostgreSQL::Test::Utils::tempdir() : $node->safe_psql('postgres', q(SELECT setting FROM pg_config WHERE name = 'SHAREDIR'));
my $folder = "$share/extension";
mkdir $folder if $has_path;

sub remove_files
{
	unlink map { "$folder/dtmodel_walk$_" } keys %files;
	return;
}
END { my $status = $?; remove_files(); $? = $status; }

SKIP:
{
	skip 'the installation is not ours to write to', 1 if !-w $folder;

	append_to_file("$folder/dtmodel_walk$_", $files{$_}) foreach keys %files;
	if ($has_path)
	{
		$node->append_conf('postgresql.conf', "extension_control_path = '$share:\$system'");
		$node->reload;
	}
	$versions = walk('dtmodel_walk');
	my $comment = 'function dtmodel.str(anyelement) comment:';
	my $forgotten = qq(+ $comment null\n- $comment "a row as readable text: User 1");
	is(join("\n", map { "$_: $versions->{$_}" } sort keys %$versions),
		join("\n", '0.6: there is no way to the newest version', "0.7--0.8--1.0: $forgotten", '0.7--0.9--1.0: ', "0.8--1.0: $forgotten", '0.9--1.0: ', '1.0: '),
		'the walk takes all ways, and finds a comment that is forgotten');
}

$node->stop;
done_testing();
