
# Sixteen clients insert, delete, restore and purge rows of three tables that
# cascade, in both tiers at once; some delete the children before the parent, as
# an ORM does.  At the end no live row is under a deleted one, a cascade has one
# time, and each row that was inserted exists or was purged.

use strict;
use warnings;

use Campaign;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = 16;
my $trees = 40;
my $campaign = Campaign->new('transactions by each client' => 1000, least => 1000);
my $transactions = $campaign->size;
my $seed = $campaign->seed;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "deadlock_timeout = 10ms\nmax_connections = 40");
$node->start;

if ($node->safe_psql('postgres', 'SHOW server_version_num') < 150000)
{
	$node->stop;
	plan skip_all => 'pgbench does not repeat what failed before PostgreSQL 15';
}

# Triggers record each insertion and deletion of a row: AFTER DELETE fires only
# for physical deletions.
$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION dtmodel;
CREATE TABLE life (relation text, id int, alive boolean);
CREATE FUNCTION record_life() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN
    INSERT INTO life VALUES (TG_TABLE_NAME,
                             CASE TG_OP WHEN 'INSERT' THEN NEW.id ELSE OLD.id END,
                             TG_OP = 'INSERT');
    RETURN NULL;
END \$\$;

CREATE TABLE tree (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE branch (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                     tree int NOT NULL REFERENCES tree ON DELETE CASCADE);
CREATE TABLE leaf (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                   branch int NOT NULL REFERENCES branch ON DELETE CASCADE);
CREATE INDEX ON branch (tree);
CREATE INDEX ON leaf (branch);
SELECT dtmodel.add_soft_delete('tree'), dtmodel.add_soft_delete('branch'),
       dtmodel.add_soft_delete('leaf');
SELECT dtmodel.require_live_parent('branch', 'tree'),
       dtmodel.require_live_parent('leaf', 'branch');
CREATE TRIGGER life AFTER INSERT OR DELETE ON tree FOR EACH ROW EXECUTE FUNCTION record_life();
CREATE TRIGGER life AFTER INSERT OR DELETE ON branch FOR EACH ROW EXECUTE FUNCTION record_life();
CREATE TRIGGER life AFTER INSERT OR DELETE ON leaf FOR EACH ROW EXECUTE FUNCTION record_life();

-- Branches that were deleted by themselves, and when.
CREATE TABLE cut (branch int, deleted_at timestamptz);
CREATE FUNCTION cut_branch(branch int) RETURNS void LANGUAGE plpgsql AS \$\$
BEGIN
    PERFORM FROM branch AS b WHERE b.id = cut_branch.branch AND NOT b.is_deleted FOR UPDATE;
    IF FOUND THEN
        INSERT INTO cut
        SELECT b.id, b.deleted_at FROM dtmodel.soft_delete(NULL::branch, cut_branch.branch) AS b;
    END IF;
END \$\$;

-- Nothing grows on what is deleted or purged, and nothing is restored there.
CREATE TABLE refused (what text);
CREATE FUNCTION grow(tree int) RETURNS void LANGUAGE plpgsql AS \$\$
DECLARE
    made int;
BEGIN
    INSERT INTO branch (tree) VALUES (tree) RETURNING id INTO made;
    INSERT INTO leaf (branch) SELECT made FROM generate_series(1, 3);
EXCEPTION WHEN foreign_key_violation THEN
    INSERT INTO refused VALUES ('grow');
END \$\$;
CREATE FUNCTION restore_branch(branch int) RETURNS void LANGUAGE plpgsql AS \$\$
BEGIN
    PERFORM dtmodel.restore(NULL::branch, branch);
EXCEPTION WHEN foreign_key_violation THEN
    INSERT INTO refused VALUES ('restore');
END \$\$;

INSERT INTO tree SELECT FROM generate_series(1, $trees);
SQL

my %scripts = (
	plant => 'INSERT INTO tree DEFAULT VALUES;',
	grow => "\\set tree random(1, $trees + 20)\nSELECT grow(:tree);",
	fell => "\\set tree random(1, $trees + 20)\nDELETE FROM tree WHERE id = :tree;",
	regrow => "\\set tree random(1, $trees + 20)\nSELECT FROM dtmodel.restore(NULL::tree, :tree);",
	uproot => "\\set tree random(1, $trees + 20)\nBEGIN;\n"
	  . "DELETE FROM leaf USING branch WHERE branch.id = leaf.branch AND branch.tree = :tree;\n"
	  . "DELETE FROM branch WHERE tree = :tree;\nDELETE FROM tree WHERE id = :tree;\nCOMMIT;",
	cut => "\\set age random(0, 200)\nSELECT cut_branch((SELECT max(id) FROM branch) - :age);",
	graft => "\\set age random(0, 200)\nSELECT restore_branch((SELECT max(id) FROM branch) - :age);",
	purge => "CALL dtmodel.purge('branch', '0 s', 5);");

# The purge is rare, and leaves the trees alone, and branches are taken from the
# youngest, so that there is something to restore.
my %weights = (plant => 1, grow => 30, fell => 3, uproot => 3, regrow => 6, cut => 10, graft => 10, purge => 2);
my @files;

foreach my $name (sort keys %scripts)
{
	my $file = $node->basedir . "/$name.sql";

	append_to_file($file, "$scripts{$name}\n");
	push @files, '-f', "$file\@$weights{$name}";
}

# Half of the clients preload the library: tiers work side by side.
my @runs;
foreach my $preload ('', 'dtmodel')
{
	local $ENV{PGOPTIONS} =
	  "-c session_preload_libraries=$preload -c client_min_messages=warning";
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start(
		[
			'pgbench', '-n', '-c', $clients / 2, '-j', 2, '-t', $transactions,
			'--max-tries=1000', "--random-seed=$seed", @files,
			$node->connstr('postgres')
		],
		'<', \'', '>', \$out, '2>', \$err);

	push @runs, [ $run, \$out, \$err ];
}
$campaign->wait(
	sub { $node->safe_psql('postgres', "SELECT xact_commit / $clients FROM pg_stat_database WHERE datname = 'postgres'") },
	map { $_->[0] } @runs);
foreach my $run (@runs)
{
	my ($harness, $out, $err) = @$run;
	my $all = $clients / 2 * $transactions;

	$harness->finish;
	like($$out, qr{processed: $all/$all\b}, 'every transaction was done');
	like($$out, qr{failed transactions: 0 }, 'and none failed');
	is($$err, "pgbench: setting random seed to $seed\n", 'no errors on stderr');
}

sub is_query
{
	my ($sql, $expected, $name) = @_;

	is($node->safe_psql('postgres', $sql), $expected, $name);
	return;
}

sub check_invariants
{
	is_query(
		q(
		SELECT (SELECT count(*) FROM branch AS b JOIN tree AS t ON t.id = b.tree
				WHERE t.is_deleted AND NOT b.is_deleted),
			   (SELECT count(*) FROM leaf AS l JOIN branch AS b ON b.id = l.branch
				WHERE b.is_deleted AND NOT l.is_deleted)),
		'0|0', 'no live row is under a deleted one');
	is_query(
		q(
		SELECT count(*) FROM branch AS b JOIN tree AS t ON t.id = b.tree
		WHERE b.is_deleted AND b.deleted_at IS DISTINCT FROM t.deleted_at
		  AND NOT EXISTS (SELECT FROM cut WHERE cut.branch = b.id AND cut.deleted_at = b.deleted_at)),
		'0', 'a branch was deleted with its tree or by itself');
	is_query(
		q(
		SELECT count(*) FROM leaf AS l JOIN branch AS b ON b.id = l.branch
		WHERE l.deleted_at IS DISTINCT FROM b.deleted_at),
		'0', 'a leaf was deleted with its branch');
	is_query(
		q(
		SELECT count(*) - count(DISTINCT deleted_at) FROM tree WHERE is_deleted),
		'0', 'no two deletions have one time');
	is_query(
		q(
		WITH present AS (
			SELECT 'tree' AS relation, id FROM tree
			UNION ALL SELECT 'branch', id FROM branch
			UNION ALL SELECT 'leaf', id FROM leaf)
		SELECT count(*) FROM (
			SELECT relation, id FROM life WHERE alive
			EXCEPT ALL (
				SELECT relation, id FROM life WHERE NOT alive
				UNION ALL SELECT relation, id FROM present)) AS lost),
		'0', 'no row is lost');
	return;
}

check_invariants();
is_query(
	q(
	SELECT (SELECT count(DISTINCT what) FROM refused), (SELECT count(*) > 0 FROM cut),
		   (SELECT count(*) > 0 FROM life WHERE NOT alive),
		   (SELECT count(*) > 0 FROM tree WHERE is_deleted)),
	'2|t|t|t', 'all kinds of rows existed');

# The purge of the trees deletes the rows below them, and no others.
my $live = q(SELECT (SELECT count(*) FROM tree WHERE NOT is_deleted),
			 (SELECT count(*) FROM branch WHERE NOT is_deleted),
			 (SELECT count(*) FROM leaf WHERE NOT is_deleted));
my $before = $node->safe_psql('postgres', $live);

$node->safe_psql('postgres', "CALL dtmodel.purge('$_', '0 s')") foreach ('leaf', 'branch', 'tree');
is_query($live, $before, 'a purge deletes no live row');
is_query(
	q(
	SELECT (SELECT count(*) FROM tree WHERE is_deleted) + (SELECT count(*) FROM branch WHERE is_deleted) +
		   (SELECT count(*) FROM leaf WHERE is_deleted)),
	'0', 'and every deleted one');
check_invariants();

$node->stop;
done_testing();
