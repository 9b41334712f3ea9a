--
-- create_live_view: errors
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA live_view_misuse;
SET search_path = live_view_misuse;

CREATE TABLE plain (id int PRIMARY KEY);
CREATE TABLE keyless (id int);
SELECT dtmodel.add_soft_delete('keyless');
CREATE TABLE posts (id int PRIMARY KEY, title text);
SELECT dtmodel.add_soft_delete('posts');
INSERT INTO posts VALUES (1, 'one'), (2, 'two');
CREATE VIEW v AS SELECT * FROM posts;

SELECT dtmodel.create_live_view(NULL);
\echo :SQLSTATE
SELECT dtmodel.create_live_view('v');
\echo :SQLSTATE
SELECT dtmodel.create_live_view('plain');
\echo :SQLSTATE
SELECT dtmodel.create_live_view('keyless');
\echo :SQLSTATE

-- an existing relation of that name is not changed
SELECT dtmodel.create_live_view('posts', view => 'plain');
\echo :SQLSTATE
SELECT dtmodel.create_live_view('posts', view => 'v');
\echo :SQLSTATE
CREATE TABLE others (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('others');
SELECT dtmodel.create_live_view('others', view => 'live_posts');
SELECT dtmodel.create_live_view('posts');
\echo :SQLSTATE
DROP VIEW live_posts;
SELECT dtmodel.create_live_view('posts');

-- the table is no longer a model, or its trigger is disabled: no row is deleted physically
SELECT dtmodel.remove_soft_delete('posts');
DELETE FROM live_posts WHERE id = 1;
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('posts');
ALTER TABLE posts DISABLE TRIGGER zz_dtmodel_soft_delete;
DELETE FROM live_posts WHERE id = 1;
\echo :SQLSTATE
ALTER TABLE posts ENABLE TRIGGER zz_dtmodel_soft_delete;
DELETE FROM live_posts WHERE id = 1;
SELECT id, is_deleted FROM posts ORDER BY id;

-- the primary key is dropped, or the view does not show it
ALTER TABLE posts DROP CONSTRAINT posts_pkey;
DELETE FROM live_posts WHERE id = 2;
\echo :SQLSTATE
ALTER TABLE posts ADD PRIMARY KEY (id);
CREATE VIEW titles AS SELECT title FROM posts WHERE NOT is_deleted;
CREATE TRIGGER remove INSTEAD OF DELETE ON titles FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_view_trigger();
DELETE FROM titles;
\echo :SQLSTATE
CREATE VIEW joined AS SELECT p.id FROM posts AS p JOIN plain USING (id);
CREATE TRIGGER remove INSTEAD OF DELETE ON joined FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_view_trigger();
INSERT INTO plain VALUES (2);
DELETE FROM joined;
\echo :SQLSTATE
CREATE TRIGGER change INSTEAD OF UPDATE ON joined FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_view_trigger();
UPDATE joined SET id = 3;
\echo :SQLSTATE
SELECT dtmodel_internal.live_view_trigger();
\echo :SQLSTATE
CREATE TRIGGER wrong BEFORE DELETE ON plain FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_view_trigger();
DELETE FROM plain;
\echo :SQLSTATE

-- one to which a column was added that the table does not have
SELECT dtmodel.create_live_view('posts', view => 'wider');
SELECT string_agg(quote_ident(attname), ', ') AS columns FROM pg_attribute WHERE attrelid = 'wider'::regclass AND attnum > 0 \gset
CREATE OR REPLACE VIEW wider AS SELECT :columns, 1 AS one FROM posts WHERE NOT is_deleted;
\set VERBOSITY terse
SELECT dtmodel.create_live_view('posts', view => 'wider');
\echo :SQLSTATE
\set VERBOSITY default

-- conditions that compare the flag
CREATE TABLE flags (id int PRIMARY KEY, is_active boolean NOT NULL DEFAULT true);
SELECT dtmodel.add_soft_delete('flags', flag => 'is_active', flag_means => 'live');
SELECT dtmodel.create_live_view('flags', view => v) FROM unnest('{by_true,by_false,by_null,by_other,by_nothing}'::text[]) AS v;
CREATE OR REPLACE VIEW by_true AS SELECT * FROM flags WHERE is_active = true;
CREATE OR REPLACE VIEW by_false AS SELECT * FROM flags WHERE is_active = false;
CREATE OR REPLACE VIEW by_null AS SELECT * FROM flags WHERE is_active = NULL;
CREATE OR REPLACE VIEW by_other AS SELECT * FROM flags WHERE is_active = (id > 0);
CREATE OR REPLACE VIEW by_nothing AS SELECT * FROM flags;
SELECT problem, advice FROM dtmodel.drift('flags') ORDER BY 1;

-- one that sorts by what it does not show can be written; one that reads two tables cannot
CREATE TABLE lines (id int PRIMARY KEY, v text);
SELECT dtmodel.add_soft_delete('lines', flag => NULL);
SELECT dtmodel.create_live_view('lines', view => v) FROM unnest('{sorted,paired}'::text[]) AS v;
CREATE OR REPLACE VIEW sorted AS SELECT * FROM lines WHERE deleted_at IS NULL ORDER BY id + 1, v || 'x';
CREATE OR REPLACE VIEW paired AS SELECT l.* FROM lines AS l, flags WHERE l.deleted_at IS NULL;
INSERT INTO sorted VALUES (1, 'x'), (2, 'y');
UPDATE sorted SET v = 'z' WHERE id = 1;
DELETE FROM sorted WHERE id = 2 RETURNING id, v;
SELECT id, v, deleted_at IS NOT NULL AS deleted FROM lines ORDER BY id;
INSERT INTO flags VALUES (1);
DELETE FROM paired WHERE id = 1;
\echo :SQLSTATE
CREATE OR REPLACE VIEW paired AS SELECT l.* FROM (SELECT * FROM lines) AS l WHERE deleted_at IS NULL;
DELETE FROM paired WHERE id = 1;
\echo :SQLSTATE
SELECT (dtmodel.delete(s)).v FROM sorted AS s;

-- only the owner
CREATE ROLE live_view_stranger;
GRANT USAGE, CREATE ON SCHEMA live_view_misuse TO live_view_stranger;
GRANT ALL ON posts TO live_view_stranger;
SET ROLE live_view_stranger;
SELECT dtmodel.create_live_view('posts', view => 'mine');
\echo :SQLSTATE
RESET ROLE;

-- views that show more than the table has, and a table that has lost its flag
CREATE TABLE broad (id int PRIMARY KEY, name text);
SELECT dtmodel.add_soft_delete('broad', flag => NULL), dtmodel.create_live_view('broad', 'broad_live');
CREATE OR REPLACE VIEW broad_live AS SELECT id, name, deleted_at, id + 1 AS next, id + 2 AS last FROM broad WHERE deleted_at IS NULL;
SELECT problem, repair, advice FROM dtmodel.drift('broad');
SELECT dtmodel.create_live_view('broad', 'broad_live');
\echo :SQLSTATE
SELECT dtmodel.remove_soft_delete('broad', drop_columns => true);
\echo :SQLSTATE
CREATE TABLE flagless (id int PRIMARY KEY, gone boolean NOT NULL DEFAULT false);
SELECT dtmodel.add_soft_delete('flagless', flag => 'gone'), dtmodel.create_live_view('flagless', 'flagless_live');
ALTER TABLE flagless DROP gone CASCADE;
SELECT problem, repair, advice FROM dtmodel.drift('flagless');

DROP SCHEMA live_view_misuse CASCADE;
DROP ROLE live_view_stranger;
