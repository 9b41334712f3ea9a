--
-- ON CONFLICT DO SELECT (since PostgreSQL 19) returns no hidden row
--
SELECT current_setting('server_version_num')::int < 190000 AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA hidden_do_select;
SET search_path = hidden_do_select;

CREATE TABLE items (id int PRIMARY KEY, v text);
SELECT dtmodel.add_soft_delete('items', hide => true);
CREATE TABLE timed (v text, id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('timed', flag => NULL, hide => true);
CREATE TABLE shown (id int PRIMARY KEY, v text);
SELECT dtmodel.add_soft_delete('shown');
INSERT INTO items VALUES (1, 'live'), (2, 'old'), (3, 'old');
INSERT INTO timed (id, v) SELECT id, v FROM items;
INSERT INTO shown SELECT id, v FROM items;
DELETE FROM items WHERE id > 1;
DELETE FROM timed WHERE id > 1;
DELETE FROM shown WHERE id > 1;

-- live rows, and rows that are not hidden
INSERT INTO items VALUES (1, 'new'), (4, 'new') ON CONFLICT (id) DO SELECT RETURNING id, v, is_deleted;
INSERT INTO timed (id) VALUES (1) ON CONFLICT (id) DO SELECT FOR UPDATE WHERE timed.v = 'live' RETURNING id, v;
INSERT INTO shown VALUES (2, 'new') ON CONFLICT (id) DO SELECT FOR UPDATE RETURNING id, v, is_deleted;

-- hidden ones, also with a WHERE that excludes them
INSERT INTO items VALUES (2, 'new') ON CONFLICT (id) DO SELECT RETURNING id, v;
\echo :SQLSTATE
INSERT INTO items VALUES (2, 'new') ON CONFLICT (id) DO SELECT FOR UPDATE RETURNING id, v;
\echo :SQLSTATE
INSERT INTO items VALUES (1, 'new'), (2, 'new') ON CONFLICT ON CONSTRAINT items_pkey DO SELECT FOR KEY SHARE WHERE items.v <> excluded.v RETURNING id, v;
\echo :SQLSTATE
INSERT INTO timed (id) VALUES (2) ON CONFLICT (id) DO SELECT WHERE timed.v = 'other' RETURNING id, v;
\echo :SQLSTATE
WITH other AS (INSERT INTO items VALUES (3, 'new') ON CONFLICT (id) DO SELECT RETURNING v)
SELECT v FROM other;
\echo :SQLSTATE
CREATE VIEW named AS SELECT id AS number, v AS name FROM items;
INSERT INTO named VALUES (2, 'new') ON CONFLICT (number) DO SELECT RETURNING number, name;
\echo :SQLSTATE
CREATE FUNCTION put(int) RETURNS text LANGUAGE sql
    BEGIN ATOMIC INSERT INTO items VALUES ($1, 'new') ON CONFLICT (id) DO SELECT RETURNING v; END;
SELECT put(1);
SELECT put(2);
\echo :SQLSTATE

-- a generic plan, and a session that sees them
PREPARE put AS INSERT INTO items VALUES ($1, 'new') ON CONFLICT (id) DO SELECT RETURNING id, v;
SET plan_cache_mode = force_generic_plan;
EXECUTE put(2);
SET dtmodel.with_deleted = on;
EXECUTE put(2);
INSERT INTO named VALUES (2, 'new') ON CONFLICT (number) DO SELECT RETURNING number, name;
RESET dtmodel.with_deleted;
EXECUTE put(2);
EXECUTE put(1);
RESET plan_cache_mode;

-- partitions: where the columns have other places than in the table, no row is returned
CREATE TABLE parts (id int, k int, v text, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 (v text, gone int, k int NOT NULL, id int NOT NULL);
ALTER TABLE parts_2 DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN (2);
SELECT dtmodel.add_soft_delete('parts', hide => true);
INSERT INTO parts SELECT i, k, 'old' FROM generate_series(1, 2) AS i, generate_series(1, 2) AS k;
DELETE FROM parts WHERE id = 1;
INSERT INTO parts VALUES (1, 1, 'new') ON CONFLICT (id, k) DO SELECT RETURNING *;
\echo :SQLSTATE
INSERT INTO parts VALUES (2, 1, 'new'), (1, 2, 'new'), (2, 2, 'new') ON CONFLICT (id, k) DO SELECT FOR UPDATE RETURNING id, k, v;
INSERT INTO parts_2 (id, k, v) VALUES (1, 2, 'new') ON CONFLICT (id, k) DO SELECT RETURNING id, k, v;
\echo :SQLSTATE
SET dtmodel.with_deleted = on;
INSERT INTO parts VALUES (1, 1, 'new'), (1, 2, 'new') ON CONFLICT (id, k) DO SELECT RETURNING id, k, v, is_deleted;
RESET dtmodel.with_deleted;

-- with an index of live rows there is no conflict
CREATE TABLE mail (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, address text);
SELECT dtmodel.add_soft_delete('mail', hide => true);
SELECT dtmodel.unique_live('mail', 'address');
INSERT INTO mail (address) VALUES ('ann@example.com');
DELETE FROM mail;
INSERT INTO mail (address) VALUES ('ann@example.com') ON CONFLICT (address) WHERE NOT is_deleted DO SELECT RETURNING id, address;
INSERT INTO mail (address) VALUES ('ann@example.com') ON CONFLICT (address) WHERE NOT is_deleted DO SELECT RETURNING id, address;

-- nothing was changed
SET dtmodel.with_deleted = on;
SELECT id, v, is_deleted FROM items ORDER BY id;
SELECT id, v, deleted_at IS NOT NULL AS is_deleted FROM timed ORDER BY id;
SELECT id, k, v, is_deleted FROM parts ORDER BY id, k;

DROP SCHEMA hidden_do_select CASCADE;
