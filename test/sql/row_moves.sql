--
-- moves between partitions are not deletions, whatever names the triggers have,
-- and those that also change the flag cascade
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA row_moves;
SET search_path = row_moves;

CREATE TABLE parted (id int, k int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2) PARTITION BY LIST (id);
CREATE TABLE parted_2_all PARTITION OF parted_2 DEFAULT;
SELECT dtmodel.add_soft_delete('parted');
INSERT INTO parted VALUES (1, 1), (2, 1);

-- with the trigger under another name
ALTER TRIGGER zz_dtmodel_soft_delete ON parted RENAME TO aaa;
UPDATE parted SET k = 2 WHERE id = 1;
SELECT tableoid::regclass, id, is_deleted FROM parted ORDER BY id;
DELETE FROM parted;
SELECT tableoid::regclass, id, is_deleted FROM parted ORDER BY id;
ALTER TRIGGER aaa ON parted RENAME TO zz_dtmodel_soft_delete;
SELECT count(dtmodel.restore(p)) FROM parted AS p;

-- a move that deletes, or restores
SELECT current_setting('server_version_num')::int >= 150000 AS moves_keys \gset
\if :moves_keys
CREATE TABLE pieces (id int PRIMARY KEY, p int, k int, FOREIGN KEY (p, k) REFERENCES parted ON DELETE CASCADE ON UPDATE CASCADE);
\else
CREATE TABLE pieces (id int PRIMARY KEY, p int, k int);
\endif
SELECT dtmodel.add_soft_delete('pieces');
INSERT INTO pieces SELECT id, id, k FROM parted;
UPDATE parted SET k = 1, is_deleted = true WHERE id = 1;
\if :moves_keys
\else
UPDATE pieces SET k = 1, is_deleted = true, deleted_at = now() WHERE id = 1;
\endif
SELECT tableoid::regclass, id, is_deleted FROM parted ORDER BY id;
SELECT id, k, is_deleted FROM pieces ORDER BY id;
UPDATE parted SET k = 2, is_deleted = false WHERE id = 1;
\if :moves_keys
\else
UPDATE pieces SET k = 2, is_deleted = false WHERE id = 1;
\endif
SELECT tableoid::regclass, id, is_deleted, deleted_at FROM parted ORDER BY id;
SELECT id, k, is_deleted, deleted_at FROM pieces ORDER BY id;

-- a deleted row moves, and stays deleted
DELETE FROM parted WHERE id = 2;
SELECT deleted_at AS t FROM parted WHERE id = 2 \gset
UPDATE parted SET k = 2 WHERE id = 2;
SELECT tableoid::regclass, is_deleted, deleted_at = :'t' AS kept FROM parted WHERE id = 2;

-- a table that is a model can be attached
CREATE TABLE parted_3 (id int, k int, PRIMARY KEY (id, k));
SELECT dtmodel.add_soft_delete('parted_3');
INSERT INTO parted_3 VALUES (3, 3), (4, 3);
DELETE FROM parted_3 WHERE id = 3;
ALTER TABLE parted ATTACH PARTITION parted_3 FOR VALUES IN (3);
DELETE FROM parted WHERE id = 4;
UPDATE parted SET k = 1 WHERE id = 4;
SELECT tableoid::regclass, id, is_deleted FROM parted ORDER BY id;
SELECT dtmodel.describe('parted') -> 'drift' AS drift;

-- a MERGE that deletes a row whose UPDATE a later trigger has skipped
CREATE TABLE kept (id int, k int, v int) PARTITION BY LIST (k);
CREATE TABLE kept_1 PARTITION OF kept FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('kept');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN CASE WHEN NEW.v = 1 THEN NULL ELSE NEW END; END';
CREATE TRIGGER zzz_refuse BEFORE UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION refuse();
INSERT INTO kept VALUES (1, 1, 0);
\if :moves_keys
SET enable_hashjoin = off;
SET enable_mergejoin = off;
MERGE INTO kept USING (VALUES (1, 1), (1, 2)) AS s (id, step) ON kept.id = s.id
    WHEN MATCHED AND step = 1 THEN UPDATE SET v = 1
    WHEN MATCHED THEN DELETE;
RESET enable_hashjoin;
RESET enable_mergejoin;
\else
DELETE FROM kept;
\endif
SELECT id, v, is_deleted FROM kept;

DROP SCHEMA row_moves CASCADE;
