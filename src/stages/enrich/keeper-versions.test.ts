import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { define, folder, MINUTE, world } from '../../../test/support/keeper-world.ts'
import { contentFile } from './versions/files.ts'

test('a version that an alert names is kept, and so is the one in force, however small the limit', async () => {
  world.definition = define({ Filename: 'shipped.txt', Keep: { Versions: 1, MaxBytes: 1 } })
  await world.start()
  const first = await world.fetches('192.0.2.2\n')
  world.named.add(first)
  const second = await world.fetches('192.0.2.3\n')
  const third = await world.fetches('192.0.2.4\n')
  expect(await world.stored()).toEqual([first, third].map(contentFile).sort())
  world.named.clear()
  const fourth = await world.fetches('192.0.2.5\n')
  expect(await world.stored()).toEqual([contentFile(fourth)])
  expect((await world.history()).filter(({ isGone }) => !isGone).map(({ version }) => version)).toEqual([fourth])
  expect(second).not.toBe(third)
})

test('content that comes back is the same file again', async () => {
  world.definition = define({ Keep: { Versions: 2 } })
  await world.start()
  const first = await world.fetches('192.0.2.2\n')
  await world.fetches('192.0.2.3\n')
  await world.fetches('192.0.2.4\n')
  expect(await world.stored()).not.toContain(contentFile(first))
  expect(await world.fetches('192.0.2.2\n')).toBe(first)
  expect((await world.history()).map(({ isGone = false }) => isGone)).toEqual([false, true, false, false])
})

test('a file that is never refreshed keeps its versions as it changes', async () => {
  world.definition = define({ Provider: undefined, Filename: 'shipped.txt', ContentDate: undefined })
  await world.start()
  world.nowMs += MINUTE
  await world.start()
  const [first] = await world.history()
  await writeFile(join(folder, 'shipped.txt'), '192.0.2.1\n192.0.2.9\n')
  world.nowMs += MINUTE
  await world.keeper!.refresh('x')
  expect(await world.history()).toEqual([
    { ...first, origin: 'shipped', rows: 1, untilMs: world.nowMs },
    expect.objectContaining({ version: world.status.version, rows: 2, sinceMs: world.nowMs, fileName: 'shipped.txt' }),
  ])
  expect(gunzipSync(await readFile(join(world.folder, contentFile(first!.version)))).toString()).toBe('192.0.2.1\n')
})

test('versions of a data folder from before there was a list are carried over', async () => {
  await world.start()
  const version = await world.fetches('192.0.2.2\n')
  await rm(world.folder, { recursive: true })
  await mkdir(world.folder, { recursive: true })
  const older = '2024-03-01-000000000000'
  for (const [name, content, at] of [
    [version, '192.0.2.2\n', '2024-03-12T02:00:00Z'],
    [older, '192.0.2.99\n', '2024-03-01T02:00:00Z'],
  ] as const) {
    await writeFile(join(world.folder, `${name}.content`), content)
    await utimes(join(world.folder, `${name}.content`), new Date(at), new Date(at))
  }
  await world.start()
  expect(world.status).toMatchObject({ health: 'ok', version, rows: 1 })
  const at = Date.parse('2024-03-12T02:00:00Z')
  expect(await world.history()).toMatchObject([
    { version: older, sinceMs: Date.parse('2024-03-01T02:00:00Z'), untilMs: at },
    { version, sinceMs: at },
  ])
  expect((await readdir(world.folder)).sort()).toEqual([contentFile(older), contentFile(version), 'versions.json'].sort())
})

test('a crash between a version and the state leaves a version that is used until the next refresh', async () => {
  await world.start()
  await world.fetches('192.0.2.2\n')
  const before = world.states.get('x')!
  const lost = await world.fetches('192.0.2.3\n')
  world.states.set('x', before)
  await world.start()
  expect(world.status.version).toBe(before.version)
  expect((await world.history()).at(-1)?.version).toBe(before.version)
  expect(await world.fetches('192.0.2.3\n')).toBe(lost)
  expect((await world.history()).at(-1)?.version).toBe(lost)
})

test('a damaged list of versions is begun again', async () => {
  await world.start()
  const version = await world.fetches('192.0.2.2\n')
  await writeFile(join(world.folder, 'versions.json'), '{"versions":[{}')
  await world.start()
  expect(world.has('192.0.2.2')).toBe(true)
  expect(await world.history()).toMatchObject([{ version }])
})

const LIST = Array.from({ length: 200 }, (_, i) => `10.0.0.${i}\n`).join('')

test('content that failed a check is accepted once on request, which says what it did not pass, and stays after a restart', async () => {
  world.definition = define({ Filename: 'shipped.txt', Checks: { MustMatch: ['10.0.0.7'] } })
  const dated = (content: string, modified: string) => () => new Response(content, { headers: { 'last-modified': modified } })
  world.answer = dated(LIST, 'Tue, 12 Mar 2024 00:00:00 GMT')
  await world.start()
  await world.next()
  world.answer = dated('10.0.0.1\n', 'Tue, 05 Mar 2024 00:00:00 GMT')
  await world.next()
  expect(world.status).toMatchObject({ rows: 200, isRefused: true, lastError: expect.stringContaining('old copy') })
  const accepted = await world.keeper!.refresh('x', { accept: true })
  expect(accepted).toMatchObject({ rows: 1, isRefused: false, lastError: undefined })
  const { outcomes, versions } = world.keeper!.historyOf('x')
  const passedOver = [/2024-03-05.*old copy/, /from 200 rows to 1/, /lacks "10\.0\.0\.7"/].map((one) =>
    expect.stringMatching(one),
  )
  expect(outcomes.at(-1)).toMatchObject({ outcome: 'swapped', passedOver })
  expect(versions.at(-1)).toMatchObject({ passedOver })
  await world.start()
  expect(world.status).toMatchObject({ health: 'ok', rows: 1 })
  // Only that time.
  world.answer = () => new Response('10.0.0.2\n')
  await world.next()
  expect(world.status).toMatchObject({ rows: 1, isRefused: true })
})

test('a table that is never fetched has nothing to accept', async () => {
  world.definition = define({ Provider: undefined, Filename: 'shipped.txt' })
  const keeper = await world.start()
  await expect(keeper.refresh('x', { accept: true })).rejects.toThrow(/change its Checks/)
})

test('every outcome of a refresh is a row, except that equal ones in a row are counted', async () => {
  world.definition = define({ Filename: 'shipped.txt', Match: 'ip' })
  await world.start()
  await world.fetches('192.0.2.1\n192.0.2.2\n')
  await world.next()
  await world.next()
  world.answer = () => new Response('', { status: 503 })
  await world.next()
  await world.next()
  world.answer = () => new Response('<html>')
  await world.next()
  await world.fetches('192.0.2.2\n192.0.2.3\n')
  const said = world.outcomes.map(({ outcome, changes, rows }) => [outcome, changes?.added, changes?.removed, rows])
  expect(said).toEqual([
    ['swapped', undefined, undefined, 1],
    ['swapped', 1, 0, 2],
    ['unchanged', undefined, undefined, undefined],
    ['failed', undefined, undefined, undefined],
    ['refused', undefined, undefined, undefined],
    ['swapped', 1, 1, 2],
  ])
  expect(world.keeper!.historyOf('x').outcomes.map(({ times }) => times)).toEqual([1, 1, 2, 2, 1, 1])
  expect((await world.history()).map(({ changes }) => changes?.added)).toEqual([undefined, 1, 1])
})

test('a swap whose comparison the end of the program cut off is a row after the next start', async () => {
  await world.start()
  const version = await world.fetches('192.0.2.7\n')
  const state = world.states.get('x')!
  const outcomes = state.outcomes!.map((one) => (one.version === version ? { ...one, isPending: true as const } : one))
  world.states.set('x', { ...state, outcomes })
  world.outcomes = []
  await world.start()
  expect(world.outcomes).toMatchObject([{ outcome: 'swapped', version }])
  await world.start()
  expect(world.outcomes).toHaveLength(1)
})

test('content that compresses by more than any list is read back all the same', async () => {
  world.answer = () => new Response('192.0.2.2\n'.repeat(300_000))
  await world.start()
  await world.next()
  await world.start()
  expect(world.has('192.0.2.2')).toBe(true)
  expect(world.status).toMatchObject({ health: 'ok', lastError: undefined })
})

test('a table is stale once its content is older than AlarmPeriodMinutes, and not before', async () => {
  world.definition = define({ Filename: 'shipped.txt', Refresh: { PeriodMinutes: 60, AlarmPeriodMinutes: 61 } })
  await world.start()
  await world.next()
  world.answer = () => new Response('', { status: 503 })
  await world.next()
  expect(world.status).toMatchObject({ health: 'ok', ageSeconds: 3600 })
  world.nowMs += 2 * MINUTE
  expect(world.status).toMatchObject({ health: 'stale', isRefused: false })
})
