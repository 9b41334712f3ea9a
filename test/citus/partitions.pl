# Partitioned models that Citus distributes: partitions that come and go, and rows
# that move between them.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use Test::More;

my $citus = CitusCluster->start('partitions');

foreach my $order ('after', 'before')
{
	my $distribute = q(SELECT create_distributed_table('m', 'id', colocate_with => 'none'));
	my $add = q(SELECT dtmodel.add_model('m'), dtmodel.add_version('m'), dtmodel.add_audit('m'), dtmodel.add_soft_delete('m', deleted_by => 'deleted_by'));

	$citus->sql("SET client_min_messages = error; DROP TABLE IF EXISTS m, m3;
		CREATE TABLE m (id int, d date, n int, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);
		CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
		CREATE TABLE m2 PARTITION OF m FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');");
	$citus->sql("SET citus.enable_unsafe_triggers = on; $_")
	  foreach $order eq 'after' ? ($distribute, $add) : ($add, $distribute);
	$citus->sql("INSERT INTO m (id, d, n) SELECT g, date '2026-05-01' + g, g FROM generate_series(1, 100) AS g");

	is($citus->try('DELETE FROM m WHERE id <= 50; SELECT count(*), count(*) FILTER (WHERE is_deleted), count(DISTINCT deleted_at), count(DISTINCT deleted_by) FROM m'),
		'100|50|1|1', "$order: DELETE");
	is($citus->try('UPDATE m SET n = n + 1 WHERE id > 50; SELECT count(*), count(DISTINCT updated_at), min(version) FROM m WHERE updated_at > created_at AND NOT is_deleted'),
		'50|1|2', "$order: UPDATE");
	is($citus->try("UPDATE m SET d = CASE id WHEN 51 THEN date '2026-12-01' ELSE date '2026-02-01' END WHERE id IN (51, 90);
			SELECT id, d, is_deleted, version, updated_at > created_at FROM m WHERE id IN (51, 90) ORDER BY 1"),
		"51|2026-12-01|f|3|t\n90|2026-02-01|f|3|t", "$order: rows move to other partitions");
	is($citus->try('SELECT count(*) FROM m'), '100', "$order: and are not there twice");
	is($citus->try('DELETE FROM m2 WHERE id = 91; SELECT is_deleted FROM m WHERE id = 91'), 't', "$order: DELETE from a partition");

	$citus->sql("CREATE TABLE m3 PARTITION OF m FOR VALUES FROM ('2027-01-01') TO ('2027-07-01');
		INSERT INTO m (id, d) SELECT g, '2027-02-02' FROM generate_series(501, 510) AS g");
	is($citus->try('DELETE FROM m WHERE id = 501; SELECT is_deleted FROM m WHERE id = 501'), 't', "$order: DELETE from a new partition");
	is($citus->try(q(SELECT (dtmodel.restore(NULL::m, '{"id": 501, "d": "2027-02-02"}')).is_deleted)), 'f', "$order: restore there");

	is($citus->try('ALTER TABLE m DETACH PARTITION m3'), '', "$order: detached");
	is($citus->try('DELETE FROM m3 WHERE id = 502; SELECT count(*), count(*) FILTER (WHERE is_deleted) FROM m3'), '10|1', "$order: it stays a model");
	is($citus->try('UPDATE m3 SET n = 1 WHERE id = 503; SELECT version, updated_at > created_at FROM m3 WHERE id = 503'), '2|t', "$order: with all mixins");
	is($citus->try("SELECT * FROM dtmodel.drift('m3')"), '', "$order: in order");
	is($citus->try("ALTER TABLE m ATTACH PARTITION m3 FOR VALUES FROM ('2027-01-01') TO ('2027-07-01')"), '', "$order: attached");
	is($citus->try('DELETE FROM m WHERE id = 504; SELECT count(*), count(*) FILTER (WHERE is_deleted) FROM m WHERE id > 500'), '10|2', "$order: it is a part of the model");
	is($citus->try("SELECT * FROM dtmodel.drift('m')"), '', "$order: which is in order");
	is($citus->sql('SELECT count(*), count(*) FILTER (WHERE is_deleted) FROM m'), '110|53', "$order: all rows are there");
}

$citus->stop;
done_testing();
