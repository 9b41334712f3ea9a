--
-- a domain over a row type can be the model too, and returned rows are checked by its CHECKs
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA domain_of_rows;
SET search_path = domain_of_rows;

CREATE TABLE posts (id int PRIMARY KEY, n int, settings jsonb);
SELECT dtmodel.add_soft_delete('posts'), dtmodel.add_settings('posts', '{theme}'),
       dtmodel.create_live_view('posts');
INSERT INTO posts VALUES (1, 1), (2, 200);
CREATE DOMAIN small AS posts CHECK ((VALUE).n IS NULL OR (VALUE).n < 100);
CREATE DOMAIN live AS live_posts CHECK ((VALUE).n < 100);

SELECT dtmodel.get_by_id(NULL::small, 1);
SELECT dtmodel.get_by_id(NULL::small, 2);
\echo :SQLSTATE
SELECT dtmodel.get_by_id(NULL::small, 3);
SELECT dtmodel.create(NULL::small, '{"id": 3, "n": 3}');
SELECT dtmodel.create(NULL::small, '{"id": 4, "n": 400}');
\echo :SQLSTATE
SELECT dtmodel.update(p::small, '{"n": 30}') FROM posts AS p WHERE id = 3;
SELECT dtmodel.update(p::small, '{"n": 300}') FROM posts AS p WHERE id = 3;
\echo :SQLSTATE
SELECT dtmodel.update(v::live, '{"n": 300}') FROM live_posts AS v WHERE id = 3;
\echo :SQLSTATE
SELECT (dtmodel.get_or_create(NULL::small, '{"id": 3}')).instance;
SELECT (dtmodel.get_or_create(NULL::small, '{"id": 2}')).instance;
\echo :SQLSTATE
SELECT (dtmodel.upsert(NULL::small, '{"id": 5, "n": 500}')).created;
\echo :SQLSTATE
SELECT dtmodel.repr(p::small), dtmodel.settings(p::small), dtmodel.soft_delete(p::small) IS NULL AS gone
FROM posts AS p WHERE id = 3;
SELECT id, n, is_deleted FROM posts ORDER BY id;

DROP SCHEMA domain_of_rows CASCADE;
