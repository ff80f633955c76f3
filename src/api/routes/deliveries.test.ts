import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { createApp } from '../app.ts'

let engine: FakeEngine
beforeEach(async () => {
  engine = await fakeEngine()
  for (const n of [1, 2]) await engine.addAlert({ alertId: alertId(n) }, { title: `Alert ${n}` })
  await engine.addDelivery(alertId(1), 'soc', 'the webhook answered 401')
  await engine.addDelivery(alertId(1), 'chat')
  await engine.addDelivery(alertId(2), 'soc', 'the webhook answered 403')
})
afterEach(() => engine.dispose())

async function call(path: string, body?: object): Promise<{ status: number; json: Record<string, unknown> }> {
  const headers = { host: engine.config.listen, authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
  const answer = await createApp(engine).request(`http://${engine.config.listen}/api/v1/deliveries${path}`, init)
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
}

async function shown(query: string): Promise<string[]> {
  const { json } = await call(query)
  return (json['results'] as Record<string, string>[]).map((one) => `${one['title']} ${one['destination']} ${one['state']}`)
}

test('lists deliveries, newest first, with the alert and the reason', async () => {
  const { status, json } = await call('?limit=1')
  expect(status).toBe(200)
  expect(json).toEqual({
    next: expect.any(String),
    results: [
      {
        delivery_id: `${alertId(2)}-soc`,
        alert_id: alertId(2),
        title: 'Alert 2',
        severity: 'CRITICAL',
        destination: 'soc',
        kind: 'opened',
        state: 'dead',
        tries: 1,
        created_time: '1970-01-01T00:16:40.000Z',
        next_try_time: null,
        finished_time: '1970-01-01T00:16:40.500Z',
        error: 'the webhook answered 403',
        digest_id: null,
      },
    ],
  })
})

test.each([
  ['', ['Alert 2 soc dead', 'Alert 1 chat delivered', 'Alert 1 soc dead']],
  ['?state=dead', ['Alert 2 soc dead', 'Alert 1 soc dead']],
  ['?destination=chat', ['Alert 1 chat delivered']],
  ['?alert=0001&state=dead', ['Alert 1 soc dead']],
  ['?destination=nowhere', []],
])('filters by %s', async (query, wanted) => {
  expect(await shown(query)).toEqual(wanted)
})

describe('resend', () => {
  test('makes the dead ones due again, from the first attempt on, and leaves the others alone', async () => {
    expect(await call('/resend', { alert: '0001' })).toEqual({ status: 200, json: { resent: 1 } })
    // Made due again is as good as new: it is listed first.
    expect(await shown('')).toEqual(['Alert 1 soc pending', 'Alert 2 soc dead', 'Alert 1 chat delivered'])
    const [again] = (await call('')).json['results'] as Record<string, unknown>[]
    expect(again).toMatchObject({ tries: 0, error: null, next_try_time: '1970-01-01T00:33:20.000Z', finished_time: null })
    // Asking twice changes nothing.
    expect((await call('/resend', { alert: '0001' })).json).toEqual({ resent: 0 })
  })

  test.each([
    [{ destination: 'soc' }, 2],
    [{ destination: 'soc', alert: '0002' }, 1],
    [{ delivery_ids: [`${alertId(2)}-soc`, `${alertId(1)}-chat`, 'unknown'] }, 1],
    [{ destination: 'chat' }, 0],
  ])('%o sends %i', async (ask, resent) => {
    expect((await call('/resend', ask)).json).toEqual({ resent })
  })

  test.each([
    [{}, 400, 'say which deliveries to send again'],
    [{ delivery_ids: [] }, 400, 'delivery_ids'],
    [{ everything: true }, 400, 'everything'],
    [{ alert: 'ffff' }, 404, 'ffff'],
  ])('%o is refused with %i', async (ask, status, says) => {
    const answer = await call('/resend', ask)
    expect(answer.status).toBe(status)
    expect(JSON.stringify(answer.json)).toContain(says)
  })
})
