--
-- Errors show values only to users with SELECT on them, and have the name of the constraint
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA shown_keys;
SET search_path = shown_keys;
CREATE ROLE shown_keys_user;
GRANT USAGE ON SCHEMA dtmodel, shown_keys TO shown_keys_user;

-- the fields of an error that a client sees, with the role that it connects as
CREATE FUNCTION fails(statement text) RETURNS TABLE (code text, schema_name text, table_name text, column_name text, constraint_name text, detail text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, schema_name = SCHEMA_NAME, table_name = TABLE_NAME, column_name = COLUMN_NAME,
                            constraint_name = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL;
    RETURN NEXT;
END $$;
GRANT EXECUTE ON FUNCTION fails TO shown_keys_user;

CREATE TABLE owners (id int, region text, name text, PRIMARY KEY (id, region));
CREATE TABLE pets (id int PRIMARY KEY, owner int, region text, tag text,
    CONSTRAINT pets_owner FOREIGN KEY (owner, region) REFERENCES owners ON DELETE RESTRICT);
CREATE TABLE collars (id int PRIMARY KEY, pet int, code text, CONSTRAINT collars_pet FOREIGN KEY (pet) REFERENCES pets ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('owners'), dtmodel.add_soft_delete('pets'), dtmodel.add_soft_delete('collars');
SELECT dtmodel.unique_live('collars', 'code'), dtmodel.unique_live('pets', 'tag');
SELECT dtmodel.add_settings('pets', schema => '{"food": {"type": "string"}}');
INSERT INTO owners VALUES (7, 'north', 'o'), (8, 'south', 'p');
INSERT INTO pets VALUES (1, 7, 'north', 'x');

-- ON DELETE RESTRICT: all columns of the key, or none
SELECT * FROM fails('DELETE FROM owners WHERE id = 7');
GRANT DELETE ON owners TO shown_keys_user;
GRANT SELECT (id) ON owners TO shown_keys_user;
SET ROLE shown_keys_user;
SELECT * FROM fails('DELETE FROM shown_keys.owners');
RESET ROLE;
GRANT SELECT (region) ON owners TO shown_keys_user;
SET ROLE shown_keys_user;
SELECT * FROM fails('DELETE FROM shown_keys.owners');
RESET ROLE;
REVOKE SELECT (id, region) ON owners FROM shown_keys_user;
GRANT SELECT ON owners TO shown_keys_user;
SET ROLE shown_keys_user;
SELECT * FROM fails('DELETE FROM shown_keys.owners');
RESET ROLE;
ALTER TABLE owners ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON owners USING (true);
SET ROLE shown_keys_user;
SELECT * FROM fails('DELETE FROM shown_keys.owners');
RESET ROLE;
ALTER TABLE owners DISABLE ROW LEVEL SECURITY;

-- the owner of a function can read, but not its caller; long values are truncated
REVOKE SELECT ON owners FROM shown_keys_user;
INSERT INTO owners VALUES (9, repeat('long ', 100));
INSERT INTO pets VALUES (9, 9, repeat('long ', 100));
CREATE FUNCTION as_owner() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = shown_keys AS $$ SELECT detail FROM fails('DELETE FROM owners WHERE id = 9') $$;
SELECT as_owner();
SET ROLE shown_keys_user;
SELECT as_owner();
RESET ROLE;
DELETE FROM pets WHERE id = 9;
DELETE FROM owners WHERE id = 9;

-- a restore under a deleted parent
DELETE FROM pets;
DELETE FROM owners WHERE id = 7;
SELECT * FROM fails('SELECT dtmodel.restore(NULL::pets, 1)');
GRANT UPDATE ON pets TO shown_keys_user;
GRANT SELECT (id, is_deleted, deleted_at) ON pets TO shown_keys_user;
SET ROLE shown_keys_user;
SELECT * FROM fails('UPDATE shown_keys.pets SET is_deleted = false WHERE id = 1');
RESET ROLE;

-- a live child of a deleted parent
SELECT dtmodel.require_live_parent('pets', 'owner', 'region');
GRANT INSERT ON pets TO shown_keys_user;
SELECT * FROM fails('INSERT INTO pets VALUES (2, 7, ''north'')');
SET ROLE shown_keys_user;
SELECT * FROM fails('INSERT INTO shown_keys.pets VALUES (2, 7, ''north'')');
RESET ROLE;
SELECT dtmodel.remove_live_parent('pets', 'owner', 'region');
INSERT INTO pets VALUES (2, 7, 'north');
SELECT * FROM fails($$SELECT dtmodel.require_live_parent('pets', 'owner', 'region')$$);
DELETE FROM pets WHERE id = 2;

-- errors of writes as the table's owner: a restore of a child that conflicts with a live row
SELECT (dtmodel.restore(NULL::owners, '{"id": 7, "region": "north"}')).id AS owner, (dtmodel.restore(NULL::pets, 1)).id AS pet;
INSERT INTO collars VALUES (1, 1, 'secret code');
DELETE FROM pets WHERE id = 1;
INSERT INTO collars VALUES (2, NULL, 'secret code');
GRANT SELECT ON pets TO shown_keys_user;
SELECT * FROM fails('SELECT dtmodel.restore(NULL::pets, 1)');
SET ROLE shown_keys_user;
SELECT * FROM fails('SELECT dtmodel.restore(NULL::shown_keys.pets, 1)');
RESET ROLE;
GRANT SELECT ON collars TO shown_keys_user;
SET ROLE shown_keys_user;
SELECT * FROM fails('SELECT dtmodel.restore(NULL::shown_keys.pets, 1)');
RESET ROLE;
REVOKE SELECT ON collars FROM shown_keys_user;
-- the same for a CHECK, which shows the whole row
DELETE FROM collars WHERE id = 2;
ALTER TABLE collars ADD CONSTRAINT never_again CHECK (id <> 1) NOT VALID;
SET ROLE shown_keys_user;
SELECT * FROM fails('SELECT dtmodel.restore(NULL::shown_keys.pets, 1)');
RESET ROLE;
ALTER TABLE collars DROP CONSTRAINT never_again;
SELECT (dtmodel.restore(NULL::pets, 1)).id AS restored;
ALTER TABLE collars ADD CONSTRAINT never_deleted CHECK (NOT is_deleted) NOT VALID;
GRANT DELETE ON pets TO shown_keys_user;
SET ROLE shown_keys_user;
SELECT * FROM fails('DELETE FROM shown_keys.pets WHERE id = 1');
RESET ROLE;
-- nor in a function whose owner can read them
CREATE FUNCTION delete_pet() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = shown_keys AS $$ SELECT detail FROM fails('DELETE FROM pets WHERE id = 1') $$;
SELECT delete_pet() ~ 'secret code' AS shown;
SET ROLE shown_keys_user;
SELECT shown_keys.delete_pet();
RESET ROLE;
ALTER TABLE collars DROP CONSTRAINT never_deleted;

-- a conflict with a deleted row
CREATE TABLE notes (id int PRIMARY KEY, name text, CONSTRAINT notes_name UNIQUE (name));
SELECT dtmodel.add_soft_delete('notes');
INSERT INTO notes VALUES (1, 'n');
DELETE FROM notes;
SELECT * FROM fails($$SELECT dtmodel.get_or_create(NULL::notes, '{"name": "n"}', '{"id": 5}')$$);
SELECT * FROM fails($$SELECT dtmodel.get_or_create(NULL::notes, '{"name": "n"}', on_deleted => 'error')$$);
SELECT * FROM fails($$SELECT dtmodel.upsert(NULL::notes, '{"id": 1, "name": "n"}')$$);
SELECT * FROM fails($$SELECT dtmodel.upsert(NULL::notes, '{"id": 2, "name": "n"}', '{name}', on_deleted => 'error')$$);
GRANT ALL ON notes TO shown_keys_user;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON notes USING (true);
SET ROLE shown_keys_user;
SELECT * FROM fails($$SELECT dtmodel.upsert(NULL::shown_keys.notes, '{"id": 2, "name": "n"}', '{name}', on_deleted => 'error')$$);
RESET ROLE;
ALTER TABLE notes DROP CONSTRAINT notes_name;
SELECT dtmodel.unique_live('notes', 'name');
SELECT * FROM fails($$SELECT dtmodel.get_or_create(NULL::notes, '{"name": "n"}', on_deleted => 'error')$$);
SELECT * FROM fails($$SELECT dtmodel.upsert(NULL::notes, '{"id": 2, "name": "n"}', '{name}', on_deleted => 'error')$$);
INSERT INTO notes VALUES (3, 'n');
SELECT * FROM fails($$SELECT dtmodel.restore(NULL::notes, 1)$$);

-- flag and time that are not consistent
SELECT * FROM fails($$UPDATE notes SET is_deleted = false, deleted_at = '2020-01-01' WHERE id = 1$$);
ALTER TABLE notes DROP CONSTRAINT ck_notes_soft_delete;
SELECT * FROM fails($$UPDATE notes SET is_deleted = false, deleted_at = '2020-01-01' WHERE id = 1$$);

-- settings: the CHECK, or else the trigger, and the column
SELECT * FROM fails($$UPDATE pets SET settings = '{"food": ["secret"]}'$$);
SELECT * FROM fails($$UPDATE pets SET settings = '["secret"]'$$);
REVOKE SELECT ON pets FROM shown_keys_user;
SET ROLE shown_keys_user;
SELECT * FROM fails($$UPDATE shown_keys.pets SET settings = '{"food": ["secret"]}'$$);
SELECT * FROM fails($$UPDATE shown_keys.pets SET settings = '["secret"]'$$);
-- the name of an unknown setting is a value too
UPDATE pets SET settings = '{"secret": 1}';
RESET ROLE;
UPDATE pets SET settings = '{"secret": 1}';
ALTER TABLE pets DROP CONSTRAINT ck_pets_settings;
SELECT * FROM fails($$UPDATE pets SET settings = '["secret"]'$$);
CREATE TABLE copied (id int PRIMARY KEY, LIKE dtmodel.configurable_mixin INCLUDING ALL);
SELECT dtmodel.add_settings('copied', '{food}');
SELECT * FROM fails($$INSERT INTO copied VALUES (1, '[]')$$);

DROP SCHEMA shown_keys CASCADE;
REVOKE USAGE ON SCHEMA dtmodel FROM shown_keys_user;
DROP ROLE shown_keys_user;
