-- drift: rows are hidden only in sessions that preload the library
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA unpreloaded_drift;
CREATE TABLE unpreloaded_drift.posts (id integer PRIMARY KEY);
SELECT dtmodel.add_soft_delete('unpreloaded_drift.posts', hide => true);
INSERT INTO unpreloaded_drift.posts VALUES (1);
DELETE FROM unpreloaded_drift.posts;
SELECT id FROM unpreloaded_drift.posts;
SELECT drift, replace(session[1], current_database(), '...') AS session FROM dtmodel.models WHERE model = 'unpreloaded_drift.posts'::regclass;
SELECT dtmodel.describe('unpreloaded_drift.posts') -> 'session' -> 0 ->> 'repair' \gexec
\connect -
SELECT id FROM unpreloaded_drift.posts;
SELECT d -> 'drift' AS drift, d -> 'session' AS session FROM dtmodel.describe('unpreloaded_drift.posts') AS d;
SELECT format('ALTER DATABASE %I RESET session_preload_libraries', current_database()) \gexec
DROP SCHEMA unpreloaded_drift CASCADE;
