--
-- identifiers: errors
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;

SELECT dtmodel.uuidv7('-100 years');
\echo :SQLSTATE
SELECT dtmodel.uuidv7('300 years');
\echo :SQLSTATE
SELECT dtmodel.uuidv7('300000 years');
\echo :SQLSTATE
SELECT dtmodel.uuidv7('tomorrow');
\echo :SQLSTATE
SELECT dtmodel.uuidv5('no uuid', 'name');
\echo :SQLSTATE
SELECT dtmodel.uuid_timestamp('no uuid');
\echo :SQLSTATE
