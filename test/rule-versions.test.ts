import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'

/** What a rule was before, and back to it, with the real program. */
const LIMIT_MS = 300_000
const folder = mkdtempSync(join(tmpdir(), 'caracal-versions-'))
const file = (path: string) => join(folder, 'detections', path)
let caracal: Caracal

const yaml = (severity: string, n = 7, filename = 'door.py') => `AnalysisType: rule
RuleID: My.Door
Filename: ${filename}
Enabled: true
LogTypes: [Custom.Door]
Severity: ${severity}
Tests:
  - { Name: opens, ExpectedResult: true, Log: { door: front, n: ${n} } }
  - { Name: closes, ExpectedResult: false, Log: { door: front, n: 1 } }
`
const code = (n: number) => `def rule(event):\n    return event.get("n") == ${n}\n`

interface Version {
  readonly number: number
  readonly by: string | null
  readonly cause: string
  readonly is_current: boolean
  readonly is_stored: boolean
  readonly keys: readonly string[]
  readonly files: readonly { readonly path: string; readonly change: string; readonly diff?: string }[]
  readonly yaml: string
  readonly code: string
  readonly code_path: string
}

async function call<T>(method: string, path: string, body?: object): Promise<{ status: number; body: T }> {
  const response = await caracal.fetch(path, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as T }
}

const versions = async () =>
  (await call<{ results: Version[] }>('GET', '/api/v1/rules/My.Door/versions')).body.results.map((one) => ({
    ...one,
    files: one.files.map(({ path, change }) => `${path} ${change}`),
  }))
const version = async (number: number) => (await call<Version>('GET', `/api/v1/rules/My.Door/versions/${number}`)).body
const revision = async () => (await call<{ source: { revision: string } }>('GET', '/api/v1/rules/My.Door')).body.source.revision
const save = async (body: object) => call('PUT', '/api/v1/rules/My.Door', { ...body, revision: await revision() })
const cli = (...argv: readonly string[]) => runWith({}, [...argv, '--config', join(folder, 'caracal.yml')])

beforeAll(async () => {
  mkdirSync(file('rules'), { recursive: true })
  writeFileSync(
    file('door.schema.yml'),
    'schema: Custom.Door\nfields:\n  - name: door\n    type: string\n  - name: n\n    type: bigint\n',
  )
  writeFileSync(file('rules/door.yml'), yaml('Low'))
  writeFileSync(file('rules/door.py'), code(7))
  const port = await freePort()
  // Two files that are written one after the other are one version only if nobody looks in between.
  const own = { watch_content: false, content: [join(folder, 'detections')] }
  const config = { listen: `127.0.0.1:${port}`, data_dir: join(folder, 'data'), ...own }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ ...config, sources: [{ type: 'http', id: 'doors' }] }))
  caracal = new Caracal({ port, dataDir: config.data_dir, cwd: folder, args: ['--config', 'caracal.yml'] })
  await caracal.start()
}, LIMIT_MS)

afterAll(async () => {
  await caracal.end('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
})

describe('versions of a rule', { shuffle: false, timeout: LIMIT_MS }, () => {
  test('every change of a rule is a version that says who changed what, and others are not', async () => {
    expect((await save({ yaml: yaml('High'), code: code(7) })).status).toBe(200)
    // Another rule's file is not part of this one.
    const other = { yaml: yaml('Low').replace('My.Door', 'My.Gate').replace('door.py', 'gate.py'), code: code(7) }
    expect((await call('POST', '/api/v1/rules', other)).status).toBe(200)
    expect((await save({ yaml: yaml('High', 8), code: code(8) })).status).toBe(200)
    const found = await versions()
    expect(found).toEqual([
      expect.objectContaining({
        cause: 'edit',
        by: 'cli',
        is_current: true,
        keys: ['Tests'],
        files: ['rules/door.py changed', 'rules/door.yml changed'],
      }),
      expect.objectContaining({ cause: 'edit', is_current: false, keys: ['Severity'], files: ['rules/door.yml changed'] }),
      expect.objectContaining({
        cause: 'start',
        is_current: false,
        keys: [],
        files: ['rules/door.py added', 'rules/door.yml added'],
      }),
    ])
    const [last, second, first] = await Promise.all(found.map(({ number }) => version(number)))
    expect([last!.yaml, last!.code, second!.yaml, second!.code, first!.yaml]).toEqual([
      ...[yaml('High', 8), code(8), yaml('High'), code(7), yaml('Low')],
    ])
    expect(second!.files).toEqual([
      { path: 'rules/door.yml', change: 'changed', diff: expect.stringContaining('-Severity: Low\n+Severity: High\n') },
    ])
    expect((await call('GET', '/api/v1/rules/My.Door/versions/999')).status).toBe(404)
    expect((await call('GET', '/api/v1/rules/My.Gone/versions')).status).toBe(404)
  })

  test('a version is restored with its tests, in force at once, and is a version itself', async () => {
    const [, second, first] = await versions()
    const path = `/api/v1/rules/My.Door/versions/${first!.number}/restore`
    expect((await call('POST', path, { revision: 'old' })).status).toBe(409)
    const restored = await call<{ outcome: string; tests: { passed: boolean } }>('POST', path, { revision: await revision() })
    expect(restored).toMatchObject({ status: 200, body: { outcome: 'swapped', tests: { passed: true } } })
    expect(readFileSync(file('rules/door.yml'), 'utf8')).toBe(yaml('Low'))
    expect(readFileSync(file('rules/door.py'), 'utf8')).toBe(code(7))
    expect((await call<{ severity: string }>('GET', '/api/v1/rules/My.Door')).body.severity).toBe('LOW')
    const now = await versions()
    expect(now.map(({ is_current }) => is_current)).toEqual([true, false, false, true])
    expect(now[0]).toMatchObject({ keys: ['Severity', 'Tests'] })
    expect((await call('POST', path, { revision: await revision() })).body).toMatchObject({
      detail: expect.stringMatching(/already/),
    })
    expect(now[2]!.number).toBe(second!.number)
  })

  test('a version whose tests fail with the content of now is not restored, unless that is allowed', async () => {
    const needy = 'import numbers_of_doors\n\n\ndef rule(event):\n    return event.get("n") == numbers_of_doors.SEVEN\n'
    writeFileSync(file('rules/numbers_of_doors.py'), 'SEVEN = 7\n')
    expect((await save({ yaml: yaml('Low'), code: needy })).status).toBe(200)
    const [withHelper] = await versions()
    expect((await save({ yaml: yaml('Low'), code: code(7) })).status).toBe(200)
    writeFileSync(file('rules/numbers_of_doors.py'), 'SEVEN = 70\n')
    const path = `/api/v1/rules/My.Door/versions/${withHelper!.number}/restore`
    const refused = await call<{ code: string }>('POST', path, { revision: await revision() })
    expect(refused).toMatchObject({ status: 422, body: { code: 'tests_failed' } })
    expect(readFileSync(file('rules/door.py'), 'utf8')).toBe(code(7))
    expect((await call('POST', path, { revision: await revision(), allow_failing: true })).status).toBe(200)
    expect(readFileSync(file('rules/door.py'), 'utf8')).toBe(needy)
  })

  test('the code of a version is that of the file which its YAML named', async () => {
    writeFileSync(file('rules/other.py'), code(9))
    writeFileSync(file('rules/door.yml'), yaml('Low', 9, 'other.py'))
    expect((await call('POST', '/api/v1/content/reload')).status).toBe(200)
    const [last, before] = await versions()
    expect([last!.files, before!.files]).toEqual(
      [['rules/door.yml changed', 'rules/other.py added'], ['rules/door.py changed']].map((paths) =>
        expect.arrayContaining(paths),
      ),
    )
    expect(await version(last!.number)).toMatchObject({ code: code(9), code_path: 'rules/other.py', keys: ['Filename', 'Tests'] })
    expect(await version(before!.number)).toMatchObject({ code_path: 'rules/door.py' })
  })

  test('the commands show a rule, a version, its diff, and restore it', async () => {
    const all = await versions()
    const first = all.at(-1)!.number
    const shown = await cli('rules', 'show', 'My.Door')
    expect(shown.out).toContain('My.Door')
    expect(shown.out).toMatch(/\n {2}file +.*rules\/door\.yml, rules\/other\.py\n/)
    expect(shown.out).toMatch(/\n {2}alerts on +the first match within 60 minutes\n/)
    expect(shown.out).toMatch(new RegExp(`\\n +${first} .* start +- .*rules/door\\.yml added`))
    const json = JSON.parse((await cli('rules', 'show', 'My.Door', '--json')).out) as { versions: Version[]; severity: string }
    expect([json.versions.length, json.severity]).toEqual([all.length, 'LOW'])
    expect((await cli('rules', 'show', 'My.Door', '--version', String(first))).out).toBe(
      `${yaml('Low')}\n# rules/door.py\n${code(7)}`,
    )
    expect((await cli('rules', 'show', 'My.Door', '--diff')).out).toContain('\n-Filename: door.py\n+Filename: other.py\n')
    expect(await cli('rules', 'show', 'My.Door', '--version', 'x')).toMatchObject({ code: 2 })
    // Files are moved in the folder, not here.
    expect(await cli('rules', 'restore', 'My.Door', String(first))).toMatchObject({
      code: 1,
      err: expect.stringMatching(/Filename/),
    })
    writeFileSync(file('rules/door.yml'), yaml('Info', 70))
    await call('POST', '/api/v1/content/reload')
    const back = await cli('rules', 'restore', 'My.Door', String(first))
    expect(back).toMatchObject({ code: 0, out: expect.stringContaining(`Restored My.Door as it was in ${first}`) })
    expect(readFileSync(file('rules/door.yml'), 'utf8')).toBe(yaml('Low'))
  })
})
