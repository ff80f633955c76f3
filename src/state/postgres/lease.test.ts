import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CutProxy } from '../../../test/support/cut-proxy.ts'
import { hasPostgres, PostgresServer } from '../../../test/support/postgres.ts'
import { until } from '../../../test/support/until.ts'
import type { ActiveNode } from '../../model/node.ts'
import type { StorageError } from '../../util/errors.ts'
import type { StateDb } from '../db.ts'
import { getMeta, setMeta } from '../sources.ts'
import { Lease, type LeaseTimes } from './lease.ts'
import type { PostgresPlace } from './place.ts'
import { postgresState } from './state.ts'

const TIMES: LeaseTimes = { beatMs: 30, pollMs: 20, freeMs: 100, silentMs: 1500, sureMs: 400 }
/** As one that is stopped: it gives no sign of life. */
const STOPPED: LeaseTimes = { ...TIMES, beatMs: 2 ** 30, sureMs: 0 }

describe.skipIf(!hasPostgres)('the lease of a state', () => {
  let server: PostgresServer
  let place: PostgresPlace
  let leases: Lease[]
  let states: StateDb[]
  let ending: AbortController

  beforeAll(async () => {
    server = await PostgresServer.start()
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    place = await server.database()
    leases = []
    states = []
    ending = new AbortController()
  })
  afterEach(async () => {
    ending.abort()
    await Promise.all(states.map((db) => db.destroy()))
    await Promise.all(leases.map((lease) => lease.release()))
  })

  interface Node {
    readonly lease: Promise<Lease>
    readonly waits: ActiveNode[]
    readonly taken: StorageError[]
    readonly troubles: (string | undefined)[]
  }
  function node(name: string, times = TIMES, at = place): Node {
    const waits: ActiveNode[] = []
    const taken: StorageError[] = []
    const troubles: (string | undefined)[] = []
    const lease = Lease.take(at, {
      node: name,
      times,
      onWait: (active) => waits.push(active),
      onTaken: (error) => taken.push(error),
      onTrouble: (message) => troubles.push(message),
      signal: ending.signal,
    })
    lease.then(
      (made) => leases.push(made),
      () => {},
    )
    return { lease, waits, taken, troubles }
  }
  /** What a process that has become active does next. */
  async function openState(): Promise<StateDb> {
    const db = await postgresState.open(place)
    states.push(db)
    return db
  }

  test('the second waits and knows for whom, and is active once the first has ended', async () => {
    const first = await node('one').lease
    const db = await openState()
    await db
      .insertInto('nodes')
      .values({ name: 'one', roles: '', version: '', address: 'https://one:4848', started_ms: 1, seen_ms: 1 })
      .execute()
    const second = node('two')
    await until(() => (second.waits.length > 0 ? true : undefined))
    expect(second.waits).toEqual([{ node: 'one', url: 'https://one:4848' }])
    await states.pop()!.destroy()
    await first.release()
    const lease = await second.lease
    await lease.sure()
    expect(await lease.meta('nothing')).toBeUndefined()
  })

  test('of two that wait, one becomes active and the other goes on waiting for it', async () => {
    const first = await node('one').lease
    const [second, third] = [node('two'), node('three')]
    await until(() => (second.waits.length > 0 && third.waits.length > 0 ? true : undefined))
    await first.release()
    await Promise.race([second.lease, third.lease])
    const waiting = leases.length === 2 ? ((await isSettled(second.lease)) ? third : second) : undefined
    await until(() => (waiting!.waits.length > 1 ? true : undefined))
    expect(leases).toHaveLength(2)
  })

  test('one without a sign of life is replaced, can commit nothing any more, and learns of it before it acts', async () => {
    const stopped = node('one', STOPPED)
    const old = await stopped.lease
    const oldState = await openState()
    const inTransaction = oldState.transaction().execute(async (tx) => {
      await setMeta(tx as never, 'who', 'one')
      await second.lease
      await setMeta(tx as never, 'who', 'one again')
    })
    const second = node('two')
    await expect(inTransaction).rejects.toThrow(/connection to the state's database was lost/)
    // Before the new one has begun, and after it.
    await expect(old.sure()).rejects.toThrow(/Another node has become the active one/)
    const state = await openState()
    await expect(old.sure()).rejects.toThrow(/Another node has become the active one/)
    expect(stopped.taken).toHaveLength(1)
    await expect(setMeta(oldState, 'who', 'one')).rejects.toThrow()
    expect(await getMeta(state, 'who')).toBeUndefined()
    await (await second.lease).sure()
  })

  test('one that continues while it is replaced has the state once more, and loses it to the new one', async () => {
    const stopped = node('one', STOPPED)
    await stopped.lease
    const oldState = await openState()
    // The moment at which it continues: its session was ended, and it opens another at once.
    let goOn = true
    const continued = (async () => {
      while (goOn && !ending.signal.aborted)
        await setMeta(oldState, 'who', 'one').catch((error) => {
          goOn = !/has used the state's database/.test(String((error as Error).cause ?? error))
        })
    })()
    const second = node('two')
    await (await second.lease).sure()
    await continued
    const state = await openState()
    await setMeta(state, 'who', 'two')
    await expect(setMeta(oldState, 'who', 'one')).rejects.toThrow(/has used the state's database/)
    expect(await getMeta(state, 'who')).toBe('two')
  })

  test('a slow process that gives signs of life is not replaced', async () => {
    const first = node('one')
    await first.lease
    const second = node('two')
    await until(() => (second.waits.length > 0 ? true : undefined))
    const [beat] = await server.ask(place.database, 'SELECT clock_timestamp() AS at')
    // Longer than a silent one is waited for.
    await until(async () => {
      const [{ ms } = {}] = await server.ask(
        place.database,
        `SELECT extract(epoch FROM clock_timestamp() - '${(beat!['at'] as Date).toISOString()}'::timestamptz) * 1000 AS ms`,
      )
      return Number(ms) > TIMES.silentMs * 1.5 ? true : undefined
    })
    expect(await isSettled(second.lease)).toBe(false)
    await (await first.lease).sure()
    expect(first.taken).toEqual([])
  })

  test('a lost connection is replaced in time, although another one waits', async () => {
    const proxy = await CutProxy.start(server.port)
    const first = node('one', { ...TIMES, sureMs: 60_000 }, { ...place, port: proxy.port })
    const lease = await first.lease
    await openState()
    const second = node('two', { ...TIMES, freeMs: 60_000 })
    await until(() => (second.waits.length > 0 ? true : undefined))
    for (let i = 0; i < 5; i++) {
      const before = second.waits.length
      proxy.cutAll()
      await until(() => (second.waits.length > before ? true : undefined))
    }
    await lease.sure()
    expect(first.taken).toEqual([])
    expect(await isSettled(second.lease)).toBe(false)
    proxy.close()
    await until(() => (first.troubles.at(-1) ? true : undefined))
  })

  test('it comes back after a restart of the server, and one that waits survives it', async () => {
    const first = node('one')
    const lease = await first.lease
    await openState()
    const second = node('two', { ...TIMES, freeMs: 60_000 })
    await until(() => (second.waits.length > 0 ? true : undefined))
    await server.kill()
    await until(() => (first.troubles.at(-1) && second.troubles.at(-1) ? true : undefined))
    server.launch()
    await until(
      async () =>
        ((await lease.sure().then(
          () => true,
          () => undefined,
        )) &&
          !first.troubles.at(-1)) ||
        undefined,
    )
    expect(first.taken).toEqual([])
  })

  test('the first of all does not wait for a server that is away', async () => {
    await expect(node('one', TIMES, { ...place, port: 1 }).lease).rejects.toThrow(/ECONNREFUSED/)
  })

  test('waiting ends with the program', async () => {
    await node('one').lease
    const second = node('two')
    await until(() => (second.waits.length > 0 ? true : undefined))
    ending.abort(new Error('stopped'))
    await expect(second.lease).rejects.toThrow('stopped')
  })
})

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), sleep(0).then(() => false)])
}
