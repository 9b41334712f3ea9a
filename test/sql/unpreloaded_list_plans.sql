--
-- get_all in the plan of its caller without preloading: the function's support function, which PostgreSQL 19 asks
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA unpreloaded_lists;
SET search_path = unpreloaded_lists;

CREATE TABLE posts (id int PRIMARY KEY, title text);
SELECT dtmodel.add_soft_delete('posts');
INSERT INTO posts VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four');
DELETE FROM posts WHERE id = 3;
CREATE FUNCTION is_planned(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line ~ 'Function Scan on get_all' THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;
SELECT is_planned('SELECT * FROM dtmodel.get_all(NULL::posts)') = (current_setting('server_version_num')::int >= 190000) AS as_expected;
SELECT is_planned('SELECT * FROM dtmodel.get_all(NULL::posts, 2, after_id => 1) AS p WHERE p.id = 2') = (current_setting('server_version_num')::int >= 190000) AS as_expected;
SELECT is_planned('SELECT * FROM dtmodel.get_all(NULL::posts) WITH ORDINALITY');
SELECT is_planned('SELECT * FROM dtmodel.get_all(NULL::posts, (random() * 10)::bigint)');

-- the arguments are those of the call, whatever the numbers of the parameters in it
PREPARE page (int, bigint, bigint) AS SELECT $1 AS page, p.* FROM dtmodel.get_all(NULL::posts, $3, $2) AS p WHERE p.id > $1;
EXECUTE page (0, 1, 1);
EXECUTE page (0, NULL, 2);
SET plan_cache_mode = force_generic_plan;
EXECUTE page (0, 1, 1);
EXECUTE page (0, NULL, 2);
EXECUTE page (1, 0, NULL);
SELECT n, p.id FROM generate_series(1, 2) AS n, dtmodel.get_all(NULL::posts, n, n - 1) AS p ORDER BY n, id;

DROP SCHEMA unpreloaded_lists CASCADE;
