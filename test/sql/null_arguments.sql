--
-- every function of the extension with NULL for all arguments, and with NULL for one of them:
-- a result or an error that says what is missing, never an internal error
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA null_arguments;
SET search_path = null_arguments;
SET timezone = 'UTC';
SET datestyle = 'ISO';
\pset format unaligned
\pset null NULL
SET dtmodel.actor = 'ann';

-- a model with all mixins, a table that is not a model, a child
CREATE TABLE users (id int PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('users'), dtmodel.add_audit('users'),
       dtmodel.add_soft_delete('users', deleted_by => 'deleted_by'), dtmodel.add_slug('users', 'name'),
       dtmodel.add_settings('users', '{theme,size}'), dtmodel.add_history('users');
CREATE TABLE plain (id int PRIMARY KEY, name text);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES users);
SELECT dtmodel.add_soft_delete('children'), dtmodel.add_timestamps('children');
INSERT INTO users (id, name, settings) VALUES (1, 'Ann', '{"theme": "dark"}'), (2, 'Bob', NULL), (3, 'Cid', '{}');
DELETE FROM users WHERE id = 2;

-- The result of a call, and how many rows of the model it changes; the change is rolled back.
CREATE FUNCTION outcome(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
    before text[] := ARRAY(SELECT u::text FROM users AS u ORDER BY id);
    changed int;
BEGIN
    BEGIN
        IF call ~ '^CALL' THEN
            EXECUTE call;
        ELSE
            EXECUTE format('SELECT string_agg(coalesce(r::text, ''NULL''), '' '') FROM (SELECT %s) AS s (r)', call) INTO result;
        END IF;
        changed := (SELECT count(*) FROM (SELECT u::text FROM users AS u EXCEPT SELECT unnest(before)) AS d);
        RAISE EXCEPTION USING ERRCODE = 'DT000';
    EXCEPTION
        WHEN SQLSTATE 'DT000' THEN
        WHEN OTHERS THEN
            RETURN SQLSTATE || ': ' || SQLERRM;
    END;
    result := regexp_replace(result, '"*20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?\+00(:00)?"*', 'time', 'g');
    result := regexp_replace(result, '\w{8}-\w{4}-\w{4}-\w{4}-\w{12}', 'uuid', 'g');
    result := regexp_replace(result, ',ann,\d+,"', ',ann,transaction,"', 'g');
    result := regexp_replace(result, '^(preloaded|trigger)$', 'tier');
    RETURN concat(coalesce(nullif(result, ''), CASE WHEN result IS NULL THEN 'nothing' ELSE 'empty' END), CASE WHEN changed > 0 THEN format(', %s rows changed', changed) END);
END
$$;

-- The functions, with the types of their arguments.
CREATE VIEW functions AS
    SELECT p.oid::regprocedure AS signature, p.pronamespace::regnamespace AS schema, p.proname AS name, p.prokind = 'p' AS is_procedure, p.provariadic <> 0 AS is_variadic,
           ARRAY(SELECT CASE t WHEN 'anyelement'::regtype THEN 'users' WHEN 'anycompatible'::regtype THEN 'int' ELSE format_type(t, NULL) END
                 FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n) ORDER BY n) AS types,
           p.proargnames AS names
    FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'dtmodel'
    WHERE p.prorettype <> 'internal'::regtype;
CREATE FUNCTION call(f functions, arguments text[]) RETURNS text LANGUAGE sql AS $$
    SELECT format('%s%s.%s(%s)', CASE WHEN f.is_procedure THEN 'CALL ' END, f.schema, f.name,
                  (SELECT string_agg(concat(CASE WHEN f.is_variadic AND n = cardinality(f.types) THEN 'VARIADIC ' END,
                                            coalesce(a, 'NULL'), '::', f.types[n]), ', ' ORDER BY n)
                   FROM unnest(arguments) WITH ORDINALITY AS a (a, n)))
$$;

-- all arguments
CREATE TABLE outcomes AS
    SELECT f.signature, NULL AS "null", outcome(call(f, array_fill(NULL::text, ARRAY[cardinality(f.types)]))) FROM functions AS f;
SELECT signature, outcome FROM outcomes ORDER BY signature::text COLLATE "C";

-- one argument, with valid values for the others
CREATE TABLE sensible (signature text PRIMARY KEY, arguments text[]);
INSERT INTO sensible VALUES
    ($$dtmodel_internal.actor_for(anyelement,regclass,name)$$, ARRAY[NULL, $$'plain'$$, $$'created_by'$$]),
    ($$dtmodel_internal.received(text)$$, ARRAY[$$'update/0/0/f/ann'$$]),
    ($$dtmodel_internal.sender(regclass,text)$$, ARRAY[$$'plain'$$, $$'update'$$]),
    ($$dtmodel_internal.sender_in_conflict(regclass,text)$$, ARRAY[$$'plain'$$, $$'update'$$]),
    ($$dtmodel_internal.sent(anyelement,text)$$, ARRAY[NULL, $$'update/0/0/f/ann'$$]),
    ($$add_audit(regclass,name,name,regtype,regclass)$$, ARRAY[$$'plain'$$, $$'created_by'$$, $$'updated_by'$$, $$'int'$$, $$'users'$$]),
    ($$add_model(regclass,text)$$, ARRAY[$$'plain'$$, $$'v7'$$]),
    ($$add_settings(regclass,text[],boolean,name,jsonb,text)$$, ARRAY[$$'plain'$$, $$'{a}'$$, $$true$$, $$'settings'$$, $$'{"a": {}}'$$, $$'error'$$]),
    ($$add_slug(regclass,name,name,integer,boolean)$$, ARRAY[$$'plain'$$, $$'name'$$, $$'slug'$$, $$80$$, $$true$$]),
    ($$add_soft_delete(regclass,name,name,name,text,boolean,boolean,text,text)$$, ARRAY[$$'plain'$$, $$'is_deleted'$$, $$'deleted_at'$$, $$'deleted_by'$$, $$'deleted'$$, $$false$$, $$true$$, $$'follow'$$, $$'any'$$]),
    ($$add_timestamps(regclass,name,name,name[],text,text)$$, ARRAY[$$'plain'$$, $$'created_at'$$, $$'updated_at'$$, $$'{name}'$$, $$'clock'$$, $$'stamp'$$]),
    ($$bulk_create(anyelement,jsonb,boolean)$$, ARRAY[NULL, $$'[{"id": 4, "name": "Dan"}]'$$, $$true$$]),
    ($$changes(anyelement,timestamp with time zone,timestamp with time zone)$$, ARRAY[NULL, $$now()$$, $$'infinity'$$]),
    ($$class_name(regclass)$$, ARRAY[$$'users'$$]),
    ($$count(anyelement,boolean)$$, ARRAY[NULL, $$true$$]),
    ($$"create"(anyelement,jsonb,boolean)$$, ARRAY[NULL, $$'{"id": 4, "name": "Dan"}'$$, $$true$$]),
    ($$create_live_view(regclass,name)$$, ARRAY[$$'users'$$, $$'living'$$]),
    ($$delete(anyelement,anycompatible,boolean)$$, ARRAY[NULL, $$1$$, $$true$$]),
    ($$delete(anyelement,boolean)$$, ARRAY[$$(SELECT u FROM users AS u WHERE id = 1)$$, $$true$$]),
    ($$delete(anyelement,text,boolean)$$, ARRAY[NULL, $$'1'$$, $$true$$]),
    ($$describe(regclass)$$, ARRAY[$$'plain'$$]),
    ($$drift(regclass)$$, ARRAY[$$'plain'$$]),
    ($$erase(anyelement,anycompatible)$$, ARRAY[NULL, $$1$$]),
    ($$exists(anyelement,anycompatible,boolean)$$, ARRAY[NULL, $$2$$, $$true$$]),
    ($$get(anyelement,text[],text[])$$, ARRAY[$$(SELECT u FROM users AS u WHERE id = 1)$$, $$'{id}'$$, $$'{id,theme}'$$]),
    ($$get_all(anyelement,bigint,bigint,anycompatible,boolean)$$, ARRAY[NULL, $$2$$, $$1$$, $$0$$, $$true$$]),
    ($$get_by_id(anyelement,anycompatible)$$, ARRAY[NULL, $$1$$]),
    ($$get_changes(record,record)$$, ARRAY[$$ROW(1, '{"a": 1}'::jsonb)$$, $$ROW(2, '{"a": 2}'::jsonb)$$]),
    ($$get_deleted(anyelement,timestamp with time zone,interval)$$, ARRAY[NULL, $$now()$$, $$'1 day'$$]),
    ($$get_difference_between_dictionaries(jsonb,jsonb,text,boolean)$$, ARRAY[$$'{"a": [1]}'$$, $$'{"a": [2]}'$$, $$'p'$$, $$true$$]),
    ($$get_fields(regclass)$$, ARRAY[$$'plain'$$]),
    ($$get_modified_keys(record,record)$$, ARRAY[$$ROW(1, 2)$$, $$ROW(1, 3)$$]),
    ($$get_or_create(anyelement,jsonb,jsonb,text)$$, ARRAY[NULL, $$'{"name": "Bob"}'$$, $$'{"id": 4}'$$, $$'ignore'$$]),
    ($$history(anyelement)$$, ARRAY[$$(SELECT u FROM users AS u WHERE id = 1)$$]),
    ($$history(anyelement,anycompatible)$$, ARRAY[NULL, $$1$$]),
    ($$jsonb_changes(jsonb,jsonb,boolean)$$, ARRAY[$$'{"a": [1]}'$$, $$'{"a": [2]}'$$, $$true$$]),
    ($$jsonb_deep_merge(jsonb,jsonb)$$, ARRAY[$$'{"a": 1}'$$, $$'{"b": 2}'$$]),
    ($$jsonb_diff(jsonb,jsonb)$$, ARRAY[$$'{"a": 1}'$$, $$'{"b": 2}'$$]),
    ($$jsonb_merge_diff(jsonb,jsonb)$$, ARRAY[$$'{"a": 1}'$$, $$'{"b": 2}'$$]),
    ($$jsonb_merge_patch(jsonb,jsonb)$$, ARRAY[$$'{"a": 1}'$$, $$'{"b": 2}'$$]),
    ($$jsonb_patch(jsonb,jsonb)$$, ARRAY[$$'{"a": 1}'$$, $$'[{"op": "remove", "path": "/a"}]'$$]),
    ($$merge_settings(jsonb,jsonb)$$, ARRAY[$$'{"a": 1}'$$, $$'{"b": 2}'$$]),
    ($$purge(regclass,interval,integer,boolean)$$, ARRAY[$$'users'$$, $$'0'$$, $$10$$, $$true$$]),
    ($$purge_history(regclass,interval,integer,boolean)$$, ARRAY[$$'users'$$, $$'0'$$, $$10$$, $$true$$]),
    ($$remove_audit(regclass,boolean)$$, ARRAY[$$'users'$$, $$true$$]),
    ($$remove_live_parent(regclass,name[])$$, ARRAY[$$'children'$$, $$'{parent}'$$]),
    ($$remove_model(regclass,boolean)$$, ARRAY[$$'children'$$, $$true$$]),
    ($$remove_settings(regclass,boolean)$$, ARRAY[$$'users'$$, $$true$$]),
    ($$remove_slug(regclass,boolean)$$, ARRAY[$$'users'$$, $$true$$]),
    ($$remove_soft_delete(regclass,boolean)$$, ARRAY[$$'children'$$, $$true$$]),
    ($$remove_timestamps(regclass,boolean)$$, ARRAY[$$'children'$$, $$true$$]),
    ($$add_version(regclass,name)$$, ARRAY[$$'plain'$$, $$'version'$$]),
    ($$remove_version(regclass,boolean)$$, ARRAY[$$'users'$$, $$true$$]),
    ($$add_history(regclass,name[],text)$$, ARRAY[$$'users'$$, $$'{}'$$, NULL]),
    ($$add_history_partitions(regclass,integer)$$, ARRAY[$$'users'$$, $$3$$]),
    ($$remove_history(regclass,boolean)$$, ARRAY[$$'users'$$, $$true$$]),
    ($$repr(anyelement)$$, ARRAY[$$(SELECT u FROM users AS u WHERE id = 1)$$]),
    ($$require_live_parent(regclass,name[])$$, ARRAY[$$'children'$$, $$'{parent}'$$]),
    ($$restore(anyelement)$$, ARRAY[$$(SELECT u FROM users AS u WHERE id = 2)$$]),
    ($$restore(anyelement,anycompatible)$$, ARRAY[NULL, $$2$$]),
    ($$restore_deletion(anyelement,timestamp with time zone)$$, ARRAY[NULL, $$(SELECT deleted_at FROM users WHERE id = 2)$$]),
    ($$revert(anyelement,anycompatible,timestamp with time zone)$$, ARRAY[NULL, $$2$$, $$(SELECT created_at FROM users WHERE id = 1)$$]),
    ($$revert(anyelement,timestamp with time zone)$$, ARRAY[$$dtmodel.get_by_id(NULL::users, 2)$$, $$(SELECT created_at FROM users WHERE id = 1)$$]),
    ($$revert_transaction(anyelement,xid8,boolean)$$, ARRAY[NULL, $$(SELECT transaction_id FROM users_history WHERE id = 2)$$, $$true$$]),
    ($$set_actor(text)$$, ARRAY[$$'bob'$$]),
    ($$settings(anyelement)$$, ARRAY[$$(SELECT u FROM users AS u WHERE id = 1)$$]),
    ($$slugify(text,text,integer)$$, ARRAY[$$'A b c'$$, $$'_'$$, $$30$$]),
    ($$soft_delete(anyelement)$$, ARRAY[$$(SELECT u FROM users AS u WHERE id = 1)$$]),
    ($$soft_delete(anyelement,anycompatible)$$, ARRAY[NULL, $$1$$]),
    ($$str(anyelement)$$, ARRAY[$$(SELECT u FROM users AS u WHERE id = 1)$$]),
    ($$table_name(text)$$, ARRAY[$$'User'$$]),
    ($$to_dict(anyelement,text[],text[])$$, ARRAY[$$(SELECT u FROM users AS u WHERE id = 1)$$, $$'{id}'$$, $$'{id,theme}'$$]),
    ($$unique_live(regclass,name[])$$, ARRAY[$$'users'$$, $$'{name}'$$]),
    ($$update(anyelement,anycompatible,jsonb,boolean)$$, ARRAY[NULL, $$1$$, $$'{"name": "Dan"}'$$, $$true$$]),
    ($$update(anyelement,jsonb,boolean)$$, ARRAY[$$(SELECT u FROM users AS u WHERE id = 1)$$, $$'{"name": "Dan"}'$$, $$true$$]),
    ($$update(anyelement,jsonb,text,boolean)$$, ARRAY[NULL, $$'1'$$, $$'{"name": "Dan"}'$$, $$true$$]),
    ($$update(anyelement,text,text,boolean)$$, ARRAY[NULL, $$'1'$$, $$'{"name": "Dan"}'$$, $$true$$]),
    ($$invalid_settings(anyelement)$$, ARRAY[$$(SELECT u FROM users AS u WHERE id = 1)$$]),
    ($$new_slug(anyelement)$$, ARRAY[$$(SELECT u FROM users AS u WHERE id = 1)$$]),
    ($$fill_slugs(regclass,integer)$$, ARRAY[$$'users'$$, $$10$$]),
    ($$"create"(text,jsonb,boolean)$$, ARRAY[$$'users'$$, $$'{"name": "Dan"}'$$, $$true$$]),
    ($$upsert(anyelement,jsonb,name[],text,boolean)$$, ARRAY[NULL, $$'{"id": 1, "name": "Dan"}'$$, $$'{id}'$$, $$'ignore'$$, $$true$$]),
    ($$uuid_timestamp(uuid)$$, ARRAY[$$'017f22e2-79b0-7cc3-98c4-dc0c0c07398f'$$]),
    ($$uuidv5(uuid,text)$$, ARRAY[$$'6ba7b810-9dad-11d1-80b4-00c04fd430c8'$$, $$'x'$$]),
    ($$uuidv7(interval)$$, ARRAY[$$'1 day'$$]);
SELECT f.signature AS "needs arguments that make sense"
FROM functions AS f WHERE cardinality(f.types) > 0 AND replace(f.signature::text, 'dtmodel.', '') NOT IN (SELECT signature FROM sensible);

WITH one AS (
    INSERT INTO outcomes
    SELECT f.signature, f.names[n], outcome(call(f, s.arguments[:n - 1] || NULL::text || s.arguments[n + 1:]))
    FROM functions AS f JOIN sensible AS s ON s.signature = replace(f.signature::text, 'dtmodel.', ''),
         generate_subscripts(s.arguments, 1) AS n
    WHERE s.arguments[n] IS NOT NULL AND cardinality(f.types) > 1
    ORDER BY f.signature::text COLLATE "C", n
    RETURNING *)
SELECT * FROM one;

-- no call raises an internal error or ends the session
SELECT * FROM outcomes WHERE outcome ~ '^(XX|57|58|F0)';
SELECT count(*) > 190 AS called, count(*) FILTER (WHERE outcome ~ '^\w{5}: ') > 50 AS refused FROM outcomes;

DROP SCHEMA null_arguments CASCADE;
