
# A dump brings back the same schema, the same rows and the same behaviour.
#
# The configuration of a model is in its own columns and triggers, so a
# dump has all of it.  The times are data, which a restore does not change,
# except in models with that option.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->start;

my $dir = PostgreSQL::Test::Utils::tempdir();

# 63 bytes, the last two of them one letter.
my $long = 'gelöscht_' . 'x' x 51 . 'ü';

###
# A database with models of all kinds
###
my $schema = qq(
CREATE EXTENSION dtmodel;

-- Of templates, with all mixins at once.
CREATE TABLE users (
	LIKE dtmodel.model_base INCLUDING ALL,
	LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
	LIKE dtmodel.configurable_mixin INCLUDING ALL,
	LIKE dtmodel.audit_mixin INCLUDING ALL,
	LIKE dtmodel.slug_mixin INCLUDING ALL,
	LIKE dtmodel.version_mixin INCLUDING ALL,
	LIKE dtmodel.active_mixin INCLUDING ALL,
	name text NOT NULL
);
SELECT dtmodel.add_model('users'), dtmodel.add_soft_delete('users');
CREATE UNIQUE INDEX ON users (name) WHERE NOT is_deleted;

-- An old table that became a model, and references another one.
CREATE TABLE orders (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
	name text NOT NULL,
	length int GENERATED ALWAYS AS (length(name)) STORED
);
INSERT INTO users (name) VALUES ('ann'), ('bob'), ('cem');
INSERT INTO orders (user_id, name) SELECT id, 'first of ' || name FROM users;
SELECT dtmodel.add_model('orders'),
	   dtmodel.add_soft_delete('orders', protect_truncate => true);
SELECT dtmodel.unique_live('orders', 'name', 'user_id'),
	   dtmodel.require_live_parent('orders', 'user_id'),
	   dtmodel.create_live_view('orders');

-- Names that have to be quoted, of the full length, in another schema.
CREATE SCHEMA "other; schema";
CREATE TABLE "other; schema"."a ""table"".x" (
	"primary key" text PRIMARY KEY,
	name text,
	"seen, {at}" timestamptz
);
SELECT dtmodel.add_timestamps(t, 'made "at"', 'changed, ''at''',
							  ignore_columns => ARRAY['seen, {at}', 'primary key']::name[],
							  clock => 'statement'),
	   dtmodel.add_soft_delete(t, '$long', 'when deleted;')
FROM (SELECT quote_ident('other; schema') || '.' || quote_ident('a "table".x')) AS q (n),
	 LATERAL (SELECT n::regclass) AS r (t);

-- A flag that says the contrary, one that is absent, and only one time.
CREATE TABLE inverted (id int PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('inverted', clock => 'clock', on_insert => 'stamp'),
	   dtmodel.add_soft_delete('inverted', flag => 'is_active', flag_means => 'live');
CREATE TABLE flagless (id int PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('flagless', created_at => NULL, clock => 'clock'),
	   dtmodel.add_soft_delete('flagless', flag => NULL, deleted_at => 'gone_at');

-- Times without a zone, a composite key, version 4 identifiers elsewhere.
CREATE TABLE zoneless (
	a int, b text, name text,
	created_at timestamp, updated_at timestamp(3), deleted_at timestamp,
	token uuid DEFAULT dtmodel.uuidv4(),
	PRIMARY KEY (b, a)
);
SELECT dtmodel.add_timestamps('zoneless'), dtmodel.add_soft_delete('zoneless');

-- One that stamps new rows, whose rows are in partitions, and hides deleted ones.
CREATE TABLE parted (id int, day date, name text, PRIMARY KEY (id, day))
	PARTITION BY RANGE (day);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
SELECT dtmodel.add_timestamps('parted', on_insert => 'stamp'), dtmodel.add_soft_delete('parted', hide => true);

-- One that was a partition of it.
CREATE TABLE detached PARTITION OF parted FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
ALTER TABLE parted DETACH PARTITION detached;

-- A trigger that fires always, with audit and version, and a model that will be out of order.
CREATE TABLE firing (id int PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('firing'), dtmodel.add_soft_delete('firing'),
	   dtmodel.add_audit('firing'), dtmodel.add_version('firing');
ALTER TABLE firing ENABLE ALWAYS TRIGGER zz_dtmodel_soft_delete;
CREATE TABLE drifted (id int PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('drifted'), dtmodel.add_soft_delete('drifted');

-- What was taken from everybody.
REVOKE USAGE ON SCHEMA dtmodel, dtmodel_internal FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION dtmodel.set_actor(text) FROM PUBLIC;
);

# The names of the columns that the checks below use, by model.
my $quoted = q("other; schema"."a ""table"".x");
my %models = (
	users => [ 'created_at', 'updated_at', 'is_deleted', 'deleted_at' ],
	orders => [ 'created_at', 'updated_at', 'is_deleted', 'deleted_at' ],
	$quoted => [ q("made ""at"""), q("changed, 'at'"), $long, '"when deleted;"' ],
	inverted => [ 'created_at', 'updated_at', 'NOT is_active', 'deleted_at' ],
	flagless =>
	  [ q('-infinity'::timestamptz), 'updated_at', 'gone_at IS NOT NULL', 'gone_at' ],
	zoneless => [ 'created_at', 'updated_at', 'is_deleted', 'deleted_at' ],
	parted => [ 'created_at', 'updated_at', 'is_deleted', 'deleted_at' ],
	detached => [ 'created_at', 'updated_at', 'is_deleted', 'deleted_at' ],
	firing => [ 'created_at', 'updated_at', 'is_deleted', 'deleted_at' ]);

# The statements run one by one, so that the times differ from row to row.
$node->safe_psql('postgres', 'CREATE DATABASE source');
$node->safe_psql('source', $schema);
$node->safe_psql(
	'source', qq(
	INSERT INTO users (name, settings, slug) VALUES ('dan', '{"theme": "dark"}', 'dan');
	INSERT INTO orders (user_id, name) SELECT id, 'another of ' || name FROM users;
	UPDATE users SET name = 'Bob' WHERE name = 'bob';
	UPDATE orders SET name = 'changed' WHERE id = 2;
	DELETE FROM users WHERE name = 'cem';
	DELETE FROM orders WHERE id IN (1, 2);
	DELETE FROM users WHERE name = 'dan';
	SELECT dtmodel.restore(u) FROM users AS u WHERE name = 'dan';
	INSERT INTO users (name) VALUES ('cem');
));
foreach my $n (1 .. 6)
{
	$node->safe_psql(
		'source', qq(
		SET dtmodel.actor = 'ann';
		INSERT INTO $quoted VALUES ('$n', 'x', now());
		INSERT INTO inverted VALUES ($n, 'x');
		INSERT INTO flagless VALUES ($n, 'x');
		INSERT INTO zoneless VALUES ($n, '$n', 'x');
		INSERT INTO parted VALUES ($n, '2020-02-02', 'x');
		INSERT INTO detached VALUES ($n, '2022-02-02', 'x');
		INSERT INTO firing VALUES ($n, 'x');
		INSERT INTO drifted VALUES ($n, 'x');
		UPDATE $quoted SET name = 'y' WHERE "primary key" = '$n';
		UPDATE inverted SET name = 'y';
		UPDATE zoneless SET name = 'y' WHERE a = 3;
		UPDATE parted SET day = '2021-02-02' WHERE id = 4;)
		  . ( $n % 2 == 0 ? qq(
		DELETE FROM $quoted WHERE "primary key" = '$n';
		DELETE FROM inverted WHERE id = $n;
		DELETE FROM flagless WHERE id = $n;
		DELETE FROM zoneless WHERE a = $n;
		DELETE FROM parted WHERE id = $n;
		DELETE FROM detached WHERE id = $n;
		DELETE FROM firing WHERE id = $n;) : ''));
}

# A disabled trigger and a column that was renamed under another one.
my $drift = q(
	ALTER TABLE drifted DISABLE TRIGGER zz_dtmodel_timestamps;
	ALTER TABLE drifted RENAME COLUMN deleted_at TO deleted_on;);
$node->safe_psql('source', $drift);

###
# What is compared
###

# The schema as a dump writes it, except what differs in every dump.
# From 18 on NOT NULL constraints have names.  A table that was a partition keeps
# those of the partitioned table; the dump has it first, so that in the copy the
# partitioned table chooses others.
sub schema_of
{
	my ($db) = @_;
	my ($dump) =
	  run_command([ 'pg_dump', '--schema-only', '-d', $node->connstr($db) ]);

	$dump =~ s/ CONSTRAINT \w+_not_null\d* NOT NULL/ NOT NULL/g;
	return join("\n", grep { !/^\\(un)?restrict / } split(/\n/, $dump));
}

# All rows of all tables, each with the table that it is in.
sub rows_of
{
	my ($db) = @_;
	my $tables = $node->safe_psql('source',
		q(SELECT string_agg(model::text, chr(10) ORDER BY model::text) FROM dtmodel.models)
	);
	my $rows = '';

	foreach my $table (split(/\n/, $tables))
	{
		$rows .= "$table\n"
		  . $node->safe_psql($db, "SELECT t::text FROM $table AS t ORDER BY 1")
		  . "\n";
	}
	return $rows;
}

sub models_of
{
	my ($db) = @_;

	return $node->safe_psql(
		$db, q(
		SELECT model, class, primary_key, mixins, drift FROM dtmodel.models ORDER BY model::text;
		SELECT dtmodel.describe(model) - 'session' FROM dtmodel.models ORDER BY model::text;));
}

# What UPDATE, DELETE and restore do to a model: for each of them, whether all
# rows are as they must be.  The changes are rolled back.
sub behaviour_of
{
	my ($db, $table) = @_;
	my ($created_at, $updated_at, $deleted, $deleted_at) =
	  @{ $models{$table} };

	return $node->safe_psql(
		$db, qq(
		BEGIN;
		CREATE TEMP TABLE before AS
			SELECT $created_at AS c, $updated_at AS u, $deleted AS d, $deleted_at AS t
			FROM $table;
		UPDATE $table SET name = name || '!';
		SELECT 'update', count(*) > 0,
			   bool_and($updated_at > ALL (SELECT u FROM before)),
			   string_agg(($created_at)::text, ' ' ORDER BY $created_at) =
			   (SELECT string_agg(c::text, ' ' ORDER BY c) FROM before)
		FROM $table;
		DELETE FROM $table;
		SELECT 'delete', count(*) = (SELECT count(*) FROM before),
			   bool_and($deleted), bool_and($deleted_at IS NOT NULL),
			   count(*) FILTER (WHERE $deleted_at IN (SELECT t FROM before)) =
			   (SELECT count(*) FROM before WHERE d),
			   count(DISTINCT $deleted_at) =
			   (SELECT count(DISTINCT t) + 1 FROM before)
		FROM $table;
		UPDATE $table SET $deleted_at = NULL
		WHERE $deleted_at <> ALL (SELECT t FROM before WHERE d);
		SELECT 'restore', count(*) = (SELECT count(*) FROM before WHERE NOT d),
			   bool_and($deleted_at IS NULL)
		FROM $table WHERE NOT ($deleted);
		ROLLBACK;));
}

my $schema_before = schema_of('source');
my $rows_before = rows_of('source');
my $models_before = models_of('source');

like($schema_before, qr/CREATE TRIGGER zz_dtmodel_timestamps/,
	'the dump has the triggers');
unlike($schema_before, qr/CREATE (SCHEMA dtmodel|(TABLE|FUNCTION|VIEW) dtmodel(_internal)?\.)/,
	'and nothing of what belongs to the extension');
like($schema_before, qr/REVOKE USAGE ON SCHEMA dtmodel FROM PUBLIC.*REVOKE USAGE ON SCHEMA dtmodel_internal FROM PUBLIC/s,
	'but who may use it');
unlike($rows_before, qr/\n\n/, 'each table has rows');

my $behaves = join("\n",
	'update|t|t|t', 'delete|t|t|t|t|t', 'restore|t|t');

sub is_same
{
	my ($db, $name) = @_;

	is(schema_of($db), $schema_before, "$name: the same schema");
	is(rows_of($db), $rows_before, "$name: the same rows, with their times");
	is(models_of($db), $models_before, "$name: the same models");
	foreach my $table (sort keys %models)
	{
		is(behaviour_of($db, $table), $behaves, "$name: $table behaves");
	}
	is( $node->safe_psql(
			$db, qq(
			BEGIN;
			CREATE TEMP TABLE before AS SELECT * FROM $quoted;
			UPDATE $quoted SET "seen, {at}" = now();
			SELECT count(*) > 0 AND bool_and(n."changed, 'at'" = b."changed, 'at'")
			FROM $quoted AS n JOIN before AS b USING ("primary key");
			ROLLBACK;)),
		't',
		"$name: an ignored column is ignored");

	# The event triggers come with the extension.
	is( $node->safe_psql(
			$db, q(
			BEGIN;
			ALTER TABLE parted DETACH PARTITION parted_1;
			SELECT mixins FROM dtmodel.models WHERE model = 'parted_1'::regclass;
			ALTER TABLE parted ATTACH PARTITION detached FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
			SELECT count(*) > 1, bool_and(tgparentid <> 0) FROM pg_trigger WHERE tgrelid = 'detached'::regclass;
			ROLLBACK;)),
		"{timestamps,soft_delete}\nt|t",
		"$name: partitions can be attached and detached");

	my (undef, undef, $stderr) = $node->psql($db, 'TRUNCATE orders');
	like($stderr, qr/table "orders" is protected against TRUNCATE/,
		"$name: a protected table is protected");
	return;
}

# A new database, and the connection options of its clients.
sub fresh
{
	my ($db) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE template0");
	return ('-d', $node->connstr($db));
}

my @source = ('-d', $node->connstr('source'));

is_same('source', 'before');

###
# Whole dumps
###
command_ok([ 'pg_dump', @source, '-f', "$dir/plain.sql" ], 'plain: pg_dump');
command_ok(
	[ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', fresh('plain'), '-f', "$dir/plain.sql" ],
	'plain: psql');
is_same('plain', 'plain');

command_ok([ 'pg_dump', @source, '-Fc', '-f', "$dir/custom" ],
	'custom: pg_dump');
# In one go several jobs may make a partitioned table's triggers before the rows
# of its partitions are in.  Those that stamp new rows would stamp these.
command_ok(
	[
		'pg_restore', '-e', '-j2', fresh('custom'), '--section=pre-data',
		'--section=data', "$dir/custom"
	],
	'custom: pg_restore -j2, all but triggers');
command_ok(
	[
		'pg_restore', '-e', '-j2', '-d', $node->connstr('custom'),
		'--section=post-data', "$dir/custom"
	],
	'custom: pg_restore -j2, triggers');
is_same('custom', 'custom');

# The restored database is dumped again.
command_ok(
	[ 'pg_dump', '-d', $node->connstr('custom'), '-Fc', '-f', "$dir/again" ],
	'again: pg_dump');
command_ok([ 'pg_restore', '-e', '-1', fresh('again'), "$dir/again" ],
	'again: pg_restore -1');
is_same('again', 'again');

# If the library is preloaded, some rows are hidden, but not from a dump.
{
	local $ENV{PGOPTIONS} = '-c session_preload_libraries=dtmodel';

	is( $node->safe_psql('source', 'SELECT count(*) FROM parted'),
		'3', 'preloaded: deleted rows are hidden');
	command_ok([ 'pg_dump', @source, '--inserts', '-f', "$dir/inserts.sql" ],
		'preloaded: pg_dump --inserts');
	command_ok(
		[
			'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', fresh('preloaded'),
			'-f', "$dir/inserts.sql"
		],
		'preloaded: psql');
}
is_same('preloaded', 'preloaded');

###
# The schema first and the rows later, when the triggers are there already
###
command_ok([ 'pg_dump', @source, '-s', '-f', "$dir/schema.sql" ],
	'schema: pg_dump -s');
command_ok(
	[ 'pg_dump', @source, '-a', '--disable-triggers', '-f', "$dir/data.sql" ],
	'data: pg_dump -a --disable-triggers');
command_ok([ 'pg_dump', @source, '-a', '-f', "$dir/enabled.sql" ],
	'data: pg_dump -a');

sub restore_schema
{
	my ($db) = @_;
	command_ok(
		[ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', fresh($db), '-f', "$dir/schema.sql" ],
		"$db: psql of the schema");
	return;
}

restore_schema('disabled');
command_ok(
	[
		'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('disabled'),
		'-f', "$dir/data.sql"
	],
	'disabled: psql of the data');

# The commands that the dump ends with enable all triggers of a table, those
# too that were disabled before: this is the server's behaviour, not ours.
$node->safe_psql(
	'disabled', q(
	ALTER TABLE drifted DISABLE TRIGGER zz_dtmodel_timestamps;
	ALTER TABLE firing ENABLE ALWAYS TRIGGER zz_dtmodel_soft_delete;));
is_same('disabled', 'disabled');

# With enabled triggers the rows keep their values as well ...
restore_schema('enabled');
command_ok(
	[
		'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('enabled'),
		'-c', 'ALTER TABLE public.drifted DISABLE TRIGGER ALL',
		'-f', "$dir/enabled.sql"
	],
	'enabled: psql of the data');

# What a query finds in the restored database and in the source.
sub in_both
{
	my ($query) = @_;
	return map { $node->safe_psql($_, $query) } ('enabled', 'source');
}

foreach my $table ('users', 'orders', $quoted, 'flagless', 'zoneless')
{
	my ($restored, $source) =
	  in_both("SELECT t::text FROM $table AS t ORDER BY 1");
	is($restored, $source, "enabled: $table has the same rows");
}

# ... unless the model stamps new rows, or has audit or version.
foreach my $table ('inverted', 'parted')
{
	my ($restored, $source) =
	  in_both("SELECT id, created_at FROM $table ORDER BY id LIMIT 1");
	isnt($restored, $source, "enabled: $table has new times");
	($restored, $source) =
	  in_both("SELECT id, name, deleted_at FROM $table ORDER BY id");
	is($restored, $source, "enabled: $table has the same deletions");
}
my ($restored, $source) = in_both(
	'SELECT id, created_at, updated_at, deleted_at FROM firing ORDER BY id');
is($restored, $source, 'enabled: firing has the same times');
($restored, $source) =
  in_both('SELECT DISTINCT created_by FROM firing');
is($source, 'ann', 'enabled: firing had an actor');
isnt($restored, $source, 'enabled: firing has a new one');
($restored, $source) = in_both('SELECT max(version) FROM firing');
is($source, '2', 'enabled: firing had a second version');
is($restored, '2', 'enabled: firing has the same one');

# They keep them too if the session that restores them sets dtmodel.preserve_timestamps.
restore_schema('preserved');
{
	local $ENV{PGOPTIONS} = '-c dtmodel.preserve_timestamps=on';
	command_ok(
		[
			'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('preserved'),
			'-c', 'ALTER TABLE public.drifted DISABLE TRIGGER zz_dtmodel_soft_delete_flag',
			'-f', "$dir/enabled.sql",
			'-c', 'ALTER TABLE public.drifted ENABLE TRIGGER zz_dtmodel_soft_delete_flag'
		],
		'preserved: psql of the data');
}
is_same('preserved', 'preserved');

###
# pg_upgrade, which takes the extension's objects over one by one
###
$node->safe_psql('postgres', "DROP DATABASE $_")
  foreach 'plain', 'custom', 'again', 'preloaded', 'disabled', 'enabled', 'preserved';
my $upgraded = PostgreSQL::Test::Cluster->new('upgraded');
$upgraded->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
my ($bindir) = run_command([ 'pg_config', '--bindir' ]);
$node->stop;
chdir $dir or die "could not use $dir: $!";
command_ok(
	[
		'pg_upgrade', '-d', $node->data_dir, '-D', $upgraded->data_dir,
		'-b', $bindir, '-B', $bindir, '-s', $upgraded->host,
		'-p', $node->port, '-P', $upgraded->port
	],
	'pg_upgrade');
$node = $upgraded;
$node->start;
is_same('source', 'upgraded');
is( $node->safe_psql(
		'source', q(
		SELECT string_agg(d.deptype::text, '') FROM pg_depend AS d
		WHERE classid = 'pg_namespace'::regclass AND objid IN ('dtmodel'::regnamespace, 'dtmodel_internal'::regnamespace))),
	'ee',
	'upgraded: the schemas belong to the extension');
$node->stop;
done_testing();
