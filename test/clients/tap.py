"""Results of an application, in the Test Anything Protocol.

Each says what it shows, and whether the tier matters, for test/harness/client-table:

    ok 7 - the count of a soft DELETE # delete, by tier: [0, 1]
"""

import json
import os
import sys

_results = []
_feature = None
_tiers = ""


def feature(name):
    """What the results that follow show."""
    global _feature
    _feature = name


def without(name):
    """A feature that this client does not have."""
    print("# no %s" % name, flush=True)


def by_tier(trigger, preloaded):
    """What the next result expects, which is not the same in both tiers."""
    global _tiers
    _tiers = ", by tier: %s" % json.dumps([trigger, preloaded])
    return preloaded if os.environ["DTMODEL_TIER"] == "preloaded" else trigger


def ok(passed, name):
    global _tiers
    _results.append(bool(passed))
    print("%sok %d - %s # %s%s" % ("" if passed else "not ", len(_results), name, _feature, _tiers), flush=True)
    _tiers = ""
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


def caught(error, call):
    """The class of the error that call() raises, as a word, if any."""
    try:
        call()
    except error as raised:
        return type(raised).__name__
    return "no error"


def done():
    print("1..%d" % len(_results), flush=True)
    sys.exit(not _results or not all(_results))
