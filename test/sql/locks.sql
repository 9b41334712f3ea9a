--
-- what add_* and remove_* lock, read and write again of a large table
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA locks;
SET search_path = locks;

-- The strongest lock on the table, whether it was written again, and how often
-- it was read.  Each call is a transaction.
CREATE FUNCTION cost(call text, name text DEFAULT 'big',
                     OUT lock text, OUT rewritten boolean, OUT scans bigint) LANGUAGE plpgsql AS $$
DECLARE
    model regclass := name;
    file oid := pg_relation_filenode(model);
    before bigint := pg_stat_get_xact_numscans(model);
BEGIN
    EXECUTE 'SELECT ' || call;
    SELECT mode INTO lock FROM pg_locks
    WHERE pid = pg_backend_pid() AND relation = model
    ORDER BY array_position('{AccessExclusiveLock,ShareRowExclusiveLock,ShareLock,ShareUpdateExclusiveLock,RowExclusiveLock,AccessShareLock}', mode)
    LIMIT 1;
    rewritten := pg_relation_filenode(model) IS DISTINCT FROM file;
    scans := pg_stat_get_xact_numscans(model) - before;
END $$;
CREATE FUNCTION fill(model regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %s (id, title) SELECT n, rpad(n::text, 900, ''-'') FROM generate_series(1, 2000) AS n', model);
END $$;
CREATE FUNCTION constraints(model regclass)
RETURNS TABLE (name name, valid boolean) LANGUAGE sql AS $$
    SELECT conname, convalidated FROM pg_constraint
    WHERE conrelid = model AND contype IN ('c', 'f') ORDER BY conname COLLATE "C"
$$;

CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE big (id int PRIMARY KEY, title text) WITH (fillfactor = 10, autovacuum_enabled = off);
SELECT fill('big');
ANALYZE big;
SELECT pg_relation_size('big') > 10 * 1024 * 1024 AS is_large;

-- columns, defaults and CHECKs: nothing is read
SELECT * FROM cost($$dtmodel.add_model('big')$$);
SELECT * FROM cost($$dtmodel.add_timestamps('big', 'made_at', 'changed_at')$$);
SELECT * FROM cost($$dtmodel.add_soft_delete('big', deleted_by => 'deleted_by')$$);
SELECT * FROM cost($$dtmodel.add_settings('big', '{theme}')$$);
SELECT * FROM cost($$dtmodel.add_audit('big')$$);
SELECT * FROM cost($$dtmodel.add_audit('big', 'made_by', 'changed_by', "references" => 'users')$$);
SELECT * FROM cost($$dtmodel.add_version('big')$$);
SELECT * FROM cost($$dtmodel.add_history('big')$$);
SELECT * FROM cost($$dtmodel.create_live_view('big')$$);
SELECT * FROM constraints('big');
SELECT count(*), count(DISTINCT made_at), bool_or(is_deleted), max(version), count(settings) FROM big;
-- and the constraints hold
UPDATE big SET settings = '[]' WHERE id = 1;
\set VERBOSITY terse
INSERT INTO big (id, is_deleted) VALUES (0, true);
\set VERBOSITY default
UPDATE big SET made_by = 1 WHERE id = 1;

-- other options: triggers alone let others read
SELECT * FROM cost($$dtmodel.add_soft_delete('big', deleted_by => 'deleted_by', hide => true)$$);
SELECT * FROM cost($$dtmodel.add_settings('big', '{theme,language}')$$);
SELECT * FROM cost($$dtmodel.add_timestamps('big', 'made_at', 'changed_at', '{title}')$$);

-- nothing to do: no lock
SELECT * FROM cost($$dtmodel.add_model('big')$$);
SELECT * FROM cost($$dtmodel.add_timestamps('big', 'made_at', 'changed_at', '{title}')$$);
SELECT * FROM cost($$dtmodel.add_soft_delete('big', deleted_by => 'deleted_by', hide => true)$$);
SELECT * FROM cost($$dtmodel.add_settings('big', '{theme,language}')$$);
SELECT * FROM cost($$dtmodel.add_audit('big', 'made_by', 'changed_by')$$);
SELECT * FROM cost($$dtmodel.add_version('big')$$);
SELECT * FROM cost($$dtmodel.create_live_view('big')$$);
SELECT * FROM cost($$dtmodel.remove_slug('big')$$);
SELECT * FROM cost($$dtmodel.add_history('big')$$);

-- indexes: others read, and are told how to write too
SET client_min_messages = notice;
SELECT * FROM cost($$dtmodel.unique_live('big', 'title')$$);
SELECT * FROM cost($$dtmodel.add_slug('big', 'title')$$);
SET client_min_messages = warning;
SELECT * FROM cost($$dtmodel.unique_live('big', 'title')$$);
-- existing indexes are used
DROP INDEX uq_big_title;
CREATE UNIQUE INDEX CONCURRENTLY uq_big_title ON big (title) WHERE NOT is_deleted;
SELECT * FROM cost($$dtmodel.unique_live('big', 'title')$$);
SELECT * FROM cost($$dtmodel.remove_slug('big', drop_columns => true)$$);
ALTER TABLE big ADD COLUMN slug text;
CREATE UNIQUE INDEX CONCURRENTLY my_slugs ON big (slug) WHERE NOT is_deleted;
SELECT * FROM cost($$dtmodel.add_slug('big', 'title')$$);
SELECT count(*) FROM pg_indexes WHERE tablename = 'big' AND indexdef LIKE '%(slug)%';

-- removing
SELECT * FROM cost($$dtmodel.remove_history('big', drop_history => true)$$);
SELECT * FROM cost($$dtmodel.remove_slug('big')$$);
DROP VIEW live_big;
SELECT * FROM cost($$dtmodel.remove_version('big', drop_columns => true)$$);
SELECT * FROM cost($$dtmodel.remove_audit('big', drop_columns => true)$$);
SELECT * FROM cost($$dtmodel.remove_settings('big', drop_columns => true)$$);
SELECT * FROM cost($$dtmodel.remove_timestamps('big')$$);
-- the rows are read twice: before the lock, and again under it
SELECT * FROM cost($$dtmodel.remove_soft_delete('big', drop_columns => true)$$);
SELECT * FROM cost($$dtmodel.remove_soft_delete('big')$$);
SELECT * FROM cost($$dtmodel.remove_model('big')$$);

-- columns that exist already: their rows are read before the lock, and the
-- CHECK is left to be validated
CREATE TABLE old (id int PRIMARY KEY, title text, is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz,
                  made_by int) WITH (fillfactor = 10, autovacuum_enabled = off);
SELECT fill('old');
ANALYZE old;
UPDATE old SET is_deleted = true WHERE id = 2000;
SELECT * FROM cost($$dtmodel.add_soft_delete('old')$$, 'old');
UPDATE old SET is_deleted = false WHERE id = 2000;
SET client_min_messages = notice;
SELECT * FROM cost($$dtmodel.add_soft_delete('old')$$, 'old');
SELECT * FROM cost($$dtmodel.add_audit('old', 'made_by', NULL, "references" => 'users')$$, 'old');
SET client_min_messages = warning;
SELECT * FROM cost($$dtmodel.add_audit('old', 'made_by', NULL, "references" => 'users')$$, 'old');
SELECT * FROM constraints('old');
SELECT dtmodel.describe('old') -> 'drift';
ALTER TABLE old VALIDATE CONSTRAINT ck_old_soft_delete;
SELECT dtmodel.describe('old') -> 'drift';
SELECT * FROM cost($$dtmodel.add_soft_delete('old')$$, 'old');

-- soft delete for a table with slugs: the index of all rows stays in use
SELECT dtmodel.remove_soft_delete('old', drop_columns => true), dtmodel.add_slug('old', 'title');
SET client_min_messages = notice;
SELECT * FROM cost($$dtmodel.add_soft_delete('old')$$, 'old');
SET client_min_messages = warning;
SELECT indexdef FROM pg_indexes WHERE tablename = 'old' AND indexdef LIKE '%(slug)%';
CREATE UNIQUE INDEX CONCURRENTLY uq_old_slug_1 ON locks.old (slug) WHERE NOT is_deleted;
SELECT * FROM cost($$dtmodel.add_slug('locks.old', 'title')$$, 'old');
SELECT indexdef FROM pg_indexes WHERE tablename = 'old' AND indexdef LIKE '%(slug)%';

-- live parents are looked for under the lock
CREATE TABLE parents (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('parents');
INSERT INTO parents SELECT generate_series(1, 1000);
ANALYZE parents;
ALTER TABLE old ADD COLUMN parent int REFERENCES parents;
SET client_min_messages = notice;
SELECT lock, rewritten FROM cost($$dtmodel.require_live_parent('old', 'parent')$$, 'old');
SET client_min_messages = warning;
SELECT lock FROM cost($$dtmodel.require_live_parent('old', 'parent')$$, 'old');
SELECT * FROM cost($$dtmodel.remove_live_parent('old', 'parent')$$, 'old');

-- a new key is announced before the table is locked
CREATE TABLE keyless (id_of_old int, title text) WITH (fillfactor = 10, autovacuum_enabled = off);
INSERT INTO keyless SELECT n, rpad(n::text, 900, '-') FROM generate_series(1, 2000) AS n;
ANALYZE keyless;
SET client_min_messages = notice;
SELECT lock, rewritten FROM cost($$dtmodel.add_model('keyless')$$, 'keyless');
SET client_min_messages = warning;
-- what the hint says
CREATE TABLE stepwise (title text) WITH (fillfactor = 10, autovacuum_enabled = off);
INSERT INTO stepwise SELECT title FROM keyless;
ALTER TABLE locks.stepwise ADD COLUMN id uuid;
ALTER TABLE locks.stepwise ALTER COLUMN id SET DEFAULT dtmodel.uuidv7();
UPDATE stepwise SET id = DEFAULT WHERE id IS NULL;
CREATE UNIQUE INDEX CONCURRENTLY pk_stepwise ON locks.stepwise (id);
ALTER TABLE locks.stepwise ADD PRIMARY KEY USING INDEX pk_stepwise;
SELECT * FROM cost($$dtmodel.add_model('stepwise')$$, 'stepwise');
SELECT dtmodel.describe('stepwise') -> 'drift';

-- a small table is checked in the same call
CREATE TABLE small (id int PRIMARY KEY, is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz);
SELECT lock, rewritten FROM cost($$dtmodel.add_soft_delete('small')$$, 'small');
SELECT * FROM constraints('small');

-- partitions
CREATE TABLE parted (id int PRIMARY KEY, title text) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10000) WITH (fillfactor = 10, autovacuum_enabled = off);
SELECT fill('parted');
SELECT * FROM cost($$dtmodel.add_model('parted')$$, 'part');
SELECT * FROM cost($$dtmodel.add_soft_delete('parted')$$, 'part');
SELECT * FROM cost($$dtmodel.add_settings('parted', '{theme}')$$, 'part');
SELECT * FROM cost($$dtmodel.add_audit('parted', "references" => 'users')$$, 'part');
SELECT * FROM cost($$dtmodel.add_version('parted')$$, 'part');
SELECT * FROM cost($$dtmodel.add_history('parted')$$, 'part');
SELECT * FROM cost($$dtmodel.add_soft_delete('parted')$$, 'part');
SELECT * FROM constraints('part');
SELECT * FROM cost($$dtmodel.add_soft_delete('parted', hide => true)$$, 'part');
SELECT * FROM cost($$dtmodel.add_timestamps('parted', clock => 'clock')$$, 'part');
INSERT INTO part (id, settings) VALUES (0, '[]');

-- tables that inherit
CREATE TABLE ancestor (id int PRIMARY KEY, title text);
CREATE TABLE descendant () INHERITS (ancestor) WITH (fillfactor = 10, autovacuum_enabled = off);
SELECT fill('descendant');
SELECT * FROM cost($$dtmodel.add_model('ancestor')$$, 'descendant');
SELECT * FROM cost($$dtmodel.add_soft_delete('ancestor')$$, 'descendant');
SELECT * FROM cost($$dtmodel.add_settings('ancestor', '{theme}')$$, 'descendant');
SELECT * FROM cost($$dtmodel.add_version('ancestor')$$, 'descendant');
SELECT * FROM cost($$dtmodel.add_version('ancestor')$$, 'descendant');
SELECT * FROM constraints('descendant');
-- rows of a child table that already has the column are checked
CREATE TABLE odd_parent (id int PRIMARY KEY);
CREATE TABLE odd_child (id int, settings jsonb, deleted_at timestamptz);
INSERT INTO odd_child VALUES (1, '[]', now());
ALTER TABLE odd_child ALTER COLUMN id SET NOT NULL, INHERIT odd_parent;
SELECT dtmodel.add_settings('odd_parent', '{theme}');
SELECT dtmodel.add_soft_delete('odd_parent');
DROP TABLE odd_child;
SELECT dtmodel.add_settings('odd_parent', '{theme}');

-- rows: no lock keeps readers or writers of other rows out
CREATE TABLE members (id int PRIMARY KEY, title text);
SELECT dtmodel.add_timestamps('members'), dtmodel.add_soft_delete('members'), dtmodel.add_history('members');
CREATE FUNCTION held(call text) RETURNS TABLE (lock text) LANGUAGE sql AS $$
    SELECT c.lock FROM cost(call, 'members') AS c $$;
SELECT * FROM held($$dtmodel.create(NULL::members, '{"id": 1}')$$);
SELECT * FROM held($$dtmodel.bulk_create(NULL::members, '[{"id": 2}, {"id": 3}]')$$);
SELECT * FROM held($$dtmodel.update(NULL::members, 1, '{"title": "a"}')$$);
SELECT * FROM held($$dtmodel.upsert(NULL::members, '{"id": 1, "title": "b"}', '{id}')$$);
SELECT * FROM held($$dtmodel.get_or_create(NULL::members, '{"title": "new"}', '{"id": 4}')$$);
SELECT * FROM held($$dtmodel.soft_delete(NULL::members, 1)$$);
SELECT * FROM held($$dtmodel.restore(NULL::members, 1)$$);
SELECT * FROM held($$dtmodel.delete(NULL::members, 2)$$);
SELECT * FROM held($$dtmodel.get_by_id(NULL::members, 1)$$);
SELECT * FROM held($$dtmodel.get_all(NULL::members)$$);
SELECT * FROM held($$dtmodel.count(NULL::members)$$);
SELECT * FROM held($$dtmodel.exists(NULL::members, 1)$$);
SELECT * FROM held($$dtmodel.history(NULL::members, 1)$$);
SELECT * FROM held($$dtmodel.erase(NULL::members, 3)$$);
-- a procedure that commits, as a trigger sees it
CREATE TABLE seen_locks (name name, mode text, UNIQUE (name, mode));
CREATE FUNCTION note_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO seen_locks SELECT TG_TABLE_NAME, mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = TG_RELID
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER note_lock AFTER DELETE ON members FOR EACH ROW EXECUTE FUNCTION note_lock();
INSERT INTO members (id, is_deleted, deleted_at) VALUES (5, true, '2001-01-01');
CALL dtmodel.purge('members');
SELECT count(*) FROM members;
SELECT * FROM seen_locks WHERE mode NOT IN ('AccessShareLock', 'RowShareLock');

-- event triggers see the commands
CREATE TABLE seen (id int PRIMARY KEY);
CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    command record;
BEGIN
    FOR command IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
        RAISE WARNING '% %', tg_tag, command.object_identity;
    END LOOP;
END $$;
CREATE EVENT TRIGGER locks_note ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION note();
SELECT dtmodel.add_settings('seen', '{theme}');
DROP EVENT TRIGGER locks_note;
-- and cannot write rows between a column and its CHECK
CREATE TABLE written (id int PRIMARY KEY);
INSERT INTO written VALUES (1);
CREATE FUNCTION write() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'locks.written'::regclass AND attname = 'settings') THEN
        UPDATE locks.written SET settings = '[]';
    END IF;
END $$;
CREATE EVENT TRIGGER locks_write ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION write();
\set VERBOSITY terse
SELECT dtmodel.add_settings('written', '{theme}');
\set VERBOSITY default
DROP EVENT TRIGGER locks_write;

-- an error before the lock leaves the exception handler of the caller intact
DO $$
BEGIN
    FOR i IN 1 .. 3 LOOP
        BEGIN
            PERFORM dtmodel.add_soft_delete('seen', flag => 'id');
        EXCEPTION WHEN datatype_mismatch THEN
            RAISE WARNING '%', SQLERRM;
        END;
    END LOOP;
    PERFORM dtmodel.add_soft_delete('seen');
END $$;
SELECT dtmodel.describe('seen') -> 'drift';

DROP SCHEMA locks CASCADE;
