--
-- all mixins together: a model behaves the same for any order of add_*
--
SELECT getdatabaseencoding() <> 'UTF8' OR
       NOT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA mixins;
SET search_path = mixins;

-- all orders of the four mixins, each on a table of its own
CREATE TABLE calls (n int, call text);
INSERT INTO calls VALUES
    (1, 'SELECT dtmodel.add_timestamps(%L, ignore_columns => ''{visits}'')'),
    (2, 'SELECT dtmodel.add_soft_delete(%L)'),
    (3, 'SELECT dtmodel.add_audit(%L)'),
    (4, 'SELECT dtmodel.add_slug(%L, ''title'', on_update => true)');
CREATE TABLE models AS
    SELECT format('m_%s%s%s%s', a.n, b.n, c.n, d.n) AS model, ARRAY[a.call, b.call, c.call, d.call] AS calls
    FROM calls AS a, calls AS b, calls AS c, calls AS d
    WHERE a.n <> b.n AND a.n <> c.n AND a.n <> d.n AND b.n <> c.n AND b.n <> d.n AND c.n <> d.n;
SELECT count(*) FROM models;

CREATE PROCEDURE make(model text, calls text[]) LANGUAGE plpgsql AS $$
DECLARE
    call text;
BEGIN
    EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY, title text, visits int NOT NULL DEFAULT 0)', model);
    FOREACH call IN ARRAY calls LOOP
        EXECUTE format(call, model);
    END LOOP;
END
$$;
DO $$
DECLARE
    m record;
BEGIN
    FOR m IN TABLE models LOOP
        CALL make(m.model, m.calls);
    END LOOP;
END
$$;
SELECT DISTINCT mixins, drift FROM dtmodel.models WHERE model::text LIKE 'm\_%';
SELECT DISTINCT dtmodel.describe(model::regclass) - 'table' - 'class' AS description FROM models;
SELECT DISTINCT regexp_replace(pg_get_indexdef(indexrelid), 'm_\d+', 'm', 'g') AS index
FROM pg_index JOIN models ON indrelid = model::regclass WHERE NOT indisprimary;

-- the same statements for a row of each: the results are the same
CREATE FUNCTION live(model text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    step text;
    result text;
BEGIN
    FOREACH step IN ARRAY ARRAY[
        'SELECT dtmodel.set_actor(''ann'')',
        'INSERT INTO %1$I VALUES (1, ''Same title''), (2, ''Same title'')',
        'SELECT dtmodel.set_actor(''bob'')',
        'UPDATE %1$I SET title = title',
        'UPDATE %1$I SET visits = visits + 1',
        'UPDATE %1$I SET created_by = ''x'', updated_by = ''x'', created_at = ''2001-01-01''',
        'UPDATE %1$I SET title = ''New title'' WHERE id = 1',
        'SELECT dtmodel.set_actor(''cy'')',
        'DELETE FROM %1$I WHERE id = 1',
        'INSERT INTO %1$I VALUES (3, ''New title'')',
        'SELECT dtmodel.set_actor(''di'')',
        'SELECT dtmodel.restore(NULL::%1$I, 1)',
        'UPDATE %1$I SET updated_at = NULL WHERE id = 2'
    ] LOOP
        EXECUTE format(step, model);
        EXECUTE format('SELECT string_agg(concat_ws('' '', id, slug, visits, created_by, updated_by,
                            CASE WHEN updated_at > created_at THEN ''moved'' END,
                            CASE WHEN is_deleted THEN ''deleted'' END), '', '' ORDER BY id)
                        FROM %I', model) INTO result;
        RETURN NEXT replace(step, '%1$I', 'm') || coalesce(': ' || result, '');
    END LOOP;
END
$$;
CREATE TABLE lives (model text, n bigint, step text);
-- the clock of each row, since otherwise updated_at would not change in one
-- transaction; read once for both times of a new row
SELECT count(dtmodel.add_timestamps(model::regclass, ignore_columns => '{visits}', clock => 'clock', on_insert => 'stamp')) FROM models;
INSERT INTO lives SELECT m.model, l.n, l.step FROM models AS m, LATERAL live(m.model) WITH ORDINALITY AS l (step, n);
SELECT step, count(*) FROM lives GROUP BY n, step ORDER BY n;

-- removed in any order, no trigger or default of ours remains
DO $$
DECLARE
    m record;
    call text;
BEGIN
    FOR m IN TABLE models LOOP
        FOREACH call IN ARRAY m.calls LOOP
            call := regexp_replace(call, '\.add_(\w+)\(%L.*', '.remove_\1(%L, drop_columns => true)');
            EXECUTE format(call, m.model);
        END LOOP;
    END LOOP;
END
$$;
SELECT count(*) FROM pg_trigger JOIN models ON tgrelid = model::regclass;
SELECT DISTINCT dtmodel.get_fields(model::regclass) FROM models;
SELECT count(*) FROM pg_index JOIN models ON indrelid = model::regclass WHERE NOT indisprimary;

-- a change that a mixin reverts is not a change: updated_at and updated_by stay
CREATE TABLE configured (id int PRIMARY KEY, title text);
SELECT dtmodel.add_timestamps('configured', clock => 'clock', on_insert => 'stamp'), dtmodel.add_audit('configured'),
       dtmodel.add_settings('configured', '{theme}', on_unknown => 'ignore');
SET dtmodel.actor = 'ann';
INSERT INTO configured (id, settings) VALUES (1, '{"theme": "dark"}');
SET dtmodel.actor = 'bob';
UPDATE configured SET settings = settings || '{"unknown": true}' RETURNING settings, updated_by, updated_at > created_at AS moved;
UPDATE configured SET settings = settings || '{"theme": "light"}' RETURNING settings, updated_by, updated_at > created_at AS moved;
RESET dtmodel.actor;

-- a column that was renamed: the call in the hint keeps all other options
CREATE FUNCTION follow_hint(statement text, new_name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    call text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN undefined_column THEN
    GET STACKED DIAGNOSTICS call = PG_EXCEPTION_HINT;
    call := substring(call FROM 'call (dtmodel\.add_.*\)); to do without');
    EXECUTE 'SELECT ' || replace(call, 'its new name', new_name);
    RETURN call;
END
$$;
CREATE TABLE renamed (id int PRIMARY KEY, headline text, visits int);
SELECT dtmodel.add_timestamps('renamed', created_at => NULL, updated_at => 'moved', ignore_columns => '{visits}',
                              clock => 'clock', on_insert => 'stamp'),
       dtmodel.add_slug('renamed', 'headline', slug => 'address', max_length => 50, on_update => true),
       dtmodel.add_settings('renamed', '{theme,"it''s"}', combined => false, settings => 'options',
                            schema => '{"theme": {"type": "string"}}', on_unknown => 'ignore'),
       dtmodel.add_audit('renamed', updated_by => 'mover'),
       dtmodel.add_soft_delete('renamed', flag => 'alive', deleted_by => 'deleter', flag_means => 'live',
                               protect_truncate => true, flag_writes => 'error', tier => 'trigger');
INSERT INTO renamed (id, headline) VALUES (1, 'a');
CREATE TABLE renames (n int, old_name text, statement text);
INSERT INTO renames VALUES
    (1, 'moved', 'UPDATE renamed SET visits = 1'),
    (2, 'headline', 'INSERT INTO renamed (id) VALUES (2)'),
    (3, 'address', 'INSERT INTO renamed (id) VALUES (2)'),
    (4, 'options', 'INSERT INTO renamed (id) VALUES (2)'),
    (5, 'mover', 'INSERT INTO renamed (id) VALUES (2)'),
    (6, 'alive', 'DELETE FROM renamed'),
    (7, 'deleted_at', 'DELETE FROM renamed'),
    (8, 'deleter', 'DELETE FROM renamed');
CREATE FUNCTION rename_and_follow(old_name text, statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    before text := dtmodel.describe('renamed');
    new_name text := 'new_' || old_name;
BEGIN
    EXECUTE format('ALTER TABLE renamed RENAME COLUMN %I TO %I', old_name, new_name);
    RETURN NEXT follow_hint(statement, new_name);
    RETURN NEXT CASE WHEN replace(dtmodel.describe('renamed')::text, new_name, old_name) = before
                     THEN 'as before' ELSE dtmodel.describe('renamed')::text END;
END
$$;
\pset format unaligned
SELECT r.* FROM renames AS n, LATERAL rename_and_follow(n.old_name, n.statement) AS r;
-- two renamed columns: the call has both
ALTER TABLE renamed RENAME COLUMN new_alive TO alive;
ALTER TABLE renamed RENAME COLUMN new_deleted_at TO deleted_at;
ALTER TABLE renamed RENAME COLUMN new_moved TO moved;
ALTER TABLE renamed RENAME COLUMN visits TO visitors;
DELETE FROM renamed;
SELECT dtmodel.add_soft_delete('renamed', flag => 'alive', flag_means => 'live');
UPDATE renamed SET id = 2;
\pset format aligned

DROP SCHEMA mixins CASCADE;
