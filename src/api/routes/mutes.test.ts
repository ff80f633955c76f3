import { afterEach, beforeEach, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { CROWD_DEDUP } from '../../model/alert.ts'
import { createApp } from '../app.ts'

let engine: FakeEngine

beforeEach(async () => {
  engine = await fakeEngine()
})

afterEach(() => engine.dispose())

async function call(method: string, path: string, body?: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await createApp(engine).request(`/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const soon = () => new Date(Date.now() + 3_600_000).toISOString()
const rest = () => ({ owner: 'ana', reason: 'our scanner', expires: soon() })

test('a mute is made, listed, shown and ended', async () => {
  const match = { rule: 'Tor.*', indicator: '192.0.2.7', severities: ['LOW'], log_type: 'Zeek.*' }
  const made = await call('POST', 'mutes', { match, ...rest() })
  expect(made).toMatchObject({ status: 200, body: { state: 'active', match, owner: 'ana', by: 'cli', matches: 0, alerts: 0 } })
  const id = String(made.body['mute_id'])
  expect((await call('GET', 'mutes')).body).toEqual({ results: [made.body], next: null })
  expect((await call('GET', `mutes/${id.slice(0, 8)}`)).body).toEqual(made.body)
  for (let i = 0; i < 2; i++)
    expect((await call('POST', `mutes/${id}/end`)).body).toMatchObject({ state: 'ended', ended_by: 'cli' })
  expect((await call('GET', 'mutes')).body['results']).toEqual([])
  expect((await call('GET', 'mutes?state=over')).body['results']).toHaveLength(1)
})

test('with an id of its own, a repeated call makes one mute, and another mute cannot have it', async () => {
  const body = { id: '00ff00ff', match: { rule: 'R' }, ...rest() }
  const first = await call('POST', 'mutes', body)
  expect(await call('POST', 'mutes', body)).toEqual(first)
  expect(await call('POST', 'mutes', { ...body, reason: 'x' })).toMatchObject({ status: 409, body: { code: 'conflict' } })
})

test('snoozing an alert mutes its rule and exactly its dedup string', async () => {
  await engine.addAlert({ alertId: alertId(1), ruleId: 'R*' }, { dedup: 'a*\\b' })
  expect(await call('POST', 'alerts/0001/snooze', rest())).toMatchObject({
    status: 200,
    body: { match: { rule: 'R*', dedup: 'a*\\b', exact: true } },
  })
})

test('an alert that collects many dedup strings cannot be snoozed, because no match has its dedup string', async () => {
  await engine.addAlert({ alertId: alertId(1), ruleId: 'Many' }, { dedup: CROWD_DEDUP })
  expect(await call('POST', 'alerts/0001/snooze', rest())).toMatchObject({
    status: 409,
    body: { code: 'conflict', detail: expect.stringMatching(/mute its rule instead, Many/) },
  })
})

test("an alert of a scheduled rule is snoozed as a rule's is", async () => {
  await engine.addAlert({ alertId: alertId(1), ruleId: 'Hunt' }, { type: 'SCHEDULED_RULE', dedup: 'd' })
  expect(await call('POST', 'alerts/0001/snooze', rest())).toMatchObject({ status: 200, body: { match: { rule: 'Hunt' } } })
})

test.each(['SYSTEM', 'RULE_ERROR', 'SCHEDULED_RULE_ERROR'] as const)('an alert of type %s cannot be snoozed', async (type) => {
  await engine.addAlert({ alertId: alertId(1) }, { type })
  expect(await call('POST', 'alerts/0001/snooze', rest())).toMatchObject({ status: 409, body: { code: 'conflict' } })
})

test.each<[string, string, object | undefined, number, RegExp]>([
  ['POST', 'mutes', { match: {}, ...rest() }, 400, /needs a criterion/],
  ['POST', 'mutes', { match: { exact: true }, ...rest() }, 400, /needs a criterion/],
  ['POST', 'mutes', { match: { rule: '' }, ...rest() }, 400, /rule/],
  ['POST', 'mutes', { match: { rul: 'x' }, ...rest() }, 400, /rul/],
  ['POST', 'mutes', { match: { severities: ['low'] }, ...rest() }, 400, /severities/],
  ['POST', 'mutes', { match: { rule: 'R' }, ...rest(), reason: ' ' }, 400, /needs a reason/],
  ['POST', 'mutes', { match: { rule: 'R' }, ...rest(), owner: undefined }, 400, /owner/],
  ['POST', 'mutes', { match: { rule: 'R' }, owner: 'a', reason: 'b' }, 400, /expires/],
  ['POST', 'mutes', { match: { rule: 'R' }, ...rest(), expires: '2020-01-01T00:00:00Z' }, 400, /within a year/],
  ['POST', 'mutes', { match: { rule: 'R' }, ...rest(), expires: '9999-01-01T00:00:00Z' }, 400, /within a year/],
  ['GET', 'mutes?state=gone', undefined, 400, /state/],
  ['GET', 'mutes/ffff', undefined, 404, /no mute 'ffff'/],
  ['POST', 'mutes/ffff/end', undefined, 404, /no mute 'ffff'/],
  ['POST', 'alerts/ffff/snooze', rest(), 404, /no alert 'ffff'/],
])('%s %s with %j is refused with %i', async (method, path, body, status, why) => {
  const answer = await call(method, path, body)
  expect([answer.status, answer.body['detail']]).toEqual([status, expect.stringMatching(why)])
})
