--
-- what a history cannot follow, commands on the history itself, and which roles may run them
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA history_ddl_misuse;
SET search_path = history_ddl_misuse;
CREATE TABLE users (id int PRIMARY KEY, name text, password text, old int);
SELECT dtmodel.add_timestamps('users', clock => 'clock'), dtmodel.add_history('users', exclude => '{password}');
INSERT INTO users VALUES (1, 'ann', 'x', 1);
UPDATE users SET name = '1';
ALTER TABLE users DROP COLUMN old;
CREATE FUNCTION columns(t regclass) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
    FROM pg_attribute
    WHERE attrelid = t AND attnum > 0 AND NOT attisdropped
      AND attname NOT IN ('valid_from', 'valid_to', 'operation', 'ended_by', 'transaction_id', 'created_at', 'updated_at') $$;

-- names that the history needs
ALTER TABLE users ADD COLUMN valid_from date;
\echo :SQLSTATE
ALTER TABLE users ADD COLUMN a int, ADD COLUMN transaction_id int;
\echo :SQLSTATE
ALTER TABLE users RENAME name TO operation;
\echo :SQLSTATE
ALTER TABLE users RENAME password TO ended_by;
\echo :SQLSTATE
CREATE TABLE admins (PRIMARY KEY (id)) INHERITS (users);
SELECT dtmodel.add_timestamps('admins', clock => 'clock');
SELECT dtmodel.add_history('admins');
SELECT columns('admins_history');
ALTER TABLE admins ADD COLUMN valid_to int;
\echo :SQLSTATE
DROP TABLE admins, admins_history;

-- the time that distinguishes versions
ALTER TABLE users ALTER updated_at TYPE timestamptz(3);
\echo :SQLSTATE
ALTER TABLE users ALTER updated_at TYPE timestamp;
\echo :SQLSTATE

-- changes that do not work on the past fail as a whole
ALTER TABLE users ALTER name TYPE int USING name::int;
\echo :SQLSTATE
ALTER TABLE users ALTER name TYPE text USING name || password;
\echo :SQLSTATE
CREATE DOMAIN known AS int NOT NULL;
ALTER TABLE users ADD COLUMN n known DEFAULT random();
\echo :SQLSTATE
CREATE VIEW past AS SELECT name FROM users_history;
\set VERBOSITY terse
ALTER TABLE users ALTER name TYPE varchar;
\echo :SQLSTATE
\set VERBOSITY default
DROP VIEW past;
CREATE SCHEMA history_ddl_other;
CREATE TABLE history_ddl_other.users_history (id int);
ALTER TABLE users SET SCHEMA history_ddl_other;
\echo :SQLSTATE
DROP TABLE history_ddl_other.users_history;
SELECT columns('users'), columns('users_history');
UPDATE users SET name = '2', password = 'y';

-- commands on the history
ALTER TABLE users_history RENAME TO history;
\echo :SQLSTATE
ALTER INDEX users_history RENAME TO history;
\echo :SQLSTATE
ALTER TABLE users_history RENAME name TO title;
\echo :SQLSTATE
ALTER TYPE users_history RENAME ATTRIBUTE name TO title;
\echo :SQLSTATE
ALTER VIEW users_history RENAME valid_from TO since;
\echo :SQLSTATE
ALTER TABLE users_history SET SCHEMA history_ddl_other;
\echo :SQLSTATE
ALTER TABLE users_history ADD COLUMN x int, DROP COLUMN name;
\echo :SQLSTATE
ALTER TABLE users_history DROP COLUMN IF EXISTS valid_to;
\echo :SQLSTATE
ALTER TABLE users_history ALTER name TYPE int USING 1;
\echo :SQLSTATE
ALTER TABLE users_history ALTER name SET NOT NULL;
\echo :SQLSTATE
ALTER TABLE users_history OWNER TO pg_monitor;
\echo :SQLSTATE
CREATE TABLE whole (LIKE users_history) PARTITION BY LIST (id);
ALTER TABLE whole ATTACH PARTITION users_history DEFAULT;
\echo :SQLSTATE
CREATE TABLE parent ();
ALTER TABLE users_history INHERIT parent;
\echo :SQLSTATE
SELECT format('CREATE TYPE version AS (%s)', string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum))
FROM pg_attribute WHERE attrelid = 'users_history'::regclass AND attnum > 0 AND NOT attisdropped \gexec
ALTER TABLE users_history OF version;
\echo :SQLSTATE
DROP TYPE version;
DROP TABLE users_history;
\echo :SQLSTATE
DROP TABLE IF EXISTS parent, history_ddl_misuse.users_history CASCADE;
\echo :SQLSTATE
DO $$ BEGIN EXECUTE 'DROP TABLE history_ddl_misuse.users_history'; END $$;
\echo :SQLSTATE
-- those that do not break it
ALTER TABLE users_history ADD COLUMN remark text, ALTER name SET STATISTICS 10, ADD CHECK (valid_to >= valid_from),
    ENABLE ROW LEVEL SECURITY;
ALTER TABLE users_history RENAME old TO older;
ALTER TABLE users_history DROP COLUMN older;
ALTER TABLE users_history RENAME remark TO comment;
CREATE INDEX ON users_history (valid_to);
UPDATE users SET name = '3';
SELECT name, comment FROM users_history ORDER BY valid_to;
-- a table that only looks like a history
CREATE TABLE history (LIKE users_history);
ALTER TABLE history RENAME TO histories;
ALTER TABLE histories DROP COLUMN valid_to;
DROP TABLE histories;

-- a history that is out of order does not follow, which is drift
ALTER EVENT TRIGGER dtmodel_history_protect DISABLE;
ALTER TABLE users_history RENAME TO kept;
ALTER EVENT TRIGGER dtmodel_history_protect ENABLE ALWAYS;
ALTER TABLE users ADD COLUMN b int;
ALTER TABLE users RENAME TO people;
SELECT drift FROM dtmodel.models WHERE model = 'people'::regclass;
ALTER TABLE people RENAME TO users;
UPDATE users SET name = '4';
\echo :SQLSTATE
ALTER TABLE kept RENAME TO users_history;
ALTER TABLE users ADD COLUMN c int;
SELECT columns('users_history');
UPDATE users SET name = '4';
-- a function that was dropped is not created again
DROP FUNCTION users_as_of;
ALTER TABLE users DROP COLUMN c;
ALTER TABLE users RENAME TO people;
SELECT to_regprocedure('people_as_of(timestamptz)'), drift FROM dtmodel.models WHERE model = 'people'::regclass;
ALTER TABLE people RENAME TO users;
-- a function of the user's own is left as it is
CREATE FUNCTION users_as_of(timestamptz) RETURNS SETOF int LANGUAGE sql AS 'SELECT id FROM history_ddl_misuse.users';
ALTER TABLE users ADD COLUMN c int;
SELECT * FROM users_as_of(now());
DROP FUNCTION users_as_of;
SELECT dtmodel.add_history('users');
DROP TABLE users, users_history;

--
-- roles
--
CREATE ROLE history_ddl_ann;
CREATE ROLE history_ddl_bob;
CREATE ROLE history_ddl_mallory;
GRANT history_ddl_bob TO history_ddl_ann;
GRANT CREATE, USAGE ON SCHEMA history_ddl_misuse, history_ddl_other TO history_ddl_ann, history_ddl_bob, history_ddl_mallory;
CREATE FUNCTION owners(t text) RETURNS TABLE (name text, owner regrole) LANGUAGE sql AS $$
    SELECT relname, relowner::regrole FROM pg_class WHERE relkind IN ('r', 'p') AND relname ~ t
    UNION ALL SELECT proname || '()', proowner::regrole FROM pg_proc WHERE proname ~ t ORDER BY 1 $$;
SET ROLE history_ddl_ann;
CREATE TABLE users (id int PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('users', clock => 'clock'), dtmodel.add_history('users');
INSERT INTO users VALUES (1, 'a');
-- a role that may not change the model cannot change its history that way
SET ROLE history_ddl_mallory;
ALTER TABLE users ADD COLUMN x int;
\echo :SQLSTATE
ALTER TABLE users OWNER TO history_ddl_mallory;
\echo :SQLSTATE
DROP TABLE users;
\echo :SQLSTATE
DROP TABLE users_history;
\echo :SQLSTATE
-- the owner, without CREATE on the schema, and a superuser
RESET ROLE;
REVOKE CREATE ON SCHEMA history_ddl_misuse FROM history_ddl_ann;
SET ROLE history_ddl_ann;
ALTER TABLE users ADD COLUMN x int;
UPDATE users SET x = 1;
RESET ROLE;
ALTER TABLE users ADD COLUMN y int, ALTER name TYPE varchar;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users RENAME TO people;
ALTER TABLE people SET SCHEMA history_ddl_other;
SELECT * FROM owners('^(users|people)');
SET ROLE history_ddl_ann;
UPDATE history_ddl_other.people SET y = 1;
SELECT id, name, x, y FROM history_ddl_other.people_history ORDER BY valid_to;
-- to a role of which the owner is a member, and by a superuser
ALTER TABLE history_ddl_other.people OWNER TO history_ddl_bob;
SELECT * FROM history_ddl_misuse.owners('^people');
RESET ROLE;
ALTER TABLE history_ddl_other.people OWNER TO SESSION_USER;
SELECT name, owner = current_user::regrole AS is_superuser FROM owners('^people');
REASSIGN OWNED BY history_ddl_bob TO history_ddl_ann;
ALTER TABLE history_ddl_other.people OWNER TO history_ddl_ann;
REASSIGN OWNED BY history_ddl_ann TO history_ddl_bob;
SELECT * FROM owners('^people');
SET ROLE history_ddl_bob;
UPDATE history_ddl_other.people SET y = 2;
ALTER TABLE history_ddl_other.people DROP COLUMN y;
RESET ROLE;
DROP TABLE history_ddl_other.people, history_ddl_other.people_history;

-- what another role has put in the place of a history gets no other owner, and is not changed
CREATE TABLE users (id int PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('users', clock => 'clock'), dtmodel.add_history('users');
ALTER EVENT TRIGGER dtmodel_history_protect DISABLE;
DROP TABLE users_history;
DROP FUNCTION users_as_of;
ALTER EVENT TRIGGER dtmodel_history_protect ENABLE ALWAYS;
SET ROLE history_ddl_mallory;
CREATE TABLE users_history (valid_from timestamptz, valid_to timestamptz, operation text, ended_by text, transaction_id xid8);
CREATE FUNCTION users_as_of(timestamptz) RETURNS SETOF users SECURITY DEFINER LANGUAGE sql AS 'SELECT NULL::history_ddl_misuse.users';
RESET ROLE;
ALTER TABLE users OWNER TO history_ddl_bob;
ALTER TABLE users ADD COLUMN x int;
ALTER TABLE users RENAME TO people;
SELECT * FROM owners('^(users|people)');
SELECT columns('users_history');
DROP TABLE people;
\echo :SQLSTATE
DROP TABLE people CASCADE;
SET ROLE history_ddl_mallory;
DROP TABLE users_history;
RESET ROLE;

-- partitions of other owners
GRANT CREATE ON SCHEMA history_ddl_misuse TO history_ddl_ann;
SET ROLE history_ddl_ann;
CREATE TABLE events (id int PRIMARY KEY, name text) PARTITION BY LIST (id);
SELECT dtmodel.add_timestamps('events', clock => 'clock'), dtmodel.add_history('events');
RESET ROLE;
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
SET ROLE history_ddl_bob;
CREATE TABLE events_2 (id int NOT NULL, name text, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE events_3 (LIKE events_2) PARTITION BY LIST (id);
SET ROLE history_ddl_mallory;
CREATE TABLE events_4 (id int NOT NULL, name text, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
GRANT TRIGGER ON events_4 TO history_ddl_ann;
RESET ROLE;
ALTER TABLE events_3 ATTACH PARTITION events_4 DEFAULT;
SET ROLE history_ddl_ann;
ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES IN (2);
ALTER TABLE events ATTACH PARTITION events_3 FOR VALUES IN (3);
INSERT INTO events VALUES (1, 'a'), (2, 'a'), (3, 'a');
UPDATE events SET name = 'b';
TRUNCATE events_2;
SET ROLE history_ddl_mallory;
TRUNCATE events_4;
RESET ROLE;
SELECT id, name, operation FROM events_history ORDER BY id, valid_to;
SELECT name, replace(owner::text, current_user, 'superuser') FROM owners('^events');

-- a table that gets the name of the partition while it is attached, in a schema
-- that is searched earlier: a table by itself, or a partition of another one
CREATE TABLE days (id int, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY LIST (day);
SELECT dtmodel.add_timestamps('days', clock => 'clock'), dtmodel.add_history('days');
CREATE TABLE days_1 (LIKE days INCLUDING ALL);
CREATE FUNCTION be_quick() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('history_ddl_misuse.quick') = 'partition' THEN
        CREATE TEMPORARY TABLE other_days (day date) PARTITION BY LIST (day);
        CREATE TEMPORARY TABLE days_1 PARTITION OF other_days DEFAULT;
    ELSE
        CREATE TEMPORARY TABLE days_1 (id int);
    END IF;
END
$$;
CREATE EVENT TRIGGER be_quick ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION be_quick();
SET history_ddl_misuse.quick = 'table';
ALTER TABLE days ATTACH PARTITION days_1 FOR VALUES IN ('2020-01-01');
\echo :SQLSTATE
SET history_ddl_misuse.quick = 'partition';
ALTER TABLE days ATTACH PARTITION days_1 FOR VALUES IN ('2020-01-01');
\echo :SQLSTATE
DROP EVENT TRIGGER be_quick;
ALTER TABLE days ATTACH PARTITION days_1 FOR VALUES IN ('2020-01-01');

-- a function of another role is not made that of a history
CREATE TABLE lists (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('lists', clock => 'clock'), dtmodel.add_history('lists');
DROP FUNCTION lists_as_of;
SET ROLE history_ddl_mallory;
CREATE FUNCTION lists_as_of(at timestamptz) RETURNS SETOF lists LANGUAGE sql AS 'SELECT NULL::history_ddl_misuse.lists';
RESET ROLE;
SELECT dtmodel.add_history('lists');
\echo :SQLSTATE
DROP FUNCTION lists_as_of;
SELECT dtmodel.add_history('lists');
-- nor does a trigger of another role's table take a history away from its model
SET ROLE history_ddl_mallory;
CREATE TABLE claims (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('claims');
CREATE TRIGGER claim AFTER UPDATE OR DELETE ON claims FOR EACH ROW
    EXECUTE FUNCTION dtmodel_internal.history_trigger('history=lists_history', 'as_of=claims_as_of');
RESET ROLE;
SELECT dtmodel.remove_history('claims', drop_history => true);
SELECT to_regclass('lists_history');
SET ROLE history_ddl_mallory;
CREATE TRIGGER claim AFTER UPDATE OR DELETE ON claims FOR EACH ROW
    EXECUTE FUNCTION dtmodel_internal.history_trigger('history=lists_history', 'as_of=claims_as_of');
RESET ROLE;
DROP TABLE lists_history;
\echo :SQLSTATE
DROP TABLE lists;
DROP TABLE lists_history;

-- the functions of the event triggers
SELECT dtmodel_internal.history_follow_trigger();
\echo :SQLSTATE
CREATE EVENT TRIGGER history_ddl_wrong ON ddl_command_start EXECUTE FUNCTION dtmodel_internal.history_follow_trigger();
CREATE TABLE x ();
\echo :SQLSTATE
DROP EVENT TRIGGER history_ddl_wrong;
CREATE EVENT TRIGGER history_ddl_wrong ON ddl_command_end EXECUTE FUNCTION dtmodel_internal.history_protect_trigger();
CREATE TABLE x ();
\echo :SQLSTATE
DROP EVENT TRIGGER history_ddl_wrong;
CREATE EVENT TRIGGER history_ddl_wrong ON ddl_command_end EXECUTE FUNCTION dtmodel_internal.history_drop_trigger();
CREATE TABLE x ();
\echo :SQLSTATE
DROP EVENT TRIGGER history_ddl_wrong;

-- the owner of the model may have the history
CREATE TABLE owned (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('owned'), dtmodel.add_history('owned');
ALTER TABLE owned_history OWNER TO history_ddl_ann;
\echo :SQLSTATE
ALTER TABLE owned_history OWNER TO CURRENT_USER;
\echo :SQLSTATE

-- whole rows of the model are not those of its history
CREATE TABLE entire (id int PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('entire'), dtmodel.add_history('entire');
ALTER TABLE entire ALTER name TYPE text USING (entire.*)::text;
\echo :SQLSTATE

-- an event trigger of the user's may change the table again, before its history follows
CREATE TABLE members (id int PRIMARY KEY, email text, age int);
SELECT dtmodel.add_timestamps('members', clock => 'clock'), dtmodel.add_history('members');
INSERT INTO members VALUES (1, 'ann@example.com', 7);
UPDATE members SET email = 'ann@example.org';
CREATE FUNCTION change_again() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    command text := current_setting('history_ddl_misuse.command');
BEGIN
    IF command <> '' THEN
        PERFORM set_config('history_ddl_misuse.command', '', false);
        EXECUTE command;
    END IF;
END $$;
SET history_ddl_misuse.command = '';
CREATE EVENT TRIGGER a_history_ddl_misuse ON ddl_command_end EXECUTE FUNCTION change_again();
-- the past of a column that has another name than the command gave it stays where it was
SET history_ddl_misuse.command = 'ALTER TABLE members RENAME mail TO address';
ALTER TABLE members RENAME email TO mail;
SELECT columns('members'), columns('members_history');
SELECT email, address FROM members_history;
-- so does that of a column whose former name another one has
SET history_ddl_misuse.command = 'ALTER TABLE members ADD address text';
ALTER TABLE members RENAME address TO mail;
SELECT columns('members'), columns('members_history');
-- the type of a column that has another name by then does not follow
SET history_ddl_misuse.command = 'ALTER TABLE members RENAME age TO years';
ALTER TABLE members ALTER age TYPE bigint;
SELECT problem, repair, advice FROM dtmodel.drift('members');
UPDATE members SET years = 8;
\echo :SQLSTATE
DROP EVENT TRIGGER a_history_ddl_misuse;

-- a column with the name of one that was excluded, and dropped while no event trigger did its work
CREATE TABLE accounts (id int PRIMARY KEY, secret text);
SELECT dtmodel.add_timestamps('accounts'), dtmodel.add_history('accounts', exclude => '{secret}');
ALTER EVENT TRIGGER dtmodel_history_follow DISABLE;
ALTER EVENT TRIGGER dtmodel_history_drop DISABLE;
ALTER TABLE accounts DROP secret;
ALTER EVENT TRIGGER dtmodel_history_follow ENABLE ALWAYS;
ALTER EVENT TRIGGER dtmodel_history_drop ENABLE ALWAYS;
ALTER TABLE accounts ADD secret text;
SELECT columns('accounts_history');
SELECT problem, repair, advice FROM dtmodel.drift('accounts');

DROP SCHEMA history_ddl_misuse CASCADE;
DROP SCHEMA history_ddl_other CASCADE;
DROP ROLE history_ddl_ann;
DROP ROLE history_ddl_bob;
DROP ROLE history_ddl_mallory;
