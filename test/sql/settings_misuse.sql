--
-- settings: errors
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA settings_misuse;
SET search_path = settings_misuse;
CREATE TABLE t (id int PRIMARY KEY, name text, document json);

-- names, columns and options
SELECT dtmodel.add_settings('t', '{name}');
\echo :SQLSTATE
SELECT dtmodel.add_settings('t', '{a,settings}');
\echo :SQLSTATE
SELECT dtmodel.add_settings('t', schema => '{"options": {}}', settings => 'options');
\echo :SQLSTATE
SELECT dtmodel.add_settings('t', '{a,NULL}');
\echo :SQLSTATE
SELECT dtmodel.add_settings('t', '{a,b,a}');
\echo :SQLSTATE
SELECT dtmodel.add_settings('t', '{a,""}');
\echo :SQLSTATE
SELECT dtmodel.add_settings('t', schema => '{"": {}}');
\echo :SQLSTATE
SELECT dtmodel.add_settings('t', '{a}', settings => 'document');
\echo :SQLSTATE
SELECT dtmodel.add_settings('t', '{a}', settings => NULL);
\echo :SQLSTATE
SELECT dtmodel.add_settings('t', '{a}', on_unknown => 'perhaps');
\echo :SQLSTATE
SELECT dtmodel.add_settings(NULL, '{a}');
\echo :SQLSTATE
CREATE VIEW v AS SELECT 1 AS id;
SELECT dtmodel.add_settings('v', '{a}');
\echo :SQLSTATE
SELECT dtmodel.settings(t) FROM (VALUES (1)) AS one, LATERAL (SELECT ROW(1, 'n', NULL)::t) AS x (t);
\echo :SQLSTATE
SELECT dtmodel.settings(1);
\echo :SQLSTATE

-- the schema
CREATE FUNCTION try(schema jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    PERFORM dtmodel.add_settings('settings_misuse.t', '{a,b}', schema => schema);
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
SELECT s, try(s) FROM (VALUES
    ('[]'::jsonb), ('1'), ('{"c": {}}'), ('{"a": 1}'), ('{"a": {"format": "uri"}}'),
    ('{"a": {"type": "text"}}'), ('{"a": {"type": []}}'), ('{"a": {"type": ["string", 1]}}'),
    ('{"a": {"enum": []}}'), ('{"a": {"enum": "x"}}'), ('{"a": {"minimum": "1"}}'), ('{"a": {"maximum": null}}'),
    ('{"a": {"maxLength": -1}}'), ('{"a": {"maxLength": 1.5}}'), ('{"a": {"pattern": "("}}'), ('{"a": {"pattern": 1}}'),
    ('{"a": {"description": 1}}'), ('{"a": {"type": "string", "default": 1}}'), ('{"b": {"maximum": 3, "default": 4}}')) AS v (s);
-- the error of a pattern is the server's, and the context names the setting
SELECT dtmodel.add_settings('t', schema => '{"a": {"type": "string"}, "b": {"pattern": "("}}');
\echo :SQLSTATE
-- a JSON Schema for all settings, instead of a rule for each
SELECT dtmodel.add_settings('t', schema => '{"$schema": "x", "type": "object", "properties": {"a": {"type": "string"}}}');
\echo :SQLSTATE
SELECT dtmodel.add_settings('t', '{a}', schema => '{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}');
BEGIN;
SELECT dtmodel.add_settings('t', schema => '{"type": {"enum": [1]}, "properties": {"type": "object"}}');
ROLLBACK;

-- values, for each keyword
SELECT dtmodel.add_settings('t', '{kind,count,share,code,any}', schema => '{
    "kind": {"enum": ["a", 1, null]},
    "count": {"type": "integer", "minimum": 0, "maximum": 10},
    "share": {"type": "number", "maximum": 0.5},
    "code": {"type": "string", "maxLength": 3, "pattern": "^[a-z]+$"}}');
CREATE FUNCTION try_value(settings jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    INSERT INTO settings_misuse.t (id, settings) VALUES (1, settings);
    DELETE FROM settings_misuse.t;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, detail);
END $$;
SELECT s, try_value(s) FROM (VALUES
    ('{"kind": "a"}'::jsonb), ('{"kind": null}'), ('{"kind": 1.0}'), ('{"kind": "b"}'),
    ('{"count": 0}'), ('{"count": 10.0}'), ('{"count": 2.5}'), ('{"count": -1}'), ('{"count": 11}'), ('{"count": "1"}'),
    ('{"share": 0.5}'), ('{"share": 0.51}'), ('{"share": null}'),
    ('{"code": "abc"}'), ('{"code": "abcd"}'), ('{"code": "ABC"}'), ('{"code": ["a"]}'),
    ('{"any": {"x": [1]}}'), ('{"other": 1}'), ('[]'), ('1'), ('null')) AS v (s);
INSERT INTO t (id, settings) VALUES (1, '{"count": 11}');
\echo :SQLSTATE
-- null is a value, and the hint says how to remove the setting
INSERT INTO t (id, settings) VALUES (1, '{"count": null}');
\echo :SQLSTATE

-- the error has the name of our constraint, if there is one, and not of another CHECK of the column
CREATE TABLE named (id int PRIMARY KEY, LIKE dtmodel.configurable_mixin INCLUDING ALL);
SELECT dtmodel.add_settings('named', '{a}', schema => '{"a": {"type": "number"}}');
ALTER TABLE named ADD CONSTRAINT ck_named_a_few CHECK (settings <> '{"a": 5}'), ADD CONSTRAINT ck_no_settings CHECK (id > 0 OR settings IS NULL);
CREATE FUNCTION constraint_of(settings jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    INSERT INTO settings_misuse.named VALUES (1, settings);
    RETURN 'no error';
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
    RETURN name;
END $$;
SELECT constraint_of('{"a": "x"}') AS rule, constraint_of('[]') AS object, constraint_of('{"a": 5}') AS other;
ALTER TABLE named DROP CONSTRAINT ck_named_settings;
SELECT constraint_of('{"a": "x"}') AS rule, constraint_of('[]') AS object, constraint_of('{"a": 5}') AS other;

-- in data
SELECT dtmodel.create(NULL::t, '{"id": 1, "count": "x"}');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::t, '{"id": 1, "settings": 1}');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::t, '{"id": 1, "settings": [{"key": "count"}]}');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::t, '{"id": 1, "settings": ["count"]}');
\echo :SQLSTATE
CREATE FUNCTION try_element(element jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    PERFORM dtmodel.update(NULL::settings_misuse.t, 1, jsonb_build_object('settings', jsonb_build_array('{"key": "any", "value": 1}'::jsonb, element)));
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, detail);
END $$;
SELECT e, try_element(e) FROM (VALUES ('1'::jsonb), ('[]'), ('{}'), ('{"key": 1, "value": 1}'), ('{"key": "any"}'),
    ('{"key": "any", "remove": false}'), ('{"key": "any", "remove": true, "value": 1}'), ('{"key": "any", "remove": true}')) AS v (e);
-- if any setting is allowed, one that the model does not name is given under "settings": beside the columns it may be a misspelt column
BEGIN;
SELECT dtmodel.add_settings('t', '{a}', on_unknown => 'allow');
INSERT INTO t (id) VALUES (1);
SELECT u.settings FROM dtmodel.update(NULL::t, 1, '{"nope": 1, "settings": {"other": 2}}') AS u;
SELECT u.settings FROM dtmodel.update(NULL::t, 1, '{"settings": [{"key": "other", "remove": true}]}', strict => true) AS u;
SELECT dtmodel.update(NULL::t, 1, '{"nope": 1}', strict => true);
\echo :SQLSTATE
ROLLBACK;
SELECT dtmodel.create(NULL::t, '{"id": 1, "settings": {"other": 1}}', strict => true);
\echo :SQLSTATE

-- the trigger function in a trigger by hand
SELECT dtmodel_internal.settings_trigger();
\echo :SQLSTATE
CREATE TABLE bare (id int PRIMARY KEY, settings jsonb);
CREATE TRIGGER bare BEFORE INSERT ON bare FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.settings_trigger();
INSERT INTO bare VALUES (1, '{}');
\echo :SQLSTATE
DROP TRIGGER bare ON bare;
CREATE TRIGGER wrong AFTER INSERT ON bare FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.settings_trigger('settings=settings');
INSERT INTO bare VALUES (1, '{}');
\echo :SQLSTATE

-- a trigger by hand can have any rule: one that is not valid accepts no value, and is not read in another way
CREATE TABLE by_hand (settings jsonb);
CREATE FUNCTION try_schema(schema text) RETURNS TABLE (number text, string text, list text) LANGUAGE plpgsql AS $$
DECLARE
    outcome text[];
BEGIN
    EXECUTE format('CREATE TRIGGER by_hand BEFORE INSERT ON settings_misuse.by_hand FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.settings_trigger(''settings=settings'', ''valid_settings={a}'', %L)',
                   'schema=' || schema);
    FOR i IN 1..3 LOOP
        BEGIN
            INSERT INTO settings_misuse.by_hand VALUES (('[{"a": 1}, {"a": "1"}, {"a": [1]}]'::jsonb) -> i - 1);
            outcome[i] := 'no error';
        EXCEPTION WHEN OTHERS THEN
            outcome[i] := SQLSTATE;
        END;
    END LOOP;
    DROP TRIGGER by_hand ON settings_misuse.by_hand;
    RETURN QUERY VALUES (outcome[1], outcome[2], outcome[3]);
END $$;
SELECT s AS schema, t.* FROM unnest(ARRAY[
    '5', '[1]', '{"a": 5}', '{"a": "\u0001\u0001aaaaaaaaaaaaaaaa"}', '{"a": [{"minimum": 1}]}', '{"a": null}',
    '{"a": {"minimum": "\u0001\u0001aaaaaaaaaaaaaaaa"}}', '{"a": {"maximum": "\u0001\u0001aaaaaaaaaaaaaaaa"}}', '{"a": {"minimum": {"b": 1}}}',
    '{"a": {"maxLength": "\u0001\u0001aaaaaaaaaaaaaaaa"}}', '{"a": {"maxLength": true}}', '{"a": {"maxLength": -1}}',
    '{"a": {"enum": "\u0001\u0001aaaaaaaaaaaaaaaa"}}', '{"a": {"enum": {"1": 1}}}', '{"a": {"enum": 1}}',
    '{"a": {"pattern": 1}}', '{"a": {"pattern": {"b": 1}}}', '{"a": {"type": 5}}', '{"a": {"type": {"b": 1}}}', '{"a": {"type": [5, "number"]}}',
    '{"a": {"default": 1, "other": 1}}']) AS s, LATERAL try_schema(s) AS t;

-- a schema that is no object, where it has to name the settings too
CREATE TABLE named_by_schema (id int PRIMARY KEY);
SELECT dtmodel.add_settings('named_by_schema', schema => '3');
SELECT dtmodel.add_settings('named_by_schema', schema => '[{"a": {}}]');

-- values that such rules are for: no value meets them
CREATE TABLE ruled (id int PRIMARY KEY, settings jsonb);
SELECT dtmodel.add_settings('ruled', schema => '{"a": {}, "b": {}, "c": {}, "d": {}}');
DROP TRIGGER zz_dtmodel_settings ON ruled;
CREATE TRIGGER zz_dtmodel_settings BEFORE INSERT OR UPDATE ON ruled FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.settings_trigger(
    'settings=settings', 'valid_settings={a,b,c,d}',
    'schema={"a": {"enum": 3}, "b": {"maxLength": "x"}, "c": {"pattern": 3}, "d": {"maximum": "x"}}');
INSERT INTO ruled VALUES (1, '{"a": 3}');
INSERT INTO ruled VALUES (1, '{"b": "x"}');
INSERT INTO ruled VALUES (1, '{"c": "3"}');
INSERT INTO ruled VALUES (1, '{"d": 3}');

-- stored settings that are no object, since nobody checked them
SELECT dtmodel.add_settings('ruled', schema => '{"a": {"default": 1}}');
INSERT INTO ruled VALUES (1, '{"a": 2}');
ALTER TABLE ruled DISABLE TRIGGER zz_dtmodel_settings;
UPDATE ruled SET settings = '[1]';
ALTER TABLE ruled ENABLE TRIGGER zz_dtmodel_settings;
SELECT dtmodel.to_dict(r), dtmodel.settings(r), dtmodel.invalid_settings(r) FROM ruled AS r;
SELECT dtmodel.remove_settings('ruled');
SELECT dtmodel.add_settings('ruled', schema => '{"a": {}}', combined => true);
SELECT dtmodel.to_dict(r), dtmodel.settings(r) FROM ruled AS r;
-- a setting that is not beside the columns is no key of the data
CREATE TABLE needing (id int PRIMARY KEY, name text NOT NULL);
SELECT dtmodel.add_settings('needing', '{theme}', combined => false);
SELECT dtmodel.create(NULL::needing, '{"id": 1, "theme": 1}');
SELECT dtmodel.add_settings('needing', '{theme}');
SELECT dtmodel.create(NULL::needing, '{"id": 1, "theme": 1}');

-- a column of that name, of another type, without settings
CREATE TABLE plainly (id int PRIMARY KEY, settings text);
SELECT dtmodel.get_fields('plainly');
SELECT * FROM dtmodel.create(NULL::plainly, '{"id": 1, "settings": "x"}');

-- settings are no conflict column, and "properties" is the name of a setting where its rule is not an object
CREATE TABLE unmatched (id int PRIMARY KEY);
SELECT dtmodel.add_settings('unmatched', '{x}');
SELECT * FROM dtmodel.upsert(NULL::unmatched, '{"id": 1, "x": 1}', '{settings}');
\echo :SQLSTATE
SELECT dtmodel.add_settings('unmatched', schema => '{"properties": true, "x": {}}');
\echo :SQLSTATE

-- a CHECK with a name like ours stays if it is about other columns, too
CREATE TABLE checked (id int PRIMARY KEY, n int, settings jsonb, CONSTRAINT ck_checked_settings CHECK (n > 0 OR jsonb_typeof(settings) = 'object'));
SELECT dtmodel.add_settings('checked', '{a}');
SELECT dtmodel.remove_settings('checked');
SELECT conname FROM pg_constraint WHERE conrelid = 'checked'::regclass AND contype = 'c';

-- a column of that name and of type json is no field, as one of type jsonb
CREATE TABLE plainly_json (id int PRIMARY KEY, settings json);
SELECT dtmodel.get_fields('plainly_json');

DROP SCHEMA settings_misuse CASCADE;
