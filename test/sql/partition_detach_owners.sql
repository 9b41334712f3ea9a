--
-- a detached partition does not keep code of its former parent's owner
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE detach_owners_parent;
CREATE ROLE detach_owners_child;
CREATE SCHEMA detach_owners;
SET search_path = detach_owners;
GRANT ALL ON SCHEMA detach_owners TO detach_owners_parent, detach_owners_child;

SET ROLE detach_owners_parent;
CREATE FUNCTION spy(int) RETURNS bool LANGUAGE plpgsql AS
    $$BEGIN RAISE WARNING 'called as %', current_user; RETURN true; END$$;
CREATE DOMAIN spied AS int CHECK (spy(VALUE));
CREATE TABLE jobs (id int, k int) PARTITION BY LIST (k);
CREATE TABLE jobs_2 PARTITION OF jobs FOR VALUES IN (2);
SELECT dtmodel.add_timestamps('jobs'), dtmodel.add_soft_delete('jobs');
CREATE TRIGGER spying BEFORE UPDATE ON jobs FOR EACH ROW WHEN (spy(NEW.id))
    EXECUTE FUNCTION dtmodel_internal.timestamps_trigger('updated_at=updated_at');
CREATE TRIGGER spying_too BEFORE UPDATE ON jobs FOR EACH ROW WHEN (NEW.id::spied > 0)
    EXECUTE FUNCTION dtmodel_internal.timestamps_trigger('updated_at=updated_at');
CREATE TRIGGER harmless BEFORE UPDATE ON jobs FOR EACH ROW WHEN (abs(NEW.id) > 0)
    EXECUTE FUNCTION dtmodel_internal.timestamps_trigger('updated_at=updated_at');
RESET ROLE;
CREATE TABLE jobs_1 (LIKE jobs INCLUDING ALL);
ALTER TABLE jobs_1 OWNER TO detach_owners_child;
ALTER TABLE jobs ATTACH PARTITION jobs_1 FOR VALUES IN (1);

-- in a condition: a function call, or the CHECK of a domain
SET ROLE detach_owners_parent;
ALTER TABLE jobs DETACH PARTITION jobs_1;
\echo :SQLSTATE
ALTER TABLE jobs DETACH PARTITION jobs_1 CONCURRENTLY;
\echo :SQLSTATE
DROP TRIGGER spying ON jobs;
ALTER TABLE jobs DETACH PARTITION jobs_1 FINALIZE;
\echo :SQLSTATE
SELECT count(*) AS partitions FROM pg_inherits WHERE inhparent = 'jobs'::regclass;

-- a table can call functions of its own owner
ALTER TABLE jobs DETACH PARTITION jobs_2;
INSERT INTO jobs_2 VALUES (1, 2);
UPDATE jobs_2 SET id = 2;

-- with functions of the server the table remains a model
DROP TRIGGER spying_too ON jobs;
ALTER TABLE jobs DETACH PARTITION jobs_1 FINALIZE;
SET ROLE detach_owners_child;
INSERT INTO jobs_1 VALUES (1, 1);
UPDATE jobs_1 SET id = 2;
DELETE FROM jobs_1;
SELECT id, is_deleted FROM jobs_1;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'jobs_1'::regclass ORDER BY tgname;

RESET ROLE;
DROP SCHEMA detach_owners CASCADE;
DROP ROLE detach_owners_parent;
DROP ROLE detach_owners_child;
