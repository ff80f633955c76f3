// Compares Caracal with Tenzir on two days of Zeek conn logs, joined with a day's Tor list and Spamhaus DROP: `npm run bench:tenzir`.
// TENZIR names the program where it is not on the path, DATA the folder with the logs and lists. Pairs are interleaved; clock and CPU time.
import { spawn, spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { cpuSeconds, machine, root } from './lib.mjs'

const PAIRS = Number(process.env['PAIRS'] ?? 5)
const tenzir = process.env['TENZIR'] ?? 'tenzir'
const data = resolve(process.env['DATA'] ?? join(root, '../shared/data'))

function leave(why) {
  console.log(`Not measured: ${why}.`)
  process.exit(0)
}
if (spawnSync(tenzir, ['--help']).error)
  leave('there is no program `tenzir` (install it with `pip install tenzir`, or name it in TENZIR)')
const zeek = join(data, 'zeek/do-server-2024')
const torList = join(data, 'threat-intel/tor/check.torproject.org/torbulkexitlist.2024-03-12')
const drop = join(data, 'threat-intel/spamhaus/drop.txt')
const missing = [zeek, torList, drop].find((path) => !existsSync(path))
if (missing) leave(`there is no ${missing} (name the folder of the data in DATA)`)

const logs = readdirSync(zeek, { recursive: true })
  .filter((name) => /(^|\/)conn\.[^/]*$/.test(name))
  .map((name) => join(zeek, name))
  .sort()
const folder = mkdtempSync(join(tmpdir(), 'caracal-tenzir-'))
const keys = (file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(/[;#]/)[0].trim())
    .filter((line) => line !== '')
const lists = { tor: join(folder, 'tor.csv'), drop: join(folder, 'drop.csv') }
writeFileSync(lists.tor, ['key', ...keys(torList)].join('\n'))
writeFileSync(lists.drop, ['key', ...keys(drop)].join('\n'))

// One plain file for both: Tenzir has no operator that reads many compressed files one after the other.
const conn = join(folder, 'conn.log')
writeFileSync(
  conn,
  logs.map((file) => (file.endsWith('.gz') ? gunzipSync(readFileSync(file)) : readFileSync(file)).toString()).join(''),
)

// Caracal: the shipped Tor table with the day's list, and DROP as a separate table.
mkdirSync(join(folder, 'content'))
writeFileSync(
  join(folder, 'content/spamhaus_drop.yml'),
  `AnalysisType: lookup_table
LookupName: spamhaus_drop
Filename: drop.csv
Format: csv
Match: cidr
LogTypeMap:
  PrimaryKey: key
  AssociatedLogTypes:
    - { LogType: Zeek.Conn, Selectors: [id_orig_h] }
`,
)
writeFileSync(join(folder, 'content/drop.csv'), readFileSync(lists.drop))
const flags = ['--content', join(folder, 'content'), '--table', `tor_exit_nodes=${torList}`]
const caracal = () => measure(process.execPath, [join(root, 'bin/caracal.js'), 'run', conn, '--emit', 'events', ...flags])

// Tenzir: contexts live in a node, which is filled once; its CPU time counts while a pipeline runs.
const endpoint = ['-e', '127.0.0.1:15158']
const node = spawn(tenzir.replace(/tenzir$/, 'tenzir-node'), ['-d', join(folder, 'state'), ...endpoint], { stdio: 'ignore' })
process.on('exit', () => {
  node.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})
const pipeline = (text) => measure(tenzir, [...endpoint, text], node.pid)
for (const [name, file] of Object.entries(lists)) {
  const key = name === 'tor' ? '\nkey = ip(string(key))' : ''
  let made = pipeline(`context_create_lookup_table "${name}"`)
  for (let tries = 0; made.status !== 0 && tries < 50; tries++) made = pipeline(`context_create_lookup_table "${name}"`)
  if (pipeline(`from_file "${file}" { read_csv }${key}\ncontext_update "${name}", key=key`).status !== 0)
    leave('Tenzir did not take the lists (its release may be another than 6.20)')
}
const joined = () =>
  pipeline(
    `from_file "${conn}" { read_zeek_tsv }\ncontext_enrich "tor", key=id.orig_h\ncontext_enrich "drop", key=id.orig_h\nwrite_ndjson`,
  )

/** Runs a program; its clock and CPU seconds, those of `beside` included, and what it wrote. */
function measure(program, args, beside) {
  const out = join(folder, 'out.ndjson')
  const file = openSync(out, 'w')
  const before = beside === undefined ? 0 : cpuSeconds(beside)
  const start = performance.now()
  // The shell's `times` prints what its children used.
  const script = '"$@"; code=$?; times >&2; exit $code'
  const { status, stderr } = spawnSync('bash', ['-c', script, 'bash', program, ...args], {
    stdio: ['ignore', file, 'pipe'],
    encoding: 'utf8',
  })
  const seconds = (performance.now() - start) / 1000
  closeSync(file)
  const last = stderr.trim().split('\n').at(-1) ?? ''
  const own = [...last.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0)
  const cpu = own + (beside === undefined ? 0 : cpuSeconds(beside) - before)
  return { status, seconds, cpu, out }
}

/** Events, and those that either table was joined to. */
function found(out) {
  const events = readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const has = (...names) => events.filter((event) => names.some((name) => event[name] || event.p_enrichment?.[name])).length
  return [events.length, has('tor', 'tor_exit_nodes'), has('drop', 'spamhaus_drop')]
}

console.log(`${machine()}\n`)
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]
const pairs = []
for (let i = 0; i < PAIRS; i++) {
  const ours = caracal()
  if (i === 0) console.log(`caracal: ${found(ours.out).join(', ')} (events, Tor, DROP)`)
  const theirs = joined()
  if (i === 0) console.log(`tenzir:  ${found(theirs.out).join(', ')}\n`)
  pairs.push({ ours, theirs })
  console.log(
    `caracal ${ours.seconds.toFixed(1)} s, CPU ${ours.cpu.toFixed(1)} s   tenzir ${theirs.seconds.toFixed(1)} s, CPU ${theirs.cpu.toFixed(1)} s`,
  )
}
for (const what of ['seconds', 'cpu']) {
  const ratios = pairs.map(({ ours, theirs }) => ours[what] / theirs[what])
  console.log(
    `${what}: caracal / tenzir ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
  )
}
process.exit(0)
