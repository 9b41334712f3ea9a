--
-- create_live_view: an updatable view of the live rows
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA live_view;
SET search_path = live_view;

CREATE TABLE posts (id int PRIMARY KEY, title text, n int);
SELECT dtmodel.add_soft_delete('posts');
SELECT dtmodel.unique_live('posts', 'title');
INSERT INTO posts SELECT i, 'post ' || i, 0 FROM generate_series(1, 20) AS i;
DELETE FROM posts WHERE id > 15;
RESET client_min_messages;
SELECT dtmodel.create_live_view('posts');
SELECT dtmodel.create_live_view('posts');
SELECT string_agg(attname, ', ' ORDER BY attnum) AS columns FROM pg_attribute WHERE attrelid = 'live_posts'::regclass;
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'live_posts'::regclass;
SELECT count(*), max(id) FROM live_posts;

-- DELETE counts and returns its rows, and deletes softly
DELETE FROM live_posts WHERE id <= 2 RETURNING id, title, is_deleted;
\echo :ROW_COUNT
DELETE FROM live_posts WHERE id <= 3;
\echo :ROW_COUNT
SELECT count(*) AS rows, count(*) FILTER (WHERE is_deleted) AS deleted,
       bool_and(is_deleted = (deleted_at IS NOT NULL)) AS in_step FROM posts;

-- in a CTE, with USING that matches a row twice, in a prepared statement, in a function
WITH gone AS (DELETE FROM live_posts WHERE id = 4 RETURNING id) SELECT * FROM gone;
DELETE FROM live_posts USING (VALUES (5), (5)) AS d (id) WHERE live_posts.id = d.id;
\echo :ROW_COUNT
PREPARE remove (int) AS DELETE FROM live_posts WHERE id = $1 RETURNING id;
EXECUTE remove (6);
EXECUTE remove (6);
DEALLOCATE remove;
DO $$
DECLARE
    gone int;
BEGIN
    DELETE FROM live_view.live_posts WHERE id IN (7, 8);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RAISE NOTICE '% gone', gone;
END $$;

-- INSERT, UPDATE and ON CONFLICT are the server's own
INSERT INTO live_posts (id, title) VALUES (30, 'thirty') RETURNING id, is_deleted;
UPDATE live_posts SET n = n + 1 WHERE id IN (9, 20, 30) RETURNING id;
INSERT INTO live_posts (id, title) VALUES (31, 'post 1') ON CONFLICT (title) WHERE NOT is_deleted DO NOTHING RETURNING id;
INSERT INTO live_posts (id, title, n) VALUES (32, 'thirty', 5) ON CONFLICT (title) WHERE NOT is_deleted DO UPDATE SET n = excluded.n RETURNING id, n;

-- setting the flag through the view is a deletion too: there is no CHECK OPTION
UPDATE live_posts SET is_deleted = true WHERE id = 30 RETURNING id;
SELECT id, is_deleted, deleted_at IS NOT NULL AS timed FROM posts WHERE id = 30;

-- COPY reads a query, and writes to the table
COPY (SELECT id, title FROM live_posts WHERE id > 30) TO STDOUT;
COPY live_posts (id) TO STDOUT;
\echo :SQLSTATE
COPY live_posts (id) FROM '/dev/null';
\echo :SQLSTATE

-- dtmodel.hard_delete makes it physical, as any DELETE
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
DELETE FROM live_posts WHERE id = 9 RETURNING id;
SELECT count(*) FROM posts WHERE id = 9;
ROLLBACK;

-- rolled back
BEGIN;
DELETE FROM live_posts;
\echo :ROW_COUNT
ROLLBACK;
SELECT count(*) FROM live_posts;

-- the table changes, and a new call updates the view
ALTER TABLE posts RENAME COLUMN id TO "Post id";
ALTER TABLE posts RENAME COLUMN is_deleted TO gone;
ALTER TABLE posts ADD COLUMN extra text DEFAULT 'new';
DELETE FROM live_posts WHERE id = 9;
\echo :SQLSTATE
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete('posts', flag => 'gone');
RESET client_min_messages;
DELETE FROM live_posts WHERE id = 9 RETURNING id;
SELECT dtmodel.create_live_view('posts');
SELECT dtmodel.create_live_view('posts');
SELECT * FROM live_posts WHERE "Post id" = 10;
ALTER TABLE posts RENAME TO articles;
DELETE FROM live_posts WHERE "Post id" = 10;
\echo :ROW_COUNT
SELECT dtmodel.create_live_view('articles');

-- a view of the user with the trigger by hand
CREATE VIEW titled AS SELECT a.title AS t, a."Post id" AS id FROM articles AS a WHERE NOT gone AND title IS NOT NULL;
CREATE TRIGGER remove INSTEAD OF DELETE ON titled FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_view_trigger();
DELETE FROM titled WHERE id = 11 RETURNING *;

-- other kinds of model, and names that need quotes
SET client_min_messages = warning;
CREATE TABLE "Odd.Name; ""x""" (a int, "b c" text, PRIMARY KEY ("b c", a), LIKE dtmodel.active_mixin INCLUDING ALL);
SELECT dtmodel.add_soft_delete('"Odd.Name; ""x"""', flag => 'is_active', flag_means => 'live');
SELECT dtmodel.create_live_view('"Odd.Name; ""x"""', view => 'The "live" ones');
INSERT INTO "The ""live"" ones" VALUES (1, 'x'), (2, 'x'), (2, 'y');
DELETE FROM "The ""live"" ones" WHERE a = 2 AND "b c" = 'x' RETURNING *;
SELECT a, "b c", is_active FROM "Odd.Name; ""x""" ORDER BY a, "b c";
CREATE TABLE parted (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
SELECT dtmodel.add_soft_delete('parted', flag => NULL);
SELECT dtmodel.create_live_view('parted');
INSERT INTO live_parted SELECT generate_series(1, 19, 3);
DELETE FROM live_parted WHERE id IN (1, 19) RETURNING id;
SELECT count(*) AS rows, count(deleted_at) AS deleted FROM parted;
RESET client_min_messages;

-- drift: a view that no longer matches its table, with the call that updates it
SET client_min_messages = warning;
CREATE TABLE tasks (id int PRIMARY KEY, note text);
SELECT dtmodel.add_soft_delete('tasks');
SELECT dtmodel.create_live_view('tasks'), dtmodel.create_live_view('tasks', view => 'Open "ones"');
CREATE VIEW hand_made AS SELECT id, note AS title FROM tasks WHERE is_deleted = false AND note <> '';
CREATE TRIGGER remove INSTEAD OF DELETE ON hand_made FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_view_trigger();
-- reading the drift calls none of its functions
CREATE FUNCTION spy() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE WARNING ''called by %'', current_user; RETURN true; END';
CREATE VIEW spying AS SELECT id FROM tasks WHERE (is_deleted IS FALSE AND id > 0) AND spy();
CREATE TRIGGER remove INSTEAD OF DELETE ON spying FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_view_trigger();
CREATE VIEW joined AS SELECT a.id FROM tasks AS a JOIN tasks AS b USING (id);
CREATE TRIGGER remove INSTEAD OF DELETE ON joined FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_view_trigger();
CREATE VIEW plain AS SELECT * FROM tasks;
INSERT INTO tasks VALUES (1, 'one'), (2, 'two');
SELECT dtmodel.describe('tasks') -> 'drift' AS drift;
SELECT dtmodel.add_settings('tasks', '{theme}');
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('tasks') ORDER BY 1;
SELECT dtmodel.settings(t) FROM live_tasks AS t WHERE id = 1;
\echo :SQLSTATE
SELECT dtmodel.to_dict(t) FROM "Open ""ones""" AS t WHERE id = 1;
\echo :SQLSTATE
SELECT dtmodel.to_dict(t) FROM hand_made AS t WHERE id = 1;
\echo :SQLSTATE
CREATE FUNCTION follow_drift() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    call text;
BEGIN
    FOR call IN SELECT repair FROM dtmodel.drift('tasks') WHERE repair IS NOT NULL ORDER BY problem LOOP
        EXECUTE call;
    END LOOP;
    RETURN QUERY SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('tasks');
END
$$;
SELECT follow_drift();
SELECT dtmodel.to_dict(t, includes => '{id,theme}') FROM "Open ""ones""" AS t WHERE id = 1;
ALTER TABLE tasks ADD is_open boolean NOT NULL DEFAULT true;
ALTER TABLE tasks DROP CONSTRAINT ck_tasks_soft_delete;
SELECT dtmodel.add_soft_delete('tasks', flag => 'is_open', flag_means => 'live');
DELETE FROM tasks WHERE id = 1;
SELECT count(*) FROM live_tasks;
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('tasks') ORDER BY 1;
SELECT follow_drift();
SELECT count(*) FROM live_tasks;
-- it is found in another schema and under another name too
ALTER VIEW live_tasks SET SCHEMA public;
ALTER VIEW public.live_tasks RENAME TO live_view_moved;
SELECT dtmodel.add_soft_delete('tasks', flag => NULL);
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('tasks') ORDER BY 1;
DROP VIEW public.live_view_moved;

-- columns cannot be dropped while a view shows them
SELECT dtmodel.remove_settings('tasks', drop_columns => true);
\echo :SQLSTATE
SELECT dtmodel.restore_deletion(NULL::tasks, deleted_at) FROM tasks WHERE id = 1;
SELECT dtmodel.remove_soft_delete('tasks', drop_columns => true);
\echo :SQLSTATE
DROP VIEW "Open ""ones""";
SELECT dtmodel.create_live_view('tasks', view => 'ones');
SELECT dtmodel.remove_settings('tasks', drop_columns => true);
DROP VIEW ones;
SELECT dtmodel.remove_settings('tasks', drop_columns => true);
SELECT dtmodel.create_live_view('tasks');
RESET client_min_messages;

-- a view whose condition is that of another flag
SET client_min_messages = warning;
CREATE TABLE swapped (id int PRIMARY KEY, is_deleted boolean NOT NULL DEFAULT false, hidden boolean NOT NULL DEFAULT false, deleted_at timestamptz);
SELECT dtmodel.add_soft_delete('swapped');
SELECT dtmodel.create_live_view('swapped');
INSERT INTO swapped VALUES (1), (2);
SELECT dtmodel.remove_soft_delete('swapped');
SELECT dtmodel.add_soft_delete('swapped', flag => 'hidden');
SELECT problem, repair, advice FROM dtmodel.drift('swapped');
RESET client_min_messages;
SELECT dtmodel.create_live_view('swapped');
SET client_min_messages = warning;
DELETE FROM swapped WHERE id = 1;
SELECT id FROM live_swapped;

SET client_min_messages = warning;
DROP SCHEMA live_view CASCADE;
