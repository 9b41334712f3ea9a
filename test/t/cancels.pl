
# A statement that is canceled, or takes longer than it may, leaves nothing behind.
#
# Everything that can take long is interrupted at a random moment, by
# statement_timeout or by pg_cancel_backend, in both tiers: as a statement by
# itself, after a savepoint, or while it waits for another session.  Then the rows
# and the tables' definitions have to be what they were, the session holds no
# lock and no snapshot, and what it does next works.  A procedure commits on its
# way: there the live rows are what they were.

use strict;
use warnings;

use Campaign;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;
use Time::HiRes qw(time);

my $campaign = Campaign->new(cancels => 50);

my $node = PostgreSQL::Test::Cluster->new('cancels');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "autovacuum = off\nclient_min_messages = warning\nTimeZone = 'UTC'");
$node->start;

my $icu = $node->safe_psql('postgres', q(SELECT count(*) > 0 FROM pg_collation WHERE collprovider = 'i')) eq 't';
my $slugs = $icu ? q(SELECT dtmodel.add_slug('person', 'name', on_update => true);) : '';

$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION dtmodel;
CREATE EXTENSION amcheck;
CREATE TABLE company (id int PRIMARY KEY, name text);
CREATE TABLE team (id int PRIMARY KEY, company int NOT NULL REFERENCES company ON DELETE CASCADE);
CREATE TABLE person (id int PRIMARY KEY, team int REFERENCES team ON DELETE CASCADE, name text);
CREATE INDEX ON team (company);
CREATE INDEX ON person (team);
SELECT dtmodel.add_model(t), dtmodel.add_soft_delete(t) FROM unnest('{company,team,person}'::regclass[]) AS t;
SELECT dtmodel.add_audit('person'), dtmodel.add_version('person'), dtmodel.add_settings('person', '{theme}');
$slugs
SELECT dtmodel.add_history('person'), dtmodel.add_history('team', partition_by => 'month');
SELECT dtmodel.require_live_parent('person', 'team');
CREATE TABLE plain (id int PRIMARY KEY, name text, gone boolean NOT NULL DEFAULT false);
INSERT INTO plain SELECT i, 'name ' || i FROM generate_series(1, 3000) AS i;
CREATE TABLE leaf (id int PRIMARY KEY, plain int REFERENCES plain ON DELETE CASCADE);

-- Rows to begin with.
CREATE PROCEDURE fill() LANGUAGE plpgsql AS \$\$
BEGIN
    SET LOCAL session_replication_role = replica;
    DELETE FROM person;
    DELETE FROM team;
    DELETE FROM company;
    DELETE FROM person_history;
    DELETE FROM team_history;
    SET LOCAL session_replication_role = origin;
    INSERT INTO company SELECT i, 'Company ' || i FROM generate_series(1, 4) AS i;
    INSERT INTO team SELECT i, 1 + i % 4 FROM generate_series(1, 40) AS i;
    INSERT INTO person SELECT i, 1 + i % 40, 'Name ' || i % 10 FROM generate_series(1, 400) AS i;
END \$\$;
CALL fill();

-- All rows, and all definitions.
CREATE FUNCTION rows_now() RETURNS text LANGUAGE sql AS \$\$
    SELECT md5(concat_ws(' ', (SELECT string_agg(t::text, ';' ORDER BY id) FROM company AS t),
        (SELECT string_agg(t::text, ';' ORDER BY id) FROM team AS t), (SELECT string_agg(t::text, ';' ORDER BY id) FROM person AS t),
        (SELECT string_agg(t::text, ';' ORDER BY t::text) FROM team_history AS t), (SELECT string_agg(t::text, ';' ORDER BY t::text) FROM person_history AS t)))
\$\$;
CREATE FUNCTION live_rows() RETURNS text LANGUAGE sql AS \$\$
    SELECT md5(concat_ws(' ', (SELECT string_agg(t::text, ';' ORDER BY id) FROM company AS t WHERE NOT is_deleted),
        (SELECT string_agg(t::text, ';' ORDER BY id) FROM team AS t WHERE NOT is_deleted), (SELECT string_agg(t::text, ';' ORDER BY id) FROM person AS t WHERE NOT is_deleted)))
\$\$;
CREATE FUNCTION definitions() RETURNS text LANGUAGE sql AS \$\$
    SELECT md5(concat_ws(' ',
        (SELECT string_agg(format('%s %s %s %s', oid, relname, relkind, relchecks), ';' ORDER BY oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
        (SELECT string_agg(format('%s %s %s %s %s', attrelid, attnum, attname, attnotnull, atthasdef), ';' ORDER BY attrelid, attnum)
         FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace),
        (SELECT string_agg(format('%s %s %s %s', tgrelid, tgname, tgenabled, tgargs), ';' ORDER BY oid) FROM pg_trigger WHERE NOT tgisinternal),
        (SELECT string_agg(format('%s %s %s', oid, conname, convalidated), ';' ORDER BY oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
        (SELECT string_agg(oid::regprocedure::text, ';' ORDER BY oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
        (SELECT string_agg(format('%s %s', model, mixins), ';' ORDER BY model) FROM dtmodel.models)))
\$\$;

-- What is wrong, whatever was done.
CREATE VIEW wrong AS
SELECT format('team %s is live under a deleted company', t.id) FROM team AS t JOIN company AS c ON c.id = t.company WHERE c.is_deleted AND NOT t.is_deleted
UNION ALL SELECT format('person %s is live under a deleted team', p.id) FROM person AS p JOIN team AS t ON t.id = p.team WHERE t.is_deleted AND NOT p.is_deleted
UNION ALL SELECT format('person %s has no team', p.id) FROM person AS p LEFT JOIN team AS t ON t.id = p.team WHERE t.id IS NULL AND p.team IS NOT NULL
UNION ALL SELECT format('person %s has a flag without a time', id) FROM person WHERE is_deleted <> (deleted_at IS NOT NULL)
UNION ALL SELECT format('versions of person %s overlap', h.id) FROM person_history AS h JOIN person_history AS g ON g.id = h.id AND g.ctid <> h.ctid AND g.valid_from < h.valid_to AND h.valid_from < g.valid_to
UNION ALL SELECT format('%s: %s', model, problem) FROM dtmodel.drift();
SQL

# What takes long: what is done before, and what undoes it where it defines
# something; otherwise the tables are filled again.  "commits" is for procedures,
# "waits" for what another session does so that this one waits, or has to look
# for something else.
my @statements = (
	{ name => 'DELETE', sql => 'DELETE FROM company' },
	{ name => 'DELETE of many', sql => 'DELETE FROM person WHERE id % 2 = 0' },
	{ name => 'soft_delete', sql => 'SELECT count(dtmodel.soft_delete(t)) FROM team AS t WHERE NOT is_deleted' },
	{ name => 'restore', sql => 'SELECT count(dtmodel.restore(c)) FROM company AS c WHERE is_deleted', before => 'DELETE FROM company' },
	{ name => 'restore_deletion', sql => 'SELECT dtmodel.restore_deletion(NULL::company, max(deleted_at)) FROM company', before => 'DELETE FROM company' },
	{ name => 'physical DELETE', sql => 'DELETE FROM company WHERE id = 1', setting => 'dtmodel.hard_delete = on' },
	{ name => 'UPDATE', sql => q(UPDATE person SET name = name || ' x') },
	{ name => 'UPDATE of the flag', sql => 'UPDATE company SET is_deleted = NOT is_deleted' },
	{ name => 'create', sql => q(SELECT count(dtmodel.create(NULL::person, jsonb_build_object('id', i, 'name', 'New'))) FROM generate_series(1000, 1200) AS i) },
	{ name => 'bulk_create', sql => q(SELECT count(*) FROM dtmodel.bulk_create(NULL::person, (SELECT jsonb_agg(jsonb_build_object('id', i, 'name', 'New', 'theme', 'x')) FROM generate_series(1000, 1300) AS i))) },
	{ name => 'update', sql => q(SELECT count(dtmodel.update(p, '{"theme": "dark"}')) FROM person AS p) },
	{ name => 'upsert', sql => q(SELECT count(dtmodel.upsert(NULL::person, jsonb_build_object('id', i, 'name', 'Upserted'), on_deleted => 'restore')) FROM generate_series(300, 500) AS i) },
	{ name => 'get_or_create', sql => q(SELECT count(dtmodel.get_or_create(NULL::person, jsonb_build_object('id', i), '{"name": "Got"}')) FROM generate_series(300, 500) AS i) },
	{ name => 'revert', sql => 'SELECT count(dtmodel.revert(p, (SELECT min(created_at) FROM team))) FROM person AS p WHERE NOT is_deleted', before => q(UPDATE person SET name = 'Later' || id) },
	{ name => 'revert_transaction', sql => 'SELECT dtmodel.revert_transaction(NULL::person, max(transaction_id), true) FROM person_history', before => q(UPDATE person SET name = 'Later' || id) },
	{ name => 'erase', sql => 'SELECT sum(dtmodel.erase(NULL::person, id)) FROM person WHERE id < 200' },
	{ name => 'purge', sql => q(CALL dtmodel.purge('company', '0', 1)), before => 'DELETE FROM company WHERE id % 2 = 0', commits => 1 },
	{ name => 'purge of many', sql => q(CALL dtmodel.purge('person', '0', 7)), before => 'DELETE FROM person WHERE id % 2 = 0', commits => 1 },
	{ name => 'purge_history', sql => q(CALL dtmodel.purge_history('person', '0', 7)), before => q(UPDATE person SET name = 'Later' || id), commits => 1 },
	{ name => 'history', sql => 'SELECT count(*) FROM person AS p, dtmodel.history(p)' },
	{ name => 'changes', sql => q(SELECT count(*) FROM dtmodel.changes(NULL::person, '-infinity')) },
	{ name => 'the past', sql => q(SELECT count(*) FROM person_as_of(now()) AS p, dtmodel.to_dict(p)) },
	{ name => 'get_all', sql => 'SELECT count(*), max(dtmodel.to_dict(p)::text) FROM dtmodel.get_all(NULL::person) AS p, generate_series(1, 10)' },
	{ name => 'JSON', sql => q(SELECT length(dtmodel.jsonb_diff(a, b)::text), dtmodel.jsonb_patch(a, dtmodel.jsonb_diff(a, b)) = b, length(dtmodel.jsonb_deep_merge(a, b)::text), cardinality(dtmodel.get_difference_between_dictionaries(a, b)) FROM (SELECT jsonb_agg(i), jsonb_agg(i + i % 3 ORDER BY i % 7) FROM generate_series(1, 20000) AS i) AS d (a, b)) },
	{ name => 'add_model', sql => q(SELECT dtmodel.add_model('plain')), undo => q(SELECT dtmodel.remove_model('plain', true)) },
	{ name => 'add_soft_delete', sql => q(SELECT dtmodel.add_soft_delete('plain', 'gone')), undo => q(SELECT dtmodel.remove_soft_delete('plain'); ALTER TABLE plain DROP deleted_at) },
	{ name => 'add_history', sql => q(SELECT dtmodel.add_timestamps('plain'), dtmodel.add_history('plain', partition_by => 'month')), undo => q(SELECT dtmodel.remove_history('plain', true); SELECT dtmodel.remove_timestamps('plain', true)) },
	{ name => 'add_settings', sql => q(SELECT dtmodel.add_settings('plain', '{a}'), dtmodel.add_audit('plain'), dtmodel.add_version('plain')), undo => q(SELECT dtmodel.remove_settings('plain', true), dtmodel.remove_audit('plain', true), dtmodel.remove_version('plain', true)) },
	{ name => 'unique_live', sql => q(SELECT dtmodel.unique_live('company', 'name')), undo => q(DROP INDEX uq_company_name) },
	{ name => 'remove_history', sql => q(SELECT dtmodel.remove_history('plain', true), dtmodel.remove_timestamps('plain', true)), before => q(SELECT dtmodel.add_timestamps('plain'), dtmodel.add_history('plain')), undo => q(SELECT dtmodel.remove_history('plain', true); SELECT dtmodel.remove_timestamps('plain', true)) },
	{ name => 'create_live_view', sql => q(SELECT dtmodel.create_live_view('person'), dtmodel.describe('person'), dtmodel.drift()), undo => 'DROP VIEW live_person' },
	{ name => 'get_or_create, waiting', sql => q(SELECT dtmodel.get_or_create(NULL::company, '{"name": "Same"}', '{"id": 100}')), waits => q(SELECT dtmodel.get_or_create(NULL::company, '{"name": "Same"}', '{"id": 100}')) },
	{ name => 'DELETE, waiting', sql => 'DELETE FROM company', waits => q(UPDATE person SET name = 'Other' WHERE id = 200) },
	{ name => 'INSERT, waiting', sql => q(INSERT INTO person VALUES (2000, 1, 'New')), waits => 'DELETE FROM team WHERE id = 1' },
	{ name => 'add_audit, waiting', sql => q(SELECT dtmodel.add_audit('plain')), undo => q(SELECT dtmodel.remove_audit('plain', true)), waits => 'UPDATE plain SET gone = true WHERE id = 1' });
push @statements,
  (
	{ name => 'slug that another takes', sql => q(INSERT INTO person VALUES (2000, 1, 'Same')), waits => q(INSERT INTO person VALUES (2001, 1, 'Same')) },
	{ name => 'new_slug', sql => 'SELECT count(dtmodel.new_slug(p)) FROM person AS p WHERE NOT is_deleted' },
	{ name => 'add_slug', sql => q(SELECT dtmodel.add_slug('plain', 'name')), undo => q(SELECT dtmodel.remove_slug('plain', true)) },
	{ name => 'fill_slugs', sql => q(CALL dtmodel.fill_slugs('plain', 7)), before => q(SELECT dtmodel.add_slug('plain', 'name')), undo => q(SELECT dtmodel.remove_slug('plain', true)), commits => 1 })
  if $icu;

# What a session must be able to do, and what it then prints.  It is undone.
my $probe = <<'SQL';
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM company;
DELETE FROM team;
DELETE FROM person;
SET LOCAL session_replication_role = origin;
INSERT INTO company VALUES (9001, 'Probe');
INSERT INTO team VALUES (9001, 9001);
SELECT (dtmodel.create(NULL::person, '{"id": 9001, "team": 9001, "name": "Probe", "theme": "dark"}')).version;
UPDATE person SET name = 'Probed' WHERE id = 9001;
DELETE FROM company WHERE id = 9001;
SELECT is_deleted, deleted_at = now(), version FROM person WHERE id = 9001;
SELECT (dtmodel.restore(NULL::company, 9001)).is_deleted;
SELECT is_deleted, version, updated_by, dtmodel.settings(p) FROM person AS p WHERE id = 9001;
SELECT count(*) FROM dtmodel.history(NULL::person, 9001);
SELECT created, (instance).id FROM dtmodel.get_or_create(NULL::company, '{"name": "Probe"}');
SELECT current_user = session_user, current_setting('search_path'), current_setting('dtmodel.hard_delete'), current_setting('dtmodel.actor', true);
ROLLBACK;
SQL

my $holder = Session->new($node);
my $observer = Session->new($node);
my $canceler = Session->new($node);
my @sessions = map { Session->new($node, preload => $_) } 0, 1;
my @expected = map { scalar $_->ask($probe) } @sessions;
my (%duration, %canceled, %completed, @failures);

is($expected[0], $expected[1], 'a session can do what it should');
like($expected[0], qr/^1\nt\|t\|3\nf\nf\|4\|\w+\|\{"theme": "dark"\}\n\d\nf\|9001\nt\|/, 'and prints what it should');

# What the session holds that it should not.
sub held_by
{
	my ($session) = @_;
	my $pid = $session->pid;

	return scalar $observer->ask(
		"SELECT locktype, relation::regclass, mode FROM pg_locks WHERE pid = $pid;"
		  . "SELECT 'a snapshot' FROM pg_stat_activity WHERE pid = $pid AND (state <> 'idle' OR backend_xmin IS NOT NULL);");
}

# The state of the database, as far as it must not change.
sub look
{
	my ($statement) = @_;
	my $rows = $statement->{commits} ? 'live_rows()' : 'rows_now()';

	$rows = 'NULL' if $statement->{name} eq 'fill_slugs';
	return scalar $observer->ask("SELECT $rows, definitions();");
}

sub failed
{
	my ($statement, $how, $what) = @_;

	push @failures, "$statement->{name}, $how: $what";
	return;
}

# The timeout that this ends can still strike here, on a machine under load.
sub insist
{
	my ($session, $sql) = @_;
	my $state = '';

	(undef, $state) = $session->ask($sql) until $state eq '00000';
	return;
}

# Runs a statement and interrupts it, perhaps.
sub interrupt
{
	my ($statement, $number) = @_;
	my $session = $sessions[$number];
	my $in_block = !$statement->{commits} && rand() < 0.4;
	my $by_timeout = rand() < 0.5;
	my $usual = $duration{ $statement->{name} } // 0.05;
	my $seconds = $statement->{waits} ? 0.02 + 0.05 * rand() : $usual * rand() * 1.1;
	my $milliseconds = int(1000 * $seconds) || 1;
	my $how = ($number ? 'preloaded' : 'not preloaded') . ($in_block ? ', after a savepoint' : '') . ($by_timeout ? ', timeout' : ', cancel') . " after $milliseconds ms";

	$observer->ask("$statement->{before};") if $statement->{before};
	my $before = look($statement);
	$holder->ask("BEGIN; $statement->{waits};") if $statement->{waits};
	$session->ask('BEGIN; SAVEPOINT s;') if $in_block;
	$session->ask("SET $statement->{setting};") if $statement->{setting};
	$session->ask("SET statement_timeout = $milliseconds;") if $by_timeout;

	my $start = time;
	my $cancel = "SELECT pg_sleep($seconds), pg_cancel_backend(" . $session->pid . ');';
	$canceler->begin($cancel) if !$by_timeout;
	$session->begin("$statement->{sql};");
	$canceler->end if !$by_timeout;

	# What waits may have begun too late to be canceled.
	while ($statement->{waits} && !$by_timeout && !$session->has_ended)
	{
		$canceler->ask($cancel);
	}
	my ($out, $state) = $session->end;
	my $errors = $session->errors;

	insist($session, 'ROLLBACK TO s;') if $in_block;
	insist($session, 'SET statement_timeout = 0;') if $by_timeout;
	$session->ask("RESET $1;") if ($statement->{setting} // '') =~ /^(\S+)/;
	$session->ask('ROLLBACK;') if $in_block;
	$holder->ask('ROLLBACK;') if $statement->{waits};

	if ($state eq '57014')
	{
		$canceled{ $statement->{name} }++;
	}
	elsif ($state eq '00000')
	{
		$completed{ $statement->{name} }++;
		$duration{ $statement->{name} } = time - $start if $by_timeout && !$statement->{waits};
	}
	else
	{
		failed($statement, $how, $errors);
	}
	my $after = look($statement);
	failed($statement, $how, 'the rows or the definitions are not what they were') if ($in_block || $state eq '57014') && $after ne $before;
	my $wrong = $observer->ask('SELECT * FROM wrong LIMIT 3;');
	failed($statement, $how, $wrong) if $wrong ne '';
	my $held = held_by($session);
	failed($statement, $how, "the session holds $held") if $held ne '';
	my $printed = $session->ask($probe);
	failed($statement, $how, 'afterwards the session prints ' . $printed . $session->errors) if $printed ne $expected[$number];

	# For the next one.
	if ($statement->{undo} && ($state eq '00000' && !$in_block || $statement->{before}))
	{
		$observer->ask("$statement->{undo};");
	}
	$observer->ask('CALL fill();') if !$statement->{undo} && ($statement->{before} || !$in_block && $state eq '00000');
	return $state eq '57014';
}

# Bytes that the sessions keep.
sub memory
{
	return map { scalar $_->ask('SELECT sum(total_bytes) FROM pg_backend_memory_contexts;') } @sessions;
}

my @order;
my @memory;
my $done = 0;
while ($done < $campaign->size && @failures < 5)
{
	@order = sort { $a->[0] <=> $b->[0] } map { [ rand(), $_ ] } @statements if !@order;
	my $statement = (shift @order)->[1];
	my $number = int(rand(@sessions));

	# How long it takes, first.
	if (!$statement->{waits} && !$duration{ $statement->{name} })
	{
		$observer->ask("$statement->{before};") if $statement->{before};
		my $start = time;
		my ($out, $state) = $sessions[$number]->ask(($statement->{setting} ? "SET $statement->{setting};" : '') . "$statement->{sql};");

		failed($statement, 'undisturbed', $sessions[$number]->errors) if $state ne '00000';
		$duration{ $statement->{name} } = time - $start;
		$sessions[$number]->ask("RESET $1;") if ($statement->{setting} // '') =~ /^(\S+)/;
		$observer->ask($statement->{undo} ? "$statement->{undo};" : 'CALL fill();');
		failed($statement, 'undisturbed', $observer->errors) if $observer->errors ne '';
	}
	$done += interrupt($statement, $number);
	@memory = memory() if !@memory && $done >= 0.3 * $campaign->size;
	$campaign->progress($done);
}

is(join("\n", @failures), '', 'nothing is left behind, seed ' . $campaign->seed);
my @later = memory();
cmp_ok($later[$_], '<=', 1.5 * $memory[$_] + 1_000_000, 'nor in memory') foreach grep { @memory } 0 .. $#sessions;
is( $observer->ask(<<'SQL'), '', 'amcheck finds tables and indexes clean');
SELECT c.relname FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'i' AND bt_index_check(c.oid, true)::text <> '';
SELECT c.relname, v.* FROM pg_class AS c, LATERAL verify_heapam(c.oid) AS v
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r';
SQL
is(scalar(grep { ($canceled{ $_->{name} } // 0) + ($completed{ $_->{name} } // 0) == 0 } @statements), 0, 'every statement had its turn')
  if $campaign->size >= 2 * @statements;
is(join("\n", slurp_file($node->logfile) =~ /^(.*(?:terminated by signal|leak).*)$/mg), '', 'nor did the server find anything left');
$campaign->found(scalar(keys %canceled) . ' of ' . @statements . ' statements canceled');
note("$_: ", $canceled{$_} // 0, ' canceled, ', $completed{$_} // 0, ' completed') foreach sort map { $_->{name} } @statements;

$_->quit foreach $holder, $observer, $canceler, @sessions;
$node->stop;
done_testing();
