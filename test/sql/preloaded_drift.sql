-- drift: rows are hidden while dtmodel.rewrite is on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA preloaded_drift;
CREATE TABLE preloaded_drift.posts (id integer PRIMARY KEY);
SELECT dtmodel.add_soft_delete('preloaded_drift.posts', hide => true);
INSERT INTO preloaded_drift.posts VALUES (1);
DELETE FROM preloaded_drift.posts;
SELECT d -> 'drift' AS drift, d -> 'session' AS session FROM dtmodel.describe('preloaded_drift.posts') AS d;
SET dtmodel.rewrite = off;
SELECT id FROM preloaded_drift.posts;
SELECT d -> 'drift' AS drift, d -> 'session' AS session FROM dtmodel.describe('preloaded_drift.posts') AS d;
SELECT session FROM dtmodel.models WHERE model = 'preloaded_drift.posts'::regclass;
SELECT dtmodel.describe('preloaded_drift.posts') -> 'session' -> 0 ->> 'repair' \gexec
SELECT id FROM preloaded_drift.posts;
SELECT d -> 'drift' AS drift, d -> 'session' AS session FROM dtmodel.describe('preloaded_drift.posts') AS d;

DROP SCHEMA preloaded_drift CASCADE;
