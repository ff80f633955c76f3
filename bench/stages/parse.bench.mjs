// Processor time to parse and normalise, and to write rows, beside JSON.parse alone. Run `npm run build` first, then
// `node bench/stages/parse.bench.mjs [FILE…]` (Zeek logs, plain or .gz); without files it makes its own events.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { parse as parseYaml } from 'yaml'
import { chunksOf, connections, connJson, connTsv } from './samples.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const dist = process.env.CARACAL_DIST ?? join(root, 'dist')
const load = (path) => import(pathToFileURL(join(dist, path)).href)
const { blocksOf } = await load('util/block/encode.js')
const { compileSchema } = await load('stages/normalise/compile.js')
const { createParser } = await load('stages/parse/step.js')
const { stringifyJson } = await load('util/json.js')

const ROUNDS = 12
const file = join(root, 'packs/zeek/schemas/conn.yml')
const schemas = [compileSchema(parseYaml(readFileSync(file, 'utf8')), { file })]
const source = { id: 'bench', label: 'bench', schemas, logType: undefined }

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
  const events = connections(20_000)
  measure('conn json', Buffer.from(connJson(events).join('\n')))
  measure('conn tsv', Buffer.from(connTsv(events).join('\n')))
}
for (const path of files) {
  const bytes = readFileSync(path)
  measure(path.split('/').at(-1).slice(0, 12), path.endsWith('.gz') ? gunzipSync(bytes) : bytes)
}
