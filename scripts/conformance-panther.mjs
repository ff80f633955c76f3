// Runs every unit test of a checkout in Panther's layout and, with a golden file, compares what each function returned.
//
//   node scripts/conformance-panther.mjs DIR [--golden FILE] [--cache DIR] [--normalised]
//
// DIR is a checkout (nothing of it belongs into this repository). The golden file holds a JSON object a line, gzipped or not:
// {id, test, out: {function: value}, errors: {function: repr of the exception}}, as returned by another engine. For each log type
// it prints how many test events the shipped schema takes and why it refuses others; with --normalised the tests run on the events that
// the schemas make, instead of those in the files. Exit code: 0 no
// unexplained difference and no failed test, 1 otherwise, 2 usage.
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { compareRun } from './lib/compare-run.mjs'
import { readTestEvents } from './lib/test-events.mjs'

const dist = process.env.CARACAL_DIST ?? join(dirname(fileURLToPath(import.meta.url)), '../dist')
const load = (path) => import(pathToFileURL(join(dist, path)).href)
const { createDetectors, endDetectors } = await load('packs/detectors.js')
const { problemLine } = await load('packs/test-report.js')
const { runCorrelationTests, runTests } = await load('packs/test-runner.js')
const { selectTests } = await load('packs/test-scope.js')
const { loadPath } = await load('engine/path.js')
const { parseJson, stringifyJson } = await load('util/json.js')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { golden: { type: 'string' }, cache: { type: 'string' }, normalised: { type: 'boolean' } },
})
const path = positionals[0] === undefined ? undefined : resolve(positionals[0])
if (path === undefined || positionals.length > 1) {
  console.error('usage: node scripts/conformance-panther.mjs DIR [--golden FILE] [--cache DIR] [--normalised]')
  process.exit(2)
}

const started = performance.now()
const scope = await selectTests({ path, folders: [], filters: [], ignore: [], cache: values.cache })
const { schemas } = await loadPath({ content: [] })
const exact = { readJson: (text) => parseJson(text, { maxDepth: 100 }).value, writeJson: stringifyJson }
const read = readTestEvents(
  scope.rules.filter(({ kind }) => kind === 'rule'),
  schemas,
  exact,
)
const others = scope.rules.filter(({ kind }) => kind !== 'rule')
const rules = values.normalised ? [...read.rules, ...others] : scope.rules
const loaded = performance.now()
const golden = values.golden === undefined ? undefined : readGolden(values.golden)
const detectors = await createDetectors({ ...scope.content, rules })
const ready = performance.now()
const counts = new Map()
const failures = []
const differences = []
/** These unpack a set of two texts into key and value, so the hash seed decides which is which. */
const UNPACKS_SETS = new Set(['Okta.Anonymizing.VPN.Login'])
/** These read times in the form in which Panther writes them. */
const READS_PANTHERS_TIMES = new Set(values.normalised ? ['Teleport.LongLivedCerts'] : [])
const explained = []
try {
  for await (const result of runTests(rules, detectors)) take(result, result.rule.source.language === 'python')
  for (const result of runCorrelationTests(scope.correlationRules)) take(result, false)
} finally {
  await endDetectors(detectors)
}
report()

/** Entries by name, in the order of the tests: a detection may have several tests of one name. */
function readGolden(file) {
  const bytes = readFileSync(file)
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('utf8')
  const lines = text.split('\n').filter(Boolean)
  const entries = new Map()
  for (const line of lines) {
    const entry = JSON.parse(line)
    const name = `${entry.id} / ${entry.test}`
    entries.set(name, [...(entries.get(name) ?? []), entry])
  }
  return entries
}

function take({ rule, tests, errors }, isGolden) {
  const kind = rule.source?.language === 'simple' ? 'simple detection' : (rule.kind ?? 'rule')
  const count = counts.get(kind) ?? { items: 0, tests: 0, passed: 0 }
  counts.set(kind, count)
  count.items += 1
  failures.push(...errors.map((error) => `${rule.id}: ${error}`))
  for (const { test, passed, run } of tests) {
    count.tests += 1
    if (passed) count.passed += 1
    else if (READS_PANTHERS_TIMES.has(rule.id)) explained.push(`${rule.id} / ${test}: needs times as Panther writes them`)
    else failures.push(`${rule.id} / ${test}: ${JSON.stringify(run.out.detection)} ${JSON.stringify(run.errors)}`)
    const name = `${rule.id} / ${test}`
    if (golden && isGolden) compare(name, run)
  }
}

function compare(name, run) {
  const expected = golden.get(name)?.shift()
  if (!expected) {
    differences.push(`${name}: not in the golden file`)
    return
  }
  if (golden.get(name).length === 0) golden.delete(name)
  const result = compareRun(run, expected, Date.now())
  const { id } = expected
  if (UNPACKS_SETS.has(id)) {
    explained.push(...result.differences.map((text) => `${name}: what is key and what is value of a set: ${text}`))
    return
  }
  explained.push(...result.explained.map((text) => `${name}: ${text}`))
  differences.push(...result.differences.map((text) => `${name}: ${text}`))
}

function reportTypes() {
  for (const [type, { taken, refused }] of [...read.types].sort()) {
    console.log(`${type}: ${taken} of ${taken + refused.length} test events fit`)
    for (const text of refused) console.log(`  refused  ${text}`)
  }
  for (const [type, ids] of [...read.without].sort()) console.log(`${type}: no schema, ${ids.length} rules`)
  const sum = [...read.types.values()].reduce(
    (all, { taken, refused }) => [all[0] + taken, all[1] + taken + refused.length],
    [0, 0],
  )
  console.log(
    `log types with a schema: ${read.types.size}, without: ${read.without.size}; test events that fit: ${sum[0]} of ${sum[1]}`,
  )
}

function report() {
  reportTypes()
  const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`
  for (const problem of scope.problems) console.log(`PROBLEM ${problemLine(problem)}`)
  for (const failure of failures) console.log(`FAILED  ${failure}`)
  for (const text of explained) console.log(`explained  ${text}`)
  if (golden) for (const name of golden.keys()) differences.push(`${name}: in the golden file only`)
  for (const text of differences) console.log(`DIFFERS ${text}`)
  for (const [kind, { items, tests, passed }] of counts) console.log(`${kind}: ${items} items, ${tests} tests, ${passed} passed`)
  if (golden) console.log(`golden file: ${differences.length} unexplained differences, ${explained.length} explained ones`)
  console.log(
    `content read in ${seconds(loaded - started)}, rules loaded in ${seconds(ready - loaded)}, tests run in ${seconds(performance.now() - ready)}, CPU of this process ${seconds(process.cpuUsage().user / 1000)}`,
  )
  process.exitCode = failures.length + differences.length + scope.problems.length === 0 ? 0 : 1
}
