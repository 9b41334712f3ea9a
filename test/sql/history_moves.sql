-- rows that move to another partition, and versions that are not new although
-- the transaction has written the row
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA history_moves;
SET search_path = history_moves;

CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE items (id int, owner int REFERENCES owners ON DELETE CASCADE ON UPDATE CASCADE, v text, PRIMARY KEY (id, owner)) PARTITION BY LIST (owner);
CREATE TABLE items_1 PARTITION OF items FOR VALUES IN (1);
CREATE TABLE items_2 (v text, owner int NOT NULL, id int NOT NULL);
ALTER TABLE items ATTACH PARTITION items_2 FOR VALUES IN (2);
CREATE TABLE items_d PARTITION OF items DEFAULT;
SELECT dtmodel.add_timestamps('items'), dtmodel.add_history('items');
CREATE VIEW versions AS
SELECT id, owner, v, operation, sign(extract(epoch FROM valid_to - valid_from)) AS length,
       EXISTS (SELECT FROM items AS i WHERE i.id = h.id AND i.updated_at = h.valid_to) AS ends_at_current
FROM items_history AS h ORDER BY id, valid_to, valid_from, owner;

-- by a foreign key: the row is not deleted
INSERT INTO owners VALUES (1), (2), (3);
INSERT INTO items (id, owner, v) VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c');
UPDATE owners SET id = 10 WHERE id = 1;
SELECT tableoid::regclass, id, owner FROM items ORDER BY id;
TABLE versions;
-- from each partition
UPDATE items SET owner = 2, v = 'moved' WHERE id = 1;
UPDATE items SET owner = 3 WHERE id = 3;
TABLE versions;
-- a foreign key that deletes
DELETE FROM owners WHERE id = 3;
TABLE versions;

-- a row that moves and is deleted in one transaction
DELETE FROM items_history;
BEGIN;
UPDATE items SET owner = 2 WHERE id = 2;
DELETE FROM items WHERE id = 2;
COMMIT;
TABLE versions;

-- a trigger keeps the row from moving, then it is deleted
CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN CASE WHEN current_setting('history_moves.veto', true) = 'on' THEN NULL ELSE OLD END; END$$;
CREATE TRIGGER zzz_veto BEFORE DELETE ON items FOR EACH ROW EXECUTE FUNCTION veto();
DELETE FROM items_history;
BEGIN;
SET LOCAL history_moves.veto = on;
UPDATE items SET owner = 10, v = 'vetoed' WHERE id = 1;
SET LOCAL history_moves.veto = off;
TABLE versions;
SAVEPOINT s;
UPDATE items SET owner = 10, v = 'rolled back' WHERE id = 1;
ROLLBACK TO s;
DELETE FROM items WHERE id = 1;
COMMIT;
TABLE versions;

-- moves that are rolled back, in many subtransactions, before the row has arrived
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused'; END$$;
CREATE TRIGGER zzz_refuse BEFORE INSERT ON items_d FOR EACH ROW EXECUTE FUNCTION refuse();
BEGIN;
INSERT INTO items (id, owner, v) VALUES (4, 2, 'stays');
DO $$
BEGIN
    FOR i IN 1..50 LOOP
        BEGIN
            UPDATE items SET owner = 10 WHERE id = 4;
        EXCEPTION WHEN raise_exception THEN NULL;
        END;
    END LOOP;
END $$;
SELECT count(*) <= 1 AS keeps_little FROM pg_backend_memory_contexts WHERE name = 'dtmodel departures';
ROLLBACK;
DROP TRIGGER zzz_refuse ON items_d;

-- moves of many rows, some of which stay
INSERT INTO owners VALUES (1);
INSERT INTO items (id, owner, v) SELECT g, 1 + g % 2, g FROM generate_series(1, 3000) AS g;
DELETE FROM items_history;
UPDATE items SET owner = 2;
SELECT owner, operation, count(*) FROM items_history GROUP BY 1, 2 ORDER BY 1;

-- TRUNCATE also ends versions in partitions that are newer than the history
CREATE TABLE items_4 PARTITION OF items FOR VALUES IN (4) PARTITION BY LIST (id);
CREATE TABLE items_4_1 PARTITION OF items_4 FOR VALUES IN (1);
CREATE TABLE items_4_d PARTITION OF items_4 DEFAULT;
INSERT INTO owners VALUES (4);
DELETE FROM items;
INSERT INTO items (id, owner, v) VALUES (1, 4, 'new'), (2, 4, 'new'), (3, 10, 'old');
DELETE FROM items_history;
TRUNCATE items;
TABLE versions;
SELECT dtmodel.add_history('items');
INSERT INTO items (id, owner, v) VALUES (1, 4, 'direct'), (2, 4, 'direct');
DELETE FROM items_history;
TRUNCATE items_4_1;
TABLE versions;
TRUNCATE items_4;
TABLE versions;

-- a partition may be in another schema
CREATE SCHEMA history_moves_apart;
ALTER TABLE items_1 SET SCHEMA history_moves_apart;
SELECT dtmodel.describe('history_moves_apart.items_1') -> 'drift' AS drift;

-- and have an owner of its own
CREATE ROLE regress_partition_owner;
GRANT ALL ON SCHEMA history_moves TO regress_partition_owner;
ALTER TABLE items_4_1 OWNER TO regress_partition_owner;
INSERT INTO items (id, owner, v) VALUES (1, 4, 'of another');
DELETE FROM items_history;
SET ROLE regress_partition_owner;
UPDATE items_4_1 SET v = 'changed';
RESET ROLE;
TABLE versions;
SELECT pg_get_userbyid(relowner) = session_user AS same_owner FROM pg_class WHERE relname = 'items_history';

-- an UPDATE that changes nothing does not make the version new: what follows
-- in the same transaction is not lost
CREATE TABLE notes (id int PRIMARY KEY, v text);
SELECT dtmodel.add_timestamps('notes'), dtmodel.add_history('notes');
INSERT INTO notes (id, v) VALUES (1, 'a'), (2, 'b');
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
UPDATE notes SET v = v;
UPDATE notes SET v = 'corrected';
COMMIT;
SELECT id, v, operation, valid_from = valid_to AS no_length FROM notes_history ORDER BY id;
-- nor does one of a row whose updated_at is in the future
INSERT INTO notes (id, v, updated_at) VALUES (3, 'c', '2999-01-01');
BEGIN;
UPDATE notes SET v = v WHERE id = 3 RETURNING updated_at - '2999-01-01' AS later;
UPDATE notes SET v = 'd' WHERE id = 3 RETURNING updated_at - '2999-01-01' AS later;
COMMIT;
BEGIN;
UPDATE notes SET v = v WHERE id = 3 RETURNING updated_at - '2999-01-01' AS later;
DELETE FROM notes WHERE id = 3;
COMMIT;
SELECT v, operation, valid_from - '2999-01-01' AS valid_from, valid_to - '2999-01-01' AS valid_to FROM notes_history WHERE id = 3 ORDER BY 3;

-- the history of another model, under a name that was cut off
CREATE TABLE t23456789_123456789_123456789_123456789_123456789_1234_a (id int PRIMARY KEY);
CREATE TABLE t23456789_123456789_123456789_123456789_123456789_1234_bc (id int PRIMARY KEY);
CREATE TABLE t23456789_123456789_123456789_123456789_123456789_1234_bcd (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps(oid) FROM pg_class WHERE relname LIKE 't23456789%' AND relkind = 'r';
SELECT dtmodel.add_history('t23456789_123456789_123456789_123456789_123456789_1234_a');
SELECT dtmodel.add_history('t23456789_123456789_123456789_123456789_123456789_1234_bc');
\set VERBOSITY default
SELECT dtmodel.add_history('t23456789_123456789_123456789_123456789_123456789_1234_bcd');
\set VERBOSITY terse

DROP SCHEMA history_moves, history_moves_apart CASCADE;
DROP ROLE regress_partition_owner;
