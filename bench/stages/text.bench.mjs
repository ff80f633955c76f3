// Processor time to parse and normalise logs of each kind, beside JSON.parse of the same lines, or of the same rows as JSON; and a user's
// expression beside the engine alone. What is compared is measured in turn, in a thread with the memory of the program's pipeline threads. Run
// `npm run build` first, then
// `node bench/stages/text.bench.mjs [part of a name]`.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isMainThread, Worker } from 'node:worker_threads'
import { RE2JS } from 're2js'
import { parse as parseYaml } from 'yaml'
import { root } from '../lib.mjs'
import { accessLines, chunksOf, cloudTrailLines, connections, connJson, connTsv, syslogLines } from './samples.mjs'

const dist = process.env.CARACAL_DIST ?? join(root, 'dist')
const load = (path) => import(pathToFileURL(join(dist, path)).href)
const { compileSchema } = await load('stages/normalise/compile.js')
const { createParser } = await load('stages/parse/step.js')
const { THREADS } = await load('engine/threads.js')

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 12)
const only = process.argv[2] ?? ''
const PATTERN =
  '^(?P<remote>\\S+) - (?P<user>\\S+) \\[(?P<time>[^\\]]+)\\] "(?P<method>\\S+) (?P<uri>\\S+) (?P<protocol>[^"]+)" (?P<status>\\d+) (?P<bytes>\\d+) "(?P<referrer>[^"]*)" "(?P<agent>[^"]*)"$'

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

/** Parses all lines; as in the pipeline, the events of a chunk are dropped before the next chunk is read. */
function parseWith(schema, lines) {
  const chunks = chunksOf(Buffer.from(`${lines.join('\n')}\n`))
  const parser = createParser({ maxRecordBytes: 1024 * 1024, maxDepth: 64 })
  const source = { id: 'bench', label: 'bench', schemas: [schema], isNamed: true, logType: schema.name }
  const count = lines.filter((text) => !text.startsWith('#')).length
  return (take) => {
    let context = ''
    let seen = 0
    for (const chunk of chunks) {
      const { groups, deadLetters, context: next } = parser.parse({ ...chunk, context }, source, 1_713_600_000_000)
      if (deadLetters.length > 0) throw new Error(deadLetters[0].message)
      context = next
      for (const { events } of groups) {
        seen += events.length
        take?.(events)
      }
    }
    if (seen !== count) throw new Error(`${seen} of ${count} lines are events of ${schema.name}`)
  }
}

function schemaOf(path) {
  const file = join(root, path)
  return compileSchema(parseYaml(readFileSync(file, 'utf8')), { file })
}

function line(what, micros, count, bytes) {
  const each = micros / count
  console.log(
    `${what.padEnd(38)} ${Math.round(1e6 / each)
      .toLocaleString('en')
      .padStart(10)} lines/s ${each.toFixed(2).padStart(7)} µs/line ${(bytes / count).toFixed(0).padStart(5)} bytes/line`,
  )
}

/** The yardstick of a log that is not JSON: its events, without standard columns, as JSON. */
function asJson(run) {
  const rows = []
  run((events) => {
    for (const event of events)
      rows.push(JSON.stringify(Object.fromEntries(Object.entries(event).filter(([name]) => !name.startsWith('p_')))))
  })
  return rows
}

function measure(name, path, lines) {
  if (!name.includes(only)) return
  const run = parseWith(schemaOf(path), lines)
  const isJson = lines[0].startsWith('{')
  const rows = isJson ? lines : asJson(run)
  const [ours, yardstick] = interleaved(run, () => rows.reduce((n, row) => n + (JSON.parse(row) ? 1 : 0), 0))
  line(`${name}, parse + normalise`, ours, rows.length, lines.join('\n').length)
  line(
    isJson ? '  JSON.parse of these lines' : '  JSON.parse of the same rows as JSON',
    yardstick,
    rows.length,
    rows.join('\n').length,
  )
  console.log(`  ${(ours / yardstick).toFixed(2)} times JSON.parse (${(yardstick / ours).toFixed(2)} of its speed)`)
}

function measureAll() {
  const events = connections(10_000)
  measure('Zeek TSV', 'packs/zeek/schemas/conn.yml', connTsv(events))
  measure('Zeek JSON', 'packs/zeek/schemas/conn.yml', connJson(events))
  measure('nginx combined', 'packs/nginx/schemas/nginx-access.yml', accessLines(20_000))
  measure('CloudTrail', 'packs/aws/schemas/cloudtrail.yml', cloudTrailLines(5000))
  measure('syslog', 'packs/syslog/schemas/rfc3164.yml', syslogLines(10_000))

  if ('expression'.includes(only)) {
    const few = accessLines(4000)
    const bytes = few.join('\n').length
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
    line('nginx combined, expression', byUser, few.length, bytes)
    line('  the same expression, re2js alone', byEngine, few.length, bytes)
    console.log(`  ${(byEngine / byUser).toFixed(2)} of the speed of re2js`)
  }
}

if (isMainThread) {
  const resourceLimits = { maxYoungGenerationSizeMb: THREADS.pipeline.youngMib }
  new Worker(new URL(import.meta.url), { argv: process.argv.slice(2), resourceLimits })
} else measureAll()
