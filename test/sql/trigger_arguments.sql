--
-- trigger functions on tables of users, with arguments that no add_* gives: an
-- error for that table only
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE trigger_arguments_user;
CREATE SCHEMA trigger_arguments AUTHORIZATION trigger_arguments_user;
SET search_path = trigger_arguments;
SET ROLE trigger_arguments_user;

-- rules that are not valid: no value is accepted
CREATE TABLE rules (id int PRIMARY KEY, settings jsonb);
CREATE TRIGGER t BEFORE INSERT ON rules FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.settings_trigger(
    'settings=settings', 'valid_settings={a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q}',
    'schema={"a": 1, "b": "x", "c": [1, 2], "d": null, "e": {"type": 5}, "f": {"type": ["string", 5]}, "g": {"type": {}},
             "h": {"enum": 3}, "i": {"enum": "xyz"}, "j": {"enum": {"x": 1}}, "k": {"enum": []}, "l": {"minimum": "x"},
             "m": {"maximum": [1]}, "n": {"maxLength": "x"}, "o": {"pattern": 7}, "p": {"pattern": "("}, "q": {"none": 1}}');
CREATE FUNCTION try(key text, value jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rules VALUES (1, jsonb_build_object(key, value));
    DELETE FROM rules;
    RETURN 'stored';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END$$;
SELECT key, try(key, '"x"') AS string, try(key, '5') AS number, try(key, '{"x": 1}') = try(key, '[1]') AS same
FROM regexp_split_to_table('a b c d e f g h i j k l m n o p q', ' ') AS key;
ALTER TABLE rules DISABLE TRIGGER t;
INSERT INTO rules VALUES (1, '{"a": 1, "e": {}, "i": "x", "l": 5, "o": "x", "q": 1}');
SELECT dtmodel.settings(r), dtmodel.invalid_settings(r) FROM rules AS r;
SELECT dtmodel.describe('rules') -> 'drift' AS drift;
UPDATE rules SET settings = '{"p": "x"}';
SELECT dtmodel.describe('rules') -> 'drift' AS drift;

-- invalid lists and documents
CREATE TABLE lists (id int PRIMARY KEY, settings jsonb, created_at timestamptz, updated_at timestamptz);
CREATE TABLE documents (LIKE lists INCLUDING ALL);
CREATE TABLE columns (LIKE lists INCLUDING ALL);
CREATE TABLE deep (LIKE lists INCLUDING ALL);
CREATE TRIGGER t BEFORE INSERT ON lists FOR EACH ROW EXECUTE FUNCTION
    dtmodel_internal.settings_trigger('settings=settings', 'valid_settings={a,NULL}');
CREATE TRIGGER t BEFORE INSERT ON documents FOR EACH ROW EXECUTE FUNCTION
    dtmodel_internal.settings_trigger('settings=settings', 'valid_settings={a}', 'schema={');
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON columns FOR EACH ROW EXECUTE FUNCTION
    dtmodel_internal.timestamps_trigger('updated_at=updated_at', 'ignore_columns={');
DO $$BEGIN
    EXECUTE format('CREATE TRIGGER t BEFORE INSERT ON deep FOR EACH ROW EXECUTE FUNCTION
        dtmodel_internal.settings_trigger(''settings=settings'', %L)', 'schema=' || repeat('[', 100000));
END$$;
\set VERBOSITY terse
INSERT INTO lists VALUES (1, '{}');
\echo :SQLSTATE
INSERT INTO documents VALUES (1, '{}');
\echo :SQLSTATE
INSERT INTO columns VALUES (1);
\echo :SQLSTATE
INSERT INTO deep VALUES (1, '{}');
\set VERBOSITY default
\echo :SQLSTATE
CREATE TABLE model (LIKE dtmodel.timestamp_mixin INCLUDING ALL);
SELECT dtmodel.add_timestamps('model');

-- dtmodel.models still works
RESET ROLE;
SELECT model, mixins, regexp_replace(drift[1], '\(.*\)', '(...)') AS drift FROM dtmodel.models
WHERE model::text ~ '^(lists|documents|columns|deep|model)$' ORDER BY model::text;
SELECT jsonb_object_keys(dtmodel.describe('documents')) AS key;
SELECT dtmodel.describe(0);
SELECT dtmodel.describe('pg_stat_activity');
\echo :SQLSTATE
SET ROLE trigger_arguments_user;

-- slugs with an invalid max_length
CREATE TABLE slugs (id int PRIMARY KEY, name text, slug text UNIQUE);
CREATE TRIGGER t BEFORE INSERT ON slugs FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.slug_trigger('source=name', 'slug=slug', 'max_length=-5');
INSERT INTO slugs VALUES (1, 'A name');
\echo :SQLSTATE
DROP TRIGGER t ON slugs;
CREATE TRIGGER t BEFORE INSERT ON slugs FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.slug_trigger('source=name', 'slug=slug');
INSERT INTO slugs VALUES (1, 'A name');
\echo :SQLSTATE
DROP TRIGGER t ON slugs;
CREATE TRIGGER t BEFORE INSERT ON slugs FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.slug_trigger('source=name', 'slug=slug', 'max_length=99999999999999999999');
INSERT INTO slugs VALUES (1, 'A name'), (2, 'A name') RETURNING slug;

-- a deferred cascade has no statement to follow
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('parents'), dtmodel.add_soft_delete('children');
INSERT INTO parents VALUES (1);
INSERT INTO children VALUES (1, 1);
DROP TRIGGER zz_dtmodel_soft_cascade ON parents;
CREATE CONSTRAINT TRIGGER deferred AFTER UPDATE ON parents DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_cascade_trigger();
DELETE FROM parents;
\echo :SQLSTATE
DROP TRIGGER deferred ON parents;
CREATE CONSTRAINT TRIGGER deferred AFTER DELETE ON parents DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_cascade_move_trigger();
SET dtmodel.hard_delete = on;
DELETE FROM parents;
\echo :SQLSTATE
RESET dtmodel.hard_delete;

RESET ROLE;
DROP SCHEMA trigger_arguments CASCADE;
DROP ROLE trigger_arguments_user;
