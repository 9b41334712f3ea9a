--
-- a model that leaves DELETE to its triggers even if the library is preloaded
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA preloaded_tier_option;
SET search_path = preloaded_tier_option;

CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING '% % % of %', TG_NAME, TG_WHEN, TG_OP, OLD.id;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TABLE posts (id int PRIMARY KEY, n int);
CREATE TRIGGER before_delete BEFORE DELETE ON posts FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER after_delete AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER after_update AFTER UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION tell();
INSERT INTO posts SELECT generate_series(1, 20);

-- without the option, the planner makes DELETE soft
SELECT dtmodel.add_soft_delete('posts');
DELETE FROM posts WHERE id = 1 RETURNING id;

-- with it, the triggers do
PREPARE del (int) AS DELETE FROM posts WHERE id = $1 RETURNING id;
EXECUTE del (2);
SELECT dtmodel.add_soft_delete('posts', tier => 'trigger');
SELECT dtmodel.describe('posts') #>> '{soft_delete,tier}' AS tier;
EXPLAIN (COSTS OFF) DELETE FROM posts WHERE id = 3;
EXECUTE del (3);
DELETE FROM posts WHERE id = 4 RETURNING id;
\echo :ROW_COUNT
WITH gone AS (DELETE FROM posts WHERE id = 5 RETURNING id) SELECT count(*) FROM gone;
SELECT current_setting('server_version_num')::int >= 150000 AS has_merge \gset
\if :has_merge
\set two_actions 'MERGE INTO posts USING (VALUES (6), (7)) AS s (id) ON posts.id = s.id WHEN MATCHED AND s.id = 6 THEN DELETE WHEN MATCHED THEN UPDATE SET n = 1;'
\set one_action 'MERGE INTO posts USING (VALUES (14), (15)) AS s (id) ON posts.id = s.id WHEN MATCHED THEN DELETE;'
\else
\set two_actions 'DELETE FROM posts WHERE id = 6; UPDATE posts SET n = 1 WHERE id = 7;'
\set one_action 'DELETE FROM posts WHERE id IN (14, 15);'
\endif
:two_actions
SELECT (dtmodel.soft_delete(NULL::posts, 8)).id;
SELECT (dtmodel.soft_delete(p)).id FROM posts AS p WHERE id = 9;
SELECT (dtmodel.delete(NULL::posts, 10)).id;
SELECT dtmodel.create_live_view('posts');
DELETE FROM live_posts WHERE id = 11 RETURNING id;
SELECT id FROM posts WHERE is_deleted ORDER BY id;
SELECT count(*) FROM posts;

-- the user's trigger can skip the row
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER before_delete_2 BEFORE DELETE ON posts FOR EACH ROW WHEN (OLD.id = 12) EXECUTE FUNCTION refuse();
DELETE FROM posts WHERE id IN (12, 13);
SELECT id, is_deleted FROM posts WHERE id IN (12, 13) ORDER BY id;

-- hidden rows stay hidden, also from the DELETE; a hard DELETE finds them
SELECT dtmodel.add_soft_delete('posts', hide => true, tier => 'trigger');
SELECT count(*) FROM posts;
DELETE FROM posts WHERE id IN (13, 14);
EXPLAIN (COSTS OFF) DELETE FROM posts WHERE id = 15;
:one_action
SET dtmodel.with_deleted = on;
DELETE FROM posts WHERE id = 15;
RESET dtmodel.with_deleted;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM posts WHERE id = 16;
FETCH c;
DELETE FROM posts WHERE CURRENT OF c;
DELETE FROM posts WHERE CURRENT OF c;
COMMIT;
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
DELETE FROM posts WHERE id IN (14, 17) RETURNING id;
ROLLBACK;
SET dtmodel.with_deleted = on;
SELECT count(*), count(*) FILTER (WHERE is_deleted) AS deleted FROM posts;
RESET dtmodel.with_deleted;

-- the option of the table in the statement applies, also to its partitions and inheriting tables
CREATE TABLE events (id int) PARTITION BY LIST (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1, 2);
SELECT dtmodel.add_soft_delete('events', tier => 'trigger');
INSERT INTO events VALUES (1), (2);
DELETE FROM events WHERE id = 1 RETURNING id;
DELETE FROM events_1 RETURNING id;
SELECT id, is_deleted FROM events ORDER BY id;
CREATE TABLE base (id int);
CREATE TABLE child () INHERITS (base);
SELECT dtmodel.add_soft_delete('base', tier => 'trigger');
SELECT dtmodel.add_soft_delete('child');
INSERT INTO child VALUES (1), (2);
DELETE FROM base WHERE id = 1 RETURNING id;
DELETE FROM child RETURNING id;
SELECT id, is_deleted FROM base ORDER BY id;

-- a cascade into it
CREATE TABLE comments (id int PRIMARY KEY, post int REFERENCES posts ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('comments', tier => 'trigger');
INSERT INTO comments VALUES (1, 17);
DELETE FROM posts WHERE id = 17;
SELECT id, is_deleted FROM comments;

-- and without the option again
SELECT dtmodel.add_soft_delete('posts');
EXECUTE del (18);

DROP SCHEMA preloaded_tier_option CASCADE;
