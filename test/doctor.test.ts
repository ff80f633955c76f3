import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'

let folder: string
let config: string
let data: string
let caracal: Caracal
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-doctor-'))
  data = join(folder, 'data')
  config = join(folder, 'caracal.yml')
  const port = await freePort()
  writeFileSync(config, `listen: 127.0.0.1:${port}\ndata_dir: ${data}\n`)
  caracal = new Caracal({ port, dataDir: data, cwd: folder, args: ['--config', config, '--no-demo'] })
})
afterAll(async () => {
  if (caracal.pid !== undefined) await caracal.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const doctor = (file = config) =>
  runWith({ XDG_CACHE_HOME: join(tmpdir(), 'caracal-test-cache') }, ['doctor', '--json', '--config', file])

async function findings(file?: string) {
  const { code, out, err } = await doctor(file)
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; state: string; message: string; advice?: string })
  return { code, err, by: Object.fromEntries(lines.map((line) => [line.name, line])) }
}

/** The whole life of an installation, in order. */
test('doctor tells a machine before the first start, a running one, a stopped one and a damaged one apart', async () => {
  const before = await findings()
  expect(before).toMatchObject({ code: 0, err: '' })
  expect(before.by).toMatchObject({
    configuration: { state: 'ok' },
    ports: { state: 'ok' },
    state: { state: 'skipped' },
    lake: { state: 'skipped' },
    content: { state: 'ok' },
    server: { state: 'skipped' },
  })
  // An examination leaves nothing behind.
  expect(readdirSync(folder)).not.toContain('data')

  await caracal.start()
  const sent = await caracal.fetch('/ingest/default', { method: 'POST', body: '{"_path":"conn","ts":1,"uid":"C1"}\n' })
  expect(sent.status).toBe(202)
  await caracal.query('SELECT 1')
  const running = await findings()
  expect(running.by).toMatchObject({
    'data folder': { state: 'ok' },
    ports: { state: 'ok', message: expect.stringMatching(/^Caracal has 127/) },
    state: { state: 'ok' },
    spool: { state: 'ok' },
    lake: { state: 'skipped', message: expect.stringContaining('Caracal has it open') },
    server: { state: expect.stringMatching(/ok|warning/), message: expect.stringMatching(/^running/) },
  })
  expect(running.code).toBe(0)

  const other = join(folder, 'other.yml')
  writeFileSync(other, `listen: 127.0.0.1:${await freePort()}\ndata_dir: ${data}\n`)
  const elsewhere = await findings(other)
  expect([elsewhere.code, elsewhere.by['server']]).toMatchObject([
    1,
    { state: 'failed', message: expect.stringContaining('open, but it does not answer') },
  ])

  expect(await caracal.end('SIGTERM')).toBe(0)
  const stopped = await findings()
  expect(stopped.by).toMatchObject({ lake: { state: 'ok', message: expect.stringMatching(/all checksums match$/) } })
  expect(stopped.code).toBe(0)

  chmodSync(join(data, 'token'), 0o644)
  const lake = join(data, 'lake')
  const parts = readdirSync(lake, { recursive: true, encoding: 'utf8' }).filter((file) => /store\/.*\/data\.bin$/.test(file))
  expect(parts.length).toBeGreaterThan(0)
  for (const part of parts) {
    const bytes = readFileSync(join(lake, part))
    bytes[bytes.length >> 1]! ^= 0xff
    writeFileSync(join(lake, part), bytes)
  }
  const damaged = await findings()
  expect(damaged.code).toBe(1)
  expect(damaged.by).toMatchObject({
    'data folder': { state: 'failed', message: expect.stringContaining('other users can read') },
    lake: { state: 'failed', message: expect.stringMatching(/parts are damaged: .*Checksum|cannot be examined/i) },
  })
}, 180_000)

test('a configuration that cannot be used is one failure, and what needs it is left out', async () => {
  const broken = join(folder, 'broken.yml')
  writeFileSync(broken, 'listen: here\n')
  const { code, by } = await findings(broken)
  expect(code).toBe(1)
  expect(Object.keys(by)).toEqual(['Node', 'open files', 'configuration', 'undefined'])
  expect(by['configuration']).toMatchObject({ state: 'failed', message: expect.stringContaining('broken.yml:1 at listen') })
})

test('a missing secret is a failure, and people get a line each with what to do', async () => {
  const secret = join(folder, 'secret.yml')
  writeFileSync(
    secret,
    `data_dir: ${join(folder, 'none')}\ndestinations:\n  - { type: slack, id: soc, url: { env: NO_SUCH_VARIABLE } }\n`,
  )
  const { code, out } = await runWith({ XDG_CACHE_HOME: join(tmpdir(), 'caracal-test-cache') }, ['doctor', '--config', secret])
  expect(code).toBe(1)
  expect(out).toMatch(/^failed {3}configuration {2}.*NO_SUCH_VARIABLE.*\n {24}→ fix the file/m)
  expect(out).toMatch(/\n\d+ ok, \d+ warnings?, \d+ failed, \d+ skipped\n$/)
})
