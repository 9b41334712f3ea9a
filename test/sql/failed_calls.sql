--
-- a call or a switch that failed, was undone or prevented has no later effect: the
-- next INSERT is attributed, the next UPDATE stamped, the next DELETE soft
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA failed_calls;
SET search_path = failed_calls;
SET dtmodel.actor = 'ann';

CREATE TABLE docs (id int PRIMARY KEY, v text CHECK (v <> 'bad'), name text);
CREATE TABLE parts (id int PRIMARY KEY, doc int REFERENCES docs ON DELETE CASCADE);
CREATE TABLE holds (doc int REFERENCES docs);
SELECT dtmodel.add_timestamps('docs'), dtmodel.add_soft_delete('docs'), dtmodel.add_audit('docs'), dtmodel.add_version('docs'),
       dtmodel.add_settings('docs', '{theme}'), dtmodel.unique_live('docs', 'name'), dtmodel.add_soft_delete('parts');
SELECT dtmodel.add_history('docs');

-- 1 is live, 2 is held by another table, 3 deleted, 4 deleted with its part, 5 deleted
-- and its name in use, 6 kept by a trigger, 7 fails in a trigger
INSERT INTO docs (id, v, name) SELECT i, 'v', 'n' || i FROM generate_series(1, 7) AS i;
INSERT INTO parts VALUES (4, 4);
INSERT INTO holds VALUES (2);
DELETE FROM docs WHERE id IN (3, 5);
DELETE FROM docs WHERE id = 4;
INSERT INTO docs (id, v, name) VALUES (8, 'v', 'n5');
CREATE FUNCTION prevent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.id = 6 THEN RETURN NULL; END IF;
    IF OLD.id = 7 THEN RAISE EXCEPTION 'not this one'; END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER prevent BEFORE UPDATE OR DELETE ON docs FOR EACH ROW EXECUTE FUNCTION prevent();
CREATE FUNCTION wipe(int) RETURNS void LANGUAGE sql SET dtmodel.hard_delete = on AS 'DELETE FROM failed_calls.docs WHERE id = $1';
CREATE FUNCTION import(int, text) RETURNS void LANGUAGE sql SET dtmodel.preserve_timestamps = on AS
    $$ UPDATE failed_calls.docs SET created_at = 'epoch', created_by = 'eve', v = $2 WHERE id = $1 $$;

-- a row of its own that lives, changes and is deleted; nothing of it is kept
CREATE FUNCTION behaves() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    d failed_calls.docs;
    result text := 'yes';
BEGIN
    INSERT INTO docs (id, v, created_by, updated_by) VALUES (100, 'new', 'forged', 'forged') RETURNING * INTO d;
    INSERT INTO parts VALUES (100, 100);
    IF d.created_by <> 'ann' OR d.updated_by <> 'ann' THEN
        result := 'NOT ATTRIBUTED';
    END IF;
    UPDATE docs SET v = 'changed', created_at = 'epoch', created_by = 'forged', updated_at = 'epoch', version = 99 WHERE id = 100 RETURNING * INTO d;
    IF d.created_at = 'epoch' OR d.created_by <> 'ann' OR d.updated_at <> now() OR d.version <> 2 THEN
        result := 'NOT STAMPED';
    END IF;
    DELETE FROM docs WHERE id = 100;
    SELECT * INTO d FROM docs WHERE id = 100;
    IF NOT FOUND THEN
        result := 'PHYSICALLY DELETED';
    ELSIF d.is_deleted IS NOT TRUE OR d.deleted_at <> now() OR d.version <> 3 OR NOT (SELECT is_deleted FROM parts WHERE id = 100) THEN
        result := 'NOT DELETED';
    END IF;
    PERFORM dtmodel.update(NULL::docs, 100, '{"theme": "dark"}');
    BEGIN
        UPDATE docs SET settings = '{"unknown": 1}' WHERE id = 100;
        result := 'SETTINGS NOT CHECKED';
    EXCEPTION WHEN invalid_parameter_value THEN
        NULL;
    END;
    RAISE EXCEPTION USING MESSAGE = result, ERRCODE = 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
    RETURN SQLERRM;
END
$$;
SELECT behaves();

-- each statement fails or is undone, in a block with an exception; what is prevented
-- by a trigger without an error is not undone, so "during" says how rows behave then
CREATE FUNCTION try(statement text, is_switch boolean, OUT outcome text, OUT during text, OUT after text) LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE statement;
        during := CASE WHEN NOT is_switch THEN behaves() END;
        RAISE EXCEPTION USING ERRCODE = 'UNDO2';
    EXCEPTION WHEN OTHERS THEN
        outcome := CASE SQLSTATE WHEN 'UNDO2' THEN 'undone' ELSE SQLSTATE END;
    END;
    after := behaves();
END
$$;
CREATE TABLE attempts (n int GENERATED ALWAYS AS IDENTITY, what text, statement text, is_switch boolean);
INSERT INTO attempts (what, statement, is_switch) VALUES
    ('hard_delete', 'SET LOCAL dtmodel.hard_delete = on; DELETE FROM docs WHERE id = 1', true),
    ('hard_delete, failed', 'SET LOCAL dtmodel.hard_delete = on; DELETE FROM docs WHERE id = 2', true),
    ('preserve_timestamps', 'SET LOCAL dtmodel.preserve_timestamps = on; UPDATE docs SET created_at = ''epoch'' WHERE id = 1', true),
    ('preserve_timestamps, failed', 'SET LOCAL dtmodel.preserve_timestamps = on; UPDATE docs SET created_at = ''epoch'', v = ''bad'' WHERE id = 1', true),
    ('actor', 'SET LOCAL dtmodel.actor = ''eve''; UPDATE docs SET v = ''by eve'' WHERE id = 1', true),
    ('set_actor', 'SELECT dtmodel.set_actor(''eve''); UPDATE docs SET v = ''bad'' WHERE id = 1', true),
    ('replica', 'SET LOCAL session_replication_role = replica; DELETE FROM docs WHERE id = 2', true),
    ('function with hard_delete', 'SELECT wipe(1)', false),
    ('function with hard_delete, failed', 'SELECT wipe(2)', false),
    ('function with hard_delete, prevented', 'SELECT wipe(6)', false),
    ('function with preserve_timestamps', 'SELECT import(1, ''x'')', false),
    ('function with preserve_timestamps, failed', 'SELECT import(1, ''bad'')', false),
    ('function with preserve_timestamps, prevented', 'SELECT import(6, ''x'')', false),
    ('delete for good', 'SELECT dtmodel.delete(NULL::docs, 1, soft => false)', false),
    ('delete for good, held', 'SELECT dtmodel.delete(NULL::docs, 2, soft => false)', false),
    ('delete for good, prevented', 'SELECT dtmodel.delete(NULL::docs, 6, soft => false)', false),
    ('delete for good, failed', 'SELECT dtmodel.delete(NULL::docs, 7, soft => false)', false),
    ('delete for good, then an error', 'SELECT dtmodel.delete(NULL::docs, 1, soft => false), 1 / (SELECT 0)', false),
    ('soft_delete', 'SELECT dtmodel.soft_delete(NULL::docs, 1)', false),
    ('soft_delete, prevented', 'SELECT dtmodel.soft_delete(NULL::docs, 6)', false),
    ('soft_delete, failed', 'SELECT dtmodel.soft_delete(NULL::docs, 7)', false),
    ('DELETE, prevented', 'DELETE FROM docs WHERE id = 6', false),
    ('DELETE, failed', 'DELETE FROM docs WHERE id IN (1, 7)', false),
    ('UPDATE, prevented', 'UPDATE docs SET v = ''x'' WHERE id = 6', false),
    ('UPDATE, failed', 'UPDATE docs SET v = ''x'' WHERE id IN (1, 7)', false),
    ('erase', 'SELECT dtmodel.erase(NULL::docs, 1)', false),
    ('erase, held', 'SELECT dtmodel.erase(NULL::docs, 2)', false),
    ('erase, prevented', 'SELECT dtmodel.erase(NULL::docs, 6)', false),
    ('revert', 'SELECT dtmodel.revert(NULL::docs, 3, (SELECT min(valid_from) FROM docs_history WHERE id = 3))', false),
    ('revert, duplicate', 'SELECT dtmodel.revert(NULL::docs, 5, (SELECT min(valid_from) FROM docs_history WHERE id = 5))', false),
    ('revert, no version', 'SELECT dtmodel.revert(NULL::docs, 5, ''-infinity'')', false),
    ('restore', 'SELECT dtmodel.restore(NULL::docs, 3)', false),
    ('restore, duplicate', 'SELECT dtmodel.restore(NULL::docs, 5)', false),
    ('restore under a deleted parent', 'SELECT dtmodel.restore(NULL::parts, 4)', false),
    ('restore_deletion, duplicate', 'SELECT dtmodel.restore_deletion(NULL::docs, deleted_at) FROM docs WHERE id = 5', false),
    ('upsert, restored and refused', 'SELECT dtmodel.upsert(NULL::docs, ''{"id": 3, "v": "bad"}'', on_deleted => ''restore'')', false),
    ('upsert, stale', 'SELECT dtmodel.upsert(NULL::docs, ''{"id": 1, "v": "x", "version": 7}'')', false),
    ('update, stale', 'SELECT dtmodel.update(NULL::docs, 1, ''{"v": "x", "version": 7}'')', false),
    ('update, unknown setting', 'SELECT dtmodel.update(NULL::docs, 1, ''{"settings": {"unknown": 1}}'', strict => true)', false),
    ('get_or_create, deleted', 'SELECT dtmodel.get_or_create(NULL::docs, ''{"id": 3}'')', false),
    ('create, refused', 'SELECT dtmodel.create(NULL::docs, ''{"id": 200, "v": "bad"}'')', false),
    ('bulk_create, refused', 'SELECT dtmodel.bulk_create(NULL::docs, ''[{"id": 200}, {"id": 201, "v": "bad"}]'')', false),
    ('add_*', 'SELECT dtmodel.remove_soft_delete(''docs''), dtmodel.remove_audit(''docs'')', true),
    ('a disabled trigger', 'ALTER TABLE docs DISABLE TRIGGER USER', true);
SELECT n, what, t.* FROM attempts, LATERAL try(statement, is_switch) AS t ORDER BY n;

-- nothing has come of it
SELECT id, v, created_by, updated_by, version, is_deleted FROM docs ORDER BY id;
SELECT count(*) FROM docs_history WHERE id <> ALL ('{3,4,5}');

-- a purge that fails, or that runs where it must not, and each of those without a block
\set VERBOSITY sqlstate
UPDATE docs SET is_deleted = true WHERE id = 1;
INSERT INTO docs (id, v, is_deleted, deleted_at) VALUES (9, 'v', true, '2001-01-01');
ALTER TABLE docs DISABLE TRIGGER prevent;
UPDATE docs SET is_deleted = true WHERE id = 7;
ALTER TABLE docs ENABLE TRIGGER prevent;
CALL dtmodel.purge('docs', '0', 1);
SELECT behaves();
BEGIN;
CALL dtmodel.purge('docs', '0');
ROLLBACK;
SELECT behaves();
CALL dtmodel.purge_history('docs', '-1 day');
SELECT behaves();
SELECT dtmodel.delete(NULL::docs, 2, soft => false);
SELECT behaves();
SELECT dtmodel.erase(NULL::docs, 2);
SELECT behaves();
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
SAVEPOINT s;
DELETE FROM docs WHERE id = 2;
ROLLBACK TO s;
SET LOCAL dtmodel.hard_delete = off;
SELECT behaves();
COMMIT;
BEGIN;
SAVEPOINT s;
SET LOCAL dtmodel.hard_delete = on;
ROLLBACK TO s;
SELECT behaves();
COMMIT;
SELECT behaves();
\set VERBOSITY default

DROP SCHEMA failed_calls CASCADE;
