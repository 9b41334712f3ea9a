--
-- hide: a NOTICE names the unique indexes that count hidden rows
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA hide_notice;
SET search_path = hide_notice;
CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE);
CREATE TABLE tags (id int PRIMARY KEY);
CREATE TABLE user_tags (user_id int REFERENCES users, tag_id int REFERENCES tags, PRIMARY KEY (user_id, tag_id));
SELECT dtmodel.add_soft_delete('users');
SELECT dtmodel.add_soft_delete('tags');
SELECT dtmodel.add_soft_delete('user_tags');
CREATE UNIQUE INDEX "By ""name""" ON users (lower(email));
RESET client_min_messages;

SELECT dtmodel.add_soft_delete('users', hide => true);
SELECT dtmodel.add_soft_delete('user_tags', hide => true);
-- no NOTICE without such indexes, nor if nothing is hidden
SELECT dtmodel.add_soft_delete('tags', hide => true);
SELECT dtmodel.add_soft_delete('user_tags');

-- tables that inherit have indexes of their own, partitions those of their table, and maybe others
SET client_min_messages = warning;
CREATE TABLE base (id int PRIMARY KEY, name text);
CREATE TABLE inheritor (UNIQUE (name)) INHERITS (base);
CREATE TABLE parted (id int, part int, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted (UNIQUE (part)) FOR VALUES IN (2);
SELECT dtmodel.add_soft_delete('base');
SELECT dtmodel.add_soft_delete('parted');
RESET client_min_messages;
SELECT dtmodel.add_soft_delete('base', hide => true);
SELECT dtmodel.add_soft_delete('parted', hide => true);

SET client_min_messages = warning;
DROP SCHEMA hide_notice CASCADE;
