--
-- Rows of a view of live rows are instances of the table
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA view_rows;
SET search_path = view_rows;

CREATE TABLE people (gone int, name text, id int PRIMARY KEY, LIKE dtmodel.configurable_mixin INCLUDING ALL, city text DEFAULT 'Bern');
SELECT dtmodel.add_soft_delete('people'), dtmodel.add_settings('people', schema => '{"theme": {"type": "string", "default": "light"}, "size": {"type": "number"}}');
ALTER TABLE people DROP gone;
SELECT dtmodel.create_live_view('people');
INSERT INTO people (name, id, settings) VALUES ('Ann', 1, '{"size": 3}'), ('Bob', 2, NULL), ('Cid', 3, NULL);
-- in the view, the columns have other numbers; later also other names
SELECT dtmodel.to_dict(v, excludes => '{deleted_at,is_deleted}'), dtmodel.settings(v), dtmodel.repr(v), dtmodel.str(v) FROM live_people AS v ORDER BY id;
SELECT dtmodel.to_dict(v, includes => '{id,theme}') AS some, dtmodel.to_dict(v, includes => '{settings}') AS settings, dtmodel.to_dict(v, excludes => '{settings}') ->> 'theme' AS none FROM live_people AS v WHERE id = 1;
SELECT pg_typeof(u), u.* FROM live_people AS v, dtmodel.update(v, '{"name": "Anna", "theme": "dark"}') AS u WHERE v.id = 1;
SELECT name, settings FROM people WHERE id = 1;
SELECT (dtmodel.update(v, '{}')).name FROM live_people AS v WHERE id = 2;
-- settings that are no longer valid
SELECT dtmodel.add_settings('people', schema => '{"size": {"type": "number", "maximum": 2}}');
SELECT v.id, dtmodel.invalid_settings(v) FROM live_people AS v ORDER BY id;
SELECT dtmodel.add_settings('people', schema => '{"theme": {"type": "string", "default": "light"}, "size": {"type": "number"}}');
SELECT pg_typeof(d), d.id, d.name, d.is_deleted, d.deleted_at = now() AS now FROM live_people AS v, dtmodel.soft_delete(v) AS d WHERE v.id = 1;
SELECT d.id, d.is_deleted FROM live_people AS v, dtmodel.delete(v) AS d WHERE v.id = 2;
SELECT id FROM live_people;
-- a row that was read before and is then deleted
DO $$
DECLARE
    v view_rows.live_people;
BEGIN
    SELECT * INTO v FROM view_rows.live_people WHERE id = 3;
    v := dtmodel.delete(v);
    RAISE WARNING 'deleted: %', v.is_deleted;
    v := dtmodel.restore(v);
    RAISE WARNING 'deleted: %', v.is_deleted;
    v := dtmodel.delete(v, soft => false);
    RAISE WARNING 'for good: %', v;
    RAISE WARNING 'gone: %, %', dtmodel.update(v, '{"name": "x"}') IS NULL, dtmodel.restore(v) IS NULL;
END $$;
SELECT id, name FROM people ORDER BY id;

-- what changed
UPDATE people SET is_deleted = false;
SELECT dtmodel.get_modified_keys(v, dtmodel.update(v, '{"city": "Rom", "theme": "blue"}')) AS keys,
       dtmodel.get_changes(v, dtmodel.update(v, '{"city": "Ulm", "theme": "red"}')) AS changes FROM live_people AS v WHERE id = 1;

-- renamed columns keep their names in the view until it is created again
ALTER TABLE people RENAME id TO number;
ALTER TABLE people RENAME settings TO choices;
SELECT dtmodel.add_settings('people', schema => '{"theme": {"type": "string", "default": "light"}, "size": {"type": "number"}}', settings => 'choices');
SELECT dtmodel.to_dict(v, includes => '{id,settings}') AS dict, dtmodel.settings(v) AS settings, dtmodel.repr(v) AS repr FROM live_people AS v WHERE id = 1;
SELECT u.id, u.city FROM live_people AS v, dtmodel.update(v, '{"city": "Rom", "size": 4}') AS u WHERE v.id = 1;
SELECT dtmodel.create_live_view('people');
SELECT dtmodel.to_dict(v, includes => '{number,choices}') AS dict, dtmodel.settings(v) AS settings, dtmodel.repr(v) AS repr FROM live_people AS v WHERE number = 1;
-- a column that the view does not have yet
ALTER TABLE people ADD born date DEFAULT '2000-01-01';
SELECT u.number, u.city FROM live_people AS v, dtmodel.update(v, '{"born": "1999-09-09"}') AS u WHERE v.number = 1;
SELECT born FROM people WHERE number = 1;
-- settings that are no longer valid
SELECT dtmodel.add_settings('people', schema => '{"theme": {"enum": ["light"]}}', settings => 'choices');
SELECT v.number, v.choices, dtmodel.invalid_settings(v) FROM live_people AS v ORDER BY number;
UPDATE live_people AS v SET choices = choices - dtmodel.invalid_settings(v) WHERE number = 1 RETURNING choices;
-- a key with two columns
CREATE TABLE pairs (b text, v int, a int, PRIMARY KEY (a, b));
SELECT dtmodel.add_soft_delete('pairs'), dtmodel.create_live_view('pairs', 'live pairs');
INSERT INTO pairs VALUES ('x', 1, 7);
SELECT dtmodel.repr(p), (dtmodel.update(p, '{"v": 5}')).v FROM "live pairs" AS p;

-- only views of create_live_view, unchanged
CREATE VIEW other AS SELECT * FROM people;
SELECT dtmodel.repr(o) FROM other AS o;
\echo :SQLSTATE
SELECT dtmodel.update(o, '{}') FROM other AS o;
\echo :SQLSTATE
SELECT dtmodel.get_by_id(NULL::live_people, 1);
\echo :SQLSTATE
CREATE OR REPLACE VIEW live_people AS SELECT name, number, choices, city, is_deleted, deleted_at, upper(name) AS loud FROM people WHERE NOT is_deleted;
SELECT dtmodel.repr(v), dtmodel.to_dict(v, includes => '{loud,theme}') FROM live_people AS v WHERE number = 1;
SELECT dtmodel.update(v, '{"name": "x"}') FROM live_people AS v WHERE number = 1;
\echo :SQLSTATE
SELECT name FROM people WHERE number = 1;
CREATE VIEW keyless AS SELECT name FROM people;
CREATE TRIGGER delete INSTEAD OF DELETE ON keyless FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_view_trigger();
SELECT dtmodel.delete(k) FROM keyless AS k;
\echo :SQLSTATE
CREATE VIEW joined AS SELECT p.name, p.number FROM people AS p JOIN people AS q USING (number);
CREATE TRIGGER delete INSTEAD OF DELETE ON joined FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_view_trigger();
SELECT dtmodel.repr(j) FROM joined AS j;
\echo :SQLSTATE

-- with the caller's privileges on the table only
CREATE ROLE view_rows_user;
GRANT USAGE ON SCHEMA dtmodel TO view_rows_user;
GRANT ALL ON SCHEMA view_rows TO view_rows_user;
GRANT SELECT ON people, pairs TO view_rows_user;
SET ROLE view_rows_user;
-- a view of the user, with our trigger
CREATE VIEW mine AS SELECT * FROM pairs;
CREATE TRIGGER delete INSTEAD OF DELETE ON mine FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_view_trigger();
SELECT dtmodel.repr(m) FROM mine AS m;
SELECT dtmodel.update(m, '{"v": 6}') FROM mine AS m;
\echo :SQLSTATE
SELECT dtmodel.soft_delete(m) FROM mine AS m;
\echo :SQLSTATE
SELECT dtmodel.delete(m, soft => false) FROM mine AS m;
\echo :SQLSTATE
RESET ROLE;
SELECT * FROM pairs;

DROP SCHEMA view_rows CASCADE;
REVOKE USAGE ON SCHEMA dtmodel FROM view_rows_user;
DROP ROLE view_rows_user;
