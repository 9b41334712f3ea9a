--
-- soft delete: another call with other columns must not make deleted rows
-- live, and hints have the whole call
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA soft_delete_reconfigure;
SET search_path = soft_delete_reconfigure;

CREATE TABLE accounts (id int PRIMARY KEY, is_active boolean NOT NULL DEFAULT true, closed_at timestamptz);
SELECT dtmodel.add_soft_delete('accounts', flag => 'is_active', flag_means => 'live',
    deleted_at => 'closed_at', flag_writes => 'error', protect_truncate => true);
INSERT INTO accounts VALUES (1), (2);
DELETE FROM accounts WHERE id = 1;

-- the names are left out
SELECT dtmodel.add_soft_delete('accounts');
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('accounts', flag => NULL);
\echo :SQLSTATE
SELECT id, is_active FROM accounts ORDER BY id;

-- a column was renamed: the call in the hint restores the model
ALTER TABLE accounts RENAME COLUMN closed_at TO shut_at;
DELETE FROM accounts WHERE id = 2;
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('accounts', flag => NULL);
\echo :SQLSTATE
SELECT dtmodel.describe('accounts') -> 'drift' AS drift;
SELECT dtmodel.add_soft_delete('accounts', flag => 'is_active', flag_means => 'live',
    deleted_at => 'shut_at', flag_writes => 'error', protect_truncate => true);
SELECT dtmodel.describe('accounts') -> 'drift' AS drift;
SELECT id, is_active, shut_at IS NOT NULL AS timed FROM accounts ORDER BY id;

-- other columns with the same content are allowed
ALTER TABLE accounts ADD COLUMN gone_at timestamptz;
UPDATE accounts SET gone_at = shut_at;
SELECT dtmodel.add_soft_delete('accounts', flag => 'is_active', flag_means => 'live', deleted_at => 'gone_at');
SELECT id, is_active, gone_at IS NOT NULL AS timed FROM accounts ORDER BY id;

-- a partitioned table cannot have a primary key of one column
CREATE TABLE parted (id int, month date, PRIMARY KEY (id, month)) PARTITION BY RANGE (month);
CREATE TABLE pairs (a int, b int, month date, PRIMARY KEY (a, b, month)) PARTITION BY RANGE (month);
SELECT dtmodel.add_soft_delete('parted', hide => true), dtmodel.add_soft_delete('pairs', hide => true);
SELECT d.model, concat_ws(': ', problem, repair, advice) AS drift FROM unnest('{parted,pairs}'::regclass[]) AS t (model), dtmodel.drift(t.model) AS d;

-- a CHECK with a name like ours, on the columns that the call names now
CREATE TABLE renamed (id int PRIMARY KEY, gone boolean NOT NULL DEFAULT false, deleted_at timestamptz, alive boolean NOT NULL DEFAULT true, other_at timestamptz);
SELECT dtmodel.add_soft_delete('renamed', flag => 'gone');
ALTER TABLE renamed ADD CONSTRAINT mine CHECK (alive = (other_at IS NULL)), ADD CONSTRAINT ck_mine_soft_delete CHECK (alive = (other_at IS NOT NULL));
SET client_min_messages = notice;
SELECT dtmodel.add_soft_delete('renamed', flag => 'alive', deleted_at => 'other_at', flag_means => 'live');
SET client_min_messages = warning;
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'renamed'::regclass AND contype = 'c' ORDER BY 1;

DROP SCHEMA soft_delete_reconfigure CASCADE;
