--
-- ON CONFLICT: created_at stays, and a row that is not inserted changes nothing
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA on_conflict;
SET search_path = on_conflict;

CREATE TABLE users (email text PRIMARY KEY, n int);
SELECT dtmodel.add_timestamps('users');
SELECT dtmodel.add_soft_delete('users');
INSERT INTO users VALUES ('a', 1);
SELECT created_at AS created, updated_at AS updated FROM users \gset

-- DO NOTHING
INSERT INTO users VALUES ('a', 2) ON CONFLICT DO NOTHING RETURNING email;
SELECT n, created_at = :'created' AS created_kept, updated_at = :'updated' AS updated_kept FROM users;

-- DO UPDATE
INSERT INTO users VALUES ('a', 3) ON CONFLICT (email) DO UPDATE SET n = excluded.n;
SELECT n, created_at = :'created' AS created_kept, updated_at > :'updated' AS updated_moved FROM users;
INSERT INTO users VALUES ('a', 4) ON CONFLICT (email)
    DO UPDATE SET n = excluded.n, created_at = excluded.created_at, updated_at = '2001-01-01';
SELECT n, created_at = :'created' AS created_kept, updated_at > :'updated' AS updated_moved FROM users;

-- DO UPDATE that changes nothing
SELECT updated_at AS updated FROM users \gset
INSERT INTO users VALUES ('a', 4) ON CONFLICT (email) DO UPDATE SET n = excluded.n RETURNING n;
SELECT updated_at = :'updated' AS updated_kept FROM users;
INSERT INTO users VALUES ('a', 5) ON CONFLICT (email) DO UPDATE SET n = 6 WHERE false;
SELECT n, updated_at = :'updated' AS updated_kept FROM users;

-- excluded shows the proposed row: as it is given, or as it is stamped before
-- the conflict is detected
INSERT INTO users (email, n, created_at) VALUES ('a', 7, '2001-01-01') ON CONFLICT (email)
    DO UPDATE SET n = CASE WHEN excluded.created_at = '2001-01-01' THEN 70 ELSE 0 END RETURNING n;
SELECT dtmodel.add_timestamps('users', on_insert => 'stamp');
INSERT INTO users (email, n, created_at) VALUES ('a', 7, '2001-01-01') ON CONFLICT (email)
    DO UPDATE SET n = CASE WHEN excluded.created_at = now() THEN 71 ELSE 0 END RETURNING n;
SELECT dtmodel.add_timestamps('users');

-- deleted rows conflict too, and an upsert does not restore them
DELETE FROM users;
SELECT deleted_at AS deleted FROM users \gset
INSERT INTO users VALUES ('a', 8) ON CONFLICT (email) DO UPDATE SET n = excluded.n;
SELECT n, is_deleted, deleted_at = :'deleted' AS kept FROM users;
INSERT INTO users VALUES ('a', 9) ON CONFLICT (email) DO UPDATE SET n = excluded.n, is_deleted = excluded.is_deleted;
SELECT n, is_deleted, deleted_at FROM users;

-- many rows in one statement
INSERT INTO users SELECT i::text, i FROM generate_series(1, 1000) AS i;
INSERT INTO users SELECT i::text, i + i % 2 FROM generate_series(1, 2000) AS i
    ON CONFLICT (email) DO UPDATE SET n = excluded.n;
SELECT count(*), count(*) FILTER (WHERE updated_at > created_at) AS changed FROM users WHERE email <> 'a';

DROP SCHEMA on_conflict CASCADE;
