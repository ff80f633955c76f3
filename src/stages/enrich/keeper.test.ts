import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { define, folder, MINUTE, world } from '../../../test/support/keeper-world.ts'
import { HttpError } from '../../util/http/send.ts'
import type { TableState } from './keeper-types.ts'
import { contentFile } from './versions/files.ts'

test('shipped content is used until a refresh has succeeded, some minutes after the start', async () => {
  await world.start()
  expect(world.status).toMatchObject({ health: 'shipped', rows: 1, version: '2024-03-12-d1aa74fdddc0', ageSeconds: 7200 })
  expect(world.has('192.0.2.1')).toBe(true)
  expect(await world.next()).toBe(3)
  expect(world.status).toMatchObject({ health: 'ok', rows: 1, ageSeconds: 0, lastError: undefined })
  expect([world.has('192.0.2.1'), world.has('192.0.2.2')]).toEqual([false, true])
  expect(await world.next()).toBe(60)
})

test('a table without its key waits for it: no request, no retry before the period is over, and a message that says what to add', async () => {
  world.definition = define({ Provider: { type: 'url', url: 'https://lists.test/list.txt', auth: { key: 'lists' } } })
  await world.start()
  expect(await world.next()).toBe(3)
  expect(world.status).toMatchObject({ health: 'missing', isRefused: false })
  expect(world.status.lastError).toMatch(/needs the key 'lists': add `keys: .*LISTS_KEY.*"lists\.test"/)
  expect(await world.next()).toBe(60)
  expect(world.asked).toEqual([])
  world.keys = { lists: { value: { env: 'LISTS_KEY' }, hosts: ['lists.test'] } }
  await world.start()
  expect(world.status.health).toBe('missing')
  await world.next()
  expect(world.status.lastError).toMatch(/'lists' cannot be used: .*LISTS_KEY.* is not set/)
  world.env = { LISTS_KEY: 's3cr3t' }
  await world.start()
  await world.next()
  expect(world.status).toMatchObject({ health: 'ok', lastError: undefined })
  expect(world.asked.map((headers) => headers.get('authorization'))).toEqual(['Bearer s3cr3t'])
  expect(JSON.stringify([...world.states, world.status])).not.toContain('s3cr3t')
})

test('a server that asks clients to wait is not asked again before', async () => {
  await world.start()
  world.answer = () => new Response(null, { status: 429, headers: { 'retry-after': '1800' } })
  expect(await world.next()).toBe(3)
  world.answer = () => new Response(null, { status: 503 })
  expect(await world.next()).toBe(30)
  world.answer = () => new Response('192.0.2.2\n')
  expect(await world.next()).toBe(2)
  expect(await world.next()).toBe(60)
})

test('old shipped content is stale once the first refresh has failed, and not before it was due', async () => {
  world.definition = define({ Filename: 'shipped.txt', ContentDate: '2023-01-01' })
  world.answer = () => Promise.reject(new HttpError('unreachable', 'nothing listens there'))
  await world.start()
  expect(world.status).toMatchObject({ health: 'shipped', rows: 1 })
  await world.next()
  expect(world.status).toMatchObject({ health: 'stale', rows: 1, isRefused: false })
})

test('the next start uses the last good content, and requests conditionally once its period is over', async () => {
  world.answer = () => new Response('192.0.2.2\n', { headers: { etag: '"v1"' } })
  await world.start()
  await world.next()
  world.nowMs += 20 * MINUTE
  await world.start()
  expect(world.has('192.0.2.2')).toBe(true)
  expect(world.status).toMatchObject({ health: 'ok', ageSeconds: 1200 })
  world.answer = () => new Response(null, { status: 304 })
  expect(await world.next()).toBe(40)
  expect(world.asked.at(-1)!.get('if-none-match')).toBe('"v1"')
  expect(world.status).toMatchObject({ health: 'ok', ageSeconds: 0 })
})

test('while shipped content is in force no request is conditional: a 304 would be about content that is gone', async () => {
  world.answer = () =>
    new Response('192.0.2.2\n', { headers: { etag: '"v1"', 'last-modified': 'Tue, 12 Mar 2024 00:00:00 GMT' } })
  await world.start()
  await world.next()
  await rm(join(folder, 'data'), { recursive: true })
  await world.start()
  expect([world.has('192.0.2.1'), world.has('192.0.2.2')]).toEqual([true, false])
  const full = world.answer
  world.answer = () => {
    const asked = world.asked.at(-1)!
    return asked.has('if-none-match') || asked.has('if-modified-since') ? new Response(null, { status: 304 }) : full()
  }
  await world.next()
  expect(world.status).toMatchObject({ health: 'ok', lastError: undefined })
  expect(world.has('192.0.2.2')).toBe(true)
})

test('content that is truncated or lacks a required key is refused, and accepted once it is complete again', async () => {
  const list = (count: number) => Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}\n`).join('')
  world.definition = define({ Filename: 'shipped.txt', Checks: { MustMatch: ['10.0.0.7'] } })
  world.answer = () => new Response(list(200))
  await world.start()
  await world.next()
  expect(world.status).toMatchObject({ health: 'ok', rows: 200 })
  for (const [content, error] of [
    [list(90), /from 200 rows to 90/],
    [list(2000), /from 200 rows to 2000/],
    [list(200).replace('10.0.0.7\n', ''), /lacks "10\.0\.0\.7"/],
  ] as const) {
    world.answer = () => new Response(content)
    await world.next()
    expect(world.status).toMatchObject({ rows: 200, isRefused: true, lastError: expect.stringMatching(error) })
  }
  world.answer = () => new Response(list(150))
  await world.next()
  expect(world.status).toMatchObject({ health: 'ok', rows: 150, isRefused: false, lastError: undefined })
})

describe('the last good content survives', () => {
  const answers: [what: string, answer: () => Response | Promise<Response>, error: RegExp][] = [
    ['404', () => new Response('no', { status: 404 }), /answered 404/],
    ['500', () => new Response('', { status: 500 }), /answered 500/],
    ['an empty body', () => new Response(''), /empty body/],
    ['an error page', () => new Response('<html>\n<body>\n'), /ip|no usable row|cannot tell/],
    [
      'a broken network',
      () => Promise.reject(new HttpError('unreachable', 'nothing listens there (ECONNREFUSED)')),
      /nothing listens there \(ECONNREFUSED\)/,
    ],
    ['binary', () => new Response(Uint8Array.from([0, 255, 254])), /not UTF-8/],
  ]
  test.each(answers)('%s', async (_, answer, error) => {
    world.definition = define({ Filename: 'shipped.txt', Match: 'ip' })
    await world.start()
    await world.next()
    world.answer = answer
    await world.next()
    expect(world.status).toMatchObject({ health: 'ok', rows: 1, ageSeconds: 3600, lastError: expect.stringMatching(error) })
    expect(world.has('192.0.2.2')).toBe(true)
    await world.start()
    expect(world.has('192.0.2.2')).toBe(true)
    expect(await world.stored()).toEqual([contentFile('2024-03-12-d1aa74fdddc0'), contentFile(world.status.version!)].sort())
  })
})

test('failed refreshes are retried after one, two, four … minutes up to the period, and the table becomes stale', async () => {
  await world.start()
  await world.next()
  world.answer = () => new Response('', { status: 503 })
  const waits = []
  for (let i = 0; i < 9; i++) waits.push(await world.next())
  expect(waits).toEqual([60, 1, 2, 4, 8, 16, 32, 60, 60])
  expect(world.status).toMatchObject({ health: 'stale', rows: 1 })
  world.answer = () => new Response('192.0.2.3\n')
  await world.next()
  expect(world.status).toMatchObject({ health: 'ok', lastError: undefined })
  expect(await world.next()).toBe(60)
})

test('unchanged content does not become a new version, and old versions are removed', async () => {
  world.definition = define({ Filename: 'shipped.txt', Keep: { Versions: 3 } })
  await world.start()
  await world.next()
  await world.next()
  expect(world.accepted).toHaveLength(2)
  for (const last of [3, 4, 5, 6]) {
    world.answer = () => new Response(`192.0.2.${last}\n`)
    await world.next()
  }
  expect(await world.stored()).toHaveLength(3)
  expect(await world.stored()).toContain(contentFile(world.status.version!))
  const periods = await world.history()
  expect(periods.map(({ isGone = false }) => isGone)).toEqual([true, true, true, false, false, false])
  // Each was in force until the next one came.
  expect(periods.slice(0, -1).map(({ untilMs }) => untilMs)).toEqual(periods.slice(1).map(({ sinceMs }) => sinceMs))
  expect(periods.at(-1)).toMatchObject({ version: world.status.version, rows: 1, origin: 'fetched' })
})

test('stored content that was damaged or removed is replaced by the shipped content', async () => {
  await world.start()
  await world.next()
  await rm(join(folder, 'data', 'tables'), { recursive: true })
  await world.start()
  expect(world.has('192.0.2.1')).toBe(true)
  expect(world.status).toMatchObject({ health: 'shipped', lastError: expect.stringMatching(/stored content .* cannot be used/) })
  await world.next()
  expect(world.asked.at(-1)!.has('if-none-match')).toBe(false)
  expect(world.has('192.0.2.2')).toBe(true)
})

test('content from another URL is not used', async () => {
  await world.start()
  await world.next()
  world.definition = define({ Filename: 'shipped.txt', Provider: { type: 'url', url: 'http://lists.test/other.txt' } })
  await world.start()
  expect(world.status).toMatchObject({ health: 'shipped' })
})

test('a table without shipped content is missing until the first answer, and failing after a failure', async () => {
  world.definition = define({})
  world.answer = () => new Response('', { status: 500 })
  await world.start()
  expect(world.status).toMatchObject({ health: 'missing', rows: 0, version: undefined, ageSeconds: undefined })
  await world.next()
  expect(world.status).toMatchObject({ health: 'failing' })
  world.answer = () => new Response(null, { status: 304 })
  await world.next()
  expect(world.status.lastError).toMatch(/unchanged/)
})

test('a file is read at the start, reported as missing until it exists, and read again when it changes', async () => {
  world.definition = define({ Provider: { type: 'file', path: 'tables/list.txt', base: 'data_dir' } })
  await world.start()
  expect(world.status).toMatchObject({ health: 'missing', lastError: expect.stringMatching(/no file .*list\.txt yet/) })
  await mkdir(join(folder, 'data', 'tables'), { recursive: true })
  await writeFile(join(folder, 'data', 'tables', 'list.txt'), '192.0.2.7\n')
  expect(await world.next()).toBe(1)
  expect(world.status).toMatchObject({ health: 'ok', rows: 1 })
  await writeFile(join(folder, 'data', 'tables', 'list.txt'), '192.0.2.7\n192.0.2.8\n')
  await world.start()
  expect([world.has('192.0.2.8'), world.status.rows]).toEqual([true, 2])
})

test('a table that is only a file next to its definition is static and has no timer', async () => {
  world.definition = define({ Provider: undefined, Filename: 'shipped.txt' })
  await world.start()
  expect(world.status).toMatchObject({ health: 'static', provider: 'shipped.txt', rows: 1, nextRefreshMs: undefined })
  expect(world.timers).toEqual([])
})

test('a refresh can be requested, and an unknown table is refused with a list of the known ones', async () => {
  const keeper = await world.start()
  expect(await keeper.refresh('x')).toMatchObject({ health: 'ok' })
  expect(world.timers).toHaveLength(1)
  await expect(keeper.refresh('y')).rejects.toThrow(/no table 'y'. Known: x/)
})

test('stopping ends a refresh under way without counting a failure', async () => {
  const keeper = await world.start()
  let asked = () => {}
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  world.answer = () => {
    asked()
    return new Promise((_, reject) => setImmediate(() => reject(new Error('aborted'))))
  }
  const refresh = keeper.refresh('x')
  await isAsked
  await keeper.stop()
  await refresh
  expect(world.states.get('x')?.failures).toBeUndefined()
  expect(world.outcomes.map(({ outcome }) => outcome)).toEqual(['swapped'])
})

test('a table that could not start because the state failed starts with the next update', async () => {
  const keeper = await world.start()
  const other = define({ Filename: 'shipped.txt', Description: 'changed' })
  world.definition = other
  const { states } = world
  world.states = new (class extends Map<string, TableState> {
    override get(): never {
      throw new Error('the disk is full')
    }
  })()
  await expect(keeper.update([other])).rejects.toThrow('the disk is full')
  world.states = states
  world.inForce.clear()
  await keeper.update([other])
  expect(world.has('192.0.2.1')).toBe(true)
  expect(world.status).toMatchObject({ name: 'x', rows: 1 })
})
