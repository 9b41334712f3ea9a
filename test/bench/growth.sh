# shellcheck shell=bash disable=SC2154 # sourced by run
#
# Growth: what a row costs in a statement of many rows against what it costs in
# one of few. Caches miss more often in a large table in any case: the same by
# hand shows how often. The variants are commands with a size.
#
#   BENCH_GROWTH   the largest size (ten times BENCH_ROWS)

largest=${BENCH_GROWTH:-$((10 * rows))}
few=1000

# fill_groups TABLE: so many parents with so many children each, by $groups and
# $size, and a parent 0 with a few.
fill_groups() {
    sql table="$1" child="$1_child" groups="$groups" size="$size" <<'SQL' || return
CREATE TABLE round.:table (LIKE dtmodel.soft_delete_mixin INCLUDING ALL, id bigint PRIMARY KEY);
CREATE TABLE round.:child (
    LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
    id bigint PRIMARY KEY,
    parent bigint NOT NULL REFERENCES round.:table ON DELETE CASCADE
);
CREATE INDEX ON round.:child (parent);
CREATE INDEX ON round.:child (deleted_at);
SET session_replication_role = replica;
INSERT INTO round.:table (id) SELECT i FROM generate_series(0, :groups) AS i;
INSERT INTO round.:child (id, parent) SELECT i, 0 FROM generate_series(-9, 0) AS i;
INSERT INTO round.:child (id, parent) SELECT i, 1 + (i - 1) / :size FROM generate_series(1, :groups * :size) AS i;
VACUUM (FREEZE, ANALYZE) round.:table, round.:child;
CREATE TABLE round.list (data jsonb);
SQL
    [ "$1" = hand ] || sql <<<"SELECT dtmodel.add_soft_delete('round.model'), dtmodel.add_soft_delete('round.model_child');"
}

# The works: what is measured, and what comes before it. A group of children is :g.
delete_children()    { echo 'DELETE FROM round.model_child WHERE parent = :g;'; }
delete_parent()      { echo 'DELETE FROM round.model WHERE id = :g;'; }
restore_parent()     { echo 'SELECT dtmodel.restore(NULL::round.model, :g);'; }
purge_children()     { echo "CALL dtmodel.purge('round.model_child', older_than => '0');"; }
bulk_create()        { echo 'SELECT count(*) FROM round.list, dtmodel.bulk_create(NULL::round.model, data);'; }
hand_mark()          { echo 'UPDATE round.hand_child SET is_deleted = true, deleted_at = now() WHERE parent = :g;'; }
hand_restore()       { echo 'UPDATE round.hand_child SET is_deleted = false, deleted_at = NULL WHERE parent = :g AND is_deleted;'; }
hand_purge()         { echo 'DELETE FROM round.hand_child WHERE is_deleted AND deleted_at < now();'; }
hand_bulk()          { echo 'INSERT INTO round.hand SELECT r.* FROM round.list, jsonb_populate_recordset(NULL::round.hand, data) AS r;'; }

before() {
    case $1 in
        restore_parent)             delete_parent ;;
        purge_children)             delete_children ;;
        hand_restore | hand_purge)  hand_mark ;;
        bulk_create | hand_bulk)
            echo 'TRUNCATE round.list;'
            echo "INSERT INTO round.list
                  SELECT jsonb_agg(jsonb_build_object('id', (:g + 1) * 100000000 + i, 'is_deleted', false))
                  FROM generate_series(1, CASE :g WHEN 0 THEN 10 ELSE $size END) AS i;" ;;
    esac
}

# grow TIER WORK SIZE: the cost of a row. Few rows are measured many times, after
# the first group has made the plans.
grow() {
    local work_done=$2 size=$3 table=model groups g
    case $work_done in hand*) table=hand ;; esac
    groups=$((size < 20000 ? 20000 / size : 1))
    sql <"$here/round.sql" && fill_groups $table || return
    {
        printf '\\set g 0\n'
        before "$work_done"
        "$work_done"
        for ((g = 1; g <= groups; g++)); do
            printf '\\set g %s\n' $g
            before "$work_done"
            echo 'SELECT bench.start();'
            "$work_done"
            echo 'SELECT bench.stop();'
        done
        check_growth "$work_done" $table
    } >"$work/growth.sql"
    as "$1" spent sql <"$work/growth.sql" | awk -v n=$((groups * size)) '{ print $1 / n, $2 / n }'
}

check_growth() {
    local expected=$((groups * size + 10)) found
    case $1 in
        *purge*)                        found="(SELECT $expected - count(*) FROM round.$2_child)" ;;
        *restore*)                      found="(SELECT count(*) FROM round.$2_child WHERE NOT is_deleted)" ;;
        bulk_create | hand_bulk)        found="(SELECT count(*) FROM round.$2 WHERE id > $groups)" ;;
        *)                              found="(SELECT count(*) FROM round.$2_child WHERE is_deleted)" ;;
    esac
    echo "SELECT bench.expect('rows', $found, $expected);"
}

# compare_growth NAME TIER WORK [LARGEST]
compare_growth() {
    local size=$largest
    [ "$size" -le "${4-$size}" ] || size=$4
    compare 1 apart "$1, a row of $size" "grow $2 $3 $size" "a row of $few" "$( [[ $3 = hand* ]] && echo - || echo 1.2)" "grow $2 $3 $few"
}

for tier in preloaded trigger; do
    compare_growth "DELETE, $tier" $tier delete_children
    compare_growth "cascade, $tier" $tier delete_parent
done
compare_growth 'the UPDATE by hand' none hand_mark
compare_growth restore preloaded restore_parent
compare_growth 'the UPDATE back by hand' none hand_restore
compare_growth purge preloaded purge_children
compare_growth 'the DELETE by hand' none hand_purge
# More objects do not fit into a jsonb.
compare_growth bulk_create preloaded bulk_create 1000000
compare_growth 'INSERT ... jsonb_populate_recordset' none hand_bulk 1000000
