--
-- create_live_view: whose privileges and policies are used.  Before PostgreSQL 15
-- the view is read as its owner.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA live_view_privileges;
SET search_path = live_view_privileges;

CREATE TABLE parted (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
SELECT dtmodel.add_soft_delete('parted', flag => NULL), dtmodel.create_live_view('parted');
INSERT INTO live_parted SELECT generate_series(4, 16, 3);
RESET client_min_messages;

-- with the caller's privileges only
CREATE ROLE live_view_user;
GRANT USAGE ON SCHEMA live_view_privileges TO live_view_user;
GRANT SELECT, DELETE ON live_parted TO live_view_user;
SET ROLE live_view_user;
DELETE FROM live_parted WHERE id = 4;
\echo :SQLSTATE
RESET ROLE;
GRANT SELECT ON parted TO live_view_user;
SET ROLE live_view_user;
SELECT count(*) FROM live_parted;
DELETE FROM live_parted WHERE id = 4;
\echo :SQLSTATE
RESET ROLE;
GRANT DELETE ON parted TO live_view_user;
ALTER TABLE parted ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON parted FOR SELECT USING (deleted_at IS NULL AND id < 15);
CREATE POLICY remove ON parted FOR DELETE USING (id < 10);
SET ROLE live_view_user;
SELECT count(*) FROM live_parted;
DELETE FROM live_parted RETURNING id;
SELECT id FROM live_parted;
RESET ROLE;

-- the view belongs to the table's owner, whichever role created it
CREATE ROLE live_view_owner;
ALTER TABLE parted OWNER TO live_view_owner;
GRANT USAGE, CREATE ON SCHEMA live_view_privileges TO live_view_owner;
SELECT dtmodel.create_live_view('parted', view => 'made_for_owner');
SELECT viewowner FROM pg_views WHERE viewname = 'made_for_owner';

SET client_min_messages = warning;
DROP SCHEMA live_view_privileges CASCADE;
DROP ROLE live_view_owner, live_view_user;
