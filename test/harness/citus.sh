# shellcheck shell=bash disable=SC2154 # sourced by run and inside
#
# make check-citus: the tests in test/citus, on clusters of a coordinator and two
# workers. Citus is not installed by this: it is in the server's own folders, or
# in the same folders below CITUS_PREFIX, where DESTDIR has put it. So it is for
# make bench, whose area "citus" has clusters of its own.

# Whether the server has Citus; if it is below a folder, CITUS_PREFIX names it.
has_citus() {
    local share
    share=$("$PG_CONFIG" --sharedir 2>/dev/null) &&
        [ -e "${CITUS_PREFIX-}$share/extension/citus.control" ]
}

check_citus() {
    has_citus && return
    echo "skipped: Citus is not installed for PG_CONFIG=$PG_CONFIG${CITUS_PREFIX:+ below CITUS_PREFIX=$CITUS_PREFIX}"
    exit 0
}

# Links what CITUS_PREFIX has into our own copy of the server.
add_citus() {
    local dir
    for dir in sharedir pkglibdir; do
        dir=$("$PG_CONFIG" --$dir)
        cp -rs "$CITUS_PREFIX${dir#"$work/prefix"}/." "$dir/" || return
    done
}

citus() {
    [ -z "${CITUS_PREFIX-}" ] || quietly add_citus
    say "building dtmodel for $("$PG_CONFIG" --version)"
    quietly pgmake install
    citus_tests
    finish
}

citus_tests() {
    test_stage citus PROVE_TESTS REGRESS= ISOLATION= PROVE_FLAGS=--verbose \
        PROVE_TESTS="${CITUS_TESTS:-$(echo test/citus/*.pl)}"
    ! grep -E "was terminated by signal|PANIC: |TRAP: " tmp_check/log/*.log || failed=$((failed + 1))
}
