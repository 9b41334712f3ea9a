--
-- the tier of a session, if the library is preloaded
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA preloaded_tier;
SET search_path = preloaded_tier;

SELECT dtmodel.tier();
SHOW dtmodel.rewrite;
CREATE TABLE posts (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('posts', hide => true);
SET client_min_messages = notice;
SELECT dtmodel.add_soft_delete('posts', hide => true);
INSERT INTO posts VALUES (1);
DELETE FROM posts RETURNING id;
SELECT count(*) FROM posts;

BEGIN;
SET LOCAL dtmodel.rewrite = off;
SELECT dtmodel.tier(), setting, boot_val FROM pg_settings WHERE name = 'dtmodel.rewrite';
SELECT dtmodel.add_soft_delete('posts', hide => true);
SELECT count(*) FROM posts;
ROLLBACK;
SELECT dtmodel.tier(), setting, boot_val FROM pg_settings WHERE name = 'dtmodel.rewrite';

SET client_min_messages = warning;
DROP SCHEMA preloaded_tier CASCADE;
