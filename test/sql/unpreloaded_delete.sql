--
-- soft delete by triggers, if the library is not preloaded
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA unpreloaded_delete;
SET search_path = unpreloaded_delete;

CREATE TABLE posts (id int PRIMARY KEY, n int);
INSERT INTO posts SELECT generate_series(1, 20);
SELECT dtmodel.add_soft_delete('posts');
CREATE FUNCTION deleted_ids() RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(id::text, ' ' ORDER BY id) FROM unpreloaded_delete.posts WHERE is_deleted $$;

-- the trigger suppresses the DELETE: it counts and returns no rows
DELETE FROM posts WHERE id <= 2;
\echo :ROW_COUNT
DELETE FROM posts WHERE id = 3 RETURNING id;
WITH gone AS (DELETE FROM posts WHERE id = 4 RETURNING id) SELECT count(*) FROM gone;
SELECT deleted_ids();
EXPLAIN (COSTS OFF) DELETE FROM posts WHERE id = 5;

-- the triggers of the DELETE fire, and those of the UPDATE
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING '% % % %', TG_NAME, TG_WHEN, TG_LEVEL, TG_OP;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER before_update BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER after_update AFTER UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER before_delete BEFORE DELETE ON posts FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER after_delete AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER statement_update AFTER UPDATE ON posts FOR EACH STATEMENT EXECUTE FUNCTION tell();
CREATE TRIGGER statement_delete AFTER DELETE ON posts FOR EACH STATEMENT EXECUTE FUNCTION tell();
DELETE FROM posts WHERE id = 5;
DROP TRIGGER before_update ON posts;
DROP TRIGGER after_update ON posts;
DROP TRIGGER before_delete ON posts;
DROP TRIGGER after_delete ON posts;
DROP TRIGGER statement_update ON posts;
DROP TRIGGER statement_delete ON posts;

-- transition tables: the rows are not updated by the statement, so they are in none of them
CREATE FUNCTION tell_rows() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE WARNING '% has % rows', TG_NAME, (SELECT count(*) FROM changed); RETURN NULL; END $$;
CREATE TRIGGER statement_update AFTER UPDATE ON posts REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_rows();
CREATE TRIGGER statement_delete AFTER DELETE ON posts REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_rows();
BEGIN;
DELETE FROM posts WHERE id IN (19, 20);
ROLLBACK;
DROP TRIGGER statement_update ON posts;
DROP TRIGGER statement_delete ON posts;

-- a BEFORE DELETE trigger can skip the DELETE
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER refuse BEFORE DELETE ON posts FOR EACH ROW WHEN (OLD.id = 6) EXECUTE FUNCTION refuse();
DELETE FROM posts WHERE id IN (6, 7);
SELECT deleted_ids();
DROP TRIGGER refuse ON posts;

-- or delete another row, with the same time; soft_delete still returns the right row
CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.id = 8 THEN DELETE FROM unpreloaded_delete.posts WHERE id = 9; END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER more BEFORE DELETE ON posts FOR EACH ROW EXECUTE FUNCTION more();
SELECT (dtmodel.soft_delete(NULL::posts, 8)).id;
SELECT deleted_ids();
SELECT count(DISTINCT deleted_at) FROM posts WHERE id IN (8, 9);
DROP TRIGGER more ON posts;

-- a row that is matched twice, and a trigger that runs SQL in between: an error,
-- and no change is lost
CREATE TABLE log (n int);
CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO unpreloaded_delete.log VALUES (1); RETURN NEW; END $$;
CREATE TRIGGER busy BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION busy();
DELETE FROM posts USING (VALUES (10), (10)) AS twice (id) WHERE posts.id = twice.id;
\echo :SQLSTATE
SELECT deleted_ids();
DROP TRIGGER busy ON posts;

-- a trigger that changes the row that is being deleted: refused, as by the server
CREATE FUNCTION changes_it() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN UPDATE unpreloaded_delete.posts SET n = 0 WHERE id = OLD.id; RETURN OLD; END $$;
CREATE TRIGGER changes_it BEFORE DELETE ON posts FOR EACH ROW EXECUTE FUNCTION changes_it();
DELETE FROM posts WHERE id = 10;
\echo :SQLSTATE
DROP TRIGGER changes_it ON posts;
-- in a BEFORE UPDATE trigger it is refused too
CREATE FUNCTION changes_it_too() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.is_deleted AND pg_trigger_depth() = 2 THEN
        UPDATE unpreloaded_delete.posts SET n = 0 WHERE id = OLD.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER changes_it_too BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION changes_it_too();
DELETE FROM posts WHERE id = 10;
\echo :SQLSTATE
DROP TRIGGER changes_it_too ON posts;
SELECT * FROM posts WHERE id = 10;

-- a trigger function for the wrong event
CREATE TABLE base (id int PRIMARY KEY, at timestamptz);
CREATE TRIGGER wrong AFTER DELETE ON base FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_delete_trigger('deleted_at=at');
INSERT INTO base VALUES (1);
DELETE FROM base;
\echo :SQLSTATE

-- nothing is hidden
SELECT dtmodel.add_soft_delete('posts', hide => true);
SELECT count(*) FROM posts;

-- if a call loads the library, it does not change the planner
LOAD 'dtmodel';
EXPLAIN (COSTS OFF) DELETE FROM posts WHERE id = 11;

-- a table that inherits later is not a model: the DELETE is refused
CREATE TABLE late () INHERITS (posts);
INSERT INTO late VALUES (100);
DELETE FROM posts WHERE id = 12;
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('posts');
DELETE FROM posts WHERE id IN (12, 100);
SELECT deleted_ids();
DROP TABLE late;

DROP SCHEMA unpreloaded_delete CASCADE;
