# shellcheck shell=bash disable=SC2154 # sourced by run
#
# Soft delete, by the trigger and by the planner where the library is preloaded.
# The variants are tables: DELETE on a model, and the UPDATE that an application
# writes on a table that is no model, "checked" with the CHECK that models have
# and "plain" without it.

# fill_posts FILLFACTOR TABLE...
fill_posts() {
    local fillfactor=$1 table
    shift
    for table; do
        sql table="$table" fillfactor="$fillfactor" <<'SQL' || return
CREATE TABLE round.:table (
    id bigint PRIMARY KEY,
    title text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    is_deleted boolean NOT NULL DEFAULT false,
    deleted_at timestamptz
) WITH (fillfactor = :fillfactor);
INSERT INTO round.:table
SELECT i, 'title ' || i, repeat('x', 60 + i % 40), timestamptz '2024-01-01' + i * interval '1 s'
FROM generate_series(1, :rows) AS i;
CREATE INDEX ON round.:table (created_at);
VACUUM (FREEZE, ANALYZE) round.:table;
SQL
        case $table in
            model)   echo "SELECT dtmodel.add_soft_delete('round.model');" ;;
            checked) echo "ALTER TABLE round.checked ADD CHECK ((is_deleted IS TRUE) = (deleted_at IS NOT NULL));" ;;
        esac | sql || return
    done
}

# check_posts DELETED
check_posts() {
    sql deleted="$1" <<'SQL'
SELECT bench.expect('updates', sum(n_tup_upd), :deleted),
       bench.expect('physical deletes', sum(n_tup_del), 0)
FROM pg_stat_user_tables WHERE schemaname = 'round';
SET enable_indexscan = off;
SET enable_bitmapscan = off;
CREATE TEMPORARY TABLE deleted AS
SELECT count(*) AS posts FROM round.model WHERE is_deleted AND deleted_at IS NOT NULL;
RESET ALL;
SET enable_seqscan = off;
SELECT bench.expect('deleted rows', posts, (SELECT n_tup_upd FROM pg_stat_user_tables WHERE relid = 'round.model'::regclass)),
       bench.expect('deleted rows by index', posts, (SELECT count(*) FROM round.model WHERE is_deleted AND created_at > '2024-01-01'))
FROM deleted;
SQL
}

mark() {
    case $1 in
        model) echo "DELETE FROM round.$1 WHERE $2;" ;;
        *)     echo "UPDATE round.$1 SET is_deleted = true, deleted_at = now() WHERE $2;" ;;
    esac
}

mark_many() { mark "$1" 'id > (:turn - 1) * (:rows / 400) AND id <= :turn * (:rows / 400)'; }

mark_one() {
    echo '\set id 1 + (:turn * 7919) % :rows'
    mark "$1" 'id = :id'
}

with_index_work() { fill_posts 100 "$@" && mixed 400 mark_many "$@" && check_posts "$rows"; }
hot()             { fill_posts 45 "$@" && mixed 400 mark_many "$@" && check_posts "$rows"; }
single_row()      { fill_posts 70 "$@" && mixed "$((rows / 2))" mark_one "$@" && check_posts "$((rows / 2))"; }
preloaded()            { PGOPTIONS="$PGOPTIONS -c session_preload_libraries=dtmodel" "$@"; }
preloaded_hot()        { preloaded hot "$@"; }
preloaded_single_row() { preloaded single_row "$@"; }

compare 11 with_index_work 'soft DELETE, bulk, index work' model \
    'explicit UPDATE'           1.05 checked \
    'explicit UPDATE, no CHECK' -    plain
compare 11 hot 'soft DELETE, bulk, HOT' model \
    'explicit UPDATE'           1.35 checked \
    'explicit UPDATE, no CHECK' -    plain
compare 7 single_row 'soft DELETE, pgbench single row' model \
    'explicit UPDATE'           1.05 checked \
    'explicit UPDATE, no CHECK' -    plain
compare 7 preloaded_hot 'soft DELETE, preloaded, bulk, HOT' model \
    'explicit UPDATE'           1.02 checked
compare 7 preloaded_single_row 'soft DELETE, preloaded, pgbench single row' model \
    'explicit UPDATE'           1.02 checked

# Reads: the model hides half of its rows, the others say what they want.
hide_posts() {
    fill_posts 100 "$@" && sql <<'SQL' || return
SELECT dtmodel.add_soft_delete('round.model', hide => true);
UPDATE round.model SET is_deleted = true WHERE id % 2 = 0;
UPDATE round.checked SET is_deleted = true, deleted_at = now() WHERE id % 2 = 0;
SELECT bench.expect('hidden posts', count(*), :rows / 2) FROM round.model;
VACUUM (FREEZE, ANALYZE) round.model, round.checked;
SQL
}

live_posts() {
    case $1 in
        model) echo "SELECT $2 FROM round.model WHERE $3;" ;;
        *)     echo "SELECT $2 FROM round.$1 WHERE $3 AND NOT is_deleted;" ;;
    esac
}

read_one() {
    echo '\set id 1 + (:turn * 7919) % :rows'
    live_posts "$1" '*' 'id = :id'
}

read_many() { live_posts "$1" 'count(body)' "created_at > '2024-01-01'"; }

hidden_row()  { preloaded hide_posts "$@" && preloaded mixed "$((rows / 2))" read_one "$@"; }
hidden_scan() { preloaded hide_posts "$@" && preloaded mixed 400 read_many "$@"; }

compare 7 hidden_scan 'hidden rows, scan' model \
    'WHERE NOT is_deleted' 1.02 checked
compare 7 hidden_row 'hidden rows, pgbench single row' model \
    'WHERE NOT is_deleted' 1.02 checked

# One parent and all its children: the model by a DELETE that cascades, the
# others by the two UPDATEs that an application would run.
fill_family() {
    sql table="$1" child="${1}_child" <<'SQL'
CREATE TABLE round.:table (LIKE dtmodel.soft_delete_mixin INCLUDING ALL, id int PRIMARY KEY);
CREATE TABLE round.:child (
    LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
    id int PRIMARY KEY,
    parent int NOT NULL REFERENCES round.:table ON DELETE CASCADE
);
CREATE INDEX ON round.:child (parent);
INSERT INTO round.:table (id) VALUES (1), (2);
INSERT INTO round.:child (id, parent) SELECT i, 1 + i % 2 FROM generate_series(1, 2 * :rows) AS i;
VACUUM (FREEZE, ANALYZE) round.:table, round.:child;
SQL
}

delete_family() {
    case $1 in
        model) echo "DELETE FROM round.model WHERE id = 1;" ;;
        *)     echo "UPDATE round.$1 SET is_deleted = true, deleted_at = now() WHERE id = 1;
                     UPDATE round.$1_child SET is_deleted = true, deleted_at = now() WHERE parent = 1 AND NOT is_deleted;" ;;
    esac
}

add_family_models() {
    sql <<'SQL'
SELECT dtmodel.add_soft_delete('round.model'), dtmodel.add_soft_delete('round.model_child');
SQL
}

cascade() {
    local variant cost
    for variant; do
        fill_family "$variant" || return
    done
    add_family_models || return
    for variant; do
        cost=$(printf '\\timing on\nBEGIN;\n%s\nCOMMIT;\n' "$(delete_family "$variant")" | whole) || return
        echo "$cost $variant"
        sql table="${variant}_child" <<'SQL' || return
SELECT bench.expect('children', count(*), :rows) FROM round.:table WHERE is_deleted AND deleted_at IS NOT NULL;
SQL
    done
}

# The milliseconds of all timed statements together.
whole() { timed | awk '{ sum += $1 } END { if (NR > 0) print sum }'; }

compare 7 cascade 'cascade, 1 parent, bulk children' model \
    'the same UPDATEs' - checked
