# Times, actors and versions that are written on several servers.
#
# All rows of a statement have one time and one actor, those of the transaction
# and of the session that sent it, whichever servers have the rows; and the copies
# of a reference table have the same.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use Test::More;

my $citus = CitusCluster->start('stamps');

my %kinds = map { my %of = CitusCluster::kinds($_); ($_ => $of{$_}) } qw(distributed reference single_shard local);

foreach my $t (sort keys %kinds)
{
	my $times = "count(DISTINCT updated_at), count(DISTINCT updated_by), min(updated_by)";

	$citus->sql("CREATE TABLE $t (id int PRIMARY KEY, n int, note text)");
	$citus->sql($kinds{$t});
	$citus->sql("SELECT dtmodel.add_model('$t'), dtmodel.add_audit('$t'), dtmodel.add_version('$t')");

	is($citus->try(
			"BEGIN; SET LOCAL dtmodel.actor = 'ann';
			 INSERT INTO $t (id, n) SELECT g, g FROM generate_series(1, 40) AS g;
			 INSERT INTO $t (id, n) VALUES (41, 1), (42, 1), (43, 1), (44, 1); COMMIT;
			 SELECT count(DISTINCT created_at), count(DISTINCT created_by), min(created_by), count(*) FILTER (WHERE created_at <> updated_at OR created_by <> updated_by) FROM $t"),
		'1|1|ann|0', "$t: INSERT has one time and actor");
	$citus->same_replicas($t, "$t: INSERT, the copies are equal");

	is($citus->try(
			"BEGIN; SET LOCAL dtmodel.actor = 'bob'; UPDATE $t SET n = n + 1; COMMIT;
			 SELECT $times, count(*) FILTER (WHERE updated_at > created_at AND created_by = 'ann' AND version = 2) FROM $t"),
		'1|1|bob|44', "$t: UPDATE has one time and actor");
	$citus->same_replicas($t, "$t: UPDATE, the copies are equal");

	is($citus->try(
			"BEGIN; SELECT now() AS now \\gset\nUPDATE $t SET note = 'x' WHERE id <= 20; SELECT count(*) FROM $t WHERE updated_at = :'now'; ROLLBACK"),
		'20', "$t: the time is that of the transaction");
	is($citus->try(
			"BEGIN; SET LOCAL dtmodel.actor = 'cid'; UPDATE $t SET n = n; COMMIT; SELECT $times, max(version) FROM $t"),
		'1|1|bob|2', "$t: an UPDATE that changes nothing stamps nothing");
	is($citus->try(
			"BEGIN; SET LOCAL dtmodel.actor = 'cid'; UPDATE $t SET n = 1 WHERE id <= 2; COMMIT;
			 SELECT count(*) FROM $t WHERE updated_by = 'cid'"),
		'2', "$t: an UPDATE stamps the rows that it changes");
	is($citus->try(
			"UPDATE $t SET created_at = '2001-01-01', created_by = 'x' WHERE id <= 5;
			 SELECT count(*) FROM $t WHERE created_at < '2002-01-01' OR created_by = 'x'"),
		'0', "$t: who created a row, and when, cannot be changed");
	is($citus->try(
			"PREPARE p (int, int) AS UPDATE $t SET n = \$2 WHERE id = \$1;
			 @{[ join ' ', map { qq(EXECUTE p ($_, 100);) } 1 .. 12 ]}
			 SELECT count(*), bool_and(updated_at > created_at) FROM $t WHERE n = 100"),
		'12|t', "$t: prepared");
	is($citus->try(
			"BEGIN; SET LOCAL dtmodel.actor = 'dan';
			 INSERT INTO $t (id, n) VALUES (1, 7), (50, 7) ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n; COMMIT;
			 SELECT id, created_by, updated_by, n FROM $t WHERE n = 7 AND id IN (1, 50) ORDER BY 1"),
		"1|ann|dan|7\n50|dan|dan|7", "$t: ON CONFLICT DO UPDATE");
	$citus->same_replicas($t, "$t: ON CONFLICT, the copies are equal");
	is($citus->try(
			"INSERT INTO $t (id, created_at, updated_at) SELECT g, '2001-01-01', '2002-01-01' FROM generate_series(61, 70) AS g;
			 SELECT count(*), min(created_at), max(updated_at) FROM $t WHERE id BETWEEN 61 AND 70"),
		'10|2001-01-01 00:00:00+00|2002-01-01 00:00:00+00', "$t: INSERT keeps the times that it is given");
	like($citus->try("SET dtmodel.preserve_timestamps = on; UPDATE $t SET updated_at = '2003-01-01' WHERE id = 61"),
		qr/^0A000: /, "$t: preserve_timestamps is refused");
	like($citus->try("COPY $t (id, n) FROM STDIN;\n81\t1\n\\.\n"),
		qr/^0A000: COPY cannot write column "created_by" of table "$t"/, "$t: COPY, which does not send the actor, is refused");
	is($citus->try(
			"SET dtmodel.preserve_timestamps = on;
			 COPY $t (id, n, created_at, created_by, updated_by, version) FROM STDIN;\n91\t1\t2001-01-01\teve\tfay\t7\n\\.\n
			 SELECT created_at, created_by, updated_by, version FROM $t WHERE id = 91"),
		'2001-01-01 00:00:00+00|eve|fay|7', "$t: COPY keeps what it is given under preserve_timestamps");
	is($citus->try(
			"SET dtmodel.actor = 'eve';
			 CREATE TEMPORARY TABLE source AS SELECT g AS id, 1 AS n FROM generate_series(81, 84) AS g;
			 INSERT INTO $t (id, n) SELECT id, n FROM source;
			 SELECT count(*), count(DISTINCT created_at), min(created_by) FROM $t WHERE id BETWEEN 81 AND 84"),
		'4|1|eve', "$t: INSERT ... SELECT from a table of the session");
	like($citus->try("MERGE INTO $t USING (VALUES (1)) AS v (id) ON $t.id = v.id WHEN MATCHED THEN UPDATE SET n = 1"),
		qr/^0A000: /, "$t: MERGE is refused");
	$citus->same_replicas($t, "$t: in the end, the copies are equal");
}

# Without audit, COPY gives all rows one time, or the one that they have.
foreach my $t (sort keys %kinds)
{
	(my $distribute = $kinds{$t}) =~ s/'$t'/'copied_$t'/;

	$citus->sql("CREATE TABLE copied_$t (id int PRIMARY KEY)");
	$citus->sql($distribute);
	$citus->sql("SELECT dtmodel.add_model('copied_$t'), dtmodel.add_soft_delete('copied_$t')");
	is($citus->try("COPY copied_$t (id) FROM STDIN;\n1\n2\n3\n4\n\\.\n
			 COPY copied_$t (id, created_at) FROM STDIN;\n5\t2001-01-01\n\\.\n
			 SELECT count(DISTINCT created_at), count(*) FILTER (WHERE created_at = '2001-01-01') FROM copied_$t"),
		'2|1', "$t: COPY");
	$citus->same_replicas("copied_$t", "$t: COPY, the copies are equal");
}

# With on_insert => 'stamp', the clock says when a row was created, not the INSERT.
my %after_begin = (transaction => '3|0', statement => '0|3', clock => '0|3');

foreach my $clock (sort keys %after_begin)
{
	my $t = "by_$clock";

	$citus->sql("CREATE TABLE $t (id int PRIMARY KEY)");
	$citus->sql("SELECT create_distributed_table('$t', 'id')");
	$citus->sql("SELECT dtmodel.add_timestamps('$t', on_insert => 'stamp', clock => '$clock')");
	is($citus->try(
			"BEGIN; SELECT now() AS now \\gset\n SELECT pg_sleep(0.01) \\g /dev/null
			 INSERT INTO $t (id, created_at) VALUES (1, '2001-01-01'), (2, '2002-01-01'), (3, NULL);
			 SELECT count(*) FILTER (WHERE created_at = :'now'), count(*) FILTER (WHERE created_at > :'now') FROM $t; COMMIT"),
		$after_begin{$clock}, "$clock: the times of an INSERT");
}

# Citus sends what it has evaluated before in an UPDATE that we have marked.
foreach my $t (sort keys %kinds)
{
	is($citus->try("UPDATE $t SET note = CASE id WHEN 1 THEN 'a' WHEN 2 THEN CASE n > 0 WHEN true THEN 'b' ELSE 'c' END ELSE 'd' END WHERE id IN (1, 2, 3);
			SELECT id, note FROM $t WHERE id IN (1, 2, 3) ORDER BY 1"),
		"1|a\n2|b\n3|d", "$t: CASE with a value");
	is($citus->try("UPDATE $t SET note = CASE note WHEN json_object('a': n RETURNING text) THEN 'x' ELSE 'e' END WHERE id = 3;
			SELECT note FROM $t WHERE id = 3"),
		'e', "$t: an SQL/JSON constructor in a CASE") if $citus->sql('SHOW server_version_num') >= 160000;
}

# Rows that are there when the table is distributed keep what they have.
foreach my $t (sort keys %kinds)
{
	(my $distribute = $kinds{$t}) =~ s/'$t'/'old_$t'/;
	my $row = "created_at, created_by, updated_at, updated_by, is_deleted, deleted_at, deleted_by, version";

	$citus->sql(
		"CREATE TABLE old_$t (id int PRIMARY KEY, n int);
		 SELECT dtmodel.add_model('old_$t'), dtmodel.add_audit('old_$t'), dtmodel.add_version('old_$t'),
				dtmodel.add_soft_delete('old_$t', deleted_by => 'deleted_by');
		 BEGIN; SET LOCAL dtmodel.preserve_timestamps = on;
		 INSERT INTO old_$t (id, $row) SELECT g, '2001-01-01', 'ann', '2002-02-02', 'bob', g % 2 = 0,
				CASE WHEN g % 2 = 0 THEN timestamptz '2002-02-02' END, CASE WHEN g % 2 = 0 THEN 'cid' END, g
		 FROM generate_series(1, 20) AS g; COMMIT;");
	my $sum = $citus->checksum("old_$t");
	is($citus->try("SET citus.enable_unsafe_triggers = on; $distribute"), '', "$t: distributed with rows");
	is($citus->checksum("old_$t"), $sum, "$t: the rows are the same");
	$citus->same_replicas("old_$t", "$t: and so are the copies");
}

# An error of a shard names the table.
$citus->sql(q(CREATE TABLE counted (id int PRIMARY KEY, n int); SELECT dtmodel.add_version('counted');
	SET dtmodel.preserve_timestamps = on; INSERT INTO counted (id, version) VALUES (1, 2147483647);
	SET citus.enable_unsafe_triggers = on; SELECT create_distributed_table('counted', 'id')));
like($citus->try('UPDATE counted SET n = 1'), qr/^22003: column "version" of table "counted" has reached its maximum value$/, 'the last version');

# A session that has not preloaded the library cannot write.
foreach my $t (sort keys %kinds)
{
	my $sum = $citus->checksum($t);
	foreach my $sql ("UPDATE $t SET n = 0", "UPDATE $t SET n = 0 WHERE id = 1")
	{
		local $ENV{PGOPTIONS} = '-c session_preload_libraries=';
		like($citus->try($sql), qr/^(0A000|55000): /, "$t, not preloaded: $sql is refused");
	}
	is($citus->checksum($t), $sum, "$t, not preloaded: nothing was written");
}

$citus->stop;
done_testing();
