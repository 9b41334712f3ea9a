/* test/bench/prepare.sql: what the areas use, after expect.sql */

CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE EXTENSION IF NOT EXISTS moddatetime;

CREATE FUNCTION bench.nothing()
RETURNS trigger
AS :'library', 'bench_nothing'
LANGUAGE C;

CREATE FUNCTION bench.cpu()
RETURNS float8
AS :'library', 'bench_cpu'
LANGUAGE C;

CREATE FUNCTION bench.start()
RETURNS void
AS :'library', 'bench_start'
LANGUAGE C;

CREATE FUNCTION bench.stop()
RETURNS void
AS :'library', 'bench_stop'
LANGUAGE C;

-- The columns that an application writes where it has no mixin: the values of
-- rows that are there, of an INSERT and of an UPDATE of the row t.
CREATE TABLE bench.hand (mixin text, name text, old text, inserted text, updated text);
INSERT INTO bench.hand VALUES
    ('timestamps', 'created_at', '''2024-01-01''', NULL,           NULL),
    ('timestamps', 'updated_at', '''2024-01-01''', NULL,           'now()'),
    ('audit',      'created_by', '''someone''',   'current_user', NULL),
    ('audit',      'updated_by', '''someone''',   'current_user', 'current_user'),
    ('version',    'version',    '1',              NULL,           't.version + 1'),
    ('slug',       'slug',       '''title-'' || i', '''title-'' || i', NULL);

-- The same as pieces of statements.
CREATE FUNCTION bench.by_hand(mixins text[],
                              OUT old_columns text, OUT old_values text,
                              OUT new_columns text, OUT new_values text,
                              OUT assignments text, OUT stamped text)
LANGUAGE sql
AS $$
    SELECT coalesce(string_agg(', ' || name, '' ORDER BY name) FILTER (WHERE old IS NOT NULL), ''),
           coalesce(string_agg(', ' || old, '' ORDER BY name) FILTER (WHERE old IS NOT NULL), ''),
           coalesce(string_agg(', ' || name, '' ORDER BY name) FILTER (WHERE inserted IS NOT NULL), ''),
           coalesce(string_agg(', ' || inserted, '' ORDER BY name) FILTER (WHERE inserted IS NOT NULL), ''),
           coalesce(string_agg(format(', %s = %s', name, updated), '' ORDER BY name) FILTER (WHERE updated IS NOT NULL), ''),
           coalesce(string_agg(format('%s <> %s', name, old), ' AND ' ORDER BY name) FILTER (WHERE updated IS NOT NULL), 'true')
    FROM bench.hand
    WHERE mixin = ANY (mixins)
$$;

CREATE FUNCTION bench.make_model(name text, mixins text[], filler integer)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    mixin text;
BEGIN
    EXECUTE format('CREATE TABLE round.%I (id bigint PRIMARY KEY, title text NOT NULL, n bigint%s) WITH (fillfactor = 40)',
                   name, (SELECT string_agg(format(', c%s %s', i, (ARRAY['text', 'integer', 'timestamptz', 'numeric'])[1 + i % 4]), '' ORDER BY i)
                          FROM generate_series(1, filler) AS i));
    FOREACH mixin IN ARRAY mixins LOOP
        EXECUTE format('SELECT dtmodel.add_%s(%L%s)', mixin, 'round.' || name,
                       CASE mixin WHEN 'settings' THEN ', ''{theme}''' WHEN 'slug' THEN ', ''title''' END);
    END LOOP;
END
$$;

-- A table with the columns, defaults, constraints and indexes of such a model,
-- but for what calls dtmodel, and without a history, which adds no column.
CREATE FUNCTION bench.make_twin(name text, mixins text[], filler integer)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    clause text;
BEGIN
    PERFORM bench.make_model('pattern', array_remove(mixins, 'history'), filler);
    EXECUTE format('CREATE TABLE round.%I (LIKE round.pattern INCLUDING ALL) WITH (fillfactor = 40)', name);
    DROP TABLE round.pattern;
    FOR clause IN
        SELECT format('DROP CONSTRAINT %I', conname)
        FROM pg_constraint
        WHERE conrelid = ('round.' || name)::regclass AND contype = 'c' AND pg_get_constraintdef(oid) ~ 'dtmodel\.'
        UNION ALL
        SELECT format('ALTER %I DROP DEFAULT', attname)
        FROM pg_attribute AS a JOIN pg_attrdef AS d ON adrelid = attrelid AND adnum = attnum
        WHERE adrelid = ('round.' || name)::regclass AND pg_get_expr(adbin, adrelid) ~ 'dtmodel\.'
    LOOP
        EXECUTE format('ALTER TABLE round.%I %s', name, clause);
    END LOOP;
END
$$;
