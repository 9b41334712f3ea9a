# shellcheck shell=bash disable=SC2154 # sourced by run
#
# INSERT and COPY into a model, and into a table with the same columns, defaults
# and constraints, where the client writes who it is. The variants are tables:
# the model in a session that preloads the library ("preloaded") and in one that
# does not ("trigger"), and the other one ("by_hand"). "preloaded_without" and
# "trigger_without" are the model without its last mixin.

# make_table VARIANT: with $mixins and $filler more columns.
make_table() {
    local maker=make_model made=$mixins
    case $1 in
        preloaded | trigger) ;;
        *_without)           made=${mixins%,*} ;;
        *)                   maker=make_twin ;;
    esac
    sql <<<"SELECT bench.$maker('$1', '{$made}', ${filler:-0});"
}

# The columns and values that the client of a variant writes. They need "by".
written_columns() { case $1 in by_hand) echo ':new_columns' ;; esac; }
written_values()  { case $1 in by_hand) echo ':new_values' ;; esac; }
by() { echo "SELECT * FROM bench.by_hand('{$mixins}') \\gset"; }

# insert_rows FIRST LAST VARIANT
insert_rows() {
    echo "INSERT INTO round.$3 (id, title, n$(written_columns "$3"))
          SELECT i, 'title ' || i, i$(written_values "$3") FROM generate_series($1, $2) AS i;"
}

# A file of its own for each, which the client has made before.
copy_file() { echo "COPY round.$3 (id, title, n$(written_columns "$3")) FROM '$work/$3.$2.copy';"; }

copy_rows() {
    local file="$work/$3.$2.copy"
    [ -e "$file" ] || write_file "$@" >"$file" || return
    copy_file "$@"
}

write_file() {
    { by && echo "SELECT i, 'title ' || i, i$(written_values "$3") FROM generate_series($1, $2) AS i;"; } |
        psql -X -q -A -t -F $'\t' -v ON_ERROR_STOP=1
}

# insertion WORK VARIANT: into the table that is empty again.
insertion() {
    local last=$((3 * rows / turns))
    {
        by
        echo "TRUNCATE round.$2;"
        "$1" -9 0 "$2"
        echo 'SELECT bench.start();'
        "$1" 1 "$last" "$2"
        echo 'SELECT bench.stop();'
        echo "SELECT bench.expect('rows', count(*), $last + 10) FROM round.$2;"
    } >"$work/insertion.sql" && as "$2" spent sql <"$work/insertion.sql"
}

inserts() { rm -f "$work"/*.copy && turns make_table 'insertion insert_rows' "$@"; }
copies()  { rm -f "$work"/*.copy && turns make_table 'insertion copy_rows' "$@"; }

# What has to be found out when a row is inserted costs more.
insert_goal() {
    case $1 in
        timestamps | soft_delete | timestamps,soft_delete | version) echo 1.02/1.01 ;;
        *audit* | *settings*)                                        echo 1.15/1.01 ;;
        *)                                                           echo - ;;
    esac
}

# compare_inserts MIXINS NAME
compare_inserts() {
    local mixins=$1 tier
    for tier in preloaded trigger; do
        compare 2 copies "COPY, $2, $tier" "$tier" 'the table alone' "$(insert_goal "$1")" by_hand
        compare 2 inserts "INSERT ... SELECT, $2, $tier" "$tier" 'the table alone' "$(insert_goal "$1")" by_hand
    done
}

# A slug is made of what is inserted, and a history needs another mixin; slug.sh
# and history.sh have those.
all_mixins=$(value "SELECT string_agg(mixin, ',') FROM dtmodel.mixins() WHERE mixin NOT IN ('slug', 'history')")
for mixin in ${all_mixins//,/ }; do
    compare_inserts "$mixin" "$mixin"
done
compare_inserts timestamps,soft_delete 'timestamps and soft_delete'
compare_inserts "$all_mixins" 'all mixins but slug and history'
