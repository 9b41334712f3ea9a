// json_patch.js compare|applyPatch: microseconds that fast-json-patch takes
// for two documents and the patch between them, given as an array on stdin.
const patch = require('fast-json-patch');
const [a, b, operations] = JSON.parse(require('fs').readFileSync(0, 'utf8'));

const work = {
    compare: () => patch.compare(a, b),
    // into a new document, as in SQL
    applyPatch: () => patch.applyPatch(a, operations, false, false),
}[process.argv[2]];

for (let n = 1; ; n *= 2) {
    const started = process.hrtime.bigint();
    for (let i = 0; i < n; i++)
        work();
    const microseconds = Number(process.hrtime.bigint() - started) / 1e3;
    if (microseconds > 2e5) {
        console.log(microseconds / n);
        break;
    }
}
