--
-- plans that a function made inside a cascade are right outside it
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA plans_made_in_cascade;
SET search_path = plans_made_in_cascade;

CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE);
CREATE TABLE docs (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete(t::regclass) FROM unnest('{parents,children,docs}'::text[]) AS t \g /dev/null
CREATE FUNCTION wipe() RETURNS void LANGUAGE plpgsql AS 'BEGIN DELETE FROM plans_made_in_cascade.docs; END';
CREATE FUNCTION wipe_one(int) RETURNS void LANGUAGE plpgsql AS 'BEGIN DELETE FROM plans_made_in_cascade.docs WHERE id = $1; END';
CREATE FUNCTION call_wipe() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM plans_made_in_cascade.wipe(), plans_made_in_cascade.wipe_one(0); RETURN coalesce(NEW, OLD); END $$;
CREATE TRIGGER call_wipe BEFORE UPDATE ON children FOR EACH ROW EXECUTE FUNCTION call_wipe();
INSERT INTO parents VALUES (1), (2);
INSERT INTO children VALUES (1, 1);
CREATE VIEW state AS SELECT id, is_deleted FROM docs ORDER BY id;

-- first called in a soft cascade
INSERT INTO docs VALUES (1);
DELETE FROM parents WHERE id = 1;
TABLE state;
INSERT INTO docs VALUES (2), (3), (4);
SELECT wipe_one(3);
TABLE state;
SELECT wipe();
TABLE state;

-- first called in a physical cascade, in a new session
CREATE TABLE plain (id int PRIMARY KEY);
CREATE TABLE under (id int PRIMARY KEY, plain int REFERENCES plain ON DELETE CASCADE);
CREATE TRIGGER call_wipe BEFORE DELETE ON under FOR EACH ROW EXECUTE FUNCTION call_wipe();
INSERT INTO plain VALUES (1), (2);
INSERT INTO under VALUES (1, 1), (2, 2);
\c -
SET search_path = plans_made_in_cascade;
INSERT INTO docs VALUES (5);
DELETE FROM plain WHERE id = 1;
TABLE state;
INSERT INTO docs VALUES (6), (7);
SELECT wipe_one(6);
SELECT wipe();
TABLE state;

-- a hard delete, and a plan that it saves
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
SELECT wipe_one(7);
COMMIT;
SELECT wipe_one(6);
TABLE state;
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
SELECT wipe_one(6);
COMMIT;
INSERT INTO docs VALUES (8);
SELECT wipe_one(8);
TABLE state;

SET client_min_messages = warning;
DROP SCHEMA plans_made_in_cascade CASCADE;
