--
-- a database whose encoding is LATIN1: the same identifiers and slugs, and names with its letters
--
SELECT NOT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') AS skip \gset
\if :skip
\quit
\endif
CREATE DATABASE dtmodel_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
SELECT current_database() AS here \gset
\set utf8 :ENCODING
\c dtmodel_latin1
\encoding UTF8
SET client_min_messages = warning;
CREATE EXTENSION dtmodel;
RESET client_min_messages;

-- RFC 9562 has the name in UTF-8: e1aa1205-d4e2-5710-a677-5c65f6628640 in every encoding
SELECT dtmodel.uuidv5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'Größe');
SELECT dtmodel.slugify('Größe Übung'), dtmodel.slugify('Ärger, Çedille', '_'), dtmodel.slugify('été', max_length => 2);

CREATE TABLE "Übungen" (id int PRIMARY KEY, "größe" text, titel text);
SELECT dtmodel.add_slug('"Übungen"', 'titel');
SELECT dtmodel.add_settings('"Übungen"', '{"farbe ä"}');
SELECT dtmodel.add_soft_delete('"Übungen"');
INSERT INTO "Übungen" VALUES (1, 'groß', 'Größe'), (2, 'groß', 'Größe');
SELECT id, slug FROM "Übungen" ORDER BY id;
SELECT dtmodel.to_dict(u) FROM dtmodel.update(NULL::"Übungen", 1, '{"größe": "Maß", "farbe ä": "grün"}') AS u;
SELECT dtmodel.update(NULL::"Übungen", 1, '{"größer": "Maß"}', strict => true);
SELECT dtmodel.repr(u), dtmodel.class_name('"Übungen"') FROM "Übungen" AS u WHERE id = 1;
SELECT dtmodel.jsonb_diff('{"ä": "ö"}', '{"ä": "ß"}');
SELECT dtmodel.jsonb_patch('{"ä": "ö"}', '[{"op": "replace", "path": "/ä", "value": "ÿ"}]');
SELECT dtmodel.jsonb_deep_merge('{"ä": {"ö": 1}}', '{"ä": {"ü": 2}}');
SELECT dtmodel.describe('"Übungen"') -> 'settings' AS settings;

\c :here
\encoding :utf8
DROP DATABASE dtmodel_latin1;
