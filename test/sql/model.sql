--
-- models: templates, add_model, what a table is
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA model;
SET search_path = model;
RESET client_min_messages;

-- every template at once
CREATE TABLE everything (
    LIKE dtmodel.model_base INCLUDING ALL,
    LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
    LIKE dtmodel.configurable_mixin INCLUDING ALL,
    LIKE dtmodel.audit_mixin INCLUDING ALL,
    LIKE dtmodel.slug_mixin INCLUDING ALL,
    LIKE dtmodel.active_mixin INCLUDING ALL,
    name text NOT NULL
);
CREATE TABLE stamped (id int, LIKE dtmodel.timestamp_mixin INCLUDING ALL);
\d everything
\d stamped
SELECT dtmodel.add_model('everything');
SELECT dtmodel.add_soft_delete('everything');
INSERT INTO everything (name, settings) VALUES ('first', '{}');
INSERT INTO everything (name) VALUES ('second');
SELECT name, uuid_send(id) IS NOT NULL AS id, created_at = updated_at AS stamped, is_deleted, is_active FROM everything;
\set VERBOSITY terse
INSERT INTO everything (name, settings) VALUES ('third', '[]');
\set VERBOSITY default
\echo :SQLSTATE

-- an existing table gets the columns that it lacks
CREATE TABLE articles (title text);
INSERT INTO articles VALUES ('one'), ('two');
SELECT dtmodel.add_model('articles');
SELECT dtmodel.add_model('articles');
\d articles
SELECT count(DISTINCT id), bool_and(created_at = updated_at) AS stamped FROM articles;

-- v4, none, and an existing key
CREATE TABLE random (title text);
SELECT dtmodel.add_model('random', id => 'v4');
\d random
CREATE TABLE keyless (title text);
SELECT dtmodel.add_model('keyless', id => 'none');
\d keyless
CREATE TABLE numbered (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
SELECT dtmodel.add_model('numbered');
\d numbered
CREATE TABLE deferred (number int PRIMARY KEY DEFERRABLE);
SELECT dtmodel.add_model('deferred', id => NULL);
SELECT dtmodel.describe('deferred') -> 'primary_key' AS key;
CREATE TABLE pairs (a int, b int, PRIMARY KEY (b, a));
SELECT dtmodel.add_model('pairs');
SELECT dtmodel.describe('pairs') -> 'primary_key' AS key;

-- a key without a default, which INSERT has to give
CREATE DOMAIN token AS uuid DEFAULT gen_random_uuid();
CREATE DOMAIN bare AS uuid;
CREATE TABLE given ("Key" uuid PRIMARY KEY);
CREATE TABLE given_bare (id bare PRIMARY KEY);
SELECT dtmodel.add_model('given');
SELECT dtmodel.add_model('given', id => 'v4');
SELECT dtmodel.add_model('given_bare');
-- not if that is known, nor if it has one, or is that of another row
SELECT dtmodel.add_model('given', id => 'none');
CREATE TABLE given_token (id token PRIMARY KEY);
CREATE TABLE given_with_other (id uuid PRIMARY KEY, other uuid REFERENCES given);
CREATE TABLE given_by_other (id uuid PRIMARY KEY REFERENCES given);
CREATE TABLE given_pair (a uuid, b uuid, PRIMARY KEY (a, b));
ALTER TABLE given ALTER COLUMN "Key" SET DEFAULT gen_random_uuid();
SELECT dtmodel.add_model('given'), dtmodel.add_model('given_token'), dtmodel.add_model('given_by_other'), dtmodel.add_model('given_pair');
SELECT dtmodel.add_model('given_with_other');
DROP TABLE given_token, given_with_other, given_by_other, given_pair, given_bare, given;

-- existing timestamps with other options are kept
CREATE TABLE custom (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('custom', updated_at => 'changed', clock => 'clock');
SELECT dtmodel.add_model('custom');
SELECT dtmodel.describe('custom') -> 'timestamps' AS timestamps;

-- fields, without the settings
SELECT dtmodel.get_fields('everything');
SELECT dtmodel.get_fields('numbered');
CREATE TABLE empty ();
SELECT dtmodel.get_fields('empty');
CREATE TABLE prose (settings text, id int);
ALTER TABLE prose DROP COLUMN id, ADD COLUMN last int;
SELECT dtmodel.get_fields('prose');

-- the description of a table
SELECT jsonb_pretty(dtmodel.describe('everything'));
SELECT dtmodel.describe('empty');
SELECT * FROM dtmodel.models WHERE model::text !~ '\.' ORDER BY model::text;

-- drift
CREATE TABLE drifting (id int PRIMARY KEY, note text);
SELECT dtmodel.add_model('drifting');
SELECT dtmodel.add_timestamps('drifting', ignore_columns => '{note}');
SELECT dtmodel.add_soft_delete('drifting');
CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
SELECT drift FROM dtmodel.models WHERE model = 'drifting'::regclass;
ALTER TABLE drifting DROP COLUMN note, DROP CONSTRAINT ck_drifting_soft_delete;
ALTER TABLE drifting RENAME COLUMN updated_at TO changed_at;
DROP TRIGGER zz_dtmodel_soft_delete_flag ON drifting;
DROP TRIGGER zz_dtmodel_soft_cascade ON drifting;
ALTER TABLE drifting ALTER COLUMN deleted_at TYPE text;
ALTER TABLE drifting DISABLE TRIGGER zz_dtmodel_soft_delete;
CREATE TRIGGER zzz BEFORE UPDATE ON drifting FOR EACH ROW EXECUTE FUNCTION later();
CREATE TRIGGER zzz_after AFTER UPDATE ON drifting FOR EACH ROW EXECUTE FUNCTION later();
CREATE TRIGGER zzz_other BEFORE TRUNCATE ON drifting FOR EACH STATEMENT EXECUTE FUNCTION later();
SELECT unnest(drift) AS drift FROM dtmodel.models WHERE model = 'drifting'::regclass;

-- and the calls that remove it
ALTER TABLE drifting RENAME COLUMN changed_at TO updated_at;
ALTER TABLE drifting ALTER COLUMN deleted_at TYPE timestamptz USING deleted_at::timestamptz;
DROP TRIGGER zzz ON drifting;
SELECT dtmodel.add_timestamps('drifting');
SELECT dtmodel.add_soft_delete('drifting');
SELECT drift FROM dtmodel.models WHERE model = 'drifting'::regclass;
CREATE TABLE inheritor () INHERITS (drifting);
SELECT drift FROM dtmodel.models WHERE model = 'drifting'::regclass;
DROP TABLE inheritor;

-- a trigger is recognized by its function, whatever its name is
ALTER TRIGGER zz_dtmodel_timestamps ON drifting RENAME TO mine;
UPDATE drifting SET updated_at = '2001-01-01';
SELECT dtmodel.describe('drifting') ? 'timestamps' AS known;
SELECT dtmodel.add_timestamps('drifting');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'drifting'::regclass ORDER BY 1;

-- removed, with and without the columns; only defaults that stay depend on the extension
SELECT dtmodel.remove_model('articles');
\d articles
INSERT INTO articles (title) VALUES ('three');
SELECT dtmodel.remove_model('articles');
ALTER TABLE model.articles ALTER COLUMN id SET DEFAULT gen_random_uuid();
SELECT dtmodel.remove_model('articles');
-- a key that was there, with our default, stays as it is
CREATE TABLE theirs (id uuid DEFAULT dtmodel.uuidv7() PRIMARY KEY, "Token" uuid DEFAULT dtmodel.uuidv4());
SELECT dtmodel.add_model('theirs');
SELECT dtmodel.remove_model('theirs', drop_columns => true);
\d theirs
SELECT dtmodel.remove_model('random', drop_columns => true);
\d random
SELECT dtmodel.remove_model('numbered', drop_columns => true);
\d numbered
SELECT dtmodel.remove_soft_delete('everything');
SELECT dtmodel.remove_model('everything', drop_columns => true);
\d everything

-- a key with another comment than that of the template keeps its name, and a default that calls another function of ours stays
SET client_min_messages = warning;
CREATE TABLE commented (LIKE dtmodel.model_base INCLUDING ALL);
COMMENT ON COLUMN commented.id IS 'mine';
SELECT dtmodel.add_model('commented');
BEGIN;
CREATE TABLE copied (LIKE dtmodel.model_base INCLUDING ALL);
COMMENT ON COLUMN dtmodel.model_base.id IS NULL;
SELECT dtmodel.add_model('copied');
SELECT conname FROM pg_constraint WHERE conrelid IN ('commented'::regclass, 'copied'::regclass) AND contype = 'p' ORDER BY 1;
ROLLBACK;
CREATE TABLE called (id text PRIMARY KEY DEFAULT dtmodel.class_name('commented'), name text);
SELECT dtmodel.add_timestamps('called');
RESET client_min_messages;
SELECT dtmodel.remove_model('called', drop_columns => true);
\d called

SET client_min_messages = warning;
DROP SCHEMA model CASCADE;
