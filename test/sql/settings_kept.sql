--
-- settings: changes are checked, also those of a trigger; stored settings are kept
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA settings_kept;
SET search_path = settings_kept;

-- a BEFORE trigger of the user that writes settings, in an UPDATE of other columns
CREATE TABLE users (id int PRIMARY KEY, name text);
SELECT dtmodel.add_settings('users', '{theme,size}', schema => '{"size": {"type": "integer"}}');
CREATE FUNCTION write_settings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name LIKE '{%' OR NEW.name LIKE '[%' THEN
        NEW.settings := NEW.name::jsonb;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER write_settings BEFORE INSERT OR UPDATE OF name ON users FOR EACH ROW EXECUTE FUNCTION write_settings();
INSERT INTO users VALUES (1, 'plain', '{"theme": "dark"}');
UPDATE users SET name = '{"other": 1}' WHERE id = 1;
\echo :SQLSTATE
UPDATE users SET name = '{"size": "x"}' WHERE id = 1;
\echo :SQLSTATE
UPDATE users SET name = '[1]' WHERE id = 1;
\echo :SQLSTATE
INSERT INTO users VALUES (2, '{"other": 1}');
\echo :SQLSTATE
UPDATE users SET name = '{"size": 3}' WHERE id = 1 RETURNING settings;
PREPARE rename(text) AS UPDATE users SET name = $1 WHERE id = 1 RETURNING settings;
EXECUTE rename('plain');
EXECUTE rename('{"other": 1}');
SELECT settings FROM dtmodel.update(NULL::users, 1, '{"name": "{\"other\": 1}"}');
\echo :SQLSTATE
SELECT dtmodel.add_settings('users', '{theme,size}', on_unknown => 'ignore');
UPDATE users SET name = '{"other": 1, "size": 4}' WHERE id = 1 RETURNING settings;

-- a setting is removed from the model, and another one gets a stricter rule: add_settings reports it
SELECT dtmodel.add_settings('users', '{theme,size,old}');
DELETE FROM users;
INSERT INTO users VALUES (1, 'a', '{"theme": "dark", "old": 1}'), (2, 'b', '{"size": "large"}'), (3, 'c', '{"size": 1}'), (4, 'd', NULL);
SET client_min_messages = notice;
SELECT dtmodel.add_settings('users', '{theme,size}', schema => '{"size": {"type": "integer"}}');
SELECT dtmodel.add_settings('users', '{theme,size}', schema => '{"size": {"type": "integer"}}');
SET client_min_messages = warning;
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('users');
SELECT id, dtmodel.invalid_settings(u) FROM users AS u ORDER BY id;
SELECT dtmodel.invalid_settings(NULL::users) IS NULL AS nothing;

-- they are kept in updates of other settings, of any kind, also of all columns
UPDATE users SET name = 'still works', settings = settings WHERE id = 1;
UPDATE users SET settings = '{"old": 1, "theme": "light"}' WHERE id = 1 RETURNING settings;
SELECT settings FROM dtmodel.update(NULL::users, 1, '{"theme": "blue", "name": "by id"}');
SELECT settings FROM dtmodel.update(NULL::users, 2, '{"theme": "blue"}');
SELECT (instance).settings FROM dtmodel.upsert(NULL::users, '{"id": 1, "theme": "red"}');
-- but not with other values, nor in other rows
UPDATE users SET settings = '{"old": 2}' WHERE id = 1;
\echo :SQLSTATE
UPDATE users SET settings = '{"size": "small"}' WHERE id = 2;
\echo :SQLSTATE
UPDATE users SET settings = '{"old": 1}' WHERE id = 3;
\echo :SQLSTATE
INSERT INTO users VALUES (5, 'e', '{"old": 1}');
\echo :SQLSTATE
-- equality is that of jsonb
UPDATE users SET settings = '{"old": 1.0}' WHERE id = 1 RETURNING settings;

-- with "ignore", stored settings are kept too, and new ones are left out
SELECT dtmodel.add_settings('users', '{theme,size}', on_unknown => 'ignore');
UPDATE users SET settings = '{"old": 1, "other": 2, "theme": "dark"}' WHERE id = 1 RETURNING settings;
UPDATE users SET settings = '{"old": 2, "theme": "dark"}' WHERE id = 1 RETURNING settings;
SELECT dtmodel.add_settings('users', '{theme,size}', on_unknown => 'allow');
UPDATE users SET settings = '{"old": 1, "theme": "dark"}' WHERE id = 1 RETURNING settings;
SELECT dtmodel.invalid_settings(u) FROM users AS u WHERE id = 1;
SELECT dtmodel.add_settings('users', '{theme,size}', schema => '{"size": {"type": "integer"}}');

-- update removes a setting, whether the model has it or not; null is a value
SELECT settings FROM dtmodel.update(NULL::users, 1, '{"settings": [{"key": "old", "remove": true}]}');
SELECT settings FROM dtmodel.update(NULL::users, 1, '{"settings": [{"key": "theme", "value": null}, {"key": "size", "value": 7}]}');
SELECT (dtmodel.update(u, '{"name": "n", "settings": [{"key": "theme", "remove": true}, {"key": "never", "remove": true}]}')).* FROM users AS u WHERE id = 1;
-- of a setting that is given and removed the last element counts, and a key beside the columns takes precedence
SELECT settings FROM dtmodel.update(NULL::users, 1, '{"settings": [{"key": "size", "remove": true}, {"key": "size", "value": 1}]}');
SELECT settings FROM dtmodel.update(NULL::users, 1, '{"settings": [{"key": "theme", "value": "x"}, {"key": "size", "value": 1}, {"key": "size", "remove": true}]}');
SELECT settings FROM dtmodel.update(NULL::users, 1, '{"theme": "beside", "settings": [{"key": "theme", "remove": true}]}');
SELECT settings FROM dtmodel.update(NULL::users, 4, '{"settings": [{"key": "theme", "remove": true}]}');
SELECT settings FROM dtmodel.update(NULL::users, 1, '{"settings": [{"key": "theme", "remove": true}]}', strict => true);
-- with strict the model must have it
SELECT settings FROM dtmodel.update(NULL::users, 1, '{"settings": [{"key": "old", "remove": true}]}', strict => true);
\echo :SQLSTATE
SELECT (instance).settings, created FROM dtmodel.upsert(NULL::users, '{"id": 2, "theme": "up", "settings": [{"key": "size", "remove": true}]}');
SELECT (instance).settings, created FROM dtmodel.upsert(NULL::users, '{"id": 6, "theme": "new", "settings": [{"key": "size", "remove": true}]}');
SELECT settings FROM dtmodel.create(NULL::users, '{"id": 7, "settings": [{"key": "size", "remove": true}]}');
SELECT dtmodel.update(NULL::users, 1, '{"settings": [{"key": "theme", "remove": false}]}');
\echo :SQLSTATE
SELECT dtmodel.update(NULL::users, 1, '{"settings": [{"key": "theme", "remove": true, "value": 1}]}');
\echo :SQLSTATE
SELECT dtmodel.update(NULL::users, 1, '{"settings": [{"key": "theme"}]}');
\echo :SQLSTATE
-- or all that are not valid, in SQL
ALTER TABLE users DISABLE TRIGGER zz_dtmodel_settings;
UPDATE users SET settings = '{"gone": 1, "size": "x", "theme": "t"}' WHERE id < 4;
ALTER TABLE users ENABLE TRIGGER zz_dtmodel_settings;
UPDATE users AS u SET settings = settings - dtmodel.invalid_settings(u) WHERE dtmodel.invalid_settings(u) <> '{}';
SELECT id, settings FROM users ORDER BY id;
SELECT dtmodel.describe('users') -> 'drift' AS drift;

-- settings that are not an object are kept too, unless they are changed
CREATE TABLE loose (id int, settings jsonb, n int);
INSERT INTO loose VALUES (1, '[1]', 1);
SELECT dtmodel.add_settings('loose', '{a}');
UPDATE loose SET n = 2 RETURNING settings;
UPDATE loose SET settings = '[2]';
\echo :SQLSTATE
SELECT dtmodel.invalid_settings(l), problem, advice FROM loose AS l, dtmodel.drift('loose');

-- values out of line are not read or written again
CREATE TABLE large (id int PRIMARY KEY, n int, settings jsonb);
ALTER TABLE large ALTER settings SET STORAGE EXTERNAL;
SELECT dtmodel.add_settings('large', '{text}');
INSERT INTO large VALUES (1, 1, jsonb_build_object('text', repeat('x', 100000)));
SELECT dtmodel.add_settings('large', '{other}');
UPDATE large SET n = 2;
SELECT settings - 'text' AS rest, length(settings ->> 'text') FROM dtmodel.update(NULL::large, 1, '{"other": 1}');

-- and they are read once, even if many settings of the row are no longer valid
CREATE TABLE crowded (id int PRIMARY KEY, settings jsonb);
CREATE TABLE memory (bytes bigint);
CREATE FUNCTION note_memory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO settings_kept.memory SELECT sum(used_bytes) FROM pg_backend_memory_contexts;
    RETURN NEW;
END $$;
INSERT INTO crowded SELECT 1, jsonb_object_agg(i, repeat(md5(i::text), 3)) FROM generate_series(1, 1000) AS i;
SELECT dtmodel.add_settings('crowded', '{a}');
CREATE TRIGGER note_memory BEFORE UPDATE ON crowded FOR EACH ROW EXECUTE FUNCTION note_memory();
CREATE TRIGGER zzz_note_memory BEFORE UPDATE ON crowded FOR EACH ROW EXECUTE FUNCTION note_memory();
UPDATE crowded SET settings = settings || '{"a": 1}';
SELECT count(*), max(bytes) - min(bytes) < 5000000 AS little FROM memory;

-- a row that moves to another partition keeps them, and gets no others
CREATE TABLE parts (k int, settings jsonb, n int) PARTITION BY LIST (k);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 (gone int, n int, settings jsonb, k int);
ALTER TABLE parts_2 DROP gone;
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN (2);
SELECT dtmodel.add_settings('parts', '{theme,old}');
INSERT INTO parts VALUES (1, '{"theme": "a", "old": 1}', 1), (1, NULL, 2);
SELECT dtmodel.add_settings('parts', '{theme}');
UPDATE parts SET k = 2 RETURNING settings;
UPDATE parts SET k = 1, settings = '{"theme": "b", "old": 1}' WHERE n = 1 RETURNING settings;
UPDATE parts SET k = 2, settings = '{"old": 2}' WHERE n = 1;
\echo :SQLSTATE
CREATE FUNCTION write_other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.settings := '{"other": 1}'; RETURN NEW; END $$;
CREATE TRIGGER write_other BEFORE INSERT ON parts_2 FOR EACH ROW EXECUTE FUNCTION write_other();
UPDATE parts SET k = 2 WHERE n = 1;
\echo :SQLSTATE
DROP TRIGGER write_other ON parts_2;
INSERT INTO parts VALUES (2, '{"old": 1}');
\echo :SQLSTATE
UPDATE parts SET k = 2 WHERE n = 1;
DELETE FROM parts WHERE n = 1 RETURNING settings;
ALTER TABLE parts DETACH PARTITION parts_2;
INSERT INTO parts_2 VALUES (1, '{"old": 1}', 2);
\echo :SQLSTATE

-- a sample of a large table is read, if the user can read it
CREATE TABLE many (id int, settings jsonb);
INSERT INTO many SELECT i, CASE WHEN i % 2 = 0 THEN '{"old": 1}' ELSE '{"new": 1}' END::jsonb FROM generate_series(1, 120000) AS i;
CREATE FUNCTION drift_share() RETURNS TABLE (sampled boolean, looked_at_few boolean, about_half boolean) LANGUAGE sql AS $$
    SELECT problem ~ ' rows in a sample have settings that are not valid \("old"\)$', m[2]::int BETWEEN 100 AND 4000,
           m[1]::float / m[2]::float BETWEEN 0.4 AND 0.6
    FROM dtmodel.drift('settings_kept.many'), regexp_match(problem, '^(\d+) of (\d+) rows') AS m $$;
SELECT dtmodel.add_settings('many', '{new}');
SELECT * FROM drift_share();
ANALYZE many;
SELECT * FROM drift_share();
SELECT dtmodel.describe('many') -> 'drift' = dtmodel.describe('many') -> 'drift' AS the_same;
CREATE ROLE settings_kept_user;
SET ROLE settings_kept_user;
SELECT dtmodel.describe(c.oid) -> 'drift' AS drift FROM pg_class AS c WHERE relname = 'many';
RESET ROLE;
GRANT SELECT ON many TO settings_kept_user;
SET ROLE settings_kept_user;
SELECT dtmodel.describe(c.oid) -> 'drift' AS drift FROM pg_class AS c WHERE relname = 'many';
RESET ROLE;
GRANT USAGE ON SCHEMA settings_kept TO settings_kept_user;
SET ROLE settings_kept_user;
SELECT problem ~ '^\d+ of' AS reported FROM dtmodel.drift('many');
RESET ROLE;
REVOKE SELECT ON many FROM settings_kept_user;
GRANT SELECT (settings) ON many TO settings_kept_user;
SET ROLE settings_kept_user;
SELECT problem ~ '^\d+ of' AS reported FROM dtmodel.drift('many');
RESET ROLE;
ALTER TABLE many ENABLE ROW LEVEL SECURITY;
SET ROLE settings_kept_user;
SELECT dtmodel.describe('many') -> 'drift' AS drift;
RESET ROLE;

-- settings that are not an object are removed by the same statement, which drift and the NOTICE show
RESET client_min_messages;
CREATE TABLE "odd ones" (id int PRIMARY KEY, t text, "set" jsonb NOT NULL);
INSERT INTO "odd ones" VALUES (1, 't', 'null'), (2, 't', '[]'), (3, 't', '"x"'), (4, 't', '["set"]'),
    (5, 't', '{"old": 1, "theme": "dark"}'), (6, 't', '{"theme": "dark"}'), (7, 't', '{}'), (8, 't', 'true');
SELECT dtmodel.add_settings('"odd ones"', '{theme}', settings => 'set');
SET client_min_messages = warning;
SELECT id, dtmodel.invalid_settings(o) FROM "odd ones" AS o ORDER BY id;
SELECT dtmodel.update(NULL::"odd ones", 3, '{"set": [{"key": "theme", "remove": true}]}');
\echo :SQLSTATE
DO $$
BEGIN
    EXECUTE (SELECT substring(advice FROM 'UPDATE .*') FROM dtmodel.drift('settings_kept."odd ones"'));
END $$;
SELECT id, "set" FROM "odd ones" ORDER BY id;
SELECT dtmodel.describe('"odd ones"') -> 'drift' AS drift;

DROP SCHEMA settings_kept CASCADE;
DROP ROLE settings_kept_user;
