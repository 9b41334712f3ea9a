--
-- MERGE into a live view, since PostgreSQL 17
--
SELECT current_setting('server_version_num')::int < 170000 AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA live_view_merge;
SET search_path = live_view_merge;

CREATE TABLE posts (id int PRIMARY KEY, title text, n int);
SELECT dtmodel.add_soft_delete('posts');
SELECT dtmodel.create_live_view('posts');
INSERT INTO posts SELECT i, 'post ' || i, 0 FROM generate_series(1, 9) AS i;
DELETE FROM posts WHERE id = 9;
RESET client_min_messages;

-- DELETE alone uses the view's trigger: soft, counted and returned
MERGE INTO live_posts AS p USING (VALUES (1), (9), (10)) AS s (id) ON p.id = s.id
    WHEN MATCHED THEN DELETE
    RETURNING merge_action(), p.id, p.is_deleted;
\echo :ROW_COUNT
MERGE INTO live_posts AS p USING (VALUES (1), (2), (3)) AS s (id) ON p.id = s.id
    WHEN MATCHED AND p.id = 3 THEN DO NOTHING
    WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED THEN DO NOTHING;
\echo :ROW_COUNT
SELECT id, is_deleted, deleted_at IS NOT NULL AS timed FROM posts WHERE id IN (1, 2, 3, 9) ORDER BY id;

-- a row that two rows of the source delete is counted once
MERGE INTO live_posts AS p USING (VALUES (4), (4)) AS s (id) ON p.id = s.id WHEN MATCHED THEN DELETE;
\echo :ROW_COUNT

-- UPDATE and INSERT, together too, are the server's own
MERGE INTO live_posts AS p USING (VALUES (5), (9), (11)) AS s (id) ON p.id = s.id
    WHEN MATCHED THEN UPDATE SET n = 1
    WHEN NOT MATCHED AND s.id > 10 THEN INSERT (id, title) VALUES (s.id, 'new')
    RETURNING merge_action(), p.id, p.n, p.is_deleted;
\echo :ROW_COUNT
MERGE INTO live_posts AS p USING (VALUES (9)) AS s (id) ON p.id = s.id
    WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id);
\echo :SQLSTATE

-- setting the flag is a deletion here too
MERGE INTO live_posts AS p USING (VALUES (11)) AS s (id) ON p.id = s.id
    WHEN MATCHED THEN UPDATE SET is_deleted = true;
SELECT id, is_deleted, deleted_at IS NOT NULL AS timed FROM posts WHERE id = 11;

-- DELETE together with one of them needs the table, where it is soft as well
MERGE INTO live_posts AS p USING (VALUES (5), (6)) AS s (id) ON p.id = s.id
    WHEN MATCHED AND p.n = 1 THEN DELETE
    WHEN MATCHED THEN UPDATE SET n = 2;
\echo :SQLSTATE
MERGE INTO posts AS p USING (VALUES (5), (6)) AS s (id) ON p.id = s.id AND NOT p.is_deleted
    WHEN MATCHED AND p.n = 1 THEN DELETE
    WHEN MATCHED THEN UPDATE SET n = 2;
SELECT id, n, is_deleted FROM posts WHERE id IN (5, 6) ORDER BY id;

-- rows that are missing in the source
MERGE INTO live_posts AS p USING (VALUES (3), (6)) AS s (id) ON p.id = s.id
    WHEN NOT MATCHED BY SOURCE THEN DELETE
    RETURNING p.id;
SELECT id FROM live_posts ORDER BY id;

-- a table whose deleted rows are hidden
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete('posts', hide => true);
RESET client_min_messages;
MERGE INTO live_posts AS p USING (VALUES (1), (3)) AS s (id) ON p.id = s.id WHEN MATCHED THEN DELETE;
\echo :ROW_COUNT
MERGE INTO live_posts AS p USING (VALUES (1), (6), (12)) AS s (id) ON p.id = s.id
    WHEN MATCHED THEN UPDATE SET n = 3
    WHEN NOT MATCHED AND s.id > 10 THEN INSERT (id, n) VALUES (s.id, 3);
SELECT id, n FROM live_posts ORDER BY id;

-- physical if DELETE is
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
MERGE INTO live_posts AS p USING (VALUES (6)) AS s (id) ON p.id = s.id WHEN MATCHED THEN DELETE;
SET LOCAL dtmodel.with_deleted = on;
SELECT count(*) FROM posts WHERE id = 6;
ROLLBACK;

-- with the caller's privileges only
CREATE ROLE live_view_merge_user;
GRANT USAGE ON SCHEMA live_view_merge TO live_view_merge_user;
GRANT SELECT, UPDATE, DELETE ON live_posts TO live_view_merge_user;
GRANT SELECT ON posts TO live_view_merge_user;
SET ROLE live_view_merge_user;
\set VERBOSITY terse
MERGE INTO live_posts AS p USING (VALUES (6)) AS s (id) ON p.id = s.id WHEN MATCHED THEN DELETE;
\echo :SQLSTATE
MERGE INTO live_posts AS p USING (VALUES (6)) AS s (id) ON p.id = s.id WHEN MATCHED THEN UPDATE SET n = 4;
\echo :SQLSTATE
\set VERBOSITY default
RESET ROLE;
GRANT DELETE ON posts TO live_view_merge_user;
SET ROLE live_view_merge_user;
MERGE INTO live_posts AS p USING (VALUES (6)) AS s (id) ON p.id = s.id WHEN MATCHED THEN DELETE;
\echo :ROW_COUNT
RESET ROLE;
SELECT id FROM live_posts ORDER BY id;

SET client_min_messages = warning;
DROP SCHEMA live_view_merge CASCADE;
DROP ROLE live_view_merge_user;
