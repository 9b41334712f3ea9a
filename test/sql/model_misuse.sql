--
-- models: errors
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA model_misuse;
SET search_path = model_misuse;

CREATE TABLE t (a int);
CREATE VIEW v AS SELECT * FROM t;
CREATE TABLE taken (id int);
CREATE TABLE wrong (id int PRIMARY KEY, created_at date);
CREATE TABLE used (a int);
SELECT dtmodel.add_model('used');
CREATE TABLE user_of (used_id uuid REFERENCES used);

SELECT dtmodel.add_model('t', id => 'v9');
\echo :SQLSTATE
SELECT dtmodel.add_model('v');
\echo :SQLSTATE
SELECT dtmodel.add_model(NULL);
\echo :SQLSTATE
SELECT dtmodel.add_model('taken');
\echo :SQLSTATE
SELECT dtmodel.add_model('wrong');
\echo :SQLSTATE
SELECT dtmodel.remove_model('v');
\echo :SQLSTATE
SELECT dtmodel.remove_model('used', drop_columns => true);
\echo :SQLSTATE
\d t
\d taken
\d used

-- describing something that is not a table, or that was dropped
SELECT dtmodel.describe('v');
\echo :SQLSTATE
SELECT dtmodel.get_fields('v');
\echo :SQLSTATE
SELECT dtmodel.class_name('v');
\echo :SQLSTATE
SELECT dtmodel.describe('nothing_there');
\echo :SQLSTATE
SELECT * FROM dtmodel.drift('v');
\echo :SQLSTATE
SELECT * FROM dtmodel.drift(1::oid);
SELECT dtmodel.describe(NULL) IS NULL AS a, dtmodel.get_fields(NULL) IS NULL AS b, dtmodel.class_name(NULL) IS NULL AS c,
       dtmodel.describe(1::oid) IS NULL AS d, dtmodel.get_fields(1::oid) IS NULL AS e, dtmodel.class_name(1::oid) IS NULL AS f;

SELECT dtmodel.add_timestamps(1::oid);
\echo :SQLSTATE
SELECT dtmodel.add_history_partitions(1::oid);
\echo :SQLSTATE

-- after an error halfway, nothing is changed
BEGIN;
SAVEPOINT s;
SELECT dtmodel.add_model('t'), dtmodel.add_soft_delete('t', flag => 'a');
\echo :SQLSTATE
ROLLBACK TO s;
COMMIT;
\d t

DROP SCHEMA model_misuse CASCADE;
