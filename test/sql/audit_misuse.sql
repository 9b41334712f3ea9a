--
-- audit: errors
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA audit_misuse;
CREATE ROLE audit_misuse_user;
SET search_path = audit_misuse;

CREATE TABLE t (id int, flag boolean, made numeric, twice text GENERATED ALWAYS AS (id::text) STORED);
CREATE VIEW v AS SELECT * FROM t;
CREATE TABLE parted (id int) PARTITION BY LIST (id);
CREATE TABLE part PARTITION OF parted FOR VALUES IN (1);

-- not a table, a table of another role, a partition
SELECT dtmodel.add_audit(NULL);
\echo :SQLSTATE
SELECT dtmodel.add_audit('v');
\echo :SQLSTATE
SELECT dtmodel.add_audit('part');
\echo :SQLSTATE
GRANT USAGE ON SCHEMA audit_misuse TO audit_misuse_user;
SET ROLE audit_misuse_user;
SELECT dtmodel.add_audit('t');
\echo :SQLSTATE
SELECT dtmodel.remove_audit('t');
\echo :SQLSTATE
RESET ROLE;

-- columns
SELECT dtmodel.add_audit('t', NULL, NULL);
\echo :SQLSTATE
SELECT dtmodel.add_audit('t', 'who', 'who');
\echo :SQLSTATE
SELECT dtmodel.add_audit('t', 'flag');
\echo :SQLSTATE
SELECT dtmodel.add_audit('t', updated_by => 'made');
\echo :SQLSTATE
SELECT dtmodel.add_audit('t', 'twice');
\echo :SQLSTATE
SELECT dtmodel.add_audit('t', type => 'boolean');
\echo :SQLSTATE
SELECT dtmodel.add_audit('t', type => 'text[]');
\echo :SQLSTATE

-- the referenced table
CREATE TABLE keyless (id int);
CREATE TABLE composite (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE numbered (id numeric PRIMARY KEY);
CREATE TABLE named (name text PRIMARY KEY);
SELECT dtmodel.add_audit('t', "references" => 'keyless');
\echo :SQLSTATE
SELECT dtmodel.add_audit('t', "references" => 'composite');
\echo :SQLSTATE
SELECT dtmodel.add_audit('t', "references" => 'numbered');
\echo :SQLSTATE
SELECT dtmodel.add_audit('t', "references" => 'v');
\echo :SQLSTATE
-- the wording of the detail depends on the server's version
\set VERBOSITY terse
SELECT dtmodel.add_audit('t', type => 'uuid', "references" => 'named');
\set VERBOSITY default
\echo :SQLSTATE

-- nothing was changed so far
\d t

-- an actor that the column cannot hold
SELECT dtmodel.add_audit('t', type => 'uuid');
SET dtmodel.actor = 'ann';
INSERT INTO t VALUES (1);
\echo :SQLSTATE
RESET dtmodel.actor;
INSERT INTO t VALUES (1);
ALTER TABLE t ALTER updated_by SET NOT NULL;
\echo :SQLSTATE
DELETE FROM t;
ALTER TABLE t ALTER updated_by SET NOT NULL;
INSERT INTO t VALUES (1);
\echo :SQLSTATE
CREATE TABLE short (id int, created_by varchar(3), updated_by text NOT NULL);
SELECT dtmodel.add_audit('short');
SET dtmodel.actor = 'anna';
INSERT INTO short VALUES (1);
\echo :SQLSTATE
SET dtmodel.actor = 'ann';
INSERT INTO short VALUES (1) RETURNING *;
RESET dtmodel.actor;

-- every write fails after a column was dropped, renamed or retyped, in the same session too
ALTER TABLE short RENAME updated_by TO changed_by;
UPDATE short SET id = 2;
\echo :SQLSTATE
SELECT dtmodel.describe('short') -> 'drift' AS drift;
SELECT dtmodel.add_audit('short', updated_by => 'changed_by');
SET dtmodel.actor = 'bob';
UPDATE short SET id = 2 RETURNING *;
ALTER TABLE short ALTER changed_by TYPE boolean USING true;
UPDATE short SET id = 3;
\echo :SQLSTATE
SELECT dtmodel.describe('short') -> 'drift' AS drift;
ALTER TABLE short DROP changed_by;
INSERT INTO short VALUES (3);
\echo :SQLSTATE
SELECT dtmodel.remove_audit('short');
INSERT INTO short VALUES (3, 'x') RETURNING *;
RESET dtmodel.actor;

-- the trigger function in other triggers than those of add_audit
SELECT dtmodel_internal.audit_trigger();
\echo :SQLSTATE
CREATE TABLE odd (id int, created_by text);
CREATE TRIGGER a AFTER INSERT ON odd FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.audit_trigger('created_by=created_by');
INSERT INTO odd VALUES (1);
\echo :SQLSTATE
DROP TRIGGER a ON odd;
CREATE TRIGGER a AFTER DELETE ON odd FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.audit_trigger('created_by=created_by');
INSERT INTO odd VALUES (1);
DELETE FROM odd;
\echo :SQLSTATE
DROP TRIGGER a ON odd;
-- before a DELETE, which may be part of a move to another partition, the row passes
CREATE TRIGGER a BEFORE DELETE ON odd FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.audit_trigger('created_by=created_by');
DELETE FROM odd RETURNING *;
DROP TRIGGER a ON odd;
CREATE TRIGGER a BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.audit_trigger();
INSERT INTO odd VALUES (2);
\echo :SQLSTATE

DROP SCHEMA audit_misuse CASCADE;
DROP ROLE audit_misuse_user;
