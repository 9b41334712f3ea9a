# A soft DELETE has the same effect on live rows as a plain DELETE on rows.
#
# Random scripts run on models and on plain copies of their tables, whose rows
# are deleted physically.  After each statement the live rows must be the same,
# as must be the SQLSTATE, and, where the tier promises them, the row count and
# what RETURNING and queries give; at the end of a script, the rows that are
# deleted.  Each script runs once on the plain tables and four times on models:
# in the trigger tier, in the preloaded tier, there with hidden rows, where
# queries do not say that they mean live rows, and there with half of the models
# left to their triggers.
#
# A script that fails is cut down to the statements that it takes, and printed.
use strict;
use warnings;

use Campaign;
use List::Util qw(sum);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $campaign = Campaign->new(scripts => 600);
my $scripts = $campaign->size;
my $seed = $campaign->seed;
my $chunk = 300;
my $reported_scripts = 1;
my $folder = PostgreSQL::Test::Utils::tempdir();

my $node = PostgreSQL::Test::Cluster->new('deletion_oracle');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);

# To log all statements and their errors takes a tenth of the time.
$node->append_conf('postgresql.conf', <<'CONF');
autovacuum = off
client_min_messages = error
log_statement = none
log_min_messages = log
CONF
$node->start;

my $version = int($node->safe_psql('postgres', 'SHOW server_version_num') / 10000);

# A plain schema, and the models in schemas of their own.
my %schemas = (
	plain => { plain => 1 },
	trigger => {},
	preloaded => { preload => 1, counts => 1 },
	hidden => { preload => 1, counts => 1, hide => 1 },
	mixed => { preload => 1, mixed => 1 });
my @models = qw(trigger preloaded hidden mixed);

# The tables.  A column has its name, its type and sometimes what else the
# generator needs: "ref" the table that it references, "fresh" that its
# values are never used twice (a deleted row keeps its key).  "live" is the model's
# condition for live rows.  Foreign keys are ON UPDATE CASCADE: a deleted
# row keeps the key of its parent.
my @v = ([ 'v', 'text' ], [ 'n', 'int NOT NULL DEFAULT 0 CHECK (n >= 0)' ]);
my $key = [ 'id', 'int PRIMARY KEY' ];
my %tables = (
	strays => { columns => [ $key, @v ] },
	roots => { columns => [ $key, @v, [ 'code', 'text' ] ], unique => ['code'], root => 1 },
	branches => {
		columns => [ $key, [ 'root', 'int REFERENCES roots ON DELETE CASCADE', 'roots' ], @v, [ 'code', 'text' ] ],
		unique => [ 'root', 'code' ] },
	leaves => { columns => [ $key, [ 'branch', 'int REFERENCES branches ON DELETE CASCADE', 'branches' ], @v ] },
	tenants => { columns => [ $key, @v ], root => 1 },
	users => {
		columns => [ $key, [ 'tenant', 'int REFERENCES tenants ON DELETE CASCADE', 'tenants' ], @v, [ 'code', 'text' ] ],
		unique => ['code'] },
	projects => { columns => [ $key, [ 'tenant', 'int REFERENCES tenants ON DELETE CASCADE', 'tenants' ], @v ] },
	tasks => { columns => [ $key, [ 'project', 'int REFERENCES projects ON DELETE CASCADE', 'projects' ], @v ] },
	comments => {
		columns => [
			$key, [ 'author', 'int REFERENCES users ON DELETE CASCADE', 'users' ],
			[ 'task', 'int REFERENCES tasks ON DELETE CASCADE', 'tasks' ], @v ] },
	guards => { columns => [ $key, [ 'project', 'int REFERENCES projects ON DELETE RESTRICT', 'projects' ], @v ] },
	nodes => { columns => [ $key, [ 'parent', 'int REFERENCES nodes ON DELETE CASCADE', 'nodes' ], @v ] },
	parted => {
		columns => [ [ 'id', 'int' ], [ 'k', 'int' ], [ 'j', 'int' ], @v ],
		constraint => 'PRIMARY KEY (id, k, j)',
		by => 'PARTITION BY LIST (k)',
		partitions => [
			[ 'parted_1', 'parted', 'FOR VALUES IN (1)' ],
			[ 'parted_2', 'parted', 'FOR VALUES IN (2) PARTITION BY LIST (j)' ],
			[ 'parted_21', 'parted_2', 'FOR VALUES IN (1)' ],
			[ 'parted_22', 'parted_2', 'FOR VALUES IN (2)' ],
			[ 'parted_3', 'parted', 'FOR VALUES IN (3)' ] ] },
	pieces => {
		columns => [ $key, [ 'p', 'int' ], [ 'k', 'int' ], [ 'j', 'int' ], @v ],
		foreign => [ 'p', 'k', 'j' ],
		constraint => 'FOREIGN KEY (p, k, j) REFERENCES parted (id, k, j) ON DELETE CASCADE' },
	base => { columns => [ $key, @v ], inheritor => 'inheritors' },
	inheritors => {
		columns => [ $key, @v, [ 'extra', 'int' ] ],
		create => '(extra int, PRIMARY KEY (id)) INHERITS (base)' },
	articles => { columns => [ $key, @v ], root => 1 },
	tags => { columns => [ $key, @v, [ 'code', 'text' ] ], unique => ['code'], root => 1 },
	article_tags => {
		columns => [
			[ 'article', 'int REFERENCES articles ON DELETE CASCADE', 'articles' ],
			[ 'tag', 'int REFERENCES tags ON DELETE CASCADE', 'tags' ],
			[ 'id', 'int' ], @v ],
		constraint => 'PRIMARY KEY (article, tag, id)',
		unique => [ 'article', 'tag' ] },
	stamps => { columns => [ $key, @v ], live => 'time', root => 1 },
	prints => { columns => [ $key, [ 'stamp', 'int REFERENCES stamps ON DELETE CASCADE', 'stamps' ], @v ], live => 'time' },
	items => { columns => [ $key, @v, [ 'code', 'text' ] ], unique => ['code'], live => 'active', root => 1 },
	parts => { columns => [ $key, [ 'item', 'int REFERENCES items ON DELETE CASCADE', 'items' ], @v ], live => 'active' });

# What a script is about, parents first.
my %families = (
	tree => [qw(roots branches leaves)],
	diamond => [qw(tenants users projects tasks comments guards)],
	self => [qw(nodes)],
	parted => [ 'parted', $version >= 15 ? 'pieces' : () ],
	inheritors => [qw(base inheritors)],
	tags => [qw(articles tags article_tags)],
	stamps => [qw(stamps prints)],
	items => [qw(items parts)],
	strays => [qw(strays)]);
my @families = sort grep { $_ ne 'strays' } keys %families;
my @tables = map { @{ $families{$_} } } (@families, 'strays');

# What makes a row of a model live, deleted, or lets it be deleted.
my %live = (
	flag => [ 'NOT %sis_deleted', 'is_deleted = true' ],
	time => [ '%sdeleted_at IS NULL', 'deleted_at = now()' ],
	active => [ '%sactive', 'active = false' ]);

sub live
{
	my ($table, $prefix) = @_;
	return sprintf($live{ $tables{$table}{live} // 'flag' }[0], $prefix);
}

sub fields { my ($table) = @_; return map { $_->[0] } @{ $tables{$table}{columns} }; }
sub has { my ($table, $column) = @_; return grep { $_ eq $column } fields($table); }
sub ancestors
{
	my ($table) = @_;
	return $tables{$table}{foreign} ? 'parted' : map { $_->[2] eq $table ? $table : ($_->[2], ancestors($_->[2])) } references($table);
}

sub references { my ($table) = @_; return grep { $_->[2] } @{ $tables{$table}{columns} }; }

# Statements are written once: {x} is x in the schema, [t:x] the condition that
# the row t of x is live where that has to be said, [on:x] the same for the
# inference of an index.
sub rendered
{
	my ($text, $schema) = @_;
	my $plain = $schemas{$schema}{plain};

	$text =~ s/\{(\w+)\}/$schema.$1/g;
	$text =~ s/\[on:(\w+)\]/$plain ? '' : 'WHERE ' . live($1, '')/ge;
	$text =~ s/\[(\w+):(\w+)\]/$plain || $schemas{$schema}{hide} ? 'true' : live($2, "$1.")/ge;
	return $text;
}

#
# Tables, functions and triggers
#

# One table, with all that belongs to it, or with those functions alone that
# a pattern matches.
sub definition
{
	my ($schema, $table, $wanted) = @_;
	my $t = $tables{$table};
	my $plain = $schemas{$schema}{plain};
	my $columns = $t->{create} // '('
	  . join(', ', (map { "$_->[0] $_->[1]" } @{ $t->{columns} }), $t->{constraint} // ()) . ') ' . ($t->{by} // '');
	my @ddl;

	$columns =~ s/(ON DELETE \w+)/$1 ON UPDATE CASCADE/g;
	push @ddl, "CREATE TABLE $table $columns";
	push @ddl, "CREATE TABLE $_->[0] PARTITION OF $_->[1] $_->[2]" foreach @{ $t->{partitions} // [] };
	if ($plain)
	{
		push @ddl, "ALTER TABLE $table ADD UNIQUE (" . join(', ', @{ $t->{unique} }) . ')' if $t->{unique};
	}
	else
	{
		my $how = { flag => '', time => ', flag => NULL', active => ", flag => 'active', flag_means => 'live'" }->{ $t->{live} // 'flag' };

		$how .= ', hide => true' if $schemas{$schema}{hide};
		$how .= ", tier => 'trigger'" if $schemas{$schema}{mixed} && length($table) % 2;
		push @ddl, "SELECT dtmodel.add_soft_delete('$table'$how)";
		push @ddl, "SELECT dtmodel.unique_live('$table', " . join(', ', map { "'$_'" } @{ $t->{unique} }) . ')' if $t->{unique};
		push @ddl, "SELECT dtmodel.require_live_parent('$table', '$_->[0]')" foreach references($table);
		push @ddl, "SELECT dtmodel.require_live_parent('$table', " . join(', ', map { "'$_'" } @{ $t->{foreign} }) . ')' if $t->{foreign};
	}
	push @ddl,
	  $plain ? "CREATE VIEW live_$table AS SELECT * FROM $table" : "SELECT dtmodel.create_live_view('$table')"
	  if $t->{root};
	push @ddl, grep { !$wanted || /$wanted/ } functions($schema, $table), triggers($schema, $table);
	return @ddl;
}

# Functions whose plans are kept by the session.
sub functions
{
	my ($schema, $table) = @_;

	return map { rendered($_, $schema) } (
		"CREATE FUNCTION {wipe_$table}(i int) RETURNS int LANGUAGE plpgsql AS 'DECLARE n int; BEGIN "
		  . "DELETE FROM {$table} AS t WHERE t.id = i OR t.n = -i AND [t:$table]; GET DIAGNOSTICS n = ROW_COUNT; RETURN n; END'",
		"CREATE FUNCTION {mark_$table}(i int) RETURNS int LANGUAGE plpgsql AS 'DECLARE m int; BEGIN "
		  . "UPDATE {$table} AS t SET n = t.n + 1 WHERE t.id = i AND [t:$table]; GET DIAGNOSTICS m = ROW_COUNT; RETURN m; END'",
		"CREATE FUNCTION {count_$table}() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN "
		  . "RETURN (SELECT count(*) FROM {$table} AS t WHERE [t:$table]); END'",
		"CREATE FUNCTION {all_$table}() RETURNS SETOF {$table} LANGUAGE sql STABLE AS 'SELECT * FROM {$table} AS t WHERE [t:$table]'");
}

# The actions of users' triggers, by the row's v.  "keep" vetoes a deletion, "stay" an
# UPDATE, "hop" turns one into a move; "boom" fails; "purge" (before) and
# "wipe" (after) delete rows of other tables, "mark" updates them.  AFTER
# triggers come after those of foreign keys, by their names.  Which row's
# trigger is first must not matter, as the order of rows is not the same.
sub triggers
{
	my ($schema, $table) = @_;
	my $plain = $schemas{$schema}{plain};
	my $t = $tables{$table};
	my $deletion = $plain ? "TG_OP = 'DELETE'" : 'NOT ' . '(' . live($table, 'NEW.') . ')';
	my $already = $plain ? '' : 'IF NOT (' . live($table, 'OLD.') . ') THEN RETURN NEW; END IF; ';
	my $clear = $plain ? "IF current_setting('oracle.clear', true) = 'on' THEN RETURN OLD; END IF; " : '';
	my $veto = $t->{root} ? "IF OLD.v = 'keep' THEN RETURN NULL; END IF; " : '';
	my $others = $table eq 'strays' ? '' : "IF OLD.v = 'purge' THEN DELETE FROM {strays} AS t WHERE t.n = OLD.n; END IF; ";
	my $hop = $t->{by} ? "IF NEW.v = 'hop' AND OLD.v <> 'hop' THEN NEW.k := NEW.k % 3 + 1; END IF; " : '';
	my $wipe = $table eq 'pieces' || $table eq 'strays' || $version < 15 ? ''
	  : "IF OLD.v = 'wipe' THEN DELETE FROM {strays} AS t WHERE t.n >= OLD.n; DELETE FROM {pieces} AS t WHERE t.n = OLD.n; "
	  . "ELSIF OLD.v = 'mark' THEN UPDATE {strays} AS t SET v = 'c' WHERE t.n = OLD.n AND t.v IN ('a', 'b') AND [t:strays]; PERFORM {wipe_strays}(OLD.n), {count_strays}(); END IF; ";
	my $events = $plain && !$t->{by} ? 'UPDATE OR DELETE' : 'UPDATE';

	# A partitioned table's BEFORE DELETE triggers fire for moves as well, and
	# cannot distinguish them.
	my @ddl = (
		"CREATE FUNCTION {before_$table}() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN $clear$already"
		  . "IF $deletion THEN "
		  . ($t->{by} ? '' : "IF OLD.v = 'boom' THEN RAISE EXCEPTION 'boom'; END IF; $veto$others")
		  . 'RETURN ' . ($plain ? 'OLD' : 'NEW') . "; END IF; "
		  . "IF NEW.v = 'stay' AND OLD.v IS DISTINCT FROM NEW.v THEN RETURN NULL; END IF; "
		  . "IF NEW.v = 'boom' AND OLD.v = 'keep' THEN RAISE EXCEPTION 'boom'; END IF; "
		  . "$hop RETURN NEW; END \$\$",
		"CREATE TRIGGER before_$table BEFORE $events ON {$table} FOR EACH ROW EXECUTE FUNCTION {before_$table}()");

	push @ddl,
	  "CREATE FUNCTION {after_$table}() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN $clear$already"
	  . "IF $deletion THEN $wipe END IF; RETURN NULL; END \$\$",
	  "CREATE TRIGGER zzz_after_$table AFTER $events ON {$table} FOR EACH ROW EXECUTE FUNCTION {after_$table}()"
	  if !$t->{by};

	# A table of physically deleted rows; what is moved is inserted again.
	push @ddl, 'CREATE TRIGGER bury AFTER ' . ($t->{by} ? 'INSERT OR ' : '') . "DELETE ON {$table} FOR EACH ROW EXECUTE FUNCTION {bury}('$table')"
	  if $plain;
	return map { rendered($_, $schema) } @ddl;
}

sub bury_function
{
	return <<'SQL';
CREATE TABLE graves (what text, id int);
CREATE FUNCTION bury() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO plain.graves VALUES (TG_ARGV[0], OLD.id);
    ELSE
        DELETE FROM plain.graves WHERE what = TG_ARGV[0] AND id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
SQL
}

sub only { my ($table) = @_; return $tables{$table}{inheritor} ? 'ONLY ' : ''; }

# The prepared statements of a session: what is live and what is deleted in
# the tables of a family and in "strays", and statements for the scripts.
sub preparations
{
	my ($schema) = @_;
	my @sql;

	foreach my $family (@families)
	{
		my (@live, @dead);
		foreach my $table (@{ $families{$family} }, 'strays')
		{
			my $row = 'ROW(' . join(', ', map { "t.$_" } fields($table)) . ')';
			my $from = 'FROM ' . only($table) . "{$table} AS t WHERE";

			push @live, "'$table: ' || (SELECT string_agg($row\::text, ' ' ORDER BY t.id) $from [t:$table])";
			push @dead, "'deleted $table: ' || (SELECT string_agg(id::text, ' ' ORDER BY id) FROM "
			  . ($schemas{$schema}{plain}
				? "plain.graves WHERE what = '$table')"
				: only($table) . "{$table} AS t WHERE NOT (" . live($table, 't.') . '))');
		}
		push @sql, "PREPARE live_$family AS SELECT concat_ws(E'\\n', " . join(', ', @live) . ')',
		  "PREPARE dead_$family AS SELECT concat_ws(E'\\n', " . join(', ', @dead) . ')';
	}
	push @sql, map {
		(
			"PREPARE del_$_ (int) AS DELETE FROM {$_} AS t WHERE t.id = \$1",
			"PREPARE back_$_ (int) AS DELETE FROM {$_} AS t WHERE t.id = \$1 RETURNING t.id, t.v",
			"PREPARE upd_$_ (text, int) AS UPDATE {$_} AS t SET v = \$1 WHERE t.id = \$2 AND [t:$_]")
	} @tables;
	return join('', map { rendered($_, $schema) . ";\n" } @sql);
}

# Empties all tables of a schema, which nothing vacuums.
sub truncation
{
	my ($schema) = @_;
	return 'TRUNCATE ' . join(', ', map { "$schema.$_" } @tables, $schemas{$schema}{plain} ? 'graves' : ()) . ";\n";
}

# Empties the tables of families, children first, and "strays".
sub clearing
{
	my ($schema, @which) = @_;
	my @delete = map { "DELETE FROM $schema.$_;" } map { reverse @{ $families{$_} } } (@which, 'strays');

	return join("\n", 'SET oracle.clear = on;', @delete, 'DELETE FROM plain.graves;', 'RESET oracle.clear;') . "\n"
	  if $schemas{$schema}{plain};
	return join("\n", 'SET dtmodel.hard_delete = on;', @delete, 'RESET dtmodel.hard_delete;') . "\n";
}

#
# Scripts
#

# An item is a statement or what it takes to put one together.
#   sql     text, or text for each kind of schema (plain and model)
#   rows    of an INSERT: so that a failure can be shrunk
#   counts  which tiers count its rows as plain tables do: "all" or "preloaded"
#   errors  "any": which of two errors comes first is a matter of rows' order
#   needs   "preloaded": what the statement does goes by the rows that a DELETE
#           hands over
my (%ids, $next, @which, $calm);

sub one_of { return $_[ int(rand(@_)) ]; }
sub text_of { return "'" . one_of(qw(a b c), $calm ? () : qw(a b keep stay boom purge wipe mark)) . "'"; }
sub number { return int(rand(4)); }
sub code { return rand() < 0.15 ? 'NULL' : "'" . one_of(qw(p q r s t)) . "'"; }
sub script_tables { return map { @{ $families{$_} } } @which; }

# The id of a row that was inserted, or hardly ever of none.
sub id_of
{
	my ($table) = @_;
	my $ids = $ids{$table} // [];
	return 9999 if !@$ids || rand() < 0.02;
	return one_of(@$ids);
}

sub fresh
{
	my ($table) = @_;
	push @{ $ids{$table} }, ++$next;
	return $next;
}

sub value
{
	my ($table, $column) = @_;
	my ($name, $type, $references) = @$column;

	return rand() < 0.08 && $table ne 'article_tags' ? 'NULL' : id_of($references) if $references;
	return fresh($table) if $name eq 'id';
	return text_of() if $name eq 'v';
	return code() if $name eq 'code';
	return one_of(1 .. 3) if $name eq 'k';
	return one_of(1 .. 2) if $name eq 'j';
	return number();
}

# A condition on the row t.
sub condition
{
	my ($table) = @_;
	my $choice = rand();
	my @references = references($table);

	return 't.id = ' . id_of($table) if $choice < 0.4;
	return 't.id IN (' . join(', ', map { id_of($table) } 1 .. 3) . ')' if $choice < 0.55;
	return 't.n >= ' . number() if $choice < 0.62;
	return 't.v = ' . text_of() if $choice < 0.7;
	return 't.id % 3 = ' . int(rand(3)) if $choice < 0.78;
	return 'true' if $choice < 0.8;
	if (@references)
	{
		my ($column, undef, $parent) = @{ one_of(@references) };
		return "t.$column = " . id_of($parent) if $choice < 0.9;
		return "t.$column IN (SELECT u.id FROM {$parent} AS u WHERE [u:$parent] AND u.n > " . number() . ')';
	}
	return "t.code = " . code() if has($table, 'code');
	return 't.id = ' . id_of($table);
}

sub insertion
{
	my ($table) = @_;
	my @columns = @{ $tables{$table}{columns} };
	my $unique = $tables{$table}{unique};

	# Its parent is what it is a piece of, as it is now.
	return {
		sql => "INSERT INTO {pieces} (id, p, k, j, v, n) SELECT " . fresh($table) . ", t.id, t.k, t.j, " . text_of() . ', ' . number()
		  . " FROM {parted} AS t WHERE [t:parted] AND t.id = " . id_of('parted'),
		counts => 'all' }
	  if $table eq 'pieces';

	my @rows = map {
		'(' . join(', ', map { value($table, $_) } @columns) . ')'
	} 0 .. int(rand(3));
	my $after = '';

	if ($unique && rand() < 0.5)
	{
		$after = ' ON CONFLICT (' . join(', ', @$unique) . ") [on:$table] DO "
		  . one_of('NOTHING', 'UPDATE SET v = excluded.v', 'UPDATE SET n = t.n + 1, v = excluded.v WHERE t.v <> ' . text_of());
	}
	elsif (rand() < 0.1)
	{
		$after = ' ON CONFLICT DO NOTHING';
	}
	$after .= ' RETURNING t.id, t.v' if rand() < 0.3;
	return {
		sql => "INSERT INTO {$table} AS t (" . join(', ', map { $_->[0] } @columns) . ") VALUES ROWS$after",
		rows => \@rows,
		counts => 'all' };
}

sub assignment
{
	my ($table) = @_;
	my $choice = rand();
	my @references = references($table);

	return one_of('k = ', 'k = ', 'j = ') . one_of(1 .. 3) if has($table, 'k') && $table eq 'parted' && $choice < 0.5;
	return 'k = k % 3 + 1, v = ' . text_of() if $table eq 'parted' && $choice < 0.6;
	return "v = 'hop'" if $table eq 'parted' && $choice < 0.65;
	if (@references && $choice < 0.3)
	{
		my $reference = one_of(@references);
		return "$reference->[0] = " . value($table, $reference);
	}
	return 'code = ' . code() if has($table, 'code') && $choice < 0.45;
	return 'n = n - 1' if $choice < 0.55;
	return 'n = n + 1' if $choice < 0.65;
	return 'v = ' . text_of();
}

sub update
{
	my ($table) = @_;
	my $choice = rand();
	my @references = references($table);
	my $returning = rand() < 0.25 ? ' RETURNING t.id, t.v, t.n' : '';

	# A key is that of one row.
	return {
		sql => "UPDATE {$table} AS t SET id = " . fresh($table) . ' WHERE t.id = ' . id_of($table) . " AND [t:$table]$returning",
		counts => 'all' }
	  if $choice < 0.12;
	return { sql => "EXECUTE upd_$table(" . text_of() . ', ' . id_of($table) . ')', counts => 'all' } if $choice < 0.22;
	return { sql => "SELECT {mark_$table}(" . id_of($table) . ')', counts => 'all' } if $choice < 0.27;
	return { sql => "UPDATE {live_$table} AS t SET n = t.n + 1 WHERE " . condition($table), counts => 'all' }
	  if $tables{$table}{root} && $choice < 0.32;
	return { sql => "UPDATE {$table} AS t SET n = 1 / (t.id - " . id_of($table) . ") * 0 WHERE " . condition($table) . " AND [t:$table]", counts => 'all' }
	  if $choice < 0.38;
	if (@references && $choice < 0.45)
	{
		my ($column, undef, $parent) = @{ one_of(@references) };
		return {
			sql => "UPDATE {$table} AS t SET v = " . text_of() . " FROM {$parent} AS u WHERE t.$column = u.id AND u.n >= "
			  . number() . " AND [t:$table] AND [u:$parent]$returning",
			counts => 'all' };
	}
	# As applications do it, which do not think of deleted rows.
	return { sql => "UPDATE {$table} AS t SET v = " . text_of() . ' WHERE ' . condition($table) } if $choice < 0.5;
	return {
		sql => "UPDATE {$table} AS t SET " . assignment($table) . ' WHERE ' . condition($table) . " AND [t:$table]$returning",
		counts => 'all' };
}

# A deletion by a direct write of the flag, on its own, or with more.  A row
# whose j is 3 has no partition to move to.
sub flagged
{
	my ($table) = @_;
	my $set = $live{ $tables{$table}{live} // 'flag' }[1];
	my $where = 'WHERE ' . condition($table) . " AND [t:$table]";
	my $more = one_of('', '', ', v = v', ($tables{$table}{live} // '') eq 'time' ? () : ", deleted_at = '2001-01-01'",
		$table eq 'parted' ? (', k = CASE WHEN j < 3 THEN k % 3 + 1 ELSE k END') x 4 : ());
	return {
		sql => { plain => "DELETE FROM {$table} AS t $where", model => "UPDATE {$table} AS t SET $set$more $where" },
		counts => $more =~ /v = v|k = CASE/ ? 'none' : 'all' };
}

sub deletion
{
	my ($table) = @_;
	my $choice = int(rand(17));
	my $where = 'WHERE ' . condition($table);
	my $returning = rand() < 0.3 ? ' RETURNING t.id, t.v' : '';
	my @references = references($table);
	my $other = one_of(script_tables());
	my %counts = (counts => 'preloaded');

	# In the trigger tier a row that is deleted is updated by a trigger.  After
	# other triggers' commands it is a later one, which the server does not let
	# another part of the statement pass over.  And a row that one part updates
	# must not lose its parent by another: whether the server's foreign keys
	# object depends on whether it was written by the transaction before.
	my $again = $calm ? id_of($table) : 9998;
	$other = $table if grep { $_ eq $table } ancestors($other);
	$other = 'strays' if grep { $_ eq $other } ancestors($table);
	my $same = $other eq $table || "$other $table" =~ /^(base inheritors|inheritors base)$/;
	my %touches = (%counts, $same && !$calm ? (needs => 'preloaded') : ());

	return { sql => "EXECUTE " . one_of('del', 'back') . "_$table(" . id_of($table) . ')', %counts } if $choice == 0;
	return { sql => "SELECT {wipe_$table}(" . id_of($table) . ')', %counts } if $choice == 1;
	return flagged($table) if $choice == 2;
	return {
		sql => "DELETE FROM {$table} AS t USING (VALUES (" . join('), (', map { id_of($table) } 1 .. ($calm ? 2 : 1)) . "), ($again), ($again)) AS x (id) WHERE t.id = x.id$returning",
		%counts }
	  if $choice == 3;
	if ($choice == 4 && @references)
	{
		my ($column, undef, $parent) = @{ one_of(@references) };
		return {
			sql => "DELETE FROM {$table} AS t USING {$parent} AS u WHERE t.$column = u.id AND u.n >= " . number() . " AND [u:$parent]$returning",
			%counts };
	}
	return {
		sql => "WITH u AS (UPDATE {$other} AS t SET n = t.n + 1 WHERE " . condition($other) . " AND [t:$other] RETURNING t.id) "
		  . "DELETE FROM {$table} AS t $where$returning",
		%touches }
	  if $choice == 5;
	return {
		sql => "WITH d AS (DELETE FROM {$other} AS t WHERE " . condition($other) . " RETURNING t.id) "
		  . one_of("DELETE FROM {$table} AS t $where$returning", "UPDATE {$table} AS t SET n = t.n + 1 $where AND [t:$table]$returning"),
		%touches }
	  if $choice == 6;
	return {
		sql => "WITH d AS (DELETE FROM {$table} AS t $where RETURNING t.id, t.v) INSERT INTO {strays} (id, v, n) SELECT "
		  . (($next += 50) - 50) . " + row_number() OVER (ORDER BY d.id), d.v, 1 FROM d",
		needs => 'preloaded',
		%counts }
	  if $choice == 7;
	return {
		sql => "DO \$\$ DECLARE c CURSOR FOR SELECT t.id FROM {$table} AS t $where AND [t:$table] ORDER BY t.id FOR UPDATE; r record; BEGIN "
		  . "OPEN c; FETCH c INTO r; IF FOUND THEN DELETE FROM {$table} WHERE CURRENT OF c; "
		  . one_of('', "DELETE FROM {$table} WHERE CURRENT OF c; ", "FETCH c INTO r; IF FOUND THEN UPDATE {$table} SET n = n + 1 WHERE CURRENT OF c; DELETE FROM {$table} WHERE CURRENT OF c; END IF; ")
		  . "END IF; CLOSE c; END \$\$",
		counts => 'none' }
	  if $choice == 8;
	return { sql => "DELETE FROM {live_$table} AS t $where$returning", %counts } if $choice == 9 && $tables{$table}{root};
	return {
		sql => { plain => "DELETE FROM {$table} AS t $where", model => "SELECT count(dtmodel.soft_delete(t)) FROM {$table} AS t $where AND [t:$table]" },
		counts => 'none' }
	  if $choice == 10 && $table ne 'base' && $where =~ /t.id = \d+$/;
	return { sql => "DELETE FROM ONLY {$table} AS t $where$returning", %counts } if $choice == 11 && $table eq 'base';
	return { sql => 'DELETE FROM {' . one_of(map { $_->[0] } @{ $tables{parted}{partitions} }) . "} AS t $where$returning", %counts }
	  if $choice >= 11 && $choice <= 12 && $table eq 'parted';
	# Undone, then something after it.
	return {
		sql => "DO \$\$ BEGIN BEGIN DELETE FROM {$table} AS t $where; RAISE EXCEPTION SQLSTATE 'UNDO1'; "
		  . "EXCEPTION WHEN SQLSTATE 'UNDO1' THEN NULL; END; "
		  . one_of('', "DELETE FROM {$table} AS t $where; ", "UPDATE {$table} AS t SET n = 2 $where AND [t:$table]; ") . "END \$\$",
		counts => 'none' }
	  if $choice == 12;
	return {
		sql => "DO \$\$ BEGIN BEGIN UPDATE {$table} AS t SET " . assignment($table) . " $where AND [t:$table]; RAISE EXCEPTION SQLSTATE 'UNDO1'; "
		  . "EXCEPTION WHEN OTHERS THEN NULL; END; DELETE FROM {$table} AS t $where; END \$\$",
		counts => 'none' }
	  if $choice == 13;
	return { sql => "DELETE FROM {$table} AS t $where AND EXISTS (SELECT FROM {$other} AS u WHERE [u:$other] AND u.n = t.n)$returning", %counts } if $choice == 14;
	return { sql => "DELETE FROM {$table} AS t $where$returning", %counts };
}

sub merge
{
	my ($table) = @_;
	# What depends on which row is first is left out: a row that is deleted and
	# another that comes to reference it or takes its place.
	my @columns = grep { $_->[0] ne 'id' && ($_->[2] // '') ne $table && $_->[0] ne 'code' } @{ $tables{$table}{columns} };
	my $assignment = one_of('v = ' . text_of(), 'n = n + 1', 'n = n - 1', $table eq 'parted' ? ('k = ' . one_of(1 .. 3)) x 3 : ());
	my @source = map { '(' . id_of($table) . ', ' . fresh($table) . ')' } 1 .. 1 + int(rand(3));
	my @actions = map {
		one_of(
			'WHEN MATCHED AND t.v = ' . text_of() . ' THEN DELETE',
			'WHEN MATCHED AND t.n >= ' . number() . ' THEN DELETE',
			'WHEN MATCHED AND t.n < ' . number() . " THEN UPDATE SET $assignment",
			'WHEN MATCHED AND t.n = 0 THEN DO NOTHING')
	} 0 .. int(rand(3));

	push @actions, 'WHEN MATCHED THEN DELETE' if rand() < 0.6;
	push @actions, 'WHEN NOT MATCHED THEN INSERT (id, ' . join(', ', map { $_->[0] } @columns) . ') VALUES (s.fresh, '
	  . join(', ', map { value($table, $_) } @columns) . ')'
	  if rand() < 0.4 && $table !~ /^(pieces|article_tags)$/;
	return {
		sql => "MERGE INTO {$table} AS t USING (VALUES " . join(', ', @source) . ") AS s (id, fresh) ON t.id = s.id AND [t:$table] " . join(' ', @actions),
		errors => 'any',
		counts => 'preloaded' };
}

# Queries, of what is live.
sub query
{
	my ($table) = @_;
	my $other = one_of(script_tables());

	return {
		counts => 'all',
		sql => one_of(
			"SELECT {count_$table}()",
			"SELECT t.id, t.v FROM {all_$table}() AS t WHERE " . condition($table),
			"SELECT count(*), count(u.id) FROM {$table} AS t LEFT JOIN {$other} AS u ON u.n = t.n AND [u:$other] WHERE [t:$table]",
			"SELECT t.id FROM {$table} AS t WHERE [t:$table] AND NOT EXISTS (SELECT FROM {$other} AS u WHERE [u:$other] AND u.v = t.v)",
			"WITH c AS MATERIALIZED (SELECT * FROM {$table} AS t WHERE [t:$table]) SELECT (SELECT count(*) FROM {all_$other}()), sum(n) FROM c") };
}

sub statement
{
	my $table = rand() < 0.1 ? 'strays' : one_of(script_tables());
	my $choice = rand();

	return insertion($table) if $choice < 0.22;
	return update($table) if $choice < 0.5;
	return merge($table) if $choice < 0.58 && $version >= 15;
	return query($table) if $choice < 0.63;
	return deletion($table);
}

sub script
{
	my @items;
	my ($open, $saved) = (0, 0);

	%ids = ();
	$next = 0;
	$calm = rand() < 0.4;
	@which = (one_of(@families));
	push @which, grep { $_ ne $which[0] } one_of(@families) if rand() < 0.3;
	foreach my $table (script_tables(), 'strays')
	{
		my @rows;
		foreach (1 .. ($table =~ /^(roots|tenants|articles|tags|stamps|items)$/ ? 3 : 6))
		{
			my $row = insertion($table);
			if ($row->{rows}) { push @rows, @{ $row->{rows} }; }
			else { push @items, { %$row, silent => 1 }; }
		}
		push @items,
		  {
			sql => "INSERT INTO {$table} (" . join(', ', fields($table)) . ') VALUES ROWS ON CONFLICT DO NOTHING',
			rows => \@rows,
			silent => 1 }
		  if @rows;
	}
	# Parents that are never there fail whole statements: not at the start.
	foreach my $item (@items) { s/\b9999\b/NULL/g foreach @{ $item->{rows} // [] }; }

	foreach (1 .. 6 + int(rand(12)))
	{
		my $choice = rand();

		if (!$open && $choice < 0.15)
		{
			push @items, { sql => one_of('BEGIN', 'BEGIN', 'BEGIN ISOLATION LEVEL REPEATABLE READ'), silent => 1 };
			($open, $saved) = (1, 0);
		}
		elsif ($open && $choice < 0.12)
		{
			push @items, { sql => 'SAVEPOINT s', silent => 1 };
			$saved++;
		}
		elsif ($saved && $choice < 0.28)
		{
			push @items, { sql => 'ROLLBACK TO s' };
		}
		elsif ($saved && $choice < 0.32)
		{
			push @items, { sql => 'RELEASE s', silent => 1 };
			$saved--;
		}
		elsif ($open && $choice < 0.42)
		{
			push @items, { sql => one_of('COMMIT', 'COMMIT', 'ROLLBACK') };
			$open = $saved = 0;
		}
		push @items, statement();
	}
	push @items, { sql => one_of('COMMIT', 'ROLLBACK') } if $open;
	$_->{errors} = 'any' foreach $calm ? () : @items;
	return { items => \@items, which => [@which], needs => join('', map { $_->{needs} // '' } @items) };
}

#
# Running and comparing
#

sub statement_text
{
	my ($item, $schema) = @_;
	my $sql = $item->{sql};

	$sql = $sql->{ $schemas{$schema}{plain} ? 'plain' : 'model' } if ref $sql;
	$sql =~ s/ROWS/join(', ', @{ $item->{rows} })/e if $item->{rows};
	return rendered($sql, $schema) . ';';
}

# The lines of psql for a script in a schema.  "@" marks the end of a
# statement's rows and how it ended, "@@" the end of what is live after it.
sub script_text
{
	my ($script, $schema) = @_;
	my @which = @{ $script->{which} };
	my $text = '';
	my $number = 0;

	foreach my $item (@{ $script->{items} })
	{
		$text .= statement_text($item, $schema) . "\n\\echo '\@' :SQLSTATE :ROW_COUNT\n";
		$text .= join('', map { "EXECUTE live_$_;\n" } @which) if !$item->{silent};
		$text .= "\\echo '\@\@'\n";
	}
	$text .= "ROLLBACK;\n\\echo '\@' 00000 0\n";
	$text .= "SET dtmodel.with_deleted = on;\n" if $schemas{$schema}{hide};
	$text .= join('', map { "EXECUTE dead_$_;\n" } @which);
	$text .= clearing($schema, @which);
	$text .= "RESET dtmodel.with_deleted;\n" if $schemas{$schema}{hide};
	return $text . "\\echo '\@\@'\n\\echo '\@\@\@'\n";
}

# Runs scripts in each of the schemas at once.  Returns for each schema what
# its psql printed, script by script, statement by statement.  They print into
# files: pipes are read one after the other, and would stop all but one of them.
sub run
{
	my ($list, @in) = @_;
	my (%out, @running);

	foreach my $schema (@in)
	{
		my $file = "$folder/$schema";

		open(my $handle, '>', "$file.sql") or die;
		print $handle truncation($schema), preparations($schema), map { script_text($_, $schema) } @$list;
		close($handle);
		local $ENV{PGOPTIONS} = $schemas{$schema}{preload} ? '-c session_preload_libraries=dtmodel' : '';
		push @running,
		  {
			schema => $schema,
			file => $file,
			run => IPC::Run::start(
				[ 'psql', '-XqAt', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('postgres'), '-f', "$file.sql" ],
				'<', \'', '>', "$file.out", '2>', "$file.err") };
	}
	foreach my $running (@running)
	{
		$running->{run}->finish;
		my $out = slurp_file("$running->{file}.out");

		$out{ $running->{schema} } = [ map { [ split /^\@\@\n/m, $_ ] } split /^\@\@\@\n/m, $out ];
		BAIL_OUT("psql of $running->{schema} ended: " . substr(slurp_file("$running->{file}.err"), 0, 2000) . substr($out, -1000))
		  if @{ $out{ $running->{schema} } } != @$list;
	}
	return \%out;
}

# What a statement printed, as far as it has to be the same.
sub comparable
{
	my ($item, $printed, $schema) = @_;
	my $counts = $item->{counts} // 'none';
	my ($rows, $sqlstate, $count, $live) = $printed =~ /\A(.*?)^\@ (\S+) (\d+)\n(.*)\z/ms
	  or return "no end: $printed";

	# What the server itself says of RESTRICT, before PostgreSQL 18, and of a
	# row that MERGE would change twice.
	$sqlstate = '23503' if $sqlstate eq '23001';
	$sqlstate = '21000' if $sqlstate eq '27000';
	$sqlstate = 'an error' if ($item->{errors} // '') eq 'any' && $sqlstate !~ /^(00000|25P02)$/;
	$live =~ s/^\n//mg;
	return "$sqlstate\n$live"
	  if $sqlstate ne '00000' || $counts eq 'none' || $counts eq 'preloaded' && !$schemas{$schema}{counts};
	return join('', "$sqlstate, $count rows\n", (sort split /^/m, $rows), $live);
}

# The first statement after which a schema differs from the plain tables.
sub difference
{
	my ($script, $plain, $model, $schema) = @_;
	my @items = (@{ $script->{items} }, {});

	foreach my $i (0 .. $#items)
	{
		my ($expected, $got) = map { comparable($items[$i], $_ // '', $schema) } ($plain->[$i], $model->[$i]);
		return { at => $i, expected => $expected, got => $got } if $expected ne $got;
	}
	return undef;
}

sub differs
{
	my ($script, $schema) = @_;
	my $out = run([$script], 'plain', $schema);
	return difference($script, $out->{plain}[0], $out->{$schema}[0], $schema);
}

# A shorter script that fails as well: without the statements after the
# failure, then without parts of it, then without rows, or what
# triggers do on their account.
sub shrunk
{
	my ($script, $schema) = @_;
	my $try = sub {
		my ($items) = @_;
		my $smaller = { %$script, items => $items };
		return 0 if !differs($smaller, $schema);
		$script = $smaller;
		return 1;
	};
	my $difference = differs($script, $schema) or return undef;

	$try->([ @{ $script->{items} }[ 0 .. $difference->{at} ] ]) if $difference->{at} < @{ $script->{items} };
	my $size = int(@{ $script->{items} } / 2);
	while ($size >= 1)
	{
		for (my $from = @{ $script->{items} } - $size; $from > -$size; $from -= $size)
		{
			my @items = @{ $script->{items} };
			my $start = $from < 0 ? 0 : $from;
			next if $start > $#items;
			splice(@items, $start, $from < 0 ? $size + $from : $size);
			$try->(\@items);
		}
		$size = int($size / 2);
	}
	foreach my $i (0 .. $#{ $script->{items} })
	{
		my $rows = $script->{items}[$i]{rows} or next;
		my @items = @{ $script->{items} };
		my @plain = map { s/'(?:keep|stay|boom|purge|wipe|mark)'/'a'/r } @$rows;

		$items[$i] = { %{ $items[$i] }, rows => \@plain };
		$try->(\@items) if "@plain" ne "@$rows";
	}
	foreach my $i (0 .. $#{ $script->{items} })
	{
		for (my $row = $#{ $script->{items}[$i]{rows} // [] }; $row >= 0; $row--)
		{
			my @items = @{ $script->{items} };
			my @rows = @{ $items[$i]{rows} };
			next if @rows == 1;
			splice(@rows, $row, 1);
			$items[$i] = { %{ $items[$i] }, rows => \@rows };
			$try->(\@items);
		}
	}
	return $script;
}

# The script as SQL to paste, with the tables that it names.
sub report
{
	my ($script, $schema, $first) = @_;
	my $smaller = shrunk($script, $schema);
	my $options = $schemas{$schema}{preload} ? '-c session_preload_libraries=dtmodel' : '';
	my $difference = $smaller ? differs($smaller, $schema) : $first;

	diag('it does not fail when it is repeated alone') if !$smaller;
	$smaller //= $script;
	my @statements = map { statement_text($_, $schema) } @{ $smaller->{items} };
	my $all = join("\n", @statements);
	my %named = map { $_ => 1 } grep { $all =~ /[._]$_\b/ } @tables;
	my $triggers = $all =~ /'(?:keep|stay|boom|purge|wipe|mark|hop)'/;
	my $wanted = join('|', '{no function}', $all =~ /(\w+_\w+)\(/g, $triggers ? '_' : ());

	# Their parents, and what their triggers write to.
	foreach my $table (reverse @tables)
	{
		$named{ $_->[2] } = 1 foreach $named{$table} ? references($table) : ();
	}
	@named{ 'strays', $version >= 15 ? ('parted', 'pieces') : () } = (1) x 3 if $triggers;
	$named{parted} = 1 if $named{pieces};
	$named{base} = 1 if $named{inheritors};
	my @ddl = map { "$_;" } map { definition($schema, $_, $wanted) } grep { $named{$_} } (qw(strays parted pieces), grep { !/^(strays|parted|pieces)$/ } @tables);

	return join(
		"\n",
		"-- PGOPTIONS='$options' psql; statement " . ($difference->{at} + 1) . ' differs',
		"CREATE EXTENSION IF NOT EXISTS dtmodel; DROP SCHEMA IF EXISTS $schema CASCADE; CREATE SCHEMA $schema; SET search_path = $schema;",
		@ddl, "-- the script", @statements, "-- expected", $difference->{expected}, "-- got", $difference->{got});
}

my $setup = "CREATE EXTENSION dtmodel;\n";
foreach my $schema (sort keys %schemas)
{
	$setup .= "CREATE SCHEMA $schema; SET search_path = $schema;\n" . ($schemas{$schema}{plain} ? bury_function() : '');
	$setup .= join('', map { "$_;\n" } map { definition($schema, $_) } 'strays', @{ $families{parted} }, grep { !/^(strays|parted|pieces)$/ } @tables);
}
$node->safe_psql('postgres', $setup);

my %failed = map { $_ => 0 } @models;
my (%statements, @failures, @invalid);
for (my $done = 0; $done < $scripts; $done += $chunk)
{
	my @list = map { script() } 1 .. ($scripts - $done < $chunk ? $scripts - $done : $chunk);
	my $out = run(\@list, sort keys %schemas);

	foreach my $i (0 .. $#list)
	{
		my $printed = $out->{plain}[$i];
		foreach my $item (0 .. $#$printed)
		{
			my ($sqlstate) = $printed->[$item] =~ /^\@ (\S+)/m;
			$statements{$sqlstate}++;
			push @invalid, statement_text($list[$i]{items}[$item], 'plain') if $sqlstate =~ /^42/;
		}
		foreach my $schema (@models)
		{
			next if $list[$i]{needs} && !$schemas{$schema}{counts};
			my $difference = difference($list[$i], $out->{plain}[$i], $out->{$schema}[$i], $schema) or next;
			push @failures, [ $list[$i], $schema, $difference ]
			  if $failed{$schema}++ < $reported_scripts;
		}
	}
	$campaign->progress($done + @list);
}

$campaign->found(@models * sum(values %statements) . ' statements on models');
note 'statements by SQLSTATE: ', join(', ', map { "$_ $statements{$_}" } sort keys %statements);
# A tenth of the scripts may do without the rarest.
foreach my $sqlstate (qw(00000 23503 23505 23514 P0001 25P02), $scripts < 600 ? () : '22012')
{
	cmp_ok($statements{$sqlstate} // 0, '>', 0, "some statements end with $sqlstate");
}
is(join("\n", @invalid), '', 'all statements are valid');
foreach my $schema (@models)
{
	is($failed{$schema}, 0, "$schema: live rows are those of plain tables, seed $seed");
}
foreach my $failure (@failures)
{
	diag("in $failure->[1]:\n" . report(@$failure));
}

$node->stop;
done_testing();
