
# CREATE and DROP EXTENSION: the privileges, the members, and that it cannot be
# dropped while a table needs it.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

sub query
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

# The statement fails with this SQLSTATE and message, and changes nothing.
sub is_refused
{
	my ($sql, $message, $name, @params) = @_;
	my ($stdout, $stderr);
	my $result = $node->psql(
		'postgres', "\\set VERBOSITY verbose\n$sql",
		stdout => \$stdout,
		stderr => \$stderr,
		on_error_stop => 1,
		extra_params => \@params);

	is($result, 3, "$name: is refused");
	like($stderr, $message, "$name: says why");
	return;
}

###
# Creating
###
query(
	q(
	CREATE ROLE app LOGIN;
	GRANT CREATE ON DATABASE postgres TO app;
	GRANT CREATE ON SCHEMA public TO app;));
is_refused(
	'CREATE EXTENSION dtmodel;',
	qr/42501: permission denied to create extension "dtmodel"/,
	'CREATE EXTENSION by an ordinary user',
	'-U', 'app');
is_refused(
	'CREATE EXTENSION dtmodel SCHEMA public;',
	qr/extension "dtmodel" must be installed in schema "pg_catalog"/,
	'CREATE EXTENSION in another schema');
is(query(q(SELECT count(*) FROM pg_namespace WHERE nspname ~ 'dtmodel')),
	'0', 'and there is no schema');

# A role with CREATE on the database has made a schema with functions and
# operators, which record the role that calls them.
query(
	q(
	SET ROLE app;
	CREATE TABLE caught (who name, what text);
	CREATE SCHEMA dtmodel;
	CREATE FUNCTION dtmodel.unnest(text[]) RETURNS SETOF text LANGUAGE plpgsql AS
		$$ BEGIN INSERT INTO public.caught VALUES (current_user, 'unnest'); RETURN QUERY SELECT pg_catalog.unnest($1); END $$;
	CREATE FUNCTION dtmodel.same(name, name) RETURNS boolean LANGUAGE plpgsql AS
		$$ BEGIN INSERT INTO public.caught VALUES (current_user, '='); RETURN pg_catalog.nameeq($1, $2); END $$;
	CREATE OPERATOR dtmodel.= (LEFTARG = name, RIGHTARG = name, FUNCTION = dtmodel.same);
	CREATE FUNCTION dtmodel.describe(regclass) RETURNS jsonb LANGUAGE plpgsql AS
		$$ BEGIN INSERT INTO public.caught VALUES (current_user, 'describe'); RETURN '{}'; END $$;
	GRANT USAGE ON SCHEMA dtmodel TO PUBLIC;));
foreach my $create ('CREATE EXTENSION dtmodel', 'CREATE EXTENSION IF NOT EXISTS dtmodel CASCADE')
{
	is_refused("$create;", qr/42P06: schema "dtmodel" already exists/,
		"$create over a schema that is there");
}
is_refused(
	'CREATE EXTENSION dtmodel SCHEMA dtmodel;',
	qr/extension "dtmodel" must be installed in schema "pg_catalog"/,
	'CREATE EXTENSION in a schema that is there');

# The same for the schema of what dtmodel itself calls.
query(
	q(
	ALTER SCHEMA dtmodel RENAME TO app;
	SET ROLE app;
	CREATE SCHEMA dtmodel_internal;
	GRANT USAGE ON SCHEMA dtmodel_internal TO PUBLIC;));
is_refused('CREATE EXTENSION dtmodel;', qr/42P06: schema "dtmodel_internal" already exists/,
	'CREATE EXTENSION over the other schema');
is( query(
		q(
		SELECT (SELECT count(*) FROM pg_extension WHERE extname = 'dtmodel'),
			   (SELECT count(*) FROM pg_proc WHERE probin LIKE '%dtmodel%'),
			   (SELECT count(*) FROM pg_event_trigger),
			   (SELECT count(*) FROM pg_namespace WHERE nspname = 'dtmodel'))),
	'0|0|0|0',
	'and there is nothing of ours');

# Nor is a trigger of that role mistaken for one of ours if the library is
# preloaded without the extension: a DELETE is a DELETE.
{
	local $ENV{PGOPTIONS} = '-c session_preload_libraries=dtmodel';

	query(
		q(
		SET ROLE app;
		CREATE TABLE public.trap (id int PRIMARY KEY, is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz);
		CREATE FUNCTION dtmodel_internal.soft_delete_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
		CREATE FUNCTION dtmodel_internal.soft_delete_flag_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
		CREATE TRIGGER zz_dtmodel_soft_delete BEFORE DELETE ON trap FOR EACH ROW
			EXECUTE FUNCTION dtmodel_internal.soft_delete_trigger('flag=is_deleted', 'deleted_at=deleted_at', 'hide=true');
		CREATE TRIGGER zz_dtmodel_soft_delete_flag BEFORE UPDATE OF is_deleted, deleted_at ON trap FOR EACH ROW
			EXECUTE FUNCTION dtmodel_internal.soft_delete_flag_trigger('flag=is_deleted', 'deleted_at=deleted_at', 'hide=true');
		INSERT INTO trap VALUES (1, false, NULL), (2, true, now());));
	is(query('SELECT count(*) FROM trap; DELETE FROM trap; SELECT count(*) FROM trap;'),
		"2\n0", 'a trigger of the role is not one of ours');
	query('DROP TABLE trap');
}

# After the superuser has renamed the schemas, CREATE EXTENSION works.
query(
	q(
	ALTER SCHEMA dtmodel_internal RENAME TO app_internal;
	CREATE EXTENSION dtmodel;
	SET search_path = app, public, pg_catalog;
	CREATE TABLE public.doc (LIKE dtmodel.model_base INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL);
	SELECT dtmodel.add_model('public.doc'), dtmodel.add_soft_delete('public.doc');
	INSERT INTO public.doc DEFAULT VALUES;
	DELETE FROM public.doc;
	SELECT count(*) FROM dtmodel.models;
	DROP TABLE public.doc;));
is(query('SELECT count(*) FROM caught'), '0', 'nothing of the role has run');
foreach my $schema ('dtmodel', 'dtmodel_internal')
{
	is_refused(
		"CREATE FUNCTION $schema.unnest(text[]) RETURNS text LANGUAGE sql AS 'SELECT 1';",
		qr/42501: permission denied for schema $schema$/m,
		"a function of the role in the new schema $schema",
		'-U', 'app');
}
query('DROP SCHEMA app CASCADE; DROP SCHEMA app_internal CASCADE; DROP TABLE caught');
is_refused(
	'ALTER EXTENSION dtmodel SET SCHEMA public;',
	qr/0A000: extension "dtmodel" does not support SET SCHEMA/,
	'ALTER EXTENSION SET SCHEMA');

###
# What belongs to it
###

# The schemas are members, and so is every object in them.  A member's own parts (a
# table's type, its indexes and constraints) depend on the member instead.
is( query(
		q(
		SELECT count(*) > 0 AND bool_and(is_member)
		FROM (
			SELECT EXISTS (
				SELECT FROM pg_depend AS d
				JOIN pg_extension AS e ON e.oid = d.refobjid
				WHERE d.classid = o.classid AND d.objid = o.objid
				  AND d.refclassid = 'pg_extension'::regclass
				  AND d.deptype = 'e' AND e.extname = 'dtmodel') AS is_member
			FROM (
				SELECT 'pg_proc'::regclass, oid, pronamespace::regnamespace::name FROM pg_proc UNION ALL
				SELECT 'pg_class'::regclass, oid, relnamespace::regnamespace::name FROM pg_class
				WHERE relkind <> 'i' UNION ALL
				SELECT 'pg_operator'::regclass, oid, oprnamespace::regnamespace::name FROM pg_operator UNION ALL
				SELECT 'pg_type'::regclass, oid, typnamespace::regnamespace::name FROM pg_type
				WHERE typrelid = 0 AND typelem = 0
			) AS o (classid, objid, schema)
			WHERE schema IN ('dtmodel', 'dtmodel_internal')
		) AS s)),
	't',
	'every object in the schemas belongs to the extension');
is( query(
		q(
		SELECT nspname, d.deptype, pg_describe_object(refclassid, refobjid, 0)
		FROM pg_depend AS d JOIN pg_namespace AS n ON n.oid = objid
		WHERE classid = 'pg_namespace'::regclass AND nspname ~ 'dtmodel' ORDER BY 1)),
	"dtmodel|e|extension dtmodel\ndtmodel_internal|e|extension dtmodel",
	'and so do the schemas');
is( query(
		q(
		SELECT string_agg(pg_describe_object(d.classid, d.objid, 0), ', ' ORDER BY d.objid)
		FROM pg_depend AS d
		JOIN pg_extension AS e ON e.oid = d.refobjid
		CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) AS i
		WHERE d.refclassid = 'pg_extension'::regclass
		  AND d.deptype = 'e' AND e.extname = 'dtmodel'
		  AND coalesce(i.schema, i.identity) NOT IN ('dtmodel', 'dtmodel_internal'))),
	'event trigger dtmodel_partition_attach, event trigger dtmodel_partition_detach, '
	  . 'event trigger dtmodel_history_protect, event trigger dtmodel_history_follow, event trigger dtmodel_history_drop',
	'and nothing outside of them does, but event triggers, which have no schema');
is( query(
		q(
		SELECT string_agg(concat(evtname, ' ', evtenabled), ', ' ORDER BY evtname)
		FROM pg_event_trigger WHERE obj_description(oid, 'pg_event_trigger') <> '')),
	'dtmodel_history_drop A, dtmodel_history_follow A, dtmodel_history_protect A, '
	  . 'dtmodel_partition_attach A, dtmodel_partition_detach A',
	'they fire always');

# Every object has a comment, except the row types of tables and the types of
# arrays, which are members themselves from PostgreSQL 19 on.
my $silent = q(
	WITH implied (oid) AS (
		SELECT t.oid FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
		WHERE t.typcategory = 'A' OR c.relkind <> 'c'
	), member (classid, objid) AS (
		SELECT d.classid, d.objid
		FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
		WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'dtmodel' AND
			  (d.classid <> 'pg_type'::regclass OR d.objid NOT IN (SELECT oid FROM implied))
		UNION ALL
		SELECT 'pg_extension'::regclass, oid FROM pg_extension WHERE extname = 'dtmodel'
	), part (classid, objid, objsubid, comment) AS (
		SELECT classid, objid, 0, obj_description(objid, classid::regclass::name) FROM member
		UNION ALL
		SELECT classid, objid, attnum, col_description(objid, attnum)
		FROM member JOIN pg_attribute ON attrelid = objid
		WHERE classid = 'pg_class'::regclass AND attnum > 0 AND NOT attisdropped
		UNION ALL
		SELECT 'pg_constraint'::regclass, c.oid, 0, obj_description(c.oid, 'pg_constraint')
		FROM member JOIN pg_constraint AS c ON conrelid = objid
		WHERE classid = 'pg_class'::regclass AND contype <> 'n'
	)
	SELECT string_agg(pg_describe_object(classid, objid, objsubid), ', ' ORDER BY objid, objsubid)
	FROM part WHERE coalesce(comment, '') = '');
is(query($silent), '', 'every object of the extension, column and constraint has a comment');
is( $node->safe_psql(
		'postgres', qq(
		BEGIN;
		COMMENT ON FUNCTION dtmodel.uuidv4() IS NULL;
		COMMENT ON CONSTRAINT ck_settings ON dtmodel.configurable_mixin IS NULL;
		COMMENT ON COLUMN dtmodel.slug_mixin.slug IS NULL;
		COMMENT ON EVENT TRIGGER dtmodel_partition_attach IS NULL;
		SELECT * FROM regexp_split_to_table(($silent), ', ') ORDER BY 1;
		ROLLBACK;)),
	join("\n", 'column slug of table dtmodel.slug_mixin',
		'constraint ck_settings on table dtmodel.configurable_mixin',
		'event trigger dtmodel_partition_attach', 'function dtmodel.uuidv4()'),
	'one that has none would be found');

# A table that is made from templates gets their comments.
is( query(
		q(
		BEGIN;
		CREATE TABLE doc (LIKE dtmodel.model_base INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL);
		SELECT col_description('doc'::regclass, 1), obj_description(oid, 'pg_constraint')
		FROM pg_constraint WHERE conrelid = 'doc'::regclass AND contype = 'c';
		ROLLBACK;)),
	'primary key|a row has a time of deletion if, and only if, it is deleted',
	'copies of templates have their comments');

# An ordinary user may read all of it and write none of it.
is( query(
		q(
		SELECT string_agg(c.relname, ', ')
		FROM pg_class AS c
		WHERE c.relnamespace = 'dtmodel'::regnamespace AND c.relkind IN ('r', 'v')
		  AND (NOT has_table_privilege('app', c.oid, 'SELECT') OR
			   has_table_privilege('app', c.oid,
								   'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')))),
	'',
	'every role can read templates and views, but not write them');
is( query(
		q(
		SELECT string_agg(p.oid::regprocedure::text, ', ')
		FROM pg_proc AS p
		WHERE p.pronamespace IN ('dtmodel'::regnamespace, 'dtmodel_internal'::regnamespace)
		  AND (p.prosecdef OR NOT has_function_privilege('app', p.oid, 'EXECUTE')))),
	'',
	'every role can call the functions, as the current user');
is( query(
		q(
		SELECT schema, has_schema_privilege('app', schema, 'USAGE'), has_schema_privilege('app', schema, 'CREATE')
		FROM unnest('{dtmodel,dtmodel_internal}'::text[]) AS schema)),
	"dtmodel|t|f\ndtmodel_internal|t|f",
	'every role can use the schemas, and no other role can create in them');

###
# After a schema is renamed writes fail, and no row is deleted for good
###
query(
	q(
	CREATE TABLE doc (LIKE dtmodel.model_base INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL);
	SELECT dtmodel.add_model('doc'), dtmodel.add_soft_delete('doc');
	INSERT INTO doc DEFAULT VALUES;
	ALTER SCHEMA dtmodel_internal RENAME TO renamed;));
foreach my $preload ('', 'dtmodel')
{
	my $tier = $preload ? 'preloaded' : 'trigger';
	local $ENV{PGOPTIONS} = "-c session_preload_libraries=$preload";

	is_refused('UPDATE doc SET created_at = now();',
		qr/55000: a trigger of table "doc" is not in schema "dtmodel_internal"/,
		"$tier: UPDATE while the schema has another name");
	is_refused('DELETE FROM doc;', qr/42809: table "doc" has no soft delete/,
		"$tier: DELETE while the schema has another name");
}
query('ALTER SCHEMA renamed RENAME TO dtmodel_internal; DELETE FROM doc');
is(query('SELECT count(*), bool_and(is_deleted) FROM doc'), '1|t', 'then it is soft again');
query('DROP TABLE doc');

###
# Dropping, while something needs it
###

# Each of these needs the extension in its own way.
my @needs = (
	[
		'a timestamps trigger',
		'CREATE TABLE doc (id int PRIMARY KEY DEFAULT 1)',
		q(dtmodel.add_timestamps('doc')),
		q(dtmodel.remove_timestamps('doc', drop_columns => true)),
		qr/trigger zz_dtmodel_timestamps on table doc depends on/
	],
	[
		'a soft-delete trigger',
		'CREATE TABLE doc (id int PRIMARY KEY DEFAULT 1)',
		q(dtmodel.add_soft_delete('doc')),
		q(dtmodel.remove_soft_delete('doc', drop_columns => true)),
		qr/trigger zz_dtmodel_soft_delete on table doc depends on/
	],
	[
		'a soft-delete trigger alone',
		'CREATE TABLE doc (id int PRIMARY KEY DEFAULT 1)',
		q(dtmodel.add_soft_delete('doc', flag => NULL, protect_truncate => true)),
		q(dtmodel.remove_soft_delete('doc', drop_columns => true)),
		qr/trigger zz_dtmodel_protect_truncate on table doc depends on/
	],
	[
		'a base model',
		'CREATE TABLE doc ()',
		q(dtmodel.add_model('doc')),
		q(dtmodel.remove_model('doc', drop_columns => true)),
		qr/default value for column id of table doc depends on function dtmodel\.uuidv7\(\)/
	],
	[
		'a base model with another default',
		'CREATE TABLE doc ()',
		q(dtmodel.add_model('doc', id => 'v4')),
		q(dtmodel.remove_model('doc', drop_columns => true)),
		qr/default value for column id of table doc depends on function dtmodel\.uuidv4\(\)/
	],
	[
		'nothing but the default of a template',
		'CREATE TABLE doc (LIKE dtmodel.model_base INCLUDING ALL)',
		'1',
		q(dtmodel.remove_model('doc'); ALTER TABLE doc ALTER COLUMN id SET DEFAULT gen_random_uuid()),
		qr/default value for column id of table doc depends on function dtmodel\.uuidv7\(\)/
	],
	[
		'a default that a user wrote',
		'CREATE TABLE doc (token uuid DEFAULT dtmodel.uuidv7())',
		'1',
		q(dtmodel.remove_model('doc'); ALTER TABLE doc ALTER COLUMN token SET DEFAULT gen_random_uuid()),
		qr/default value for column token of table doc depends on function dtmodel\.uuidv7\(\)/
	]);

foreach my $need (@needs)
{
	my ($what, $create, $add, $remove, $detail) = @$need;

	query("$create; SELECT $add;");
	is_refused('DROP EXTENSION dtmodel;',
		qr/2BP01: cannot drop extension dtmodel because other objects depend on it.*$detail/s,
		"DROP EXTENSION with $what");
	query("SELECT $remove;");
	is( query(
			q(
			SELECT count(*) FROM pg_trigger
			WHERE tgrelid = 'doc'::regclass)),
		'0',
		"$what: remove_* leaves no trigger");
	is( $node->psql(
			'postgres',
			'BEGIN; DROP EXTENSION dtmodel; INSERT INTO doc DEFAULT VALUES; ROLLBACK;',
			on_error_stop => 1),
		0,
		"$what: after remove_* the extension can go, and the table works");
	query('DROP TABLE doc');
}

###
# Removing all mixins leaves the table as it was
###

# What a dump says of the database, without what differs from dump to dump.
sub schema_dump
{
	my ($dump) = run_command(
		[ 'pg_dump', '--schema-only', '-d', $node->connstr('postgres') ]);

	return join("\n",
		grep { $_ ne '' && !/^--/ && !/^\\(un)?restrict / } split(/\n/, $dump));
}

query(
	q(
	SET ROLE app;
	CREATE TABLE "Old ""Table""" (
		id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		name text NOT NULL,
		"is active?" boolean NOT NULL DEFAULT true
	);
	INSERT INTO "Old ""Table""" (name) VALUES ('a'), ('b');
	CREATE TABLE child (
		id int PRIMARY KEY,
		parent bigint REFERENCES "Old ""Table""" ON DELETE CASCADE,
		created_at timestamptz, updated_at timestamptz,
		is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz
	);
	INSERT INTO child VALUES (1, 1), (2, 2);));
my $before = schema_dump();
my $model = q(quote_ident('Old "Table"')::regclass);
query(
	qq(
	SET ROLE app;
	SELECT dtmodel.add_model($model),
		   dtmodel.add_soft_delete($model, flag => 'is active?',
								   flag_means => 'live', protect_truncate => true),
		   dtmodel.add_model('child', id => 'none'),
		   dtmodel.add_soft_delete('child');
	UPDATE "Old ""Table""" SET name = 'c' WHERE id = 1;
	DELETE FROM child WHERE id = 1;
	SELECT dtmodel.restore(c) FROM child AS c;));
isnt(schema_dump(), $before, 'add_* changes what a dump says');
query(
	qq(
	SET ROLE app;
	SELECT dtmodel.remove_soft_delete($model), dtmodel.remove_model($model),
		   dtmodel.remove_soft_delete('child'), dtmodel.remove_model('child');
	ALTER TABLE "Old ""Table""" DROP COLUMN created_at, DROP COLUMN updated_at,
		DROP COLUMN deleted_at;
	ALTER TABLE child ALTER COLUMN created_at DROP DEFAULT,
		ALTER COLUMN updated_at DROP DEFAULT;));
is(schema_dump(), $before,
	'remove_* reverts all of it except columns and their defaults');
is( query(
		q(SELECT string_agg(id || name || "is active?", ' ' ORDER BY id) FROM "Old ""Table""")
	),
	'1ctrue 2btrue',
	'the rows are there');
query('DROP EXTENSION dtmodel');
is(query('SELECT count(*) FROM pg_event_trigger'),
	'0', 'DROP EXTENSION takes the event triggers');
is(query(q(SELECT count(*) FROM pg_namespace WHERE nspname ~ 'dtmodel')),
	'0', 'DROP EXTENSION takes the schemas');
query(
	q(
	SET ROLE app;
	UPDATE child SET created_at = '2001-02-03', is_deleted = true WHERE id = 1;
	DELETE FROM "Old ""Table""" WHERE id = 2;));
is( query(
		q(SELECT string_agg(concat(id, is_deleted, created_at::date), ' ' ORDER BY id) FROM child)
	),
	'1t2001-02-03',
	'and a table that is ordinary again');

###
# DROP EXTENSION ... CASCADE takes triggers and defaults, never rows
###
query(
	q(
	CREATE EXTENSION dtmodel;
	CREATE TABLE doc (
		LIKE dtmodel.model_base INCLUDING ALL,
		LIKE dtmodel.soft_delete_mixin INCLUDING ALL
	);
	SELECT dtmodel.add_model('doc'), dtmodel.add_soft_delete('doc');
	INSERT INTO doc SELECT FROM generate_series(1, 3);
	DELETE FROM doc WHERE id = (SELECT id FROM doc LIMIT 1);));
my $rows = query('SELECT * FROM doc ORDER BY id');
query('DROP EXTENSION dtmodel CASCADE');
is(query('SELECT * FROM doc ORDER BY id'),
	$rows, 'CASCADE leaves the rows as they are');
is( query(
		q(
		SELECT count(*) FROM pg_trigger WHERE tgrelid = 'doc'::regclass
		UNION ALL
		SELECT count(*) FROM pg_attrdef
		WHERE adrelid = 'doc'::regclass AND pg_get_expr(adbin, adrelid) ~ 'dtmodel')),
	"0\n0",
	'and takes triggers and defaults');

# What a user has put into our schemas is not dropped without CASCADE.
query('CREATE EXTENSION dtmodel');
foreach my $schema ('dtmodel', 'dtmodel_internal')
{
	query("CREATE VIEW $schema.one AS SELECT 1");
	is_refused('DROP EXTENSION dtmodel;',
		qr/2BP01: .*view $schema\.one depends on schema $schema/s,
		"DROP EXTENSION with a view of a user in schema $schema");
	query("DROP VIEW $schema.one");
}
query('DROP EXTENSION dtmodel');

# And it can be made a model again.
query(
	q(
	CREATE EXTENSION dtmodel;
	SELECT dtmodel.add_model('doc'), dtmodel.add_soft_delete('doc');));
is( query(q(SELECT mixins, drift FROM dtmodel.models WHERE model = 'doc'::regclass)),
	'{timestamps,soft_delete}|{}',
	'the table is a model again');
is(query('SELECT * FROM doc ORDER BY id'), $rows, 'with the same rows');

$node->stop;
done_testing();
