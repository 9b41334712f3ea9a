# shellcheck shell=bash disable=SC2154 # sourced by run
#
# The timestamp mixin: UPDATE, which moves updated_at and keeps created_at. The
# variants are tables with one trigger or none.

fill_notes() {
    local table
    for table; do
        sql table="$table" <<'SQL' || return
CREATE TABLE round.:table (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 45);
INSERT INTO round.:table
SELECT i, 'name ' || i, '2024-01-01', '2024-01-01' FROM generate_series(1, :rows) AS i;
VACUUM (FREEZE, ANALYZE) round.:table;
SQL
        add_trigger "$table" | sql table="$table" || return
    done
}

add_trigger() {
    case $1 in
        model)       echo "SELECT dtmodel.add_timestamps('round.model');" ;;
        nothing)     create_trigger 'bench.nothing()' ;;
        moddatetime) create_trigger "moddatetime('updated_at')" ;;
    esac
}

create_trigger() { echo "CREATE TRIGGER touch BEFORE UPDATE ON round.:table FOR EACH ROW EXECUTE FUNCTION $1;"; }

# check_notes UPDATED
check_notes() {
    sql updated="$1" <<'SQL'
SELECT bench.expect('updates', sum(n_tup_upd), :updated),
       bench.expect('HOT updates', sum(n_tup_hot_upd), :updated)
FROM pg_stat_user_tables WHERE schemaname = 'round';
SELECT bench.expect('stamped rows', count(*) FILTER (WHERE updated_at > '2024-01-01'),
                                    count(*) FILTER (WHERE name LIKE '%x')),
       bench.expect('kept rows', count(*) FILTER (WHERE created_at = '2024-01-01'), :rows)
FROM round.model;
SQL
}

update_notes() {
    fill_notes "$@" && mixed 400 update_many "$@" && check_notes "$rows"
}

update_many() {
    echo "UPDATE round.$1 SET name = name || 'x' WHERE id > (:turn - 1) * (:rows / 400) AND id <= :turn * (:rows / 400);"
}

update_note() {
    fill_notes "$@" && mixed "$((rows / 2))" update_one "$@" && check_notes "$((rows / 2))"
}

update_one() {
    echo "\\set id 1 + (:turn * 7919) % :rows"
    echo "UPDATE round.$1 SET name = 'x' WHERE id = :id;"
}

compare 11 update_notes 'updated_at, bulk UPDATE, HOT' model \
    'a C trigger that does nothing' 1.05 nothing \
    'contrib moddatetime'           0.82 moddatetime
compare 7 update_note 'updated_at, pgbench single row' model \
    'no trigger'                    1.02 plain \
    'a C trigger that does nothing' -    nothing
