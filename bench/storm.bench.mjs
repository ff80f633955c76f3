// A storm of alerts: 50,000 matches over 5,000 dedup strings, sent evenly within a minute, and how long the API's answers take meanwhile, beside
// the answers of the same run before it. Build first, then `node bench/storm.bench.mjs`.
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { machine, percentile, startCaracal } from './lib.mjs'

const KEYS = 5000
const MATCHES = 50_000
const STORM_MS = 60_000
const PER_POST = 500

function content(folder) {
  writeFileSync(join(folder, 'storm.yml'), 'schema: Custom.Storm\nfields:\n  - { name: key, type: bigint, required: true }\n')
  writeFileSync(
    join(folder, 'each.yml'),
    'AnalysisType: rule\nRuleID: Storm.Each\nFilename: each.py\nEnabled: true\nLogTypes: [Custom.Storm]\nSeverity: High\n',
  )
  writeFileSync(
    join(folder, 'each.py'),
    'def rule(event):\n    return True\n\n\ndef dedup(event):\n    return str(event.get("key"))\n',
  )
}

let messages = 0
let carried = 0
const receiver = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    messages++
    carried += JSON.parse(Buffer.concat(chunks).toString()).alertContext.alerts?.length ?? 1
    response.end()
  })
})
await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve))
const caracal = await startCaracal(
  {
    sources: [{ type: 'http', id: 'storm', log_types: ['Custom.Storm'] }],
    content: ['content'],
    destinations: [{ type: 'webhook', id: 'channel', url: `http://127.0.0.1:${receiver.address().port}/`, max_per_minute: 30 }],
  },
  content,
)

/** Times of calls as a person at a console makes them, one every 100 ms, until `isOver`. */
async function asked(isOver) {
  const times = []
  while (!isOver()) {
    for (const path of ['/api/v1/alerts?limit=50', '/api/v1/sources', '/api/v1/health']) {
      const start = performance.now()
      await caracal.get(path)
      times.push(performance.now() - start)
      await setTimeout(100)
    }
  }
  return times
}

const after = (ms) => {
  const end = performance.now() + ms
  return () => performance.now() > end
}
await asked(after(10_000))
const idle = await asked(after(30_000))

let isSent = false
const storm = (async () => {
  const start = performance.now()
  for (let from = 0; from < MATCHES; from += PER_POST) {
    await setTimeout(Math.max(0, start + (from / MATCHES) * STORM_MS - performance.now()))
    await caracal.post('storm', Array.from({ length: PER_POST }, (_, i) => `{"key":${(from + i) % KEYS}}\n`).join(''))
  }
  isSent = true
  return performance.now() - start
})()
const busy = await asked(() => isSent)
const sentMs = await storm
const counted = async () => (await caracal.query("SELECT count() FROM matches.all WHERE p_rule_id = 'Storm.Each'"))?.[0]?.[0]
const isDone = async () => Number(await counted()) === MATCHES && carried === KEYS
const last = performance.now()
while (!(await isDone()) && performance.now() < last + 300_000) await setTimeout(500)

const [idleP99, busyP99] = [percentile(idle, 0.99), percentile(busy, 0.99)]
console.log(`\nstorm: ${MATCHES} matches over ${KEYS} dedup strings in ${(sentMs / 1000).toFixed(0)} s\n${machine()}`)
console.log(`  matches stored ${await counted()}, ${carried} alerts carried in ${messages} messages`)
console.log(`  API, idle   p50 ${percentile(idle, 0.5).toFixed(1)} ms, p99 ${idleP99.toFixed(1)} ms of ${idle.length} calls`)
console.log(`  API, storm  p50 ${percentile(busy, 0.5).toFixed(1)} ms, p99 ${busyP99.toFixed(1)} ms of ${busy.length} calls`)
console.log(`  p99 in the storm: ${(busyP99 / idleP99).toFixed(1)} times the idle one`)
receiver.closeAllConnections()
receiver.close()
await caracal.stop()
