// Events per second of the Python rules of a content repository, on the events of its own unit tests, transfer to the
// sandbox included: `npm run bench:python -- DIR [--baseline cpython_panther_baseline.py] [--path DIR]… [--seconds N]`.
// With --baseline the same is measured for CPython with the reference's own event class; --path is passed on to it. The
// baseline calls rule() alone, so that is measured here too: the same rules without title(), alert_context() and the others.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { loadContent } from '../dist/packs/load.js'
import { python } from '../dist/stages/detect/python/index.js'
import { parseJson } from '../dist/util/json.js'
import { machine } from './lib.mjs'

const BATCH_EVENTS = 2000
/** All log types together: each one's test events, repeated so that a rare log type's batch is not tiny. */
const REPEATS = 8

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    baseline: { type: 'string' },
    path: { type: 'string', multiple: true, default: [] },
    seconds: { type: 'string', default: '5' },
  },
})
if (positionals.length !== 1) {
  console.error('Give the folder of a content repository: npm run bench:python -- DIR')
  process.exit(2)
}
const folder = resolve(positionals[0])
const seconds = Number(options.seconds)

/** CPU seconds that a process has used (Linux), or undefined. */
function cpuSeconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return undefined
  }
}

/** Test events of every rule, by the log type that they name. */
function eventsByLogType(rules) {
  const events = new Map()
  for (const rule of rules) {
    for (const { log } of rule.tests) {
      const own = JSON.parse(log).p_log_type
      for (const logType of rule.logTypes) {
        if (own !== undefined && own !== logType) continue
        if (events.has(logType)) events.get(logType).push(log)
        else events.set(logType, [log])
      }
    }
  }
  return events
}

/** The lines over and over until there are `size` of them, so that a batch is as large as in production. */
function batchOf(logType, lines, size) {
  const list = Array.from({ length: Math.max(size, lines.length) }, (_, i) => lines[i % lines.length])
  const events = list.map((line) => parseJson(line, { maxDepth: 1000 }).value)
  return { logType, ndjson: new TextEncoder().encode(`${list.join('\n')}\n`), events, count: list.length }
}

/** Judges the batches in turns for the time given. */
async function measure(detector, batches, rulesOf) {
  for (const batch of batches) await detector.evaluate(batch)
  detector.timings()
  const before = { cpu: cpuSeconds(detector.pid), own: process.cpuUsage(), wall: performance.now() }
  let events = 0
  let evaluations = 0
  let findings = 0
  do {
    for (const batch of batches) {
      findings += (await detector.evaluate(batch)).length
      events += batch.count
      evaluations += batch.count * rulesOf(batch.logType)
    }
  } while (performance.now() - before.wall < seconds * 1000)
  const wall = (performance.now() - before.wall) / 1000
  const cpu = before.cpu === undefined ? wall : cpuSeconds(detector.pid) - before.cpu
  const { user, system } = process.cpuUsage(before.own)
  const inRules = detector.timings().reduce((sum, rule) => sum + rule.seconds, 0)
  return { events, evaluations, findings, wall, cpu, own: (user + system) / 1e6, inRules }
}

const number = (value) => Math.round(value).toLocaleString('en')

// Time inside the rules is clock time: its share of the whole is taken of the processor's.
function report(name, rules, { events, evaluations, findings, wall, cpu, own, inRules }) {
  console.log(
    `${name} (${rules} rules): ${number(events / cpu)} events per second of the child's core, ` +
      `${number(events / (cpu + own))} with the engine's side, ${number(events / wall)} by the clock; ` +
      `${number(evaluations / cpu)} evaluations/s, in the rules alone ${number(evaluations / (cpu * (inRules / wall)))}/s; ` +
      `${((100 * findings) / evaluations).toFixed(1)} % findings`,
  )
}

console.log(machine())
const content = await loadContent([folder])
const rules = content.rules.filter((rule) => rule.source.language === 'python' && (rule.kind ?? 'rule') === 'rule')
const enabled = rules.filter((rule) => rule.enabled)
const counts = new Map()
for (const { logTypes } of enabled) for (const logType of logTypes) counts.set(logType, (counts.get(logType) ?? 0) + 1)
const rulesOf = (logType) => counts.get(logType) ?? 0
const events = new Map([...eventsByLogType(rules)].filter(([logType]) => rulesOf(logType) > 0))
const largest = [...events.keys()].sort((a, b) => rulesOf(b) - rulesOf(a)).slice(0, 6)
const all = [...events].map(([logType, lines]) => batchOf(logType, lines, REPEATS * lines.length))
const OTHERS = ['title', 'description', 'reference', 'severity', 'runbook', 'destinations', 'dedup', 'alert_context', 'unique']

/** The rule with nothing but rule(): as the baseline counts. */
function alone(rule) {
  const { code } = rule.source
  const names = OTHERS.filter((name) => new RegExp(`^def ${name}\\b`, 'm').test(code))
  return names.length === 0 ? rule : { ...rule, source: { ...rule.source, code: `${code}\ndel ${names.join(', ')}\n` } }
}

/** The matches by event, in one pass over every log type: the same with and without the prefilter. */
const found = {}
for (const mode of ['every event to every rule', 'with the prefilter', 'with the prefilter, rule() alone']) {
  const prefilter = mode.startsWith('with') ? { ruleErrors: 'matching', shadowEvery: 1000, onProblem: console.error } : undefined
  const detector = await python.create(
    { ...content, rules: mode.endsWith('alone') ? enabled.map(alone) : enabled },
    { timeoutMs: 15_000, all: false, ...(prefilter && { prefilter }) },
  )
  try {
    const reading = performance.now()
    await detector.prefiltered
    console.log(
      `\n${mode}${prefilter ? ` (rules read in ${((performance.now() - reading) / 1000).toFixed(1)} s, beside the work)` : ''}`,
    )
    found[mode] = []
    for (const batch of all) {
      const findings = await detector.evaluate(batch)
      for (const { kind, ruleId, event } of findings)
        if (kind === 'match') found[mode].push(`${batch.logType} ${event} ${ruleId}`)
    }
    for (const logType of largest) {
      report(logType, rulesOf(logType), await measure(detector, [batchOf(logType, events.get(logType), BATCH_EVENTS)], rulesOf))
    }
    report('all log types', enabled.length, await measure(detector, all, rulesOf))
  } finally {
    await detector.close()
  }
}
const [without, ...others] = Object.values(found).map((matches) => new Set(matches))
const lost = others.flatMap((withIt) => [...without].filter((match) => !withIt.has(match)))
const gained = others.flatMap((withIt) => [...withIt].filter((match) => !without.has(match)))
console.log(
  `\nmatches: ${without.size} without the prefilter, ${others.map(({ size }) => size).join(' and ')} with it; ` +
    `lost ${lost.length}, gained ${gained.length}`,
)
for (const match of [...lost, ...gained].slice(0, 10)) console.log(`  ${match}`)
if (lost.length + gained.length > 0) process.exitCode = 1
if (options.baseline) {
  const paths = options.path.flatMap((path) => ['--path', path])
  const flags = ['--content', folder, ...paths, '--stub-missing', '--no-tests', '--seconds', String(seconds), '--repeat', '1']
  const { status, stdout, stderr } = spawnSync('python3', [options.baseline, ...flags], { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) {
    console.error(`the baseline failed: ${stderr.slice(-2000)}`)
    process.exit(1)
  }
  const { python: version, bench } = JSON.parse(stdout)
  for (const [logType, { rules: count, events_per_s: rate, evaluations_per_s: evaluations }] of Object.entries(
    bench.engine_like,
  )) {
    const name = logType === '*' ? 'all log types' : logType
    console.log(
      `CPython ${version}, ${name} (${count} rules): ${number(rate)} events/s, ${number(evaluations.median)} evaluations/s`,
    )
  }
}
