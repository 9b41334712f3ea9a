# shellcheck shell=bash disable=SC2034,SC2154 # sourced by run, read by samplers
#
# Differences, merges and patches of jsonb. Most variants are SQL expressions on
# documents of a size and a kind; json.sql says what these are.

json_prepare() {
    [ -z "${json_prepared-}" ] || return 0
    local pgxs
    pgxs=$(pg_config --pgxs)
    cp "$here/json_push.c" "$work" &&
        make -s -C "$work" -f "$pgxs" PGXS="$pgxs" MODULES=json_push with_llvm=no >"$work/make.log" 2>&1 &&
        sql push="$work/json_push" <"$here/json.sql" || return
    json_prepared=yes
}

# The sampler whose variants are expressions on documents of $size and $kind.
documents() {
    local variant cost
    for variant; do
        cost=$(psql -X -q -A -t -v ON_ERROR_STOP=1 -v variant="$variant" -v size="$size" -v kind="$kind" \
            <<<"SELECT bench.json_cost(:'variant', :'size', :'kind')") && [ -n "$cost" ] || return
        echo "$cost - $variant"
    done
}

# difference SIZE KIND { AGAINST GOAL THEIRS }...: and so on.
compare_documents() {
    local work_done=$1 ours=$2
    size=$3 kind=$4
    shift 4
    wanted "$work_done: $size, $kind" || return 0
    json_prepare || die "could not prepare documents: $(cat "$work/make.log")"
    compare 3 documents "$work_done: $size, $kind" "$ours" "$@"
}

difference() { compare_documents difference 'dtmodel.get_difference_between_dictionaries(a, b)' "$@"; }
merge() { compare_documents 'deep merge' 'dtmodel.jsonb_deep_merge(a, b)' "$@"; }

difference small identical 'a = b' 0.08 'a = b'
difference small 'one leaf' 'a = b' 0.5 'a = b' plpgsql 0.04 'bench.json_plpgsql_difference(a, b)'
for size in medium large list; do
    difference "$size" identical 'a = b' 0.03 'a = b' 'the bytes alone' - 'x = y'
    difference "$size" 'one leaf' 'a = b' 0.07 'a = b' plpgsql 0.04 'bench.json_plpgsql_difference(a, b)'
done
for size in small medium large; do
    for kind in 'a tenth' 'every leaf' 'every key'; do
        difference "$size" "$kind" plpgsql 0.04 'bench.json_plpgsql_difference(a, b)'
    done
done

merge small 'merge one leaf' jsonb_set - 'jsonb_set(a, p, v)' '||' - 'a || b'
for size in medium large; do
    merge "$size" 'merge one leaf' jsonb_set 0.05 'jsonb_set(a, p, v)' '||' - 'a || b' \
        plpgsql - 'bench.json_plpgsql_merge(a, b)'
    merge "$size" 'merge a tenth' pushJsonbValue 0.25 'bench.json_push_merge(a, b)' '||' - 'a || b'
done

# The variants make the same UPDATE of $settings rows, which changes nothing.
update_settings() {
    local expression
    case $1 in
        merged) expression='dtmodel.jsonb_deep_merge(settings, same)' ;;
        set)    expression='jsonb_set(settings, p, v)' ;;
    esac
    spent sql <<SQL
CREATE TABLE round.$1 (id int, settings jsonb, p text[], v jsonb, same jsonb) WITH (fillfactor = 45);
INSERT INTO round.$1
SELECT i, a, path, a #> path, dtmodel.jsonb_merge_diff(jsonb_set(a, path, '"another one"'), a)
FROM bench.json_documents JOIN bench.json_paths USING (size), generate_series(1, $settings) AS i
WHERE size = '$size' AND kind = 'identical';
VACUUM (FREEZE) round.$1;
CHECKPOINT;
SELECT bench.start();
UPDATE round.$1 SET settings = $expression;
SELECT bench.stop();
SELECT bench.expect('rows as they were', count(*), $settings)
FROM round.$1 JOIN bench.json_documents d ON settings = d.a WHERE size = '$size' AND kind = 'identical';
SQL
}

# A small row's UPDATE is mostly the row's.
for pair in 'small 20000 -' 'medium 2000 0.2' 'large 15 0.2'; do
    read -r size settings goal <<<"$pair"
    wanted "UPDATE, a merge that changes nothing: $size" || continue
    json_prepare || die "could not prepare documents: $(cat "$work/make.log")"
    compare 3 apart "UPDATE, a merge that changes nothing: $size" 'update_settings merged' \
        jsonb_set "$goal" 'update_settings set'
done

# The sampler whose variants are what applications use besides, and expressions.
programs() {
    local variant cost
    for variant; do
        case $variant in
            node*)    cost=$(patch_document | node "$here/json_patch.js" "${variant#node }") ;;
            python3*) cost=$(patch_document | python3 "$here/json_difference.py") ;;
            *)        cost=$(documents "$variant") && cost=${cost%% *} ;;
        esac && [ -n "$cost" ] || return
        echo "$cost - $variant"
    done
}

# Two documents and the patch between them.
patch_document() {
    psql -X -q -A -t -v ON_ERROR_STOP=1 -v size="$size" <<'SQL'
SELECT jsonb_build_array(a, b -> 'to', b -> 'patch') FROM bench.json_documents WHERE size = :'size' AND kind = 'patch a tenth'
SQL
}

# compare_programs PROGRAM WORK KIND EXPRESSION AGAINST VARIANT
compare_programs() {
    kind=$3
    wanted "$2" && command -v "$1" >/dev/null || return 0
    json_prepare || die "could not prepare documents: $(cat "$work/make.log")"
    for size in small medium large; do
        compare 3 programs "$2: $size, a tenth" "$4" "$5" - "$6"
    done
}

compare_programs python3 difference 'a tenth' 'dtmodel.get_difference_between_dictionaries(a, b)' \
    'Python, documents in memory' python3
if node -e 'require("fast-json-patch")' 2>/dev/null; then
    compare_programs node jsonb_diff 'a tenth' 'dtmodel.jsonb_diff(a, b)' \
        'fast-json-patch compare' 'node compare'
    compare_programs node jsonb_patch 'patch a tenth' "dtmodel.jsonb_patch(a, b -> 'patch')" \
        'fast-json-patch applyPatch' 'node applyPatch'
fi
