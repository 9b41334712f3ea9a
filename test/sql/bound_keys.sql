--
-- what clients bind to the functions by key, and what they get where there is no row
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA bound_keys;
SET search_path = bound_keys;

CREATE TABLE users (id uuid PRIMARY KEY, name text);
CREATE TABLE posts (id bigint PRIMARY KEY, title text);
SELECT dtmodel.add_soft_delete('users'), dtmodel.add_soft_delete('posts');
INSERT INTO users VALUES ('00000000-0000-0000-0000-000000000001', 'Ann');
INSERT INTO posts VALUES (1, 'One');

-- a parameter without a type is a text
PREPARE users_get AS SELECT name FROM dtmodel.get_by_id(NULL::users, $1);
PREPARE users_delete AS SELECT name, is_deleted FROM dtmodel.delete(NULL::users, $1);
PREPARE users_restore AS SELECT name, is_deleted FROM dtmodel.restore(NULL::users, $1);
PREPARE users_soft_delete AS SELECT name, is_deleted FROM dtmodel.soft_delete(NULL::users, $1);
PREPARE users_exists AS SELECT dtmodel.exists(NULL::users, $1, include_deleted => true);
PREPARE users_update AS SELECT name FROM dtmodel.update(NULL::users, $1, '{"name": "Bob"}'::jsonb);
PREPARE posts_get AS SELECT title FROM dtmodel.get_by_id(NULL::posts, $1);
PREPARE posts_delete AS SELECT title, is_deleted FROM dtmodel.delete(NULL::posts, $1);
PREPARE posts_restore AS SELECT title, is_deleted FROM dtmodel.restore(NULL::posts, $1);
SELECT name, parameter_types FROM pg_prepared_statements ORDER BY name;
EXECUTE users_get('00000000-0000-0000-0000-000000000001');
EXECUTE users_delete('00000000-0000-0000-0000-000000000001');
EXECUTE users_restore('00000000-0000-0000-0000-000000000001');
EXECUTE users_soft_delete('00000000-0000-0000-0000-000000000001');
EXECUTE users_exists('00000000-0000-0000-0000-000000000001');
EXECUTE users_restore('00000000-0000-0000-0000-000000000001');
EXECUTE users_update('00000000-0000-0000-0000-000000000001');
EXECUTE posts_get('1');
EXECUTE posts_delete('1');
EXECUTE posts_restore('1');
EXECUTE posts_get('one');
\echo :SQLSTATE
DEALLOCATE ALL;

-- a cast, or the client, gives it another one
PREPARE users_cast AS SELECT name FROM dtmodel.get_by_id(NULL::users, $1::uuid);
PREPARE users_uuid (uuid) AS SELECT name FROM dtmodel.get_by_id(NULL::users, $1);
PREPARE users_varchar (varchar) AS SELECT name FROM dtmodel.get_by_id(NULL::users, $1);
PREPARE posts_cast AS SELECT title FROM dtmodel.get_by_id(NULL::posts, $1::int);
PREPARE posts_bigint (bigint) AS SELECT title FROM dtmodel.get_by_id(NULL::posts, $1);
PREPARE posts_smallint (smallint) AS SELECT title FROM dtmodel.get_by_id(NULL::posts, $1);
SELECT name, parameter_types FROM pg_prepared_statements ORDER BY name;
EXECUTE users_cast('00000000-0000-0000-0000-000000000001');
EXECUTE users_uuid('00000000-0000-0000-0000-000000000001');
EXECUTE users_varchar('00000000-0000-0000-0000-000000000001');
EXECUTE posts_cast(1);
EXECUTE posts_bigint(1);
EXECUTE posts_smallint(1);

-- where there is no row: NULL, of which FROM makes a row of nulls
SELECT dtmodel.get_by_id(NULL::posts, 2) IS NULL AS get, dtmodel.restore(NULL::posts, 2) IS NULL AS restore,
       dtmodel.soft_delete(NULL::posts, 2) IS NULL AS soft_delete, dtmodel.delete(NULL::posts, 2) IS NULL AS delete;
SELECT * FROM dtmodel.get_by_id(NULL::posts, 2);
SELECT count(*), count(id) FROM dtmodel.restore(NULL::posts, 2);
-- which a condition leaves out, after the function was called once
SELECT * FROM dtmodel.get_by_id(NULL::posts, 2) WHERE id IS NOT NULL;
SELECT id, title FROM dtmodel.restore(NULL::posts, 2) WHERE id IS NOT NULL;
SELECT id, title FROM dtmodel.soft_delete(NULL::posts, 1) WHERE id IS NOT NULL;
SELECT id, title FROM dtmodel.restore(NULL::posts, 1) WHERE id IS NOT NULL;
DO $$
DECLARE
    post bound_keys.posts := dtmodel.get_by_id(NULL::bound_keys.posts, 2);
BEGIN
    RAISE WARNING 'found: %', post.id IS NOT NULL;
END
$$;

DROP SCHEMA bound_keys CASCADE;
