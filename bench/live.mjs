// Content that changes under load: 5,000 events a second over HTTP, while a rule is changed ten times, a table five times, and one edit is
// broken and repaired. Every event must be stored once and judged by one version of the rule; otherwise exit code 1.
// LIVE_RATE: events a second (5000), LIVE_PAUSE: seconds of load between two changes (3).
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine, percentile, startCaracal } from './lib.mjs'

const RATE = Number(process.env.LIVE_RATE ?? 5000)
const PAUSE_MS = Number(process.env.LIVE_PAUSE ?? 3) * 1000
const RULES = 10
/** Every second change of the rule is followed by one of the table. */
const TABLE_EVERY = 2
const BROKEN_AFTER = 5
const TICK_MS = 100
const EVERY = 100
const AIM_MS = 100

const rule = (version) =>
  `def rule(event):\n    return event.get("n") % ${EVERY} == 0\n\n\ndef title(event):\n    return "v${version}"\n\n\ndef dedup(event):\n    return "v${version}"\n`
const table = (version) => `ip,name\n10.0.0.1,t${version}\n`
const files = {
  'live.schema.yml':
    'schema: Custom.Live\nfields:\n  - { name: n, type: bigint, required: true }\n  - { name: ip, type: string, indicators: [ip] }\n',
  'live.yml':
    'AnalysisType: rule\nRuleID: Live\nFilename: live.py\nEnabled: true\nLogTypes: [Custom.Live]\nSeverity: Low\nDedupPeriodMinutes: 1440\n',
  'live.py': rule(0),
  'hosts.yml':
    'AnalysisType: lookup_table\nLookupName: hosts\nEnabled: true\nFilename: ./hosts.csv\nLogTypeMap:\n  PrimaryKey: ip\n  AssociatedLogTypes:\n    - { LogType: Custom.Live, Selectors: [ip] }\n',
  'hosts.csv': table(0),
}

let folder
/** As editors do to avoid half-written files. */
function write(name, text) {
  writeFileSync(join(folder, `.${name}`), text)
  renameSync(join(folder, `.${name}`), join(folder, name))
}

const caracal = await startCaracal(
  { sources: [{ type: 'http', id: 'live', log_types: ['Custom.Live'] }], watch_content: false, python_children: 'shared' },
  (made) => {
    folder = made
    for (const [name, text] of Object.entries(files)) write(name, text)
  },
)
console.log(`live content: ${RATE} events/s over HTTP, ${RULES} changes of a rule, ${Math.floor(RULES / TABLE_EVERY)} of a table`)
console.log(machine())

let sent = 0
let isOver = false
const refused = new Map()
const waits = []

/** Sends a body until it is accepted; a refused body has not been received. */
async function send(body) {
  const before = performance.now()
  for (;;) {
    const response = await fetch(`${caracal.url}/ingest/live`, { method: 'POST', headers: caracal.headers, body })
    await response.arrayBuffer()
    if (response.ok) return waits.push(performance.now() - before)
    refused.set(response.status, (refused.get(response.status) ?? 0) + 1)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function load() {
  const underWay = new Set()
  const begin = performance.now()
  for (let tick = 0; !isOver; tick++) {
    const size = Math.round((RATE * TICK_MS) / 1000)
    const lines = Array.from({ length: size }, (_, i) => `{"n":${sent + i},"ip":"10.0.0.1"}`)
    sent += size
    const one = send(`${lines.join('\n')}\n`).finally(() => underWay.delete(one))
    underWay.add(one)
    const wait = begin + (tick + 1) * TICK_MS - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
  }
  const seconds = (performance.now() - begin) / 1000
  await Promise.all(underWay)
  return seconds
}

async function call(path) {
  const response = await fetch(`${caracal.url}${path}`, { method: 'POST', headers: caracal.headers })
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

const pauses = []
const durations = []
async function reload(expected) {
  const before = performance.now()
  const change = await call('/api/v1/content/reload')
  if (change.outcome !== expected)
    throw new Error(`a reload was to be ${expected} and was ${change.outcome}: ${JSON.stringify(change.problems)}`)
  if (expected === 'swapped') {
    pauses.push(change.pause_ms)
    durations.push(performance.now() - before)
  }
}

const loading = load()
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
const { generation: first } = await caracal.get('/api/v1/content')
const generations = new Map([['v0', first]])
for (let version = 1; version <= RULES; version++) {
  await pause()
  write('live.py', rule(version))
  await reload('swapped')
  generations.set(`v${version}`, (await caracal.get('/api/v1/content')).generation)
  if (version % TABLE_EVERY === 0) {
    write('hosts.csv', table(version / TABLE_EVERY))
    await call('/api/v1/tables/hosts/refresh')
  }
  if (version === BROKEN_AFTER) {
    await pause()
    write('live.py', 'def rule(event)\n    return True\n')
    await reload('broken')
    await pause()
    write('live.py', rule(version))
    await reload('unchanged')
  }
}
await pause()
isOver = true
const seconds = await loading
for (;;) {
  const { records } = await caracal.source('live')
  if (records.stored + records.dead_lettered >= sent) break
  await new Promise((resolve) => setTimeout(resolve, 100))
}

const [[stored, distinct]] = await caracal.query('SELECT count(), uniqExact(n) FROM logs.custom_live')
const judged = await caracal.query(
  "SELECT s.p_alert_title, l.p_generation, any(s.p_rule_version), uniqExact(s.p_rule_version), count() FROM signals.correlation_signals s JOIN logs.custom_live l ON s.p_row_id = l.p_row_id WHERE s.p_rule_id = 'Live' GROUP BY 1, 2 ORDER BY toUInt32(substring(s.p_alert_title, 2))",
)
const tables = await caracal.query(
  "SELECT JSONExtractString(p_enrichment, 'hosts', 'ip', 'name') AS name, count() FROM logs.custom_live GROUP BY 1 ORDER BY 1",
)
const { results } = await caracal.get('/api/v1/alerts?limit=100')
const alerts = new Map(results.filter(({ rule_id }) => rule_id === 'Live').map((alert) => [alert.title, alert]))
const lost = sent - Number(distinct)
const doubled = Number(stored) - Number(distinct)
const faults = []
if (lost !== 0) faults.push(`${lost} events are lost`)
if (doubled !== 0) faults.push(`${doubled} events are doubled`)

console.log(
  `\n  sent ${sent} in ${seconds.toFixed(1)} s (${(sent / seconds).toFixed(0)}/s), stored ${stored}, doubled ${doubled}, lost ${lost}`,
)
console.log('  version  generation        rule version      judged  alert: events')
let total = 0
const versions = new Set()
for (const [title, generation, version, count, n] of judged) {
  total += Number(n)
  versions.add(version)
  const alert = alerts.get(title)
  console.log(`  ${title.padEnd(8)} ${generation}  ${version}  ${String(n).padStart(6)}  ${alert?.event_count ?? 'none'}`)
  if (generations.get(title) !== generation) faults.push(`events of ${generation} were judged by ${title}`)
  if (Number(count) !== 1 || alert?.rule_version !== version) faults.push(`${title} does not name its version alone`)
  if (alert?.event_count !== Number(n)) faults.push(`the alert of ${title} has ${alert?.event_count} events of ${n}`)
}
if (judged.length !== RULES + 1 || versions.size !== RULES + 1)
  faults.push(`${judged.length} of ${RULES + 1} versions judged events`)
if (total !== Math.ceil(sent / EVERY)) faults.push(`${total} of ${Math.ceil(sent / EVERY)} matching events were found`)
console.log(`  table versions: ${tables.map(([name, n]) => `${name} ${n}`).join(', ')}`)
if (tables.length !== Math.floor(RULES / TABLE_EVERY) + 1) faults.push(`events have ${tables.length} versions of the table`)
const worst = Math.max(...pauses)
console.log(
  `  pause of the path at each swap: ${pauses.map((ms) => ms.toFixed(0)).join(' ')} ms; worst ${worst.toFixed(0)} ms (aim: under ${AIM_MS}${worst < AIM_MS ? '' : ', MISSED'})`,
)
console.log(
  `  from the reload to its answer: p50 ${(percentile(durations, 0.5) / 1000).toFixed(1)} s, worst ${(Math.max(...durations) / 1000).toFixed(1)} s`,
)
console.log(
  `  answers to senders: p50 ${percentile(waits, 0.5).toFixed(0)} ms, p99 ${percentile(waits, 0.99).toFixed(0)} ms, worst ${Math.max(...waits).toFixed(0)} ms; not 2xx: ${[...refused].map(([status, n]) => `${status} ${n} times`).join(', ') || 'none'}`,
)
for (const fault of faults) console.log(`  FAULT ${fault}`)
await caracal.stop()
if (faults.length > 0) process.exit(1)
