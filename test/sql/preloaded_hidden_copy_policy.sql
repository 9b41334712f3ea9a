--
-- COPY of a table by a role to which policies apply, which the server reads by
-- a query: it has hidden rows, as COPY has them for other roles
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA hidden_copy_policy;
SET search_path = hidden_copy_policy;
CREATE ROLE hidden_copy_policy_reader;
CREATE TABLE members (who name PRIMARY KEY);
CREATE TABLE notes (id int PRIMARY KEY, note text);
SELECT dtmodel.add_soft_delete('members', hide => true, flag => NULL), dtmodel.add_soft_delete('notes', hide => true, flag => NULL);
RESET client_min_messages;
INSERT INTO members VALUES ('hidden_copy_policy_reader');
INSERT INTO notes VALUES (1, 'deleted', '2026-01-01'), (2, 'live', NULL), (3, 'of others', NULL), (4, 'deleted, of others', '2026-01-01');
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (id < 3 AND current_user IN (SELECT who FROM members));
GRANT USAGE ON SCHEMA hidden_copy_policy TO hidden_copy_policy_reader;
GRANT SELECT ON members, notes TO hidden_copy_policy_reader;
SET ROLE hidden_copy_policy_reader;
COPY notes TO STDOUT;
COPY notes (note) TO STDOUT;
COPY (SELECT * FROM notes) TO STDOUT;

-- an error leaves nothing behind
COPY notes (id, missing) TO STDOUT;
SELECT id FROM notes;

-- a policy does not find hidden rows
RESET ROLE;
DELETE FROM members;
SET ROLE hidden_copy_policy_reader;
COPY notes TO STDOUT;
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA hidden_copy_policy CASCADE;
DROP ROLE hidden_copy_policy_reader;
