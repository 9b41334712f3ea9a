--
-- Virtual generated columns (since PostgreSQL 18): stored rows do not have
-- their values, but all rows that functions return do
--
SELECT current_setting('server_version_num')::int < 180000 AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA virtual_columns;
SET search_path = virtual_columns;

CREATE TABLE items (
    dropped  int,
    id       int PRIMARY KEY,
    price    int,
    twice    int  GENERATED ALWAYS AS (price * 2) VIRTUAL,
    title    text,
    loud     text GENERATED ALWAYS AS (upper(title)) VIRTUAL,
    thrice   int  GENERATED ALWAYS AS (price * 3) STORED
);
ALTER TABLE items DROP dropped;
SELECT dtmodel.add_timestamps('items', clock => 'clock'), dtmodel.add_soft_delete('items'),
       dtmodel.add_settings('items', '{theme}'), dtmodel.add_slug('items', 'title');
RESET client_min_messages;

-- rows are created, read and changed
SELECT id, twice, loud, thrice, slug FROM dtmodel.create(NULL::items, '{"id": 1, "price": 1, "title": "One", "theme": "dark"}');
SELECT id, twice, loud, thrice, slug FROM dtmodel.bulk_create(NULL::items, '[{"id": 2, "price": 2}, {"id": 3, "price": 3, "title": "Three"}]');
\set VERBOSITY terse
SELECT dtmodel.create(NULL::items, '{"id": 4, "twice": 4}');
SELECT dtmodel.update(NULL::items, 1, '{"twice": 4}');
\set VERBOSITY default
SELECT id, twice, loud, thrice FROM dtmodel.get_by_id(NULL::items, 1);
SELECT id, twice, loud, thrice FROM dtmodel.get_all(NULL::items);
SELECT dtmodel.exists(NULL::items, 1), dtmodel.count(NULL::items);
SELECT id, twice, loud, thrice FROM dtmodel.update(NULL::items, 1, '{"price": 10}');
SELECT dtmodel.to_dict(i, includes => '{id,price,twice,loud,thrice,theme}') FROM items AS i ORDER BY id;
SELECT dtmodel.to_dict(dtmodel.get_by_id(NULL::items, 3), includes => '{id,twice,loud}');
SELECT (instance).id, (instance).twice, created FROM dtmodel.get_or_create(NULL::items, '{"id": 4}', '{"price": 4}');
SELECT (instance).id, (instance).twice, created FROM dtmodel.get_or_create(NULL::items, '{"twice": 8}');
SELECT (instance).id, (instance).twice, created FROM dtmodel.upsert(NULL::items, '{"id": 4, "price": 5}');
SELECT dtmodel.get_fields('items');

-- softly deleted, by itself and through a cascade, and restored
SELECT id, twice, loud, thrice, is_deleted FROM dtmodel.soft_delete(NULL::items, 1);
SELECT id, twice, loud, thrice, is_deleted FROM dtmodel.soft_delete(NULL::items, 1);
SELECT id, twice, loud, is_deleted FROM dtmodel.restore(NULL::items, 1);
SELECT d.id, d.twice, d.loud, d.is_deleted FROM items AS i, dtmodel.delete(i) AS d WHERE i.id = 2;
SELECT (instance).id, (instance).twice, created FROM dtmodel.get_or_create(NULL::items, '{"id": 2}', on_deleted => 'return');
SELECT id, twice FROM dtmodel.delete(NULL::items, 2, soft => false);
SET client_min_messages = warning;
CREATE TABLE parts (id int PRIMARY KEY, item int REFERENCES items ON DELETE CASCADE, minus int GENERATED ALWAYS AS (-item) VIRTUAL);
SELECT dtmodel.add_soft_delete('parts'), dtmodel.create_live_view('items');
RESET client_min_messages;
INSERT INTO parts VALUES (1, 1), (2, 3);
DELETE FROM items WHERE twice = 20;
SELECT id, minus, is_deleted FROM parts ORDER BY id;
SELECT id, twice FROM dtmodel.restore(NULL::items, 1);
SELECT id, minus, is_deleted FROM parts ORDER BY id;
DELETE FROM live_items WHERE twice = 6 RETURNING id, twice, loud;
INSERT INTO live_items (id, price) VALUES (5, 5) RETURNING id, twice;
UPDATE live_items SET price = 6 WHERE id = 5 RETURNING id, twice;

-- of a partition that computes the column with another expression, the result is the table's
SET client_min_messages = warning;
CREATE TABLE parted (id int, price int, twice int GENERATED ALWAYS AS (price * 2) VIRTUAL,
                     placed boolean GENERATED ALWAYS AS (tableoid <> 0) VIRTUAL,
                     PRIMARY KEY (id, price)) PARTITION BY RANGE (price);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 (price int NOT NULL, placed boolean GENERATED ALWAYS AS (false) VIRTUAL,
                       twice int GENERATED ALWAYS AS (price * 20) VIRTUAL, id int NOT NULL);
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (10) TO (20);
SELECT dtmodel.add_soft_delete('parted', flag => NULL), dtmodel.add_timestamps('parted');
RESET client_min_messages;
INSERT INTO parted (id, price) VALUES (1, 1);
UPDATE parted SET price = 11 RETURNING twice;
SELECT id, price, twice, placed FROM dtmodel.get_by_id(NULL::parted, '{"id": 1, "price": 11}');
SELECT id, price, twice, placed, deleted_at IS NOT NULL AS deleted FROM dtmodel.soft_delete(NULL::parted, '{"id": 1, "price": 11}');
SELECT id, price, twice, placed, deleted_at IS NOT NULL AS deleted FROM dtmodel.restore(NULL::parted, '{"id": 1, "price": 11}');

-- changes: the columns that they are computed from
CREATE FUNCTION report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% %', TG_WHEN, dtmodel.get_modified_keys(OLD, NEW);
    RETURN NEW;
END
$$;
CREATE TRIGGER report_before BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION report();
CREATE TRIGGER report_after AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION report();
UPDATE items SET price = 7 WHERE id = 5 RETURNING updated_at > created_at AS moved;
SELECT dtmodel.get_changes(a, b) FROM dtmodel.get_by_id(NULL::items, 1) AS a, dtmodel.get_by_id(NULL::items, 5) AS b;

-- no mixin manages a virtual column, and no slug is made from one
CREATE TABLE odd (id int PRIMARY KEY, at timestamptz, title text,
                  is_deleted boolean GENERATED ALWAYS AS (at IS NOT NULL) VIRTUAL,
                  updated_at timestamptz GENERATED ALWAYS AS (at) VIRTUAL,
                  name text GENERATED ALWAYS AS (upper(title)) VIRTUAL);
SELECT dtmodel.add_soft_delete('odd');
SELECT dtmodel.add_timestamps('odd');
SELECT dtmodel.add_slug('odd', 'name');

-- the function that shows the past: columns without a past, the table's oid, and sessions with other settings
CREATE TABLE kept (id int PRIMARY KEY, secret text, day date,
                   length int GENERATED ALWAYS AS (coalesce(length(secret), -1)) VIRTUAL,
                   is_kept boolean GENERATED ALWAYS AS (tableoid = 'kept'::regclass) VIRTUAL,
                   is_late boolean GENERATED ALWAYS AS (day > '2026-02-01') VIRTUAL,
                   is_digit boolean GENERATED ALWAYS AS (id::text ~ '^\d$') VIRTUAL,
                   label varchar(9) GENERATED ALWAYS AS (id) VIRTUAL,
                   share numeric(5, 1) GENERATED ALWAYS AS (id * 1.26) VIRTUAL);
-- 19 refuses it
SET client_min_messages = error;
SET datestyle = 'SQL, DMY';
DO $$ BEGIN SET standard_conforming_strings = off; EXCEPTION WHEN OTHERS THEN END $$;
SELECT dtmodel.add_timestamps('kept'), dtmodel.add_history('kept', exclude => '{secret}');
RESET datestyle;
RESET standard_conforming_strings;
RESET client_min_messages;
SET dtmodel.preserve_timestamps = on;
INSERT INTO kept (id, secret, day, updated_at) VALUES (1, 'abc', '2026-01-15', '2026-01-01'), (2, 'abc', '2026-01-15', '2026-01-01');
UPDATE kept SET day = '2026-03-01', updated_at = '2026-02-01' WHERE id = 1;
RESET dtmodel.preserve_timestamps;
ALTER TABLE kept ADD COLUMN is_long boolean GENERATED ALWAYS AS (length(secret) > 2) VIRTUAL;
SET search_path = pg_catalog;
SELECT id, secret, day, length, is_kept, is_late, is_long, is_digit, label, share FROM virtual_columns.kept_as_of('2026-01-15') ORDER BY id;
SELECT id, secret, day, length, is_kept, is_late, is_long, is_digit, label, share FROM virtual_columns.kept_as_of('2026-02-15') ORDER BY id;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT is_kept, is_late, label, share FROM virtual_columns.kept_as_of('2026-01-15') WHERE id = 1;
RESET enable_seqscan;
SET search_path = virtual_columns;
ALTER TABLE kept RENAME TO stored;
SELECT id, is_kept FROM stored_as_of('2026-01-15') ORDER BY id;

SET client_min_messages = warning;
DROP SCHEMA virtual_columns CASCADE;
