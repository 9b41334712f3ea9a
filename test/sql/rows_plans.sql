--
-- functions on rows: saved plans while tables change, and privileges
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA rows_plans;
SET search_path = rows_plans;

-- one session, one function, a table that changes under it
CREATE TABLE t (id int PRIMARY KEY, a text, b text);
CREATE FUNCTION all_of_it() RETURNS TABLE (what text, result text) LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM rows_plans.t;
    RETURN QUERY EXECUTE $q$
        SELECT 'create', dtmodel.create(NULL::rows_plans.t, '{"id": 1, "a": "1", "b": "2", "c": "3"}')::text UNION ALL
        SELECT 'bulk', dtmodel.bulk_create(NULL::rows_plans.t, '[{"id": 2, "a": "1", "b": "2", "c": "3"}]')::text UNION ALL
        SELECT 'update', dtmodel.update(NULL::rows_plans.t, 1, '{"a": "4", "c": "5"}')::text UNION ALL
        SELECT 'upsert', dtmodel.upsert(NULL::rows_plans.t, '{"id": 1, "a": "6"}')::text UNION ALL
        SELECT 'get_or_create', dtmodel.get_or_create(NULL::rows_plans.t, '{"a": "6"}', '{"id": 3}')::text $q$;
    RETURN QUERY EXECUTE $q$
        SELECT 'get', dtmodel.get_by_id(NULL::rows_plans.t, 1)::text UNION ALL
        SELECT 'to_dict', (SELECT dtmodel.to_dict(r)::text FROM dtmodel.get_all(NULL::rows_plans.t, 1) AS r) UNION ALL
        SELECT 'count', dtmodel.count(NULL::rows_plans.t)::text $q$;
END $$;
SELECT * FROM all_of_it();
ALTER TABLE t ADD COLUMN c int DEFAULT 9;
SELECT * FROM all_of_it();
ALTER TABLE t DROP COLUMN b;
SELECT * FROM all_of_it();
ALTER TABLE t ALTER a TYPE int USING a::int;
SELECT * FROM all_of_it();
ALTER TABLE t RENAME c TO b;
SELECT * FROM all_of_it();
ALTER TABLE t RENAME TO other;
CREATE TABLE t (c numeric, id bigint PRIMARY KEY);
SELECT dtmodel.create(NULL::t, '{"id": 1, "c": 1.5, "a": 1}'), dtmodel.get_by_id(NULL::t, 1), dtmodel.count(NULL::t), dtmodel.count(NULL::other);
DROP TABLE t, other;
CREATE TABLE t (id int PRIMARY KEY, a text, b text, c text);
SELECT dtmodel.add_soft_delete('t');
SELECT result FROM all_of_it() WHERE what IN ('create', 'count');
SELECT dtmodel.delete(NULL::t, 1) IS NOT NULL AS deleted, dtmodel.count(NULL::t);
SELECT dtmodel.remove_soft_delete('t');
SELECT dtmodel.count(NULL::t);

-- more sets of columns than the plan cache holds; two plans with the same place in it
CREATE TABLE wide (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, c0 int, c1 int, c2 int, c3 int, c4 int, c5 int, c6 int, c7 int);
DO $$
DECLARE
    r rows_plans.wide;
    data jsonb;
BEGIN
    FOR i IN 0..511 LOOP
        SELECT COALESCE(jsonb_object_agg('c' || bit, i), '{}') INTO data FROM generate_series(0, 7) AS bit WHERE (i >> bit) & 1 = 1;
        r := dtmodel.create(NULL::rows_plans.wide, data);
        ASSERT jsonb_strip_nulls(to_json(r)::jsonb) - 'id' = data;
    END LOOP;
END $$;
SELECT count(*) FROM wide;

-- upsert and get_or_create have one plan for any order of the columns
CREATE TABLE ordered (a int, b text, v text, PRIMARY KEY (b, a));
SELECT dtmodel.add_soft_delete('ordered');
INSERT INTO ordered VALUES (1, 'x', 'old');
SELECT (dtmodel.delete(o)).is_deleted FROM ordered AS o;
SELECT (instance).v, created FROM dtmodel.upsert(NULL::ordered, '{"a": 1, "b": "x", "v": "new"}', on_deleted => 'restore');
SELECT (instance).v, created FROM dtmodel.get_or_create(NULL::ordered, '{"a": 1, "b": "x"}');
SELECT (instance).v, created FROM dtmodel.upsert(NULL::ordered, '{"a": 1, "b": "x"}', '{a,b}', 'restore');
SELECT (instance).v, created FROM dtmodel.upsert(NULL::ordered, '{"a": 1, "b": "x"}', '{b,b,a}', 'restore');

-- as the caller: only granted columns are written and read
CREATE TABLE secrets (id int PRIMARY KEY DEFAULT 1, open text, hidden text DEFAULT 'hidden');
CREATE ROLE dtmodel_rows_reader;
GRANT USAGE ON SCHEMA rows_plans TO dtmodel_rows_reader;
GRANT INSERT (open), SELECT (id, open), UPDATE (open) ON secrets TO dtmodel_rows_reader;
SELECT id FROM dtmodel.create(NULL::secrets, '{"open": "o"}');
SET ROLE dtmodel_rows_reader;
SELECT dtmodel.create(NULL::secrets, '{"open": "x", "id": 2}');
\echo :SQLSTATE
SELECT dtmodel.get_by_id(NULL::secrets, 1);
\echo :SQLSTATE
SELECT dtmodel.update(NULL::secrets, 1, '{"open": "x"}');
\echo :SQLSTATE
SELECT dtmodel.count(NULL::secrets), dtmodel.exists(NULL::secrets, 1);
RESET ROLE;
GRANT SELECT ON secrets TO dtmodel_rows_reader;
SET ROLE dtmodel_rows_reader;
SELECT * FROM dtmodel.update(NULL::secrets, 1, '{"open": "written"}');
SELECT dtmodel.update(NULL::secrets, 1, '{"hidden": "written"}');
\echo :SQLSTATE
SELECT dtmodel.delete(NULL::secrets, 1);
\echo :SQLSTATE
RESET ROLE;
-- the plan belongs to the caller of each call: after the owner, a role with fewer privileges
SELECT hidden FROM dtmodel.update(NULL::secrets, 1, '{"hidden": "by the owner"}');
SET ROLE dtmodel_rows_reader;
SELECT hidden FROM dtmodel.update(NULL::secrets, 1, '{"hidden": "by another"}');
\echo :SQLSTATE
RESET ROLE;
-- policies
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secrets USING (id < 10);
INSERT INTO secrets VALUES (20, 'not yours');
GRANT INSERT, DELETE ON secrets TO dtmodel_rows_reader;
SET ROLE dtmodel_rows_reader;
SELECT dtmodel.count(NULL::secrets), dtmodel.get_by_id(NULL::secrets, 20) IS NULL AS hidden, dtmodel.exists(NULL::secrets, 20) AS there;
SELECT dtmodel.update(NULL::secrets, 20, '{"open": "x"}') IS NULL AS kept, dtmodel.delete(NULL::secrets, 20) IS NULL AS kept;
SELECT dtmodel.create(NULL::secrets, '{"id": 21}');
\echo :SQLSTATE
SELECT id FROM dtmodel.create(NULL::secrets, '{"id": 2}');
RESET ROLE;
SELECT id, open FROM secrets ORDER BY id;
-- physical deletion needs the same as dtmodel.hard_delete
ALTER TABLE secrets DISABLE ROW LEVEL SECURITY;
SELECT dtmodel.add_soft_delete('secrets');
SET ROLE dtmodel_rows_reader;
SELECT dtmodel.delete(NULL::secrets, 2, soft => false);
\echo :SQLSTATE
SELECT is_deleted FROM dtmodel.delete(NULL::secrets, 2);
RESET ROLE;
GRANT TRUNCATE ON secrets TO dtmodel_rows_reader;
SET ROLE dtmodel_rows_reader;
SELECT id FROM dtmodel.delete(NULL::secrets, 2, soft => false);
RESET ROLE;
SELECT count(*) FROM secrets WHERE id = 2;

DROP SCHEMA rows_plans CASCADE;
DROP ROLE dtmodel_rows_reader;
