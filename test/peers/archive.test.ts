import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { Caracal, freePort } from '../support/caracal.ts'
import { runWith } from '../support/cli.ts'
import { DAYS, dayOf, fillOldLake, ROWS } from '../support/old-lake.ts'
import { until } from '../support/until.ts'
import { moto, type ObjectServer, seaweed, startMoto, startSeaweed } from './support/object-stores.ts'

const BUCKET = 'archive'

let folder: string
let server: ObjectServer | undefined
let caracal: Caracal | undefined
afterEach(async () => {
  await caracal?.end('SIGKILL')
  await server?.close()
  process.exitCode = 0
  rmSync(folder, { recursive: true, force: true })
})

const cli = (...argv: string[]) => runWith({}, [...argv, '--config', join(folder, 'caracal.yml')], 300)
const stored = async () => Number((await caracal!.query('SELECT count() FROM logs.zeek_conn'))[0]![0])

/** Caracal whose lake has days that are over, and the configuration of docs/retention.md with this server. */
async function start(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'caracal-peer-archive-'))
  writeFileSync(join(folder, 'secret'), server!.credentials.secretAccessKey)
  const [port, dataDir] = [await freePort(), join(folder, 'data')]
  await fillOldLake(dataDir)
  const auth = { access_key_id: server!.credentials.accessKeyId, secret_access_key: { file: join(folder, 'secret') } }
  const s3 = { bucket: BUCKET, prefix: 'caracal', endpoint: server!.url, region: 'us-east-1', auth }
  const config = { listen: `127.0.0.1:${port}`, data_dir: dataDir, retention: { lake_days: 7, archive: { s3 } } }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir, cwd: folder, args: ['--no-demo'] })
  await caracal.start()
}

const stores = [
  { name: 'moto', peer: moto, open: startMoto },
  { name: 'SeaweedFS', peer: seaweed, open: startSeaweed },
]
describe.each(stores)('$name', ({ peer, open }) => {
  const why = peer.why ? ` (${peer.why})` : ''

  test.skipIf(peer.why)(`old rows are archived in a bucket before they are deleted, and restored from it${why}`, async () => {
    server = await open()
    await start()
    // Without the bucket nothing can be archived, so nothing is deleted, and it says so.
    const problems = async () => {
      const health = (await (await caracal!.fetch('/api/v1/health')).json()) as { system_problems: { what: string }[] }
      return health.system_problems.map(({ what }) => what)
    }
    await until(async () => (await problems()).includes('LakeNotArchived') || undefined)
    expect(await stored()).toBe((DAYS.length + 1) * ROWS)

    await server.request('s3', 'PUT', `/${BUCKET}`)
    expect(await caracal!.end('SIGTERM')).toBe(0)
    await caracal!.start()
    await until(async () => (await stored()) === ROWS || undefined)
    const objects = await server.request('s3', 'GET', `/${BUCKET}?list-type=2&prefix=caracal%2Flogs%2Fzeek_conn%2F`)
    for (const ms of DAYS) {
      expect(objects).toMatch(new RegExp(`<Key>caracal/logs/zeek_conn/${dayOf(ms)}/\\w+/00000\\.parquet</Key>`))
      expect(objects).toMatch(new RegExp(`<Key>caracal/logs/zeek_conn/${dayOf(ms)}/\\w+/manifest\\.json</Key>`))
    }

    const listed: string[] = []
    for (let next: string | null = ''; next !== null; ) {
      const page = (await (await caracal!.fetch(`/api/v1/archive?limit=2${next && `&cursor=${next}`}`)).json()) as {
        results: { day: string }[]
        next: string | null
      }
      listed.push(...page.results.map(({ day }) => day))
      next = page.next
    }
    expect(listed).toEqual(DAYS.map(dayOf))

    const restored = await cli('archive', 'restore', 'Zeek.Conn', dayOf(DAYS[1]!), dayOf(DAYS[3]!))
    expect(restored).toMatchObject({ code: 0, out: expect.stringContaining('Restored 600 of 600 archived rows of Zeek.Conn.') })
    expect(await stored()).toBe(4 * ROWS)
    expect(await caracal!.query("SELECT count() FROM logs.zeek_conn WHERE p_row_id = 'p_row_id 2 7'")).toEqual([[1]])
  })
})
