# A dump of the coordinator brings back a cluster, as docs/citus.md describes it.
#
# The tables are restored, distributed as they were, and filled, and what is left
# of the dump makes them models again.  They then have the rows that were dumped,
# with the times, actors and versions of then, and do what models do.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use IPC::Run qw(run);
use PostgreSQL::Test::Utils;
use Test::More;

my $source = CitusCluster->start('source');
my $target = CitusCluster->start('target');
my $file = PostgreSQL::Test::Utils::tempdir() . '/dump';

# A dump has no word of Citus: which tables it distributes, and how.
my $distribute = q(
	SELECT create_reference_table('plans');
	SELECT create_distributed_table('tenants', 'id');
	SELECT create_distributed_table('tickets', 'tenant', colocate_with => 'tenants');
	SELECT create_distributed_table('people', 'id');
	SELECT create_distributed_table('visits', 'id');
	SELECT create_distributed_table('single', NULL, colocate_with => 'none');
	SELECT citus_schema_distribute('app');
	SELECT citus_add_local_table_to_metadata('loc'););

my @sharded = qw(plans tenants tickets people visits single app.notes loc);
my @tables = (@sharded, 'plain', 'plain_history');

# Runs a client program of the server on a coordinator: what it prints as errors.
sub client
{
	my ($citus, @command) = @_;
	my $err = '';

	run [ @command, '-d', $citus->coordinator->connstr('postgres') ], '>', \my $out, '2>', \$err;
	return $err;
}

sub restore
{
	my ($options, @what) = @_;
	local $ENV{PGOPTIONS} = $options;

	return client($target, 'pg_restore', @what, $file);
}

sub checksums
{
	my ($citus) = @_;

	return join "\n", map { "$_ " . $citus->checksum($_) } @tables;
}

sub check_rows
{
	my ($name) = @_;

	is(checksums($target), checksums($source), "$name: the rows are those that were dumped");
	$target->same_replicas('plans', "$name: the copies of a reference table are equal");
	return;
}

###
# Models of all kinds
###
$source->sql(q(
	CREATE SCHEMA app;
	CREATE TABLE plans (id int PRIMARY KEY, name text);
	CREATE TABLE tenants (id int PRIMARY KEY, name text);
	CREATE TABLE tickets (tenant int, id int, name text, plan int, PRIMARY KEY (tenant, id));
	CREATE TABLE people (LIKE dtmodel.model_base INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
		LIKE dtmodel.audit_mixin INCLUDING ALL, LIKE dtmodel.version_mixin INCLUDING ALL, name text);
	CREATE TABLE visits (id int, day date, name text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
	CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
	CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
	CREATE TABLE single (id int PRIMARY KEY, name text);
	CREATE TABLE app.notes (id int PRIMARY KEY, name text);
	CREATE TABLE loc (id int PRIMARY KEY, name text);
	CREATE TABLE plain (id int PRIMARY KEY, name text);));
$source->sql($distribute);
$source->sql(q(
	ALTER TABLE tickets ADD FOREIGN KEY (tenant) REFERENCES tenants ON DELETE CASCADE;
	ALTER TABLE tickets ADD FOREIGN KEY (plan) REFERENCES plans;
	SELECT dtmodel.add_model('people'), dtmodel.add_soft_delete('people'), dtmodel.add_audit('people'), dtmodel.add_version('people');
	SELECT dtmodel.add_timestamps('visits', on_insert => 'stamp'), dtmodel.add_soft_delete('visits', protect_truncate => true);
	DO $$
	DECLARE
		t regclass;
	BEGIN
		FOREACH t IN ARRAY ARRAY['plans', 'tenants', 'tickets', 'single', 'app.notes', 'loc', 'plain'] LOOP
			PERFORM dtmodel.add_model(t), dtmodel.add_audit(t), dtmodel.add_version(t), dtmodel.add_settings(t, '{theme}'),
				dtmodel.add_soft_delete(t, hide => t <> 'tickets'::regclass, deleted_by => 'deleted_by');
		END LOOP;
	END $$;
	SELECT dtmodel.unique_live('tickets', 'tenant', 'name'), dtmodel.unique_live('plans', 'name'), dtmodel.unique_live('plain', 'name');
	SELECT dtmodel.require_live_parent('tickets', 'tenant'), dtmodel.require_live_parent('tickets', 'plan');
	SELECT dtmodel.add_slug('plain', 'name'), dtmodel.add_history('plain'), dtmodel.create_live_view('plain');
	CREATE VIEW live_tickets AS SELECT * FROM tickets WHERE NOT is_deleted;));

# Rows of three actors and times, some of them deleted.
$source->sql(q(
	SET dtmodel.actor = 'ann';
	INSERT INTO plans (id, name) SELECT g, 'plan ' || g FROM generate_series(1, 4) AS g;
	INSERT INTO tenants (id, name, settings) SELECT g, 'tenant ' || g, '{"theme": "dark"}' FROM generate_series(1, 8) AS g;
	INSERT INTO tickets (tenant, id, name, plan) SELECT 1 + g % 8, g, 'ticket ' || g, 1 + 2 * (g % 2) FROM generate_series(1, 80) AS g;
	INSERT INTO people (name) SELECT 'person ' || g FROM generate_series(1, 20) AS g;
	INSERT INTO visits (id, day, name) SELECT g, date '2020-07-01' + 20 * g, 'visit ' || g FROM generate_series(1, 20) AS g;));
$source->sql(qq(
	SET dtmodel.actor = 'ann';
	INSERT INTO $_ (id, name) SELECT g, 'row ' || g FROM generate_series(1, 20) AS g;))
  foreach qw(single app.notes loc plain);
foreach my $t (grep { $_ ne 'people' } @tables[ 0 .. 8 ])
{
	$source->sql("SET dtmodel.actor = 'bob'; UPDATE $t SET name = upper(name) WHERE id <= 3");
	$source->sql("SET dtmodel.actor = 'cid'; DELETE FROM $t WHERE id IN (4, 8)");
}
$source->sql(q(SET dtmodel.actor = 'cid'; DELETE FROM people WHERE name LIKE '%3'));

is(client($source, 'pg_dump', '-Fc', '-f', $file), '', 'the coordinator is dumped');

###
# Restored into a new cluster
###
my $unsafe = '-c citus.enable_unsafe_triggers=on';

is(restore('', '--section=pre-data') =~ /error: (.*)/ ? $1 : '', '', 'the tables');
$target->sql($distribute);
is(restore($unsafe, "--section=$_"), '', "the $_") foreach 'data', 'post-data';
check_rows('restored');
foreach my $sql (
	'SELECT table_name::text, citus_table_type, distribution_column, shard_count FROM citus_tables ORDER BY 1',
	'SELECT * FROM dtmodel.models ORDER BY model::text')
{
	is($target->sql($sql), $source->sql($sql), "restored: $sql");
}
is($target->sql(q(SELECT DISTINCT result FROM run_command_on_all_nodes('SELECT coalesce(string_agg(d::text, $$, $$), $$none$$) FROM dtmodel.drift() AS d'))),
	'none', 'restored: no server has drift');
foreach my $t (@sharded)
{
	is(join("\n", $target->shapes($t)), join("\n", $source->shapes($t)), "restored: $t and its shards are as they were");
}

###
# The models work
###

foreach my $t (grep { !/people|visits|plain_history/ } @tables)
{
	my ($key, $row) = $t eq 'tickets' ? ('{"tenant": 3, "id": 2}', 'tenant = 3 AND id = 2') : ('2', 'id = 2');

	is($target->try(
			"BEGIN; SELECT now() \\gset\nSET LOCAL dtmodel.actor = 'dan';
			 UPDATE $t SET name = 'changed' WHERE $row;
			 SELECT created_by, updated_by, version, updated_at = :'now', created_at < :'now' FROM $t WHERE $row;
			 DELETE FROM $t WHERE $row;
			 SELECT count(*) FROM $t WHERE $row AND NOT is_deleted;
			 SELECT is_deleted, deleted_by, deleted_at = :'now' FROM dtmodel.get_by_id(NULL::$t, '$key');
			 SELECT is_deleted, version FROM dtmodel.restore(NULL::$t, '$key');
			 SET LOCAL dtmodel.hard_delete = on; DELETE FROM $t WHERE $row;
			 SELECT count(*) FROM dtmodel.get_by_id(NULL::$t, '$key') AS r WHERE r IS NOT NULL; ROLLBACK"),
		"ann|dan|3|t|t\n0\nt|dan|t\nf|5\n0", "$t: stamps, soft delete and restore");
	like($target->try(qq(UPDATE $t SET settings = '{"font": 1}' WHERE $row)), qr/^22023: unknown setting "font"/, "$t: settings");
}
is($target->try(
		"BEGIN; SELECT now() \\gset\nUPDATE people SET name = 'x' WHERE name = 'person 1'; SELECT version, updated_at = :'now' FROM people WHERE name = 'x';
		 DELETE FROM people; SELECT count(*), count(DISTINCT deleted_at) FROM people WHERE is_deleted; ROLLBACK"),
	"2|t\n20|2", 'people: a model of templates');
is($target->try(
		"BEGIN; SELECT now() \\gset\nINSERT INTO visits (id, day, created_at) VALUES (99, '2020-02-02', '2001-01-01'); SELECT created_at = :'now' FROM visits WHERE id = 99;
		 DELETE FROM visits; SELECT count(*), count(DISTINCT deleted_at) FROM visits WHERE is_deleted; ROLLBACK"),
	"t\n21|2", 'visits: partitions');
like($target->try('TRUNCATE visits'), qr/^55000: /, 'visits: TRUNCATE is refused');
like($target->try(q(INSERT INTO plans (id, name) VALUES (9, 'PLAN 1'))), qr/^23505: /, 'unique_live: live rows are unique');
is($target->try(q(BEGIN; INSERT INTO plans (id, name) VALUES (9, 'plan 4'); SELECT count(*) FROM plans; ROLLBACK)), '4',
	'unique_live: a deleted row does not count');
like($target->try(q(INSERT INTO tickets (tenant, id, plan) VALUES (4, 99, 1))), qr/^23503: /, 'require_live_parent');
is($target->try(
		'BEGIN; DELETE FROM tenants WHERE id = 1; SELECT count(*) FROM tickets WHERE tenant = 1 AND NOT is_deleted; SELECT count(*) > 0 FROM tickets WHERE tenant = 1; ROLLBACK'),
	"0\nt", 'a deletion goes on along a foreign key');
is($target->sql('SELECT count(*) FROM live_tickets'), $source->sql('SELECT count(*) FROM tickets WHERE NOT is_deleted'), 'a view of live rows');
is($target->try(q(BEGIN; UPDATE live_plain SET name = 'row 6' WHERE id = 5; ROLLBACK)) =~ /^(23505)/ ? $1 : '', '23505', 'plain: unique_live');
is($target->try(
		q(BEGIN; SET LOCAL dtmodel.actor = 'dan';
		  INSERT INTO plain (id, name) VALUES (30, 'row-5'); UPDATE live_plain SET name = 'other' WHERE id = 5; DELETE FROM live_plain WHERE id = 6;
		  SELECT slug FROM plain WHERE id = 30; SELECT count(*) FROM live_plain;
		  SELECT operation, actor FROM dtmodel.history(NULL::plain, 5) ORDER BY valid_from; ROLLBACK)),
	"row-5-2\n18\ncreate|ann\nupdate|dan", 'plain: slug, live view and history');
check_rows('after changes that were undone');

###
# The data alone, into models that are there
###
$target->sql('SET dtmodel.hard_delete = on; TRUNCATE ' . join ', ', @tables[ 0 .. 8 ]);
like(restore('', '--data-only'), qr/COPY cannot write column "created_by" of table "tickets", whose rows Citus keeps in shards/,
	'data alone: without a setting, tables with audit refuse it');
$target->sql('SET dtmodel.hard_delete = on; TRUNCATE ' . join ', ', @tables);
is(restore('-c dtmodel.preserve_timestamps=on', '--data-only'), '', 'data alone: restored');
check_rows('data alone');

###
# Tables that are restored whole, and distributed then
###
$target->sql('DROP TABLE visits, single');
is(client($source, 'pg_dump', '-Fc', '-f', $file, '-t', 'visits*', '-t', 'single'), '', 'tables alone: dumped');
is(restore(''), '', 'tables alone: restored');
$target->sql(q(
	SET citus.enable_unsafe_triggers = on;
	SELECT create_distributed_table('visits', 'id'), create_distributed_table('single', NULL, colocate_with => 'none')));
like($target->try(q(SELECT truncate_local_data_after_distributing_table('visits'))), qr/^55000: /,
	'tables alone: protect_truncate protects what distributing them leaves');
is($target->try(qq(SET dtmodel.hard_delete = on; SELECT truncate_local_data_after_distributing_table('$_'))), '',
	"tables alone: $_, what distributing it leaves is removed") foreach 'visits', 'single';
check_rows('tables alone');
is($target->sql('SELECT count(*) FROM dtmodel.drift()'), '0', 'tables alone: no drift');

$_->stop foreach $source, $target;
done_testing();
