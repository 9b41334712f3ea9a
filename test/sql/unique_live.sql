--
-- unique_live: uniqueness among live rows
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA unique_live;
SET search_path = unique_live;

CREATE TABLE users (id int PRIMARY KEY, email text, tenant int);
SELECT dtmodel.add_soft_delete('users');
CREATE INDEX ON users (email);
RESET client_min_messages;
INSERT INTO users VALUES (1, 'ann', 1), (2, 'bob', 1);

-- an index by the naming convention; called again it does nothing
SELECT dtmodel.unique_live('users', 'email');
SELECT dtmodel.unique_live('users', 'email');
SELECT pg_get_indexdef('uq_users_email'::regclass);

-- the value of a deleted row is free again, and the row can be restored only if it still is
INSERT INTO users VALUES (3, 'ann', 1);
\echo :SQLSTATE
DELETE FROM users WHERE id = 1;
INSERT INTO users VALUES (3, 'ann', 1);
SELECT dtmodel.restore(NULL::users, 1);
\echo :SQLSTATE
DELETE FROM users WHERE id = 3;
SELECT (dtmodel.restore(NULL::users, 1)).email;

-- ON CONFLICT finds it, and so do queries
INSERT INTO users VALUES (4, 'ann', 1) ON CONFLICT (email) WHERE NOT is_deleted DO UPDATE SET tenant = 9 RETURNING id, tenant;
INSERT INTO users VALUES (4, 'ann', 1) ON CONFLICT DO NOTHING RETURNING id;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM users WHERE email = 'ann' AND NOT is_deleted;
RESET enable_seqscan;

-- several columns; nulls do not conflict; names that need quotes or are too long
SELECT dtmodel.unique_live('users', 'tenant', 'email');
INSERT INTO users VALUES (5, NULL, 1), (6, NULL, 1);
CREATE TABLE "Odd.Name; of ""things"" that is sixty-three bytes, or nearly so" (
    id int PRIMARY KEY, "a b" int, "A column with a name that is sixty-three bytes long, or nearly" int);
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete('"Odd.Name; of ""things"" that is sixty-three bytes, or nearly so"');
SELECT dtmodel.unique_live('"Odd.Name; of ""things"" that is sixty-three bytes, or nearly so"', 'a b');
SELECT dtmodel.unique_live('"Odd.Name; of ""things"" that is sixty-three bytes, or nearly so"',
                           'A column with a name that is sixty-three bytes long, or nearly', 'a b');
RESET client_min_messages;
SELECT indexrelid::regclass, octet_length(relname::text) FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid
WHERE indrelid = '"Odd.Name; of ""things"" that is sixty-three bytes, or nearly so"'::regclass
ORDER BY indexrelid;

-- the condition for each kind of model
SET client_min_messages = warning;
CREATE TABLE active (id int PRIMARY KEY, code int, is_active boolean NOT NULL DEFAULT true);
SELECT dtmodel.add_soft_delete('active', flag => 'is_active', flag_means => 'live');
CREATE TABLE maybe (id int PRIMARY KEY, code int, gone boolean);
SELECT dtmodel.add_soft_delete('maybe', flag => 'gone');
CREATE TABLE perhaps (id int PRIMARY KEY, code int, here boolean);
SELECT dtmodel.add_soft_delete('perhaps', flag => 'here', flag_means => 'live');
CREATE TABLE timed (id int PRIMARY KEY, code int, "Removed At" timestamp);
SELECT dtmodel.add_soft_delete('timed', flag => NULL, deleted_at => 'Removed At');
SELECT dtmodel.unique_live(t, 'code') FROM unnest('{active,maybe,perhaps,timed}'::regclass[]) AS t;
SELECT dtmodel.unique_live(t, 'code') FROM unnest('{active,maybe,perhaps,timed}'::regclass[]) AS t;
RESET client_min_messages;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'unique_live' AND indexname LIKE 'uq%code' ORDER BY indexname;

-- another flag: another call changes the index
BEGIN;
ALTER TABLE users RENAME COLUMN is_deleted TO gone;
SET LOCAL client_min_messages = warning;
SELECT dtmodel.add_soft_delete('users', flag => 'gone');
SET LOCAL client_min_messages = notice;
SELECT dtmodel.unique_live('users', 'email');
SET LOCAL client_min_messages = warning;
SELECT dtmodel.add_soft_delete('users', flag => NULL);
SET LOCAL client_min_messages = notice;
SELECT dtmodel.unique_live('users', 'email');
SELECT pg_get_indexdef('uq_users_email'::regclass);
ROLLBACK;

-- an existing index is accepted, whatever its name is; if a name is in use, a number is added
ALTER INDEX uq_users_email RENAME TO by_hand;
SELECT dtmodel.unique_live('users', 'email');
CREATE TABLE free (id int PRIMARY KEY, code int);
CREATE VIEW uq_free_code AS SELECT 1 AS one;
CREATE UNIQUE INDEX mine ON free (code) WHERE code > 0;
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete('free');
RESET client_min_messages;
SELECT dtmodel.unique_live('free', 'code');

-- partitioned tables: with the columns of the partition key
CREATE TABLE parted (id int, region int, code int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete('parted');
RESET client_min_messages;
SELECT dtmodel.unique_live('parted', 'code', 'region');
SELECT dtmodel.unique_live('parted', 'code', 'region');
SELECT dtmodel.unique_live('parted', 'code');
\echo :SQLSTATE
INSERT INTO parted VALUES (1, 1, 1);
INSERT INTO parted VALUES (2, 1, 1);
\echo :SQLSTATE

-- an index that is not valid does not make values unique
CREATE TABLE codes (id int PRIMARY KEY, code text);
SELECT dtmodel.add_soft_delete('codes');
INSERT INTO codes VALUES (1, 'a'), (2, 'a');
CREATE UNIQUE INDEX CONCURRENTLY uq_codes_code ON codes (code) WHERE NOT is_deleted;
UPDATE codes SET is_deleted = true WHERE id = 2;
SELECT dtmodel.unique_live('codes', 'code');
SELECT indexrelid::regclass AS index, indisvalid FROM pg_index WHERE indrelid = 'codes'::regclass ORDER BY 1;
INSERT INTO codes VALUES (3, 'a');
\echo :SQLSTATE

SET client_min_messages = warning;
DROP SCHEMA unique_live CASCADE;
