--
-- get_all in the plan of its caller: which calls are inlined, and what reaches the table
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE preloaded_list_user;
CREATE SCHEMA preloaded_lists;
GRANT USAGE ON SCHEMA preloaded_lists TO preloaded_list_user;
SET search_path = preloaded_lists;
\set SHOW_CONTEXT never

CREATE TABLE posts (id int PRIMARY KEY, author int, title text);
SELECT dtmodel.add_soft_delete('posts');
INSERT INTO posts SELECT i, i % 100, 'title ' || i FROM generate_series(1, 5000) AS i;
CREATE INDEX posts_author ON posts (author);
CREATE INDEX posts_title ON posts (title);
CREATE TABLE authors (id int PRIMARY KEY, name text);
INSERT INTO authors SELECT i, 'name ' || i FROM generate_series(0, 99) AS i;
CREATE UNIQUE INDEX authors_name ON authors (name);
CREATE TABLE times (id timestamptz PRIMARY KEY);
CREATE DOMAIN some_posts AS posts;
ANALYZE posts, authors;

-- the lines of a plan that depend on what reaches the table
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line ~ 'Function Scan on get_all|Scan using|Seq Scan|Sort|Limit|Index Cond' THEN
            RETURN NEXT regexp_replace(line, '^[ >-]*', '');
        END IF;
    END LOOP;
END $$;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_mergejoin = off;
SET enable_hashjoin = off;
SET enable_memoize = off;
SET enable_incremental_sort = off;

-- all rows, in the order of the key; a LIMIT; a condition; an order of the caller's own
SELECT plan_of('SELECT * FROM dtmodel.get_all(NULL::posts) LIMIT 5');
SELECT plan_of('SELECT * FROM dtmodel.get_all(NULL::posts) WHERE id = 7');
SELECT plan_of('SELECT * FROM dtmodel.get_all(NULL::posts) ORDER BY title LIMIT 5');
SELECT plan_of($$SELECT * FROM dtmodel.get_all(NULL::posts) WHERE title = 'title 7'$$);
SELECT plan_of('SELECT DISTINCT ON (title) * FROM dtmodel.get_all(NULL::posts) ORDER BY title LIMIT 5');
-- a page, which a condition and an order of the caller's own must not reach
SELECT plan_of('SELECT * FROM dtmodel.get_all(NULL::posts, 5, after_id => 100)');
SELECT plan_of($$SELECT * FROM dtmodel.get_all(NULL::posts, 5) WHERE title = 'title 7'$$);
SELECT plan_of('SELECT * FROM dtmodel.get_all(NULL::posts, 5) ORDER BY title');
-- a join, from either side, and with a page
SELECT plan_of($$SELECT * FROM authors AS a JOIN dtmodel.get_all(NULL::posts) AS p ON p.author = a.id WHERE a.name = 'name 1'$$);
SELECT plan_of($$SELECT * FROM authors AS a LEFT JOIN dtmodel.get_all(NULL::posts) AS p ON p.author = a.id WHERE a.name = 'name 1'$$);
SELECT plan_of('SELECT p.id, a.name FROM dtmodel.get_all(NULL::posts, 3) AS p JOIN authors AS a ON a.id = p.author');
-- a function for each row is not a join: the order stays
SELECT plan_of('SELECT d FROM dtmodel.get_all(NULL::posts) AS p, dtmodel.to_dict(p) AS d LIMIT 3');
-- an aggregate sees its rows in their order
SELECT plan_of('SELECT array_agg(id) FROM dtmodel.get_all(NULL::posts) GROUP BY author ORDER BY author');
-- EXISTS and IN need no order, but a LIMIT in them does
SELECT plan_of($$SELECT * FROM authors AS a WHERE a.name = 'name 1' AND EXISTS (SELECT FROM dtmodel.get_all(NULL::posts) AS p WHERE p.author = a.id)$$);
SELECT plan_of($$SELECT * FROM authors AS a WHERE a.name = 'name 1' AND a.id IN (SELECT author FROM dtmodel.get_all(NULL::posts))$$);
SELECT plan_of($$SELECT * FROM authors AS a WHERE a.name = 'name 1' AND a.id IN (SELECT author FROM dtmodel.get_all(NULL::posts) LIMIT 3)$$);
-- in a CTE, a subquery, a view, an SQL function, an UPDATE
SELECT plan_of('WITH p AS (SELECT * FROM dtmodel.get_all(NULL::posts)) SELECT * FROM p WHERE id = 7');
SELECT plan_of('SELECT (SELECT title FROM dtmodel.get_all(NULL::posts) AS p WHERE p.id = a.id) FROM authors AS a WHERE a.id = 1');
CREATE VIEW listed AS SELECT * FROM dtmodel.get_all(NULL::posts);
SELECT plan_of('SELECT title FROM listed WHERE id = 7');
SELECT plan_of($$SELECT l.title FROM authors AS a JOIN listed AS l ON l.author = a.id WHERE a.name = 'name 1'$$);
SELECT plan_of($$SELECT title FROM (SELECT * FROM dtmodel.get_all(NULL::posts) LIMIT 5) AS p JOIN authors AS a ON a.id = p.author ORDER BY title$$);
SELECT plan_of($$SELECT title FROM dtmodel.get_all(NULL::posts) WHERE author = 7 UNION ALL SELECT name FROM authors WHERE id = 7 ORDER BY title$$);
CREATE FUNCTION of_author(int) RETURNS SETOF posts LANGUAGE sql STABLE AS 'SELECT * FROM dtmodel.get_all(NULL::preloaded_lists.posts) WHERE author = $1';
SELECT plan_of('SELECT title FROM of_author(7)');
SELECT plan_of('UPDATE authors SET name = title FROM dtmodel.get_all(NULL::posts) AS p WHERE p.id = authors.id AND p.id = 7');

-- parameters: known to a plan for them, unknown to one for all
PREPARE page (bigint, int) AS SELECT id FROM dtmodel.get_all(NULL::posts, $1, after_id => $2);
SET plan_cache_mode = force_custom_plan;
SELECT plan_of('EXECUTE page (2, 7)');
SELECT plan_of('EXECUTE page (2, NULL)');
SET plan_cache_mode = force_generic_plan;
SELECT plan_of('EXECUTE page (2, 7)');
PREPARE first (bigint) AS SELECT id FROM dtmodel.get_all(NULL::posts, $1);
SELECT plan_of('EXECUTE first (2)');

-- what the function answers itself
SELECT plan_of('SELECT * FROM dtmodel.get_all(NULL::posts) WITH ORDINALITY');
SELECT plan_of('SELECT * FROM ROWS FROM (dtmodel.get_all(NULL::posts), generate_series(1, 2))');
SELECT plan_of('SELECT * FROM dtmodel.get_all(NULL::posts, (random() * 10)::bigint)');
SELECT plan_of('SELECT * FROM dtmodel.get_all(NULL::posts, (SELECT 1))');
SELECT plan_of('SELECT p.* FROM authors AS a, dtmodel.get_all(NULL::posts, 1, after_id => a.id) AS p WHERE a.id = 1');
SELECT plan_of($$SELECT * FROM dtmodel.get_all(NULL::times, after_id => '2024-01-01')$$);
SELECT plan_of($$SELECT * FROM dtmodel.get_all(NULL::times, after_id => '2024-01-01 00:00+00'::timestamptz)$$);
SELECT plan_of('SELECT * FROM dtmodel.get_all(NULL::some_posts)');
SELECT plan_of('SELECT * FROM dtmodel.get_all(NULL::listed)');
SET dtmodel.rewrite = off;
SELECT 'Function Scan on get_all' IN (SELECT plan_of('SELECT * FROM dtmodel.get_all(NULL::posts) WHERE id = 7')) OR current_setting('server_version_num')::int >= 190000 AS by_function;
RESET dtmodel.rewrite;

-- what a kept plan depends on: the function, the table, its policies, its columns
PREPARE kept AS SELECT id FROM dtmodel.get_all(NULL::posts) WHERE id = 7;
SELECT plan_of('EXECUTE kept');
ALTER FUNCTION dtmodel.get_all SET work_mem = '1MB';
SELECT plan_of('EXECUTE kept');
ALTER FUNCTION dtmodel.get_all RESET ALL;
SELECT plan_of('EXECUTE kept');
REVOKE EXECUTE ON FUNCTION dtmodel.get_all FROM public;
GRANT SELECT ON posts TO preloaded_list_user;
SET ROLE preloaded_list_user;
EXECUTE kept;
\echo :SQLSTATE
RESET ROLE;
GRANT EXECUTE ON FUNCTION dtmodel.get_all TO public;
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
SELECT plan_of('EXECUTE kept');
ALTER TABLE posts DISABLE ROW LEVEL SECURITY;
DEALLOCATE kept;
PREPARE kept AS SELECT id FROM dtmodel.get_all(NULL::posts) WHERE id = 7;
SELECT plan_of('EXECUTE kept');
ALTER TABLE posts DROP CONSTRAINT posts_pkey;
SELECT plan_of('EXECUTE kept');
ALTER TABLE posts ADD PRIMARY KEY (title);
CREATE INDEX posts_id ON posts (id);
SELECT plan_of('EXECUTE kept');
SELECT plan_of('SELECT id FROM listed LIMIT 1');
CREATE VIEW of_rows AS SELECT id, p FROM dtmodel.get_all(NULL::posts) AS p;
CREATE VIEW of_dicts AS SELECT id, (SELECT d FROM dtmodel.to_dict(p) AS d) FROM dtmodel.get_all(NULL::posts) AS p;
SELECT plan_of('SELECT id FROM of_rows LIMIT 1');
-- views that are older than a column; the key has a column that they lack
ALTER TABLE posts ADD COLUMN more int;
ALTER TABLE posts DROP CONSTRAINT posts_pkey, ALTER more SET DEFAULT 0;
UPDATE posts SET more = -id;
ALTER TABLE posts ADD PRIMARY KEY (more);
ANALYZE posts;
SELECT plan_of('SELECT id FROM listed LIMIT 1');
SELECT plan_of('SELECT id FROM listed WHERE id = 7');
SELECT plan_of('SELECT l.id, a.name FROM listed AS l JOIN authors AS a ON a.id = l.author WHERE l.id = 7');
SELECT id, title FROM listed LIMIT 2;
SELECT l FROM listed AS l LIMIT 1;
SELECT plan_of('SELECT id FROM of_rows LIMIT 1');
SELECT plan_of('SELECT id FROM of_dicts LIMIT 1');
SELECT plan_of('SELECT id FROM dtmodel.get_all(NULL::posts) LIMIT 1');
RESET plan_cache_mode;

-- a function that runs with the privileges of its owner is called
BEGIN;
ALTER FUNCTION dtmodel.get_all SECURITY DEFINER;
SELECT plan_of('SELECT id FROM dtmodel.get_all(NULL::posts) LIMIT 1');
ROLLBACK;
SELECT plan_of('SELECT p.id FROM authors AS a, LATERAL dtmodel.get_all(NULL::posts, after_id => a.id) AS p');
SELECT plan_of('SELECT id FROM dtmodel.get_all(NULL::posts, 5, (random() * 10)::int)');
SELECT plan_of('SELECT id FROM dtmodel.get_all(NULL::posts, (random() * 10)::int)');

-- a table that is given by a row, and what is known only when the query runs
SELECT plan_of('SELECT a.id FROM authors AS x, dtmodel.get_all(x) AS a');
SELECT plan_of('SELECT p.id FROM (VALUES (true), (false)) AS v (x), dtmodel.get_all(NULL::posts, include_deleted => v.x) AS p');
SELECT count(*) FROM (VALUES (true), (false)) AS v (x), dtmodel.get_all(NULL::posts, include_deleted => v.x) AS p;

DROP SCHEMA preloaded_lists CASCADE;
DROP ROLE preloaded_list_user;
