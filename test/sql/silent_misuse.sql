--
-- Calls that would do nothing, or not what was meant, raise an error
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA silent;
SET search_path = silent;

CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, LIKE dtmodel.configurable_mixin INCLUDING ALL);
SELECT dtmodel.add_soft_delete('users'), dtmodel.add_settings('users', '{theme}');
SELECT dtmodel.create_live_view('users');
INSERT INTO users VALUES (1, 'Ann'), (2, 'Bob');

-- an instance that is null, because the id was forgotten
SELECT dtmodel.update(NULL::users, '{"name": "x"}');
\echo :SQLSTATE
SELECT dtmodel.delete(NULL::users);
\echo :SQLSTATE
SELECT dtmodel.delete(NULL::users, soft => false);
\echo :SQLSTATE
SELECT dtmodel.soft_delete(NULL::users);
\echo :SQLSTATE
SELECT dtmodel.restore(NULL::users);
\echo :SQLSTATE
SELECT dtmodel.update(NULL::live_users, '{"name": "x"}');
\echo :SQLSTATE
-- or because an outer join did not find it
SELECT dtmodel.update(u, '{"name": "x"}') FROM (VALUES (1), (3)) AS v (id) LEFT JOIN users AS u USING (id);
\echo :SQLSTATE
SELECT v.id, (dtmodel.update(u, '{"name": "Anna"}')).name FROM (VALUES (1), (3)) AS v (id) LEFT JOIN users AS u USING (id) WHERE u.id IS NOT NULL;
-- functions that only read return null for null, and for a null id
SELECT v.id, dtmodel.to_dict(u) AS dict, dtmodel.repr(u), dtmodel.str(u), dtmodel.settings(u) FROM (VALUES (3)) AS v (id) LEFT JOIN users AS u USING (id);
SELECT dtmodel.update(NULL::users, NULL::int, '{"name": "x"}') IS NULL AS updated, dtmodel.delete(NULL::users, NULL::int) IS NULL AS deleted;

-- names that do not exist
SELECT dtmodel.to_dict(u, includes => '{nope}') FROM users AS u;
\echo :SQLSTATE
SELECT dtmodel.to_dict(u, '{id,nope}') FROM users AS u;
\echo :SQLSTATE
SELECT dtmodel.to_dict(u, '{id,theme,settings}', '{id,name,theme}') FROM users AS u WHERE id = 1;
SELECT dtmodel.to_dict(r, '{nope}') FROM (SELECT 1 AS a) AS r;
\echo :SQLSTATE
SELECT dtmodel.to_dict(v, includes => '{nope}') FROM live_users AS v;
\echo :SQLSTATE
ALTER TABLE users ADD gone int;
ALTER TABLE users DROP gone;
SELECT dtmodel.to_dict(u, '{gone}') FROM users AS u;
\echo :SQLSTATE
SELECT dtmodel.add_settings('users', '{theme}', on_unknown => 'allow');
SELECT dtmodel.to_dict(u, '{nope}', '{id,other}') FROM users AS u WHERE id = 1;
SELECT dtmodel.add_settings('users', '{theme}');

-- keys that were ignored, if a column has no value
SELECT dtmodel.create(NULL::users, '{"id": 3, "nmae": "x", "theme": "dark", "Id": 4}');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, '{"id": 3, "theme": "dark"}');
SELECT dtmodel.get_or_create(NULL::users, '{"id": 3}', '{"nmae": "x"}');
CREATE TABLE parted (id int PRIMARY KEY, name text NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (1) TO (10);
SELECT dtmodel.create(NULL::parted, '{"id": 1, "nmae": "x"}');
SELECT dtmodel.upsert(NULL::users, '{"id": 3, "nmae": "x"}');
\echo :SQLSTATE
SELECT dtmodel.upsert(NULL::users, '{"id": 3}');
SELECT dtmodel.bulk_create(NULL::users, '[{"id": 3, "name": "x", "nmae": "y"}, {"id": 4, "name": "x"}, {"id": 5, "nmae": "x", "theme": 1}, {"id": 6}]');
\echo :SQLSTATE
SELECT dtmodel.bulk_create(NULL::users, '[{"id": 3, "name": "x", "nmae": "y"}, {"id": 5}]');
SELECT dtmodel.bulk_create(NULL::parted, '[{"id": 3, "name": "x"}, {"id": 1, "nmae": "x"}]');
-- no hint for errors of another table, nor for other errors
CREATE TABLE logs (id int NOT NULL);
CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO logs VALUES (NULL); RETURN NEW; END $$;
CREATE TRIGGER log BEFORE INSERT ON parted FOR EACH ROW EXECUTE FUNCTION log();
CREATE TRIGGER log BEFORE INSERT ON users FOR EACH ROW WHEN (NEW.id = 9) EXECUTE FUNCTION log();
SELECT dtmodel.create(NULL::users, '{"id": 9, "name": "x", "nmae": "x"}');
SELECT dtmodel.create(NULL::users, '{"id": 1, "name": "x", "nmae": "x"}');
DO $$
BEGIN
    PERFORM dtmodel.create(NULL::silent.users, '{"id": 3, "nmae": "x"}');
EXCEPTION WHEN not_null_violation THEN
    RAISE WARNING '%, and there is %', SQLERRM, (dtmodel.create(NULL::silent.users, '{"id": 3, "name": "x", "nmae": "x"}')).name;
END $$;

-- the name of a table instead of its type
SELECT dtmodel.create('users', '{"id": 4, "name": "x"}');
\echo :SQLSTATE
SELECT * FROM dtmodel.create('users', '{"id": 4, "name": "x"}');
\echo :SQLSTATE
SELECT dtmodel.create('My Users'::text, '{"id": 4, "name": "x"}');
SELECT dtmodel.create(NULL, '{"id": 4, "name": "x"}');
SELECT dtmodel.create('users'::regclass, '{"id": 4, "name": "x"}');
\echo :SQLSTATE

-- soft => false: the hint does not name the switch
CREATE ROLE silent_user;
GRANT USAGE ON SCHEMA dtmodel, silent TO silent_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON users TO silent_user;
SET ROLE silent_user;
SELECT dtmodel.delete(NULL::users, 1, soft => false);
\echo :SQLSTATE
SELECT dtmodel.delete(u, soft => false) FROM users AS u WHERE id = 1;
SET dtmodel.hard_delete = on;
DELETE FROM users WHERE id = 1;
SELECT dtmodel.delete(NULL::users, 1, soft => false);
RESET dtmodel.hard_delete;
DO $$
BEGIN
    PERFORM dtmodel.delete(NULL::silent.users, 1, soft => false);
EXCEPTION WHEN insufficient_privilege THEN
    SET LOCAL dtmodel.hard_delete = on;
    DELETE FROM silent.users WHERE id = 1;
END $$;
RESET ROLE;

-- strict, with all signatures
SELECT dtmodel.update(u, '{"nope": 1}', strict => true) FROM users AS u WHERE id = 1;
\echo :SQLSTATE
SELECT dtmodel.update(u, '{"nope": 1}', true) FROM users AS u WHERE id = 1;
SELECT (dtmodel.update(u, '{"nope": 1}')).name, (dtmodel.update(u, data => '{"name": "a"}', strict => true)).name, (dtmodel.update(u, '{"nope": 1}'::jsonb, false)).name FROM users AS u WHERE id = 1;
SELECT (dtmodel.update(NULL::users, 1, '{"name": "b"}')).name, (dtmodel.update(NULL::users, '1', '{"name": "c"}')).name,
       (dtmodel.update(NULL::users, '1'::text, '{"name": "d"}')).name, (dtmodel.update(NULL::users, '1', '{"name": "e"}'::jsonb)).name,
       (dtmodel.update(NULL::users, 1::bigint, '{"name": "f"}', true)).name, (dtmodel.update(NULL::users, id => '1', data => '{"name": "g"}', strict => true)).name,
       (dtmodel.update(NULL::users, '1'::varchar, '{"name": "h"}')).name;
SELECT dtmodel.update(NULL::users, '1', '{"nope": 1}', true);
\echo :SQLSTATE
SELECT dtmodel.update(NULL::users, '1', NULL);
\echo :SQLSTATE
SELECT dtmodel.update(NULL::users, '1', 'no json');
\echo :SQLSTATE
CREATE TABLE pairs (a int, b int, v text, PRIMARY KEY (a, b));
INSERT INTO pairs VALUES (1, 2, 'v');
SELECT (dtmodel.update(NULL::pairs, '{"a": 1, "b": 2}', '{"v": "w"}')).v, (dtmodel.update(NULL::pairs, jsonb_build_object('a', 1, 'b', 2), '{"v": "x"}')).v,
       (dtmodel.update(NULL::pairs, jsonb_build_object('a', 1, 'b', 2), '{"v": "y"}', true)).v, (dtmodel.update(NULL::pairs, jsonb_build_object('a', 1, 'b', 2), jsonb_build_object('v', 'z'))).v;
PREPARE untyped AS SELECT (dtmodel.update(NULL::users, $1, $2)).name;
EXECUTE untyped ('1', '{"name": "i"}');
EXECUTE untyped ('2', '{"name": "j"}');
PREPARE typed AS SELECT (dtmodel.update(NULL::users, $1::int, $2)).name;
EXECUTE typed (2, '{"name": "k"}');
SELECT parameter_types FROM pg_prepared_statements WHERE name IN ('typed', 'untyped') ORDER BY name;
SELECT id, name FROM users ORDER BY id;

DROP SCHEMA silent CASCADE;
REVOKE USAGE ON SCHEMA dtmodel FROM silent_user;
DROP ROLE silent_user;
