import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'

/** Each explanation starts a sandbox. */
const LIMIT_MS = 300_000

const folder = mkdtempSync(join(tmpdir(), 'caracal-explain-'))
const env = { XDG_CACHE_HOME: join(folder, 'cache') }
const before = process.cwd()
beforeAll(() => {
  cpSync(join(import.meta.dirname, 'fixtures/explain'), folder, { recursive: true })
  process.chdir(folder)
})
afterAll(() => {
  process.chdir(before)
  rmSync(folder, { recursive: true })
})

const content = ['--content', 'rules', '--content', 'schemas']
const explain = (rule: string, record: number, ...more: string[]) =>
  runWith(env, ['explain', rule, 'logins.ndjson', '--log-type', 'Shop.Login', '--record', String(record), ...content, ...more])

interface View {
  readonly verdict: string
  readonly result: string
  readonly summary: string
  readonly checks: readonly { what: string; passed: boolean; decided: { text: string }[] }[]
  readonly decided: readonly { file: string; line: number; text: string; outcome: string; source: string }[]
  readonly alert: { title: string; dedup: string; threshold: number } | null
  readonly members: readonly { rule_id: string; verdict: string }[]
  readonly event: Record<string, unknown>
}

async function view(rule: string, record: number): Promise<View> {
  const { code, out, err } = await explain(rule, record, '--json')
  expect([0, 1], err).toContain(code)
  return JSON.parse(out) as View
}

describe('a Python rule', () => {
  test('does not match because of its first condition', { timeout: LIMIT_MS }, async () => {
    const { code, out, err } = await explain('Shop.Login.Admin', 1)
    expect(err).toBe('')
    expect(code).toBe(0)
    expect(out).toContain('Shop.Login.Admin  does not match\nit does not match: event.get("ok") is False')
    expect(out).toContain('> admin.py:5 in rule\n      if not event.get("ok"):\n      event.get("ok")  False\n')
  })

  test('matches, with the alert that it would be', { timeout: LIMIT_MS }, async () => {
    const { out } = await explain('Shop.Login.Admin', 2)
    expect(out).toContain('Shop.Login.Admin  matches\n')
    expect(out).toContain(`      event.get("user") in ADMINS  returned True\n        event.get("user") = 'root'\n`)
    expect(out).toContain(
      "Alert\n  HIGH  Login of root\n  dedup string 'Login of root', one alert in 60 minutes, once there are 3 matches",
    )
  })

  test('that is off and fails is said to be both', { timeout: LIMIT_MS }, async () => {
    const { code, out } = await explain('Shop.Login.Off', 1)
    expect(code).toBe(0)
    expect(out).toContain('does not judge this event\nthe rule is off: Enabled is false\n')
    expect(out).toContain("off.py:2 in rule: KeyError('nope')")
  })

  test('is not asked about events of other log types', { timeout: LIMIT_MS }, async () => {
    const { out } = await runWith(env, ['explain', 'Tor.SSH.Login', 'logins.ndjson', '--log-type', 'Shop.Login', ...content])
    expect(out).toContain('the event is of log type Shop.Login, and the rule judges Zeek.SSH')
  })
})

describe('a rule in YAML', () => {
  test('does not match: the conditions with their lines', { timeout: LIMIT_MS }, async () => {
    const { verdict, decided } = await view('Shop.Login.Foreign', 2)
    expect(verdict).toBe('no_match')
    expect(decided.map(({ file, line, text, outcome, source }) => [`${file}:${line}`, text, outcome, source])).toEqual([
      ['foreign.yml:16', 'ip is in 198.51.100.0/24', 'False', '- Key: ip'],
      ['foreign.yml:19', 'ip is null', 'False', '- Key: ip'],
    ])
  })

  test('does not see what its filter keeps from it, and would match', { timeout: LIMIT_MS }, async () => {
    const { verdict, result, checks, alert } = await view('Shop.Login.Foreign', 3)
    expect([verdict, result, alert?.title]).toEqual(['not_judged', 'match', 'Login from 198.51.100.7'])
    const { passed, decided } = checks.find(({ what }) => what === 'filter')!
    expect([passed, decided[0]!.text]).toEqual([false, 'one of (user does not exist; user does not equal "tester")'])
  })

  test('matches', { timeout: LIMIT_MS }, async () => {
    const { verdict, alert } = await view('Shop.Login.Foreign', 4)
    expect([verdict, alert?.title]).toEqual(['match', 'Login from 198.51.100.7'])
  })
})

test('a correlation rule: which of its rules the event matches', { timeout: LIMIT_MS }, async () => {
  const { verdict, summary, members } = await view('Shop.Login.Pair', 4)
  expect(verdict).toBe('depends')
  expect(summary).toContain('the event is a signal of Shop.Login.Foreign')
  expect(members.map(({ rule_id, verdict: one }) => [rule_id, one])).toEqual([
    ['Shop.Login.Admin', 'no_match'],
    ['Shop.Login.Foreign', 'match'],
  ])
})

describe('refused', () => {
  test.each([
    [
      ['explain', 'Shop.Login.Admn', 'logins.ndjson', ...content],
      "there is no rule 'Shop.Login.Admn': did you mean 'Shop.Login.Admin'?",
    ],
    [['explain', 'Shop.Login.Admin', 'no.json', ...content], "'no.json' is not an existing file"],
    [
      ['explain', 'Shop.Login.Admin', 'logins.ndjson', '--record', '9', '--log-type', 'Shop.Login', ...content],
      'there is no record 9: the input has 5',
    ],
    [['explain', 'Shop.Login.Admin', 'logins.ndjson', '--record', '0', ...content], 'A whole number from 1'],
    [['explain', 'Shop.Login.Admin', '0123456789abcdef', '--log-type', 'A', ...content], 'leave out --content and --log-type'],
  ])('%j', { timeout: LIMIT_MS }, async (argv, message) => {
    const { code, err } = await runWith(env, argv)
    expect(err).toContain(message)
    expect(code).toBe(2)
  })

  test('a record that becomes a dead letter', { timeout: LIMIT_MS }, async () => {
    const { code, err } = await explain('Shop.Login.Admin', 5)
    expect(err).toContain('the record became a dead letter, so that no rule sees it')
    expect(code).toBe(2)
  })
})

test('the commands of docs/explain.md work', { timeout: LIMIT_MS }, async () => {
  const page = readFileSync(join(before, 'docs/explain.md'), 'utf8')
  const commands = [...page.matchAll(/^ {4}caracal (explain .*)$/gm)].map(([, line]) => line!.split(' '))
  expect(commands.length).toBe(3)
  for (const command of commands) {
    const { code, out, err } = await runWith(env, [...command, '--content', 'schemas'])
    expect(err).toBe('')
    expect(code).toBe(0)
    expect(out).toContain('Shop.Login')
  }
})

describe('the running server', () => {
  let caracal: Caracal
  afterAll(() => caracal.end('SIGTERM'))

  test('explains a stored event, and one that it is sent', { timeout: LIMIT_MS }, async () => {
    const port = await freePort()
    const dataDir = join(folder, 'data')
    const sources = [{ type: 'http', id: 'shop', log_types: ['Shop.Login'] }]
    writeFileSync('caracal.yml', JSON.stringify({ data_dir: dataDir, listen: `127.0.0.1:${port}`, sources }))
    const args = ['--no-demo', ...content]
    caracal = new Caracal({ port, dataDir, cwd: folder, args })
    await caracal.start()
    const line = readFileSync('logins.ndjson', 'utf8').split('\n')[1]!
    const sent = await caracal.fetch('/ingest/shop', { method: 'POST', body: line })
    expect(sent.status).toBe(202)
    let rows: unknown[][] = []
    while (rows.length === 0) rows = await caracal.query('SELECT p_row_id FROM logs.shop_login').catch(() => [])
    const rowId = String(rows[0]![0])
    const { code, out, err } = await runWith(env, ['explain', 'Shop.Login.Admin', rowId])
    expect(err).toBe('')
    expect(code).toBe(0)
    expect(out).toContain('Shop.Login.Admin  matches\n')
    expect(out).toContain(rowId)

    const post = (body: object) => {
      const headers = { 'content-type': 'application/json' }
      return caracal.fetch('/api/v1/explain', { method: 'POST', headers, body: JSON.stringify(body) })
    }
    const event = { p_log_type: 'Shop.Login', user: 'eve', ok: true }
    const answer = (await (await post({ rule: 'Shop.Login.Admin', event })).json()) as View
    expect([answer.verdict, answer.event]).toEqual(['no_match', event])
    const gone = await post({ rule: 'Shop.Login.Admin', row_id: '00000000000000000000000000000000' })
    expect([gone.status, await gone.text()]).toEqual([400, expect.stringContaining('there is no event 0000')])
    const both = await post({ rule: 'Shop.Login.Admin' })
    expect([both.status, await both.text()]).toEqual([400, expect.stringContaining('either row_id or event')])
  })
})
