--
-- hidden rows: queries see live rows only, with the plans of a hand-written WHERE
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA preloaded_hidden;
SET search_path = preloaded_hidden;

CREATE TABLE posts (id int PRIMARY KEY, email text, data jsonb, author int);
CREATE TABLE shown (LIKE posts INCLUDING ALL);
INSERT INTO posts SELECT i, 'n' || i, jsonb_build_object('k', i), i % 10 FROM generate_series(1, 2000) AS i;
INSERT INTO shown TABLE posts;
SELECT dtmodel.add_soft_delete('posts', hide => true);
SELECT dtmodel.add_soft_delete('shown');
DELETE FROM posts WHERE id % 2 = 0;
DELETE FROM shown WHERE id % 2 = 0;
CREATE UNIQUE INDEX posts_email ON posts (email) WHERE NOT is_deleted;
CREATE UNIQUE INDEX shown_email ON shown (email) WHERE NOT is_deleted;
CREATE INDEX posts_data ON posts USING gin (data);
CREATE INDEX shown_data ON shown USING gin (data);
CREATE INDEX posts_lower ON posts (lower(email));
CREATE INDEX shown_lower ON shown (lower(email));
ANALYZE posts, shown;

-- every query level, every kind of join
SELECT count(*) FROM posts;
SELECT count(*) FROM posts AS a JOIN posts AS b USING (id);
SELECT a.id, b.id FROM posts AS a LEFT JOIN posts AS b ON b.id = a.id + 1 WHERE a.id < 4 ORDER BY 1;
SELECT a.id, b.id FROM (SELECT * FROM posts WHERE id < 6) AS a FULL JOIN (SELECT * FROM posts WHERE id BETWEEN 4 AND 8) AS b USING (id) ORDER BY 1, 2;
SELECT g, p.id FROM generate_series(1, 4) AS g LEFT JOIN posts AS p ON p.id = g ORDER BY 1;
SELECT g, p.id FROM posts AS p RIGHT JOIN generate_series(1, 4) AS g ON p.id = g ORDER BY 1;
SELECT count(*) FROM generate_series(1, 100) AS g WHERE g IN (SELECT id FROM posts);
SELECT count(*) FROM generate_series(1, 100) AS g WHERE NOT EXISTS (SELECT FROM posts WHERE id = g);
SELECT g, (SELECT count(*) FROM posts WHERE id <= g) FROM generate_series(9, 10) AS g;
WITH q AS (SELECT * FROM posts) SELECT count(*) FROM q;
WITH RECURSIVE q (id) AS (SELECT 1 UNION ALL SELECT p.id FROM q JOIN posts AS p ON p.id = q.id + 2 WHERE q.id < 9) SELECT array_agg(id) FROM q;
SELECT count(*) FROM posts AS a, LATERAL (SELECT * FROM posts AS b WHERE b.id = a.id + 2 LIMIT 1) AS x WHERE a.id < 20;
SELECT count(*) FROM (SELECT id FROM posts UNION ALL SELECT id FROM posts) AS u;
CREATE VIEW over AS SELECT * FROM posts;
CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM preloaded_hidden.posts';
SELECT count(*), counted() FROM over;
SELECT id FROM posts WHERE id < 4 ORDER BY id FOR UPDATE;
PREPARE counting AS SELECT count(*) FROM posts;
EXECUTE counting;

-- targets of UPDATE and DELETE
UPDATE posts SET author = -1 WHERE id IN (1, 2) RETURNING id;
DELETE FROM posts WHERE id IN (2, 3) RETURNING id;
SELECT current_setting('server_version_num')::int >= 150000 AS has_merge \gset
\if :has_merge
MERGE INTO posts USING (VALUES (2), (5)) AS s (id) ON posts.id = s.id
    WHEN MATCHED THEN UPDATE SET author = -2
    WHEN NOT MATCHED THEN DO NOTHING;
\else
UPDATE posts SET author = -2 WHERE id IN (2, 5);
\endif
\echo :ROW_COUNT
SELECT count(*) FROM posts WHERE author < 0;

-- INSERT, ON CONFLICT, foreign keys, COPY and dumps see all
INSERT INTO posts (id) VALUES (2);
\echo :SQLSTATE
INSERT INTO posts (id) VALUES (2) ON CONFLICT (id) DO UPDATE SET author = -3;
\echo :SQLSTATE
INSERT INTO posts (id) VALUES (7) ON CONFLICT (id) DO UPDATE SET author = -3 RETURNING author;
INSERT INTO posts (id) VALUES (7), (9) ON CONFLICT (id) DO UPDATE SET author = -4 WHERE posts.author = -3 RETURNING id, author;
INSERT INTO posts (id) VALUES (2) ON CONFLICT (id) DO UPDATE SET author = -4 WHERE posts.author = -3;
\echo :SQLSTATE
BEGIN;
INSERT INTO posts (id) VALUES (2) ON CONFLICT (id) DO UPDATE SET is_deleted = false, author = -5 RETURNING author;
SELECT id, author, deleted_at FROM posts WHERE id = 2;
ROLLBACK;
INSERT INTO posts (id) VALUES (2) ON CONFLICT (id) DO UPDATE SET deleted_at = '2001-01-01' RETURNING author;
INSERT INTO posts (id) VALUES (2) ON CONFLICT (id) DO NOTHING;
\echo :ROW_COUNT
CREATE TABLE comments (post int REFERENCES posts);
INSERT INTO comments VALUES (4);
SELECT count(*) FROM comments JOIN posts ON id = post;
COPY posts (id) TO '/dev/null';
\echo :ROW_COUNT
BEGIN;
DECLARE _pg_dump_cursor CURSOR FOR SELECT id FROM ONLY posts;
MOVE ALL IN _pg_dump_cursor;
\echo :ROW_COUNT
ROLLBACK;

-- independently of row_security, which a dump turns off
SET row_security = off;
SELECT count(*) FROM posts;
EXECUTE counting;
RESET row_security;

-- shown on request, also in saved plans
SET dtmodel.with_deleted = on;
EXECUTE counting;
SELECT count(*), counted() FROM over;
RESET dtmodel.with_deleted;
EXECUTE counting;
BEGIN;
SET LOCAL dtmodel.with_deleted = on;
EXECUTE counting;
ROLLBACK;
EXECUTE counting;

-- hard deletes find deleted rows
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
DELETE FROM comments;
DELETE FROM posts WHERE is_deleted;
\echo :ROW_COUNT
ROLLBACK;

-- soft_delete and restore find the row
SELECT (dtmodel.restore(NULL::posts, 6)).id;
SELECT (dtmodel.soft_delete(NULL::posts, 6)).id;
SELECT (dtmodel.soft_delete(NULL::posts, 6)).id;
SELECT count(*) FROM posts WHERE id = 6;

-- the same plans as by hand
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS
    $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
CREATE FUNCTION compare(query text) RETURNS TABLE (same boolean, plan text) LANGUAGE plpgsql AS $$
DECLARE
    by_hand text := regexp_replace(query, '\$T (\w+)', '(SELECT * FROM shown AS \1 WHERE NOT \1.is_deleted) AS \1', 'g');
BEGIN
    plan := (SELECT string_agg(p, E'\n') FROM plan_of(replace(query, '$T', 'posts')) AS p);
    same := plan = (SELECT replace(string_agg(p, E'\n'), 'shown', 'posts') FROM plan_of(by_hand) AS p);
    RETURN NEXT;
END $$;
SELECT * FROM compare('SELECT * FROM $T t WHERE id = 7');
SELECT * FROM compare('SELECT * FROM $T t WHERE email = ''n7''');
SELECT * FROM compare('SELECT * FROM $T t WHERE lower(email) = ''n7''');
SELECT * FROM compare('SELECT * FROM $T t WHERE data @> ''{"k": 7}''');
SELECT same FROM compare('SELECT a.id, b.id FROM $T a LEFT JOIN $T b ON b.id = a.id + 1 WHERE a.id < 10');
SELECT same FROM compare('SELECT a.id, b.id FROM $T a FULL JOIN $T b ON b.id = a.id WHERE a.id < 10');
SELECT same FROM compare('SELECT count(*) FROM $T a WHERE EXISTS (SELECT FROM $T b WHERE b.id = a.author)');
SELECT same FROM compare('SELECT g, (SELECT count(*) FROM $T t WHERE t.id = g) FROM generate_series(1, 3) AS g');

-- with row-level security, whose policies come first
CREATE ROLE preloaded_reader;
GRANT USAGE ON SCHEMA preloaded_hidden TO preloaded_reader;
GRANT SELECT ON posts TO preloaded_reader;
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON posts USING (id < 10);
SET ROLE preloaded_reader;
SELECT array_agg(id ORDER BY id) FROM posts;
RESET ROLE;

-- partitions
CREATE TABLE parted (id int, part int, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
SELECT dtmodel.add_soft_delete('parted', hide => true);
INSERT INTO parted SELECT i, 1 + i % 2 FROM generate_series(1, 10) AS i;
DELETE FROM parted WHERE id < 5;
SELECT (SELECT count(*) FROM parted) AS parted, (SELECT count(*) FROM parted_1) AS part;

-- nor does a copy show them: its text has no ";", as drivers send it
CREATE TABLE parted_2024 (LIKE parted);
DO 'BEGIN EXECUTE ''INSERT INTO parted_2024 SELECT * FROM parted''; END';
SELECT count(*) FROM parted_2024;

-- a missing column is an error, and does not show deleted rows
ALTER TABLE posts RENAME COLUMN is_deleted TO gone;
SELECT count(*) FROM posts;
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('posts', flag => 'gone', hide => true);
SELECT count(*) FROM posts;
SELECT dtmodel.add_soft_delete('posts', flag => 'gone');
SELECT count(*) FROM posts;

DROP SCHEMA preloaded_hidden CASCADE;
DROP ROLE preloaded_reader;
