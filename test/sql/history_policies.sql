--
-- the policies of a model apply to its past, too, and nothing makes a role see more
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA history_policies;
SET search_path = history_policies;
CREATE ROLE history_policies_ann;
CREATE ROLE history_policies_bob;
CREATE ROLE history_policies_owner;
GRANT USAGE, CREATE ON SCHEMA history_policies TO history_policies_owner;
GRANT USAGE ON SCHEMA history_policies TO history_policies_ann, history_policies_bob;
CREATE FUNCTION policies(t regclass) RETURNS TABLE (name name, kind text, cmd "char", roles text, qual text) LANGUAGE sql AS $$
    SELECT polname, CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END, polcmd,
           array_to_string(ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE r::regrole::text END FROM unnest(polroles) AS r), ','),
           pg_get_expr(polqual, polrelid)
    FROM pg_policy WHERE polrelid = t ORDER BY polname $$;
-- What a role sees of the past, at a time, and of its versions.
CREATE FUNCTION seen(at timestamptz) RETURNS TABLE (who text, past text, versions text) LANGUAGE plpgsql AS $$
DECLARE
    r text;
BEGIN
    FOREACH r IN ARRAY ARRAY['history_policies_ann', 'history_policies_bob', 'history_policies_owner'] LOOP
        EXECUTE 'SET LOCAL ROLE ' || r;
        who := r;
        past := (SELECT string_agg(id || ' ' || owner || ' ' || body, ', ' ORDER BY id) FROM docs_as_of(at));
        versions := (SELECT string_agg(id || ' ' || owner || ' ' || body, ', ' ORDER BY id, valid_to) FROM docs_history);
        RETURN NEXT;
    END LOOP;
    RESET ROLE;
END $$;

-- the values of the version say who sees it
SET ROLE history_policies_owner;
CREATE TABLE teams (who name PRIMARY KEY, team int);
INSERT INTO teams VALUES ('history_policies_ann', 1), ('history_policies_bob', 2);
GRANT SELECT ON teams TO history_policies_ann, history_policies_bob;
CREATE TABLE docs (id int PRIMARY KEY, owner name, team int, body text, secret text);
ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON docs USING (owner = current_user);
CREATE POLICY writing ON docs FOR UPDATE USING (true);
CREATE POLICY adding ON docs FOR INSERT WITH CHECK (true);
SELECT dtmodel.add_timestamps('docs'), dtmodel.add_history('docs', exclude => '{secret}');
SELECT * FROM policies('docs_history');
GRANT SELECT, UPDATE, INSERT ON docs TO history_policies_ann, history_policies_bob;
GRANT SELECT ON docs_history TO history_policies_ann, history_policies_bob;
INSERT INTO docs VALUES (1, 'history_policies_ann', 1, 'a', 'x'), (2, 'history_policies_bob', 2, 'b', 'y');
SELECT clock_timestamp() AS t1, pg_sleep(0.01) \gset
UPDATE docs SET body = body || '2';
UPDATE docs SET owner = 'history_policies_bob' WHERE id = 1;
RESET ROLE;
SELECT * FROM seen(:'t1');
SET ROLE history_policies_bob;
SELECT id, body FROM docs ORDER BY id;
SELECT operation, (version).body FROM dtmodel.history(NULL::docs, 1);
SELECT operation, key FROM dtmodel.changes(NULL::docs, NULL) ORDER BY 2, 1;
SELECT (dtmodel.revert(NULL::docs, 2, :'t1')).body;
RESET ROLE;

-- followed: new ones, other expressions and roles, restrictive ones, names, and dropped ones
SET ROLE history_policies_owner;
CREATE POLICY team ON docs FOR SELECT TO history_policies_ann, history_policies_bob
    USING (EXISTS (SELECT FROM teams WHERE teams.who = current_user AND teams.team = docs.team));
ALTER POLICY team ON docs TO history_policies_ann;
SELECT * FROM policies('docs_history');
RESET ROLE;
SELECT * FROM seen(:'t1');
SET ROLE history_policies_owner;
UPDATE teams SET team = 3 - team;
CREATE POLICY "Not ""a""" ON docs AS RESTRICTIVE USING (body <> 'a');
ALTER POLICY own ON docs RENAME TO "Own";
ALTER POLICY "Own" ON docs TO public USING (owner = current_user OR id = 99);
SELECT * FROM policies('docs_history');
RESET ROLE;
SELECT * FROM seen(:'t1');
DROP POLICY team ON docs;
DROP POLICY IF EXISTS team ON docs;
SELECT * FROM policies('docs_history');
-- a policy that only checks, and one without an expression, show nothing
CREATE POLICY none ON docs FOR SELECT TO history_policies_ann;
SELECT * FROM policies('docs_history') WHERE name = 'none';
DROP POLICY none ON docs;
-- columns and tables that are renamed
ALTER TABLE docs RENAME owner TO whose;
ALTER TABLE docs RENAME TO papers;
SELECT * FROM policies('papers_history');
ALTER TABLE papers RENAME TO docs;
ALTER TABLE docs RENAME whose TO owner;
-- in a transaction that is rolled back
BEGIN;
CREATE POLICY p ON docs USING (true);
SAVEPOINT s;
DROP POLICY "Own" ON docs;
SELECT name FROM policies('docs_history');
ROLLBACK TO s;
SELECT name FROM policies('docs_history');
ROLLBACK;
SELECT name FROM policies('docs_history');

-- what cannot be copied: excluded columns, whole rows, system columns
SET client_min_messages = notice;
CREATE POLICY secret ON docs USING (secret = 'x');
CREATE POLICY whole ON docs USING (docs IS NOT NULL);
CREATE POLICY deep ON docs USING (EXISTS (SELECT FROM teams AS t, LATERAL (SELECT docs.tableoid AS o) AS l WHERE l.o = 1));
SET client_min_messages = warning;
SELECT name FROM policies('docs_history');
-- without a restrictive one, the others show nothing
SET client_min_messages = notice;
ALTER POLICY secret ON docs USING (secret = 'x' OR id = 1);
DROP POLICY deep ON docs;
DROP POLICY whole ON docs;
CREATE POLICY never ON docs AS RESTRICTIVE USING (secret IS NULL);
SET client_min_messages = warning;
SELECT name, kind FROM policies('docs_history');
SELECT * FROM seen(:'t1');
-- nor one that reads the history, whose policy cannot do that
CREATE TABLE loans (id int PRIMARY KEY, holder name);
SELECT dtmodel.add_timestamps('loans'), dtmodel.add_history('loans');
ALTER TABLE loans ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON loans, loans_history TO history_policies_ann;
INSERT INTO loans VALUES (1, 'history_policies_ann'), (2, 'history_policies_bob');
UPDATE loans SET holder = 'history_policies_owner';
SET client_min_messages = notice;
CREATE POLICY former ON loans
    USING (EXISTS (SELECT FROM loans_history AS h WHERE h.id = loans.id AND h.holder = current_user));
SET client_min_messages = warning;
CREATE POLICY own ON loans_history USING (holder = current_user);
SET ROLE history_policies_ann;
SELECT id, holder FROM loans;
SELECT operation, (version).holder FROM dtmodel.history(NULL::loans, 1);
RESET ROLE;
-- until it can be copied, or is dropped, on its own or with what it needs
ALTER POLICY never ON docs USING (id < 10);
SELECT name, kind FROM policies('docs_history');
CREATE FUNCTION is_free(text) RETURNS boolean LANGUAGE sql AS 'SELECT $1 IS NULL';
ALTER POLICY never ON docs USING (is_free(secret));
SELECT name, kind FROM policies('docs_history');
DROP FUNCTION is_free CASCADE;
SELECT name, kind FROM policies('docs_history');
-- a column that is excluded from now on
SET client_min_messages = notice;
SELECT dtmodel.add_history('docs', exclude => '{secret,body}');
SET client_min_messages = warning;
SELECT name, kind FROM policies('docs_history');
SELECT dtmodel.add_history('docs', exclude => '{secret}');
SELECT name, kind FROM policies('docs_history');
-- a column that goes with its policy
ALTER TABLE docs ADD COLUMN rank int;
CREATE POLICY ranked ON docs USING (rank > 5);
SELECT name FROM policies('docs_history');
ALTER TABLE docs DROP COLUMN rank CASCADE;
SELECT name FROM policies('docs_history');

-- operators stay those of the model's policy, also those that its text does not name
CREATE SCHEMA history_policies_types;
SET search_path = history_policies, history_policies_types;
CREATE TYPE history_policies_types.word AS ENUM ('a', 'A');
CREATE FUNCTION history_policies_types.is_same(word, word) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR history_policies_types.= (LEFTARG = word, RIGHTARG = word, FUNCTION = is_same);
CREATE TABLE words (id int PRIMARY KEY, word word);
SELECT dtmodel.add_timestamps('words');
ALTER TABLE words ENABLE ROW LEVEL SECURITY;
CREATE POLICY same ON words USING (NOT word IS DISTINCT FROM 'a');
SET search_path = history_policies;
SELECT dtmodel.add_history('words');
CREATE FUNCTION operators() RETURNS TABLE (t regclass, op regoperator) LANGUAGE sql AS $$
    SELECT polrelid, (regexp_match(polqual, '{DISTINCTEXPR :opno (\d+)'))[1]::oid FROM pg_policy
    WHERE polname = 'same' ORDER BY polrelid::regclass::text $$;
SELECT * FROM operators();
SELECT pg_describe_object(refclassid, refobjid, refobjsubid) AS needs, deptype FROM pg_depend
WHERE classid = 'pg_policy'::regclass
    AND objid = (SELECT oid FROM pg_policy WHERE polrelid = 'words_history'::regclass) ORDER BY 1, 2;
ALTER POLICY same ON words USING (NOT word IS DISTINCT FROM 'a');
SELECT * FROM operators();
-- and a copy that is right is not made again
SELECT oid AS copy FROM pg_policy WHERE polrelid = 'words_history'::regclass \gset
CREATE POLICY more ON words USING (EXISTS (SELECT FROM teams WHERE team = words.id));
CREATE POLICY yet_more ON words USING (id = 1);
SELECT polname, oid = :copy AS same FROM pg_policy WHERE polrelid = 'words_history'::regclass ORDER BY 1;
SELECT oid AS copy FROM pg_policy WHERE polrelid = 'words_history'::regclass AND polname = 'more' \gset
DROP POLICY yet_more ON words;
SELECT polname, oid = :copy AS same FROM pg_policy WHERE polrelid = 'words_history'::regclass ORDER BY 1;
-- one of the history that has another operator in the same text is taken for the copy, and made right by the next change
CREATE TABLE terms (id int PRIMARY KEY, word history_policies_types.word);
ALTER TABLE terms ENABLE ROW LEVEL SECURITY;
SELECT dtmodel.add_timestamps('terms'), dtmodel.add_history('terms');
SET search_path = history_policies, history_policies_types;
CREATE POLICY kept ON terms_history FOR SELECT USING (word IS DISTINCT FROM 'A');
SET search_path = history_policies;
CREATE POLICY kept ON terms USING (word IS DISTINCT FROM 'A');
SELECT name, qual FROM policies('terms_history');
ALTER POLICY kept ON terms USING (word IS DISTINCT FROM 'A');
SELECT name, qual FROM policies('terms_history');
SELECT count(*), count(DISTINCT (regexp_match(polqual, '{DISTINCTEXPR :opno (\d+)'))[1]) AS operators
FROM pg_policy WHERE polname = 'kept';
DROP SCHEMA history_policies_types CASCADE;

-- policies of the history's own stay as they are, also under a name that the model needs
CREATE POLICY mine ON docs_history USING (id = 2);
CREATE POLICY mine ON docs FOR SELECT USING (id = 1);
SELECT name, cmd, qual FROM policies('docs_history');
DROP POLICY mine ON docs_history;
ALTER POLICY mine ON docs USING (id = 3);
SELECT name, cmd, qual FROM policies('docs_history');
CREATE POLICY mine ON docs_history USING (id = 4);
SELECT name, cmd, qual FROM policies('docs_history');
DROP POLICY mine ON docs;
SELECT name, cmd, qual FROM policies('docs_history');
-- a copy cannot be changed, and comes back if it is dropped
ALTER POLICY "Own" ON docs_history USING (true);
\echo :SQLSTATE
ALTER POLICY "Own" ON docs_history RENAME TO other;
\echo :SQLSTATE
ALTER POLICY mine ON docs_history RENAME TO other;
DROP POLICY other ON docs_history;
DROP POLICY "Own" ON docs_history;
SELECT name FROM policies('docs_history');
SELECT dtmodel.add_history('docs', exclude => '{secret}');
SELECT name FROM policies('docs_history');
-- a role that may not change the model's policies cannot change those of its past
SET ROLE history_policies_ann;
\set VERBOSITY sqlstate
CREATE POLICY all_of_it ON docs USING (true);
CREATE POLICY "Own" ON docs_history USING (true);
DROP POLICY "Own" ON docs;
DROP POLICY IF EXISTS nosuch ON docs;
\set VERBOSITY default
RESET ROLE;
SELECT name FROM policies('docs_history');

-- without the dependency, as after a dump: what is like a policy of the model is its copy
DELETE FROM pg_depend WHERE classid = 'pg_policy'::regclass AND refclassid = 'pg_policy'::regclass;
CREATE POLICY more ON docs FOR SELECT TO history_policies_ann USING (id = 7);
SELECT name FROM policies('docs_history');
DELETE FROM pg_depend WHERE classid = 'pg_policy'::regclass AND refclassid = 'pg_policy'::regclass;
ALTER POLICY more ON docs USING (id = 8);
SELECT name, qual FROM policies('docs_history');
DELETE FROM pg_depend WHERE classid = 'pg_policy'::regclass AND refclassid = 'pg_policy'::regclass;
DROP POLICY more ON docs;
SELECT name FROM policies('docs_history');
ALTER TABLE docs ADD COLUMN rank int;
CREATE POLICY ranked ON docs USING (rank > 5);
DELETE FROM pg_depend WHERE classid = 'pg_policy'::regclass AND refclassid = 'pg_policy'::regclass;
ALTER TABLE docs DROP COLUMN rank CASCADE;
SELECT name FROM policies('docs_history');
-- a dump creates both
CREATE POLICY dumped ON docs FOR SELECT USING (id = 5);
CREATE POLICY dumped ON docs_history FOR SELECT USING (id = 5);
SELECT name FROM policies('docs_history');
DROP POLICY dumped ON docs;
SELECT name FROM policies('docs_history');

-- what runs as the owner is not restricted, even if row-level security is forced
ALTER TABLE docs FORCE ROW LEVEL SECURITY;
SELECT relforcerowsecurity FROM pg_class WHERE oid = 'docs_history'::regclass;
SET ROLE history_policies_owner;
SELECT count(*) FROM docs_history;
SELECT dtmodel.erase(NULL::docs, 1);
\echo :SQLSTATE
RESET ROLE;
SELECT dtmodel.erase(NULL::docs, 1);
SELECT id FROM docs_history;
CALL dtmodel.purge_history('docs', '0');
SELECT count(*) FROM docs_history;
-- when the model is dropped, no policy shows the past any more
UPDATE docs SET body = 'z';
SET ROLE history_policies_owner;
DROP TABLE docs;
RESET ROLE;
SELECT name FROM policies('docs_history');
SET ROLE history_policies_bob;
SELECT count(*) FROM docs_history;
RESET ROLE;

-- a policy that is for fewer roles, or for others, is so for the past too, even if the history did not follow it at once
CREATE TABLE narrow (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('narrow'), dtmodel.add_history('narrow');
ALTER TABLE narrow ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON narrow TO history_policies_ann, history_policies_bob USING (true);
SELECT name, roles FROM policies('narrow_history');
ALTER POLICY p ON narrow TO history_policies_ann;
SELECT name, roles FROM policies('narrow_history');
ALTER EVENT TRIGGER dtmodel_history_follow DISABLE;
ALTER POLICY p ON narrow TO history_policies_ann, history_policies_bob;
ALTER EVENT TRIGGER dtmodel_history_follow ENABLE ALWAYS;
SELECT problem FROM dtmodel.drift('narrow');
SELECT dtmodel.add_history('narrow');
SELECT name, roles FROM policies('narrow_history');
ALTER EVENT TRIGGER dtmodel_history_follow DISABLE;
ALTER POLICY p ON narrow TO history_policies_bob;
ALTER EVENT TRIGGER dtmodel_history_follow ENABLE ALWAYS;
SELECT problem FROM dtmodel.drift('narrow');
SELECT dtmodel.add_history('narrow');
SELECT name, roles FROM policies('narrow_history');

-- a column that has another type in the history, which did not follow its change
CREATE TABLE retyped (id int PRIMARY KEY, v int);
SELECT dtmodel.add_timestamps('retyped'), dtmodel.add_history('retyped');
ALTER EVENT TRIGGER dtmodel_history_follow DISABLE;
ALTER TABLE retyped ALTER v TYPE bigint;
ALTER EVENT TRIGGER dtmodel_history_follow ENABLE ALWAYS;
SET client_min_messages = notice;
CREATE POLICY positive ON retyped USING (v > 0);
SET client_min_messages = warning;
SELECT name, qual FROM policies('retyped_history');

-- a partitioned model, and tables that inherit
CREATE TABLE parted (id int, owner name, PRIMARY KEY (id)) PARTITION BY LIST (id);
CREATE TABLE parted_1 PARTITION OF parted DEFAULT;
SELECT dtmodel.add_timestamps('parted'), dtmodel.add_history('parted');
ALTER TABLE parted ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON parted USING (owner = current_user);
CREATE POLICY part ON parted_1 USING (true);
SELECT name, qual FROM policies('parted_history');
CREATE TABLE base (id int PRIMARY KEY, owner name);
CREATE TABLE child (extra text, PRIMARY KEY (id)) INHERITS (base);
SELECT dtmodel.add_timestamps('base'), dtmodel.add_history('base');
CREATE POLICY own ON base USING (owner = current_user);
CREATE POLICY extra ON child USING (extra = 'x');
SELECT name, qual FROM policies('base_history');
SELECT name, qual FROM policies('child_history');
-- without a history, or with one that was removed, policies are not changed
SELECT dtmodel.remove_history('base');
DROP POLICY own ON base;
CREATE POLICY other ON base USING (true);
SELECT name, qual FROM policies('base_history');
CREATE POLICY own ON base_history USING (true);
ALTER POLICY own ON base_history USING (id = 1);
SELECT name, qual FROM policies('base_history');

-- a role that drops a policy with a function need not own the table
CREATE ROLE history_policies_carl;
GRANT USAGE, CREATE ON SCHEMA history_policies TO history_policies_carl;
CREATE TABLE shielded (id int PRIMARY KEY);
ALTER TABLE shielded ENABLE ROW LEVEL SECURITY;
SELECT dtmodel.add_timestamps('shielded'), dtmodel.add_history('shielded');
SET ROLE history_policies_carl;
CREATE FUNCTION passes() RETURNS boolean LANGUAGE sql AS 'SELECT true';
RESET ROLE;
CREATE POLICY by_function ON shielded USING (passes());
CREATE POLICY by_key ON shielded USING (id > 1);
SET ROLE history_policies_carl;
DROP FUNCTION passes() CASCADE;
RESET ROLE;
SELECT polrelid::regclass, polname FROM pg_policy WHERE polrelid IN ('shielded'::regclass, 'shielded_history'::regclass) ORDER BY 1, 2;
SELECT problem, repair, advice FROM dtmodel.drift('shielded');
DROP OWNED BY history_policies_carl;
DROP ROLE history_policies_carl;

-- a policy without a condition, and one of the history that has one, for the same roles
CREATE TABLE bare (id int PRIMARY KEY);
ALTER TABLE bare ENABLE ROW LEVEL SECURITY;
SELECT dtmodel.add_timestamps('bare'), dtmodel.add_history('bare');
CREATE POLICY own ON bare_history FOR SELECT USING (id = 1);
CREATE POLICY nothing ON bare FOR SELECT;
SELECT name, qual FROM policies('bare_history');
-- of two that are like the one of the model, the first is its copy; one that is the copy of another is not
CREATE TABLE alike (id int PRIMARY KEY);
ALTER TABLE alike ENABLE ROW LEVEL SECURITY;
SELECT dtmodel.add_timestamps('alike'), dtmodel.add_history('alike');
CREATE POLICY first ON alike_history FOR SELECT USING (id > 1);
CREATE POLICY second ON alike_history FOR SELECT USING (id > 1);
CREATE POLICY p ON alike USING (id > 1);
SELECT name, qual FROM policies('alike_history');
CREATE POLICY o ON alike USING (id > 1);
SELECT name, qual FROM policies('alike_history');
DROP POLICY p ON alike;
SELECT name, qual FROM policies('alike_history');
-- one without a condition is not like one that has one
CREATE POLICY blank ON alike_history FOR SELECT;
CREATE POLICY n ON alike USING (id > 2);
SELECT name, qual FROM policies('alike_history');

\set VERBOSITY terse
SET client_min_messages = error;
DROP SCHEMA history_policies CASCADE;
DROP ROLE history_policies_ann, history_policies_bob, history_policies_owner;
