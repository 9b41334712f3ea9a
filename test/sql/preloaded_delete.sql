--
-- soft delete by the planner, where the library is preloaded
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA preloaded_delete;
SET search_path = preloaded_delete;

CREATE TABLE posts (
    id int PRIMARY KEY,
    n int,
    state text GENERATED ALWAYS AS (CASE WHEN is_deleted THEN 'gone' ELSE 'here' END) STORED,
    is_deleted boolean NOT NULL DEFAULT false,
    deleted_at timestamptz
);
INSERT INTO posts (id) SELECT generate_series(1, 60);
SELECT dtmodel.add_soft_delete('posts');
-- without what only PostgreSQL 18 and later can show
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF, VERBOSE) ' || query LOOP
        IF line !~ 'Soft Delete' THEN
            RETURN NEXT line;
        END IF;
    END LOOP;
END $$;
CREATE FUNCTION deleted_ids() RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(id::text, ' ' ORDER BY id) FROM preloaded_delete.posts WHERE is_deleted $$;

-- a DELETE is one UPDATE plan, with the right count and rows
SELECT plan('DELETE FROM posts WHERE id = 1 RETURNING id');
DELETE FROM posts WHERE id <= 2;
\echo :ROW_COUNT
DELETE FROM posts WHERE id <= 3 RETURNING id, is_deleted, state, deleted_at IS NOT NULL AS timed;
DELETE FROM posts WHERE id <= 3;
\echo :ROW_COUNT
SELECT deleted_ids(), count(DISTINCT deleted_at) FROM posts;

-- USING with duplicates, CTEs, subqueries, functions, prepared statements
DELETE FROM posts USING (VALUES (4), (4), (5)) AS d (id) WHERE posts.id = d.id RETURNING posts.id;
WITH gone AS (DELETE FROM posts WHERE id IN (6, 7) RETURNING id) SELECT count(*) FROM gone;
WITH a AS (DELETE FROM posts WHERE id = 8 RETURNING id), b AS (DELETE FROM posts WHERE id = 9 RETURNING id)
INSERT INTO posts (id) SELECT id + 100 FROM a UNION ALL SELECT id + 100 FROM b RETURNING id;
DELETE FROM posts WHERE id IN (SELECT id FROM posts WHERE id BETWEEN 10 AND 11) AND EXISTS (SELECT FROM posts AS p WHERE p.id = posts.id);
\echo :ROW_COUNT
DO $$
DECLARE
    n int;
BEGIN
    DELETE FROM preloaded_delete.posts WHERE id IN (12, 13, 1);
    GET DIAGNOSTICS n = ROW_COUNT;
    RAISE WARNING '% rows, found %', n, FOUND;
    DELETE FROM preloaded_delete.posts WHERE id = 12;
    RAISE WARNING 'found %', FOUND;
END $$;
PREPARE del (int) AS DELETE FROM posts WHERE id = $1 RETURNING id;
EXECUTE del (14);
EXECUTE del (14);
SELECT deleted_ids();

-- views, cursors
CREATE VIEW live AS SELECT id, n FROM posts WHERE NOT is_deleted;
DELETE FROM live WHERE id IN (14, 15) RETURNING id;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM posts WHERE id IN (16, 17) ORDER BY id;
FETCH c;
DELETE FROM posts WHERE CURRENT OF c RETURNING id;
SELECT ctid AS version FROM posts WHERE id = 16 \gset
DELETE FROM posts WHERE CURRENT OF c RETURNING id;
SELECT is_deleted, ctid = :'version' AS untouched FROM posts WHERE id = 16;
FETCH c;
DELETE FROM posts WHERE CURRENT OF c RETURNING id;
COMMIT;
SELECT count(DISTINCT deleted_at) FROM posts WHERE id IN (16, 17);

-- MERGE: a row that is deleted already keeps its time and is not matched
SELECT deleted_at AS first FROM posts WHERE id = 1 \gset
SELECT current_setting('server_version_num')::int >= 150000 AS has_merge \gset
\if :has_merge
MERGE INTO posts USING (VALUES (1), (18), (19), (200)) AS s (id) ON posts.id = s.id
    WHEN MATCHED AND s.id < 19 THEN DELETE
    WHEN MATCHED THEN UPDATE SET n = 1
    WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id);
\set merged :ROW_COUNT
\else
DELETE FROM posts WHERE id IN (1, 18);
UPDATE posts SET n = 1 WHERE id = 19;
INSERT INTO posts (id) VALUES (200);
\set merged 3
\endif
\echo :merged
SELECT id, n, is_deleted, state, deleted_at = :'first' AS first FROM posts WHERE id IN (1, 18, 19, 200) ORDER BY id;

-- the triggers of the UPDATE fire, and those of a column if it is the flag
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING '% % % %', TG_NAME, TG_WHEN, TG_LEVEL, TG_OP;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER before_flag BEFORE UPDATE OF is_deleted ON posts FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER before_n BEFORE UPDATE OF n ON posts FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER after_update AFTER UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER before_delete BEFORE DELETE ON posts FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER statement_update AFTER UPDATE ON posts FOR EACH STATEMENT EXECUTE FUNCTION tell();
CREATE TRIGGER statement_delete AFTER DELETE ON posts FOR EACH STATEMENT EXECUTE FUNCTION tell();
DELETE FROM posts WHERE id = 20;
DROP TRIGGER before_flag ON posts;
DROP TRIGGER before_n ON posts;
DROP TRIGGER after_update ON posts;
DROP TRIGGER before_delete ON posts;
DROP TRIGGER statement_update ON posts;
DROP TRIGGER statement_delete ON posts;

-- transition tables: those of the UPDATE have the rows
CREATE FUNCTION tell_rows() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE WARNING '% has % rows', TG_NAME, (SELECT count(*) FROM changed); RETURN NULL; END $$;
CREATE TRIGGER statement_update AFTER UPDATE ON posts REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_rows();
CREATE TRIGGER statement_delete AFTER DELETE ON posts REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_rows();
BEGIN;
DELETE FROM posts WHERE id IN (51, 52);
ROLLBACK;
DROP TRIGGER statement_update ON posts;
DROP TRIGGER statement_delete ON posts;
CREATE INDEX ON posts (state);
SET enable_seqscan = off;
SELECT count(*) FROM posts WHERE state = 'gone';
RESET enable_seqscan;
SELECT count(*) FROM posts WHERE is_deleted;

-- a row that is matched twice, with a trigger that runs SQL in between, is not an error here
CREATE TABLE log (n int);
CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO preloaded_delete.log VALUES (1); RETURN NEW; END $$;
CREATE TRIGGER busy BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION busy();
DELETE FROM posts USING (VALUES (21), (21)) AS twice (id) WHERE posts.id = twice.id RETURNING posts.id;
DROP TRIGGER busy ON posts;

-- hard deletes, with saved plans
SET dtmodel.hard_delete = on;
EXECUTE del (22);
EXPLAIN (COSTS OFF) DELETE FROM posts WHERE id = 1;
RESET dtmodel.hard_delete;
EXECUTE del (23);
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
EXECUTE del (24);
ROLLBACK;
EXECUTE del (24);
SELECT id, is_deleted FROM posts WHERE id BETWEEN 22 AND 24 ORDER BY id;

-- with dtmodel.rewrite off, the trigger makes it soft
SET dtmodel.rewrite = off;
EXPLAIN (COSTS OFF) DELETE FROM posts WHERE id = 25;
EXECUTE del (25);
RESET dtmodel.rewrite;
EXECUTE del (26);
SELECT id, is_deleted FROM posts WHERE id IN (25, 26) ORDER BY id;

-- without the trigger, or on a replica, there is no soft delete
ALTER TABLE posts DISABLE TRIGGER zz_dtmodel_soft_delete;
EXPLAIN (COSTS OFF) DELETE FROM posts WHERE id = 27;
ALTER TABLE posts ENABLE TRIGGER zz_dtmodel_soft_delete;
SET session_replication_role = replica;
EXPLAIN (COSTS OFF) DELETE FROM posts WHERE id = 27;
RESET session_replication_role;

-- other flags, times and none
CREATE TABLE accounts (id int PRIMARY KEY, is_active boolean NOT NULL DEFAULT true, gone timestamp(0));
SELECT dtmodel.add_soft_delete('accounts', flag => 'is_active', deleted_at => 'gone', flag_means => 'live');
\echo :SQLSTATE
ALTER TABLE accounts ALTER COLUMN gone TYPE timestamp without time zone;
SELECT dtmodel.add_soft_delete('accounts', flag => 'is_active', deleted_at => 'gone', flag_means => 'live');
INSERT INTO accounts (id) VALUES (1), (2);
SELECT plan('DELETE FROM accounts WHERE id = 1');
DELETE FROM accounts WHERE id = 1 RETURNING id, is_active, gone = timezone('UTC', now()) AS utc;
DELETE FROM accounts WHERE id = 1 RETURNING id;
-- an older model may have a column without microseconds
DROP TRIGGER zz_dtmodel_soft_cascade ON accounts;
DROP TRIGGER zz_dtmodel_soft_delete_flag ON accounts;
ALTER TABLE accounts ALTER COLUMN gone TYPE timestamp(0);
DELETE FROM accounts WHERE id = 2 RETURNING id, is_active, gone = date_trunc('second', gone) AS whole,
    gone BETWEEN timezone('UTC', now()) - interval '1 minute' AND timezone('UTC', now()) + interval '1 minute' AS utc;
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('accounts');
CREATE TABLE notes (id int PRIMARY KEY, maybe boolean, removed timestamptz);
SELECT dtmodel.add_soft_delete('notes', flag => NULL, deleted_at => 'removed');
INSERT INTO notes VALUES (1, NULL, NULL), (2, NULL, NULL);
SELECT plan('DELETE FROM notes');
SELECT dtmodel.add_soft_delete('notes', flag => 'maybe', deleted_at => 'removed');
SELECT plan('DELETE FROM notes');
DELETE FROM notes RETURNING id, maybe;
DELETE FROM notes RETURNING id, maybe;

-- a table that inherits later
CREATE TABLE inheritors () INHERITS (notes);
INSERT INTO inheritors VALUES (3, NULL, NULL);
DELETE FROM notes RETURNING tableoid::regclass, id, maybe;

-- and one whose triggers are partly dropped
SELECT dtmodel.add_soft_delete('notes', flag => 'maybe', deleted_at => 'removed');
INSERT INTO inheritors VALUES (4, NULL, NULL);
DROP TRIGGER zz_dtmodel_soft_delete ON inheritors;
DELETE FROM notes;
SELECT dtmodel.add_soft_delete('inheritors', flag => 'maybe', deleted_at => 'removed');
DELETE FROM notes RETURNING tableoid::regclass, id, maybe;

-- the privileges and policies are those of the DELETE
CREATE ROLE preloaded_user;
GRANT USAGE ON SCHEMA preloaded_delete TO preloaded_user;
GRANT DELETE, SELECT ON posts TO preloaded_user;
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON posts FOR SELECT USING (NOT is_deleted);
CREATE POLICY remove ON posts FOR DELETE USING (id < 40);
SET ROLE preloaded_user;
DELETE FROM posts WHERE id BETWEEN 39 AND 41;
\echo :ROW_COUNT
DELETE FROM posts WHERE id = 38 RETURNING id, is_deleted;
UPDATE posts SET is_deleted = true WHERE id = 37;
\echo :SQLSTATE
RESET ROLE;
SELECT id, is_deleted FROM posts WHERE id BETWEEN 37 AND 41 ORDER BY id;

-- functions and types in another schema
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.deletion_time() RETURNS timestamptz LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'hostile deletion_time()'; END $$;
SET search_path = hostile, pg_catalog, preloaded_delete;
DELETE FROM preloaded_delete.posts WHERE id = 50 RETURNING id;
RESET search_path;

DROP SCHEMA preloaded_delete CASCADE;
DROP SCHEMA hostile CASCADE;
DROP ROLE preloaded_user;
