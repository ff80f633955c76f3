import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import type { IndicatorField } from '../../model/event.ts'
import type { RiskEntity } from '../../model/risk.ts'
import { openState, type StateDb } from '../../state/db.ts'
import { saveRisk } from '../../state/risk.ts'
import { createApp } from '../app.ts'

const HOUR_MS = 3_600_000
const risk = { threshold: 100, half_life_hours: 24, entities: ['usernames', 'ip_addresses'], max_entities: 1000 }
let engine: FakeEngine
let db: StateDb

beforeEach(async () => {
  engine = await fakeEngine({ risk })
  db = await openState(engine.config.data_dir)
})
afterEach(async () => {
  await db.destroy()
  await engine.dispose()
})

interface Page {
  readonly results: { readonly kind: string; readonly entity: string; readonly score: number; readonly rules: object[] }[]
  readonly next: string | null
}

async function get<T = Page>(path: string, token = TOKEN): Promise<{ status: number; body: T }> {
  const response = await createApp(engine).request(`/api/v1/risk${path}`, { headers: { authorization: `Bearer ${token}` } })
  return { status: response.status, body: (await response.json()) as T }
}

const entity = (field: IndicatorField, value: string, score: number, atMs: number): RiskEntity => ({
  ...{ field, value, score, atMs, isAlerted: score >= 100 },
  shares: [
    { ruleId: 'Other', points: 1, times: 1, lastMs: atMs },
    { ruleId: 'Tor.SSH.Login', points: score - 1, times: 2, lastMs: atMs },
  ],
})
const save = (entities: readonly RiskEntity[]) =>
  db.transaction().execute((tx) => saveRisk(tx, { entities, halfLifeMs: 24 * HOUR_MS, maxEntities: 1000 }))

const named = ({ body }: { body: Page }) => body.results.map(({ entity }) => entity)

test('entities are listed by what is left of their risk, page by page', async () => {
  const nowMs = Date.now()
  // 120 of two days ago is 30 now.
  await save([
    entity('p_any_usernames', 'ana', 120, nowMs - 48 * HOUR_MS),
    entity('p_any_usernames', 'bo', 40, nowMs),
    entity('p_any_usernames', 'anabel', 20, nowMs),
    entity('p_any_ip_addresses', '192.0.2.1', 35, nowMs),
  ])
  const all = await get('')
  expect(all.body).toMatchObject({ threshold: 100, half_life_hours: 24, next: null })
  expect(all.body.results.map(({ entity, score }) => [entity, score])).toEqual([
    ['bo', 40],
    ['192.0.2.1', 35],
    ['ana', 30],
    ['anabel', 20],
  ])
  const pages: string[] = []
  for (let next: string | null = ''; next !== null; ) {
    const page: { body: Page } = await get(`?limit=1${next && `&cursor=${next}`}`)
    pages.push(...named(page))
    next = page.body.next
  }
  expect(pages).toEqual(named(all))
  expect(named(await get('?kind=user&prefix=ANA'))).toEqual(['ana', 'anabel'])
  expect(named(await get('?kind=ip'))).toEqual(['192.0.2.1'])
  expect(named(await get('?min_score=29'))).toEqual(['bo', '192.0.2.1', 'ana'])
  expect(named(await get(`?prefix=${encodeURIComponent("a%' OR '1'='1")}`))).toEqual([])
  expect((await get('?cursor=WzFd')).status).toBe(400)
})

test('one entity is found in any spelling, with what each rule has contributed', async () => {
  await save([entity('p_any_usernames', 'ana', 41, Date.now()), entity('p_any_ip_addresses', '2001:db8::1', 5, Date.now())])
  expect((await get('/entity?kind=user&entity=ANA')).body).toMatchObject({
    ...{ kind: 'user', entity: 'ana', score: 41, alerted: false },
    rules: [
      { rule_id: 'Tor.SSH.Login', name: 'SSH login from a Tor exit node', points: 40, times: 2 },
      { rule_id: 'Other', name: null, points: 1, times: 1 },
    ],
  })
  expect((await get('/entity?kind=ip&entity=2001:0DB8:0::1')).body).toMatchObject({ entity: '2001:db8::1' })
  expect((await get('/entity?kind=ip&entity=ana')).status).toBe(404)
})

test('who may only see some log types sees no risk, because rules of all log types add up to it', async () => {
  const response = await createApp(engine).request('/api/v1/tokens', {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'shop', role: 'analyst', log_types: ['Zeek.*'] }),
  })
  const { token } = (await response.json()) as { token: string }
  for (const path of ['', '/entity?kind=user&entity=ana']) expect((await get(path, token)).status).toBe(403)
})

test('without risk in the configuration, the answer says so', async () => {
  const off = await fakeEngine()
  const response = await createApp(off).request('/api/v1/risk', { headers: { authorization: `Bearer ${TOKEN}` } })
  expect(await response.json()).toEqual({ results: [], next: null, threshold: null, half_life_hours: null })
  await off.dispose()
})
