--
-- plans that a function made inside a cascade count and hide rows outside it
-- as anywhere else
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA preloaded_plans;
SET search_path = preloaded_plans;

CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE, n bigint);
CREATE TABLE docs (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('parents'), dtmodel.add_soft_delete('children'), dtmodel.add_soft_delete('docs', hide => true);
CREATE FUNCTION live_docs() RETURNS bigint LANGUAGE plpgsql AS
    'DECLARE n bigint; BEGIN SELECT count(*) INTO n FROM preloaded_plans.docs; RETURN n; END';
CREATE FUNCTION wipe(i int) RETURNS int LANGUAGE plpgsql AS
    'DECLARE n int; BEGIN DELETE FROM preloaded_plans.docs WHERE id >= i; GET DIAGNOSTICS n = ROW_COUNT; RETURN n; END';
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.n := preloaded_plans.live_docs() * 100 + preloaded_plans.wipe(7); RETURN NEW; END $$;
CREATE TRIGGER look BEFORE UPDATE ON children FOR EACH ROW EXECUTE FUNCTION look();
INSERT INTO parents VALUES (1), (2);
INSERT INTO children VALUES (1, 1), (2, 2);
INSERT INTO docs VALUES (1), (2), (3), (7), (8);
DELETE FROM docs WHERE id = 2;

-- in a new session, a soft cascade first
\c -
SET search_path = preloaded_plans;
DELETE FROM parents WHERE id = 1;
SELECT n FROM children WHERE id = 1;
SELECT live_docs(), wipe(3), live_docs();

-- an ordinary call first
\c -
SET search_path = preloaded_plans;
INSERT INTO docs VALUES (9), (10);
SELECT live_docs(), wipe(10), live_docs();
DELETE FROM parents WHERE id = 2;
SELECT n FROM children WHERE id = 2;
SELECT live_docs(), wipe(1), live_docs();

-- a physical cascade first
CREATE TABLE plain (id int PRIMARY KEY);
CREATE TABLE under (id int PRIMARY KEY, plain int REFERENCES plain ON DELETE CASCADE);
CREATE TABLE seen (docs bigint, wiped int);
CREATE FUNCTION look_too() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO preloaded_plans.seen VALUES (preloaded_plans.live_docs(), preloaded_plans.wipe(12)); RETURN OLD; END $$;
CREATE TRIGGER look BEFORE DELETE ON under FOR EACH ROW EXECUTE FUNCTION look_too();
INSERT INTO plain VALUES (1);
INSERT INTO under VALUES (1, 1);
INSERT INTO docs VALUES (11), (12), (13);
\c -
SET search_path = preloaded_plans;
DELETE FROM plain;
TABLE seen;
SELECT live_docs(), wipe(1), live_docs();
SET dtmodel.with_deleted = on;
SELECT live_docs();

SET client_min_messages = warning;
DROP SCHEMA preloaded_plans CASCADE;
