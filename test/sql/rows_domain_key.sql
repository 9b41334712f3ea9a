--
-- looking up a row by a key of a domain type calls none of the domain's CHECKs,
-- as a WHERE clause does not: they may be functions of another role
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA rows_domain_key;
SET search_path = rows_domain_key;
CREATE FUNCTION spy(int) RETURNS bool LANGUAGE plpgsql AS
    $$BEGIN RAISE WARNING 'checked %', $1; RETURN true; END$$;
CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0);
CREATE DOMAIN key AS even CHECK (spy(VALUE));
CREATE TABLE posts (id key PRIMARY KEY, n int);
CREATE TABLE pairs (a key, b key, n int, PRIMARY KEY (a, b));
SELECT dtmodel.add_soft_delete('posts'), dtmodel.create_live_view('posts');
INSERT INTO posts VALUES (2, 1), (4, 1);
INSERT INTO pairs VALUES (2, 4);

\echo looking
SELECT dtmodel.get_by_id(NULL::posts, 2), dtmodel.get_by_id(NULL::posts, '4'), dtmodel.get_by_id(NULL::posts, 3);
SELECT dtmodel.get_by_id(NULL::posts, id), dtmodel.repr(p), dtmodel.to_dict(p) FROM posts AS p WHERE id = 2;
SELECT dtmodel.exists(NULL::posts, 2::bigint), dtmodel.exists(NULL::posts, 3), dtmodel.count(NULL::posts);
SELECT * FROM dtmodel.get_all(NULL::posts, after_id => 3);
SELECT dtmodel.get_by_id(NULL::pairs, '{"a": 2, "b": 4}'::jsonb), dtmodel.get_by_id(NULL::pairs, '{"a": 1, "b": 3}'::jsonb);
SELECT dtmodel.get_by_id(NULL::posts, 'x');
\echo :SQLSTATE
SELECT dtmodel.update(p, '{}'), dtmodel.update(NULL::posts, 4, '{}') FROM posts AS p WHERE id = 2;

\echo writing
SELECT dtmodel.create(NULL::posts, '{"id": 6}');
SELECT dtmodel.create(NULL::posts, '{"id": 5}');
\echo :SQLSTATE
SELECT dtmodel.update(NULL::posts, 4, '{"n": 2}'), dtmodel.update(v, '{"n": 3}') FROM live_posts AS v WHERE id = 2;
SELECT (dtmodel.soft_delete(NULL::posts, 2)).is_deleted, dtmodel.restore(NULL::posts, '2'), dtmodel.delete(NULL::posts, 4, soft => false);
DELETE FROM live_posts WHERE id = 2;
SELECT id, n, is_deleted FROM posts ORDER BY id;

-- a column that references such a key has the key's type
CREATE TABLE notes (n int);
SELECT dtmodel.add_audit('notes', "references" => 'posts');
SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 'notes'::regclass AND attnum > 1;

DROP SCHEMA rows_domain_key CASCADE;
