--
-- DELETE on a model needs the DELETE privilege and no other: no EXECUTE, no
-- USAGE of the extension's schema
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE revoked_execute_user;
CREATE SCHEMA revoked_execute;
GRANT USAGE ON SCHEMA revoked_execute TO revoked_execute_user;
SET search_path = revoked_execute;

CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE);
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
SELECT dtmodel.add_soft_delete('parents'), dtmodel.add_soft_delete('children', deleted_by => 'deleted_by'), dtmodel.add_soft_delete('parted');
INSERT INTO parents VALUES (1), (2), (3);
INSERT INTO children VALUES (1, 1), (2, 2), (3, 3), (4, 3);
INSERT INTO parted VALUES (1), (2);
GRANT SELECT, DELETE ON parents, children, parted TO revoked_execute_user;

BEGIN;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA dtmodel FROM public;
REVOKE USAGE ON SCHEMA dtmodel FROM public;
SET ROLE revoked_execute_user;
DELETE FROM parents WHERE id = 1;
DELETE FROM children WHERE id = 4;
DELETE FROM parted WHERE id = 1;
PREPARE deletion (int) AS DELETE FROM parents WHERE id = $1;
EXECUTE deletion (2);
RESET ROLE;
SELECT id, is_deleted, deleted_at = now() AS now FROM parents ORDER BY id;
SELECT id, is_deleted, deleted_at = now() AS now, deleted_by FROM children ORDER BY id;
SELECT id, is_deleted, deleted_at = now() AS now FROM parted ORDER BY id;
ROLLBACK;

DROP SCHEMA revoked_execute CASCADE;
DROP ROLE revoked_execute_user;
