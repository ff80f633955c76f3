import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../test/support/fake-engine.ts'
import { createApp } from '../api/app.ts'
import { type RunningServer, startServer } from '../api/server.ts'
import { MAX_CHANGED } from '../model/alert-work.ts'
import { lockDataDir } from '../state/sqlite.ts'
import { StorageError } from '../util/errors.ts'
import { hash16, sha256 } from '../util/hash.ts'
import { version } from '../util/version.ts'
import type { Io } from './io.ts'
import { runCli } from './main.ts'

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

interface Terminal {
  readonly isTty?: boolean
  readonly stdin?: string
  readonly interrupt?: (run: () => void) => void
}

async function cli(argv: readonly string[], { isTty = false, stdin = '', interrupt }: Terminal = {}): Promise<Ran> {
  let out = ''
  let err = ''
  const io: Io = {
    out: (text) => {
      out += text
    },
    write: async (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    isTty,
    columns: 80,
    hasColours: false,
    env: {},
    stdin: Readable.from([Buffer.from(stdin)]),
    onInterrupt(run) {
      interrupt?.(run)
      return () => {}
    },
  }
  const code = await runCli(argv, io)
  return { code, out, err }
}

describe('without a server', () => {
  test('the help lists every command, and help and version exit with 0', async () => {
    const { code, out, err } = await cli(['--help'])
    expect([code, err]).toEqual([0, ''])
    const commands = out.slice(out.indexOf('Commands:')).matchAll(/^ {2}([a-z-]+)/gm)
    const names = [...commands].map((match) => match[1])
    expect(names.slice(0, names.indexOf('help') + 1)).toEqual([
      'up',
      'run',
      'alerts',
      'mutes',
      'query',
      'queries',
      'search',
      'searches',
      'timeline',
      'risk',
      'sources',
      'dead-letters',
      'tables',
      'rules',
      'packs',
      'replay',
      'backtest',
      'deliveries',
      'destinations',
      'tokens',
      'users',
      'content',
      'reload',
      'delete',
      'backup',
      'restore',
      'migrate',
      'archive',
      'retention',
      'lake',
      'health',
      'demo',
      'test',
      'debug',
      'explain',
      'enrich-test-data',
      'benchmark',
      'schema',
      'types',
      'validate',
      'config',
      'doctor',
      'service',
      'mcp',
      'init',
      'help',
    ])
  })

  test.each(['up', 'run', 'alerts', 'query', 'sources', 'tables', 'rules', 'packs', 'health', 'demo'])(
    '%s has its own help',
    async (command) => {
      const { code, out } = await cli([command, '--help'])
      expect(code).toBe(0)
      expect(out).toMatch(new RegExp(`^Usage: caracal ${command} `))
    },
  )

  test.each<[string[], RegExp]>([
    [['alrets'], /unknown command 'alrets'[\s\S]*alerts/],
    [['up', '--datadir', 'x'], /unknown option '--datadir'[\s\S]*--data-dir/],
    [['up', '--listen', 'here'], /--listen 'here' is not an address and port/],
    [['up', '--config', '/no/such/file.yml'], /cannot be read[\s\S]*file\.yml/],
    [['run', '--emit', 'lines'], /Allowed choices are events, matches, alerts, dead-letters/],
    [['run', '--table', 'tor'], /is not NAME=FILE/],
    [['run', '--table', 'tor=a', '--table', 'tor=b'], /specified twice/],
    [['run', '--as-of', 'yesterday'], /is not a time/],
    [['alerts', '--severity', 'urgent'], /'urgent' is not one of INFO, LOW/],
    [['alerts', '--limit', '0'], /--limit '0'/],
    [['alerts', 'show'], /missing required argument 'id'/],
    [['query'], /missing required argument 'sql'/],
    [['query', ''], /the query is empty/],
    [['query', 'SELECT 1', '--max-rows', 'x'], /--max-rows 'x'/],
    [['demo'], /--remove/],
    [['tables', 'shwo'], /unknown command 'shwo': did you mean 'show'\?\n\(see caracal tables --help\)/],
    [['packs', 'frobnicate'], /unknown command 'frobnicate'\. Known: list, enable, disable, help\n/],
    [['tables', 'show', 'tor', '--as-of', '2024-04-19'], /--as-of is about a row: name its key/],
    [['tables', 'refresh'], /missing required argument 'name'\n\(see caracal tables refresh --help\)/],
  ])('%j exits with 2 and says why', async (argv, why) => {
    const { code, out, err } = await cli(argv)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(why)
    expect(err).not.toMatch(/^ {4}at /m)
  })

  test('the version is printed, and flags of Panther’s tool without effect are listed', async () => {
    expect(await cli(['--version'])).toEqual({ code: 0, out: `${version()}\n`, err: '' })
    const { err } = await cli(['--debug', 'query', '', '--skip-version-check'])
    expect(err).toMatch(/^Without effect here: --debug, --skip-version-check\.\n[\s\S]*the query is empty/)
  })

  test('if nothing has run or nothing listens, it says so and exits with 1', async () => {
    const engine = await fakeEngine()
    const flags = ['--data-dir', engine.config.data_dir, '--listen', '127.0.0.1:2']
    expect(await cli(['alerts', ...flags])).toMatchObject({
      code: 1,
      err: expect.stringContaining('has not run with the data folder'),
    })
    writeFileSync(join(engine.config.data_dir, 'token'), `${TOKEN}\n`)
    expect(await cli(['alerts', ...flags])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^caracal: Caracal is not running here: .*npm start/),
    })
    await engine.dispose()
  })
})

describe('with a server', () => {
  let engine: FakeEngine
  let server: RunningServer
  let flags: string[]

  beforeEach(async () => {
    engine = await fakeEngine()
    server = await startServer(createApp(engine).fetch, { listen: '127.0.0.1:0' })
    flags = ['--data-dir', engine.config.data_dir, '--listen', new URL(server.url).host]
    writeFileSync(join(engine.config.data_dir, 'token'), `${TOKEN}\n`)
  })

  afterEach(async () => {
    await server.close(0)
    await engine.dispose()
  })

  test('a token of another data folder is reported as such', async () => {
    writeFileSync(join(engine.config.data_dir, 'token'), 'another\n')
    const { code, err } = await cli(['health', ...flags])
    expect(code).toBe(1)
    expect(err).toContain('runs with another data folder')
    expect(err).not.toContain('another\n')
  })

  test('alerts is a table, newest first, and untrusted text stays on its line', async () => {
    await engine.addAlert({ alertId: alertId(1), createdMs: 1000 }, { title: 'evil\u001b[2J\nTITLE' })
    await engine.addAlert({ alertId: alertId(2), createdMs: 2000, severity: 'HIGH' }, { title: 'Unexpected Port Opened: 21' })
    expect((await cli(['alerts', ...flags])).out).toBe(
      [
        'ID        CREATED               SEVERITY  STATUS  EVENTS  TITLE',
        '00020000  1970-01-01T00:00:02Z  HIGH      OPEN         3  Unexpected Port Opened: 21',
        '00010000  1970-01-01T00:00:01Z  CRITICAL  OPEN         3  evil\\u{1b}[2J\\u{a}TITLE',
        '',
      ].join('\n'),
    )
    expect((await cli(['alerts', 'list', '--severity', 'high', '--json', ...flags])).out).toMatch(
      /^\{"alert_id":"0002.*"\]?.*\}\n$/,
    )
    expect((await cli(['alerts', '--status', 'CLOSED', ...flags])).out).toBe('No alerts.\n')
  })

  test('deliveries lists what failed and why, and sends it again once', async () => {
    await engine.addAlert({ alertId: alertId(1) }, { title: 'evil\u001b[2J' })
    await engine.addDelivery(alertId(1), 'soc', 'the webhook answered 401')
    expect((await cli(['deliveries', '--state', 'dead', ...flags])).out).toBe(
      [
        '1970-01-01T00:16:40.000Z  dead  soc  evil\\u{1b}[2J',
        `  ${alertId(1)}-soc, alert 000100000000, 1 attempt`,
        '  the webhook answered 401',
        '',
      ].join('\n'),
    )
    expect((await cli(['deliveries', 'resend', '--destination', 'soc', ...flags])).out).toBe('Sending 1 delivery again.\n')
    expect((await cli(['deliveries', 'resend', '--alert', '0001', ...flags])).out).toBe('None of them is dead.\n')
    expect((await cli(['deliveries', '--json', ...flags])).out).toMatch(/"state":"pending","tries":0/)
    expect((await cli(['deliveries', '--destination', 'chat', ...flags])).out).toBe('No deliveries.\n')
    const { code, err } = await cli(['deliveries', 'resend', ...flags])
    expect([code, err]).toEqual([2, expect.stringContaining('say which deliveries to send again')])
  })

  test('alerts show tells an alert of a replay from a live one', async () => {
    await engine.addAlert({ alertId: alertId(1) })
    await engine.addAlert({ alertId: alertId(2), retroactive: true })
    expect((await cli(['alerts', 'show', '0001', ...flags])).out).not.toContain('replay')
    expect((await cli(['alerts', 'show', '0002', ...flags])).out).toContain('by a replay of stored records')
  })

  test('more alerts than a page are fetched page by page until the limit', async () => {
    for (let i = 1; i <= 450; i++) await engine.addAlert({ alertId: alertId(i), createdMs: i })
    const lines = async (limit: string) => (await cli(['alerts', '--json', '--limit', limit, ...flags])).out.trim().split('\n')
    expect(await lines('450')).toHaveLength(450)
    expect(new Set(await lines('430')).size).toBe(430)
    expect(await cli(['alerts', '--limit', '3', ...flags])).toMatchObject({ err: expect.stringContaining('There are more') })
  })

  test('alerts show explains an alert: rule, times, table rows with their version, exact context, deliveries', async () => {
    const sampleEvent =
      '{"uid":"C1","p_enrichment":{"tor_exit_nodes":{"id_orig_h":{"ip":"45.139.122.241","p_match":"45.139.122.241","p_version":"2024-03-12"}}}}'
    await engine.addAlert(
      { alertId: alertId(1) },
      { sampleEvent, context: '{"id":9007199254740993}', runbook: 'One.\nTwo\u001b[31m.' },
    )
    await engine.addDelivery(alertId(1), 'soc', 'the webhook answered 410')
    const { code, out } = await cli(['alerts', 'show', '0001', ...flags])
    expect(code).toBe(0)
    for (const line of [
      'CRITICAL  SSH Connection Established from TOR Exit Node (45.139.122.241)',
      /Rule +Tor\.SSH\.Login \(SSH login from a Tor exit node\)/,
      /Created +1970-01-01T00:16:40\.000Z, 21 ms after its line came in/,
      /Runbook +One\.\n +Two\\u\{1b\}\[31m\./,
      '  id_orig_h 45.139.122.241 is in tor_exit_nodes  version 2024-03-12\n    ip: 45.139.122.241',
      'Context\n  id: 9007199254740993',
      'First event\n  uid: C1',
      'Sent to\n  soc: dead after 1 try: the webhook answered 410',
    ]) {
      expect(out).toMatch(line)
    }
  })

  test('alerts set changes the status, and an unknown id exits with 1', async () => {
    await engine.addAlert({ alertId: alertId(1) })
    expect(await cli(['alerts', 'set', '0001', 'resolved', ...flags])).toMatchObject({ code: 0, out: '00010000 is RESOLVED.\n' })
    expect((await cli(['alerts', '--status', 'RESOLVED', ...flags])).out).toContain('00010000')
    expect(await cli(['alerts', 'set', 'ffff', 'OPEN', ...flags])).toMatchObject({
      code: 1,
      err: expect.stringContaining("no alert 'ffff'"),
    })
    expect(await cli(['alerts', 'set', '0001', 'GONE', ...flags])).toMatchObject({ code: 2 })
  })

  test('mutes are added, listed and ended, and an alert is snoozed', async () => {
    await engine.addAlert({ alertId: alertId(1) })
    expect((await cli(['mutes', ...flags])).out).toBe('No mutes are in force.\n')
    const made = ['--for', '7d', '--reason', 'evil\u001b[2J', '--owner', 'ana', ...flags]
    expect((await cli(['mutes', 'add', '--rule', 'Tor.*', '--severity', 'low', '--severity', 'INFO', ...made])).out).toMatch(
      /^Muted until \S+Z; `caracal mutes end [0-9a-f]{8}` ends it before\.\n$/,
    )
    expect((await cli(['alerts', 'snooze', '0001', ...made])).code).toBe(0)
    const { out } = await cli(['mutes', ...flags])
    expect(out).toMatch(/^ID +STATE +EXPIRES +MATCHES +ALERTS +OWNER +COVERS +REASON\n/)
    expect(out).toMatch(/active .* 0 +0 +ana +rule=Tor\.\* severities=LOW\|INFO +evil\\u\{1b\}\[2J\n/)
    expect((await cli(['mutes', 'add', '--exact', '--title', 'A*', ...made])).code).toBe(0)
    const muted = (await cli(['mutes', '--json', ...flags])).out.trim().split('\n')
    expect(muted.map((line) => (JSON.parse(line) as { match: object }).match)).toContainEqual({ title: 'A*', exact: true })
    expect(out).toMatch(/rule=Tor\.SSH\.Login dedup=45\.139\.122\.241/)
    const { mute_id } = JSON.parse((await cli(['mutes', '--json', ...flags])).out.split('\n')[0]!) as { mute_id: string }
    expect((await cli(['mutes', 'end', mute_id.slice(0, 6), ...flags])).out).toBe(`Mute ${mute_id.slice(0, 8)} is ended.\n`)
    expect((await cli(['mutes', '--all', ...flags])).out).toContain('ended')
    for (const [argv, why] of [
      [['mutes', 'add', ...made], 'say what to mute'],
      [['mutes', 'add', '--exact', ...made], 'say what to mute'],
      [['mutes', 'add', '--rule', 'R', '--for', '1h', ...flags], '--reason'],
      [['mutes', 'add', '--rule', 'R', '--for', 'soon', '--reason', 'x', '--owner', 'ana', ...flags], "--for 'soon' is no time"],
      [['mutes', 'add', '--rule', 'R', '--for', '1h', '--reason', 'x', ...flags], '--owner'],
    ] as const)
      expect(await cli([...argv])).toMatchObject({ code: 2, err: expect.stringContaining(why) })
  })

  test('alerts are held, listed and released, with a reason', async () => {
    for (const n of [1, 2]) await engine.addAlert({ alertId: alertId(n) })
    const out = async (...argv: string[]) => (await cli([...argv, ...flags])).out
    expect(await out('alerts', 'hold', '0001', '--reason', 'case 7')).toBe('00010000 is on hold.\n')
    expect(await out('alerts', '--held', '--json')).toMatch(
      /^\{"alert_id":"0001[^\n]*"hold":\{"reason":"case 7","by":"cli",[^\n]*\n$/,
    )
    expect(await out('alerts', 'show', '0001')).toMatch(
      /On hold +since \S+, by cli: case 7\n[\s\S]*put on hold: case 7, by cli\n/,
    )
    expect(await out('alerts', 'release', '0001', '--reason', 'closed')).toBe('00010000 is not on hold.\n')
    expect(await out('alerts', '--held')).toBe('No alerts.\n')
    expect(await cli(['alerts', 'hold', '0001', ...flags])).toMatchObject({ code: 2, err: expect.stringContaining('--reason') })
  })

  test('tokens are created, listed and revoked, and the secret alone goes to standard output', async () => {
    expect((await cli(['tokens', ...flags])).out).toBe("No tokens: only the data folder's own is valid.\n")
    const limits = ['--log-type', 'Nginx.*', '--log-type', 'Zeek.SSH', '--cidr', '10.0.0.0/8', '--expires', '90d']
    const made = await cli(['tokens', 'create', 'web team', '--role', 'viewer', ...limits, ...flags])
    expect(made.out).toMatch(/^caracal_[\w-]{43}\n$/)
    expect(made.err).toMatch(/^Token 'web team' \(viewer\) is valid until \S+Z\. Store it now: it is not shown again\.\n$/)
    const { out } = await cli(['tokens', ...flags])
    expect(out).toMatch(/^NAME +ROLE +STATE +EXPIRES +LAST USED +FROM +LIMITS +ID\n/)
    expect(out).toMatch(/web team +viewer +active +\S+Z +never +Nginx\.\* Zeek\.SSH 10\.0\.0\.0\/8 +[0-9a-f]{16}\n/)
    expect((await cli(['tokens', 'revoke', 'web team', ...flags])).out).toBe("Token 'web team' is revoked.\n")
    expect((await cli(['tokens', '--all', ...flags])).out).toContain('revoked')
    for (const [argv, code, why] of [
      [['tokens', 'create', 'x', ...flags], 2, '--role'],
      [['tokens', 'create', 'x', '--role', 'root', ...flags], 2, 'ingest'],
      [['tokens', 'create', 'x', '--role', 'ingest', '--cidr', 'x', ...flags], 1, 'a network such as'],
      [['tokens', 'revoke', 'x', ...flags], 1, "there is no token 'x'"],
    ] as const)
      expect(await cli([...argv])).toMatchObject({ code, err: expect.stringContaining(why) })
  })

  test('alerts are assigned, tagged, commented on and closed, and show has the timeline', async () => {
    await engine.addAlert({ alertId: alertId(1) })
    await engine.addAlert({ alertId: alertId(2) })
    const out = async (...argv: string[]) => (await cli([...argv, ...flags])).out
    expect(await out('alerts', 'assign', '0001', 'ana')).toBe('00010000 is OPEN (owner: ana).\n')
    expect(await out('alerts', 'tag', '0001', 'ssh', 'vpn')).toBe('00010000 is OPEN (owner: ana; tags: ssh, vpn).\n')
    expect(await out('alerts', 'tag', '0001', '--remove', 'vpn')).toBe('00010000 is OPEN (owner: ana; tags: ssh).\n')
    expect(await out('alerts', 'comment', '0001', 'evil\u001b[2J\nsecond line')).toMatch(/comment is in the timeline/)
    expect(await out('alerts', 'close', '0001', '0002', '--reason', 'a test', '--quality', 'noise')).toBe(
      '00010000 is CLOSED (reason: a test; quality: NOISE; owner: ana; tags: ssh).\n00020000 is CLOSED (reason: a test; quality: NOISE).\n',
    )
    const shown = await out('alerts', 'show', '0001')
    for (const line of [
      /Reason +a test\n/,
      /Owner +ana\n/,
      'Timeline\n  1970-01-01T00:16:40Z  opened as CRITICAL with 3 events\n',
      '  1970-01-01T00:33:20Z  owner: – → ana, by cli\n',
      '  context tags: ssh, vpn → ssh, by cli\n'.slice(2),
      'comment, by cli\n      evil\\u{1b}[2J\n      second line\n',
      'status: OPEN → CLOSED, by cli\n',
    ])
      expect(shown).toMatch(line)
    expect(await out('alerts', '--owner', 'ana', '--json')).toMatch(/^\{"alert_id":"0001[^\n]*\n$/)
    expect(await out('alerts', '--nobody', '--quality', 'NOISE', '--tag', 'SSH', '--text', 'tor')).toContain('00020000')
    expect(await cli(['alerts', 'assign', '0001', ...flags])).toMatchObject({ code: 2, err: expect.stringContaining('--nobody') })
    expect(await cli(['alerts', 'tag', '0001', 'A B', ...flags])).toMatchObject({
      code: 1,
      err: expect.stringContaining('lower-case'),
    })
  })

  test('a filter that chooses more alerts than one call changes is refused before anything is', async () => {
    for (let n = 0; n <= MAX_CHANGED; n++) await engine.addAlert({ alertId: alertId(n) })
    const { code, err } = await cli(['alerts', 'close', '--where', 'status=open', ...flags])
    expect([code, err]).toEqual([2, expect.stringContaining('more than 1,000 alerts fit, and at most 1,000 are changed at once')])
  }, 60_000)

  test('several alerts are changed by their ids or by a filter, which is only counted without --yes', async () => {
    for (const n of [1, 2, 3]) await engine.addAlert({ alertId: alertId(n), ruleId: n === 3 ? 'B' : 'A' })
    const run = (...argv: string[]) => cli(['alerts', ...argv, ...flags])
    const both = (text: string) => `00010000 is ${text}.\n00020000 is ${text}.\n`
    expect((await run('status', '0001,0002', 'triaged')).out).toBe(both('TRIAGED'))
    expect((await run('assign', '0001,0002', 'ana')).out).toBe(both('TRIAGED (owner: ana)'))
    expect((await run('tag', '0001,0002', 'x', 'y')).out).toBe(both('TRIAGED (owner: ana; tags: x, y)'))
    expect(await run('resolve', '0001', 'ffff', '0002')).toMatchObject({
      code: 1,
      out: both('RESOLVED (owner: ana; tags: x, y)'),
      err: expect.stringMatching(/^caracal: ffff: there is no alert 'ffff'/),
    })
    expect(await run('close', '--where', 'rule=B', '--where', 'owner=')).toMatchObject({
      ...{ code: 1, out: '', err: '1 alert would be changed; nothing was. Repeat the command with --yes to change it.\n' },
    })
    expect((await run('close', '--where', 'rule=B', '--where', 'status=open', '--yes')).out).toBe('00030000 is CLOSED.\n')
    expect((await run('tag', '--where', 'rule=B', '--yes', 'z')).out).toBe('00030000 is CLOSED (tags: z).\n')
    expect((await run('assign', '--where', 'tag=z', '--yes', 'bo')).out).toBe('00030000 is CLOSED (owner: bo; tags: z).\n')
    expect((await run('status', '--where', 'owner=bo', '--yes', 'OPEN')).out).toBe('00030000 is OPEN (owner: bo; tags: z).\n')
    expect(await run('close', '--where', 'rule=none')).toMatchObject({ code: 0, err: 'No alert fits; nothing was changed.\n' })
    for (const [argv, why] of [
      [['close'], 'by their ids, or'],
      [['close', '0001', '--where', 'rule=B'], 'by their ids, or'],
      [['close', '0001', '--yes'], '--yes goes with --where'],
      [['close', '--where', 'rules=B'], "'rules=B' is no criterion"],
      [['close', '--where', 'rule=A', '--where', 'rule=B'], "names 'rule' twice"],
      [['close', '--where', 'status=DONE'], "'DONE' is not one of"],
      [['close', '--where', 'since=soon'], "--where since 'soon' is no time"],
      [['status', '0001'], 'name one status'],
      [['status', '--where', 'rule=A', '0001', 'OPEN'], 'name one status'],
      [['assign', '--where', 'rule=A', 'ana', 'bo'], 'name the owner'],
    ] as const)
      expect(await run(...argv)).toMatchObject({ code: 2, err: expect.stringContaining(why) })
  })

  test('alerts are merged and taken out again, and show lists merged and related ones', async () => {
    for (const n of [1, 2, 3]) await engine.addAlert({ alertId: alertId(n) }, { title: `evil\u001b[${n}J` })
    const run = (...argv: string[]) => cli(['alerts', ...argv, ...flags])
    expect((await run('merge', '0001', '0002', '0003')).out).toBe('2 alerts are merged into 0001 now.\n')
    expect((await run('--merged')).out).toMatch(/^ID.*\n00030000.*\n00020000.*\n$/)
    const shown = (await run('show', '0001')).out
    for (const line of [
      /Merged into this alert\n {2}00030000 {2}CRITICAL {2}3 events, last 2023-05-15T14:23:09Z {2}evil\\u\{1b\}\[3J\n/,
      / {2}together: 9 events\n/,
      /Related alerts\n {2}00030000 {2}1970-01-01T00:16:40Z {2}CRITICAL {2}OPEN {2}evil\\u\{1b\}\[3J {2}shares 45\.139\.122\.241\n/,
      `alert ${alertId(2)} was merged into this one, by cli\n`,
    ])
      expect(shown).toMatch(line)
    expect((await run('show', '0002')).out).toContain(`merged into: – → ${alertId(1)}, by cli\n`)
    expect((await run('unmerge', '0002')).out).toBe('00020000 is an alert of its own again.\n')
    expect((await run('show', '0001')).out).toContain(`alert ${alertId(2)} was taken out of this one, by cli\n`)
    expect(await run('unmerge', '0002')).toMatchObject({ code: 1, err: expect.stringContaining('is not merged') })
    expect(await run('merge', '0003', '0002')).toMatchObject({ code: 1, err: expect.stringContaining('nothing was merged') })
    expect(await run('merge', '0001')).toMatchObject({ code: 2 })
  })

  const ANSWER = {
    columns: [
      { name: 'uid', type: 'String' },
      { name: 'n', type: 'UInt64' },
    ],
    rows: ['["C1\\n\\"x\\"",18446744073709551615]', '["C22",2]'],
    truncated: false,
    ms: 4,
  }

  test('query is a table on a terminal', async () => {
    engine.answer = async () => ANSWER
    expect(await cli(['query', 'SELECT 1', ...flags], { isTty: true })).toEqual({
      code: 0,
      out: ['uid                            n', 'C1\\u{a}"x"  18446744073709551615', 'C22                            2', ''].join(
        '\n',
      ),
      err: '2 rows in 4 ms\n',
    })
  })

  test('rows with more columns than fit the terminal are blocks, without empty values', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `column_${i}`)
    const row = JSON.stringify(names.map((_, i) => (i === 2 ? 'x\u0007' : i === 3 ? null : i)))
    engine.answer = async () => ({ ...ANSWER, columns: names.map((name) => ({ name, type: 'String' })), rows: [row, row] })
    const { out } = await cli(['query', 'SELECT *', ...flags], { isTty: true })
    expect(out).toMatch(/^--- row 1\ncolumn_0 {3}0\ncolumn_1 {3}1\ncolumn_2 {3}x\\u\{7\}\ncolumn_4 {3}4\n/)
    expect(out).toContain('column_11  11\n--- row 2\n')
  })

  test('in a pipe query prints exact JSON objects, one per line, and says when the result is cut', async () => {
    engine.answer = async () => ({ ...ANSWER, truncated: true })
    const { code, out, err } = await cli(['query', '-', '--max-rows', '2', ...flags], { stdin: 'SELECT uid, n\n' })
    expect(code).toBe(0)
    expect(out).toBe('{"uid":"C1\\n\\"x\\"","n":18446744073709551615}\n{"uid":"C22","n":2}\n')
    expect(err).toContain('cut after 2 rows')
    expect(engine.queries[0]).toMatchObject({ sql: 'SELECT uid, n', options: { maxRows: 2 } })
  })

  test('Ctrl-C stops the query in the lake and exits with 130', async () => {
    let stop: (() => void) | undefined
    const ended = new Promise<void>((resolve) => {
      engine.answer = ({ options }) => {
        stop!()
        return new Promise((_, reject) =>
          options.signal!.addEventListener('abort', () => {
            resolve()
            reject(new Error('the query was cancelled'))
          }),
        )
      }
    })
    const ran = await cli(['query', 'SELECT 1', ...flags], {
      interrupt: (run) => {
        stop = run
      },
    })
    expect(ran).toEqual({ code: 130, out: '', err: 'The query was stopped.\n' })
    await ended
  })

  test('a refused query exits with 1 and the engine’s message', async () => {
    const { Refused } = await import('../util/errors.ts')
    engine.answer = () => Promise.reject(new Refused("Unknown table 'x'"))
    expect(await cli(['query', 'SELECT * FROM x', ...flags])).toEqual({ code: 1, out: '', err: "caracal: Unknown table 'x'\n" })
  })

  test('tables shows state, rows, version and problems; refresh reports the outcome', async () => {
    const { out } = await cli(['tables', ...flags])
    expect(out).toMatch(
      /^TABLE +STATE +ROWS +VERSION +AGE +NEXT +FROM\ntor_exit_nodes +stale +1,174 +2024-03-12 +[\d,]+ d +(?:-|now|in \S+ \S+) +url\n/,
    )
    expect(out).toContain('\n\ntor_exit_nodes: check.torproject.org answered 503\n')
    expect(await cli(['tables', 'refresh', 'tor_exit_nodes', ...flags])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/tor_exit_nodes +ok/),
    })
    expect(await cli(['tables', 'refresh', 'tor_exit_nodes', '--accept', ...flags])).toMatchObject({
      code: 0,
      err: 'Accepted although the content is an old copy\n',
    })
    engine.reloaded = { ...engine.reloaded, outcome: 'broken', problems: [{ file: 'tor.yml:3', message: 'unknown key' }] }
    expect(await cli(['tables', 'refresh', 'tor_exit_nodes', ...flags])).toEqual({
      code: 1,
      out: expect.stringMatching(/tor_exit_nodes +ok/),
      err: 'caracal: changes to content are not in force, so the table was refreshed with its previous definition:\ntor.yml:3: unknown key\n',
    })
    expect(await cli(['tables', 'refresh', 'nope', ...flags])).toMatchObject({
      code: 1,
      err: expect.stringContaining('Known: tor_exit_nodes'),
    })
  })

  test('tables show and tables diff show versions, rows and differences', async () => {
    const { out } = await cli(['tables', 'show', 'tor_exit_nodes', ...flags])
    expect(out).toMatch(/^tor_exit_nodes\nExit nodes\nstate: +stale\nproblem: +check.torproject.org answered 503\n/)
    expect(out).toMatch(/next refresh: +1970-01-01T00:33:20.000Z \(now\)/)
    expect(out).toMatch(/2024-03-12-0123456789ad +1970-01-01T00:50:00.000Z +in force +1,174 +\+2 −28 ~1 \(1 worse\) +7 KiB\n/)
    expect(out).toMatch(/2024-03-10-0123456789ab .* no longer kept\n/)
    expect(out).toMatch(/failed × 3 +check.torproject.org answered 503\n/)
    expect(await cli(['tables', 'show', 'tor_exit_nodes', '192.0.2.1', ...flags])).toEqual({
      code: 0,
      out: '{"ip":"192.0.2.1","seen":9007199254740993}\n',
      err: 'version 2024-03-12-0123456789ad, in force since 1970-01-01T00:50:00.000Z\n',
    })
    expect(await cli(['tables', 'show', 'tor_exit_nodes', 'x', '--as-of', '0123456789ac', ...flags])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/2024-03-11-0123456789ac.*\nThe table has no row for x\n/),
    })
    expect((await cli(['tables', 'show', 'tor_exit_nodes', 'unwritten', ...flags])).err).toBe(
      'The table has no row for unwritten\n',
    )
    expect(await cli(['tables', 'diff', 'tor_exit_nodes', '0123456789ac', '--limit', '1', ...flags])).toEqual({
      code: 0,
      out: [
        '2024-03-11-0123456789ac (1970-01-01T00:33:20.000Z) → 2024-03-12-0123456789ad (1970-01-01T00:50:00.000Z): +2 −0 ~1 (1 worse)',
        '',
        'added, 1 of 2',
        '+ 192.0.2.1 {"score":1}',
        '',
        'changed',
        '~ 192.0.2.3 score: 1 → 9',
        '',
        'worsened',
        '! 192.0.2.3 score: 1 → 9',
        '',
      ].join('\n'),
      err: '',
    })
  })

  test('content shows history and changes, and undoes them', async () => {
    expect(await cli(['content', ...flags])).toMatchObject({ code: 0, out: 'No generations.\n' })
    for (const text of ['Enabled: false\n', 'Enabled: true\n\u001b[31m\n'])
      await engine.record({
        generation: hash16(text),
        nowMs: 1_700_000_000_000,
        cause: 'reload',
        actor: 'ann',
        commits: { 'https://git.test/rules.git#main': '0123456789abcdef' },
        files: [{ root: 'content', path: 'a.yml', hash: sha256(Buffer.from(text)) }],
        textOf: async () => Buffer.from(text),
      })
    const { out } = await cli(['content', 'history', ...flags])
    expect(out).toMatch(
      /^ *NUMBER +GENERATION +TIME +CAUSE +BY +FILES\n *2 +[0-9a-f]{16} +2023-11-14T22:13:20\.000Z +reload +ann +a\.yml\n *1 /,
    )
    const shown = await cli(['content', 'show', '2', 'a.yml', ...flags])
    expect(shown.out).toContain('changed content/a.yml\n@@ -1,1 +1,2 @@\n-Enabled: false\n+Enabled: true\n+\\u{1b}[31m\n')
    expect(shown.out).toContain('https://git.test/rules.git#main at 0123456789abcdef\n')
    expect(await cli(['content', 'show', '7', ...flags])).toMatchObject({ code: 1, err: expect.stringContaining("'7'") })
    engine.undo = async () => ({ ...engine.reloaded, outcome: 'swapped', summary: '1 rule changed', number: 2 })
    expect(await cli(['content', 'undo', ...flags])).toMatchObject({
      code: 0,
      out: 'Undo of 2. Generation 00112233aabbccdd: 1 rule changed, processing paused for 0 ms\n',
    })
    engine.undo = async () => ({ ...engine.reloaded, outcome: 'broken', problems: [{ file: 'b.yml', message: 'x' }], number: 2 })
    expect(await cli(['content', 'undo', '2', ...flags])).toMatchObject({ code: 1, out: expect.stringContaining('b.yml: x') })
  })

  test('backup has the running server make one, and says what it contains and why it failed', async () => {
    // The server has the data folder.
    const unlock = lockDataDir(engine.config.data_dir)
    const to = mkdtempSync(join(tmpdir(), 'caracal-monday-'))
    const { backedUp } = engine
    // The server sees another folder than this command, as a service does below /tmp.
    for (const manifest of [undefined, '{"created":"1970-01-01T00:00:00.000Z"}']) {
      if (manifest !== undefined) writeFileSync(join(to, 'manifest.json'), manifest)
      const { code, out, err } = await cli(['backup', to, ...flags])
      expect([code, out]).toEqual([1, ''])
      expect(err).toContain(`${join(to, 'manifest.json')} is not the one it wrote`)
      expect(err).toContain('`caracal service install --backups FOLDER`')
    }
    writeFileSync(join(to, 'manifest.json'), '{"created":"1970-01-01T00:16:40.000Z"}')
    expect(await cli(['backup', to, ...flags])).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /^Backup of \S+ in \S+monday-\w+: 3 files, 1\.2 MiB, in .+\.\nIt contains the API's token: keep it as safe as the data folder\.\n$/,
      ),
    })
    const { out } = await cli(['backup', to, '--json', ...flags])
    expect(JSON.parse(out)).toEqual({
      folder: to,
      created_time: '1970-01-01T00:16:40.000Z',
      ...{ files: 3, bytes: 1_234_567, pause_ms: 12, token: true },
    })
    engine.backedUp = async () => Promise.reject(new StorageError('the disk is full'))
    expect(await cli(['backup', to, ...flags])).toEqual({
      code: 1,
      out: '',
      err: 'caracal: the backup failed: the disk is full\n',
    })
    engine.backedUp = backedUp
    rmSync(to, { recursive: true })
    unlock()
  })

  test('rules shows the state of each, why it is off and what it has not judged', async () => {
    const { out } = await cli(['rules', ...flags])
    expect(out).toMatch(/^RULE +STATE +SINCE +SEVERITY +MATCHES +ERRORS +LOG TYPES\n/)
    expect(out).toMatch(/\nTor\.SSH\.Login +waiting +2023-11-14T22:13:20\.000Z +CRITICAL +1,234 +5 +Zeek\.SSH\n/)
    expect(out).toContain('\n\nTor.SSH.Login: tor.py: took longer than 1000 ms of processor time\n')
    expect(out).toContain('\nTor.SSH.Login: overridden: Severity (/rules/overrides.yml:3)\n')
    expect(out).toContain('from 2023-11-14T22:13:20.000Z to now it did not judge 12 events of Zeek.SSH\n')
    expect(await cli(['rules', '--state', 'on,off', ...flags])).toMatchObject({ code: 0, out: 'No rules.\n' })
    expect((await cli(['rules', '--state', 'waiting', '--json', ...flags])).out).toMatch(/^\{"id":"Tor\.SSH\.Login".*\}\n$/)
    expect(await cli(['rules', '--state', 'gone', ...flags])).toMatchObject({ code: 2, err: expect.stringContaining('waiting') })
  })

  test('sources shows counts, dead letters by reason and unknown fields', async () => {
    const { out } = await cli(['sources', ...flags])
    expect(out).toMatch(
      /^SOURCE +TYPE +RECEIVED +STORED +FILTERED +DEAD +IN FLIGHT +BACKLOG BYTES +LAST RECORD +PER MINUTE +LAG\n/,
    )
    expect(out).toMatch(/^zeek +file +12 +9 +0 +2 +1 +2,048 +[\d,]+ d ago +0\.8 +2\.5 s$/m)
    expect(out).toContain('zeek: dead letters: invalid_json 2\nzeek: a.log is a copy of b.log and was skipped\n')
    expect(out).toContain('stored in the column extra: further fields (20), Zeek.Conn orig_cc (9)')
  })

  test('demo --remove deletes everything derived from the demo', async () => {
    expect(await cli(['demo', '--remove', ...flags])).toMatchObject({
      code: 0,
      out: expect.stringContaining('The demo was removed'),
    })
    expect(engine.removed).toEqual(['demo'])
  })

  test('health exits with 1 only when it is failing', async () => {
    expect(await cli(['health', ...flags])).toEqual({ code: 0, out: 'ok\n', err: '' })
    engine.healthNow = { status: 'degraded', problems: ['Table x is stale\u0007'], systemProblems: [], notices: [] }
    expect(await cli(['health', ...flags])).toEqual({ code: 0, out: 'degraded\n  Table x is stale\\u{7}\n', err: '' })
    engine.healthNow = { status: 'ok', problems: [], systemProblems: [], notices: ['disk: a.log is a copy\u0007'] }
    expect((await cli(['health', ...flags])).out).toBe('ok\n\nNot a problem, but worth knowing:\n  disk: a.log is a copy\\u{7}\n')
    engine.healthNow = { status: 'failing', problems: [], systemProblems: [], notices: [] }
    expect((await cli(['health', '--json', ...flags])).code).toBe(1)
  })
})
