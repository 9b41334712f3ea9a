--
-- names with quotes, dots, spaces, semicolons, and 63 bytes: all other mixins, and
-- what reads them
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA "b ""schema"".with; DROP--";
SET search_path = "b ""schema"".with; DROP--";
SET dtmodel.actor = 'ann';

CREATE TABLE results (n int GENERATED ALWAYS AS IDENTITY, t text, step text, ok boolean);
CREATE FUNCTION check_that(t text, step text, condition text, VARIADIC arguments text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ok boolean;
BEGIN
    EXECUTE format(condition, VARIADIC t || arguments) INTO ok;
    INSERT INTO results (t, step, ok) VALUES (t, step, ok);
END $$;

-- a table, its key, a column, those of the mixins, a setting, a view, a child and its
-- column
CREATE PROCEDURE try(t text, key text, note text, creator text, changer text, number text, options text, setting text, child text, parent text)
LANGUAGE plpgsql AS $$
DECLARE
    r regclass;
    live text := left(t, 50) || ' live;';
    data jsonb := jsonb_build_object(key, 1, note, 'x', setting, 1);
BEGIN
    EXECUTE format('CREATE TABLE %I (%I int PRIMARY KEY, %I text)', t, key, note);
    EXECUTE format('CREATE TABLE %I (%I int PRIMARY KEY, %I int REFERENCES %I ON DELETE CASCADE)', child, key, parent, t);
    r := quote_ident(t)::regclass;
    PERFORM dtmodel.add_timestamps(r), dtmodel.add_soft_delete(r, deleted_by => left(creator, 50) || ' del"'), dtmodel.add_audit(r, creator, changer),
            dtmodel.add_version(r, number), dtmodel.add_settings(r, ARRAY[setting], settings => options), dtmodel.unique_live(r, note);
    PERFORM dtmodel.add_history(r), dtmodel.add_soft_delete(quote_ident(child)::regclass),
            dtmodel.require_live_parent(quote_ident(child)::regclass, parent), dtmodel.create_live_view(r, live);
    INSERT INTO results (t, step, ok)
    SELECT t, 'described', d #>> '{audit,created_by}' = creator AND d #>> '{audit,updated_by}' = changer AND d #>> '{version,version}' = number
                           AND d #>> '{settings,settings}' = options AND d -> 'drift' = '[]'
    FROM dtmodel.describe(r) AS d;
    EXECUTE format('SELECT dtmodel.create(NULL::%I, %L)', t, data);
    EXECUTE format('INSERT INTO %I VALUES (7, 1)', child);
    COMMIT;
    PERFORM check_that(t, 'created', 'SELECT %2$I = ''ann'' AND %I = ''ann'' AND %I = 1 AND %I ->> %L = ''1'' AND %I = 1 FROM %1$I', creator, changer, number, options, setting, key);
    EXECUTE format('SELECT dtmodel.update(NULL::%I, 1, %L)', t, jsonb_build_object(note, 'y', setting, 2, number, 1));
    COMMIT;
    PERFORM check_that(t, 'updated', 'SELECT %2$I = ''y'' AND %I = 2 AND %I ->> %L = ''2'' FROM %1$I', note, number, options, setting);
    PERFORM check_that(t, 'found', 'SELECT NOT created FROM dtmodel.get_or_create(NULL::%I, %L)', jsonb_build_object(note, 'y')::text);
    EXECUTE format('SELECT dtmodel.upsert(NULL::%I, %L, %L)', t, jsonb_build_object(key, 1, note, 'y', setting, 3), ARRAY[note]);
    COMMIT;
    PERFORM check_that(t, 'upserted', 'SELECT %2$I = 3 AND %I ->> %L = ''3'' FROM %1$I', number, options, setting);
    EXECUTE format('DELETE FROM %I WHERE %I = 1', live, key);
    COMMIT;
    PERFORM check_that(t, 'deleted', 'SELECT is_deleted AND %2$I = ''ann'' AND (SELECT is_deleted FROM %I) FROM %1$I', left(creator, 50) || ' del"', child);
    BEGIN
        EXECUTE format('INSERT INTO %I VALUES (8, 1)', child);
        INSERT INTO results (t, step, ok) VALUES (t, 'refused', false);
    EXCEPTION WHEN foreign_key_violation THEN
        INSERT INTO results (t, step, ok) VALUES (t, 'refused', true);
    END;
    COMMIT;
    EXECUTE format('SELECT dtmodel.restore(NULL::%I, 1)', t);
    COMMIT;
    PERFORM check_that(t, 'restored', 'SELECT NOT is_deleted AND NOT (SELECT is_deleted FROM %2$I) FROM %1$I', child);
    PERFORM check_that(t, 'past', 'SELECT array_agg(operation ORDER BY valid_from) = ''{create,update,update,delete,restore}'' FROM dtmodel.history(NULL::%I, 1)', VARIADIC '{}');
    PERFORM check_that(t, 'as it was', 'SELECT count(*) = 1 AND bool_and(%2$I = ''y'') FROM %I(now())', note, dtmodel.describe(r) #>> '{past,function}');
    PERFORM check_that(t, 'dict', 'SELECT dtmodel.to_dict(its_row) @> %2$L FROM %1$I AS its_row', jsonb_build_object(key, 1, note, 'y', setting, 3)::text);
    EXECUTE format('DROP VIEW %I', live);
    PERFORM dtmodel.remove_history(r, true), dtmodel.remove_live_parent(quote_ident(child)::regclass, parent);
    PERFORM dtmodel.remove_soft_delete(r, true), dtmodel.remove_timestamps(r, true), dtmodel.remove_audit(r, true),
            dtmodel.remove_version(r, true), dtmodel.remove_settings(r, true);
    INSERT INTO results (t, step, ok) SELECT t, 'removed', dtmodel.get_fields(r) = ARRAY[key, note];
    EXECUTE format('DROP TABLE %I, %I', child, t);
    COMMIT;
END $$;

CALL try('plain', 'id', 'note', 'created_by', 'updated_by', 'version', 'settings', 'theme', 'child', 'parent');
CALL try('with space', 'the id', 'a note', 'created by', 'updated by', 'the version', 'the settings', 'a theme', 'a child', 'its parent');
CALL try('do"uble', 'i"d', 'no"te', 'created"by', 'updated"by', 'ver"sion', 'set"tings', 'the"me', 'chi"ld', 'par"ent');
CALL try('sin''gle', 'i''d', 'no''te', 'created''by', 'updated''by', 'ver''sion', 'set''tings', 'the''me', 'chi''ld', 'par''ent');
CALL try('a.b', 'i.d', 'no.te', 'created.by', 'updated.by', 'ver.sion', 'set.tings', 'the.me', 'chi.ld', 'par.ent');
CALL try('x; DROP TABLE results; --', ';', '; note', '; created', '; updated', '; version', '; settings', '; theme', '; child', '; parent');
CALL try('back\slash', 'i\d', 'no\te', 'created\by', 'updated\by', 'ver\sion', 'set\tings', 'the\me', 'chi\ld', 'par\ent');
CALL try('{a,b}', '{i,d}', 'no=te', 'created=by', 'updated_by=', '=version', '{settings}', '{the,me}', '{child}', 'parent,');
CALL try('select', 'user', 'where', 'from', 'table', 'order', 'group', 'having', 'all', 'any');
CALL try('%s%n', '%I', '%L', '%1$s', '%%', '%', '%2$I', '$1', '%3$s', '$2');
CALL try('T', 'X', 'x', 'U', 'u', 'V', 'v', 'Theme', 't', 'Y');
CALL try(repeat('t', 63), repeat('i', 63), repeat('n', 63), repeat('c', 63), repeat('u', 63), repeat('v', 63), repeat('s', 63), repeat('m', 63),
         repeat('k', 63), repeat('p', 63));
SELECT left(t, 30) AS t, count(*) AS steps, string_agg(step, ' ' ORDER BY n) FILTER (WHERE ok IS NOT TRUE) AS failed FROM results GROUP BY t ORDER BY min(n);

DROP SCHEMA "b ""schema"".with; DROP--" CASCADE;
