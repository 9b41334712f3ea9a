--
-- what all add_* refuse: templates, catalogs, partitions
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA add_refusals;
SET search_path = add_refusals;
CREATE FUNCTION try(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE 'SELECT ' || call;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE TABLE calls (n int, call text);
INSERT INTO calls VALUES (0, 'dtmodel.add_model(%L)');
INSERT INTO calls SELECT ordinality, format('dtmodel.add_%s(%%L%s)', mixin, arguments)
FROM dtmodel.mixins() WITH ORDINALITY
LEFT JOIN (VALUES ('settings', ', ''{a}'''), ('slug', ', ''title''')) AS more (mixin, arguments) USING (mixin);

CREATE TABLE parted (id int PRIMARY KEY, title text) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
CREATE TABLE part_of_part PARTITION OF part FOR VALUES FROM (0) TO (5);

SELECT format(call, 'template') AS call, try(format(call, 'dtmodel.model_base')) FROM calls ORDER BY n;
SELECT t AS template, left(try(format('dtmodel.add_timestamps(%L)', t)), 5) AS sqlstate
FROM pg_class, format('dtmodel.%s', relname) AS t
WHERE relnamespace = 'dtmodel'::regnamespace AND relkind = 'r' ORDER BY relname;
SELECT format(call, 'catalog') AS call, try(format(call, 'pg_catalog.pg_class')) FROM calls ORDER BY n;
SELECT try('dtmodel.add_timestamps(''information_schema.sql_features'')');
SELECT format(call, 'partition') AS call, try(format(call, 'part_of_part')) FROM calls ORDER BY n;
SELECT try('dtmodel.unique_live(''dtmodel.model_base'', ''id'')'), try('dtmodel.create_live_view(''dtmodel.soft_delete_mixin'')');

-- the hint names the partitioned table
CREATE TABLE "Odd ""name" (id int) PARTITION BY LIST (id);
CREATE TABLE odd_part PARTITION OF "Odd ""name" DEFAULT;
SELECT try('dtmodel.add_timestamps(''odd_part'')');

-- a table in our schema that is not a template is accepted
CREATE TABLE dtmodel.of_the_user (id int);
SELECT try('dtmodel.add_timestamps(''dtmodel.of_the_user'')');
DROP TABLE dtmodel.of_the_user;

-- settings without a name
CREATE TABLE t (id int);
SELECT try('dtmodel.add_settings(''t'')');
SELECT try('dtmodel.add_settings(''t'', NULL, schema => NULL)');
SELECT try('dtmodel.add_settings(''t'', ''{}'', on_unknown => ''allow'')');
INSERT INTO t VALUES (1, '{"any": "setting"}') RETURNING settings;
SELECT try('dtmodel.add_settings(''t'', schema => ''{}'')');

-- names that other constraints have: those of keys get a number
CREATE TABLE actors (id int PRIMARY KEY);
CREATE TABLE named (n int, other int, CONSTRAINT ck_named_settings CHECK (n > 0), CONSTRAINT ck_named_soft_delete UNIQUE (n),
                    CONSTRAINT pk_named CHECK (n <> 5), CONSTRAINT fk_named_created_by_actors CHECK (n <> 6), CONSTRAINT fk_named_other_actors CHECK (n <> 7));
SELECT try('dtmodel.add_settings(''named'', ''{a}'')');
SELECT try('dtmodel.add_soft_delete(''named'')');
SELECT try('dtmodel.add_audit(''named'', "references" => ''actors'')');
SELECT try('dtmodel.add_audit(''named'', created_by => ''other'', "references" => ''actors'')');
SELECT try('dtmodel.add_model(''named'')');
ALTER TABLE add_refusals.named RENAME CONSTRAINT ck_named_settings TO positive;
ALTER TABLE add_refusals.named RENAME CONSTRAINT ck_named_soft_delete TO "unique";
ALTER TABLE add_refusals.named RENAME CONSTRAINT fk_named_created_by_actors TO not_six;
SELECT try('dtmodel.add_settings(''named'', ''{a}'')');
SELECT try('dtmodel.add_soft_delete(''named'')');
SELECT try('dtmodel.add_audit(''named'', "references" => ''actors'')');
SELECT conname FROM pg_constraint WHERE conrelid = 'named'::regclass AND contype <> 'n' ORDER BY conname;
-- the CHECK of the model itself is replaced
SELECT try('dtmodel.add_soft_delete(''named'', flag => ''is_gone'', deleted_at => ''gone_at'')');
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'named'::regclass AND conname ~ 'soft_delete';

SET client_min_messages = warning;
DROP SCHEMA add_refusals CASCADE;
