--
-- a trigger that moves deleted rows to an archive partition, inside a
-- cascade and inside a restore
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA move_in_cascade;
SET search_path = move_in_cascade;

CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE boxes (
    id int,
    archived boolean NOT NULL DEFAULT false,
    owner_id int REFERENCES owners ON DELETE CASCADE,
    PRIMARY KEY (id, archived)
) PARTITION BY LIST (archived);
CREATE TABLE boxes_live PARTITION OF boxes FOR VALUES IN (false);
CREATE TABLE boxes_archive PARTITION OF boxes FOR VALUES IN (true);
CREATE TABLE things (id int PRIMARY KEY, box_id int, archived boolean NOT NULL DEFAULT false);
SELECT current_setting('server_version_num')::int >= 150000 AS moves_keys \gset
\if :moves_keys
ALTER TABLE things ADD FOREIGN KEY (box_id, archived) REFERENCES boxes ON DELETE CASCADE ON UPDATE CASCADE;
\endif
SELECT dtmodel.add_soft_delete('owners'), dtmodel.add_soft_delete('boxes'), dtmodel.add_soft_delete('things');
CREATE FUNCTION archive() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.archived := NEW.is_deleted;
    RETURN NEW;
END $$;
CREATE TRIGGER archive BEFORE UPDATE ON boxes FOR EACH ROW EXECUTE FUNCTION archive();
INSERT INTO owners VALUES (1), (2);
INSERT INTO boxes (id, owner_id) VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO things (id, box_id) VALUES (1, 1), (2, 2), (3, 3);

-- rows below the moved rows are deleted with them, and restored with them
DELETE FROM owners WHERE id = 1;
\if :moves_keys
\else
UPDATE things SET archived = true, is_deleted = true WHERE box_id < 3;
\endif
SELECT tableoid::regclass, id, is_deleted FROM boxes ORDER BY id;
SELECT id, archived, is_deleted FROM things ORDER BY id;
UPDATE owners SET is_deleted = false WHERE id = 1;
\if :moves_keys
\else
UPDATE things SET archived = false, is_deleted = false WHERE box_id < 3;
\endif
SELECT tableoid::regclass, id, is_deleted FROM boxes ORDER BY id;
SELECT id, archived, is_deleted FROM things ORDER BY id;

-- a row whose deletion by a move was rolled back inside the cascade, and that is
-- then moved without being deleted
CREATE TABLE labels (id int PRIMARY KEY, owner_id int REFERENCES owners ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('labels');
DROP TRIGGER archive ON boxes;
INSERT INTO owners VALUES (3);
INSERT INTO labels VALUES (1, 3);
INSERT INTO boxes (id) VALUES (11), (12);
INSERT INTO things (id, box_id) VALUES (11, 11), (12, 12);
CREATE FUNCTION move_boxes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE boxes SET archived = true, is_deleted = true WHERE id = 11;
    BEGIN
        UPDATE boxes SET archived = true, is_deleted = true WHERE id = 12;
        RAISE 'undone';
    EXCEPTION WHEN raise_exception THEN
    END;
    UPDATE boxes SET archived = true WHERE id = 12;
    RETURN NEW;
END $$;
CREATE TRIGGER move_boxes BEFORE UPDATE ON labels FOR EACH ROW EXECUTE FUNCTION move_boxes();
DELETE FROM owners WHERE id = 3;
SELECT tableoid::regclass, id, is_deleted FROM boxes WHERE id > 10 ORDER BY id;
SELECT id, is_deleted FROM things WHERE id = 12;

DROP SCHEMA move_in_cascade CASCADE;
