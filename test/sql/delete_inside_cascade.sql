--
-- a DELETE by a user's trigger during a cascade: soft, whether the cascade is
-- soft or physical, and in whichever table the row's own parent is
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA delete_inside_cascade;
SET search_path = delete_inside_cascade;

CREATE TABLE shelves (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE shelves_1 PARTITION OF shelves FOR VALUES FROM (0) TO (100);
CREATE TABLE docs (id int PRIMARY KEY, shelf int REFERENCES shelves ON DELETE CASCADE);
CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE notes (id int PRIMARY KEY, owner int REFERENCES owners ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete(t::regclass) FROM unnest('{shelves,docs,owners,notes}'::text[]) AS t \g /dev/null
CREATE FUNCTION delete_doc() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM delete_inside_cascade.docs WHERE id = NEW.id; RETURN NEW; END $$;
CREATE TRIGGER delete_doc BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION delete_doc();

INSERT INTO shelves VALUES (1);
INSERT INTO docs VALUES (1, 1), (2, 1), (3, 1), (4, 1);
INSERT INTO owners VALUES (1), (2), (3);
INSERT INTO notes VALUES (1, 1), (2, 2), (3, 3);

-- a soft cascade
DELETE FROM owners WHERE id = 1;
SELECT id, is_deleted FROM docs ORDER BY id;
SELECT count(DISTINCT deleted_at) FROM
    (SELECT deleted_at FROM owners UNION SELECT deleted_at FROM notes UNION SELECT deleted_at FROM docs) AS d WHERE deleted_at IS NOT NULL;

-- a change of the parent's key, along ON UPDATE CASCADE
ALTER TABLE notes DROP CONSTRAINT notes_owner_fkey, ADD FOREIGN KEY (owner) REFERENCES owners ON DELETE CASCADE ON UPDATE CASCADE;
UPDATE owners SET id = 20 WHERE id = 2;
SELECT id, is_deleted FROM docs ORDER BY id;

-- a physical cascade from a table without soft delete
CREATE TABLE accounts (id int PRIMARY KEY);
CREATE TABLE entries (id int PRIMARY KEY, account int REFERENCES accounts ON DELETE CASCADE);
CREATE FUNCTION delete_doc_too() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM delete_inside_cascade.docs WHERE id = OLD.id; RETURN OLD; END $$;
CREATE TRIGGER delete_doc BEFORE DELETE ON entries FOR EACH ROW EXECUTE FUNCTION delete_doc_too();
INSERT INTO accounts VALUES (1);
INSERT INTO entries VALUES (3, 1);
DELETE FROM accounts;
SELECT count(*) AS entries FROM entries;
SELECT id, is_deleted FROM docs ORDER BY id;

-- if the row's own parent is deleted physically, the row is too
CREATE TABLE cards (id int PRIMARY KEY, account int REFERENCES accounts ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('cards') \g /dev/null
CREATE TRIGGER delete_doc BEFORE DELETE ON cards FOR EACH ROW EXECUTE FUNCTION delete_doc_too();
INSERT INTO accounts VALUES (2);
INSERT INTO cards VALUES (4, 2);
DELETE FROM accounts;
SELECT count(*) AS cards FROM cards;
SELECT id, is_deleted FROM docs ORDER BY id;

DROP SCHEMA delete_inside_cascade CASCADE;
