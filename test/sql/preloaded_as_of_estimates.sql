--
-- The planner uses the statistics of a model to plan queries on it as it was
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
SET timezone = 'UTC';
CREATE SCHEMA estimates;
SET search_path = estimates, pg_catalog;

-- How many rows the planner expects of a query.
CREATE FUNCTION expected_rows(query text) RETURNS float8
LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN plan -> 0 -> 'Plan' -> 'Plan Rows';
END $$;

-- Whether the estimate is right to within a tenth.
CREATE FUNCTION is_about(expected float8, rows float8) RETURNS boolean
LANGUAGE sql AS 'SELECT $1 BETWEEN $2 * 0.9 AND $2 * 1.1';

CREATE TABLE users (gone int, id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE posts (id int PRIMARY KEY, author int, kind int NOT NULL);
ALTER TABLE users DROP COLUMN gone;
SELECT dtmodel.add_timestamps('users'), dtmodel.add_timestamps('posts');
SELECT dtmodel.add_history('users'), dtmodel.add_history('posts');
INSERT INTO users SELECT i, 'name ' || i FROM generate_series(1, 2000) AS i;
INSERT INTO posts SELECT i, 1 + i % 2000, i % 1000 FROM generate_series(1, 4000) AS i;
CREATE TABLE moment AS SELECT clock_timestamp() AS at;
UPDATE users SET name = 'another ' || id WHERE id % 2 = 0;
ANALYZE users, users_history, posts, posts_history;
SELECT at AS moment FROM moment \gset

-- A join by a key returns as many rows as there are posts, and a GROUP BY as many as there are kinds.
SELECT is_about(expected_rows(format('SELECT * FROM users_as_of(%1$L) AS u JOIN posts_as_of(%1$L) AS p ON p.author = u.id',
                                     :'moment')), 4000) AS function_join,
       is_about(expected_rows(format('SELECT kind FROM posts_as_of(%L) AS p GROUP BY kind', :'moment')), 1000) AS function_groups;
SET dtmodel.as_of = :'moment';
SELECT is_about(expected_rows('SELECT * FROM users AS u JOIN posts AS p ON p.author = u.id'), 4000) AS setting_join,
       is_about(expected_rows('SELECT kind FROM posts AS p GROUP BY kind'), 1000) AS setting_groups;
RESET dtmodel.as_of;

-- Computed columns have no statistics, and neither have whole rows of a union.
SELECT expected_rows(format('SELECT length(name) FROM users_as_of(%L) GROUP BY length(name)', :'moment')) > 0 AS computed,
       expected_rows(format('SELECT u FROM users_as_of(%L) AS u GROUP BY u', :'moment')) > 0 AS whole_row;

-- A partitioned model
CREATE TABLE parts (id int PRIMARY KEY, kind int NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (MINVALUE) TO (1000);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (1000) TO (MAXVALUE);
SELECT dtmodel.add_timestamps('parts');
SELECT dtmodel.add_history('parts');
INSERT INTO parts SELECT i, i % 700 FROM generate_series(1, 2000) AS i;
ANALYZE parts, parts_history;
SELECT is_about(expected_rows(format('SELECT kind FROM parts_as_of(%L) GROUP BY kind', clock_timestamp())), 700) AS partitioned;

-- The planner compares the most common values of columns, but not with an operator that may leak them to a role that
-- does not see all rows.
CREATE TABLE letters (id int PRIMARY KEY, owner name, body text);
SELECT dtmodel.add_timestamps('letters');
SELECT dtmodel.add_history('letters');
INSERT INTO letters SELECT i, CASE i % 2 WHEN 0 THEN 'regress_estimates' ELSE 'other' END, 'body ' || i % 10
FROM generate_series(1, 1000) AS i;
ANALYZE letters, letters_history;
CREATE ROLE regress_estimates;
GRANT USAGE ON SCHEMA estimates TO regress_estimates;
GRANT SELECT ON letters, letters_history TO regress_estimates;
CREATE FUNCTION leak(text, text) RETURNS boolean LANGUAGE plpgsql STABLE AS
$$ BEGIN RAISE WARNING 'leaked'; RETURN true; END $$;
CREATE OPERATOR === (FUNCTION = leak, LEFTARG = text, RIGHTARG = text, JOIN = eqjoinsel);
SET ROLE regress_estimates;
SELECT is_about(expected_rows('SELECT * FROM estimates.letters_as_of(now()) AS a JOIN estimates.letters_as_of(now()) AS b ON a.body = b.body'), 100000) AS safe;
SELECT expected_rows('SELECT * FROM estimates.letters_as_of(now()) AS a JOIN estimates.letters_as_of(now()) AS b ON a.body OPERATOR(estimates.===) b.body') > 0 AS planned;
RESET ROLE;
ALTER TABLE letters ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON letters USING (owner = current_user);
SET ROLE regress_estimates;
SELECT expected_rows('SELECT * FROM estimates.letters_as_of(now()) AS a JOIN estimates.letters_as_of(now()) AS b ON a.body OPERATOR(estimates.===) b.body') > 0 AS planned;
RESET ROLE;

SET client_min_messages = error;
DROP SCHEMA estimates CASCADE;
DROP ROLE regress_estimates;
