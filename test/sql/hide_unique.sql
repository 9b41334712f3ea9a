--
-- hide: unique indexes that count hidden rows are drift
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA hide_unique;
SET search_path = hide_unique;

-- an association table: its primary key includes rows that a user has removed
CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE, name text, tenant int);
CREATE TABLE tags (id int PRIMARY KEY);
CREATE TABLE user_tags (user_id int REFERENCES users, tag_id int REFERENCES tags, PRIMARY KEY (user_id, tag_id));
SELECT dtmodel.add_soft_delete('user_tags', hide => true);
CREATE FUNCTION drift_of(model regclass) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(': ', problem, repair, advice) FROM dtmodel.drift(model) $$;
SELECT drift_of('user_tags') AS drift;
INSERT INTO users VALUES (1, 'ann');
INSERT INTO tags VALUES (1);
INSERT INTO user_tags VALUES (1, 1);
DELETE FROM user_tags;
INSERT INTO user_tags VALUES (1, 1) ON CONFLICT DO NOTHING;
SELECT count(*) FROM user_tags WHERE NOT is_deleted;

-- all indexes that count deleted rows, and no others
CREATE UNIQUE INDEX "By ""name""" ON users (name, tenant);
CREATE UNIQUE INDEX by_lower ON users (lower(email));
CREATE UNIQUE INDEX by_tenant ON users (tenant) WHERE name IS NOT NULL;
CREATE INDEX not_unique ON users (name);
ALTER TABLE users ADD CONSTRAINT apart EXCLUDE USING btree (tenant WITH =);
SELECT dtmodel.add_soft_delete('users');
CREATE UNIQUE INDEX live ON users (name) WHERE NOT is_deleted;
CREATE UNIQUE INDEX live_by_time ON users (name) WHERE deleted_at IS NULL AND tenant = 1;
CREATE UNIQUE INDEX with_time ON users (name, deleted_at);
CREATE UNIQUE INDEX with_flag ON users (name, is_deleted);
CREATE UNIQUE INDEX deleted_ones ON users (name) WHERE is_deleted;
SELECT dtmodel.describe('users') -> 'drift' AS drift;
SELECT dtmodel.add_soft_delete('users', hide => true);
SELECT drift_of('users') AS drift;

-- the statements in the drift remove it
SELECT repair FROM dtmodel.drift('users') \gexec
SELECT drift_of('users') AS drift;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'hide_unique' AND tablename = 'users' ORDER BY indexname;
ALTER TABLE user_tags DROP CONSTRAINT user_tags_pkey, ADD id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
SELECT dtmodel.unique_live('hide_unique.user_tags', 'user_id', 'tag_id');
SELECT drift_of('user_tags') AS drift;
INSERT INTO user_tags (user_id, tag_id) VALUES (1, 1) ON CONFLICT DO NOTHING;
SELECT user_id, tag_id FROM user_tags WHERE NOT is_deleted;

-- no flag, an inverted flag, and one that can be null
CREATE TABLE notes (id int PRIMARY KEY, name text UNIQUE);
SELECT dtmodel.add_soft_delete('notes', flag => NULL, hide => true);
CREATE UNIQUE INDEX live_notes ON notes (name) WHERE deleted_at IS NULL;
SELECT drift_of('notes') AS drift;
CREATE TABLE accounts (id int PRIMARY KEY, name text, is_active boolean, EXCLUDE USING btree (name WITH =));
SELECT dtmodel.add_soft_delete('accounts', flag => 'is_active', flag_means => 'live', hide => true);
SELECT drift_of('accounts') AS drift;

-- no statement depends on another one, nor on search_path
CREATE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq, COMMUTATOR = ===);
CREATE OPERATOR CLASS same_int FOR TYPE int USING hash AS OPERATOR 1 ===, FUNCTION 1 hashint4(int);
CREATE TABLE members (id int PRIMARY KEY, name text, place int, is_deleted boolean, deleted_at timestamptz,
                      CONSTRAINT one_place EXCLUDE USING hash (place same_int WITH ===));
CREATE UNIQUE INDEX by_fold ON members (fold(name));
CREATE UNIQUE INDEX live_members ON members (name) WHERE NOT is_deleted;
CREATE UNIQUE INDEX live_members_too ON members (name) WHERE is_deleted IS FALSE;
CREATE UNIQUE INDEX deleted_members ON members (name) WHERE is_deleted;
CREATE UNIQUE INDEX no_live_members ON members (name) WHERE is_deleted IS NOT FALSE;
SELECT dtmodel.add_soft_delete('members', hide => true);
SELECT drift_of('members') AS drift;
CREATE TABLE repairs AS SELECT repair FROM dtmodel.drift('members');
SET search_path = pg_catalog;
SELECT repair FROM hide_unique.repairs \gexec
SET search_path = hide_unique;
SELECT drift_of('members') AS drift;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'hide_unique' AND tablename = 'members' ORDER BY indexname;

-- an index keeps what it compares by, and what it includes
CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE codes (id int PRIMARY KEY, code text, note text);
CREATE UNIQUE INDEX by_code ON codes (code COLLATE folded) INCLUDE (note);
CREATE UNIQUE INDEX by_note ON codes (note text_pattern_ops);
SELECT CASE WHEN current_setting('server_version_num')::int >= 150000 THEN 'NULLS NOT DISTINCT' ELSE '' END AS nulls \gset
CREATE UNIQUE INDEX by_both ON codes (code, note) :nulls;
SELECT dtmodel.add_soft_delete('codes', hide => true);
SELECT count(*) FROM dtmodel.drift('codes') WHERE repair LIKE '%NULLS NOT DISTINCT%' OR :'nulls' = '' AND repair LIKE '%(code, note)%';
DROP INDEX by_both;
SELECT repair FROM dtmodel.drift('codes') \gexec
SELECT drift_of('codes') AS drift;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'hide_unique' AND tablename = 'codes' ORDER BY indexname;

-- what a statement would lose is left to the user: foreign keys, a replica identity, and that a key can be deferred
CREATE TABLE countries (id int PRIMARY KEY, iso text UNIQUE, rank int UNIQUE DEFERRABLE, code int NOT NULL UNIQUE, name text);
ALTER TABLE countries REPLICA IDENTITY USING INDEX countries_code_key;
CREATE UNIQUE INDEX countries_name ON countries (name);
CREATE TABLE cities (iso text REFERENCES countries (iso), country text REFERENCES countries (name)) PARTITION BY LIST (iso);
CREATE TABLE cities_of_de PARTITION OF cities FOR VALUES IN ('de');
SELECT dtmodel.add_soft_delete('countries', hide => true);
SELECT problem, repair, advice FROM dtmodel.drift('countries');

-- so is what names a key in ON CONFLICT
CREATE TABLE labels (name text CONSTRAINT each_once UNIQUE, code int CONSTRAINT each_code UNIQUE);
CREATE TABLE labelled (label text);
CREATE RULE also AS ON INSERT TO labelled DO ALSO INSERT INTO labels VALUES (NEW.label) ON CONFLICT ON CONSTRAINT each_once DO NOTHING;
CREATE FUNCTION label(code int) RETURNS void LANGUAGE sql
    BEGIN ATOMIC INSERT INTO labels (code) VALUES (code) ON CONFLICT ON CONSTRAINT each_code DO NOTHING; END;
SELECT dtmodel.add_soft_delete('labels', hide => true);
SELECT problem, repair, advice FROM dtmodel.drift('labels');

-- a unique one that includes a generated key prevents no row, unlike an exclusion; keys can be parts of one another
CREATE TABLE invoices (id int PRIMARY KEY, tenant int, note text, UNIQUE (tenant, id), UNIQUE (id, note), EXCLUDE USING btree (id WITH =, note WITH =));
SELECT dtmodel.add_soft_delete('invoices', hide => true);
SELECT drift_of('invoices') AS drift;
CREATE TABLE lines (invoice int, line int, code int, PRIMARY KEY (invoice, line), UNIQUE (line, invoice, code));
SELECT dtmodel.add_soft_delete('lines', hide => true);
SELECT drift_of('lines') AS drift;
SELECT repair FROM dtmodel.drift('lines') \gexec
SELECT drift_of('lines') AS drift;

-- a column that is missing comes first, as there can be no condition on it
CREATE TABLE hosts (id int PRIMARY KEY, name text UNIQUE);
CREATE UNIQUE INDEX hosts_lower ON hosts (lower(name));
SELECT dtmodel.add_soft_delete('hosts', hide => true);
ALTER TABLE hosts DROP COLUMN is_deleted CASCADE;
SELECT problem, repair, advice FROM dtmodel.drift('hosts');
SELECT dtmodel.add_soft_delete('hosts', hide => true);
ALTER TABLE hosts DROP COLUMN deleted_at CASCADE;
SELECT problem, repair, advice FROM dtmodel.drift('hosts');

-- an index of a partition is replaced where it was made
CREATE TABLE parts (id int, place int, code text, PRIMARY KEY (place, id)) PARTITION BY LIST (place);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 (code text, place int NOT NULL, id int NOT NULL) PARTITION BY LIST (place);
CREATE TABLE parts_2_2 PARTITION OF parts_2 FOR VALUES IN (2);
ALTER TABLE parts_2_2 ADD EXCLUDE USING btree (code WITH =);
CREATE INDEX parts_not_unique ON parts_2_2 (code);
CREATE UNIQUE INDEX parts_code ON parts (code, place);
ALTER TABLE parts_1 ADD CONSTRAINT own_code UNIQUE (code), ADD EXCLUDE USING btree (code WITH =);
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN (2);
CREATE UNIQUE INDEX own_of_two ON parts_2 (place, lower(code));
SELECT dtmodel.add_soft_delete('parts', hide => true);
SELECT drift_of('parts') AS drift;
SELECT drift_of('parts_1') AS drift;
SELECT repair FROM dtmodel.drift('parts') \gexec
SELECT drift_of('parts') UNION ALL SELECT drift_of('parts_1') AS drift;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'hide_unique' AND tablename LIKE 'parts%' ORDER BY indexname;

-- the key of a partition is generated as that of its table is
CREATE TABLE places (id int, place int, code text, PRIMARY KEY (place, id)) PARTITION BY LIST (place);
CREATE TABLE places_1 (LIKE places INCLUDING ALL, UNIQUE (code, id, place)) PARTITION BY RANGE (place);
CREATE TABLE places_1_1 (place int NOT NULL, code text, id int NOT NULL, UNIQUE (id, place, code), UNIQUE (place, code));
ALTER TABLE places_1 ATTACH PARTITION places_1_1 FOR VALUES FROM (1) TO (2);
ALTER TABLE places ATTACH PARTITION places_1 FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('places', hide => true);
SELECT problem, repair, advice FROM dtmodel.drift('places');

DROP SCHEMA hide_unique CASCADE;
