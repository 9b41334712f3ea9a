
# Replicas have what the primary has: the same rows with the same times.
#
# A physical standby takes over and goes on as the primary did.  A logical
# subscriber that has the same models must not stamp what arrives, and must
# see a soft delete as the UPDATE that it is and a physical one as a DELETE.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $models = q(
	CREATE TABLE doc (
		LIKE dtmodel.model_base INCLUDING ALL,
		LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
		name text NOT NULL
	);
	SELECT dtmodel.add_model('doc'), dtmodel.add_soft_delete('doc');
	CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL);
	SELECT dtmodel.add_timestamps('item', clock => 'clock', on_insert => 'stamp'),
		   dtmodel.add_soft_delete('item', flag => NULL, deleted_at => 'gone_at');
);

# Every trigger of this kind says what was done to the table by whom.
my $history = q(
	CREATE TABLE history (
		n int GENERATED ALWAYS AS IDENTITY, what text, name text
	);
	CREATE FUNCTION write_history() RETURNS trigger LANGUAGE plpgsql
		SET search_path = public AS $$
	BEGIN
		INSERT INTO history (what, name)
		VALUES (TG_TABLE_NAME || ' ' || TG_OP,
				CASE TG_OP WHEN 'DELETE' THEN OLD.name ELSE NEW.name END);
		RETURN NULL;
	END $$;
	CREATE TRIGGER history AFTER INSERT OR UPDATE OR DELETE ON doc
		FOR EACH ROW EXECUTE FUNCTION write_history();
	CREATE TRIGGER history AFTER INSERT OR UPDATE OR DELETE ON item
		FOR EACH ROW EXECUTE FUNCTION write_history();
	ALTER TABLE doc ENABLE ALWAYS TRIGGER history;
	ALTER TABLE item ENABLE ALWAYS TRIGGER history;
);

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 'logical');
$primary->start;
$primary->safe_psql('postgres', "CREATE EXTENSION dtmodel; $models");
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# Rows that are there when the subscriber comes, in every state.
$primary->safe_psql(
	'postgres', q(
	INSERT INTO doc (name) VALUES ('copied live'), ('copied changed'), ('copied deleted');
	INSERT INTO item VALUES (1, 'copied live'), (2, 'copied deleted');));
$primary->safe_psql(
	'postgres', q(
	UPDATE doc SET name = name || '!' WHERE name = 'copied changed';
	DELETE FROM doc WHERE name = 'copied deleted';
	DELETE FROM item WHERE id = 2;));

my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init;
$subscriber->start;
$subscriber->safe_psql('postgres',
	"CREATE EXTENSION dtmodel; $models $history");
$primary->safe_psql('postgres', 'CREATE PUBLICATION pub FOR TABLE doc, item');
$subscriber->safe_psql('postgres',
	    "CREATE SUBSCRIPTION sub CONNECTION '"
	  . $primary->connstr
	  . " dbname=postgres' PUBLICATION pub");
$subscriber->wait_for_subscription_sync($primary, 'sub');

sub rows_of
{
	my ($node) = @_;
	return $node->safe_psql('postgres',
		'SELECT * FROM doc ORDER BY id; SELECT * FROM item ORDER BY id;');
}

sub history_since
{
	my ($n) = @_;
	return $subscriber->safe_psql('postgres',
		"SELECT what || ': ' || name FROM history WHERE n > $n ORDER BY n");
}

# Both replicas have what the primary has now.
sub is_replicated
{
	my ($name) = @_;
	my $rows = rows_of($primary);

	$primary->wait_for_catchup($standby);
	$primary->wait_for_catchup('sub');
	is(rows_of($standby), $rows, "$name: the standby has the same rows");
	is(rows_of($subscriber), $rows,
		"$name: the subscriber has the same rows");
	return;
}

is_replicated('first copy');
is(history_since(0) =~ tr/\n// + 1, 5, 'first copy: every row came once');

###
# What the primary does from now on
###
my @steps = (
	[
		'insert',
		q(INSERT INTO doc (name, created_at) VALUES ('new', '2001-02-03'); INSERT INTO item VALUES (3, 'new');),
		"doc INSERT: new\nitem INSERT: new"
	],
	[
		'update',
		q(UPDATE doc SET name = 'newer' WHERE name = 'new'; UPDATE item SET name = 'newer' WHERE id = 3;),
		"doc UPDATE: newer\nitem UPDATE: newer"
	],
	[
		'update that changes nothing',
		q(UPDATE item SET name = name WHERE id = 3;),
		'item UPDATE: newer'
	],
	[
		'soft delete',
		q(DELETE FROM doc WHERE name = 'newer'; DELETE FROM item WHERE id = 3;),
		"doc UPDATE: newer\nitem UPDATE: newer"
	],
	[
		'soft delete of deleted rows',
		q(DELETE FROM doc WHERE name = 'newer'; DELETE FROM item WHERE id = 3;),
		''
	],
	[
		'restore',
		q(SELECT dtmodel.restore(d) FROM doc AS d WHERE name = 'newer'; SELECT dtmodel.restore(NULL::item, 3);),
		"doc UPDATE: newer\nitem UPDATE: newer"
	],
	[
		'soft_delete(row)',
		q(SELECT dtmodel.soft_delete(d) FROM doc AS d WHERE name = 'newer';),
		'doc UPDATE: newer'
	],
	[
		'write to the flag',
		q(UPDATE doc SET is_deleted = false WHERE name = 'newer';),
		'doc UPDATE: newer'
	],
	[
		'soft delete of many',
		q(DELETE FROM item;),
		"item UPDATE: copied live\nitem UPDATE: newer"
	],
	[
		'restore of one',
		q(SELECT dtmodel.restore(NULL::item, 1);),
		'item UPDATE: copied live'
	],
	[
		'import with times of its own',
		q(SET dtmodel.preserve_timestamps = on; INSERT INTO item VALUES (4, 'old', '2001-02-03', '2002-03-04');),
		'item INSERT: old'
	],
	[
		'soft delete that is rolled back',
		q(BEGIN; DELETE FROM doc; ROLLBACK;),
		''
	],
	[
		'physical delete of live and deleted rows',
		q(SET dtmodel.hard_delete = on; DELETE FROM doc WHERE name = 'newer'; DELETE FROM item WHERE id = 3; DELETE FROM item WHERE id = 4;),
		"doc DELETE: newer\nitem DELETE: newer\nitem DELETE: old"
	]);

# Once with the triggers making DELETE soft, once with the planner doing so.
foreach my $step (
	(map { [ '', @$_ ] } @steps),
	(map { [ 'dtmodel', @$_ ] } @steps))
{
	my ($preload, $name, $sql, $expected) = @$step;
	local $ENV{PGOPTIONS} = "-c session_preload_libraries=$preload";
	$name = "preloaded, $name" if $preload;

	my $n = $subscriber->safe_psql('postgres',
		'SELECT coalesce(max(n), 0) FROM history');

	$primary->safe_psql('postgres', $sql);
	is_replicated($name);
	is(history_since($n), $expected,
		"$name: the subscriber saw each write once");
}

###
# On the replicas
###
foreach my $node ($standby, $subscriber)
{
	is( $node->safe_psql(
			'postgres',
			'SELECT dtmodel.describe(model) FROM dtmodel.models ORDER BY model::text'
		),
		$primary->safe_psql(
			'postgres',
			'SELECT dtmodel.describe(model) FROM dtmodel.models ORDER BY model::text'
		),
		$node->name . ' describes its models as the primary does');
}
my ($result, $stdout, $stderr) =
  $standby->psql('postgres', 'DELETE FROM doc');
like(
	$stderr,
	qr/cannot execute DELETE in a read-only transaction/,
	'a standby is read-only');

# The functions that read do so on a standby too.
my $reading = q(
	SELECT dtmodel.get_by_id(NULL::item, 1), dtmodel.get_by_id(NULL::item, 99) IS NULL,
		   dtmodel.exists(NULL::item, 1), dtmodel.count(NULL::item),
		   (SELECT jsonb_agg(dtmodel.to_dict(i)) FROM dtmodel.get_all(NULL::item) AS i););
is( $standby->safe_psql('postgres', $reading),
	$primary->safe_psql('postgres', $reading),
	'a standby reads rows as the primary does');
$primary->safe_psql('postgres',
	'CREATE UNLOGGED TABLE scratch (id int PRIMARY KEY)');
$primary->wait_for_catchup($standby);
($result, $stdout, $stderr) =
  $standby->psql('postgres', 'SELECT dtmodel.get_by_id(NULL::scratch, 1)');
like(
	$stderr,
	qr/cannot access temporary or unlogged relations during recovery/,
	'an unlogged table cannot be read on a standby');

# For local writes on the subscriber, the table is a model.
$subscriber->safe_psql(
	'postgres', q(
	INSERT INTO item (id, name, created_at) VALUES (100, 'local', '2001-02-03');
	DELETE FROM item WHERE id = 100;));
is( $subscriber->safe_psql(
		'postgres',
		q(SELECT created_at > '2001-02-03', gone_at IS NOT NULL FROM item WHERE id = 100)
	),
	't|t',
	'a local write to the subscriber is stamped, a local DELETE soft');

# A trigger with ENABLE ALWAYS fires for replicated rows too.
$subscriber->safe_psql('postgres',
	'ALTER TABLE doc ENABLE ALWAYS TRIGGER zz_dtmodel_soft_delete');
$primary->safe_psql(
	'postgres', q(
	SET dtmodel.hard_delete = on;
	DELETE FROM doc WHERE name = 'copied live';));
$primary->wait_for_catchup('sub');
is( $subscriber->safe_psql(
		'postgres',
		q(SELECT is_deleted, deleted_at IS NOT NULL FROM doc WHERE name = 'copied live')
	),
	't|t',
	'ENABLE ALWAYS: a subscriber can keep what the primary purges');

# It is the same with a cascade; one statement restores a row and its parent, and
# here the row arrives first.
my $crates = q(
	CREATE TABLE crate (id int PRIMARY KEY, inside int REFERENCES crate ON DELETE CASCADE);
	SELECT dtmodel.add_soft_delete('crate'););
$primary->safe_psql('postgres', "$crates INSERT INTO crate VALUES (1, 2), (2, NULL); ALTER PUBLICATION pub ADD TABLE crate;");
$subscriber->safe_psql(
	'postgres', qq(
	$crates
	CREATE TABLE label (id int PRIMARY KEY, crate int REFERENCES crate ON DELETE CASCADE, outermost int REFERENCES crate ON DELETE CASCADE);
	SELECT dtmodel.add_soft_delete('label');
	ALTER TABLE crate ENABLE ALWAYS TRIGGER zz_dtmodel_soft_cascade, ENABLE ALWAYS TRIGGER zz_dtmodel_soft_delete;
	ALTER TABLE label ENABLE ALWAYS TRIGGER zz_dtmodel_soft_delete;
	ALTER SUBSCRIPTION sub REFRESH PUBLICATION;));
$subscriber->wait_for_subscription_sync($primary, 'sub');
$subscriber->safe_psql('postgres', 'INSERT INTO label VALUES (1, 1, NULL), (2, 1, 2), (3, 2, NULL)');
$primary->safe_psql('postgres', 'DELETE FROM crate WHERE id = 2');
$primary->wait_for_catchup('sub');
my $labels = 'SELECT (SELECT count(*) FROM crate WHERE is_deleted), count(*) FILTER (WHERE is_deleted), count(DISTINCT deleted_at) FROM label';
is($subscriber->safe_psql('postgres', $labels), '2|3|1', 'ENABLE ALWAYS: rows that only the subscriber has are deleted with those of the primary');
$primary->safe_psql(
	'postgres', q(
	SET enable_seqscan = off;
	SET enable_bitmapscan = off;
	UPDATE crate SET is_deleted = false WHERE id > 0;));
$primary->wait_for_catchup('sub');
is($subscriber->safe_psql('postgres', $labels), '0|0|0', 'and restored with them');

# A statement of a trigger there is one like any other.
$subscriber->safe_psql(
	'postgres', q(
	CREATE TABLE shelf (id int PRIMARY KEY);
	CREATE TABLE place (id int PRIMARY KEY, shelf int REFERENCES shelf ON DELETE CASCADE, refused bool);
	SELECT dtmodel.add_soft_delete('shelf'), dtmodel.add_soft_delete('place');
	INSERT INTO shelf VALUES (1);
	INSERT INTO place VALUES (1, 1, false);
	DELETE FROM shelf;
	CREATE FUNCTION restore_place() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		UPDATE public.place SET is_deleted = false, deleted_at = NULL;
		RETURN NULL;
	EXCEPTION WHEN foreign_key_violation THEN
		UPDATE public.place SET refused = true;
		RETURN NULL;
	END $$;
	CREATE TRIGGER restore_place AFTER UPDATE ON crate FOR EACH ROW EXECUTE FUNCTION restore_place();
	ALTER TABLE crate ENABLE ALWAYS TRIGGER restore_place;
	ALTER TABLE shelf ENABLE ALWAYS TRIGGER zz_dtmodel_soft_delete;
	ALTER TABLE place ENABLE ALWAYS TRIGGER zz_dtmodel_soft_cascade, ENABLE ALWAYS TRIGGER zz_dtmodel_soft_delete;));
$primary->safe_psql('postgres', 'UPDATE crate SET inside = NULL');
$primary->wait_for_catchup('sub');
is($subscriber->safe_psql('postgres', 'SELECT is_deleted, refused FROM place'), 't|t', 'what a trigger restores there must have a live parent');

# A publication of all tables, for a subscriber without dtmodel.
my $notes = 'CREATE TABLE note (id int PRIMARY KEY, body text';
$_->safe_psql('postgres', 'CREATE DATABASE plain') foreach $primary, $subscriber;
$primary->safe_psql('plain', "CREATE EXTENSION dtmodel; $notes); SELECT dtmodel.add_soft_delete('note'); CREATE PUBLICATION plain FOR ALL TABLES");
$primary->safe_psql('plain', q(INSERT INTO note VALUES (1, 'a'), (2, 'b'), (3, 'c'); DELETE FROM note WHERE id = 1;));
$subscriber->safe_psql('plain', "$notes, is_deleted bool, deleted_at timestamptz)");
$subscriber->safe_psql('plain', "CREATE SUBSCRIPTION plain CONNECTION '" . $primary->connstr . " dbname=plain' PUBLICATION plain");
$subscriber->wait_for_subscription_sync($primary, 'plain', 'plain');
$primary->safe_psql('plain', 'DELETE FROM note WHERE id = 2');
$primary->wait_for_catchup('plain');
my $all_notes = 'SELECT * FROM note ORDER BY id';
is($subscriber->safe_psql('plain', $all_notes), $primary->safe_psql('plain', $all_notes), 'a subscriber of all tables need not have dtmodel');

# A row filter leaves deleted rows out.
SKIP:
{
	skip 'row filters need PostgreSQL 15', 2 if $primary->pg_version < 15;

	$primary->safe_psql('plain', q(
		ALTER TABLE note REPLICA IDENTITY FULL;
		CREATE PUBLICATION live FOR TABLE note WHERE (NOT is_deleted);));
	$subscriber->safe_psql('plain', 'TRUNCATE note; ALTER SUBSCRIPTION plain SET PUBLICATION live WITH (refresh = false); ALTER SUBSCRIPTION plain REFRESH PUBLICATION');
	$primary->safe_psql('plain', 'SELECT dtmodel.restore(NULL::note, 1)');
	$primary->wait_for_catchup('plain');
	is($subscriber->safe_psql('plain', 'SELECT id FROM note ORDER BY id'), '1', 'a row filter: a restored row arrives');
	$primary->safe_psql('plain', 'DELETE FROM note WHERE id = 1');
	$primary->wait_for_catchup('plain');
	is($subscriber->safe_psql('plain', 'SELECT count(*) FROM note'), '0', 'and leaves when it is deleted');
}
$subscriber->safe_psql('plain', 'DROP SUBSCRIPTION plain');

# The standby takes over.
my $rows = rows_of($primary);
$primary->wait_for_catchup($standby);
$primary->stop;
$standby->promote;
is(rows_of($standby), $rows, 'after promotion: the same rows');
$standby->safe_psql(
	'postgres', q(
	UPDATE doc SET name = 'promoted' WHERE name = 'copied changed!';
	DELETE FROM doc WHERE name = 'promoted';
	SELECT dtmodel.restore(d) FROM doc AS d WHERE name = 'copied deleted';
	INSERT INTO doc (name) VALUES ('after');
	DELETE FROM doc WHERE name = 'after';));
is( $standby->safe_psql(
		'postgres', q(
		SELECT name, is_deleted, deleted_at IS NOT NULL, updated_at > created_at
		FROM doc WHERE name <> 'after' ORDER BY name;
		SELECT count(*), count(*) FILTER (WHERE is_deleted) FROM doc WHERE name = 'after';)
	),
	"copied deleted|f|f|t\npromoted|t|t|t\n1|1",
	'after promotion: the models work');

$standby->stop;
$subscriber->stop;
done_testing();
