--
-- a restore with rows that have several parents in the deletion
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA restore_diamond;
SET search_path = restore_diamond;

CREATE TABLE tenants (id int PRIMARY KEY);
CREATE TABLE users (id int PRIMARY KEY, tenant int REFERENCES tenants ON DELETE CASCADE);
CREATE TABLE spaces (id int PRIMARY KEY, tenant int REFERENCES tenants ON DELETE CASCADE);
CREATE TABLE tasks (id int PRIMARY KEY, space int REFERENCES spaces ON DELETE CASCADE);
CREATE TABLE comments (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE, task int REFERENCES tasks ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete(t::regclass) FROM unnest('{tenants,users,spaces,tasks,comments}'::text[]) AS t \g /dev/null
CREATE VIEW deleted AS
    SELECT concat_ws(' ', 'tenant', id) AS what, deleted_at FROM tenants
    UNION ALL SELECT concat_ws(' ', 'user', id), deleted_at FROM users
    UNION ALL SELECT concat_ws(' ', 'space', id), deleted_at FROM spaces
    UNION ALL SELECT concat_ws(' ', 'task', id), deleted_at FROM tasks
    UNION ALL SELECT concat_ws(' ', 'comment', id), deleted_at FROM comments;
CREATE VIEW state AS SELECT coalesce(string_agg(what, ', ' ORDER BY what), 'nothing') AS deleted FROM deleted WHERE deleted_at IS NOT NULL;
INSERT INTO tenants VALUES (1);
INSERT INTO users VALUES (1, 1), (2, 1);
INSERT INTO spaces VALUES (1, 1), (2, 1);
INSERT INTO tasks VALUES (1, 1), (2, 2);
INSERT INTO comments VALUES (1, 1, 1), (2, 2, 1), (3, 2, 2);

-- the whole deletion
DELETE FROM tenants;
SELECT count(*), count(DISTINCT deleted_at) FROM deleted;
SELECT (dtmodel.restore(t)).id FROM tenants AS t;
TABLE state;
DELETE FROM tenants;
SELECT deleted_at AS t FROM tenants \gset
\set SHOW_CONTEXT never
SELECT dtmodel.restore_deletion(NULL::spaces, :'t');
\echo :SQLSTATE
SELECT (dtmodel.restore(c)).id FROM comments AS c WHERE id = 1;
\echo :SQLSTATE
TABLE state;
SELECT dtmodel.restore_deletion(NULL::tenants, :'t');
TABLE state;

-- a comment is restored with the last of its two parents
BEGIN;
DELETE FROM users WHERE id = 1;
DELETE FROM spaces WHERE id = 1;
COMMIT;
TABLE state;
SELECT (dtmodel.restore(NULL::users, 1)).id;
TABLE state;
SELECT (dtmodel.restore(NULL::spaces, 1)).id;
TABLE state;

-- also if two transactions deleted the parents, in either order
DELETE FROM users WHERE id = 2;
DELETE FROM spaces WHERE id = 1;
TABLE state;
SELECT (dtmodel.restore(NULL::users, 2)).id;
TABLE state;
SELECT (dtmodel.restore(NULL::spaces, 1)).id;
TABLE state;
DELETE FROM users WHERE id = 2;
DELETE FROM spaces WHERE id = 1;
SELECT (dtmodel.restore(NULL::spaces, 1)).id;
TABLE state;
SELECT (dtmodel.restore(NULL::users, 2)).id;
TABLE state;

-- by an UPDATE of the flag
DELETE FROM tenants;
UPDATE tenants SET is_deleted = false;
TABLE state;

DROP SCHEMA restore_diamond CASCADE;
