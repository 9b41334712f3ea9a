--
-- ON CONFLICT DO UPDATE in partitions, of which some have their columns at other places than the table:
-- a hidden row is not updated in any of them
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA hidden_conflicts;
SET search_path = hidden_conflicts;

CREATE TABLE items (id int, k int, v text, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE items_1 PARTITION OF items FOR VALUES IN (1);
CREATE TABLE items_2 (v text, gone int, k int NOT NULL, id int NOT NULL);
ALTER TABLE items_2 DROP COLUMN gone;
ALTER TABLE items ATTACH PARTITION items_2 FOR VALUES IN (2);
CREATE TABLE items_3 (gone int, id int NOT NULL, k int NOT NULL, v text) PARTITION BY LIST (id);
ALTER TABLE items_3 DROP COLUMN gone;
CREATE TABLE items_3_1 PARTITION OF items_3 DEFAULT;
ALTER TABLE items ATTACH PARTITION items_3 FOR VALUES IN (3);
SELECT dtmodel.add_soft_delete('items', hide => true);
CREATE TABLE timed (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE timed_1 (v text, id int NOT NULL);
ALTER TABLE timed ATTACH PARTITION timed_1 DEFAULT;
SELECT dtmodel.add_soft_delete('timed', flag => NULL, hide => true);

INSERT INTO items SELECT i, k, 'old' FROM generate_series(1, 2) AS i, generate_series(1, 3) AS k;
INSERT INTO timed VALUES (1, 'old'), (2, 'old');
DELETE FROM items WHERE id = 1;
DELETE FROM timed WHERE id = 1;

-- deleted rows
INSERT INTO items VALUES (1, 1, 'new') ON CONFLICT (id, k) DO UPDATE SET v = excluded.v;
\echo :SQLSTATE
INSERT INTO items VALUES (1, 2, 'new') ON CONFLICT (id, k) DO UPDATE SET v = excluded.v;
\echo :SQLSTATE
INSERT INTO items VALUES (2, 2, 'new'), (1, 3, 'new') ON CONFLICT (id, k) DO UPDATE SET v = excluded.v WHERE items.v = 'old';
\echo :SQLSTATE
INSERT INTO timed VALUES (1, 'new') ON CONFLICT (id) DO UPDATE SET v = excluded.v;
\echo :SQLSTATE
INSERT INTO items_3 (id, k, v) VALUES (1, 3, 'new') ON CONFLICT (id, k) DO UPDATE SET v = excluded.v;
\echo :SQLSTATE
WITH other AS (INSERT INTO timed VALUES (1, 'new') ON CONFLICT (id) DO UPDATE SET v = excluded.v RETURNING id)
INSERT INTO items SELECT id, 1, 'new' FROM other ON CONFLICT DO NOTHING;
\echo :SQLSTATE

-- live ones
INSERT INTO items VALUES (2, 1, 'new'), (2, 2, 'new'), (2, 3, 'new') ON CONFLICT (id, k) DO UPDATE SET v = excluded.v RETURNING k, v;
INSERT INTO timed VALUES (2, 'new'), (3, 'new') ON CONFLICT (id) DO UPDATE SET v = excluded.v RETURNING id, v;

-- a WHERE that excludes them, and updates that restore them
INSERT INTO items VALUES (1, 2, 'new') ON CONFLICT (id, k) DO UPDATE SET v = excluded.v WHERE items.v = 'other';
INSERT INTO items VALUES (1, 2, 'new'), (1, 3, 'new') ON CONFLICT (id, k) DO UPDATE SET v = excluded.v, is_deleted = false RETURNING k, v, deleted_at;
INSERT INTO timed VALUES (1, 'new') ON CONFLICT (id) DO UPDATE SET v = excluded.v, deleted_at = NULL RETURNING id, v;

-- updates of deleted rows of other tables in the same statement
CREATE TABLE single (id int PRIMARY KEY, v text);
SELECT dtmodel.add_soft_delete('single', hide => true);
INSERT INTO single VALUES (1, 'old');
DELETE FROM single;
DELETE FROM timed WHERE id = 2;
SET dtmodel.with_deleted = on;
WITH other AS (INSERT INTO items VALUES (2, 1, 'newer') ON CONFLICT (id, k) DO UPDATE SET v = excluded.v RETURNING v),
     timed AS (UPDATE timed SET v = 'seen' FROM other WHERE id = 2 RETURNING timed.v)
UPDATE single SET v = 'seen' FROM other, timed WHERE id = 1 RETURNING single.v, timed.v, other.v;
RESET dtmodel.with_deleted;

-- rows that are not hidden, in another partitioned table whose triggers are fired, and in one that was a partition
CREATE TABLE shown (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE shown_1 PARTITION OF shown FOR VALUES FROM (1) TO (10);
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER pass BEFORE UPDATE ON shown FOR EACH ROW EXECUTE FUNCTION pass();
SELECT dtmodel.add_soft_delete('shown');
INSERT INTO shown VALUES (1, 'old');
DELETE FROM shown;
WITH other AS (INSERT INTO items VALUES (2, 1, 'last') ON CONFLICT (id, k) DO UPDATE SET v = excluded.v RETURNING v)
UPDATE shown SET v = other.v FROM other RETURNING shown.v, is_deleted;
ALTER TABLE shown DETACH PARTITION shown_1;
DROP TRIGGER zz_dtmodel_soft_delete ON shown_1;
CREATE TRIGGER zz_dtmodel_soft_delete BEFORE UPDATE OR DELETE ON shown_1 FOR EACH ROW
    EXECUTE FUNCTION dtmodel_internal.soft_delete_trigger('flag=is_deleted', 'deleted_at=deleted_at');
CREATE TRIGGER pass BEFORE UPDATE ON shown_1 FOR EACH ROW EXECUTE FUNCTION pass();
WITH other AS (INSERT INTO items VALUES (2, 1, 'end') ON CONFLICT (id, k) DO UPDATE SET v = excluded.v RETURNING v)
UPDATE shown_1 SET v = other.v FROM other RETURNING shown_1.v, is_deleted;

DROP SCHEMA hidden_conflicts CASCADE;
