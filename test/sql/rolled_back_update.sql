--
-- an UPDATE or a move that failed, was rolled back or was skipped has no later
-- effect: the next DELETE is soft, the next INSERT is stamped
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA rolled_back_update;
SET search_path = rolled_back_update;
SET dtmodel.actor = 'ann';

CREATE TABLE parted (id int, k int, v text CHECK (v <> 'bad'), PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
CREATE TABLE parted_3 PARTITION OF parted FOR VALUES IN (3);
SELECT dtmodel.add_soft_delete('parted'), dtmodel.add_audit('parted'), dtmodel.add_timestamps('parted');
CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER veto_insert BEFORE INSERT ON parted_3 FOR EACH ROW EXECUTE FUNCTION veto();
CREATE TRIGGER veto BEFORE UPDATE ON parted FOR EACH ROW WHEN (NEW.v = 'veto') EXECUTE FUNCTION veto();
INSERT INTO parted SELECT i, 1, 'a' FROM generate_series(1, 12) AS i;
CREATE VIEW state AS SELECT count(*), string_agg(id::text, ' ' ORDER BY id) FILTER (WHERE is_deleted) AS deleted FROM parted;

-- rolled back
BEGIN;
UPDATE parted SET v = 'x' WHERE id = 1;
ROLLBACK;
DELETE FROM parted WHERE id = 1;
BEGIN;
UPDATE parted SET k = 2 WHERE id = 2;
ROLLBACK;
DELETE FROM parted WHERE id = 2;
BEGIN;
SAVEPOINT s;
UPDATE parted SET k = 2 WHERE id = 3;
ROLLBACK TO s;
DELETE FROM parted WHERE id = 3;
COMMIT;
DO $$
BEGIN
    BEGIN
        UPDATE rolled_back_update.parted SET v = 'x' WHERE id = 4;
        RAISE EXCEPTION 'no';
    EXCEPTION WHEN raise_exception THEN
        DELETE FROM rolled_back_update.parted WHERE id = 4;
    END;
END $$;
TABLE state;

-- failed: in an expression, in a CHECK, because there is no partition
\set VERBOSITY sqlstate
UPDATE parted SET v = (1 / (id - 5))::text WHERE id = 5;
UPDATE parted SET v = 'bad' WHERE id = 5;
DELETE FROM parted WHERE id = 5;
UPDATE parted SET k = 9 WHERE id = 6;
DELETE FROM parted WHERE id = 6;
UPDATE parted SET k = 2, v = 'bad' WHERE id = 7;
DELETE FROM parted WHERE id = 7;
\set VERBOSITY default
TABLE state;

-- skipped by a trigger
UPDATE parted SET v = 'veto', k = 2 WHERE id = 8;
DELETE FROM parted WHERE id = 8;
TABLE state;

-- as in a plain table, a move whose INSERT is skipped deletes the row
CREATE TABLE plain (id int, k int) PARTITION BY LIST (k);
CREATE TABLE plain_1 PARTITION OF plain FOR VALUES IN (1);
CREATE TABLE plain_3 PARTITION OF plain FOR VALUES IN (3);
CREATE TRIGGER veto BEFORE INSERT ON plain_3 FOR EACH ROW EXECUTE FUNCTION veto();
INSERT INTO plain VALUES (9, 1);
UPDATE plain SET k = 3 WHERE id = 9;
SELECT count(*) FROM plain;
UPDATE parted SET k = 3 WHERE id = 9;
DELETE FROM parted WHERE id IN (9, 10);
TABLE state;

-- created_by of an INSERT after a move that failed
\set VERBOSITY sqlstate
UPDATE parted SET k = 9 WHERE id = 11;
INSERT INTO parted (id, k, created_by, updated_by) VALUES (13, 1, 'forged', 'forged');
UPDATE parted SET k = 2 WHERE id = 11;
INSERT INTO parted (id, k, created_by, updated_by) VALUES (14, 2, 'forged', 'forged');
WITH moved AS (UPDATE parted SET k = 2 WHERE id = 12 RETURNING id)
INSERT INTO parted (id, k, created_by, updated_by) SELECT id + 3, 2, 'forged', 'forged' FROM moved;
SELECT id, k, created_by, updated_by FROM parted WHERE id >= 11 ORDER BY id;
\set VERBOSITY default

DROP SCHEMA rolled_back_update CASCADE;
