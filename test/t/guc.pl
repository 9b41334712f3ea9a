
# Which roles can set the switches, whether SET or loading the library comes first.
#
# Before a session has loaded the library a switch is a placeholder that every
# role can set.  A value that an ordinary user has set must have no effect once
# the library is loaded, unless every role can set the switch or SET on it was
# granted.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql(
	'postgres', q(
	CREATE EXTENSION dtmodel;
	CREATE ROLE owner_role LOGIN;
	CREATE ROLE app LOGIN;
	CREATE ROLE importer LOGIN;
	GRANT CREATE ON SCHEMA public TO owner_role, app;
	SET ROLE owner_role;
	CREATE TABLE doc (
		LIKE dtmodel.timestamp_mixin INCLUDING ALL,
		LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
		id int PRIMARY KEY
	);
	SELECT dtmodel.add_timestamps('doc', on_insert => 'stamp'),
		   dtmodel.add_soft_delete('doc', protect_truncate => true);
	GRANT SELECT, INSERT, UPDATE, DELETE ON doc TO app, importer;
	RESET ROLE;
));

# Runs the queries in a session of its own, and returns its result, the last
# line of its output and its standard error.  Errors come with their
# SQLSTATE.
sub run_as
{
	my ($role, $sql, %params) = @_;
	my ($stdout, $stderr);

	my $result = $node->psql(
		'postgres', "\\set VERBOSITY verbose\n$sql",
		stdout => \$stdout,
		stderr => \$stderr,
		on_error_stop => 1,
		extra_params => [ '-U', $role ],
		%params);
	$stdout =~ s/.*\n//s;
	return ($result, $stdout, $stderr);
}

my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

my $version = $node->safe_psql('postgres', 'SHOW server_version_num');

# Before PostgreSQL 15 the right cannot be granted: superusers have it.
my $can_grant = $version >= 150000;

sub grant_set
{
	my ($setting, $role) = @_;

	$node->safe_psql('postgres',
		$can_grant
		? "GRANT SET ON PARAMETER $setting TO $role"
		: "ALTER ROLE $role SUPERUSER");
	return;
}

sub revoke_set
{
	my ($setting, $role) = @_;

	$node->safe_psql('postgres',
		$can_grant
		? "REVOKE SET ON PARAMETER $setting FROM $role"
		: "ALTER ROLE $role NOSUPERUSER");
	return;
}

my $id = 0;

# An INSERT with a false time, and the time that the row got.
sub insert_with_lie
{
	$id++;
	return qq(
		INSERT INTO doc (id, created_at) VALUES ($id, '2001-02-03');
		SELECT CASE created_at WHEN '2001-02-03' THEN 'preserved' ELSE 'stamped' END
		FROM doc WHERE id = $id;);
}

# The same, as role; $before runs first, in the same session, in which the
# library is not loaded yet.
sub is_time
{
	my ($role, $before, $expected, $name, %params) = @_;
	my $warning = delete $params{warning};
	my ($result, $stdout, $stderr) =
	  run_as($role, "$before\n" . insert_with_lie(), %params);

	is($result, 0, "$name: the INSERT goes through");
	is($stdout, $expected, "$name: the row's time is $expected");
	if (defined $warning)
	{
		like($stderr, $warning, "$name: with a warning");
	}
	else
	{
		is($stderr, '', "$name: without a warning");
	}
	return;
}

sub is_refused
{
	my ($role, $sql, $name, $message) = @_;
	my ($result, $stdout, $stderr) = run_as($role, $sql);

	is($result, 3, "$name: is refused");
	like($stderr, $message, "$name: says why");
	return;
}

my $loaded = 'SELECT dtmodel.uuidv4();';
my $preserve = 'SET dtmodel.preserve_timestamps = on;';
my $denied = qr/42501: permission denied to set parameter "dtmodel.preserve_timestamps"/;

###
# dtmodel.preserve_timestamps: superusers, and roles with SET on it
###
is_time('app', '', 'stamped', 'nothing set');
is_time('app', $preserve, 'stamped', 'SET before the library is loaded',
	warning => $denied);
is_time(
	'app',
	"$preserve $loaded SET search_path = public;",
	'stamped',
	'SET before, another query in between',
	warning => $denied);
is_time('app', "BEGIN; SET LOCAL dtmodel.preserve_timestamps = on;",
	'stamped', 'SET LOCAL before the library is loaded', warning => $denied);
is_time('app', q(SELECT set_config('dtmodel.preserve_timestamps', 'on', false);),
	'stamped', 'set_config before the library is loaded', warning => $denied);
{
	local $ENV{PGOPTIONS} = '-c dtmodel.preserve_timestamps=on';
	is_time('app', '', 'stamped', 'PGOPTIONS', warning => $denied);
	is_time($superuser, '', 'preserved', 'PGOPTIONS of a superuser');
}
is_refused('app', "$loaded $preserve", 'SET after the library is loaded',
	$denied);
is_refused('owner_role', "$loaded $preserve",
	q(SET by the table's owner), $denied);
is_refused(
	'app', q(
		CREATE FUNCTION import() RETURNS int LANGUAGE sql
			SET dtmodel.preserve_timestamps = on AS 'SELECT 1';),
	'a function with the setting, made before the library is loaded',
	$denied);

# A superuser's function with the switch, called by another role: the
# INSERT in it loads the library, or finds it loaded.
$node->safe_psql(
	'postgres', q(
	CREATE FUNCTION import(int) RETURNS void LANGUAGE sql
		SET dtmodel.preserve_timestamps = on
		AS 'INSERT INTO doc (id, created_at) VALUES ($1, ''2001-02-03'')';));
my ($result, $stdout, $stderr) = run_as('app',
	q(SELECT import(1001); SELECT created_at = '2001-02-03' FROM doc WHERE id = 1001;)
);
is($stdout, 'f', 'a function with the setting, which loads the library');
like($stderr, $denied, 'with a warning');
is_refused('app', "$loaded SELECT import(1002);",
	'a function with the setting, when the library is loaded', $denied);

is_time($superuser, $preserve, 'preserved', 'SET by a superuser, before');
is_time($superuser, "$loaded $preserve", 'preserved',
	'SET by a superuser, after');
is_time($superuser, "$preserve RESET dtmodel.preserve_timestamps;",
	'stamped', 'RESET by a superuser');

grant_set('dtmodel.preserve_timestamps', 'importer');
is_time('importer', $preserve, 'preserved', 'SET that was granted, before');
is_time('importer', "$loaded $preserve", 'preserved',
	'SET that was granted, after');
is_time('app', $preserve, 'stamped', 'SET granted to another role',
	warning => $denied);
revoke_set('dtmodel.preserve_timestamps', 'importer');
is_refused('importer', "$loaded $preserve", 'SET that was revoked', $denied);

# A default for a role or a database was checked when it was made.
my $denied_default = qr/42501: /;
is_refused('app', 'ALTER ROLE app SET dtmodel.preserve_timestamps = on;',
	'ALTER ROLE by the role itself, before', $denied_default);
is_refused('app', "$loaded ALTER ROLE app SET dtmodel.preserve_timestamps = on;",
	'ALTER ROLE by the role itself, after', $denied);
$node->safe_psql('postgres',
	'ALTER ROLE app SET dtmodel.preserve_timestamps = on');
is_time('app', '', 'preserved', 'ALTER ROLE by a superuser');
is_time('importer', '', 'stamped', 'ALTER ROLE of another role');
is_time('app', 'SET dtmodel.preserve_timestamps = off;',
	'preserved', q(SET off over the superuser's default),
	warning => $denied);
$node->safe_psql(
	'postgres', q(
	ALTER ROLE app RESET dtmodel.preserve_timestamps;
	ALTER DATABASE postgres SET dtmodel.preserve_timestamps = on;));
is_time('app', '', 'preserved', 'ALTER DATABASE by a superuser');
$node->safe_psql('postgres',
	'ALTER DATABASE postgres RESET dtmodel.preserve_timestamps');
is_time('app', '', 'stamped', 'ALTER DATABASE RESET');

# Where the library is preloaded there never is a placeholder.
$node->safe_psql('postgres',
	q(ALTER DATABASE postgres SET session_preload_libraries = 'dtmodel'));
is_refused('app', $preserve, 'SET where the library is preloaded', $denied);
is_time('app', '', 'stamped', 'nothing set where the library is preloaded');
$node->safe_psql('postgres',
	'ALTER DATABASE postgres RESET session_preload_libraries');

###
# dtmodel.hard_delete: every role can set it, but it needs TRUNCATE
###
my $hard = 'SET dtmodel.hard_delete = on;';
my $no_truncate =
  qr/42501: permission denied to delete rows of table "doc" for good.*HINT:  Use GRANT TRUNCATE ON public\.doc TO app/s;

sub live_and_deleted
{
	return $node->safe_psql('postgres',
		'SELECT count(*) FILTER (WHERE NOT is_deleted), count(*) FILTER (WHERE is_deleted) FROM doc'
	);
}

$node->safe_psql(
	'postgres', qq(
	$loaded
	SET ROLE owner_role;
	CREATE FUNCTION purge(int) RETURNS void LANGUAGE sql
		SECURITY DEFINER SET search_path = pg_catalog, pg_temp
		SET dtmodel.hard_delete = on
		AS 'DELETE FROM public.doc WHERE id = \$1';
	CREATE FUNCTION remove(int) RETURNS void LANGUAGE sql
		SECURITY DEFINER SET search_path = pg_catalog, pg_temp
		AS 'DELETE FROM public.doc WHERE id = \$1';));

# Before 15 the server does not know who set a parameter that it does not know.
my $known = $version >= 150000 ? '' : $loaded;

sub check_hard_delete
{
	my ($tier) = @_;

	$node->safe_psql('postgres',
		"$hard DELETE FROM doc; INSERT INTO doc (id) SELECT generate_series(1, 9);"
	);
	is(live_and_deleted(), '9|0', "$tier: nine live rows");

	run_as('app', 'DELETE FROM doc WHERE id = 1;');
	is(live_and_deleted(), '8|1', "$tier: DELETE is soft");
	foreach my $when ('', $loaded)
	{
		my $name = $when eq '' ? 'before' : 'after';

		is_refused('app', "$when $hard DELETE FROM doc WHERE id = 2;",
			"$tier: hard DELETE without TRUNCATE, SET $name", $no_truncate);
		is_refused('app', "$when $hard DELETE FROM doc WHERE id = 1;",
			"$tier: hard DELETE of a deleted row without TRUNCATE, SET $name",
			$no_truncate);
		is(live_and_deleted(), '8|1', "$tier: and nothing is gone, SET $name");
	}
	is((run_as('app', "$hard DELETE FROM doc WHERE id = 100;"))[0],
		0, "$tier: hard DELETE of no row needs no privilege");
	is((run_as('app', "$hard SET dtmodel.hard_delete = off; DELETE FROM doc WHERE id = 2;"))[0],
		0, "$tier: SET off: DELETE goes through");
	is(live_and_deleted(), '7|2', "$tier: and is soft");

	# The privilege is that of the role that the DELETE runs as.
	is((run_as('owner_role', "$hard DELETE FROM doc WHERE id = 3;"))[0],
		0, "$tier: hard DELETE by the owner");
	is(live_and_deleted(), '6|2', "$tier: a row is gone");
	is((run_as('app', "$known SELECT purge(4);"))[0],
		0, "$tier: hard DELETE in the owner's SECURITY DEFINER function");
	is(live_and_deleted(), '5|2', "$tier: a row is gone");
	run_as('app', "$known SELECT purge(1000); DELETE FROM doc WHERE id = 5;");
	is(live_and_deleted(), '4|3', "$tier: the value ends with the function");

	# ... and of the role that turned the setting on.
	my $no_right = qr/42501: permission denied to delete rows of table "doc" for good.*DETAIL:  dtmodel.hard_delete was turned on by role "app"/s;
	foreach my $when ('', $loaded)
	{
		my $name = $when eq '' ? 'before' : 'after';

		is_refused('app', "$when $hard SELECT remove(6);",
			"$tier: a function that deletes softly, SET $name", $no_right);
		is_refused('app', "$when $hard SELECT purge(1000); SELECT remove(6);",
			"$tier: the same after one that does not, SET $name", $no_right);
	}
	{
		local $ENV{PGOPTIONS} = '-c dtmodel.hard_delete=on';
		is_refused('app', 'SELECT remove(6);',
			"$tier: a function that deletes softly, with PGOPTIONS", $no_right);
	}
	$node->safe_psql('postgres', 'ALTER ROLE app SET dtmodel.hard_delete = on');
	is_refused('app', 'SELECT remove(6);',
		"$tier: a function that deletes softly, with ALTER ROLE", $no_right);
	$node->safe_psql('postgres', 'ALTER ROLE app RESET dtmodel.hard_delete');
	is(live_and_deleted(), '4|3', "$tier: and nothing is gone");

	$node->safe_psql('postgres', 'GRANT TRUNCATE ON doc TO app');
	is((run_as('app', "$hard DELETE FROM doc WHERE id IN (1, 6);"))[0],
		0, "$tier: hard DELETE with TRUNCATE");
	is(live_and_deleted(), '3|2', "$tier: a live row and a deleted one are gone");
	is((run_as('app', "BEGIN; SET LOCAL dtmodel.hard_delete = on; ROLLBACK; DELETE FROM doc WHERE id = 7;"))[0],
		0, "$tier: SET LOCAL ends with its transaction");
	is(live_and_deleted(), '2|3', "$tier: and DELETE is soft again");

	is_refused('app', 'TRUNCATE doc;', "$tier: TRUNCATE of a protected table",
		qr/55000: table "doc" is protected against TRUNCATE/);
	is((run_as('app', "$hard TRUNCATE doc;"))[0],
		0, "$tier: TRUNCATE with dtmodel.hard_delete");
	is(live_and_deleted(), '0|0', "$tier: and all is gone");
	$node->safe_psql('postgres', 'REVOKE TRUNCATE ON doc FROM app');
	return;
}

check_hard_delete('triggers');
$node->safe_psql('postgres',
	q(ALTER DATABASE postgres SET session_preload_libraries = 'dtmodel'));
check_hard_delete('preloaded');

###
# dtmodel.rewrite: superusers, and roles with SET on it
###

# Whether the planner made the DELETE soft: it returns its row then.
my $returning =
  'INSERT INTO doc (id) VALUES (1); DELETE FROM doc WHERE id = 1 RETURNING id;';

is((run_as('app', $returning))[1], '1', 'preloaded: DELETE returns its row');
is_refused('app', 'SET dtmodel.rewrite = off;',
	'SET dtmodel.rewrite',
	qr/42501: permission denied to set parameter "dtmodel.rewrite"/);
$node->safe_psql('postgres', "$hard DELETE FROM doc;");
{
	local $ENV{PGOPTIONS} = '-c dtmodel.rewrite=off';
	($result, $stdout, $stderr) = run_as('app', $returning);
	is($stdout, '1', 'dtmodel.rewrite in PGOPTIONS has no effect');
	like(
		$stderr,
		qr/permission denied to set parameter "dtmodel.rewrite"/,
		'with a warning');
}
$node->safe_psql('postgres', "$hard DELETE FROM doc;");
grant_set('dtmodel.rewrite', 'app');
is((run_as('app', "SET dtmodel.rewrite = off; $returning"))[1],
	'', 'dtmodel.rewrite = off, granted: DELETE is that of the trigger');
is(live_and_deleted(), '0|1', 'and soft');
$node->safe_psql('postgres',
	'ALTER DATABASE postgres RESET session_preload_libraries');

###
# The prefix belongs to the extension, from PostgreSQL 15 on
###
is_refused('app', "$loaded SET dtmodel.nonsense = 1;",
	'a setting that does not exist',
	qr/42602: invalid configuration parameter name "dtmodel.nonsense"/)
  if $version >= 150000;
is( $node->safe_psql(
		'postgres', qq(
		$loaded
		SELECT count(*) > 0 AND bool_and(short_desc <> '' AND
			boot_val = CASE name WHEN 'dtmodel.rewrite' THEN 'on' ELSE setting END)
		FROM pg_settings WHERE name LIKE 'dtmodel.%')) =~ s/.*\n//sr,
	't',
	'each switch has a description and its default');

# dtmodel.rewrite shows whether it has an effect, whatever it was set to.
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET dtmodel.rewrite = on');
is($node->safe_psql('postgres', "LOAD 'dtmodel'; SHOW dtmodel.rewrite; SELECT dtmodel.tier();"),
	"off\ntrigger", 'dtmodel.rewrite is off where the library is not preloaded');
{
	local $ENV{PGOPTIONS} = '-c session_preload_libraries=dtmodel';
	is($node->safe_psql('postgres', 'SHOW dtmodel.rewrite; SELECT dtmodel.tier();'),
		"on\npreloaded", 'and on where it is');
}
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET dtmodel.rewrite');
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dtmodel'");
$node->restart;
is($node->safe_psql('postgres', 'SHOW dtmodel.rewrite; SELECT dtmodel.tier();'),
	"on\npreloaded", 'and where the server preloads it');

# The owner of a database may set dtmodel.as_of for it, and sees no more of the
# past by that than by setting it in a session.
$node->safe_psql('postgres', q(
	CREATE ROLE holder LOGIN;
	CREATE DATABASE held OWNER holder;));
$node->safe_psql('held', q(
	CREATE EXTENSION dtmodel;
	CREATE TABLE files (id int PRIMARY KEY, body text);
	SELECT dtmodel.add_timestamps('files'), dtmodel.add_history('files');
	INSERT INTO files VALUES (1, 'old');
	UPDATE files SET body = 'new';
	CREATE VIEW bodies AS SELECT body FROM files;
	GRANT SELECT ON bodies TO holder;));
{
	local $ENV{PGUSER} = 'holder';
	$node->safe_psql('held', q(ALTER DATABASE held SET dtmodel.as_of = '2026-01-01'));
	my ($status, undef, $error) = $node->psql('held', 'SELECT body FROM bodies');
	isnt($status, 0, 'the owner of a database cannot read the past through a view');
	like($error, qr/permission denied for table files_history/, 'as in a session');
}
is($node->safe_psql('held', 'SELECT count(*) FROM bodies'), '0', 'and others can');

# What the configuration of the server says is set by no role, and holds for all.
$node->safe_psql('held', q(
	ALTER DATABASE held RESET dtmodel.as_of;
	CREATE TABLE notes (id int PRIMARY KEY);
	SELECT dtmodel.add_audit('notes');
	GRANT SELECT, INSERT ON notes TO app;));
$node->append_conf('postgresql.conf', "dtmodel.actor = 'server'\ndtmodel.actor_locked = on");
$node->reload;
{
	local $ENV{PGUSER} = 'app';
	is($node->safe_psql('held', 'INSERT INTO notes VALUES (1) RETURNING created_by'),
		'server', 'the actor of the configuration, where it is locked');
}
$node->append_conf('postgresql.conf', "dtmodel.as_of = '2026-01-01'");
$node->reload;
{
	local $ENV{PGUSER} = 'holder';
	is($node->safe_psql('held', 'SELECT count(*) FROM bodies'),
		'0', 'the past of the configuration, through a view');
}

# A library that users may preload has a link in a folder of its own.
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\ndtmodel.as_of = ''");
$node->restart;
my $pg_config = $ENV{PG_CONFIG} // 'pg_config';
my $plugins = qx('$pg_config' --pkglibdir) =~ s/\n/\/plugins/r;
SKIP:
{
	my $has_folder = -d $plugins;

	skip "cannot write to $plugins", 1
	  if !($has_folder || mkdir $plugins) || -e "$plugins/dtmodel.so"
	  || !symlink '../dtmodel.so', "$plugins/dtmodel.so";
	{
		local $ENV{PGUSER} = 'app';
		local $ENV{PGOPTIONS} = '-c local_preload_libraries=dtmodel';
		is($node->safe_psql('postgres', 'SELECT dtmodel.tier()'),
			'preloaded', 'a session that preloads the library itself');
	}
	unlink "$plugins/dtmodel.so";
	rmdir $plugins unless $has_folder;
}

$node->stop;
done_testing();
