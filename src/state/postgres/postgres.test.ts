import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CutProxy } from '../../../test/support/cut-proxy.ts'
import { hasPostgres, PostgresServer } from '../../../test/support/postgres.ts'
import { StorageError, UnstorableText } from '../../util/errors.ts'
import type { StateDb } from '../db.ts'
import { eraseState } from '../erase.ts'
import { pipelineState } from '../pipeline-state.ts'
import { sourceCounts } from '../sources.ts'
import { commitTo, delivery, effectsIn, window } from '../state.fixture.ts'
import type { PostgresPlace } from './place.ts'
import { postgresState, readPostgres } from './state.ts'

describe.skipIf(!hasPostgres)('a state on PostgreSQL', () => {
  let server: PostgresServer
  let proxy: CutProxy
  let place: PostgresPlace
  let db: StateDb
  let troubles: (string | undefined)[]

  beforeAll(async () => {
    server = await PostgresServer.start()
    proxy = await CutProxy.start(server.port)
  })
  afterAll(async () => {
    proxy.close()
    await server.stop()
  })
  beforeEach(async () => {
    troubles = []
    place = { ...(await server.database()), port: proxy.port }
    db = await postgresState.open(place, { onTrouble: (message) => troubles.push(message) })
  })
  afterEach(() => db.destroy())

  const oneAlert = (state: ReturnType<typeof pipelineState>) =>
    effectsIn(state, 's', {
      counts: [{ sourceId: 's', outcome: 'received', reason: '', n: 2 }],
      windows: [window()],
      deliveries: [delivery('d1', 'soc')],
    })

  test('a commit whose answer is lost is done once: nobody is asked to repeat it', async () => {
    const state = pipelineState(db)
    const made = await oneAlert(state)
    const cut = proxy.cutAt('COMMIT', 'answer')
    expect(await commitTo(state, made)).toBe(true)
    await cut
    expect((await sourceCounts(db)).get('s')).toMatchObject({ received: 2 })
    // Repeated all the same, it changes nothing.
    expect(await commitTo(state, made)).toBe(false)
    expect((await sourceCounts(db)).get('s')).toMatchObject({ received: 2 })
    expect(troubles.at(-1)).toBeUndefined()
  })

  test.each(['COMMIT', 'BEGIN', 'insert into "alerts"', 'update "batches"'])(
    'a connection that is lost at %s before the server has it leaves nothing, and the work can be repeated',
    async (text) => {
      const state = pipelineState(db)
      const made = await oneAlert(state)
      const cut = proxy.cutAt(text, 'lose')
      await expect(commitTo(state, made)).rejects.toThrow(StorageError)
      await cut
      expect((await sourceCounts(db)).get('s')).toBeUndefined()
      expect(await state.openBatches()).toEqual([made.batch])
      expect(await commitTo(state, made)).toBe(true)
      expect((await sourceCounts(db)).get('s')).toMatchObject({ received: 2 })
    },
  )

  test('whatever is committed when the connection is cut again and again has its effects once', async () => {
    let isOver = false
    const cutting = (async () => {
      while (!isOver) {
        await proxy.cutAt('COMMIT', Math.random() < 0.5 ? 'answer' : 'lose')
        if (!isOver) proxy.cutAll()
      }
    })()
    for (let i = 0; i < 30; i++)
      for (;;) {
        try {
          await db.transaction().execute(async (tx) => {
            await tx
              .insertInto('unknown_fields')
              .values({ source_id: 's', field: `${i}`, n: 1 })
              .execute()
            await sql`UPDATE sequences SET value = value + 1 WHERE name = 'outbox'`.execute(tx)
            if (i === 0) await tx.insertInto('sequences').values({ name: 'outbox', value: 1 }).execute()
          })
          break
        } catch (error) {
          expect(error).toBeInstanceOf(StorageError)
        }
      }
    isOver = true
    // The last one waits for a commit that never comes, and must not cut those of other tests.
    proxy.calm()
    await cutting
    const [row] = await db.selectFrom('sequences').select('value').where('name', '=', 'outbox').execute()
    expect(row).toEqual({ value: 30 })
  })

  test('a second process is refused while the first one has the state, and not afterwards', async () => {
    await expect(postgresState.open(place)).rejects.toThrow(
      /in use by another Caracal process, which is connected from 127.0.0.1 since .*Stop that one first/,
    )
    await db.destroy()
    db = await postgresState.open(place)
  })

  test('a process that lost its connection stores nothing once another one has had the state', async () => {
    const taken: string[] = []
    await db.destroy()
    const direct = { ...place, port: server.port }
    db = await postgresState.open(place, { onTaken: ({ message }) => taken.push(message) })
    await db.insertInto('meta').values({ key: 'a', value: '1' }).execute()
    proxy.cutAll()
    const other = await postgresState.open(direct)
    await other.insertInto('meta').values({ key: 'b', value: '2' }).execute()
    await other.destroy()
    for (let i = 0; i < 2; i++)
      await expect(db.insertInto('meta').values({ key: 'c', value: '3' }).execute()).rejects.toThrow(
        /Another Caracal process has used the state's database while .* This one stores nothing any more/,
      )
    expect(taken).toHaveLength(1)
    const reader = readPostgres(direct)
    expect(await reader.selectFrom('meta').select('key').orderBy('key').execute()).toEqual([{ key: 'a' }, { key: 'b' }])
    await reader.destroy()
  })

  test('while another process has the state, one that lost its connection waits, and says so', async () => {
    proxy.cutAll()
    const other = await postgresState.open({ ...place, port: server.port })
    await expect(db.insertInto('meta').values({ key: 'c', value: '3' }).execute()).rejects.toThrow(
      /cannot be used now, so nothing is stored/,
    )
    expect(troubles.at(-1)).toMatch(/in use by another .*Everything waits until the state can be written again/)
    await other.destroy()
  })

  test('a transaction with a failed statement is not taken for committed', async () => {
    const done = db.transaction().execute(async (tx) => {
      await sql`SELECT 1 / 0`.execute(tx).catch(() => {})
    })
    await expect(done).rejects.toThrow(/was rolled back/)
  })

  test('a server that is killed is waited for, and readers do not notice that it starts again', async () => {
    const reader = readPostgres(place)
    await db.insertInto('meta').values({ key: 'k', value: '1' }).execute()
    expect(await reader.selectFrom('meta').select('value').execute()).toEqual([{ value: '1' }])
    await server.kill()
    const read = reader.selectFrom('meta').select('value').execute()
    await expect(db.insertInto('meta').values({ key: 'l', value: '2' }).execute()).rejects.toThrow(StorageError)
    server.launch()
    expect(await read).toEqual([{ value: '1' }])
    await db.insertInto('meta').values({ key: 'l', value: '2' }).execute()
    await reader.destroy()
  })

  test('numbers and texts come back as they were given, or are refused', async () => {
    const most = Number.MAX_SAFE_INTEGER
    const rows = [
      { field: 'a', value: '', score: 1e-300, at_ms: -most, is_alerted: 0, shares: '"\\u0000"', rank: -1 / 3 },
      { field: 'a', value: 'Z', score: 0.1, at_ms: most, is_alerted: 1, shares: '😀', rank: 1e21 },
      { field: 'a', value: 'a', score: 0, at_ms: 0, is_alerted: 0, shares: '', rank: 0 },
      { field: 'a', value: 'é', score: 0, at_ms: 0, is_alerted: 0, shares: '', rank: 0 },
    ]
    await db.insertInto('risk').values(rows).execute()
    const found = await db
      .selectFrom('risk')
      .select(['field', 'value', 'score', 'at_ms', 'is_alerted', 'shares', 'rank'])
      .orderBy('value')
      .execute()
    // By bytes: capitals before small letters, and those with accents last.
    expect(found).toEqual(rows)
    for (const value of ['a\0b', '\ud800'])
      await expect(db.insertInto('meta').values({ key: value, value }).execute()).rejects.toThrow(UnstorableText)
    await expect(sql`SELECT 9007199254740993::bigint AS n`.execute(db)).rejects.toThrow(/outside the safe integers/)
    expect(await db.selectFrom('meta').select('key').where('key', 'in', []).execute()).toEqual([])
  })

  test('a deleted value is in no file of the database any more, once what is left of it was scrubbed', async () => {
    const ana = 'ana.lima@example.com'
    const long = JSON.stringify({ user: ana, rest: Array.from({ length: 3000 }, (_, i) => i) })
    await db.insertInto('table_status').values({ name: 't', value: long }).execute()
    await db
      .insertInto('risk')
      .values({ field: 'f', value: ana, score: 1, at_ms: 1, is_alerted: 0, shares: '', rank: 1 })
      .execute()
    expect(await server.hasOnDisk(place.database, ana)).toBe(true)
    await eraseState(db, { do: 'erase', value: ana })
    await eraseState(db, { do: 'scrub' })
    expect(await server.hasOnDisk(place.database, ana)).toBe(false)
    expect((await db.selectFrom('table_status').select('value').executeTakeFirstOrThrow()).value).toBe(
      long.replace(ana, '[deleted]'),
    )
    // The limit that was lifted for it is back.
    expect((await sql`SHOW statement_timeout`.execute(db)).rows).toEqual([{ statement_timeout: '1min' }])
  })

  test('a database that a newer version has migrated is refused', async () => {
    await sql`INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-later', '')`.execute(db)
    await db.destroy()
    await expect(postgresState.open(place)).rejects.toThrow(
      /used by a newer version of Caracal: it has been migrated to 9999-later/,
    )
    db = readPostgres(place)
  })

  test.each([
    ['a database that does not exist', { database: 'nothing' }, /does not exist\. Create it first: CREATE DATABASE/],
    ['a port without a server', { port: 1 }, /ECONNREFUSED.*Does the server run/],
    ['TLS that the server does not offer', { tls: {} }, /does not support SSL.*turn it on there/],
    ['a user that the server does not know', { user: 'stranger' }, /role "stranger" does not exist/],
  ])('%s is refused with what to do', async (_, part, message) => {
    await expect(postgresState.open({ ...place, ...part })).rejects.toThrow(message)
    await expect(postgresState.open({ ...place, ...part })).rejects.toThrow(StorageError)
  })

  test('a database that is not in UTF-8 is refused', async () => {
    await server.ask('postgres', `CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
    await expect(postgresState.open({ ...place, database: 'latin' })).rejects.toThrow(/its encoding is LATIN1, and must be UTF8/)
  })

  test('commits are on disk when they are answered, also where the database is set otherwise', async () => {
    await server.ask('postgres', `ALTER DATABASE ${place.database} SET synchronous_commit = off`)
    await db.destroy()
    db = await postgresState.open(place)
    expect((await sql`SHOW synchronous_commit`.execute(db)).rows).toEqual([{ synchronous_commit: 'on' }])
  })
})
