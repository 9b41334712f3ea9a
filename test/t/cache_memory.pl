
# What a session keeps in memory does not grow with what it did: after every
# function has worked on every one of many models, there are so many plans as
# may be saved and a short description of each model, next to what the server
# itself keeps of a table.

use strict;
use warnings;

use Campaign;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $campaign = Campaign->new(models => 400, least => 400);
my $models = $campaign->size;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'autovacuum = off');
$node->start;

$node->safe_psql(
	'postgres', q(
	CREATE EXTENSION dtmodel;
	CREATE PROCEDURE make_models(first int, last int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN first..last LOOP
			EXECUTE format('CREATE TABLE model%s (id int PRIMARY KEY, title text)', i);
			EXECUTE format('CREATE TABLE child%1$s (id int PRIMARY KEY, parent int REFERENCES model%1$s ON DELETE CASCADE)', i);
			EXECUTE format('SELECT dtmodel.add_timestamps(m), dtmodel.add_soft_delete(m), dtmodel.add_settings(m, %L),
								   dtmodel.add_audit(m), dtmodel.add_slug(m, %L), dtmodel.add_version(m)
							FROM (VALUES (%L::regclass)) AS v (m)', '{theme}', 'title', 'model' || i);
			EXECUTE format('SELECT dtmodel.add_soft_delete(%L)', 'child' || i);
			COMMIT;
		END LOOP;
	END $$;
	CREATE PROCEDURE touch_models(first int, last int) LANGUAGE plpgsql AS $$
	DECLARE
		work text;
	BEGIN
		FOR i IN first..last LOOP
			FOREACH work IN ARRAY ARRAY[
				'SELECT dtmodel.create(NULL::%1$s, %3$L)',
				'SELECT dtmodel.bulk_create(NULL::%1$s, %4$L)',
				'INSERT INTO %1$s (id, title) VALUES (4, %5$L)',
				'INSERT INTO %2$s (id, parent) VALUES (1, 1)',
				'UPDATE %1$s SET title = %5$L WHERE id = 2',
				'SELECT dtmodel.update(NULL::%1$s, 1, %6$L)',
				'SELECT dtmodel.update(m, %6$L) FROM %1$s AS m WHERE id = 2',
				'SELECT dtmodel.get_by_id(NULL::%1$s, 1)',
				'SELECT dtmodel.get_all(NULL::%1$s, 1)',
				'SELECT dtmodel.count(NULL::%1$s), dtmodel.exists(NULL::%1$s, 1)',
				'SELECT dtmodel.get_or_create(NULL::%1$s, %7$L)',
				'SELECT dtmodel.upsert(NULL::%1$s, %7$L)',
				'SELECT dtmodel.to_dict(m), dtmodel.repr(m), dtmodel.str(m), dtmodel.settings(m) FROM %1$s AS m',
				'SELECT dtmodel.new_slug(m) FROM %1$s AS m WHERE id = 3',
				'SELECT dtmodel.delete(NULL::%1$s, 1)',
				'SELECT dtmodel.get_deleted(NULL::%1$s)',
				'SELECT dtmodel.restore(NULL::%1$s, 1)',
				'SELECT dtmodel.soft_delete(m) FROM %1$s AS m WHERE id = 2',
				'DELETE FROM %1$s WHERE id = 3',
				'SELECT dtmodel.restore_deletion(NULL::%1$s, deleted_at) FROM %1$s WHERE id = 3',
				'SELECT dtmodel.delete(NULL::%1$s, 4, soft => false)',
				'SELECT dtmodel.describe(%1$L)',
				'SELECT dtmodel.get_fields(%1$L)'] LOOP
				EXECUTE format(work, 'model' || i, 'child' || i, '{"id": 1, "title": "a", "theme": "dark"}',
							   '[{"id": 2, "title": "b"}, {"id": 3, "title": "c"}]', 'd',
							   '{"title": "e", "theme": "light"}', '{"id": 1}');
				COMMIT;
			END LOOP;
		END LOOP;
	END $$;));
$campaign->parts(200, sub { $node->safe_psql('postgres', "CALL make_models($_[0], $_[1])") });

sub touch
{
	my ($first, $last) = @_;

	return join "\n", "CALL touch_models($first, $last);",
	  map { "CALL dtmodel.purge('model$_', older_than => '0');" } $first .. $last;
}

# What a session holds when it has touched half of the models, and then all of
# them: the bytes of models, those of our plans, how many plans, the bytes that
# belong to no cache, and those of the server's caches.  The server's foreign
# keys have plans of their own, and keep all of them.
my $held = q(
	SELECT sum(total_bytes) FILTER (WHERE name ~ '^dtmodel model'),
		   sum(total_bytes) FILTER (WHERE ident ~ '^/\* dtmodel'),
		   count(*) FILTER (WHERE name = 'CachedPlanSource' AND ident ~ '^/\* dtmodel'),
		   sum(used_bytes) FILTER (WHERE name = 'TopMemoryContext' OR name ~ '^dtmodel' AND name !~ '^dtmodel model'),
		   sum(total_bytes) FILTER (WHERE name = 'CacheMemoryContext' OR name ~ '^(index info|relation rules)')
	FROM pg_backend_memory_contexts;);
my $half = int($models / 2);
local $ENV{PGOPTIONS} = '-c session_preload_libraries=dtmodel';
my $output = $node->safe_psql(
	'postgres',
	join("\n",
		'SET client_min_messages = error;',
		touch(1, $half), $held, touch($half + 1, $models), $held),
	extra_params => [ '-F', ' ' ]);
note $output;
my ($before, $after) = map { [ split / / ] } split /\n/, $output;

cmp_ok($before->[2], '>', 100, 'plans are saved');
cmp_ok($after->[2], '<=', 128, 'but not more than may be');
cmp_ok($after->[1], '<=', 1.1 * $before->[1], 'and they do not take more memory');
# From 19 on, an INSERT keeps 4 kB for each foreign key that it checks.
my $of_server = $node->safe_psql('postgres', 'SHOW server_version_num') < 190000 ? 0 :
  5 * 1024 * ($models - $half);
cmp_ok($after->[3], '<=', 1.1 * $before->[3] + $of_server, 'nothing else grows');

# Each model here has a child.
cmp_ok(($after->[0] - $before->[0]) / ($models - $half) / 2,
	'<=', 12 * 1024, 'a model takes a few kilobytes');
cmp_ok($after->[0], '<=', $after->[4] / 2,
	'less than half of what the server keeps of its table');

done_testing();
