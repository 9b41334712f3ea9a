'use strict';
/* Results of an application, in the Test Anything Protocol. */

const { inspect, isDeepStrictEqual } = require('node:util');

const results = [];

function ok(passed, name) {
    results.push(Boolean(passed));
    console.log(`${passed ? '' : 'not '}ok ${results.length} - ${name}`);
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

module.exports = { equal, later, ok, raises, run };
