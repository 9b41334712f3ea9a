"""Results of an application, in the Test Anything Protocol."""

import sys

_results = []


def ok(passed, name):
    _results.append(bool(passed))
    print("%sok %d - %s" % ("" if passed else "not ", len(_results), name), flush=True)
    return bool(passed)


def equal(got, expected, name):
    if not ok(got == expected, name):
        print("#      got: %r\n# expected: %r" % (got, expected), flush=True)


def raises(error, call, name):
    """Whether call() raises the error, which it returns."""
    try:
        call()
    except error as raised:
        ok(True, name)
        return raised
    ok(False, name)
    return None


def done():
    print("1..%d" % len(_results), flush=True)
    sys.exit(not _results or not all(_results))
