--
-- ON DELETE RESTRICT during a cascade
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA restrict_in_cascade;
SET search_path = restrict_in_cascade;

-- the same tables twice, with soft delete and without
CREATE SCHEMA restrict_in_cascade_plain;
CREATE TABLE orgs (id int PRIMARY KEY);
CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE);
CREATE TABLE projects (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE);
CREATE TABLE tasks (id int PRIMARY KEY, project int REFERENCES projects ON DELETE CASCADE, owner int REFERENCES users ON DELETE RESTRICT);
SET search_path = restrict_in_cascade_plain;
CREATE TABLE orgs (id int PRIMARY KEY);
CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE);
CREATE TABLE projects (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE);
CREATE TABLE tasks (id int PRIMARY KEY, project int REFERENCES projects ON DELETE CASCADE, owner int REFERENCES users ON DELETE RESTRICT);
SET search_path = restrict_in_cascade;
SELECT dtmodel.add_soft_delete(t::regclass) FROM unnest('{orgs,users,projects,tasks}'::text[]) AS t \g /dev/null
INSERT INTO orgs VALUES (1);
INSERT INTO users VALUES (1, 1);
INSERT INTO projects VALUES (1, 1);
INSERT INTO tasks VALUES (1, 1, 1);
\set VERBOSITY sqlstate
INSERT INTO restrict_in_cascade_plain.orgs SELECT id FROM orgs;
INSERT INTO restrict_in_cascade_plain.users SELECT id, org FROM users;
INSERT INTO restrict_in_cascade_plain.projects SELECT id, org FROM projects;
INSERT INTO restrict_in_cascade_plain.tasks SELECT id, project, owner FROM tasks;

-- the users are deleted before the tasks that reference them
DELETE FROM orgs;
SELECT count(*) FILTER (WHERE is_deleted) FROM tasks;
DO $$
BEGIN
    DELETE FROM restrict_in_cascade_plain.orgs;
EXCEPTION WHEN foreign_key_violation OR restrict_violation THEN
    RAISE WARNING 'so without soft delete';
END $$;

-- the tasks are deleted first
DELETE FROM tasks;
DELETE FROM orgs;
SELECT count(*) FILTER (WHERE is_deleted) FROM users;

DROP SCHEMA restrict_in_cascade CASCADE;
DROP SCHEMA restrict_in_cascade_plain CASCADE;
