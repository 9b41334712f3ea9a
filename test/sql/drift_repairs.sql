--
-- drift that is rare, and what repairs it
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA drift_repairs;
SET search_path = drift_repairs;
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';

-- the trigger is to stamp new rows, but is for UPDATE only
CREATE TABLE stamped (id int PRIMARY KEY, a int, b int);
SELECT dtmodel.add_timestamps('stamped', on_insert => 'stamp', ignore_columns => '{a,b}');
SELECT dtmodel.describe('stamped') -> 'timestamps' ->> 'ignore_columns' AS ignored;
DROP TRIGGER zz_dtmodel_timestamps ON stamped;
CREATE TRIGGER zz_dtmodel_timestamps BEFORE UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION
    dtmodel_internal.timestamps_trigger('created_at=created_at', 'updated_at=updated_at', 'on_insert=stamp');
SELECT problem, repair FROM dtmodel.drift('stamped');
SELECT repair FROM dtmodel.drift('stamped') \gexec
SELECT problem, repair FROM dtmodel.drift('stamped');

-- a DEFAULT of a function that only its author knows
CREATE FUNCTION my_time() RETURNS timestamptz LANGUAGE sql AS 'SELECT ''2001-01-01''::timestamptz';
CREATE TABLE own_default (id int PRIMARY KEY, created_at timestamptz DEFAULT my_time());
SELECT dtmodel.add_timestamps('own_default');
SELECT problem, repair FROM dtmodel.drift('own_default');
INSERT INTO own_default VALUES (1) RETURNING created_at = my_time() AS own;

-- a column that users name becomes a generated one
CREATE TABLE pages (id int PRIMARY KEY, title text);
SELECT dtmodel.add_slug('pages', 'title');
ALTER TABLE pages DROP title;
ALTER TABLE pages ADD title text GENERATED ALWAYS AS ('no ' || id) STORED;
SELECT problem, repair, advice FROM dtmodel.drift('pages');

-- a history without several columns, one of which becomes the key
CREATE TABLE past (id int, a int PRIMARY KEY, b int, c int);
SELECT dtmodel.add_timestamps('past'), dtmodel.add_history('past', exclude => '{b,id,c}');
SELECT dtmodel.describe('past') -> 'history' ->> 'exclude' AS excluded;
ALTER TABLE past DROP CONSTRAINT past_pkey;
ALTER TABLE past ADD PRIMARY KEY (id);
SELECT problem, repair FROM dtmodel.drift('past');
SELECT repair FROM dtmodel.drift('past') \gexec
SELECT problem, repair FROM dtmodel.drift('past');

-- a history that needs updated_at
DROP TRIGGER zz_dtmodel_timestamps ON past;
SELECT problem, repair FROM dtmodel.drift('past') WHERE repair IS NOT NULL;
CREATE TRIGGER zz_dtmodel_timestamps BEFORE UPDATE ON past FOR EACH ROW EXECUTE FUNCTION
    dtmodel_internal.timestamps_trigger('created_at=created_at');
SELECT problem, repair FROM dtmodel.drift('past');
SELECT repair FROM dtmodel.drift('past') \gexec
SELECT problem, repair FROM dtmodel.drift('past');

-- a view in the place of a history: nothing can be added before it is renamed
CREATE TABLE viewed (id int PRIMARY KEY, a int);
SELECT dtmodel.add_timestamps('viewed');
CREATE VIEW viewed_history AS SELECT 1 AS a;
CREATE TRIGGER zz_dtmodel_history AFTER UPDATE OR DELETE ON viewed FOR EACH ROW EXECUTE FUNCTION
    dtmodel_internal.history_trigger('history=viewed_history', 'as_of=viewed_as_of');
SELECT problem, repair, advice FROM dtmodel.drift('viewed');
ALTER VIEW viewed_history RENAME TO no_history;
SELECT dtmodel.add_history('viewed');
SELECT problem, repair, advice FROM dtmodel.drift('viewed');

-- parents of several columns, a name that is in use, and a trigger that is disabled
CREATE TABLE parents (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE children (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES parents ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('parents'), dtmodel.add_soft_delete('children');
CREATE TRIGGER zz_dtmodel_live_parent_a_b BEFORE INSERT ON children FOR EACH ROW EXECUTE FUNCTION pass();
SELECT dtmodel.require_live_parent('children', 'a', 'b');
SELECT dtmodel.describe('children') -> 'live_parents' AS live_parents;
ALTER TABLE children DISABLE TRIGGER zz_dtmodel_live_parent_a_b_1;
SELECT problem, repair FROM dtmodel.drift('children');
SELECT dtmodel.require_live_parent('children', 'a', 'b');
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'children'::regclass AND tgname ~ 'live' ORDER BY 1;
INSERT INTO parents VALUES (1, 1);
DELETE FROM parents;
INSERT INTO children VALUES (1, 1, 1);
\echo :SQLSTATE

-- the other trigger of live parents, for INSERT only
DROP TRIGGER zz_dtmodel_live_parents ON children;
CREATE TRIGGER zz_dtmodel_live_parents AFTER INSERT ON children FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_parent_update_trigger();
SELECT problem, repair FROM dtmodel.drift('children');
SELECT repair FROM dtmodel.drift('children') \gexec
SELECT problem, repair FROM dtmodel.drift('children');

-- one that is fired by every UPDATE does what it has to
DROP TRIGGER zz_dtmodel_live_parents ON children;
CREATE TRIGGER zz_dtmodel_live_parents AFTER UPDATE ON children FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_parent_update_trigger();
SELECT problem, repair FROM dtmodel.drift('children');

-- a problem whose description is long
SELECT string_agg(format('%s int', repeat('x', 55) || i), ', ') AS columns, string_agg(repeat('x', 55) || i, ', ') AS names,
       string_agg(quote_literal(repeat('x', 55) || i), ', ') AS literals FROM generate_series(10, 31) AS i \gset
CREATE TABLE wide_parents (:columns, PRIMARY KEY (:names));
CREATE TABLE wide_children (id int PRIMARY KEY, :columns, FOREIGN KEY (:names) REFERENCES wide_parents ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('wide_parents'), dtmodel.add_soft_delete('wide_children'), dtmodel.require_live_parent('wide_children', :literals);
SELECT format('DROP TRIGGER %I ON wide_children', tgname) AS dropping FROM pg_trigger
WHERE tgrelid = 'wide_children'::regclass AND tgname ~ 'live_parent_x' \gset
:dropping;
SELECT length(problem), right(problem, 60) AS problem FROM dtmodel.drift('wide_children');

-- an event trigger that does not exist under its name
ALTER EVENT TRIGGER dtmodel_history_drop RENAME TO drift_repairs_renamed;
SELECT problem, repair, advice FROM dtmodel.drift('past');
ALTER EVENT TRIGGER drift_repairs_renamed RENAME TO dtmodel_history_drop;
SELECT problem, repair, advice FROM dtmodel.drift('past');

-- an exclusion constraint with a condition of its own
CREATE TABLE booked (id int PRIMARY KEY, during int4range, EXCLUDE USING gist (during WITH &&) WHERE (id > 5));
SELECT dtmodel.add_soft_delete('booked', hide => true);
SELECT problem, repair, advice FROM dtmodel.drift('booked') WHERE problem ~ 'excl';

-- one that is deferrable cannot have the condition as it is
CREATE TABLE seats (id int PRIMARY KEY, seat int CONSTRAINT ck_s CHECK (seat > 0), CONSTRAINT one_each EXCLUDE (seat WITH =) DEFERRABLE);
SELECT dtmodel.add_soft_delete('seats', hide => true);
SELECT problem, repair, advice FROM dtmodel.drift('seats') WHERE problem ~ 'one_each';

-- a trigger of ours that still runs last when it has another name
CREATE TABLE ordered (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('ordered');
ALTER TRIGGER zz_dtmodel_timestamps ON ordered RENAME TO zz_late;
CREATE TRIGGER zzz BEFORE UPDATE ON ordered FOR EACH ROW EXECUTE FUNCTION pass();
SELECT problem, repair, advice FROM dtmodel.drift('ordered');
SELECT repair FROM dtmodel.drift('ordered') \gexec
SELECT problem, repair, advice FROM dtmodel.drift('ordered');

-- arguments that no option has, or that say what is so without them
CREATE TABLE argued (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('argued');
DROP TRIGGER zz_dtmodel_soft_delete ON argued;
DROP TRIGGER zz_dtmodel_soft_delete_flag ON argued;
CREATE TRIGGER zz_dtmodel_soft_delete BEFORE DELETE ON argued FOR EACH ROW
    EXECUTE FUNCTION dtmodel_internal.soft_delete_trigger('flag=is_deleted', 'deleted_at=deleted_at', 'flag_means=deleted');
CREATE TRIGGER zz_dtmodel_soft_delete_flag BEFORE UPDATE OF is_deleted, deleted_at ON argued FOR EACH ROW
    EXECUTE FUNCTION dtmodel_internal.soft_delete_flag_trigger('note=x', 'flag=is_deleted', 'deleted_at=deleted_at');
INSERT INTO argued VALUES (1);
DELETE FROM argued;
SELECT is_deleted, deleted_at IS NOT NULL AS timed FROM argued;
ALTER TABLE argued RENAME is_deleted TO gone;
SELECT problem, repair, advice FROM dtmodel.drift('argued');
SELECT repair FROM dtmodel.drift('argued') \gexec
SELECT problem, repair, advice FROM dtmodel.drift('argued');

-- a time, and a user, that every row must have
CREATE TABLE timed (id int PRIMARY KEY, deleted_at timestamptz NOT NULL, deleted_by text NOT NULL);
SELECT dtmodel.add_soft_delete('timed', deleted_by => 'deleted_by');
SELECT problem, repair, advice FROM dtmodel.drift('timed');
SELECT repair FROM dtmodel.drift('timed') \gexec
INSERT INTO timed VALUES (1) RETURNING is_deleted, deleted_at, deleted_by;
SELECT problem, repair, advice FROM dtmodel.drift('timed');
CREATE TABLE timed_key (id int, deleted_at timestamptz, PRIMARY KEY (id, deleted_at));
SELECT dtmodel.add_soft_delete('timed_key', flag => NULL);
SELECT problem, repair, advice FROM dtmodel.drift('timed_key');
CREATE TABLE timed_identity (id int PRIMARY KEY, deleted_at timestamptz NOT NULL);
CREATE UNIQUE INDEX timed_unique ON timed_identity (id, deleted_at);
ALTER TABLE timed_identity REPLICA IDENTITY USING INDEX timed_unique;
SELECT dtmodel.add_soft_delete('timed_identity', flag => NULL);
SELECT problem, repair, advice FROM dtmodel.drift('timed_identity');
CREATE UNIQUE INDEX timed_other ON timed_identity (id);
ALTER TABLE timed_identity REPLICA IDENTITY USING INDEX timed_other;
SELECT repair FROM dtmodel.drift('timed_identity') \gexec
SELECT problem, repair, advice FROM dtmodel.drift('timed_identity');
CREATE TABLE timed_base (id int);
CREATE TABLE timed_heir (PRIMARY KEY (id), deleted_at timestamptz NOT NULL) INHERITS (timed_base);
SELECT dtmodel.add_soft_delete('timed_heir', flag => NULL);
SELECT problem, repair, advice FROM dtmodel.drift('timed_heir');
CREATE TABLE timed_parts (id int PRIMARY KEY, deleted_at timestamptz NOT NULL) PARTITION BY LIST (id);
CREATE TABLE timed_part PARTITION OF timed_parts FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('timed_parts', flag => NULL);
SELECT model, problem, repair FROM unnest('{timed_parts,timed_part}'::regclass[]) AS t, dtmodel.drift(t);
SELECT repair FROM dtmodel.drift('timed_parts') \gexec
ALTER TABLE timed_part ALTER deleted_at SET NOT NULL;
SELECT model, problem, repair FROM unnest('{timed_parts,timed_part}'::regclass[]) AS t, dtmodel.drift(t);
SELECT repair FROM dtmodel.drift('timed_part') \gexec
INSERT INTO timed_parts VALUES (1) RETURNING deleted_at;
SELECT model, problem, repair FROM unnest('{timed_parts,timed_part}'::regclass[]) AS t, dtmodel.drift(t);

-- triggers that another repair creates again under their usual names
CREATE TABLE renamed (id int PRIMARY KEY, name text);
SELECT dtmodel.add_slug('renamed', 'name'), dtmodel.add_soft_delete('renamed'), dtmodel.add_timestamps('renamed'), dtmodel.add_history('renamed');
ALTER TRIGGER zz_dtmodel_slug ON renamed RENAME TO other;
DROP INDEX uq_renamed_slug;
CREATE TRIGGER by_hand BEFORE DELETE ON renamed FOR EACH ROW EXECUTE FUNCTION
    dtmodel_internal.soft_delete_trigger('flag=is_deleted', 'deleted_at=deleted_at');
DROP TRIGGER zz_dtmodel_soft_cascade ON renamed;
ALTER TRIGGER zz_dtmodel_soft_delete_flag ON renamed RENAME TO zzz_flag;
ALTER TRIGGER zz_dtmodel_history_truncate ON renamed RENAME TO other_truncate;
ALTER TABLE renamed DISABLE TRIGGER other_truncate;
DROP FUNCTION renamed_as_of;
SELECT problem, repair, advice FROM dtmodel.drift('renamed');
SELECT repair FROM dtmodel.drift('renamed') \gexec
SELECT problem, repair, advice FROM dtmodel.drift('renamed');
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'renamed'::regclass AND NOT tgisinternal ORDER BY 1;

-- the call that repairs soft delete leaves the index of a slug to the one that repairs the slug
ALTER TABLE renamed RENAME slug TO permalink;
DROP INDEX uq_renamed_slug;
DROP TRIGGER zz_dtmodel_soft_cascade ON renamed;
SELECT problem, repair, advice FROM dtmodel.drift('renamed');
SELECT repair FROM dtmodel.drift('renamed') \gexec
SELECT problem, repair, advice FROM dtmodel.drift('renamed');
SELECT indexdef FROM pg_indexes WHERE schemaname = 'drift_repairs' AND indexname LIKE 'uq_renamed%';

-- a trigger that is enabled for replicas only is one that add_* has to create again
ALTER TABLE renamed ENABLE REPLICA TRIGGER zz_dtmodel_soft_delete;
SELECT dtmodel.add_soft_delete('renamed');
ALTER TRIGGER zz_dtmodel_history_truncate ON renamed RENAME TO other_truncate;
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'renamed'::regclass AND tgname ~ 'soft_delete$|truncate$' ORDER BY 1;
SELECT dtmodel.remove_history('renamed');

DROP SCHEMA drift_repairs CASCADE;
