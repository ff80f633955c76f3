// Runs the real logs below DIR through `caracal run` and checks known facts about them:
// `npm run build && node scripts/conformance-logs.mjs DIR [KIND]…`. Prints a line for each set of files, with the records received
// and stored and the reasons of dead letters, and a line for each fact. Exit code 1 if one does not hold.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { globSync } from 'tinyglobby'
import { kinds } from './conformance-logs/index.mjs'

const program = join(fileURLToPath(import.meta.url), '../../bin/caracal.js')
const [data, ...wanted] = process.argv.slice(2)
const unknown = wanted.filter((name) => !kinds.some((kind) => kind.name === name))
if (!data || unknown.length > 0) {
  const names = kinds.map(({ name }) => name).join(', ')
  console.error(`Usage: node scripts/conformance-logs.mjs DIR [KIND]… (the folder with the logs; kinds: ${names})`)
  process.exit(2)
}
const folder = resolve(data)
let breaches = 0

function readText(file) {
  const bytes = readFileSync(join(folder, file))
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString()
}

/** The files of a set, found by its patterns; a pattern without a file is a breach. */
function filesOf({ files }) {
  return files.flatMap((pattern) => {
    const found = globSync(pattern, { cwd: folder, expandDirectories: false }).sort()
    if (found.length === 0) breach(`no file ${pattern} below ${folder}`)
    return found
  })
}

function breach(text) {
  breaches++
  console.log(`BREACH    ${text}`)
}

function run({ logType, asOf, input }, files, emit) {
  const paths = input ? ['-'] : files.map((file) => join(folder, file))
  const options = [...(logType ? ['--log-type', logType] : []), ...(asOf ? ['--as-of', asOf] : [])]
  const result = spawnSync(process.execPath, [program, 'run', ...paths, '--emit', emit, ...options], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    ...(input && { input: files.map((file) => input(readText(file), file)).join('') }),
  })
  const counts = /received (\d+) stored (\d+) filtered (\d+) dead_lettered (\d+)/.exec(result.stderr)
  if (!counts) throw new Error(`caracal run ${files[0]}: ${result.stderr}`)
  const [received, stored, , deadLettered] = counts.slice(1).map(Number)
  const lines = result.stdout.split('\n').filter((line) => line !== '')
  return { received, stored, deadLettered, lines: lines.map((line) => JSON.parse(line)) }
}

function countBy(list, key) {
  const counts = {}
  for (const one of list) counts[key(one)] = (counts[key(one)] ?? 0) + 1
  return Object.fromEntries(Object.entries(counts).sort())
}

/** Like JSON, but the order of an object's keys is not significant. */
function canonical(value) {
  const sorted = (_, one) =>
    one && typeof one === 'object' && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).sort()) : one
  return JSON.stringify(value, sorted)
}

function checkSet(set) {
  const files = filesOf(set)
  if (files.length === 0) return
  const { received, stored, deadLettered, lines: events } = run(set, files, 'events')
  const reasons = deadLettered === 0 ? {} : countBy(run(set, files, 'dead-letters').lines, ({ reason }) => reason)
  const types = Object.entries(countBy(events, (event) => event.p_log_type)).map(([type, n]) =>
    set.logType ? type : `${type} ${n}`,
  )
  const holds = (set.rows === undefined || received === set.rows) && canonical(reasons) === canonical(set.deadLettered ?? {})
  const numbers = `${files.length} files, ${received} rows, ${stored} stored, ${deadLettered} dead-lettered ${canonical(reasons)}`
  const text = `${set.name}: ${types.join(', ') || set.logType || 'none'}: ${numbers}`
  if (holds) console.log(`ok        ${text}`)
  else breach(`${text}; expected ${set.rows ?? received} rows, ${canonical(set.deadLettered ?? {})}`)
  const facts = set.facts?.(events, { readText, files }) ?? []
  for (const [what, found, known] of facts) {
    if (canonical(found) === canonical(known)) console.log(`ok          ${what}: ${canonical(found)}`)
    else breach(`  ${what}: ${canonical(found)}, known is ${canonical(known)}`)
  }
}

for (const { name, sets, check } of kinds) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  console.log(`\n${name}`)
  for (const set of sets) checkSet(set)
  await check?.(folder, (holds, text) => (holds ? console.log(`ok        ${text}`) : breach(text)))
}
console.log(breaches === 0 ? '\nno breach' : `\n${breaches} breaches`)
process.exit(breaches === 0 ? 0 : 1)
