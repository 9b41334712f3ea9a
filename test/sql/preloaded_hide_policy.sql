--
-- hide: policies that look for rows of a model see live ones only, also in the queries of our functions
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA hide_policy;
SET search_path = hide_policy;
\set VERBOSITY terse
CREATE ROLE hide_policy_member;
CREATE TABLE members (id int PRIMARY KEY, name text, tenant int);
SELECT dtmodel.add_soft_delete('members', hide => true);
INSERT INTO members VALUES (1, 'hide_policy_member', 1), (2, 'hide_policy_member', 2);
CREATE FUNCTION tenants() RETURNS SETOF int LANGUAGE sql STABLE
AS $$ SELECT tenant FROM hide_policy.members WHERE name = current_user $$;
CREATE TABLE docs (id int PRIMARY KEY, tenant int, title text);
SELECT dtmodel.add_soft_delete('docs');
SELECT dtmodel.add_slug('docs', 'title');
INSERT INTO docs SELECT i, i, 'title ' || i FROM generate_series(1, 3) AS i;
CREATE TABLE notes (LIKE docs INCLUDING ALL);
INSERT INTO notes SELECT * FROM docs;
ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_member ON docs USING (tenant IN (SELECT m.tenant FROM members AS m WHERE m.name = current_user));
CREATE POLICY of_member ON notes USING (EXISTS (SELECT FROM tenants() AS t WHERE t = tenant));
GRANT USAGE ON SCHEMA hide_policy TO hide_policy_member;
GRANT ALL ON ALL TABLES IN SCHEMA hide_policy TO hide_policy_member;

DELETE FROM members WHERE tenant = 2;
SET ROLE hide_policy_member;
SELECT id FROM docs;
SELECT id FROM notes;
SELECT id FROM dtmodel.get_all(NULL::docs);
SELECT id FROM dtmodel.get_all(NULL::notes);
SELECT dtmodel.count(NULL::docs), dtmodel.count(NULL::notes), dtmodel.exists(NULL::docs, 2);
SELECT (dtmodel.get_by_id(NULL::docs, i)).id FROM generate_series(1, 2) AS i;
SELECT (dtmodel.update(NULL::docs, 1, '{"title": "new"}')).title;
SELECT (dtmodel.update(NULL::docs, 2, '{"title": "new"}')).title;
SELECT (dtmodel.update(NULL::docs, 1, '{"tenant": 2}')).tenant;
SELECT (dtmodel.create(NULL::notes, '{"id": 4, "tenant": 2}')).id;
SELECT (dtmodel.create(NULL::notes, '{"id": 5, "tenant": 1}')).id;
SELECT (dtmodel.soft_delete(NULL::docs, 2)).id;
-- deleted rows of members count if the session asks for them
SET dtmodel.with_deleted = on;
SELECT id FROM dtmodel.get_all(NULL::docs);
SELECT (dtmodel.get_by_id(NULL::docs, 2)).id;
RESET dtmodel.with_deleted;
SELECT (dtmodel.get_by_id(NULL::docs, 2)).id;
RESET ROLE;
SELECT (dtmodel.restore(m)).tenant FROM dtmodel.get_deleted(NULL::members) AS m;
SET ROLE hide_policy_member;
SELECT (dtmodel.update(NULL::docs, 2, '{"title": "new"}')).title;
RESET ROLE;

DROP SCHEMA hide_policy CASCADE;
DROP ROLE hide_policy_member;
