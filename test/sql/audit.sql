--
-- audit: created_by stays, updated_by moves when the row changes
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA audit;
CREATE ROLE audit_owner SUPERUSER;
SET ROLE audit_owner;
RESET client_min_messages;

CREATE TABLE audit.posts (id int PRIMARY KEY, title text, visits int NOT NULL DEFAULT 0);
INSERT INTO audit.posts VALUES (1, 'before');

-- missing columns are added; in existing rows they are null
SELECT dtmodel.add_audit('audit.posts');
\d audit.posts
SELECT id, created_by, updated_by FROM audit.posts;

-- called again, it does nothing
SELECT dtmodel.add_audit('audit.posts');

-- INSERT sets both, whatever values it gives: to the role, or to the actor
INSERT INTO audit.posts VALUES (2, 'by the role', 0, 'forged', 'forged');
SET dtmodel.actor = 'ann';
INSERT INTO audit.posts (id, title) SELECT i, 'by ann' FROM generate_series(3, 4) AS i;
COPY audit.posts (id, title, created_by) FROM stdin;
5	copied	forged
\.
SELECT id, title, created_by, updated_by FROM audit.posts ORDER BY id;

-- UPDATE sets updated_by; assignments to the two columns are ignored
SET dtmodel.actor = 'bob';
UPDATE audit.posts SET title = 'changed' WHERE id = 2 RETURNING created_by, updated_by;
UPDATE audit.posts SET title = 'changed', created_by = 'forged', updated_by = 'forged' WHERE id = 3
RETURNING created_by, updated_by;
UPDATE audit.posts SET created_by = 'forged', updated_by = 'forged' WHERE id = 4
RETURNING created_by, updated_by;
UPDATE audit.posts SET created_by = NULL, updated_by = NULL WHERE id = 4
RETURNING created_by, updated_by;

-- what an INSERT on Citus calls: for no column of the actor it is null, and leaves no table open
SELECT column_name, dtmodel_internal.actor_for(NULL::text, 'audit.posts', column_name) AS text,
    dtmodel_internal.actor_for(NULL::uuid, 'audit.posts', column_name) AS uuid
FROM (VALUES ('created_by'::name), ('visits'), ('missing')) AS columns (column_name);

-- an UPDATE that changes nothing sets nothing, but counts its rows
UPDATE audit.posts SET title = title, visits = 0 WHERE id >= 4;
\echo :ROW_COUNT
SELECT id, updated_by FROM audit.posts WHERE id >= 4 ORDER BY id;

-- a null created_by can be set once
UPDATE audit.posts SET created_by = 'eve' WHERE id = 1 RETURNING created_by, updated_by;
UPDATE audit.posts SET created_by = 'mallory' WHERE id = 1 RETURNING created_by, updated_by;

-- longer, shorter, equally long and empty names; the actor can change within a transaction
BEGIN;
SELECT dtmodel.set_actor('a person with quite a long name');
UPDATE audit.posts SET visits = visits + 1 WHERE id = 2 RETURNING created_by, updated_by, title;
SELECT dtmodel.set_actor('cy');
UPDATE audit.posts SET visits = visits + 1 WHERE id = 2 RETURNING created_by, updated_by, title;
SELECT dtmodel.set_actor('di');
UPDATE audit.posts SET visits = visits + 1 WHERE id = 2 RETURNING created_by, updated_by, title;
SELECT dtmodel.set_actor(NULL);
UPDATE audit.posts SET visits = visits + 1 WHERE id = 2 RETURNING updated_by;
SELECT dtmodel.set_actor('');
SHOW dtmodel.actor;
ROLLBACK;

-- set_actor lasts for the transaction, SET for the session
SHOW dtmodel.actor;
BEGIN;
SELECT dtmodel.set_actor('cy');
SHOW dtmodel.actor;
COMMIT;
SHOW dtmodel.actor;

-- also within one statement
CREATE FUNCTION audit.act(name text) RETURNS int LANGUAGE sql VOLATILE AS
    $$ SELECT dtmodel.set_actor(name); SELECT 1 $$;
UPDATE audit.posts SET visits = visits + audit.act('actor of ' || id) WHERE id IN (3, 4);
SELECT id, updated_by FROM audit.posts WHERE id IN (3, 4) ORDER BY id;

-- outside a transaction block it has no effect, and warns like SET LOCAL (25P01)
SET LOCAL dtmodel.actor = 'cy';
SELECT dtmodel.set_actor('cy');
SELECT * FROM dtmodel.set_actor('cy');
\set VERBOSITY sqlstate
SELECT dtmodel.set_actor('cy');
\set VERBOSITY default
SHOW dtmodel.actor;
-- no warning if something follows: in one statement, in one message, in a function
WITH a AS MATERIALIZED (SELECT dtmodel.set_actor('in a query'))
UPDATE audit.posts SET visits = visits + 1 FROM a WHERE id = 3 RETURNING updated_by;
-- psql 14 shows only the last result
\set SHOW_ALL_RESULTS off
SELECT dtmodel.set_actor('in a message')\; UPDATE audit.posts SET visits = visits + 1 WHERE id = 3 RETURNING updated_by;
DO $$ BEGIN PERFORM dtmodel.set_actor('in a block'); UPDATE audit.posts SET visits = visits + 1 WHERE id = 3; END $$;
SELECT updated_by FROM audit.posts WHERE id = 3;
CREATE FUNCTION audit.act_and_write(name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    nothing text := dtmodel.set_actor(name);
    actor text;
BEGIN
    UPDATE audit.posts SET visits = visits + 1 WHERE id = 3 RETURNING updated_by INTO actor;
    RETURN actor;
END
$$;
SELECT audit.act_and_write('in a function');
SELECT * FROM audit.act_and_write('in a function in FROM');
BEGIN;
SAVEPOINT s;
SELECT dtmodel.set_actor('in a transaction');
COMMIT;
SHOW dtmodel.actor;

-- ON CONFLICT cannot forge the columns either
INSERT INTO audit.posts (id, title) VALUES (2, 'again')
ON CONFLICT (id) DO UPDATE SET title = excluded.title, created_by = excluded.created_by
RETURNING created_by, updated_by;
INSERT INTO audit.posts (id, title) VALUES (2, 'not again') ON CONFLICT DO NOTHING;

-- imports keep the names that they give
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
INSERT INTO audit.posts VALUES (9, 'imported', 0, 'long ago', 'later') RETURNING created_by, updated_by;
UPDATE audit.posts SET created_by = 'earlier' WHERE id = 9 RETURNING created_by, updated_by;
ROLLBACK;

-- with timestamps, in either order: both are set by the same changes
CREATE TABLE audit.first (id int, v int, visits int);
SELECT dtmodel.add_audit('audit.first');
SELECT dtmodel.add_timestamps('audit.first', ignore_columns => '{visits}');
CREATE TABLE audit.second (id int, v int, visits int);
SELECT dtmodel.add_timestamps('audit.second', ignore_columns => '{visits}');
SELECT dtmodel.add_audit('audit.second');
SET dtmodel.actor = 'ann';
INSERT INTO audit.first SELECT i, 0, 0 FROM generate_series(1, 7) AS i;
INSERT INTO audit.second SELECT i, 0, 0 FROM generate_series(1, 7) AS i;
SET dtmodel.actor = 'bob';
CREATE PROCEDURE audit.change(model regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('UPDATE %s SET v = 1 WHERE id = 1', model);
    EXECUTE format('UPDATE %s SET v = 0, visits = 0 WHERE id = 2', model);
    EXECUTE format('UPDATE %s SET visits = 1 WHERE id = 3', model);
    EXECUTE format('UPDATE %s SET created_at = ''2001-01-01'', created_by = ''x'' WHERE id = 4', model);
    EXECUTE format('UPDATE %s SET updated_by = ''x'' WHERE id = 5', model);
    EXECUTE format('UPDATE %s SET updated_at = now() WHERE id = 6', model);
    EXECUTE format('UPDATE %s SET updated_at = NULL, updated_by = NULL, v = 2 WHERE id = 7', model);
END
$$;
CALL audit.change('audit.first');
CALL audit.change('audit.second');
SELECT id, f.updated_by, f.updated_at > f.created_at AS moved,
       (f.v, f.visits, f.created_by, f.updated_by) = (s.v, s.visits, s.created_by, s.updated_by) AND
       (f.updated_at > f.created_at) = (s.updated_at > s.created_at) AS same
FROM audit.first AS f JOIN audit.second AS s USING (id) ORDER BY id;

-- a row that was written before the columns were added
CREATE TABLE audit.old (id int);
INSERT INTO audit.old VALUES (1), (2);
SELECT dtmodel.add_audit('audit.old');
UPDATE audit.old SET id = id WHERE id = 1 RETURNING *;
UPDATE audit.old SET id = 3 WHERE id = 2 RETURNING *;

-- keys instead of names, and foreign keys: one NOTICE, and none the second time
CREATE TABLE audit.users (id bigint PRIMARY KEY, name text);
INSERT INTO audit.users VALUES (1, 'ann'), (2, 'bob');
CREATE TABLE audit.notes (id int);
SELECT dtmodel.add_audit('audit.notes', "references" => 'audit.users');
SELECT dtmodel.add_audit('audit.notes', "references" => 'audit.users');
\d audit.notes
SET dtmodel.actor = '1';
INSERT INTO audit.notes VALUES (1) RETURNING *;
SET dtmodel.actor = '2';
UPDATE audit.notes SET id = 2 RETURNING *;
SET dtmodel.actor = '3';
UPDATE audit.notes SET id = 3;
\echo :SQLSTATE
RESET dtmodel.actor;

-- a role has no key: the columns are null
INSERT INTO audit.notes VALUES (4) RETURNING *;
UPDATE audit.notes SET id = 5 WHERE id = 2 RETURNING *;

-- all types that are accepted
CREATE DOMAIN audit.actor_name AS text CHECK (VALUE ~ '^[a-z_]+$');
CREATE DOMAIN audit.actor_id AS uuid;
CREATE TABLE audit.types (
    t text, v varchar(12), u uuid, i int, b bigint, n audit.actor_name, d audit.actor_id
);
INSERT INTO audit.types DEFAULT VALUES;
CREATE PROCEDURE audit.try(model regclass, actor text) LANGUAGE plpgsql AS $$
DECLARE
    a name;
    result text;
BEGIN
    FOREACH a IN ARRAY '{t,v,u,i,b,n,d}'::name[] LOOP
        PERFORM dtmodel.add_audit(model, NULL, a);
        PERFORM dtmodel.set_actor(actor);
        BEGIN
            EXECUTE format('INSERT INTO %s DEFAULT VALUES RETURNING %I::text', model, a) INTO result;
            RAISE NOTICE '%: %', a, result;
        EXCEPTION WHEN OTHERS THEN
            RAISE NOTICE '%: % %', a, SQLSTATE, SQLERRM;
        END;
    END LOOP;
END
$$;
SET client_min_messages = notice;
CALL audit.try('audit.types', '42');
CALL audit.try('audit.types', 'ann');
CALL audit.try('audit.types', '6ba7b810-9dad-11d1-80b4-00c04fd430c8');
CALL audit.try('audit.types', '');

-- the type of columns that are added
CREATE TABLE audit.typed (id int);
SELECT dtmodel.add_audit('audit.typed', 'made_by', 'changed "by"', type => 'audit.actor_id');
\d audit.typed
SELECT dtmodel.describe('audit.typed') -> 'audit' AS audit;
SELECT mixins FROM dtmodel.models WHERE model = 'audit.typed'::regclass;

-- only one of the columns
SELECT dtmodel.add_audit('audit.typed', 'made_by', NULL);
SET dtmodel.actor = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
INSERT INTO audit.typed VALUES (1) RETURNING *;
UPDATE audit.typed SET made_by = NULL RETURNING *;
SELECT dtmodel.describe('audit.typed') -> 'audit' AS audit;
RESET dtmodel.actor;

-- a row that moves to another partition is not a new row
CREATE TABLE audit.parted (id int, region text) PARTITION BY LIST (region);
CREATE TABLE audit.north PARTITION OF audit.parted FOR VALUES IN ('north');
CREATE TABLE audit.south PARTITION OF audit.parted FOR VALUES IN ('south');
SELECT dtmodel.add_audit('audit.parted');
SET dtmodel.actor = 'ann';
INSERT INTO audit.parted VALUES (1, 'north');
SET dtmodel.actor = 'bob';
UPDATE audit.parted SET region = 'south' RETURNING tableoid::regclass, created_by, updated_by;
RESET dtmodel.actor;

-- removed, with and without the columns
SELECT dtmodel.remove_audit('audit.notes');
SELECT dtmodel.remove_audit('audit.notes');
\d audit.notes
SELECT dtmodel.remove_audit('audit.posts', drop_columns => true);
\d audit.posts
SELECT dtmodel.remove_audit('audit.parted', drop_columns => true);
SELECT dtmodel.describe('audit.posts');

-- actors that are uuids
CREATE TABLE audit.by_uuid (id int PRIMARY KEY, n int, created_by uuid, updated_by uuid);
SELECT dtmodel.add_audit('audit.by_uuid');
SET dtmodel.actor = '00000000-0000-4000-8000-000000000001';
INSERT INTO audit.by_uuid VALUES (1, 1);
SET dtmodel.actor = '00000000-0000-4000-8000-000000000002';
UPDATE audit.by_uuid SET n = 2;
UPDATE audit.by_uuid SET n = 3, created_by = updated_by;
TABLE audit.by_uuid;
SET dtmodel.actor = 'nobody';
UPDATE audit.by_uuid SET n = 4;
RESET dtmodel.actor;
-- a column that must have one, of which no role can be the value
ALTER TABLE audit.by_uuid ALTER updated_by SET NOT NULL;
UPDATE audit.by_uuid SET n = 3;
UPDATE audit.by_uuid SET n = 4;

-- a row that a statement finds twice is updated once, whatever would be wrong the second time
SET enable_hashjoin = off;
SET enable_mergejoin = off;
CREATE TABLE audit.twice (id int, region text, n int) PARTITION BY LIST (region);
CREATE TABLE audit.twice_north PARTITION OF audit.twice FOR VALUES IN ('north');
CREATE TABLE audit.twice_south PARTITION OF audit.twice FOR VALUES IN ('south');
SELECT dtmodel.add_audit('audit.twice', type => 'int'), dtmodel.add_settings('audit.twice', schema => '{"size": {"type": "integer"}}');
SET dtmodel.actor = '7';
INSERT INTO audit.twice VALUES (1, 'north', 1), (2, 'north', 2);
SET dtmodel.actor = 'ann';
UPDATE audit.twice AS t SET n = s.n FROM (VALUES (1, 1), (1, 2)) AS s (id, n) WHERE t.id = s.id;
UPDATE audit.twice AS t SET n = s.n FROM (VALUES (1, 2), (1, 1)) AS s (id, n) WHERE t.id = s.id;
SET dtmodel.actor = '8';
UPDATE audit.twice AS t SET settings = s.settings FROM (VALUES (1, '{"size": 1}'::jsonb), (1, '{"size": "x"}')) AS s (id, settings) WHERE t.id = s.id;
UPDATE audit.twice AS t SET region = 'south', settings = s.settings FROM (VALUES (2, '{"size": 2}'::jsonb), (2, '{"size": "x"}')) AS s (id, settings) WHERE t.id = s.id;
SELECT tableoid::regclass, * FROM audit.twice ORDER BY id;

-- nor do constraints and policies see it
ALTER TABLE audit.twice ALTER n SET NOT NULL, ADD CHECK (n < 10);
ALTER TABLE audit.twice ENABLE ROW LEVEL SECURITY;
CREATE POLICY signed ON audit.twice USING (true) WITH CHECK (updated_by = 9 AND n <> 5);
CREATE ROLE audit_clerk;
GRANT USAGE ON SCHEMA audit TO audit_clerk;
GRANT SELECT, UPDATE ON audit.twice TO audit_clerk;
SET ROLE audit_clerk;
SET dtmodel.actor = '9';
-- the row that moved is not there, and what it was would not pass
UPDATE audit.twice AS t SET region = s.region, n = s.n FROM (VALUES (1, 'south', 6), (1, 'north', 7), (1, 'north', NULL), (1, 'south', 5)) AS s (id, region, n) WHERE t.id = s.id RETURNING t.id, t.region, t.n, t.updated_by;
UPDATE audit.twice AS t SET n = s.n FROM (VALUES (1, 3), (1, NULL)) AS s (id, n) WHERE t.id = s.id RETURNING t.id, t.n, t.updated_by;
UPDATE audit.twice AS t SET n = s.n FROM (VALUES (2, 4), (2, 10), (2, 5)) AS s (id, n) WHERE t.id = s.id RETURNING t.id, t.n, t.updated_by;
UPDATE audit.twice AS t SET n = s.n FROM (VALUES (2, 5), (2, 6)) AS s (id, n) WHERE t.id = s.id;
UPDATE audit.twice AS t SET n = s.n FROM (VALUES (2, NULL), (2, 6)) AS s (id, n) WHERE t.id = s.id;
SET ROLE audit_owner;
RESET dtmodel.actor;
RESET enable_hashjoin;
RESET enable_mergejoin;

-- foreign keys of others on the same columns stay
CREATE TABLE audit.names (name text PRIMARY KEY, n int, UNIQUE (name, n));
CREATE TABLE audit.signed (id int PRIMARY KEY, n int, created_by text, updated_by text);
SELECT dtmodel.add_audit('audit.signed', "references" => 'audit.names');
ALTER TABLE audit.signed ADD CONSTRAINT mine FOREIGN KEY (created_by) REFERENCES audit.names,
    ADD CONSTRAINT with_n FOREIGN KEY (created_by, n) REFERENCES audit.names (name, n);
SELECT conname FROM pg_constraint WHERE conrelid = 'audit.signed'::regclass AND contype = 'f' ORDER BY 1;
SELECT dtmodel.remove_audit('audit.signed');
SELECT conname FROM pg_constraint WHERE conrelid = 'audit.signed'::regclass AND contype = 'f' ORDER BY 1;

-- the actor changes while a statement runs
CREATE TABLE audit.numbered (id int PRIMARY KEY, v text);
CREATE TABLE audit.named (LIKE audit.numbered INCLUDING ALL);
SELECT dtmodel.add_audit('audit.numbered', type => 'integer'), dtmodel.add_audit('audit.named');
INSERT INTO audit.numbered SELECT generate_series(1, 4);
INSERT INTO audit.named SELECT generate_series(1, 4);
UPDATE audit.numbered SET v = set_config('dtmodel.actor', CASE id WHEN 2 THEN '' ELSE id::text END, false);
SELECT id, updated_by FROM audit.numbered ORDER BY id;
UPDATE audit.named SET v = set_config('dtmodel.actor', id::text, false);
SELECT id, updated_by FROM audit.named ORDER BY id;
RESET dtmodel.actor;
UPDATE audit.named SET v = set_config('role', CASE WHEN id < 3 THEN 'audit_clerk' ELSE 'none' END, false);
SELECT id, updated_by = session_user AS is_session_user, updated_by = 'audit_clerk' AS is_clerk FROM audit.named ORDER BY id;

-- columns that must not be null get the name of the role, if no actor is set
CREATE TABLE audit.required (id int PRIMARY KEY, v int);
SELECT dtmodel.add_audit('audit.required'), dtmodel.add_soft_delete('audit.required', deleted_by => 'deleted_by');
ALTER TABLE audit.required ALTER updated_by SET NOT NULL;
INSERT INTO audit.required VALUES (1, 1);
UPDATE audit.required SET v = 2;
DELETE FROM audit.required;
SELECT updated_by = current_user AS updated, deleted_by = current_user AS deleted FROM audit.required;

-- columns of a partitioned table that are there already get valid foreign keys
CREATE TABLE audit.people (id uuid PRIMARY KEY);
CREATE TABLE audit.letters (id int, created_by uuid, updated_by uuid) PARTITION BY LIST (id);
CREATE TABLE audit.letters_1 PARTITION OF audit.letters DEFAULT;
INSERT INTO audit.letters VALUES (1);
SELECT dtmodel.add_audit('audit.letters', "references" => 'audit.people');
SELECT conrelid::regclass, count(*), bool_and(convalidated) FROM pg_constraint
WHERE confrelid = 'audit.people'::regclass AND contype = 'f' GROUP BY 1 ORDER BY conrelid::regclass::text;

SET client_min_messages = warning;
DROP SCHEMA audit CASCADE;
RESET ROLE;
DROP ROLE audit_owner, audit_clerk;
