--
-- drift: triggers for DELETE that a soft DELETE does not fire
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA delete_triggers;
SET search_path = delete_triggers;
CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';

CREATE TABLE posts (id int PRIMARY KEY, n int);
CREATE TRIGGER a_before BEFORE DELETE ON posts FOR EACH ROW EXECUTE FUNCTION act();
CREATE TRIGGER b_after AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION act();
CREATE CONSTRAINT TRIGGER c_constraint AFTER DELETE ON posts DEFERRABLE FOR EACH ROW EXECUTE FUNCTION act();
SELECT dtmodel.describe('posts') -> 'drift' AS drift;
SELECT dtmodel.add_soft_delete('posts');
SELECT unnest(drift) AS drift FROM dtmodel.models WHERE model = 'posts'::regclass;
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('posts');

-- with tier => 'trigger', those before the DELETE fire
SELECT dtmodel.add_soft_delete('posts', tier => 'trigger');
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('posts');
SELECT dtmodel.add_soft_delete('posts', flag => NULL);
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('posts');
SELECT dtmodel.remove_soft_delete('posts', drop_columns => true);
SELECT dtmodel.describe('posts') -> 'drift' AS drift;

-- triggers that are also fired by the UPDATE, or whose function is
DROP TRIGGER c_constraint ON posts;
DROP TRIGGER b_after ON posts;
DROP TRIGGER a_before ON posts;
SELECT dtmodel.add_soft_delete('posts');
CREATE TRIGGER a_both BEFORE UPDATE OR DELETE ON posts FOR EACH ROW EXECUTE FUNCTION act();
CREATE TRIGGER b_delete AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION audit();
CREATE TRIGGER c_update AFTER UPDATE OF is_deleted ON posts FOR EACH ROW EXECUTE FUNCTION audit();
SELECT dtmodel.describe('posts') -> 'drift' AS drift;
ALTER TABLE posts DISABLE TRIGGER c_update;
SELECT dtmodel.describe('posts') -> 'drift' AS drift;
DROP TRIGGER a_both ON posts;
CREATE TRIGGER a_both BEFORE UPDATE OF n OR DELETE ON posts FOR EACH ROW EXECUTE FUNCTION act();
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('posts');

-- triggers of the statement, disabled ones, those of a replica, foreign keys
ALTER TABLE posts DISABLE TRIGGER a_both;
ALTER TABLE posts ENABLE REPLICA TRIGGER b_delete;
CREATE TRIGGER statement AFTER DELETE ON posts FOR EACH STATEMENT EXECUTE FUNCTION act();
CREATE TABLE comments (id int, post int REFERENCES posts ON DELETE CASCADE);
SELECT dtmodel.describe('posts') -> 'drift' AS drift;

-- a transition table, which has no rows of a soft DELETE, unless the same function has
-- them after the UPDATE: by a statement trigger in preloaded sessions, by a row trigger in all
CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER statement_rows AFTER DELETE ON posts REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION log();
CREATE TRIGGER statement_update AFTER UPDATE ON posts FOR EACH STATEMENT EXECUTE FUNCTION log();
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('posts');
CREATE TRIGGER statement_new AFTER UPDATE ON posts REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION log();
SELECT dtmodel.describe('posts') -> 'drift' AS drift;
SELECT dtmodel.add_soft_delete('posts', tier => 'trigger');
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('posts');
CREATE TRIGGER row_update AFTER UPDATE OF deleted_at ON posts FOR EACH ROW EXECUTE FUNCTION log();
SELECT dtmodel.describe('posts') -> 'drift' AS drift;

-- a partitioned table's own triggers, which its partitions have too
CREATE TABLE events (id int) PARTITION BY LIST (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('events');
CREATE TRIGGER "A trigger" BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION act();
SELECT dtmodel.describe('events') -> 'drift' AS drift;
SELECT dtmodel.describe('events_1') -> 'drift' AS drift;

-- a deletion for good within another one
CREATE TABLE outers (id int PRIMARY KEY);
CREATE TABLE inners (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('outers'), dtmodel.add_soft_delete('inners');
CREATE FUNCTION delete_inner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dtmodel.delete(NULL::inners, OLD.id, soft => false);
    RETURN OLD;
END $$;
CREATE TRIGGER delete_inner BEFORE DELETE ON outers FOR EACH ROW EXECUTE FUNCTION delete_inner();
INSERT INTO outers VALUES (1);
INSERT INTO inners VALUES (1), (2);
SELECT (dtmodel.delete(NULL::outers, 1, soft => false)).id;
DELETE FROM inners;
SELECT id, is_deleted FROM inners;

DROP SCHEMA delete_triggers CASCADE;
