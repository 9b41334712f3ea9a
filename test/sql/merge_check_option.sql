--
-- MERGE into a view WITH CHECK OPTION (since PostgreSQL 17): the option
-- applies to rows that are written, not to those that are deleted
--
SELECT current_setting('server_version_num')::int < 170000 AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA merge_check_option;
SET search_path = merge_check_option;
CREATE ROLE merge_check_option_user;
GRANT USAGE ON SCHEMA merge_check_option TO merge_check_option_user;

CREATE TABLE posts (id int PRIMARY KEY, n int);
SELECT dtmodel.add_soft_delete('posts');
INSERT INTO posts SELECT i, i FROM generate_series(1, 9) AS i;
CREATE VIEW few AS SELECT id, n FROM posts WHERE NOT is_deleted AND n < 100 WITH CHECK OPTION;
CREATE VIEW fewer AS SELECT id, n FROM few WHERE n <> 50 WITH LOCAL CHECK OPTION;
CREATE VIEW guarded WITH (security_barrier) AS SELECT id, n FROM posts WHERE NOT is_deleted AND n < 100;
GRANT SELECT, INSERT, DELETE, UPDATE (n) ON few, fewer, guarded TO merge_check_option_user;
CREATE VIEW state AS SELECT id, n, is_deleted FROM posts ORDER BY id;

SET ROLE merge_check_option_user;
-- a deletion alone, beside an UPDATE, and beside an INSERT
MERGE INTO few AS p USING (VALUES (1)) AS s (id) ON p.id = s.id WHEN MATCHED THEN DELETE;
MERGE INTO few AS p USING (VALUES (2), (3)) AS s (id) ON p.id = s.id
    WHEN MATCHED AND p.id = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET n = 30;
MERGE INTO few AS p USING (VALUES (4), (10)) AS s (id) ON p.id = s.id
    WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.id, 10);
MERGE INTO fewer AS p USING (VALUES (5), (11)) AS s (id) ON p.id = s.id
    WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.id, 11);
MERGE INTO guarded AS p USING (VALUES (6), (7)) AS s (id) ON p.id = s.id
    WHEN MATCHED AND p.id = 6 THEN DELETE WHEN MATCHED THEN UPDATE SET n = 700;
-- the option is still enforced
MERGE INTO few AS p USING (VALUES (8), (9)) AS s (id) ON p.id = s.id
    WHEN MATCHED AND p.id = 8 THEN DELETE WHEN MATCHED THEN UPDATE SET n = 900;
\echo :SQLSTATE
MERGE INTO fewer AS p USING (VALUES (8), (12)) AS s (id) ON p.id = s.id
    WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.id, 50);
\echo :SQLSTATE
RESET ROLE;
TABLE state;

DROP SCHEMA merge_check_option CASCADE;
DROP ROLE merge_check_option_user;
