--
-- functions on rows: errors
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA rows_misuse;
SET search_path = rows_misuse;

CREATE TABLE users (id uuid PRIMARY KEY, name varchar(5) NOT NULL, age int, tags int[]);
CREATE TABLE keyless (a int);
CREATE TYPE pair AS (a int, b int);
CREATE VIEW v AS SELECT * FROM users;

-- not a model
SELECT dtmodel.create(1, '{}');
\echo :SQLSTATE
SELECT dtmodel.create(ROW(1, 2), '{}');
\echo :SQLSTATE
INSERT INTO users VALUES ('550e8400-e29b-41d4-a716-446655440009', 'z');
WITH x AS (SELECT * FROM users) SELECT dtmodel.update(x, '{"age": 1}') FROM x;
\echo :SQLSTATE
WITH x AS (SELECT * FROM users) SELECT (dtmodel.update(ROW(x.*)::users, '{"age": 1}')).age FROM x;
DELETE FROM users;
SELECT dtmodel.create(NULL::pair, '{}');
\echo :SQLSTATE
SELECT dtmodel.count(NULL::v);
\echo :SQLSTATE
SELECT * FROM dtmodel.get_all('users'::text);
\echo :SQLSTATE
SELECT dtmodel.to_dict(1);
\echo :SQLSTATE
SELECT dtmodel.repr(ROW(1, 2));
\echo :SQLSTATE

-- data
SELECT dtmodel.create(NULL::users, NULL);
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, '[]');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, '"x"');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, 'null');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, 'no json');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, '{"nam": "x"}', strict => true);
\echo :SQLSTATE
SELECT dtmodel.update(NULL::users, '550e8400-e29b-41d4-a716-446655440000', '{"nam": "x"}', strict => true);
\echo :SQLSTATE
SELECT dtmodel.update(NULL::users, '550e8400-e29b-41d4-a716-446655440000', NULL);
\echo :SQLSTATE
-- of a duplicate key the last one counts, as in jsonb
SELECT name FROM dtmodel.create(NULL::users, '{"id": "550e8400-e29b-41d4-a716-446655440000", "name": "a", "name": "b"}');

-- values
SELECT dtmodel.create(NULL::users, '{"id": "x", "name": "x"}');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, '{"name": "x", "age": "old"}');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, '{"name": "x", "age": 1.5}');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, '{"name": "x", "age": 12345678901}');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, '{"name": "x", "age": {}}');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, '{"name": "longer than that"}');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, '{"name": "x", "tags": 1}');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, '{"name": "x", "tags": ["y"]}');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, '{"id": "550e8400-e29b-41d4-a716-446655440001"}');
\echo :SQLSTATE
SELECT dtmodel.create(NULL::users, '{"id": "550e8400-e29b-41d4-a716-446655440001", "name": null}');
\echo :SQLSTATE

-- ids
SELECT dtmodel.get_by_id(NULL::users, 'x');
\echo :SQLSTATE
SELECT dtmodel.exists(NULL::users, 1);
\echo :SQLSTATE
SELECT dtmodel.delete(NULL::users, 'x');
\echo :SQLSTATE
SELECT * FROM dtmodel.get_all(NULL::users, after_id => 'x');
\echo :SQLSTATE
CREATE TABLE pairs (a int, b date, PRIMARY KEY (a, b));
SELECT dtmodel.get_by_id(NULL::pairs, '{"a": 1, "b": "x"}');
\echo :SQLSTATE
SELECT dtmodel.get_by_id(NULL::keyless, 1);
\echo :SQLSTATE
SELECT dtmodel.update(k, '{}') FROM (SELECT ROW(1)::keyless) AS x (k);
\echo :SQLSTATE
SELECT dtmodel.delete(NULL::keyless, 1);
\echo :SQLSTATE
SELECT * FROM dtmodel.get_all(NULL::keyless, after_id => 1);
\echo :SQLSTATE
-- the query is part of the statement, or one of its own, which the context names
\set SHOW_CONTEXT never
SELECT * FROM dtmodel.get_all(NULL::users, "limit" => -1);
\echo :SQLSTATE
\set SHOW_CONTEXT errors

-- versions of different rows
SELECT dtmodel.get_modified_keys(u, k) FROM users AS u, (SELECT ROW(1)::keyless) AS x (k);
\echo :SQLSTATE
SELECT dtmodel.get_changes(u, ROW(1)) FROM users AS u;
\echo :SQLSTATE

-- an index of an expression is not one of the column
CREATE TABLE members (id int PRIMARY KEY, email text);
CREATE UNIQUE INDEX ON members (lower(email));
CREATE UNIQUE INDEX ON members (email, lower(email));
SELECT dtmodel.upsert(NULL::members, '{"id": 1, "email": "a"}', '{email}');

DROP SCHEMA rows_misuse CASCADE;
