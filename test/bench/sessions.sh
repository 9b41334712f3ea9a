# shellcheck shell=bash disable=SC2154 # sourced by run
#
# What the library costs where no model is touched: connections, and the planning
# and the start of statements. The variants are ways to have it: "preloaded" by
# session_preload_libraries, "shared" by shared_preload_libraries, "none".

# restart [OPTION]: the server, with an option or without.
restart() {
    pg_ctl -D "$(value 'SHOW data_directory')" -l "$work/server.log" -w -o "${1-}" restart >/dev/null ||
        { cat "$work/server.log" >&2; return 1; }
}

# The clock ticks of all processes of the server that have ended and its first one.
ticks() {
    local first
    first=$(head -n 1 "$(value 'SHOW data_directory')/postmaster.pid") && sed 's/.*) //' "/proc/$first/stat" |
        awk '{ print $12 + $13 + $14 + $15 }'
}

# The milliseconds of a connection that asks for little: of the server's first
# process, which starts it, and of its own until it ends.
connect() {
    local before after connections=400
    case $1 in shared) restart '-c shared_preload_libraries=dtmodel' || return ;; esac
    before=$(ticks) && echo 'SELECT 1;' >"$work/connect.sql" || return
    as "$1" pgbench -n -C -t $connections -f "$work/connect.sql" >"$work/pgbench.log" 2>&1 ||
        { cat "$work/pgbench.log" >&2; return 1; }
    sleep 0.2
    after=$(ticks) || return
    case $1 in shared) restart || return ;; esac
    awk -v n="$((after - before))" -v hz="$(getconf CLK_TCK)" -v connections=$connections \
        'BEGIN { print n * 1000 / hz / connections, "-" }'
}

connections() { turns : connect "$@"; }

compare 3 connections 'connection, session_preload_libraries' preloaded \
    'no library' 1.15 none
compare 1 connections 'connection, shared_preload_libraries' shared \
    'no library' 1.02 none

fill_others() {
    sql <<'SQL'
SELECT format('CREATE TABLE round.t%s (id bigint PRIMARY KEY, n bigint, title text)', i) FROM generate_series(1, 5) AS i \gexec
CREATE TABLE round.parts (id bigint, n bigint) PARTITION BY RANGE (id);
SELECT format('CREATE TABLE round.part%s PARTITION OF round.parts FOR VALUES FROM (%s) TO (%s)', i, i, i + 1)
FROM generate_series(1, 1000) AS i WHERE current_setting('bench.partitions')::boolean \gexec
SELECT bench.make_model('model' || i, '{timestamps,soft_delete}', 0)
FROM generate_series(1, 1000) AS i WHERE current_setting('bench.models')::boolean;
VACUUM ANALYZE;
SQL
}

# The session has seen every model there is. A plan with a parameter is made
# again each time.
plan() {
    as "$1" spent sql <<SQL
DO \$\$
DECLARE
    model text;
BEGIN
    FOR model IN SELECT relname FROM pg_class WHERE relnamespace = 'round'::regnamespace AND relname ~ '^model\d+$' LOOP
        EXECUTE format('SELECT FROM round.%I WHERE id = 1', model);
    END LOOP;
END
\$\$;
SET plan_cache_mode = force_custom_plan;
CREATE PROCEDURE round.plan(times integer) LANGUAGE plpgsql AS \$\$
DECLARE
    k bigint := -1;
    planned refcursor;
BEGIN
    FOR i IN 1..times LOOP
        $statement;
    END LOOP;
END
\$\$;
CALL round.plan($times / 10);
SELECT bench.start();
CALL round.plan($times);
SELECT bench.stop();
DROP PROCEDURE round.plan;
SQL
}

plans() {
    # shellcheck disable=SC2034 # read by turns
    local turns=15 PGOPTIONS="$PGOPTIONS -c bench.models=$models -c bench.partitions=$partitions"
    fill_others && turns : plan "$@"
}

# compare_plans NAME TIMES STATEMENT, with so many $models and $partitions
models=false
partitions=false
compare_plans() {
    local times=$2 statement=$3
    compare 1 plans "planning, $1" preloaded 'not preloaded' 1.01 none
}

query() { echo "OPEN planned FOR $1; CLOSE planned"; }
small=$(query 'SELECT * FROM round.t1 WHERE id = k')
join=$(query 'SELECT * FROM round.t1 JOIN round.t2 USING (id) JOIN round.t3 USING (id) JOIN round.t4 USING (id)
              JOIN round.t5 USING (id) WHERE t1.n = k')
compare_plans 'a small SELECT' 10000 "$small"
compare_plans 'a join of 5 tables' 500 "$join"
compare_plans 'an UPDATE' 5000 'UPDATE round.t1 SET n = 1 WHERE id = k'
compare_plans 'a DELETE' 5000 'DELETE FROM round.t1 WHERE id = k'
models=true
compare_plans 'a small SELECT beside 1000 models' 10000 "$small"
compare_plans 'a join of 5 tables beside 1000 models' 500 "$join"
models=false
partitions=true
compare_plans 'a SELECT from 1000 partitions' 10 "$(query 'SELECT * FROM round.parts WHERE n = k')"
compare_plans 'a DELETE from 1000 partitions' 5 'DELETE FROM round.parts WHERE n = k'
partitions=false
