import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { until } from './support/until.ts'

/** Content that is written through the API of the real program, in a folder that is a git repository. */
const LIMIT_MS = 180_000
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'caracal-authoring-')))
const detections = join(folder, 'detections')
let caracal: Caracal
/** What the webhook gets, and answers. */
const receiver = { bodies: [] as unknown[], status: 200 }
const hook = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    if (receiver.status === 200) receiver.bodies.push(JSON.parse(Buffer.concat(chunks).toString()))
    response.writeHead(receiver.status).end()
  })
})

const yaml = (id: string, more = '') => `# Why this exists.
AnalysisType: rule
RuleID: ${id}
Filename: ${id.toLowerCase()}.py
Enabled: true
LogTypes: [Custom.Door]
Severity: Low # for now
${more}Tests:
  - Name: opens
    ExpectedResult: true
    Log: {door: front, n: 7}
  - Name: closes
    ExpectedResult: false
    Log: {door: front, n: 1}
`
const code = (n: number) =>
  `import shared_names\n\n\ndef rule(event):\n    return event.get("n") == ${n} and shared_names.KNOWN\n`

const ruleFiles = (id: string) => ({
  [`rules/${id.toLowerCase()}.yml`]: yaml(id),
  [`rules/${id.toLowerCase()}.py`]: code(7),
})

interface Inferred {
  readonly yaml: string
}

interface Saved {
  readonly outcome: string
  readonly generation: string
  readonly revision: string
  readonly commit: string | null
  readonly commit_problem: string | null
  readonly files: readonly string[]
  readonly notes: readonly string[]
  readonly detail: string
  readonly rules: readonly {
    readonly tests: readonly { readonly name: string; readonly passed: boolean; readonly diff: string[] }[]
  }[]
  readonly problems: readonly { readonly file: string; readonly message: string }[]
  readonly source: { readonly yaml: string; readonly code: string; readonly revision: string; readonly read_only: string | null }
}

async function call(method: string, path: string, body?: object, token?: string): Promise<{ status: number; body: Saved }> {
  const response = await caracal.fetch(path, {
    method,
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Saved }
}

const git = (...args: string[]) =>
  execFileSync('git', ['-C', detections, '-c', 'user.name=Ana', '-c', 'user.email=ana@example.com', ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1' },
  }).trim()

const read = (path: string) => readFileSync(join(detections, path), 'utf8')

beforeAll(async () => {
  mkdirSync(join(detections, 'rules'), { recursive: true })
  const files: Record<string, string> = {
    'door.schema.yml': 'schema: Custom.Door\nfields:\n  - name: door\n    type: string\n  - name: n\n    type: bigint\n',
    ...ruleFiles('Door'),
    ...ruleFiles('Gate'),
    ...ruleFiles('Hatch'),
    'rules/shared_names.py': 'KNOWN = True\n',
    'notes.txt': 'one\n',
  }
  for (const [path, text] of Object.entries(files)) writeFileSync(join(detections, path), text)
  chmodSync(join(detections, 'rules/gate.py'), 0o664)
  git('init', '--quiet', '--initial-branch=main')
  git('add', '.')
  git('commit', '--quiet', '-m', 'first')
  writeFileSync(join(detections, 'notes.txt'), 'my own change\n')
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
  const { port: hookPort } = hook.address() as AddressInfo
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    python_children: 'shared',
    content: ['detections'],
    destinations: [
      { type: 'webhook', id: 'team', url: `http://127.0.0.1:${hookPort}/secret`, severities: ['HIGH'], system: false },
    ],
    sources: [{ type: 'http', id: 'doors', log_types: ['Custom.Door'] }],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
}, LIMIT_MS)

afterAll(async () => {
  await caracal.end('SIGTERM')
  hook.close()
  rmSync(folder, { recursive: true, force: true })
})

const revision = async (id: string) => (await call('GET', `/api/v1/rules/${id}`)).body.source.revision

describe('a rule', { timeout: LIMIT_MS }, () => {
  test('is read as its files are', async () => {
    const { body } = await call('GET', '/api/v1/rules/Door')
    expect(body).toMatchObject({
      id: 'Door',
      kind: 'rule',
      state: 'on',
      cost: { seconds: expect.any(Number) },
      alerts: { raised: 0, precision: null },
      source: {
        root: 'detections',
        path: 'rules/door.yml',
        yaml: yaml('Door'),
        code_path: 'rules/door.py',
        code: code(7),
        read_only: null,
      },
    })
    expect((await call('GET', '/api/v1/rules/None')).status).toBe(404)
  })

  test('is tried out without being saved, with its helpers', async () => {
    const passed = await call('POST', '/api/v1/rules/Door/test')
    expect(passed.body).toMatchObject({
      passed: true,
      problems: [],
      rules: [{ id: 'Door', tests: [{ passed: true }, { passed: true }] }],
    })
    const failed = await call('POST', '/api/v1/rules/test', { yaml: yaml('Door'), code: code(8) })
    expect(failed.body).toMatchObject({
      passed: false,
      rules: [{ tests: [{ name: 'opens', passed: false, expected: true, result: false }, {}] }],
    })
    expect(failed.body.rules[0]!.tests[0]!.diff).toEqual(['- expected  rule: true', '+ actual    rule: false'])
    const events = [{ n: 8 }, '{"n": 7}', {}]
    const ran = await call('POST', '/api/v1/rules/test', { yaml: yaml('New'), code: code(8), events })
    expect(ran.body.rules[0]!.tests).toMatchObject([{ name: 'event 1', result: true }, { result: false }, { result: false }])
    expect(read('rules/door.py')).toBe(code(7))
    expect(existsSync(join(detections, 'rules/new.py'))).toBe(false)
  })

  test('is saved with a commit by the caller, and other changes stay as they are', async () => {
    const made = (await (
      await caracal.fetch('/api/v1/tokens', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'ana', role: 'admin' }),
      })
    ).json()) as { token: string }
    const next = yaml('Gate').replace('Severity: Low # for now', 'Severity: High # since May').replaceAll('n: 7', 'n: 9')
    const { status, body } = await call(
      'PUT',
      '/api/v1/rules/Gate',
      { yaml: next, code: code(9), revision: await revision('Gate') },
      made.token,
    )
    expect([status, body]).toMatchObject([
      200,
      {
        outcome: 'swapped',
        files: ['detections/rules/gate.yml', 'detections/rules/gate.py'],
        commit: expect.stringMatching(/^[0-9a-f]{40}$/),
        commit_problem: null,
        notes: [],
        tests: { passed: true },
      },
    ])
    expect([read('rules/gate.yml'), read('rules/gate.py')]).toEqual([next, code(9)])
    expect(statSync(join(detections, 'rules/gate.py')).mode & 0o777).toBe(0o664)
    expect(git('log', '-1', '--format=%H %an %s')).toBe(`${body.commit} ana Change the rule Gate`)
    expect(git('show', '--name-only', '--format=', 'HEAD').split('\n')).toEqual(['rules/gate.py', 'rules/gate.yml'])
    expect(git('status', '--porcelain', 'notes.txt', 'rules/gate.yml', 'rules/gate.py')).toBe('M notes.txt')
    expect((await call('GET', '/api/v1/rules/Gate')).body).toMatchObject({ severity: 'HIGH' })
    const history = (await (await caracal.fetch('/api/v1/content/history?limit=1')).json()) as { results: object[] }
    expect(history.results).toMatchObject([{ cause: 'edit', by: 'ana', generation: body.generation, files: [{}, {}] }])
  })

  test('is not saved if a test fails, if it cannot be loaded, or if somebody else was faster', async () => {
    const [before, based] = [git('rev-parse', 'HEAD'), await revision('Hatch')]
    const text = read('rules/hatch.yml')
    const failing = await call('PUT', '/api/v1/rules/Hatch', { yaml: text, code: code(1), revision: based })
    expect(failing).toMatchObject({
      status: 422,
      body: { code: 'tests_failed', rules: [{ id: 'Hatch', tests: [{ passed: false }, { passed: false }] }] },
    })
    const unusable = { yaml: text, code: 'def rule(event)\n', revision: based, allow_failing: true }
    expect(await call('PUT', '/api/v1/rules/Hatch', unusable)).toMatchObject({
      status: 422,
      body: { rules: [{ errors: [expect.stringContaining('SyntaxError')] }] },
    })
    const broken = { yaml: text.replace('Severity: Low', 'Severity: Grave'), code: code(9), revision: based }
    expect(await call('PUT', '/api/v1/rules/Hatch', broken)).toMatchObject({
      status: 422,
      body: { problems: [{ file: 'rules/hatch.yml:7', message: expect.stringContaining('Grave') }] },
    })
    const stale = await call('PUT', '/api/v1/rules/Hatch', { yaml: text, code: code(7), revision: '0000' })
    expect(stale).toMatchObject({ status: 409, body: { detail: expect.stringContaining('has changed since revision 0000') } })
    const two = await Promise.all(
      [1, 2].map((n) => call('PUT', '/api/v1/rules/Hatch', { yaml: `${text}# ${n}\n`, code: code(7), revision: based })),
    )
    expect(two.map(({ status }) => status).sort()).toEqual([200, 409])
    expect(git('rev-list', '--count', `${before}..HEAD`)).toBe('1')
    const allowed = await call('PUT', '/api/v1/rules/Hatch', {
      yaml: read('rules/hatch.yml'),
      code: code(1),
      revision: await revision('Hatch'),
      allow_failing: true,
    })
    expect(allowed).toMatchObject({ status: 200, body: { notes: ['not all of its tests pass'] } })
  })

  test('is created, overridden and deleted', async () => {
    const made = await call('POST', '/api/v1/rules', {
      yaml: yaml('Cellar'),
      code: code(7),
      path: 'rules/cellar.yml',
      message: 'Watch the cellar',
    })
    expect(made).toMatchObject({
      status: 200,
      body: { id: 'Cellar', outcome: 'swapped', files: ['detections/rules/cellar.yml', 'detections/rules/cellar.py'] },
    })
    expect(git('log', '-1', '--format=%an %s')).toBe('cli Watch the cellar')
    expect((await call('POST', '/api/v1/rules', { yaml: yaml('Cellar'), code: code(7) })).status).toBe(409)
    expect((await call('POST', '/api/v1/rules', { yaml: yaml('Attic'), code: code(7), path: 'rules/cellar.yml' })).status).toBe(
      409,
    )
    const off = await call('PATCH', '/api/v1/rules/Cellar', { enabled: false, severity: 'Critical' })
    expect(off).toMatchObject({ status: 200, body: { files: ['detections/overrides.yml'], commit: expect.any(String) } })
    expect(read('overrides.yml')).toContain('  - RuleID: Cellar\n    Enabled: false\n    Severity: Critical\n')
    expect((await call('GET', '/api/v1/rules/Cellar')).body).toMatchObject({
      state: 'off',
      severity: 'CRITICAL',
      overrides: [{ key: 'Enabled' }, { key: 'Severity' }],
    })
    // The override is about a rule that is gone then.
    expect(await call('DELETE', '/api/v1/rules/Cellar')).toMatchObject({ status: 422, body: { code: 'broken' } })
    expect(existsSync(join(detections, 'rules/cellar.py'))).toBe(true)
    await call('PATCH', '/api/v1/rules/Cellar', { enabled: null, severity: null })
    expect(await call('DELETE', '/api/v1/rules/Cellar?revision=0')).toMatchObject({ status: 409 })
    expect(await call('DELETE', '/api/v1/rules/Cellar')).toMatchObject({ status: 200, body: { outcome: 'swapped' } })
    expect(existsSync(join(detections, 'rules/cellar.py'))).toBe(false)
    expect((await call('GET', '/api/v1/rules/Cellar')).status).toBe(404)
  })

  test('of a shipped pack is not edited: a copy takes its place', async () => {
    const shipped = (await call('GET', '/api/v1/rules/Netstat.UnexpectedPort')).body
    expect(shipped.source.read_only).toContain('shipped packs')
    const { yaml: text, code: own, revision: based } = shipped.source
    const change = { yaml: text.replace(/^Severity: .*$/m, 'Severity: Critical'), code: own, revision: based }
    const saved = await call('PUT', '/api/v1/rules/Netstat.UnexpectedPort', change)
    expect(saved).toMatchObject({
      status: 200,
      body: { notes: [expect.stringContaining('a copy was written to detections/rules/')] },
    })
    expect((await call('GET', '/api/v1/rules/Netstat.UnexpectedPort')).body).toMatchObject({
      severity: 'CRITICAL',
      source: { root: 'detections', read_only: null },
    })
    const gone = await call('DELETE', '/api/v1/rules/Netstat.UnexpectedPort')
    expect(gone.body.notes).toEqual([expect.stringContaining('which is now in force')])
    expect((await call('DELETE', '/api/v1/rules/Netstat.UnexpectedPort')).body.detail).toContain('It can be disabled')
  })

  test('cannot be written outside of the content folder, through links, or over something else', async () => {
    const outside = join(folder, 'outside')
    mkdirSync(outside)
    symlinkSync(outside, join(detections, 'linked'))
    symlinkSync(join(outside, 'x.yml'), join(detections, 'rules/link.yml'))
    const count = git('rev-list', '--count', 'HEAD')
    const paths = [
      '../x.yml',
      '/tmp/x.yml',
      'rules/../../x.yml',
      'linked/x.yml',
      'rules/link.yml',
      '.git/config.yml',
      'rules/.x.yml',
      'rules/x.sh',
      'rules\\x.yml',
      'templates/x.yml',
      `${'a'.repeat(300)}.yml`,
    ]
    for (const path of paths) {
      const { status, body } = await call('POST', '/api/v1/rules', { yaml: yaml('Evil'), code: code(7), path })
      expect([path, status, body.detail]).toEqual([path, 400, expect.stringMatching(/path|link|name|folder/)])
    }
    for (const filename of ['../../x.py', '/tmp/x.py', '../linked/x.py', 'a/../../../x.py', '.x.py', 'x.sh']) {
      const text = yaml('Evil').replace('Filename: evil.py', `Filename: ${filename}`)
      expect([filename, (await call('POST', '/api/v1/rules', { yaml: text, code: code(7) })).status]).toEqual([
        filename,
        expect.toSatisfy((n) => n === 400 || n === 422),
      ])
    }
    expect([existsSync(join(outside, 'x.yml')), existsSync(join(outside, 'x.py')), existsSync(join(folder, 'x.yml'))]).toEqual([
      false,
      false,
      false,
    ])
    expect(git('rev-list', '--count', 'HEAD')).toBe(count)
  })

  test('is not saved while a merge is in progress', async () => {
    writeFileSync(join(detections, '.git/MERGE_HEAD'), `${git('rev-parse', 'HEAD')}\n`)
    const answer = await call('PATCH', '/api/v1/rules/Door', { enabled: false })
    rmSync(join(detections, '.git/MERGE_HEAD'))
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringMatching(/a merge is in progress/) } })
    expect((await call('GET', '/api/v1/rules/Door')).body).toMatchObject({ state: 'on' })
  })
})

describe('a schema', { timeout: LIMIT_MS }, () => {
  test('is inferred from a sample, written, and changed if its tests pass', async () => {
    const sample = '{"lift": "north", "floor": 3}\n{"lift": "south", "floor": 4}\n'
    const inferred = (await call('POST', '/api/v1/schemas/infer', { name: 'Custom.Lift', sample })).body as unknown as Inferred
    expect(inferred).toMatchObject({ format: expect.any(String), reading: { received: 2, refused: 0 } })
    const made = await call('POST', '/api/v1/schemas', { yaml: inferred.yaml })
    expect(made).toMatchObject({
      status: 200,
      body: { outcome: 'swapped', files: ['detections/schemas/custom_lift.yml'], commit: expect.any(String) },
    })
    expect(read('schemas/custom_lift.yml')).toBe(inferred.yaml)
    expect((await call('POST', '/api/v1/schemas', { yaml: inferred.yaml })).status).toBe(409)

    const tests = 'name: reads\ninput: \'{"lift": "north", "floor": 3}\'\nresult: {lift: north, floor: 3}\n'
    writeFileSync(join(detections, 'schemas/custom_lift_tests.yml'), tests)
    const ask = { yaml: inferred.yaml, tests, sample: '{"lift": "north", "floor": 1, "colour": "red"}\n' }
    expect((await call('POST', '/api/v1/schemas/test', ask)).body).toMatchObject({
      tests: [{ name: 'reads', wrong: [] }],
      reading: { received: 1, unknown_fields: { colour: 1 } },
    })
    const path = '/api/v1/schemas/Custom.Lift'
    const { revision: based } = made.body
    const retyped = inferred.yaml.replace(/type: \w*int\b/, 'type: string')
    expect(await call('PUT', path, { yaml: retyped, revision: based })).toMatchObject({
      status: 422,
      body: {
        code: 'tests_failed',
        tests: [{ name: 'reads', wrong: expect.arrayContaining([expect.stringContaining('floor')]) }],
      },
    })
    expect((await call('PUT', path, { yaml: inferred.yaml, revision: '0' })).status).toBe(409)
    const commented = `# Lifts.\n${inferred.yaml}`
    expect(await call('PUT', path, { yaml: commented, revision: based })).toMatchObject({
      status: 200,
      body: { tests: [{ wrong: [] }] },
    })
    expect(read('schemas/custom_lift.yml')).toBe(commented)
    const strange = { yaml: 'schema: Custom.Other\nfields:\n  - name: a\n    type: strange\n' }
    expect(await call('POST', '/api/v1/schemas', strange)).toMatchObject({ status: 400 })
    expect((await call('GET', path)).body).toMatchObject({ root: 'detections', path: 'schemas/custom_lift.yml', read_only: null })
  })
})

describe('a query', { timeout: LIMIT_MS }, () => {
  interface Search {
    readonly sql: string
    readonly revision: string
    readonly detail: string
    readonly source: { readonly path: string; readonly yaml: string; readonly revision: string }
  }
  const search = async (method: string, path: string, body?: object) => {
    const answer = await call(method, `/api/v1/searches${path}`, body)
    return { status: answer.status, body: answer.body as unknown as Search }
  }

  test('is saved as a person would write it, committed, changed in its place, and deleted', async () => {
    const sql = 'SELECT door, count() AS n\nFROM logs.custom_door\nGROUP BY door'
    const body = { name: 'Doors: by use', sql, description: 'Which doors are used.', tags: ['Doors'] }
    const made = await search('POST', '', body)
    expect(made).toMatchObject({
      status: 200,
      body: { outcome: 'swapped', name: 'Doors: by use', files: ['detections/queries/doors_by_use.yml'], notes: [] },
    })
    expect(read('queries/doors_by_use.yml')).toBe(`AnalysisType: saved_query
QueryName: "Doors: by use"
Description: Which doors are used.
Tags:
  - Doors
ClickHouseQuery: |-
  SELECT door, count() AS n
  FROM logs.custom_door
  GROUP BY door
`)
    expect(git('log', '-1', '--format=%an %s')).toBe('cli Add the query Doors: by use')
    expect((await search('POST', '', body)).status).toBe(409)
    const path = `/${encodeURIComponent(body.name)}`
    expect((await search('GET', path)).body).toMatchObject({ sql, dialect: 'clickhouse', read_only: null, schedule: null })

    // What a person has added stays.
    const commented = read('queries/doors_by_use.yml').replace('Tags:', '# Of the east wing.\nLookback: false\nTags:')
    writeFileSync(join(detections, 'queries/doors_by_use.yml'), commented)
    expect((await search('PUT', path, { sql, revision: made.body.revision })).status).toBe(409)
    await call('POST', '/api/v1/content/reload')
    const { source } = (await search('GET', path)).body
    const schedule = { rate_minutes: 60, timeout_minutes: 2 }
    const email = { recipients: ['soc@example.com'] }
    const changed = await search('PUT', path, { sql: 'SELECT 1 AS one', schedule, email, revision: source.revision })
    expect(changed).toMatchObject({ status: 200 })
    expect(read('queries/doors_by_use.yml')).toBe(`AnalysisType: scheduled_query
QueryName: "Doors: by use"
# Of the east wing.
Lookback: false
ClickHouseQuery: SELECT 1 AS one
Enabled: true
Schedule:
  RateMinutes: 60
  TimeoutMinutes: 2
EmailConfig:
  Recipients:
    - soc@example.com
  SendEmpty: false
  PreferAttachment: false
`)
    expect((await search('GET', path)).body).toMatchObject({
      schedule: 'every 60 min',
      schedule_keys: { rate_minutes: 60, cron: null, timeout_minutes: 2 },
      email: { recipients: ['soc@example.com'], send_empty: false },
    })
    expect((await search('DELETE', `${path}?revision=0`)).status).toBe(409)
    expect(await search('DELETE', path)).toMatchObject({ status: 200, body: { revision: '' } })
    expect([existsSync(join(detections, 'queries/doors_by_use.yml')), (await search('GET', path)).status]).toEqual([false, 404])
  })

  test("of Panther's dialect, or of filters, is stored in the form in which it runs", async () => {
    const sql = "SELECT door FROM custom_door WHERE p_occurs_since('1 day')"
    expect(await search('POST', '', { name: 'Doors of the day', sql })).toMatchObject({ status: 200 })
    expect(read('queries/doors_of_the_day.yml')).toContain(`\nQuery: ${sql}\n`)
    const filters = [{ field: 'door', op: 'equals', values: ["it's {v0:String} \\"] }]
    const filtered = { name: 'Filtered', search: { log_types: ['Custom.Door'], filters, last_seconds: 3600, limit: 5 } }
    expect((await search('POST', '', filtered)).status).toBe(200)
    const saved = (await search('GET', '/Filtered')).body
    expect(saved).toMatchObject({ dialect: 'clickhouse', sql: expect.stringContaining('INTERVAL 3600 SECOND') })
    await caracal.fetch('/ingest/doors', { method: 'POST', body: `${JSON.stringify({ door: filters[0]!.values[0], n: 1 })}\n` })
    const rows = await until(async () => {
      const begun = await search('POST', '/Filtered/run', {})
      const { id } = begun.body as unknown as { id: string }
      await caracal.fetch(`/api/v1/queries/${id}?wait_ms=30000`)
      const page = (await (await caracal.fetch(`/api/v1/queries/${id}/rows`)).json()) as { rows: unknown[][] }
      return page.rows.length > 0 ? page.rows : undefined
    })
    expect(rows).toHaveLength(1)
    expect(rows[0]).toContain(filters[0]!.values[0])
  })

  test.each([
    ['SQL that the lake does not understand', { sql: 'SELECT nothing FROM logs.custom_door' }, 'nothing'],
    ['a table that does not exist', { sql: 'SELECT * FROM logs.no_such_table' }, 'no_such_table'],
    ['more than one statement', { sql: 'SELECT 1; DROP TABLE logs.custom_door' }, 'more than one statement'],
    ['a function that reaches out of the lake', { sql: "SELECT * FROM url('http://127.0.0.1/')" }, 'url'],
    ['a schedule that never comes', { sql: 'SELECT 1', schedule: { cron: '0 0 30 2 *' } }, 'never occurs'],
    ['SQL and filters', { sql: 'SELECT 1', search: {} }, 'either'],
    ['an e-mail without a schedule', { sql: 'SELECT 1', email: { recipients: ['a@example.com'] } }, 'schedule'],
    [
      'a recipient with a line break',
      { sql: 'SELECT 1', schedule: { rate_minutes: 5 }, email: { recipients: ['a@b\nBcc: c'] } },
      '',
    ],
    ['a name that is markup', { name: '<b>', sql: 'SELECT 1' }, 'name'],
    ['a name with a line break', { name: 'a\nb', sql: 'SELECT 1' }, 'name'],
  ])('with %s is not saved', async (_, body, why) => {
    const head = git('rev-parse', 'HEAD')
    expect(await search('POST', '', { name: 'Refused', ...body })).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining(why) },
    })
    expect([git('rev-parse', 'HEAD'), existsSync(join(detections, 'queries/refused.yml'))]).toEqual([head, false])
  })

  test('whose rows a rule judges is not deleted', async () => {
    const schedule = { rate_minutes: 60 }
    const made = await search('POST', '', { name: 'Judged', sql: 'SELECT 1 AS n', schedule })
    expect(made.body).toMatchObject({ notes: [expect.stringContaining('ScheduledQueries')] })
    const rule =
      'AnalysisType: scheduled_rule\nRuleID: Judge\nFilename: judge.py\nEnabled: true\nScheduledQueries: [Judged]\nSeverity: Low\n'
    expect((await call('POST', '/api/v1/rules', { yaml: rule, code: 'def rule(event):\n    return True\n' })).status).toBe(200)
    expect((await search('GET', '/Judged')).body).toMatchObject({ runs: true, rules: ['Judge'], next_time: expect.any(String) })
    const { next_time } = (await search('GET', '/Judged')).body as unknown as { next_time: string }
    for (const _ of [1, 2])
      expect(await search('POST', '/Judged/judge')).toMatchObject({
        status: 200,
        body: { rows: 1, matches: 1, error: null, by: 'cli' },
      })
    // Both runs are about the same, so they are one alert.
    const { results } = (await (await caracal.fetch('/api/v1/alerts?rule=Judge')).json()) as { results: object[] }
    expect(results).toMatchObject([{ rule_id: 'Judge', event_count: 2 }])
    expect((await search('GET', '/Judged')).body).toMatchObject({ next_time, last_run: { rows: 1, matches: 1, by: 'cli' } })
    expect(await search('DELETE', '/Judged')).toMatchObject({ status: 409, body: { detail: expect.stringContaining("'Judge'") } })
  })
})

test(
  'a destination is listed without its secrets, and sends a test alert',
  async () => {
    const listed = await (await caracal.fetch('/api/v1/destinations')).text()
    const team = { id: 'team', type: 'webhook', severities: ['HIGH'], waiting: 0, dead: 0, last_delivered: null }
    expect(JSON.parse(listed)).toMatchObject({ results: [team] })
    expect(listed).not.toMatch(/secret|127\.0\.0\.1/)
    const sent = await call('POST', '/api/v1/destinations/team/test?severity=LOW')
    expect(sent).toEqual({ status: 200, body: { accepted: 'team' } })
    expect(receiver.bodies).toMatchObject([{ severity: 'LOW', title: expect.stringContaining('Test alert from Caracal') }])
    receiver.status = 400
    expect((await call('POST', '/api/v1/destinations/team/test')).status).toBe(400)
    expect((await call('POST', '/api/v1/destinations/none/test')).status).toBe(404)
  },
  LIMIT_MS,
)

test(
  'what the API has written is what `caracal validate` accepts',
  () => {
    const out = execFileSync(process.execPath, [join(import.meta.dirname, '../bin/caracal.js'), 'validate'], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect(out).not.toMatch(/ERROR/)
  },
  LIMIT_MS,
)
