// Processor time to parse and normalise text: nginx's combined format by the native parser beside JSON.parse of the same rows as JSON,
// and a user's expression beside the engine alone. Run `npm run build` first, then `node bench/stages/text.bench.mjs`.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { RE2JS } from 're2js'
import { parse as parseYaml } from 'yaml'
import { root, seeded } from '../lib.mjs'

const dist = process.env.CARACAL_DIST ?? join(root, 'dist')
const load = (path) => import(pathToFileURL(join(dist, path)).href)
const { compileSchema } = await load('stages/normalise/compile.js')
const { createParser } = await load('stages/parse/step.js')

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 8)
const PATTERN =
  '^(?P<remote>\\S+) - (?P<user>\\S+) \\[(?P<time>[^\\]]+)\\] "(?P<method>\\S+) (?P<uri>\\S+) (?P<protocol>[^"]+)" (?P<status>\\d+) (?P<bytes>\\d+) "(?P<referrer>[^"]*)" "(?P<agent>[^"]*)"$'

/** Access lines as of a small site, always the same ones. */
function accessLines(count) {
  const random = seeded(11)
  const pick = (list) => list[Math.floor(random() * list.length)]
  return Array.from({ length: count }, (_, i) => {
    const clock = new Date(1_713_520_800_000 + i * 900).toISOString().slice(11, 19)
    const address = `203.0.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}`
    const uri = pick(['/', '/index.html', '/assets/app.3f2c.js', '/api/v1/items?page=2&size=50', '/login'])
    const agent = pick([
      'curl/8.5.0',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36',
    ])
    return `${address} - - [19/Apr/2024:${clock} +0000] "GET ${uri} HTTP/1.1" ${pick([200, 200, 304, 404])} ${Math.floor(random() * 90_000)} "https://www.example.com${uri}" "${agent}"`
  })
}

/** The least processor time of several rounds of each, taken in turn, in microseconds. */
function interleaved(...runs) {
  const least = runs.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < ROUNDS; round++) {
    runs.forEach((run, i) => {
      const start = process.cpuUsage()
      run()
      const { user, system } = process.cpuUsage(start)
      least[i] = Math.min(least[i], user + system)
    })
  }
  return least
}

function parseWith(schema, lines) {
  const bytes = Buffer.from(`${lines.join('\n')}\n`)
  const parser = createParser({ maxRecordBytes: 1024 * 1024, maxDepth: 64 })
  const source = { id: 'bench', label: 'bench', schemas: [schema], isNamed: true, logType: schema.name }
  const chunk = { bytes, place: '0123456789abcdef', offset: 0, context: '', final: true, faults: [] }
  return () => {
    const { groups, deadLetters } = parser.parse(chunk, source, 1_800_000_000_000)
    if (groups[0]?.events.length !== lines.length) throw new Error(`not all lines are events: ${deadLetters[0]?.message}`)
    return groups[0].events
  }
}

function line(what, micros, count, bytes) {
  const each = micros / count
  console.log(
    `${what.padEnd(34)} ${Math.round(1e6 / each)
      .toLocaleString('en')
      .padStart(10)} lines/s ${each.toFixed(2).padStart(7)} µs/line ${(bytes / count).toFixed(0).padStart(5)} bytes/line`,
  )
}

const lines = accessLines(20_000)
const bytes = lines.join('\n').length
const file = join(root, 'packs/nginx/schemas/nginx-access.yml')
const native = parseWith(compileSchema(parseYaml(readFileSync(file, 'utf8')), { file }), lines)
const rows = native().map((event) =>
  JSON.stringify(Object.fromEntries(Object.entries(event).filter(([name]) => !name.startsWith('p_')))),
)
const [byNative, byJson] = interleaved(native, () => rows.reduce((n, row) => n + (JSON.parse(row) ? 1 : 0), 0))
line('nginx combined, native', byNative, lines.length, bytes)
line('the same rows as JSON, JSON.parse', byJson, lines.length, rows.join('\n').length)
console.log(`native / JSON.parse: ${(byNative / byJson).toFixed(2)}`)

const few = lines.slice(0, 4000)
const names = [...PATTERN.matchAll(/\?P<(\w+)>/g)].map(([, name]) => name)
const byExpression = compileSchema(
  { schema: 'Bench.Regex', parser: { regex: { match: [PATTERN] } }, fields: names.map((name) => ({ name, type: 'string' })) },
  { file: 'bench' },
)
const engine = RE2JS.compile(PATTERN)
const bare = () => {
  for (const text of few) {
    const matcher = engine.matcher(text)
    if (!matcher.find()) throw new Error('no match')
    for (let i = 1; i <= names.length; i++) matcher.group(i)
  }
}
const [byUser, byEngine] = interleaved(parseWith(byExpression, few), bare)
line('nginx combined, regex', byUser, few.length, bytes / 5)
line('the same expression, re2js alone', byEngine, few.length, bytes / 5)
console.log(`speed of regex / re2js alone: ${(byEngine / byUser).toFixed(2)}`)
