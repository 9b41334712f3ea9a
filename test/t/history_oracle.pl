# A history shows every table as it was at every moment.
#
# Random transactions change models that have a history, in two sessions, one
# with the library preloaded and one without, whose transactions overlap now and
# then.  Whenever none is open, all rows are copied.  In the end
#   <table>_as_of(t) returns the copy that was taken at t, for every t,
#   the versions of a key, and of a row, do not overlap,
#   each version that is followed by another ends when that one begins,
#   each row that was ever copied is in the table or in its history as it was,
#   each version names the actor of the transaction that ended it.
#
# A moment inside of a transaction is not asked for: what it changes counts from
# its beginning, and cannot be read before its end.  So a copy is only right
# where every transaction that began before has ended.
#
# Transactions that fail are cut down to what it takes, and printed.
use strict;
use warnings;

use Campaign;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $campaign = Campaign->new(transactions => 1000);
my $transactions = $campaign->size;
my $seed = $campaign->seed;
my $chunk = 60;
my $most_failures = 1;

my $node = PostgreSQL::Test::Cluster->new('history_oracle');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', <<'CONF');
autovacuum = off
client_min_messages = error
deadlock_timeout = 10ms
jit = off
log_min_messages = fatal
log_min_error_statement = fatal
max_prepared_transactions = 4
TimeZone = 'UTC'
CONF
$node->start;

my $version = int($node->safe_psql('postgres', 'SHOW server_version_num') / 10000);

# The models.  "uid" identifies a row whatever happens to its key.
#   ddl     what makes the table
#   key     the primary key
#   more    what can be assigned besides a and b: columns and values
#   fresh   columns of a new row besides the key and a, as a SELECT over g
#   soft    has soft delete
#   parts   is partitioned by k
#   shown   columns with a past, if not all
#   split   the history has partitions, of a few seconds each
#   inner   other tables with the same rows or with references are involved:
#           no ON CONFLICT, COPY and so on
my $abc = 'a int, b text';
my $uid = "uid bigint NOT NULL DEFAULT nextval('uids')";
my %tables = (
	plain => { ddl => ["CREATE TABLE plain (id int PRIMARY KEY, $abc, $uid)"] },
	soft => {
		ddl => [ "CREATE TABLE soft (id int PRIMARY KEY, $abc, $uid)", "SELECT dtmodel.add_audit('soft')", "SELECT dtmodel.add_soft_delete('soft')" ],
		soft => 1 },
	soft_part => {
		ddl => [
			"CREATE TABLE soft_part (id int PRIMARY KEY, soft int REFERENCES soft ON DELETE CASCADE ON UPDATE CASCADE, $abc, $uid)",
			"SELECT dtmodel.add_soft_delete('soft_part')" ],
		fresh => { soft => '(SELECT min(id) FROM soft WHERE deleted_at IS NULL)' },
		more => { soft => [ 'NULL', '(SELECT max(id) FROM soft WHERE deleted_at IS NULL)' ] },
		soft => 1, inner => 1 },
	pairs => { ddl => ["CREATE TABLE pairs (id int, y text DEFAULT 'y', $abc, $uid, PRIMARY KEY (y, id))"], key => [ 'y', 'id' ] },
	secrets => {
		ddl => ["CREATE TABLE secrets (gone int, id int PRIMARY KEY, $abc, $uid)", 'ALTER TABLE secrets DROP COLUMN gone'],
		exclude => 'b',
		shown => [qw(id a uid created_at updated_at)],
		split => 1 },
	wide => {
		ddl => [
			"CREATE TABLE wide (id int PRIMARY KEY, $abc, gone text, big text, j jsonb, n numeric, twice int GENERATED ALWAYS AS (a * 2) STORED, $uid)",
			'ALTER TABLE wide DROP COLUMN gone', 'ALTER TABLE wide ALTER COLUMN big SET STORAGE EXTERNAL' ],
		more => { big => [ "repeat('x', 5000)", "repeat(b, 2000)", 'NULL', "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) AS i)" ],
			j => [ "'{\"k\": 1}'", "'{\"k\": 2, \"l\": null}'" ], n => [ '1.0', '1.00', 'NULL' ] },
		fresh => { big => "repeat('new', 1000)" }, split => 1 },
	clocked => { ddl => ["CREATE TABLE clocked (id int PRIMARY KEY, $abc, $uid)"], timestamps => "clock => 'clock'", split => 1 },
	stated => { ddl => [ "CREATE TABLE stated (id int PRIMARY KEY, $abc, $uid)", "SELECT dtmodel.add_soft_delete('stated')" ],
		timestamps => "clock => 'statement'", soft => 1 },
	parts => {
		ddl => [
			"CREATE TABLE parts (id int, k int, $abc, $uid, PRIMARY KEY (id, k)) PARTITION BY LIST (k)",
			'CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)',
			"CREATE TABLE parts_2 (uid bigint NOT NULL DEFAULT nextval('uids'), gone int, b text, k int NOT NULL, a int, id int NOT NULL)",
			'ALTER TABLE parts_2 DROP COLUMN gone', 'ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN (2)',
			'CREATE TABLE parts_d PARTITION OF parts DEFAULT' ],
		key => [ 'id', 'k' ], parts => 1 },
	soft_parts => {
		ddl => [
			"CREATE TABLE soft_parts (id int, k int, $abc, $uid, PRIMARY KEY (id, k)) PARTITION BY LIST (k)",
			'CREATE TABLE soft_parts_1 PARTITION OF soft_parts FOR VALUES IN (1)',
			'CREATE TABLE soft_parts_d PARTITION OF soft_parts DEFAULT',
			"SELECT dtmodel.add_soft_delete('soft_parts')" ],
		key => [ 'id', 'k' ], parts => 1, soft => 1, split => 1 },
	base => { ddl => [ "CREATE TABLE base (id int PRIMARY KEY, $abc, $uid)", 'CREATE TABLE children (c int, PRIMARY KEY (id)) INHERITS (base)' ], inner => 1 },
	children => { made => 1, more => { c => [ 1, 2 ] } },
	owners => {
		ddl => ["CREATE TABLE owners (id int PRIMARY KEY, $abc, $uid)"], inner => 1 },
	owned => {
		ddl => [
			"CREATE TABLE owned (id int, owner int REFERENCES owners ON DELETE CASCADE ON UPDATE CASCADE, $abc, $uid, PRIMARY KEY (id, owner)) PARTITION BY HASH (owner)",
			map { "CREATE TABLE owned_$_ PARTITION OF owned FOR VALUES WITH (MODULUS 3, REMAINDER $_)" } 0 .. 2 ],
		key => [ 'id', 'owner' ], fresh => { owner => '(SELECT min(id) FROM owners)' }, inner => 1 },
	loose => {
		ddl => ["CREATE TABLE loose (id int PRIMARY KEY, owner int REFERENCES owners ON DELETE SET NULL ON UPDATE CASCADE, $abc, $uid)"],
		fresh => { owner => '(SELECT max(id) FROM owners)' }, more => { owner => [ 'NULL', '(SELECT max(id) FROM owners)' ] }, inner => 1 },
	# Triggers of the user: one refuses and changes, one changes again.  What a
	# trigger changes that fires after ours does not move updated_at.  So this one
	# comes before.
	edited => {
		ddl => [
			"CREATE TABLE edited (id int PRIMARY KEY, $abc, $uid)",
			'CREATE TRIGGER edit BEFORE UPDATE OR DELETE ON edited FOR EACH ROW EXECUTE FUNCTION edit()',
			'CREATE TRIGGER again AFTER UPDATE ON edited FOR EACH ROW WHEN (NEW.a = 2) EXECUTE FUNCTION edit_again()' ] },
	many => {
		ddl => ["CREATE TABLE many (id int PRIMARY KEY, $abc, $uid)"],
		count => 1500, split => 1 });
my @tables = sort keys %tables;
my @chosen = grep { $_ ne 'many' } @tables;

foreach my $name (@tables)
{
	my $t = $tables{$name};
	$t->{key} //= ['id'];
	$t->{fresh} //= {};
	$t->{fresh} = { %{ $t->{fresh} }, k => '1 + g % 3' } if $t->{parts};
	$t->{more} //= {};
}

my $setup = <<'SQL';
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA m;
SET search_path = m;
CREATE SEQUENCE uids;
CREATE TABLE actors (transaction_id xid8, actor text);
CREATE TABLE moments (id int, at timestamptz);
CREATE TABLE copies (moment int, model text, uid bigint, updated_at timestamptz, row_text text);
CREATE INDEX ON copies (model, uid);
CREATE TABLE seen (model text, uid bigint, updated_at timestamptz, row_text text);
CREATE FUNCTION edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF OLD.a = 3 AND OLD.id % 2 = 0 THEN
		RETURN NULL;
	ELSIF TG_OP = 'DELETE' THEN
		RETURN OLD;
	END IF;
	NEW.b = coalesce(NEW.b, '') || '!';
	RETURN NEW;
END $$;
CREATE FUNCTION edit_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE m.edited SET a = 1, b = NULL WHERE id = NEW.id;
	UPDATE m.plain SET a = NEW.id WHERE id = NEW.id;
	RETURN NULL;
END $$;
CREATE PROCEDURE split(history text) LANGUAGE plpgsql AS $$
DECLARE
	partition regclass;
BEGIN
	FOR partition IN SELECT inhrelid FROM pg_inherits WHERE inhparent = history::regclass AND inhrelid::regclass::text !~ 'default' LOOP
		EXECUTE format('DROP TABLE %s', partition);
	END LOOP;
	FOR i IN 0..9 LOOP
		EXECUTE format('CREATE TABLE %1$s_%2$s PARTITION OF %1$s FOR VALUES FROM (%3$L) TO (%4$L)', history, i,
					   now() + i * interval '5 s', now() + (i + 1) * interval '5 s');
	END LOOP;
END $$;
SQL
$setup .= join('', map { "$_;\n" } map { @{ $tables{$_}{ddl} // [] } } sort { ($a =~ /owned|loose|_part$/) <=> ($b =~ /owned|loose|_part$/) || $a cmp $b } @tables);
$setup .= join('', map { "SELECT dtmodel.add_timestamps('$_'" . ($tables{$_}{timestamps} ? ", $tables{$_}{timestamps}" : '') . ");\n" } grep { !$tables{$_}{made} } @tables);
$setup .= join('', map { "SELECT dtmodel.add_history('$_'" . ($tables{$_}{exclude} ? ", exclude => '{$tables{$_}{exclude}}'" : '')
	  . ($tables{$_}{split} ? ", partition_by => 'month'" : '') . ");\n" } grep { !$tables{$_}{made} } @tables);
$setup .= join('', map { "CALL split('${_}_history');\n" } grep { $tables{$_}{split} } @tables);
$node->safe_psql('postgres', $setup);

foreach my $name (@tables)
{
	$tables{$name}{shown} //= [ split /\n/, $node->safe_psql('postgres',
		"SELECT attname FROM pg_attribute WHERE attrelid = 'm.$name'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum") ];
}

# A row as text, with what it has a past for.
sub row_text
{
	my ($name) = @_;
	my $text = 'ROW(' . join(', ', map { "t.$_" } @{ $tables{$name}{shown} }) . ')::text';
	return $name eq 'wide' ? "md5($text)" : $text;
}

#
# Sessions
#

sub connection
{
	my ($name, $options) = @_;
	my %session = (name => $name, in => '', out => '', err => '');

	local $ENV{PGOPTIONS} = "-c search_path=m $options";
	$session{run} = IPC::Run::start(
		[ 'psql', '-XqAt', '-F', '|', '-d', $node->connstr('postgres') ],
		'<', \$session{in}, '>', \$session{out}, '2>', \$session{err});
	return \%session;
}

sub begin_on
{
	my ($session, $sql) = @_;

	$session->{out} = $session->{err} = '';
	$session->{in} .= join('', map { "$_\n\\echo '\@' :SQLSTATE\n" } ref $sql ? @$sql : $sql) . "\\echo '\@\@'\n";
	$session->{busy} = 1;
}

# Whether the session has done what it was told to, after some time at most.
sub is_done
{
	my ($session, $seconds) = @_;
	my $end = time() + $seconds;

	while ($session->{out} !~ /^\@\@\n\z/m)
	{
		BAIL_OUT("session $session->{name} ended: $session->{err}") if !$session->{run}->pumpable;
		$session->{run}->pump_nb;
		last if $session->{out} =~ /^\@\@\n\z/m;
		return 0 if time() > $end;
		sleep(0.0003);
	}
	$session->{busy} = 0;
	return 1;
}

my %states;
my @invalid;

sub finish
{
	my ($session, $seconds) = @_;

	return 0 if !is_done($session, $seconds);
	$states{$_}++ foreach $session->{out} =~ /^\@ (\S+)$/mg;
	push @invalid, grep { !/LOCATION|42704|42501: / } $session->{err} =~ /^(.*ERROR:  (?:42|XX|2F).*)$/mg;
	return 1;
}

sub ask
{
	my ($session, $sql) = @_;

	begin_on($session, $sql);
	finish($session, 60) or BAIL_OUT("no answer to $sql");
	my $out = $session->{out};
	$out =~ s/^\@.*\n//mg;
	return $out;
}

my %sessions = (a => connection('a', '-c session_preload_libraries=dtmodel'), b => connection('b', ''));
my $reader = connection('reader', '');

ask($_, "\\set VERBOSITY verbose\n") foreach values %sessions;

#
# Transactions
#

sub one_of { return $_[ int(rand(@_)) ]; }

my $next_key = 100;

sub condition
{
	my ($alias) = @_;
	return one_of(
		(map { "$alias.id = " . (1 + int(rand(14))) } 1 .. 4),
		(map { "$alias.id % " . one_of(2, 3, 5) . ' = ' . int(rand(3)) } 1 .. 3),
		"$alias.a = " . int(rand(4)), "$alias.a IS NULL OR $alias.id < 5", "$alias.uid % 3 = 1");
}

# "ends" says whether keys may end in this transaction.
sub assignments
{
	my ($name, $alias, $ends) = @_;
	my $t = $tables{$name};
	my %set;

	$set{a} = one_of("$alias.a", "$alias.a + 1", int(rand(4)), int(rand(4)), 'NULL') if rand() < 0.8;
	$set{b} = one_of("$alias.b", "'b" . int(rand(9)) . "'", "coalesce($alias.b, '') || 'x'", 'NULL') if rand() < 0.5;
	foreach my $column (sort keys %{ $t->{more} })
	{
		$set{$column} = one_of(@{ $t->{more}{$column} }, "$alias.$column") if rand() < 0.4;
	}
	$set{k} = 1 + int(rand(4)) if $t->{parts} && $ends && rand() < 0.4;
	$set{created_at} = 'now()' if rand() < 0.03;
	$set{ $t->{timestamps} ? 'b' : 'updated_at' } = one_of('now()', 'DEFAULT') if rand() < 0.05;
	$set{a} = "$alias.a" if !%set;
	s/\bb\b/$alias.b/ foreach grep { /^repeat\(b/ } values %set;
	return join(', ', map { "$_ = $set{$_}" } sort keys %set);
}

sub target { my ($name) = @_; my $t = $tables{$name}; return $t->{parts} && rand() < 0.2 ? $name . one_of('_1', '_d') : $name; }

sub update
{
	my ($name, $ends) = @_;
	my $set = assignments($name, 't', $ends && (my $target = target($name)) eq $name);

	return 'UPDATE ' . ($target // $name) . " AS t SET $set" . (rand() < 0.2 ? ' FROM generate_series(1, 2) AS g WHERE g = 1 AND ' : ' WHERE ') . '(' . condition('t') . ')'
	  . one_of('', '', ' RETURNING t.id');
}

sub key_change
{
	my ($name) = @_;
	$next_key += 50;
	return "UPDATE $name AS t SET id = id + $next_key WHERE t.id = " . (1 + int(rand(14))) if $name =~ /owners|^soft$/ || rand() < 0.5;
	return "UPDATE $name AS t SET id = id + $next_key, a = 1 WHERE " . condition('t');
}

sub hard
{
	my ($sql) = @_;
	return "SET LOCAL dtmodel.hard_delete = on;\n$sql;\nSET LOCAL dtmodel.hard_delete = off";
}

sub deletion
{
	my ($name, $ends) = @_;
	my $t = $tables{$name};
	my $sql = 'DELETE FROM ' . target($name) . ' AS t WHERE ' . condition('t') . one_of('', '', ' RETURNING t.id');

	return $sql if !$t->{soft};
	return hard($sql) if $ends && rand() < 0.3;
	return rand() < 0.3 ? "SELECT count(dtmodel.soft_delete(t)) FROM $name AS t WHERE " . condition('t') . ' AND deleted_at IS NULL' : $sql;
}

sub restoring
{
	my ($name) = @_;
	my $where = condition('t');
	return one_of(
		"SELECT count(dtmodel.restore(t)) FROM $name AS t WHERE ($where) AND deleted_at IS NOT NULL",
		"UPDATE $name AS t SET is_deleted = false WHERE $where",
		"UPDATE $name AS t SET is_deleted = NOT is_deleted WHERE $where",
		"SELECT dtmodel.restore_deletion(NULL::$name, (SELECT max(deleted_at) FROM $name))");
}

# Rows with keys that no row has had, or of keys that may have been in use.
sub insertion
{
	my ($name, $fresh, $count) = @_;
	my $t = $tables{$name};
	my $from = $fresh ? ($next_key += 10) : 1 + int(rand(14));
	my @columns = sort keys %{ $t->{fresh} };

	$count //= one_of(0, 0, 2);
	return 'INSERT INTO ' . $name . ' AS t (' . join(', ', 'id', 'a', 'b', @columns) . ') SELECT ' . join(', ', 'g', 'g % 4', "'new'", map { $t->{fresh}{$_} } @columns)
	  . " FROM generate_series($from, " . ($from + $count) . ') AS g';
}

sub upsert
{
	my ($name) = @_;
	my $t = $tables{$name};
	my $id = 1 + int(rand(14));
	my $set;

	return "SELECT count(*) FROM dtmodel.upsert(NULL::$name, '{\"id\": $id, \"a\": " . int(rand(4)) . ($t->{parts} ? ', "k": ' . (1 + $id % 3) : '') . ($name eq 'pairs' ? ', "y": "y"' : '') . "}')"
	  if rand() < 0.3;
	do { $set = rand() < 0.3 ? 'a = excluded.a' : assignments($name, 't', 0) } while $set =~ /\bid =/;
	return insertion($name, 0) . one_of(' ON CONFLICT DO NOTHING',
		(map { ' ON CONFLICT (' . join(', ', @{ $t->{key} }) . ") DO UPDATE SET $set" . one_of('', ' WHERE t.a IS DISTINCT FROM excluded.a') } 1 .. 3));
}

# MERGE needs actions that each row can take; NOT MATCHED inserts.
sub merge
{
	my ($name, $ends, $inserts) = @_;
	my $t = $tables{$name};
	my @columns = sort keys %{ $t->{fresh} };
	my $from = 1 + int(rand(12));
	my @actions;

	push @actions, 'WHEN MATCHED AND t.a = 1 THEN DELETE' if rand() < 0.5 && ($ends || $t->{soft});
	push @actions, "WHEN MATCHED AND t.a IS NOT NULL THEN UPDATE SET " . assignments($name, 't', $ends);
	push @actions, 'WHEN NOT MATCHED THEN INSERT (' . join(', ', 'id', 'a', @columns) . ') VALUES (' . join(', ', 's.g', 's.g % 4', map { $t->{fresh}{$_} =~ s/\bg\b/s.g/gr } @columns) . ')'
	  if $inserts;
	return "MERGE INTO $name AS t USING generate_series($from, " . ($from + 4) . ') AS s (g) ON t.id = s.g ' . join(' ', @actions);
}

# The data of a COPY that an error keeps from beginning is read as SQL, so each
# line is a comment.
sub copy
{
	my ($name) = @_;
	my $t = $tables{$name};
	my @columns = $t->{parts} ? ('k') : ();
	my @rows = map { $next_key++; join("\t", '-- copied', $next_key, int(rand(4)), map { 1 + int(rand(3)) } @columns) } 1 .. 2;
	return "COPY $name (" . join(', ', 'b', 'id', 'a', @columns) . ") FROM STDIN;\n" . join('', map { "$_\n" } @rows) . '\\.';
}

sub call
{
	my ($name) = @_;
	my $data = one_of('{"a": 5}', '{"a": null}', '{"b": "called", "a": 1}', '{}');
	return "SELECT count(dtmodel.update(t, '$data')) FROM $name AS t WHERE " . condition('t') . ($tables{$name}{soft} ? ' AND deleted_at IS NULL' : '');
}

sub bulk
{
	my ($name) = @_;
	my $t = $tables{$name};
	my $id = ($next_key += 5);
	my $k = $t->{parts} ? ', "k": 2' : '';
	return "SELECT count(*) FROM dtmodel.bulk_create(NULL::$name, '[{\"id\": $id, \"a\": 1$k}, {\"id\": " . ($id + 1) . ", \"a\": 2$k}]')";
}

sub with_cte
{
	my ($name, $other, $ends) = @_;
	my $first = "UPDATE $name AS t SET " . assignments($name, 't', $ends) . ' WHERE ' . condition('t') . ' RETURNING t.id';
	my $second = $ends && rand() < 0.5 ? "DELETE FROM $other AS t WHERE " . condition('t') . ' RETURNING t.id'
	  : "UPDATE $other AS t SET " . assignments($other, 't', 0) . ' WHERE ' . condition('t') . ' RETURNING t.id';
	return "WITH x AS ($first) SELECT count(*) FROM x" if rand() < 0.3 || $name eq $other;
	return "WITH x AS ($first), y AS ($second) SELECT (SELECT count(*) FROM x), (SELECT count(*) FROM y)" if rand() < 0.5;
	return "WITH x AS ($second) UPDATE $name AS t SET a = x.id FROM x WHERE t.id = x.id";
}

sub blocks
{
	my ($name, $ends) = @_;
	my ($first, $second, $third) = map { plain($name, $ends) =~ s/ RETURNING t\.id$//r } 1 .. 3;
	my $where = condition('t');
	return 'DO $$ BEGIN ' . "$first; BEGIN $second; PERFORM 1 / " . one_of(0, 0, 1) . "; EXCEPTION WHEN division_by_zero THEN NULL; END; $third; END \$\$"
	  if rand() < 0.5;
	return "DO \$\$ DECLARE r record; c CURSOR FOR SELECT * FROM $name AS t WHERE $where FOR UPDATE; BEGIN FOR r IN c LOOP BEGIN UPDATE $name SET a = a + 1 WHERE CURRENT OF c; "
	  . 'IF r.id % 3 = 0 THEN RAISE no_data_found; END IF; EXCEPTION WHEN no_data_found THEN NULL; END; END LOOP; END $$';
}

# A statement without parts that are not SQL.
sub plain
{
	my ($name, $ends) = @_;
	my $t = $tables{$name};
	my $sql = rand() < 0.6 || !$ends && !$t->{soft} ? update($name, $ends) : deletion($name, 0);
	return $sql =~ /^SELECT/ ? update($name, $ends) : $sql;
}

# One statement, or several.  "alone" says that no other transaction runs: then
# keys can be used again.  They are not where transactions overlap: one that
# began first can insert a row under the key of a row that one which began later
# has deleted, and then the new row is valid from a time before the old row's
# end.  "ends" says whether keys end; where they do not, they may be used again.
sub statement
{
	my ($name, $alone, $ends) = @_;
	my $t = $tables{$name};
	my $choice = rand();

	return update($name, $ends) if $choice < 0.25;
	return deletion($name, $ends) if $choice < 0.37 && ($ends || $t->{soft});
	return restoring($name) if $choice < 0.45 && $t->{soft};
	return insertion($name, 1) if $choice < 0.5;
	return insertion($name, 0) if $choice < 0.55 && $alone;
	return upsert($name) if $choice < 0.61 && ($alone || !$ends) && !$t->{inner};
	return merge($name, $ends, $alone || !$ends) if $choice < 0.68 && $version >= 15 && !$t->{inner};
	return copy($name) if $choice < 0.72 && !$t->{inner};
	return call($name) if $choice < 0.76;
	return bulk($name) if $choice < 0.78 && !$t->{inner};
	return key_change($name) if $choice < 0.81 && $ends && $name !~ /owned/;
	return "UPDATE owned SET owner = (SELECT max(id) FROM owners) WHERE " . condition('owned') if $choice < 0.83 && $ends && $name eq 'owned';
	return with_cte($name, one_of($name, 'plain'), $ends) if $choice < 0.86 && $name !~ /soft/;
	return blocks($name, $ends) if $choice < 0.92;
	return "TRUNCATE " . one_of($name, "ONLY $name") . one_of('', ' CASCADE') if $choice < 0.93 && $alone && !$t->{parts} && $name !~ /owned/;
	return "TRUNCATE $name CASCADE" if $choice < 0.935 && $alone;
	return [ 'DEALLOCATE ALL', "PREPARE q (int) AS UPDATE $name AS t SET a = \$1, b = 'prepared' WHERE " . condition('t'),
		(map { 'EXECUTE q (' . int(rand(4)) . ')' } 1 .. one_of(1, 2, 7)), 'DEALLOCATE q' ] if $choice < 0.96;
	return [ 'SAVEPOINT s', plain($name, $ends), 'SAVEPOINT s2', plain($name, $ends), one_of('ROLLBACK TO s', 'ROLLBACK TO s2', 'RELEASE s'), plain($name, $ends) ];
}

my $next_actor = 0;

# A transaction: statements, and whether an error rolls back only one of them.
sub transaction
{
	my ($alone, $ends) = @_;
	my $actor = "'actor" . $next_actor++ . "'";
	my $isolation = one_of(('') x 8, ' ISOLATION LEVEL REPEATABLE READ', ' ISOLATION LEVEL SERIALIZABLE');
	my $main = one_of(@chosen);
	my @statements;

	push @statements, "BEGIN$isolation";
	push @statements, one_of("SET LOCAL dtmodel.actor = $actor", "SELECT dtmodel.set_actor($actor)");
	push @statements, "INSERT INTO actors VALUES (pg_current_xact_id(), $actor)";
	push @statements, 'SET LOCAL dtmodel.rewrite = off' if rand() < 0.4;
	push @statements, 'SET LOCAL plan_cache_mode = force_generic_plan' if rand() < 0.2;
	if ($alone && rand() < 0.06)
	{
		# What does not move updated_at is as if it had always been so.  Nothing
		# else is done here: what it changes was never seen as it was before.
		push @statements, 'SET LOCAL dtmodel.preserve_timestamps = on',
		  map { my $name = one_of(@chosen); "UPDATE $name AS t SET a = " . int(rand(4)) . ' WHERE ' . condition('t') } 1 .. 3;
	}
	else
	{
		push @statements, map {
			my $name = rand() < 0.6 ? $main : one_of(@chosen);
			my $statement = statement($name, $alone, $ends->{$name});
			ref $statement ? @$statement : $statement
		} 1 .. one_of(1, 1, 2, 3, 4, 6);
	}
	push @statements, rand() < 0.08 ? 'ROLLBACK' : $isolation eq '' && rand() < 0.05 ? "PREPARE TRANSACTION $actor" : 'COMMIT';
	push @statements, "COMMIT PREPARED $actor" if $statements[-1] =~ /^PREPARE/;
	return { statements => \@statements, on_error => one_of('on', 'on', 'off') };
}

# A round is one transaction, or two that overlap, of different sessions.
sub round
{
	my %ends = map { $_ => rand() < 0.6 } @chosen;
	my $name = one_of('a', 'b');

	# Tables whose rows change together.
	$ends{$_} = $ends{owners} foreach qw(owned loose);
	$ends{soft_part} = $ends{soft};
	$ends{children} = $ends{base};
	return [ [ $name, transaction(1, { map { $_ => 1 } @chosen }) ] ] if rand() < 0.6;
	$ends{plain} = 1;
	return [ [ a => transaction(0, \%ends) ], [ b => transaction(0, \%ends) ], int(rand(2**30)) ];
}

#
# Running
#

my @log;

sub on_error
{
	my ($session, $transaction) = @_;
	$session->{in} .= "\\set ON_ERROR_ROLLBACK $transaction->{on_error}\n";
}

sub ended { my ($sql) = @_; return $sql =~ /^\\|\\\.\z/ ? $sql : "$sql;"; }

sub run_alone
{
	my ($name, $transaction) = @_;
	my @statements = map { ended($_) } @{ $transaction->{statements} };

	push @log, map { "$name: $_" } @statements;
	on_error($sessions{$name}, $transaction);
	ask($sessions{$name}, \@statements);
}

# Statement by statement, in an order that depends on a number and on locks.
sub run_together
{
	my ($number, @transactions) = @_;
	my %left = map { $_->[0] => [ @{ $_->[1]{statements} } ] } @transactions;

	on_error($sessions{ $_->[0] }, $_->[1]) foreach @transactions;
	while (grep { @{ $left{$_} } || $sessions{$_}{busy} } keys %left)
	{
		my @able = grep { !$sessions{$_}{busy} && @{ $left{$_} } } sort keys %left;
		if (@able)
		{
			$number = ($number * 1103515245 + 12345) % 2**31;
			my $name = $able[ ($number >> 8) % @able ];
			my $statement = ended(shift @{ $left{$name} });
			push @log, "$name: $statement";
			begin_on($sessions{$name}, $statement);
			push @log, "$name waits" if !finish($sessions{$name}, 0.015);
		}
		foreach my $name (grep { $sessions{$_}{busy} } sort keys %left)
		{
			push @log, "$name goes on" if finish($sessions{$name}, @able ? 0.002 : 20);
		}
	}
}

my $copy_all = join('', map { "INSERT INTO copies SELECT :moment, '$_', uid, updated_at, " . row_text($_) . " FROM $_ AS t;\n" } @tables);
my $remember = "INSERT INTO seen SELECT model, uid, updated_at, row_text FROM copies WHERE moment = :moment EXCEPT SELECT * FROM seen;\n";

# What changed without a new updated_at counts as if it had always been so.
my $rewrite = 'UPDATE copies AS c SET row_text = n.row_text FROM copies AS n WHERE n.moment = :moment AND c.model = n.model AND c.uid = n.uid '
  . "AND c.updated_at = n.updated_at AND c.row_text <> n.row_text;\n";

sub take_copy
{
	my ($moment, $preserved) = @_;
	my $at = one_of(0, 1);

	push @log, "-- moment $moment";
	ask($reader, "\\set moment $moment\nBEGIN;\n" . ($at ? '' : "INSERT INTO moments VALUES (:moment, clock_timestamp());\n") . $copy_all . $remember
		  . ($preserved ? $rewrite : '') . ($at ? "INSERT INTO moments VALUES (:moment, clock_timestamp());\n" : '') . 'COMMIT;');
	BAIL_OUT("no copy: $reader->{err}") if $reader->{err} ne '';
}

# Queries that return what is wrong.
sub checks
{
	my ($name) = @_;
	my $t = $tables{$name};
	my $text = row_text($name);
	my $key = join(', ', @{ $t->{key} });
	my $final = $t->{soft} ? "('hard_delete', 'truncate')" : "('delete', 'truncate')";
	my @versions = ("SELECT tableoid, ctid, uid, $key, valid_from, valid_to, operation FROM ${name}_history", "SELECT tableoid, ctid, uid, $key, updated_at, 'infinity', NULL FROM $name");
	# A table and its child tables may have the same keys.
	my $versions_of_keys = 'WITH v AS (' . join(' UNION ALL ', map { s/FROM /FROM ONLY /r } @versions) . ')';
	my $versions = 'WITH v AS (' . join(' UNION ALL ', @versions) . ')';

	return (
		"as_of is not as it was" => "SELECT * FROM ((SELECT 'as_of' AS which, m.id, t.uid, $text FROM moments AS m, LATERAL ${name}_as_of(m.at) AS t "
		  . "EXCEPT ALL SELECT 'as_of', moment, uid, row_text FROM copies WHERE model = '$name') UNION ALL "
		  . "(SELECT 'copy', moment, uid, row_text FROM copies WHERE model = '$name' EXCEPT ALL SELECT 'copy', m.id, t.uid, $text FROM moments AS m, LATERAL ${name}_as_of(m.at) AS t)) AS d ORDER BY uid, 2 LIMIT 8",
		"versions of a key overlap" => "$versions_of_keys SELECT * FROM (SELECT $key, uid, valid_from, valid_to, lag(valid_to) OVER (PARTITION BY $key ORDER BY valid_from, valid_to) AS former FROM v WHERE valid_from < valid_to) AS d WHERE former > valid_from LIMIT 4",
		"versions of a row overlap" => "$versions SELECT * FROM (SELECT uid, valid_from, valid_to, lag(valid_to) OVER (PARTITION BY uid ORDER BY valid_from, valid_to) AS former FROM v WHERE valid_from < valid_to) AS d WHERE former > valid_from LIMIT 4",
		"time goes back" => "SELECT uid, valid_from, valid_to FROM ${name}_history WHERE valid_to < valid_from LIMIT 4",
		"nothing follows" => "$versions SELECT * FROM v WHERE operation NOT IN $final AND NOT EXISTS (SELECT FROM v AS w WHERE w.uid = v.uid AND w.valid_from = v.valid_to AND (w.tableoid, w.ctid) <> (v.tableoid, v.ctid)) LIMIT 4",
		"something follows" => "$versions SELECT * FROM v WHERE operation IN $final AND EXISTS (SELECT FROM v AS w WHERE w.uid = v.uid AND w.valid_to > v.valid_to OR w.uid = v.uid AND w.operation IN $final AND (w.tableoid, w.ctid) <> (v.tableoid, v.ctid)) LIMIT 4",
		"a state is lost" => "SELECT uid, updated_at, row_text FROM seen WHERE model = '$name' EXCEPT (SELECT uid, updated_at, $text FROM $name AS t UNION ALL SELECT uid, valid_from, $text FROM ${name}_history AS t) LIMIT 4",
		"a row has gone" => "SELECT DISTINCT uid FROM seen AS s WHERE model = '$name' AND NOT EXISTS (SELECT FROM $name AS t WHERE t.uid = s.uid) AND NOT EXISTS (SELECT FROM ${name}_history AS h WHERE h.uid = s.uid AND operation IN $final) LIMIT 4",
		"another actor" => "SELECT uid, ended_by, actor FROM ${name}_history LEFT JOIN actors USING (transaction_id) WHERE ended_by IS DISTINCT FROM actor LIMIT 4",
		$t->{soft} ? ("another operation" => "SELECT uid, operation, deleted_at FROM ${name}_history WHERE operation = 'delete' AND deleted_at IS NOT NULL OR operation = 'restore' AND deleted_at IS NULL LIMIT 4") : ());
}

sub failures
{
	my @failures;

	foreach my $name (@tables)
	{
		my @checks = checks($name);
		while (my ($what, $query) = splice(@checks, 0, 2))
		{
			my $out = ask($reader, "$query;");
			push @failures, "$name: $what\n$out$reader->{err}" if $out ne '' || $reader->{err} ne '';
		}
	}
	return @failures;
}

my $empty = join('', map { "ALTER TABLE $_ DISABLE TRIGGER USER;\n" } @tables) . 'TRUNCATE ' . join(', ', map { ($_, "${_}_history") } @tables) . ", actors, moments, copies, seen;\n"
  . join('', map { "ALTER TABLE $_ ENABLE TRIGGER USER;\n" } @tables);

my @starts = map { (insertion($_, 0, ($tables{$_}{count} // 9)) =~ s/generate_series\(\d+, \d+\)/'generate_series(' . ($_ eq 'children' ? '51, 54' : '1, ' . ($tables{$_}{count} \/\/ 9)) . ')'/er) =~ s/min\(id\)/1 + g % min(id)/r }
  sort { ($a =~ /owned|loose|_part$/) <=> ($b =~ /owned|loose|_part$/) || $a cmp $b } grep { $_ ne 'many' } @tables;

sub run
{
	my ($rounds) = @_;
	my $moment = 0;

	@log = ();
	ask($reader, "BEGIN;\n$empty" . join('', map { "$_;\n" } @starts) . ((grep { $_ eq 'many' } @chosen) ? "INSERT INTO many SELECT g, g % 4 FROM generate_series(1, 1500) AS g;\n" : '') . 'COMMIT;');
	BAIL_OUT("no start: $reader->{err}") if $reader->{err} ne '';
	take_copy(0, 0);
	foreach my $round (@$rounds)
	{
		if (@$round == 1) { run_alone(@{ $round->[0] }); }
		else { run_together($round->[2], @{$round}[ 0, 1 ]); }
		take_copy(++$moment, scalar grep { /preserve_timestamps/ } @{ $round->[0][1]{statements} });
	}
	return failures();
}

sub shrunk
{
	my ($rounds) = @_;
	my $size = int(@$rounds / 2);

	while ($size >= 1)
	{
		for (my $from = @$rounds - $size; $from > -$size; $from -= $size)
		{
			my @fewer = @$rounds;
			my $start = $from < 0 ? 0 : $from;
			next if $start > $#fewer;
			splice(@fewer, $start, $from < 0 ? $size + $from : $size);
			$rounds = \@fewer if run(\@fewer);
		}
		$size = int($size / 2);
	}
	foreach my $round (@$rounds)
	{
		foreach my $part (grep { ref } @$round)
		{
			my $transaction = $part->[1];
			for (my $i = $#{ $transaction->{statements} }; $i >= 0; $i--)
			{
				my @all = @{ $transaction->{statements} };
				next if $all[$i] =~ m{^(BEGIN|COMMIT|ROLLBACK$|PREPARE TR)|actor};
				my @fewer = @all;
				splice(@fewer, $i, 1);
				$transaction->{statements} = \@fewer;
				$transaction->{statements} = \@all if !run($rounds);
			}
		}
	}
	return $rounds;
}

my ($done, $failed) = (0, 0);
my @reports;
while ($done < $transactions && $failed < $most_failures)
{
	my @rounds;
	my $count = 0;

	@chosen = grep { $_ ne 'many' || $done % (10 * $chunk) == 0 } @tables;
	while ($count < $chunk)
	{
		push @rounds, round();
		$count += grep { ref } @{ $rounds[-1] };
	}
	$done += $count;
	my @failures = run(\@rounds);
	$campaign->progress($done);
	next if !@failures;
	$failed++;
	my $fewer = shrunk(\@rounds);
	my @again = run($fewer);
	push @reports, join("\n", @log, @again ? @again : ('no failure when repeated; was:', @failures));
}

note "$done transactions; by SQLSTATE: ", join(', ', map { "$_ $states{$_}" } sort keys %states);
is(join("\n", @invalid), '', 'all statements are valid');
foreach my $state ($transactions >= 600 ? qw(00000 23505) : '00000')
{
	cmp_ok($states{$state} // 0, '>', 0, "some statements end with $state");
}
is($failed, 0, "the history shows what was, seed $seed");
diag($_) foreach @reports;

foreach my $session (values %sessions, $reader)
{
	$session->{in} .= "\\q\n";
	$session->{run}->finish;
}
$node->stop;
done_testing();
