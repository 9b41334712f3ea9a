# shellcheck shell=bash # sourced by run
#
# The functions on rows, against the static SQL that does the same. The loops
# are PL/pgSQL, which keeps the plan of a static statement as an application
# with prepared statements does.

# A table, and documents that its rows are made of.
fill_documents() {
    sql <<'SQL'
CREATE TABLE round.item (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    qty integer,
    price numeric(12,2),
    active boolean DEFAULT true,
    settings jsonb DEFAULT '{}',
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now()
);
CREATE TABLE round.document AS
SELECT i, md5(i::text)::uuid AS id,
       jsonb_build_object('id', md5(i::text)::uuid, 'name', 'name ' || i, 'qty', i, 'price', i * 1.5, 'active', true,
                          'settings', '{"a": 1, "b": [1, 2, 3]}'::jsonb,
                          'created_at', '2024-01-01T00:00:00Z', 'updated_at', '2024-01-01T00:00:00Z') AS data
FROM generate_series(1, :rows / 5) AS i;
VACUUM (FREEZE, ANALYZE) round.document;
SQL
}

fill_items() {
    fill_documents && sql <<'SQL'
INSERT INTO round.item
SELECT r.* FROM round.document, jsonb_populate_record(NULL::round.item, data) AS r;
VACUUM (FREEZE, ANALYZE) round.item;
SQL
}

# each STATEMENT: runs it for each document d, and says how long that took. A
# session loads the library once, which is not what is measured.
each() {
    timed <<SQL
LOAD 'dtmodel';
\timing on
DO \$\$
DECLARE
    d record;
    item round.item;
BEGIN
    FOR d IN SELECT * FROM round.document LOOP
        $1;
    END LOOP;
END
\$\$;
\timing off
SQL
}

# in_turn FILL WORK VARIANT...: for a sampler. Each variant does the work on
# tables of its own.
in_turn() {
    local fill=$1 work=$2 variant cost
    shift 2
    for variant; do
        sql <<<'DROP SCHEMA round CASCADE; CREATE SCHEMA round;' && $fill && cost=$($work "$variant") && [ -n "$cost" ] || return
        echo "$cost $variant"
    done
}

create_each() {
    case $1 in
        model)    each 'PERFORM dtmodel.create(NULL::round.item, d.data)' ;;
        populate) each 'INSERT INTO round.item SELECT * FROM jsonb_populate_record(NULL::round.item, d.data) RETURNING * INTO item' ;;
    esac
}

update_each() {
    case $1 in
        model)    each "PERFORM dtmodel.update(NULL::round.item, d.id, '{\"name\": \"new\", \"qty\": 5}')" ;;
        populate) each "UPDATE round.item AS t SET (name, qty) = (SELECT r.name, r.qty FROM jsonb_populate_record(NULL::round.item, '{\"name\": \"new\", \"qty\": 5}') AS r) WHERE t.id = d.id RETURNING t.* INTO item" ;;
    esac
}

# A look-up takes so little that the variants have to take turns many times.
get_rows() {
    fill_items && psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 <<'SQL'
LOAD 'dtmodel';
CREATE TEMP TABLE cost (variant text, started timestamptz, ended timestamptz);
DO $$
DECLARE
    d record;
    item round.item;
    started timestamptz;
BEGIN
    FOR turn IN 0..39 LOOP
        started := clock_timestamp();
        FOR d IN SELECT id FROM round.document WHERE i % 20 = turn / 2 LOOP
            item := dtmodel.get_by_id(NULL::round.item, d.id);
        END LOOP;
        INSERT INTO cost VALUES ('model', started, clock_timestamp());
        started := clock_timestamp();
        FOR d IN SELECT id FROM round.document WHERE i % 20 = turn / 2 LOOP
            SELECT t.* INTO item FROM round.item AS t WHERE t.id = d.id;
        END LOOP;
        INSERT INTO cost VALUES ('static', started, clock_timestamp());
    END LOOP;
END
$$;
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(milliseconds FROM ended - started)::float), variant FROM cost GROUP BY variant;
SQL
}

create_rows() { in_turn fill_documents create_each "$@"; }
update_rows() { in_turn fill_items update_each "$@"; }

bulk_insert() {
    local statement
    case $1 in
        model)    statement="SELECT count(*) FROM round.list, dtmodel.bulk_create(NULL::round.item, data)" ;;
        populate) statement="INSERT INTO round.item SELECT r.* FROM round.list, jsonb_populate_recordset(NULL::round.item, data) AS r" ;;
    esac
    timed <<SQL
LOAD 'dtmodel';
CREATE TABLE round.list AS
SELECT jsonb_agg(data) AS data FROM (SELECT data FROM round.document ORDER BY i LIMIT :rows / 10) AS d;
\timing on
$statement;
\timing off
SELECT bench.expect('rows', count(*), :rows / 10) FROM round.item;
SQL
}

bulk_rows() { in_turn fill_documents bulk_insert "$@"; }

compare 7 create_rows 'create, one row of 8 columns' model \
    'INSERT ... jsonb_populate_record' 1.25 populate
compare 7 update_rows 'update, two columns' model \
    'UPDATE ... jsonb_populate_record' 1.25 populate
compare 7 get_rows 'get_by_id' model \
    'SELECT * INTO' 1.1 static
compare 7 bulk_rows 'bulk_create, 10k rows' model \
    'INSERT ... jsonb_populate_recordset' 1.1 populate

# get_or_create and upsert by a column that is unique among live rows alone,
# against the same by the primary key: of a row that is there, and of one that
# is not. Ten times the usual number of rows, a tenth of them deleted.
fill_accounts() {
    sql <<'SQL'
CREATE TABLE round.account (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, email text, name text);
INSERT INTO round.account (email, name) SELECT 'e' || i, 'name' FROM generate_series(1, :rows * 10) AS i;
SELECT dtmodel.add_soft_delete('round.account');
UPDATE round.account SET is_deleted = true WHERE id % 10 = 0;
SELECT dtmodel.unique_live('round.account', 'email');
VACUUM (FREEZE, ANALYZE) round.account;
SQL
}

account_script() {
    local there="1 + 10 * (:turn * 37 % :rows)" absent="1000000000 + :turn"
    case $1 in
        there_by_key)   echo "SELECT created FROM dtmodel.get_or_create(NULL::round.account, jsonb_build_object('id', $there));" ;;
        there_by_email) echo "SELECT created FROM dtmodel.get_or_create(NULL::round.account, jsonb_build_object('email', 'e' || $there));" ;;
        new_by_key)     echo "SELECT created FROM dtmodel.get_or_create(NULL::round.account, jsonb_build_object('id', $absent), jsonb_build_object('email', 'k' || $absent));" ;;
        new_by_email)   echo "SELECT created FROM dtmodel.get_or_create(NULL::round.account, jsonb_build_object('email', 'n' || $absent), jsonb_build_object('id', 2 * ($absent)));" ;;
        upsert_by_key)   echo "SELECT created FROM dtmodel.upsert(NULL::round.account, jsonb_build_object('id', $there, 'name', 'x'), on_deleted => 'restore');" ;;
        upsert_by_email) echo "SELECT created FROM dtmodel.upsert(NULL::round.account, jsonb_build_object('email', 'e' || $there, 'name', 'x'), '{email}', on_deleted => 'restore');" ;;
    esac
}

accounts() { fill_accounts && mixed 20000 account_script "$@"; }

compare 3 accounts 'get_or_create of a row that is there, unique_live' there_by_email \
    'by primary key' 1.5 there_by_key
compare 3 accounts 'get_or_create of a new row, unique_live' new_by_email \
    'by primary key' 1.5 new_by_key
compare 3 accounts 'upsert with on_deleted, unique_live' upsert_by_email \
    'by primary key' 1.5 upsert_by_key

# A row of 40 columns, and what makes JSON of it.
fill_wide() {
    sql <<'SQL'
SELECT format('CREATE TABLE round.wide (id uuid, created_at timestamptz, updated_at timestamptz, settings jsonb, %s)',
              string_agg(format('c%s %s', i, (ARRAY['integer', 'text', 'numeric', 'boolean', 'bigint'])[1 + i % 5]), ', ' ORDER BY i))
FROM generate_series(0, 35) AS i \gexec
SELECT format('INSERT INTO round.wide SELECT gen_random_uuid(), now(), now(), (SELECT jsonb_object_agg(''key '' || k, repeat(''value '', 5)) FROM generate_series(1, 10) AS k), %s FROM generate_series(1, :rows / 20) AS r',
              string_agg((ARRAY['r', '''text value '' || r', 'r * 1.5', 'r % 2 = 0', 'r * 1000000::bigint'])[1 + i % 5], ', ' ORDER BY i))
FROM generate_series(0, 35) AS i \gset statement_
\set statement :statement_format
:statement;
VACUUM (FREEZE, ANALYZE) round.wide;
SELECT bench.expect('different dicts', count(*), 0) FROM round.wide AS w WHERE dtmodel.to_dict(w) <> to_jsonb(w);
SQL
}

dict() { timed <<<"LOAD 'dtmodel';
\\timing on
SELECT count($1) FROM round.wide AS w;"; }

dicts() {
    local variant cost
    fill_wide || return
    for variant; do
        cost=$(dict "$variant") && [ -n "$cost" ] || return
        echo "$cost $variant"
    done
}

compare 9 dicts 'to_dict, 40 columns, all' 'dtmodel.to_dict(w)' 'to_jsonb' 0.25 'to_jsonb(w)'
compare 9 dicts 'to_dict, 40 columns, 3 excluded' "dtmodel.to_dict(w, '{settings,c1,c7}')" \
    'to_jsonb - 3' 0.15 "to_jsonb(w) - '{settings,c1,c7}'::text[]"
compare 9 dicts 'to_dict, 40 columns, 5 kept' "dtmodel.to_dict(w, includes => '{id,created_at,c0,c1,c4}')" \
    'to_jsonb' 0.1 'to_jsonb(w)'

# Two versions of a row in a trigger of PL/pgSQL, less what the trigger, its
# loop and the assignment cost: those are the variant "empty".
fill_versions() {
    fill_wide && sql <<'SQL'
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE FUNCTION round.empty() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE k text[]; BEGIN FOR i IN 1..100 LOOP k := '{c0,c1}'; END LOOP; RETURN NEW; END $$;
CREATE FUNCTION round.keys() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE k text[]; BEGIN FOR i IN 1..100 LOOP k := dtmodel.get_modified_keys(OLD, NEW); END LOOP; RETURN NEW; END $$;
CREATE FUNCTION round.hstore() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE k text[]; BEGIN FOR i IN 1..100 LOOP k := akeys(hstore(NEW) - hstore(OLD)); END LOOP; RETURN NEW; END $$;
CREATE FUNCTION round.json() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE k text[]; BEGIN FOR i IN 1..100 LOOP k := ARRAY(SELECT n.key FROM jsonb_each(to_jsonb(NEW)) AS n JOIN jsonb_each(to_jsonb(OLD)) AS o USING (key) WHERE n.value <> o.value); END LOOP; RETURN NEW; END $$;
SQL
}

# A session compiles the trigger once, which is not what is measured.
compare_versions() {
    timed <<SQL
CREATE TRIGGER compare BEFORE UPDATE ON round.wide FOR EACH ROW EXECUTE FUNCTION round.$1();
UPDATE round.wide SET c1 = 'changed' WHERE c4 = 1000000::bigint * (:rows / 1000 + 1);
\timing on
UPDATE round.wide SET c1 = 'changed', c0 = 5 WHERE c4 <= 1000000::bigint * (:rows / 1000);
\timing off
DROP TRIGGER compare ON round.wide;
SQL
}

versions() {
    in_turn fill_versions compare_versions empty "$@" |
        awk '$2 == "empty" { empty = $1; next } { printf "%.3f %s\n", $1 - empty, $2 }'
}

compare 5 versions 'get_modified_keys, 40 columns' keys \
    'hstore subtraction' 0.05 hstore \
    'to_jsonb compare'   0.02 json
