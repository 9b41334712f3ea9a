# A restore undoes a deletion, as the README describes it.
#
# Random rows in trees, diamonds, cycles of tables, tables that reference
# themselves, association tables and partitions are deleted by random
# transactions, some of them as an ORM does it, table by table, children first.
# Then rows are restored.  Which rows come back with the one that is asked for
# is worked out here from what the tables held before, and must be just that:
# of the rows below it that carry its deleted_at, the greatest set in which each
# row's parents are live or in the set.  When the deletions have been undone, in
# whatever order, everything is as it was.
#
# A script that fails is cut down to what it takes.
use strict;
use warnings;

use Campaign;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $campaign = Campaign->new(scripts => 200);
my $scripts = $campaign->size;
my $seed = $campaign->seed;
my $reported_scripts = 1;

my $node = PostgreSQL::Test::Cluster->new('restore_oracle');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "autovacuum = off\nclient_min_messages = error\nTimeZone = 'UTC'");
$node->start;

# The tables, parents first, where there is a first.  "key" are the columns of
# the primary key, "references" the foreign keys: columns, table, action.  A
# row needs parents that are live along CASCADE and RESTRICT, and where
# require_live_parent says so ("live").
my @tables = (
	{ name => 'tenants', key => ['id'] },
	{ name => 'users', key => ['id'], references => [ [ ['tenant'], 'tenants', 'CASCADE' ] ], more => 'code text', unique => 1 },
	{ name => 'projects', key => ['id'], references => [ [ ['tenant'], 'tenants', 'CASCADE' ] ], live => 'active' },
	{ name => 'tasks', key => ['id'], references => [ [ ['project'], 'projects', 'CASCADE' ] ], live => 'time' },
	{
		name => 'comments', key => ['id'],
		references => [ [ ['author'], 'users', 'CASCADE' ], [ ['task'], 'tasks', 'CASCADE' ] ] },
	{ name => 'tags', key => ['id'] },
	{
		name => 'comment_tags', key => [ 'comment', 'tag' ],
		references => [ [ ['comment'], 'comments', 'CASCADE' ], [ ['tag'], 'tags', 'CASCADE' ] ] },
	{ name => 'guards', key => ['id'], references => [ [ ['project'], 'projects', 'RESTRICT' ] ] },
	{
		name => 'loans', key => ['id'],
		references => [ [ ['task'], 'tasks', 'NO ACTION' ], [ ['owner'], 'users', 'CASCADE' ] ] },
	{ name => 'memos', key => ['id'], references => [ [ ['task'], 'tasks', 'SET NULL', 'live' ] ] },
	{
		name => 'nodes', key => ['id'],
		references => [ [ ['parent'], 'nodes', 'CASCADE' ], [ ['root'], 'nodes', 'CASCADE' ] ] },
	{ name => 'a', key => ['id'], references => [ [ ['b'], 'b', 'CASCADE' ] ], late => 1 },
	{ name => 'b', key => ['id'], references => [ [ ['a'], 'a', 'CASCADE' ] ] },
	{ name => 'orders', key => [ 'x', 'y' ], by => 'PARTITION BY LIST (y)' },
	{ name => 'lines', key => ['id'], references => [ [ [ 'x', 'y' ], 'orders', 'CASCADE' ] ] },
	{ name => 'line_notes', key => ['id'], references => [ [ ['line'], 'lines', 'SET NULL' ] ] });
my %table = map { $_->{name} => $_ } @tables;

# The models in two schemas, and the sessions that work on them.
my %tiers = (
	trigger => { schema => 'shown' },
	preloaded => { schema => 'shown', preload => 1 },
	hidden => { schema => 'hidden', preload => 1, hide => 1 });
my @tiers = sort keys %tiers;

sub foreign_key
{
	my ($reference) = @_;
	my ($columns, $parent, $action) = @$reference;
	return 'FOREIGN KEY (' . join(', ', @$columns) . ") REFERENCES $parent ON DELETE $action";
}

sub definitions
{
	my ($hide) = @_;
	my @sql;

	foreach my $t (@tables)
	{
		my %columns = map { $_ => 1 } @{ $t->{key} }, map { @{ $_->[0] } } @{ $t->{references} // [] };
		my @foreign = $t->{late} ? () : map { foreign_key($_) } @{ $t->{references} // [] };

		push @sql, "CREATE TABLE $t->{name} (" . join(', ', (map { "$_ int" } sort keys %columns), 'v text', $t->{more} // (),
			'PRIMARY KEY (' . join(', ', @{ $t->{key} }) . ')', @foreign) . ') ' . ($t->{by} // '');
		push @sql, map { "CREATE TABLE $t->{name}_$_ PARTITION OF $t->{name} FOR VALUES IN ($_)" } $t->{by} ? (1 .. 3) : ();
	}
	foreach my $t (grep { $_->{late} } @tables)
	{
		push @sql, map { "ALTER TABLE $t->{name} ADD " . foreign_key($_) } @{ $t->{references} };
	}
	foreach my $t (@tables)
	{
		push @sql, "SELECT dtmodel.add_soft_delete('$t->{name}'"
		  . { flag => '', time => ', flag => NULL', active => ", flag => 'active', flag_means => 'live'" }->{ $t->{live} // 'flag' }
		  . ($hide ? ', hide => true)' : ')');
	}
	foreach my $t (@tables)
	{
		push @sql, "SELECT dtmodel.unique_live('$t->{name}', 'code')" if $t->{unique};
		push @sql, map { "SELECT dtmodel.require_live_parent('$t->{name}', " . join(', ', map { "'$_'" } @{ $_->[0] }) . ')' }
		  grep { $_->[3] } @{ $t->{references} // [] };
	}
	return join('', map { "$_;\n" } @sql);
}

foreach my $schema (sort { $a cmp $b } map { $tiers{$_}{schema} } qw(trigger hidden))
{
	$node->safe_psql('postgres',
		"CREATE EXTENSION IF NOT EXISTS dtmodel; CREATE SCHEMA $schema; SET search_path = $schema;\n" . definitions($schema eq 'hidden'));
}

#
# Sessions
#

sub connection
{
	my ($schema, $options) = @_;
	my %session = (in => '', out => '', err => '');

	local $ENV{PGOPTIONS} = "-c search_path=$schema $options";
	$session{run} = IPC::Run::start(
		[ 'psql', '-XqAt', '-F', '|', '-d', $node->connstr('postgres') ],
		'<', \$session{in}, '>', \$session{out}, '2>', \$session{err});
	return \%session;
}

# A session of a tier, with one that reads all rows, and one that deletes them
# for good.
sub session
{
	my ($tier) = @_;
	my $schema = $tiers{$tier}{schema};
	my $session = connection($schema, $tiers{$tier}{preload} ? '-c session_preload_libraries=dtmodel' : '');

	$session->{tier} = $tier;
	$session->{hide} = $tiers{$tier}{hide};
	$session->{reader} = connection($schema, '');
	$session->{cleaner} = connection($schema, '-c session_replication_role=replica');
	return $session;
}

# Runs SQL; returns its rows and the SQLSTATE of the last statement.
sub ask
{
	my ($session, $sql) = @_;

	$session->{out} = $session->{err} = '';
	$session->{in} .= "$sql\n\\echo '\@\@' :SQLSTATE\n";
	$session->{run}->pump until $session->{out} =~ /^\@\@ \S+\n\z/m || !$session->{run}->pumpable;
	BAIL_OUT("a session ended at $sql: $session->{err}") if !$session->{run}->pumpable;
	$session->{out} =~ s/^\@\@ (\S+)\n\z//m;
	return ($session->{out}, $1);
}

#
# What the tables hold, and what a restore makes of it
#

sub key_text { my (@columns) = @_; return join(" || ',' || ", map { "$_\::text" } @columns); }

my $state_query = join(' UNION ALL ', map {
	my $t = $_;
	my @references = map { 'coalesce(' . key_text(@{ $_->[0] }) . ", '')" } @{ $t->{references} // [] };
	"SELECT '$t->{name}', " . key_text(@{ $t->{key} }) . ", coalesce(deleted_at::timestamptz::text, ''), "
	  . 'concat_ws(\';\', ' . join(', ', "''", @references) . '), v' . ($t->{unique} ? ', code' : ", NULL")
	  . " FROM $t->{name}"
} @tables) . ';';

# Of a row: its table and key, deleted_at, parents (of each foreign key, undef
# where it is null), the line that says all of it.
sub state
{
	my ($session) = @_;
	my $reader = $session->{reader};
	my ($out) = ask($reader, ($reader->{prepared}++ ? '' : "PREPARE rows AS $state_query\n") . 'EXECUTE rows;');
	my %state;

	foreach my $line (split /\n/, $out)
	{
		my ($name, $key, $deleted_at, $references, $v, $code) = split /\|/, $line, -1;
		my @references = split /;/, $references, -1;

		shift @references;
		$state{"$name:$key"} = {
			table => $name,
			key => $key,
			deleted_at => $deleted_at,
			code => $code,
			line => $line,
			parents => [ map { $references[$_] eq '' ? undef : "$table{$name}{references}[$_][1]:$references[$_]" } 0 .. $#references ] };
	}
	return \%state;
}

sub text { my ($state) = @_; return join("\n", sort map { $_->{line} } values %$state); }

# The parents without which a row cannot be live.
sub needed
{
	my ($row, $by_deletion) = @_;
	my $references = $table{ $row->{table} }{references} // [];

	return map { $row->{parents}[$_] } grep {
		defined $row->{parents}[$_] && (!$by_deletion && $references->[$_][3] || $references->[$_][2] =~ /CASCADE|RESTRICT/)
	} 0 .. $#$references;
}

# Live rows under deleted parents.  A foreign key that is neither CASCADE nor
# RESTRICT leaves them so when the parent is deleted.
sub orphans
{
	my ($state) = @_;
	return grep {
		my $row = $state->{$_};
		$row->{deleted_at} eq '' && grep { $state->{$_}{deleted_at} ne '' } needed($row, 'by deletion')
	} sort keys %$state;
}

# The rows with the same deleted_at as one that are at or below some of them,
# along every foreign key.
sub below
{
	my ($state, @from) = @_;
	my %in = map { $_ => 1 } @from;
	my $more = 1;

	while ($more)
	{
		$more = 0;
		foreach my $id (sort keys %$state)
		{
			my $row = $state->{$id};
			next if $in{$id} || $row->{deleted_at} ne $state->{ $from[0] }{deleted_at};
			next if !grep { defined $_ && $in{$_} } @{ $row->{parents} };
			$in{$id} = $more = 1;
		}
	}
	return \%in;
}

# The rows that come back.
sub restorable
{
	my ($state, @from) = @_;
	my $in = below($state, @from);
	my $less = 1;

	while ($less)
	{
		$less = 0;
		foreach my $id (sort keys %$in)
		{
			next if !grep { $state->{$_}{deleted_at} ne '' && !$in->{$_} } needed($state->{$id});
			delete $in->{$id};
			$less = 1;
		}
	}
	return $in;
}

# Whether rows that come back have a code that a live row has, or another.
sub duplicate
{
	my ($state, $in) = @_;
	my %codes;

	foreach my $id (keys %$state)
	{
		my $row = $state->{$id};
		return 1
		  if $row->{table} eq 'users' && $row->{code} ne '' && ($in->{$id} || $row->{deleted_at} eq '') && $codes{ $row->{code} }++;
	}
	return 0;
}

# Few of the rows of a deletion, below which are all the others: those
# without a parent in it, then one of each cycle.
sub roots
{
	my ($state, @rows) = @_;
	my %left = map { $_ => 1 } @rows;
	my @roots;

	while (%left)
	{
		my $id = (sort keys %left)[0];
		my %seen;
		while (!$seen{$id}++)
		{
			my ($parent) = grep { defined $_ && $left{$_} && $_ ne $id } @{ $state->{$id}{parents} };
			$id = $parent if defined $parent && !$seen{$parent};
		}
		push @roots, $id;
		delete @left{ keys %{ below($state, $id) } };
	}
	return @roots;
}

#
# Scripts.  A script is a list of actions that make sense in any order and
# number, so that it can be shrunk:
#   [ 'row', SQL ]             a row to begin with
#   [ 'delete', end, SQL ...]  a transaction, and how it ends
#   [ 'restore', number, how]  an attempt to restore some row
#   [ 'duplicate', number]     a live row with the code of a deleted one
#   [ 'undo', number ]         the deletions, in an order
#

sub one_of { return $_[ int(rand(@_)) ]; }

sub where
{
	my ($name, $key) = @_;
	my @values = split /,/, $key;
	return join(' AND ', map { "t.$table{$name}{key}[$_] = $values[$_]" } 0 .. $#values);
}

sub script
{
	my (@actions, %keys);
	my @late;
	my @order;
	my $number = 0;

	foreach my $t (@tables)
	{
		next if rand() < 0.2 && $t->{name} ne 'tenants';
		my %used;
		foreach my $i (1 .. ($t->{name} =~ /tenants|projects|tags|^[ab]$/ ? 2 : 3 + int(rand(3))))
		{
			my %row = (v => "'v$i'");
			my $parents = 1;

			$number++;
			$row{$_} = $number foreach grep { $_ eq 'id' || $_ eq 'x' } @{ $t->{key} };
			$row{y} = one_of(1 .. 3) if $t->{by};
			$row{code} = "'c$number'" if $t->{unique};
			foreach my $reference (@{ $t->{references} // [] })
			{
				my ($columns, $parent) = @$reference;
				my @known = @{ $keys{$parent} // [] };
				my $required = grep { $_ eq $columns->[0] } @{ $t->{key} };

				push @known, $number if $parent eq $t->{name};
				if (!@known || !$required && rand() < 0.12)
				{
					$parents = 0 if $required;
					next;
				}
				my @values = split /,/, one_of(@known);
				@row{@$columns} = @values;
			}
			next if !$parents;
			my $key = join(',', map { $row{$_} } @{ $t->{key} });
			next if $used{$key}++;
			push @{ $keys{ $t->{name} } }, $key;
			push @order, [ $t->{name}, $key ];
			my @columns = sort keys %row;
			push @actions, [ 'row', "INSERT INTO $t->{name} (" . join(', ', @columns) . ') VALUES (' . join(', ', @row{@columns}) . ');' ];
		}
	}
	# The second half of cycles.
	foreach my $i (0 .. 1)
	{
		push @actions, [ 'row', "UPDATE a SET b = " . one_of(@{ $keys{b} }) . ' WHERE id = ' . one_of(@{ $keys{a} }) . ';' ]
		  if $keys{a} && $keys{b};
		push @actions, [ 'row', 'UPDATE nodes SET ' . one_of('parent', 'root') . ' = ' . one_of(@{ $keys{nodes} }) . ' WHERE id = ' . one_of(@{ $keys{nodes} }) . ';' ]
		  if $keys{nodes};
	}

	foreach (1 .. 1 + int(rand(4)))
	{
		my @statements;
		if (rand() < 0.4)
		{
			# As an ORM does it: some of each table, from the last.
			my %chosen;
			push @{ $chosen{ $_->[0] } }, $_->[1] foreach grep { rand() < 0.3 } @order;
			foreach my $name (map { $_->{name} } reverse @tables)
			{
				push @statements, "DELETE FROM $name AS t WHERE " . join(' OR ', map { '(' . where($name, $_) . ')' } @{ $chosen{$name} }) . ';'
				  if $chosen{$name};
			}
		}
		else
		{
			push @statements, map {
				my ($name, $key) = @{ one_of(@order) };
				my $where = where($name, $key);
				one_of(
					"DELETE FROM $name AS t WHERE $where;", "DELETE FROM $name AS t WHERE $where;",
					"SELECT count(dtmodel.soft_delete(t)) FROM $name AS t WHERE $where;", flag_text($name, 1) . " WHERE $where;",
					"SAVEPOINT s; DELETE FROM $name AS t WHERE $where; ROLLBACK TO s;")
			} 1 .. 1 + int(rand(3));
		}
		push @actions, [ 'delete', rand() < 0.9 ? 'COMMIT' : 'ROLLBACK', @statements ];
		push @actions, [ 'duplicate', int(rand(1000)), int(rand(7)) ] if rand() < 0.15;
		push @actions, [ 'restore', int(rand(1000)), int(rand(7)) ] if rand() < 0.5;
	}
	push @actions, [ 'undo', int(rand(1000000)) ];
	return \@actions;
}

# An UPDATE of the flag.
sub flag_text
{
	my ($name, $delete) = @_;
	my $live = $table{$name}{live} // 'flag';

	return "UPDATE $name AS t SET "
	  . { flag => 'is_deleted = ' . ($delete ? 'true' : 'false'), active => 'active = ' . ($delete ? 'false' : 'true'), time => 'deleted_at = ' . ($delete ? "'2001-01-01'" : 'NULL') }->{$live};
}

# SQL that restores a row, or in some ways all of its deletion's in its table.
sub restoring
{
	my ($session, $row, $how) = @_;
	my ($name, $key) = ($row->{table}, $row->{key});
	my $where = where($name, $key);
	my @values = split /,/, $key;
	my $id = @values == 1 ? $key : "jsonb_build_object(" . join(', ', map { "'$table{$name}{key}[$_]', $values[$_]" } 0 .. $#values) . ')';
	my $same = "t.deleted_at = '$row->{deleted_at}'";

	return (1, "SELECT dtmodel.restore_deletion(NULL::$name, '$row->{deleted_at}');") if $how == 1;
	return (0, "SELECT count(dtmodel.restore(NULL::$name, $id));") if $how == 2;
	return (0, "SELECT count(dtmodel.restore(t)) FROM dtmodel.get_deleted(NULL::$name) AS t WHERE $where;") if $how == 3 || $session->{hide} && $how != 0;
	return (0, flag_text($name, 0) . " WHERE $where;") if $how == 4 && !$session->{hide};
	return (1, flag_text($name, 0) . " WHERE $same;") if $how == 5 && !$session->{hide};
	return (0, "SELECT count(dtmodel.restore(NULL::$name, $id));") if $session->{hide};
	return (0, "SELECT count(dtmodel.restore(t)) FROM $name AS t WHERE $where;");
}

# Restores a row; returns what was wrong with that.
my %seen = map { $_ => 0 } ('alone', 'with others', 'while others wait', 'refused with 23503', 'refused with 23505');

sub check_restore
{
	my ($session, $log, $id, $how) = @_;
	my $before = state($session);
	my $row = $before->{$id};
	my ($whole, $sql) = restoring($session, $row, $how);
	my @asked = $whole ? grep { $before->{$_}{table} eq $row->{table} && $before->{$_}{deleted_at} eq $row->{deleted_at} } sort keys %$before : $id;
	my $in = restorable($before, @asked);
	my %allowed;

	push @$log, $sql;
	$allowed{23503} = 1 if grep { !$in->{$_} } @asked;
	$allowed{23505} = 1 if duplicate($before, %allowed ? below($before, @asked) : $in);
	my (undef, $sqlstate) = ask($session, $sql);
	my $after = state($session);

	if (%allowed)
	{
		return "SQLSTATE $sqlstate, expected " . join(' or ', sort keys %allowed) if !$allowed{$sqlstate};
		return "failed, and changed rows:\n" . text($after) if text($after) ne text($before);
		$seen{"refused with $sqlstate"}++;
		return;
	}
	return "SQLSTATE $sqlstate: $session->{err}" if $sqlstate ne '00000';

	my @expected = sort keys %$in;
	my @got = grep { $before->{$_}{deleted_at} ne '' && $after->{$_}{deleted_at} eq '' } sort keys %$before;
	my @gone = grep { $before->{$_}{deleted_at} eq '' && $after->{$_}{deleted_at} ne '' } sort keys %$before;
	my @orphans = orphans($after);

	return "came back: @got\nexpected:  @expected" if "@got" ne "@expected";
	return "deleted: @gone" if @gone;
	return "live rows under deleted ones: @orphans" if @orphans;
	$seen{ @expected < keys %{ below($before, @asked) } ? 'while others wait' : @expected > 1 ? 'with others' : 'alone' }++;
	return;
}

# A deletion: its rows have the transaction's time, and no other row changes.
sub check_delete
{
	my ($session, $log, $end, @statements) = @_;
	my $before = state($session);

	push @$log, 'BEGIN;', @statements, "$end;";
	my ($now) = ask($session, 'BEGIN; SELECT now();');
	chomp $now;
	foreach my $statement (@statements)
	{
		my (undef, $sqlstate) = ask($session, $statement);
		next if $sqlstate eq '00000';
		ask($session, 'ROLLBACK;');
		return $sqlstate eq '23001' || $sqlstate eq '25P02' ? () : "SQLSTATE $sqlstate: $session->{err}";
	}
	ask($session, "$end;");

	my $after = state($session);
	my @orphans = orphans($after);
	return "live rows under deleted ones: @orphans" if @orphans;
	return 'rows are gone' if keys %$after != keys %$before;
	foreach my $id (sort keys %$after)
	{
		my ($old, $new) = ($before->{$id}{deleted_at}, $after->{$id}{deleted_at});
		return "$id was deleted at $new, not $now" if $old eq '' && $new ne '' && $new ne $now;
		return "$id was deleted at $old, now $new" if $old ne '' && $new ne $old;
	}
	return;
}

# Restores the roots of each deletion, the deletions in a random order, again
# while there are parents to wait for; then all is as it was.
sub check_undo
{
	my ($session, $log, $number, $original) = @_;
	my $before = state($session);
	my %deletions;

	push @{ $deletions{ $before->{$_}{deleted_at} } }, $_ foreach grep { $before->{$_}{deleted_at} ne '' } sort keys %$before;
	my @queue = map { [ roots($before, @{ $deletions{$_} }) ] } sort { ($number * ord(substr($a, -1))) % 7 <=> ($number * ord(substr($b, -1))) % 7 || ($number % 2 ? $a cmp $b : $b cmp $a) } keys %deletions;
	my $progress = 1;
	while (@queue && $progress)
	{
		my @later;
		$progress = 0;
		foreach my $roots (@queue)
		{
			my @blocked;
			foreach my $id (@$roots)
			{
				my $now = state($session);
				next if $now->{$id}{deleted_at} eq '';
				if (!restorable($now, $id)->{$id})
				{
					push @blocked, $id;
					next;
				}
				my $failure = check_restore($session, $log, $id, (0, 2, 3, 4)[ $number++ % 4 ]);
				return $failure if $failure;
				$progress = 1;
			}
			push @later, \@blocked if @blocked;
		}
		@queue = @later;
	}
	my $after = text(state($session));
	return if $after eq $original;
	my %same = map { $_ => 1 } split /\n/, $original;
	return "not as before all deletions:\n" . join("\n", grep { !$same{$_} } split /\n/, $after);
}

# Runs a script.  Returns what went wrong, and the SQL until then.
sub run
{
	my ($session, $actions) = @_;
	my @log;
	my ($failure, $original);

	ask($session->{cleaner}, join("\n", map { "DELETE FROM $_->{name};" } @tables));
	foreach my $action (@$actions)
	{
		my ($what, @how) = @$action;
		my $state = $what eq 'row' ? {} : state($session);
		my @deleted = grep { $state->{$_}{deleted_at} ne '' } sort keys %$state;

		$original //= text($state) if $what ne 'row';
		if ($what eq 'row')
		{
			push @log, $how[0];
			ask($session, $how[0]);
		}
		elsif ($what eq 'delete')
		{
			$failure = check_delete($session, \@log, @how);
		}
		elsif ($what eq 'restore' && @deleted)
		{
			$failure = check_restore($session, \@log, $deleted[ $how[0] % @deleted ], $how[1]);
		}
		elsif ($what eq 'duplicate' and my @users = grep { /^users/ } @deleted)
		{
			my $user = $users[ $how[0] % @users ];
			push @log, "INSERT INTO users (id, code) VALUES (1000, '$state->{$user}{code}');";
			ask($session, $log[-1]);
			$failure = check_restore($session, \@log, $user, $how[1]);
		}
		elsif ($what eq 'undo')
		{
			ask($session->{cleaner}, 'DELETE FROM users WHERE id = 1000;');
			$failure = check_undo($session, \@log, $how[0], $original);
		}
		last if $failure;
	}
	return ($failure, \@log);
}

sub shrunk
{
	my ($session, $actions) = @_;
	my $size = int(@$actions / 2);

	while ($size >= 1)
	{
		for (my $from = @$actions - $size; $from > -$size; $from -= $size)
		{
			my @fewer = @$actions;
			my $start = $from < 0 ? 0 : $from;
			next if $start > $#fewer;
			splice(@fewer, $start, $from < 0 ? $size + $from : $size);
			my ($failure) = run($session, \@fewer);
			$actions = \@fewer if $failure;
		}
		$size = int($size / 2);
	}
	foreach my $i (0 .. $#$actions)
	{
		next if $actions->[$i][0] ne 'delete';
		for (my $at = $#{ $actions->[$i] }; $at >= 2; $at--)
		{
			my @fewer = @$actions;
			$fewer[$i] = [ @{ $fewer[$i] } ];
			splice(@{ $fewer[$i] }, $at, 1);
			my ($failure) = run($session, \@fewer);
			$actions = \@fewer if $failure;
		}
	}
	return $actions;
}

my %sessions = map { $_ => session($_) } @tiers;
my %failed = map { $_ => 0 } @tiers;
my %done = map { $_ => 0 } @tiers;
my @failures;

foreach my $number (1 .. $scripts)
{
	my $tier = $tiers[ $number % @tiers ];
	my $actions = script();

	$done{$tier}++;
	my ($failure) = run($sessions{$tier}, $actions);
	$campaign->progress($number);
	next if !$failure;
	push @failures, [ $sessions{$tier}, $actions, $failure ] if $failed{$tier}++ < $reported_scripts;
}

cmp_ok($seen{$_}, '>', 0, "rows were restored $_") foreach sort grep { !/^refused/ } keys %seen;
cmp_ok($seen{$_}, '>', 0, "restores were $_") foreach sort grep { /^refused/ } keys %seen;
foreach my $tier (@tiers)
{
	cmp_ok($done{$tier}, '>', 0, "$tier: there were scripts");
	is($failed{$tier}, 0, "$tier: restores bring back what they must, seed $seed");
}
foreach my $reported (@failures)
{
	my ($session, $actions, $first) = @$reported;
	my $fewer = shrunk($session, $actions);
	my ($failure, $log) = run($session, $fewer);

	diag("in $session->{tier}:\n" . definitions($session->{hide}) . "-- the script\n" . join("\n", @$log) . "\n-- " . ($failure // "no failure when repeated; was: $first"));
}
foreach my $session (map { ($_, $_->{reader}, $_->{cleaner}) } values %sessions)
{
	$session->{in} .= "\\q\n";
	$session->{run}->finish;
}

$node->stop;
done_testing();
