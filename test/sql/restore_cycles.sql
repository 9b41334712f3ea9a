--
-- deletions and restores where tables reference each other, or themselves,
-- and association tables
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA restore_cycles;
SET search_path = restore_cycles;

-- two tables
CREATE TABLE x (id int PRIMARY KEY, y int);
CREATE TABLE y (id int PRIMARY KEY, x int REFERENCES x ON DELETE CASCADE);
ALTER TABLE x ADD FOREIGN KEY (y) REFERENCES y ON DELETE CASCADE;
SELECT dtmodel.add_soft_delete('x'), dtmodel.add_soft_delete('y');
INSERT INTO x VALUES (1);
INSERT INTO y VALUES (1, 1), (2, 1);
UPDATE x SET y = 1;
CREATE VIEW state AS SELECT 'x' AS t, id, is_deleted FROM x UNION ALL SELECT 'y', id, is_deleted FROM y ORDER BY t, id;
DELETE FROM x;
TABLE state;
SELECT (dtmodel.restore(t)).id FROM x AS t;
TABLE state;
DELETE FROM y WHERE id = 1;
TABLE state;
SELECT (dtmodel.restore(t)).id FROM y AS t WHERE id = 1;
TABLE state;
DELETE FROM x;
SELECT dtmodel.restore_deletion(NULL::x, deleted_at) FROM x;
TABLE state;
DELETE FROM x;
SELECT dtmodel.restore_deletion(NULL::y, deleted_at) FROM y LIMIT 1;
TABLE state;

-- a table whose rows reference two rows of it
CREATE TABLE nodes (id int PRIMARY KEY, parent int REFERENCES nodes ON DELETE CASCADE, root int REFERENCES nodes ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('nodes');
INSERT INTO nodes VALUES (1, NULL, NULL), (2, 1, 1), (3, 2, 1), (4, 3, 1), (5, 4, 1);
DELETE FROM nodes WHERE id = 1;
SELECT count(*) FROM nodes WHERE is_deleted;
SELECT (dtmodel.restore(n)).id FROM nodes AS n WHERE id = 1;
SELECT count(*) FROM nodes WHERE is_deleted;
UPDATE nodes SET root = 5 WHERE id = 1;
DELETE FROM nodes WHERE id = 3;
SELECT count(*) FROM nodes WHERE is_deleted;
SELECT (dtmodel.restore(n)).id FROM nodes AS n WHERE id = 4;
SELECT count(*) FROM nodes WHERE is_deleted;
UPDATE nodes SET parent = id;
DELETE FROM nodes WHERE id = 3;
SELECT id FROM nodes WHERE is_deleted;
SELECT (dtmodel.restore(n)).id FROM nodes AS n WHERE id = 3;
SELECT id FROM nodes WHERE is_deleted;

-- association rows are restored with the last of the rows that they join
CREATE TABLE books (a int, b int, PRIMARY KEY (b, a));
CREATE TABLE tags (name text PRIMARY KEY);
CREATE TABLE book_tags (tag text REFERENCES tags ON DELETE CASCADE, a int, b int, PRIMARY KEY (a, b, tag),
    FOREIGN KEY (a, b) REFERENCES books (a, b) ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('books'), dtmodel.add_soft_delete('tags'), dtmodel.add_soft_delete('book_tags');
INSERT INTO books VALUES (1, 2), (2, 1);
INSERT INTO tags VALUES ('new'), ('old');
INSERT INTO book_tags SELECT name, a, b FROM tags, books;
CREATE VIEW tagged AS SELECT string_agg(concat_ws(' ', a, b, tag), ', ' ORDER BY a, tag) FROM book_tags WHERE NOT is_deleted;
BEGIN;
DELETE FROM book_tags WHERE tag = 'new' OR a = 1;
DELETE FROM tags WHERE name = 'new';
DELETE FROM books WHERE a = 1;
COMMIT;
TABLE tagged;
SELECT (dtmodel.restore(NULL::tags, 'new')).name;
TABLE tagged;
SELECT (dtmodel.restore(o)).a FROM books AS o WHERE a = 1;
TABLE tagged;
DELETE FROM tags WHERE name = 'new';
DELETE FROM books WHERE a = 2;
SELECT (dtmodel.restore(NULL::tags, 'new')).name;
TABLE tagged;
SELECT (dtmodel.restore(o)).a FROM books AS o WHERE a = 2;
TABLE tagged;

-- a purge of a tree, children first
UPDATE nodes SET parent = NULL, root = NULL;
INSERT INTO nodes SELECT i, CASE WHEN i >= 20 THEN i / 2 END FROM generate_series(10, 1000) AS i;
DELETE FROM nodes WHERE id >= 10;
SELECT count(*) FROM nodes WHERE is_deleted;
CALL dtmodel.purge('nodes', '0', 100);
SELECT count(*) FROM nodes;

-- a parent that stays deleted is named, not one that waits for the row itself
CREATE TABLE regions (id int PRIMARY KEY);
CREATE TABLE teams (id int PRIMARY KEY, lead int, region int REFERENCES regions ON DELETE CASCADE);
CREATE TABLE people (id int PRIMARY KEY, team int REFERENCES teams ON DELETE CASCADE);
ALTER TABLE teams ADD CONSTRAINT a_lead FOREIGN KEY (lead) REFERENCES people ON DELETE CASCADE;
SELECT dtmodel.add_soft_delete('regions'), dtmodel.add_soft_delete('teams'), dtmodel.add_soft_delete('people');
INSERT INTO regions VALUES (1);
INSERT INTO teams VALUES (1, NULL, 1);
INSERT INTO people VALUES (1, 1);
UPDATE teams SET lead = 1;
DELETE FROM regions;
\set VERBOSITY terse
SELECT dtmodel.restore(NULL::people, 1);
SELECT dtmodel.restore(NULL::teams, 1);
\set VERBOSITY default
SELECT (dtmodel.restore(NULL::regions, 1)).id;
SELECT (SELECT count(*) FROM teams WHERE is_deleted) AS teams, (SELECT count(*) FROM people WHERE is_deleted) AS people;

-- of several rows that one statement restores, the one whose parent stays deleted is named
CREATE TABLE links (id int PRIMARY KEY, up int REFERENCES links ON DELETE CASCADE, buddy int REFERENCES links ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('links');
INSERT INTO links VALUES (3), (1), (11), (2), (5), (10);
UPDATE links SET up = CASE id WHEN 3 THEN 2 WHEN 2 THEN 1 WHEN 5 THEN 3 WHEN 11 THEN 10 END, buddy = CASE id WHEN 1 THEN 5 END;
DELETE FROM links;
\set VERBOSITY terse
UPDATE links SET is_deleted = false WHERE id IN (1, 3, 11);
\set VERBOSITY default
UPDATE links SET is_deleted = false WHERE id IN (1, 3);
SELECT id FROM links WHERE is_deleted ORDER BY id;

DROP SCHEMA restore_cycles CASCADE;
