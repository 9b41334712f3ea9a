# shellcheck shell=bash disable=SC2154 # sourced by run and inside
#
# make check-clients: real applications in both tiers. Each is a folder in
# test/clients:
#
#   packages       what it needs, a line each: a Debian package, a colon, and a
#                  command that succeeds where it is there
#   package.json   what it needs from npm, if anything
#   run            the application; prints TAP. PGHOST, PGUSER and PGDATABASE say
#                  where it runs, on a database of its own that has the extension,
#                  as a role that owns it and is not a superuser; DTMODEL_TIER says
#                  which tier that is
#
# What they show is in docs/clients/README.md, by client-table.

# All, or those that CLIENTS names.
wanted_clients() {
    local name
    for name in ${CLIENTS:-$(cd "$1/test/clients" && echo */)}; do
        echo "${name%/}"
    done
}

# Not where the list is made: a subshell cannot end the script.
check_clients() {
    local name
    for name in $(wanted_clients "$1"); do
        [ -x "$1/test/clients/$name/run" ] || die "there is no client $name in test/clients"
    done
}

# What the wanted clients lack.
missing_client_packages() {
    local name package there
    for name in $(wanted_clients "$1"); do
        while IFS=: read -r package there; do
            sh -c "$there" >/dev/null 2>&1 || echo "$package"
        done <"$1/test/clients/$name/packages"
    done
}

clients() {
    local name tier logs=()
    prepare
    for name in $(wanted_clients .); do
        [ ! -e "test/clients/$name/package.json" ] ||
            quietly npm --prefix "test/clients/$name" install --no-audit --no-fund --no-package-lock
        for tier in trigger preloaded; do
            stage "$name, $tier" client "$name" "$tier"
            logs+=("$work/$name, $tier.log")
        done
    done
    ! crashes || failed=$((failed + 1))
    [ "$failed" -gt 0 ] || compare_page "${logs[@]}"
    finish
}

# What the page says of clients that were not run now is not compared.
compare_page() {
    local page=docs/clients/README.md made=results/clients.md
    stage 'the page of the clients' differences "$page" "$made" "$@"
    [ "$failed" -eq 0 ] || [ ! -s "$made" ] || echo "To update the page: cp $made $page"
}

differences() {
    local page=$1 made=$2
    shift 2
    mkdir -p "$(dirname "$made")" &&
        test/harness/client-table "$page" "$@" >"$made" &&
        diff -u "$page" "$made" &&
        echo "ok 1 - $page"
}

client() {
    local name=$1 tier=$2 database="$1 in the tier $2"
    make_database "$database" "$tier" &&
        cd "test/clients/$name" &&
        PGDATABASE=$database PGUSER=application DTMODEL_TIER=$tier ./run
}

make_database() {
    local database=$1 tier=$2
    psql -X -q -v ON_ERROR_STOP=1 -v database="$database" -v preloaded="$([ "$tier" = trigger ] && echo no || echo yes)" <<'SQL'
SELECT 'CREATE ROLE application LOGIN' WHERE to_regrole('application') IS NULL \gexec
CREATE DATABASE :"database" OWNER application;
\if :preloaded
ALTER DATABASE :"database" SET session_preload_libraries = dtmodel;
\endif
\connect :"database"
CREATE EXTENSION dtmodel;
GRANT CREATE ON SCHEMA public TO application;
SQL
}
