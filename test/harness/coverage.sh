# shellcheck shell=bash disable=SC2154 # sourced by inside
#
# make check-coverage: all tests on a library that counts which of its lines and
# branches they run, with a tenth of the work of the campaigns; also those of
# Citus, where it is. The sums are printed, and results/coverage.txt says what
# never ran. Branches that were not taken have to be in test/branches.txt, which
# is a list for PostgreSQL 15 with Citus: elsewhere they are only counted.
#
# A process writes its counts when it exits, not when it is killed.

coverage() {
    local unlisted_fail=
    [ -z "${CITUS_PREFIX-}" ] || quietly add_citus
    say "building dtmodel for $("$PG_CONFIG" --version)"
    quietly pgmake install -j "$(nproc)" COPT='-O0 --coverage -Wno-cpp' PG_LDFLAGS=--coverage
    quietly start_server
    all_tests
    # Debian's server may have Citus of its own.
    if CITUS_PREFIX='' has_citus; then
        citus_tests
        [[ $("$PG_CONFIG" --version) != 'PostgreSQL 15.'* ]] || unlisted_fail=yes
    fi
    mkdir -p results
    find src -name '*.gcno' | sort | xargs gcov -t -r -b -c 2>"$work/gcov.log" |
        test/harness/coverage-table results/coverage.txt test/coverage.md test/branches.txt ||
        [ -z "$unlisted_fail" ] || failed=$((failed + 1))
    finish
}
