--
-- soft delete: cascades and restores of rows that a BEFORE trigger moves to
-- another partition, and MERGE that meets a row twice
--
-- 14 has no MERGE, and follows foreign keys for a moved row as for a deleted one
SELECT current_setting('server_version_num')::int < 150000 AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA cascade_moves;
SET search_path = cascade_moves;

-- deleted orders move to an archive partition
CREATE TABLE customers (id int PRIMARY KEY);
CREATE TABLE orders (id int, archived bool NOT NULL DEFAULT false,
    customer int REFERENCES customers ON DELETE CASCADE,
    PRIMARY KEY (id, archived)) PARTITION BY LIST (archived);
CREATE TABLE orders_now PARTITION OF orders FOR VALUES IN (false);
CREATE TABLE orders_archive PARTITION OF orders FOR VALUES IN (true);
CREATE TABLE lines (id int PRIMARY KEY, ord int, archived bool NOT NULL,
    FOREIGN KEY (ord, archived) REFERENCES orders ON UPDATE CASCADE ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('customers');
SELECT dtmodel.add_soft_delete('orders');
SELECT dtmodel.add_soft_delete('lines');
CREATE FUNCTION archive() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.archived := NEW.is_deleted; RETURN NEW; END $$;
CREATE TRIGGER archive BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION archive();
CREATE VIEW state AS
    SELECT 'customer' AS kind, id, NULL AS archived, is_deleted FROM customers
    UNION ALL SELECT 'order', id, archived::text, is_deleted FROM orders
    UNION ALL SELECT 'line', id, archived::text, is_deleted FROM lines
    ORDER BY 1, 2;
INSERT INTO customers VALUES (1), (2);
INSERT INTO orders VALUES (1, false, 1), (2, false, 1), (3, false, 2);
INSERT INTO lines VALUES (1, 1, false), (2, 1, false), (3, 2, false), (4, 3, false);
DELETE FROM customers WHERE id = 1;
TABLE state;
SELECT (dtmodel.restore(c)).id FROM customers AS c WHERE id = 1;
TABLE state;

-- by an UPDATE that moves them itself, many at once
UPDATE orders SET is_deleted = true;
TABLE state;
UPDATE orders SET is_deleted = false WHERE id <> 2;
TABLE state;

-- an UPDATE that a later trigger skips, and then a DELETE of the same row
CREATE TABLE parted (id int, k int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
SELECT dtmodel.add_soft_delete('parted'), dtmodel.add_audit('parted');
CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER zzzz_veto BEFORE UPDATE ON parted FOR EACH ROW
    WHEN (NOT NEW.is_deleted) EXECUTE FUNCTION veto();
INSERT INTO parted VALUES (1, 1), (2, 1), (3, 1);
WITH u AS (UPDATE parted SET k = 2 WHERE id = 1 RETURNING id)
    DELETE FROM parted WHERE id = 1 AND (SELECT count(*) FROM u) = 0;
SELECT id, k, is_deleted FROM parted WHERE id = 1;
MERGE INTO parted AS p USING (VALUES (1, 2), (2, 2)) AS s (step, id) ON p.id = s.id
    WHEN MATCHED AND s.step = 1 THEN UPDATE SET k = 2
    WHEN MATCHED THEN DELETE;
SELECT id, k, is_deleted FROM parted WHERE id = 2;
-- an INSERT of the same statement is not mistaken for the row that did not arrive
WITH u AS (UPDATE parted SET k = 2 WHERE id = 3 RETURNING id)
    INSERT INTO parted (id, k, created_by) SELECT 4, 2, 'forged' WHERE (SELECT count(*) FROM u) = 0;
SELECT id, created_by = current_user AS honest FROM parted WHERE id = 4;

-- rows of two partitions that one statement moves, and deletes
CREATE TABLE gathered (id int, k int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE gathered_1 PARTITION OF gathered FOR VALUES IN (1);
CREATE TABLE gathered_2 PARTITION OF gathered FOR VALUES IN (2);
CREATE TABLE gathered_3 PARTITION OF gathered FOR VALUES IN (3);
CREATE TABLE below_gathered (id int PRIMARY KEY, g int, k int, FOREIGN KEY (g, k) REFERENCES gathered ON UPDATE CASCADE ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('gathered'), dtmodel.add_soft_delete('below_gathered');
INSERT INTO gathered VALUES (1, 1), (2, 2);
INSERT INTO below_gathered VALUES (1, 1, 1), (2, 2, 2);
UPDATE gathered SET k = 3, is_deleted = true;
SELECT id, k, is_deleted FROM gathered ORDER BY id;
SELECT id, k, is_deleted FROM below_gathered ORDER BY id;

DROP SCHEMA cascade_moves CASCADE;
