--
-- what psql lists: dtmodel holds what people call, dtmodel_internal what it calls itself
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA schema_listing;
SET search_path = schema_listing;
\pset format unaligned

CREATE VIEW members AS
    SELECT d.classid::regclass::text AS catalog, d.objid AS oid, i.type, coalesce(i.schema, i.identity) AS schema, i.identity,
           obj_description(d.objid, d.classid::regclass::name) AS comment
    FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass,
         pg_identify_object(d.classid, d.objid, 0) AS i
    WHERE d.deptype = 'e' AND e.extname = 'dtmodel' AND d.classid <> 'pg_type'::regclass;
CREATE VIEW functions AS
    SELECT m.schema, m.identity, p.*, 'internal'::regtype = ANY (p.proargtypes) OR
           p.prorettype = ANY ('{trigger,event_trigger,internal}'::regtype[]) OR
           m.comment ~ '^for Citus: ' AS is_internal
    FROM members AS m JOIN pg_proc AS p USING (oid) WHERE catalog = 'pg_proc';

-- which objects there are
SELECT schema, string_agg(DISTINCT type, ', ' ORDER BY type) AS types FROM members GROUP BY schema ORDER BY schema COLLATE "C";
-- what dtmodel itself calls
SELECT proname, pg_get_function_result(oid) AS result, pg_get_function_arguments(oid) AS arguments FROM functions
WHERE schema = 'dtmodel_internal' ORDER BY proname COLLATE "C";
-- what is in the wrong schema, is not used, or has no comment, or one that does not say what it is for
CREATE VIEW wrong AS
    SELECT identity, 'misplaced' AS why FROM functions WHERE is_internal <> (schema = 'dtmodel_internal')
    UNION ALL
    SELECT identity, 'not used' FROM functions AS f
    WHERE schema = 'dtmodel_internal' AND prorettype <> 'trigger'::regtype
      AND NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtfoid = f.oid)
      AND NOT EXISTS (SELECT FROM functions AS g WHERE g.prosupport = f.oid)
      AND obj_description(f.oid) !~ '^for Citus: '
    UNION ALL
    SELECT identity, concat('comment: ', comment) FROM members
    WHERE coalesce(comment, '') = '' OR
          type = 'function' AND schema = 'dtmodel_internal' AND
          comment !~ '^(trigger of dtmodel\.\w+( |:)|event trigger: |for the planner: |for Citus: )';
TABLE wrong;
BEGIN;
ALTER FUNCTION dtmodel_internal.slug_trigger() SET SCHEMA dtmodel;
ALTER FUNCTION dtmodel.count SET SCHEMA dtmodel_internal;
COMMENT ON FUNCTION dtmodel.get_all IS NULL;
COMMENT ON FUNCTION dtmodel_internal.audit_trigger() IS 'sets columns';
ALTER EXTENSION dtmodel DROP EVENT TRIGGER dtmodel_history_drop;
DROP EVENT TRIGGER dtmodel_history_drop;
SELECT * FROM wrong ORDER BY identity COLLATE "C", why COLLATE "C";
ROLLBACK;
-- labels
SELECT provolatile, proparallel, proisstrict, prosecdef, proconfig, procost, pg_get_function_result(oid) AS result, count(*)
FROM functions WHERE schema = 'dtmodel_internal' GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY result;
-- the privileges of both schemas are the same
SELECT nspname, (SELECT string_agg(concat_ws(' ', coalesce(nullif(grantee, 0)::regrole::text, 'public'), privilege_type), ', ' ORDER BY grantee, privilege_type)
                 FROM aclexplode(nspacl) WHERE grantee <> nspowner) AS privileges
FROM pg_namespace WHERE nspname ~ '^dtmodel' ORDER BY nspname;

-- the triggers of a small model, as \d shows them
CREATE TABLE users (LIKE dtmodel.model_base INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL, email text);
SELECT dtmodel.add_model('users'), dtmodel.add_soft_delete('users'), dtmodel.unique_live('users', 'email');
SELECT regexp_replace(pg_get_triggerdef(oid, true), '^CREATE TRIGGER (\w+) (.*) ON \w+ (.*)$', E'\\1\n    \\2\n    \\3') AS triggers
FROM pg_trigger WHERE tgrelid = 'users'::regclass AND NOT tgisinternal ORDER BY tgname COLLATE "C";
SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'users'::regclass ORDER BY adnum;

-- a function of that name in another schema is not one of ours
CREATE FUNCTION soft_delete_trigger() RETURNS trigger LANGUAGE c AS '$libdir/dtmodel', 'dtmodel_soft_delete_trigger';
CREATE FUNCTION dtmodel.soft_delete_trigger() RETURNS trigger LANGUAGE c AS '$libdir/dtmodel', 'dtmodel_soft_delete_trigger';
CREATE TABLE plain (id int PRIMARY KEY);
CREATE TRIGGER a BEFORE DELETE ON plain FOR EACH ROW EXECUTE FUNCTION soft_delete_trigger('flag=is_deleted', 'deleted_at=deleted_at');
CREATE TRIGGER b BEFORE DELETE ON plain FOR EACH ROW EXECUTE FUNCTION dtmodel.soft_delete_trigger('flag=is_deleted', 'deleted_at=deleted_at');
SELECT count(*) FROM dtmodel.models WHERE model = 'plain'::regclass;
SELECT dtmodel.describe('plain');
INSERT INTO plain VALUES (1);
DELETE FROM plain;
DROP FUNCTION dtmodel.soft_delete_trigger() CASCADE;

DROP SCHEMA schema_listing CASCADE;
