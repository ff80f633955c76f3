import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'
import { DAYS, dayOf, fillOldLake, ROWS } from './support/old-lake.ts'
import { until } from './support/until.ts'

/** The archive of the whole program, killed while it archives, by the commands of docs/retention.md. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-archived-'))
const dataDir = join(folder, 'data')
const archive = join(folder, 'archive')
let caracal: Caracal

const cli = (...argv: string[]) => runWith({}, [...argv, '--config', join(folder, 'caracal.yml')], 300)

beforeAll(async () => {
  await fillOldLake(dataDir)
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: dataDir,
    retention: { lake_days: 7, archive: { folder: archive } },
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir, cwd: folder, args: ['--no-demo'] })
}, 120_000)
afterAll(async () => {
  await caracal.end('SIGKILL')
  process.exitCode = 0
  rmSync(folder, { recursive: true, force: true })
})

const stored = async () => Number((await caracal.query('SELECT count() FROM logs.zeek_conn'))[0]![0])

test('rows are archived and deleted although the program is killed meanwhile, and restored for queries', async () => {
  await caracal.start()
  await until(async () => {
    const files = existsSync(archive) ? readdirSync(archive, { recursive: true, encoding: 'utf8' }) : []
    return files.some((file) => file.endsWith('.parquet')) || undefined
  })
  await caracal.end('SIGKILL')
  await caracal.start()
  await until(async () => ((await stored()) === ROWS ? true : undefined))

  const listed = await cli('archive', '--json')
  const days = listed.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { log_type: string; day: string; rows: number })
  expect(days.map(({ log_type, day, rows }) => [log_type, day, rows])).toEqual(DAYS.map((ms) => ['Zeek.Conn', dayOf(ms), ROWS]))
  const some = ['archive', '--log-type', 'Zeek.Conn', '--from', dayOf(DAYS[1]!), '--to', dayOf(DAYS[2]!)]
  expect((await cli(...some)).out.trim().split('\n')).toHaveLength(3)

  const restored = await cli('archive', 'restore', 'Zeek.Conn', dayOf(DAYS[1]!), dayOf(DAYS[3]!), '--keep-days', '30')
  expect(restored).toMatchObject({ code: 0, out: expect.stringContaining('Restored 600 of 600 archived rows of Zeek.Conn.') })
  expect(await stored()).toBe(4 * ROWS)
  const again = await cli('archive', 'restore', 'Zeek.Conn', dayOf(DAYS[0]!), dayOf(DAYS[3]!))
  expect(again.out).toContain('Restored 200 of 800 archived rows of Zeek.Conn; 600 were in the lake already.')
  expect(await cli('archive', 'restore', 'Zeek.DNS', '2020-01-01', '2020-01-02')).toMatchObject({
    code: 1,
    err: expect.stringContaining('has nothing of Zeek.DNS'),
  })

  // A start begins with a run of retention, which leaves them alone.
  await caracal.end('SIGTERM')
  expect((await cli('doctor')).out).toMatch(/retention .*it last ran at .*rows are kept for 7 days/)
  const before = Date.now()
  await caracal.start()
  await until(async () => {
    const { last_run_time } = JSON.parse((await cli('retention', '--json')).out) as { last_run_time: string | null }
    return Date.parse(last_run_time ?? '1970-01-01') > before || undefined
  })
  expect(await stored()).toBe(5 * ROWS)
  const { out } = await cli('retention')
  expect(out).toContain(`Events and matches are archived in ${archive}`)
  expect(out).toMatch(/Zeek\.Conn +1,000 .* 7 days/)
  expect(out).toMatch(/logs\.zeek_conn \S+: [\d,]+ rows, archived/)
}, 300_000)

test('docs/retention.md names the commands that this runs', () => {
  const page = readFileSync(join(import.meta.dirname, '../docs/retention.md'), 'utf8')
  const commands = [...page.matchAll(/^ {4}caracal (archive.*|retention)$/gm)].map(([, command]) => command!.split(' ')[0])
  expect(commands).toEqual(['archive', 'archive', 'archive', 'retention'])
})
