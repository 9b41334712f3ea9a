# Functions on rows of tables of every kind.
#
# The same calls are made on a table that Citus does not know and on one of each
# kind that it does, which was made a model before or after.  A call has the same
# result on all of them, or it is refused (0A000) where Citus has the table.
# After every call the copies of the rows are equal.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use Test::More;

my $citus = CitusCluster->start('functions');

my %kinds = (CitusCluster::kinds('t'), schema => '', plain => '');

my $create = q(
	CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 1, name text));
my $add = q(
	SELECT dtmodel.add_model('t'), dtmodel.add_soft_delete('t'), dtmodel.add_version('t'),
		   dtmodel.add_settings('t', '{theme,lang}', schema => '{"theme": {"enum": ["light", "dark"], "default": "light"}}'));
my $rows = q(
	INSERT INTO t (id, n, name) SELECT g, g, 'n' || g FROM generate_series(1, 20) AS g);

# A name, a script, and whether it is refused where Citus has the table.
my @calls = (
	[ 'count', q(SELECT dtmodel.count(NULL::t), dtmodel.count(NULL::t, true)) ],
	[ 'exists', q(SELECT dtmodel.exists(NULL::t, 1), dtmodel.exists(NULL::t, 99), dtmodel.exists(NULL::t, '2')) ],
	[ 'get_by_id', q(SELECT (dtmodel.get_by_id(NULL::t, 1)).name, dtmodel.get_by_id(NULL::t, 99) IS NULL) ],
	[ 'get_by_id in a transaction that has written', q(BEGIN; UPDATE t SET name = 'x' WHERE id = 1; SELECT (dtmodel.get_by_id(NULL::t, 1)).name; ROLLBACK) ],
	[ 'get_all', q(SELECT id FROM dtmodel.get_all(NULL::t)) ],
	[ 'get_all, a page', q(SELECT id FROM dtmodel.get_all(NULL::t, "limit" => 3, "offset" => 2)) ],
	[ 'get_all, after a key', q(SELECT id FROM dtmodel.get_all(NULL::t, "limit" => 3, after_id => 7)) ],
	[ 'get_all, joined', q(SELECT t.id, a.n FROM dtmodel.get_all(NULL::t) AS a JOIN t USING (id) WHERE t.id < 4 ORDER BY 1) ],
	[ 'create', q(SELECT id, n, name, settings, version FROM dtmodel.create(NULL::t, '{"id": 21, "name": "a", "theme": "dark"}')) ],
	[ 'create, bad value', q(SELECT dtmodel.create(NULL::t, '{"id": "x"}')) ],
	[ 'create, unknown key', q(SELECT dtmodel.create(NULL::t, '{"id": 22, "x": 1}', strict => true)) ],
	[ 'bulk_create', q(SELECT id, n, name FROM dtmodel.bulk_create(NULL::t, '[{"id": 33, "n": 3}, {"id": 31}, {"id": 32, "name": "b"}]')) ],
	[ 'bulk_create, of nothing', q(SELECT id FROM dtmodel.bulk_create(NULL::t, '[]')) ],
	[ 'bulk_create, no list', q(SELECT id FROM dtmodel.bulk_create(NULL::t, '{}')) ],
	[ 'bulk_create, one fails', q(SELECT id FROM dtmodel.bulk_create(NULL::t, '[{"id": 34}, {"id": 35, "n": "x"}]')) ],
	[ 'bulk_create, none was written', q(SELECT count(*) FROM t WHERE id IN (34, 35)) ],
	[ 'update', q(SELECT id, n, version FROM dtmodel.update(NULL::t, 3, '{"n": 30}')) ],
	[ 'update with nothing', q(SELECT id, n FROM dtmodel.update(NULL::t, 3, '{}')) ],
	[ 'update of no row', q(SELECT dtmodel.update(NULL::t, 99, '{"n": 1}') IS NULL) ],
	[ 'update of the version that was read', q(SELECT n, version FROM dtmodel.update(NULL::t, 3, '{"n": 31, "version": 2}')) ],
	[ 'update of an older version', q(SELECT n, version FROM dtmodel.update(NULL::t, 3, '{"n": 32, "version": 2}')) ],
	[ 'update of settings', q(SELECT settings FROM dtmodel.update(NULL::t, 3, '{"lang": "en"}')) ],
	[ 'update that breaks a rule', q(SELECT settings FROM dtmodel.update(NULL::t, 3, '{"theme": "red"}')) ],
	[ 'update(row) with a variable', q(DO $$ DECLARE r t; BEGIN SELECT * INTO r FROM t WHERE id = 4; r := dtmodel.update(r, '{"n": 40}'); END $$; SELECT n FROM t WHERE id = 4) ],
	[ 'soft_delete', q(SELECT is_deleted, deleted_at IS NOT NULL FROM dtmodel.soft_delete(NULL::t, 5)) ],
	[ 'soft_delete again', q(SELECT is_deleted FROM dtmodel.soft_delete(NULL::t, 5)) ],
	[ 'soft_delete of no row', q(SELECT dtmodel.soft_delete(NULL::t, 99) IS NULL) ],
	[ 'count of the deleted', q(SELECT dtmodel.count(NULL::t, true) - dtmodel.count(NULL::t)) ],
	[ 'exists, deleted', q(SELECT dtmodel.exists(NULL::t, 5), dtmodel.exists(NULL::t, 5, true)) ],
	[ 'get_deleted', q(SELECT id FROM dtmodel.get_deleted(NULL::t)) ],
	[ 'restore', q(SELECT is_deleted, deleted_at FROM dtmodel.restore(NULL::t, 5)) ],
	[ 'restore of a live row', q(SELECT is_deleted FROM dtmodel.restore(NULL::t, 5)) ],
	[ 'delete', q(SELECT is_deleted FROM dtmodel.delete(NULL::t, 6)) ],
	[ 'restore_deletion', q(DO $$ DECLARE at timestamptz; BEGIN SELECT deleted_at INTO at FROM t WHERE id = 6; PERFORM dtmodel.restore_deletion(NULL::t, at); END $$; SELECT is_deleted FROM t WHERE id = 6) ],
	[ 'get_or_create, there', q(SELECT (instance).name, created FROM dtmodel.get_or_create(NULL::t, '{"id": 7}')) ],
	[ 'get_or_create, new', q(SELECT (instance).name, created FROM dtmodel.get_or_create(NULL::t, '{"id": 40}', '{"name": "g"}')) ],
	[ 'get_or_create, by another column', q(SELECT (instance).id, created FROM dtmodel.get_or_create(NULL::t, '{"name": "h"}', '{"id": 41}')), 1 ],
	[ 'get_or_create, deleted', q(SELECT dtmodel.delete(NULL::t, 40) IS NULL; SELECT created FROM dtmodel.get_or_create(NULL::t, '{"id": 40}')) ],
	[ 'get_or_create, returned', q(SELECT (instance).is_deleted, created FROM dtmodel.get_or_create(NULL::t, '{"id": 40}', on_deleted => 'return')) ],
	[ 'get_or_create, restored', q(SELECT (instance).is_deleted, created FROM dtmodel.get_or_create(NULL::t, '{"id": 40}', on_deleted => 'restore')) ],
	[ 'upsert', q(SELECT (instance).name, created FROM dtmodel.upsert(NULL::t, '{"id": 50, "name": "u"}')), 1 ],
	[ 'to_dict', q(SELECT dtmodel.to_dict(t, includes => '{id,name,theme}') FROM t WHERE id = 7) ],
	[ 'settings', q(SELECT dtmodel.settings(t), dtmodel.invalid_settings(t) FROM t WHERE id = 7) ],
	[ 'repr, str', q(SELECT dtmodel.repr(t), dtmodel.str(t) FROM t WHERE id = 7) ],
	[ 'get_fields', q(SELECT dtmodel.get_fields('t'), dtmodel.class_name('t')) ],
	[ 'describe', q(SELECT dtmodel.describe('t') - 'table') ],
	[ 'drift', q(SELECT * FROM dtmodel.drift('t')) ],
	[ 'purge', q(CALL dtmodel.purge('t', '0')), 1 ],
	[ 'purge, dry run', q(CALL dtmodel.purge('t', '0', dry_run => true)), 1 ],
	[ 'rows in the end', q(SELECT id, n, name, settings, is_deleted, version FROM t WHERE id NOT IN (41, 50) ORDER BY id) ]);

# A query that reads the table cannot pass its rows to functions that write, or
# that read other rows.  On a table that Citus does not distribute they may.
my @instance_calls = (
	q(SELECT dtmodel.update(t, '{"n": 0}') FROM t WHERE id = 8),
	q(SELECT dtmodel.soft_delete(t) FROM t WHERE id = 8),
	q(SELECT dtmodel.delete(t) FROM t WHERE id = 8),
	q(SELECT dtmodel.delete(t, soft => false) FROM t WHERE id = 8),
	q(SELECT dtmodel.restore(t) FROM t WHERE id = 8),
	q(SELECT dtmodel.new_slug(t) FROM t WHERE id = 8),
	q(SELECT dtmodel.history(t) FROM t WHERE id = 8),
	q(SELECT dtmodel.revert(t, now()) FROM t WHERE id = 8),
	q(SELECT dtmodel.update(t, 9, '{"n": 0}') FROM t WHERE id = 8));

my %expected;

foreach my $run (
	[ 'plain', 'after' ],
	map { my $kind = $_; map { [ $kind, $_ ] } qw(after before) }
	grep { $_ ne 'plain' } sort keys %kinds)
{
	my ($kind, $order) = @$run;
	my $schema = "${kind}_$order";
	my $on = "SET search_path = $schema";

	$citus->sql(
		"SET citus.enable_schema_based_sharding = @{[ $kind eq 'schema' ? 'on' : 'off' ]};
		 CREATE SCHEMA $schema");
	$citus->sql("$on; $create");
	$citus->sql("$on; SET citus.enable_unsafe_triggers = on; $_")
	  foreach grep { $_ ne '' }
	  $order eq 'after' ? ($kinds{$kind}, $add) : ($add, $kinds{$kind});
	$citus->sql("$on; $rows");

	foreach my $call (@calls)
	{
		my ($name, $script, $refused) = @$call;
		my $result = $citus->try("$on; $script");

		if ($kind eq 'plain')
		{
			$expected{$name} = $result;
			next;
		}
		if ($refused)
		{
			like($result, qr/^0A000: dtmodel\.\w+ does not support table "t", which Citus distributes/,
				"$kind, $order, $name: refused");
		}
		else
		{
			is($result, $expected{$name}, "$kind, $order, $name");
		}
		$citus->same_replicas("$schema.t", "$kind, $order, $name: the copies are equal")
		  if $kind eq 'reference';
	}
	next if $kind eq 'plain';

	my $sum = $citus->checksum("$schema.t");
	foreach my $call (@instance_calls)
	{
		like($citus->try("$on; $call"), qr/^0A000: a query that reads table "t" cannot pass its rows/,
			"$kind, $order: $call");
	}
	is($citus->checksum("$schema.t"), $sum, "$kind, $order: nothing was written");
}

$citus->stop;
done_testing();
