--
-- soft delete: a DELETE marks its rows, in any kind of statement
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA soft_delete;
SET search_path = soft_delete;
RESET client_min_messages;

CREATE TABLE posts (id int PRIMARY KEY, title text, n int);
INSERT INTO posts SELECT i, 'post ' || i FROM generate_series(1, 30) AS i;
SELECT dtmodel.add_soft_delete('posts');
\d posts

-- which rows are deleted, and whether flag and time agree everywhere
CREATE VIEW deleted AS
    SELECT id, deleted_at FROM posts WHERE is_deleted ORDER BY id;
CREATE FUNCTION deleted_ids() RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(id::text, ' ' ORDER BY id) FROM soft_delete.posts WHERE is_deleted $$;
CREATE FUNCTION in_step() RETURNS boolean LANGUAGE sql AS
    $$ SELECT bool_and(is_deleted = (deleted_at IS NOT NULL)) AND count(*) = 30 FROM soft_delete.posts $$;

-- one statement is one deletion, and all its rows have the same time
DELETE FROM posts WHERE id <= 3;
SELECT count(DISTINCT deleted_at), deleted_ids(), in_step() FROM deleted;

-- a second DELETE of the same rows changes nothing
SELECT deleted_at AS first FROM deleted LIMIT 1 \gset
DELETE FROM posts WHERE id <= 3;
SELECT bool_and(deleted_at = :'first') AS kept, in_step() FROM deleted;

-- one transaction is one deletion: in a block, in a function, in a message
BEGIN;
DELETE FROM posts WHERE id = 4;
DELETE FROM posts WHERE id = 5;
COMMIT;
DO $$ BEGIN DELETE FROM soft_delete.posts WHERE id = 6; DELETE FROM soft_delete.posts WHERE id = 7; END $$;
DELETE FROM posts WHERE id = 8 \; DELETE FROM posts WHERE id = 9;
SELECT count(*), count(DISTINCT deleted_at), bool_and(deleted_at <= clock_timestamp()) AS past, in_step()
FROM deleted WHERE id BETWEEN 4 AND 9;

-- rolled back
BEGIN;
DELETE FROM posts;
SAVEPOINT s;
UPDATE posts SET n = 1;
ROLLBACK TO s;
ROLLBACK;
SELECT deleted_ids(), in_step();

-- in a CTE, whose RETURNING is not read
WITH gone AS (DELETE FROM posts WHERE id IN (10, 11) RETURNING id) SELECT 1 AS one;
SELECT deleted_ids(), in_step();

-- DELETE ... USING with duplicates deletes once, as without dtmodel
CREATE TABLE doomed (id int);
INSERT INTO doomed VALUES (12), (12), (13), (12);
DELETE FROM posts USING doomed WHERE posts.id = doomed.id;
SELECT deleted_ids(), in_step();

-- of an UPDATE and a DELETE of one row in one statement the first one counts, as without dtmodel
CREATE TABLE native (id int PRIMARY KEY, n int);
INSERT INTO native SELECT i FROM generate_series(14, 17) AS i;
WITH u AS (UPDATE native SET n = 1 WHERE id = 14 RETURNING id) DELETE FROM native WHERE id IN (14, 15);
WITH d AS (DELETE FROM native WHERE id = 16 RETURNING id) UPDATE native SET n = 2 WHERE id IN (16, 17);
WITH u AS (UPDATE posts SET n = 1 WHERE id = 14 RETURNING id) DELETE FROM posts WHERE id IN (14, 15);
WITH d AS (DELETE FROM posts WHERE id = 16 RETURNING id) UPDATE posts SET n = 2 WHERE id IN (16, 17);
SELECT id, n FROM native ORDER BY id;
SELECT id, n, is_deleted FROM posts WHERE id BETWEEN 14 AND 17 ORDER BY id;

-- WHERE CURRENT OF, twice
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM posts WHERE id IN (18, 19) ORDER BY id;
FETCH c;
DELETE FROM posts WHERE CURRENT OF c;
SELECT deleted_at AS first, ctid AS version FROM posts WHERE id = 18 \gset
DELETE FROM posts WHERE CURRENT OF c;
SELECT is_deleted, ctid = :'version' AS untouched FROM posts WHERE id = 18;
FETCH c;
DELETE FROM posts WHERE CURRENT OF c;
COMMIT;
SELECT id, deleted_at = :'first' AS one_deletion FROM deleted WHERE id IN (18, 19);

-- MERGE
SELECT current_setting('server_version_num')::int >= 150000 AS has_merge \gset
\if :has_merge
MERGE INTO posts USING (VALUES (20), (21)) AS s (id) ON posts.id = s.id
    WHEN MATCHED AND posts.id = 20 THEN DELETE
    WHEN MATCHED THEN UPDATE SET n = 3;
\else
DELETE FROM posts WHERE id = 20;
UPDATE posts SET n = 3 WHERE id = 21;
\endif
SELECT id, n, is_deleted FROM posts WHERE id IN (20, 21) ORDER BY id;

-- prepared, through a view, in a function, from a rule
PREPARE del (int) AS DELETE FROM posts WHERE id = $1;
EXECUTE del (22);
EXECUTE del (22);
CREATE VIEW live AS SELECT * FROM posts WHERE NOT is_deleted;
DELETE FROM live WHERE id = 23;
DELETE FROM live WHERE id = 23;
SELECT deleted_ids(), in_step();

-- updated_at changes with a deletion, created_at does not
SELECT dtmodel.add_timestamps('posts');
SELECT created_at AS created, updated_at AS updated FROM posts WHERE id = 24 \gset
DELETE FROM posts WHERE id = 24;
SELECT created_at = :'created' AS created_kept, updated_at > :'updated' AS updated_moved FROM posts WHERE id = 24;
SELECT dtmodel.remove_timestamps('posts', drop_columns => true);

-- the triggers, constraints, generated columns and indexes of an UPDATE are used
CREATE TABLE served (
    id int PRIMARY KEY,
    state text GENERATED ALWAYS AS (CASE WHEN is_deleted THEN 'gone' ELSE 'here' END) STORED,
    email text,
    is_deleted boolean NOT NULL DEFAULT false,
    deleted_at timestamptz,
    kept boolean NOT NULL DEFAULT false,
    CONSTRAINT kept_for_ever CHECK (NOT (kept AND is_deleted))
);
CREATE UNIQUE INDEX live_email ON served (email) WHERE NOT is_deleted;
CREATE INDEX ON served (state);
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% % % %', TG_NAME, TG_WHEN, TG_LEVEL, TG_OP;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER before_update BEFORE UPDATE ON served FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER before_flag BEFORE UPDATE OF is_deleted ON served FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER before_email BEFORE UPDATE OF email ON served FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER after_update AFTER UPDATE ON served FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER after_delete AFTER DELETE ON served FOR EACH ROW EXECUTE FUNCTION tell();
INSERT INTO served (id, email) VALUES (1, 'a@example.com');
SELECT dtmodel.add_soft_delete('served');
DELETE FROM served;
INSERT INTO served (id, email, kept) VALUES (2, 'a@example.com', true);
SELECT id, state, email, is_deleted FROM served ORDER BY id;
\set VERBOSITY terse
DELETE FROM served WHERE id = 2;
\echo :SQLSTATE
\set VERBOSITY default
SELECT id, state FROM served WHERE state = 'here';

-- a BEFORE UPDATE trigger can skip the row
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON posts FOR EACH ROW WHEN (OLD.id = 25) EXECUTE FUNCTION refuse();
DELETE FROM posts WHERE id IN (25, 26, 27);
SELECT deleted_ids(), in_step();
DROP TRIGGER refuse ON posts;

-- a trigger that runs SQL during the deletion
CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE soft_delete.native SET n = coalesce(n, 0) + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER busy BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION busy();
DELETE FROM posts WHERE id IN (28, 29);
SELECT deleted_ids(), in_step();
DROP TRIGGER busy ON posts;

-- the owner deletes physically with dtmodel.hard_delete
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
DELETE FROM posts WHERE id IN (29, 30) RETURNING id;
SELECT count(*) FROM posts;
ROLLBACK;
SELECT count(*) FROM posts;

-- TRUNCATE works as usual, unless the model is protected
BEGIN;
TRUNCATE posts;
SELECT count(*) FROM posts;
ROLLBACK;
SELECT dtmodel.add_soft_delete('posts', protect_truncate => true);
TRUNCATE posts;
\echo :SQLSTATE
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
TRUNCATE posts;
SELECT count(*) FROM posts;
ROLLBACK;
SELECT dtmodel.add_soft_delete('posts');
SELECT dtmodel.describe('posts') -> 'soft_delete' AS soft_delete;

-- on a replica, rows are deleted as on the origin
SET session_replication_role = replica;
DELETE FROM posts WHERE id = 30;
SELECT count(*) FROM posts;
RESET session_replication_role;

-- removed, a DELETE is physical
SELECT dtmodel.remove_soft_delete('posts');
SELECT dtmodel.remove_soft_delete('posts');
DELETE FROM posts WHERE id = 29 RETURNING id;
\d posts

SET client_min_messages = warning;
DROP SCHEMA soft_delete CASCADE;
