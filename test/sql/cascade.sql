--
-- soft delete and restore along foreign keys
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA cascade;
CREATE SCHEMA elsewhere;
SET search_path = cascade;

-- each action, in tables with soft delete and without
CREATE TABLE authors (id int PRIMARY KEY);
CREATE TABLE books (id int PRIMARY KEY, author int REFERENCES authors ON DELETE CASCADE);
CREATE TABLE chapters (id int PRIMARY KEY, book int REFERENCES books ON DELETE CASCADE);
CREATE TABLE reviews (id int PRIMARY KEY, book int REFERENCES books ON DELETE SET NULL);
CREATE TABLE prices (id int PRIMARY KEY, book int DEFAULT 0 REFERENCES books ON DELETE SET DEFAULT);
CREATE TABLE loans (id int PRIMARY KEY, book int REFERENCES books);
CREATE TABLE plain (id int PRIMARY KEY, book int REFERENCES books ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete(t::regclass) FROM unnest('{authors,books,chapters,reviews,prices,loans}'::text[]) AS t \g /dev/null
CREATE VIEW state AS
    WITH rows (what, id, of, is_deleted, deleted_at) AS (
        SELECT 'author', id, NULL, is_deleted, deleted_at FROM authors
        UNION ALL SELECT 'book', id, author, is_deleted, deleted_at FROM books
        UNION ALL SELECT 'chapter', id, book, is_deleted, deleted_at FROM chapters
        UNION ALL SELECT 'loan', id, book, is_deleted, deleted_at FROM loans
        UNION ALL SELECT 'plain', id, book, NULL, NULL FROM plain
        UNION ALL SELECT 'price', id, book, is_deleted, deleted_at FROM prices
        UNION ALL SELECT 'review', id, book, is_deleted, deleted_at FROM reviews)
    SELECT what, string_agg(id || CASE WHEN is_deleted THEN '-' || (
               SELECT count(DISTINCT o.deleted_at) FROM rows AS o WHERE o.deleted_at <= rows.deleted_at) ELSE '' END, ' ' ORDER BY id) AS rows
    FROM rows GROUP BY what ORDER BY what;
INSERT INTO authors VALUES (1), (2);
INSERT INTO books VALUES (0, NULL), (1, 1), (2, 1), (3, 2);
INSERT INTO chapters VALUES (1, 1), (2, 1), (3, 2), (4, 3);
INSERT INTO reviews VALUES (1, 1);
INSERT INTO prices VALUES (1, 1);
INSERT INTO loans VALUES (1, 1);
INSERT INTO plain VALUES (1, 1);

-- one deletion has one time; rows that were deleted before keep theirs
DELETE FROM chapters WHERE id = 2;
DELETE FROM authors WHERE id = 1;
TABLE state;
SELECT book FROM reviews UNION ALL SELECT book FROM prices;

-- a restore brings back the rows that were deleted with it, and no others
SELECT (dtmodel.restore(NULL::authors, 1)).id;
TABLE state;
SELECT (dtmodel.restore(NULL::chapters, 2)).id;

-- a row under a deleted parent cannot be restored
DELETE FROM books WHERE id = 1;
SELECT (dtmodel.restore(NULL::chapters, 1)).id;
\echo :SQLSTATE
UPDATE chapters SET is_deleted = false WHERE id = 2;
\echo :SQLSTATE
UPDATE loans SET is_deleted = true;
UPDATE loans SET is_deleted = false;
TABLE state;

-- a deletion inside a deletion is restored only with its own row
DELETE FROM authors WHERE id = 1;
SELECT (dtmodel.restore(NULL::authors, 1)).id;
TABLE state;
SELECT (dtmodel.restore(NULL::books, 1)).id;
TABLE state;

-- by an UPDATE of the columns, as by DELETE
UPDATE authors SET is_deleted = true WHERE id = 2;
TABLE state;
UPDATE authors SET deleted_at = NULL WHERE id = 2;
TABLE state;

-- many parents in one statement are one deletion, and are restored together
DELETE FROM authors;
TABLE state;
SELECT deleted_at AS t FROM authors LIMIT 1 \gset
SELECT dtmodel.restore_deletion(NULL::authors, :'t');
TABLE state;
SELECT dtmodel.restore_deletion(NULL::authors, :'t') AS again, dtmodel.restore_deletion(NULL::authors, NULL) AS null;

-- RESTRICT: live rows, or all rows of a table without soft delete
CREATE TABLE shelves (id int PRIMARY KEY, book int REFERENCES books ON DELETE RESTRICT);
CREATE TABLE labels (id int PRIMARY KEY, book int REFERENCES books ON DELETE RESTRICT);
SELECT dtmodel.add_soft_delete('shelves');
INSERT INTO shelves VALUES (1, 1);
INSERT INTO labels VALUES (1, 3);
DELETE FROM books WHERE id = 1;
\echo :SQLSTATE
DELETE FROM authors WHERE id = 1;
\echo :SQLSTATE
DELETE FROM books WHERE id = 3;
\echo :SQLSTATE
DELETE FROM shelves;
DELETE FROM books WHERE id = 1;
TABLE state;
SELECT (dtmodel.restore(NULL::shelves, 1)).id;
\echo :SQLSTATE
SELECT (dtmodel.restore(NULL::books, 1)).id;
DELETE FROM labels;

-- a restored row that duplicates a live one
CREATE TABLE users (id int PRIMARY KEY, email text, boss int REFERENCES users ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('users');
CREATE UNIQUE INDEX uq_users_email ON users (email) WHERE NOT is_deleted;
INSERT INTO users VALUES (1, 'a', NULL), (2, 'b', 1);
DELETE FROM users WHERE id = 1;
INSERT INTO users VALUES (3, 'b', NULL);
SELECT dtmodel.restore(NULL::users, 1);
\echo :SQLSTATE
SELECT id, is_deleted FROM users ORDER BY id;
-- by row, and all rows of a deletion
DELETE FROM users WHERE id = 3;
INSERT INTO users VALUES (4, 'b', NULL);
SELECT (dtmodel.restore(u)).id FROM users AS u WHERE id = 3;
SELECT dtmodel.restore_deletion(NULL::users, deleted_at) FROM users WHERE id = 3;
-- a trigger that raises the error itself has its own hint
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE unique_violation USING MESSAGE = 'taken', HINT = 'mine', TABLE = 'mine', CONSTRAINT = 'mine'; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT (dtmodel.restore(u)).id FROM users AS u WHERE id = 3;
SELECT id, is_deleted FROM users ORDER BY id;

-- composite keys in another order, another schema, other owners, other types
CREATE ROLE cascade_owner;
CREATE ROLE cascade_user;
GRANT USAGE ON SCHEMA cascade, elsewhere TO cascade_owner, cascade_user;
GRANT CREATE ON SCHEMA elsewhere TO cascade_owner;
CREATE TABLE orders (a int, "B" bigint, gone timestamp, PRIMARY KEY ("B", a));
GRANT REFERENCES ON orders TO cascade_owner;
SET ROLE cascade_owner;
CREATE TABLE elsewhere."order lines" (id int PRIMARY KEY, x bigint, y smallint,
    FOREIGN KEY (y, x) REFERENCES cascade.orders (a, "B") ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('elsewhere."order lines"', flag => 'live', flag_means => 'live');
RESET ROLE;
SELECT dtmodel.add_soft_delete('orders', flag => NULL, deleted_at => 'gone');
INSERT INTO orders VALUES (1, 10), (10, 1);
INSERT INTO elsewhere."order lines" VALUES (1, 10, 1), (2, 1, 10), (3, NULL, 1), (4, 10, 1);
ALTER TABLE elsewhere."order lines" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
GRANT DELETE, SELECT, UPDATE ON orders TO cascade_user;
SET ROLE cascade_user;
DELETE FROM orders WHERE a = 1;
SELECT count(*) FROM elsewhere."order lines";
\echo :SQLSTATE
RESET ROLE;
SELECT id, live, deleted_at = (SELECT gone AT TIME ZONE 'UTC' FROM orders WHERE a = 1) AS same FROM elsewhere."order lines" ORDER BY id;
SET ROLE cascade_user;
SELECT (dtmodel.restore(o)).a FROM orders AS o WHERE a = 1;
RESET ROLE;
SELECT id, live FROM elsewhere."order lines" ORDER BY id;

-- a tree and a cycle of 10,000 levels
CREATE TABLE nodes (id int PRIMARY KEY, parent int REFERENCES nodes ON DELETE CASCADE);
CREATE INDEX ON nodes (parent);
SELECT dtmodel.add_soft_delete('nodes');
INSERT INTO nodes SELECT i, nullif(i - 1, 0) FROM generate_series(1, 10000) AS i;
DELETE FROM nodes WHERE id = 1;
SELECT count(*), count(DISTINCT deleted_at) FROM nodes WHERE is_deleted;
SELECT (dtmodel.restore(NULL::nodes, 1)).id;
SELECT count(*) FROM nodes WHERE is_deleted;
UPDATE nodes SET parent = 10000 WHERE id = 1;
DELETE FROM nodes WHERE id = 5000;
SELECT count(*), count(DISTINCT deleted_at) FROM nodes WHERE is_deleted;
SELECT deleted_at AS t FROM nodes LIMIT 1 \gset
SELECT dtmodel.restore_deletion(NULL::nodes, :'t');
SELECT count(*) FROM nodes WHERE is_deleted;

-- partitioned parents and children
CREATE TABLE regions (id int, part int, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE regions_1 PARTITION OF regions FOR VALUES IN (1);
CREATE TABLE regions_2 (part int, id int, PRIMARY KEY (id, part));
ALTER TABLE regions ATTACH PARTITION regions_2 FOR VALUES IN (2);
CREATE TABLE shops (id int, part int, region int, PRIMARY KEY (id, part),
    FOREIGN KEY (region, part) REFERENCES regions ON DELETE CASCADE) PARTITION BY LIST (part);
CREATE TABLE shops_1 PARTITION OF shops FOR VALUES IN (1);
CREATE TABLE shops_2 PARTITION OF shops FOR VALUES IN (2);
SELECT dtmodel.add_soft_delete('regions');
SELECT dtmodel.add_soft_delete('shops');
INSERT INTO regions SELECT i, 1 + i % 2 FROM generate_series(1, 4) AS i;
INSERT INTO shops SELECT i, 1 + i % 2, i FROM generate_series(1, 4) AS i;
DELETE FROM regions WHERE id <= 2;
SELECT tableoid::regclass, id, is_deleted FROM shops ORDER BY id;
SELECT count(DISTINCT deleted_at) FROM (SELECT deleted_at FROM regions UNION SELECT deleted_at FROM shops) AS d WHERE deleted_at IS NOT NULL;
SELECT (dtmodel.restore(NULL::regions, '{"id": 1, "part": 2}')).id;
SELECT id, is_deleted FROM shops ORDER BY id;

-- with keys renamed, retyped and dropped after plans were saved
DELETE FROM books WHERE id = 1;
SELECT (dtmodel.restore(NULL::books, 1)).id;
ALTER TABLE chapters RENAME COLUMN book TO "the book";
ALTER TABLE books RENAME COLUMN id TO number;
ALTER TABLE chapters RENAME TO parts;
DELETE FROM books WHERE number = 1;
SELECT id, is_deleted FROM parts ORDER BY id;
SELECT (dtmodel.restore(NULL::books, 1)).number;
DROP VIEW state;
ALTER TABLE parts ALTER COLUMN "the book" TYPE bigint;
DELETE FROM books WHERE number = 1;
SELECT id, is_deleted FROM parts ORDER BY id;
SELECT (dtmodel.restore(NULL::books, 1)).number;
ALTER TABLE parts DROP COLUMN "the book";
DELETE FROM books WHERE number = 1;
SELECT id, is_deleted FROM parts ORDER BY id;

-- an unrelated DELETE by a trigger during the cascade is soft, and belongs to the same deletion
CREATE TABLE others (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('others');
INSERT INTO others VALUES (1);
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM cascade.others; RETURN NULL; END $$;
CREATE TRIGGER meddle AFTER UPDATE ON books FOR EACH ROW EXECUTE FUNCTION meddle();
DELETE FROM authors WHERE id = 2;
SELECT o.is_deleted, o.deleted_at = b.deleted_at AS one_deletion FROM others AS o, books AS b WHERE b.number = 3;

-- the trigger functions cannot be called directly
SELECT dtmodel_internal.soft_cascade_trigger();
\echo :SQLSTATE
SELECT dtmodel.restore_deletion(NULL::plain, now());
\echo :SQLSTATE

-- a child whose trigger is disabled is left alone
CREATE TABLE heads (id int PRIMARY KEY);
CREATE TABLE limbs (id int PRIMARY KEY, head int REFERENCES heads ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('heads'), dtmodel.add_soft_delete('limbs');
INSERT INTO heads VALUES (1);
INSERT INTO limbs VALUES (1, 1);
ALTER TABLE limbs DISABLE TRIGGER zz_dtmodel_soft_delete;
DELETE FROM heads;
SELECT (SELECT is_deleted FROM heads) AS head, (SELECT is_deleted FROM limbs) AS limb;
SELECT problem, repair, advice FROM dtmodel.drift('limbs');

-- a row that says in its flag only that it is deleted: those below are deleted and restored with it
CREATE TABLE flagged (id int PRIMARY KEY);
CREATE TABLE below_flagged (id int PRIMARY KEY, flagged int REFERENCES flagged ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('flagged'), dtmodel.add_soft_delete('below_flagged');
ALTER TABLE flagged DROP CONSTRAINT ck_flagged_soft_delete;
ALTER TABLE flagged DISABLE TRIGGER zz_dtmodel_soft_delete_flag;
INSERT INTO flagged VALUES (1, false, '2020-01-01');
INSERT INTO below_flagged VALUES (1, 1);
UPDATE flagged SET is_deleted = true, deleted_at = NULL;
SELECT is_deleted FROM below_flagged;
UPDATE flagged SET is_deleted = false, deleted_at = '2020-01-01';
SELECT is_deleted, deleted_at FROM below_flagged;

-- a row is deleted for good with the parent whose key says so, not with one of another key
CREATE TABLE nulled (id int PRIMARY KEY);
CREATE TABLE deleting (id int PRIMARY KEY);
CREATE TABLE both_below (id int PRIMARY KEY, a int REFERENCES nulled ON DELETE SET NULL, b int REFERENCES deleting ON DELETE CASCADE, c int REFERENCES nulled);
SELECT dtmodel.add_soft_delete('both_below');
INSERT INTO nulled VALUES (1), (2);
INSERT INTO deleting VALUES (1), (2);
INSERT INTO both_below VALUES (1, 1, 1, 2), (2, 1, 2, 2);
DELETE FROM nulled WHERE id = 1;
DELETE FROM deleting WHERE id = 1;
SELECT id, a, b, c, is_deleted FROM both_below;

DROP SCHEMA cascade CASCADE;
DROP SCHEMA elsewhere CASCADE;
DROP ROLE cascade_owner, cascade_user;
