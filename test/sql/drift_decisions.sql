-- what drift leaves to the user: statements by which rows would come back,
-- columns would be shown, or the past would change
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA drift_decisions;
SET search_path = drift_decisions;

-- A column that may have been renamed: an empty one would make deleted rows live.
CREATE TABLE renamed (id int PRIMARY KEY, deleted_at timestamptz);
SELECT dtmodel.add_soft_delete('renamed', flag => NULL);
INSERT INTO renamed VALUES (1), (2);
DELETE FROM renamed WHERE id = 1;
ALTER TABLE renamed RENAME deleted_at TO removed_at;
DROP TRIGGER zz_dtmodel_soft_delete_flag ON renamed;
DROP TRIGGER zz_dtmodel_soft_cascade ON renamed;
SELECT problem, repair, advice FROM dtmodel.drift('renamed');
SELECT repair FROM dtmodel.drift('renamed') WHERE repair IS NOT NULL \gexec
SELECT id, removed_at IS NOT NULL AS deleted FROM renamed ORDER BY id;

-- The options are gone with the trigger: a column that is excluded would be recorded.
CREATE TABLE secrets (id int PRIMARY KEY, note text, secret text, updated_at timestamptz NOT NULL DEFAULT now());
SELECT dtmodel.add_timestamps('secrets', created_at => NULL);
SELECT dtmodel.add_history('secrets', exclude => '{secret}');
DROP TRIGGER zz_dtmodel_history ON secrets;
SELECT problem, repair, advice FROM dtmodel.drift('secrets');
DROP TRIGGER zz_dtmodel_history_truncate ON secrets;
SELECT problem, repair, advice FROM dtmodel.drift('secrets');

-- Looking at drift runs no function of the table's owner.
CREATE FUNCTION refuse() RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE 'called as %', current_user; END $$;
CREATE TABLE indexed (id int PRIMARY KEY, is_open boolean);
SELECT dtmodel.add_soft_delete('indexed', hide => true);
CREATE FUNCTION live() RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
CREATE UNIQUE INDEX indexed_open ON indexed (is_open) WHERE live();
CREATE OR REPLACE FUNCTION live() RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT drift_decisions.refuse()';
\c -
SET client_min_messages = warning;
SET search_path = drift_decisions;
SELECT problem, repair FROM dtmodel.drift('indexed') WHERE problem LIKE '%indexed_open%';

-- The hint of a restore names only the table that is restored.
CREATE TABLE log (id int PRIMARY KEY);
INSERT INTO log VALUES (1);
CREATE TABLE restored (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('restored');
INSERT INTO restored VALUES (1);
DELETE FROM restored;
CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO drift_decisions.log VALUES (NEW.id); RETURN NULL; END $$;
CREATE TRIGGER log AFTER UPDATE ON restored FOR EACH ROW EXECUTE FUNCTION log();
SELECT dtmodel.restore(NULL::restored, '1');

DROP SCHEMA drift_decisions CASCADE;
