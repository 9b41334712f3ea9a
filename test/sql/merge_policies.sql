--
-- MERGE under row-level security: the policies of DELETE decide on deletions,
-- not those of UPDATE, in both tiers
--
SELECT current_setting('server_version_num')::int < 150000 AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA merge_policies;
SET search_path = merge_policies;
CREATE ROLE merge_policies_user;
GRANT USAGE ON SCHEMA merge_policies TO merge_policies_user;

CREATE TABLE posts (id int PRIMARY KEY, owner text, n int);
SELECT dtmodel.add_soft_delete('posts');
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY reading ON posts FOR SELECT USING (true);
CREATE POLICY adding ON posts FOR INSERT WITH CHECK (owner = 'me');
CREATE POLICY updating ON posts FOR UPDATE USING (owner = 'all') WITH CHECK (n < 100);
CREATE POLICY deleting ON posts FOR DELETE USING (owner = 'me');
GRANT SELECT, INSERT, UPDATE, DELETE ON posts TO merge_policies_user;
CREATE TABLE wanted (id int);
GRANT SELECT ON wanted TO merge_policies_user;
CREATE FUNCTION again() RETURNS void LANGUAGE sql AS $$
    TRUNCATE posts, wanted;
    INSERT INTO posts VALUES (1, 'me', 1), (2, 'me', 200), (3, 'all', 3), (4, 'her', 4);
$$;
CREATE VIEW state AS SELECT id, owner, n, is_deleted FROM posts ORDER BY id;

-- a row that can be deleted but not updated
SELECT again();
INSERT INTO wanted VALUES (1), (2);
SET ROLE merge_policies_user;
MERGE INTO posts AS p USING wanted AS w ON p.id = w.id WHEN MATCHED THEN DELETE;
RESET ROLE;
TABLE state;

-- one that can be updated but not deleted, and one for which neither is allowed
SELECT again();
INSERT INTO wanted VALUES (3);
SET ROLE merge_policies_user;
MERGE INTO posts AS p USING wanted AS w ON p.id = w.id WHEN MATCHED THEN DELETE;
\echo :SQLSTATE
RESET ROLE;
UPDATE wanted SET id = 4;
SET ROLE merge_policies_user;
MERGE INTO posts AS p USING wanted AS w ON p.id = w.id WHEN MATCHED THEN DELETE;
\echo :SQLSTATE
RESET ROLE;
TABLE state;

-- together with an INSERT, which has its own policies
INSERT INTO wanted VALUES (1), (9);
DELETE FROM wanted WHERE id = 4;
SET ROLE merge_policies_user;
MERGE INTO posts AS p USING wanted AS w ON p.id = w.id
    WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED THEN INSERT VALUES (w.id, 'her', 9);
\echo :SQLSTATE
MERGE INTO posts AS p USING wanted AS w ON p.id = w.id
    WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED THEN INSERT VALUES (w.id, 'me', 9);
RESET ROLE;
TABLE state;

-- together with an UPDATE: for each row, the policies of its action
SELECT again();
INSERT INTO wanted VALUES (1), (2), (3);
SET ROLE merge_policies_user;
MERGE INTO posts AS p USING wanted AS w ON p.id = w.id
    WHEN MATCHED AND p.owner = 'all' THEN UPDATE SET n = 33
    WHEN MATCHED THEN DELETE;
RESET ROLE;
TABLE state;
SELECT again();
INSERT INTO wanted VALUES (1), (3);
SET ROLE merge_policies_user;
MERGE INTO posts AS p USING wanted AS w ON p.id = w.id
    WHEN MATCHED AND p.owner = 'me' THEN UPDATE SET n = 33
    WHEN MATCHED THEN DO NOTHING;
\echo :SQLSTATE
MERGE INTO posts AS p USING wanted AS w ON p.id = w.id
    WHEN MATCHED AND p.owner = 'me' THEN DELETE
    WHEN MATCHED THEN UPDATE SET n = 100;
\echo :SQLSTATE
MERGE INTO posts AS p USING wanted AS w ON p.id = w.id
    WHEN MATCHED AND p.owner = 'all' THEN DELETE
    WHEN MATCHED THEN DO NOTHING;
\echo :SQLSTATE
RESET ROLE;
TABLE state;

-- a policy that hides deleted rows does not prevent the deletion
SELECT again();
INSERT INTO wanted VALUES (1), (2);
DROP POLICY reading ON posts;
CREATE POLICY reading ON posts FOR SELECT USING (NOT is_deleted);
SET ROLE merge_policies_user;
MERGE INTO posts AS p USING wanted AS w ON p.id = w.id WHEN MATCHED THEN DELETE;
RESET ROLE;
TABLE state;

-- a prepared MERGE, for the owner and then for a role with policies
SELECT again();
INSERT INTO wanted VALUES (1), (3);
PREPARE merging AS MERGE INTO posts AS p USING wanted AS w ON p.id = w.id WHEN MATCHED THEN DELETE;
SET ROLE merge_policies_user;
EXECUTE merging;
\echo :SQLSTATE
RESET ROLE;
TABLE state;
EXECUTE merging;
TABLE state;

-- privileges on columns: an UPDATE needs them for the assigned columns, a deletion does not
SELECT again();
INSERT INTO wanted VALUES (1), (3);
ALTER TABLE posts DISABLE ROW LEVEL SECURITY;
REVOKE UPDATE ON posts FROM merge_policies_user;
GRANT UPDATE (n) ON posts TO merge_policies_user;
SET ROLE merge_policies_user;
MERGE INTO posts AS p USING wanted AS w ON p.id = w.id
    WHEN MATCHED AND p.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET n = 5;
MERGE INTO posts AS p USING wanted AS w ON p.id = w.id
    WHEN MATCHED AND p.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET n = 6, owner = 'me';
\echo :SQLSTATE
MERGE INTO posts AS p USING wanted AS w ON p.id = w.id
    WHEN MATCHED AND p.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET n = 6, is_deleted = true;
\echo :SQLSTATE
RESET ROLE;
TABLE state;

DROP SCHEMA merge_policies CASCADE;
DROP ROLE merge_policies_user;
