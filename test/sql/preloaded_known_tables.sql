--
-- what the planner knows of tables that become models, or cease to be models,
-- between two plans of the same session
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA preloaded_known_tables;
SET search_path = preloaded_known_tables;
SET plan_cache_mode = force_generic_plan;

-- Planned before it is a model, also by statements that stay prepared.
CREATE TABLE posts (id int PRIMARY KEY, is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz);
INSERT INTO posts SELECT generate_series(1, 9);
PREPARE erase (int) AS DELETE FROM posts WHERE id = $1 RETURNING id, is_deleted;
PREPARE seen AS SELECT array_agg(id ORDER BY id) FROM posts;
EXECUTE erase(1);
EXECUTE seen;
SELECT dtmodel.add_soft_delete('posts', hide => true);
EXECUTE erase(2);
EXECUTE erase(2);
EXECUTE seen;

-- And when it is no longer a model.
SELECT dtmodel.remove_soft_delete('posts');
EXECUTE seen;
EXECUTE erase(3);
EXECUTE seen;

-- In a subtransaction that is rolled back, which takes the model with it.
BEGIN;
EXECUTE seen;
SAVEPOINT before;
SELECT dtmodel.add_soft_delete('posts', hide => true);
EXECUTE erase(4);
EXECUTE seen;
ROLLBACK TO before;
EXECUTE seen;
EXECUTE erase(5);
EXECUTE seen;
ROLLBACK;
EXECUTE seen;

-- A model whose creation is rolled back before anything else was planned.
BEGIN;
SELECT dtmodel.add_soft_delete('posts', hide => true);
ROLLBACK;
EXECUTE erase(6);
EXECUTE seen;

-- Triggers of others make no model, and hide none.
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
CREATE TRIGGER nothing BEFORE DELETE ON posts FOR EACH ROW EXECUTE FUNCTION nothing();
EXECUTE erase(7);
SELECT dtmodel.add_soft_delete('posts', hide => true);
EXECUTE erase(8);
EXECUTE seen;
DROP TRIGGER nothing ON posts;
EXECUTE erase(9);
EXECUTE seen;

-- What the planner has not read, everything else reads: the key, and the fields.
CREATE TABLE tags (id int PRIMARY KEY, name text);
SELECT count(*) FROM tags;
SELECT name FROM dtmodel.create(NULL::tags, '{"id": 1, "name": "new"}');
SELECT name FROM dtmodel.get_by_id(NULL::tags, 1);
SELECT count(*) FROM tags;

-- A partition that was planned by itself, and a table that becomes a partition.
CREATE TABLE parts (id int, is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz) PARTITION BY RANGE (id);
CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (10);
INSERT INTO parts SELECT generate_series(1, 5);
SELECT (SELECT count(*) FROM low) AS low, (SELECT count(*) FROM parts) AS parts;
SELECT dtmodel.add_soft_delete('parts', hide => true);
CREATE TABLE high (LIKE parts INCLUDING ALL);
INSERT INTO high VALUES (11), (12), (13);
DELETE FROM high WHERE id = 13 RETURNING id, is_deleted;
ALTER TABLE parts ATTACH PARTITION high FOR VALUES FROM (10) TO (20);
DELETE FROM low WHERE id = 1 RETURNING id, is_deleted;
DELETE FROM high WHERE id = 11 RETURNING id, is_deleted;
SELECT (SELECT count(*) FROM low) AS low, (SELECT count(*) FROM high) AS high, (SELECT count(*) FROM parts) AS parts;

-- Models anywhere in a statement that begins with other tables.
SELECT count(*) FROM tags, (SELECT id FROM tags WHERE id IN (SELECT id FROM tags)) AS t;
SELECT count(*) FROM tags, (SELECT id FROM parts) AS t;
SELECT (SELECT count(*) FROM parts) FROM tags;
WITH t AS (SELECT 1 FROM parts) SELECT count(*) FROM tags, t;
SELECT count(*) FROM tags WHERE EXISTS (SELECT 1 FROM tags AS t WHERE t.id IN (SELECT id - 3 FROM parts));
WITH gone AS (DELETE FROM parts WHERE id < 4 RETURNING id) SELECT count(*) FROM tags, gone;
SELECT count(*) FROM parts;

-- Functions in FROM: those of the server are skipped, others are searched.
CREATE FUNCTION all_parts() RETURNS SETOF parts LANGUAGE sql STABLE AS 'SELECT * FROM parts';
SELECT count(*) FROM generate_series(1, 3) AS g, all_parts();
SELECT count(*) FROM parts WHERE id IN (SELECT id FROM all_parts());

SET client_min_messages = warning;
DROP SCHEMA preloaded_known_tables CASCADE;
