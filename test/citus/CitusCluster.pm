# A coordinator and two workers with Citus, on ports of the loopback interface.
#
# Sessions preload dtmodel, unless PGOPTIONS say otherwise.

package CitusCluster;

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

sub start_node
{
	my ($name, $shared) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	my $port = $node->port;

	$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
	$node->append_conf(
		'postgresql.conf', qq(
listen_addresses = '127.0.0.1'
shared_preload_libraries = 'citus@{[ $shared ? ', dtmodel' : '' ]}'
session_preload_libraries = '@{[ $shared ? '' : 'dtmodel' ]}'
citus.node_conninfo = 'sslmode=disable'
citus.shard_count = 4
citus.enable_statistics_collection = off
max_prepared_transactions = 100
max_worker_processes = 20
wal_level = logical
max_wal_senders = 20
max_replication_slots = 20
timezone = UTC
));
	$node->start;
	return $node;
}

# start(name, shared => 0): a new cluster, with the extension in its database.
# The library is preloaded by each session, or by the servers.
sub start
{
	my ($class, $name, %options) = @_;
	my @nodes =
	  map { start_node("${name}_$_", $options{shared}) } qw(coordinator one two);
	my $self = bless { coordinator => $nodes[0], workers => [ @nodes[ 1, 2 ] ] },
	  $class;

	$_->safe_psql('postgres', 'CREATE EXTENSION citus') foreach @nodes;
	$self->sql("SELECT citus_set_coordinator_host('127.0.0.1', @{[ $nodes[0]->port ]})");
	$self->sql("SELECT citus_add_node('127.0.0.1', @{[ $_->port ]})")
	  foreach @{ $self->{workers} };
	$self->sql('CREATE EXTENSION dtmodel');
	return $self;
}

# The statement that distributes a table by its id, for each kind of table.
sub kinds
{
	my ($table) = @_;

	return (
		distributed => "SELECT create_distributed_table('$table', 'id', colocate_with => 'none')",
		reference => "SELECT create_reference_table('$table')",
		single_shard => "SELECT create_distributed_table('$table', NULL, colocate_with => 'none')",
		local => "SELECT citus_add_local_table_to_metadata('$table')");
}

sub coordinator { return $_[0]->{coordinator}; }
sub workers { return @{ $_[0]->{workers} }; }
sub nodes { return ($_[0]->{coordinator}, @{ $_[0]->{workers} }); }

sub stop
{
	my ($self) = @_;
	$_->stop('fast') foreach $self->nodes;
	return;
}

# What a script prints on the coordinator, which must not fail.
sub sql
{
	my ($self, $sql, %options) = @_;
	return $self->{coordinator}->safe_psql('postgres', $sql, %options);
}

# The same for one that may fail: what it prints, or its SQLSTATE and message.
sub try
{
	my ($self, $sql, %options) = @_;
	my ($status, $out, $err) =
	  ($options{node} // $self->{coordinator})->psql('postgres', "\\set VERBOSITY verbose\n$sql");

	return $out if $status == 0;
	return "$1: $2" if $err =~ /(?:ERROR|FATAL|PANIC):  (\w{5}): (.*)/;
	return $err;
}

# The columns, constraints and row triggers of a table that is given by its name.
# TRUNCATE fires the triggers of the table alone, and on shards that have rows
# Citus does not validate foreign keys.
my $shape = q(
	(SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull), ', ' ORDER BY attnum)
	 FROM pg_attribute WHERE attrelid = '%1$s'::regclass AND attnum > 0 AND NOT attisdropped),
	(SELECT string_agg(concat_ws(' ', regexp_replace(conname, '_[0-9]+$', ''), contype, contype = 'f' OR convalidated), ', ' ORDER BY conname)
	 FROM pg_constraint WHERE conrelid = '%1$s'::regclass),
	(SELECT string_agg(concat_ws(' ', regexp_replace(tgname, '_[0-9]+$', ''), tgenabled, tgtype, encode(tgargs, 'escape')), ', ' ORDER BY tgname)
	 FROM pg_trigger WHERE tgrelid = '%1$s'::regclass AND NOT tgisinternal AND tgtype & 1 = 1));

# What a table has on each server, and each placement of its shards: one line if
# it is the same everywhere.
sub shapes
{
	my ($self, $table) = @_;
	(my $of_table = $shape) =~ s/%1\$s/$table/g;

	return map { $self->sql("SELECT string_agg(DISTINCT result, chr(10)) FROM $_") } (
		"run_command_on_all_nodes(\$\$SELECT concat_ws('; ', $of_table)\$\$)",
		"run_command_on_placements('$table', \$\$SELECT concat_ws('; ', $shape)\$\$)");
}

# The placements of each shard, and of a reference table, have the same rows.
sub same_replicas
{
	my ($self, $table, $name) = @_;
	my $sums = $self->sql(
		"SELECT shardid, count(DISTINCT result), bool_and(success) FROM run_command_on_placements('$table',
			'SELECT count(*) || md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '''')) FROM %s AS t')
		GROUP BY 1 HAVING count(DISTINCT result) <> 1 OR NOT bool_and(success)");

	return is($sums, '', $name);
}

# A checksum of all rows of a table, wherever they are.
sub checksum
{
	my ($self, $table) = @_;
	return $self->sql(
		"SET dtmodel.with_deleted = on; SELECT count(*) || ' ' || md5(string_agg(x, chr(10) ORDER BY x)) FROM (SELECT t::text AS x FROM $table AS t) AS q");
}

1;
