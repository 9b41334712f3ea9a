--
-- other sessions see how far a procedure is
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA progress;
SET search_path = progress;

-- what other sessions see, when a row is written
CREATE TABLE seen (id int GENERATED ALWAYS AS IDENTITY, query text);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO progress.seen (query) SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid();
    RETURN NULL;
END $$;
CREATE FUNCTION what_was_seen() RETURNS TABLE (rows bigint, query text) LANGUAGE sql AS $$
    SELECT count(*), query FROM progress.seen GROUP BY query ORDER BY min(id);
$$;

CREATE TABLE posts (id int PRIMARY KEY, title text, n int);
SELECT dtmodel.add_soft_delete('posts');
SELECT dtmodel.add_timestamps('posts');
SELECT dtmodel.add_history('posts');
SELECT dtmodel.add_slug('posts', source => 'title');
INSERT INTO posts (id, title, n) SELECT i, 'title ' || i, 0 FROM generate_series(1, 5) AS i;
UPDATE posts SET n = 1;
DELETE FROM posts;

CREATE TRIGGER see AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION see();
CALL dtmodel.purge('posts', '0', 2);
SELECT * FROM what_was_seen();

TRUNCATE seen;
CREATE TRIGGER see AFTER DELETE ON posts_history FOR EACH ROW EXECUTE FUNCTION see();
CALL dtmodel.purge_history('posts', '0', 10);
SELECT * FROM what_was_seen();

-- each row fills a block
TRUNCATE seen;
CREATE TABLE wide (id int PRIMARY KEY, title text, filler text, slug text);
ALTER TABLE wide ALTER COLUMN filler SET STORAGE PLAIN;
INSERT INTO wide (id, title, filler) SELECT i, 'Title ' || i, repeat('x', 7000) FROM generate_series(1, 3) AS i;
SELECT dtmodel.add_slug('wide', source => 'title');
CREATE TRIGGER see AFTER UPDATE ON wide FOR EACH ROW EXECUTE FUNCTION see();
CALL dtmodel.fill_slugs('wide', 1);
SELECT * FROM what_was_seen();

-- a statement that is too long loses its end, not the progress
TRUNCATE seen;
INSERT INTO posts (id, title) SELECT i, 'title ' || i FROM generate_series(1, 2) AS i;
DELETE FROM posts;
CALL dtmodel.purge('posts', '0', 1) /* ............................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................................ */;
SELECT rows, left(query, 60), length(query) < 1024 AS is_cut FROM what_was_seen();

-- later tests list the models
DROP TABLE posts, posts_history, wide;
