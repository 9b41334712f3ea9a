
# pg_upgrade takes a database with models to another cluster, and nothing of
# them is lost: rows, their past, settings and triggers.
#
# It takes the objects of the extension over one by one, and the library may be
# loaded meanwhile.  So a cluster without the library preloaded is upgraded to
# one with it, by links, and that one to a third without it, by copies.
#
# With the environment variable "oldinstall", the first cluster is of that
# installation, which has a bin folder and needs dtmodel too, as in the server's
# own test of pg_upgrade:
#
#   make installcheck REGRESS= ISOLATION= PROVE_TESTS=test/t/pg_upgrade.pl oldinstall=/usr/lib/postgresql/15

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $oldinstall = $ENV{oldinstall};
my ($bindir) = run_command([ 'pg_config', '--bindir' ]);

plan skip_all => "$bindir has no pg_upgrade" if !-x "$bindir/pg_upgrade";

my $dir = PostgreSQL::Test::Utils::tempdir();

# Not all majors have the same default for checksums.
sub cluster
{
	my ($name, $preloads, %params) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name, %params);

	$node->init(extra => [ '--encoding=UTF8', '--locale=C', '--data-checksums' ]);
	$node->append_conf('postgresql.conf', "TimeZone = 'UTC'\njit = off");
	$node->append_conf('postgresql.conf', "session_preload_libraries = 'dtmodel'")
	  if $preloads;
	return $node;
}

my $node = cluster('former', 0, $oldinstall ? (install_path => $oldinstall) : ());

# Transaction identifiers that do not fit into 32 bits.
my $bin = $oldinstall ? "$oldinstall/bin" : $bindir;
command_ok([ "$bin/pg_resetwal", '-e', '5', $node->data_dir ],
	'transaction identifiers have wrapped around five times');
$node->start;

###
# A database with models that have a past
###
my $quoted = q("other; schema"."a ""table"".x");

$node->safe_psql('postgres', 'CREATE ROLE ann; CREATE ROLE bob; CREATE DATABASE source');
$node->safe_psql(
	'source', qq(
	CREATE EXTENSION dtmodel;
	CREATE TABLE moments (n int, at timestamptz);
	CREATE TABLE transactions (name text, id xid8);

	-- All mixins, in another schema and of another role.
	CREATE SCHEMA app AUTHORIZATION ann;
	SET ROLE ann;
	CREATE TABLE app.people (gone int, id int PRIMARY KEY, name text NOT NULL,
							 password text, note text);
	ALTER TABLE app.people DROP COLUMN gone;
	SELECT dtmodel.add_timestamps('app.people', clock => 'clock'),
		   dtmodel.add_soft_delete('app.people', protect_truncate => true),
		   dtmodel.add_settings('app.people', '{theme}'),
		   dtmodel.add_audit('app.people'),
		   dtmodel.add_slug('app.people', 'name'),
		   dtmodel.add_version('app.people'),
		   dtmodel.add_history('app.people', exclude => '{password}');
	GRANT USAGE ON SCHEMA app TO bob;
	GRANT SELECT ON app.people, app.people_history TO bob;
	REVOKE EXECUTE ON FUNCTION app.people_as_of FROM PUBLIC;
	RESET ROLE;
	ALTER TABLE app.people ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON app.people TO bob USING (name = 'bob');
	CREATE POLICY own ON app.people_history TO bob USING (name = 'bob');

	-- References, and rules for live rows.
	CREATE TABLE orders (id int PRIMARY KEY, person int NOT NULL REFERENCES app.people ON DELETE CASCADE,
						 amount numeric, extra text);
	SELECT dtmodel.add_timestamps('orders'), dtmodel.add_soft_delete('orders', hide => true),
		   dtmodel.add_history('orders');
	SELECT dtmodel.unique_live('orders', 'person', 'amount'),
		   dtmodel.require_live_parent('orders', 'person');

	-- Names that have to be quoted.
	CREATE SCHEMA "other; schema";
	CREATE TABLE $quoted ("primary key" text PRIMARY KEY, "a, 'b'" text);
	SELECT dtmodel.add_timestamps(t, 'made "at"', 'changed, ''at'''), dtmodel.add_history(t)
	FROM (SELECT '$quoted'::regclass) AS q (t);

	-- Partitions, one of which has its columns in another order.
	CREATE TABLE events (id int, region text, note text, PRIMARY KEY (id, region))
		PARTITION BY LIST (region);
	CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
	CREATE TABLE events_b (note text, gone int, region text NOT NULL, id int NOT NULL);
	ALTER TABLE events_b DROP COLUMN gone;
	ALTER TABLE events ATTACH PARTITION events_b FOR VALUES IN ('b');
	CREATE TABLE events_c PARTITION OF events FOR VALUES IN ('c') PARTITION BY LIST (id);
	CREATE TABLE events_c1 PARTITION OF events_c FOR VALUES IN (1);
	SELECT dtmodel.add_timestamps('events'), dtmodel.add_soft_delete('events'),
		   dtmodel.add_history('events');

	-- Inheritance.
	CREATE TABLE vehicles (id int PRIMARY KEY, name text);
	CREATE TABLE cars (seats int, PRIMARY KEY (id)) INHERITS (vehicles);
	SELECT dtmodel.add_timestamps('vehicles'), dtmodel.add_history('vehicles');

	-- One whose past is kept, but not written any more, and one that is dropped.
	CREATE TABLE former (id int PRIMARY KEY, name text);
	CREATE TABLE dropped (LIKE former INCLUDING ALL);
	SELECT dtmodel.add_timestamps('former'), dtmodel.add_history('former'),
		   dtmodel.add_timestamps('dropped'), dtmodel.add_history('dropped');

	-- A trigger that fires always, and switches of a role and of a database.
	ALTER TABLE orders ENABLE ALWAYS TRIGGER zz_dtmodel_soft_delete;
	ALTER ROLE bob SET dtmodel.actor = 'bob, by default';
	ALTER DATABASE source SET dtmodel.actor = 'anyone';
	REVOKE EXECUTE ON FUNCTION dtmodel.set_actor(text) FROM PUBLIC;
));

my $moment = 0;

# Each statement is a transaction of its own, so that times differ.
sub change
{
	my ($name, $sql) = @_;

	$node->safe_psql(
		'source', qq(
		SET dtmodel.with_deleted = on;
		BEGIN;
		INSERT INTO transactions VALUES ('$name', pg_current_xact_id());
		$sql;
		COMMIT;
		INSERT INTO moments VALUES ($moment, clock_timestamp());));
	$moment++;
	return;
}

change('insert', qq(
	INSERT INTO app.people (id, name, password) VALUES (1, 'ann', 'x'), (2, 'bob', 'y'), (3, 'ann', 'z');
	INSERT INTO orders SELECT i, 1 + i % 3, i FROM generate_series(1, 9) AS i;
	INSERT INTO $quoted VALUES ('k', 'v'), ('l', 'w');
	INSERT INTO events SELECT 1, region, 'new' FROM unnest('{a,b,c}'::text[]) AS region;
	INSERT INTO vehicles (id, name) VALUES (1, 'bus');
	INSERT INTO cars (id, name, seats) VALUES (2, 'car', 4);
	INSERT INTO former VALUES (1, 'x');
	INSERT INTO dropped VALUES (1, 'x')));
change('update', qq(
	SET LOCAL dtmodel.actor = 'ann';
	UPDATE app.people SET name = name || '!', password = 'changed';
	UPDATE orders SET amount = amount * 10 WHERE id <= 4;
	UPDATE $quoted SET "a, 'b'" = upper("a, 'b'");
	UPDATE events SET note = 'old';
	UPDATE vehicles SET name = upper(name);
	UPDATE former SET name = 'y';
	UPDATE dropped SET name = 'y'));
change('delete', qq(
	DELETE FROM app.people WHERE id = 2;
	DELETE FROM orders WHERE id = 3;
	DELETE FROM $quoted WHERE "primary key" = 'l';
	UPDATE events SET region = 'b', id = 2 WHERE region = 'a';
	DELETE FROM vehicles WHERE id = 2));
change('schema', q(
	SELECT dtmodel.remove_history('former');
	UPDATE former SET name = 'unseen';
	DROP TABLE dropped;
	ALTER TABLE app.people RENAME note TO remark;
	ALTER TABLE app.people ADD COLUMN age int;
	ALTER TABLE app.people ALTER age TYPE text USING age || ' years';
	ALTER TABLE orders DROP COLUMN extra;
	ALTER TABLE orders ADD COLUMN extra int DEFAULT 7;
	SELECT dtmodel.create_live_view('orders');
	ALTER TABLE vehicles ADD COLUMN wheels int));
change('more', qq(
	UPDATE app.people SET age = '30 years', remark = 'r' WHERE id = 1;
	UPDATE orders SET extra = 8 WHERE id >= 8;
	UPDATE vehicles SET wheels = 4;
	SET LOCAL dtmodel.hard_delete = on;
	DELETE FROM orders WHERE id = 7;
	TRUNCATE events_c1));
change('restore', q(SELECT dtmodel.restore(o) FROM orders AS o WHERE id = 3));

###
# What is compared
###

# Runs each row of a query as a query, and returns their results.
sub each_of
{
	my ($what, $generator) = @_;
	my $queries = $node->safe_psql('source', $generator);
	my ($out, $err) = ('', '');

	$node->psql('source', "SET dtmodel.with_deleted = on;\n$queries",
		stdout => \$out, stderr => \$err, on_error_stop => 1);
	is($err, '', "$what: no error");
	isnt($out, '', "$what: and something to compare");
	return $out;
}

my $own = q(n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'dtmodel', 'dtmodel_internal'));

# All rows of all tables, each with the table that it is in.
sub all_rows
{
	return each_of('rows', qq(
		SELECT format('SELECT %L, to_jsonb(t) FROM ONLY %s AS t ORDER BY to_jsonb(t)::text COLLATE "C";',
					  c.oid::regclass, c.oid::regclass)
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
		WHERE relkind = 'r' AND $own ORDER BY c.oid::regclass::text));
}

# All models as they were at all moments.
sub all_pasts
{
	return each_of('pasts', qq(
		SELECT format('SELECT %L, n, to_jsonb(t) FROM moments, %s(at) AS t ORDER BY n, to_jsonb(t)::text COLLATE "C";',
					  p.oid::regproc, p.oid::regproc)
		FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = pronamespace
		WHERE proname ~ '_as_of\$' AND $own ORDER BY p.oid::regproc::text));
}

# What happened to each model, by the functions that read the past.
sub all_changes
{
	return each_of('changes', q(
		SELECT format('SELECT %L, c FROM dtmodel.changes(NULL::%s, ''-infinity'') AS c ORDER BY c;'
					  || 'SELECT %1$L, h FROM %2$s AS t, dtmodel.history(t) AS h ORDER BY h.valid_from, h.valid_to, h::text COLLATE "C";',
					  model, model)
		FROM dtmodel.models WHERE 'history' = ANY (mixins) ORDER BY model::text));
}

# The rest of what a model is.  From 17 on, owners have one more privilege; up to
# 14, the triggers of partitions count as internal.
sub all_models
{
	return $node->safe_psql(
		'source', q(
		SELECT model, class, primary_key, mixins FROM dtmodel.models ORDER BY model::text;
		SELECT dtmodel.describe(model) - '{drift,session}'::text[] FROM dtmodel.models ORDER BY model::text;
		SELECT pg_get_triggerdef(t.oid), tgenabled
		FROM pg_trigger AS t
		JOIN pg_proc AS p ON p.oid = tgfoid AND pronamespace <> 'pg_catalog'::regnamespace
		ORDER BY tgrelid::regclass::text, tgname;
		SELECT pg_get_functiondef(oid), proowner::regrole, proacl FROM pg_proc WHERE proname ~ '_as_of$' ORDER BY oid::regproc::text;
		SELECT relname, relowner::regrole, relrowsecurity, relreplident,
			   ARRAY(SELECT a::text FROM aclexplode(relacl) AS a WHERE privilege_type <> 'MAINTAIN' ORDER BY 1)
		FROM pg_class WHERE relname ~ '_history$' ORDER BY relname;
		SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid::regclass::text ~ '_history"?$' ORDER BY 1;
		SELECT setrole::regrole, setconfig FROM pg_db_role_setting ORDER BY 1;));
}

# What the extension has, the event triggers among it.  The types of its tables
# are members from 17 on.
sub all_members
{
	return $node->safe_psql(
		'source', q(
		SELECT pg_describe_object(classid, objid, objsubid)
		FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
		  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'dtmodel')
		  AND classid <> 'pg_type'::regclass
		ORDER BY 1;
		SELECT evtname, evtevent, evtfoid::regproc, evtenabled, evttags FROM pg_event_trigger ORDER BY evtname;
		SELECT evtname, obj_description(oid, 'pg_event_trigger') FROM pg_event_trigger ORDER BY evtname;));
}

sub state_now
{
	return (
		'rows' => all_rows(),
		'pasts' => all_pasts(),
		'changes' => all_changes(),
		'models' => all_models(),
		'members of the extension' => all_members());
}

# Runs pg_upgrade, and says whether everything is the same.
sub upgrade
{
	my ($name, $to, $from_bindir, @options) = @_;
	my %before = state_now();

	$node->stop;
	chdir $dir or die "could not use $dir: $!";
	command_ok(
		[
			'pg_upgrade', @options,
			'-d', $node->data_dir, '-D', $to->data_dir,
			'-b', $from_bindir, '-B', $bindir, '-s', $to->host,
			'-p', $node->port, '-P', $to->port
		],
		"$name: pg_upgrade @options");
	$node = $to;
	$node->start;
	my %after = state_now();
	is($after{$_}, $before{$_}, "$name: the same $_") foreach sort keys %before;
	is( $node->safe_psql('source', 'SELECT count(*) FROM dtmodel.drift()'),
		'0', "$name: no model has drifted");
	is( $node->safe_psql(
			'source', q(SELECT pg_current_xact_id() > id AND id::text::numeric > 5 * 2.0 ^ 32 FROM transactions ORDER BY id DESC LIMIT 1)),
		't',
		"$name: later transactions have greater identifiers");
	return;
}

# Runs SQL that is rolled back.
sub try
{
	my ($sql) = @_;
	return $node->safe_psql('source', "SET dtmodel.with_deleted = on;\nBEGIN;\n$sql;\nROLLBACK;");
}

sub refused
{
	my ($name, $sql, $message) = @_;
	my (undef, undef, $stderr) = $node->psql('source', $sql);

	like($stderr, $message, $name);
	return;
}

my $transaction = q((SELECT id FROM transactions WHERE name = '%s'));

# What models do after an upgrade.
sub behaves
{
	my ($name) = @_;

	# Changes of both tiers leave versions.
	foreach my $options ('', '-c session_preload_libraries=dtmodel')
	{
		local $ENV{PGOPTIONS} = $options;

		is( try(q(
			SET LOCAL dtmodel.actor = 'cem';
			UPDATE app.people SET name = 'new' WHERE id = 1;
			DELETE FROM events;
			UPDATE cars SET seats = 5;
			SELECT name, age, remark, operation, ended_by, transaction_id = pg_current_xact_id()
			FROM app.people_history WHERE transaction_id = pg_current_xact_id();
			SELECT count(*) FROM events_history WHERE operation = 'delete' AND transaction_id = pg_current_xact_id();
			SELECT count(*) FROM events WHERE deleted_at IS NULL)),
			"ann!|30 years|r|update|cem|t\n2\n0", "$name: changes leave versions ($options)");
	}

	# Time goes on where it was: a version begins when the former one ended.
	is( try(q(
		UPDATE orders SET amount = -id;
		SELECT count(*), bool_and(valid_from < valid_to) FROM orders_history
		WHERE transaction_id = pg_current_xact_id();
		SELECT count(*) FROM orders AS o
		WHERE NOT EXISTS (SELECT FROM orders_history AS h WHERE h.id = o.id AND valid_to = o.updated_at))),
		"8|t\n0", "$name: versions follow each other");

	# What was done before can be undone.
	is( try('SELECT dtmodel.revert_transaction(NULL::orders, ' . sprintf($transaction, 'more') . ');
			SELECT id, extra FROM orders WHERE id >= 7 ORDER BY id'),
		"3\n7|7\n8|7\n9|7", "$name: a transaction is reverted");
	is( try('SELECT dtmodel.revert_transaction(NULL::events, ' . sprintf($transaction, 'more') . ');
			SELECT tableoid::regclass, id, region, note FROM events ORDER BY id, region'),
		"1\nevents_b|1|b|old\nevents_c1|1|c|old\nevents_b|2|b|old", "$name: a truncation is reverted");
	refused("$name: a transaction whose rows have changed since is not reverted",
		'SELECT dtmodel.revert_transaction(NULL::app.people, ' . sprintf($transaction, 'update') . ')',
		qr/ERROR:  .*changed/);
	is( try(q(
		SELECT name, age FROM dtmodel.revert(NULL::app.people, 1, (SELECT at FROM moments WHERE n = 0)))),
		'ann|', "$name: a row is reverted");
	is( try("SELECT name, (dtmodel.restore(p)).name FROM app.people AS p WHERE is_deleted;
			 SELECT operation FROM app.people_history ORDER BY valid_to DESC LIMIT 1"),
		"bob!|bob!\nrestore", "$name: a row is restored");

	# Event triggers follow and refuse.
	is( try(q(
		ALTER TABLE app.people ADD COLUMN town text DEFAULT 'here', DROP COLUMN remark;
		ALTER TABLE app.people RENAME TO persons;
		UPDATE app.persons SET town = 'there' WHERE id = 1;
		SELECT town FROM app.persons_history ORDER BY valid_to DESC LIMIT 1;
		SELECT count(*) FROM app.persons_as_of(now()))),
		"here\n3", "$name: a history follows its model");
	is( try(q(
		CREATE TABLE events_d PARTITION OF events FOR VALUES IN ('d');
		INSERT INTO events VALUES (4, 'd', 'note');
		TRUNCATE events_d;
		SELECT operation FROM events_history WHERE region = 'd';
		ALTER TABLE events DETACH PARTITION events_a;
		SELECT mixins FROM dtmodel.models WHERE model = 'events_a'::regclass)),
		"truncate\n{timestamps,soft_delete}", "$name: partitions come and go");
	is( try(q(
		DROP TABLE app.people CASCADE;
		SELECT count(*) FROM app.people_history WHERE name = 'ann';
		SELECT to_regprocedure('app.people_as_of(timestamptz)') IS NULL)),
		"2\nt", "$name: a model is dropped, and its past is kept");
	refused("$name: a history cannot be dropped", 'DROP TABLE app.people_history',
		qr/cannot drop table "people_history" because it holds the history/);
	refused("$name: a protected table is protected", 'TRUNCATE app.people CASCADE',
		qr/table "people" is protected against TRUNCATE/);

	# The past that is kept goes on.
	is( try(q(
		SELECT dtmodel.add_history('former');
		UPDATE former SET name = 'z';
		SELECT name FROM former_history ORDER BY valid_to)),
		"\nx\nunseen", "$name: a past that was kept goes on");

	# Roles see what they may.
	is( $node->safe_psql(
			'source', q(
			SET ROLE bob;
			SELECT name FROM app.people_history ORDER BY valid_to)),
		'bob', "$name: policies hold for the past");

	# A slug that is in use.
	is( try(q(
		INSERT INTO app.people (id, name) VALUES (9, 'ann');
		SELECT slug FROM app.people ORDER BY id)),
		"ann\nbob\nann-2\nann-3", "$name: slugs are unique");

	# Queries of the past.
	{
		local $ENV{PGOPTIONS} = '-c session_preload_libraries=dtmodel';

		is( try(q(
			SELECT set_config('dtmodel.as_of', (SELECT at::text FROM moments WHERE n = 1), true) <> '';
			SELECT string_agg(p.name || o.amount, ' ' ORDER BY o.id) FROM app.people AS p JOIN orders AS o ON person = p.id)),
			"t\nbob!10 ann!20 ann!30 bob!40 ann!5 ann!6 bob!7 ann!8 ann!9", "$name: any query reads the past");
	}
	return;
}

behaves('before');
upgrade('links', cluster('linked', 1), $bin, '--link');
behaves('links');

# What is written then goes with the next upgrade.
change('between', q(
	UPDATE app.people SET settings = '{"theme": "dark"}' WHERE id = 3;
	INSERT INTO orders (id, person, amount) VALUES (10, 1, 100);
	ALTER TABLE events ADD COLUMN added int));
change('undone', q(
	UPDATE app.people SET settings = '{}' WHERE id = 3;
	DELETE FROM orders WHERE id = 10;
	UPDATE events SET added = 1));
upgrade('copies', cluster('copied', 0), $bindir);
is( try('SELECT dtmodel.revert_transaction(NULL::app.people, ' . sprintf($transaction, 'undone') . ");
		SELECT settings FROM app.people WHERE id = 3"),
	qq(1\n{"theme": "dark"}), 'copies: a transaction of the second cluster is reverted');

$node->stop;
done_testing();
