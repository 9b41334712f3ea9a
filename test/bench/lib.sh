# shellcheck shell=bash disable=SC2154 # sourced by run
#
# compare ROUNDS SAMPLER WORK OURS { AGAINST GOAL THEIRS }...
#
# A row of the table for each thing that OURS is held AGAINST. GOAL is the
# largest acceptable ratio of our cost to theirs ("25 times faster" is 0.04), or
# - when there is none; RATIO/WAL is one for the WAL too. OURS and THEIRS are
# variants, words which the sampler understands.
#
# A sampler is a command that takes variants, lets each of them do the work, in
# that order or mixed, and prints a line "COST WAL VARIANT" for each, or so many
# for each. WAL is - where it is of no interest. It fails when a variant did not do its
# work. There are a few here; others are made of them. A cost is the processor
# time of a backend if the work does not say something else. Tables go into the
# schema "round", which is empty when a round begins.

rows=${BENCH_ROWS:-100000}
comparisons=0

die() {
    echo "$*" >&2
    exit 1
}

# sql [SETTING=VALUE...]: runs the SQL on standard input, which knows :rows and
# the settings as variables, and bench.expect(); prints no results.
sql() { psql -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -o /dev/null "${@/#/--set=}"; }

# spent COMMAND...: prints what the backend of a client spent between
# bench.start() and bench.stop(): milliseconds and bytes of WAL.
spent() {
    if ! "$@" >"$work/output" 2>&1; then
        cat "$work/output" >&2
        return 1
    fi
    awk '/INFO:  spent / { cpu += $(NF - 1); wal += $NF; n++ }
         END { if (n > 0) printf "%.4f %.0f\n", cpu, wal; else exit 1 }' "$work/output"
}

# preloaded COMMAND...: its sessions load the library when they begin.
preloaded() { PGOPTIONS="$PGOPTIONS -c session_preload_libraries=dtmodel" "$@"; }

# as VARIANT COMMAND...: the same for variants of this name alone.
as() {
    local variant=$1
    shift
    case $variant in
        preloaded | preloaded_*) preloaded "$@" ;;
        *)                       "$@" ;;
    esac
}

# one_by_one TRANSACTIONS: what so many transactions of the pgbench script on
# standard input cost. It knows :rows and :turn, which counts them from
# TRANSACTIONS * ($turn - 1); the first ones only make plans.
one_by_one() {
    local warm_up=20
    {
        echo '\set turn :turn + 1'
        printf '\\if :turn = %s\nSELECT bench.start();\n\\endif\n' "$(($1 * (turn - 1) + 1))"
        cat
        printf '\\if :turn = %s\nSELECT bench.stop();\n\\endif\n' "$(($1 * turn))"
    } >"$work/pgbench.sql"
    spent pgbench -n -M prepared -t "$((warm_up + $1))" -D turn="$(($1 * (turn - 1) - warm_up))" -D rows="$rows" \
        -f "$work/pgbench.sql"
}

prepare() {
    local pgxs
    pgxs=$(pg_config --pgxs)
    cp "$here/bench.c" "$work"
    make -s -C "$work" -f "$pgxs" PGXS="$pgxs" MODULES=bench with_llvm=no >"$work/make.log" 2>&1 ||
        die "could not build bench.c: $(cat "$work/make.log")"
    cat "$here"/{expect,prepare}.sql | sql library="$work/bench" || die 'could not prepare the database'
}

# What psql prints for a query, without anything around it.
value() { psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$1"; }

# wanted WORK: whether BENCH_ONLY asks for it.
wanted() { [[ "$area: $1" =~ ${BENCH_ONLY-} ]]; }

compare() {
    local rounds=${BENCH_ROUNDS:-$1} sampler=$2 title=$3 ours=$4 round
    shift 4
    wanted "$title" || return 0
    comparisons=$((comparisons + 1))
    for ((round = 1; round <= rounds; round++)); do
        sample "$@" || die "failed: $area: $title"
    done
}

# One round; every second one reverses the order of the variants.
sample() {
    local variants=("$ours") i
    for ((i = 3; i <= $#; i += 3)); do
        ((round % 2)) && variants+=("${!i}") || variants=("${!i}" "${variants[@]}")
    done
    sql <"$here/round.sql" && $sampler "${variants[@]}" >"$work/costs" || return
    echo "$area: $title ($round of $rounds):" "$(paste -s -d, "$work/costs")" >&2
    while [ $# -gt 0 ]; do
        pairs "$@" || return
        shift 3
    done >>"$work/samples"
}

# pairs AGAINST GOAL THEIRS: a line for each time that both variants worked.
pairs() {
    awk -v OFS='\t' -v comparison="$comparisons" -v area="$area" -v title="$title" -v against="$1" -v goal="$2" \
        -v ours="$ours" -v theirs="$3" '
        {
            variant = $0
            sub(/^[^ ]+ [^ ]+ /, "", variant)
            times = ++n[variant]
            cost[variant, times] = $1
            wal[variant, times] = $2 == "-" ? "\\N" : $2
        }
        END {
            split(goal "/", goals, "/")
            for (i = 1; i <= 2; i++) if (goals[i] == "-" || goals[i] == "") goals[i] = "\\N"
            for (i = 1; i <= n[ours]; i++)
                print comparison, area, title, against, goals[1], goals[2],
                    cost[ours, i], cost[theirs, i], wal[ours, i], wal[theirs, i]
            exit !(n[ours] > 0 && n[ours] == n[theirs])
        }' "$work/costs"
}

# The sampler whose variants are commands that print what they cost.
apart() {
    local variant cost
    for variant; do
        # A variant may have arguments.
        # shellcheck disable=SC2086
        cost=$($variant) && [ -n "$cost" ] || return
        echo "$cost $variant"
    done
}

# turns FILL WORK VARIANT...: for a sampler. After "FILL VARIANT" for each of
# them, "WORK VARIANT" prints what it costs, in turns: whatever else the machine
# does hits them all alike. $turn counts from 1 to $turns.
turns=5
turns() {
    local fill=$1 work_done=$2 variant variants turn cost
    shift 2
    variants=("$@")
    for variant; do
        # shellcheck disable=SC2086
        $fill "$variant" || return
    done
    for ((turn = 1; turn <= turns; turn++)); do
        for variant in "${variants[@]}"; do
            # shellcheck disable=SC2086
            cost=$($work_done "$variant") && [ -n "$cost" ] || return
            echo "$cost $variant"
        done
        reverse
    done
}

# Reverses the order of the variants.
reverse() {
    local variant reversed=()
    for variant in "${variants[@]}"; do
        reversed=("$variant" "${reversed[@]}")
    done
    variants=("${reversed[@]}")
}

# The sampler whose variants are SQL expressions: the cost of evaluating them. A
# function that takes many arguments costs little, next to those arguments.
calls() { turns : call "$@"; }

call() {
    local arguments
    arguments=$(yes "$1," | head -n 49)
    spent sql <<SQL
CREATE FUNCTION pg_temp.call(bigint, bigint) RETURNS bigint LANGUAGE sql AS \$\$
    SELECT count(*) FROM generate_series(\$1, \$2) AS i WHERE num_nulls($arguments $1) > 0
\$\$;
SELECT pg_temp.call(1, 1);
SELECT bench.start();
SELECT pg_temp.call(1, :rows / 20);
SELECT bench.stop();
SQL
}

# The table, and the charts where gnuplot is there to draw them.
report() {
    [ "$comparisons" -gt 0 ] || die "nothing matches BENCH_ONLY=$BENCH_ONLY"
    mkdir -p results || return
    {
        echo 'CREATE TEMPORARY TABLE sample (comparison integer, area text, title text, against text, goal numeric,
                  wal_goal numeric, ours numeric, theirs numeric, our_wal numeric, their_wal numeric);'
        echo 'COPY sample FROM STDIN;'
        cat "$work/samples"
        echo '\.'
        cat "$here/report.sql"
    } | psql -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -v whole="$([ -n "${BENCH_ONLY-}" ] && echo false || echo true)" \
        -v chart="$work/chart.tsv" -v ratios="$work/ratios.tsv" -P footer=off -P pager=off |
        tee results/bench.txt
    command -v gnuplot >/dev/null || return 0
    draw chart 16 >results/bench.svg
    draw ratios 24 >results/bench-ratios.svg
}

# draw NAME HEIGHT: the chart of what is in NAME.tsv, so many pixels a label,
# with as many columns beside it as the longest label needs.
draw() {
    local lines columns
    lines=$(cut -f 1 "$work/$1.tsv" | uniq | wc -l)
    columns=$(cut -f 2 "$work/$1.tsv" | wc -L)
    [ "$lines" -eq 0 ] || gnuplot -e "lines = $lines; columns = $columns; height = $(($2 * lines + 90));
        data = '$work/$1.tsv'" "$here/$1.gp"
}
