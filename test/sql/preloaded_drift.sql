-- drift: rows are hidden while dtmodel.rewrite is on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA preloaded_drift;
CREATE TABLE preloaded_drift.posts (id integer PRIMARY KEY);
SELECT dtmodel.add_soft_delete('preloaded_drift.posts', hide => true);
INSERT INTO preloaded_drift.posts VALUES (1);
DELETE FROM preloaded_drift.posts;
SELECT dtmodel.describe('preloaded_drift.posts') -> 'drift' AS drift;
SET dtmodel.rewrite = off;
SELECT id FROM preloaded_drift.posts;
SELECT dtmodel.describe('preloaded_drift.posts') -> 'drift' AS drift;
SELECT substring(dtmodel.describe('preloaded_drift.posts') -> 'drift' ->> 0 FROM ': (.*)') \gexec
SELECT id FROM preloaded_drift.posts;
SELECT dtmodel.describe('preloaded_drift.posts') -> 'drift' AS drift;

DROP SCHEMA preloaded_drift CASCADE;
