# shellcheck shell=bash disable=SC2154 # sourced by run
#
# Models that Citus distributes, if the server has it: on a coordinator and two
# workers of their own, with ports of the loopback interface. The variants are
# databases of this cluster: "model" preloads the library on every server, and
# "by_hand" has tables with the same columns, and no dtmodel. A cost is that of all
# processes of the three servers. So that it is not that of connections, Citus
# keeps those that a session has opened.

cluster=$(readlink -f "$work")/citus
statement_rows=$((rows / 5))

has_citus() { [ "$(value "SELECT count(*) FROM pg_available_extensions WHERE name = 'citus'")" = 1 ]; }

# at DATABASE COMMAND...: as a client of the server at $port.
at() { PGHOST=$cluster PGPORT=$port PGDATABASE=$1 "${@:2}"; }

# start_node NAME: at the first port that is free, of a few at random.
start_node() {
    initdb -D "$cluster/$1" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$cluster/$1.log" &&
        cat >>"$cluster/$1/postgresql.conf" <<CONF || return
listen_addresses = '127.0.0.1'
unix_socket_directories = '$cluster'
shared_preload_libraries = 'citus'
shared_buffers = 512MB
max_wal_size = 2GB
checkpoint_timeout = 1d
autovacuum = off
fsync = off
max_prepared_transactions = 100
max_worker_processes = 20
citus.node_conninfo = 'sslmode=disable'
citus.enable_statistics_collection = off
citus.distributed_deadlock_detection_factor = -1
citus.recover_2pc_interval = -1
citus.max_cached_conns_per_worker = 100
CONF
    for _ in {1..10}; do
        port=$((20000 + RANDOM % 10000))
        pg_ctl -D "$cluster/$1" -l "$cluster/$1.log" -o "-p $port" -w start >/dev/null && return
    done
    cat "$cluster/$1.log" >&2
    return 1
}

make_databases() {
    at postgres sql <<<"CREATE DATABASE by_hand; CREATE DATABASE model;
                        ALTER DATABASE model SET session_preload_libraries = 'dtmodel';" &&
        at model sql <<<'CREATE EXTENSION citus;' &&
        at by_hand sql <<<'CREATE EXTENSION citus;'
}

# join_nodes DATABASE: on the coordinator, which is at $port.
join_nodes() {
    local worker
    at "$1" sql <<<"SELECT citus_set_coordinator_host('127.0.0.1', $port);" || return
    for worker in "${workers[@]}"; do
        at "$1" sql <<<"SELECT citus_add_node('127.0.0.1', $worker);" || return
    done
    at "$1" sql <"$here/expect.sql"
}

start_cluster() {
    local workers=() name
    trap 'stop_cluster; rm -rf "$work"' EXIT
    mkdir "$cluster" || return
    for name in one two coordinator; do
        start_node $name && make_databases || return
        workers+=("$port")
    done
    unset 'workers[-1]'
    join_nodes model && join_nodes by_hand && at model sql <<<'CREATE EXTENSION dtmodel;' && write_meter
}

stop_cluster() {
    local folder
    for folder in "$cluster"/*/; do
        [ ! -e "$folder/postmaster.pid" ] || pg_ctl -D "$folder" -m immediate stop >/dev/null
    done
}

# A program that prints the milliseconds that all processes of the cluster have
# spent, and those of the clock. What has ended its parent knows in ticks.
write_meter() {
    cat >"$work/meter" <<METER
cd /proc
{
    find . -maxdepth 2 -name cwd -lname '$cluster/*' 2>/dev/null | sed 's/cwd\$/schedstat/' | xargs cat
    for file in '$cluster'/*/postmaster.pid; do
        sed 's/.*) /ended /' \$(head -n 1 "\$file")/stat
    done
} | awk -v hz="\$(getconf CLK_TCK)" -v now="\$(date +%s%N)" '
    { spent += \$1 == "ended" ? (\$15 + \$16) * 1000 / hz : \$1 / 1e6 }
    END { printf "%.4f %.4f\n", spent, now / 1e6 }'
METER
}

# measured VARIANT: what the SQL between two lines "measure" on standard input
# costs. The time of the clock is kept for the line that follows.
measured() {
    rm -f "$work/readings"
    sed "s,^measure\$,\\\\! sh $work/meter >>$work/readings," | at "$1" sql || return
    awk -v variant="$1" -v clock="$work/clock" '
        { spent[NR] = $1; time[NR] = $2 }
        END {
            if (NR != 2) exit 1
            printf "%.4f -\n", spent[2] - spent[1]
            printf "%.4f - %s\n", time[2] - time[1], variant >>clock
        }' "$work/readings"
}

# The columns that add_timestamps or add_soft_delete would add, and their CHECK.
columns_of() {
    case $1 in
        timestamps)
            echo ', created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()' ;;
        soft_delete)
            echo ', is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz
                  , CONSTRAINT ck_items_soft_delete CHECK ((is_deleted IS TRUE) = (deleted_at IS NOT NULL))' ;;
    esac
}

# fill_items MIXIN VARIANT: $pieces for each turn, of so many rows as a statement
# is for, and of so many $tenants. The first one is for what a session does once.
fill_items() {
    at "$2" sql all="$((turns * pieces * statement_rows))" tenant_rows="$((statement_rows / tenants))" <<SQL
DROP TABLE IF EXISTS items;
CREATE TABLE items (tenant bigint, id bigint, title text NOT NULL, n bigint NOT NULL $(columns_of "$1"), PRIMARY KEY (tenant, id))
WITH (fillfactor = 45);
SELECT create_distributed_table('items', 'tenant');
$([ "$2" = by_hand ] || echo "SELECT dtmodel.add_$1('items');")
INSERT INTO items (tenant, id, title, n) SELECT i / :tenant_rows, i, 'title ' || i, i FROM generate_series(0, :all - 1) AS i;
VACUUM (FREEZE, ANALYZE) items;
SQL
}

# delete_items VARIANT CONDITION
delete_items() {
    case $1 in
        model) echo "DELETE FROM items WHERE $2;" ;;
        *)     echo "UPDATE items SET is_deleted = true, deleted_at = now() WHERE $2;" ;;
    esac
}

# update_items VARIANT CONDITION
update_items() {
    case $1 in
        model) echo "UPDATE items SET n = n + 1 WHERE $2;" ;;
        *)     echo "UPDATE items SET n = n + 1, updated_at = now() WHERE $2;" ;;
    esac
}

# The rows of a piece.
piece() {
    local first=$(($1 * tenants))
    if [ "$tenants" -eq 1 ]; then
        echo "tenant = $first"
    else
        echo "tenant BETWEEN $first AND $((first + tenants - 1))"
    fi
}

# The rows that were written, and have a time.
written() {
    case $1 in
        delete_items) echo 'is_deleted AND deleted_at IS NOT NULL' ;;
        update_items) echo 'n = id + 1 AND updated_at > created_at' ;;
    esac
}

# write_items WRITE VARIANT
write_items() {
    local write=$1 first=$(((turn - 1) * pieces)) i
    {
        $write "$2" "$(piece $first)"
        echo measure
        for ((i = first + 1; i < first + pieces; i++)); do
            $write "$2" "$(piece $i)"
        done
        echo measure
        echo "SELECT bench.expect('rows', count(*), $((turn * pieces * statement_rows))) FROM items WHERE $(written "$write");"
    } | measured "$2"
}

# A tenth of the rows, each in a transaction, as a client with prepared statements
# does.
update_singly() {
    local singles=$((statement_rows / 10)) keys
    keys="SELECT i / $((statement_rows / tenants)) AS tenant, i AS id
          FROM (SELECT $(((turn - 1) * statement_rows)) + k * 7919 % $statement_rows AS i FROM generate_series(:first, :last) AS k) AS k"
    {
        # shellcheck disable=SC2016 # they are parameters
        echo "PREPARE change (bigint, bigint) AS $(update_items "$1" 'tenant = $1 AND id = $2')"
        printf '\\set first 1\n\\set last 20\n'
        echo "SELECT format('EXECUTE change (%s, %s)', tenant, id) FROM ($keys) AS k \\gexec"
        printf '\\set first 21\n\\set last %s\n' $((20 + singles))
        echo measure
        echo "SELECT format('EXECUTE change (%s, %s)', tenant, id) FROM ($keys) AS k \\gexec"
        echo measure
        echo "SELECT bench.expect('rows', count(*), $((turn * (20 + singles)))) FROM items WHERE $(written update_items);"
    } | measured "$1"
}

# Samplers. The samples of three turns are on the disk at the same time.
deletes()        { items soft_delete 'write_items delete_items' "$@"; }
item_updates()   { items timestamps 'write_items update_items' "$@"; }
change_singles() { items timestamps update_singly "$@"; }

items() {
    local turns=3
    turns "fill_items $1" "$2" "${@:3}"
}

# What the comparison before took.
elapsed() { cat "$work/clock"; }

# compare_on_cluster SAMPLER TITLE
compare_on_cluster() {
    local title="Citus, $2"
    wanted "$title" || return 0
    [ -d "$cluster" ] || start_cluster || die 'could not start a cluster of Citus'
    rm -f "$work/clock"
    compare 7 "$1" "$title" model 'written by hand' 1.05 by_hand
    BENCH_ROUNDS=1 compare 1 elapsed "$title, time of the clock" model 'written by hand' - by_hand
}

# A sample takes about half a second of processor time, or more.
if has_citus; then
    tenants=$((statement_rows / 20)) pieces=9
    compare_on_cluster deletes "soft DELETE, $statement_rows rows of $tenants tenants"
    compare_on_cluster item_updates "UPDATE, $statement_rows rows of $tenants tenants, timestamps"
    pieces=1
    compare_on_cluster change_singles 'UPDATE, single row, timestamps'
    tenants=1 pieces=17
    compare_on_cluster deletes "soft DELETE, $statement_rows rows of one tenant"
    compare_on_cluster item_updates "UPDATE, $statement_rows rows of one tenant, timestamps"
    stop_cluster
fi
