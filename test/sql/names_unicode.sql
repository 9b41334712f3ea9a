--
-- names beyond ASCII: upper and lower case by Unicode, in any locale
--
SELECT getdatabaseencoding() <> 'UTF8' OR
       NOT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA names_unicode;
SET search_path = names_unicode;

SELECT c AS class, dtmodel.table_name(c)
FROM unnest(ARRAY['Über', 'Größe', 'ÉtatCivil', 'meinÜberblick', 'ÄÖÜServer', 'Город', 'НовыйГород', 'ǄungLa', '顧客', '顧客User']) AS c;
CREATE TABLE größen ();
CREATE TABLE "顧客" ();
CREATE TABLE übers ();
CREATE TABLE état_civils ();
SELECT dtmodel.class_name('größen'), dtmodel.class_name('"顧客"'), dtmodel.class_name('übers'), dtmodel.class_name('état_civils');

-- 63 bytes of two-byte letters: constraint names are truncated between letters
SELECT repeat('ä', 31) AS long \gset
CREATE TABLE :"long" (name text);
SELECT dtmodel.add_model(quote_ident(:'long')::regclass);
SELECT dtmodel.add_soft_delete(quote_ident(:'long')::regclass);
SELECT conname, octet_length(conname::text) FROM pg_constraint
WHERE conrelid = quote_ident(:'long')::regclass AND contype IN ('p', 'c') ORDER BY conname;
INSERT INTO :"long" (name) VALUES ('x');
DELETE FROM :"long";
SELECT name, is_deleted FROM :"long";

-- a letter in title case
SELECT dtmodel.table_name(U&'a\01C5ungla'), dtmodel.table_name(U&'HTTP\01C5');

DROP SCHEMA names_unicode CASCADE;
