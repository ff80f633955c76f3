import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../../src/util/entry.ts'
import { Caracal, freePort } from '../support/caracal.ts'
import { FlakyReceiver } from '../support/receiver.ts'
import { SteppedClock } from '../support/stepped-clock.ts'
import { until } from '../support/until.ts'
import { moto, type ObjectServer, startMoto } from './support/object-stores.ts'

// A small web server whose logs Fluentd puts into a bucket, one prefix per source. Two of the schemas are inferred from samples, the
// others are those of the packs.

const BUCKET = 'web1-logs'
const OBJECTS = 8
const LINES = 40
/** In the table of exit nodes that the pack ships. */
const EXIT_NODE = '185.241.208.232'

const at = (n: number) => new Date(Date.UTC(2024, 2, 12, 8, 0, n)).toISOString()
const auth = (n: number) => ({
  time: at(n),
  host: 'web1',
  ident: 'sshd',
  ...(n % 3 > 0 && { pid: String(4000 + n) }),
  message: `Invalid user u${n} from 192.0.2.${n % 250} port 4022`,
})
const netstat = (n: number) => ({
  time: at(n),
  name: 'web1',
  protocol: n % 5 === 0 ? 'udp' : 'tcp',
  recv: '0',
  send: '0',
  local_address: n === 77 ? '0.0.0.0:21' : '0.0.0.0:443',
  foreign_address: '0.0.0.0:*',
  ...(n % 5 > 0 && { state: 'LISTEN' }),
  process: '1234/vsftpd',
})
const zeek = (n: number) => ({
  _path: 'ssh',
  ts: 1_710_230_400 + n,
  uid: `C${n}`,
  'id.orig_h': n === 99 ? EXIT_NODE : '192.0.2.30',
  'id.orig_p': 40_000 + n,
  'id.resp_h': '198.51.100.20',
  'id.resp_p': 22,
  version: 2,
  auth_success: n === 99,
  auth_attempts: 1,
})

const SOURCES: Readonly<Record<string, { readonly logTypes: readonly string[]; readonly line: (n: number) => string }>> = {
  nginx: {
    logTypes: ['Nginx.Access'],
    line: (n) => `192.0.2.10 - - [12/Mar/2024:08:00:01 +0000] "GET /${n} HTTP/1.1" 200 ${n} "-" "curl/8.5.0"`,
  },
  auth: { logTypes: ['Custom.WebAuth'], line: (n) => JSON.stringify(auth(n)) },
  netstat: { logTypes: ['Custom.WebNetstat'], line: (n) => JSON.stringify(netstat(n)) },
  zeek: { logTypes: ['Zeek.SSH', 'Zeek.Conn'], line: (n) => JSON.stringify(zeek(n)) },
}

const RULE = {
  'web_ports.yml': `AnalysisType: rule
RuleID: Web.Ports
Filename: web_ports.py
Enabled: true
LogTypes: [Custom.WebNetstat]
Severity: High
`,
  'web_ports.py': `ALLOWED = ("22", "80", "443")


def port(event):
    return event.get("local_address", "").rpartition(":")[2]


def rule(event):
    return event.get("state") == "LISTEN" and port(event) not in ALLOWED


def title(event):
    return f"Unexpected Port Opened: {port(event)}"
`,
}

const folder = mkdtempSync(join(tmpdir(), 'caracal-story-'))
const clock = new SteppedClock(folder)
const receiver = new FlakyReceiver(() => 1)
let server: ObjectServer
let caracal: Caracal

/** What a person writes down after `caracal schema infer` with a sample: exactly what it prints. */
function infer(name: string, line: (n: number) => string): void {
  const sample = join(folder, `${name}.log`)
  writeFileSync(sample, Array.from({ length: 30 }, (_, n) => `${line(n)}\n`).join(''))
  const command = [join(packageRoot(), 'bin/caracal.js'), 'schema', 'infer', sample, '--name', name]
  const schema = execFileSync(process.execPath, command, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  writeFileSync(join(folder, 'content', `${name.toLowerCase()}.yml`), schema)
}

/** Objects as the S3 output of Fluentd names and compresses them: `<path><time slice>_<index>.gz`. */
async function ship(from: number, to: number): Promise<void> {
  for (let index = from; index < to; index++)
    for (const [name, { line }] of Object.entries(SOURCES)) {
      const lines = Array.from({ length: LINES }, (_, i) => line(index * LINES + i))
      await server.put(BUCKET, `${name}/20240312-0${index % 3}_${index}.gz`, gzipSync(`${lines.join('\n')}\n`))
    }
}

interface SourceAnswer {
  readonly id: string
  readonly records: { readonly received: number; readonly stored: number }
  readonly problems: readonly string[]
}

async function sources(): Promise<SourceAnswer[]> {
  const { results } = (await (await caracal.fetch('/api/v1/sources')).json()) as { results: SourceAnswer[] }
  return results.filter(({ id }) => id in SOURCES)
}

const received = (each: number) =>
  until(async () => ((await sources()).every(({ records }) => records.received >= each) ? true : undefined))

beforeAll(async () => {
  if (moto.why !== undefined) return
  server = await startMoto()
  await server.request('s3', 'PUT', `/${BUCKET}`)
  mkdirSync(join(folder, 'content'))
  for (const [name, text] of Object.entries(RULE)) writeFileSync(join(folder, 'content', name), text)
  infer('Custom.WebAuth', SOURCES['auth']!.line)
  infer('Custom.WebNetstat', SOURCES['netstat']!.line)
  writeFileSync(join(folder, 'secret'), server.credentials.secretAccessKey)
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    flush_ms: 300,
    sources: Object.entries(SOURCES).map(([id, { logTypes }]) => ({
      type: 's3',
      id,
      bucket: BUCKET,
      endpoint: server.url,
      auth: { access_key_id: server.credentials.accessKeyId, secret_access_key: { file: join(folder, 'secret') } },
      prefixes: [{ prefix: `${id}/`, log_types: logTypes }],
      poll_ms: 500,
      drop_off_minutes: 60,
    })),
    destinations: [{ type: 'webhook', id: 'phone', url: `http://127.0.0.1:${await receiver.listen()}/` }],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: config.data_dir, cwd: folder, args: ['--no-demo'], nodeArgs: clock.nodeArgs })
  await caracal.start()
})
afterAll(async () => {
  await caracal?.end('SIGKILL')
  await server?.close()
  await receiver.close()
  rmSync(folder, { recursive: true, force: true })
})

const titles = (start: string) =>
  [...receiver.bodies.values()].map(({ title }) => String(title)).filter((one) => one.startsWith(start))

describe.skipIf(moto.why)(`a web server's logs in a bucket${moto.why ? ` (${moto.why})` : ''}`, { shuffle: false }, () => {
  test('become events once each, killed in the middle, and raise two alerts', async () => {
    await ship(0, OBJECTS / 2)
    await received(LINES)
    await caracal.end('SIGKILL')
    await ship(OBJECTS / 2, OBJECTS)
    await caracal.start()
    const each = OBJECTS * LINES
    await received(each)
    const counted = async () =>
      (
        await caracal.query('SELECT p_source_id, p_log_type, count(), uniqExact(p_row_id) FROM logs.all GROUP BY 1, 2 ORDER BY 1')
      ).map(([source, type, ...numbers]) => [source, type, ...numbers.map(Number)])
    const expected = Object.entries(SOURCES)
      .map(([id, { logTypes }]) => [id, logTypes[0], each, each])
      .sort()
    await expect.poll(counted, { timeout: 100_000 }).toEqual(expected)
    for (const { records } of await sources()) expect(records).toMatchObject({ received: each, stored: each })
    await until(() => titles('SSH Connection Established')[0])
    await until(() => titles('Unexpected Port')[0])
    expect(titles('Unexpected Port')).toEqual(['Unexpected Port Opened: 21'])
    expect(titles('SSH Connection Established')).toEqual([`SSH Connection Established from TOR Exit Node (${EXIT_NODE})`])
  })

  test('an hour without an object raises one alarm per source, which ends with the next object', async () => {
    await clock.stepTo(61)
    await until(() => (titles('Source ').length === 4 ? true : undefined))
    expect(titles('Source ').sort()).toEqual(
      Object.keys(SOURCES)
        .sort()
        .map((id) =>
          expect.stringMatching(`^Source ${id} has not sent a record since .*, longer than its drop_off_minutes \\(60\\)$`),
        ),
    )
    await ship(OBJECTS, OBJECTS + 1)
    await until(async () => ((await sources()).every(({ problems }) => problems.length === 0) ? true : undefined))
    expect(titles('Source ')).toHaveLength(4)
  })
})
