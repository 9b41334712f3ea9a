# shellcheck shell=bash disable=SC2154 # sourced by run
#
# The audit mixin together with timestamps, and every mixin together: UPDATE,
# which moves updated_by and updated_at. The variants are tables with the same
# columns: "model" has audit and timestamps, "whole" has every mixin that there
# is, "timestamps" only that one, "nothing" an empty trigger and "plain" none.

# fill_entries UPDATER TABLE...
fill_entries() {
    local updater=$1 table
    shift
    for table; do
        sql table="$table" updater="$updater" <<'SQL' || return
CREATE TABLE round.:table (
    id bigint PRIMARY KEY,
    title text NOT NULL,
    slug text,
    is_deleted boolean NOT NULL DEFAULT false,
    deleted_at timestamptz,
    created_by text,
    updated_by text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 40);
INSERT INTO round.:table (id, title, slug, created_by, updated_by, created_at, updated_at)
SELECT i, 'title ' || i, 'title-' || i, 'someone', :'updater', '2024-01-01', '2024-01-01'
FROM generate_series(1, :rows) AS i;
SQL
        add_mixins "$table" | sql table="$table" || return
        sql table="$table" <<<'VACUUM (FREEZE, ANALYZE) round.:table;' || return
    done
}

add_mixins() {
    case $1 in
        model | whole) echo "SELECT dtmodel.add_audit('round.$1'), dtmodel.add_timestamps('round.$1');" ;;
        timestamps)    echo "SELECT dtmodel.add_timestamps('round.$1');" ;;
        nothing)       echo "CREATE TRIGGER touch BEFORE UPDATE ON round.$1 FOR EACH ROW EXECUTE FUNCTION bench.nothing();" ;;
    esac
    case $1 in
        whole) echo "SELECT dtmodel.add_soft_delete('round.$1'), dtmodel.add_slug('round.$1', 'title');" ;;
    esac
}

# How many rows fell to a variant is up to chance.
check_entries() {
    local table
    for table; do
        case $table in model | whole) sql table="$table" || return ;; esac
    done <<'SQL'
SELECT bench.expect('stamped rows', count(*) FILTER (WHERE updated_by = 'alice' AND updated_at > '2024-01-01'),
                                    count(*) FILTER (WHERE title LIKE '%x')),
       bench.expect('kept rows', count(*) FILTER (WHERE created_by = 'someone' AND created_at = '2024-01-01'), :rows)
FROM round.:table;
SELECT bench.expect('HOT updates', n_tup_hot_upd, n_tup_upd)
FROM pg_stat_user_tables WHERE schemaname = 'round' AND relname = :'table';
SQL
}

change_many() {
    echo "UPDATE round.$1 SET title = title || 'x' WHERE id > (:turn - 1) * (:rows / 100) AND id <= :turn * (:rows / 100);"
}

change_one() {
    echo "\\set id 1 + (:turn * 7919) % :rows"
    echo "UPDATE round.$1 SET title = 'x' WHERE id = :id;"
}

as_alice()    { PGOPTIONS="$PGOPTIONS -c dtmodel.actor=alice" "$@"; }

same_actor()  { fill_entries alice "$@" && as_alice mixed 100 change_many "$@" && check_entries "$@"; }
other_actor() { fill_entries bob "$@" && as_alice mixed 100 change_many "$@" && check_entries "$@"; }
one_entry()   { fill_entries alice "$@" && as_alice mixed "$((rows / 2))" change_one "$@" && check_entries "$@"; }

compare 15 same_actor 'audit and timestamps, bulk UPDATE, HOT' model \
    'a C trigger that does nothing' - nothing \
    'timestamps alone'              - timestamps
compare 15 other_actor 'the same, by another actor than before' model \
    'a C trigger that does nothing' - nothing \
    'timestamps alone'              - timestamps
compare 15 same_actor 'every mixin together, bulk UPDATE, HOT' whole \
    'timestamps alone'              - timestamps \
    'no trigger'                    - plain
compare 9 one_entry 'every mixin together, pgbench single row' whole \
    'timestamps alone'              - timestamps \
    'no trigger'                    - plain
