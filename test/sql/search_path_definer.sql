--
-- a SECURITY DEFINER function without a search_path of its own, called by a role
-- with a hostile one: what mixins do with its writes and their cascades uses none
-- of that role's functions, operators, types and tables
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE search_path_definer_owner;
CREATE ROLE search_path_definer_caller;
CREATE SCHEMA search_path_definer AUTHORIZATION search_path_definer_owner;
CREATE SCHEMA search_path_hostile AUTHORIZATION search_path_definer_caller;

-- the namesakes belong to the caller, and fail
SET ROLE search_path_definer_caller;
DO $do$
DECLARE
    o record;
BEGIN
    FOR o IN
        SELECT p.oid::text AS name, p.oprname AS operator, l.typname AS l, r.typname AS r, b.typname AS result
        FROM pg_operator AS p JOIN pg_type AS l ON l.oid = oprleft JOIN pg_type AS r ON r.oid = oprright JOIN pg_type AS b ON b.oid = oprresult
        WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprname IN ('=', '<>', '<', '>', '<=', '>=', '||', '-', '+', '->', '->>', '?')
          AND l.typname IN ('bool', 'int4', 'int8', 'text', 'name', 'oid', 'tid', 'xid8', 'timestamptz', 'timestamp', 'jsonb', 'uuid', '_text')
    LOOP
        EXECUTE format('CREATE FUNCTION search_path_hostile.%I(pg_catalog.%I, pg_catalog.%I) RETURNS pg_catalog.%I LANGUAGE plpgsql AS %L',
                       'operator_' || o.name, o.l, o.r, o.result,
                       format('BEGIN RAISE EXCEPTION ''operator %s for %s and %s, as %%'', current_user; END', o.operator, o.l, o.r));
        EXECUTE format('CREATE OPERATOR search_path_hostile.%s (LEFTARG = pg_catalog.%I, RIGHTARG = pg_catalog.%I, FUNCTION = search_path_hostile.%I)',
                       o.operator, o.l, o.r, 'operator_' || o.name);
    END LOOP;
    FOR o IN
        SELECT proname AS name, pg_get_function_identity_arguments(oid) AS arguments, prorettype::regtype::text AS result, proretset AS many
        FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND provariadic = 0 AND
              proname IN ('now', 'clock_timestamp', 'statement_timestamp', 'transaction_timestamp', 'timezone', 'jsonb_typeof', 'lower',
                          'upper', 'current_setting', 'set_config', 'unnest', 'array_append', 'pg_current_xact_id', 'quote_ident',
                          'int4eq', 'booleq', 'texteq', 'to_jsonb', 'jsonb_object_field', 'greatest', 'isfinite')
    LOOP
        EXECUTE format('CREATE FUNCTION search_path_hostile.%I(%s) RETURNS %s %s LANGUAGE plpgsql AS %L', o.name, o.arguments,
                       CASE WHEN o.many THEN 'SETOF' ELSE '' END, o.result,
                       format('BEGIN RAISE EXCEPTION ''function %s, as %%'', current_user; END', o.name));
    END LOOP;
    FOR o IN SELECT unnest('{bool,int4,int8,text,name,oid,timestamptz,timestamp,jsonb,uuid,interval,tid,xid8}'::text[]) AS name LOOP
        EXECUTE format('CREATE DOMAIN search_path_hostile.%I AS pg_catalog.point', o.name);
    END LOOP;
END
$do$;
SELECT count(*) > 80 AS traps FROM pg_proc WHERE pronamespace = 'search_path_hostile'::regnamespace;
CREATE TABLE search_path_hostile.docs (id text, is_deleted text, deleted_at text);
CREATE TABLE search_path_hostile.docs_history (LIKE search_path_hostile.docs);
CREATE TABLE search_path_hostile.notes (LIKE search_path_hostile.docs);

-- the models and the function belong to another role
SET ROLE search_path_definer_owner;
SET search_path = search_path_definer;
CREATE TABLE docs (id int PRIMARY KEY, name text);
CREATE TABLE notes (id int PRIMARY KEY, doc int REFERENCES docs ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE boxes (id int PRIMARY KEY);
CREATE TABLE cards (id int PRIMARY KEY, box int REFERENCES boxes ON DELETE CASCADE, doc int REFERENCES docs ON DELETE RESTRICT);
SELECT dtmodel.add_timestamps('docs'), dtmodel.add_soft_delete('docs', deleted_by => 'deleted_by'), dtmodel.add_audit('docs'),
       dtmodel.add_version('docs'), dtmodel.add_settings('docs', '{theme,size}', schema => '{"size": {"type": "integer", "default": 1}}'),
       dtmodel.unique_live('docs', 'name') \g /dev/null
SELECT dtmodel.add_history('docs'), dtmodel.add_soft_delete('notes'), dtmodel.require_live_parent('notes', 'doc'),
       dtmodel.add_soft_delete('cards'), dtmodel.create_live_view('docs') \g /dev/null
CREATE FUNCTION work() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO search_path_definer.docs (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');
    INSERT INTO search_path_definer.notes VALUES (1, 1), (2, 2);
    INSERT INTO search_path_definer.boxes VALUES (1), (2);
    INSERT INTO search_path_definer.cards VALUES (1, 1, NULL), (2, 2, 3);
    -- statements, cascades, and the server's own cascade
    UPDATE search_path_definer.docs SET name = 'A', id = 10 WHERE id OPERATOR(pg_catalog.=) 1;
    DELETE FROM search_path_definer.docs WHERE id OPERATOR(pg_catalog.=) 10;
    UPDATE search_path_definer.docs SET is_deleted = false WHERE id OPERATOR(pg_catalog.=) 10;
    DELETE FROM search_path_definer.live_docs WHERE id OPERATOR(pg_catalog.=) 10;
    DELETE FROM search_path_definer.boxes WHERE id OPERATOR(pg_catalog.=) 1;
    DELETE FROM search_path_definer.cards WHERE id OPERATOR(pg_catalog.=) 2;
    DELETE FROM search_path_definer.docs WHERE id OPERATOR(pg_catalog.=) 3;
    -- functions
    PERFORM dtmodel.restore(NULL::search_path_definer.docs, 10);
    PERFORM dtmodel.soft_delete(NULL::search_path_definer.docs, 2);
    PERFORM dtmodel.get_deleted(NULL::search_path_definer.docs);
    PERFORM dtmodel.restore_deletion(NULL::search_path_definer.docs, pg_catalog.now());
    PERFORM dtmodel.create(NULL::search_path_definer.docs, '{"id": 5, "name": "e", "theme": "dark"}');
    PERFORM dtmodel.bulk_create(NULL::search_path_definer.docs, '[{"id": 6, "name": "f"}, {"id": 7}]');
    PERFORM dtmodel.update(NULL::search_path_definer.docs, 5, '{"size": 3, "version": 1}');
    PERFORM dtmodel.update(NULL::search_path_definer.docs, 5, '{"settings": [{"key": "theme", "remove": true}]}');
    PERFORM dtmodel.get_or_create(NULL::search_path_definer.docs, '{"name": "g"}', '{"id": 8}');
    PERFORM dtmodel.delete(NULL::search_path_definer.docs, 8);
    PERFORM dtmodel.get_or_create(NULL::search_path_definer.docs, '{"name": "g"}', on_deleted => 'restore');
    PERFORM dtmodel.delete(NULL::search_path_definer.docs, 8);
    PERFORM dtmodel.upsert(NULL::search_path_definer.docs, '{"id": 8, "name": "h"}', on_deleted => 'restore');
    PERFORM dtmodel.upsert(NULL::search_path_definer.docs, '{"id": 9, "name": "h"}', '{name}');
    PERFORM dtmodel.get_by_id(NULL::search_path_definer.docs, 8), dtmodel.exists(NULL::search_path_definer.docs, 8),
            dtmodel.count(NULL::search_path_definer.docs), dtmodel.get_all(NULL::search_path_definer.docs, 2, after_id => 3);
    PERFORM dtmodel.to_dict(d), dtmodel.settings(d), dtmodel.get_changes(d, d), dtmodel.repr(d), dtmodel.invalid_settings(d)
    FROM search_path_definer.docs AS d;
    PERFORM dtmodel.describe('search_path_definer.docs');
    PERFORM dtmodel.history(NULL::search_path_definer.docs, 10), dtmodel.changes(NULL::search_path_definer.docs, NULL);
    PERFORM search_path_definer.docs_as_of(pg_catalog.now());
    PERFORM dtmodel.revert(NULL::search_path_definer.docs, 4, pg_catalog.now());
    PERFORM dtmodel.delete(NULL::search_path_definer.docs, 7, soft => false);
    PERFORM dtmodel.erase(NULL::search_path_definer.docs, 6);
END
$$;
GRANT USAGE ON SCHEMA search_path_definer TO search_path_definer_caller;
RESET search_path;

SET ROLE search_path_definer_caller;
CREATE TEMP TABLE docs (id text, is_deleted text, deleted_at text);
CREATE DOMAIN pg_temp.jsonb AS pg_catalog.point;
SET search_path = pg_temp, search_path_hostile, pg_catalog;
SELECT search_path_definer.work();
RESET search_path;

-- the traps work
SET search_path = search_path_hostile, pg_catalog;
\set VERBOSITY terse
SELECT 1 = 1;
SELECT now();
\set VERBOSITY default
RESET search_path;
RESET ROLE;

SELECT id, name, settings, created_by = 'search_path_definer_caller' AS by_caller, version, is_deleted, deleted_by IS NOT NULL AS signed
FROM search_path_definer.docs ORDER BY id;
SELECT id, doc, is_deleted FROM search_path_definer.notes ORDER BY id;
SELECT id, box, is_deleted FROM search_path_definer.cards ORDER BY id;
SELECT count(*) FROM search_path_hostile.docs;

SET client_min_messages = error;
DROP SCHEMA search_path_hostile CASCADE;
DROP SCHEMA search_path_definer CASCADE;
DROP OWNED BY search_path_definer_caller, search_path_definer_owner;
DROP ROLE search_path_definer_caller, search_path_definer_owner;
