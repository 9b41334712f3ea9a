# Functions on rows of tables of every kind.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use Test::More;

my $citus = CitusCluster->start('functions');

my %kinds = (
	distributed => q(SELECT create_distributed_table('%s', 'id', colocate_with => 'none')),
	reference => q(SELECT create_reference_table('%s')),
	single_shard => q(SELECT create_distributed_table('%s', NULL, colocate_with => 'none')),
	local => q(SELECT citus_add_local_table_to_metadata('%s')));

foreach my $kind (sort keys %kinds)
{
	$citus->sql("
		CREATE TABLE $kind (id int PRIMARY KEY, n int DEFAULT 1);
		@{[ sprintf $kinds{$kind}, $kind ]};
		INSERT INTO $kind SELECT g, g FROM generate_series(1, 20) AS g;");

	is($citus->try("SELECT dtmodel.count(NULL::$kind)"),
		20, "$kind: count");
	like($citus->try("SELECT dtmodel.create(NULL::$kind, '{}')"),
		qr/^(23502|22004): /, "$kind: create without a value for the key");
	is($citus->try("SELECT (dtmodel.create(NULL::$kind, '{\"id\": 21}')).n"),
		1, "$kind: create");
	is($citus->try("SELECT (dtmodel.get_by_id(NULL::$kind, 7)).n"),
		7, "$kind: get_by_id");
	is($citus->try("SELECT (dtmodel.update(NULL::$kind, 8, '{}')).n"),
		8, "$kind: update with nothing");
	is($citus->try("SELECT (dtmodel.update(NULL::$kind, 8, '{\"n\": 80}')).n"),
		80, "$kind: update by key");
	is($citus->try("SELECT dtmodel.exists(NULL::$kind, 9), dtmodel.exists(NULL::$kind, 99)"),
		't|f', "$kind: exists");
	$citus->same_replicas($kind, "$kind: replicas are equal");
}

$citus->stop;
done_testing();
