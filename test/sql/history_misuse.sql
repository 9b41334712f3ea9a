-- what a history refuses
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
RESET client_min_messages;
CREATE SCHEMA history_misuse;
SET search_path = history_misuse;
SET client_min_messages = warning;

-- no timestamps, no primary key, times that are not exact
CREATE TABLE bare (id int PRIMARY KEY);
SELECT dtmodel.add_history('bare');
SELECT dtmodel.add_timestamps('bare', updated_at => NULL);
SELECT dtmodel.add_history('bare');
CREATE TABLE keyless (v int);
SELECT dtmodel.add_timestamps('keyless');
SELECT dtmodel.add_history('keyless');
CREATE TABLE coarse (id int PRIMARY KEY, updated_at timestamptz(3) NOT NULL);
SELECT dtmodel.add_timestamps('coarse');
SELECT dtmodel.add_history('coarse');
CREATE TABLE nullable (id int PRIMARY KEY, updated_at timestamptz);
SELECT dtmodel.add_timestamps('nullable');
SELECT dtmodel.add_history('nullable');
CREATE TABLE zoneless (id int PRIMARY KEY, updated_at timestamp NOT NULL);
SELECT dtmodel.add_timestamps('zoneless');
SELECT dtmodel.add_history('zoneless');

-- names that are taken
CREATE TABLE prices (id int PRIMARY KEY, valid_to date);
SELECT dtmodel.add_timestamps('prices');
SELECT dtmodel.add_history('prices');
CREATE TABLE users (id int PRIMARY KEY, name text, secret text);
SELECT dtmodel.add_model('users');
CREATE TABLE users_history (what text);
SELECT dtmodel.add_history('users');
DROP TABLE users_history;
CREATE VIEW users_history AS SELECT 1 AS one;
SELECT dtmodel.add_history('users');
DROP VIEW users_history;
CREATE FUNCTION users_as_of(timestamptz) RETURNS int LANGUAGE sql AS 'SELECT 1';
SELECT dtmodel.add_history('users');
DROP FUNCTION users_as_of;

-- a history has no history
CREATE TABLE past (valid_from timestamptz, valid_to timestamptz, operation text, ended_by text, transaction_id xid8);
SELECT dtmodel.add_history('past');

-- columns that cannot be excluded
SELECT dtmodel.add_history('users', exclude => '{nosuch}');
SELECT dtmodel.add_history('users', exclude => '{id}');
SELECT dtmodel.add_history('users', exclude => '{updated_at}');
SELECT dtmodel.add_history('users', exclude => '{deleted_at}');
SELECT dtmodel.add_history('users', exclude => '{NULL}');
SELECT dtmodel.add_history(NULL);
SELECT dtmodel.add_history('users', NULL);
SELECT dtmodel.describe('users') -> 'history' AS history;

-- a history table that is gone, or lacks a column, keeps the model from being
-- written, and is drift
INSERT INTO users (id, name) VALUES (1, 'ann');
-- the event triggers that prevent this are disabled here
ALTER EVENT TRIGGER dtmodel_history_protect DISABLE;
ALTER EVENT TRIGGER dtmodel_history_follow DISABLE;
ALTER TABLE users_history RENAME COLUMN name TO former;
UPDATE users SET name = 'x';
ALTER TABLE users_history RENAME COLUMN former TO name;
ALTER TABLE users_history ALTER COLUMN name TYPE varchar;
UPDATE users SET name = 'x';
ALTER TABLE users_history RENAME TO elsewhere;
UPDATE users SET name = 'x';
SELECT dtmodel.describe('users') -> 'drift' AS drift;
DELETE FROM users;
TABLE elsewhere;

-- without timestamps
ALTER TABLE elsewhere RENAME TO users_history;
ALTER TABLE users_history ALTER COLUMN name TYPE text;
ALTER EVENT TRIGGER dtmodel_history_protect ENABLE ALWAYS;
ALTER EVENT TRIGGER dtmodel_history_follow ENABLE ALWAYS;
SELECT dtmodel.remove_timestamps('users');
SELECT dtmodel.remove_model('users', drop_columns => true);
SELECT dtmodel.add_timestamps('users', updated_at => NULL);
UPDATE users SET name = 'kept';
SELECT operation, name FROM users_history;
-- soft delete can be removed
SELECT dtmodel.add_soft_delete('users');
DELETE FROM users;
SELECT dtmodel.restore(u) IS NULL AS none FROM users AS u;
SELECT dtmodel.remove_soft_delete('users', drop_columns => true);
UPDATE users SET name = 'still kept';
SELECT operation, name FROM users_history ORDER BY valid_from;
-- of tables that inherit, one alone may have a history
CREATE TABLE parents (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('parents');
CREATE TABLE heirs (PRIMARY KEY (id)) INHERITS (parents);
SELECT dtmodel.add_timestamps('parents'), dtmodel.add_history('heirs');
SELECT dtmodel.remove_timestamps('parents', drop_columns => true);
SELECT dtmodel.remove_history('heirs');
SELECT dtmodel.remove_timestamps('parents', drop_columns => true);
-- nothing keeps the trigger from being dropped
DROP TRIGGER zz_dtmodel_timestamps ON users;
UPDATE users SET name = 'x';
SELECT dtmodel.describe('users') -> 'drift' AS drift;
SELECT * FROM dtmodel.history(NULL::users, 1);
SELECT dtmodel.erase(NULL::users, 1);

-- trigger functions that are called in other ways
SELECT dtmodel_internal.history_trigger();
CREATE TABLE other (id int PRIMARY KEY);
CREATE TRIGGER t BEFORE UPDATE ON other FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.history_trigger();
CREATE TRIGGER u BEFORE UPDATE ON other FOR EACH STATEMENT EXECUTE FUNCTION dtmodel_internal.history_truncate_trigger();
INSERT INTO other VALUES (1);
UPDATE other SET id = 2;
DROP TRIGGER u ON other;
UPDATE other SET id = 2;
DROP TRIGGER t ON other;
CREATE TRIGGER t BEFORE TRUNCATE ON other EXECUTE FUNCTION dtmodel_internal.history_truncate_trigger();
TRUNCATE other;

-- rows whose times are infinite
CREATE TABLE endless (id int PRIMARY KEY, v int);
SELECT dtmodel.add_timestamps('endless'), dtmodel.add_history('endless');
INSERT INTO endless VALUES (1, 1, '-infinity', 'infinity'), (2, 1, '-infinity', '-infinity'), (3, 1, 'infinity', 'infinity');
UPDATE endless SET v = 2;
SELECT id, created_at, isfinite(updated_at) AS is_finite, updated_at > now() AS is_later FROM endless ORDER BY id;
DELETE FROM endless;
SELECT id, v, operation, isfinite(valid_from) AS since, isfinite(valid_to) AS until, valid_from <= valid_to AS in_order FROM endless_history ORDER BY id, v;
SELECT id, string_agg(coalesce(operation, '-') || ' ' || coalesce((version).v::text, '-'), ', ') AS history
FROM generate_series(1, 3) AS id, LATERAL dtmodel.history(NULL::endless, id) GROUP BY id ORDER BY id;

-- an updated_at of another type that can be null, too
CREATE TABLE loose (id int PRIMARY KEY, created_at timestamptz, updated_at timestamp);
SELECT dtmodel.add_timestamps('loose');
SELECT dtmodel.add_history('loose');
\echo :SQLSTATE

-- soft delete needs what marks a deleted row
CREATE TABLE marked (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('marked'), dtmodel.add_soft_delete('marked');
SELECT dtmodel.add_history('marked', exclude => '{is_deleted}');
SELECT dtmodel.add_history('marked', exclude => '{deleted_at}');
\echo :SQLSTATE

DROP SCHEMA history_misuse CASCADE;
