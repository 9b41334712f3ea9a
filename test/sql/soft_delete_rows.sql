--
-- soft_delete and restore of a row, given as a row or by its id
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA soft_delete_rows;
SET search_path = soft_delete_rows;

-- rows with dropped columns: the result has the table's row type
CREATE TABLE posts (gone int, id int PRIMARY KEY, title text);
ALTER TABLE posts DROP COLUMN gone;
SELECT dtmodel.add_soft_delete('posts');
ALTER TABLE posts ADD COLUMN late text DEFAULT 'late';
INSERT INTO posts (id, title) SELECT i, 'post ' || i FROM generate_series(1, 6) AS i;
CREATE VIEW state AS
    SELECT string_agg(id::text, ' ' ORDER BY id) FILTER (WHERE is_deleted) AS deleted,
           string_agg(id::text, ' ' ORDER BY id) FILTER (WHERE NOT is_deleted) AS live,
           bool_and(is_deleted = (deleted_at IS NOT NULL)) AS in_step
    FROM posts;

-- the row after the call
SELECT r.id, r.title, r.late, r.is_deleted, r.deleted_at IS NOT NULL AS timed
FROM posts AS p, LATERAL dtmodel.soft_delete(p) AS r WHERE p.id IN (1, 2) ORDER BY r.id;
SELECT r.id, r.is_deleted, r.deleted_at IS NOT NULL AS timed FROM dtmodel.soft_delete(NULL::posts, 3) AS r;
TABLE state;
SELECT pg_typeof(dtmodel.soft_delete(NULL::posts, 3)), (dtmodel.soft_delete(NULL::posts, 3)).title;

-- a row that is already deleted is not changed, and keeps its deleted_at
SELECT deleted_at AS first FROM posts WHERE id = 1 \gset
SELECT (dtmodel.soft_delete(p)).deleted_at = :'first' AS kept FROM posts AS p WHERE id = 1;
SELECT (dtmodel.restore(p)).id FROM posts AS p WHERE id = 4;

-- and back
SELECT r.id, r.title, r.late, r.is_deleted, r.deleted_at
FROM posts AS p, LATERAL dtmodel.restore(p) AS r WHERE p.id IN (1, 4) ORDER BY r.id;
SELECT r.* FROM dtmodel.restore(NULL::posts, 2) AS r;
TABLE state;

-- NULL, and a row that does not exist
SELECT dtmodel.soft_delete(NULL::posts, NULL::int) IS NULL AS c, dtmodel.restore(NULL::posts, NULL::int) IS NULL AS d,
       dtmodel.soft_delete(NULL::posts, 99) IS NULL AS e, dtmodel.restore(NULL::posts, 99) IS NULL AS f;
SELECT dtmodel.soft_delete(ROW(NULL, 'no id', false, NULL, NULL)::posts) IS NULL AS no_key;

-- of an old version of a row only the key counts, and a call is part of its transaction
BEGIN;
CREATE TEMP TABLE stale ON COMMIT DROP AS SELECT p AS post FROM posts AS p WHERE id = 5;
UPDATE posts SET title = 'newer' WHERE id = 5;
SELECT (dtmodel.soft_delete(post)).title FROM stale;
ROLLBACK;
TABLE state;

-- never physical, whatever the switches are
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
SELECT (dtmodel.soft_delete(NULL::posts, 6)).is_deleted;
SELECT count(*) FROM posts;
ROLLBACK;
SELECT (dtmodel.soft_delete(NULL::posts, 5)).id;
TABLE state;

-- with a disabled trigger the DELETE would be physical
ALTER TABLE posts DISABLE TRIGGER zz_dtmodel_soft_delete;
SELECT dtmodel.soft_delete(NULL::posts, 4);
\echo :SQLSTATE
ALTER TABLE posts ENABLE TRIGGER zz_dtmodel_soft_delete;
SET session_replication_role = replica;
SELECT dtmodel.soft_delete(NULL::posts, 4);
\echo :SQLSTATE
RESET session_replication_role;
ALTER TABLE posts ENABLE ALWAYS TRIGGER zz_dtmodel_soft_delete;
SET session_replication_role = replica;
SELECT (dtmodel.soft_delete(NULL::posts, 4)).is_deleted;
RESET session_replication_role;
TABLE state;

-- keys of many types; an id of any type that can be converted to the key's
CREATE FUNCTION try(key_type text, key text, OUT by_id text, OUT by_text text, OUT by_row text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE keyed (k %s PRIMARY KEY)', key_type);
    PERFORM dtmodel.add_soft_delete('keyed');
    EXECUTE format('INSERT INTO keyed VALUES (%s)', key);
    EXECUTE format('SELECT (dtmodel.soft_delete(NULL::keyed, %s)).is_deleted', key) INTO by_id;
    EXECUTE 'SELECT (dtmodel.restore(NULL::keyed, (SELECT k::text FROM keyed))).is_deleted' INTO by_text;
    EXECUTE 'SELECT (dtmodel.soft_delete(row)).is_deleted FROM keyed AS row' INTO by_row;
    DROP TABLE keyed;
END $$;
CREATE DOMAIN code AS text CHECK (VALUE ~ '^[A-Z]+$');
CREATE TYPE mood AS ENUM ('calm', 'wild');
SELECT t, r.* FROM (VALUES
    ('uuid', '''550e8400-e29b-41d4-a716-446655440000''::uuid'),
    ('bigint', '12345678901'), ('smallint', '1::smallint'), ('numeric', '1.50'),
    ('text', '''it''''s "quoted"; -- ''::text'), ('varchar(5)', '''abc''::varchar'), ('char(5)', '''abc''::bpchar'),
    ('code', '''ABC''::code'), ('mood', '''wild''::mood'), ('date', '''2001-01-01''::date'),
    ('inet', '''10.0.0.1''::inet'), ('bytea', '''\x00ff''::bytea'), ('int[]', '''{1,2}''::int[]'),
    ('oid', '1::oid'), ('name', '''n''::name')) AS v (t, k),
    LATERAL try(t, k) AS r;

-- a key of several columns: a JSON object of them
CREATE TABLE lines (order_id bigint, "line no" int, note text, PRIMARY KEY ("line no", order_id));
SELECT dtmodel.add_soft_delete('lines');
INSERT INTO lines VALUES (1, 1), (1, 2), (2, 1);
SELECT (dtmodel.soft_delete(NULL::lines, '{"order_id": 1, "line no": 2}'::jsonb)).order_id;
SELECT (dtmodel.soft_delete(NULL::lines, '{"order_id": "2", "line no": 1, "more": null}')).order_id;
SELECT (dtmodel.soft_delete(l)).is_deleted FROM lines AS l WHERE "line no" = 1 AND order_id = 1;
SELECT (dtmodel.restore(NULL::lines, json_build_object('order_id', 1, 'line no', 2))).is_deleted;
SELECT order_id, "line no", is_deleted FROM lines ORDER BY 1, 2;
SELECT dtmodel.soft_delete(NULL::lines, '{"order_id": null, "line no": 2}') IS NULL AS missing;
CREATE TABLE typed (d date, f boolean, PRIMARY KEY (d, f));
SELECT dtmodel.add_soft_delete('typed');
INSERT INTO typed VALUES ('2001-01-01', true);
SELECT (dtmodel.soft_delete(NULL::typed, '{"d": "2001-01-01", "f": true}')).is_deleted;

-- large values are returned whole
CREATE TABLE large (id int PRIMARY KEY, doc text);
SELECT dtmodel.add_soft_delete('large');
INSERT INTO large VALUES (1, (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 3000) AS i));
CREATE TABLE copies AS SELECT r.doc FROM dtmodel.soft_delete(NULL::large, 1) AS r;
SELECT length(c.doc), c.doc = l.doc AS same FROM copies AS c, large AS l;

-- in a loop, from a function, with saved plans
DO $$
DECLARE
    p soft_delete_rows.posts;
BEGIN
    FOR i IN 1..200 LOOP
        p := dtmodel.soft_delete(NULL::soft_delete_rows.posts, 1 + i % 3);
        ASSERT p.is_deleted;
        p := dtmodel.restore(p);
        ASSERT NOT p.is_deleted;
    END LOOP;
END $$;
TABLE state;

-- more tables than the plan cache holds
DO $$
BEGIN
    FOR i IN 1..150 LOOP
        EXECUTE format('CREATE TABLE soft_delete_rows.t%s (id int PRIMARY KEY)', i);
        PERFORM dtmodel.add_soft_delete(format('soft_delete_rows.t%s', i));
        EXECUTE format('INSERT INTO soft_delete_rows.t%s VALUES (1)', i);
    END LOOP;
    FOR i IN 1..150 LOOP
        EXECUTE format('SELECT dtmodel.soft_delete(NULL::soft_delete_rows.t%s, 1)', i);
    END LOOP;
    FOR i IN 1..50 LOOP
        EXECUTE format('SELECT dtmodel.restore(t) FROM soft_delete_rows.t%s AS t', i);
    END LOOP;
END $$;
SELECT count(*) FILTER (WHERE x::text LIKE '%<row%') AS live
FROM generate_series(1, 150) AS i,
     LATERAL query_to_xml(format('SELECT FROM soft_delete_rows.t%s WHERE NOT is_deleted', i), true, false, '') AS x;

-- for a row that policies or a trigger do not allow to be restored the result is NULL, as for update
CREATE TABLE guarded (id int PRIMARY KEY, title text);
SELECT dtmodel.add_soft_delete('guarded');
INSERT INTO guarded VALUES (1, 'mine'), (2, 'yours'), (3, 'live'), (4, 'skipped');
DELETE FROM guarded WHERE id <> 3;
CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER skip BEFORE UPDATE ON guarded FOR EACH ROW WHEN (OLD.id = 4) EXECUTE FUNCTION skip();
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON guarded FOR SELECT USING (true);
CREATE POLICY remove ON guarded FOR DELETE USING (true);
CREATE POLICY change ON guarded FOR UPDATE USING (id IN (1, 4));
CREATE ROLE soft_delete_rows_user;
GRANT USAGE ON SCHEMA dtmodel, soft_delete_rows TO soft_delete_rows_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON guarded TO soft_delete_rows_user;
SET ROLE soft_delete_rows_user;
SELECT g.id, r.id, r.is_deleted, u.id AS updated FROM guarded AS g, dtmodel.restore(g) AS r, dtmodel.update(g, '{"title": "x"}') AS u ORDER BY g.id;
SELECT i, r.id, r.is_deleted FROM generate_series(1, 5) AS i, dtmodel.restore(NULL::guarded, i) AS r ORDER BY i;
DO $$
BEGIN
    PERFORM dtmodel.get_or_create(NULL::soft_delete_rows.guarded, '{"id": 2}', on_deleted => 'restore');
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING '%: %', SQLSTATE, SQLERRM;
END $$;
-- a policy can allow the deletion of a row that is invisible afterwards
RESET ROLE;
DROP POLICY see ON guarded;
CREATE POLICY see ON guarded FOR SELECT USING (NOT is_deleted);
SET ROLE soft_delete_rows_user;
SELECT d.id, d.title, d.is_deleted FROM dtmodel.soft_delete(NULL::guarded, 3) AS d;
SELECT d.id, d.title, d.is_deleted FROM dtmodel.soft_delete(NULL::guarded, 3) AS d;
RESET ROLE;
SELECT id, is_deleted FROM guarded ORDER BY id;

-- of a table without a key, those of one time
CREATE TABLE unkeyed (v int);
SELECT dtmodel.add_soft_delete('unkeyed');
INSERT INTO unkeyed VALUES (1), (2);
UPDATE unkeyed SET is_deleted = true WHERE v = 1;
SELECT deleted_at FROM unkeyed WHERE is_deleted \gset
SELECT v FROM dtmodel.get_deleted(NULL::unkeyed);
SELECT v FROM dtmodel.get_deleted(NULL::unkeyed, :'deleted_at');

-- a DELETE that fails in a function in SQL, in a subtransaction, which its memory outlasts
CREATE TABLE kept (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('kept');
ALTER TABLE kept ADD CHECK (id < 3 OR NOT is_deleted);
INSERT INTO kept SELECT generate_series(1, 3);
CREATE FUNCTION delete_all() RETURNS int LANGUAGE sql AS 'DELETE FROM soft_delete_rows.kept; SELECT 1';
DO $$
DECLARE
    result int;
BEGIN
    FOR i IN 1..3 LOOP
        BEGIN
            result := delete_all();
        EXCEPTION WHEN check_violation THEN
            RAISE WARNING 'refused';
        END;
    END LOOP;
END $$;
SELECT count(*) FILTER (WHERE is_deleted) AS deleted FROM kept;
-- and one that does not fail
ALTER TABLE kept DROP CONSTRAINT kept_check;
DO $$
DECLARE
    result int;
BEGIN
    FOR i IN 1..3 LOOP
        BEGIN
            result := delete_all();
        EXCEPTION WHEN check_violation THEN
            RAISE WARNING 'refused';
        END;
        UPDATE kept SET is_deleted = false WHERE id = i;
    END LOOP;
END $$;
SELECT id, is_deleted, deleted_at IS NOT NULL AS has_time FROM kept ORDER BY id;

-- a function in a policy deletes rows of another table meanwhile
SET client_min_messages = warning;
CREATE TABLE guarding (id int PRIMARY KEY);
CREATE TABLE beside (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('guarding'), dtmodel.add_soft_delete('beside');
INSERT INTO guarding VALUES (1), (2);
INSERT INTO beside VALUES (1), (2);
CREATE FUNCTION clear_beside() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM beside;
    RETURN true;
END
$$;
CREATE POLICY clears ON guarding USING (clear_beside());
ALTER TABLE guarding ENABLE ROW LEVEL SECURITY;
GRANT USAGE ON SCHEMA soft_delete_rows TO soft_delete_rows_user;
GRANT ALL ON guarding, beside TO soft_delete_rows_user;
SET ROLE soft_delete_rows_user;
SELECT (dtmodel.soft_delete(NULL::guarding, 2)).is_deleted;
RESET ROLE;
SELECT id, is_deleted FROM guarding ORDER BY 1;
SELECT id, is_deleted FROM beside ORDER BY 1;

SET client_min_messages = warning;
DROP SCHEMA soft_delete_rows CASCADE;
REVOKE USAGE ON SCHEMA dtmodel FROM soft_delete_rows_user;
DROP ROLE soft_delete_rows_user;
