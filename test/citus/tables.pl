# add_* and remove_* on tables of every kind, before and after Citus distributes
# them.
#
# Each mixin is added to a table that Citus distributes already, and to one that
# it distributes then.  Either the shards and the tables on every server have the
# same columns, constraints and triggers as the table, or add_* refuses.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use Test::More;

my $citus = CitusCluster->start('tables');

my %kinds = CitusCluster::kinds('t');

# What is added, and how it is removed.
my @mixins = (
	[ q(add_model('t')), 'remove_model' ],
	[ q(add_timestamps('t', clock => 'statement')), 'remove_timestamps' ],
	[ q(add_soft_delete('t')), 'remove_soft_delete' ],
	[ q(add_soft_delete('t', hide => true, deleted_by => 'deleted_by')), 'remove_soft_delete' ],
	[ q(add_soft_delete('t', flag => 'is_live', flag_means => 'live')), 'remove_soft_delete' ],
	[ q(add_soft_delete('t', flag => NULL, protect_truncate => true)), 'remove_soft_delete' ],
	[ q(add_audit('t')), 'remove_audit' ],
	[ q(add_version('t')), 'remove_version' ],
	[ q(add_settings('t', '{theme,lang}')), 'remove_settings' ]);

# These are refused.
my @refused = (
	q(add_slug('t', 'name')),
	q(add_history('t')),
	q(create_live_view('t')));

sub create
{
	$citus->sql(
		q(SET client_min_messages = error; DROP TABLE IF EXISTS t, t_history CASCADE;
		  CREATE TABLE t (id int PRIMARY KEY, name text)));
	return;
}

sub check_shapes
{
	my ($name, $added) = @_;
	my ($table, $shards) = $citus->shapes('t');

	is($shards, $table, "$name: the shards are as the table is");
	unlike($table, qr/\n/, "$name: the table is the same on all servers");
	like($table, qr/zz_dtmodel/, "$name: it has the triggers") if $added;
	unlike($table, qr/dtmodel/, "$name: it has no trigger") if !$added;
	return $table;
}

foreach my $kind (sort keys %kinds)
{
	foreach my $mixin (@mixins)
	{
		my ($add, $remove) = @$mixin;
		my $name = "$kind, $add";

		create();
		$citus->sql($kinds{$kind});
		is($citus->try("SELECT dtmodel.$add"), '', "$name, after: added");
		my $after = check_shapes("$name, after", 1);
		is($citus->try("SET client_min_messages = error; SELECT dtmodel.$add"), '', "$name, after: called again");
		is($citus->try("SELECT * FROM dtmodel.drift('t')"), '', "$name, after: no drift");
		is($citus->sql('SELECT count(*) FROM dtmodel.models'), 1, "$name: one model");
		is($citus->try("SELECT dtmodel.$remove('t', drop_columns => true)"), '', "$name, after: removed");
		check_shapes("$name, removed", 0);

		create();
		$citus->sql("SELECT dtmodel.$add; SET citus.enable_unsafe_triggers = on; $kinds{$kind}");
		is(check_shapes("$name, before", 1), $after, "$name: before is as after");
	}

	foreach my $order ('after', 'before')
	{
		my $add = q(SELECT dtmodel.add_soft_delete('t', protect_truncate => true));

		create();
		$citus->sql('SET citus.enable_unsafe_triggers = on; '
			  . join(';', $order eq 'after' ? ($kinds{$kind}, $add) : ($add, $kinds{$kind})));
		like($citus->try('TRUNCATE t', node => $_), qr/^55000: /,
			"$kind, $order: TRUNCATE is refused on " . $_->name)
		  foreach $citus->nodes;
	}

	# A table of templates keeps the names of their constraints, which Citus cannot change.
	create();
	$citus->sql(
		"DROP TABLE t; CREATE TABLE t (LIKE dtmodel.model_base INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
			LIKE dtmodel.configurable_mixin INCLUDING ALL, LIKE dtmodel.audit_mixin INCLUDING ALL); $kinds{$kind}");
	is($citus->try(q(SELECT dtmodel.add_model('t'), dtmodel.add_soft_delete('t'), dtmodel.add_settings('t', '{theme}'), dtmodel.add_audit('t'))), '|||',
		"$kind: a table of templates becomes a model");
	is($citus->try(q(SELECT dtmodel.add_model('t'), dtmodel.add_soft_delete('t'))), '|', "$kind, templates: again");
	like(
		$citus->sql(q(SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE conrelid = 't'::regclass AND contype IN ('c', 'p'))),
		qr/\bck_soft_delete t_pkey$/,
		"$kind, templates: the constraints keep their names");
	check_shapes("$kind, templates", 1);
	is($citus->sql('SELECT count(*) FROM dtmodel.drift()'), '0', "$kind, templates: no drift");

	create();
	$citus->sql("$kinds{$kind}; SELECT dtmodel.add_model('t'), dtmodel.add_soft_delete('t')");
	foreach my $add (@refused)
	{
		like($citus->try("SELECT dtmodel.$add"),
			qr/^0A000: dtmodel.\w+ does not support table "t", which Citus distributes$/,
			"$kind, $add: refused");
	}
	if ($kind eq 'distributed')
	{
		like($citus->try(q(SELECT dtmodel.unique_live('t', 'name'))),
			qr/^0A000: dtmodel.unique_live does not support these columns of table "t"/,
			"$kind: unique_live without the distribution column is refused");
	}
	else
	{
		is($citus->try(q(SELECT dtmodel.unique_live('t', 'name'))), '', "$kind: unique_live");
		like($citus->try(q(INSERT INTO t (id, name) VALUES (1, 'a'); INSERT INTO t (id, name) VALUES (2, 'a'))),
			qr/^23505: /, "$kind: live rows are unique");
	}
}

# Without the switch, Citus itself refuses a table that is a model already.
create();
like(
	$citus->try(q(SELECT dtmodel.add_model('t'); SELECT create_distributed_table('t', 'id'))),
	qr/cannot distribute relation "t" because it has triggers/,
	'a model is distributed only with citus.enable_unsafe_triggers');
is($citus->sql('SHOW citus.enable_unsafe_triggers'), 'off', 'add_* leaves the switch as it was');

# The distribution column and another one.
$citus->sql(q(
	CREATE TABLE tenants (tenant int, id int, email text, PRIMARY KEY (tenant, id));
	SELECT create_distributed_table('tenants', 'tenant');
	SELECT dtmodel.add_soft_delete('tenants');));
like($citus->try(q(SELECT dtmodel.unique_live('tenants', 'tenant', 'email'))), qr/^$/,
	'unique_live with the distribution column');
$citus->sql(q(INSERT INTO tenants VALUES (1, 1, 'a'), (2, 1, 'a')));
like($citus->try(q(INSERT INTO tenants VALUES (1, 2, 'a'))), qr/^23505: /,
	'live rows of a tenant are unique');

$citus->stop;
done_testing();
