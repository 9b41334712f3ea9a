--
-- remove_* with drop_columns, where an earlier call without it has left columns
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA remove_left;
SET search_path = remove_left;

CREATE TABLE every (id int PRIMARY KEY, name text);
SELECT dtmodel.add_model('every'), dtmodel.add_soft_delete('every'), dtmodel.add_settings('every', '{theme}'), dtmodel.add_audit('every'),
       dtmodel.add_slug('every', 'name'), dtmodel.add_version('every'), dtmodel.add_history('every');
SELECT dtmodel.remove_history('every'), dtmodel.remove_version('every'), dtmodel.remove_slug('every'), dtmodel.remove_audit('every'),
       dtmodel.remove_settings('every'), dtmodel.remove_soft_delete('every'), dtmodel.remove_model('every');

-- all of them say what is left, and how to drop it
RESET client_min_messages;
SELECT dtmodel.remove_history('every', drop_history => true);
SELECT dtmodel.remove_version('every', drop_columns => true);
SELECT dtmodel.remove_slug('every', drop_columns => true);
SELECT dtmodel.remove_audit('every', drop_columns => true);
SELECT dtmodel.remove_settings('every', drop_columns => true);
SELECT dtmodel.remove_soft_delete('every', drop_columns => true);
SELECT dtmodel.remove_timestamps('every', drop_columns => true);
SELECT dtmodel.remove_model('every', drop_columns => true);
-- and nothing if they are not asked to drop anything
SELECT dtmodel.remove_history('every'), dtmodel.remove_version('every'), dtmodel.remove_slug('every'), dtmodel.remove_audit('every'),
       dtmodel.remove_settings('every'), dtmodel.remove_soft_delete('every'), dtmodel.remove_timestamps('every'), dtmodel.remove_model('every');
DROP TABLE remove_left.every_history;
ALTER TABLE remove_left.every DROP COLUMN version;
ALTER TABLE remove_left.every DROP COLUMN slug;
ALTER TABLE remove_left.every DROP COLUMN created_by, DROP COLUMN updated_by;
ALTER TABLE remove_left.every DROP COLUMN settings;
ALTER TABLE remove_left.every DROP COLUMN is_deleted, DROP COLUMN deleted_at;
ALTER TABLE remove_left.every DROP COLUMN created_at, DROP COLUMN updated_at;
\d every
SELECT dtmodel.remove_history('every', drop_history => true), dtmodel.remove_version('every', true), dtmodel.remove_slug('every', true),
       dtmodel.remove_audit('every', true), dtmodel.remove_settings('every', true), dtmodel.remove_soft_delete('every', true),
       dtmodel.remove_timestamps('every', true), dtmodel.remove_model('every', true);

-- what is not of a mixin's type, what is inherited, and the history of another table are not named
CREATE TABLE others (id int PRIMARY KEY, version text, created_at date, updated_at timestamptz);
CREATE TABLE heirs () INHERITS (others);
SELECT dtmodel.remove_version('others', drop_columns => true);
SELECT dtmodel.remove_timestamps('others', drop_columns => true);
SELECT dtmodel.remove_timestamps('heirs', drop_columns => true);
SET client_min_messages = warning;
CREATE TABLE users (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('users'), dtmodel.add_history('users');
ALTER EVENT TRIGGER dtmodel_history_follow DISABLE;
ALTER TABLE users RENAME TO people;
ALTER EVENT TRIGGER dtmodel_history_follow ENABLE ALWAYS;
CREATE TABLE users (id int PRIMARY KEY);
RESET client_min_messages;
SELECT dtmodel.remove_history('users', drop_history => true);
SELECT dtmodel.remove_history('people', drop_history => true);

-- a deletion that only the flag shows, since a user has dropped the time
SET client_min_messages = warning;
CREATE TABLE timeless (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('timeless');
INSERT INTO timeless VALUES (1), (2);
UPDATE timeless SET is_deleted = true WHERE id = 1;
ALTER TABLE timeless DROP deleted_at CASCADE;
SELECT dtmodel.remove_soft_delete('timeless', drop_columns => true);
\echo :SQLSTATE
SELECT * FROM timeless ORDER BY id;
UPDATE timeless SET is_deleted = false;
SELECT dtmodel.remove_soft_delete('timeless', drop_columns => true);
\d timeless

-- what only looks like a history, and that of a table whose triggers were dropped
SET client_min_messages = warning;
CREATE TABLE plain (id int PRIMARY KEY);
CREATE TABLE plain_history (id int);
CREATE TABLE viewed (id int PRIMARY KEY);
CREATE VIEW viewed_history AS SELECT * FROM viewed;
CREATE TABLE above (id int PRIMARY KEY);
CREATE TABLE below (PRIMARY KEY (id)) INHERITS (above);
SELECT dtmodel.add_timestamps('above'), dtmodel.add_history('above');
DROP TRIGGER zz_dtmodel_history ON above;
DROP TRIGGER zz_dtmodel_history_truncate ON above;
RESET client_min_messages;
SELECT dtmodel.remove_history('plain', drop_history => true);
SELECT dtmodel.remove_history('viewed', drop_history => true);
SELECT dtmodel.remove_history('above', drop_history => true);
SELECT to_regclass('plain_history'), to_regclass('viewed_history'), to_regclass('above_history'), to_regclass('below_history');

SET client_min_messages = warning;
DROP SCHEMA remove_left CASCADE;
