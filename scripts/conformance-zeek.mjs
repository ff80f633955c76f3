// Reads every Zeek file below DIR/zeek through the compiled parser and checks known facts about these files.
// `npm run build && node scripts/conformance-zeek.mjs DIR`: prints records, events and dead letters by log type, then
// each breach; exit code 1 if there is any.
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { compareTsvWithJson, expectations, torJoins } from './conformance-zeek-truth.mjs'
import { FOREIGN, objectsOf, withoutOwnWords } from './lib/zeek-guess.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = process.env.CARACAL_DIST ?? join(root, 'dist')
const load = (path) => import(pathToFileURL(join(dist, path)).href)
const { blocksOf } = await load('util/block/encode.js')
const { loadPath, parseSource } = await load('engine/path.js')
const { createParser } = await load('stages/parse/step.js')
const { fileChunks } = await load('stages/source/file-chunks.js')

const MAX_RECORD_BYTES = 1024 * 1024
const breaches = []
const folder = process.argv[2]
if (!folder) {
  console.error('Usage: node scripts/conformance-zeek.mjs DIR (the folder that holds zeek/)')
  process.exit(2)
}

function filesBelow(path) {
  return statSync(path).isDirectory()
    ? readdirSync(path)
        .sort()
        .flatMap((name) => filesBelow(join(path, name)))
    : [path]
}

const loaded = await loadPath({ content: [] })
const source = parseSource({ id: 'conformance', log_types: [] }, loaded)
const parser = createParser({ maxRecordBytes: MAX_RECORD_BYTES, maxDepth: 100 })

/** One file: how many records, events by log type, dead letters by reason, unknown fields; and, if asked, the events. */
async function readFile(path, keep) {
  const result = { received: 0, events: {}, reasons: {}, unknown: {}, kept: [], messages: [] }
  const options = { sourceId: source.id, maxRecordBytes: MAX_RECORD_BYTES, tell: (notice) => breaches.push(notice) }
  for await (const { chunk, parsed: done } of fileChunks(path, options)) {
    const parsed = parser.parse(chunk, source, Date.UTC(2025, 0, 1))
    done(parsed.context)
    result.received += parsed.received
    for (const { schema, events } of parsed.groups) {
      result.events[schema.name] = (result.events[schema.name] ?? 0) + events.length
      blocksOf(events, (some, out) => schema.encode(some, out, {}))
      if (keep) result.kept.push(...events)
    }
    for (const { reason, message } of parsed.deadLetters) {
      result.reasons[reason] = (result.reasons[reason] ?? 0) + 1
      if (result.messages.length < 3) result.messages.push(message)
    }
    for (const [field, count] of parsed.unknownFields) result.unknown[field] = (result.unknown[field] ?? 0) + count
  }
  return result
}

const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0)
const add = (into, counts) => {
  for (const [key, count] of Object.entries(counts)) into[key] = (into[key] ?? 0) + count
}

const zeek = join(folder, 'zeek')
const sets = readdirSync(zeek).sort()
for (const known of Object.keys(expectations)) {
  if (!sets.includes(known)) breaches.push(`${known}: the set is not there, so nothing of it was checked`)
}
for (const set of sets) {
  const total = { received: 0, events: {}, reasons: {}, unknown: {} }
  const files = filesBelow(join(zeek, set))
  const results = new Map()
  for (const path of files) {
    const name = relative(join(zeek, set), path)
    const result = await readFile(path, set.startsWith('wrccdc'))
    if (set === 'wrccdc-2018-json') {
      const twin = join(zeek, 'wrccdc-2018-tsv', name.replace('.json.gz', '.log.gz'))
      breaches.push(...compareTsvWithJson(name, (await readFile(twin, true)).kept, result.kept))
    }
    result.kept.length = 0
    results.set(name, result)
    total.received += result.received
    add(total.events, result.events)
    add(total.reasons, result.reasons)
    add(total.unknown, result.unknown)
    if (result.received !== sum(result.events) + sum(result.reasons)) {
      breaches.push(
        `${set}/${name}: received ${result.received} is not events ${sum(result.events)} + dead letters ${sum(result.reasons)}`,
      )
    }
    if (process.env.VERBOSE)
      console.log(
        set,
        name,
        JSON.stringify({ ...result.events, ...result.reasons, ...result.unknown }),
        result.messages.join(' | '),
      )
  }
  console.log(
    `\n${set}: ${files.length} files, ${total.received} records = ${sum(total.events)} events + ${sum(total.reasons)} dead letters`,
  )
  for (const [name, count] of Object.entries(total.events).sort())
    console.log(`  ${name.padEnd(24)} ${String(count).padStart(8)}`)
  for (const [reason, count] of Object.entries(total.reasons).sort())
    console.log(`  dead: ${reason.padEnd(18)} ${String(count).padStart(8)}`)
  for (const [field, count] of Object.entries(total.unknown).sort())
    console.log(`  unknown: ${field.replace('\t', ' ')} ${count}`)
  for (const check of expectations[set] ?? []) breaches.push(...check(results).map((breach) => `${set}: ${breach}`))
}
/** Log types of bytes that are one body. */
function typesOf(bytes) {
  const chunk = { bytes, place: '0123456789abcdef', offset: 0, context: '', final: true, faults: [] }
  const { groups, deadLetters } = parser.parse(chunk, source, Date.UTC(2025, 0, 1))
  const found = Object.fromEntries(groups.map(({ schema, events }) => [schema.name, events.length]))
  return deadLetters.length > 0 ? { ...found, dead: deadLetters.length } : found
}

// A log type is guessed where a record does not say it: of Zeek's own records the right one, of others' none of Zeek's.
let guessed = 0
for (const path of filesBelow(join(zeek, 'wrccdc-2018-json'))) {
  const objects = objectsOf(path)
  const declared = typesOf(Buffer.from(`${objects.map((object) => JSON.stringify(object)).join('\n')}\n`))
  const found = typesOf(withoutOwnWords(objects))
  guessed += objects.length
  if (JSON.stringify(found) !== JSON.stringify(declared))
    breaches.push(`${path} without _path gave ${JSON.stringify(found)}, with it ${JSON.stringify(declared)}`)
}
let foreign = 0
for (const path of FOREIGN.flatMap((name) => filesBelow(join(folder, name)))) {
  for (const object of objectsOf(path)) {
    foreign++
    const types = Object.keys(typesOf(withoutOwnWords([object]))).filter((name) => name.startsWith('Zeek.'))
    if (types.length > 0) breaches.push(`${path}: a record became ${types}: ${JSON.stringify(object).slice(0, 200)}`)
  }
}
console.log(`\n${guessed} records of Zeek without _path, ${foreign} of other programs: log types guessed`)

// The program itself, as a user runs it: the Tor exit list of the day joined to that day's connections.
for (const { day, list, uids } of torJoins) {
  const conn = filesBelow(join(zeek, 'do-server-2024', day)).filter((path) => path.includes('/conn.'))
  const args = [
    'run',
    '--emit',
    'events',
    '--table',
    `tor_exit_nodes=${join(folder, 'threat-intel/tor/tor-nodes', list)}`,
    ...conn,
  ]
  const run = spawnSync(process.execPath, [join(root, 'bin/caracal.js'), ...args], { encoding: 'utf8', maxBuffer: 2 ** 30 })
  const events = run.stdout.split('\n').filter((line) => line.includes('"tor_exit_nodes"'))
  const found = events.map((line) => JSON.parse(line).uid).sort()
  console.log(`\ncaracal run, ${day}: ${run.stderr.trim().split('\n').at(-1)}\n  from Tor exit nodes: ${found.join(', ')}`)
  if (run.status !== 0) breaches.push(`caracal run on ${day} ended with ${run.status}: ${run.stderr.slice(-500)}`)
  if (found.join() !== [...uids].sort().join())
    breaches.push(`Tor join of ${day}: expected ${uids.join(', ')}, found ${found.join(', ')}`)
}
for (const breach of breaches.slice(0, 200)) console.log(`BREACH ${breach}`)
console.log(breaches.length === 0 ? '\nNo breach.' : `\n${breaches.length} breaches.`)
process.exitCode = breaches.length === 0 ? 0 : 1
