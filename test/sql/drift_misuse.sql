-- statements of drift for tables whose owner wrote the triggers by hand: a
-- superuser may run them
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA drift_misuse;
CREATE ROLE regress_drift_misuse;
GRANT USAGE, CREATE ON SCHEMA drift_misuse TO regress_drift_misuse;
SET ROLE regress_drift_misuse;
SET search_path = drift_misuse, pg_catalog;

CREATE TABLE notes (id int PRIMARY KEY, is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz);
CREATE TRIGGER zz_dtmodel_soft_delete_flag BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION
    dtmodel_internal.soft_delete_flag_trigger('flag=is_deleted', 'deleted_at=deleted_at',
                                              'hide=true); ALTER ROLE regress_drift_misuse CREATEDB; --');
CREATE TABLE stories (id int PRIMARY KEY, title text, slug text);
CREATE TRIGGER zz_dtmodel_slug BEFORE INSERT OR UPDATE ON stories FOR EACH ROW EXECUTE FUNCTION
    dtmodel_internal.slug_trigger('source=title', 'slug=slug',
                                  'max_length=80); ALTER ROLE regress_drift_misuse CREATEDB; --',
                                  'on_update=true); ALTER ROLE regress_drift_misuse CREATEDB; --');
CREATE TABLE profiles (id int PRIMARY KEY);
CREATE TRIGGER zz_dtmodel_settings BEFORE INSERT OR UPDATE ON profiles FOR EACH ROW EXECUTE FUNCTION
    dtmodel_internal.settings_trigger('settings=settings', 'valid_settings={theme}',
                                      'combined=true); ALTER ROLE regress_drift_misuse CREATEDB; --');
-- a column whose name ends a literal
CREATE TABLE cards (id int PRIMARY KEY, "x'); ALTER ROLE regress_drift_misuse CREATEDB; --" boolean NOT NULL DEFAULT false,
                    deleted_at timestamptz);
SELECT dtmodel.add_soft_delete('cards', flag => $$x'); ALTER ROLE regress_drift_misuse CREATEDB; --$$);
ALTER TABLE cards DISABLE TRIGGER zz_dtmodel_soft_cascade;
DROP TRIGGER zz_dtmodel_soft_delete ON cards;
-- names that look as if the statement began in them
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE "cards: ALTER ROLE regress_drift_misuse CREATEDB; --" (id int PRIMARY KEY);
SELECT dtmodel.add_version('"cards: ALTER ROLE regress_drift_misuse CREATEDB; --"');
CREATE TRIGGER "zzz: ALTER ROLE regress_drift_misuse CREATEDB; --" BEFORE UPDATE ON "cards: ALTER ROLE regress_drift_misuse CREATEDB; --"
    FOR EACH ROW EXECUTE FUNCTION pass();
RESET ROLE;

SELECT model, m FROM dtmodel.models, unnest(drift) AS m WHERE model::text ~ '^drift_misuse|notes|stories|profiles|cards' ORDER BY 1, 2;
\set VERBOSITY terse
SELECT coalesce(repair, substring(advice FROM 'otherwise (.*)')) FROM dtmodel.drift()
WHERE model::text ~ 'notes|stories|profiles|cards' ORDER BY model, problem \gexec
\set VERBOSITY default
SELECT rolcreatedb FROM pg_roles WHERE rolname = 'regress_drift_misuse';

-- defaults of a flag: only a constant is known to make deleted rows
CREATE TABLE drift_defaults (id int PRIMARY KEY, is_deleted boolean NOT NULL DEFAULT NULL::boolean);
SELECT dtmodel.add_soft_delete('drift_defaults');
SELECT problem, repair, advice FROM dtmodel.drift('drift_defaults');
ALTER TABLE drift_defaults ALTER is_deleted SET DEFAULT (random() < 0);
SELECT problem, repair, advice FROM dtmodel.drift('drift_defaults');
ALTER TABLE drift_defaults ALTER is_deleted SET DEFAULT true;
SELECT problem, repair, advice FROM dtmodel.drift('drift_defaults');
DROP TABLE drift_defaults;

-- triggers that are not fired for all columns, and rules
CREATE TABLE drift_fired (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('drift_fired', deleted_by => 'deleted_by');
CREATE OR REPLACE TRIGGER zz_dtmodel_soft_delete_flag BEFORE UPDATE OF deleted_at, deleted_by ON drift_fired
    FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_delete_flag_trigger('flag=is_deleted', 'deleted_at=deleted_at', 'deleted_by=deleted_by');
SELECT problem FROM dtmodel.drift('drift_fired');
CREATE OR REPLACE TRIGGER zz_dtmodel_soft_delete_flag BEFORE UPDATE OF is_deleted, deleted_at ON drift_fired
    FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_delete_flag_trigger('flag=is_deleted', 'deleted_at=deleted_at', 'deleted_by=deleted_by');
SELECT problem FROM dtmodel.drift('drift_fired');
CREATE OR REPLACE TRIGGER zz_dtmodel_soft_delete_flag BEFORE UPDATE ON drift_fired
    FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_delete_flag_trigger('flag=is_deleted', 'deleted_at=deleted_at', 'deleted_by=deleted_by');
CREATE OR REPLACE TRIGGER zz_dtmodel_soft_cascade AFTER UPDATE ON drift_fired
    FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_cascade_trigger();
SELECT problem FROM dtmodel.drift('drift_fired');
CREATE OR REPLACE TRIGGER zz_dtmodel_soft_cascade AFTER UPDATE ON drift_fired
    FOR EACH ROW WHEN (OLD.id <> NEW.id AND NEW.deleted_at IS NULL) EXECUTE FUNCTION dtmodel_internal.soft_cascade_trigger();
SELECT problem FROM dtmodel.drift('drift_fired');
SELECT dtmodel.add_soft_delete('drift_fired', deleted_by => 'deleted_by');
CREATE RULE also AS ON DELETE TO drift_fired DO ALSO SELECT 1;
CREATE RULE refused AS ON DELETE TO drift_fired DO INSTEAD NOTHING;
CREATE RULE added AS ON INSERT TO drift_fired DO INSTEAD NOTHING;
SELECT problem, repair FROM dtmodel.drift('drift_fired');
ALTER TABLE drift_fired DISABLE RULE refused;
SELECT problem, repair FROM dtmodel.drift('drift_fired');
DROP TABLE drift_fired;

-- a rule that is fired always, one that is fired in replicas only, and a name that is taken
CREATE TABLE drift_always (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('drift_always');
CREATE RULE refused AS ON DELETE TO drift_always DO INSTEAD NOTHING;
ALTER TABLE drift_always ENABLE ALWAYS RULE refused;
SELECT problem, repair FROM dtmodel.drift('drift_always');
ALTER TABLE drift_always ENABLE REPLICA RULE refused;
SELECT problem, repair FROM dtmodel.drift('drift_always');
ALTER TRIGGER zz_dtmodel_soft_delete_flag ON drift_always RENAME TO a_flag;
CREATE FUNCTION drift_nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER zz_dtmodel_soft_delete_flag BEFORE UPDATE ON drift_always FOR EACH ROW EXECUTE FUNCTION drift_nothing();
SELECT problem, repair FROM dtmodel.drift('drift_always');
DROP TABLE drift_always;

-- the order of triggers that were renamed
CREATE TABLE drift_order (id int PRIMARY KEY, v text);
SELECT dtmodel.add_timestamps('drift_order'), dtmodel.add_soft_delete('drift_order'), dtmodel.add_audit('drift_order'), dtmodel.add_version('drift_order');
ALTER TRIGGER zz_dtmodel_timestamps ON drift_order RENAME TO zzz_times;
SELECT problem, repair FROM dtmodel.drift('drift_order');
ALTER TRIGGER zzz_times ON drift_order RENAME TO a_times;
CREATE TRIGGER b AFTER UPDATE ON drift_order FOR EACH ROW EXECUTE FUNCTION drift_nothing();
CREATE TRIGGER c BEFORE UPDATE ON drift_order FOR EACH STATEMENT EXECUTE FUNCTION drift_nothing();
SELECT problem, repair FROM dtmodel.drift('drift_order');
CREATE TRIGGER d BEFORE UPDATE ON drift_order FOR EACH ROW EXECUTE FUNCTION drift_nothing();
SELECT problem, repair FROM dtmodel.drift('drift_order');
ALTER TRIGGER a_times ON drift_order RENAME TO zz_dtmodel_timestamps;
ALTER TRIGGER zz_dtmodel_soft_delete ON drift_order RENAME TO zzz_deletion;
SELECT problem, repair FROM dtmodel.drift('drift_order');

-- arguments that are empty, and triggers that list other columns than their arguments
CREATE TABLE drift_listed (id int PRIMARY KEY, title text);
SELECT dtmodel.add_soft_delete('drift_listed');
DROP TRIGGER zz_dtmodel_soft_delete ON drift_listed;
CREATE TRIGGER zz_dtmodel_soft_delete BEFORE DELETE ON drift_listed FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_delete_trigger('flag=is_deleted', 'deleted_at=deleted_at', 'hide=');
SELECT problem, repair, advice FROM dtmodel.drift('drift_listed');
DROP TRIGGER zz_dtmodel_soft_delete ON drift_listed;
DROP TRIGGER zz_dtmodel_soft_delete_flag ON drift_listed;
CREATE TRIGGER zz_dtmodel_soft_delete BEFORE DELETE ON drift_listed FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_delete_trigger('flag=is_deleted', 'deleted_at=deleted_at');
CREATE TRIGGER zz_dtmodel_soft_delete_flag BEFORE UPDATE OF is_deleted ON drift_listed FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_delete_flag_trigger('flag=is_deleted', 'deleted_at=deleted_at');
ALTER TABLE drift_listed RENAME is_deleted TO gone;
SELECT problem, repair, advice FROM dtmodel.drift('drift_listed');
DROP TRIGGER zz_dtmodel_soft_delete_flag ON drift_listed;
CREATE TRIGGER zz_dtmodel_soft_delete_flag BEFORE UPDATE OF gone, deleted_at ON drift_listed FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_delete_flag_trigger('deleted_at=deleted_at', 'deleted_by=title');
SELECT problem, repair, advice FROM dtmodel.drift('drift_listed');

DROP SCHEMA drift_misuse CASCADE;
DROP ROLE regress_drift_misuse;
