// Look-ups per second, memory and microseconds per event of the enrich stage. Build first: `npm run build && node bench/stages/enrich.bench.mjs`.
// With the compiled code of another version beside it (`BEFORE=folder`), both are measured in turn, batch by batch. Times are CPU times.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The enrich stage of compiled code in a folder. */
async function load(folder) {
  const dist = pathToFileURL(resolve(folder)).href
  const modules = ['build', 'definition', 'enricher'].map((name) => import(`${dist}/stages/enrich/${name}.js`))
  return Object.assign({}, ...(await Promise.all(modules)))
}
const versions = { now: await load('dist') }
if (process.env['BEFORE']) versions.before = await load(process.env['BEFORE'])
const { AddressBatch } = await import(`${pathToFileURL(resolve('dist')).href}/stages/enrich/tables/address-batch.js`)

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
const network6 = () => `${address6()}/${32 + random(33)}`
const word = () => `host-${random(4294967295).toString(36)}.example.com`

function build({ defineTable, buildTable }, name, match, keys, selectors = []) {
  const LogTypeMap = { PrimaryKey: 'key', AssociatedLogTypes: [{ LogType: 'Bench', Selectors: selectors }] }
  const document = { AnalysisType: 'lookup_table', LookupName: name, Filename: 'x', Format: 'list', Match: match, LogTypeMap }
  return buildTable(defineTable(document, { file: '/x.yml' }), undefined, { bytes: Buffer.from(keys.join('\n')) })
}

/** Fresh strings, as a parser creates them: their hashes are not computed yet. */
const fresh = (keys) => JSON.parse(JSON.stringify(keys))

/** Values a batch, and batches. */
const BATCH = 1000
const BATCHES = 150
const batch = new AddressBatch(BATCH)
const rows = new Int32Array(BATCH)

/** What is measured: for each value of a batch, from its text or, of addresses, from what has been read of it. */
const ways = {
  now: (table, keys) => {
    if (!table.hasAddresses) for (let i = 0; i < keys.length; i++) rows[i] = table.find(keys[i])
    else {
      batch.read(keys)
      table.findAll(batch, rows)
    }
  },
  before: (table, keys) => {
    for (const key of keys) if (table.get(key) !== undefined) rows[0]++
  },
  parsed: (table) => table.findAll(batch, rows),
}

function cpuMicroseconds(run) {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Millions of look-ups a second: the median of the batches. */
function lookups(tables, keyOf) {
  const times = {}
  for (let n = 0; n < BATCHES; n++) {
    const keys = Array.from({ length: BATCH }, (_, i) => keyOf(i))
    for (const [way, table] of Object.entries(tables)) {
      const asked = fresh(keys)
      if (way === 'parsed') batch.read(asked)
      times[way] ??= []
      times[way].push(cpuMicroseconds(() => ways[way](table, asked)))
    }
  }
  const rate = (list) => (BATCH / list.sort((a, b) => a - b)[BATCHES >> 1]).toFixed(1).padStart(5)
  return Object.fromEntries(Object.entries(times).map(([way, list]) => [way, rate(list)]))
}

console.log(
  `Node ${process.version}. Look-ups of fresh strings in batches of ${BATCH}, in M/s of CPU time, medians of ${BATCHES} batches.\n`,
)
console.log('match            rows   build ms  bytes/row   hits   from text  (before)   from parsed address')
for (const [kind, match, make] of [
  ['ip', 'ip', address],
  ['ip (IPv6)', 'ip', address6],
  ['cidr', 'cidr', network],
  ['cidr (IPv6)', 'cidr', network6],
  ['exact', 'exact', word],
]) {
  for (const count of [1_000, 100_000, 1_000_000]) {
    const keys = Array.from({ length: count }, make)
    const start = performance.now()
    const now = await build(versions.now, 't', match, keys)
    const ms = Math.round(performance.now() - start)
    const before = versions.before && (await build(versions.before, 't', match, keys))
    const tables = { now, ...(before && { before }), ...(now.hasAddresses && { parsed: now }) }
    const hit = () => keys[random(count)].split('/')[0]
    const miss =
      new Map([
        [network, address],
        [network6, address6],
      ]).get(make) ?? make
    for (const [share, keyOf] of [
      ['1 %', (i) => (i % 100 === 0 ? hit() : miss())],
      ['all', hit],
    ]) {
      const rates = lookups(tables, keyOf)
      const bytes = Math.round(now.bytes / count)
      console.log(
        `${kind.padEnd(11)} ${String(count).padStart(9)} ${String(ms).padStart(10)} ${String(bytes).padStart(10)}   ${share.padStart(4)}   ${rates.now.padStart(9)}  ${(rates.before ?? '-').padStart(8)}   ${rates.parsed ?? '-'}`,
      )
    }
  }
}

/** Five tables joined on one field of each event; one event in a hundred matches one of them. */
const sizes = [1_000, 3_000, 10_000, 30_000, 100_000]
const keysOf = sizes.map((count) => Array.from({ length: count }, address))
const logType = { name: 'Bench', columns: [], isDescribed: false }
const enrichers = {}
for (const [version, modules] of Object.entries(versions)) {
  const tables = []
  for (const [i, keys] of keysOf.entries()) {
    tables.push(await build(modules, `table_${i}`, i % 2 ? 'cidr' : 'ip', keys, ['id_orig_h']))
  }
  enrichers[version] = modules.createEnricher(tables)
}
const events = (count) =>
  Array.from({ length: count }, (_, i) => ({
    p_log_type: 'Bench',
    uid: `C${random(4294967295).toString(36)}`,
    id_orig_h: i % 100 === 0 ? keysOf[random(5)][random(1000)] : address(),
    id_resp_h: '198.51.100.1',
    id_resp_p: 443,
  }))
const times = {}
let matched = 0
for (let round = 0; round < 30; round++) {
  const made = events(20_000)
  for (const [version, enricher] of Object.entries(enrichers)) {
    const asked = fresh(made)
    times[version] ??= []
    times[version].push(cpuMicroseconds(() => enricher.enrich(version === 'now' ? logType : 'Bench', asked)) / asked.length)
    matched = asked.filter((event) => event.p_enrichment !== undefined).length / asked.length
  }
}
const medians = Object.entries(times).map(([version, list]) => `${version} ${list.sort((a, b) => a - b)[15].toFixed(3)}`)
console.log(
  `\nFive tables of 1,000 to 100,000 rows, ${(matched * 100).toFixed(1)} % of events matched, µs of CPU an event: ${medians.join(', ')}`,
)
