--
-- timestamps: INSERT keeps given times, the DEFAULT of the columns sets the others
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA timestamps_insert;
SET search_path = timestamps_insert;
SET timezone = 'UTC';
RESET client_min_messages;

CREATE TABLE docs (id int PRIMARY KEY, v int);
SELECT dtmodel.add_timestamps('docs');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'docs'::regclass;
CREATE VIEW state AS
    SELECT id, v, CASE created_at WHEN '2001-01-01' THEN 'given' WHEN now() THEN 'now' ELSE 'other' END AS created,
           CASE updated_at WHEN '2002-02-02' THEN 'given' WHEN now() THEN 'now' ELSE 'other' END AS updated
    FROM docs ORDER BY id;

-- each kind of INSERT: both given, one given, none given
BEGIN;
INSERT INTO docs VALUES (1, 1, '2001-01-01', '2002-02-02'), (2, 2, '2001-01-01', DEFAULT), (3, 3, DEFAULT, DEFAULT);
INSERT INTO docs (id, updated_at) VALUES (4, '2002-02-02');
INSERT INTO docs (id) VALUES (5);
COPY docs FROM stdin;
6	6	2001-01-01 00:00:00+00	2002-02-02 00:00:00+00
\.
COPY docs (id, created_at) FROM stdin;
7	2001-01-01 00:00:00+00
\.
COPY docs (id) FROM stdin;
8
\.
CREATE TABLE fixtures AS SELECT 10 + id AS id, v, created_at, updated_at FROM docs WHERE id IN (1, 2);
INSERT INTO docs SELECT * FROM fixtures;
INSERT INTO docs (id, v) SELECT id + 10, v FROM fixtures;
WITH a AS (INSERT INTO docs VALUES (30, 1, '2001-01-01') RETURNING id) INSERT INTO docs (id, v, created_at) SELECT 31, id, '2001-01-01' FROM a;
CREATE VIEW window_on AS SELECT * FROM docs;
INSERT INTO window_on (id, created_at) VALUES (32, '2001-01-01');
INSERT INTO window_on (id) VALUES (33);
SELECT count(*) FROM dtmodel.create(NULL::docs, '{"id": 40, "created_at": "2001-01-01", "updated_at": "2002-02-02"}');
SELECT count(*) FROM dtmodel.bulk_create(NULL::docs, '[{"id": 41, "created_at": "2001-01-01"}, {"id": 42}]');
SELECT created FROM dtmodel.upsert(NULL::docs, '{"id": 43, "created_at": "2001-01-01"}');
SELECT created FROM dtmodel.get_or_create(NULL::docs, '{"id": 44}', '{"updated_at": "2002-02-02"}');
TABLE state;
COMMIT;

-- an existing row keeps its created_at in each kind of conflict
BEGIN;
INSERT INTO docs (id, v, created_at) VALUES (1, 100, '2003-03-03'), (50, 1, '2001-01-01')
    ON CONFLICT (id) DO UPDATE SET v = excluded.v, created_at = excluded.created_at, updated_at = excluded.updated_at;
UPDATE docs SET created_at = '2003-03-03', updated_at = '2003-03-03' WHERE id = 6;
SELECT * FROM state WHERE id IN (1, 6, 50);
SELECT current_setting('server_version_num')::int >= 150000 AS has_merge \gset
\if :has_merge
MERGE INTO docs USING (VALUES (11, 11), (60, 60)) AS s (id, v) ON docs.id = s.id
    WHEN MATCHED THEN UPDATE SET v = -1, created_at = '2003-03-03'
    WHEN NOT MATCHED THEN INSERT (id, v, created_at) VALUES (s.id, s.v, '2001-01-01');
\else
INSERT INTO docs (id, v, created_at) VALUES (11, -1, '2003-03-03'), (60, 60, '2001-01-01')
    ON CONFLICT (id) DO UPDATE SET v = -1, created_at = '2003-03-03';
\endif
SELECT * FROM state WHERE id IN (11, 60);
ROLLBACK;

-- an UPDATE does not set updated_at to less than a given value
INSERT INTO docs VALUES (70, 1, DEFAULT, '2999-01-01'), (71, 1, DEFAULT, '2002-02-02');
UPDATE docs SET v = 2 WHERE id >= 70 RETURNING id, updated_at = '2999-01-01 00:00:00.000001' AS next, updated_at = now() AS moved;

-- NULL given is NULL, or refused where the column refuses it
\set VERBOSITY terse
INSERT INTO docs VALUES (80, 1, NULL);
\set VERBOSITY default
\echo :SQLSTATE
CREATE TABLE nullable (id int, created_at timestamptz, updated_at timestamptz);
SELECT dtmodel.add_timestamps('nullable');
INSERT INTO nullable VALUES (1, NULL, NULL) RETURNING created_at, updated_at;
INSERT INTO nullable VALUES (2) RETURNING created_at = now() AS created, updated_at = now() AS updated;
UPDATE nullable SET id = 3, created_at = '2001-01-01' WHERE id = 1
RETURNING created_at = '2001-01-01' AS filled, updated_at = now() AS updated;

-- DEFAULTs by clock and type, whatever search_path is; existing rows get one time,
-- and no table is rewritten
CREATE SCHEMA timestamps_insert_shadow;
CREATE FUNCTION timestamps_insert_shadow.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '1999-01-01'::timestamptz $$;
CREATE FUNCTION timestamps_insert_shadow.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '1999-01-01'::timestamptz $$;
CREATE FUNCTION timestamps_insert_shadow.timezone(text, timestamptz) RETURNS timestamp LANGUAGE sql AS $$ SELECT '1999-01-01'::timestamp $$;
CREATE TABLE kinds (id int, "at z" timestamptz, z3 timestamptz(3), u timestamp, u0 timestamp(0));
INSERT INTO kinds VALUES (0);
CREATE VIEW defaults AS
    SELECT a.attrelid::regclass AS model, a.attname, pg_get_expr(d.adbin, d.adrelid) AS expression
    FROM pg_attribute AS a JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    ORDER BY a.attrelid::regclass::text, a.attnum;
SELECT pg_relation_filenode('kinds') AS node \gset
SET search_path = timestamps_insert_shadow, timestamps_insert, pg_catalog;
SELECT dtmodel.add_timestamps('kinds', 'at z', 'u');
SELECT dtmodel.add_timestamps('kinds', 'u0', 'z3');
SELECT dtmodel.add_timestamps('kinds', 'added', 'u0', clock => 'clock');
SET search_path = timestamps_insert;
SELECT attname, expression FROM defaults WHERE model = 'kinds'::regclass;
SELECT pg_relation_filenode('kinds') = :node AS same_node;
SELECT added IS NOT NULL AS added, "at z", z3, u, u0 FROM kinds;
SELECT dtmodel.add_timestamps('kinds', 'z3', 'u', clock => 'statement');
SELECT dtmodel.add_timestamps('kinds', 'z3', 'u', clock => 'statement');
SELECT attname, expression FROM defaults WHERE model = 'kinds'::regclass;
SET timezone = 'America/New_York';
BEGIN;
SELECT pg_sleep(0.01);
INSERT INTO kinds (id) VALUES (1)
RETURNING "at z" = now() AS "at z", z3 = statement_timestamp()::timestamptz(3) AS z3,
          u = statement_timestamp() AT TIME ZONE 'UTC' AS u,
          u0 BETWEEN (statement_timestamp() AT TIME ZONE 'UTC')::timestamp(0)
             AND (clock_timestamp() AT TIME ZONE 'UTC')::timestamp(0) AS u0,
          added BETWEEN statement_timestamp() AND clock_timestamp() AS added;
COMMIT;
SET timezone = 'UTC';

-- a DEFAULT of the user is kept, with any clock; one in the session's time zone
-- is reported
CREATE TABLE own (
    a timestamptz DEFAULT 'epoch',
    b timestamptz DEFAULT now() + interval '1 day',
    c timestamptz DEFAULT CURRENT_TIMESTAMP,
    d timestamp DEFAULT now(),
    e timestamp DEFAULT LOCALTIMESTAMP(0),
    f timestamp DEFAULT (now() AT TIME ZONE 'Asia/Tokyo'),
    g timestamp(3) DEFAULT timezone('utc', now()),
    h timestamptz DEFAULT now(),
    i timestamp(3) DEFAULT now()::timestamp,
    j timestamp(3) DEFAULT CURRENT_TIMESTAMP
);
SELECT dtmodel.add_timestamps('own', 'a', 'b', clock => 'clock');
SELECT dtmodel.add_timestamps('own', 'c', 'd', clock => 'clock');
SELECT unnest(drift) AS drift FROM dtmodel.models WHERE model = 'own'::regclass;
SELECT dtmodel.add_timestamps('own', 'e', 'f', clock => 'clock');
SELECT unnest(drift) AS drift FROM dtmodel.models WHERE model = 'own'::regclass;
SELECT dtmodel.add_timestamps('own', 'i', 'j', clock => 'clock');
SELECT unnest(drift) AS drift FROM dtmodel.models WHERE model = 'own'::regclass;
SELECT attname, expression FROM defaults WHERE model = 'own'::regclass;
SELECT dtmodel.add_timestamps('own', 'g', 'h', clock => 'clock');
SELECT attname, expression FROM defaults WHERE model = 'own'::regclass AND attname IN ('g', 'h');
SELECT drift FROM dtmodel.models WHERE model = 'own'::regclass;

-- stamp: the trigger overwrites the values of INSERT, in any plan
PREPARE given(int) AS INSERT INTO docs VALUES ($1, 1, '2001-01-01', '2002-02-02');
BEGIN;
EXECUTE given (91);
SELECT dtmodel.add_timestamps('docs', on_insert => 'stamp');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'docs'::regclass;
SELECT dtmodel.add_timestamps('docs', on_insert => 'stamp');
EXECUTE given (92);
INSERT INTO docs VALUES (93, 1, NULL, NULL);
COPY docs FROM stdin;
94	6	2001-01-01 00:00:00+00	2002-02-02 00:00:00+00
\.
SELECT count(*) FROM dtmodel.create(NULL::docs, '{"id": 95, "created_at": "2001-01-01"}');
SET LOCAL dtmodel.preserve_timestamps = on;
EXECUTE given (96);
SET LOCAL dtmodel.preserve_timestamps = off;
SELECT * FROM state WHERE id > 90;
SELECT dtmodel.describe('docs') -> 'timestamps' AS timestamps;
ROLLBACK;
SELECT dtmodel.describe('docs') -> 'timestamps' AS timestamps;

-- and without the option again
SELECT dtmodel.add_timestamps('docs', on_insert => 'stamp', clock => 'clock');
INSERT INTO docs VALUES (97, 1, '2001-01-01', '2002-02-02') RETURNING created_at = updated_at AS one_time;
SELECT dtmodel.add_timestamps('docs');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'docs'::regclass;
BEGIN;
EXECUTE given (98);
SELECT * FROM state WHERE id = 98;
ROLLBACK;

-- a trigger with other events is created again; until then it does what its
-- options say
CREATE OR REPLACE TRIGGER zz_dtmodel_timestamps BEFORE INSERT OR UPDATE ON docs
    FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.timestamps_trigger('created_at=created_at', 'updated_at=updated_at');
EXECUTE given (98);
SELECT * FROM state WHERE id = 98;
SELECT dtmodel.add_timestamps('docs');
CREATE OR REPLACE TRIGGER zz_dtmodel_timestamps BEFORE UPDATE OF v ON docs
    FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.timestamps_trigger('created_at=created_at', 'updated_at=updated_at');
SELECT dtmodel.add_timestamps('docs');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'docs'::regclass;
CREATE TABLE others (id int);
SELECT dtmodel.add_audit('others'), dtmodel.add_soft_delete('others', protect_truncate => true);
CREATE TABLE others_before AS
    SELECT tgname, pg_get_triggerdef(oid) AS definition FROM pg_trigger WHERE tgrelid = 'others'::regclass;
CREATE OR REPLACE TRIGGER zz_dtmodel_stamp_audit BEFORE UPDATE ON others
    FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.audit_trigger('created_by=created_by', 'updated_by=updated_by');
CREATE OR REPLACE TRIGGER zz_dtmodel_soft_delete_flag BEFORE INSERT ON others
    FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_delete_flag_trigger('flag=is_deleted', 'deleted_at=deleted_at');
CREATE OR REPLACE TRIGGER zz_dtmodel_soft_cascade AFTER INSERT ON others
    FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_cascade_trigger();
CREATE OR REPLACE TRIGGER zz_dtmodel_protect_truncate AFTER TRUNCATE ON others
    FOR EACH STATEMENT EXECUTE FUNCTION dtmodel_internal.protect_truncate_trigger();
SELECT dtmodel.add_audit('others'), dtmodel.add_soft_delete('others', protect_truncate => true);
SELECT count(*) AS triggers, count(*) FILTER (WHERE b.definition = pg_get_triggerdef(t.oid)) AS restored
FROM others_before AS b JOIN pg_trigger AS t ON t.tgrelid = 'others'::regclass AND t.tgname = b.tgname;
SELECT dtmodel.add_audit('others'), dtmodel.add_soft_delete('others', protect_truncate => true);

-- without a DEFAULT nothing sets the column
ALTER TABLE docs ALTER COLUMN created_at DROP DEFAULT;
SELECT unnest(drift) AS drift FROM dtmodel.models WHERE model = 'docs'::regclass;
SELECT dtmodel.add_timestamps('docs', on_insert => 'stamp');
SELECT drift FROM dtmodel.models WHERE model = 'docs'::regclass;
ALTER TABLE docs ALTER COLUMN created_at SET DEFAULT NULL, ALTER COLUMN updated_at DROP DEFAULT;
SELECT drift FROM dtmodel.models WHERE model = 'docs'::regclass;
SELECT dtmodel.add_timestamps('docs', updated_at => NULL);
SELECT drift FROM dtmodel.models WHERE model = 'docs'::regclass;
SELECT dtmodel.add_timestamps('docs');
SELECT attname, expression FROM defaults WHERE model = 'docs'::regclass;
ALTER TABLE docs RENAME COLUMN updated_at TO changed_at;
SELECT unnest(drift) AS drift FROM dtmodel.models WHERE model = 'docs'::regclass;
ALTER TABLE docs RENAME COLUMN changed_at TO updated_at;

-- a partition has its own DEFAULT, for rows that are inserted into it directly
CREATE TABLE parted (id int, created_at timestamptz, updated_at timestamp) PARTITION BY LIST (id);
CREATE TABLE "part 1" PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE part_2 (junk int, updated_at timestamp, created_at timestamptz DEFAULT 'epoch', id int);
ALTER TABLE part_2 DROP COLUMN junk;
ALTER TABLE parted ATTACH PARTITION part_2 FOR VALUES IN (2, 3) ;
SELECT dtmodel.add_timestamps('parted');
SELECT model, attname, expression FROM defaults WHERE model::text LIKE '%part%';
SELECT dtmodel.add_timestamps('parted');
SELECT dtmodel.add_timestamps('parted', 'made_at', clock => 'clock');
SELECT model, attname, expression FROM defaults WHERE model::text LIKE '%part%';
INSERT INTO "part 1" (id) VALUES (1) RETURNING made_at IS NOT NULL AS made, updated_at >= now() AT TIME ZONE 'UTC' AS updated;

-- a role that can insert other columns only still gets the DEFAULTs
CREATE ROLE timestamps_insert_writer;
GRANT USAGE ON SCHEMA timestamps_insert TO timestamps_insert_writer;
GRANT INSERT (id) ON docs TO timestamps_insert_writer;
GRANT SELECT ON docs TO timestamps_insert_writer;
SET ROLE timestamps_insert_writer;
INSERT INTO docs (id) VALUES (200) RETURNING created_at = now() AS created, updated_at = now() AS updated;
INSERT INTO docs (id, created_at) VALUES (201, '2001-01-01');
\echo :SQLSTATE
RESET ROLE;

-- defaults in other time zones
CREATE TABLE zones (id int PRIMARY KEY, a timestamp DEFAULT (now() AT TIME ZONE current_setting('TimeZone')), b timestamp DEFAULT (now() AT TIME ZONE NULL::text));
SELECT dtmodel.add_timestamps('zones', created_at => 'a', updated_at => 'b', clock => 'clock');
SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'zones'::regclass ORDER BY adnum;
ALTER TABLE zones ALTER a SET DEFAULT now(), ALTER b SET DEFAULT make_timestamp(2000, 1, 1, 0, 0, 0);
SELECT problem FROM dtmodel.drift('zones');

-- removed: the DEFAULTs stay, and do not depend on the extension
SELECT dtmodel.remove_timestamps('parted');
SELECT dtmodel.remove_timestamps('docs');
SELECT model, attname, expression FROM defaults WHERE model IN ('docs'::regclass, 'parted'::regclass);
SELECT dtmodel.add_timestamps('docs', on_insert => 'stamp');
DROP VIEW state;
DROP VIEW window_on;
SELECT dtmodel.remove_timestamps('docs', drop_columns => true);
SELECT dtmodel.get_fields('docs');

-- a DEFAULT that is a constant has no time zone, a time without a beginning is no obstacle, and one column can be stamped alone
CREATE TABLE constants (id int, created_at timestamp DEFAULT '2020-01-01', updated_at timestamp DEFAULT timezone('UTC', now()));
SELECT dtmodel.add_timestamps('constants');
SELECT problem, repair, advice FROM dtmodel.drift('constants');
CREATE TABLE since_ever (id int);
SELECT dtmodel.add_timestamps('since_ever');
INSERT INTO since_ever VALUES (1, '-infinity', '-infinity');
UPDATE since_ever SET id = 2;
SELECT updated_at > '2020-01-01' AS moved FROM since_ever;
CREATE TABLE stamped_once (id int);
SELECT dtmodel.add_timestamps('stamped_once', updated_at => NULL, on_insert => 'stamp');
INSERT INTO stamped_once VALUES (1, '2000-01-01');
SELECT created_at > '2020-01-01' AS stamped FROM stamped_once;

SET client_min_messages = warning;
DROP SCHEMA timestamps_insert CASCADE;
DROP SCHEMA timestamps_insert_shadow CASCADE;
DROP ROLE timestamps_insert_writer;
