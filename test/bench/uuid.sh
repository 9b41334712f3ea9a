# shellcheck shell=bash disable=SC2154 # sourced by run
#
# Identifiers: one call, and as keys. The goals of a call were set on 15; systems
# that bring 17 and later have a faster gen_random_uuid().

identifiers() {
    sql <<'SQL' && calls "$@"
SELECT bench.expect('different uuidv4', count(DISTINCT dtmodel.uuidv4()), :rows),
       bench.expect('different uuidv7', count(DISTINCT dtmodel.uuidv7()), :rows)
FROM generate_series(1, :rows);
SQL
}

goals=(0.05 0.08)
[ "$(pg_config --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')" -lt 17 ] || goals=(- -)
compare 3 identifiers 'uuidv4()' 'dtmodel.uuidv4()' 'gen_random_uuid()' "${goals[0]}" 'gen_random_uuid()'
compare 3 identifiers 'uuidv7()' 'dtmodel.uuidv7()' 'gen_random_uuid()' "${goals[1]}" 'gen_random_uuid()'
compare 3 calls 'the floor: a column' 'i' 'gen_random_uuid()' - 'gen_random_uuid()'

# insert_keys TABLE FUNCTION
insert_keys() {
    spent sql <<SQL
CREATE TABLE round.$1 (id uuid PRIMARY KEY DEFAULT $2(), n integer);
SELECT bench.start();
INSERT INTO round.$1 (n) SELECT generate_series(1, 10 * :rows);
SELECT bench.stop();
SELECT bench.expect('keys', count(id), 10 * :rows) FROM round.$1;
SQL
}

index_size() {
    insert_keys "$@" >/dev/null && echo "$(value "SELECT pg_relation_size('round.$1_pkey')") -"
}

compare 3 apart "$((10 * rows)) inserts, uuidv7 key" 'insert_keys ascending dtmodel.uuidv7' \
    'gen_random_uuid key' 0.3 'insert_keys random gen_random_uuid'
compare 1 apart "$((10 * rows)) inserts, size of the index" 'index_size ascending dtmodel.uuidv7' \
    'gen_random_uuid key' 0.8 'index_size random gen_random_uuid'
