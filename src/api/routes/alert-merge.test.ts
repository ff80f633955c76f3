import { afterEach, beforeEach, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { createApp } from '../app.ts'

let engine: FakeEngine

beforeEach(async () => {
  engine = await fakeEngine()
  for (const n of [1, 2, 3, 4]) await engine.addAlert({ alertId: alertId(n), createdMs: n })
})

afterEach(() => engine.dispose())

type Body = Record<string, unknown> & { readonly results: { readonly alert_id: string }[]; readonly detail: string }

async function call(method: string, path: string, body?: object): Promise<[status: number, body: Body]> {
  const response = await createApp(engine).request(`/api/v1/alerts${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  return [response.status, (await response.json()) as Body]
}

test('merged alerts leave the list, are shown by their parent and have its status, until they are taken out', async () => {
  const [status, merged] = await call('POST', '/0001/merge', { ids: ['0002', '0003', '0003'] })
  expect([status, merged.results.map((one) => one.alert_id)]).toEqual([200, [alertId(3), alertId(2)]])
  expect((await call('GET', ''))[1].results.map((one) => one.alert_id)).toEqual([alertId(4), alertId(1)])
  expect((await call('GET', '/0001'))[1]).toMatchObject({ merged_alerts: [{ alert_id: alertId(3) }, { alert_id: alertId(2) }] })
  expect(await call('PATCH', '/0002', { status: 'CLOSED' })).toMatchObject([409, { detail: expect.stringContaining(alertId(1)) }])
  await call('PATCH', '/0001', { status: 'CLOSED', reason: 'known' })
  const closed = { status: 'CLOSED', reason: 'known', merged_into: alertId(1) }
  expect((await call('GET', '/0002'))[1]).toMatchObject(closed)
  expect(await call('POST', '/0002/unmerge')).toMatchObject([200, { ...closed, merged_into: null }])
  expect(await call('PATCH', '/0002', { status: 'OPEN' })).toMatchObject([200, { status: 'OPEN' }])
  const { results } = (await call('GET', '/0001/timeline'))[1] as unknown as { results: { kind: string; detail: object }[] }
  expect(results.filter(({ kind }) => kind.endsWith('merged')).map(({ kind, detail }) => [kind, detail])).toEqual([
    ['merged', { alert_id: alertId(2) }],
    ['merged', { alert_id: alertId(3) }],
    ['unmerged', { alert_id: alertId(2) }],
  ])
})

test.each<[string, object | undefined, number, RegExp]>([
  ['/0001/merge', { ids: [] }, 400, /ids/],
  ['/0001/merge', { ids: Array.from({ length: 201 }, () => '0002') }, 400, /ids/],
  ['/0001/merge', { ids: ['0002'], into: 'x' }, 400, /into/],
  ['/0001/merge', { ids: ['0004', '0001'] }, 400, /into itself; nothing was merged/],
  ['/ffff/merge', { ids: ['0002'] }, 404, /no alert 'ffff'/],
  ['/0001/merge', { ids: ['0004', 'ffff'] }, 404, /no alert 'ffff'/],
  ['/0001/merge', { ids: ['0004', '0003'] }, 409, /is merged into 0002/],
  ['/0003/merge', { ids: ['0004'] }, 409, /is merged into 0002/],
  ['/0001/merge', { ids: ['0004', '0002'] }, 409, /other alerts are merged into 0002/],
  ['/ffff/unmerge', undefined, 404, /no alert 'ffff'/],
  ['/0001/unmerge', undefined, 409, /not merged into another/],
])('%s with %j is refused with %i, and nothing is merged', async (path, body, status, why) => {
  await call('POST', '/0002/merge', { ids: ['0003'] })
  expect(await call('POST', path, body)).toMatchObject([status, { detail: expect.stringMatching(why) }])
  expect((await engine.read.alert(alertId(4)))!.mergedInto).toBe(null)
})
