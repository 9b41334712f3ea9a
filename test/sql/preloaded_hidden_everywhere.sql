--
-- hidden rows are hidden in functions, plans and views, but not from the
-- server's own validation
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA preloaded_everywhere;
SET search_path = preloaded_everywhere;

CREATE TABLE posts (id int PRIMARY KEY, v text);
SELECT dtmodel.add_soft_delete('posts', hide => true);
INSERT INTO posts VALUES (1, 'live'), (2, 'deleted');
DELETE FROM posts WHERE id = 2;

-- SQL functions, inlined and not, nested, in a view, in a join, in a target list
CREATE FUNCTION all_stable() RETURNS SETOF posts LANGUAGE sql STABLE AS 'SELECT * FROM preloaded_everywhere.posts';
CREATE FUNCTION all_volatile() RETURNS SETOF posts LANGUAGE sql VOLATILE AS 'SELECT * FROM preloaded_everywhere.posts';
CREATE FUNCTION with_argument(int) RETURNS SETOF posts LANGUAGE sql STABLE AS 'SELECT * FROM preloaded_everywhere.posts WHERE id >= $1';
CREATE FUNCTION nested(int) RETURNS TABLE (i int) LANGUAGE sql STABLE AS 'SELECT id FROM preloaded_everywhere.with_argument($1)';
CREATE FUNCTION one(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT v FROM preloaded_everywhere.posts WHERE id = $1';
CREATE FUNCTION simple(int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM preloaded_everywhere.posts WHERE id = $1)';
CREATE VIEW through AS SELECT * FROM all_stable();
SELECT id FROM all_stable();
SELECT id FROM all_volatile();
SELECT id FROM with_argument(1);
SELECT i FROM nested(1);
SELECT id FROM through;
SELECT g, one(g), simple(g) FROM generate_series(1, 2) AS g;
SELECT g, p.id FROM generate_series(1, 2) AS g LEFT JOIN all_stable() AS p ON p.id = g;
SELECT g, p.id FROM generate_series(1, 2) AS g, LATERAL with_argument(g) AS p;
SELECT count(*) FROM all_stable() WHERE id IN (SELECT id FROM all_stable());
PREPARE inlined AS SELECT id FROM all_stable();
EXECUTE inlined;
SET dtmodel.with_deleted = on;
EXECUTE inlined;
SELECT count(*) FROM all_stable();
RESET dtmodel.with_deleted;
EXECUTE inlined;

-- row_security only affects policies
SET row_security = off;
SELECT count(*) FROM posts;
PREPARE secured AS SELECT count(*) FROM posts;
EXECUTE secured;
SET row_security = on;
EXECUTE secured;
RESET row_security;

-- a materialized view, refreshed
CREATE MATERIALIZED VIEW kept AS SELECT * FROM posts;
SELECT count(*) FROM kept;
REFRESH MATERIALIZED VIEW kept;
SELECT count(*) FROM kept;

-- a foreign key cannot be added if a row refers to a missing row, hidden or not
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (id int PRIMARY KEY, parent int);
SELECT dtmodel.add_soft_delete('children', hide => true);
INSERT INTO parents VALUES (1);
INSERT INTO children VALUES (1, 1), (2, 99);
DELETE FROM children WHERE id = 2;
ALTER TABLE children ADD CONSTRAINT children_parent_fkey FOREIGN KEY (parent) REFERENCES parents;
\echo :SQLSTATE
ALTER TABLE children ADD CONSTRAINT children_parent_fkey FOREIGN KEY (parent) REFERENCES parents NOT VALID;
ALTER TABLE children VALIDATE CONSTRAINT children_parent_fkey;
\echo :SQLSTATE
ALTER TABLE children DROP CONSTRAINT children_parent_fkey;

-- it can if the row refers to a hidden row
SELECT dtmodel.add_soft_delete('parents', hide => true);
UPDATE children SET parent = 1;
SET dtmodel.with_deleted = on;
UPDATE children SET parent = 1;
RESET dtmodel.with_deleted;
DELETE FROM parents;
ALTER TABLE children ADD CONSTRAINT children_parent_fkey FOREIGN KEY (parent) REFERENCES parents;
SELECT convalidated FROM pg_constraint WHERE conname = 'children_parent_fkey' AND connamespace = 'preloaded_everywhere'::regnamespace;

-- a referenced partition, whose row is hidden, cannot be detached
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
SELECT dtmodel.add_soft_delete('parted', hide => true);
CREATE TABLE refers (id int PRIMARY KEY, p int REFERENCES parted);
INSERT INTO parted VALUES (1);
INSERT INTO refers VALUES (1, 1);
DELETE FROM parted;
SELECT count(*) FROM parted;
\set VERBOSITY sqlstate
ALTER TABLE parted DETACH PARTITION parted_1;
\set VERBOSITY default

-- other constraints too
INSERT INTO posts VALUES (2, 'again');
\echo :SQLSTATE
ALTER TABLE posts ADD CONSTRAINT no_deleted CHECK (v <> 'deleted');
\echo :SQLSTATE
CREATE UNIQUE INDEX ON posts ((v IS NOT NULL));
\echo :SQLSTATE

DROP SCHEMA preloaded_everywhere CASCADE;
