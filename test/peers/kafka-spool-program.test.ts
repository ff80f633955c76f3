import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Spool } from '../../src/pipeline/spool.ts'
import { openSqlite } from '../../src/state/sqlite.ts'
import { Caracal, freePort } from '../support/caracal.ts'
import { Broker, kafkaPeer } from './support/kafka.ts'

const SCHEMA = 'schema: Custom.Numbered\nfields:\n  - { name: n, type: bigint, required: true }\n'
/** `SPOOL_KILLS=30` for more. */
const KILLS = Number(process.env['SPOOL_KILLS'] ?? 3)
const WAIT = { timeout: 110_000, interval: 200 }

let broker: Broker
const folders: string[] = []
const running = new Set<Caracal>()

/** Caracal with its spool on the broker, not started yet. */
async function caracalWith(prefix: string): Promise<Caracal> {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-peer-spool-'))
  folders.push(folder)
  mkdirSync(join(folder, 'content'))
  writeFileSync(join(folder, 'content/numbered.yml'), SCHEMA)
  const port = await freePort()
  const spool = { type: 'kafka', brokers: [`127.0.0.1:${broker.ports.plain}`], topic_prefix: prefix }
  const sources = [{ type: 'http', id: 'web', log_types: ['Custom.Numbered'] }]
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ listen: `127.0.0.1:${port}`, flush_ms: 200, spool, sources }))
  const caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  running.add(caracal)
  return caracal
}

/** Sends one number; `undefined`: there was no answer. */
const send = async (caracal: Caracal, n: number): Promise<number | undefined> =>
  caracal.fetch('/ingest/web', { method: 'POST', body: `{"n":${n}}\n` }).then(
    ({ status }) => status,
    () => undefined,
  )
const rowsOf = async (caracal: Caracal): Promise<Map<number, number>> => {
  const rows = await caracal.query(
    "SELECT arrayStringConcat(groupArray(concat(toString(n), ':', toString(c))), ' ') FROM (SELECT n, count() AS c FROM logs.custom_numbered GROUP BY n) GROUP BY intDiv(n, 1000)",
  )
  return new Map(
    rows.flatMap(([list]) =>
      String(list)
        .split(' ')
        .map((pair) => pair.split(':').map(Number) as [number, number]),
    ),
  )
}
const problems = async (caracal: Caracal) =>
  JSON.stringify(((await (await caracal.fetch('/api/v1/health')).json()) as { system_problems: unknown }).system_problems)

describe.skipIf(kafkaPeer.why)(`Caracal with its spool on Apache Kafka${kafkaPeer.why ? ` (${kafkaPeer.why})` : ''}`, () => {
  beforeAll(async () => {
    broker = await Broker.start()
  })
  afterEach(async () => {
    for (const caracal of running) if (caracal.pid !== undefined) await caracal.end('SIGKILL')
    running.clear()
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })
  afterAll(() => broker.stop())

  test(`killed ${KILLS} times between append and commit, what was acknowledged is stored exactly once`, {
    timeout: 120_000 + KILLS * 40_000,
  }, async () => {
    const caracal = await caracalWith('killed')
    const acknowledged: number[] = []
    let n = 0
    for (let kill = 0; kill < KILLS; kill++) {
      await caracal.start()
      const before = acknowledged.length
      let isSending = true
      const senders = Array.from({ length: 4 }, async () => {
        while (isSending) {
          const own = n++
          if ((await send(caracal, own)) === 202) acknowledged.push(own)
        }
      })
      await expect.poll(() => acknowledged.length - before, WAIT).toBeGreaterThan(300)
      await caracal.end('SIGKILL')
      isSending = false
      await Promise.all(senders)
    }
    await caracal.start()
    const missing = async () => {
      const rows = await rowsOf(caracal)
      return acknowledged.filter((own) => !rows.has(own)).length
    }
    await expect.poll(missing, WAIT).toBe(0)
    const rows = await rowsOf(caracal)
    expect([...rows].filter(([, count]) => count !== 1)).toEqual([])
    await expect.poll(() => broker.lag('killed', 'killed.web'), WAIT).toBe(0)
    await expect.poll(() => broker.held('killed.web'), WAIT).toBe(0)
    expect(await caracal.end('SIGTERM')).toBe(0)
  })

  test('while the broker is away, senders get 503 and health says why; afterwards everything continues', async () => {
    const caracal = await caracalWith('away')
    await caracal.start()
    expect(await send(caracal, 0)).toBe(202)
    await broker.kill()
    await expect.poll(() => send(caracal, 1), WAIT).toBe(503)
    await expect.poll(() => problems(caracal), WAIT).toContain('SpoolAway')
    await broker.again()
    await expect.poll(() => send(caracal, 2), WAIT).toBe(202)
    await expect.poll(() => problems(caracal), WAIT).not.toContain('SpoolAway')
    await expect.poll(async () => [...(await rowsOf(caracal)).keys()], WAIT).toEqual(expect.arrayContaining([0, 2]))
    expect(await caracal.end('SIGTERM')).toBe(0)
  })

  test('a data folder whose records wait in spool.db is refused', async () => {
    const caracal = await caracalWith('changed')
    mkdirSync(caracal.dataDir, { recursive: true })
    const file = new Spool(openSqlite(join(caracal.dataDir, 'spool.db')))
    file.append([{ sourceId: 'web', decoding: 'lines', receivedMs: 1, body: Buffer.from('{"n":1}\n') }])
    file.close()
    await expect(caracal.start()).rejects.toThrow(/1 bodies wait in spool\.db/)
  })
})
