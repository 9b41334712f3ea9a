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

-- rows that wait for several parents are restored with the last of them, in whichever order these were deleted and restored
CREATE TABLE tops (id int PRIMARY KEY);
CREATE TABLE mids (id int PRIMARY KEY, a int REFERENCES tops ON DELETE CASCADE, b int REFERENCES tops ON DELETE CASCADE);
CREATE TABLE ends (id int PRIMARY KEY, m int REFERENCES mids ON DELETE CASCADE, n int REFERENCES mids ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('tops'), dtmodel.add_soft_delete('mids'), dtmodel.add_soft_delete('ends');
INSERT INTO tops VALUES (1), (2), (3);
INSERT INTO mids VALUES (1, 1, 2), (2, 1, 3);
INSERT INTO ends VALUES (1, 1, 2), (2, 2, 1);
CREATE TABLE triples (id int PRIMARY KEY, a int REFERENCES tops ON DELETE CASCADE, b int REFERENCES tops ON DELETE CASCADE, c int REFERENCES tops ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('triples');
INSERT INTO triples VALUES (1, 1, 2, 3), (2, 1, 3, 2);
CREATE FUNCTION live() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', 'mids', (SELECT array_agg(id ORDER BY id) FROM mids WHERE NOT is_deleted), 'ends', (SELECT array_agg(id ORDER BY id) FROM ends WHERE NOT is_deleted),
                     'triples', (SELECT array_agg(id ORDER BY id) FROM triples WHERE NOT is_deleted)) $$;
CREATE PROCEDURE delete_and_restore(deleted int[], restored int[]) LANGUAGE plpgsql AS $$
DECLARE
    i int;
    seen text[] := '{}';
BEGIN
    FOREACH i IN ARRAY deleted LOOP
        DELETE FROM tops WHERE id = i;
        COMMIT;
    END LOOP;
    FOREACH i IN ARRAY restored LOOP
        PERFORM dtmodel.restore(NULL::tops, i);
        COMMIT;
        seen := seen || live();
    END LOOP;
    RAISE WARNING 'deleted %, restored %: %', deleted, restored, seen;
END $$;
CALL delete_and_restore('{1,2,3}', '{1,2,3}');
CALL delete_and_restore('{1,2,3}', '{1,3,2}');
CALL delete_and_restore('{1,3,2}', '{1,2,3}');
CALL delete_and_restore('{1,3,2}', '{3,1,2}');
CALL delete_and_restore('{3,2,1}', '{1,2,3}');
CALL delete_and_restore('{2,1,3}', '{2,3,1}');

DROP SCHEMA restore_diamond CASCADE;
