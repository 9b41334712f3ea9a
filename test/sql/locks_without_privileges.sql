--
-- a role without privileges holds no lock on a table
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE locks_without_privileges_user;
CREATE SCHEMA locks_without_privileges;
SET search_path = locks_without_privileges;
GRANT USAGE ON SCHEMA locks_without_privileges TO locks_without_privileges_user;

CREATE TABLE secrets (id int PRIMARY KEY, n int, settings jsonb);
SELECT dtmodel.add_soft_delete('secrets'), dtmodel.create_live_view('secrets');
SELECT dtmodel.add_settings('secrets', '{theme}');
CREATE TABLE pairs (a int, b int, PRIMARY KEY (a, b));
INSERT INTO secrets VALUES (1, 1);
CREATE VIEW locks AS
    SELECT c.relname, l.mode
    FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
    WHERE l.pid = pg_backend_pid() AND c.relname IN ('secrets', 'pairs', 'live_secrets')
    ORDER BY c.relname COLLATE "C", l.mode;
GRANT SELECT ON locks TO locks_without_privileges_user;

SET ROLE locks_without_privileges_user;
BEGIN;
-- none of these runs a statement on the table
SELECT dtmodel.get_by_id(NULL::pairs, '{"a": null, "b": 1}'::jsonb),
       dtmodel.exists(NULL::pairs, '{"a": null, "b": 1}'::jsonb),
       dtmodel.update(NULL::pairs, '{"a": null, "b": 1}'::jsonb, '{"b": 2}'::jsonb),
       dtmodel.delete(NULL::pairs, '{"a": null, "b": 1}'::jsonb);
SELECT dtmodel.update(ROW(NULL, NULL, NULL, NULL, NULL)::secrets, '{"n": 1}'),
       dtmodel.delete(ROW(NULL, NULL, NULL, NULL, NULL)::secrets),
       dtmodel.delete(ROW(NULL, NULL, NULL, NULL, NULL)::secrets, false),
       dtmodel.soft_delete(ROW(NULL, NULL, NULL, NULL, NULL)::secrets),
       dtmodel.restore(ROW(NULL, NULL, NULL, NULL, NULL)::secrets),
       dtmodel.restore_deletion(NULL::secrets, NULL);
SELECT dtmodel.settings(ROW(1, 1, NULL, NULL, NULL)::secrets),
       dtmodel.settings(ROW(1, 1, NULL, NULL, NULL)::live_secrets),
       dtmodel.repr(ROW(1, 1, NULL, NULL, NULL)::secrets),
       dtmodel.repr(ROW(1, 1, NULL, NULL, NULL)::live_secrets),
       dtmodel.to_dict(ROW(1, 1, NULL, NULL, NULL)::live_secrets, includes => '{id}');
SELECT count(*) FROM dtmodel.bulk_create(NULL::secrets, '[]');
SELECT dtmodel.describe('secrets') ->> 'class' AS class, dtmodel.get_fields('secrets');
TABLE locks;
COMMIT;

-- locks of statements are kept: a role with SELECT reads
RESET ROLE;
GRANT SELECT ON secrets TO locks_without_privileges_user;
SET ROLE locks_without_privileges_user;
BEGIN;
SELECT dtmodel.get_by_id(NULL::secrets, 1);
SELECT created FROM dtmodel.get_or_create(NULL::secrets, '{"id": 1}');
TABLE locks;
COMMIT;
RESET ROLE;
BEGIN;
SELECT dtmodel.update(NULL::secrets, 1, '{"n": 2}');
SELECT mode FROM locks WHERE relname = 'secrets' AND mode = 'RowExclusiveLock';
COMMIT;

DROP SCHEMA locks_without_privileges CASCADE;
DROP ROLE locks_without_privileges_user;
