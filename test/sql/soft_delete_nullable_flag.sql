--
-- soft delete: a flag that can be null, and the defaults of its columns
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA nullable_flag;
SET search_path = nullable_flag;
RESET client_min_messages;

-- a flag without a default gets one, and a flag that can be null is drift
CREATE TABLE users (id int PRIMARY KEY, is_deleted boolean, name text, deleted_at timestamptz);
INSERT INTO users VALUES (1, NULL, 'none', NULL), (2, false, 'live', NULL), (3, true, 'deleted', '2001-01-01');
SELECT dtmodel.add_soft_delete('users');
SELECT dtmodel.add_soft_delete('users');
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('users');
INSERT INTO users (id) VALUES (4);
INSERT INTO users (id, is_deleted) VALUES (5, NULL);
SELECT id, is_deleted, deleted_at IS NOT NULL AS has_time FROM users ORDER BY id;

-- null is live everywhere
SELECT dtmodel.count(NULL::users), dtmodel.count(NULL::users, true);
SELECT id FROM dtmodel.get_all(NULL::users) ORDER BY id;
SELECT (instance).id, created FROM dtmodel.get_or_create(NULL::users, '{"name": "none"}');
SELECT dtmodel.unique_live('users', 'name');
SELECT (instance).id, (instance).is_deleted, created FROM dtmodel.upsert(NULL::users, '{"id": 1, "name": "none"}', '{name}', on_deleted => 'error');
SELECT (instance).id, created FROM dtmodel.upsert(NULL::users, '{"id": 6, "name": "deleted"}', '{name}', on_deleted => 'return');
SELECT pg_get_indexdef('uq_users_name'::regclass);
SELECT dtmodel.create_live_view('users');
SELECT id FROM live_users ORDER BY id;
-- it is deleted and restored like a row whose flag is false
SELECT (dtmodel.soft_delete(NULL::users, 1)).is_deleted;
UPDATE users SET is_deleted = NULL WHERE id = 1;
SELECT id, is_deleted, deleted_at FROM users WHERE id = 1;
SELECT (dtmodel.soft_delete(NULL::users, 5)).is_deleted;
SELECT (dtmodel.restore(NULL::users, 5)).is_deleted;
-- and it is a child like any other
CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE, is_deleted boolean);
CREATE TABLE notes (id int PRIMARY KEY, author int REFERENCES users ON DELETE RESTRICT, is_deleted boolean);
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete('posts');
SELECT dtmodel.add_soft_delete('notes');
SELECT dtmodel.require_live_parent('posts', 'author');
RESET client_min_messages;
INSERT INTO posts VALUES (1, 4, NULL), (2, 5, NULL);
INSERT INTO notes VALUES (1, 5, NULL);
UPDATE users SET is_deleted = true WHERE id = 4;
SELECT id, is_deleted FROM posts ORDER BY id;
INSERT INTO posts VALUES (3, 4, NULL);
\echo :SQLSTATE
UPDATE users SET is_deleted = true WHERE id = 5;
\echo :SQLSTATE
DROP TABLE posts, notes;

-- the ALTER TABLE of the drift
UPDATE users SET is_deleted = false WHERE is_deleted IS NULL;
ALTER TABLE nullable_flag.users ALTER COLUMN is_deleted SET NOT NULL;
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('users');
SELECT id FROM live_users ORDER BY id;
-- a default that was dropped, and one that was added
ALTER TABLE users ALTER COLUMN is_deleted DROP DEFAULT;
ALTER TABLE users ALTER COLUMN deleted_at SET DEFAULT now();
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('users');
SELECT dtmodel.add_soft_delete('users');
\echo :SQLSTATE
ALTER TABLE nullable_flag.users ALTER COLUMN deleted_at DROP DEFAULT;
SELECT dtmodel.add_soft_delete('users');
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('users');

-- a flag that is true for live rows; an existing default is kept
CREATE TABLE "Some accounts" ("Is active" boolean, removed timestamp);
SELECT dtmodel.add_soft_delete('"Some accounts"', flag => 'Is active', flag_means => 'live', deleted_at => 'removed');
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('"Some accounts"');
INSERT INTO "Some accounts" DEFAULT VALUES;
INSERT INTO "Some accounts" VALUES (NULL);
SELECT * FROM "Some accounts";
SELECT dtmodel.count(NULL::"Some accounts");
ALTER TABLE "Some accounts" ALTER COLUMN "Is active" SET DEFAULT 1 = 1;
SELECT dtmodel.add_soft_delete('"Some accounts"', flag => 'Is active', flag_means => 'live', deleted_at => 'removed');
SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = '"Some accounts"'::regclass;
ALTER TABLE "Some accounts" ALTER COLUMN "Is active" DROP DEFAULT;
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('"Some accounts"');

-- a new column has both, and a table without a flag needs none
SET client_min_messages = warning;
CREATE TABLE plain (id int);
SELECT dtmodel.add_soft_delete('plain');
CREATE TABLE flagless (id int);
SELECT dtmodel.add_soft_delete('flagless', flag => NULL);
SELECT dtmodel.describe('plain') -> 'drift', dtmodel.describe('flagless') -> 'drift';
-- inherited columns, and partitions
CREATE TABLE base (id int, is_deleted boolean);
CREATE TABLE inheritor () INHERITS (base);
SELECT dtmodel.add_soft_delete('base');
CREATE TABLE parted (id int, is_deleted boolean) PARTITION BY LIST (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('parted');
INSERT INTO inheritor (id) VALUES (1);
INSERT INTO parted_1 (id) VALUES (1);
SELECT is_deleted FROM base UNION ALL SELECT is_deleted FROM parted;

-- a flag of live rows, where it was null before and where it can be null again
SET client_min_messages = warning;
CREATE TABLE alive (id int PRIMARY KEY, alive boolean DEFAULT true, deleted_at timestamptz);
SELECT dtmodel.add_soft_delete('alive', flag => 'alive', flag_means => 'live');
INSERT INTO alive VALUES (1, true), (2, true), (3, NULL);
DELETE FROM alive WHERE id = 1;
SELECT id FROM dtmodel.get_all(NULL::alive) ORDER BY 1;
CALL dtmodel.purge('alive', '0');
SELECT id, alive FROM alive ORDER BY 1;

DROP SCHEMA nullable_flag CASCADE;
