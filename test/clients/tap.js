'use strict';
/*
 * Results of an application, in the Test Anything Protocol. Each says what it shows,
 * and whether the tier matters, for test/harness/client-table:
 *
 *     ok 7 - the count of a soft DELETE # delete, by tier: [0,1]
 */

const { inspect, isDeepStrictEqual } = require('node:util');

const results = [];
let shown = null;
let tiers = '';

/* What the results that follow show. */
function feature(name) {
    shown = name;
}

/* A feature that this client does not have. */
function without(name) {
    console.log(`# no ${name}`);
}

/* What the next result expects, which is not the same in both tiers. */
function byTier(trigger, preloaded) {
    const plain = (key, value) => (typeof value === 'bigint' ? Number(value) : value);
    tiers = `, by tier: ${JSON.stringify([trigger, preloaded], plain)}`;
    return process.env.DTMODEL_TIER === 'preloaded' ? preloaded : trigger;
}

function ok(passed, name) {
    results.push(Boolean(passed));
    console.log(`${passed ? '' : 'not '}ok ${results.length} - ${name} # ${shown}${tiers}`);
    tiers = '';
    return Boolean(passed);
}

function show(label, value) {
    const text = value instanceof Error ? value.stack : inspect(value, { depth: 6 });
    console.log(`# ${label}: ${text.replaceAll('\n', '\n# ')}`);
}

function equal(got, expected, name) {
    if (!ok(isDeepStrictEqual(got, expected), name)) {
        show('     got', got);
        show('expected', expected);
    }
}

/* Whether call() is rejected with an error of that class, which it returns. */
async function raises(error, call, name) {
    let raised = null;
    try {
        await call();
    } catch (caught) {
        raised = caught;
    }
    if (!ok(raised instanceof error, name)) {
        show('     got', raised);
    }
    return raised ?? {};
}

/* The class of the error with which call() is rejected, as a word, if any. */
async function caught(error, call) {
    try {
        await call();
    } catch (raised) {
        if (raised instanceof error) {
            return error.name;
        }
        throw raised;
    }
    return 'no error';
}

/* A Date has milliseconds: after this the time of a transaction is another one. */
const later = () => new Promise((resolve) => setTimeout(resolve, 5));

/* Runs the application: an error that it does not catch is a failure too. */
async function run(application) {
    try {
        await application();
    } catch (error) {
        ok(false, 'the application ends without an error');
        show(' error', error);
    }
    console.log(`1..${results.length}`);
    process.exit(results.length > 0 && results.every(Boolean) ? 0 : 1);
}

module.exports = { byTier, caught, equal, feature, later, ok, raises, run, without };
