import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasPostgres, PostgresServer } from '../../../test/support/postgres.ts'
import { nodeCheck } from '../../engine/checks/nodes.ts'
import type { StateDb } from '../db.ts'
import { storedNodes } from '../nodes.ts'
import { NodeRecord } from './node-record.ts'
import type { PostgresPlace } from './place.ts'
import { postgresState } from './state.ts'

describe.skipIf(!hasPostgres)('the nodes of a state', () => {
  let server: PostgresServer
  let place: PostgresPlace
  let db: StateDb
  let records: NodeRecord[]
  let troubles: (string | undefined)[]

  beforeAll(async () => {
    server = await PostgresServer.start()
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    place = await server.database()
    records = []
    troubles = []
  })
  afterEach(async () => {
    for (const record of records) await record.stop()
    await db?.destroy()
  })

  async function begin(node: string, roles = 'standby'): Promise<NodeRecord> {
    const about = { node, roles, version: '1.0.0', address: `http://${node}:4848`, everyMs: 2 ** 30 }
    const record = new NodeRecord(place, { ...about, onTrouble: (message) => troubles.push(message) })
    records.push(record)
    await record.start()
    return record
  }
  const missing = async () => (await nodeCheck(() => storedNodes(db)).run()).map(({ what, key }) => [what, key])

  test('each is listed with what it does, until it is stopped', async () => {
    db = await postgresState.open(place)
    const one = await begin('one')
    await begin('edge', 'ingest')
    await one.become('worker,api')
    expect(await storedNodes(db)).toMatchObject([
      { name: 'edge', roles: ['ingest'], version: '1.0.0', address: 'http://edge:4848' },
      { name: 'one', roles: ['worker', 'api'] },
    ])
    expect(await missing()).toEqual([])
    await one.stop()
    expect((await storedNodes(db)).map(({ name }) => name)).toEqual(['edge'])
    expect(troubles.filter((message) => message !== undefined)).toEqual([])
  })

  test('one that has not been seen for a minute is missing, and is forgotten after a day', async () => {
    db = await postgresState.open(place)
    await begin('one')
    const other = await begin('two')
    const age = (ms: number) => server.ask(place.database, `UPDATE nodes SET seen_ms = seen_ms - ${ms} WHERE name = 'one'`)
    await age(61_000)
    expect(await missing()).toEqual([['NodeMissing', 'one']])
    await age(24 * 3_600_000)
    await other.become('standby')
    expect((await storedNodes(db)).map(({ name }) => name)).toEqual(['two'])
  })

  test('two processes with one name are reported, and the first stays', async () => {
    db = await postgresState.open(place)
    await begin('one', 'ingest')
    await new Promise((resolve) => setImmediate(resolve))
    await server.ask(place.database, 'UPDATE nodes SET started_ms = started_ms - 1')
    await begin('one', 'standby')
    expect(troubles.at(-1)).toContain("another process has recorded itself as the node 'one'")
    expect(await storedNodes(db)).toMatchObject([{ name: 'one', roles: ['ingest'] }])
  })

  test('one that was killed is in its row again as soon as it has started', async () => {
    db = await postgresState.open(place)
    await begin('one', 'ingest')
    await server.ask(place.database, 'UPDATE nodes SET started_ms = started_ms - 1')
    const sessions = "FROM pg_locks WHERE locktype = 'advisory' AND classid = x'4341524e'::int::oid"
    expect(await server.ask(place.database, `SELECT pg_terminate_backend(pid, 10000) AS ended ${sessions}`)).toEqual([
      { ended: true },
    ])
    await begin('one', 'standby')
    expect(troubles).toEqual([undefined, undefined])
    expect(await storedNodes(db)).toMatchObject([{ name: 'one', roles: ['standby'] }])
  })

  test('before the first node has created the state, nothing is recorded and nothing is wrong', async () => {
    const record = await begin('one')
    expect(troubles.filter((message) => message !== undefined)).toEqual([])
    db = await postgresState.open(place)
    await record.become('standby')
    expect(await storedNodes(db)).toHaveLength(1)
  })
})
