--
-- get_all in the plan of its caller: it has the privileges and policies of the function, also in a plan that was made for another user
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE list_inline_owner;
CREATE ROLE list_inline_user;
CREATE ROLE list_inline_other;
GRANT list_inline_user, list_inline_other TO CURRENT_USER;
CREATE SCHEMA list_inline_rights;
GRANT USAGE ON SCHEMA list_inline_rights TO public;
GRANT CREATE ON SCHEMA list_inline_rights TO list_inline_owner;
SET search_path = list_inline_rights;
\set SHOW_CONTEXT never

SET ROLE list_inline_owner;
CREATE TABLE t (id int PRIMARY KEY, a text, secret text);
INSERT INTO t VALUES (1, 'a1', 's1'), (2, 'a2', 's2');
CREATE VIEW listed AS SELECT id FROM dtmodel.get_all(NULL::t) AS g;
CREATE FUNCTION as_owner() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
    'BEGIN RETURN (SELECT count(*) FROM dtmodel.get_all(NULL::list_inline_rights.t) AS g); END';
CREATE FUNCTION as_caller() RETURNS bigint LANGUAGE plpgsql AS
    'BEGIN RETURN (SELECT count(*) FROM dtmodel.get_all(NULL::list_inline_rights.t) AS g); END';
GRANT SELECT ON listed TO list_inline_user;
SELECT count(*) FROM dtmodel.get_all(NULL::t) AS g;
RESET ROLE;

-- no privilege on the table; then on a part of its columns, though the query names no other; then on all of them
SET ROLE list_inline_user;
SELECT id FROM dtmodel.get_all(NULL::t) AS g;
\echo :SQLSTATE
SELECT count(*) FROM dtmodel.get_all(NULL::t, 0) AS g;
\echo :SQLSTATE
SELECT id FROM listed;
\echo :SQLSTATE
SELECT as_owner();
SELECT as_caller();
\echo :SQLSTATE
RESET ROLE;
GRANT SELECT (id, a) ON t TO list_inline_user;
SET ROLE list_inline_user;
SELECT id FROM t;
SELECT id FROM dtmodel.get_all(NULL::t) AS g;
\echo :SQLSTATE
SELECT g.id FROM t JOIN dtmodel.get_all(NULL::t) AS g USING (id);
\echo :SQLSTATE
SELECT id FROM listed;
\echo :SQLSTATE
RESET ROLE;
GRANT SELECT (secret) ON t TO list_inline_user;
SET ROLE list_inline_user;
SELECT id FROM dtmodel.get_all(NULL::t) AS g;
SELECT id FROM listed;
SELECT as_caller();
RESET ROLE;

-- a plan is kept and run by another user, who needs the privileges on the table, the schema and the function
SET plan_cache_mode = force_generic_plan;
SET search_path = pg_catalog;
PREPARE kept AS SELECT id FROM dtmodel.get_all(NULL::list_inline_rights.t) AS g;
EXECUTE kept;
SET ROLE list_inline_other;
EXECUTE kept;
\echo :SQLSTATE
RESET ROLE;
GRANT SELECT ON list_inline_rights.t TO list_inline_other;
SET ROLE list_inline_other;
EXECUTE kept;
RESET ROLE;
REVOKE USAGE ON SCHEMA list_inline_rights FROM public;
GRANT USAGE ON SCHEMA list_inline_rights TO list_inline_user;
SET ROLE list_inline_other;
EXECUTE kept;
\echo :SQLSTATE
SET ROLE list_inline_user;
EXECUTE kept;
RESET ROLE;
GRANT USAGE ON SCHEMA list_inline_rights TO public;
BEGIN;
REVOKE EXECUTE ON FUNCTION dtmodel.get_all FROM public;
GRANT EXECUTE ON FUNCTION dtmodel.get_all TO list_inline_user;
SET ROLE list_inline_user;
EXECUTE kept;
SET ROLE list_inline_other;
SAVEPOINT s;
EXECUTE kept;
\echo :SQLSTATE
ROLLBACK TO s;
SELECT count(*) FROM dtmodel.get_all(NULL::list_inline_rights.t) AS g;
\echo :SQLSTATE
ROLLBACK;
SET search_path = list_inline_rights;

-- settings of the function are in force
BEGIN;
ALTER FUNCTION dtmodel.get_all SET row_security = off;
SELECT count(*) FROM dtmodel.get_all(NULL::t) AS g;
EXECUTE kept;
ROLLBACK;

-- policies, for a plan that was made without them, by a user and by a setting; a cheap condition that would leak rows
CREATE FUNCTION tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END';
PREPARE told AS SELECT id FROM dtmodel.get_all(NULL::t) AS g WHERE tell(a);
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY first ON t TO list_inline_user USING (id = 1);
CREATE POLICY second ON t TO list_inline_other USING (id = 2);
SET client_min_messages = notice;
EXECUTE kept;
SET ROLE list_inline_user;
EXECUTE kept;
EXECUTE told;
SELECT id FROM dtmodel.get_all(NULL::t) AS g WHERE tell(a);
SELECT as_caller(), as_owner();
SET row_security = off;
EXECUTE kept;
\echo :SQLSTATE
RESET row_security;
SET ROLE list_inline_other;
EXECUTE kept;
EXECUTE told;
SELECT id FROM listed;
\echo :SQLSTATE
RESET ROLE;
SET client_min_messages = warning;
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
SET ROLE list_inline_other;
EXECUTE kept;
RESET ROLE;
RESET plan_cache_mode;

DROP SCHEMA list_inline_rights CASCADE;
DROP ROLE list_inline_owner, list_inline_user, list_inline_other;
