# What the executor's projection does to a row is what the triggers do.
#
# Random statements run on two equal sets of tables in one transaction: in the
# schema "projected" with dtmodel.rewrite on, where the projection does the work
# of our BEFORE UPDATE triggers, and then in "triggered" with it off.  After
# each statement everything must be the same: rows, RETURNING, row count, error
# with its detail and hint, and what users' triggers and transition tables saw.
#
# A script that fails is cut down to the statements that it takes, and printed.

use strict;
use warnings;

use Campaign;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $campaign = Campaign->new(scripts => 120);
my $scripts = $campaign->size;
my $seed = $campaign->seed;
my $chunk = 100;
my $reported_scripts = 2;

my $node = PostgreSQL::Test::Cluster->new('projection_oracle');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', <<'CONF');
autovacuum = off
client_min_messages = error
jit = off
log_statement = none
log_min_messages = fatal
log_min_error_statement = fatal
session_preload_libraries = 'dtmodel'
CONF
$node->start;

my $version = int($node->safe_psql('postgres', 'SHOW server_version_num') / 10000);

# The tables.
#   columns  what the generator assigns, by kinds of values
#   ddl      besides the table's name {x}
#   rows     what a script starts with; clock: the times cannot be compared
#   plain    columns of an INSERT, if not id, a and b
my @abc = (a => 'int', b => 'text');
my @times = (created_at => 'time', updated_at => 'time');
my @names = (created_by => 'name', updated_by => 'name');
my @deletion = (is_deleted => 'flag', deleted_at => 'time');
my $abc = 'id int PRIMARY KEY, a int, b text';
my %tables = (
	# All types of values that can look changed without being it.
	wide => {
		columns => {
			@abc, @times, @names,
			c => 'numeric', d => 'jsonb', e => 'oid', f => 'array', g => 'long', h => 'composite',
			i => 'bool', j => 'char', k => 'small', l => 'uuid', m => 'word', n => 'float' },
		ddl => [
			'CREATE TABLE {x} (gone int, id int PRIMARY KEY, a int, b text, c numeric, d jsonb, e oid, gone_too text, f text[], g text, '
			  . 'h {pair}, i bool, j "char", k smallint, l uuid, m {word}, n float4, twice int GENERATED ALWAYS AS (a * 2) STORED)',
			'ALTER TABLE {x} DROP COLUMN gone, DROP COLUMN gone_too',
			"SELECT dtmodel.add_timestamps('{x}'), dtmodel.add_audit('{x}')",
			"ALTER TABLE {x} ADD COLUMN stamp timestamp GENERATED ALWAYS AS (updated_at AT TIME ZONE 'UTC') STORED, "
			  . "ADD COLUMN who text GENERATED ALWAYS AS (updated_by || coalesce(b, '')) STORED",
			$version >= 18 ? "ALTER TABLE {x} ADD COLUMN who_now text GENERATED ALWAYS AS (updated_by || coalesce(b, '')) VIRTUAL" : (),
			'CREATE INDEX ON {x} (updated_at)',
			"CREATE INDEX ON {x} (a) WHERE updated_at > '2021-01-01'" ],
		indexed => 1,
		rows => "INSERT INTO {x} (id, a, b, c, d, e, f, g, h, i, j, k, l, m, n) SELECT g, g % 4, 'x' || g, 1.0, '{\"a\": 1}', "
		  . "CASE WHEN g % 2 = 0 THEN 4294967295::oid ELSE 5 END, '{a,b}', repeat('ab', CASE WHEN g % 3 = 0 THEN 100000 ELSE 3 END), "
		  . "ROW(1, 'a')::{pair}, g % 2 = 0, 'q', -1, '6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'w', 0.1 FROM generate_series(1, 8) AS g",
		view => 1 },
	timed => {
		columns => {@abc, @times},
		ddl => [ "CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_timestamps('{x}')", 'CREATE INDEX ON {x} (updated_at)' ],
		indexed => 1 },
	filled => {
		columns => { @abc, @times, @names },
		ddl => [
			"CREATE TABLE {x} ($abc, created_at timestamptz, updated_at timestamptz, created_by text, updated_by text)",
			"SELECT dtmodel.add_timestamps('{x}'), dtmodel.add_audit('{x}')" ],
		rows => "INSERT INTO {x} (id, a, b, created_at, updated_at, created_by) SELECT g, g % 4, 'x' || g, CASE WHEN g % 2 = 0 THEN now() END, "
		  . "CASE WHEN g % 3 = 0 THEN timestamptz '2090-01-01' END, CASE WHEN g % 4 < 2 THEN 'first' ELSE '' END FROM generate_series(1, 8) AS g",
		bare => 1 },
	ignoring => {
		columns => { @abc, @times, @names },
		ddl => [ "CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_timestamps('{x}', ignore_columns => '{b}'), dtmodel.add_audit('{x}')" ] },
	clocked => {
		columns => {@abc, @times},
		ddl => [ "CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_timestamps('{x}', ignore_columns => '{b}', clock => 'clock', on_insert => 'stamp')" ],
		clock => 1 },
	signed => {
		columns => { @abc, @names },
		ddl => [ "CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_audit('{x}')" ] },
	numbered => {
		columns => { @abc, @times, created_by => 'number', updated_by => 'number' },
		ddl => [
			"CREATE TABLE {x} ($abc, created_at timestamp(3), updated_at timestamp(3) DEFAULT (now() AT TIME ZONE 'UTC'), created_by int, updated_by int NOT NULL DEFAULT 0)",
			"SELECT dtmodel.add_timestamps('{x}'), dtmodel.add_audit('{x}', type => 'int')" ] },
	counted => {
		columns => { @abc, version => 'version' },
		ddl => [ "CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_version('{x}')" ],
		rows => "INSERT INTO {x} (id, a, b, version) SELECT g, g % 4, 'x' || g, CASE WHEN g = 8 THEN 2147483647 WHEN g = 7 THEN 2147483646 ELSE 1 END FROM generate_series(1, 8) AS g" },
	counted_far => {
		columns => { @abc, @times, v => 'version' },
		ddl => [ "CREATE TABLE {x} ($abc, v bigint)", "SELECT dtmodel.add_version('{x}', 'v'), dtmodel.add_timestamps('{x}')" ],
		rows => "INSERT INTO {x} (id, a, b, v) SELECT g, g % 4, 'x' || g, CASE WHEN g < 7 THEN 4294967295 + g WHEN g = 7 THEN 9223372036854775807 END FROM generate_series(1, 8) AS g" },
	everything => {
		columns => { @abc, @times, @names, @deletion, deleted_by => 'name', settings => 'settings', version => 'version' },
		ddl => [
			"CREATE TABLE {x} ($abc)",
			"SELECT dtmodel.add_timestamps('{x}'), dtmodel.add_audit('{x}'), dtmodel.add_soft_delete('{x}', deleted_by => 'deleted_by'), dtmodel.add_version('{x}'), "
			  . "dtmodel.add_settings('{x}', '{theme}')",
			"SELECT dtmodel.add_slug('{x}', 'b')" ],
		soft => 1 },
	soft => {
		columns => { @abc, @deletion },
		ddl => [ "CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_soft_delete('{x}')" ],
		bare => 1,
		soft => 1 },
	active => {
		columns => { @abc, active => 'flag', deleted_at => 'time', deleted_by => 'name', @times },
		ddl => [ "CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_timestamps('{x}'), dtmodel.add_soft_delete('{x}', flag => 'active', flag_means => 'live', deleted_by => 'deleted_by')" ],
		soft => 1 },
	refusing => {
		columns => { @abc, @deletion, @names },
		ddl => [ "CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_audit('{x}'), dtmodel.add_soft_delete('{x}', flag_writes => 'error')" ],
		soft => 1 },
	dated => {
		columns => { @abc, deleted_at => 'time', @times },
		ddl => [ "CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_soft_delete('{x}', flag => NULL), dtmodel.add_timestamps('{x}')" ],
		soft => 1 },
	strict => {
		columns => { @abc, settings => 'settings', @times },
		ddl => [ "CREATE TABLE {x} ($abc, settings jsonb)",
			"SELECT dtmodel.add_settings('{x}', '{theme,size}', schema => '{\"theme\": {\"type\": \"string\"}}'), dtmodel.add_timestamps('{x}')",
		],
		rows => "INSERT INTO {x} (id, a, b, settings) SELECT g, g % 4, 'x' || g, CASE g % 4 WHEN 0 THEN '{\"theme\": \"x\"}'::jsonb WHEN 1 THEN '{\"old\": 1, \"theme\": 5}' WHEN 2 THEN '5' END FROM generate_series(1, 8) AS g" },
	lenient => {
		columns => { @abc, settings => 'settings', @times, version => 'version' },
		ddl => [ "CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_settings('{x}', '{theme}', on_unknown => 'ignore'), dtmodel.add_timestamps('{x}'), dtmodel.add_version('{x}')" ] },
	open => {
		columns => { @abc, settings => 'settings' },
		ddl => [ "CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_settings('{x}', '{theme}', on_unknown => 'allow')" ],
		bare => 1 },
	named => {
		columns => { @abc, slug => 'slug', @times },
		ddl => [ "CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_slug('{x}', 'b'), dtmodel.add_timestamps('{x}')" ],
		rows => "INSERT INTO {x} (id, a, b, slug) SELECT g, g % 4, 'x' || g / 2, CASE WHEN g < 7 THEN 's' || g END FROM generate_series(1, 8) AS g" },
	followed => {
		columns => { @abc, slug => 'slug', @deletion },
		ddl => [ "CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_soft_delete('{x}')", "SELECT dtmodel.add_slug('{x}', 'b', on_update => true)" ],
		soft => 1 },
	edited => {
		columns => { @abc, @times, @names },
		ddl => [
			"CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_timestamps('{x}'), dtmodel.add_audit('{x}')",
			'CREATE TRIGGER m_edit BEFORE UPDATE OF a ON {x} FOR EACH ROW WHEN (NEW.a > 2) EXECUTE FUNCTION {edit}()',
			'CREATE TRIGGER zzz_look AFTER UPDATE OF updated_at ON {x} FOR EACH ROW EXECUTE FUNCTION {see}()' ] },
	by_hand => {
		columns => { @abc, @times },
		ddl => [
			"CREATE TABLE {x} ($abc, created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now())",
			"CREATE TRIGGER stamp BEFORE UPDATE ON {x} FOR EACH ROW WHEN (NEW.a > 1) EXECUTE FUNCTION dtmodel_internal.timestamps_trigger('created_at=created_at', 'updated_at=updated_at')" ] },
	by_hand_twice => {
		columns => { @abc, @times },
		ddl => [
			"CREATE TABLE {x} ($abc, created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now())",
			"CREATE TRIGGER stamp BEFORE UPDATE OF a ON {x} FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.timestamps_trigger('created_at=created_at', 'updated_at=updated_at')",
			"CREATE TRIGGER stamp_again BEFORE UPDATE OF b ON {x} FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.timestamps_trigger('created_at=created_at', 'updated_at=updated_at')" ] },
	by_hand_first => {
		columns => { @abc, @times, @names },
		ddl => [
			"CREATE TABLE {x} ($abc, created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now(), created_by text, updated_by text)",
			"CREATE TRIGGER stamp_1 BEFORE UPDATE ON {x} FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.timestamps_trigger('created_at=created_at', 'updated_at=updated_at', 'ignore_columns={b}')",
			"CREATE TRIGGER stamp_2 BEFORE INSERT OR UPDATE ON {x} FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.audit_trigger('created_by=created_by', 'updated_by=updated_by')" ] },
	parted => {
		columns => { @abc, @times, @names, @deletion, deleted_by => 'name', version => 'version', settings => 'settings', k => 'partition' },
		ddl => [
			'CREATE TABLE {x} (id int, k int, a int, b text, PRIMARY KEY (id, k)) PARTITION BY LIST (k)',
			'CREATE TABLE {x}_1 PARTITION OF {x} FOR VALUES IN (0, 1)',
			'CREATE TABLE {x}_2 (b text, gone int, k int NOT NULL, a int, id int NOT NULL)',
			'ALTER TABLE {x}_2 DROP COLUMN gone',
			'ALTER TABLE {x} ATTACH PARTITION {x}_2 FOR VALUES IN (2)',
			'CREATE TABLE {x}_3 PARTITION OF {x} FOR VALUES IN (3, 4) PARTITION BY RANGE (id)',
			'CREATE TABLE {x}_3a PARTITION OF {x}_3 FOR VALUES FROM (MINVALUE) TO (5)',
			'CREATE TABLE {x}_3b PARTITION OF {x}_3 FOR VALUES FROM (5) TO (MAXVALUE)',
			'CREATE TABLE {x}_d PARTITION OF {x} DEFAULT',
			"SELECT dtmodel.add_timestamps('{x}', on_insert => 'stamp'), dtmodel.add_audit('{x}'), dtmodel.add_soft_delete('{x}', deleted_by => 'deleted_by'), "
			  . "dtmodel.add_version('{x}'), dtmodel.add_settings('{x}', '{theme}')" ],
		rows => "INSERT INTO {x} (id, k, a, b) SELECT g, g % 6, g % 4, 'x' || g FROM generate_series(1, 10) AS g",
		key => 'id, k',
		parts => 1,
		soft => 1 },
	parted_timed => {
		columns => { @abc, @times, k => 'partition' },
		ddl => [
			'CREATE TABLE {x} (id int, k int, a int, b text, PRIMARY KEY (id, k)) PARTITION BY LIST (k)',
			'CREATE TABLE {x}_1 PARTITION OF {x} FOR VALUES IN (0, 1, 2)',
			'CREATE TABLE {x}_d PARTITION OF {x} DEFAULT',
			"SELECT dtmodel.add_timestamps('{x}')" ],
		rows => "INSERT INTO {x} (id, k, a, b) SELECT g, g % 6, g % 4, 'x' || g FROM generate_series(1, 8) AS g",
		key => 'id, k',
		parts => 1,
		bare => 1 },
	parted_named => {
		columns => { @abc, @names, k => 'partition' },
		ddl => [
			'CREATE TABLE {x} (id int, k int, a int, b text, PRIMARY KEY (id, k)) PARTITION BY LIST (k)',
			'CREATE TABLE {x}_1 PARTITION OF {x} FOR VALUES IN (0, 1, 2)',
			'CREATE TABLE {x}_d PARTITION OF {x} DEFAULT',
			"SELECT dtmodel.add_audit('{x}')",
			'CREATE TRIGGER m_edit BEFORE UPDATE ON {x}_d FOR EACH ROW WHEN (NEW.a > 2) EXECUTE FUNCTION {edit}()' ],
		rows => "INSERT INTO {x} (id, k, a, b) SELECT g, g % 6, g % 4, 'x' || g FROM generate_series(1, 8) AS g",
		key => 'id, k',
		parts => 1 },
	inherited => {
		columns => {@abc, @times},
		ddl => [
			"CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_timestamps('{x}')",
			'CREATE TABLE {x}_a (extra int, b text, a int, id int NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), gone int)',
			'ALTER TABLE {x}_a DROP COLUMN gone', 'ALTER TABLE {x}_a INHERIT {x}', "SELECT dtmodel.add_timestamps('{x}_a')",
			'CREATE TABLE {x}_b () INHERITS ({x})' ],
		rows => "INSERT INTO {x} (id, a, b) SELECT g, g % 4, 'x' || g FROM generate_series(1, 3) AS g; "
		  . "INSERT INTO {x}_a (id, a, b) SELECT g, g % 4, 'x' || g FROM generate_series(4, 6) AS g; "
		  . "INSERT INTO {x}_b (id, a, b) SELECT g, g % 4, 'x' || g FROM generate_series(7, 9) AS g",
		no_conflict => 1 },
	parents => {
		columns => { a => 'int', id => 'key', @times, @deletion },
		ddl => [ 'CREATE TABLE {x} (id int PRIMARY KEY, a int)', "SELECT dtmodel.add_timestamps('{x}'), dtmodel.add_soft_delete('{x}')" ],
		rows => 'INSERT INTO {x} (id, a) SELECT g, g FROM generate_series(1, 8) AS g',
		plain => 'id, a',
		soft => 1 },
	children => {
		columns => { a => 'int', parent => 'keep', @times, @names, @deletion, version => 'version' },
		ddl => [
			'CREATE TABLE {x} (id int PRIMARY KEY, a int, parent int REFERENCES {parents} ON UPDATE CASCADE ON DELETE CASCADE)',
			"SELECT dtmodel.add_timestamps('{x}'), dtmodel.add_audit('{x}'), dtmodel.add_soft_delete('{x}'), dtmodel.add_version('{x}')" ],
		rows => 'INSERT INTO {x} (id, a, parent) SELECT g, g, g FROM generate_series(1, 8) AS g',
		plain => 'id, a',
		soft => 1 },
	guarded => {
		columns => { @abc, @times, @names },
		ddl => [
			"CREATE TABLE {x} ($abc)", "SELECT dtmodel.add_timestamps('{x}'), dtmodel.add_audit('{x}')",
			'ALTER TABLE {x} ENABLE ROW LEVEL SECURITY',
			"CREATE POLICY p ON {x} TO app USING (true) WITH CHECK (updated_at = now() AND updated_by <> 'eve' AND a IS DISTINCT FROM 3)",
			'GRANT SELECT, UPDATE (a, b), INSERT ON {x} TO app' ] });
my %families = (
	(map { $_ => [$_] } grep { !/^(parents|children)$/ } keys %tables),
	cascade => [qw(parents children)],
	pairs => [qw(wide edited)],
	others => [qw(timed everything)],
	rules => [qw(strict counted)]);
my @families = sort keys %families;
my @tables = sort { ($a eq 'children') <=> ($b eq 'children') || $a cmp $b } keys %tables;
my @schemas = qw(projected triggered);

# {x} is x in the schema, unless it is an array.
my %objects = map { $_ => 1 } qw(pair word seen edit with built see alter_one enable_all);

sub is_object
{
	my ($name) = @_;
	return $name ne 'schema' && ($objects{$name} || grep { $name =~ /^${_}(_|$)/ } @tables);
}

sub rendered
{
	my ($text, $schema) = @_;
	return $text =~ s/\{(\w+)\}/is_object($1) ? "$schema.$1" : "{$1}"/ger =~ s/\{schema\}/$schema/gr;
}

# A row as text; the clock differs.
sub shown
{
	my ($table, $row) = @_;

	return "to_jsonb($row) - 'updated_at' - 'created_at' || jsonb_build_object('moved', $row.updated_at >= now(), 'new', $row.created_at >= now())"
	  if $tables{$table}{clock};
	return "$row";
}

sub brief { my ($text) = @_; return "left(($text)::text, 400) || ' ' || md5(($text)::text)"; }

sub functions
{
	return (
		'CREATE TYPE {pair} AS (x int, y text)',
		"CREATE DOMAIN {word} AS text CHECK (VALUE <> 'bad')",
		'CREATE TABLE {seen} (what text)',
		'GRANT USAGE ON SCHEMA {schema} TO app',
		'GRANT INSERT ON {seen} TO app',
		"CREATE FUNCTION {edit}() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN NEW.b := coalesce(NEW.b, '') || '!'; RETURN NEW; END \$\$",
		# The value of a SET clause that sets a parameter too.
		"CREATE FUNCTION {with}(v anyelement, parameter text, setting text) RETURNS anyelement LANGUAGE plpgsql AS "
		  . "\$\$ BEGIN PERFORM set_config(parameter, setting, true); RETURN v; END \$\$",
		# An expanded array.
		"CREATE FUNCTION {built}() RETURNS text[] LANGUAGE plpgsql AS \$\$ DECLARE r text[] := '{a}'; BEGIN r := r || 'b'::text; r[1] := 'a'; RETURN r; END \$\$",
		"CREATE FUNCTION {see}() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN "
		  . 'INSERT INTO {seen} VALUES (TG_NAME || \' \' || TG_OP || \' \' || ' . brief('OLD') . q{ || ' -> ' || } . brief('NEW') . '); RETURN NULL; END $$');
}

sub helpers
{
	return (
		'CREATE FUNCTION {alter_one}(model text, how text, pick int) RETURNS void LANGUAGE plpgsql AS $$ '
		  . "DECLARE names name[] := ARRAY(SELECT tgname FROM pg_trigger WHERE tgrelid = ('{schema}.' || model)::regclass AND NOT tgisinternal "
		  . "AND tgname ~ 'dtmodel|stamp' ORDER BY tgname); "
		  . "BEGIN EXECUTE format('ALTER TABLE {schema}.%I %s %I', model, how, names[1 + pick % cardinality(names)]); END \$\$",
		'CREATE FUNCTION {enable_all}(model text) RETURNS void LANGUAGE plpgsql AS $$ '
		  . "BEGIN EXECUTE format('ALTER TABLE {schema}.%I ENABLE TRIGGER USER', model); END \$\$");
}

sub definition
{
	my ($table) = @_;
	my $t = $tables{$table};
	my @ddl = @{ $t->{ddl} };

	push @ddl, 'CREATE VIEW {x}_view AS SELECT * FROM {x} WHERE id < 7 WITH CHECK OPTION' if $t->{view};
	if (!$t->{bare})
	{
		push @ddl,
		  "CREATE FUNCTION {x_see}() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN INSERT INTO {seen} VALUES (TG_TABLE_NAME || ' ' || TG_OP || ' ' || "
		  . brief(shown($table, 'OLD')) . " || ' -> ' || " . brief(shown($table, 'NEW')) . '); RETURN NULL; END $$',
		  "CREATE FUNCTION {x_see_all}() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN INSERT INTO {seen} SELECT 'old ' || "
		  . brief(shown($table, 'o')) . " FROM o; INSERT INTO {seen} SELECT 'new ' || " . brief(shown($table, 'n')) . ' FROM n; RETURN NULL; END $$',
		  'CREATE TRIGGER see AFTER INSERT OR UPDATE ON {x} FOR EACH ROW EXECUTE FUNCTION {x_see}()',
		  'CREATE TRIGGER see_all AFTER UPDATE ON {x} REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION {x_see_all}()';
	}
	push @ddl, 'GRANT SELECT, UPDATE (a, ' . ($t->{columns}{b} ? 'b' : 'updated_at') . '), INSERT, DELETE ON {x} TO app' if $table ne 'guarded';
	return map { s/\{x_/{${table}_/gr =~ s/\{x\}/{$table}/gr } @ddl;
}

my $usual_rows = "INSERT INTO {x} (id, a, b) SELECT g, g % 4, 'x' || g FROM generate_series(1, 8) AS g";

# Sets the tables of a family back.
sub reset_text
{
	my ($family, $schema) = @_;
	my @which = @{ $families{$family} };
	my $text = "SET session_replication_role = replica;\nTRUNCATE " . join(', ', map { "{$_}" } @which, 'seen') . ";\n";

	foreach my $table (@which)
	{
		$text .= ($tables{$table}{rows} // $usual_rows) =~ s/\{x(?=\}|_)/{$table/gr . ";\n";
		$text .= "UPDATE {$table} SET updated_at = updated_at - interval '1 day', created_at = created_at - interval '1 day';\n"
		  if $tables{$table}{columns}{updated_at} && $table ne 'filled';
		$text .= "UPDATE {$table} SET created_by = 'maker', updated_by = 'maker';\n" if ($tables{$table}{columns}{created_by} // '') eq 'name' && $table ne 'filled';
		$text .= "UPDATE {$table} SET "
		  . ($tables{$table}{columns}{active} ? 'active = false, ' : $tables{$table}{columns}{is_deleted} ? 'is_deleted = true, ' : '')
		  . "deleted_at = '2020-02-02' WHERE id IN (3, 6);\n"
		  if $tables{$table}{soft};
	}
	return rendered("SET dtmodel.preserve_timestamps = on;\nSET dtmodel.rewrite = off;\n${text}RESET dtmodel.rewrite;\nRESET session_replication_role;\n"
		  . "RESET dtmodel.preserve_timestamps;\n", $schema);
}

#
# Scripts
#

my @which;

sub one_of { return $_[ int(rand(@_)) ]; }
sub columns { my ($table) = @_; return sort keys %{ $tables{$table}{columns} }; }
sub number { return one_of(0 .. 3, int(rand(1000))); }

# A value for a column; "q" qualifies the row's own columns.
sub value
{
	my ($table, $column, $q) = @_;
	my $kind = $tables{$table}{columns}{$column};
	my $own = "$q$column";
	my $choice = rand();

	return one_of('k', 'k', '(k + 1) % 6', int(rand(6))) =~ s/\bk\b/${q}k/gr if $kind eq 'partition';
	return one_of($own, "$own + 100", "$own + 0") if $kind eq 'key';
	return $own if $kind eq 'keep' || $choice < 0.25;
	return 'DEFAULT' if $choice < 0.29 && !$q && $kind !~ /composite/;
	return 'NULL' if $choice < 0.35;
	return one_of(number(), "$own + 1", "coalesce($own, 0) + 0", "(SELECT max(a) FROM {$table} WHERE id < " . number() . ')', 'abs(-5)',
		"{with}($own, 'dtmodel.actor', '" . one_of(5, 7) . "')", "{with}($own + 1, 'dtmodel.actor', coalesce(${q}id, 0)::text)",
		"{with}($own + 1, 'dtmodel.preserve_timestamps', '" . one_of('on', 'off') . "')", "{with}($own + 1, 'session_replication_role', '" . one_of('replica', 'origin') . "')", "1000 / (${q}id - " . number() . ')')
	  if $kind eq 'int';
	return one_of("'x" . number() . "'", "$own || ''", "$own || 'q'", "upper($own)", "lower(upper($own))", "'a b'", "'--'") if $kind eq 'text';
	return one_of("repeat('ab', " . one_of(3, 100000) . ')', "$own || ''", "$own || 'c'", "(SELECT string_agg(md5(g::text), '') FROM generate_series(1, 300) AS g)")
	  if $kind eq 'long';
	return one_of('1.0', '1.00', "$own * 1", '2.5') if $kind eq 'numeric';
	return one_of('0.1', "$own * 1", "'-0'", "'NaN'") if $kind eq 'float';
	return one_of("'{\"a\": 1}'", "$own || '{}'", "jsonb_build_object('z', " . number() . ')') if $kind eq 'jsonb';
	return one_of('4294967295', '4294967295::oid', '3000000000::oid', "($own\::text)::oid") if $kind eq 'oid';
	return one_of("ARRAY['a', 'b']", "$own || ARRAY['c']", "array_remove($own, 'none')", '{built}()') if $kind eq 'array';
	return one_of("ROW(1, 'a')::{pair}", "ROW(2, NULL)::{pair}", "ROW((($own).x), (($own).y))::{pair}") if $kind eq 'composite';
	return one_of('true', 'false', "NOT $own") if $kind =~ /^(bool|flag)$/;
	return one_of("'q'", "'r'", "'\\377'") if $kind eq 'char';
	return one_of('-1', '-1::smallint', "$own + 0", '7') =~ s/(\+ 0)/$1::smallint/r if $kind eq 'small';
	return one_of("'6ba7b810-9dad-11d1-80b4-00c04fd430c8'", "($own\::text)::uuid", "'6ba7b811-9dad-11d1-80b4-00c04fd430c8'") if $kind eq 'uuid';
	return one_of("'w'", "'bad'", "'v'") if $kind eq 'word';
	return one_of("'2020-01-01 00:00:00Z'", 'now()', "'2031-01-01 00:00:00Z'", "$own - interval '1 hour'") if $kind eq 'time';
	return one_of("'mallory'", "'eve'", "''") if $kind eq 'name';
	return one_of(666, 7) if $kind eq 'number';
	return one_of("$own + 1", "$own + 1", 1, 5, "$own - 1", '2147483647') if $kind eq 'version';
	return one_of("'{\"theme\": \"x\"}'", "'{\"theme\": 1}'", "'{\"other\": 2}'", "'5'", "coalesce($own, '{}') || '{\"theme\": \"y\"}'", "'[]'", "$own || '{}'", "($own\::text)::jsonb")
	  if $kind eq 'settings';
	return one_of("'s1'", "'s" . number() . "'", "''", "$own || '-z'") if $kind eq 'slug';
	die $kind;
}

sub assignments
{
	my ($table, $q) = @_;
	my @columns = columns($table);
	my $count = one_of(1, 1, 1, 2, 2, 3, 5, scalar @columns);
	my %taken;

	while (keys %taken < $count) { $taken{ one_of(@columns) } = 1; last if keys %taken == @columns; }
	$taken{k} = 1 if $tables{$table}{parts} && rand() < 0.4;
	if (keys %taken > 1 && !$q && rand() < 0.08)
	{
		my @row = sort keys %taken;
		return '(' . join(', ', @row) . ') = (SELECT ' . join(', ', map { my $v = value($table, $_, ''); $v =~ /^'|^NULL$|^DEFAULT$/ ? $_ : $v } @row) . ')';
	}
	return join(', ', map { "$_ = " . value($table, $_, $q) } sort keys %taken);
}

sub condition
{
	my $i = 1 + int(rand(9));

	return one_of("id = $i", "id = $i", "id <= $i", "id IN ($i, 2, 3)", 'a > ' . int(rand(4)), 'true', "id BETWEEN $i AND $i + 2", 'false');
}

# OLD and NEW in RETURNING came with 18.
sub returning
{
	my ($table) = @_;

	return '' if rand() < 0.5;
	return ' RETURNING id, a' if $tables{$table}{clock};
	return ' RETURNING old.*, new.*' if $version >= 18 && rand() < 0.3;
	return one_of(' RETURNING *', ' RETURNING tableoid::regclass::text', " RETURNING ($table)::text") if $table ne 'wide';
	return ' RETURNING id, updated_at, updated_by, created_by, who, stamp';
}

sub target
{
	my ($table) = @_;

	return "{${table}_view}" if $tables{$table}{view} && rand() < 0.1;
	return '{' . $table . one_of('_1', '_d') . '}' if $tables{$table}{parts} && rand() < 0.15;
	return "ONLY {$table}" if $table eq 'inherited' && rand() < 0.2;
	return "{$table}";
}

sub plain_update
{
	my ($table) = @_;

	return 'UPDATE ' . target($table) . " AS $table SET " . assignments($table, '') . ' WHERE ' . condition() . returning($table);
}

# Several rows match.
sub update_from
{
	my ($table) = @_;
	my @columns = $tables{$table}{columns}{settings} && rand() < 0.5 ? 'settings' : $tables{$table}{columns}{version} && rand() < 0.5 ? 'version' : ();
	my $set = one_of('a = s.n', 'a = s.n', $tables{$table}{columns}{b} ? 'b = s.v' : 'a = s.n', "a = $table.a");

	$set .= ', ' . join(', ', map { "$_ = " . value($table, $_, "$table.") } @columns) if @columns;
	return "UPDATE {$table} AS $table SET $set FROM (VALUES (1, 10, 'u'), (2, 20, 'v'), (2, 20, 'v'), (3, 3, 'x3'), (4, 4, 'x4'), (4, 3, 'w'), (5, NULL, NULL), (7, 7, 'x7'), (7, 1, 'x1')) AS s (i, n, v) "
	  . "WHERE $table.id = s.i" . (rand() < 0.5 ? '' : " RETURNING $table.id, s.n, $table.a");
}

sub with_cte
{
	my ($table) = @_;
	my $other = one_of(@which);
	my $more = rand() < 0.3 ? ", w2 AS (UPDATE {$other} SET " . assignments($other, '') . ' WHERE ' . condition() . ' RETURNING 1) SELECT count(*) FROM w2' : '';
	my $cte = "WITH w AS (UPDATE {$table} AS $table SET " . assignments($table, '') . ' WHERE ' . condition() . ' RETURNING id, a)';

	return $cte . ($more ? $more : one_of(
		' SELECT * FROM w ORDER BY 1, 2',
		" UPDATE {$other} AS $other SET " . assignments($other, '') . ' WHERE ' . condition(),
		" UPDATE {$other} AS $other SET a = w.a FROM w WHERE $other.id = w.id + 1"))
	  if $other ne $table;
	return $cte . ' SELECT * FROM w ORDER BY 1, 2';
}

# The server itself crashes when a trigger writes a column that MERGE assigns
# from a sub-select in one action and not in another: assignments are plain.
sub merge
{
	my ($table) = @_;
	my $t = $tables{$table};
	my $set = sub { my $s; do { $s = assignments($table, "$table.") } while ($s =~ /SELECT/); return $s; };
	my ($from, $to) = (int(rand(6)) + 1, int(rand(4)) + 7);
	my $deletes = rand() < 0.12;
	my @actions;

	# A MERGE that deletes may not also write the columns of soft delete.
	$set = sub { return "a = $table.a + " . number(); } if $deletes && $t->{soft};

	push @actions, 'WHEN MATCHED AND s.n = 0 THEN UPDATE SET ' . $set->() if rand() < 0.5;
	push @actions, 'WHEN MATCHED AND s.n = 1 THEN DO NOTHING' if rand() < 0.15;
	push @actions, 'WHEN MATCHED AND s.n = 2 THEN DELETE' if $deletes;
	push @actions, 'WHEN MATCHED THEN UPDATE SET ' . $set->();
	push @actions, "WHEN NOT MATCHED THEN INSERT (id, a" . ($t->{parts} ? ', k' : '') . ') VALUES (s.i' . one_of('', ' + 1000') . ', s.n' . ($t->{parts} ? ', s.i % 6' : '') . ')'
	  if rand() < 0.5;
	push @actions, "WHEN NOT MATCHED BY SOURCE THEN UPDATE SET a = $table.a + 1" if $version >= 17 && rand() < 0.2;
	return {
		sql => "MERGE INTO {$table} AS $table USING (SELECT g AS i, g % 3 AS n FROM generate_series($from, $to) AS g) AS s ON $table.id = s.i "
		  . join(' ', @actions),
		counts => !$deletes };
}

sub upsert
{
	my ($table) = @_;
	my $t = $tables{$table};
	my $name = $table;
	my $partition;

	if ($t->{parts} && rand() < 0.5) { $partition = one_of([ '_1', 1 ], [ '_d', 5 ]); $name .= $partition->[0]; }
	my %rows = map { 1 + int(rand(11)) => 1 } 1 .. one_of(1, 3);
	my @rows = map { "($_, " . number() . ($t->{parts} ? ', ' . ($partition ? $partition->[1] : $_ % 6) : '') . ')' } sort keys %rows;
	my $set;
	do { $set = rand() < 0.3 ? one_of('a = excluded.a', $t->{columns}{updated_at} ? 'a = excluded.a, updated_at = excluded.updated_at' : 'a = excluded.a',
		$t->{columns}{slug} ? 'a = excluded.a, slug = excluded.slug' : 'a = excluded.a')
	  : assignments($table, "$table.") } while ($set =~ /\bid = /);
	return "INSERT INTO {$name} AS $table (id, a" . ($t->{parts} ? ', k' : '') . ') VALUES ' . join(', ', @rows)
	  . ' ON CONFLICT (' . ($t->{key} // 'id') . ") DO UPDATE SET $set" . one_of('', '', " WHERE $table.a IS DISTINCT FROM excluded.a") . (rand() < 0.5 ? '' : " RETURNING $table.id, $table.a");
}

sub insertion
{
	my ($table) = @_;
	my $t = $tables{$table};
	my @more = grep { rand() < 0.4 && !/^(id|a|k|created_at|active|is_deleted|deleted_at|parent)$/ } columns($table);
	my $first = 20 + int(rand(1000)) * 10;
	my $k = $t->{parts} ? ', g % 6' : '';
	my $name = $table;

	if ($t->{parts} && rand() < 0.3) { my $one = one_of([ '_1', 1 ], [ '_d', 5 ]); $name .= $one->[0]; $k = ", $one->[1]"; }
	my @values = map { my $v = value($table, $_, ''); $v =~ /\b$_\b/ || $v eq 'DEFAULT' ? 'NULL' : $v } @more;
	my $columns = join(', ', 'id', $t->{parts} ? 'a, k' : 'a', @more);
	my $a = one_of('g % 4', "{with}(g, 'dtmodel.actor', g::text)", "{with}(g, 'dtmodel.preserve_timestamps', 'on')", 'NULL');
	my $returning = rand() < 0.5 || $t->{clock} ? '' : " RETURNING ($table)::text";

	return "INSERT INTO {$name} AS $table ($columns) SELECT " . join(', ', 'g', "$a$k", @values)
	  . " FROM generate_series($first, $first + " . one_of(0, 2) . ") AS g" . one_of('', '', ' ON CONFLICT DO NOTHING') . $returning
	  if !grep { /NULL/ } @values;
	return "INSERT INTO {$name} AS $table ($columns) VALUES (" . join(', ', $first, ($t->{parts} ? "1$k" =~ s/g % 6/1/r : $a =~ s/\bg\b/7/gr), @values) . ")$returning";
}

sub loop
{
	my ($table) = @_;
	my $where = condition();

	return "DO \$\$ DECLARE r record; c CURSOR FOR SELECT * FROM {$table} WHERE $where FOR UPDATE; BEGIN FOR r IN c LOOP BEGIN UPDATE {$table} SET "
	  . assignments($table, '') . ' WHERE CURRENT OF c; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$'
	  if rand() < 0.4;
	return "DO \$\$ BEGIN FOR turn IN 1 .. 4 LOOP BEGIN UPDATE {$table} SET a = turn WHERE id = turn; UPDATE {$table} SET a = a / (2 - turn) WHERE id <= turn; "
	  . 'EXCEPTION WHEN OTHERS THEN NULL; END; UPDATE {' . $table . '} SET ' . assignments($table, '') . ' WHERE id = turn; END LOOP; END $$';
}

sub prepared
{
	my ($table) = @_;
	my $set = assignments($table, '');

	return [
		"PREPARE q (int, int) AS UPDATE {$table} AS $table SET $set" . ($set =~ /\ba = / || $set =~ /^\(/ ? '' : ', a = $2') . ' WHERE id = $1' . returning($table),
		'EXECUTE q (' . number() . ', ' . number() . ')', 'EXECUTE q (' . number() . ', ' . number() . ')', 'DEALLOCATE q' ];
}

sub call
{
	my ($table) = @_;
	my $t = $tables{$table};
	my $id = 1 + int(rand(9));
	my $data = one_of('{"a": 5}', '{"a": null}', $t->{columns}{b} ? '{"b": "called"}' : '{"a": 7}', '{}',
		$t->{columns}{version} ? '{"a": 9, "version": 1}' : '{"a": 1}', $t->{columns}{updated_by} ? '{"a": 9, "updated_by": "8"}' : '{"a": 2}',
		$t->{columns}{settings} ? '{"settings": {"theme": "z"}}' : '{"a": 1}');

	return { sql => "SELECT dtmodel.restore(t) IS NULL FROM {$table} AS t WHERE id = $id", counts => 1 } if $t->{soft} && rand() < 0.4;
	return { sql => "SELECT dtmodel.soft_delete(t) IS NULL FROM {$table} AS t WHERE id = $id" } if $t->{soft} && rand() < 0.4;
	return { sql => "SELECT count(*) FROM dtmodel.upsert(NULL::{$table}, '{\"id\": $id, \"a\": " . number() . ($t->{parts} ? ', "k": ' . $id % 6 : '') . "}')", counts => 1 }
	  if $table ne 'inherited' && rand() < 0.3;
	return { sql => "SELECT (t.t).id, (t.t).a FROM (SELECT dtmodel.bulk_create(NULL::{$table}, '[{\"id\": 9$id, \"a\": 1" . ($t->{parts} ? ', "k": 2' : '')
		  . "}, {\"id\": 8$id, \"a\": 2" . ($t->{parts} ? ', "k": 5' : '') . "}]') AS t) AS t", counts => 1 }
	  if rand() < 0.2;
	return { sql => "SELECT dtmodel.update(t, '$data') IS NULL FROM {$table} AS t WHERE id = $id", counts => 1 };
}

sub statement
{
	my $table = one_of(@which);
	my $t = $tables{$table};
	my $choice = rand();

	return { sql => plain_update($table), counts => 1 } if $choice < 0.38;
	return { sql => update_from($table), counts => 1 } if $choice < 0.5;
	return { sql => with_cte($table), counts => 1 } if $choice < 0.55;
	return { sql => insertion($table), counts => 1 } if $choice < 0.59;
	return merge($table) if $choice < 0.66 && $version >= 15 && $table ne 'guarded';
	return { sql => upsert($table), counts => 1 } if $choice < 0.76 && !$t->{no_conflict};
	return { sql => loop($table), counts => 1 } if $choice < 0.82;
	return { sql => prepared($table), counts => 1 } if $choice < 0.87;
	return call($table) if $choice < 0.93 && !$t->{clock};
	return { sql => "DELETE FROM {$table} WHERE " . condition() } if $choice < 0.96;
	return {
		sql => [ 'SAVEPOINT s', plain_update($table), one_of('ROLLBACK TO s', 'RELEASE s'), plain_update($table) ],
		counts => 1 };
}

# Whether rows get a slug when they are deleted, if their triggers were not fired
# before. By triggers it is reserved until the DELETE ends, so that the next row has
# another number than by the planner.
sub names_deleted { return grep { $tables{$_}{soft} && $tables{$_}{columns}{slug} } @which; }

sub settings
{
	my $choice = rand();

	return 'SET LOCAL dtmodel.preserve_timestamps = on' if $choice < 0.05;
	return 'SET LOCAL session_replication_role = replica' if $choice < 0.09 && !names_deleted();
	return "SET LOCAL dtmodel.actor = '" . one_of(7, 8, 'ann', 7) . "'" if $choice < 0.35;
	return 'SET LOCAL jit = on \; SET LOCAL jit_above_cost = 0' if $choice < 0.38;
	return 'SET LOCAL ROLE app' if $choice < ($which[0] eq 'guarded' ? 0.7 : 0.42);
	return 'SET LOCAL plan_cache_mode = force_generic_plan' if $choice < 0.47;
	return 'SET CONSTRAINTS ALL DEFERRED';
}

my @altering = ('DISABLE TRIGGER', 'DISABLE TRIGGER', 'ENABLE ALWAYS TRIGGER', 'ENABLE REPLICA TRIGGER');

sub script
{
	my $family = one_of(@families, 'parted', 'everything', ('wide') x 5);
	my @items;

	@which = @{ $families{$family} };
	if (rand() < 0.12 && !names_deleted())
	{
		my $table = one_of(@which);
		push @items, { alter => $table, how => one_of(@altering), pick => int(rand(20)) };
	}
	push @items, { %{ statement() }, before => settings() } foreach 1 .. 12;
	return { family => $family, items => \@items };
}

#
# Running and comparing
#

my %actions = (projected => 'on', triggered => 'off');

sub item_text
{
	my ($item, $schema) = @_;

	return rendered("SELECT {alter_one}('$item->{alter}', '$item->{how}', $item->{pick});\n", $schema) if $item->{alter};
	return rendered(join('', map { "$_;\n" } ref $item->{sql} ? @{ $item->{sql} } : $item->{sql}), $schema);
}

sub half_text
{
	my ($script, $item, $schema) = @_;
	my @which = @{ $families{ $script->{family} } };
	my $before = $item->{before} // 'SET CONSTRAINTS ALL DEFERRED';
	my $text = "SET LOCAL dtmodel.rewrite = $actions{$schema} \\; $before;\n";

	$text .= join('', map { "$_\\echo '\@' :SQLSTATE :ROW_COUNT\n" } item_text($item, $schema));
	$text .= "SET CONSTRAINTS ALL IMMEDIATE;\n\\echo '\@' :SQLSTATE\n";
	$text .= "SET LOCAL ROLE NONE \\; SET LOCAL session_replication_role = origin \\; SET LOCAL dtmodel.preserve_timestamps = off \\; SET LOCAL dtmodel.actor = '' \\; "
	  . "SET LOCAL jit = off \\; SET LOCAL plan_cache_mode = auto \\; SET LOCAL dtmodel.rewrite = off \\; ";
	$text .= rendered(join(' UNION ALL ', map { "SELECT '$_ ' || t.tableoid::regclass::text || ' ' || " . brief(shown($_, 't')) . " FROM {$_} AS t" } @which)
		  . " UNION ALL SELECT what FROM {seen} ORDER BY 1;\nTRUNCATE {seen};\n", $schema) =~ s/TRUNCATE/DELETE FROM/r;
	return $text . "\\echo '\@\@'\n";
}

sub script_text
{
	my ($script) = @_;
	my $text = "BEGIN;\n" . join('', map { reset_text($script->{family}, $_) } @schemas) . "COMMIT;\n\\echo '\@\@'\n";

	foreach my $item (@{ $script->{items} })
	{
		$text .= "BEGIN;\n" . join('', map { half_text($script, $item, $_) } @schemas) . "COMMIT;\n";
	}
	foreach my $schema (@schemas)
	{
		$text .= "SET enable_seqscan = off;\nSET enable_bitmapscan = off;\n";
		foreach my $table (grep { $tables{$_}{indexed} } @{ $families{ $script->{family} } })
		{
			$text .= rendered("SELECT '$table', updated_at, id FROM {$table} WHERE updated_at > '1990-01-01' ORDER BY 2, 3;\n", $schema);
			$text .= rendered("SELECT '$table', updated_at, id FROM {$table} WHERE updated_at > '2021-01-01' AND a >= 0 ORDER BY 2, 3;\n", $schema);
			# What an index scan finds is what is there.
			$text .= rendered("SELECT 'lost', id FROM {$table} AS t WHERE id NOT IN (SELECT id FROM {$table} AS u WHERE u.updated_at = t.updated_at AND u.updated_at > '1990-01-01');\n", $schema);
		}
		$text .= "RESET enable_seqscan;\nRESET enable_bitmapscan;\n";
		$text .= join('', map { rendered("SELECT {enable_all}('$_');\n", $schema) } @{ $families{ $script->{family} } })
		  if grep { $_->{alter} } @{ $script->{items} };
		$text .= "\\echo '\@\@'\n";
	}
	return $text . "\\echo '\@\@\@'\n";
}

# Runs scripts; returns for each what the halves of its statements printed.
sub run
{
	my ($list) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/scripts.sql';
	my $out = '';

	open(my $handle, '>', $file) or die;
	print $handle "\\set ON_ERROR_ROLLBACK on\n\\set VERBOSITY verbose\n", map { script_text($_) } @$list;
	close($handle);
	IPC::Run::run([ 'psql', '-XqAt', '-d', $node->connstr('postgres'), '-f', $file ], '<', \'', '>', \$out, '2>&1');
	my @scripts = map { [ split /^\@\@\n/m, $_ ] } split /^\@\@\@\n/m, $out;
	BAIL_OUT('psql ended: ' . substr($out, -3000)) if @scripts != @$list;
	foreach my $printed (@scripts)
	{
		my $reset = shift @$printed;
		BAIL_OUT("a reset failed: $reset") if $reset ne '';
	}
	return \@scripts;
}

# What is different by nature: the name of the schema, the places in files,
# and the times of a clock in the rows that an error shows.
sub comparable
{
	my ($printed, $item, $family) = @_;

	$printed =~ s/^psql:\S*?:\d+: //mg;
	$printed =~ s/^(LOCATION|LINE \d+):.*\n(^\s*\^\n)?//mg;
	$printed =~ s/\b(projected|triggered)\b/S/g;
	$printed =~ s/^(DETAIL: .*)/$1 =~ s{[-0-9]+ [0-9:]+([.][0-9]+)?}{a time}gr/mge if $family eq 'clocked';
	# How many rows a DELETE counts depends on the tier, and what transition
	# tables see of it.
	$printed =~ s/^\@ (\S+) \d+$|^(?:old|new) .*\n/defined $1 ? "\@ $1" : ''/mge if !$item->{counts};
	my ($head, @tail) = split /^(\@ .*\n)/m, $printed;
	return join('', sort split /^/m, $head // '') . join('', @tail);
}

sub difference
{
	my ($script, $printed) = @_;
	my @items = (@{ $script->{items} }, {});

	foreach my $i (0 .. $#items)
	{
		my ($projected, $triggered) = map { comparable($_ // "nothing\n", $items[$i], $script->{family}) } @{$printed}[ 2 * $i, 2 * $i + 1 ];
		return { at => $i, projected => $projected, triggered => $triggered } if $projected ne $triggered;
	}
	return undef;
}

sub differs { my ($script) = @_; return difference($script, run([$script])->[0]); }

# A shorter script that fails as well.
sub shrunk
{
	my ($script) = @_;
	my $difference = differs($script) or return undef;
	my $try = sub {
		my ($smaller) = @_;
		my $differs = differs($smaller) or return;
		($script, $difference) = ($smaller, $differs);
	};

	$try->({ %$script, items => [ @{ $script->{items} }[ 0 .. $difference->{at} ] ] }) if $difference->{at} < @{ $script->{items} };
	for (my $i = $#{ $script->{items} }; $i >= 0; $i--)
	{
		my @items = @{ $script->{items} };
		splice(@items, $i, 1);
		$try->({ %$script, items => \@items });
	}
	foreach my $i (0 .. $#{ $script->{items} })
	{
		my @items = @{ $script->{items} };
		next if !$items[$i]{before};
		$items[$i] = { %{ $items[$i] }, before => undef };
		$try->({ %$script, items => \@items });
	}
	return $script;
}

# The lines that only one of them has.
sub only_in
{
	my ($name, $text, $other) = @_;
	my %other = map { $_ => 1 } split /^/m, $other;

	return map { "$name: $_" } grep { !$other{$_} } split /^/m, $text;
}

sub report
{
	my ($script, $first) = @_;
	my $smaller = shrunk($script);
	my $difference = $smaller ? differs($smaller) // $first : $first;

	diag('it does not fail when it is repeated alone') if !$smaller;
	$smaller //= $script;
	return join('',
		"in $smaller->{family}, statement " . ($difference->{at} + 1) . " differs\n",
		(map { ($_->{before} ? "$_->{before};\n" : '') . item_text($_, 'projected') } @{ $smaller->{items} }),
		only_in('projected', $difference->{projected}, $difference->{triggered}),
		only_in('triggered', $difference->{triggered}, $difference->{projected}));
}

my $setup = "CREATE EXTENSION dtmodel;\nCREATE ROLE app;\n";
foreach my $schema (@schemas)
{
	$setup .= "CREATE SCHEMA $schema;\nSET search_path = $schema;\n";
	$setup .= join('', map { rendered($_, $schema) . ";\n" } functions(), (map { definition($_) } @tables), helpers());
}
$node->safe_psql('postgres', $setup);

# The two halves really differ: the projection did the work in one of them.
foreach my $schema (@schemas)
{
	my $plan = $node->safe_psql('postgres',
		"SET dtmodel.rewrite = $actions{$schema}; BEGIN; INSERT INTO $schema.timed (id) VALUES (1); "
		  . "EXPLAIN (ANALYZE, COSTS OFF) UPDATE $schema.timed SET a = 1; ROLLBACK");
	my $fires = $plan =~ /Trigger zz_dtmodel_timestamps/ ? 'fires' : 'does not fire';
	is($fires, $schema eq 'projected' ? 'does not fire' : 'fires', "in $schema the trigger $fires");
}

my (@failures, %states, @invalid);
my $failed = 0;
my $statements = 0;
for (my $done = 0; $done < $scripts; $done += $chunk)
{
	my @list = map { script() } 1 .. ($scripts - $done < $chunk ? $scripts - $done : $chunk);
	my $out = run(\@list);

	foreach my $i (0 .. $#list)
	{
		$statements += grep { !$_->{alter} } @{ $list[$i]{items} };
		foreach my $half (@{ $out->[$i] })
		{
			$states{$_}++ foreach $half =~ /^\@ (\w{5})/mg;
			push @invalid, $half =~ /^.*ERROR:  (?!42501)42.*/mg;
		}
		my $difference = difference($list[$i], $out->[$i]) or next;
		push @failures, report($list[$i], $difference) if $failed++ < $reported_scripts;
	}
	$campaign->progress($done + @list);
}

$campaign->found("$statements statements");
note "$statements statements; by SQLSTATE: ", join(', ', map { "$_ $states{$_}" } sort keys %states);
is(join("\n", @invalid), '', 'all statements are valid');
# Few scripts are of the models that refuse statements.
my @states = $scripts >= 120 ? qw(00000 22003 23502 23514 42501) : '00000';
push @states, '55000' if $scripts >= 1000;
foreach my $state (@states)
{
	cmp_ok($states{$state} // 0, '>', 0, "some statements end with $state");
}
is($failed, 0, "the projection does what the triggers do, seed $seed");
diag($_) foreach @failures;

$node->stop;
done_testing();
