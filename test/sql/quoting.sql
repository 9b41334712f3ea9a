--
-- names with quotes, dots, spaces, semicolons, and 63 bytes
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA "a ""schema"".with; DROP--";
SET search_path = "a ""schema"".with; DROP--";

CREATE FUNCTION try(t text, key text, flag text, created text, updated text, deleted text)
RETURNS TABLE (step text, ok boolean) LANGUAGE plpgsql AS $$
DECLARE
    r regclass;
BEGIN
    EXECUTE format('CREATE TABLE %I (%I int PRIMARY KEY, note text)', t, key);
    r := quote_ident(t)::regclass;
    PERFORM dtmodel.add_timestamps(r, created, updated, ARRAY[key]::name[]);
    PERFORM dtmodel.add_soft_delete(r, flag, deleted);
    PERFORM dtmodel.add_timestamps(r, created, updated, ARRAY[key]::name[]);
    PERFORM dtmodel.add_soft_delete(r, flag, deleted);
    step := 'described';
    ok := dtmodel.describe(r) #>> '{timestamps,updated_at}' = updated
        AND dtmodel.describe(r) #>> '{timestamps,ignore_columns,0}' = key
        AND dtmodel.describe(r) #>> '{soft_delete,flag}' = flag
        AND dtmodel.describe(r) #>> '{soft_delete,deleted_at}' = deleted
        AND dtmodel.describe(r) #>> '{primary_key,0}' = key
        AND dtmodel.describe(r) -> 'drift' = '[]';
    RETURN NEXT;
    EXECUTE format('INSERT INTO %I (%I) VALUES (1), (2)', t, key);
    EXECUTE format('UPDATE %I SET note = ''x'' RETURNING %I = now() AND %I = now()', t, created, updated) INTO ok;
    step := 'stamped';
    RETURN NEXT;
    EXECUTE format('DELETE FROM %I WHERE %I = 1', t, key);
    EXECUTE format('SELECT count(*) = 1 FROM %I WHERE %I AND %I IS NOT NULL', t, flag, deleted) INTO ok;
    step := 'deleted';
    RETURN NEXT;
    EXECUTE format('SELECT (dtmodel.restore(NULL::%I, 1)).%I = false', t, flag) INTO ok;
    step := 'restored';
    RETURN NEXT;
    EXECUTE format('SELECT (dtmodel.soft_delete(x)).%I FROM %I AS x WHERE %I = 2', flag, t, key) INTO ok;
    step := 'row deleted';
    RETURN NEXT;
    EXECUTE format('UPDATE %I SET %I = false', t, flag);
    PERFORM dtmodel.remove_soft_delete(r, drop_columns => true);
    PERFORM dtmodel.remove_timestamps(r, drop_columns => true);
    SELECT count(*) = 2 INTO ok FROM pg_attribute WHERE attrelid = r AND attnum > 0 AND NOT attisdropped;
    step := 'removed';
    RETURN NEXT;
    EXECUTE format('DROP TABLE %I', t);
END $$;

SELECT * FROM try('plain', 'id', 'is_deleted', 'created_at', 'updated_at', 'deleted_at');
SELECT * FROM try('with space', 'the id', 'is deleted', 'created at', 'updated at', 'deleted at');
SELECT * FROM try('do"uble', 'i"d', 'is"deleted', 'created"at', 'updated"at', 'deleted"at');
SELECT * FROM try('sin''gle', 'i''d', 'is''deleted', 'created''at', 'updated''at', 'deleted''at');
SELECT * FROM try('a.b', 'i.d', 'is.deleted', 'created.at', 'updated.at', 'deleted.at');
SELECT * FROM try('x; DROP TABLE y; --', ';', '; flag', '; created', '; updated', '; deleted');
SELECT * FROM try('back\slash', 'i\d', 'is\deleted', 'created\at', 'updated\at', 'deleted\at');
SELECT * FROM try('{a,b}', '{i,d}', 'fl=ag', 'created=at', 'updated_at=', '=deleted');
SELECT * FROM try('select', 'user', 'where', 'from', 'table', 'order');
SELECT * FROM try('%s%n', '%I', '%L', '%1$s', '%%', '%');
SELECT * FROM try('t', 'T', 'u', 'U', 'row', 'Row');
SELECT * FROM try(repeat('t', 63), repeat('i', 63), repeat('f', 63), repeat('c', 63), repeat('u', 63), repeat('d', 63));

-- errors show the names unchanged, and the statements in hints can be run
CREATE TABLE "it's" (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('"it''s"', 'made "at"', 'moved at');
INSERT INTO "it's" VALUES (1);
ALTER TABLE "it's" RENAME COLUMN "moved at" TO gone;
UPDATE "it's" SET id = 2;
SELECT dtmodel.add_timestamps('"a ""schema"".with; DROP--"."it''s"', updated_at => 'gone');

DROP SCHEMA "a ""schema"".with; DROP--" CASCADE;
