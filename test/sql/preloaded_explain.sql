--
-- EXPLAIN says that a plan is a soft DELETE, from PostgreSQL 18 on
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA preloaded_explain;
SET search_path = preloaded_explain;

CREATE TABLE posts (id int PRIMARY KEY, n int, is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz);
SELECT dtmodel.add_soft_delete('posts');
CREATE TABLE parts (id int, n int) PARTITION BY LIST (n);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE part_2 PARTITION OF parts FOR VALUES IN (2);
SELECT dtmodel.add_soft_delete('parts');
CREATE TABLE plain (id int PRIMARY KEY);
INSERT INTO posts (id) VALUES (1), (2), (3);

-- whether that many nodes of the plan are soft deletes; before 18 it cannot be shown
CREATE FUNCTION has(soft_deletes int, query text, options text DEFAULT 'COSTS OFF') RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    line text;
    found int = 0;
BEGIN
    FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, query) LOOP
        found := found + (line ~ '^ *Soft Delete: true$')::int;
    END LOOP;
    RETURN found = CASE WHEN current_setting('server_version_num')::int >= 180000 THEN soft_deletes ELSE 0 END;
END $$;

SELECT has(1, 'DELETE FROM posts WHERE id = 1');
SELECT has(1, 'DELETE FROM parts');
SELECT has(2, 'WITH a AS (DELETE FROM posts WHERE id = 1 RETURNING id), b AS (DELETE FROM parts RETURNING id) TABLE a UNION ALL TABLE b');
SELECT has(1, 'DELETE FROM posts WHERE id = 1', 'ANALYZE, COSTS OFF');
SELECT id, is_deleted FROM posts ORDER BY id;
PREPARE del (int) AS DELETE FROM posts WHERE id = $1;
SELECT has(1, 'EXECUTE del (2)');
SELECT current_setting('server_version_num')::int >= 150000 AS has_merge \gset
\if :has_merge
\set merge 'MERGE INTO posts USING plain ON posts.id = plain.id WHEN MATCHED AND n = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET n = 1'
\else
\set merge 'DELETE FROM posts'
\endif
SELECT has(1, :'merge');

-- what is not one
SELECT has(0, 'UPDATE posts SET is_deleted = true, deleted_at = now()');
SELECT has(0, 'SELECT FROM posts');
SELECT has(0, 'DELETE FROM plain');
SELECT has(0, 'MERGE INTO posts USING plain ON posts.id = plain.id WHEN MATCHED THEN UPDATE SET n = 1') WHERE :'has_merge'
UNION ALL SELECT true WHERE NOT :'has_merge';
SET dtmodel.hard_delete = on;
SELECT has(0, 'EXECUTE del (2)');
RESET dtmodel.hard_delete;
SET dtmodel.rewrite = off;
SELECT has(0, 'DELETE FROM posts WHERE id = 2');

-- later tests list the models
DROP TABLE posts, parts;
