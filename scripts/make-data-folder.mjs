// Makes a data folder as this version leaves it when it is killed at a bad moment, as a fixture for test/data-folders.test.ts:
// alerts open and below their threshold, deliveries that failed, half-read and renamed files, a full outbox, bodies in the spool,
// correlation and cache state, three log types in the lake. Build first: `node scripts/make-data-folder.mjs NAME`. Linux only.
import { execFileSync, spawn } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'libsql'

const name = process.argv[2]
if (!name) {
  console.error('usage: node scripts/make-data-folder.mjs NAME')
  process.exit(2)
}
const root = fileURLToPath(new URL('..', import.meta.url))
const target = join(root, 'test/fixtures/data-folders', name)
const folder = mkdtempSync(join(tmpdir(), 'caracal-data-folder-'))
const logs = join(folder, 'logs')
const port = 20_000 + Math.floor(Math.random() * 20_000)
const url = `http://127.0.0.1:${port}`
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const lines = (list) => list.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')

// Paths are relative, so that the folder may be unpacked anywhere.
const config = {
  sources: [
    { type: 'http', id: 'web', log_types: ['Custom.Login'] },
    { type: 'file', id: 'zeek', paths: ['logs/conn.log'], poll_ms: 20, idle_ms: 100 },
    { type: 'file', id: 'disk', log_types: ['Custom.Thing'], paths: ['logs/app.log*'], poll_ms: 20, idle_ms: 100 },
  ],
  // Nothing listens on port 9: deliveries wait for their second try.
  destinations: [{ type: 'webhook', id: 'hook', url: 'http://127.0.0.1:9/' }],
  delivery_retry_min_ms: 60_000,
  outbox_max_bytes: 1024 * 1024,
  // A rule that fails on an event that it could not match is shown that event.
  rule_errors: 'exact',
  flush_ms: 300,
}

const connHeader = readFileSync(join(root, 'packs/zeek/samples/conn.log'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('#') && !line.startsWith('#close'))
const connFields = connHeader
  .find((line) => line.startsWith('#fields'))
  .split('\t')
  .slice(1)
const conn = (n) => {
  const values = {
    ts: (1_700_000_000 + n).toFixed(6),
    uid: `CFolder${n}`,
    'id.orig_h': `172.16.0.${n % 200}`,
    'id.orig_p': 1024 + n,
    'id.resp_h': '198.51.100.10',
    'id.resp_p': n % 10 === 0 ? 22 : 443,
    proto: 'tcp',
    orig_bytes: n * 1000,
  }
  return connFields.map((field) => values[field] ?? '-').join('\t')
}
const things = (from, to) =>
  Array.from({ length: to - from }, (_, i) => ({
    seq: from + i,
    b: `${(from + i) * 7}`,
    // Not the same in every row: such a column takes no room in the outbox.
    pad: `${from + i} ${'all work and no play '.repeat(28)}`,
  }))

mkdirSync(logs)
cpSync(join(root, 'test/fixtures/data-folders/content'), join(folder, 'content'), { recursive: true })
writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config, undefined, 2))
writeFileSync(join(logs, 'conn.log'), lines([...connHeader, ...Array.from({ length: 60 }, (_, n) => conn(n))]))
writeFileSync(join(logs, 'app.log'), lines([...things(0, 500), 'no JSON at all']))

const child = spawn(process.execPath, [join(root, 'bin/caracal.js'), 'up', '--no-demo', '--listen', `127.0.0.1:${port}`], {
  cwd: folder,
  stdio: ['ignore', 'inherit', 'inherit'],
})
await until(async () => (await fetch(`${url}/healthz`).catch(() => undefined))?.ok)
const headers = { authorization: `Bearer ${readFileSync(join(folder, 'data/token'), 'utf8').trim()}` }
const get = async (path) => (await fetch(url + path, { headers })).json()
const query = async (sql) => {
  const init = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ sql }) }
  return (await (await fetch(`${url}/api/v1/query`, init)).json()).rows
}
async function post(events) {
  const response = await fetch(`${url}/ingest/web`, { method: 'POST', headers, body: lines(events) })
  if (response.status !== 202) throw new Error(`ingest answered ${response.status}`)
}
async function until(look) {
  while (!(await look())) await sleep(50)
}

const login = (user, ok) => ({ user, ok })
await post([login('ann', false), login('ann', false), login('ann', false)])
await post([login('root', true), login('root', true), ...['a', 'b', 'c'].map(() => login('mallory', true))])
await post([login('carol', true), login('carol', true), login('trouble', true)])
const inLake = async (table, n) => Number((await query(`SELECT count() FROM ${table}`))?.[0]?.[0] ?? 0) === n
await until(() => inLake('logs.custom_login', 11))
await until(() => inLake('logs.zeek_conn', 60))
await until(() => inLake('logs.custom_thing', 500))
await until(() => inLake('monitor.dead_letters', 1))
await until(async () => (await get('/api/v1/alerts')).results.length === 3)

// From here on the lake takes nothing: rows wait in the outbox until it is full, then bodies wait in the spool and files are half read.
const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ').map(Number)
const lakePid = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('chdb-child'))
process.kill(lakePid, 'SIGSTOP')
appendFileSync(join(logs, 'app.log'), lines(things(500, 9000)))
await until(async () =>
  (await get('/api/v1/health')).problems.some((problem) => JSON.stringify(problem).includes('reading pauses')),
)
appendFileSync(join(logs, 'conn.log'), lines(Array.from({ length: 40 }, (_, n) => conn(60 + n))))
await post([login('late', true)])
await post([login('late', true), 'no JSON either'])
// A flush is recorded by now, and its insert has no answer.
await sleep(2000)
process.kill(child.pid, 'SIGKILL')
process.kill(lakePid, 'SIGKILL')
renameSync(join(logs, 'app.log'), join(logs, 'app.log.1'))
writeFileSync(join(logs, 'app.log'), lines(things(9000, 9100)))
await sleep(500)

const state = readState()
if (state.flushes !== 1 || state.spooledBodies < 2) throw new Error(`not the moment that was meant: ${JSON.stringify(state)}`)
const expected = { madeMs: Date.now(), state, sent: { web: 14, zeek: 100, disk: 9101 } }
for (const made of ['python', 'content-cache', 'lock']) rmSync(join(folder, 'data', made), { recursive: true, force: true })
for (const file of readdirSync(join(folder, 'data'))) if (file.endsWith('-shm')) rmSync(join(folder, 'data', file))
rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
execFileSync('tar', ['-C', folder, '-czf', join(target, 'folder.tgz'), '.'])
writeFileSync(join(target, 'expected.json'), `${JSON.stringify(expected, undefined, 2)}\n`)
rmSync(folder, { recursive: true })
console.log(`${target}: ${readFileSync(join(target, 'folder.tgz')).length} bytes`)

/** What the killed program had committed, by SQL: the figures must not depend on the code that reads them later. */
function readState() {
  const copy = mkdtempSync(join(tmpdir(), 'caracal-data-folder-'))
  for (const file of readdirSync(join(folder, 'data')))
    if (/^(state|spool)\.db/.test(file)) cpSync(join(folder, 'data', file), join(copy, file))
  const all = (file, sql) => {
    const db = new Database(join(copy, file))
    const rows = db.prepare(sql).raw().all([])
    db.close()
    return rows
  }
  const found = {
    alerts: all('state.db', 'SELECT alert_id, rule_id, opened, event_count FROM alerts ORDER BY alert_id'),
    deliveries: all('state.db', 'SELECT delivery_id, alert_id, state FROM deliveries ORDER BY delivery_id'),
    correlation: all('state.db', 'SELECT rule_id, count(*) FROM correlation GROUP BY rule_id ORDER BY rule_id'),
    cursors: all('state.db', 'SELECT source_id, value FROM cursors ORDER BY source_id, place').map(([source, value]) => {
      const { path, offset } = JSON.parse(value)
      return path === undefined ? [source] : [source, basename(path), offset]
    }),
    counters: all('state.db', 'SELECT source_id, outcome, reason, n FROM counters ORDER BY source_id, outcome, reason'),
    outboxRows: all('state.db', 'SELECT sum(row_count) FROM outbox')[0][0],
    flushes: all('state.db', 'SELECT count(*) FROM flushes')[0][0],
    spooledBodies: all('spool.db', 'SELECT count(*) FROM spool')[0][0],
    ruleCache: all('state.db', 'SELECT count(*) FROM rule_cache')[0][0],
  }
  rmSync(copy, { recursive: true })
  return found
}
