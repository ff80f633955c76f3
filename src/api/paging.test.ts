import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../test/support/fake-engine.ts'
import { inPages } from '../../test/support/pages.ts'
import { createApp } from './app.ts'
import { cursorOf, cutPage, pageOf, readCursor } from './paging.ts'

/** Every page of a list, in which something may change between two pages. */
function walk(items: string[], limit: number, change: (page: number) => void = () => {}): string[] {
  const seen: string[] = []
  let cursor: string | undefined
  for (let page = 0; ; page++) {
    const { results, next } = pageOf(items, { limit, cursor }, (item) => item)
    seen.push(...results)
    if (next === null) return seen
    cursor = next
    change(page)
  }
}

const names = fc.uniqueArray(fc.string(), { maxLength: 40 })

describe('pages of a list in memory', () => {
  test('together are the list', () =>
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 50 }), (items, limit) => {
        expect(walk(items, limit)).toEqual(items)
      }),
    ))

  test('leave out nothing and repeat nothing if an item of an earlier page is removed', () =>
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 9 }), fc.nat(), fc.nat(), (all, limit, when, which) => {
        const items = [...all]
        const seen = walk(items, limit, (page) => {
          if (page === when % 5) items.splice(which % Math.min(items.length, limit * (page + 1)), 1)
        })
        expect(seen).toEqual(all)
      }),
    ))

  test('have no more than the limit, and the last one has no cursor', () => {
    expect(pageOf(['a', 'b'], { limit: 2 }, (item) => item)).toEqual({ results: ['a', 'b'], next: null })
    expect(pageOf(['a', 'b', 'c'], { limit: 2 }, (item) => item)).toMatchObject({ results: ['a', 'b'], next: expect.any(String) })
    expect(pageOf([], { limit: 2 }, (item: string) => item)).toEqual({ results: [], next: null })
  })
})

test('a page of which one more was asked for has a cursor only if there was one more', () => {
  const place = (n: number) => [n]
  expect(cutPage([5, 4], 2, place)).toEqual({ results: [5, 4], next: null })
  expect(cutPage([5, 4, 3], 2, place)).toEqual({ results: [5, 4], next: cursorOf([4]) })
})

const shape = z.tuple([z.int(), z.string()])

test('a cursor is read as it was written', () =>
  fc.assert(
    fc.property(fc.integer(), fc.string(), (n, text) => {
      expect(readCursor(cursorOf([n, text]), shape)).toEqual([n, text])
    }),
  ))

test.each(['', 'x', cursorOf(['a', 'b']), cursorOf([1]), Buffer.from('{"a":1}').toString('base64url'), 'é'.repeat(500)])(
  'the cursor %j is refused with what to do',
  (cursor) => expect(() => readCursor(cursor, shape)).toThrow(/does not come from this list: use `next`/),
)

describe('every list', () => {
  test.each<[string, (engine: FakeEngine, n: number) => Promise<unknown>]>([
    ['alerts', (engine, n) => engine.addAlert({ alertId: alertId(n), createdMs: Math.floor(n / 3) })],
    ['mutes?state=all', (engine, n) => engine.desk({ do: 'mute', ...MUTE, muteId: `0000000${n}` })],
    ['deliveries', (engine, n) => engine.addAlert({ alertId: alertId(n) }).then(() => engine.addDelivery(alertId(n), 'soc'))],
    ['tokens', (engine, n) => engine.tokens.add({ ...WISH, name: `token ${n}` })],
    ['replays', (engine) => engine.addReplay({ kind: 'dead-letters', dryRun: true, deliver: false, sources: [], reasons: [] })],
    ['rules', async () => {}],
    ['tables', async () => {}],
    ['sources', async () => {}],
  ])('%s is the same in pages of any size', async (path, add) => {
    const engine = await fakeEngine()
    for (let n = 1; n <= 7; n++) await add(engine, n)
    const app = createApp(engine)
    const fetch = async (of: string) => app.request(of, { headers: { authorization: `Bearer ${TOKEN}` } })
    const url = `/api/v1/${path}${path.includes('?') ? '&' : '?'}limit=`
    const { results, next } = (await (await fetch(`${url}100`)).json()) as { results: unknown[]; next: null }
    expect([results.length > 0, next]).toEqual([true, null])
    for (const limit of [1, 2, 3, 7]) expect(await inPages({ fetch }, url + limit)).toEqual(results)
    expect((await fetch(`${url}1&cursor=nonsense`)).status).toBe(400)
    await engine.dispose()
  })
})

const MUTE = { criteria: { rule: 'R' }, owner: 'ana', reason: 'a test', by: 'ana', expiresMs: 1e14 }
const WISH = { role: 'viewer', cidrs: [], logTypes: [], createdBy: 'ana', expiresMs: null } as const
