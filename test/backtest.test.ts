import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'
import { seeded } from './support/random.ts'
import { until } from './support/until.ts'

/** The real program with stored events, whose rules are changed on disk but not in force, and an oracle that knows what they find. */
const LIMIT_MS = 300_000
const folder = mkdtempSync(join(tmpdir(), 'caracal-backtest-'))
const content = join(folder, 'shop')
const before = process.cwd()
const env = { PATH: process.env['PATH'] ?? '' }
let caracal: Caracal

const MINUTE_MS = 60_000
const FIRST_MS = Date.parse('2024-04-19T00:00:00Z')
const RANGE = ['--since', '2024-04-19', '--until', '2024-04-20']

interface Login {
  readonly ms: number
  readonly user: string
  readonly tries: number
}
const random = seeded(11)
const logins: Login[] = Array.from({ length: 500 }, (_, n) => ({
  ms: FIRST_MS + n * 2 * MINUTE_MS + Math.floor(random() * MINUTE_MS),
  user: ['ana', 'bob', 'eve'][Math.floor(random() * 3)]!,
  tries: Math.floor(random() * 10),
}))

const simple = (id: string, least: number, more = '') =>
  `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nLogTypes: [Shop.Login]\nSeverity: High\nDedupPeriodMinutes: 60\n${more}AlertTitle: '${id} of {user}'\nGroupBy:\n  - Key: user\nDetection:\n  - Key: tries\n    Condition: IsGreaterThanOrEquals\n    Value: ${least}\n`
const python = (id: string) =>
  `AnalysisType: rule\nRuleID: ${id}\nFilename: few.py\nEnabled: true\nLogTypes: [Shop.Login]\nSeverity: Low\nDedupPeriodMinutes: 60\n`
const PYTHON = `from shop_helper import few\n\n\ndef rule(event):\n    return few(event)\n\n\ndef title(event):\n    return event.get("user")\n`
const helper = (most: number) => `def few(event):\n    return event.get("tries") <= ${most}\n`

const write = (path: string, text: string) => {
  mkdirSync(join(content, path, '..'), { recursive: true })
  writeFileSync(join(content, path), text)
}
const git = (...args: string[]) =>
  execFileSync('git', ['-C', content, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args])

interface Alert {
  readonly from: number
  readonly to: number
  readonly user: string
}

/** The alerts of a rule, one after the other: a window lasts an hour from its first match. */
function alertsOf(matches: readonly Login[], threshold: number): Alert[] {
  const alerts: Alert[] = []
  for (const user of new Set(matches.map((login) => login.user))) {
    let open: { from: number; n: number } | undefined
    for (const { ms } of matches.filter((login) => login.user === user)) {
      if (!open || ms >= open.from + 60 * MINUTE_MS) open = { from: ms, n: 0 }
      open.n++
      if (open.n === threshold) alerts.push({ user, from: open.from, to: open.from + 60 * MINUTE_MS })
    }
  }
  return alerts
}

interface Side {
  readonly matches: (login: Login) => boolean
  readonly threshold: number
}

function difference(was: Side | undefined, is: Side | undefined, some: readonly Login[] = logins) {
  const [m, n] = [was, is].map((side) => (side ? some.filter(side.matches) : []))
  const [a, b] = [alertsOf(m!, was?.threshold ?? 1), alertsOf(n!, is?.threshold ?? 1)]
  const without = (these: Alert[], others: Alert[]) =>
    these.filter((one) => !others.some(({ user, from, to }) => user === one.user && from < one.to && one.from < to)).length
  return {
    matches: {
      before: m!.length,
      after: n!.length,
      added: n!.filter((login) => !m!.includes(login)).length,
      removed: m!.filter((login) => !n!.includes(login)).length,
    },
    alerts: { before: a.length, after: b.length, added: without(b, a), removed: without(a, b) },
  }
}

const MANY: Record<'was' | 'is', Side> = {
  was: { matches: ({ tries }) => tries >= 6, threshold: 1 },
  is: { matches: ({ tries }) => tries >= 7, threshold: 4 },
}
const FEW: Record<'was' | 'is', Side> = {
  was: { matches: ({ tries }) => tries <= 0, threshold: 1 },
  is: { matches: ({ tries }) => tries <= 1, threshold: 1 },
}
const NEW: Side = { matches: ({ tries }) => tries >= 8, threshold: 2 }
const GONE: Side = { matches: ({ tries }) => tries >= 9, threshold: 1 }

interface View {
  readonly state: string
  readonly records: { read: number; of: number }
  readonly notes: string[]
  readonly comparison: { rule_id: string; change: string; matches: object; alerts: object; added_alerts: object[] }[]
}

async function compared(...argv: string[]): Promise<View> {
  const { code, out, err } = await runWith(env, ['backtest', ...argv, ...RANGE, '--json'])
  expect(code, err).toBe(0)
  return JSON.parse(out) as View
}

const byRule = ({ comparison }: View) =>
  Object.fromEntries(comparison.map(({ rule_id, change, matches, alerts }) => [rule_id, { change, matches, alerts }]))

/** Counts of what must not change. */
const stored = async () => {
  const alerts = (await (await caracal.fetch('/api/v1/alerts?limit=200')).json()) as { results: object[] }
  const [signals] = await caracal.query('SELECT count() FROM signals.correlation_signals')
  return [alerts.results.length, signals]
}

beforeAll(async () => {
  write(
    'schemas/login.yml',
    `schema: Shop.Login\nfields:\n  - {name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true}\n  - {name: user, type: string}\n  - {name: tries, type: bigint}\n`,
  )
  write('rules/login.yml', simple('Shop.Many', 6))
  write('rules/same.yml', simple('Shop.Same', 5))
  write('rules/gone.yml', simple('Shop.Gone', 9))
  write('few/few.yml', python('Shop.Few'))
  write('few/few.py', PYTHON)
  write('few/shop_helper.yml', 'AnalysisType: global\nGlobalID: shop_helper\nFilename: shop_helper.py\n')
  write('few/shop_helper.py', helper(0))
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'first')
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    content: ['shop'],
    watch_content: false,
    sources: [{ type: 'http', id: 'web', log_types: ['Shop.Login'] }],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
  const body = logins.map(({ ms, ...login }) => JSON.stringify({ at: new Date(ms).toISOString(), ...login })).join('\n')
  expect((await caracal.fetch('/ingest/web', { method: 'POST', body })).status).toBe(202)
  await until(async () =>
    Number((await caracal.query('SELECT count() FROM logs.all'))[0]![0]) === logins.length ? true : undefined,
  )
  process.chdir(folder)
  write('rules/login.yml', simple('Shop.Many', 7, 'Threshold: 4\n'))
  write('rules/new.yml', simple('Shop.New', 8, 'Threshold: 2\n'))
  write('few/shop_helper.py', helper(1))
  rmSync(join(content, 'rules/gone.yml'))
}, LIMIT_MS)
afterAll(async () => {
  process.chdir(before)
  await caracal.end('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
}, LIMIT_MS)

const EXPECTED = {
  'Shop.Many': { change: 'changed', ...difference(MANY.was, MANY.is) },
  'Shop.Few': { change: 'changed', ...difference(FEW.was, FEW.is) },
  'Shop.New': { change: 'added', ...difference(undefined, NEW) },
}

describe('a backtest', () => {
  test('of a folder finds what each changed rule does, and changes nothing', { timeout: LIMIT_MS }, async () => {
    const had = await stored()
    const view = await compared('shop')
    expect(byRule(view)).toEqual(EXPECTED)
    expect(view.records).toEqual({ read: logins.length, of: logins.length })
    expect(view.notes.join('\n')).toContain('not with the schemas of the files: Shop.Login')
    expect(await stored()).toEqual(had)
    expect(readdirSync(join(folder, 'data/backtests'))).toEqual([])
  })

  test('against a ref knows the rules that were removed since', { timeout: LIMIT_MS }, async () => {
    const view = await compared('shop', '--against', 'HEAD')
    expect(byRule(view)).toEqual({ ...EXPECTED, 'Shop.Gone': { change: 'removed', ...difference(GONE, undefined) } })
  })

  test('of one rule judges only that', { timeout: LIMIT_MS }, async () => {
    expect(byRule(await compared('shop/rules/new.yml'))).toEqual({ 'Shop.New': EXPECTED['Shop.New'] })
    expect(byRule(await compared('shop/few/few.yml'))).toEqual({ 'Shop.Few': EXPECTED['Shop.Few'] })
  })

  test('of unchanged rules says so', { timeout: LIMIT_MS }, async () => {
    const view = await compared('shop/rules/same.yml')
    expect(view.comparison).toEqual([])
    expect(view.notes[0]).toBe('No rule of these files differs from what it is compared with.')
  })

  test('that reaches its limit has judged the same events on both sides, and says where it ended', {
    timeout: LIMIT_MS,
  }, async () => {
    const view = await compared('shop', '--max-events', '1')
    expect(byRule(view)).toEqual(EXPECTED)
    const short = await compared('shop', '--max-seconds', '1', '--max-events', '1000')
    expect(short.state).toBe('done')
  })

  test('as text and as Markdown, with the difference first', { timeout: LIMIT_MS }, async () => {
    const { added, removed } = Object.values(EXPECTED).reduce(
      (sum, { alerts }) => ({ added: sum.added + alerts.added, removed: sum.removed + alerts.removed }),
      { added: 0, removed: 0 },
    )
    const text = await runWith(env, ['backtest', 'shop', ...RANGE])
    expect(text.out).toContain(`Backtest: +${added} −${removed} alerts\nshop against the content in force, 500 of 500 events`)
    const { matches, alerts } = EXPECTED['Shop.New']
    expect(text.out).toMatch(
      new RegExp(
        `^Shop\\.New +added +0 → ${matches.after} \\(\\+${matches.added}\\) +0 → ${alerts.after} \\(\\+${alerts.added}\\)`,
        'm',
      ),
    )
    expect(text.out).toMatch(/^\+ HIGH {2}2024-04-19T\S+ {2}Shop\.New of \w+ \(Shop\.New, \d+ events\)$/m)
    const { out } = await runWith(env, ['backtest', 'shop', ...RANGE, '--against', 'HEAD', '--markdown'])
    expect(out).toMatch(/^### Backtest: \+\d+ −\d+ alerts\n\n`shop` against `HEAD`, /)
    expect(out).toContain('| `Shop.New` | added | ')
    expect(out).toContain('<details><summary>Alerts that are gone: ')
  })
})

describe('a backtest that cannot run', () => {
  const run = (...argv: string[]) => runWith(env, ['backtest', ...argv])

  test.each<[string[], number, string]>([
    [['missing', ...RANGE], 2, "'missing' is neither a folder with content nor the YAML file of a rule"],
    [['data', ...RANGE], 2, 'has no content'],
    [['shop', ...RANGE, '--against', 'nothing'], 2, "--against 'nothing': git cannot read it"],
    [['shop', ...RANGE, '--against', '--output=x'], 2, 'git cannot read it'],
    [['shop/rules/new.yml', ...RANGE, '--against', 'HEAD'], 2, 'has no content at HEAD'],
    [['shop', '--since', '2024-04-20', '--until', '2024-04-19'], 1, 'is empty'],
    [['shop', ...RANGE, '--json', '--markdown'], 2, 'not both'],
    [['shop'], 2, '--since'],
  ])('%j ends with %i and says why', async (argv, code, message) => {
    const ran = await run(...argv)
    expect(ran.err).toContain(message)
    expect(ran.code).toBe(code)
    expect(existsSync('x')).toBe(false)
  })

  test('because of a broken rule names the file and leaves nothing behind', async () => {
    mkdirSync('broken', { recursive: true })
    writeFileSync(
      'broken/rule.yml',
      'AnalysisType: rule\nRuleID: Broken\nFilename: none.py\nEnabled: true\nLogTypes: [Shop.Login]\nSeverity: Highest\n',
    )
    const { code, err } = await run('broken', ...RANGE)
    expect(code).toBe(1)
    expect(err).toContain('the content cannot be used: rule.yml')
    expect(err).not.toContain(folder)
    expect(readdirSync(join(folder, 'data/backtests'))).toEqual([])
  })

  test.each(['../outside.yml', '/etc/passwd.yml', 'a/../b.yml', '.hidden.yml', 'a//b.yml', 'a.sh', 'a\\b.yml', 'a\u0000.yml'])(
    'a path such as %j is refused',
    async (path) => {
      const body = JSON.stringify({ files: { [path]: '' }, from: '2024-04-19T00:00:00Z' })
      const response = await caracal.fetch('/api/v1/backtests', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      })
      expect(response.status).toBe(400)
      expect(readdirSync(join(folder, 'data/backtests'))).toEqual([])
    },
  )

  test.each([
    [{ [`${'ä'.repeat(127)}.yml`]: '' }, '255 bytes'],
    [{ 'a.yml': '', 'a.yml/b.yml': '' }, "'a.yml' cannot be a file and a folder at once"],
    [{ [`${'a'.repeat(252)}.yml/b.yml`]: '' }, '255 bytes'],
    [{ 'a\ud800.yml': '' }, 'a relative path'],
  ])('files that no disk can store are refused, and nothing is left: %j', async (files, message) => {
    const big = { 'rules/big.yml': '#'.repeat(1_000_000), ...files }
    const response = await caracal.fetch('/api/v1/backtests', {
      method: 'POST',
      body: JSON.stringify({ files: big, from: '2024-04-19T00:00:00Z' }),
      headers: { 'content-type': 'application/json' },
    })
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining(message)])
    const backtests = join(folder, 'data/backtests')
    expect(existsSync(backtests) ? readdirSync(backtests) : []).toEqual([])
  })

  test('is cancelled by Ctrl-C', async () => {
    const { code, err } = await interrupted(['backtest', 'shop', ...RANGE])
    expect(err).toContain('The backtest was cancelled.')
    expect(code).toBe(130)
  })
})

/** The command, interrupted as soon as it waits. */
async function interrupted(argv: readonly string[]) {
  const { runCli } = await import('../src/cli/main.ts')
  const { Readable } = await import('node:stream')
  let err = ''
  const io = {
    out: () => {},
    write: async () => {},
    err: (text: string) => {
      err += text
    },
    isTty: false,
    columns: 80,
    hasColours: false,
    env,
    stdin: Readable.from([]),
    onInterrupt: (end: () => void) => {
      end()
      return () => {}
    },
  }
  return { code: await runCli(argv, io), err }
}

const documented = readFileSync(join(before, 'docs/backtest.md'), 'utf8')
const calls = [...documented.matchAll(/^ {4}caracal (backtest .*)$/gm)].map(([, call]) => call!.replace(/ > .*/, ''))

test.each(calls)('docs/backtest.md: caracal %s', { timeout: LIMIT_MS }, async (call) => {
  const { code, out, err } = await runWith(env, call.split(' '))
  expect(code, err).toBe(0)
  expect(out).not.toBe('')
})
