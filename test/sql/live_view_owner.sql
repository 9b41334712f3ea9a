--
-- a view of another owner is not replaced by the live view of a table
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE live_view_owner;
CREATE ROLE live_view_other;
CREATE SCHEMA live_view_owner;
SET search_path = live_view_owner;
GRANT ALL ON SCHEMA live_view_owner TO live_view_owner, live_view_other;

SET ROLE live_view_owner;
CREATE TABLE posts (id int PRIMARY KEY, title text);
SELECT dtmodel.add_soft_delete('posts');
GRANT SELECT ON posts TO live_view_other;
SET ROLE live_view_other;
CREATE VIEW live_posts AS SELECT t.id, t.title, t.is_deleted, t.deleted_at FROM posts AS t WHERE NOT t.is_deleted;
CREATE TRIGGER remove INSTEAD OF DELETE ON live_posts FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_view_trigger();

SET ROLE live_view_owner;
SELECT dtmodel.create_live_view('posts');
\echo :SQLSTATE
RESET ROLE;
SELECT dtmodel.create_live_view('posts');
\echo :SQLSTATE
DROP VIEW live_posts;

-- a superuser gives it to the table's owner, and then both can update it
SELECT dtmodel.create_live_view('posts');
ALTER TABLE posts ADD COLUMN n int;
SET ROLE live_view_owner;
SELECT dtmodel.create_live_view('posts');
ALTER TABLE posts ADD COLUMN m int;
RESET ROLE;
SELECT dtmodel.create_live_view('posts');
SELECT relowner::regrole, (SELECT count(*) FROM pg_attribute WHERE attrelid = oid AND attnum > 0) AS columns
FROM pg_class WHERE oid = 'live_posts'::regclass;

-- the view gets the new owner when the table does
ALTER TABLE posts OWNER TO live_view_other;
SELECT dtmodel.create_live_view('posts');
\echo :SQLSTATE
ALTER VIEW live_posts OWNER TO live_view_other;
SELECT dtmodel.create_live_view('posts');

DROP SCHEMA live_view_owner CASCADE;
DROP ROLE live_view_owner;
DROP ROLE live_view_other;
