# What drift prints repairs a model.
#
# There is a random model, and its twin.  What drift watches is changed at random
# on the first: triggers, columns, defaults, constraints, indexes, the history,
# also on its partitions.  Then the repairs are run as drift prints them: none may
# fail, and drift may have none left.  Where it has no advice either, the same
# statements must do the same with both models, row by row.
use strict;
use warnings;

use Campaign;
use JSON::PP qw(decode_json);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $campaign = Campaign->new(models => 200);
my $reported_failures = 5;

my $node = PostgreSQL::Test::Cluster->new('drift_oracle');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "fsync = off\nclient_min_messages = error");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dtmodel');

my @sessions = map { Session->new($node, preload => $_) } 0, 1;

sub pick { return $_[ rand @_ ]; }
sub maybe { my ($probability, @things) = @_; return rand() < $probability ? @things : (); }

#
# Models
#

my %kinds = (
	plain => ['CREATE TABLE t (id int PRIMARY KEY, k int, name text)'],
	inherited => [ 'CREATE TABLE t (id int PRIMARY KEY, k int, name text)', 'CREATE TABLE t1 (x int, PRIMARY KEY (id)) INHERITS (t)' ],
	partitioned => [
		'CREATE TABLE t (id int, k int, name text, PRIMARY KEY (id, k)) PARTITION BY LIST (k)',
		'CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1)',
		'CREATE TABLE t2 (name text, k int NOT NULL, id int NOT NULL)',
		'ALTER TABLE t ATTACH PARTITION t2 FOR VALUES IN (2)' ],
	partitioned_twice => [
		'CREATE TABLE t (id int, k int, name text, PRIMARY KEY (id, k)) PARTITION BY LIST (k)',
		'CREATE TABLE t1 PARTITION OF t DEFAULT PARTITION BY RANGE (id)',
		'CREATE TABLE t2 PARTITION OF t1 DEFAULT' ]);

sub unique_indexes
{
	my ($kind) = @_;

	return (
		'CREATE UNIQUE INDEX ON t (k, lower(name), id)',
		'CREATE UNIQUE INDEX ON t (id DESC, k, name) WHERE id > 2',
		'ALTER TABLE t ADD UNIQUE (k, name, id) DEFERRABLE',
		$kind eq 'plain' ? () : ('CREATE UNIQUE INDEX ON t1 (name, id)'),
		$kind =~ /inherited|partitioned$/ ? ('ALTER TABLE t1 ADD EXCLUDE USING btree (name WITH =, id WITH =)') : (),
		$kind =~ /partitioned/ ? () : ('CREATE UNIQUE INDEX ON t (k, name COLLATE "POSIX")', 'ALTER TABLE t ADD EXCLUDE USING btree (name WITH =)'));
}

sub mixins
{
	my ($kind) = @_;
	my $timestamps = rand() < 0.7;

	return (
		($timestamps ? "SELECT dtmodel.add_timestamps('t')" : ()),
		maybe(0.8, "SELECT dtmodel.add_soft_delete('t'"
			  . pick('', ', flag => NULL', ", flag => 'active', flag_means => 'live'") . pick('', ', hide => true') . pick('', ", deleted_by => 'deleted_by'") . ')'),
		maybe(0.4, "SELECT dtmodel.add_audit('t')"),
		maybe(0.4, "SELECT dtmodel.add_version('t')"),
		$kind eq 'plain' ? (maybe(0.4, "SELECT dtmodel.add_slug('t', 'name')"), maybe(0.4, "SELECT dtmodel.add_settings('t', '{color}')")) : (),
		$timestamps && $kind ne 'inherited' ? maybe(0.5, "SELECT dtmodel.add_history('t'" . pick('', ", partition_by => 'month'") . ')') : ());
}

# The statements that make a model with a few rows.
sub definition
{
	my $kind = pick(sort keys %kinds);

	return (
		@{ $kinds{$kind} },
		maybe(0.4, pick(unique_indexes($kind))),
		mixins($kind),
		"INSERT INTO t (id, k, name) SELECT n, 1, 'name ' || n FROM generate_series(1, 6) AS n",
		'DELETE FROM t WHERE id = 3');
}

#
# What becomes of them
#

# Each query says what can be changed: of our own columns, triggers and indexes,
# and not of what the user has chosen.
my @damages = (
	q{SELECT format(form, tgrelid::regclass, tgname) FROM pg_trigger,
	      unnest('{"ALTER TABLE %s DISABLE TRIGGER %I","ALTER TABLE %s ENABLE REPLICA TRIGGER %I"}'::text[]) AS form
	  WHERE NOT tgisinternal},
	q{SELECT format(form, tgname, tgrelid::regclass) FROM pg_trigger,
	      unnest('{"ALTER TRIGGER %I ON %s RENAME TO other","DROP TRIGGER %I ON %s"}'::text[]) AS form
	  WHERE NOT tgisinternal},
	q{SELECT format(form, attrelid::regclass, attname) FROM pg_attribute,
	      unnest('{"ALTER TABLE %s ALTER %I DROP DEFAULT","ALTER TABLE %s ALTER %I DROP NOT NULL","ALTER TABLE %s DROP %I CASCADE","ALTER TABLE %s RENAME %I TO other"}'::text[]) AS form
	  WHERE attnum > 0 AND NOT attisdropped AND attname NOT IN ('id', 'k', 'name', 'x')},
	q{SELECT format('ALTER TABLE %s ALTER %I SET NOT NULL', attrelid::regclass, attname) FROM pg_attribute
	  WHERE attnum > 0 AND NOT attisdropped AND attname NOT IN ('id', 'k', 'name', 'x', 'slug', 'settings')},
	q{SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint WHERE contype = 'c'},
	q{SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index WHERE indrelid = 'broken.t'::regclass AND NOT indisprimary},
	q{SELECT statement FROM unnest(ARRAY['DROP FUNCTION broken.t_as_of', 'ALTER FUNCTION broken.t_as_of RENAME TO other_as_of',
	          'CREATE OR REPLACE FUNCTION broken.t_as_of(at timestamptz) RETURNS SETOF broken.t LANGUAGE sql STABLE AS ''SELECT * FROM broken.t''',
	          'ALTER TABLE broken.t_history ALTER name TYPE varchar', 'ALTER TABLE broken.t_history ADD other int',
	          'ALTER TABLE broken.t_history DROP name CASCADE', 'ALTER TABLE broken.t_history DROP valid_to CASCADE',
	          'ALTER TABLE broken.t_history RENAME TO other_history', 'ALTER TABLE broken.t_history SET UNLOGGED',
	          'CREATE POLICY other ON broken.t_history', 'ALTER TABLE broken.t_history DISABLE ROW LEVEL SECURITY']) AS statement
	  WHERE to_regclass('broken.t_history') IS NOT NULL},
	q{SELECT statement FROM unnest(ARRAY['ALTER TABLE broken.t ENABLE ROW LEVEL SECURITY', 'CREATE POLICY other ON broken.t USING (id > 0)',
	          'ALTER TABLE broken.t ADD other int DEFAULT 5', 'ALTER TABLE broken.t ALTER name TYPE varchar(20)']) AS statement});

# Only what is in the schema "broken", and of the tables only those of the user,
# the partitions and the history.
my $of_broken = q{ ~ '^ALTER TABLE broken|ON broken|INDEX broken|FUNCTION broken| broken\.'};

sub damage
{
	my ($session) = @_;
	my $out = $session->ask("SELECT statement FROM (" . pick(@damages) . ") AS s (statement) WHERE statement $of_broken ORDER BY statement COLLATE \"C\";");
	my $statement = pick(split /\n/, $out) // return;
	my (undef, $state) = $session->ask("$statement;");

	return $state eq '00000' ? $statement : ();
}

# The repairs of all tables, and how much advice there is.  What a session does not
# hide, and that an index counts hidden rows, is not of interest to the latter.
sub drift
{
	my ($session, $schema) = @_;
	my $out = $session->ask(<<"SQL");
SELECT json_build_object('repairs', coalesce(json_agg(repair) FILTER (WHERE repair NOT LIKE 'ALTER DATABASE%'), '[]'),
    'advice', coalesce(json_agg(problem || ': ' || advice) FILTER (WHERE problem NOT LIKE '%counts hidden rows'), '[]'))
FROM pg_class, dtmodel.drift(oid)
WHERE relnamespace = '$schema'::regnamespace AND relname IN ('t', 't1', 't2') AND relkind IN ('r', 'p');
SQL
	my $drift = eval { decode_json($out) } // { repairs => [], advice => [], error => 'drift: ' . $session->errors };

	return ($drift->{repairs}, $drift->{advice}, $drift->{error} // ());
}

# A repair may make way for others, such as the column for its trigger.
sub repair
{
	my ($session) = @_;
	my ($count, @failures) = (0);

	foreach my $pass (1 .. 4)
	{
		my ($repairs, $advice, @errors) = drift($session, 'broken');

		return ($count, [ @failures, @errors ], $advice) if !@$repairs || @errors;
		push @failures, map { "left: $_" } $pass == 4 ? @$repairs : ();
		foreach my $statement ($pass == 4 ? () : @$repairs)
		{
			my (undef, $state) = $session->ask("$statement;");

			$count++;
			push @failures, "$statement: " . $session->errors if $state ne '00000';
		}
	}
	return ($count, \@failures, []);
}

#
# Whether both models do the same
#

# They cannot, where a column has another name now, or where all triggers of a mixin
# are gone: a table that has only its columns is not its model any more.
my $shape = <<'SQL';
SELECT ARRAY(SELECT jsonb_object_keys(dtmodel.describe(attrelid))), string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attname)
FROM pg_attribute WHERE attrelid = '%s.t'::regclass AND attnum > 0 AND NOT attisdropped GROUP BY attrelid;
SQL
my $state = <<'SQL';
SET dtmodel.with_deleted = on;
SELECT id, to_jsonb(t) - '{created_at,updated_at,deleted_at}'::text[], tableoid::regclass::text = 't2', to_jsonb(t) ->> 'created_at' LIKE '20%',
       to_jsonb(t) ->> 'deleted_at' IS NOT NULL, to_jsonb(t) ->> 'updated_at' > to_jsonb(t) ->> 'created_at'
FROM t ORDER BY id;
RESET dtmodel.with_deleted;
SQL
my @statements = (
	q{INSERT INTO t (id, k, name) VALUES (7, 2, 'name 1'), (8, 1, NULL)}, q{INSERT INTO t (id, k, name) VALUES (3, 1, 'again') ON CONFLICT DO NOTHING},
	q{UPDATE t SET name = 'new ' || id WHERE id IN (1, 3)}, q{UPDATE t SET k = 2 WHERE id IN (2, 3)}, q{UPDATE t SET name = name},
	q{DELETE FROM t WHERE id = 4}, q{DELETE FROM t WHERE id IN (4, 5) RETURNING name}, q{DELETE FROM t}, q{SELECT count(*) FROM t},
	q{SELECT (dtmodel.restore(t)).id FROM t WHERE id = 3}, q{SELECT (dtmodel.soft_delete(t)).id FROM t WHERE id = 6},
	q{SET dtmodel.actor = 'ann'; UPDATE t SET name = 'of ann' WHERE id = 6; RESET dtmodel.actor}, q{UPDATE t SET created_at = '1999-01-01' WHERE id < 3},
	q{UPDATE t SET is_deleted = true WHERE id = 1}, q{UPDATE t SET version = 9 WHERE id = 1}, q{UPDATE t SET settings = '{"size": 1}' WHERE id = 1},
	q{SET dtmodel.hard_delete = on; DELETE FROM t WHERE id = 5; RESET dtmodel.hard_delete}, q{SELECT id, name FROM t_as_of(clock_timestamp()) ORDER BY id});

sub act
{
	my ($session, $schema, @acts) = @_;
	my $since = $session->ask("SET search_path = $schema; SELECT clock_timestamp();");
	my @results = map { my ($out, $sqlstate) = $session->ask("$_;\n"); "$_: $sqlstate\n$out" } @acts;

	chomp $since;
	push @results, $session->ask($state),
	  scalar $session->ask("SELECT id, name, k, operation FROM t_history WHERE valid_to > '$since' ORDER BY valid_to, id;");
	$session->ask('RESET search_path;');
	return join("\n", @results);
}

my %count = (repairs => 0, compared => 0);

# What is wrong with one model.
sub failures
{
	my ($session) = @_;
	my @definition = definition();
	my @acts = map { pick(@statements) } 1 .. 6;
	my ($repairs, @damage, $advice, @errors);

	$session->ask('DROP SCHEMA IF EXISTS broken, sound CASCADE;');
	foreach my $schema ('broken', 'sound')
	{
		foreach my $statement ("CREATE SCHEMA $schema", "SET search_path = $schema", @definition, 'RESET search_path')
		{
			my (undef, $sqlstate) = $session->ask("$statement;");

			return "$statement: " . $session->errors if $sqlstate ne '00000';
		}
	}
	($repairs, $advice, @errors) = drift($session, 'sound');
	@damage = map { damage($session) } 0 .. rand 3;
	push @errors, map { "advice at the start: $_" } @$advice;
	($repairs, my $failures, $advice) = repair($session);
	push @errors, @$failures;
	$count{repairs} += $repairs;
	if (!@errors && !@$advice)
	{
		# The indexes that drift has replaced are replaced for the twin too.
		$session->ask("$_;") foreach @{ (drift($session, 'sound'))[0] };
		if ($session->ask(sprintf $shape, 'broken') eq $session->ask(sprintf $shape, 'sound'))
		{
			my ($is, $should_be) = map { act($session, $_, @acts) } 'broken', 'sound';

			$count{compared}++;
			push @errors, "it does\n$is\nand the other\n$should_be" if $is ne $should_be;
		}
	}
	return @errors ? join("\n", @definition, 'damage:', @damage, 'repaired:', @errors) : ();
}

my $failed = 0;

foreach my $i (1 .. $campaign->size)
{
	my ($failure) = failures(pick(@sessions));

	$failed++ if defined $failure;
	diag("model $i:\n$failure") if defined $failure && $failed <= $reported_failures;
	$campaign->progress($i);
}
is($failed, 0, 'drift repairs the models');
cmp_ok($count{compared}, '>', $campaign->size / 10, 'many have been compared with their twins');
$campaign->found("$count{repairs} repairs", "$count{compared} compared with their twins");
$_->quit foreach @sessions;
$node->stop;
done_testing();
