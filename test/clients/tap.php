<?php
/* Results of an application, in the Test Anything Protocol. */

$results = [];

function ok($passed, string $name): bool
{
    global $results;
    $results[] = (bool) $passed;
    printf("%sok %d - %s\n", $passed ? '' : 'not ', count($results), $name);
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
