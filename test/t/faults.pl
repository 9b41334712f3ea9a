# Every call of the library to the server fails once, as if memory ran out there:
# in each of the statements below, in both tiers, in a session that has just
# begun and in one that has run the statement before, in a transaction of its
# own and after a savepoint.
#
# Nothing is changed then, the session does the same statement right afterwards,
# and the server reports no leak and does not end.
use strict;
use warnings;

use lib 'test/lib';
use Campaign;
use Cwd qw(abs_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'the linker does not wrap functions' if $^O ne 'linux';

my $folder = PostgreSQL::Test::Utils::tempdir;
PostgreSQL::Test::Utils::system_or_bail($ENV{MAKE} // 'make', '-s', '-C', $folder, '-f', abs_path('test/faults/Makefile'),
	'PG_CONFIG=pg_config', 'with_llvm=no');

my $node = PostgreSQL::Test::Cluster->new('faults');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "client_min_messages = error\nautovacuum = off\nallow_system_table_mods = on");
$node->start;

# A session can load only one of the two libraries.
$node->safe_psql('postgres', 'CREATE EXTENSION dtmodel');
$node->safe_psql('postgres', <<"SQL");
UPDATE pg_proc SET probin = '$folder/dtmodel' WHERE probin = '\$libdir/dtmodel';
SQL
$node->safe_psql('postgres', <<"SQL");
CREATE SCHEMA faults;
CREATE FUNCTION faults.arm(call bigint) RETURNS void AS '$folder/dtmodel', 'faults_arm' LANGUAGE C;
CREATE FUNCTION faults.calls() RETURNS bigint AS '$folder/dtmodel', 'faults_calls' LANGUAGE C;
SQL

$node->safe_psql('postgres', <<'SQL');
-- All that the statements can change, but for times and what is made at random.
CREATE FUNCTION faults.state() RETURNS text LANGUAGE plpgsql SET dtmodel.with_deleted = on AS $$
DECLARE
    name regclass;
    state text;
    lines text[] := ARRAY(
        SELECT format('trigger %s %s %s %s', tgrelid::regclass, tgname, tgenabled, tgargs)
        FROM pg_trigger JOIN pg_class AS c ON c.oid = tgrelid
        WHERE c.relnamespace = 'public'::regnamespace AND NOT tgisinternal
        UNION ALL
        SELECT format('column %s %s %s %s', attrelid::regclass, attname, atttypid::regtype, attnotnull)
        FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT format('constraint %s %s %s', conrelid::regclass, conname, convalidated)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL
        SELECT format('function %s', oid::regprocedure) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        ORDER BY 1);
BEGIN
    FOR name IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname LOOP
        EXECUTE format('SELECT string_agg(line, chr(10) ORDER BY line) FROM (SELECT to_jsonb(t)::text FROM ONLY %s AS t) AS r (line)', name)
            INTO state;
        lines := lines || format('%s: %s', name, state);
    END LOOP;
    RETURN regexp_replace(array_to_string(lines, chr(10)),
                          '"\d{4}-\d\d-\d\d[^"]*"|[0-9a-f]{8}-[0-9a-f-]{27}|"transaction_id": "?\d+"?', '*', 'g');
END
$$;

CREATE TABLE users (id int PRIMARY KEY, email text, note text);
SELECT dtmodel.add_model('users'), dtmodel.add_soft_delete('users', deleted_by => 'deleted_by'), dtmodel.add_audit('users'),
       dtmodel.add_slug('users', 'email'), dtmodel.add_version('users'), dtmodel.add_history('users'),
       dtmodel.add_settings('users', schema => '{"theme": {"default": "dark", "enum": ["dark", "light"]}, "size": {"type": "integer"}}'),
       dtmodel.create_live_view('users'), dtmodel.unique_live('users', 'email');
CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE, parent int REFERENCES posts ON DELETE CASCADE, title text);
SELECT dtmodel.add_timestamps('posts'), dtmodel.add_soft_delete('posts', hide => true), dtmodel.require_live_parent('posts', 'author');
CREATE TABLE events (id int, region text, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
CREATE TABLE events_b PARTITION OF events FOR VALUES IN ('b');
SELECT dtmodel.add_timestamps('events'), dtmodel.add_soft_delete('events'), dtmodel.add_history('events', partition_by => 'month');
CREATE TABLE events_c (LIKE events INCLUDING ALL);
SELECT dtmodel.add_timestamps('events_c'), dtmodel.add_soft_delete('events_c');
CREATE TABLE plain (id int PRIMARY KEY, email text, author int REFERENCES users);
CREATE TABLE heirs () INHERITS (plain);
CREATE TABLE lone (id int PRIMARY KEY, email text);
INSERT INTO lone VALUES (1, 'one');
INSERT INTO plain VALUES (1, 'one', NULL), (2, 'two', NULL);
INSERT INTO users (id, email) SELECT n, 'user' || n FROM generate_series(1, 6) AS n;
INSERT INTO posts (id, author, parent, title) SELECT n, 1 + n % 3, CASE WHEN n > 6 THEN n - 3 END, 'post ' || n FROM generate_series(1, 12) AS n;
INSERT INTO events (id, region) SELECT n, CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 6) AS n;
UPDATE users SET note = 'changed';
UPDATE events SET note = 'changed';
DELETE FROM users WHERE id = 3;
DELETE FROM users WHERE id = 6;
DELETE FROM events WHERE id = 1;
SELECT dtmodel.update(u, '{"theme": "light"}') FROM users AS u WHERE id = 2;
SQL

my %statements = (
	'INSERT' => q{INSERT INTO users (id, email, settings) VALUES (11, 'User', '{"size": 3}'), (12, 'User!', '{}')},
	'UPDATE' => q{UPDATE users SET email = email || '.', settings = '{"size": 1}' WHERE NOT is_deleted},
	'UPDATE of one' => q{UPDATE posts SET title = 'x' WHERE id = 1},
	'DELETE along foreign keys' => q{DELETE FROM users WHERE id IN (1, 2)},
	'DELETE from partitions' => q{DELETE FROM events WHERE id < 5},
	'hard DELETE' => q{SELECT dtmodel.delete(NULL::users, 1, soft => false)},
	'TRUNCATE' => q{TRUNCATE events},
	'move' => q{UPDATE events SET region = CASE region WHEN 'a' THEN 'b' ELSE 'a' END},
	'ON CONFLICT' => q{INSERT INTO users (id, email) VALUES (1, 'x'), (21, 'y') ON CONFLICT (id) DO UPDATE SET note = excluded.email},
	'SELECT' => q{SELECT count(*) FROM posts JOIN users ON users.id = author},
	'live view' => q{UPDATE live_users SET note = 'by view'},
	'flag' => q{UPDATE users SET is_deleted = NOT is_deleted},
	'create' => q{SELECT dtmodel.create(NULL::users, '{"id": 31, "email": "Ünïcode", "theme": "light"}')},
	'bulk_create' => q{SELECT dtmodel.bulk_create(NULL::posts, '[{"id": 31, "author": 1}, {"id": 32, "title": "t"}]')},
	'update' => q{SELECT dtmodel.update(NULL::users, 1, '{"email": "new", "size": 5, "version": 2}')},
	'upsert' => q{SELECT dtmodel.upsert(NULL::users, '{"id": 6, "email": "back"}', on_deleted => 'restore')},
	'get_or_create' => q{SELECT dtmodel.get_or_create(NULL::users, '{"email": "got"}', '{"id": 41}'), dtmodel.get_or_create(NULL::users, '{"email": "user1"}')},
	'restore' => q{SELECT dtmodel.restore(u) FROM users AS u WHERE id = 3},
	'restore_deletion' => q{SELECT dtmodel.restore_deletion(NULL::users, deleted_at) FROM users WHERE id = 6},
	'get_all' => q{SELECT count(*) FROM dtmodel.get_all(NULL::posts, 3), dtmodel.get_deleted(NULL::users)},
	'reading' => q{SELECT dtmodel.count(NULL::posts), dtmodel.exists(NULL::users, 3), dtmodel.get_by_id(NULL::events, '{"id": 2, "region": "a"}')},
	'to_dict' => q{SELECT dtmodel.to_dict(u), dtmodel.repr(u), dtmodel.settings(u), dtmodel.invalid_settings(u) FROM users AS u},
	'new_slug' => q{SELECT dtmodel.new_slug(u) FROM users AS u WHERE id < 3},
	'history' => q{SELECT count(*) FROM users AS u, dtmodel.history(u), dtmodel.changes(NULL::events, '-infinity')},
	'as_of' => q{SELECT count(*) FROM users_as_of(now() - interval '1 hour')},
	'revert' => q{SELECT dtmodel.revert(NULL::users, 4, (SELECT min(valid_to) - interval '1 microsecond' FROM users_history WHERE id = 4))},
	'revert_transaction' => q{SELECT dtmodel.revert_transaction(NULL::events, (SELECT min(transaction_id::text)::xid8 FROM events_history WHERE id = 1 AND operation = 'update'), true)},
	'erase' => q{SELECT dtmodel.erase(NULL::users, 4)},
	'describe' => q{SELECT dtmodel.describe('users'), dtmodel.describe('events')},
	'drift' => q{SELECT count(*) FROM dtmodel.drift()},
	'models' => q{SELECT count(*) FROM dtmodel.models},
	'JSON' => q{SELECT dtmodel.jsonb_patch('{"a": [1, {"b": 2}]}', dtmodel.jsonb_diff('{"a": [1, {"b": 2}]}', '{"a": [{"b": 3}, 1], "c": "x"}')), dtmodel.jsonb_merge_patch('{"a": 1}', dtmodel.jsonb_merge_diff('{"a": 1}', '{"b": {"c": 2}}'))},
	'identifiers' => q{SELECT dtmodel.slugify('Ünï cödé'), length(dtmodel.uuidv7()::text), dtmodel.uuidv5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'x'), dtmodel.table_name('UserProfile')},
	'add_model' => q{SELECT dtmodel.add_model('plain')},
	'add_soft_delete' => q{SELECT dtmodel.add_soft_delete('plain', hide => true, protect_truncate => true)},
	'add_audit' => q{SELECT dtmodel.add_audit('plain')},
	'add_history' => q{SELECT dtmodel.add_history('posts')},
	'add_slug' => q{SELECT dtmodel.add_slug('lone', 'email')},
	'add_settings' => q{SELECT dtmodel.add_settings('posts', '{a,b}')},
	'add_version' => q{SELECT dtmodel.add_version('plain')},
	'add_again' => q{SELECT dtmodel.add_soft_delete('users', hide => true, deleted_by => 'deleted_by')},
	'remove' => q{DROP VIEW live_users; SELECT dtmodel.remove_history('users', true), dtmodel.remove_settings('users', true), dtmodel.remove_slug('users', true), dtmodel.remove_version('users', true), dtmodel.remove_audit('users', true)},
	'remove_soft_delete' => q{SELECT dtmodel.restore(u) FROM users AS u; SELECT dtmodel.remove_live_parent('posts', 'author'), dtmodel.remove_soft_delete('posts')},
	'attach' => q{ALTER TABLE events ATTACH PARTITION events_c FOR VALUES IN ('c')},
	'detach' => q{ALTER TABLE events DETACH PARTITION events_b},
	'partition' => q{CREATE TABLE events_d PARTITION OF events FOR VALUES IN ('d')},
	'rename' => q{ALTER TABLE users RENAME COLUMN note TO remark; UPDATE users SET remark = 'renamed'},
	'add column' => q{ALTER TABLE users ADD COLUMN age int; UPDATE users SET age = 1},
	'drop table' => q{DROP TABLE posts},
);

# What psql prints for a script, and each error with its SQLSTATE.
sub run
{
	my ($tier, $script) = @_;
	my $output = '';

	local $ENV{PGOPTIONS} = $tier eq 'preloaded' ? "-c session_preload_libraries=$folder/dtmodel" : '';
	IPC::Run::run([ 'psql', '-X', '-q', '-A', '-t', '-d', $node->connstr('postgres'), '-v', 'VERBOSITY=verbose' ],
		'<', \$script, '>', \$output, '2>&1');
	return $output;
}

# The states that a script asks for.
sub state_of { return map { /^\s*(.*)\s*$/s ? $1 : $_ } $_[0] =~ /<<<(.*?)>>>/gs; }

# The script's output, and of each state only the lines that are wrong.
sub excerpt
{
	my ($before, $after, $output) = @_;
	my @expected = ($before, $after);

	return $output =~ s/<<<(.*?)>>>/join("\n", 'state:', different($1, shift @expected))/gser;
}

sub different
{
	my ($got, $expected) = @_;
	my %is_expected = map { $_ => 1 } split /\n/, $expected;
	my %is_there = map { $_ => 1 } split /\n/, $got;

	return ((map { "+ $_" } grep { !$is_expected{$_} } sort keys %is_there), (map { "- $_" } grep { !$is_there{$_} } sort keys %is_expected));
}

my $state = q{SELECT '<<<' || faults.state() || '>>>';};
my $campaign = Campaign->new(faults => 480, least => 96);
my @tiers = ('trigger', 'preloaded');
my $done = 0;
my %count;

foreach my $tier (@tiers)
{
	my ($before) = state_of(run($tier, $state));

	foreach my $name (sort keys %statements)
	{
		my $statement = $statements{$name};

		# One message: where the fault is at the end of arm(), nothing is done.
		my $armed = $statement =~ s/; /\\; /gr;

		# In the session that does it first, and once more.
		my $output = run($tier, <<"SQL");
SELECT faults.calls();
BEGIN; SELECT faults.arm(0) \\; $armed \\; SELECT 'calls ' || faults.calls(); $state ROLLBACK;
BEGIN; SELECT faults.arm(0) \\; $armed \\; SELECT 'calls ' || faults.calls(); ROLLBACK;
SQL
		my ($after) = state_of($output);
		my ($cold, $warm) = $output =~ /^calls (\d+)$/mg;
		my @wrong;

		if (!defined $warm || $output =~ /ERROR/)
		{
			fail("$name, $tier");
			diag($output =~ s/<<<.*?>>>//gsr);
			next;
		}
		my $calls = int($campaign->size / (@tiers * keys %statements)) + 1;
		foreach my $i (1 .. $calls)
		{
			my $in_new_session = $i % 3 == 0;
			my $in_transaction = $i % 2 == 0;
			my $call = 1 + int(rand($in_new_session ? $cold : $warm));
			my $script = $in_new_session ? '' : "BEGIN; $statement; ROLLBACK;\n";

			$script .= 'BEGIN; SAVEPOINT s; ' if $in_transaction;
			$script .= "SELECT faults.arm($call) \\; $armed \\; SELECT faults.calls();\n";
			$script .= "ROLLBACK TO s;\n" if $in_transaction;
			$script .= "$state\n";
			$script .= $in_transaction ? '' : 'BEGIN; ';
			$script .= "$statement; $state ROLLBACK;\n";
			$script .= "SELECT 'locks ' || count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation > 16384;\n";

			my $got = run($tier, $script);
			my @states = state_of($got);
			my @errors = $got =~ /^(?:ERROR|FATAL|PANIC|WARNING): +([^:]+)/mg;

			$count{ $errors[0] // 'none' }++;
			push @wrong, "call $call" . ($in_new_session ? ' of a new session' : '') . ($in_transaction ? ', after a savepoint' : '') . ":\n$got"
			  if @errors != 1 || $errors[0] !~ /^(53200|09000)$/ || @states != 2 || $states[0] ne $before || $states[1] ne $after
			  || $got !~ /^locks 0$/m;
			$campaign->progress(++$done);
		}
		is(scalar @wrong, 0, "$name, $tier");
		diag(excerpt($before, $after, $wrong[0])) if @wrong;
	}
}
$campaign->found("$count{53200} raised");

my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile);
unlike($log, qr/leak|still referenced|TRAP|PANIC|terminated by signal|was not released/, 'nothing leaks, and the server does not end');
$node->stop;
done_testing();
