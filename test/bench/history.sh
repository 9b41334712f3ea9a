# shellcheck shell=bash disable=SC2154 # sourced by run
#
# What a history costs, and reading the past. The variants of writing are those
# of insert.sh: "preloaded" and "trigger" have timestamps and a history, "by_hand"
# is a table whose client sets updated_at, "preloaded_without" and
# "trigger_without" have timestamps alone. A line in bytes or kilobytes adds to
# theirs what a history may take.

mixins=timestamps,history

# check_versions CHANGES VARIANT...: whether the histories among the variants have
# a version for each change, of which the table knows how many there were.
check_versions() {
    local changes=$1 table
    shift
    for table; do
        case $table in
            preloaded | trigger)
                sql <<SQL || return ;;
SELECT bench.expect('versions', (SELECT count(*) FROM round.${table}_history WHERE operation <> 'truncate'), $changes)
FROM round.$table;
SQL
        esac
    done
}

check_updates() { check_versions 'sum(n - id)' "$@"; }

# Each statement of a turn is of $rows rows.
many_changes() {
    local rows=$((turns * rows))
    updates in_bulk "$@" && check_updates "$@"
}

no_changes()     { updates without_change "$@" && check_updates "$@"; }
single_changes() { single_updates "$@" && check_updates "$@"; }
new_rows()       { inserts "$@" && check_updates "$@"; }
copied_rows()    { copies "$@" && check_updates "$@"; }

# Rows with 2 kB that do not change, and that do not get shorter by compression.
fill_texts() {
    make_table "$1" && sql table="$1" <<'SQL' || return
CREATE OR REPLACE FUNCTION round.body() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT string_agg(md5(random()::text || i), '') FROM generate_series(1, 65) AS i
$$;
ALTER TABLE round.:table ADD body text DEFAULT round.body();
SQL
    fill_rows "$1" && sql table="$1" <<'SQL'
SELECT bench.expect('tables with texts of their own', count(*), 1)
FROM pg_class WHERE oid = ('round.' || :'table')::regclass AND pg_relation_size(reltoastrelid) > 2080 * :rows;
SQL
}

wide_changes() {
    local rows=$((rows / 2))
    turns fill_texts 'change in_bulk' "$@" && check_hot && check_updates "$@"
}

# The bytes of WAL of a change.
# wal_of CHANGES ALLOWED SAMPLER VARIANT...
wal_of() {
    local changes=$1 allowed=$2
    shift 2
    "$@" | awk -v n="$changes" -v allowed="$allowed" -v ours="$ours" '
        {
            variant = $0
            sub(/^[^ ]+ [^ ]+ /, "", variant)
            print $2 / n + (variant == ours ? 0 : allowed), "-", variant
        }'
}

# One row per transaction, each of which waits for the disk: milliseconds that
# depend on the disk. Its speed varies, so a session takes the variants at random.
change_durably() {
    local variant scripts=() script
    for variant in "${variants[@]}"; do
        script=$work/$variant.pgbench
        cat >"$script" <<SQL || return
\set id random(1, :rows)
UPDATE round.$variant AS t SET n = n + 1 $(assigned_text "$variant") WHERE id = :id;
SQL
        scripts+=(-f "$script")
    done
    as "$ours" pgbench -n -M prepared -t 2000 -D rows="$rows" "${scripts[@]}" >"$work/pgbench.log" 2>&1 ||
        { cat "$work/pgbench.log" >&2; return 1; }
    awk '/^SQL script / { n = split($4, path, "/"); variant = path[n]; sub(/\.pgbench$/, "", variant) }
         /^ - latency average = / { print $5, "-", variant }' "$work/pgbench.log"
}

durable_changes() {
    local variants=("$@") variant turn result=0
    for variant; do
        fill_table "$variant" || return
    done
    restart '-c fsync=on' && [ "$(value 'SHOW fsync')" = on ] || return
    for ((turn = 1; turn <= turns; turn++)); do
        change_durably || result=1
    done
    restart && return $result
}

# In memory, there is nothing to wait for.
compare_durable() {
    case $(stat -f -c %T "$(value 'SHOW data_directory')") in
        tmpfs | ramfs) ! wanted "$1" || echo "$area: $1: not measured, since the server's files are in memory" >&2 ;;
        *)             compare 2 durable_changes "$1" "$2" 'SET updated_at = now()' 1.1 by_hand ;;
    esac
}

for tier in preloaded trigger; do
    without=${tier}_without
    single=1.3
    [ $tier = preloaded ] || single=1.4

    compare 2 single_changes "UPDATE, single row, $tier" $tier \
        'SET updated_at = now()'       $single by_hand \
        'the model without history'    -       "$without"
    compare_durable "UPDATE, single row, time of a transaction with fsync, $tier" $tier
    compare 2 many_changes "UPDATE, $rows rows, $tier" $tier \
        'SET updated_at = now()'       2.1     by_hand \
        'the model without history'    -       "$without"
    compare 2 wide_changes "UPDATE, $((rows / 2 / turns)) rows with an unchanged text of 2 kB, $tier" $tier \
        'SET updated_at = now()'       2.0     by_hand \
        'the model without history'    -       "$without"
    compare 2 no_changes "UPDATE, no change, $tier" $tier \
        'the model without history'    1.05    "$without" \
        'the same UPDATE of the table' -       by_hand
    compare 2 new_rows "INSERT ... SELECT, $tier" $tier \
        'the table alone'              1.02/1.01 by_hand \
        'the model without history'    -       "$without"
    compare 2 copied_rows "COPY, $tier" $tier \
        'the table alone'              1.02/1.01 by_hand \
        'the model without history'    -       "$without"
    compare 2 "wal_of $rows 180 many_changes" "bytes of WAL of a change, $rows rows, $tier" $tier \
        'SET updated_at = now() and 180 bytes' 1 by_hand
    compare 2 'wal_of 2000 180 single_changes' "bytes of WAL of a change, single row, $tier" $tier \
        'SET updated_at = now() and 180 bytes' 1 by_hand
done

# The memory that a backend has for itself during an UPDATE of all rows and had
# not before, in kB. For triggers, the server itself needs some for each row.
memory() {
    rm -f "$work/measured"
    {
        by
        printf '\\set first %s\n\\set last %s\n' -9 0
        in_bulk "$1"
        cat <<'SQL'
SELECT pg_backend_pid() AS pid \gset
\setenv pid :pid
\setenv work :work
\! (while [ ! -e "$work/measured" ]; do sed -n 's/^RssAnon://p' "/proc/$pid/status"; sleep 0.02; done) >"$work/memory" &
\! sleep 0.2
\set first 1
\set last :rows
SQL
        in_bulk "$1"
        cat <<'SQL'
\! touch "$work/measured"; sleep 0.1
SQL
        check_rows 'changed rows' "$1" 'n = id + 1' :rows
    } >"$work/memory.sql" && as "$1" sql work="$work" <"$work/memory.sql" || return
    awk 'NR == 1 { before = $1 } $1 > most { most = $1 } END { if (NR > 1) print most - before, "-" }' "$work/memory"
}

# memories ALLOWED VARIANT...: a sampler.
memories() {
    local rows=$((2 * largest)) turns=1 allowed=$1
    shift
    turns fill_table memory "$@" | awk -v allowed="$allowed" -v ours="$ours" '{ print $1 + ($3 == ours ? 0 : allowed), "-", $3 }'
}

compare 1 'memories 2048' "UPDATE, $((2 * largest)) rows, kB of memory, preloaded" preloaded \
    'SET updated_at = now() and 2 MB' 1 by_hand
compare 1 'memories 2048' "UPDATE, $((2 * largest)) rows, kB of memory, trigger" trigger \
    'triggers that do nothing, and 2 MB' 1 both

# A deletion marks the row, and keeps how it was.
many_deletions() {
    local rows=$((turns * rows))
    turns fill_table mark_many "$@" && check_versions 'count(*) FILTER (WHERE is_deleted)' "$@"
}

# shellcheck disable=SC2034 # read by make_table
mixins=timestamps,soft_delete,history
for tier in preloaded trigger; do
    compare 2 many_deletions "soft DELETE, $rows rows, $tier" $tier \
        'the model without history' 2.1 ${tier}_without
done

# Reading the past: two models, a part of whose rows has changed since. The
# variants are the function of the model, dtmodel.as_of in a session that preloads
# the library, and SQL that reads both tables, with the conditions in each arm of
# the UNION ALL.
fill_past() {
    sql <<'SQL' || return
CREATE TABLE round.customer (id bigint PRIMARY KEY, name text NOT NULL, visits bigint NOT NULL) WITH (fillfactor = 40);
CREATE TABLE round.purchase (id bigint PRIMARY KEY, customer bigint NOT NULL, amount bigint NOT NULL) WITH (fillfactor = 40);
CREATE INDEX ON round.purchase (customer);
SELECT dtmodel.add_timestamps(model), dtmodel.add_history(model)
FROM unnest('{round.customer,round.purchase}'::regclass[]) AS model;
CREATE INDEX ON round.purchase_history (customer);
INSERT INTO round.customer SELECT i, 'name ' || i, 0 FROM generate_series(1, :rows / 10) AS i;
INSERT INTO round.purchase SELECT i, 1 + i % (:rows / 10), 0 FROM generate_series(1, :rows) AS i;
UPDATE round.customer SET visits = visits + 1;
UPDATE round.purchase SET amount = amount + 1;
CREATE TABLE round.moment AS SELECT clock_timestamp() AS at;
UPDATE round.customer SET visits = visits + 1 WHERE id % 2 = 0;
UPDATE round.purchase SET amount = amount + 1 WHERE id % 3 = 0;
UPDATE round.purchase SET amount = amount + 1 WHERE id % 3 = 0;
CREATE TABLE round.chosen AS SELECT i * 7 AS id FROM generate_series(1, 20) AS i;
VACUUM (FREEZE, ANALYZE) round.customer, round.customer_history, round.purchase, round.purchase_history, round.chosen;
SQL
    moment=$(value "SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM round.moment") || return
    check_past
}

# All variants read the same.
check_past() {
    local variant
    for variant in function preloaded setting by_hand; do
        as_then "$variant" sql <<SQL || return
SELECT bench.expect('amounts', sum(p.amount + c.visits), 2 * :rows)
FROM $(then_of "$variant" customer) AS c JOIN $(then_of "$variant" purchase) AS p ON p.customer = c.id;
SELECT bench.expect('customers', count(*), :rows / 10) FROM $(then_of "$variant" customer) AS c;
SQL
    done
}

# as_then VARIANT COMMAND...: without workers, whose time is not measured.
as_then() {
    local variant=$1 PGOPTIONS="$PGOPTIONS -c max_parallel_workers_per_gather=0"
    shift
    case $variant in
        preloaded) PGOPTIONS="$PGOPTIONS -c session_preload_libraries=dtmodel" "$@" ;;
        setting)   PGOPTIONS="$PGOPTIONS -c session_preload_libraries=dtmodel -c dtmodel.as_of=$moment" "$@" ;;
        *)         "$@" ;;
    esac
}

# then_of VARIANT TABLE [CONDITION]: the table as it was. Only SQL by hand needs
# the condition, which the query has too.
then_of() {
    local columns
    case $2 in
        customer) columns='id, name, visits' ;;
        purchase) columns='id, customer, amount' ;;
    esac
    case $1 in
        function | preloaded)
            echo "round.$2_as_of('$moment')" ;;
        setting)
            echo "round.$2" ;;
        by_hand)
            echo "(SELECT $columns FROM round.$2 WHERE updated_at <= '$moment' AND ${3-true}
                   UNION ALL
                   SELECT $columns FROM round.$2_history
                   WHERE valid_from <= '$moment' AND valid_to > '$moment' AND ${3-true})" ;;
    esac
}

past_by_key() {
    as_then "$1" one_by_one 2000 <<SQL
\set id 1 + :turn * 7919 % (:rows / 10)
SELECT sum(p.amount + c.visits)
FROM $(then_of "$1" customer 'id = :id') AS c JOIN $(then_of "$1" purchase 'customer = :id') AS p ON p.customer = c.id
WHERE c.id = :id;
SQL
}

# The conditions come from another table.
past_of_some() {
    local lateral=
    [ "$1" != by_hand ] || lateral=LATERAL
    as_then "$1" one_by_one 400 <<SQL
SELECT sum(p.amount + c.visits)
FROM round.chosen AS k
JOIN $lateral $(then_of "$1" customer 'id = k.id') AS c ON c.id = k.id
JOIN $lateral $(then_of "$1" purchase 'customer = k.id') AS p ON p.customer = c.id;
SQL
}

past_of_all() {
    as_then "$1" spent sql <<SQL
PREPARE past AS
SELECT sum(p.amount + c.visits)
FROM $(then_of "$1" customer) AS c JOIN $(then_of "$1" purchase) AS p ON p.customer = c.id;
EXECUTE past;
SELECT bench.start();
EXECUTE past;
EXECUTE past;
SELECT bench.stop();
SQL
}

# pasts READ VARIANT...: a sampler.
pasts() { fill_past && turns : "$@"; }

for variant in preloaded function setting; do
    case $variant in
        preloaded) name='<table>_as_of, preloaded' ;;
        function)  name='<table>_as_of, trigger' ;;
        setting)   name=dtmodel.as_of ;;
    esac
    compare 2 'pasts past_by_key' "$name, a join by a key" $variant \
        'SQL on both tables' 1.1 by_hand
    compare 2 'pasts past_of_some' "$name, a join with 20 rows" $variant \
        'SQL on both tables' 1.1 by_hand
    compare 2 'pasts past_of_all' "$name, a join of all rows" $variant \
        'SQL on both tables' 1.1 by_hand
done
