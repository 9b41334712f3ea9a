--
-- one transaction is one deletion: deleted_at is the transaction's time, and
-- rows that another transaction deleted keep theirs
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA deletion_identity;
SET search_path = deletion_identity;

CREATE TABLE authors (id int PRIMARY KEY);
CREATE TABLE books (id int PRIMARY KEY, author int REFERENCES authors ON DELETE CASCADE);
CREATE TABLE chapters (id int PRIMARY KEY, book int REFERENCES books ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete(t::regclass) FROM unnest('{authors,books,chapters}'::text[]) AS t \g /dev/null
CREATE VIEW all_rows AS
    SELECT 'author' AS what, id, is_deleted, deleted_at FROM authors
    UNION ALL SELECT 'book', id, is_deleted, deleted_at FROM books
    UNION ALL SELECT 'chapter', id, is_deleted, deleted_at FROM chapters;
CREATE VIEW deletions AS
    SELECT count(*) FILTER (WHERE is_deleted) AS deleted, count(DISTINCT deleted_at) AS deletions FROM all_rows;
INSERT INTO authors SELECT generate_series(1, 1000);
INSERT INTO books SELECT i, i FROM generate_series(1, 3) AS i;
INSERT INTO chapters SELECT i, 1 + i % 3 FROM generate_series(1, 9) AS i;

-- in any number and any kind of statements
BEGIN;
SELECT now() AS t \gset
DELETE FROM authors WHERE id = 10;
SELECT pg_sleep(0.01) \g /dev/null
DELETE FROM authors WHERE id = 11;
UPDATE authors SET is_deleted = true WHERE id = 12;
UPDATE authors SET deleted_at = clock_timestamp() WHERE id = 13;
UPDATE authors SET is_deleted = true, deleted_at = '2001-01-01' WHERE id = 14;
SELECT count(dtmodel.soft_delete(a)) FROM authors AS a WHERE id IN (15, 16);
SELECT count(*) FROM dtmodel.soft_delete(NULL::authors, 17);
SAVEPOINT s;
DELETE FROM authors WHERE id = 18;
RELEASE s;
DO $$ BEGIN FOR i IN 100..200 LOOP DELETE FROM deletion_identity.authors WHERE id = i; END LOOP; END $$;
TABLE deletions;
SELECT bool_and(deleted_at = :'t') FROM authors WHERE is_deleted;
COMMIT;
SELECT dtmodel.restore_deletion(NULL::authors, :'t');
TABLE deletions;

-- the next transaction has another time, and the first one's rows keep theirs
DELETE FROM authors WHERE id IN (10, 11);
SELECT deleted_at AS first FROM authors WHERE id = 10 \gset
BEGIN;
DELETE FROM authors WHERE id IN (10, 12);
UPDATE authors SET is_deleted = true WHERE id IN (10, 11);
UPDATE authors SET deleted_at = now() WHERE id = 11;
COMMIT;
TABLE deletions;
SELECT id, deleted_at = :'first' AS first FROM authors WHERE is_deleted ORDER BY id;
SELECT dtmodel.restore_deletion(NULL::authors, :'first');
SELECT id FROM authors WHERE is_deleted;
SELECT (dtmodel.restore(NULL::authors, 12)).id;

-- other times can be written only with dtmodel.preserve_timestamps
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
UPDATE authors SET is_deleted = true, deleted_at = '2001-01-01 00:00+00' WHERE id = 20;
UPDATE authors SET deleted_at = '2002-02-02 00:00+00' WHERE id = 20;
SELECT deleted_at = '2002-02-02 00:00+00' AS given FROM authors WHERE id = 20;
ROLLBACK;

-- as an ORM deletes: one table at a time, children first, in one transaction
BEGIN;
DELETE FROM chapters WHERE book IN (1, 2);
DELETE FROM books WHERE author IN (1, 2);
DELETE FROM authors WHERE id IN (1, 2);
COMMIT;
TABLE deletions;
SELECT (dtmodel.restore(NULL::authors, 1)).id;
SELECT what, id FROM all_rows WHERE is_deleted ORDER BY what, id;
SELECT (dtmodel.restore(NULL::authors, 2)).id;
TABLE deletions;

-- some children, then the parent with the others, in two transactions
DELETE FROM chapters WHERE id = 3;
DELETE FROM authors WHERE id = 1;
SELECT (dtmodel.restore(NULL::authors, 1)).id;
SELECT what, id FROM all_rows WHERE is_deleted ORDER BY what, id;

-- a time that a client has cut to milliseconds is that of no deletion
CREATE ROLE deletion_identity_reader;
CREATE TABLE notes (id int PRIMARY KEY, secret boolean, deleted timestamp);
SELECT dtmodel.add_soft_delete('notes', flag => NULL, deleted_at => 'deleted');
INSERT INTO notes VALUES (1, false, '2026-01-02 03:04:05.678901'), (2, true, '2026-01-02 03:04:05.6785'), (3, true, '2026-01-02 03:04:06'), (4, false, NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY open ON notes USING (NOT secret);
GRANT USAGE ON SCHEMA deletion_identity TO deletion_identity_reader;
GRANT SELECT, UPDATE ON notes TO deletion_identity_reader;
SET timezone = 'UTC';
RESET client_min_messages;
SELECT dtmodel.restore_deletion(NULL::notes, '2026-01-02 03:04:05.678');
SELECT id FROM dtmodel.get_deleted(NULL::notes, '2026-01-02 03:04:05.678');
SELECT id FROM dtmodel.get_deleted(NULL::notes, '2026-01-02 03:04:05.678', since => '1000 years');
-- which says nothing of other milliseconds, times that were not cut, and rows that the caller cannot see
SELECT dtmodel.restore_deletion(NULL::notes, '2026-01-02 03:04:05.679'), dtmodel.restore_deletion(NULL::notes, '2026-01-02 03:04:05.6789'),
       dtmodel.restore_deletion(NULL::notes, 'infinity'), dtmodel.restore_deletion(NULL::notes, '-infinity');
SELECT id FROM dtmodel.get_deleted(NULL::notes, '2026-01-02 03:04:05.677');
SELECT id FROM dtmodel.get_deleted(NULL::notes, '2026-01-02 03:04:05.67890');
SET ROLE deletion_identity_reader;
SELECT id FROM dtmodel.get_deleted(NULL::notes, '2026-01-02 03:04:05.678');
SELECT id FROM dtmodel.get_deleted(NULL::notes, '2026-01-02 03:04:06');
SELECT dtmodel.restore_deletion(NULL::notes, '2026-01-02 03:04:05.678901');
RESET ROLE;
SELECT dtmodel.restore_deletion(NULL::notes, '2026-01-02 03:04:06');
SELECT id, deleted FROM notes ORDER BY id;
SET client_min_messages = warning;

DROP SCHEMA deletion_identity CASCADE;
DROP ROLE deletion_identity_reader;
