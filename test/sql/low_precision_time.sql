--
-- deleted_at identifies a deletion, so it must hold microseconds
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA low_precision_time;
SET search_path = low_precision_time;

CREATE TABLE a (id int PRIMARY KEY, deleted_at timestamp(0));
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE, deleted_at timestamptz(3));
CREATE TABLE c (id int PRIMARY KEY, gone timestamptz(5));
CREATE TABLE d (id int PRIMARY KEY, deleted_at timestamptz(6));
SELECT dtmodel.add_soft_delete('a', flag => NULL);
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('b', flag => NULL);
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('c', deleted_at => 'gone');
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('d', flag => NULL);
ALTER TABLE a ALTER COLUMN deleted_at TYPE timestamp;
ALTER TABLE b ALTER COLUMN deleted_at TYPE timestamptz;
SELECT dtmodel.add_soft_delete('a', flag => NULL), dtmodel.add_soft_delete('b', flag => NULL);

-- two deletions within one second are different
INSERT INTO a VALUES (1);
INSERT INTO b VALUES (1, 1), (2, 1);
DELETE FROM b WHERE id = 1;
DELETE FROM a;
SELECT (dtmodel.restore(a)).id FROM a;
SELECT id, deleted_at IS NULL AS live FROM b ORDER BY id;

-- a model that was made before such columns were refused: the statements in
-- the hint work
UPDATE pg_attribute SET atttypmod = 3 WHERE attrelid = 'b'::regclass AND attname = 'deleted_at';
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('b');
SELECT dtmodel.add_soft_delete('b', flag => NULL);
\echo :SQLSTATE
SELECT dtmodel.remove_soft_delete('b');
ALTER TABLE b ALTER COLUMN deleted_at TYPE timestamptz;
SELECT dtmodel.add_soft_delete('b', flag => NULL);
SELECT dtmodel.describe('b') -> 'drift' AS drift;

DROP SCHEMA low_precision_time CASCADE;
