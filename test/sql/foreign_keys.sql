--
-- soft delete with foreign keys: no child refers to a missing row, and no row is deleted by mistake
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA foreign_keys;
SET search_path = foreign_keys;

-- a physical delete of a parent deletes its children with soft delete physically too
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (id int PRIMARY KEY, parent_id int REFERENCES parents ON DELETE CASCADE);
CREATE TABLE grandchildren (id int PRIMARY KEY, child_id int REFERENCES children ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('children');
SELECT dtmodel.add_soft_delete('grandchildren');
CREATE VIEW state AS
    SELECT 'child' AS what, id, parent_id AS of, is_deleted FROM children
    UNION ALL SELECT 'grandchild', id, child_id, is_deleted FROM grandchildren
    ORDER BY 1, 2;
INSERT INTO parents VALUES (1), (2), (3);
INSERT INTO children VALUES (1, 1), (2, 2), (3, NULL), (4, 1);
INSERT INTO grandchildren VALUES (1, 1), (2, 2), (3, 3);
DELETE FROM children WHERE id = 4;
DELETE FROM parents WHERE id = 1;
TABLE state;

-- an unrelated DELETE inside that cascade stays soft
CREATE TABLE others (id int PRIMARY KEY, parent_id int REFERENCES parents ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('others');
INSERT INTO others VALUES (1, 3), (2, NULL), (3, 2);
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM foreign_keys.others; RETURN OLD; END $$;
CREATE TRIGGER meddle BEFORE DELETE ON children FOR EACH ROW EXECUTE FUNCTION meddle();
DELETE FROM parents WHERE id = 2;
TABLE state;
SELECT id, parent_id, is_deleted FROM others ORDER BY id;
DROP TRIGGER meddle ON children;

-- keys of several columns in another order, of other types, with nulls
CREATE TABLE orders (a int, b bigint, PRIMARY KEY (b, a));
CREATE TABLE lines (id int PRIMARY KEY, x bigint, y smallint, FOREIGN KEY (y, x) REFERENCES orders (a, b) ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('lines');
INSERT INTO orders VALUES (1, 10), (2, 20), (10, 1);
INSERT INTO lines VALUES (1, 10, 1), (2, 20, 2), (3, NULL, 1), (4, 1, 10);
DELETE FROM orders WHERE a = 1;
SELECT id, x, y, is_deleted FROM lines ORDER BY id;
CREATE TABLE codes (code varchar(10) PRIMARY KEY, amount numeric UNIQUE);
CREATE TABLE coded (id int PRIMARY KEY, code text REFERENCES codes ON DELETE CASCADE, amount int REFERENCES codes (amount) ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('coded');
INSERT INTO codes VALUES ('a', 1.0), ('b', 2);
INSERT INTO coded VALUES (1, 'a', NULL), (2, 'b', NULL), (3, NULL, 1), (4, NULL, 2);
DELETE FROM codes WHERE code = 'a';
SELECT id, code, amount, is_deleted FROM coded ORDER BY id;

-- a tree that references itself
CREATE TABLE nodes (id int PRIMARY KEY, parent_id int REFERENCES nodes ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('nodes');
INSERT INTO nodes VALUES (1, NULL), (2, 1), (3, 2), (4, NULL), (5, 5);
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
DELETE FROM nodes WHERE id IN (1, 5);
COMMIT;
SELECT id, parent_id, is_deleted FROM nodes ORDER BY id;

-- a partitioned parent, whose own index has no rows
CREATE TABLE regions (id int PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE regions_1 PARTITION OF regions FOR VALUES IN (1);
CREATE TABLE regions_2 PARTITION OF regions FOR VALUES IN (2);
CREATE TABLE shops (id int PRIMARY KEY, region_id int REFERENCES regions ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('shops');
INSERT INTO regions VALUES (1), (2);
INSERT INTO shops VALUES (1, 1), (2, 2);
DELETE FROM regions WHERE id = 1;
SELECT id, is_deleted FROM shops ORDER BY id;

-- other foreign keys still see the rows that a soft delete leaves
CREATE TABLE authors (id int PRIMARY KEY);
CREATE TABLE books (id int PRIMARY KEY, author_id int REFERENCES authors, editor_id int REFERENCES authors ON DELETE SET NULL);
SELECT dtmodel.add_soft_delete('authors');
SELECT dtmodel.add_soft_delete('books');
INSERT INTO authors VALUES (1), (2);
INSERT INTO books VALUES (1, 1, 2);
DELETE FROM authors;
DELETE FROM books;
SELECT id, author_id, editor_id, is_deleted FROM books;
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
DELETE FROM authors WHERE id = 2;
SELECT id, author_id, editor_id, is_deleted FROM books;
DELETE FROM authors WHERE id = 1;
\echo :SQLSTATE
ROLLBACK;

-- deferred constraints, and a unique one that is checked at the end
CREATE TABLE seats (id int PRIMARY KEY, place int UNIQUE DEFERRABLE INITIALLY DEFERRED, guest int REFERENCES authors DEFERRABLE INITIALLY DEFERRED);
SELECT dtmodel.add_soft_delete('seats');
BEGIN;
INSERT INTO seats VALUES (1, 1, 9);
DELETE FROM seats WHERE id = 1;
INSERT INTO authors VALUES (9);
COMMIT;
BEGIN;
INSERT INTO seats VALUES (2, 1);
DELETE FROM seats WHERE id = 2;
COMMIT;
\echo :SQLSTATE
SELECT id, place, guest, is_deleted FROM seats ORDER BY id;

DROP SCHEMA foreign_keys CASCADE;
