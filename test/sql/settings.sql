--
-- settings: which are valid, how they are written and read
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA settings_test;
SET search_path = settings_test;

-- the column is added, and described
CREATE TABLE users (id int PRIMARY KEY, name text);
SET client_min_messages = notice;
SELECT dtmodel.add_settings('users', '{theme,language,limits}', schema => '{
    "theme": {"type": "string", "enum": ["light", "dark"], "default": "light", "description": "colours"},
    "language": {"type": ["string", "null"], "maxLength": 2, "pattern": "^[a-z]*$"},
    "limits": {"type": "object", "default": {"files": 10}}}');
SELECT dtmodel.add_settings('users', '{theme,language,limits}', schema => '{
    "limits": {"type": "object", "default": {"files": 10}}, "theme": {"type": "string", "enum": ["light", "dark"], "default": "light", "description": "colours"},
    "language": {"type": ["string", "null"], "maxLength": 2, "pattern": "^[a-z]*$"}}');
SET client_min_messages = warning;
\d users
SELECT jsonb_pretty(dtmodel.describe('users') -> 'settings');
SELECT dtmodel.get_fields('users');

-- written by any client, read with defaults; a default is not stored
INSERT INTO users VALUES (1, 'none', NULL), (2, 'empty', '{}'), (3, 'some', '{"theme": "dark", "language": null}');
SELECT id, settings, dtmodel.settings(u) FROM users AS u ORDER BY id;
UPDATE users SET settings = dtmodel.merge_settings(settings, '{"language": "fr"}');
SELECT id, settings FROM users ORDER BY id;
SELECT dtmodel.settings(NULL::users) IS NULL AS nothing;
SELECT id, dtmodel.to_dict(u) FROM users AS u ORDER BY id;

-- stored settings are kept, whatever the rules are
ALTER TABLE users DISABLE TRIGGER zz_dtmodel_settings;
UPDATE users SET settings = '{"theme": "blue", "old": 1}' WHERE id = 1;
ALTER TABLE users ENABLE TRIGGER zz_dtmodel_settings;
UPDATE users SET name = 'still works' WHERE id = 1;
UPDATE users SET settings = settings WHERE id = 1;
SELECT dtmodel.to_dict(u) FROM users AS u WHERE id = 1;
UPDATE users SET settings = NULL WHERE id = 1;

-- settings that are not valid: an error, left out, or kept
INSERT INTO users VALUES (4, 'unknown', '{"theme": "dark", "colour": "red"}');
\echo :SQLSTATE
SELECT dtmodel.add_settings('users', '{theme}', on_unknown => 'ignore');
INSERT INTO users VALUES (4, 'unknown', '{"theme": "dark", "colour": "red"}') RETURNING settings;
SELECT dtmodel.add_settings('users', '{theme}', on_unknown => 'allow');
UPDATE users SET settings = '{"theme": "dark", "colour": "red"}' WHERE id = 4 RETURNING settings;
SELECT settings FROM dtmodel.update(NULL::users, 4, '{"settings": {"size": 1}, "weight": 2}');

-- given beside the columns, as an object, as a list; those beside the columns take precedence
SELECT dtmodel.add_settings('users', '{theme,language}');
SELECT settings FROM dtmodel.create(NULL::users, '{"id": 5, "theme": "a", "language": "b", "colour": "c"}');
SELECT settings FROM dtmodel.create(NULL::users, '{"id": 6, "settings": {"theme": "a", "colour": "c"}}');
SELECT settings FROM dtmodel.create(NULL::users, '{"id": 7, "settings": [{"key": "theme", "value": "a"}, {"key": "theme", "value": "b"}, {"key": "colour", "value": 1}]}');
SELECT settings FROM dtmodel.create(NULL::users, '{"id": 8, "settings": {"theme": "a", "language": "x"}, "theme": "b"}');
SELECT settings FROM dtmodel.create(NULL::users, '{"id": 9, "settings": null}');
SELECT settings FROM dtmodel.update(NULL::users, 8, '{"settings": null, "language": null}');
SELECT settings FROM dtmodel.update(NULL::users, 8, '{"settings": null, "name": "n"}');
SELECT settings FROM dtmodel.update(NULL::users, 9, '{"theme": {"deep": 1}}');
SELECT settings FROM dtmodel.update(NULL::users, 9, '{"theme": {"other": 1}}');

-- not beside the columns
SELECT dtmodel.add_settings('users', '{theme,language}', combined => false, schema => '{"language": {"default": "en"}}');
SELECT name, settings FROM dtmodel.create(NULL::users, '{"id": 10, "theme": "ignored", "settings": [{"key": "theme", "value": ["x"]}]}');
SELECT dtmodel.to_dict(u), dtmodel.to_dict(u, excludes => '{settings}') AS without, dtmodel.to_dict(u, includes => '{settings,id}') AS only,
       dtmodel.to_dict(u, excludes => '{theme}') AS one_less
FROM users AS u WHERE id = 10;
SELECT dtmodel.to_dict(u, includes => '{theme}') AS one, dtmodel.to_dict(u, includes => '{id,language}') AS one_and_id,
       dtmodel.to_dict(u, '{theme}', '{theme,language,id}') AS but_one, dtmodel.to_dict(u, includes => '{id}') AS none, dtmodel.to_dict(u, '{settings}', '{theme,id}') AS without
FROM users AS u WHERE id = 10;

-- filters of settings beside the columns
SELECT dtmodel.add_settings('users', '{theme,language}', schema => '{"language": {"default": "en"}}');
SELECT dtmodel.to_dict(u, excludes => '{settings}') AS none, dtmodel.to_dict(u, includes => '{settings}') AS all_of_them,
       dtmodel.to_dict(u, includes => '{id,language}') AS one, dtmodel.to_dict(u, '{language}', '{settings}') AS but_one
FROM users AS u WHERE id = 10;

-- in a column of another name; a stored value that is large
CREATE TABLE t ("my prefs" jsonb, id int PRIMARY KEY);
SELECT dtmodel.add_settings('t', '{"a b","c,d",a.b}', settings => 'my prefs');
SELECT "my prefs" FROM dtmodel.create(NULL::t, '{"id": 1, "a b": 1, "c,d": 2, "a.b": 3, "settings": {"a b": 4}}');
SELECT dtmodel.to_dict(t) FROM t;
SELECT dtmodel.get_fields('t');
SELECT length(dtmodel.to_dict(u) ->> 'a b') FROM dtmodel.update(NULL::t, 1, jsonb_build_object('a b', repeat('x', 100000))) AS u;

-- a column that is added later with the name of a setting takes precedence, and is drift
ALTER TABLE t ADD COLUMN "a b" text DEFAULT 'column';
SELECT dtmodel.to_dict(t) FROM t;
SELECT dtmodel.describe('t') -> 'drift' AS drift;

-- a column that is renamed
ALTER TABLE t RENAME "my prefs" TO prefs;
INSERT INTO t (id, prefs) VALUES (2, '{}');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::t, '{"id": 2, "a.b": 1}');
\echo :SQLSTATE
SELECT dtmodel.add_settings('t', '{"a.b"}', settings => 'prefs');
INSERT INTO t (id, prefs) VALUES (2, '{}');

-- true and false are of one type
CREATE TABLE switches (id int PRIMARY KEY);
SELECT dtmodel.add_settings('switches', schema => '{"on": {"type": "boolean"}, "level": {"type": ["integer", "boolean"]}}');
INSERT INTO switches VALUES (1, '{"on": true, "level": false}'), (2, '{"on": false, "level": 3}');
INSERT INTO switches VALUES (3, '{"on": 1}');
INSERT INTO switches VALUES (3, '{"level": "true"}');
TABLE switches;

-- many of them
CREATE TABLE many (id int PRIMARY KEY);
SELECT dtmodel.add_settings('many', (SELECT array_agg('k' || i) FROM generate_series(1, 100) AS i));
SELECT dtmodel.to_dict(m) = data AS same
FROM (SELECT jsonb_object_agg('k' || i, i) || '{"id": 1}' AS data FROM generate_series(1, 100) AS i) AS d, dtmodel.create(NULL::many, data) AS m;

-- removed
SELECT dtmodel.remove_settings('t');
SELECT dtmodel.remove_settings('users', drop_columns => true);
SELECT dtmodel.remove_settings('users');
\d t
\d users

-- a rule for numbers does not restrict other values, and a type does
CREATE TABLE limits (id int PRIMARY KEY, CONSTRAINT c CHECK (id > 0));
SELECT dtmodel.add_settings('limits', schema => '{"low": {"minimum": 1}, "high": {"maximum": 1}, "whole": {"type": "integer"}, "maybe": {"type": ["integer", "null"]}}');
INSERT INTO limits VALUES (1, '{"low": "x", "high": [2]}'), (2, '{"whole": 2.0, "maybe": null}');
\set VERBOSITY terse
INSERT INTO limits VALUES (3, '{"low": 0.5}');
INSERT INTO limits VALUES (3, '{"high": 1.5}');
INSERT INTO limits VALUES (3, '{"whole": "x"}');
INSERT INTO limits VALUES (3, '{"whole": 1.5}');
INSERT INTO limits VALUES (3, '{"maybe": "1"}');
\set VERBOSITY default
TABLE limits;

-- values that are stored out of line, in this table or another, are checked; a document that is no object has no settings
CREATE TABLE elsewhere (id int, doc jsonb);
CREATE TABLE stored (id int PRIMARY KEY, n int, settings jsonb);
SELECT dtmodel.add_settings('stored', '{a,b}');
ALTER TABLE elsewhere ALTER doc SET STORAGE EXTERNAL;
ALTER TABLE stored ALTER settings SET STORAGE EXTERNAL;
INSERT INTO elsewhere VALUES (1, jsonb_build_object('x', repeat('x', 9000))), (2, jsonb_build_object('a', repeat('y', 9000)));
INSERT INTO stored VALUES (1, 1, '{"a": 1}'), (2, 1, jsonb_build_object('a', repeat('z', 9000)));
\set VERBOSITY terse
UPDATE stored AS s SET settings = doc FROM elsewhere AS e WHERE e.id = 1 AND s.id = 1;
UPDATE stored AS s SET settings = doc FROM elsewhere AS e WHERE e.id = 1 AND s.id = 2;
UPDATE stored SET settings = doc FROM elsewhere AS e WHERE e.id = 2;
SELECT id, left(settings ->> 'a', 3) AS a FROM stored ORDER BY 1;
ALTER TABLE stored DISABLE TRIGGER USER;
UPDATE stored SET settings = '[1]';
ALTER TABLE stored ENABLE TRIGGER USER;
UPDATE stored SET settings = '{"a": 1}' WHERE id = 1;
UPDATE stored SET settings = '{"c": 1}' WHERE id = 2;
UPDATE stored SET n = 2 WHERE id = 2;
\set VERBOSITY default
SELECT * FROM stored ORDER BY 1;

-- a CHECK with a name like ours on another column
CREATE TABLE checked (id int PRIMARY KEY, other jsonb, settings jsonb,
    CONSTRAINT ck_other_settings CHECK (jsonb_typeof(other) = 'object'));
SET client_min_messages = notice;
SELECT dtmodel.add_settings('checked', '{theme}');
SET client_min_messages = warning;
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'checked'::regclass AND contype = 'c' ORDER BY 1;

DROP SCHEMA settings_test CASCADE;
