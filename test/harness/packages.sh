# shellcheck shell=bash disable=SC2154 # sourced by run and all
#
# Finds the server and what else dtmodel is built, run and tested with, and
# installs what is missing.

# The one list of what is needed: how to see that it is there, and the Debian
# package that brings it.
missing_packages() {
    command -v gcc >/dev/null    || echo gcc
    command -v make >/dev/null   || echo make
    header stdio.h               || echo libc6-dev
    header unicode/utrans.h      || echo libicu-dev
    [ -z "$(server_lacks)" ]     || echo "postgresql-$major postgresql-server-dev-$major"
    case $target in
        check | citus | coverage)
            command -v prove >/dev/null       || echo perl
            perl -MIPC::Run -e 1 2>/dev/null  || echo libipc-run-perl ;;
    esac
    case $target in
        check | coverage)
            [ -n "$(PATH=$PATH:/usr/sbin command -v pgbouncer)" ] || echo pgbouncer ;;
        clients)
            missing_client_packages "$root" ;;
        bench)
            command -v gnuplot >/dev/null     || echo gnuplot-nox ;;
    esac
    case $target in
        check | coverage | demo)
            [ -d /usr/share/iso-codes/json ]  || echo iso-codes ;;
    esac
}

server_lacks() {
    local file
    has_headers "$PG_CONFIG" || { echo postgres.h; return; }
    for file in "$(dirname "$PG_CONFIG")"/{postgres,initdb,pg_ctl,psql,pgbench} \
        "$("$PG_CONFIG" --sharedir)"/extension/{amcheck,moddatetime,unaccent}.control \
        "$("$PG_CONFIG" --pkglibdir)"/pgxs/src/makefiles/pgxs.mk \
        "$("$PG_CONFIG" --pkglibdir)"/pgxs/src/test/regress/pg_regress \
        "$("$PG_CONFIG" --pkglibdir)"/pgxs/src/test/isolation/isolationtester \
        "$("$PG_CONFIG" --pkglibdir)"/pgxs/src/test/perl/PostgreSQL/Test/Cluster.pm; do
        [ -e "$file" ] || echo "$file"
    done
}

has_headers() { [ -e "$("$1" --includedir-server 2>/dev/null)/postgres.h" ]; }

header() { echo "#include <$1>" | gcc -E -x c - >/dev/null 2>&1; }

find_packages() {
    local packages
    find_server
    packages=$(missing_packages | xargs)
    [ -n "$packages" ] || return 0
    install_packages "$packages"
    packages=$(missing_packages | xargs)
    [ -z "$packages" ] || die "still missing: $packages"
}

# Sets major, and PG_CONFIG to the path that it has or will have.
find_server() {
    if has_headers "$PG_CONFIG"; then
        major=$("$PG_CONFIG" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
        PG_CONFIG=$("$PG_CONFIG" --bindir)/pg_config
        return
    fi
    command -v apt-get >/dev/null ||
        die "PG_CONFIG=$PG_CONFIG is not a server with headers: install PostgreSQL 14 or later and name its pg_config"
    case $PG_CONFIG in
        pg_config)
            major=$(installed_major)
            [ -n "${major:=$(debian_major)}" ] || die 'please install PostgreSQL with its server headers'
            PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config ;;
        /usr/lib/postgresql/*/bin/pg_config)
            major=${PG_CONFIG#/usr/lib/postgresql/}
            major=${major%%/*} ;;
        *)
            die "PG_CONFIG=$PG_CONFIG is not there, or its server has no headers" ;;
    esac
}

installed_major() {
    find /usr/lib/postgresql -path '*/bin/postgres' 2>/dev/null | cut -d/ -f5 | sort -n | tail -n 1
}

# The version of the package "postgresql" begins with the server's.
debian_major() {
    local policy
    policy=$(LC_ALL=C apt-cache policy postgresql)
    [[ $policy == *'Candidate: '[0-9]* ]] || apt_get update
    LC_ALL=C apt-cache policy postgresql | sed -n 's/ *Candidate: \([0-9]*\).*/\1/p'
}

# A server's package makes a cluster and starts it, and a pooler's starts the
# pooler, now and whenever the machine does. dpkg finds what they do that with in
# the work folder first, and there it does nothing.
install_packages() {
    local packages=$1 program path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    case $PG_CONFIG in
        /usr/lib/postgresql/*) ;;
        *) [ -z "$(server_lacks)" ] || die "the server of $PG_CONFIG lacks $(server_lacks | xargs)" ;;
    esac
    command -v apt-get >/dev/null || die "please install what Debian calls $packages"
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
        die "please install $packages, or run this as root"
    say "installing $packages ..."
    mkdir "$work/bin"
    for program in pg_createcluster deb-systemd-{helper,invoke} invoke-rc.d update-rc.d; do
        ln -s /bin/true "$work/bin/$program"
    done
    apt_get update
    # shellcheck disable=SC2086 # a list
    apt_get install --no-install-recommends --no-upgrade -o DPkg::Path="$work/bin:$path" $packages || {
        cat "$work/apt.log" >&2
        die "could not install $packages: $(grep -m 1 '^E: ' "$work/apt.log")"
    }
}

apt_get() {
    local as_root=
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >>"$work/apt.log" 2>&1 </dev/null
}
