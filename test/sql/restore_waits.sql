--
-- one UPDATE that restores rows of several deletions: a row whose parent is
-- restored by the cascade of another row waits for the end of the statement
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA restore_waits;
SET search_path = restore_waits;

-- 1 and 2 were deleted before the roots 7 and 8, and are met before these in any plan
CREATE TABLE nodes (id int PRIMARY KEY, parent int REFERENCES nodes ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('nodes');
INSERT INTO nodes VALUES (1, 5), (2, 6), (3, 2), (5, 7), (6, 8), (7, NULL), (8, NULL);
CREATE FUNCTION delete_all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..4 LOOP
        UPDATE restore_waits.nodes SET is_deleted = true WHERE id = ('{1,2,7,8}'::int[])[i];
        -- another time of deletion
        SET LOCAL dtmodel.preserve_timestamps = on;
        UPDATE restore_waits.nodes SET deleted_at = '2001-01-01'::timestamptz + i * interval '1 day' WHERE deleted_at > '2002-01-01';
        SET LOCAL dtmodel.preserve_timestamps = off;
    END LOOP;
END
$$;
SELECT delete_all();
SELECT id, parent, deleted_at::date FROM nodes ORDER BY ctid;
UPDATE nodes SET is_deleted = false WHERE id IN (1, 2, 7, 8);
SELECT array_agg(id ORDER BY id) FROM nodes WHERE NOT is_deleted;

-- one of the parents stays deleted
SELECT delete_all();
UPDATE nodes SET is_deleted = false WHERE id IN (1, 2, 7);
SELECT array_agg(id ORDER BY id) FROM nodes WHERE NOT is_deleted;
UPDATE nodes SET is_deleted = false WHERE id IN (1, 7);
SELECT array_agg(id ORDER BY id) FROM nodes WHERE NOT is_deleted;

-- rows that have two parents get the time of the one that stays deleted, and are restored with it
CREATE TABLE roots (id int PRIMARY KEY);
CREATE TABLE others (id int PRIMARY KEY);
CREATE TABLE leaves (id int PRIMARY KEY, root int REFERENCES roots ON DELETE CASCADE, other int REFERENCES others ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('roots'), dtmodel.add_soft_delete('others'), dtmodel.add_soft_delete('leaves');
INSERT INTO roots VALUES (1);
INSERT INTO others VALUES (1), (2), (3);
INSERT INTO leaves VALUES (1, 1, 3), (2, 1, 1), (3, 1, 2), (4, 1, 3);
DELETE FROM roots;
DELETE FROM others WHERE id = 1;
DELETE FROM others WHERE id = 3;
UPDATE roots SET is_deleted = false;
SELECT l.id, l.is_deleted, l.deleted_at = o.deleted_at AS with_other FROM leaves AS l JOIN others AS o ON o.id = other ORDER BY 1;
UPDATE others SET is_deleted = false WHERE id = 3;
SELECT array_agg(id ORDER BY id) FROM leaves WHERE NOT is_deleted;
UPDATE others SET is_deleted = false WHERE id = 1;
SELECT array_agg(id ORDER BY id) FROM leaves WHERE NOT is_deleted;

-- a row that a trigger does not let restore
CREATE TABLE posts (id int PRIMARY KEY);
CREATE TABLE comments (id int PRIMARY KEY, post int REFERENCES posts ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('posts'), dtmodel.add_soft_delete('comments');
INSERT INTO posts VALUES (1);
INSERT INTO comments VALUES (1, 1), (2, 1);
DELETE FROM posts;
CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN CASE WHEN NEW.id = 2 THEN NULL ELSE NEW END; END';
CREATE TRIGGER skip BEFORE UPDATE ON comments FOR EACH ROW EXECUTE FUNCTION skip();
UPDATE posts SET is_deleted = false;
SELECT dtmodel.restore(NULL::posts, 1);
\echo :SQLSTATE
SELECT (SELECT count(*) FROM posts WHERE NOT is_deleted), (SELECT count(*) FROM comments WHERE NOT is_deleted);
DROP TRIGGER skip ON comments;
UPDATE posts SET is_deleted = false;
SELECT (SELECT count(*) FROM posts WHERE NOT is_deleted), (SELECT count(*) FROM comments WHERE NOT is_deleted);

DROP SCHEMA restore_waits CASCADE;
