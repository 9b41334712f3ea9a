SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
RESET client_min_messages;
-- The list of mixins is complete.
SELECT * FROM dtmodel.mixins();

-- each mixin has a function that adds it and one that removes it, and there are no others
SELECT proname AS "has no mixin"
FROM pg_proc
WHERE pronamespace = 'dtmodel'::regnamespace AND proname ~ '^(add|remove)_'
  AND proname !~ '_(model|live_parent|history_partitions)$'
  AND regexp_replace(proname, '^[a-z]+_', '') NOT IN (SELECT mixin FROM dtmodel.mixins());
SELECT mixin, prefix AS "has no function"
FROM dtmodel.mixins(), unnest(ARRAY['add_', 'remove_']) AS prefix
WHERE NOT EXISTS (SELECT FROM pg_proc
                  WHERE pronamespace = 'dtmodel'::regnamespace AND proname = prefix || mixin);

-- each trigger function belongs to a mixin: describe recognizes its trigger
CREATE SCHEMA listed;
DO $$
DECLARE
    function record;
BEGIN
    FOR function IN
        SELECT oid::regprocedure AS call, proname AS name FROM pg_proc
        WHERE pronamespace = 'dtmodel_internal'::regnamespace AND prorettype = 'trigger'::regtype
    LOOP
        EXECUTE format('CREATE TABLE listed.%I (id int)', function.name);
        EXECUTE format('CREATE TRIGGER listed AFTER TRUNCATE ON listed.%I EXECUTE FUNCTION %s',
                       function.name, function.call);
        EXECUTE format('ALTER TABLE listed.%I DISABLE TRIGGER listed', function.name);
    END LOOP;
END
$$;
SELECT relname AS "trigger function",
       EXISTS (SELECT FROM dtmodel.drift(c.oid) WHERE problem = 'trigger "listed" is disabled') AS is_known
FROM pg_class AS c WHERE relnamespace = 'listed'::regnamespace ORDER BY relname;

-- describe has an object for each mixin, whose members are parameters of the function that adds it
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE TABLE listed.every (id int PRIMARY KEY, name text);
DO $$
DECLARE
    mixin text;
BEGIN
    FOR mixin IN SELECT m.mixin FROM dtmodel.mixins() AS m
    LOOP
        EXECUTE format('SELECT dtmodel.%I(%L%s)', 'add_' || mixin, 'listed.every',
                       CASE mixin WHEN 'slug' THEN ', ''name''' WHEN 'settings' THEN ', ''{theme}''' ELSE '' END);
    END LOOP;
END
$$;
SELECT mixin, (SELECT count(*) FROM jsonb_object_keys(dtmodel.describe('listed.every') -> mixin)) > 0 AS described
FROM dtmodel.mixins();
SELECT mixin, option AS "is no parameter"
FROM dtmodel.mixins(), jsonb_object_keys(dtmodel.describe('listed.every') -> mixin) AS option
WHERE NOT EXISTS (SELECT FROM pg_proc
                  WHERE pronamespace = 'dtmodel'::regnamespace AND proname = 'add_' || mixin
                    AND option = ANY (proargnames[2:]));
DROP SCHEMA listed CASCADE;
