--
-- the functions on jsonb, with characters beyond ASCII
--
SELECT pg_catalog.getdatabaseencoding() <> 'UTF8' AS skip_test \gset
\if :skip_test
\quit
\endif
SET client_encoding = 'UTF8';
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
SET search_path = '';

-- paths keep the characters of the keys; keys are ordered by their bytes
-- (the width of the column depends on psql's version)
\pset format unaligned
SELECT dtmodel.get_difference_between_dictionaries(
    '{"größe": {"高": 1}, "😀": "é", "é": 1, "zz": 1}', '{"größe": {"高": 2}, "😀": "è"}', 'größen');
\pset format aligned

-- an escape is equal to its character
SELECT dtmodel.get_difference_between_dictionaries('{"a\tb": "\u00e9"}', '{"a\u0009b": "é"}');

-- composed and decomposed characters differ, as everywhere in jsonb
SELECT dtmodel.get_difference_between_dictionaries('{"\u00e9": 1}', '{"e\u0301": 1}') = ARRAY['é', E'e\u0301'] AS both;
