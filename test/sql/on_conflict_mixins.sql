--
-- ON CONFLICT with all mixins: a row that is neither inserted nor updated leaves no
-- trace, in no column, no history and no lock
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA on_conflict_mixins;
SET search_path = on_conflict_mixins;
SET dtmodel.actor = 'ann';

CREATE TABLE owners (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('owners');
INSERT INTO owners VALUES (1), (2);
DELETE FROM owners WHERE id = 2;
CREATE TABLE docs (id int, k int, v text, owner int REFERENCES owners ON DELETE CASCADE, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE docs_1 PARTITION OF docs FOR VALUES IN (1);
CREATE TABLE docs_2 (v text, gone int, k int NOT NULL, id int NOT NULL, owner int);
ALTER TABLE docs_2 DROP COLUMN gone;
ALTER TABLE docs ATTACH PARTITION docs_2 FOR VALUES IN (2);
SELECT dtmodel.add_timestamps('docs', clock => 'clock'), dtmodel.add_soft_delete('docs', deleted_by => 'deleted_by'), dtmodel.add_audit('docs'),
       dtmodel.add_version('docs'), dtmodel.add_settings('docs', '{theme}'), dtmodel.require_live_parent('docs', 'owner');
SELECT dtmodel.add_history('docs');
INSERT INTO docs (id, k, v, owner) VALUES (1, 1, 'live', 1), (2, 2, 'live', 1), (3, 1, 'deleted', 1), (4, 2, 'deleted', 1);
DELETE FROM docs WHERE v = 'deleted';
CREATE TABLE before AS SELECT to_jsonb(d) AS row FROM docs AS d;
CREATE VIEW traces AS
    SELECT (SELECT count(*) FROM (SELECT to_jsonb(d) FROM docs AS d EXCEPT TABLE before) AS x) AS changed,
           (SELECT count(*) FROM docs) AS rows,
           (SELECT count(*) FROM docs_history) AS versions,
           (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory') AS locks;
TABLE traces;
SET dtmodel.actor = 'eve';

-- DO NOTHING: for live rows and for deleted ones, also with what would be refused
BEGIN;
INSERT INTO docs (id, k, v, settings) SELECT i, 1 + (i - 1) % 2, 'new', '{"theme": "dark"}' FROM generate_series(1, 4) AS i ON CONFLICT DO NOTHING RETURNING id;
INSERT INTO docs (id, k, v, owner) VALUES (1, 1, 'new', 2) ON CONFLICT (id, k) DO NOTHING RETURNING id;
INSERT INTO docs_2 (id, k, v, created_by, version, created_at, is_deleted, deleted_at) VALUES (4, 2, 'new', 'eve', 70, 'epoch', true, '2001-01-01') ON CONFLICT DO NOTHING RETURNING id;
TABLE traces;
COMMIT;
TABLE traces;

-- DO UPDATE that no row meets the condition of, or that changes nothing
BEGIN;
INSERT INTO docs (id, k, v) VALUES (1, 1, 'new'), (2, 2, 'new') ON CONFLICT (id, k) DO UPDATE SET v = excluded.v WHERE docs.v = 'other' RETURNING id;
INSERT INTO docs (id, k, v) VALUES (1, 1, 'live'), (2, 2, 'live'), (3, 1, 'deleted') ON CONFLICT (id, k) DO UPDATE SET v = excluded.v RETURNING id;
TABLE traces;
COMMIT;
TABLE traces;

-- functions
SELECT (instance).v, created FROM dtmodel.get_or_create(NULL::docs, '{"id": 1, "k": 1}', '{"v": "new", "theme": "dark"}');
SELECT (instance).v, created FROM dtmodel.get_or_create(NULL::docs, '{"id": 3, "k": 1}', '{"v": "new"}', 'return');
SELECT (instance).v, created FROM dtmodel.upsert(NULL::docs, '{"id": 2, "k": 2, "v": "live"}');
SELECT (instance).v, created FROM dtmodel.upsert(NULL::docs, '{"id": 4, "k": 2, "v": "new"}', on_deleted => 'return');
TABLE traces;

-- one that does change the row leaves all of them: the test can fail
INSERT INTO docs (id, k, v) VALUES (1, 1, 'new') ON CONFLICT (id, k) DO UPDATE SET v = excluded.v RETURNING updated_by, version;
TABLE traces;

DROP SCHEMA on_conflict_mixins CASCADE;
