# shellcheck shell=bash disable=SC2154 # sourced by run
#
# UPDATE of a model, which stamps the row, and of a table with the same columns,
# defaults and constraints, where the client does. The variants are those of
# insert.sh, and tables with another trigger or none: "nothing", "both",
# "moddatetime" and "plain".

fill_table() { make_table "$1" && fill_rows "$1"; }

fill_rows() {
    { by; cat <<SQL
SET session_replication_role = replica;
INSERT INTO round.$1 (id, title, n :old_columns)
SELECT i, 'title ' || i, i :old_values FROM generate_series(-9, :rows) AS i;
RESET session_replication_role;
$(add_trigger "$1")
VACUUM (FREEZE, ANALYZE) round.$1;
SQL
    } | sql
}

add_trigger() {
    case $1 in
        nothing)     create_trigger "$1" BEFORE 'bench.nothing()' ;;
        both)        create_trigger "$1" BEFORE 'bench.nothing()'; create_trigger "$1" AFTER 'bench.nothing()' ;;
        moddatetime) create_trigger "$1" BEFORE "moddatetime('updated_at')" ;;
    esac
}

create_trigger() { echo "CREATE TRIGGER touch_$2 $2 UPDATE ON round.$1 FOR EACH ROW EXECUTE FUNCTION $3;"; }

assigned() { case $1 in by_hand) echo ':assignments' ;; esac; }

# In each statement, :first and :last are the rows that it is for.
in_bulk() { echo "UPDATE round.$1 AS t SET n = n + 1 $(assigned "$1") WHERE id BETWEEN :first AND :last;"; }

without_change() { echo "UPDATE round.$1 AS t SET n = n WHERE id BETWEEN :first AND :last;"; }

all_columns() {
    local i columns=
    for ((i = 1; i <= filler; i++)); do
        columns+=", c$i = c$i"
    done
    echo "UPDATE round.$1 AS t SET title = title, n = n + 1$columns $(assigned "$1") WHERE id BETWEEN :first AND :last;"
}

by_merge() {
    echo "MERGE INTO round.$1 AS t USING generate_series(:first, :last) AS i ON id = i
          WHEN MATCHED THEN UPDATE SET n = t.n + 1 $(assigned "$1");"
}

on_conflict() {
    echo "INSERT INTO round.$1 AS t (id, title, n) SELECT i, 'title', 0 FROM generate_series(:first, :last) AS i
          ON CONFLICT (id) DO UPDATE SET n = t.n + 1 $(assigned "$1");"
}

# change STATEMENT VARIANT: the rows of this turn.
change() {
    local share=$((rows / turns))
    {
        by
        printf '\\set first %s\n\\set last %s\n' -9 0
        "$1" "$2"
        printf '\\set first %s\n\\set last %s\n' $((share * (turn - 1) + 1)) $((share * turn))
        echo 'SELECT bench.start();'
        "$1" "$2"
        echo 'SELECT bench.stop();'
        check_stamps "$1" "$2"
    } >"$work/change.sql" && as "$2" spent sql <"$work/change.sql"
}

check_stamps() {
    local changed=':last - :first + 1'
    [ "$1" != without_change ] || changed=0
    check_rows 'changed rows' "$2" 'n = id + 1' "$changed"
    case $1:$2 in
        without_change:*) check_rows 'stamped rows' "$2" ':stamped' 0 ;;
        *:preloaded | *:trigger | *:by_hand) check_rows 'stamped rows' "$2" ':stamped' "$changed" ;;
    esac
}

# check_rows WHAT TABLE CONDITION COUNT
check_rows() {
    echo "SELECT bench.expect('$1', count(*), $4) FROM round.$2 WHERE ($3) AND id BETWEEN :first AND :last;"
}

# The same where psql is not there to replace it.
assigned_text() { case $1 in by_hand) value "SELECT assignments FROM bench.by_hand('{$mixins}')" ;; esac; }

# One row per transaction, as a client with prepared statements does.
change_singly() {
    as "$1" one_by_one 2000 <<SQL
\set id 1 + :turn * 7919 % :rows
UPDATE round.$1 AS t SET n = n + 1 $(assigned_text "$1") WHERE id = :id;
SQL
}

# The statement alone, which finds no row.
change_nothing() {
    as "$1" spent sql <<SQL
CREATE PROCEDURE round.change(times integer) LANGUAGE plpgsql AS \$\$
BEGIN
    FOR i IN 1..times LOOP
        UPDATE round.$1 AS t SET n = n + 1 $(assigned_text "$1") WHERE id = -1000;
    END LOOP;
END
\$\$;
CALL round.change(100);
SELECT bench.start();
CALL round.change(10000);
SELECT bench.stop();
DROP PROCEDURE round.change;
SQL
}

check_hot() {
    sql <<'SQL'
SELECT bench.expect('HOT updates', n_tup_hot_upd, n_tup_upd) FROM pg_stat_user_tables WHERE schemaname = 'round';
SQL
}

# updates STATEMENT VARIANT...: a sampler with its statement.
updates() {
    local statement=$1
    shift
    turns fill_table "change $statement" "$@" && check_hot
}

empty_updates()  { turns make_table change_nothing "$@"; }
single_updates() { turns fill_table change_singly "$@" && check_hot; }

# compare_updates MIXINS NAME WORK SAMPLER
compare_updates() {
    local mixins=$1 goal=1.03/1.01 besides=()
    [ "$4" != empty_updates ] || goal=1.01 besides=('the same columns, no stamps' - plain)
    compare 2 "$4" "$3, $2, preloaded" preloaded 'written by hand' $goal by_hand "${besides[@]}"
    compare 2 "$4" "$3, $2, trigger" trigger 'written by hand' - by_hand
}

for mixin in ${all_mixins//,/ } slug; do
    compare_updates "$mixin" "$mixin" 'UPDATE, bulk, HOT' 'updates in_bulk'
done

compare_both() {
    compare_updates timestamps timestamps "$@"
    compare_updates "$all_mixins" 'all mixins but slug and history' "$@"
}

compare_updates "$all_mixins" 'all mixins but slug and history' 'UPDATE, bulk, HOT' 'updates in_bulk'
compare_both 'UPDATE, single row' single_updates
compare_both 'UPDATE, no row' empty_updates
compare_both 'UPDATE, no change' 'updates without_change'
filler=36
compare_both 'UPDATE, 40 columns' 'updates in_bulk'
compare_both 'UPDATE, 40 columns, all assigned' 'updates all_columns'
filler=0
[ "$(value 'SHOW server_version_num')" -lt 150000 ] ||
    compare_both 'MERGE' 'updates by_merge'
compare_both 'ON CONFLICT DO UPDATE' 'updates on_conflict'

# Against other triggers.
mixins=timestamps
compare 2 'updates in_bulk' 'updated_at, bulk, HOT, trigger' trigger \
    'a C trigger that does nothing' 1.05 nothing \
    'contrib moddatetime'           0.92 moddatetime
compare 2 'updates in_bulk' 'updated_at, bulk, HOT, preloaded' preloaded \
    'contrib moddatetime'           0.75 moddatetime
compare 2 single_updates 'updated_at, single row, trigger' trigger \
    'no trigger'                    1.02 plain \
    'a C trigger that does nothing' -    nothing
