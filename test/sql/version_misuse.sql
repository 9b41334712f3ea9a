--
-- version: errors and drift
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA version_misuse;
SET search_path = version_misuse, pg_catalog;

CREATE TABLE things (id int PRIMARY KEY, small smallint, words text, made int GENERATED ALWAYS AS (id + 1) STORED);
SELECT dtmodel.add_version('things', NULL);
\echo :SQLSTATE
SELECT dtmodel.add_version(NULL);
\echo :SQLSTATE
SELECT dtmodel.add_version('things', 'words');
\echo :SQLSTATE
SELECT dtmodel.add_version('things', 'small');
\echo :SQLSTATE
SELECT dtmodel.add_version('things', 'made');
\echo :SQLSTATE
SELECT dtmodel.add_version('pg_class');
\echo :SQLSTATE
SELECT dtmodel.add_version('dtmodel.version_mixin');
\echo :SQLSTATE
CREATE TABLE parted (id int) PARTITION BY LIST (id);
CREATE TABLE part PARTITION OF parted FOR VALUES IN (1);
SELECT dtmodel.add_version('part');
\echo :SQLSTATE

-- a column that was renamed, dropped or retyped
SELECT dtmodel.add_version('things');
INSERT INTO things (id) VALUES (1);
ALTER TABLE things RENAME version TO revision;
UPDATE things SET words = 'x';
\echo :SQLSTATE
SELECT dtmodel.describe('things') -> 'drift' AS drift;
SELECT dtmodel.add_version('things', 'revision');
UPDATE things SET words = 'x' RETURNING revision;
ALTER TABLE things ALTER revision TYPE text;
UPDATE things SET words = 'y';
\echo :SQLSTATE
SELECT dtmodel.describe('things') -> 'drift' AS drift;
ALTER TABLE things ALTER revision DROP DEFAULT, ALTER revision TYPE bigint USING 9223372036854775807;

-- the largest value of the type
UPDATE things SET words = 'y';
\echo :SQLSTATE
SELECT dtmodel.remove_version('things', drop_columns => true);
SELECT dtmodel.add_version('things');
SET dtmodel.preserve_timestamps = on;
UPDATE things SET version = 2147483647;
RESET dtmodel.preserve_timestamps;
UPDATE things SET words = 'z';
\echo :SQLSTATE
ALTER TABLE things ALTER version TYPE bigint;
UPDATE things SET words = 'z' RETURNING version;

-- existing rows without a version
CREATE TABLE old (id int PRIMARY KEY, note text, version int);
INSERT INTO old VALUES (1), (2), (4);
SELECT dtmodel.add_version('old');
UPDATE old SET note = note WHERE id = 1 RETURNING version;
UPDATE old SET version = 5 WHERE id = 1 RETURNING version;
UPDATE old SET version = 1 WHERE id = 4 RETURNING version;
UPDATE old SET note = 'x' WHERE id = 1 RETURNING version;
SELECT version FROM dtmodel.update(NULL::old, 2, '{"note": "x", "version": 1}');
\echo :SQLSTATE
SELECT (instance).version FROM dtmodel.upsert(NULL::old, '{"id": 2, "note": "x", "version": 1}');
\echo :SQLSTATE

-- the trigger function by hand
SELECT dtmodel_internal.version_trigger();
\echo :SQLSTATE
CREATE TRIGGER odd AFTER INSERT ON old FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.version_trigger();
INSERT INTO old VALUES (3);
\echo :SQLSTATE
DROP TRIGGER odd ON old;
CREATE TABLE bare (id int);
INSERT INTO bare VALUES (1);
CREATE TRIGGER odd BEFORE INSERT ON bare FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.version_trigger();
INSERT INTO bare VALUES (2);
\echo :SQLSTATE
DROP TRIGGER odd ON bare;
CREATE TRIGGER odd BEFORE UPDATE ON bare FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.version_trigger();
UPDATE bare SET id = 2;
\echo :SQLSTATE
SELECT dtmodel.describe('bare') -> 'drift' AS drift;

-- a version that is not a number, and roles that cannot see or write it
SELECT version FROM dtmodel.update(NULL::old, 1, '{"note": "y", "version": "one"}');
\echo :SQLSTATE
CREATE ROLE version_writer;
GRANT USAGE ON SCHEMA version_misuse TO version_writer;
GRANT SELECT, UPDATE (note) ON old TO version_writer;
SET ROLE version_writer;
UPDATE old SET note = 'by another' WHERE id = 1 RETURNING version;
SELECT version FROM dtmodel.update(NULL::old, 1, '{"note": "z", "version": 2}');
SELECT version FROM dtmodel.update(NULL::old, 1, '{"note": "z", "version": 2}');
\echo :SQLSTATE
RESET ROLE;

-- a row that a policy hides is not found, whatever its version is
CREATE TABLE policed (id int PRIMARY KEY, owner text, note text);
SELECT dtmodel.add_version('policed');
INSERT INTO policed VALUES (1, 'version_writer'), (2, 'another');
GRANT SELECT, UPDATE ON policed TO version_writer;
ALTER TABLE policed ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION owns(owner text) RETURNS boolean LANGUAGE plpgsql COST 1000 AS 'BEGIN RETURN owner = current_user; END';
CREATE POLICY own ON policed USING (version_misuse.owns(owner));
SET ROLE version_writer;
SELECT version FROM dtmodel.update(NULL::policed, 1, '{"note": "x", "version": 7}');
SELECT version FROM dtmodel.update(NULL::policed, 1, '{"note": "x", "version": 1}');
SELECT version FROM dtmodel.update(NULL::policed, 2, '{"note": "x", "version": 7}');
SELECT version FROM dtmodel.update(NULL::policed, 2, '{"note": "x", "version": 1}');
SELECT version FROM dtmodel.update(NULL::policed, 3, '{"note": "x", "version": 7}');
RESET ROLE;
DROP OWNED BY version_writer;
DROP ROLE version_writer;
DROP SCHEMA version_misuse CASCADE;
