// The whole path on Zeek conn JSON: HTTP in, five tables of 1k-100k rows of which 1 % hit, twenty Python rules, lake on.
// In the same run, JSON.parse alone on the same lines is the yardstick. `--against DIR` compares with another built checkout:
// A B A B …, `--rounds N` of each (3), median and spread of CPU an event in units of that yardstick. `--workers 1,2,4`: how events a
// second grow with the threads that make batches.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { address, connLine, cpuByCommand, cpuSeconds, machine, memory, percentile, root, startCaracal } from './lib.mjs'
import { content, idle, TABLES } from './path-content.mjs'

const { values: options } = parseArgs({
  options: { against: { type: 'string' }, rounds: { type: 'string', default: '3' }, workers: { type: 'string' } },
})
if (options.against) {
  compare(options.against, Number(options.rounds))
  process.exit()
}
if (options.workers) {
  scale(options.workers.split(','), Number(options.rounds))
  process.exit()
}

/** Runs this bench once in a separate process. */
function runOnce(more) {
  const { stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.url)], {
    env: { ...process.env, ...more },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const line = /^result (.*)$/m.exec(stdout)
  if (!line) throw new Error(`${JSON.stringify(more)} gave no result:\n${stdout}`)
  return JSON.parse(line[1])
}

/** Runs with each number of workers in turn and prints how fast events are committed. */
function scale(counts, rounds) {
  const found = new Map(counts.map((count) => [count, []]))
  for (let round = 0; round < rounds; round++)
    for (const [count, results] of found) results.push(runOnce({ BENCH_WORKERS: count }))
  console.log(machine())
  const middle = (list) => percentile(list, 0.5)
  const first = found.get(counts[0])
  for (const [count, results] of found) {
    const rates = results.map(({ committedPerSecond }) => committedPerSecond)
    const pairs = results.map(({ committedPerSecond }, i) => committedPerSecond / first[i].committedPerSecond)
    console.log(
      `${count.padStart(3)} workers: ${middle(rates).toFixed(0)} events/s committed (${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)}), ${middle(pairs).toFixed(2)} times those of ${counts[0]}; ${middle(results.map(({ cpuUs }) => cpuUs)).toFixed(1)} µs of CPU an event`,
    )
  }
}

/** Runs both checkouts in turn and prints the cost of each. */
function compare(other, rounds) {
  const found = new Map([
    [root, []],
    [other, []],
  ])
  for (let round = 0; round < rounds; round++) {
    for (const [checkout, results] of found) {
      const result = runOnce({ BENCH_CHECKOUT: checkout })
      results.push(result)
      console.log(`${checkout}: ${JSON.stringify(result)}`)
    }
  }
  const middle = (list) => percentile(list, 0.5)
  for (const [checkout, results] of found) {
    const ratios = results.map(({ ratio }) => ratio)
    console.log(
      `${checkout}: ${middle(ratios).toFixed(1)} times JSON.parse (${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)}), ${middle(results.map(({ cpuUs }) => cpuUs)).toFixed(1)} µs an event`,
    )
  }
  const [mine, theirs] = [...found.values()]
  const pairs = mine.map(({ ratio }, i) => ratio / theirs[i].ratio)
  console.log(
    `pairs: ${middle(pairs).toFixed(2)} (${Math.min(...pairs).toFixed(2)} to ${Math.max(...pairs).toFixed(2)}) of what the other costs`,
  )
}

/** Pause between two questions about progress, because answers take CPU as well. */
const ASK_MS = 100
const EVENTS = Number(process.env.BENCH_EVENTS ?? 200_000)
const BODY = 2000

const lines = Array.from({ length: EVENTS }, (_, i) => {
  const t = i % 500
  // One in a hundred is in one of the tables.
  return connLine(i, t < 5 ? address(t * 1_000_000 + (i % TABLES[t])) : undefined)
})
const bytes = lines.reduce((n, line) => n + line.length, 0) / lines.length
/** CPU of JSON.parse alone, µs a line: measured before and after, since machines change their speed. */
function yardstick() {
  const before = process.cpuUsage()
  let keys = 0
  for (const line of lines) keys += JSON.parse(line).uid.length
  if (keys === 0) throw new Error('nothing was parsed')
  const { user, system } = process.cpuUsage(before)
  return (user + system) / EVENTS
}
yardstick()
const yardsticks = [yardstick(), yardstick()]

const caracal = await startCaracal(
  {
    sources: [{ type: 'http', id: 'bench', log_types: ['Zeek.Conn'] }],
    content: ['content'],
    ...(process.env.BENCH_WORKERS && { workers: Number(process.env.BENCH_WORKERS) }),
  },
  content,
)
const bodies = []
for (let i = 0; i < EVENTS; i += BODY) bodies.push(`${lines.slice(i, i + BODY).join('\n')}\n`)
await caracal.post('bench', `${connLine(EVENTS)}\n`)
while ((await caracal.source('bench')).records.stored < 1) await new Promise((resolve) => setTimeout(resolve, 20))
await idle(caracal)
const cpuBefore = cpuSeconds(caracal.pid)
const startedWith = cpuByCommand(caracal.pid)
const start = performance.now()
let next = 0
const senders = Array.from({ length: 4 }, async () => {
  while (next < bodies.length) await caracal.post('bench', bodies[next++])
})
await Promise.all(senders)
const sentSecs = (performance.now() - start) / 1000
for (;;) {
  const { records } = await caracal.source('bench')
  if (records.stored + records.dead_lettered >= EVENTS + 1) break
  await new Promise((resolve) => setTimeout(resolve, ASK_MS))
}
const committedSecs = (performance.now() - start) / 1000
while (Number((await caracal.query('SELECT count() FROM logs.zeek_conn'))?.[0]?.[0] ?? 0) < EVENTS + 1)
  await new Promise((resolve) => setTimeout(resolve, ASK_MS))
const lakeSecs = (performance.now() - start) / 1000
const cpu = cpuSeconds(caracal.pid) - cpuBefore
const shares = Object.entries(cpuByCommand(caracal.pid)).map(([command, s]) => [
  command,
  ((s - (startedWith[command] ?? 0)) * 1e6) / EVENTS,
])
yardsticks.push(yardstick(), yardstick())
const parseUs = yardsticks.reduce((sum, us) => sum + us, 0) / yardsticks.length
const cpuUs = (cpu * 1e6) / EVENTS
const text = await caracal.metrics()
const stage = (name) => Number(new RegExp(`caracal_stage_seconds_sum\\{stage="${name}"\\} (\\S+)`).exec(text)?.[1] ?? 0)
const enriched = await caracal.query('SELECT countIf(p_enrichment IS NOT NULL) FROM logs.zeek_conn')

console.log(
  `\nwhole path: ${EVENTS} Zeek conn events, ${bytes.toFixed(0)} bytes each; tables of ${TABLES.join(', ')} rows, ${enriched[0][0]} events hit; 20 Python rules; lake on`,
)
console.log(machine())
console.log(`  JSON.parse alone        ${(1e6 / parseUs).toFixed(0).padStart(9)} events/s  ${parseUs.toFixed(2)} µs an event`)
console.log(`  taken (2xx, fsynced)    ${(EVENTS / sentSecs).toFixed(0).padStart(9)} events/s`)
console.log(`  committed (alerts made) ${(EVENTS / committedSecs).toFixed(0).padStart(9)} events/s`)
console.log(`  in the lake             ${(EVENTS / lakeSecs).toFixed(0).padStart(9)} events/s`)
console.log(
  `  CPU of all processes    ${cpuUs.toFixed(1).padStart(9)} µs an event, ${(cpuUs / parseUs).toFixed(1)} times JSON.parse`,
)
console.log(`  of it: ${shares.map(([command, us]) => `${command} ${us.toFixed(1)}`).join(', ')}`)
for (const name of ['parse', 'enrich', 'detect', 'encode', 'commit'])
  console.log(`  ${name.padEnd(8)} ${((stage(name) * 1e6) / EVENTS).toFixed(2).padStart(8)} µs an event (waiting included)`)
console.log(
  `  memory after: ${memory(caracal.pid)
    .map(({ command, mib }) => `${command || 'node'} ${mib} MiB`)
    .join(', ')}`,
)

const posts = []
for (let i = 0; i < 500; i++) {
  const body = `${connLine(i, '203.0.113.9').replace('"id.resp_p":80', '"id.resp_p":22')}\n`
  const before = performance.now()
  await caracal.post('bench', body)
  posts.push(performance.now() - before)
}
console.log(
  `  single posts: answered in p50 ${percentile(posts, 0.5).toFixed(1)} ms, p99 ${percentile(posts, 0.99).toFixed(1)} ms`,
)
console.log(
  `result ${JSON.stringify({ cpuUs, parseUs, ratio: cpuUs / parseUs, eventsPerSecond: EVENTS / lakeSecs, committedPerSecond: EVENTS / committedSecs, p50: percentile(posts, 0.5), p99: percentile(posts, 0.99) })}`,
)
await caracal.stop()
