--
-- unique_live: errors
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA unique_live_misuse;
SET search_path = unique_live_misuse;

CREATE TABLE plain (id int PRIMARY KEY);
CREATE VIEW v AS SELECT * FROM plain;
SELECT dtmodel.unique_live('plain', 'id');
\echo :SQLSTATE
SELECT dtmodel.unique_live('v', 'id');
\echo :SQLSTATE
SELECT dtmodel.unique_live(NULL, 'id');
\echo :SQLSTATE

CREATE TABLE t (id int PRIMARY KEY, code text, "Other" text, doc json);
SELECT dtmodel.add_soft_delete('t');
SELECT dtmodel.unique_live('t', VARIADIC NULL);
\echo :SQLSTATE
SELECT dtmodel.unique_live('t', VARIADIC '{}');
\echo :SQLSTATE
SELECT dtmodel.unique_live('t', 'code', NULL);
\echo :SQLSTATE
SELECT dtmodel.unique_live('t', 'nothing');
\echo :SQLSTATE
SELECT dtmodel.unique_live('t', 'ctid');
\echo :SQLSTATE
SELECT dtmodel.unique_live('t', 'code', 'id', 'code');
\echo :SQLSTATE
SELECT dtmodel.unique_live('t', 'doc');
\echo :SQLSTATE

-- rows that are not unique: the detail shows a few, and the hint how to find them
INSERT INTO t SELECT i, 'code ' || i % 5, 'x' FROM generate_series(1, 13) AS i;
INSERT INTO t VALUES (20, repeat('ä', 100)), (21, repeat('ä', 100)), (22, NULL), (23, NULL);
SELECT dtmodel.unique_live('t', 'code');
\echo :SQLSTATE
SELECT dtmodel.unique_live('t', 'Other', 'code');
\echo :SQLSTATE
DELETE FROM t WHERE id < 20;
SELECT dtmodel.unique_live('t', 'code');
\echo :SQLSTATE
DELETE FROM t WHERE id = 21;
SELECT dtmodel.unique_live('t', 'code');

-- an index of all rows would keep a deleted row's value in use
CREATE TABLE wide (id int PRIMARY KEY, code text CONSTRAINT uq_wide_code UNIQUE, state text);
CREATE UNIQUE INDEX wide_state ON wide (state);
SELECT dtmodel.add_soft_delete('wide');
SELECT dtmodel.unique_live('wide', 'code');
\echo :SQLSTATE
SELECT dtmodel.unique_live('wide', 'state', 'code');
\echo :SQLSTATE
ALTER TABLE wide DROP CONSTRAINT uq_wide_code;
SELECT dtmodel.unique_live('wide', 'state', 'code');
\echo :SQLSTATE
SELECT dtmodel.unique_live('wide', 'code');

-- only the owner
CREATE ROLE unique_live_user;
GRANT USAGE ON SCHEMA unique_live_misuse TO unique_live_user;
GRANT ALL ON t TO unique_live_user;
SET ROLE unique_live_user;
SELECT dtmodel.unique_live('t', 'code');
\echo :SQLSTATE
RESET ROLE;

-- a partition without soft delete: call it for the partitioned table
CREATE TABLE parted (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
CREATE TABLE middle PARTITION OF parted FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF middle FOR VALUES FROM (0) TO (10);
SELECT dtmodel.unique_live('part', 'v');
\echo :SQLSTATE
SELECT dtmodel.create_live_view('middle');
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('parted');
SELECT dtmodel.unique_live('part', 'v'), dtmodel.create_live_view('part');
INSERT INTO parted VALUES (1, 1);
DELETE FROM live_part RETURNING id;
ALTER TABLE parted RENAME is_deleted TO gone;
DELETE FROM part;
\echo :SQLSTATE

-- functions of users in predicates are not called, and not taken for the flag
SET client_min_messages = warning;
CREATE TABLE guarded (id int PRIMARY KEY, code text);
SELECT dtmodel.add_soft_delete('guarded', hide => true);
CREATE FUNCTION is_live(deleted boolean) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'called'; RETURN NOT deleted; END $$;
CREATE UNIQUE INDEX by_function ON guarded (code) WHERE is_live(is_deleted);
CREATE UNIQUE INDEX by_both ON guarded (code) WHERE NOT is_deleted AND is_live(is_deleted);
SELECT problem, repair, advice FROM dtmodel.drift('guarded');
SELECT dtmodel.unique_live('guarded', 'code');
SELECT indexrelid::regclass AS index FROM pg_index WHERE indrelid = 'guarded'::regclass ORDER BY 1;

-- a partition key that is an expression
CREATE TABLE by_expression (id int, name text) PARTITION BY LIST (lower(name));
SELECT dtmodel.add_soft_delete('by_expression');
SELECT dtmodel.unique_live('by_expression', 'name');
\echo :SQLSTATE

DROP SCHEMA unique_live_misuse CASCADE;
DROP ROLE unique_live_user;
