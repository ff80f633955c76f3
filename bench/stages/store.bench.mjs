// Cost of the embedded lake: rows a second, CPU, bytes on disk, memory. Build first: `npm run build && node bench/stages/store.bench.mjs`.
// The compiled code may be elsewhere: `DIST=folder node bench/stages/store.bench.mjs`. Reads /proc: Linux only.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

const dist = pathToFileURL(resolve(process.env['DIST'] ?? 'dist')).href
const { createChdbLake } = await import(`${dist}/stages/store/chdb.js`)
const { RowWriter } = await import(`${dist}/stages/store/row-writer.js`)
const { blocksOf, valueEncoder } = await import(`${dist}/util/block/encode.js`)

const TABLES = 40
const IDLE_MS = 10_000

/** 29 columns, like those of a Zeek connection: standard ones, addresses, ports, counters, texts, nested values. */
const columns = [
  ...['p_log_type', 'p_row_id', 'p_source_id', 'p_source_label'].map((name) => ({ name, kind: 'string', required: true })),
  ...['p_event_time', 'p_parse_time'].map((name) => ({ name, kind: 'timestamp', required: true })),
  ...Array.from({ length: 4 }, (_, i) => ({ name: `p_any_${i}`, kind: 'strings' })),
  ...Array.from({ length: 8 }, (_, i) => ({ name: `text_${i}`, kind: 'string' })),
  ...Array.from({ length: 6 }, (_, i) => ({ name: `count_${i}`, kind: 'bigint' })),
  ...Array.from({ length: 2 }, (_, i) => ({ name: `share_${i}`, kind: 'float' })),
  { name: 'local', kind: 'boolean' },
  { name: 'extra', kind: 'json' },
  { name: 'p_enrichment', kind: 'json' },
]

/** The same numbers on every run (xorshift). */
let state = 4848
function random(below) {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % below
}
const address = () => `${1 + random(223)}.${random(256)}.${random(256)}.${random(256)}`
const randomOf = {
  string: (i) =>
    i % 3 === 0
      ? address()
      : i % 3 === 1
        ? `C${random(2 ** 31).toString(36)}${random(2 ** 31).toString(36)}`
        : `word-${random(50)}`,
  timestamp: () => new Date(1_713_520_800_000 + random(60_000)).toISOString(),
  strings: () => [address(), address()],
  bigint: () => random(100_000),
  float: () => random(1_000_000) / 997,
  boolean: () => random(2) === 1,
  json: () => JSON.stringify({ tor: { id_orig_h: { ip: address(), p_match: address(), p_version: '2024-04-19' } } }),
}
function rows(count) {
  const values = Array.from({ length: count }, () => columns.map(({ kind }, i) => randomOf[kind](i)))
  return blocksOf(values, valueEncoder(columns)).map((block) => block.rows)
}

/** CPU of a process so far, ms. */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
function memory(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const mib = (key) => Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(rollup)[1]) / 1024)
  return `${mib('Rss')} MiB resident, of it ${mib('Anonymous')} MiB its own (the rest is the engine's library, shared and reclaimable)`
}
async function measure(lake, work) {
  const [began, cpu] = [performance.now(), cpuMs(lake.pid)]
  await work()
  return { ms: performance.now() - began, cpu: cpuMs(lake.pid) - cpu }
}

const dataDir = mkdtempSync(join(tmpdir(), 'lake-bench-'))
let began = performance.now()
let lake = await createChdbLake({ dataDir })
console.log(`open, new folder: ${Math.round(performance.now() - began)} ms`)
await setTimeout(IDLE_MS)
const writer = new RowWriter(dataDir, lake)
console.log(`idle, empty: ${memory(lake.pid)}`)

const tables = Array.from({ length: TABLES }, (_, i) => ({
  database: 'logs',
  table: `t${i}`,
  timeColumn: 'p_event_time',
  columns,
}))
began = performance.now()
for (const table of tables) await lake.ensure(table)
console.log(`make a table: ${((performance.now() - began) / TABLES).toFixed(1)} ms`)

for (const [count, times] of [
  [5000, 20],
  [50_000, 4],
]) {
  const batches = Array.from({ length: times }, () => rows(count))
  const { ms, cpu } = await measure(lake, async () => {
    for (const [i, batch] of batches.entries()) await writer.insert(tables[0], batch, `big ${count} ${i}`)
  })
  const all = count * times
  console.log(
    `inserts of ${count} rows (${columns.length} columns, ${Math.round(batches[0].reduce((n, block) => n + block.length, 0) / count)} B as a block): ` +
      `${Math.round((all / ms) * 1000)} rows/s, ${((cpu * 1000) / all).toFixed(1)} µs CPU a row, ${(cpu / times).toFixed(0)} ms CPU an insert`,
  )
}
const size = await lake.query(
  "SELECT sum(data_length) FROM information_schema.tables WHERE table_schema = 'logs' AND table_name = 't0'",
)
console.log(`on disk: ${Math.round(JSON.parse(size.rows[0])[0] / 300_000)} B a row`)

const small = rows(250)
const flushes = []
for (let flush = 0; flush < 5; flush++) {
  flushes.push(
    await measure(lake, async () => {
      for (const table of tables) await writer.insert(table, small, `small ${flush}`)
    }),
  )
  await setTimeout(Math.max(0, 2000 - flushes.at(-1).ms))
}
const each = flushes.map(({ ms, cpu }) => `${Math.round(ms)} ms (CPU ${cpu})`).join(', ')
console.log(`${TABLES} tables of 250 rows, flushed every 2 s: ${each}; ${memory(lake.pid)}`)
console.log(
  `look through logs.all: ${Math.round((await lake.query('SELECT p_log_type, count() FROM logs.all GROUP BY 1')).ms)} ms`,
)
const idle = await measure(lake, () => setTimeout(IDLE_MS))
console.log(`idle, ${TABLES} tables: ${memory(lake.pid)}; CPU ${idle.cpu} ms in ${IDLE_MS / 1000} s`)
await lake.close()
began = performance.now()
lake = await createChdbLake({ dataDir })
console.log(`open, ${TABLES} tables: ${Math.round(performance.now() - began)} ms`)
await lake.close()
rmSync(dataDir, { recursive: true })
