import { describe, expect, test } from 'vitest'
import { define, MINUTE, world } from '../../../test/support/keeper-world.ts'
import { NoContentYet, TableError } from './table.ts'

describe('a table that a query fills', () => {
  const Provider = { type: 'query', sql: 'SELECT ip FROM panther_logs.public.custom_login', max_rows: 3 }
  const finds = (...all: string[]) => {
    world.found = async () => ({ rows: all.map((ip) => ({ ip })), truncated: all.length > 3 })
  }
  const query = (change: object = {}) => define({ ContentDate: undefined, Provider, ...change })

  test('is missing, without a failure, until the query can run and finds rows; then the rows are in force', async () => {
    world.definition = query()
    world.found = () => Promise.reject(new NoContentYet('the query waits for log types: Custom.Login'))
    await world.start()
    expect(await world.next()).toBeCloseTo(1 / 6)
    expect(world.status).toMatchObject({
      health: 'missing',
      isRefused: false,
      lastError: expect.stringContaining('Custom.Login'),
    })
    finds()
    expect(await world.next()).toBe(1)
    expect(world.status).toMatchObject({ health: 'missing', isRefused: false })
    expect(world.status.lastError).toMatch(/there are no rows, fewer than MinRows \(1\)/)
    finds('192.0.2.2')
    expect(await world.next()).toBe(2)
    expect(world.status).toMatchObject({ health: 'ok', rows: 1, provider: 'query' })
    expect(world.has('192.0.2.2')).toBe(true)
    expect(await world.next()).toBe(60)
  })

  test.each<[string, () => void, boolean, RegExp]>([
    ['fails', () => (world.found = () => Promise.reject(new TableError('the query failed: no such function'))), false, /no such/],
    ['finds nothing any more', () => finds(), true, /no rows, fewer than MinRows \(1\)/],
    ['finds too much', () => finds('1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'), false, /more than 3 rows \(max_rows\)/],
  ])('keeps its rows when the query %s', async (_, change, isRefused, message) => {
    world.definition = query()
    finds('192.0.2.2')
    await world.start()
    await world.next()
    change()
    await world.next()
    expect(world.status).toMatchObject({ health: 'ok', rows: 1, isRefused, lastError: expect.stringMatching(message) })
    world.nowMs += 200 * MINUTE
    expect(world.status.health).toBe('stale')
    expect(world.has('192.0.2.2')).toBe(true)
  })

  test('without rows is an empty table if MinRows is 0', async () => {
    world.definition = query({ Checks: { MinRows: 0 } })
    finds('192.0.2.2')
    await world.start()
    await world.next()
    finds()
    await world.next()
    expect(world.status).toMatchObject({ health: 'ok', rows: 0, lastError: undefined })
  })

  test('keeps its version when only the order of its rows differs, unless the query orders them', async () => {
    const versions = async (sql: string) => {
      world.definition = query({ Provider: { ...Provider, sql } })
      finds('192.0.2.2', '192.0.2.3')
      await world.start()
      await world.next()
      finds('192.0.2.3', '192.0.2.2')
      const before = world.status.version
      await world.next()
      return before === world.status.version
    }
    expect(await versions(Provider.sql)).toBe(true)
    expect(await versions(`${Provider.sql} ORDER BY ip`)).toBe(false)
  })
})

test('a cron expression decides when a table is refreshed, also after a start that missed one; failures are retried before', async () => {
  world.definition = define({ Refresh: { CronExpression: '0 6 * * *' } })
  await world.start()
  await world.next()
  expect(await world.next()).toBe(237)
  expect(new Date(world.nowMs).toISOString()).toBe('2024-03-12T06:00:00.000Z')
  world.nowMs += 60 * MINUTE
  await world.start()
  expect(await world.next()).toBe(23 * 60)
  world.nowMs += 25 * 60 * MINUTE
  await world.start()
  world.answer = () => new Response('', { status: 500 })
  expect(await world.next()).toBe(3)
  expect(await world.next()).toBe(1)
})
