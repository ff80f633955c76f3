import { afterEach, beforeEach, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { createApp } from '../app.ts'

const DAY = 86_400_000
const NOW = 1_000 * DAY
let engine: FakeEngine

beforeEach(async () => {
  engine = await fakeEngine()
})

afterEach(() => engine.dispose())

interface Answer {
  readonly results: { readonly alert: { readonly alert_id: string }; readonly shared: Record<string, string[]> }[]
  readonly next: string | null
  readonly detail: string
}

async function related(query: string): Promise<[status: number, body: Answer]> {
  const headers = { authorization: `Bearer ${TOKEN}` }
  const response = await createApp(engine).request(`/api/v1/alerts/${query}`, { headers })
  return [response.status, (await response.json()) as Answer]
}

const add = (n: number, days: number, indicators: Record<string, string[]>, more: object = {}) =>
  engine.addAlert({ alertId: alertId(n), createdMs: NOW + days * DAY, ...more }, { indicators })
const found = async (query: string) =>
  (await related(query))[1].results.map(({ alert, shared }) => [Number.parseInt(alert.alert_id.slice(0, 4), 16), shared])

test('alerts that share an indicator within some days are related, newest first, with what they share', async () => {
  await add(1, 0, { p_any_ip_addresses: ['192.0.2.1', '192.0.2.2'], p_any_usernames: ['ana', '__proto__'] })
  await add(2, -3, { p_any_ip_addresses: ['192.0.2.2', '192.0.2.9', '192.0.2.1'] })
  await add(3, 7, { p_any_usernames: ['ana', '__proto__'], p_any_ip_addresses: ['192.0.2.9'] }, { mutedBy: 'm1' })
  await add(4, -1, { p_any_usernames: ['192.0.2.1'] })
  await add(5, -8, { p_any_usernames: ['ana'] })
  await add(6, 0, { p_any_usernames: ['ana'] }, { opened: false })
  const near = [
    [3, { p_any_usernames: ['ana', '__proto__'] }],
    [2, { p_any_ip_addresses: ['192.0.2.2', '192.0.2.1'] }],
  ]
  expect(await found('0001/related')).toEqual(near)
  expect(await found('0001/related?days=8')).toEqual([...near, [5, { p_any_usernames: ['ana'] }]])
  expect(await found('0001/related?days=6')).toEqual(near.slice(1))
  expect(await found('0004/related')).toEqual([])
  const [, first] = await related('0001/related?limit=1')
  expect(first).toMatchObject({ results: [{}], next: expect.any(String) })
  expect(await found(`0001/related?limit=1&cursor=${first.next}`)).toEqual(near.slice(1))
  expect((await related(`0001/related?limit=1&cursor=${first.next}`))[1].next).toBeNull()
  expect((await related('0001/related?limit=2'))[1]).toMatchObject({ results: [{}, {}], next: null })
})

test('an alert without indicators is related to none, and more alerts than a page are compared', async () => {
  await add(1, 0, {})
  await add(2, 0, { p_any_usernames: ['ana'] })
  for (let n = 3; n < 450; n++) await add(n, 0, { p_any_usernames: n === 3 || n === 440 ? ['ana'] : ['bo'] })
  expect(await found('0001/related')).toEqual([])
  expect((await found('0002/related')).map(([n]) => n)).toEqual([440, 3])
})

test.each([
  ['ffff/related', 404, "no alert 'ffff'"],
  ['0001/related?days=0', 400, 'days'],
  ['0001/related?days=91', 400, 'days'],
  ['0001/related?limit=201', 400, 'limit'],
  ['0001/related?since=x', 400, 'since'],
  ['0001/related?cursor=WzFd', 400, 'cursor'],
])('%s is refused with %i', async (query, status, why) => {
  await add(1, 0, {})
  expect(await related(query)).toMatchObject([status, { detail: expect.stringContaining(why) }])
})
