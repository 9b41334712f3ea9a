# Deletions and restores along foreign keys, on tables that Citus distributes.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use Test::More;

my $citus = CitusCluster->start('cascade');

# A parent, and a child with a foreign key to it: how each is distributed.
my %pairs = (
	'distributed by the same column' => [
		q(SELECT create_distributed_table('p', 'id', colocate_with => 'none')),
		q(SELECT create_distributed_table('c', 'p', colocate_with => 'p')) ],
	'of a reference table' => [
		q(SELECT create_reference_table('p')),
		q(SELECT create_distributed_table('c', 'id', colocate_with => 'none')) ],
	'between reference tables' => [
		q(SELECT create_reference_table('p')), q(SELECT create_reference_table('c')) ],
	'between single-shard tables' => [
		q(SELECT create_distributed_table('p', NULL, colocate_with => 'none')),
		q(SELECT create_distributed_table('c', NULL, colocate_with => 'p')) ],
	'between Citus local tables' => [
		q(SELECT citus_add_local_table_to_metadata('p', cascade_via_foreign_keys => true)) ]);

my $children = 'count(*), count(*) FILTER (WHERE is_deleted), count(DISTINCT deleted_at)';

sub create
{
	my ($pair, $action) = @_;

	$citus->sql(
		"SET client_min_messages = error; DROP TABLE IF EXISTS c, p CASCADE;
		 CREATE TABLE p (id int PRIMARY KEY);
		 CREATE TABLE c (p int REFERENCES p ON DELETE $action, id int, PRIMARY KEY (p, id));" . (
			$pair->[0] =~ /local/ ? '' : 'ALTER TABLE c DROP CONSTRAINT c_p_fkey'));
	$citus->sql($_) foreach @$pair;
	$citus->sql("ALTER TABLE c ADD CONSTRAINT c_p_fkey FOREIGN KEY (p) REFERENCES p ON DELETE $action")
	  if $pair->[0] !~ /local/;
	return;
}

foreach my $name (sort keys %pairs)
{
	my $pair = [ @{ $pairs{$name} } ];
	$pair->[1] =~ s/'c', 'id'/'c', 'p'/ if $pair->[1];
	my $copies = sub { $citus->same_replicas($_, "$name: $_[0], the copies of $_ are equal") foreach 'p', 'c'; };

	create($pair, 'CASCADE');
	$citus->sql(
		"SELECT dtmodel.add_model('p'), dtmodel.add_soft_delete('p', deleted_by => 'deleted_by');
		 SELECT dtmodel.add_model('c'), dtmodel.add_soft_delete('c', deleted_by => 'deleted_by');
		 INSERT INTO p (id) SELECT generate_series(1, 20);
		 INSERT INTO c (p, id) SELECT g, i FROM generate_series(1, 20) AS g, generate_series(1, 3) AS i;");

	is($citus->try("BEGIN; SET LOCAL dtmodel.actor = 'ann'; DELETE FROM p WHERE id <= 4; COMMIT;
			SELECT $children, min(deleted_by), bool_and(deleted_at = (SELECT min(deleted_at) FROM p)) FROM c WHERE p <= 4"),
		'12|12|1|ann|t', "$name: a deletion takes the children along");
	$copies->('deleted');
	is($citus->sql('SELECT count(*) FROM c WHERE is_deleted'), '12', "$name: no others");
	is($citus->try("SELECT (dtmodel.restore(NULL::p, 1)).is_deleted; SELECT $children FROM c WHERE p = 1"),
		"f\n3|0|0", "$name: restore brings them back");
	is($citus->sql('SELECT count(*) FROM c WHERE is_deleted'), '9', "$name: not those of other rows");
	$copies->('restored');
	is($citus->try("DO \$\$ DECLARE at timestamptz; BEGIN SELECT deleted_at INTO at FROM p WHERE id = 2; PERFORM dtmodel.restore_deletion(NULL::p, at); END \$\$; SELECT count(*) FROM p WHERE is_deleted; SELECT count(*) FROM c WHERE is_deleted"),
		"0\n0", "$name: restore_deletion brings all back");
	is($citus->try("DELETE FROM c WHERE p = 5 AND id = 1; DELETE FROM p WHERE id = 5; SELECT (dtmodel.restore(NULL::p, 5)).is_deleted; SELECT id FROM c WHERE p = 5 AND is_deleted"),
		"f\n1", "$name: a child that was deleted before stays deleted");
	is($citus->try("UPDATE p SET is_deleted = true WHERE id IN (6, 7); SELECT $children FROM c WHERE p IN (6, 7)"),
		'6|6|1', "$name: the flag written by hand");
	is($citus->try("UPDATE p SET is_deleted = false WHERE id IN (6, 7); SELECT $children FROM c WHERE p IN (6, 7)"),
		'6|0|0', "$name: and back");
	like($citus->try("DELETE FROM p WHERE id = 8; SELECT dtmodel.restore(NULL::c, '{\"p\": 8, \"id\": 1}')"),
		qr/^23503: [^0-9]*$/, "$name: a child is not restored without its parent");
	is($citus->try("SET dtmodel.hard_delete = on; DELETE FROM p WHERE id = 9; SELECT count(*) FROM c WHERE p = 9"),
		'0', "$name: a hard delete takes the children along");
	$copies->('in the end');

	# A live parent is required
	is($citus->try("SELECT dtmodel.require_live_parent('c', 'p')"), '', "$name: require_live_parent");
	like($citus->try('INSERT INTO c (p, id) VALUES (8, 9)'),
		qr/^23503: live row of table "c" refers to a deleted row of table "p"$/, "$name: no child of a deleted row");
	is($citus->try('INSERT INTO c (p, id) VALUES (10, 9); SELECT count(*) FROM c WHERE p = 10'), '4', "$name: but of a live one");
	$copies->('with live parents');

	# Restrict
	create($pair, 'RESTRICT');
	$citus->sql(
		"SELECT dtmodel.add_soft_delete('p');
		 SELECT dtmodel.add_soft_delete('c');
		 INSERT INTO p SELECT generate_series(1, 20); INSERT INTO c VALUES (5, 1);");
	like($citus->try('DELETE FROM p'), qr/^23001: [^0-9]*$/, "$name: a row with live children is not deleted");
	is($citus->sql('SELECT count(*) FILTER (WHERE is_deleted) FROM p'), '0', "$name: nor is any other");
	is($citus->try('DELETE FROM c; DELETE FROM p; SELECT count(*) FILTER (WHERE is_deleted) FROM p'), '20', "$name: without children it is");
	$copies->('restricted');
}

$citus->stop;
done_testing();
