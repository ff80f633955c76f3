import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tarEntries } from '../src/util/archive/tar.ts'
import { sha256 } from '../src/util/hash.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'
import { until } from './support/until.ts'

/** Each bundle that is decided again starts a sandbox. */
const LIMIT_MS = 300_000

const folder = mkdtempSync(join(tmpdir(), 'caracal-bundles-'))
const elsewhere = mkdtempSync(join(tmpdir(), 'caracal-elsewhere-'))
const before = process.cwd()
let caracal: Caracal
afterAll(async () => {
  await caracal?.end('SIGTERM')
  process.chdir(before)
  for (const each of [folder, elsewhere]) rmSync(each, { recursive: true, force: true })
})

const RULE = 'AnalysisType: rule\nEnabled: true\nSeverity: High\nLogTypes: [Shop.Login]\n'
const TABLE = 'AnalysisType: lookup_table\n'
const CONTENT = {
  'schemas/login.yml':
    'schema: Shop.Login\nfields:\n  - { name: user, type: string, required: true }\n  - { name: ip, type: string, indicators: [ip] }\n  - { name: session, type: bigint }\n',
  'rules/tables/users.yml': `${TABLE}LookupName: users\nFilename: users.csv\nLogTypeMap:\n  PrimaryKey: name\n`,
  'rules/tables/users.csv': 'name,role\nroot,admin\n',
  'rules/tables/nets.yml': `${TABLE}LookupName: nets\nFilename: nets.csv\nLogTypeMap:\n  PrimaryKey: ip\n  AssociatedLogTypes:\n    - { LogType: Shop.Login, Selectors: [ip] }\n`,
  'rules/tables/nets.csv': 'ip,net\n192.0.2.1,office\n',
  'rules/helpers/shop.yml': 'AnalysisType: global\nGlobalID: shop\nFilename: shop.py\n',
  'rules/helpers/shop.py': 'from shop_names import NAMES\n\ndef shown(user):\n    return NAMES.get(user, user)\n',
  'rules/helpers/names.yml': 'AnalysisType: global\nGlobalID: shop_names\nFilename: names.py\n',
  'rules/helpers/names.py': 'NAMES = {"root": "the superuser"}\n',
  'rules/known.yml': `${RULE}RuleID: Shop.Known\nFilename: known.py\nThreshold: 2\nSummaryAttributes: [user, 'ip']\n`,
  'rules/known.py': `from shop import shown

def rule(event):
    row = event.lookup("users", event.get("user"))
    return row is not None and row["role"] == "admin" or event.lookup("users", "nobody") is not None

def title(event):
    return f"Login of {shown(event.get('user'))}"

def dedup(event):
    return event.get("user")

def alert_context(event):
    return {"session": event.get("session"), "nets": event.get("p_enrichment"), "role": event.lookup("users", "root")["role"]}
`,
  'rules/foreign.yml': `${RULE}RuleID: Shop.Foreign\nInlineFilters:\n  - { Key: user, Condition: DoesNotEqual, Value: tester }\nDetection:\n  - { Key: ip, Condition: IsIPAddressInCIDR, Value: 198.51.100.0/24 }\nAlertTitle: Login from {ip}\n`,
  'rules/often.yml': `${RULE}RuleID: Shop.Often\nFilename: often.py\n`,
  'rules/often.py':
    'from panther_detection_helpers.caching import increment_counter\n\ndef rule(event):\n    return increment_counter("shop") == 2\n',
  'rules/broken.yml': `${RULE}RuleID: Shop.Broken\nFilename: broken.py\n`,
  'rules/broken.py': 'def rule(event):\n    return int(event["user"]) > 5\n',
  'rules/pair.yml':
    'AnalysisType: correlation_rule\nRuleID: Shop.Pair\nEnabled: true\nSeverity: High\nDetection:\n  - Group:\n      - RuleID: Shop.Known\n      - RuleID: Shop.Foreign\n    LookbackWindowMinutes: 60\n',
  'rules/overrides.yml': 'Overrides:\n  - { RuleID: Shop.Known, Severity: Low }\n',
}
const LOGINS = [
  { user: 'root', ip: '192.0.2.1', session: 1 },
  { user: 'root', ip: '192.0.2.9', session: 2 },
  { user: 'eve', ip: '198.51.100.7', session: 3 },
  { user: 'tester', ip: '198.51.100.7', session: 4 },
]
/** Numbers that a program which parses JSON into doubles would change. */
const lines = LOGINS.map((login) => JSON.stringify(login).replace(/"session":/, '"session":900719925474099'))

const ids = new Map<string, string>()

beforeAll(async () => {
  for (const [file, text] of Object.entries(CONTENT)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  const port = await freePort()
  const sources = [{ type: 'http', id: 'shop', log_types: ['Shop.Login'] }]
  const config = { data_dir: join(folder, 'data'), listen: `127.0.0.1:${port}`, sources }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  process.chdir(folder)
  const args = ['--no-demo', '--content', 'rules', '--content', 'schemas']
  caracal = new Caracal({ port, dataDir: config.data_dir, cwd: folder, args })
  await caracal.start()
  expect((await caracal.fetch('/ingest/shop', { method: 'POST', body: lines.join('\n') })).status).toBe(202)
  await until(async () => {
    const { results } = (await (await caracal.fetch('/api/v1/alerts?limit=200')).json()) as {
      results: { alert_id: string; rule_id: string }[]
    }
    for (const { alert_id, rule_id } of results) ids.set(rule_id, alert_id)
    return ids.size >= 5 || undefined
  })
}, LIMIT_MS)

const fetchBundle = (ruleId: string) => caracal.fetch(`/api/v1/alerts/${ids.get(ruleId)}/bundle`)

async function bundleOf(ruleId: string): Promise<Buffer> {
  const response = await fetchBundle(ruleId)
  if (!response.ok) throw new Error(await response.text())
  return Buffer.from(await response.arrayBuffer())
}

const partsOf = (bytes: Uint8Array) =>
  Promise.all(tarEntries(bytes).map(async ({ name, read }) => [name, Buffer.from(await read(1e9)).toString()] as const))

/** Runs a bundle in a folder where nothing else is. */
async function decide(bytes: Uint8Array) {
  const file = join(elsewhere, 'x.tar')
  writeFileSync(file, bytes)
  process.chdir(elsewhere)
  try {
    return await runWith({ XDG_CACHE_HOME: join(elsewhere, 'cache') }, ['run', '--bundle', file])
  } finally {
    process.chdir(folder)
  }
}

test('the alerts that the test is about were raised', () => {
  expect([...ids.keys()].sort()).toEqual(['Shop.Broken', 'Shop.Foreign', 'Shop.Known', 'Shop.Often', 'Shop.Pair'])
})

describe('a Python rule with a helper, tables, an override and a threshold', () => {
  test('is in one file, with everything that it read', { timeout: LIMIT_MS }, async () => {
    const bytes = await bundleOf('Shop.Known')
    const parts = new Map(await partsOf(bytes))
    expect([...parts.keys()]).toEqual([
      'SHA256SUMS',
      'alert.json',
      'content/2/helpers/names.py',
      'content/2/helpers/names.yml',
      'content/2/helpers/shop.py',
      'content/2/helpers/shop.yml',
      'content/2/known.py',
      'content/2/known.yml',
      'content/2/overrides.yml',
      'content/3/login.yml',
      'manifest.json',
      'matches/01/event.json',
      'matches/01/looked.json',
      'matches/01/raw.log',
      'matches/01/result.json',
      'matches/02/event.json',
      'matches/02/looked.json',
      'matches/02/raw.log',
      'matches/02/result.json',
    ])
    expect(parts.get('matches/01/raw.log')).toBe(lines[0])
    expect(parts.get('matches/01/event.json')).toContain('"net":"office"')
    expect(parts.get('matches/01/event.json')).toContain('"session":9007199254740991')
    expect(parts.get('matches/01/looked.json')).toMatch(/"role":"admin".*"p_version":/)
    expect(JSON.parse(parts.get('matches/02/result.json')!)).toMatchObject({ title: 'Login of the superuser', severity: 'LOW' })
    expect(JSON.parse(parts.get('alert.json')!)).toMatchObject({
      alert_id: ids.get('Shop.Known'),
      severity: 'LOW',
      summaries: [{ attribute: 'user', values: [{ value: 'root', count: 2 }] }, { attribute: 'ip' }],
    })
    for (const line of parts.get('SHA256SUMS')!.trim().split('\n')) {
      const [hash, name] = line.split('  ')
      expect(sha256(Buffer.from(parts.get(name!)!))).toBe(hash)
    }
  })

  test('decides the same on another machine, and is the same file each time', { timeout: LIMIT_MS }, async () => {
    const bytes = await bundleOf('Shop.Known')
    expect(await bundleOf('Shop.Known')).toEqual(bytes)
    const { code, out, err } = await decide(bytes)
    expect([out, err]).toEqual([
      `reproduced: alert ${ids.get('Shop.Known')} of rule Shop.Known: 2 matches, all as decided then\n`,
      '',
    ])
    expect(code).toBe(0)
  })

  test('a changed byte is reported with the name of its part', { timeout: LIMIT_MS }, async () => {
    const bytes = await bundleOf('Shop.Known')
    const change = (from: string, to: string) => {
      const changed = Buffer.from(bytes)
      changed.write(to, changed.indexOf(from))
      return decide(changed)
    }
    const raw = await change('254740991}\0', '254740992}\0')
    expect(raw.code).toBe(1)
    expect(raw.out).toMatch(
      /^reproduced, but the bundle has been changed: .*\n {2}changed: 'matches\/01\/raw\.log' has been changed/,
    )
    const code = await change('return NAMES', 'return namez')
    expect([code.code, code.out]).toEqual([1, expect.stringContaining("changed: 'content/2/helpers/shop.py' has been changed")])
    expect(code.out).toContain('not reproduced')
    expect(code.out).toMatch(/differs: match 1 \(\w+\): title: "Login of the superuser" then, "Shop.Known" now/)
    const row = await change('"role":"admin"', '"role":"guest"')
    expect(row.out).toMatch(
      /changed: 'matches\/01\/looked.json'[\s\S]*differs: match 1 \(\w+\): the rule fails: known.py:5 in rule/,
    )
    const id = await change('"window_number": 1', '"window_number": 2')
    expect(id.out).toContain(`differs: the alert's id: ${ids.get('Shop.Known')} then, `)
    const header = Buffer.from(bytes)
    header.write('z', header.indexOf('alert.json\0'))
    expect(await decide(header)).toMatchObject({ code: 2, err: expect.stringContaining('is damaged: the header at byte') })
  })

  test('is bundled as it was, although it has been changed since', { timeout: LIMIT_MS }, async () => {
    const bytes = await bundleOf('Shop.Known')
    writeFileSync(join(folder, 'rules/known.py'), 'def rule(event):\n    return False\n')
    writeFileSync(join(folder, 'rules/helpers/names.py'), 'NAMES = {}\n')
    const { generation } = (await (await caracal.fetch('/api/v1/content')).json()) as { generation: string }
    await runWith({}, ['reload'])
    await until(async () => {
      const now = (await (await caracal.fetch('/api/v1/content')).json()) as { generation: string }
      return now.generation !== generation || undefined
    })
    expect(await bundleOf('Shop.Known')).toEqual(bytes)
  })
})

test('a rule in YAML with an inline filter decides the same', { timeout: LIMIT_MS }, async () => {
  const { code, out } = await decide(await bundleOf('Shop.Foreign'))
  expect([code, out]).toEqual([0, expect.stringContaining('1 match, all as decided then')])
})

test('a rule that remembers is decided again with an empty cache, which it says', { timeout: LIMIT_MS }, async () => {
  const { code, out } = await decide(await bundleOf('Shop.Often'))
  expect(code).toBe(1)
  expect(out).toContain('not reproduced')
  expect(out).toContain('the rule does not match')
  expect(out).toContain('note: It was decided again with an empty rule cache, which may be why it differs.')
})

test.each([
  ['Shop.Pair', 'a correlation rule judges matches of other rules over time'],
  ['Shop.Broken', 'it is about a rule that failed: `caracal explain Shop.Broken EVENT` shows where'],
])('an alert of %s is refused', async (ruleId, message) => {
  const response = await fetchBundle(ruleId)
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining(message)])
})

test('the commands of docs/bundles.md work', { timeout: LIMIT_MS }, async () => {
  const page = readFileSync(join(before, 'docs/bundles.md'), 'utf8')
  const commands = [...page.matchAll(/^ {4}caracal (.*?)(?: {2,}#.*)?$/gm)].map(([, line]) => line!)
  expect(commands.length).toBe(3)
  for (const command of commands) {
    const { code, out, err } = await runWith({}, command.replaceAll('61e3cd32', ids.get('Shop.Known')!).split(' '))
    expect([command, err, code]).toEqual([command, '', 0])
    expect(out).toMatch(/Wrote .* SHA-256 [0-9a-f]{64}|"sha256":"[0-9a-f]{64}"|reproduced: /)
  }
})

test.each([
  [['run', '--bundle', 'no.tar'], 'no.tar: cannot be read: there is no such file'],
  [['run', '--bundle', 'caracal.yml'], 'caracal.yml: is not a bundle: `caracal alerts bundle` writes one'],
  [['run', 'a.log', '--bundle', 'x.tar'], 'leave out files and the other options'],
  [['run', '--bundle', 'x.tar', '--emit', 'alerts'], 'leave out files and the other options'],
])('%j is refused', async (argv, message) => {
  const { code, err } = await runWith({}, argv)
  expect([code, err]).toEqual([2, expect.stringContaining(message)])
})
