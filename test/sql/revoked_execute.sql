--
-- DELETE, UPDATE and MERGE on a model need privileges on the table and no others: no
-- EXECUTE, no USAGE of the extension's schemas
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE revoked_execute_user;
CREATE SCHEMA revoked_execute;
GRANT USAGE ON SCHEMA revoked_execute TO revoked_execute_user;
SET search_path = revoked_execute;
SET timezone = 'UTC';

-- a model with all mixins, its children and a partitioned table
CREATE TABLE parents (id int PRIMARY KEY, title text);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE);
CREATE TABLE strict_children (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE RESTRICT);
CREATE TABLE parted (id int, k int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
SELECT dtmodel.add_timestamps('parents'), dtmodel.add_audit('parents'),
       dtmodel.add_soft_delete('parents', deleted_by => 'deleted_by'), dtmodel.add_settings('parents', '{theme}'),
       dtmodel.add_slug('parents', 'title', on_update => true);
SELECT dtmodel.add_timestamps('children'), dtmodel.add_soft_delete('children', deleted_by => 'deleted_by'),
       dtmodel.require_live_parent('children', 'parent');
SELECT dtmodel.add_soft_delete('strict_children', hide => true);
SELECT dtmodel.add_timestamps('parted'), dtmodel.add_soft_delete('parted');
SELECT dtmodel.create_live_view('parents'), dtmodel.unique_live('parents', 'title');
INSERT INTO parents (id, title) SELECT i, 'Title ' || i FROM generate_series(1, 9) AS i;
INSERT INTO children SELECT i, i FROM generate_series(1, 9) AS i;
INSERT INTO strict_children VALUES (9, 9);
INSERT INTO parted SELECT i, i % 2 + 1 FROM generate_series(1, 4) AS i;
-- 'postgres' stands for the user who runs the test.
CREATE VIEW state AS
    SELECT 'parents' AS t, id, slug, is_deleted, deleted_at = now() AS now, deleted_by,
           CASE updated_by WHEN session_user THEN 'postgres' ELSE updated_by END AS updated_by FROM parents
    UNION ALL SELECT 'children', id, NULL, is_deleted, deleted_at = now(), deleted_by, NULL FROM children
    UNION ALL SELECT 'parted', id, k::text, is_deleted, deleted_at = now(), NULL, NULL FROM parted;
-- no UPDATE or INSERT privilege on columns of the mixins; a DELETE on a view reads all columns
GRANT DELETE, SELECT, UPDATE (title, is_deleted, settings), INSERT (id, title, settings) ON parents, live_parents TO revoked_execute_user;
GRANT DELETE, SELECT (id, parent, is_deleted), UPDATE (parent, is_deleted), INSERT (id, parent) ON children TO revoked_execute_user;
GRANT DELETE, SELECT (id, k, is_deleted), UPDATE (k, is_deleted), INSERT (id, k) ON parted TO revoked_execute_user;
GRANT DELETE, SELECT (id) ON strict_children TO revoked_execute_user;

BEGIN;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA dtmodel, dtmodel_internal FROM public;
REVOKE EXECUTE ON ALL PROCEDURES IN SCHEMA dtmodel, dtmodel_internal FROM public;
REVOKE USAGE ON SCHEMA dtmodel, dtmodel_internal FROM public;
SELECT count(*) AS callable FROM pg_proc
WHERE pronamespace IN ('dtmodel'::regnamespace, 'dtmodel_internal'::regnamespace) AND has_function_privilege('revoked_execute_user', oid, 'EXECUTE');
SET ROLE revoked_execute_user;

-- DELETE, with a cascade, on a partitioned table, of a prepared statement, through a view
DELETE FROM parents WHERE id = 1;
DELETE FROM children WHERE id = 2;
DELETE FROM parted WHERE id = 1;
PREPARE deletion (int) AS DELETE FROM parents WHERE id = $1;
EXECUTE deletion (3);
DELETE FROM live_parents WHERE id = 4 RETURNING id;
SAVEPOINT s;
DELETE FROM parents WHERE id = 9;
\echo :SQLSTATE
ROLLBACK TO s;
RESET ROLE;
SELECT * FROM state WHERE is_deleted ORDER BY t DESC, id;

-- UPDATE, also of the flag, and of a row that moves to another partition
SET ROLE revoked_execute_user;
UPDATE parents SET title = 'Changed ' || id, settings = '{"theme": "dark"}' WHERE id = 5 RETURNING id, title, settings;
UPDATE parents SET is_deleted = true WHERE id = 6;
UPDATE live_parents SET title = 'Changed ' || id WHERE id = 7;
UPDATE children SET parent = 7 WHERE id = 5;
UPDATE parted SET k = 2 WHERE id = 2;
SAVEPOINT s;
UPDATE children SET parent = 1 WHERE id = 5;
\echo :SQLSTATE
ROLLBACK TO s;
UPDATE parents SET settings = '{"colour": "red"}' WHERE id = 5;
\echo :SQLSTATE
ROLLBACK TO s;
RESET ROLE;
SELECT * FROM state WHERE id BETWEEN 5 AND 7 OR t = 'parted' ORDER BY t DESC, id;

-- restores by UPDATE, with the rows that were deleted together
SET ROLE revoked_execute_user;
UPDATE parents SET is_deleted = false WHERE id IN (1, 3, 6);
UPDATE children SET is_deleted = false WHERE id = 2;
UPDATE parted SET is_deleted = false WHERE id = 1;
RESET ROLE;
SELECT * FROM state WHERE is_deleted ORDER BY t DESC, id;

-- INSERT, if no DEFAULT calls a function of ours
SET ROLE revoked_execute_user;
INSERT INTO parents (id, title) VALUES (10, 'Title 5');
INSERT INTO parents (id, title) VALUES (10, 'again') ON CONFLICT (id) DO UPDATE SET title = excluded.title;
INSERT INTO children VALUES (10, 10);
INSERT INTO parted VALUES (10, 1);
RESET ROLE;
SELECT * FROM state WHERE id = 10 ORDER BY t DESC;
ROLLBACK;

-- MERGE (since PostgreSQL 15): this one deletes, updates and inserts
SELECT current_setting('server_version_num')::int >= 150000 AS has_merge \gset
GRANT UPDATE ON parents, parted TO revoked_execute_user;
BEGIN;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA dtmodel, dtmodel_internal FROM public;
REVOKE USAGE ON SCHEMA dtmodel, dtmodel_internal FROM public;
SET ROLE revoked_execute_user;
\if :has_merge
MERGE INTO parents AS p USING (VALUES (1), (2), (3), (11)) AS s (id) ON p.id = s.id
    WHEN MATCHED AND p.id = 1 THEN DELETE
    WHEN MATCHED AND p.id = 2 THEN UPDATE SET title = 'merged'
    WHEN NOT MATCHED THEN INSERT (id, title) VALUES (s.id, 'merged too');
MERGE INTO parted AS p USING (VALUES (1), (2)) AS s (id) ON p.id = s.id
    WHEN MATCHED AND p.id = 1 THEN DELETE
    WHEN MATCHED THEN UPDATE SET k = 2;
\else
DELETE FROM parents WHERE id = 1;
UPDATE parents SET title = 'merged' WHERE id = 2;
INSERT INTO parents (id, title) VALUES (11, 'merged too');
DELETE FROM parted WHERE id = 1;
UPDATE parted SET k = 2 WHERE id = 2;
\endif
RESET ROLE;
SELECT * FROM state WHERE id IN (1, 2, 3, 11) ORDER BY t DESC, id;
ROLLBACK;

-- a model that hides its deleted rows
BEGIN;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA dtmodel, dtmodel_internal FROM public;
REVOKE USAGE ON SCHEMA dtmodel, dtmodel_internal FROM public;
SET ROLE revoked_execute_user;
DELETE FROM strict_children;
DELETE FROM parents WHERE id = 9;
RESET ROLE;
SELECT * FROM state WHERE id = 9 ORDER BY t DESC;
ROLLBACK;

-- a DEFAULT runs as the user that inserts: EXECUTE on its function is needed, but not USAGE of the schema
CREATE TABLE identified (LIKE dtmodel.model_base INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL);
SELECT dtmodel.add_model('identified'), dtmodel.add_soft_delete('identified');
GRANT INSERT, SELECT, UPDATE, DELETE ON identified TO revoked_execute_user;
BEGIN;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA dtmodel, dtmodel_internal FROM public;
REVOKE USAGE ON SCHEMA dtmodel, dtmodel_internal FROM public;
SET ROLE revoked_execute_user;
SAVEPOINT s;
INSERT INTO identified DEFAULT VALUES;
\echo :SQLSTATE
ROLLBACK TO s;
INSERT INTO identified (id) VALUES ('00112233-4455-6677-8899-aabbccddeeff');
UPDATE identified SET id = '00112233-4455-6677-8899-aabbccddeef0';
DELETE FROM identified;
RESET ROLE;
GRANT EXECUTE ON FUNCTION dtmodel.uuidv7() TO revoked_execute_user;
SET ROLE revoked_execute_user;
INSERT INTO identified DEFAULT VALUES;
RESET ROLE;
SELECT is_deleted, count(*) FROM identified GROUP BY 1 ORDER BY 1;
ROLLBACK;

-- a granted function of ours needs no privilege on another one, except to merge settings
GRANT ALL ON parents TO revoked_execute_user;
BEGIN;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA dtmodel, dtmodel_internal FROM public;
GRANT EXECUTE ON FUNCTION dtmodel.create(anyelement, jsonb, boolean), dtmodel.bulk_create(anyelement, jsonb, boolean),
    dtmodel.upsert(anyelement, jsonb, name[], text, boolean), dtmodel.get_or_create(anyelement, jsonb, jsonb, text),
    dtmodel.update(anyelement, anycompatible, jsonb, boolean), dtmodel.delete(anyelement, anycompatible, boolean),
    dtmodel.soft_delete(anyelement, anycompatible), dtmodel.restore(anyelement, anycompatible),
    dtmodel.get_by_id(anyelement, anycompatible), dtmodel.count(anyelement, boolean) TO revoked_execute_user;
SET ROLE revoked_execute_user;
SELECT c.id FROM dtmodel.create(NULL::parents, '{"id": 21, "title": "x", "theme": "dark"}') AS c;
SELECT c.id FROM dtmodel.bulk_create(NULL::parents, '[{"id": 22, "title": "y"}, {"id": 23, "theme": "dark"}]') AS c;
SELECT (instance).title, created FROM dtmodel.upsert(NULL::parents, '{"id": 21, "title": "z"}');
SELECT (instance).id, created FROM dtmodel.get_or_create(NULL::parents, '{"title": "z"}');
SELECT u.title FROM dtmodel.update(NULL::parents, 21, '{"title": "u"}') AS u;
SELECT (dtmodel.soft_delete(NULL::parents, 22)).is_deleted, (dtmodel.restore(NULL::parents, 22)).is_deleted,
       (dtmodel.delete(NULL::parents, 23)).is_deleted, (dtmodel.get_by_id(NULL::parents, 23)).id, dtmodel.count(NULL::parents);
SAVEPOINT s;
SELECT dtmodel.update(NULL::parents, 21, '{"theme": "light"}');
\echo :SQLSTATE
ROLLBACK TO s;
RESET ROLE;
GRANT EXECUTE ON FUNCTION dtmodel.merge_settings(jsonb, jsonb) TO revoked_execute_user;
SET ROLE revoked_execute_user;
SELECT u.settings FROM dtmodel.update(NULL::parents, 21, '{"theme": "light"}') AS u;
SELECT (instance).settings FROM dtmodel.upsert(NULL::parents, '{"id": 21, "theme": "dark"}');
ROLLBACK;

-- an owner creates triggers, which needs USAGE of the schema of their functions and EXECUTE on them
CREATE TABLE owned (id int PRIMARY KEY);
ALTER TABLE owned OWNER TO revoked_execute_user;
BEGIN;
REVOKE USAGE ON SCHEMA dtmodel_internal FROM public;
SET LOCAL ROLE revoked_execute_user;
SELECT dtmodel.add_soft_delete('owned');
\echo :SQLSTATE
ROLLBACK;
BEGIN;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA dtmodel_internal FROM public;
SET LOCAL ROLE revoked_execute_user;
SAVEPOINT s;
SELECT dtmodel.add_soft_delete('owned');
\echo :SQLSTATE
ROLLBACK TO s;
RESET ROLE;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA dtmodel_internal TO revoked_execute_user;
SET LOCAL ROLE revoked_execute_user;
SELECT dtmodel.add_soft_delete('owned');
SELECT mixins, drift FROM dtmodel.models WHERE model = 'owned'::regclass;
ROLLBACK;

DROP SCHEMA revoked_execute CASCADE;
DROP ROLE revoked_execute_user;
