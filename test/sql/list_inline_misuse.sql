--
-- get_all in FROM with arguments that it refuses, in either tier with the same SQLSTATE
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA list_inline_misuse;
SET search_path = list_inline_misuse;
\set VERBOSITY sqlstate
\set SHOW_CONTEXT never

CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'one');
CREATE TABLE pairs (a int, b date, PRIMARY KEY (a, b));
CREATE TABLE keyless (v text);
CREATE VIEW seen AS SELECT * FROM t;
CREATE TYPE composite AS (id int);
CREATE DOMAIN domain_of_t AS t;
CREATE TABLE broken (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('broken');

-- ids that the key cannot be
SELECT count(*) FROM dtmodel.get_all(NULL::t, after_id => 'x');
SELECT count(*) FROM dtmodel.get_all(NULL::t, after_id => 99999999999);
SELECT count(*) FROM dtmodel.get_all(NULL::t, after_id => '2024-01-01'::date);
SELECT count(*) FROM dtmodel.get_all(NULL::pairs, after_id => 1);
SELECT count(*) FROM dtmodel.get_all(NULL::pairs, after_id => '{"a": 1}');
SELECT count(*) FROM dtmodel.get_all(NULL::pairs, after_id => '{"a": 1, "b": "x"}');
SELECT count(*) FROM dtmodel.get_all(NULL::keyless, after_id => 1);
PREPARE bad (text) AS SELECT count(*) FROM dtmodel.get_all(NULL::t, after_id => $1);
EXECUTE bad ('x');
EXECUTE bad ('0');

-- pages that cannot exist
SELECT count(*) FROM dtmodel.get_all(NULL::t, -1);
SELECT count(*) FROM dtmodel.get_all(NULL::t, 1, -1);
SELECT count(*) FROM t AS n, dtmodel.get_all(NULL::t, -n.id);
SELECT count(*) FROM dtmodel.get_all(NULL::t, 1 / (SELECT 0));

-- arguments that are not models
SELECT count(*) FROM dtmodel.get_all(NULL::seen);
SELECT count(*) FROM dtmodel.get_all(NULL::composite);
SELECT count(*) FROM dtmodel.get_all(NULL::domain_of_t);
SELECT count(*) FROM dtmodel.get_all(1);
SELECT count(*) FROM dtmodel.get_all(NULL::pg_class), (SELECT 1) AS x WHERE false;
ALTER TABLE broken RENAME is_deleted TO removed;
SELECT count(*) FROM dtmodel.get_all(NULL::broken);
SELECT count(*) FROM dtmodel.get_all(NULL::broken, include_deleted => true);

-- a plan that was made before the mistake
PREPARE kept AS SELECT count(*) FROM dtmodel.get_all(NULL::t, after_id => '0');
EXECUTE kept;
ALTER TABLE t DROP CONSTRAINT t_pkey;
EXECUTE kept;
ALTER TABLE t ADD PRIMARY KEY (v);
EXECUTE kept;
DEALLOCATE kept;
ALTER TABLE t DROP CONSTRAINT t_pkey;
ALTER TABLE t ADD PRIMARY KEY (id);
CREATE FUNCTION later() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT count(*) FROM dtmodel.get_all(NULL::list_inline_misuse.t, after_id => '1'));
END $$;
SELECT later();
DROP VIEW seen;
DROP DOMAIN domain_of_t;
ALTER TABLE t ALTER id TYPE uuid USING '00000000-0000-0000-0000-000000000001';
SELECT later();
ALTER TABLE t ALTER id TYPE text;
SELECT later();

-- prepared statements that are older than the type of a column
CREATE TABLE changed (id int PRIMARY KEY, a text, b int);
INSERT INTO changed VALUES (1, 'one', 1), (2, 'two', 2);
PREPARE lengths AS SELECT length(a) FROM dtmodel.get_all(NULL::changed);
PREPARE ids AS SELECT id FROM dtmodel.get_all(NULL::changed);
PREPARE inner_rows AS SELECT i FROM generate_series(1, 2) AS i WHERE EXISTS (SELECT FROM dtmodel.get_all(NULL::changed) AS c WHERE (SELECT c.b) = i) ORDER BY i;
EXECUTE lengths;
EXECUTE inner_rows;
\set VERBOSITY sqlstate
ALTER TABLE changed ALTER a TYPE int USING 7, ALTER b TYPE text;
EXECUTE lengths;
EXECUTE inner_rows;
EXECUTE ids;
ALTER TABLE changed DROP b;
EXECUTE inner_rows;
EXECUTE ids;
\set VERBOSITY default
DEALLOCATE ALL;

DROP SCHEMA list_inline_misuse CASCADE;
