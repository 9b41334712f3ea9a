--
-- names of classes and their tables
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA names;
SET search_path = names;

SELECT c AS class, dtmodel.table_name(c) FROM unnest(ARRAY[
    'User', 'UserProfile', 'BlogPost', 'HTTPServer', 'OAuth2Token', 'A', 'ABC', 'userProfile', 'user_profile',
    'Category', 'Day', 'Key', 'Box', 'Branch', 'Dish', 'Address', 'Class', 'Bus', 'Status', 'Virus', 'Quiz',
    'Person', 'Child', 'Woman', 'SalesPerson', 'Mouse', 'Analysis', 'Criterion', 'Index', 'Matrix', 'Photo', 'Hero',
    'Movie', 'Cache', 'Size', 'House', 'Response', 'Database', 'Leaf', 'Life', 'News', 'Series', 'UserData', 'Staff',
    'users', 'People', 'my class', 'kebab-case', '__private__', '', '_', '42']) AS c;

-- the other direction, by the same rules
CREATE FUNCTION class_of(name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    class text;
BEGIN
    EXECUTE format('CREATE TABLE %I ()', name);
    class := dtmodel.class_name(quote_ident(name)::regclass);
    EXECUTE format('DROP TABLE %I', name);
    RETURN class;
END $$;
SELECT t AS table, class_of(t) AS class FROM unnest(ARRAY[
    'users', 'user_profiles', 'http_servers', 'oauth2_tokens', 'categories', 'days', 'boxes', 'branches', 'dishes',
    'addresses', 'classes', 'buses', 'statuses', 'quizzes', 'people', 'sales_people', 'analyses', 'criteria',
    'indexes', 'photos', 'movies', 'caches', 'sizes', 'houses', 'responses', 'databases', 'leaves', 'news', 'series',
    'user', 'address', 'status', 'as', 'UserProfile', 'my table', 'a.b', 'weird"name', '_', '42']) AS t;

-- names that are the same after conversion there and back
SELECT c AS class, class_of(dtmodel.table_name(c)) AS back FROM unnest(ARRAY[
    'User', 'UserProfile', 'Category', 'Box', 'Address', 'Bus', 'Status', 'Person', 'Analysis', 'Photo', 'Movie',
    'Cache', 'House', 'Leaf', 'News', 'Course', 'Purchase', 'License', 'Expense', 'Warehouse', 'Invoice', 'Batch',
    'Match', 'Search', 'Tax', 'Fax', 'Gas', 'Lens', 'Canvas', 'Company', 'Country', 'City', 'Currency', 'Language',
    'Survey', 'Toy', 'Fix', 'Prize', 'Boss', 'Process', 'Access', 'Focus', 'Bonus', 'Menu', 'Video', 'Echo',
    'Stomach', 'Monarch', 'Epoch', 'Patriarch', 'Tech', 'Church', 'Watch', 'Approach', '_Private', 'User_', '__Meta__',
    'Base', 'KnowledgeBase', '_', '__']) AS c
WHERE class_of(dtmodel.table_name(c)) <> c;

-- a -ch that is pronounced k; underscores at the ends are not part of a word
SELECT c AS class, dtmodel.table_name(c) FROM unnest(ARRAY[
    'Stomach', 'Monarch', 'Epoch', 'Church', '_Private', 'User_', '__Meta__', '_HTTPServer_', '_', '__', '_ _']) AS c;
SELECT t AS table, class_of(t) AS class FROM unnest(ARRAY[
    'stomachs', 'monarchs', 'epochs', 'churches', '_privates', 'users_', '__metas__', '_http_servers_', '__']) AS t;

-- an -e that belongs to the word, and Latin words, of which index has two plurals
SELECT t AS table, class_of(t) AS class, dtmodel.table_name(class_of(t)) AS back FROM unnest(ARRAY[
    'aches', 'avalanches', 'cliches', 'toothaches', 'beaches', 'indices', 'indexes', 'search_indices', 'matrices', 'matrixes',
    'vertices', 'appendices']) AS t;

SELECT dtmodel.table_name(NULL) IS NULL AS a, dtmodel.class_name(NULL) IS NULL AS b;

DROP SCHEMA names CASCADE;
