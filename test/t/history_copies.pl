
# The past is data: dumps and replicas have it, and a restored model goes on
# with it.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 2');
$node->start;

my $dir = PostgreSQL::Test::Utils::tempdir();

my $models = q(
	CREATE TABLE users (id int PRIMARY KEY, name text, secret text);
	SELECT dtmodel.add_timestamps('users'), dtmodel.add_soft_delete('users'),
		   dtmodel.add_history('users', exclude => '{secret}');
	CREATE TABLE parts (id int, region text, name text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
	CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu');
	CREATE TABLE parts_us PARTITION OF parts FOR VALUES IN ('us');
	SELECT dtmodel.add_timestamps('parts'), dtmodel.add_history('parts');
);

# Each statement is a transaction, and so is a moment.
my @changes = (
	q(INSERT INTO users VALUES (1, 'ann', 'x'), (2, 'bob', 'y'), (3, 'cid', 'z')),
	q(INSERT INTO parts VALUES (1, 'eu', 'a'), (2, 'us', 'b')),
	q(UPDATE users SET name = upper(name) WHERE id < 3),
	q(DELETE FROM users WHERE id = 1),
	q(UPDATE parts SET region = 'us' WHERE id = 1),
	q(SELECT dtmodel.restore(NULL::users, 1)),
	q(SET dtmodel.hard_delete = on; DELETE FROM users WHERE id = 3),
	q(TRUNCATE parts_us));

sub change
{
	my ($db) = @_;
	foreach my $change (@changes)
	{
		$node->safe_psql($db, "SET client_min_messages = warning; $change");
		$node->safe_psql($db, 'INSERT INTO moments VALUES (clock_timestamp())');
	}
}

# The present, and all that the past says at each moment.
sub all_of
{
	my ($server, $db) = @_;
	return $server->safe_psql($db, q(
		SELECT * FROM users ORDER BY id;
		SELECT * FROM parts ORDER BY id;
		SELECT * FROM users_history ORDER BY id, valid_from, valid_to;
		SELECT * FROM parts_history ORDER BY id, valid_from, valid_to;
		SELECT at, u.* FROM moments, users_as_of(at) AS u ORDER BY at, id;
		SELECT at, p.* FROM moments, parts_as_of(at) AS p ORDER BY at, id;));
}

sub describe
{
	my ($server, $db) = @_;
	return $server->safe_psql($db,
		q(SELECT dtmodel.describe(model) FROM dtmodel.models ORDER BY model::text));
}

$node->safe_psql('postgres', "CREATE DATABASE source");
$node->safe_psql('source',
	"SET client_min_messages = warning; CREATE EXTENSION dtmodel; $models CREATE TABLE moments (at timestamptz)");
change('source');
my $rows = all_of($node, 'source');
my $description = describe($node, 'source');
like($rows, qr/\|hard_delete\|.*\|truncate\|/s, 'there is a past');
unlike($description, qr/"drift": \[[^\]]/, 'and nothing is out of order');

###
# Dumps
###
my @source = ('-d', $node->connstr('source'));

sub check_restored
{
	my ($db, $how) = @_;

	is(all_of($node, $db), $rows, "$how: the same past and present");
	is(describe($node, $db), $description, "$how: the same models");
	is( $node->safe_psql($db, q(
			UPDATE users SET name = 'later' WHERE id = 2;
			SELECT name, operation FROM users_history WHERE id = 2 ORDER BY valid_to DESC LIMIT 1)),
		'BOB|update',
		"$how: the history goes on");
}

$node->safe_psql('postgres', "CREATE DATABASE plain TEMPLATE template0");
command_ok([ 'pg_dump', @source, '-f', "$dir/plain.sql" ], 'plain: pg_dump');
command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('plain'), '-f', "$dir/plain.sql" ],
	'plain: psql');
check_restored('plain', 'plain');

$node->safe_psql('postgres', "CREATE DATABASE custom TEMPLATE template0");
command_ok([ 'pg_dump', @source, '-Fd', '-j2', '-f', "$dir/directory" ], 'directory: pg_dump');
command_ok([ 'pg_restore', '-e', '-j2', '-d', $node->connstr('custom'), "$dir/directory" ],
	'directory: pg_restore');
check_restored('custom', 'directory');

# Schema and data apart, with the triggers there already: COPY writes no version.
$node->safe_psql('postgres', "CREATE DATABASE apart TEMPLATE template0");
command_ok([ 'pg_dump', @source, '-s', '-f', "$dir/schema.sql" ], 'apart: pg_dump -s');
command_ok([ 'pg_dump', @source, '-a', '-f', "$dir/data.sql" ], 'apart: pg_dump -a');
foreach my $file ('schema', 'data')
{
	command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('apart'), '-f', "$dir/$file.sql" ],
		"apart: psql, $file");
}
check_restored('apart', 'apart');

###
# Prepared transactions
###
$node->safe_psql('plain', q(
	BEGIN;
	UPDATE users SET name = 'prepared' WHERE id = 1;
	PREPARE TRANSACTION 'a';
	BEGIN;
	UPDATE users SET name = 'rolled back' WHERE id = 2;
	PREPARE TRANSACTION 'b';
	COMMIT PREPARED 'a';
	ROLLBACK PREPARED 'b';));
is( $node->safe_psql('plain', q(
		SELECT id, name, operation FROM users_history WHERE id < 3 ORDER BY valid_to DESC, id LIMIT 2)),
	"1|ANN|update\n2|BOB|update",
	'a prepared transaction keeps its versions if it is committed');

###
# A logical subscriber
###
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init(allows_streaming => 'logical');
$subscriber->start;

# Here the triggers of the model write a past of its own; the other database
# gets that of the publisher.
sub subscribe
{
	my ($db, $tables, $always) = @_;

	$subscriber->safe_psql('postgres', "CREATE DATABASE $db");
	$subscriber->safe_psql($db, "SET client_min_messages = warning; CREATE EXTENSION dtmodel; $models CREATE TABLE moments (at timestamptz); $always");
	$node->safe_psql('published', "CREATE PUBLICATION $db FOR TABLE $tables");
	$subscriber->safe_psql($db,
		"CREATE SUBSCRIPTION $db CONNECTION '" . $node->connstr . " dbname=published' PUBLICATION $db");
	$subscriber->wait_for_subscription_sync($node, $db, $db);
}

$node->safe_psql('postgres', 'CREATE DATABASE published');
$node->safe_psql('published',
	"SET client_min_messages = warning; CREATE EXTENSION dtmodel; $models CREATE TABLE moments (at timestamptz)");
subscribe('follows', 'users, parts, users_history, parts_history, moments', '');
subscribe('writes', 'users, parts, moments',
	'ALTER TABLE users ENABLE ALWAYS TRIGGER zz_dtmodel_history;');
change('published');
$node->safe_psql('published', q(DELETE FROM users_history WHERE name = 'BOB'));
$node->wait_for_catchup($_) foreach 'follows', 'writes';

is(all_of($subscriber, 'follows'), all_of($node, 'published'),
	'a subscriber has the past that is replicated to it');
my $versions = 'SELECT valid_from, valid_to, operation, id, name FROM users_history ORDER BY id, valid_from, valid_to';
is($subscriber->safe_psql('writes', "$versions LIMIT 4"), $node->safe_psql('published', "$versions LIMIT 4"),
	'or writes its own, where its trigger is enabled for that');

# Where rows are written on both sides, an UPDATE may arrive that began before the
# last one there: it gets a time of its own.
$subscriber->safe_psql('writes', 'ALTER TABLE users ENABLE ALWAYS TRIGGER zz_dtmodel_timestamps');
$node->safe_psql('published', q(BEGIN; UPDATE users SET name = 'early' WHERE id = 2; PREPARE TRANSACTION 'early'));
$subscriber->safe_psql('writes', q(UPDATE users SET name = 'there' WHERE id = 2));
$node->safe_psql('published', q(COMMIT PREPARED 'early'));
$node->wait_for_catchup('writes');
is($subscriber->safe_psql('writes', q(
		SELECT u.name, past.name, (SELECT count(*) FROM users_as_of(past.valid_from) WHERE id = 2)
		FROM users AS u JOIN users_history AS past USING (id) WHERE id = 2 ORDER BY past.valid_to DESC LIMIT 1)),
	'early|there|1', 'what began earlier arrives as a later version');

# Versions that go from the default partition into one of their own do so on the
# subscriber too, into the partition that it has for them.
my $monthly = q(
	CREATE TABLE notes (id int PRIMARY KEY, body text);
	SELECT dtmodel.add_timestamps('notes'), dtmodel.add_history('notes', partition_by => 'month');
);
my $notes = 'SELECT id, left(body, 8), length(body), valid_from, valid_to, transaction_id FROM notes_history ORDER BY id, valid_to, valid_from';

foreach my $tables ('FOR TABLE notes, notes_history', 'FOR ALL TABLES')
{
	my $db = $tables =~ /ALL/ ? 'monthly_all' : 'monthly';

	foreach my $server ($node, $subscriber)
	{
		$server->safe_psql('postgres', "CREATE DATABASE $db");
		$server->safe_psql($db, "SET client_min_messages = warning; CREATE EXTENSION dtmodel; $monthly");
	}
	$node->safe_psql($db, "CREATE PUBLICATION $db $tables WITH (publish_via_partition_root = true)");
	$subscriber->safe_psql($db, "CREATE SUBSCRIPTION $db CONNECTION '" . $node->connstr . " dbname=$db' PUBLICATION $db");
	$subscriber->wait_for_subscription_sync($node, $db, $db);
	$node->safe_psql($db, q(
		SET dtmodel.preserve_timestamps = on;
		INSERT INTO notes (id, body, updated_at) SELECT n, repeat(md5(n::text), 200), '2020-01-01' FROM generate_series(1, 3) AS n;
		UPDATE notes SET body = 'second', updated_at = '2020-02-02' WHERE id < 3;
		UPDATE notes SET body = 'third', updated_at = '2020-03-03' WHERE id = 1;));
	$node->safe_psql($db, q(UPDATE notes SET body = 'last'));
	$node->wait_for_catchup($db);
	my $before = $node->safe_psql($db, $notes);
	is($subscriber->safe_psql($db, $notes), $before, "$tables: the subscriber has the past by month");
	is($node->safe_psql($db, q(SELECT count(*) FROM notes_history_default; SELECT cardinality(dtmodel.add_history_partitions('notes')); SELECT count(*) FROM notes_history_default)),
		"3\n2\n0", "$tables: months get partitions later");
	$node->wait_for_catchup($db);
	is($node->safe_psql($db, $notes), $before, "$tables: which changes no version");
	is($subscriber->safe_psql($db, $notes), $before, "$tables: and none on the subscriber");
	$subscriber->safe_psql($db, "DROP SUBSCRIPTION $db");
}

$subscriber->stop;
$node->stop;
done_testing();
