# shellcheck shell=bash disable=SC2154 # sourced by run
#
# Soft delete, by the trigger and by the planner where the library is preloaded.
# The variants are tables: DELETE on a model in a session that preloads the
# library ("preloaded") and in one that does not ("trigger"), and the UPDATE that
# an application writes on a table that is not a model, "checked" with the CHECK
# that models have and "plain" without it.

# fill_posts FILLFACTOR VARIANT
fill_posts() {
    sql table="$2" fillfactor="$1" <<'SQL' || return
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
FROM generate_series(-9, :rows) AS i;
CREATE INDEX ON round.:table (created_at);
VACUUM (FREEZE, ANALYZE) round.:table;
SQL
    case $2 in
        preloaded | trigger) echo "SELECT dtmodel.add_soft_delete('round.$2');" ;;
        checked)             echo "ALTER TABLE round.$2 ADD CHECK ((is_deleted IS TRUE) = (deleted_at IS NOT NULL));" ;;
    esac | sql
}

# check_posts DELETED VARIANT...
check_posts() {
    local deleted=$1 table
    shift
    for table; do
        sql table="$table" deleted="$deleted" <<'SQL' || return
SELECT bench.expect('updates', n_tup_upd, :deleted), bench.expect('physical deletes', n_tup_del, 0)
FROM pg_stat_user_tables WHERE schemaname = 'round' AND relname = :'table';
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SELECT bench.expect('deleted rows', count(*), :deleted) FROM round.:table WHERE is_deleted AND deleted_at IS NOT NULL;
RESET ALL;
SET enable_seqscan = off;
SELECT bench.expect('deleted rows by index', count(*), :deleted) FROM round.:table WHERE is_deleted AND created_at > '2023-01-01';
SQL
    done
}

# mark VARIANT CONDITION
mark() {
    case $1 in
        preloaded* | trigger*) echo "DELETE FROM round.$1 WHERE $2;" ;;
        *)                     echo "UPDATE round.$1 SET is_deleted = true, deleted_at = now() WHERE $2;" ;;
    esac
}

mark_many() {
    as "$1" spent sql <<SQL
$(mark "$1" "id = 1 - $turn")
SELECT bench.start();
$(mark "$1" "id > :rows / $turns * ($turn - 1) AND id <= :rows / $turns * $turn")
SELECT bench.stop();
SQL
}

mark_one() {
    as "$1" one_by_one 2000 <<SQL
\set id 1 + (:turn * 7919) % :rows
$(mark "$1" 'id = :id')
SQL
}

deleted_in_bulk=$((rows / turns * turns + turns))
deletes_with_index_work() { turns 'fill_posts 100' mark_many "$@" && check_posts "$deleted_in_bulk" "$@"; }
hot_deletes()             { turns 'fill_posts 45' mark_many "$@" && check_posts "$deleted_in_bulk" "$@"; }
single_deletes()          { turns 'fill_posts 70' mark_one "$@"; }

compare 2 deletes_with_index_work 'soft DELETE, bulk, index work, preloaded' preloaded \
    'explicit UPDATE'           1.02/1.01 checked
compare 2 deletes_with_index_work 'soft DELETE, bulk, index work, trigger' trigger \
    'explicit UPDATE'           1.05 checked \
    'explicit UPDATE, no CHECK' -    plain
compare 2 hot_deletes 'soft DELETE, bulk, HOT, preloaded' preloaded \
    'explicit UPDATE'           1.02/1.01 checked
compare 2 hot_deletes 'soft DELETE, bulk, HOT, trigger' trigger \
    'explicit UPDATE'           1.35 checked \
    'explicit UPDATE, no CHECK' -    plain
compare 2 single_deletes 'soft DELETE, single row, preloaded' preloaded \
    'explicit UPDATE'           1.02/1.01 checked
compare 2 single_deletes 'soft DELETE, single row, trigger' trigger \
    'explicit UPDATE'           1.05 checked \
    'explicit UPDATE, no CHECK' -    plain

# Reads: the model hides half of its rows, the query of the other table leaves
# them out.
hide_posts() {
    fill_posts 100 "$1" && sql table="$1" <<'SQL' || return
SELECT dtmodel.add_soft_delete(('round.' || :'table')::regclass, hide => true) WHERE :'table' = 'preloaded';
UPDATE round.:table SET is_deleted = true, deleted_at = now() WHERE id % 2 = 0;
VACUUM (FREEZE, ANALYZE) round.:table;
SQL
    [ "$1" = checked ] || preloaded sql <<<"SELECT bench.expect('posts', count(*), :rows / 2) FROM round.preloaded WHERE id > 0;"
}

# live_posts VARIANT RESULT CONDITION
live_posts() {
    case $1 in
        preloaded) echo "SELECT $2 FROM round.$1 WHERE $3;" ;;
        *)         echo "SELECT $2 FROM round.$1 WHERE $3 AND NOT is_deleted;" ;;
    esac
}

read_one() {
    as "$1" one_by_one 2000 <<SQL
\set id 1 + (:turn * 7919) % :rows
$(live_posts "$1" '*' 'id = :id')
SQL
}

read_many() {
    as "$1" spent sql <<SQL
$(live_posts "$1" 'count(body)' 'id = 1')
SELECT bench.start();
$(live_posts "$1" 'count(body)' "created_at > '2023-01-01'")
SELECT bench.stop();
SQL
}

hidden_row()  { turns hide_posts read_one "$@"; }
hidden_scan() { turns hide_posts read_many "$@"; }

compare 2 hidden_scan 'hidden rows, scan' preloaded \
    'WHERE NOT is_deleted' 1.02 checked
compare 2 hidden_row 'hidden rows, single row' preloaded \
    'WHERE NOT is_deleted' 1.02 checked

# Parents and all their children: the model by a DELETE that cascades, the other
# one by the two UPDATEs that an application would run. A turn has so many
# $parents with so many $children each.
fill_family() {
    sql table="$1" child="${1}_child" parents="$((parents * (turns + 1)))" children="$children" <<'SQL' || return
CREATE TABLE round.:table (LIKE dtmodel.soft_delete_mixin INCLUDING ALL, id int PRIMARY KEY);
CREATE TABLE round.:child (
    LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
    id int PRIMARY KEY,
    parent int NOT NULL REFERENCES round.:table ON DELETE CASCADE
);
CREATE INDEX ON round.:child (parent);
INSERT INTO round.:table (id) SELECT i FROM generate_series(-9, :parents) AS i;
INSERT INTO round.:child (id, parent) SELECT i, i FROM generate_series(-9, 0) AS i;
INSERT INTO round.:child (id, parent) SELECT i, 1 + i % :parents FROM generate_series(1, :parents * :children) AS i;
VACUUM (FREEZE, ANALYZE) round.:table, round.:child;
SQL
    case $1 in
        preloaded | trigger) sql <<<"SELECT dtmodel.add_soft_delete('round.$1'), dtmodel.add_soft_delete('round.$1_child');"
    esac
}

# delete_family VARIANT FIRST LAST
delete_family() {
    mark "$1" "id BETWEEN $2 AND $3"
    case $1 in
        checked) mark "$1_child" "parent IN (SELECT id FROM round.$1 WHERE id BETWEEN $2 AND $3) AND NOT is_deleted" ;;
    esac
}

delete_families() {
    as "$1" spent sql table="$1_child" <<SQL
$(delete_family "$1" "-$turn" "-$turn")
SELECT bench.start();
BEGIN;
$(delete_family "$1" $((parents * (turn - 1) + 1)) $((parents * turn)))
COMMIT;
SELECT bench.stop();
SELECT bench.expect('children', count(*), $parents * $children * $turn + $turn)
FROM round.:table WHERE is_deleted AND deleted_at IS NOT NULL;
SQL
}

# cascade PARENTS CHILDREN TURNS VARIANT...: a sampler with its size.
cascade() {
    local parents=$1 children=$2 turns=$3
    shift 3
    turns fill_family delete_families "$@"
}

for tier in preloaded trigger; do
    compare 2 "cascade 1 $rows 2" "cascade, 1 parent, $rows children, $tier" $tier \
        'the same UPDATEs' 1.05/1.01 checked
    compare 2 "cascade $((rows / 50)) 10 3" "cascade, $((rows / 50)) parents, 10 children each, $tier" $tier \
        'the same UPDATEs' 1.05/1.01 checked
done
