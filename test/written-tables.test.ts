import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { Caracal, freePort } from './support/caracal.ts'

/** The whole program with tables that events write: leases, which name the hosts of connections, and who has logged in from where. */

const FILES: Readonly<Record<string, string>> = {
  'leases.yml': `AnalysisType: lookup_table
LookupName: dhcp_leases
Match: ip
Events:
  LogTypes: [Zeek.Dhcp]
  Detection:
    - { Key: msg_types, Condition: Contains, Value: ACK }
  Columns: { ip: assigned_addr, hostname: host_name, mac: mac }
LogTypeMap:
  PrimaryKey: ip
  AssociatedLogTypes:
    - { LogType: Zeek.Conn, Selectors: [id_orig_h] }
`,
  'login.schema.yml': `schema: Custom.Login
fields:
  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true }
  - { name: user, type: string, required: true }
  - { name: client, type: string, required: true }
`,
  'logins.yml': `AnalysisType: lookup_table
LookupName: seen_logins
RowsPerKey: first
Events:
  LogTypes: [Custom.Login]
  Columns: { user: user, client: client, first_seen: p_event_time }
LogTypeMap:
  PrimaryKey: [user, client]
  AssociatedLogTypes:
    - { LogType: Custom.Login, Selectors: [[user, client]] }
`,
  'first.yml': `AnalysisType: rule
RuleID: First.Login
Enabled: true
Severity: Medium
LogTypes: [Custom.Login]
Detection:
  - { Enrichment: { Table: seen_logins, Selector: user+client, FieldPath: first_seen }, Condition: DoesNotExist }
GroupBy: [{ Key: user }, { Key: client }]
`,
  'asked.yml': `AnalysisType: rule
RuleID: Asked.Login
Enabled: true
Severity: Medium
LogTypes: [Custom.Login]
Filename: asked.py
CreateAlert: false
`,
  'asked.py': `def rule(event):
    return event.lookup("seen_logins", [event.get("user"), event.get("client")]) is None
`,
}

let folder: string
let caracal: Caracal

async function start(workers: number): Promise<void> {
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    sources: [
      { type: 'http', id: 'sensor', log_types: ['Zeek.Conn', 'Zeek.Dhcp'] },
      { type: 'http', id: 'logins', log_types: ['Custom.Login'] },
    ],
    flush_ms: 100,
    workers,
  }
  mkdirSync(join(folder, 'content'), { recursive: true })
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, 'content', name), text)
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-written-'))
})
afterEach(async () => {
  await caracal.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Waits for an expected result; the test's time limit ends the wait. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function send(source: string, ...events: readonly object[]): Promise<void> {
  const body = events.map((event) => JSON.stringify(event)).join('\n')
  expect((await caracal.fetch(`/ingest/${source}`, { method: 'POST', body })).ok).toBe(true)
}

function cli(...args: string[]): string {
  return spawnSync(process.execPath, [join(packageRoot(), 'bin/caracal.js'), ...args], { cwd: folder, encoding: 'utf8' }).stdout
}

const ack = (address: string, name: string) => ({
  ...{ _path: 'dhcp', ts: 1_713_520_700, uids: ['D'], assigned_addr: address, mac: '00:00:5e:00:53:01', host_name: name },
  msg_types: ['REQUEST', 'ACK'],
})
const conn = (uid: string, address: string) => ({
  ...{ _path: 'conn', ts: 1_713_520_800, uid, 'id.orig_h': address, 'id.orig_p': 40_000, 'id.resp_h': '198.51.100.7' },
  ...{ 'id.resp_p': 443, proto: 'tcp' },
})

/** The row that a connection was joined with, once it is stored; its lake table comes with the first one. */
async function joined(uid: string): Promise<Record<string, unknown> | null> {
  const [row] = await until(async () => {
    const exists = "SELECT 1 FROM information_schema.tables WHERE table_schema = 'logs' AND table_name = 'zeek_conn'"
    if ((await caracal.query(exists)).length === 0) return undefined
    const rows = await caracal.query(`SELECT toJSONString(p_enrichment) FROM logs.zeek_conn WHERE uid = '${uid}'`)
    return rows.length > 0 ? rows : undefined
  })
  let read: unknown = row![0]
  while (typeof read === 'string') read = JSON.parse(read)
  return (read as { dhcp_leases?: { id_orig_h: Record<string, unknown> } } | null)?.dhcp_leases?.id_orig_h ?? null
}

/** Waits until the lease of an address names this host: a connection in the same batch as the lease would not be joined with it. */
async function leased(host: string): Promise<void> {
  await until(async () => {
    const rows = await caracal.query('SELECT hostname FROM lookups.dhcp_leases')
    return rows.some(([hostname]) => hostname === host) || undefined
  })
}

test.each([1, 2])(
  'leases name the hosts of later connections, with %i workers and after a kill',
  { timeout: 300_000 },
  async (workers) => {
    await start(workers)
    await send('sensor', conn('C1', '192.0.2.10'))
    expect(await joined('C1')).toBeNull()
    await send('sensor', ack('192.0.2.10', 'laptop-7'), { ...ack('192.0.2.10', 'not-acknowledged'), msg_types: ['NAK'] })
    await leased('laptop-7')
    await send('sensor', conn('C2', '192.0.2.10'))
    const row = { ip: '192.0.2.10', hostname: 'laptop-7', mac: '00:00:5e:00:53:01', p_match: '192.0.2.10', p_version: 1 }
    expect(await joined('C2')).toEqual(row)
    await caracal.end('SIGKILL')
    await caracal.start()
    await send('sensor', conn('C3', '192.0.2.10'))
    expect(await joined('C3')).toEqual(row)
    const between = new Date().toISOString()
    await send('sensor', ack('192.0.2.10', 'printer-2'))
    await leased('printer-2')
    await send('sensor', conn('C4', '192.0.2.10'))
    expect(await joined('C4')).toEqual({ ...row, hostname: 'printer-2', p_version: 2 })

    expect(cli('tables')).toMatch(/^dhcp_leases +ok +1 +2 .* events$/m)
    expect(JSON.parse(cli('tables', 'show', 'dhcp_leases', '192.0.2.10'))).toMatchObject({ hostname: 'printer-2' })
    expect(JSON.parse(cli('tables', 'show', 'dhcp_leases', '192.0.2.10', '--as-of', between))).toMatchObject({
      hostname: 'laptop-7',
    })
    expect(await caracal.query('SELECT ip, hostname, p_version FROM lookups.dhcp_leases')).toEqual([
      ['192.0.2.10', 'printer-2', '2'],
    ])
    const history = 'SELECT hostname, p_version, p_valid_to IS NULL FROM lookups.dhcp_leases_history ORDER BY p_version'
    expect(await caracal.query(history)).toEqual([
      ['laptop-7', '1', 0],
      ['printer-2', '2', 1],
    ])
  },
)

test('a rule alerts on the first login of a user from an address only', { timeout: 300_000 }, async () => {
  await start(1)
  // The next login is another batch: two first logins in the same one would both match.
  const login = async (user: string, client: string) => {
    await send('logins', { at: new Date().toISOString(), user, client })
    await until(async () => {
      const rows = await caracal.query('SELECT user, client FROM lookups.seen_logins')
      return rows.some((row) => row[0] === user && row[1] === client) || undefined
    })
  }
  await login('ann', '192.0.2.1')
  await login('ann', '192.0.2.1')
  await login('ann', '192.0.2.2')
  await login('bob', '192.0.2.1')
  await login('ann', '192.0.2.1')
  await login('eve', '192.0.2.9')
  const matches = await until(async () => {
    const rows = await caracal.query('SELECT p_rule_id, event FROM signals.correlation_signals ORDER BY p_row_id')
    return rows.some(([id, event]) => id === 'First.Login' && String(event).includes('eve')) ? rows : undefined
  })
  const of = (rule: string) =>
    matches
      .filter(([id]) => id === rule)
      .map(([, event]) => JSON.parse(String(event)) as { user: string; client: string })
      .map(({ user, client }) => `${user} ${client}`)
      .sort()
  const firsts = ['ann 192.0.2.1', 'ann 192.0.2.2', 'bob 192.0.2.1', 'eve 192.0.2.9']
  expect(of('First.Login')).toEqual(firsts)
  expect(of('Asked.Login')).toEqual(firsts)
  expect(cli('tables', 'show', 'seen_logins', 'ann', '192.0.2.1')).toContain('first_seen')
})
