// From receipt to alert while a share of what the machine can take arrives, against what the model of the path says (bench/sizing).
// `node bench/load.mjs [--share 0.5] [--seconds 20]`: first as fast as it goes, then at that share: posts of 100 events that arrive
// independently of each other, one in ten with an event that opens an alert.
import { parseArgs } from 'node:util'
import { connLine, cpuSeconds, machine, percentile, seeded, startCaracal, writeRuleForEach } from './lib.mjs'
import { content, idle } from './path-content.mjs'
import { ASIDE_US, path } from './sizing/costs.mjs'
import { simulate } from './sizing/simulate.mjs'

const { values } = parseArgs({
  options: {
    share: { type: 'string', default: '0.5' },
    seconds: { type: 'string', default: '20' },
    cores: { type: 'string', default: '2' },
  },
})
const [share, seconds, cores] = [Number(values.share), Number(values.seconds), Number(values.cores)]
const POST = 100
const WARM = 150_000
const random = seeded(11)

const caracal = await startCaracal(
  { sources: [{ type: 'http', id: 'bench', log_types: ['Zeek.Conn'] }], content: ['content'] },
  (folder) => {
    content(folder)
    writeRuleForEach(folder)
  },
)
const stored = async () => {
  const { records } = await caracal.source('bench')
  return records.stored + records.dead_lettered
}
const until = async (n) => {
  while ((await stored()) < n) await new Promise((resolve) => setTimeout(resolve, 100))
}
const body = (from, n, alert) =>
  `${Array.from({ length: n }, (_, i) => (alert && i === 0 ? connLine(from).replace(/"id\.resp_p":\d+/, '"id.resp_p":4444') : connLine(from + i))).join('\n')}\n`

await caracal.post('bench', body(0, 1))
await until(1)
await idle(caracal)

/** Events a second, as fast as four senders go. */
async function fastest() {
  const bodies = Array.from({ length: WARM / 2000 }, (_, i) => body(i * 2000, 2000))
  const before = await stored()
  const start = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      while (next < bodies.length) await caracal.post('bench', bodies[next++])
    }),
  )
  await until(before + WARM)
  return WARM / ((performance.now() - start) / 1000)
}
await fastest()
const most = await fastest()
await idle(caracal)

const rate = most * share
const posts = Math.ceil((rate * seconds) / POST)
const bodies = Array.from({ length: posts }, (_, i) => body(1_000_000 + i * POST, POST, i % 10 === 0))
const before = await stored()
const cpuBefore = cpuSeconds(caracal.pid)
const start = performance.now()
const sent = []
let due = start
for (const text of bodies) {
  due += (-Math.log(1 - random()) * 1000 * POST) / rate
  const wait = due - performance.now()
  if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait))
  sent.push(caracal.post('bench', text))
}
await Promise.all(sent)
await until(before + posts * POST)
const took = (performance.now() - start) / 1000
const cpu = cpuSeconds(caracal.pid) - cpuBefore
const latencies = []
let cursor = ''
do {
  const page = await caracal.get(`/api/v1/alerts?limit=200&rule=Bench.Each${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
  for (const alert of page.results) latencies.push(alert.latency_ms)
  cursor = page.next ?? ''
} while (cursor)

/** What the model says at a rate, with costs that fit how fast this machine is. */
function model(eventsPerSecond, scale) {
  return simulate({
    machines: { one: cores },
    stations: path({ scale }),
    aside: { one: ASIDE_US * scale },
    until: 'commit',
    eventsPerSecond: () => eventsPerSecond,
    perPost: POST,
    seconds,
    warmUpSeconds: seconds / 6,
  })
}
/** The scale at which the model takes as much as was measured: machines differ, the shape does not. */
function fitting() {
  let [low, high] = [0.2, 10]
  while (high / low > 1.02) {
    const scale = Math.sqrt(low * high)
    const { arrived, done } = simulate({
      machines: { one: cores },
      stations: path({ scale }),
      aside: { one: ASIDE_US * scale },
      until: 'commit',
      eventsPerSecond: () => most,
      perPost: 2000,
      seconds: 8,
    })
    if (done > arrived * 0.97) low = scale
    else high = scale
  }
  return low
}
const scale = fitting()
const said = model(rate, scale)
const commit = said.stations.find(({ name }) => name === 'commit')
console.log(`\nhalf load: ${machine()}`)
console.log(`  as fast as it goes: ${most.toFixed(0)} events/s, which is the model with costs times ${scale.toFixed(2)}`)
console.log(
  `  ${((posts * POST) / took).toFixed(0)} events/s for ${took.toFixed(0)} s: received → alert p50 ${percentile(latencies, 0.5)} ms, p99 ${percentile(latencies, 0.99)} ms of ${latencies.length}; ${(cpu / took).toFixed(2)} cores`,
)
console.log(
  `  the model says p50 ${commit.p50Ms.toFixed(1)} ms, p99 ${commit.p99Ms.toFixed(1)} ms; ${said.coresUsed.one.toFixed(2)} cores`,
)
await caracal.stop()
