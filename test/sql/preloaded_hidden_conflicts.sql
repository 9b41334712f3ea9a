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

DROP SCHEMA hidden_conflicts CASCADE;
