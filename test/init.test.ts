import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { configSchema } from '../src/config/config.ts'
import { packageRoot } from '../src/util/entry.ts'
import { runWith } from './support/cli.ts'

const home = process.cwd()
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-init-'))
  process.chdir(folder)
})
afterEach(() => {
  process.chdir(home)
  process.exitCode = 0
  rmSync(folder, { recursive: true, force: true })
})

const caracal = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runWith({ XDG_CACHE_HOME: join(tmpdir(), 'caracal-test-cache'), ...env }, argv, 120)

function filesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort()
}

describe('caracal init', () => {
  test('creates a folder that passes its own checks, and every call that its README and workflow name works', async () => {
    const { code, out, err } = await caracal(['init', 'mine'])
    expect(code).toBe(0)
    expect(filesIn(join(folder, 'mine'))).toEqual([
      '.github/workflows/detections.yml',
      '.gitignore',
      'README.md',
      'caracal.yml',
      'content/rules/admin_outside_office.py',
      'content/rules/admin_outside_office.yml',
      'content/schemas/example_sign_in.yml',
      'content/tables/office_networks.csv',
      'content/tables/office_networks.yml',
    ])
    expect(out).toContain('created mine/caracal.yml\n')
    expect(err).toMatch(/cd mine\n {2}.* test\n/)

    process.chdir('mine')
    const validated = await caracal(['validate'])
    expect([validated.code, validated.out]).toEqual([0, expect.stringMatching(/^\d+ rules, .*: 0 problems, 0 notices\n$/)])
    const tested = await caracal(['test'])
    expect([tested.code, tested.out]).toEqual([0, expect.stringMatching(/ 0 failed, 0 errors\n$/)])

    expect(tested.out).toMatch(/Example\.AdminOutsideOffice\n(?: {2}PASS.*\n){4}/)

    const readme = readFileSync('README.md', 'utf8')
    const [, example] = /^ {4}(echo [\s\S]*? -)$/m.exec(readme)!
    const called = example!.replace(/^ +caracal/m, `"${process.execPath}" "${join(packageRoot(), 'bin/caracal.js')}"`)
    const printed = execFileSync('sh', ['-c', called], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    expect(JSON.parse(printed)).toMatchObject({ rule_id: 'Example.AdminOutsideOffice', severity: 'HIGH' })

    const workflow = parse(readFileSync('.github/workflows/detections.yml', 'utf8'))
    const runs = workflow.jobs.check.steps.flatMap(({ run }: { run?: string }) => /caracal\.js (.*)$/.exec(run ?? '')?.[1] ?? [])
    expect(runs).toEqual(['validate', 'test --show-failures-only'])
    for (const run of runs) expect((await caracal(run.split(' '))).code).toBe(0)
  })

  test('what its configuration comments out is valid too', async () => {
    await caracal(['init'])
    const text = readFileSync('caracal.yml', 'utf8')
    const active = text.replace(/^( *)# ?(?=[a-z_]+: (?![A-Z])|[a-z_]+:$|- type| {2})/gm, '$1')
    const parsed = configSchema.safeParse(parse(active))
    expect(parsed.error?.issues).toBeUndefined()
    expect(parsed.data).toMatchObject({ listen: '127.0.0.1:4848', retention: { lake_days: 365 } })
    expect(parsed.data!.sources).toHaveLength(4)
    expect(parsed.data!.destinations).toHaveLength(2)
  })

  test('creates nothing if one of the files exists', async () => {
    mkdirSync('content/rules', { recursive: true })
    writeFileSync('content/rules/admin_outside_office.py', 'mine')
    const { code, err } = await caracal(['init'])
    expect(code).toBe(2)
    expect(err).toContain('already has content/rules/admin_outside_office.py: nothing was changed')
    expect(filesIn(folder)).toEqual(['content/rules/admin_outside_office.py'])
    expect(readFileSync('content/rules/admin_outside_office.py', 'utf8')).toBe('mine')
  })

  test('says why a folder cannot be created', async () => {
    writeFileSync('file', '')
    const { code, err } = await caracal(['init', 'file/inside'])
    expect([code, err]).toEqual([2, expect.stringMatching(/file\/inside cannot be written: .*\(ENOTDIR\)/)])
    expect(existsSync('file/inside')).toBe(false)
  })
})

describe('caracal config', () => {
  const YAML = `retention:
  lake_days: 90
heartbeat_url: https://ping.example.com/s3cret
content: [./rules]
sources:
  - type: file
    id: web
    paths: [/var/log/nginx/access.log]
  - type: exec
    id: ports
    command: [tool, --password, s3cret]
destinations:
  - type: webhook
    id: soc
    url: https://hooks.example.com/s3cret
    headers: { X-Key: s3cret, X-Other: { env: KEY } }
    secret: { file: /run/secrets/hmac }
tracing:
  endpoint: https://traces.example.com/s3cret
  headers: { X-Key: s3cret }
`

  test('shows each value with its origin, as YAML that reads as the same values', async () => {
    writeFileSync('caracal.yml', YAML)
    const { code, out } = await caracal(['config', '--listen', '127.0.0.1:1'], { CARACAL_FLUSH_MS: '500' })
    expect(code).toBe(0)
    expect(out).toMatch(/^listen: 127\.0\.0\.1:1 # command line$/m)
    expect(out).toMatch(/^flush_ms: 500 # CARACAL_FLUSH_MS$/m)
    expect(out).toMatch(/^flush_rows: 200000 # default$/m)
    expect(out).toMatch(/^ {2}lake_days: 90 # caracal\.yml:2$/m)
    expect(out).toMatch(/^ {2}deliveries_days: 30 # default$/m)
    expect(out).toMatch(/^content: \[\.\/rules\] # caracal\.yml:4$/m)
    expect(out).toMatch(/^# risk: not set \(default: off\)$/m)
    expect(out).toMatch(/^ {4}paths: \[\/var\/log\/nginx\/access\.log\] # caracal\.yml:8$/m)
    const read = parse(out)
    const defaults = configSchema.parse({})
    expect(read).toMatchObject({ keys: {}, lake: defaults.lake, spool_max_bytes: defaults.spool_max_bytes })
    expect(read.sources[0]).toMatchObject({ type: 'file', id: 'web', poll_ms: 200 })
  })

  test('says what an empty list of content and a block that is not set mean', async () => {
    expect((await caracal(['config', 'content'])).out).toBe(
      'content: [] # default; ./content and the shipped packs are read anyway\n',
    )
    expect((await caracal(['config', 'risk'])).out).toBe('# risk: not set (default: off)\n')
  })

  test('hides what may be a secret, and shows references', async () => {
    writeFileSync('caracal.yml', YAML)
    for (const argv of [['config'], ['config', '--json']]) {
      const { out } = await caracal(argv)
      expect(out).not.toContain('s3cret')
      expect(out).toContain('https://hooks.example.com(hidden)')
      expect(out).toContain('https://ping.example.com(hidden)')
      expect(out).toContain('/run/secrets/hmac')
      expect(out).toContain('KEY')
    }
  })

  test('shows one key, as lines of JSON if wanted, and refuses an unknown one', async () => {
    writeFileSync('caracal.yml', YAML)
    const { out } = await caracal(['config', 'retention', '--json'])
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { key: 'retention.lake_days', value: 90, from: 'caracal.yml:2' },
      { key: 'retention.log_types', value: {}, from: 'default' },
      { key: 'retention.deliveries_days', value: 30, from: 'default' },
    ])
    const { code, err } = await caracal(['config', 'retension'])
    expect([code, err]).toEqual([2, expect.stringContaining("'retension' is not a key of the configuration. Known: listen")])
  })
})
