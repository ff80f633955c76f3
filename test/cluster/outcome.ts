import { expect } from 'vitest'
import type { Caracal } from '../support/caracal.ts'
import { BODY_RECORDS, type Load } from './load.ts'
import type { Servers } from './servers.ts'
import { SIZE } from './size.ts'
import type { World } from './world.ts'

/** Restarts and what waits may take long on a busy machine. */
const WAIT = { timeout: 900_000, interval: 250 }

/** What is checked. */
export interface Setting {
  readonly world: World
  readonly servers: Servers
  readonly load: Load
}

interface Counts {
  readonly received: number
  readonly stored: number
  readonly filtered: number
  readonly dead_lettered: number
  readonly in_flight: number
  readonly backlog_bytes: number
}

async function counts(caracal: Caracal): Promise<ReadonlyMap<string, Counts>> {
  const answer = (await (await caracal.fetch('/api/v1/sources')).json()) as {
    results: { id: string; backlog_bytes: number; records: Omit<Counts, 'backlog_bytes'> }[]
  }
  return new Map(answer.results.map(({ id, records, backlog_bytes }) => [id, { ...records, backlog_bytes }]))
}

async function numberOf(servers: Servers, what: string): Promise<number> {
  const [row] = await servers.ask(`SELECT count(*) AS n FROM ${what}`)
  return Number(row!['n'])
}

/** What waits anywhere on the way of a record or of an alert, by its place. */
async function waiting({ world, servers, load }: Setting): Promise<Record<string, number>> {
  try {
    const { caracal } = await world.active()
    const now = await counts(caracal)
    const [web, disk] = [now.get('web')!, now.get('disk')!]
    return {
      spool: web.backlog_bytes,
      lines: Math.max(0, load.fileBodies * BODY_RECORDS + load.broken.file - disk.received),
      judging: web.in_flight + disk.in_flight,
      outbox: await numberOf(servers, 'outbox'),
      flushes: await numberOf(servers, 'flushes'),
      deliveries: await numberOf(servers, "deliveries WHERE state = 'pending'"),
    }
  } catch (error) {
    return { unknown: 1, [String(error)]: 1 }
  }
}

/** Waits until nothing waits: spool, file, outbox, deliveries. */
export async function everythingIn(setting: Setting): Promise<void> {
  const sum = async () => JSON.stringify(Object.entries(await waiting(setting)).filter(([, n]) => n > 0))
  await expect.poll(sum, WAIT).toBe('[]')
}

/** Every acknowledged record and every line is stored once; bodies without an answer are, as a whole, or are not. */
export async function checkRows({ world, servers, load }: Setting): Promise<void> {
  const { caracal } = await world.active()
  const all = await caracal.query('SELECT count(), uniqExact(seq), uniqExact(p_row_id) FROM logs.custom_crash')
  const [rows, seqs, ids] = all[0]!.map(Number)
  expect([rows, ids]).toEqual([seqs, seqs])
  for (const name of ['api-1', 'api-2', (await world.standby()).name])
    expect(await world.query(name, 'SELECT count() FROM logs.custom_crash'), name).toEqual([[all[0]![0]]])
  // On a server itself: a response of the API contains at most 10,000 rows.
  const sql = `SELECT toString(intDiv(seq, ${BODY_RECORDS})), toUInt32(count()) FROM logs.custom_crash GROUP BY 1`
  const text = await servers.clickhouse.servers[0].run(sql)
  const lines = text.trim().split('\n')
  const found = new Map(lines.map((line) => JSON.parse(line) as [string, number]).map(([body, n]) => [Number(body), n]))
  expect([...load.sure].filter((body) => found.get(body) !== BODY_RECORDS).slice(0, 10)).toEqual([])
  expect([...load.unsure].filter((body) => ![undefined, BODY_RECORDS].includes(found.get(body))).slice(0, 10)).toEqual([])
  expect([...found.keys()].filter((body) => !load.sure.has(body) && !load.unsure.has(body))).toEqual([])
}

/** Received is stored, filtered or dead-lettered, as the lake says too. */
export async function checkCounts({ world, load }: Setting): Promise<void> {
  const { caracal } = await world.active()
  const now = await counts(caracal)
  const rows = await caracal.query('SELECT p_source_id, count() FROM logs.custom_crash GROUP BY 1')
  const inLake = new Map(rows.map(([id, n]) => [id, Number(n)]))
  for (const [id, { received, stored, filtered, dead_lettered: dead }] of now)
    expect([id, received]).toEqual([id, stored + filtered + dead])
  for (const id of ['disk', 'web']) expect([id, now.get(id)!.stored]).toEqual([id, inLake.get(id)])
  const disk = now.get('disk')!
  expect([disk.stored, disk.dead_lettered]).toEqual([load.fileBodies * BODY_RECORDS, load.broken.file])
  const web = now.get('web')!
  expect(web.dead_lettered).toBeGreaterThanOrEqual(load.broken.sure)
  expect(web.dead_lettered).toBeLessThanOrEqual(load.broken.sure + load.broken.unsure)
  const letters = await caracal.query(
    'SELECT source, count(), uniqExact(p_row_id) FROM monitor.dead_letters GROUP BY 1 ORDER BY 1',
  )
  const expected = ['disk', 'web'].map((id) => [id, now.get(id)!.dead_lettered, now.get(id)!.dead_lettered])
  expect(letters.map(([id, n, distinct]) => [id, Number(n), Number(distinct)])).toEqual(expected)
}

/** Alerts are those of the stored rows; each match is in one alert; each alert was delivered under one id. */
export async function checkAlerts({ world, servers }: Setting): Promise<number> {
  const { caracal } = await world.active()
  const alerts = await servers.ask(
    `SELECT alert_id, rule_id, event_count, body FROM alerts WHERE opened = 1 AND rule_id LIKE 'Test.%'`,
  )
  const found = alerts.map(({ rule_id, event_count, body }) => [rule_id, titleOf(body), Number(event_count)])
  const byGroup = `SELECT 'Test.Crash.Group', concat('group ', "group"), count() FROM logs.custom_crash WHERE seq % 5 = 0 GROUP BY 2`
  const title = `concat('lane ', lane, ' ', toString(intDiv(seq, ${SIZE.block})))`
  const byLane = `SELECT 'Test.Crash.Many', ${title}, count() FROM logs.custom_crash WHERE seq % 7 = 0 GROUP BY 2 HAVING count() >= 50`
  const expected = [...(await caracal.query(byGroup)), ...(await caracal.query(byLane))]
  expect(found.map(String).sort()).toEqual(expected.map(String).sort())
  const rows = await caracal.query(
    `SELECT p_alert_id, count(), uniqExact(p_row_id) FROM matches.custom_crash WHERE startsWith(p_rule_id, 'Test.') GROUP BY 1`,
  )
  const matches = new Map(rows.map(([alert, n, distinct]) => [alert, [Number(n), Number(distinct)]]))
  const counted = alerts.map(({ alert_id, event_count }) => [alert_id, [Number(event_count), Number(event_count)]])
  expect(counted.filter(([id, n]) => JSON.stringify(matches.get(id)) !== JSON.stringify(n))).toEqual([])
  const delivered = [...world.receiver.bodies.values()].filter((body) => body['type'] !== 'SYSTEM')
  expect(delivered.map((body) => body['alertId']).sort()).toEqual(alerts.map(({ alert_id }) => alert_id).sort())
  expect(world.receiver.changed).toBe(0)
  return alerts.length
}

const titleOf = (body: unknown) => (JSON.parse(String(body)) as { title: string }).title
