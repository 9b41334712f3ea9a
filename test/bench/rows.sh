# shellcheck shell=bash disable=SC2154 # sourced by run
#
# The functions on rows, against the static SQL that does the same. The loops
# are PL/pgSQL, which keeps the plan of a static statement as an application
# with prepared statements does.

# fill_documents VARIANT: a table for the variant, and documents for all.
fill_documents() {
    sql table="$1" <<'SQL'
CREATE TABLE round.:table (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    qty integer,
    price numeric(12,2),
    active boolean DEFAULT true,
    settings jsonb DEFAULT '{}',
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now()
);
CREATE TABLE IF NOT EXISTS round.document AS
SELECT i, md5(i::text)::uuid AS id,
       jsonb_build_object('id', md5(i::text)::uuid, 'name', 'name ' || i, 'qty', i, 'price', i * 1.5, 'active', true,
                          'settings', '{"a": 1, "b": [1, 2, 3]}'::jsonb,
                          'created_at', '2024-01-01T00:00:00Z', 'updated_at', '2024-01-01T00:00:00Z') AS data
FROM generate_series(1, :rows / 2) AS i;
VACUUM (FREEZE, ANALYZE) round.document;
SQL
}

fill_items() {
    fill_documents "$1" && sql table="$1" <<'SQL'
INSERT INTO round.:table
SELECT r.* FROM round.document, jsonb_populate_record(NULL::round.:table, data) AS r;
VACUUM (FREEZE, ANALYZE) round.:table;
SQL
}

# each VARIANT STATEMENT: for each document d of this turn. A session loads the
# library once, which is not what is measured.
each() {
    spent sql table="$1" <<SQL
LOAD 'dtmodel';
SELECT bench.start();
DO \$\$
DECLARE
    d record;
    item round.$1;
BEGIN
    FOR d IN SELECT * FROM round.document WHERE i % 25 = $turn LOOP
        $2;
    END LOOP;
END
\$\$;
SELECT bench.stop();
SQL
}

create_each() {
    case $1 in
        model)  each "$1" 'PERFORM dtmodel.create(NULL::round.model, d.data)' ;;
        static) each "$1" 'INSERT INTO round.static SELECT * FROM jsonb_populate_record(NULL::round.static, d.data) RETURNING * INTO item' ;;
    esac
}

update_each() {
    case $1 in
        model)  each "$1" "PERFORM dtmodel.update(NULL::round.model, d.id, '{\"name\": \"new\", \"qty\": 5}')" ;;
        static) each "$1" "UPDATE round.static AS t SET (name, qty) = (SELECT r.name, r.qty FROM jsonb_populate_record(NULL::round.static, '{\"name\": \"new\", \"qty\": 5}') AS r) WHERE t.id = d.id RETURNING t.* INTO item" ;;
    esac
}

get_each() {
    case $1 in
        model)  each "$1" 'item := dtmodel.get_by_id(NULL::round.model, d.id)' ;;
        static) each "$1" 'SELECT t.* INTO item FROM round.static AS t WHERE t.id = d.id' ;;
    esac
}

bulk_insert() {
    local statement
    case $1 in
        model)  statement="SELECT count(*) FROM round.list, dtmodel.bulk_create(NULL::round.model, data)" ;;
        static) statement="INSERT INTO round.static SELECT r.* FROM round.list, jsonb_populate_recordset(NULL::round.static, data) AS r" ;;
    esac
    spent sql table="$1" turn="$turn" <<SQL
LOAD 'dtmodel';
CREATE TABLE round.list AS
SELECT jsonb_agg(data) AS data FROM round.document WHERE i % 5 = :turn - 1;
SELECT bench.start();
$statement;
SELECT bench.stop();
SELECT bench.expect('rows', count(*), :turn * :rows / 10) FROM round.:table;
DROP TABLE round.list;
SQL
}

create_rows() { turns fill_documents create_each "$@"; }
update_rows() { turns fill_items update_each "$@"; }
get_rows()    { turns fill_items get_each "$@"; }
bulk_rows()   { turns fill_documents bulk_insert "$@"; }

compare 2 create_rows 'create, one row of 8 columns' model \
    'INSERT ... jsonb_populate_record' 1.05 static
compare 2 update_rows 'update, two columns' model \
    'UPDATE ... jsonb_populate_record' 1.05 static
compare 2 get_rows 'get_by_id' model \
    'SELECT * INTO' 1.1 static
compare 2 bulk_rows "bulk_create, $((rows / 10)) rows" model \
    'INSERT ... jsonb_populate_recordset' 1.05 static

# get_all as a table of the caller's query, so many times.
fill_list() {
    fill_items "$1" && sql table="$1" <<'SQL'
SELECT bench.expect('rows of get_all', count(*), :rows / 2) FROM dtmodel.get_all(NULL::round.:table);
SQL
}

# read_list TIMES QUERY VARIANT: the query has "list" where the rows come from.
read_list() {
    local list="round.$3"
    [ "$3" != model ] || list="dtmodel.get_all(NULL::round.model)"
    preloaded spent sql <<SQL
PREPARE read AS ${2//list/$list};
EXECUTE read;
SELECT bench.start();
$(yes 'EXECUTE read;' | head -n "$1")
SELECT bench.stop();
SQL
}

# compare_lists NAME TIMES QUERY
compare_lists() {
    local times=$2 query=$3
    compare 2 lists "get_all, $1" model 'the table' 1.05 static
}

lists() { turns fill_list "list_once" "$@"; }
list_once() { read_list "$times" "$query" "$1"; }

compare_lists 'all rows' 2 'SELECT count(*) FROM list AS t'
compare_lists 'LIMIT 10' 5 'SELECT * FROM list AS t LIMIT 10'
compare_lists 'a page in the order of the key' 5 'SELECT * FROM list AS t ORDER BY id LIMIT 10'
compare_lists 'a row by its key' 5 "SELECT * FROM list AS t WHERE id = md5('77')::uuid"
compare_lists 'a join of 20 rows' 5 'SELECT t.* FROM round.document AS d JOIN list AS t USING (id) WHERE d.i <= 20'

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

# Each variant finds the rows of its turns as the others do.
account() { account_script "$1" | one_by_one 1000; }

accounts() { fill_accounts && turns : account "$@"; }

compare 2 accounts 'get_or_create of a row that is there, unique_live' there_by_email \
    'by primary key' 1.5 there_by_key
compare 2 accounts 'get_or_create of a new row, unique_live' new_by_email \
    'by primary key' 1.5 new_by_key
compare 2 accounts 'upsert with on_deleted, unique_live' upsert_by_email \
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

dict() {
    spent sql <<SQL
LOAD 'dtmodel';
SELECT count($1) FROM round.wide AS w WHERE c0 < 10;
SELECT bench.start();
SELECT count($1) FROM round.wide AS w;
SELECT bench.stop();
SQL
}

dicts() { fill_wide && turns : dict "$@"; }

compare 2 dicts 'to_dict, 40 columns, all' 'dtmodel.to_dict(w)' 'to_jsonb' 0.25 'to_jsonb(w)'
compare 2 dicts 'to_dict, 40 columns, 3 excluded' "dtmodel.to_dict(w, '{settings,c1,c7}')" \
    'to_jsonb - 3' 0.15 "to_jsonb(w) - '{settings,c1,c7}'::text[]"
compare 2 dicts 'to_dict, 40 columns, 5 kept' "dtmodel.to_dict(w, includes => '{id,created_at,c0,c1,c4}')" \
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
    spent sql <<SQL
CREATE TRIGGER compare BEFORE UPDATE ON round.wide FOR EACH ROW EXECUTE FUNCTION round.$1();
UPDATE round.wide SET c1 = 'changed' WHERE c4 = 1000000::bigint * (:rows / 1000 + 1);
SELECT bench.start();
UPDATE round.wide SET c1 = 'changed', c0 = 5 WHERE c4 <= 1000000::bigint * (:rows / 1000);
SELECT bench.stop();
DROP TRIGGER compare ON round.wide;
UPDATE round.wide SET c1 = 'text', c0 = 4;
SQL
}

versions() {
    fill_versions && turns : compare_versions empty "$@" |
        awk '$3 == "empty" { sum += $1; n++; next }
             { line[++lines] = $0 }
             END {
                 for (i = 1; i <= lines; i++) {
                     split(line[i], f, " ")
                     printf "%.4f - %s\n", f[1] - sum / n, f[3]
                 }
             }'
}

compare 3 versions 'get_modified_keys, 40 columns' keys \
    'hstore subtraction' 0.05 hstore \
    'to_jsonb compare'   0.02 json
