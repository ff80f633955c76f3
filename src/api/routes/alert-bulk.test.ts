import { afterEach, beforeEach, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { createApp } from '../app.ts'

let engine: FakeEngine

beforeEach(async () => {
  engine = await fakeEngine()
  for (const n of [1, 2, 3]) await engine.addAlert({ alertId: alertId(n), ruleId: n === 3 ? 'B' : 'A' })
})

afterEach(() => engine.dispose())

interface Answer {
  readonly detail?: string
  readonly results?: { id: string; outcome: string; message: string | null; alert: { status: string } | null }[]
}

async function patch(body: object): Promise<[status: number, body: Answer]> {
  const response = await createApp(engine).request('/api/v1/alerts', {
    method: 'PATCH',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return [response.status, (await response.json()) as Answer]
}

const statusOf = async (n: number) => (await engine.read.alert(alertId(n)))!.status

test('each named alert is changed or reported, whatever becomes of the others', async () => {
  const change = { status: 'CLOSED', reason: 'a test' }
  await patch({ ids: ['0002'], change })
  const [status, { results }] = await patch({ ids: ['0001', 'ffff', '0002', '0001', 'x'], change })
  expect(status).toBe(200)
  expect(results!.map(({ id, outcome, alert }) => [id, outcome, alert?.status])).toEqual([
    ['0001', 'changed', 'CLOSED'],
    ['ffff', 'not_found', undefined],
    ['0002', 'unchanged', 'CLOSED'],
    ['x', 'not_found', undefined],
  ])
  expect(results!.map(({ message }) => message)).toEqual([
    null,
    expect.stringContaining("no alert 'ffff'"),
    null,
    expect.anything(),
  ])
  expect(await statusOf(3)).toBe('OPEN')
})

test('an alert that would have too many tags is reported with the reason, and the others are changed', async () => {
  await patch({ ids: ['0001'], change: { add_tags: Array.from({ length: 50 }, (_, i) => `t${i}`) } })
  const [, { results }] = await patch({ ids: ['0001', '0002'], change: { add_tags: ['more'] } })
  expect(results!.map(({ outcome, message }) => [outcome, message])).toEqual([
    ['too_many', expect.stringContaining('at most 50')],
    ['changed', null],
  ])
})

test('a filter changes what the list shows with it, and nothing else', async () => {
  await engine.addAlert({ alertId: alertId(4), ruleId: 'A', mutedBy: 'm1' })
  const [, { results }] = await patch({ filter: { rule: 'A', status: 'OPEN' }, change: { status: 'TRIAGED' } })
  expect(results!.map(({ id }) => id).sort()).toEqual([alertId(1), alertId(2)])
  expect(await Promise.all([1, 2, 3, 4].map(statusOf))).toEqual(['TRIAGED', 'TRIAGED', 'OPEN', 'OPEN'])
  expect(await patch({ filter: { rule: 'none' }, change: { status: 'CLOSED' } })).toEqual([200, { results: [] }])
})

test('a filter that chooses more than 1000 alerts changes none of them, and 1000 are changed', async () => {
  for (let n = 4; n <= 1003; n++) await engine.addAlert({ alertId: alertId(n), ruleId: n === 1003 ? 'B' : 'C' })
  const change = { owner: 'ana' }
  const [status, { detail }] = await patch({ filter: { severity: ['CRITICAL'] }, change })
  expect([status, detail]).toEqual([409, expect.stringContaining('more than 1000')])
  expect((await engine.read.alert(alertId(1)))!.owner).toBe(null)
  const [, { results }] = await patch({ ids: Array.from({ length: 1000 }, (_, i) => alertId(i + 1)), change })
  expect(results!.filter(({ outcome }) => outcome === 'changed')).toHaveLength(1000)
})

test.each<[object, RegExp]>([
  [{ change: { status: 'CLOSED' } }, /either `ids` or `filter`/],
  [{ ids: ['0001'], filter: { rule: 'A' }, change: { status: 'CLOSED' } }, /either `ids` or `filter`/],
  [{ ids: [], change: { status: 'CLOSED' } }, /ids/],
  [{ ids: Array.from({ length: 1001 }, () => '0001'), change: { status: 'CLOSED' } }, /ids/],
  [{ ids: ['0001'] }, /change/],
  [{ ids: ['0001'], change: {} }, /nothing to change/],
  [{ ids: ['0001'], change: { status: 'DONE' } }, /status/],
  [{ filter: {}, change: { status: 'CLOSED' } }, /every alert/],
  [{ filter: { rules: 'A' }, change: { status: 'CLOSED' } }, /rules/],
  [{ filter: { since: 'today' }, change: { status: 'CLOSED' } }, /since/],
])('%j is refused and changes nothing', async (body, why) => {
  const [status, { detail }] = await patch(body)
  expect([status, detail]).toEqual([400, expect.stringMatching(why)])
  expect(await statusOf(1)).toBe('OPEN')
})
