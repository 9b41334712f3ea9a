--
-- dtmodel.as_of where the library is not preloaded: setting it is refused
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
LOAD 'dtmodel';
SET dtmodel.as_of = '2026-01-01';
\echo :SQLSTATE
SELECT set_config('dtmodel.as_of', '2026-01-01', false);
\echo :SQLSTATE
SHOW dtmodel.as_of;
SET dtmodel.as_of = '';
RESET dtmodel.as_of;

-- what was set before the library was loaded has no effect, with a warning
\c -
SET dtmodel.as_of = '2026-01-01';
LOAD 'dtmodel';
SHOW dtmodel.as_of;
