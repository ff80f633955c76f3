// Explains every unit test of a checkout in Panther's layout and checks that the explanations agree with the results.
//
//   node scripts/conformance-explain.mjs DIR [--cache DIR] [--list]
//
// DIR is a checkout (nothing of it belongs into this repository). An explanation has to agree with the test's result, and to name the
// line or condition that decided, with a value. --list prints those that name none. Exit code: 0 all agree and at least 95 % name what
// decided, 1 otherwise, 2 usage.
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const dist = process.env.CARACAL_DIST ?? join(dirname(fileURLToPath(import.meta.url)), '../dist')
const load = (path) => import(pathToFileURL(join(dist, path)).href)
const { createDetectors, endDetectors } = await load('packs/detectors.js')
const { selectTests } = await load('packs/test-scope.js')
const { languages } = await load('stages/detect/index.js')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cache: { type: 'string' }, list: { type: 'boolean' } },
})
if (positionals.length !== 1) {
  console.error('usage: node scripts/conformance-explain.mjs DIR [--cache DIR] [--list]')
  process.exit(2)
}
const scope = await selectTests({ path: resolve(positionals[0]), folders: [], filters: [], ignore: [], cache: values.cache })
const detectors = await createDetectors({ ...scope.content, rules: scope.rules }, languages, undefined, true)
const counts = new Map()
const unnamed = []
const different = []
try {
  const tests = scope.rules.flatMap((rule) => rule.tests.map((test) => ({ rule, test })))
  await Promise.all(
    tests.map(async ({ rule, test }) => {
      const detector = detectors.get(rule.id)
      const plain = await detector.test(rule.id, test)
      const traced = await detector.test(rule.id, { ...test, trace: true })
      take(rule, test, plain, traced)
    }),
  )
} finally {
  await endDetectors(detectors)
}
report()

function take(rule, test, plain, traced) {
  const kind = rule.source.language === 'simple' ? 'simple detection' : (rule.kind ?? 'rule')
  const count = counts.get(kind) ?? { explained: 0, agree: 0, named: 0 }
  counts.set(kind, count)
  count.explained += 1
  const name = `${rule.id} / ${test.name}`
  const isSame = plain.out.detection === traced.out.detection && plain.errors.detection === traced.errors.detection
  if (isSame && agrees(traced)) count.agree += 1
  else
    different.push(
      `${name}: ${plain.out.detection ?? plain.errors.detection}, explained as ${traced.out.detection ?? traced.errors.detection} ${JSON.stringify(traced.trace?.decided[0])}`,
    )
  const why = missing(traced)
  if (why === undefined) count.named += 1
  else unnamed.push({ name, why })
}

/** The returned value that the explanation names is the result. */
function agrees({ out, trace }) {
  const [step] = trace?.decided ?? []
  if (step?.kind !== 'return' || step.values.some(([part]) => part === step.text)) return true
  if (step.outcome !== 'True' && step.outcome !== 'False') return true
  return step.outcome.toLowerCase() === out.detection
}

/** Why the explanation does not name what decided with a value; `undefined` if it does. */
function missing({ errors, where, trace }) {
  if (errors.detection !== undefined)
    return where?.detection === undefined ? 'the code fails, and the line is not known' : undefined
  if (!trace) return 'there is no trace'
  const { decided, steps, reads } = trace
  if (decided.length === 0) return steps.length === 0 && reads.length === 0 ? 'the rule returns a constant' : 'nothing decided'
  const [step] = decided
  if (step.text === '') return 'the code of the step is not known'
  const hasValue = decided.some(({ kind, values, outcome }) => values.length > 0 || (kind === 'return' && outcome !== ''))
  if (hasValue || decided.some(({ kind }) => kind === 'loop')) return undefined
  return 'no value of the condition is known'
}

function report() {
  if (values.list) for (const { name, why } of unnamed) console.log(`UNNAMED ${name}: ${why}`)
  for (const text of different) console.log(`DIFFERS ${text}`)
  const all = [...counts.values()]
  const sum = (key) => all.reduce((total, count) => total + count[key], 0)
  console.log('kind                explained   agree   name what decided')
  for (const [kind, { explained, agree, named }] of [
    ...counts,
    ['all', { explained: sum('explained'), agree: sum('agree'), named: sum('named') }],
  ]) {
    const share = `${((100 * named) / explained).toFixed(1)} %`
    console.log(
      `${kind.padEnd(18)}  ${String(explained).padStart(9)}  ${String(agree).padStart(6)}  ${String(named).padStart(8)}  ${share.padStart(7)}`,
    )
  }
  const causes = new Map()
  for (const { why } of unnamed) causes.set(why, (causes.get(why) ?? 0) + 1)
  for (const [why, n] of [...causes].sort((a, b) => b[1] - a[1])) console.log(`not named: ${why}: ${n}`)
  process.exitCode = different.length === 0 && sum('named') >= 0.95 * sum('explained') ? 0 : 1
}
