// Events per second of the Python rules of a content repository, on the events of its own unit tests, transfer to the
// sandbox included: `npm run bench:python -- DIR [--baseline cpython_panther_baseline.py] [--path DIR]… [--seconds N]`.
// With --baseline the same is measured for CPython with the reference's own event class; --path is passed on to it.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { loadContent } from '../dist/packs/load.js'
import { python } from '../dist/stages/detect/python/index.js'
import { machine } from './lib.mjs'

const BATCH_EVENTS = 2000

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

/** Test events by log type: those of every rule, given to the log types that they say they are of. */
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
  return { logType, ndjson: new TextEncoder().encode(`${list.join('\n')}\n`), count: list.length }
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
const detector = await python.create({ ...content, rules: enabled }, { timeoutMs: 15_000, all: false })
try {
  const largest = [...events.keys()].sort((a, b) => rulesOf(b) - rulesOf(a)).slice(0, 6)
  for (const logType of largest) {
    report(logType, rulesOf(logType), await measure(detector, [batchOf(logType, events.get(logType), BATCH_EVENTS)], rulesOf))
  }
  const all = [...events].map(([logType, lines]) => batchOf(logType, lines, lines.length))
  report('all log types', enabled.length, await measure(detector, all, rulesOf))
} finally {
  await detector.close()
}
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
