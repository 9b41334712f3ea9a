--
-- an AFTER trigger of a user that fires before the cascade of its row, and
-- restores a row that is being deleted, or deletes one that is being restored, or
-- changes its keys
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA undone_by_trigger;
SET search_path = undone_by_trigger;

CREATE TABLE owners (id int PRIMARY KEY, above int REFERENCES owners ON DELETE CASCADE, keep boolean, name text);
CREATE TABLE boxes (id int PRIMARY KEY, owner int REFERENCES owners ON DELETE CASCADE);
CREATE TABLE things (id int PRIMARY KEY, box int REFERENCES boxes ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete(t::regclass) FROM unnest('{owners,boxes,things}'::text[]) AS t \g /dev/null
CREATE VIEW lives AS
    SELECT o.id, o.is_deleted AS owner, b.is_deleted AS box, t.is_deleted AS thing,
        count(DISTINCT time) FILTER (WHERE time IS NOT NULL) AS times
    FROM owners AS o JOIN boxes AS b ON b.owner = o.id JOIN things AS t ON t.box = b.id,
        unnest(ARRAY[o.deleted_at, b.deleted_at, t.deleted_at]) AS time
    GROUP BY 1, 2, 3, 4 ORDER BY 1;
CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.keep AND NEW.is_deleted AND NOT OLD.is_deleted THEN
        UPDATE owners SET is_deleted = false WHERE id = NEW.id;
    ELSIF NOT NEW.keep AND OLD.is_deleted AND NOT NEW.is_deleted THEN
        DELETE FROM owners WHERE id = NEW.id;
    ELSIF NEW.name = 'gone' AND NEW.is_deleted THEN
        SET LOCAL dtmodel.hard_delete = on;
        DELETE FROM owners WHERE id = NEW.id;
        SET LOCAL dtmodel.hard_delete = off;
    ELSIF NEW.is_deleted <> OLD.is_deleted THEN
        UPDATE owners SET name = 'named' WHERE id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER undo AFTER UPDATE ON owners FOR EACH ROW EXECUTE FUNCTION undo();
INSERT INTO owners VALUES (1, NULL, true), (2, NULL, false), (3, NULL, NULL);
INSERT INTO boxes VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO things VALUES (1, 1), (2, 2), (3, 3);

-- owner 1 stays, with what is below it
DELETE FROM owners;
TABLE lives;

-- owner 2 stays deleted, and what is below it is restored with it later
UPDATE owners SET is_deleted = false;
TABLE lives;
UPDATE owners SET keep = NULL WHERE id = 2;
SELECT (dtmodel.restore(NULL::owners, 2)).id;
TABLE lives;

-- the same for a row that waits for one that is restored by the same statement
UPDATE owners SET above = 3, keep = false WHERE id = 2;
DELETE FROM owners WHERE id = 3;
TABLE lives;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
UPDATE owners SET is_deleted = false WHERE id IN (2, 3);
RESET enable_seqscan;
RESET enable_bitmapscan;
TABLE lives;

-- a row that is deleted for good takes what is below it with it
UPDATE owners SET name = 'gone' WHERE id = 3;
DELETE FROM owners WHERE id = 3;
TABLE lives;

-- what is below a row follows it also if the trigger changes its key
CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE);
CREATE TABLE posts (id int PRIMARY KEY, author text REFERENCES users (name) ON DELETE CASCADE ON UPDATE CASCADE);
SELECT dtmodel.add_soft_delete(t::regclass) FROM unnest('{users,posts}'::text[]) AS t \g /dev/null
CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users SET name = CASE WHEN NEW.is_deleted THEN name || '-' ELSE rtrim(name, '-') END WHERE id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER mark AFTER UPDATE OF is_deleted, name ON users FOR EACH ROW
    WHEN (OLD.is_deleted <> NEW.is_deleted) EXECUTE FUNCTION mark();
INSERT INTO users VALUES (1, 'ann'), (2, 'bob');
INSERT INTO posts VALUES (1, 'ann'), (2, 'bob');
DELETE FROM users;
SELECT name, u.is_deleted AS "user", p.is_deleted AS post, u.deleted_at = p.deleted_at AS same
FROM users AS u JOIN posts AS p ON name = author ORDER BY u.id;
UPDATE users SET is_deleted = false;
SELECT name, u.is_deleted AS "user", p.is_deleted AS post FROM users AS u JOIN posts AS p ON name = author ORDER BY u.id;

-- and a restored row needs the parents that the trigger has given it
CREATE TABLE groups (id int PRIMARY KEY);
CREATE TABLE members (id int PRIMARY KEY, of int REFERENCES groups ON DELETE CASCADE, next int);
SELECT dtmodel.add_soft_delete(t::regclass) FROM unnest('{groups,members}'::text[]) AS t \g /dev/null
CREATE FUNCTION assign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE members SET of = next WHERE id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER assign AFTER UPDATE OF is_deleted ON members FOR EACH ROW
    WHEN (OLD.is_deleted AND NOT NEW.is_deleted) EXECUTE FUNCTION assign();
INSERT INTO groups VALUES (1), (2), (3);
INSERT INTO members VALUES (1, 1, NULL), (2, 1, 2), (3, 2, 3);
DELETE FROM members WHERE id = 3;
DELETE FROM groups WHERE id <> 2;
UPDATE members SET is_deleted = false WHERE id < 3;
UPDATE members SET is_deleted = false WHERE id = 3;
SELECT id, of, is_deleted FROM members ORDER BY id;

DROP SCHEMA undone_by_trigger CASCADE;
