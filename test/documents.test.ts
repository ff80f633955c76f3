import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { commandsOf, ELSEWHERE } from './support/page-commands.ts'
import { until } from './support/until.ts'

/**
 * Which test runs the commands of a page. It reads them from the page, so that a new one is run as well. `HERE`: this one, with the real
 * program, as a reader would who has the files that the page speaks of.
 */
const HERE = 'test/documents.test.ts'
const RUN_BY: Readonly<Record<string, string>> = {
  'README.md': HERE,
  'docs/accounts.md': 'test/accounts.test.ts',
  'docs/alerts.md': HERE,
  'docs/api.md': 'test/api-page.test.ts',
  'docs/assistants.md': HERE,
  'docs/backtest.md': 'test/backtest.test.ts',
  'docs/backup.md': 'test/backup.test.ts',
  'docs/bundles.md': 'test/bundle.test.ts',
  'docs/content.md': HERE,
  'docs/destinations.md': HERE,
  'docs/explain.md': 'test/explain.test.ts',
  'docs/from-panther.md': 'test/from-panther-page.test.ts',
  'docs/lake.md': HERE,
  'docs/monitoring.md': HERE,
  'docs/operations.md': 'test/operations-page.test.ts',
  'docs/replay.md': HERE,
  'docs/retention.md': 'test/deletion.test.ts',
  'docs/risk.md': 'test/risk.test.ts',
  'docs/rules.md': 'test/start-page.test.ts',
  'docs/schemas.md': HERE,
  'docs/searching.md': 'test/timeline.test.ts',
  'docs/shippers.md': HERE,
  'docs/start.md': 'test/start-page.test.ts',
  'docs/state.md': 'test/migrate.test.ts',
  'docs/tables.md': 'test/tables-page.test.ts',
  'docs/tables-reference.md': HERE,
}

const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(packageRoot(), 'docs')).map((name) => `docs/${name}`)]
  .filter((name) => name.endsWith('.md'))
  .map((page) => ({ page, commands: commandsOf(page) }))
  .filter(({ commands }) => commands.length > 0)

/** Why no test runs this command of a page; `undefined` if one does. */
function reasonAgainst(page: string, command: string): string | undefined {
  return Object.entries(ELSEWHERE[page] ?? {}).find(([part]) => command.includes(part))?.[1]
}

test.each(pages)('the commands of $page are run by a test, or it is said why not', ({ page, commands }) => {
  const run = commands.filter((command) => reasonAgainst(page, command) === undefined)
  const by = RUN_BY[page]
  if (by === undefined) expect(run, 'write a test that runs them, and name it in RUN_BY').toEqual([])
  else if (by !== HERE) expect(readFileSync(join(packageRoot(), by), 'utf8')).toContain(page.replace('docs/', ''))
})

test('what is said about pages and commands is about those that exist', () => {
  expect(Object.keys(RUN_BY).filter((page) => !pages.some((one) => one.page === page))).toEqual([])
  const stale = Object.entries(ELSEWHERE).flatMap(([page, reasons]) =>
    Object.keys(reasons).filter((part) => !commandsOf(page).some((command) => command.includes(part))),
  )
  expect(stale).toEqual([])
})

describe('a page', { timeout: 600_000 }, () => {
  const RULE = `AnalysisType: rule
RuleID: Shop.Login
Filename: login.py
Enabled: true
LogTypes: [Custom.Login]
Severity: High
`
  const CODE = 'def rule(event):\n    return True\n\n\ndef dedup(event):\n    return event.get("user")\n'
  const LOGIN = `schema: Custom.Login
fields:
  - { name: user, type: string, required: true, indicators: [username] }
  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true, required: true }
`

  let folder: string
  let caracal: Caracal
  let pager: Server
  /** What the receiver of alerts answers. */
  let status: number
  let env: Record<string, string>

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-documents-'))
    status = 400
    pager = createServer((_, response) => response.writeHead(status).end())
    await once(pager.listen(0, '127.0.0.1'), 'listening')
    const port = await freePort()
    const files = {
      'bin/caracal': `#!/bin/sh\nexec '${process.execPath}' '${join(packageRoot(), 'bin/caracal.js')}' "$@"\n`,
      'content/rules/login.yml': RULE,
      'content/rules/login.py': CODE,
      'content/schemas/login.yml': LOGIN,
      'caracal.yml': JSON.stringify({
        listen: `127.0.0.1:${port}`,
        data_dir: 'data',
        content: ['content'],
        sources: [
          { type: 'http', id: 'default' },
          { type: 'http', id: 'web', log_types: ['Custom.Login'] },
          { type: 'splunk_hec', id: 'hec' },
        ],
        destinations: [{ type: 'webhook', id: 'pager', url: `http://127.0.0.1:${(pager.address() as AddressInfo).port}/` }],
      }),
    }
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    chmodSync(join(folder, 'bin/caracal'), 0o755)
    caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: [] })
    await caracal.start()
    const token = readFileSync(join(folder, 'data/token'), 'utf8').trim()
    env = {
      ...(process.env as Record<string, string>),
      USER: 'ana',
      PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH']}`,
      TOKEN: token,
    }
  }, 120_000)
  afterEach(async () => {
    await caracal.end('SIGKILL')
    pager.closeAllConnections()
    pager.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Runs a command line in a shell; resolves with its exit code and what it printed. */
  async function shell(command: string): Promise<{ readonly code: number; readonly text: string }> {
    const child = spawn('sh', ['-c', command], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk))
    const [code] = (await once(child, 'close')) as [number]
    return { code, text }
  }

  interface Reading {
    /** What the page has in place of what the reader has. */
    readonly with?: Readonly<Record<string, string>>
    /** The exit code of commands that begin so, where the page shows that something is wrong. */
    readonly codes?: Readonly<Record<string, number>>
    /** Called with what each command has printed. */
    readonly after?: (command: string, text: string) => void | Promise<void>
  }

  /** Runs the commands of a page in their order. */
  async function read(page: string, { with: given = {}, codes = {}, after }: Reading = {}): Promise<void> {
    const commands = commandsOf(page).filter((command) => reasonAgainst(page, command) === undefined)
    expect(commands).not.toEqual([])
    for (const command of commands) {
      let line = command
        .replaceAll('127.0.0.1:4848', `127.0.0.1:${caracal.port}`)
        .replace(/^node bin\/caracal\.js/, 'caracal')
        .replace('curl ', 'curl -sS --fail-with-body ')
      for (const [text, own] of Object.entries(given)) line = line.replaceAll(text, own)
      const { code, text } = await shell(line)
      const expected = Object.entries(codes).find(([beginning]) => command.startsWith(beginning))?.[1] ?? 0
      expect([command, code, code === expected ? '' : text]).toEqual([command, expected, ''])
      await after?.(command, text)
    }
  }

  async function alerts(): Promise<{ readonly alert_id: string; readonly rule_id: string; readonly dedup: string }[]> {
    return ((await (await caracal.fetch('/api/v1/alerts?limit=100')).json()) as { results: never[] }).results
  }

  /** Has these people log in, each of which is an alert; resolves with the ids of the alerts. */
  async function logins(...users: readonly string[]): Promise<string[]> {
    const lines = users.map((user) => JSON.stringify({ user, at: '2026-11-01T10:00:00Z' }))
    expect((await caracal.fetch('/ingest/web', { method: 'POST', body: lines.join('\n') })).status).toBe(202)
    return until(async () => {
      const found = (await alerts()).filter(({ rule_id }) => rule_id === 'Shop.Login')
      return found.length === users.length ? found.map(({ alert_id }) => alert_id.slice(0, 8)) : undefined
    })
  }

  test('README.md', async () => {
    copyFileSync(join(packageRoot(), 'packs/zeek/samples/conn.log'), join(folder, 'conn.log'))
    const [id] = await logins('ana')
    await read('README.md', {
      with: { '<id>': id! },
      after: async (command) => {
        if (!command.startsWith('curl')) return
        await until(async () =>
          (await shell('caracal query "SELECT count() FROM logs.zeek_conn"')).code === 0 ? true : undefined,
        )
      },
    })
  })

  test('docs/alerts.md', async () => {
    const [one, two, three] = await logins('ana', 'bo', 'eva')
    let mute = ''
    const given = {
      ...{ '61e3cd32': one!, '77ab01f2': two!, '90c4ee10': three! },
      // What a command before has printed.
      get '5d1c'() {
        return mute
      },
      get '"3"'() {
        return version
      },
    }
    let version = ''
    await read('docs/alerts.md', {
      with: given,
      after: async (_, text) => {
        mute = /`caracal mutes end (\w+)`/.exec(text)?.[1] ?? mute
        version = (await caracal.fetch(`/api/v1/alerts/${one}`)).headers.get('etag') ?? ''
      },
    })
  })

  test('docs/monitoring.md', () => read('docs/monitoring.md'))

  test('docs/assistants.md', () => read('docs/assistants.md'))

  test('docs/content.md', async () => {
    appendFileSync(join(folder, 'content/rules/login.py'), '\n# changed\n')
    await read('docs/content.md', { with: { '13': '2' } })
    expect(readFileSync(join(folder, 'content/rules/login.py'), 'utf8')).toBe(CODE)
  })

  test('docs/destinations.md', async () => {
    const [id] = await logins('ana')
    await until(async () => ((await shell('caracal deliveries --state dead')).text.includes('answered 400') ? true : undefined))
    status = 200
    await read('docs/destinations.md', { with: { '3f2a': id! } })
  })

  test('docs/lake.md', async () => {
    await logins('ana')
    await read('docs/lake.md')
  })

  test('docs/replay.md', async () => {
    await caracal.fetch('/ingest/web', { method: 'POST', body: '{"at":"2026-11-01T10:00:00Z"}\n' })
    await until(async () =>
      (await shell('caracal dead-letters --source web')).text.includes('missing_field') ? true : undefined,
    )
    await read('docs/replay.md')
  })

  test('docs/schemas.md', async () => {
    const doors = Array.from({ length: 1204 }, (_, n) => ({
      at: new Date(1.7e12 + n * 1000).toISOString(),
      door: n % 9,
      ip: '192.0.2.1',
    }))
    const lines = doors.map((door) => `${JSON.stringify(door)}\n`).join('')
    writeFileSync(join(folder, 'door.log.gz'), gzipSync(lines))
    writeFileSync(join(folder, 'door.log'), lines.replace('"door":3,', '"door":"attic",'))
    await read('docs/schemas.md', {
      // The page shows a record that is refused and a test that fails.
      codes: { 'caracal schema parse': 1, 'caracal schema test': 1 },
      after: (command) => {
        if (!command.startsWith('caracal schema infer')) return
        copyFileSync(join(folder, 'content/door.yml'), join(folder, 'door-2.yml'))
        const input = '\'{"at":"2024-04-19T12:00:03Z","door":8,"ip":"192.0.2.1"}\''
        const result = '{ at: "2024-04-19T12:00:03Z", door: 9, ip: 192.0.2.1 }'
        writeFileSync(join(folder, 'content/door_tests.yml'), `name: a door by its name\ninput: ${input}\nresult: ${result}\n`)
      },
    })
    expect(existsSync(join(folder, 'events.jsonl'))).toBe(true)
  })

  test('docs/shippers.md', async () => {
    writeFileSync(join(folder, 'app.log'), '{"a":1}\n')
    await read('docs/shippers.md', { with: { TOKEN: env['TOKEN']! } })
  })

  test('docs/tables-reference.md', () =>
    // The sample's table has only been there since the program started, and no row for an address of the documents.
    read('docs/tables-reference.md', { with: { '192.0.2.1': '185.241.208.232', '2024-04-19': 'now', '2024-04-01': 'now' } }))
})
