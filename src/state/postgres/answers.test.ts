import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasPostgres, PostgresServer } from '../../../test/support/postgres.ts'
import { whenItAnswers } from './answers.ts'
import type { PostgresPlace } from './place.ts'

describe.skipIf(!hasPostgres)('the first connection to the state', { shuffle: false }, () => {
  let server: PostgresServer
  let place: PostgresPlace
  beforeAll(async () => {
    server = await PostgresServer.start()
    place = await server.database()
  })
  afterAll(() => server.stop())

  test('is there at once if the server answers', async () => {
    const waits: string[] = []
    await whenItAnswers(place, { onWait: (message) => waits.push(message) })
    expect(waits).toEqual([])
  })

  test.each([
    ['a database that does not exist', { database: 'nowhere' }, /database "nowhere" does not exist.*CREATE DATABASE/],
    ['a user that does not exist', { user: 'nobody' }, /role "nobody" does not exist/],
  ])('is not waited for if the configuration names %s', async (_, wrong, message) => {
    const waits: string[] = []
    const opening = whenItAnswers({ ...place, ...wrong }, { onWait: (text) => waits.push(text) })
    await expect(opening).rejects.toThrow(message)
    expect(waits).toEqual([])
  })

  test('is waited for while the server is away', async () => {
    await server.kill()
    await expect(whenItAnswers(place, { forMs: 0, onWait: () => {} })).rejects.toThrow(/ECONNREFUSED.*Does the server run/)
    const ending = new AbortController()
    await expect(
      whenItAnswers(place, { signal: ending.signal, onWait: () => ending.abort(new Error('no longer')) }),
    ).rejects.toThrow('no longer')
    const waits: string[] = []
    await whenItAnswers(place, {
      onWait: (message) => {
        waits.push(message)
        server.launch()
      },
    })
    expect(waits).toEqual([expect.stringContaining('ECONNREFUSED')])
  })
})
