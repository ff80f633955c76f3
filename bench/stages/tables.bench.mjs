// Tables beside yardsticks: nanoseconds of CPU a look-up as ratios to a JS Map, a linear scan and the package `maxmind`; memory, loading and
// swapping of a million rows. Build first: `npm run build && node --expose-gc bench/stages/tables.bench.mjs`.
import { setTimeout } from 'node:timers/promises'
import { Reader } from 'maxmind'
import { machine, percentile, seeded } from '../lib.mjs'
import { mmdbOf } from './mmdb-file.mjs'

const { buildTable } = await import('../../dist/stages/enrich/build.js')
const { defineTable } = await import('../../dist/stages/enrich/definition.js')
const { createEnricher } = await import('../../dist/stages/enrich/enricher.js')
const { imageOf, openTable } = await import('../../dist/stages/enrich/open.js')

const random = seeded(4848)
const below = (n) => Math.floor(random() * n)
const address = () => `${1 + below(223)}.${below(256)}.${below(256)}.${below(256)}`
/** Networks of one length do not overlap, so that all yardsticks have the same answers. */
const network = () => `${1 + below(223)}.${below(256)}.${below(256)}.0/24`
const word = () => `host-${below(2 ** 32).toString(36)}`
const domain = () => `${word()}.example`

const BATCH = 1000
const BATCHES = 60

function cpuSeconds(run) {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

/** Fresh strings, as a parser creates them. */
const fresh = (keys) => JSON.parse(JSON.stringify(keys))

/** Median nanoseconds of CPU a look-up; `share` of each batch is looked up, for slow yardsticks. */
function nanoseconds(find, batches, share = 1) {
  const count = Math.max(1, Math.round(BATCH * share))
  const times = batches.map((keys) => {
    const some = fresh(keys.slice(0, count))
    return cpuSeconds(() => {
      for (const key of some) find(key)
    })
  })
  return (percentile(times, 0.5) / count) * 1e9
}

function build(match, keys, selectors = [], name = 't') {
  const LogTypeMap = { PrimaryKey: 'key', AssociatedLogTypes: [{ LogType: 'Bench', Selectors: selectors }] }
  const document = { AnalysisType: 'lookup_table', LookupName: name, Filename: 'x', Format: 'list', Match: match, LogTypeMap }
  return buildTable(defineTable(document, { file: '/x.yml' }), undefined, { bytes: Buffer.from(keys.join('\n')) })
}

/** Finds a key by comparing with each in turn. */
const scans = {
  exact: (keys) => (value) => keys.indexOf(value),
  cidr: (keys) => {
    const starts = keys.map((key) => key.slice(0, key.lastIndexOf('.')))
    return (value) => starts.indexOf(value.slice(0, value.lastIndexOf('.')))
  },
  domain: (keys) => {
    const ends = keys.map((key) => `.${key}`)
    return (value) => ends.findIndex((end) => `.${value}`.endsWith(end))
  },
}

/** The plainest index over a Map: of networks and domains, one look-up for each prefix or parent. */
const maps = {
  exact: (keys) => {
    const map = new Map(keys.map((key, i) => [key, i]))
    return (value) => map.get(value)
  },
  cidr: (keys) => {
    const map = new Map(keys.map((key, i) => [key.slice(0, key.lastIndexOf('.')), i]))
    return (value) => map.get(value.slice(0, value.lastIndexOf('.')))
  },
  domain: (keys) => {
    const map = new Map(keys.map((key, i) => [key, i]))
    return (value) => {
      for (let from = 0; ; ) {
        const found = map.get(from === 0 ? value : value.slice(from))
        from = value.indexOf('.', from) + 1
        if (found !== undefined || from === 0) return found
      }
    }
  },
}

console.log(`${machine()}\n\nLook-ups of fresh strings, one by one; medians of ${BATCHES} batches of ${BATCH}, CPU.\n`)
console.log('match         rows   look-up   ns here   M/s here   Map ÷ here   maxmind ÷ here   scan ÷ here')
for (const [match, make, hitOf, miss] of [
  ['exact', word, (key) => key, word],
  ['cidr', network, (key) => key.replace(/0\/24$/, String(below(256))), address],
  ['domain', domain, (key) => `www.${key}`, () => `www.${domain()}`],
]) {
  for (const count of [1_000, 100_000, 1_000_000]) {
    const keys = [...new Set(Array.from({ length: count }, make))]
    const table = await build(match, keys)
    const map = maps[match](keys)
    const reader = match === 'cidr' ? new Reader(mmdbOf(keys)) : undefined
    const scan = scans[match](keys)
    for (const [what, keyOf] of [
      ['hit', () => hitOf(keys[below(keys.length)])],
      ['miss', miss],
    ]) {
      const batches = Array.from({ length: BATCHES }, () => Array.from({ length: BATCH }, keyOf))
      const own = nanoseconds((key) => table.find(key), batches)
      const ratio = (find, share, some = batches) => (nanoseconds(find, some, share) / own).toFixed(1).padStart(10)
      console.log(
        `${match.padEnd(7)} ${String(count).padStart(10)}   ${what.padEnd(7)} ${own.toFixed(0).padStart(9)} ${(1000 / own).toFixed(1).padStart(10)}   ${ratio(map)}   ${reader ? ratio((key) => reader.get(key)).padStart(14) : '-'.padStart(14)}   ${ratio(scan, 2 / count < 0.001 ? 0.001 : 0.05, batches.slice(0, 9)).padStart(11)}`,
      )
    }
  }
}

const heap = () => {
  globalThis.gc?.()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}

console.log(
  '\nA million rows: memory (aim: 150 MB exact, 100 MB networks), building from the stored content (aim: 2 s), swapping (aim: 20 ms).\n',
)
for (const [match, make] of [
  ['exact', (i) => `${word()}-${i}`],
  ['cidr', (i) => `${1 + (i >>> 16)}.${(i >>> 8) & 255}.${i & 255}.0/24`],
]) {
  const text = Array.from({ length: 1_000_000 }, (_, i) => make(i))
  let table = await build(match, text.slice(0, 1000))
  const before = heap()
  let longest = 0
  let isBuilding = true
  const watching = (async () => {
    for (let last = performance.now(); isBuilding; last = performance.now()) {
      await setTimeout(1)
      longest = Math.max(longest, performance.now() - last)
    }
  })()
  const cpu = process.cpuUsage()
  const built = await build(match, text)
  const { user, system } = process.cpuUsage(cpu)
  isBuilding = false
  await watching
  const held = heap() - before
  const image = imageOf(built)
  const swapped = performance.now()
  table = openTable(image, undefined)
  createEnricher([table])
  const swapMs = performance.now() - swapped
  console.log(
    `${match.padEnd(6)} ${(built.bytes / 1e6).toFixed(0)} MB in shared memory, ${(held / 1e6).toFixed(0)} MB more in the process; built in ${((user + system) / 1e6).toFixed(1)} s of CPU with pauses of at most ${longest.toFixed(0)} ms; put in force in ${swapMs.toFixed(2)} ms`,
  )
}

const sizes = [1_000, 3_000, 10_000, 30_000, 100_000]
const keysOf = sizes.map((count) => Array.from({ length: count }, address))
const tables = await Promise.all(keysOf.map((keys, i) => build(i % 2 ? 'cidr' : 'ip', keys, ['src'], `table_${i}`)))
const enricher = createEnricher(tables)
const logType = { name: 'Bench', columns: [], isDescribed: false }
const perEvent = Array.from({ length: 20 }, () => {
  const events = fresh(
    Array.from({ length: 20_000 }, (_, i) => ({ src: i % 100 === 0 ? keysOf[below(5)][below(1000)] : address() })),
  )
  return (cpuSeconds(() => enricher.enrich(logType, events)) / events.length) * 1e6
})
console.log(
  `\nFive tables joined on one field, 1 % of events matched: ${percentile(perEvent, 0.5).toFixed(2)} µs of CPU an event (aim: 1 µs)`,
)
