--
-- dtmodel.as_of with a history that is partitioned by month
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA preloaded_history_partitions;
SET search_path = preloaded_history_partitions;
SET timezone = 'UTC';
CREATE TABLE users (id int PRIMARY KEY, name text);
CREATE TABLE orders (id int PRIMARY KEY, buyer int REFERENCES users, v text);
SELECT dtmodel.add_model('users'), dtmodel.add_model('orders');
SELECT dtmodel.add_history('users', partition_by => 'month'), dtmodel.add_history('orders', partition_by => 'month');
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
INSERT INTO users (id, name, created_at, updated_at) SELECT n, 'a', t, t FROM generate_series(1, 3) AS n, (SELECT '2020-01-05'::timestamptz AS t) AS s;
INSERT INTO orders (id, buyer, v, created_at, updated_at) SELECT n, n, 'a', t, t FROM generate_series(1, 3) AS n, (SELECT '2020-01-05'::timestamptz AS t) AS s;
UPDATE users SET name = 'b', updated_at = '2020-02-01';
UPDATE orders SET v = 'b', updated_at = '2020-02-10' WHERE id < 3;
UPDATE users SET name = 'c', updated_at = '2020-03-01';
COMMIT;
UPDATE users SET name = 'd';
SELECT unnest(dtmodel.add_history_partitions('users', 0));

CREATE VIEW bought AS SELECT u.name, o.v FROM users AS u JOIN orders AS o ON o.buyer = u.id;
PREPARE past AS SELECT name, count(*) FROM users GROUP BY 1;
BEGIN;
SET LOCAL dtmodel.as_of = '2020-02-05';
SELECT id, name FROM users ORDER BY id;
-- ONLY leaves out no partitions
SELECT id, name FROM ONLY users ORDER BY id;
SELECT * FROM bought;
EXECUTE past;
SET LOCAL dtmodel.as_of = '2020-02-15';
SELECT * FROM bought ORDER BY v;
SET LOCAL dtmodel.as_of = '2020-03-01';
EXECUTE past;
COMMIT;
EXECUTE past;
-- a partition that is gone, and one that is new
SELECT dtmodel.add_history_partitions('users', 0);
DROP TABLE users_history_2020_02;
SELECT unnest(dtmodel.add_history_partitions('orders', 0));
BEGIN;
SET LOCAL dtmodel.as_of = '2020-01-20';
EXECUTE past;
SELECT count(*) FROM orders;
ROLLBACK;

SET client_min_messages = warning;
DROP SCHEMA preloaded_history_partitions CASCADE;
