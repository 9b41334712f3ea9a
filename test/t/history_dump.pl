
# A history that was restored from a dump follows its model as before.
#
# The event triggers come with the extension, before the tables: they must not
# take the commands of the dump for changes of a model.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->start;

my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', 'CREATE ROLE ann; CREATE DATABASE source');
$node->safe_psql(
	'source', qq(
	CREATE EXTENSION dtmodel;
	CREATE SCHEMA app AUTHORIZATION ann;
	SET ROLE ann;
	SET search_path = app;

	CREATE TABLE events (id int, region text, note text, PRIMARY KEY (id, region))
		PARTITION BY LIST (region);
	CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
	CREATE TABLE events_b PARTITION OF events FOR VALUES IN ('b') PARTITION BY LIST (id);
	CREATE TABLE events_b1 PARTITION OF events_b FOR VALUES IN (1);
	SELECT dtmodel.add_timestamps('events', clock => 'clock'),
		   dtmodel.add_history('events', exclude => '{note}');

	CREATE TABLE vehicles (id int PRIMARY KEY, name text);
	CREATE TABLE cars (seats int, PRIMARY KEY (id)) INHERITS (vehicles);
	SELECT dtmodel.add_timestamps('vehicles', clock => 'clock'), dtmodel.add_history('vehicles');

	CREATE TABLE bills (id int PRIMARY KEY, v text);
	SELECT dtmodel.add_timestamps('bills', clock => 'clock'),
		   dtmodel.add_history('bills', partition_by => 'month');
	ALTER TABLE bills ENABLE ROW LEVEL SECURITY;
));
$node->safe_psql(
	'source', qq(
	SET search_path = app;
	INSERT INTO events VALUES (1, 'a'), (1, 'b');
	INSERT INTO cars (id, name, seats) VALUES (1, 'x', 2);
	ALTER TABLE events ADD COLUMN n int DEFAULT 1;
	UPDATE events SET n = 2;
	UPDATE cars SET name = 'y';
	ALTER TABLE vehicles DROP COLUMN name;
	ALTER TABLE vehicles ADD COLUMN name int;
	UPDATE cars SET name = 3;
	INSERT INTO bills VALUES (1, 'a'), (2, 'a');
	UPDATE bills SET v = 'b';
	SET dtmodel.preserve_timestamps = on;
	UPDATE bills SET v = 'c', updated_at = '2999-01-01' WHERE id = 2;

	-- Policies, in an order that is not that of their names, and one that the
	-- history has besides.
	ALTER TABLE events ADD COLUMN p int DEFAULT 1;
	CREATE FUNCTION public.team() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1';
	ALTER TABLE events ENABLE ROW LEVEL SECURITY;
	CREATE POLICY z ON events USING (p = public.team());
	CREATE POLICY own ON events_history FOR SELECT USING (p = 4);
	CREATE POLICY own ON events AS RESTRICTIVE FOR SELECT TO ann, pg_monitor
		USING (p IN (SELECT seats FROM cars WHERE cars.id = events.id) OR p < 9);
	CREATE POLICY a ON events USING (p <> 3);
	CREATE POLICY notes ON events USING (note = '');
));

# What does not differ from database to database: inherited columns may change
# their order.
my $past = qq(
	SELECT 'events', to_jsonb(h) FROM app.events_history AS h
	UNION ALL SELECT 'vehicles', to_jsonb(h) FROM app.vehicles_history AS h
	UNION ALL SELECT 'cars', to_jsonb(h) FROM app.cars_history AS h
	UNION ALL SELECT tableoid::regclass::text, to_jsonb(h) FROM app.bills_history AS h
	UNION ALL SELECT 'partition', to_jsonb(c)
	FROM (SELECT relname, relreplident, relrowsecurity, pg_get_userbyid(relowner),
				 pg_get_expr(relpartbound, oid)
		  FROM pg_class WHERE relkind IN ('r', 'p') AND relname LIKE 'bills_history%') AS c
	UNION ALL SELECT 'events then', to_jsonb(h)
	FROM app.events_as_of((SELECT min(valid_from) FROM app.events_history)) AS h
	UNION ALL SELECT 'trigger', to_jsonb(t)
	FROM (SELECT tgrelid::regclass, tgname, tgargs FROM pg_trigger
		  WHERE tgname LIKE 'zz_dtmodel_history%') AS t
	UNION ALL SELECT 'policy', to_jsonb(p)
	FROM (SELECT polrelid::regclass, polname, polpermissive, polcmd, pg_get_expr(polqual, polrelid)
		  FROM pg_policy) AS p
	ORDER BY 1, 2);

sub restore_with
{
	my ($database, @command) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->command_ok(\@command, "$database: a dump is restored");
	is($node->safe_psql($database, $past),
		$node->safe_psql('source', $past),
		"$database: the past is the same");
}

# Jobs of pg_restore may create triggers before policies, keys and indexes.
sub list_triggers_first
{
	my ($dump, $file) = @_;
	my @kinds = ('TRIGGER', 'ROW SECURITY', 'POLICY', 'CONSTRAINT', 'INDEX', 'INDEX ATTACH');
	my $after_data = join '|', @kinds;
	my ($entries) = run_command([ 'pg_restore', '-l', $dump ]);
	my @entries = split /\n/, $entries;
	my @list = grep { !/^\d+; \d+ \d+ (?:$after_data) app / } @entries;

	foreach my $kind (@kinds)
	{
		my @of_kind = grep { /^\d+; \d+ \d+ $kind app / } @entries;

		ok(@of_kind > 0, "the dump has entries for $kind");
		push @list, @of_kind;
	}
	append_to_file($file, join '', map { "$_\n" } @list);
	return;
}

sub check_following
{
	my ($database) = @_;

	$node->safe_psql(
		$database, qq(
		SET ROLE ann;
		SET search_path = app;
		ALTER TABLE events ADD COLUMN k int;
		ALTER TABLE events ALTER n TYPE text USING 'n' || n;
		ALTER TABLE events RENAME note TO remark;
		UPDATE events SET k = 1;
		TRUNCATE events_b1;
		ALTER TABLE vehicles RENAME TO wheels;
		UPDATE wheels SET name = 4;
		ALTER TABLE bills ADD COLUMN k int;
		ALTER TABLE bills RENAME TO invoices;
		UPDATE invoices SET k = 1 WHERE id = 1));
	is( $node->safe_psql(
			$database,
			'SELECT region, operation, n, k FROM app.events_history ORDER BY region, valid_to'),
		"a|update|n1|\na|update|n2|\nb|update|n1|\nb|update|n2|\nb|truncate|n2|1",
		"$database: a history follows its model");
	is( $node->safe_psql(
			$database,
			'SELECT name_1, name FROM app.wheels_history ORDER BY valid_to'),
		"x|\n|\n|3",
		"$database: and its name");
	is( $node->safe_psql(
			$database, qq(
			SET ROLE ann;
			SELECT v, tableoid::regclass::text ~ 'invoices_history_\\d' FROM app.invoices_history
			WHERE id = 1 ORDER BY valid_to;
			SELECT cardinality(dtmodel.add_history_partitions('app.invoices', 4)))),
		"a|t\nb|t\n1",
		"$database: a partitioned history goes on");
	is( $node->safe_psql(
			$database, qq(
			SET ROLE ann;
			SET search_path = app;
			DROP POLICY own ON events;
			ALTER POLICY z ON events USING (k = 1);
			ALTER TABLE events DROP COLUMN p CASCADE;
			SELECT polname, pg_get_expr(polqual, polrelid) FROM pg_policy
			WHERE polrelid = 'events_history'::regclass ORDER BY polname)),
		"own|(p = 4)\nz|(k = 1)",
		"$database: and its policies");
	is( $node->safe_psql(
			$database, qq(
			SET ROLE ann;
			DROP TABLE app.events, app.invoices;
			DROP TABLE app.cars, app.wheels;
			SELECT count(*) FROM pg_proc WHERE pronamespace = 'app'::regnamespace)),
		'0',
		"$database: the functions are dropped with the models");
	return;
}

$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/dump", $node->connstr('source') ],
	'the database is dumped');
$node->command_ok([ 'pg_restore', '-f', "$dir/dump.sql", "$dir/dump" ],
	'the dump is written as SQL');
restore_with('parallel', 'pg_restore', '-e', '-j2', '-d', $node->connstr('parallel'), "$dir/dump");
restore_with('script', 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', "$dir/out",
	'-d', $node->connstr('script'), '-f', "$dir/dump.sql");
list_triggers_first("$dir/dump", "$dir/list");
restore_with('reordered', 'pg_restore', '-e', '-L', "$dir/list",
	'-d', $node->connstr('reordered'), "$dir/dump");
check_following('parallel');
check_following('script');
check_following('reordered');

$node->stop;

done_testing();
