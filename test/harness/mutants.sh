# shellcheck shell=bash disable=SC2154 # sourced by inside
#
# make check-mutants: changes one operator of the code at a time, and runs the
# regression tests in both tiers. A change that no test notices is a test that is
# missing, or code that could go, or it changes nothing that one can see.

# Each mutant has the server as initdb left it: what a failed test leaves behind
# must not fail the next.
mutants() {
    local line number=0 seed=${DTMODEL_SEED:-$RANDOM} killed=0 survived=() result start=$SECONDS
    echo "DTMODEL_SEED=$seed, ${MUTANTS:-20} mutants"
    quietly pgmake install
    quietly start_server
    quietly pg_ctl -D "$work/data" -m fast -w stop
    cp -r "$work/data" "$work/clean"
    result=$(run_tests src/model/none.c)
    if [ -n "$result" ]; then
        echo "not ok - without a change: $result"
        failed=1
        finish
        return
    fi
    # Those that loop for ever are killed too.
    limit=$((3 * (SECONDS - start) + 60))
    while IFS= read -r line; do
        number=$((number + 1))
        start=$SECONDS
        result=$(run_mutant "$line")
        case $result in
        '') survived+=("$line") && result=survived ;;
        'does not compile') ;;
        *) killed=$((killed + 1)) && result="killed: $result" ;;
        esac
        echo "$number: $(described "$line"): $result, $((SECONDS - start)) s"
    done < <(test/harness/mutate list "$seed" "${MUTANTS:-20}" $(find src/model src/mixin src/api -name '*.c' | sort))
    echo
    [ ${#survived[@]} -eq 0 ] || echo 'survivors:'
    for line in "${survived[@]}"; do
        echo "  $(described "$line")"
    done
    passed=$killed
    failed=${#survived[@]}
    echo "$killed killed, $failed survived"
    [ "$killed" -gt 0 ]
}

described() {
    local file line column old new
    IFS=$'\t' read -r file line column old new < <(tr ' ' '_' <<<"$1")
    echo "$file:$line:$((column + 1)) ${old//_/ } -> ${new//_/ }"
}

# run_mutant LINE: prints by what the change was noticed, or nothing.
run_mutant() {
    local file fields
    mapfile -t fields < <(tr '\t' '\n' <<<"$1")
    file=${fields[0]}
    cp "$file" "$work/original.c"
    test/harness/mutate apply "${fields[@]}"
    if pgmake --silent install >"$work/mutant.log" 2>&1; then
        run_tests "$file"
    else
        echo 'does not compile'
    fi
    cp "$work/original.c" "$file"
}

# run_tests FILE: the tests named like its folder or itself first, in both tiers,
# then the others.
run_tests() {
    local file=$1 all near far tier name folder
    folder=$(basename "$(dirname "$file")")
    name=$(basename "$file" .c)
    for tier in '' PRELOAD=yes; do
        all=$(pgmake --silent --eval='tests: ; @printf "%s\n" $(REGRESS)' tests $tier)
        near=$(grep -E "$folder|$name" <<<"$all")
        [ -z "$near" ] || run_part "$near" $tier || return
    done
    for tier in '' PRELOAD=yes; do
        all=$(pgmake --silent --eval='tests: ; @printf "%s\n" $(REGRESS)' tests $tier)
        far=$(grep -vE "$folder|$name" <<<"$all")
        run_part "$far" $tier || return
    done
}

# run_part TESTS [PRELOAD=yes]: prints which test failed first, and fails.
run_part() {
    local log=$work/part.log first status
    rm -rf "$work/data"
    cp -r "$work/clean" "$work/data"
    pg_ctl -D "$work/data" -l "$work/server.log" -w start >/dev/null || { echo 'the server does not start' && return 1; }
    timeout "${limit:-3600}" make PG_CONFIG="$PG_CONFIG" with_llvm=no --silent installcheck \
        REGRESS="$(tr '\n' ' ' <<<"$1")" ISOLATION= TAP_TESTS= "${@:2}" >"$log" 2>&1
    status=$?
    pg_ctl -D "$work/data" -m immediate -w stop >/dev/null 2>&1
    [ $status -ne 0 ] || return 0
    first=$(grep -E '^not ok|\.\.\. FAILED' "$log" | head -n 1 | sed -E 's/^not ok [0-9]+ +- +//; s/^test //; s/ +.*//')
    echo "${first:-it takes too long}${2:+, preloaded}"
    return 1
}
