// Processor time to parse and normalise, and to write rows, beside JSON.parse alone. Run `npm run build` first, then
// `node bench/stages/parse.bench.mjs [FILE…]` (Zeek logs, plain or .gz); without files it makes its own events.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { parse as parseYaml } from 'yaml'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const dist = process.env.CARACAL_DIST ?? join(root, 'dist')
const load = (path) => import(pathToFileURL(join(dist, path)).href)
const { blocksOf } = await load('util/block/encode.js')
const { compileSchema } = await load('stages/normalise/compile.js')
const { createParser } = await load('stages/parse/step.js')
const { stringifyJson } = await load('util/json.js')

const CHUNK_BYTES = 256 * 1024
const ROUNDS = 12
const file = join(root, 'packs/zeek/schemas/conn.yml')
const schemas = [compileSchema(parseYaml(readFileSync(file, 'utf8')), { file })]
const source = { id: 'bench', label: 'bench', schemas, logType: undefined }

/** 20,000 connections of the usual kinds, always the same ones. */
function connections() {
  let seed = 4848
  const random = (n) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed % n
  }
  return Array.from({ length: 20_000 }, (_, i) => {
    const isDns = i % 3 === 0
    const isCut = i % 11 === 0
    return {
      ts: 1_713_484_795 + i / 7 + random(1_000_000) / 1e6,
      uid: `C${(seed * 7919 + i).toString(36).padEnd(16, 'x').slice(0, 16)}`,
      id_orig_h: `10.${random(256)}.${random(256)}.${random(256)}`,
      id_orig_p: 1024 + random(60_000),
      id_resp_h: `192.0.${random(256)}.${random(256)}`,
      id_resp_p: isDns ? 53 : 443,
      proto: isDns ? 'udp' : 'tcp',
      ...(isCut
        ? {}
        : {
            service: isDns ? 'dns' : 'ssl',
            duration: random(1_000_000_000) / 1e9,
            orig_bytes: random(5000),
            resp_bytes: random(90_000),
          }),
      conn_state: isCut ? 'S0' : 'SF',
      local_orig: true,
      local_resp: false,
      missed_bytes: 0,
      history: isCut ? 'S' : 'ShADadFf',
      orig_pkts: random(40),
      orig_ip_bytes: random(9000),
      resp_pkts: random(40),
      resp_ip_bytes: random(99_000),
    }
  })
}

function asJson(events) {
  const dotted = (event) => Object.fromEntries(Object.entries(event).map(([key, value]) => [key.replace(/^id_/, 'id.'), value]))
  return events.map((event) => JSON.stringify({ _path: 'conn', ...dotted(event) })).join('\n')
}

function asTsv(events) {
  const names = Object.keys(events[1])
  const type = (name) =>
    ({ ts: 'time', duration: 'interval', local_orig: 'bool', local_resp: 'bool' })[name] ??
    (typeof events[1][name] === 'number' ? 'count' : 'string')
  const cell = (value) => (value === undefined ? '-' : value === true ? 'T' : value === false ? 'F' : String(value))
  const head = ['#separator \\x09', '#path\tconn', `#fields\t${names.join('\t')}`, `#types\t${names.map(type).join('\t')}`]
  return [...head, ...events.map((event) => names.map((name) => cell(event[name])).join('\t'))].join('\n')
}

/** Chunks of whole lines, as a source yields them. */
function chunksOf(bytes) {
  const chunks = []
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(10, Math.min(start + CHUNK_BYTES, bytes.length))
    const end = newline < 0 ? bytes.length : newline + 1
    chunks.push({
      bytes: bytes.subarray(start, end),
      place: '0123456789abcdef',
      offset: start,
      final: end === bytes.length,
      faults: [],
    })
    start = end
  }
  return chunks
}

/** The least processor time (of all threads, collection of garbage included) of several rounds: other processes disturb it little. */
function best(run) {
  let micros = Number.POSITIVE_INFINITY
  let result
  for (let i = 0; i < ROUNDS; i++) {
    const start = process.cpuUsage()
    result = run()
    const { user, system } = process.cpuUsage(start)
    micros = Math.min(micros, user + system)
  }
  return { micros, result }
}

function tenTimes(events, size) {
  let sum = 0
  for (let i = 0; i < 10; i++) for (const event of events) sum += size(event)
  return sum
}

function line(name, what, micros, events, bytes) {
  const each = micros / events
  console.log(
    `${name.padEnd(12)} ${what.padEnd(18)} ${Math.round(1e6 / each)
      .toLocaleString('en')
      .padStart(10)} events/s ${each.toFixed(2).padStart(7)} µs/event ${(bytes / events).toFixed(0).padStart(5)} bytes/event`,
  )
}

function measure(name, bytes) {
  const chunks = chunksOf(bytes)
  const parser = createParser({ maxRecordBytes: 1024 * 1024, maxDepth: 64 })
  // As in the pipeline, the events of a chunk are dropped before the next chunk is read.
  const parseAll = (take) => {
    let context = ''
    let count = 0
    for (const chunk of chunks) {
      const result = parser.parse({ ...chunk, context }, source, 1_800_000_000_000)
      context = result.context
      for (const { events } of result.groups) {
        count += events.length
        take?.(events)
      }
    }
    return count
  }
  const parsed = best(() => parseAll())
  const count = parsed.result
  const events = []
  parseAll((some) => events.length < 2000 && events.push(...some))
  if (bytes[0] === 0x7b) {
    const texts = bytes.toString().split('\n').filter(Boolean)
    const yardstick = best(() => texts.reduce((n, text) => n + (JSON.parse(text) ? 1 : 0), 0))
    line(name, 'JSON.parse alone', yardstick.micros, count, bytes.length)
  }
  line(name, 'parse + normalise', parsed.micros, count, bytes.length)
  const encode = (some, out) => schemas[0].encode(some, out, {})
  const rows = best(() => Array.from({ length: 10 }, () => blocksOf(events, encode)[0].rows.length).reduce((a, b) => a + b, 0))
  line(name, 'row', rows.micros, events.length * 10, rows.result)
  const texts = best(() => tenTimes(events, (event) => stringifyJson(event).length))
  line(name, 'stringify', texts.micros, events.length * 10, texts.result)
}

const files = process.argv.slice(2)
if (files.length === 0) {
  const events = connections()
  measure('conn json', Buffer.from(asJson(events)))
  measure('conn tsv', Buffer.from(asTsv(events)))
}
for (const path of files) {
  const bytes = readFileSync(path)
  measure(path.split('/').at(-1).slice(0, 12), path.endsWith('.gz') ? gunzipSync(bytes) : bytes)
}
