// Look-ups per second and microseconds per event of the enrich stage. Build first: `npm run build && node bench/stages/enrich.bench.mjs`.
// The compiled code may be elsewhere: `DIST=folder node bench/stages/enrich.bench.mjs`.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const dist = pathToFileURL(resolve(process.env['DIST'] ?? 'dist')).href
const { buildTable } = await import(`${dist}/stages/enrich/build.js`)
const { defineTable } = await import(`${dist}/stages/enrich/definition.js`)
const { createEnricher } = await import(`${dist}/stages/enrich/enricher.js`)

/** The same numbers on every run (xorshift). */
let state = 4848
function random(below) {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % below
}
const address = () => `${1 + random(223)}.${random(256)}.${random(256)}.${random(256)}`
const network = () => {
  const bits = 12 + random(21)
  return `${address()}/${bits}`
}
const address6 = () => `2001:${random(65536).toString(16)}:${random(65536).toString(16)}::${random(65536).toString(16)}`
const word = () => `host-${random(4294967295).toString(36)}.example.com`

function definition(name, match, selectors = []) {
  const LogTypeMap = { PrimaryKey: 'key', AssociatedLogTypes: [{ LogType: 'Bench', Selectors: selectors }] }
  return defineTable(
    { AnalysisType: 'lookup_table', LookupName: name, Filename: 'x', Format: 'list', Match: match, LogTypeMap },
    { file: '/x.yml' },
  )
}

const build = (name, match, keys, selectors) =>
  buildTable(definition(name, match, selectors), undefined, { bytes: Buffer.from(keys.join('\n')) })

/** Fresh strings, as a parser makes them: their hashes are not known yet. */
const fresh = (keys) => JSON.parse(JSON.stringify(keys))

/** Strings a batch: as many as a pipeline thread holds at once, so that they are in the processor's cache as there. */
const BATCH = 5_000
const LOOKUPS = 500_000

function lookups(table, keys) {
  const seconds = []
  let hits = 0
  for (let from = 0; from < keys.length; from += BATCH) {
    const asked = fresh(keys.slice(from, from + BATCH))
    const start = performance.now()
    for (const key of asked) if (table.get(key) !== undefined) hits++
    seconds.push((performance.now() - start) / 1000 / asked.length)
  }
  if (hits > keys.length) throw new Error('impossible')
  // Other programs disturb some batches: the best tenth shows the code, the median the machine as it is.
  seconds.sort((x, y) => x - y)
  const rate = (share) => (1 / seconds[Math.floor(seconds.length * share)] / 1e6).toFixed(1).padStart(5)
  return `${rate(0.1)} ${rate(0.5)}`
}

console.log(
  `Node ${process.version}. Look-ups of fresh strings in batches of ${BATCH}, in M/s: the best tenth of batches, and the median.\n`,
)
console.log('match            rows   build ms      1 % hits      all hits')
for (const [match, make] of [
  ['ip', address],
  ['cidr', network],
  ['cidr', address6],
  ['exact', word],
]) {
  for (const rows of [1_000, 100_000, 1_000_000]) {
    const keys = Array.from({ length: rows }, make)
    const start = performance.now()
    const table = await build('t', match, keys)
    const ms = Math.round(performance.now() - start)
    const hit = match === 'cidr' ? (i) => keys[i].split('/')[0] : (i) => keys[i]
    const miss = make === network ? address : make
    const mixed = Array.from({ length: LOOKUPS }, (_, i) => (i % 100 === 0 ? hit(random(rows)) : miss()))
    const hits = Array.from({ length: LOOKUPS }, () => hit(random(rows)))
    const kind = make === address6 ? 'cidr (IPv6)' : match
    console.log(
      `${kind.padEnd(11)} ${String(rows).padStart(9)} ${String(ms).padStart(10)}   ${lookups(table, mixed)}   ${lookups(table, hits)}`,
    )
  }
}

/** Five tables joined on one field of each event; one event in a hundred matches one of them. */
const sizes = [1_000, 3_000, 10_000, 30_000, 100_000]
const tables = []
const keyOf = []
for (const [i, rows] of sizes.entries()) {
  const keys = Array.from({ length: rows }, address)
  keyOf.push(keys)
  tables.push(await build(`table_${i}`, i % 2 ? 'cidr' : 'ip', keys, ['id_orig_h']))
}
const events = (count) =>
  Array.from({ length: count }, (_, i) => ({
    p_log_type: 'Bench',
    uid: `C${random(4294967295).toString(36)}`,
    id_orig_h: i % 100 === 0 ? keyOf[random(5)][random(1000)] : address(),
    id_resp_h: '198.51.100.1',
    id_resp_p: 443,
  }))
const enricher = createEnricher(tables)
let best = Number.POSITIVE_INFINITY
let matched = 0
for (let round = 0; round < 8; round++) {
  const batch = fresh(events(200_000))
  const start = performance.now()
  enricher.enrich('Bench', batch)
  best = Math.min(best, ((performance.now() - start) * 1000) / batch.length)
  matched = batch.filter((event) => event.p_enrichment !== undefined).length / batch.length
}
console.log(
  `\nFive tables of 1,000 to 100,000 rows, ${(matched * 100).toFixed(1)} % of events matched: ${best.toFixed(3)} µs an event`,
)
