--
-- every function of the extension, without each privilege that it needs: 42501, and no row is changed
--
SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE missing_privileges_owner;
CREATE ROLE missing_privileges_user;
-- "model" has a model with all mixins, and "caller" the objects by which the user refers to it without its name
CREATE SCHEMA missing_privileges_model AUTHORIZATION missing_privileges_owner;
CREATE SCHEMA missing_privileges;
GRANT USAGE ON SCHEMA missing_privileges TO missing_privileges_user, missing_privileges_owner;
SET search_path = missing_privileges;
\pset format unaligned
\pset null NULL

SET ROLE missing_privileges_owner;
SET search_path = missing_privileges_model;
CREATE TABLE users (id int PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('users'), dtmodel.add_audit('users'),
       dtmodel.add_soft_delete('users', deleted_by => 'deleted_by'), dtmodel.add_slug('users', 'name'),
       dtmodel.add_settings('users', '{theme,size}');
SELECT dtmodel.unique_live('users', 'name'), dtmodel.add_history('users');
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES users ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('children'), dtmodel.require_live_parent('children', 'parent');
CREATE TABLE plain (id int PRIMARY KEY, name text);
INSERT INTO users (id, name, settings) VALUES (1, 'Ann', '{"theme": "dark"}'), (2, 'Bob', NULL), (3, 'Cid', '{}');
INSERT INTO children VALUES (1, 1), (2, 2);
DELETE FROM users WHERE id = 2;
RESET ROLE;
SET search_path = missing_privileges;

-- A model, a row and a table, for a user who cannot read them; names in a text would be looked up as the user.
CREATE FUNCTION model() RETURNS missing_privileges_model.users LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION row_of(key int) RETURNS missing_privileges_model.users LANGUAGE plpgsql SECURITY DEFINER AS
    'DECLARE r missing_privileges_model.users; BEGIN SELECT * INTO r FROM missing_privileges_model.users WHERE id = key; RETURN r; END';
CREATE FUNCTION users() RETURNS regclass LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN 'missing_privileges_model.users'::regclass; END $$;
CREATE FUNCTION plain() RETURNS regclass LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN 'missing_privileges_model.plain'::regclass; END $$;
CREATE FUNCTION children() RETURNS regclass LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN 'missing_privileges_model.children'::regclass; END $$;
CREATE FUNCTION deletion() RETURNS timestamptz LANGUAGE plpgsql SECURITY DEFINER AS
    'BEGIN RETURN (SELECT deleted_at FROM missing_privileges_model.users WHERE id = 2); END';
CREATE FUNCTION creation() RETURNS timestamptz LANGUAGE plpgsql SECURITY DEFINER AS
    'BEGIN RETURN (SELECT created_at FROM missing_privileges_model.users WHERE id = 2); END';
CREATE FUNCTION deleting() RETURNS xid8 LANGUAGE plpgsql SECURITY DEFINER AS
    'BEGIN RETURN (SELECT transaction_id FROM missing_privileges_model.users_history WHERE id = 2); END';

-- A call of each function, and several calls if the privileges depend on the arguments.
CREATE TABLE calls (signature text, arguments text);
INSERT INTO calls VALUES
    ('"create"(anyelement,jsonb,boolean)', $$model(), '{"id": 4, "name": "Dan", "theme": "dark"}'$$),
    ('"exists"(anyelement,anycompatible,boolean)', 'model(), 1'),
    ('add_audit(regclass,name,name,regtype,regclass)', 'plain()'),
    ('add_model(regclass,text)', 'plain()'),
    ('add_settings(regclass,text[],boolean,name,jsonb,text)', $$plain(), '{a}'$$),
    ('add_slug(regclass,name,name,integer,boolean)', $$plain(), 'name'$$),
    ('add_version(regclass,name)', 'plain()'),
    ('add_history(regclass,name[],text)', 'plain()'),
    ('add_history_partitions(regclass,integer)', 'plain()'),
    ('add_soft_delete(regclass,name,name,name,text,boolean,boolean,text,text)', 'plain()'),
    ('add_timestamps(regclass,name,name,name[],text,text)', 'plain()'),
    ('bulk_create(anyelement,jsonb,boolean)', $$model(), '[{"id": 4, "name": "Dan"}, {"id": 5, "theme": "dark"}]'$$),
    ('changes(anyelement,timestamp with time zone,timestamp with time zone)', 'model(), NULL'),
    ('class_name(regclass)', 'users()'),
    ('count(anyelement,boolean)', 'model()'),
    ('create_live_view(regclass,name)', 'users()'),
    ('delete(anyelement,anycompatible,boolean)', 'model(), 1'),
    ('delete(anyelement,anycompatible,boolean)', 'model(), 3, soft => false'),
    ('delete(anyelement,boolean)', 'row_of(1)'),
    ('delete(anyelement,boolean)', 'row_of(3), soft => false'),
    ('delete(anyelement,text,boolean)', $$model(), '1'$$),
    ('describe(regclass)', 'users()'),
    ('drift(regclass)', 'users()'),
    ('drift(regclass)', ''),
    ('erase(anyelement,anycompatible)', 'model(), 1'),
    ('get(anyelement,text[],text[])', 'row_of(1)'),
    ('get_all(anyelement,bigint,bigint,anycompatible,boolean)', 'model()'),
    ('get_by_id(anyelement,anycompatible)', 'model(), 1'),
    ('get_changes(record,record)', 'row_of(1), row_of(2)'),
    ('get_deleted(anyelement,timestamp with time zone,interval)', 'model()'),
    ('get_difference_between_dictionaries(jsonb,jsonb,text,boolean)', $$'{}', '{}'$$),
    ('get_fields(regclass)', 'users()'),
    ('get_modified_keys(record,record)', 'row_of(1), row_of(2)'),
    ('get_or_create(anyelement,jsonb,jsonb,text)', $$model(), '{"name": "Ann"}'$$),
    ('get_or_create(anyelement,jsonb,jsonb,text)', $$model(), '{"name": "Dan"}', '{"id": 4}'$$),
    ('get_or_create(anyelement,jsonb,jsonb,text)', $$model(), '{"name": "Bob"}', on_deleted => 'restore'$$),
    ('history(anyelement)', 'row_of(2)'),
    ('history(anyelement,anycompatible)', 'model(), 2'),
    ('invalid_settings(anyelement)', 'row_of(1)'),
    ('jsonb_changes(jsonb,jsonb,boolean)', $$'{}', '{}'$$),
    ('jsonb_deep_merge(jsonb,jsonb)', $$'{}', '{}'$$),
    ('jsonb_diff(jsonb,jsonb)', $$'{}', '{}'$$),
    ('jsonb_merge_diff(jsonb,jsonb)', $$'{}', '{}'$$),
    ('jsonb_merge_patch(jsonb,jsonb)', $$'{}', '{}'$$),
    ('jsonb_patch(jsonb,jsonb)', $$'{}', '[]'$$),
    ('merge_settings(jsonb,jsonb)', $$'{}', '{}'$$),
    ('mixins()', ''),
    ('new_slug(anyelement)', 'row_of(1)'),
    ('purge(regclass,interval,integer,boolean)', $$users(), '0', dry_run => true$$),
    ('purge_history(regclass,interval,integer,boolean)', $$users(), '0', dry_run => true$$),
    ('remove_audit(regclass,boolean)', 'users()'),
    ('remove_live_parent(regclass,name[])', $$children(), 'parent'$$),
    ('remove_model(regclass,boolean)', 'users()'),
    ('remove_settings(regclass,boolean)', 'users()'),
    ('remove_slug(regclass,boolean)', 'users()'),
    ('remove_soft_delete(regclass,boolean)', 'users()'),
    ('remove_timestamps(regclass,boolean)', 'users()'),
    ('remove_version(regclass,boolean)', 'users()'),
    ('remove_history(regclass,boolean)', 'users()'),
    ('repr(anyelement)', 'row_of(1)'),
    ('require_live_parent(regclass,name[])', $$children(), 'parent'$$),
    ('restore(anyelement)', 'row_of(2)'),
    ('restore(anyelement,anycompatible)', 'model(), 2'),
    ('restore_deletion(anyelement,timestamp with time zone)', 'model(), deletion()'),
    ('revert(anyelement,anycompatible,timestamp with time zone)', 'model(), 2, creation()'),
    ('revert(anyelement,timestamp with time zone)', 'row_of(2), creation()'),
    ('revert_transaction(anyelement,xid8,boolean)', 'model(), deleting()'),
    ('set_actor(text)', $$'ann'$$),
    ('settings(anyelement)', 'row_of(1)'),
    ('slugify(text,text,integer)', $$'A b'$$),
    ('soft_delete(anyelement)', 'row_of(1)'),
    ('soft_delete(anyelement,anycompatible)', 'model(), 1'),
    ('str(anyelement)', 'row_of(1)'),
    ('table_name(text)', $$'User'$$),
    ('tier()', ''),
    ('to_dict(anyelement,text[],text[])', 'row_of(1)'),
    ('unique_live(regclass,name[])', $$users(), 'slug'$$),
    ('update(anyelement,anycompatible,jsonb,boolean)', $$model(), 1, '{"name": "Dan", "theme": "light"}'$$),
    ('update(anyelement,jsonb,boolean)', $$row_of(1), '{"name": "Dan"}'$$),
    ('update(anyelement,jsonb,text,boolean)', $$model(), '1'::jsonb, '{"name": "Dan"}'$$),
    ('update(anyelement,text,text,boolean)', $$model(), '1', '{"name": "Dan"}'$$),
    ('upsert(anyelement,jsonb,name[],text,boolean)', $$model(), '{"id": 1, "name": "Dan"}'$$),
    ('upsert(anyelement,jsonb,name[],text,boolean)', $$model(), '{"id": 2, "name": "Dan"}', on_deleted => 'restore'$$),
    ('uuid_timestamp(uuid)', $$'017f22e2-79b0-7cc3-98c4-dc0c0c07398f'$$),
    ('uuidv4()', ''),
    ('uuidv5(uuid,text)', $$'6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'x'$$),
    ('uuidv7()', ''),
    ('uuidv7(interval)', $$'1 day'$$);
CREATE VIEW functions AS
    SELECT p.oid AS function, replace(p.oid::regprocedure::text, 'dtmodel.', '') AS signature, p.proname AS name, p.prokind = 'p' AS is_procedure
    FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'dtmodel'
    WHERE p.prorettype <> ALL ('{trigger,event_trigger,internal}'::regtype[]) AND obj_description(p.oid, 'pg_proc') !~ '^for Citus: ';
-- (One always raises an error, and one commits: it is called below.)
SELECT signature AS "is called by none" FROM functions WHERE signature NOT IN (SELECT signature FROM calls)
    AND signature NOT IN ('"create"(text,jsonb,boolean)', 'fill_slugs(regclass,integer)');
SELECT signature AS "is no function" FROM calls WHERE signature NOT IN (SELECT signature FROM functions);

-- The state: the rows, and the number of objects.
CREATE FUNCTION contents() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN concat((SELECT string_agg(u::text, ' ') FROM missing_privileges_model.users AS u),
                  (SELECT string_agg(c::text, ' ') FROM missing_privileges_model.children AS c),
                  (SELECT sum(relnatts + relchecks) + count(*) FROM pg_class WHERE relnamespace = 'missing_privileges_model'::regnamespace),
                  (SELECT count(*) FROM pg_trigger));
END
$$;

-- The result of a call, and whether it changes the state; the change is rolled back.
CREATE FUNCTION outcome(name name, is_procedure bool, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before text := contents();
    answer text := 'ok';
BEGIN
    SET LOCAL ROLE missing_privileges_user;
    BEGIN
        IF is_procedure THEN
            EXECUTE format('CALL dtmodel.%I(%s)', name, arguments);
        ELSE
            EXECUTE format('SELECT count(f::text) FROM (SELECT dtmodel.%I(%s) AS f) AS s', name, arguments);
        END IF;
        SET CONSTRAINTS ALL IMMEDIATE;
    EXCEPTION WHEN OTHERS THEN
        answer := SQLSTATE;
    END;
    RESET ROLE;
    IF contents() <> before THEN
        answer := answer || ', changed';
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'DT000', MESSAGE = answer;
EXCEPTION WHEN SQLSTATE 'DT000' THEN
    RETURN SQLERRM;
END
$$;

-- All sets of privileges on the model and its schema.
CREATE TABLE outcomes (signature text, arguments text, privileges text[], outcome text);
DO $$
DECLARE
    privileges text[] := '{USAGE,SELECT,INSERT,UPDATE,DELETE,TRUNCATE}';
    granted text[];
    c record;
BEGIN
    FOR number IN 0..63 LOOP
        granted := ARRAY(SELECT privileges[i] FROM generate_subscripts(privileges, 1) AS i WHERE number & (1 << (i - 1)) <> 0);
        REVOKE ALL ON missing_privileges_model.users, missing_privileges_model.users_history, missing_privileges_model.children, missing_privileges_model.plain FROM missing_privileges_user;
        REVOKE ALL ON SCHEMA missing_privileges_model FROM missing_privileges_user;
        IF 'USAGE' = ANY (granted) THEN
            GRANT USAGE ON SCHEMA missing_privileges_model TO missing_privileges_user;
        END IF;
        IF granted && '{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}' THEN
            EXECUTE format('GRANT %s ON missing_privileges_model.users, missing_privileges_model.plain TO missing_privileges_user',
                           array_to_string(array_remove(granted, 'USAGE'), ', '));
        END IF;
        IF 'SELECT' = ANY (granted) THEN
            GRANT SELECT ON missing_privileges_model.children, missing_privileges_model.users_history TO missing_privileges_user;
        END IF;
        FOR c IN SELECT * FROM calls JOIN functions USING (signature) LOOP
            INSERT INTO outcomes VALUES (c.signature, c.arguments, granted, outcome(c.name, c.is_procedure, c.arguments));
        END LOOP;
    END LOOP;
END
$$;

-- For each call the smallest set of privileges with which it succeeds, and its effect then.
SELECT o.signature, o.arguments, coalesce(nullif(array_to_string(o.privileges, ' '), ''), 'none') AS needs, o.outcome
FROM outcomes AS o
WHERE o.outcome LIKE 'ok%'
  AND NOT EXISTS (SELECT FROM outcomes AS less WHERE (less.signature, less.arguments) = (o.signature, o.arguments)
                  AND less.outcome LIKE 'ok%' AND less.privileges <@ o.privileges AND less.privileges <> o.privileges)
ORDER BY o.signature COLLATE "C", o.arguments COLLATE "C", o.privileges;
-- Calls for which no such privilege is sufficient: they need the owner.
SELECT signature, arguments, array_agg(DISTINCT outcome) FROM outcomes GROUP BY 1, 2
HAVING bool_and(outcome NOT LIKE 'ok%') ORDER BY signature COLLATE "C";
-- Without them: 42501 and nothing else.
SELECT * FROM outcomes WHERE outcome NOT IN ('ok', 'ok, changed', '42501');
-- With more privileges the effect is the same.
SELECT less.*, o.privileges, o.outcome FROM outcomes AS less JOIN outcomes AS o USING (signature, arguments)
WHERE less.outcome LIKE 'ok%' AND less.privileges <@ o.privileges AND o.outcome <> less.outcome;

-- Without EXECUTE on the function, or USAGE on our schema.
GRANT USAGE ON SCHEMA missing_privileges_model TO missing_privileges_user;
GRANT ALL ON missing_privileges_model.users TO missing_privileges_user;
CREATE FUNCTION outcome_without(revoke text, name name, is_procedure bool, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE revoke;
    answer := outcome(name, is_procedure, arguments);
    RAISE EXCEPTION USING ERRCODE = 'DT000', MESSAGE = answer;
EXCEPTION WHEN SQLSTATE 'DT000' THEN
    RETURN SQLERRM;
END
$$;
SELECT outcome, count(*) = (SELECT count(*) FROM calls) AS all
FROM calls JOIN functions USING (signature),
     outcome_without(format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', function::regprocedure), name, is_procedure, arguments) AS outcome
GROUP BY 1;
SELECT outcome, count(*) = (SELECT count(*) FROM calls) AS all
FROM calls JOIN functions USING (signature),
     outcome_without('REVOKE USAGE ON SCHEMA dtmodel FROM PUBLIC', name, is_procedure, arguments) AS outcome
GROUP BY 1;

-- What dtmodel itself calls needs no privilege of the caller.
SELECT signature, usual, o.outcome
FROM calls JOIN functions USING (signature), outcome(name, is_procedure, arguments) AS usual,
     outcome_without('REVOKE USAGE ON SCHEMA dtmodel_internal FROM PUBLIC; REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA dtmodel_internal FROM PUBLIC',
                     name, is_procedure, arguments) AS o (outcome)
WHERE o.outcome <> usual;

-- a purge, which commits
REVOKE ALL ON missing_privileges_model.users FROM missing_privileges_user;
GRANT SELECT, UPDATE, INSERT, DELETE ON missing_privileges_model.users TO missing_privileges_user;
SET ROLE missing_privileges_user;
CALL dtmodel.fill_slugs(users());
\echo :SQLSTATE
CALL dtmodel.purge(users(), '0');
\echo :SQLSTATE
RESET ROLE;
SELECT count(*) FROM missing_privileges_model.users;

DROP SCHEMA missing_privileges CASCADE;
DROP SCHEMA missing_privileges_model CASCADE;
DROP ROLE missing_privileges_owner, missing_privileges_user;
