--
-- a hostile search_path: functions, operators and types of other roles are not used
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA search_path;
CREATE SCHEMA hostile;

-- all objects that an unqualified name would find first
CREATE FUNCTION hostile.now() RETURNS timestamptz LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'hostile now()'; END $$;
CREATE FUNCTION hostile.uuidv7() RETURNS uuid LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'hostile uuidv7()'; END $$;
CREATE FUNCTION hostile.gen_random_uuid() RETURNS uuid LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'hostile gen_random_uuid()'; END $$;
CREATE FUNCTION hostile.jsonb_typeof(jsonb) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'hostile jsonb_typeof()'; END $$;
CREATE FUNCTION hostile.same(a int, b int) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'hostile operator'; END $$;
CREATE FUNCTION hostile.same(a boolean, b boolean) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'hostile operator'; END $$;
CREATE OPERATOR hostile.= (LEFTARG = int, RIGHTARG = int, FUNCTION = hostile.same);
CREATE OPERATOR hostile.= (LEFTARG = boolean, RIGHTARG = boolean, FUNCTION = hostile.same);
CREATE OPERATOR hostile.<> (LEFTARG = boolean, RIGHTARG = boolean, FUNCTION = hostile.same);
CREATE DOMAIN hostile.timestamptz AS pg_catalog.text;
CREATE DOMAIN hostile.bool AS pg_catalog.text;
CREATE DOMAIN hostile.uuid AS pg_catalog.text;
CREATE TABLE hostile.posts (id int, is_deleted int, deleted_at int);

CREATE TABLE search_path.posts (id int PRIMARY KEY, note text);
CREATE TABLE search_path.fresh (note text);
INSERT INTO search_path.posts SELECT generate_series(1, 5);
SET search_path = hostile, pg_catalog, search_path;

-- making models
SELECT dtmodel.add_model('search_path.posts');
SELECT dtmodel.add_soft_delete('search_path.posts');
SELECT dtmodel.add_model('search_path.fresh');
SELECT dtmodel.add_soft_delete('search_path.fresh', flag => 'live', flag_means => 'live');
CREATE TABLE search_path.copied (
    LIKE dtmodel.model_base INCLUDING ALL,
    LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
    LIKE dtmodel.configurable_mixin INCLUDING ALL);
INSERT INTO search_path.copied (settings) VALUES ('{}');
SELECT count(*) FROM dtmodel.models WHERE model IN ('search_path.posts'::regclass, 'search_path.fresh'::regclass);

-- using them
DELETE FROM search_path.posts WHERE note IS NULL AND id OPERATOR(pg_catalog.<) 3;
UPDATE search_path.posts SET note = 'changed' WHERE id OPERATOR(pg_catalog.=) 3;
SELECT (dtmodel.soft_delete(NULL::search_path.posts, 4)).id;
SELECT (dtmodel.restore(NULL::search_path.posts, 1)).id;
INSERT INTO search_path.fresh (note) VALUES ('x');
DELETE FROM search_path.fresh;
SELECT dtmodel.get_difference_between_dictionaries('{"a": 1}', '{"a": 2}');

-- a foreign key's cascade, which runs as the owner of the child
CREATE TABLE search_path.parents (id int PRIMARY KEY);
CREATE TABLE search_path.children (id int PRIMARY KEY, parent_id int REFERENCES search_path.parents ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('search_path.children');
INSERT INTO search_path.parents VALUES (1), (2);
INSERT INTO search_path.children VALUES (1, 1), (2, 2);
DELETE FROM search_path.parents WHERE id OPERATOR(pg_catalog.=) 1;
SELECT dtmodel.remove_soft_delete('search_path.fresh');
SELECT dtmodel.remove_model('search_path.fresh');
INSERT INTO search_path.fresh (note) VALUES ('y');
RESET search_path;
SELECT id, is_deleted FROM search_path.posts ORDER BY id;
SELECT id, parent_id, is_deleted FROM search_path.children ORDER BY id;
SELECT note, live, deleted_at IS NOT NULL AS timed FROM search_path.fresh ORDER BY note;

-- nor is a temporary table of the same name
CREATE TEMP TABLE posts (id int PRIMARY KEY, is_deleted boolean, deleted_at timestamptz);
INSERT INTO pg_temp.posts VALUES (2);
SELECT (dtmodel.restore(NULL::search_path.posts, 2)).is_deleted;
SELECT * FROM pg_temp.posts;

-- no function of ours changes the caller's privileges or search_path
SELECT p.proname FROM pg_proc AS p
JOIN pg_depend AS d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'dtmodel'
WHERE p.prosecdef AND NOT coalesce(p.proconfig::text LIKE '%search_path=pg_catalog, pg_temp%', false);

SET client_min_messages = error;
DROP SCHEMA search_path CASCADE;
DROP SCHEMA hostile CASCADE;
