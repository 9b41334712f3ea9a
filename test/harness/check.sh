# shellcheck shell=bash disable=SC2154 # sourced by inside
#
# make check: every compiler, then every kind of test, counted one by one.

passed=0
failed=0

check() {
    local compiler tested=gcc
    [[ ! "${MAKEFLAGS-} " =~ ' CC='([^ ]+)' ' ]] || tested=${BASH_REMATCH[1]}
    for compiler in $(printf '%s\n' "$tested" gcc "$(clang_name)" | awk '!seen[$0]++'); do
        stage "$compiler" compile "$compiler"
    done
    # gcc's build is the one that is tested, or that of CC, whatever it was warned of.
    cd "$work/$tested" || exit 1
    if prepare_tests >"$work/prepare.log" 2>&1; then
        all_tests
    else
        tail -n 60 "$work/prepare.log"
        failed=$((failed + 1))
    fi
    finish
}

# The last line of every check, and whether it passed. A long one has a summary
# of its campaigns above.
finish() {
    [ -z "${DTMODEL_TIMES-}" ] || said campaign "$work/TAP.log"
    echo "$passed passed, $failed failed"
    [ "$passed" -gt 0 ] && [ "$failed" -eq 0 ]
}

# Debian's server packages bring a clang of their own, with its version in its
# name.
clang_name() {
    local name
    for name in clang "$(sed -n 's/^CLANG *= *//p' "$(dirname "$("$PG_CONFIG" --pgxs)")/../Makefile.global")"; do
        [ -n "$name" ] && command -v "$name" >/dev/null && basename "$name" && return
    done
}

# Warnings in the server's headers do not count, hence -isystem. Its flags are
# those of gcc, and clang must not warn that it does not know them. What is not
# tested is built in a folder of its own, as packagers do.
compile() {
    local compiler=$1 flags where=()
    flags="-Wall -Wextra -Werror -isystem $("$PG_CONFIG" --includedir-server)"
    [[ $compiler != clang* ]] ||
        flags+=' -Wno-unknown-warning-option -Wno-ignored-optimization-argument'
    if [ "$compiler" = "$tested" ]; then
        cp -r "$work/tree" "$work/$compiler"
    else
        where=(-f "$work/tree/Makefile" VPATH="$work/tree")
        mkdir "$work/$compiler"
    fi &&
        pgmake --silent -C "$work/$compiler" "${where[@]}" -k -j "$(nproc)" CC="$compiler" COPT="$flags" &&
        [ -e "$work/$compiler/dtmodel.so" ] &&
        echo "ok 1 - $compiler"
}

prepare_tests() { pgmake install && start_server; }

all_tests() {
    test_stage regress REGRESS ISOLATION= TAP_TESTS=
    test_stage isolation ISOLATION REGRESS= TAP_TESTS=
    test_stage 'regress, preloaded' REGRESS TAP_TESTS= PRELOAD=yes
    test_stage TAP PROVE_TESTS REGRESS= ISOLATION= PROVE_FLAGS="--verbose --jobs $(nproc)"
    ! crashes || failed=$((failed + 1))
}

# test_stage NAME VARIABLE MAKE-ARGUMENT...: skipped if there are no such tests.
test_stage() {
    local name=$1 tests
    tests=$(pgmake --silent --eval="tests: ; @echo \$($2)" tests) || tests=unknown
    shift 2
    [ -z "$tests" ] || stage "$name" pgmake installcheck "$@"
}

# A backend that dies after its client has left spoils no test's output.
crashes() { grep -E 'was terminated by signal|PANIC: |TRAP: ' "$work/server.log"; }

# stage NAME COMMAND...: counts the results that the command prints, from time
# to time too, and the seconds that it takes. One that fails without a failed
# result, or ends without any, is a failure itself.
stage() {
    local name=$1 log=$work/$1.log start=$SECONDS status good bad
    shift
    printf '%s: ' "$name"
    "$@" >"$log" 2>&1 &
    show_progress $! "$log"
    wait $!
    status=$?
    good=$(results "$log" | grep -cE '^ok|\.\.\. ok')
    bad=$(results "$log" | grep -cvE '^ok|\.\.\. ok')
    [ "$bad" -gt 0 ] || { [ "$status" -eq 0 ] && [ "$good" -gt 0 ]; } || bad=1
    echo "$good passed, $bad failed, $((SECONDS - start)) s"
    passed=$((passed + good))
    failed=$((failed + bad))
    [ "$bad" -eq 0 ] || explain "$log"
}

# show_progress PROCESS LOG: until the process ends, how many results there are,
# and how far its campaigns are.
show_progress() {
    local second=0 count shown=0 told=0
    while sleep 1 && kill -0 "$1" 2>/dev/null; do
        second=$((second + 1))
        [ $((second % 20)) -eq 0 ] || continue
        count=$(said progress "$2" | wc -l)
        [ "$count" -eq "$told" ] || printf '\n%s\n' "$(said progress "$2" | tail -n +$((told + 1)))"
        told=$count
        count=$(results "$2" | wc -l)
        [ "$count" -eq "$shown" ] || printf '%s ... ' "$count"
        shown=$count
    done
}

# said progress|campaign LOG: what campaigns say of themselves.
said() { sed -n "s/^# $1: /  /p" "$2" 2>/dev/null; }

# TAP, and what pg_regress printed before 16. Skipped is neither.
results() { grep -E '^(not )?ok [0-9]|^test .* \.\.\. ' "$1" | grep -viE '# *(skip|todo)'; }

# What failed, or where a test died, may be long before the end.
explain() {
    awk '/^# +Failed test/ { left = 12 } !/^#/ { left = 0 } left-- > 0 || / at [^ ]+ line [0-9]+\.$/' "$1" |
        cut -c -400 | head -n 80
    grep -vE '^ok |\.\.\. ok|^# progress: ' "$1" | tail -n 60
    [ ! -f regression.diffs ] || head -n 300 regression.diffs
    [ ! -f "$work/server.log" ] || tail -n 30 "$work/server.log"
    keep_results
}

# For the caller to put back where the checkout is; the next stage would
# overwrite them.
keep_results() {
    mkdir -p "$work/failed"
    [ ! -d results ] || cp -r results "$work/failed/"
    [ ! -d tmp_check/log ] || cp -r --parents tmp_check/log "$work/failed/"
    [ ! -s regression.diffs ] || cat regression.diffs >>"$work/failed/regression.diffs"
    rm -f regression.diffs
}
