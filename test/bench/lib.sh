# shellcheck shell=bash disable=SC2154 # sourced by run
#
# compare ROUNDS SAMPLER WORK OURS { AGAINST GOAL THEIRS }...
#
# A row of the table for each thing that OURS is held AGAINST. GOAL is the
# greatest good ratio of our cost to theirs ("25 times faster" is 0.04), or -
# when there is none. OURS and THEIRS are variants, words which the sampler
# understands.
#
# A sampler is a command that takes variants, lets each of them do the work, in
# that order or mixed, and prints a line "COST VARIANT" for each. It fails when
# a variant did not do its work. There are two here; others are made of "mixed".
# Tables go into the schema "round", which is empty when a round begins.

rows=${BENCH_ROWS:-100000}
comparisons=0

die() {
    echo "$*" >&2
    exit 1
}

# sql [SETTING=VALUE...]: runs the SQL on standard input, which knows :rows and
# the settings as variables, and bench.expect(); prints no results.
sql() { psql -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -o /dev/null "${@/#/--set=}"; }

# The milliseconds that the statement after \timing on took.
timed() { sql | sed -nE 's/^Time: ([0-9.]+) ms.*/\1/p'; }

prepare() {
    local pgxs
    pgxs=$(pg_config --pgxs)
    cp "$here/nothing.c" "$work"
    make -s -C "$work" -f "$pgxs" PGXS="$pgxs" MODULES=nothing with_llvm=no >"$work/make.log" 2>&1 ||
        die "could not build nothing.c: $(cat "$work/make.log")"
    sql nothing="$work/nothing" <"$here/prepare.sql" || die 'could not prepare the database'
}

compare() {
    local rounds=${BENCH_ROUNDS:-$1} sampler=$2 title=$3 ours=$4 round
    shift 4
    [[ "$area: $title" =~ ${BENCH_ONLY-} ]] || return 0
    comparisons=$((comparisons + 1))
    for ((round = 1; round <= rounds; round++)); do
        sample "$@" || die "failed: $area: $title"
    done
}

# One round; every second one turns the order of the variants round.
sample() {
    local variants=("$ours") costs cost variant i
    local -A cost_of
    for ((i = 3; i <= $#; i += 3)); do
        ((round % 2)) && variants+=("${!i}") || variants=("${!i}" "${variants[@]}")
    done
    sql <"$here/round.sql" && costs=$("$sampler" "${variants[@]}") || return
    while read -r cost variant; do
        [ -n "$variant" ] || return
        cost_of[$variant]=$cost
    done <<<"$costs"
    echo "$area: $title ($round of $rounds):" "${costs//$'\n'/, }" >&2
    for (( ; $# > 0; )); do
        printf '%s\t' "$comparisons" "$title" "$1" "$2" "${cost_of[$ours]}" "${cost_of[$3]}"
        echo
        shift 3
    done >>"$work/samples"
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

# The sampler whose variants are SQL expressions: the cost of evaluating them. A
# function that takes many arguments costs little, next to those arguments.
calls() {
    local variant cost arguments
    for variant; do
        arguments=$(yes "$variant," | head -n 49)
        cost=$(timed <<<"\\timing on
                         SELECT count(*) FROM generate_series(1, :rows / 5) AS i
                         WHERE num_nulls($arguments $variant) > 0;") && [ -n "$cost" ] || return
        echo "$cost $variant"
    done
}

# mixed TRANSACTIONS SCRIPT VARIANT...: for a sampler. "SCRIPT VARIANT" prints a
# pgbench script, and so many transactions are run, each of a variant at random:
# whatever else the machine does hits them all alike. A script knows :rows and
# :turn, which counts the transactions. The cost of one is in microseconds.
mixed() {
    local transactions=$1 script=$2 variant files=() i
    shift 2
    for variant; do
        { echo '\set turn :turn + 1' && "$script" "$variant"; } >"$work/$variant.pgbench" || return
        files+=(-f "$work/$variant.pgbench")
    done
    rm -f "$work"/latency.*
    pgbench -n -M prepared -t "$transactions" -D turn=0 -D rows="$rows" -l --log-prefix="$work/latency" \
        "${files[@]}" >"$work/pgbench.log" 2>&1 || { cat "$work/pgbench.log" >&2; return 1; }
    for ((i = 1; i <= $#; i++)); do
        echo "$(latency $((i - 1))) ${!i}"
    done
}

# The mean of the middle half of a script's transactions: the slow ones had to
# wait for the processor or the disk.
latency() {
    awk -v script="$1" '$4 == script { print $3 }' "$work"/latency.* | sort -n |
        awk '{ time[NR] = $1 }
             END {
                 first = int(NR / 4)
                 for (i = first + 1; i <= NR - first; i++) sum += time[i]
                 if (NR > 0) printf "%.3f\n", sum / (NR - 2 * first)
             }'
}

report() {
    [ "$comparisons" -gt 0 ] || die "nothing matches BENCH_ONLY=$BENCH_ONLY"
    psql -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -v samples="$(cat "$work/samples")" \
        -P footer=off -P pager=off -f "$here/report.sql"
}
