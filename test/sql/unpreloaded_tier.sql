--
-- the tier of a session, if the library is not preloaded
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA unpreloaded_tier;
SET search_path = unpreloaded_tier;

SELECT dtmodel.tier();
-- setting it to on has no effect, and a warning says so
SHOW dtmodel.rewrite;
SET dtmodel.rewrite = on;
SHOW dtmodel.rewrite;
SELECT dtmodel.tier(), setting, boot_val FROM pg_settings WHERE name = 'dtmodel.rewrite';

-- so does hide; the statement in the hint keeps other preloaded libraries
CREATE TABLE posts (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('posts', hide => true);
SET client_min_messages = notice;
SELECT dtmodel.add_soft_delete('posts', hide => true);
SET session_preload_libraries = 'auto_explain', 'dtmodel', 'pg_stat_statements';
SELECT dtmodel.add_soft_delete('posts', hide => true);
RESET session_preload_libraries;
INSERT INTO posts VALUES (1);
DELETE FROM posts RETURNING id;
SELECT count(*) FROM posts;

-- the names by which a session can preload it; a package that is tested before
-- it is installed is not in $libdir, but found by dynamic_library_path
CREATE FUNCTION can_load(file text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('LOAD %L', file);
    RETURN true;
EXCEPTION WHEN undefined_file THEN
    RETURN false;
END $$;
SELECT CASE WHEN can_load('$libdir/dtmodel') THEN '$libdir/' ELSE '' END || 'dtmodel' AS library \gset
\c -reuse-previous=on "options=-csession_preload_libraries=dtmodel.so"
SELECT dtmodel.tier();
\set options 'options=-csession_preload_libraries=' :library
\c -reuse-previous=on :options
SELECT current_setting('session_preload_libraries') = :'library' AS is_set, dtmodel.tier();
-- beside another library
\c -reuse-previous=on "options=-csession_preload_libraries=plpgsql,dtmodel"
SELECT dtmodel.tier();
\c -reuse-previous=on "options="
SELECT dtmodel.tier();

SET client_min_messages = warning;
DROP SCHEMA unpreloaded_tier CASCADE;
