--
-- MERGE with flag_writes => 'error': one that deletes cannot also assign flag or time
--
SELECT current_setting('server_version_num')::int < 150000 AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA merge_flag_writes;
SET search_path = merge_flag_writes;

CREATE TABLE posts (id int PRIMARY KEY, n int);
SELECT dtmodel.add_soft_delete('posts', flag_writes => 'error');
CREATE TABLE timed (id int PRIMARY KEY, n int);
SELECT dtmodel.add_soft_delete('timed', flag => NULL, flag_writes => 'error');
INSERT INTO posts VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO timed VALUES (1, 1), (2, 2), (3, 3);

MERGE INTO posts AS p USING (VALUES (1), (2)) AS v (id) ON p.id = v.id
    WHEN MATCHED AND v.id = 1 THEN DELETE
    WHEN MATCHED THEN UPDATE SET is_deleted = true;
\echo :SQLSTATE
MERGE INTO posts AS p USING (VALUES (1), (2)) AS v (id) ON p.id = v.id
    WHEN MATCHED AND v.id = 1 THEN DELETE
    WHEN MATCHED THEN UPDATE SET n = 7, deleted_at = now();
\echo :SQLSTATE
MERGE INTO timed AS t USING (VALUES (1), (2)) AS v (id) ON t.id = v.id
    WHEN MATCHED AND v.id = 1 THEN UPDATE SET deleted_at = now()
    WHEN MATCHED THEN DELETE;
\echo :SQLSTATE

-- what it may do
MERGE INTO posts AS p USING (VALUES (1), (2), (4)) AS v (id) ON p.id = v.id
    WHEN MATCHED AND v.id = 1 THEN DELETE
    WHEN MATCHED THEN UPDATE SET n = 7
    WHEN NOT MATCHED THEN INSERT VALUES (v.id, 4);
SELECT id, n, is_deleted FROM posts ORDER BY id;
MERGE INTO timed AS t USING (VALUES (1), (2)) AS v (id) ON t.id = v.id
    WHEN MATCHED AND v.id = 1 THEN UPDATE SET n = 7
    WHEN MATCHED THEN DELETE;
SELECT id, n, deleted_at IS NOT NULL AS is_deleted FROM timed ORDER BY id;

DROP SCHEMA merge_flag_writes CASCADE;
