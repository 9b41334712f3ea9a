<?php
/*
 * Results of an application, in the Test Anything Protocol. Each says what it shows, and
 * whether the tier matters, for test/harness/client-table:
 *
 *     ok 7 - the count of a soft DELETE # delete, by tier: [0,1]
 */

$results = [];
$shown = null;
$tiers = '';

/* What the results that follow show. */
function feature(string $name): void
{
    global $shown;
    $shown = $name;
}

/* What the next result expects, which is not the same in both tiers. */
function byTier($trigger, $preloaded)
{
    global $tiers;
    $tiers = ', by tier: '.json_encode([$trigger, $preloaded]);
    return getenv('DTMODEL_TIER') === 'preloaded' ? $preloaded : $trigger;
}

function ok($passed, string $name): bool
{
    global $results, $shown, $tiers;
    $results[] = (bool) $passed;
    printf("%sok %d - %s # %s%s\n", $passed ? '' : 'not ', count($results), $name, $shown, $tiers);
    $tiers = '';
    return (bool) $passed;
}

function equal($got, $expected, string $name): void
{
    if (!ok($got === $expected, $name)) {
        printf("#      got: %s\n# expected: %s\n", json_encode($got), json_encode($expected));
    }
}

/* Whether the call throws an exception of the class, which it returns. */
function raises(string $class, callable $call, string $name): ?Throwable
{
    try {
        $call();
    } catch (Throwable $thrown) {
        if (!ok($thrown instanceof $class, $name)) {
            printf("#      got: %s: %s\n", get_class($thrown), strtok($thrown->getMessage(), "\n"));
        }
        return $thrown;
    }
    ok(false, $name);
    return null;
}

function done(): void
{
    global $results;
    printf("1..%d\n", count($results));
    exit($results && !in_array(false, $results, true) ? 0 : 1);
}
