import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { createLog } from '../../telemetry/log.ts'
import { createApp } from '../app.ts'

let engine: FakeEngine

beforeEach(async () => {
  engine = await fakeEngine()
})

afterEach(() => engine.dispose())

async function call(path: string, method = 'GET', body?: object) {
  const app = createApp(engine, createLog({ isPretty: false, write: () => {} }))
  const answer = await app.request(`/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

test('a request is accepted with its defaults filled in', async () => {
  const letters = await call('replays', 'POST', { kind: 'dead-letters', reasons: ['wrong_type'] })
  expect(letters).toMatchObject({ status: 202, body: { id: '00', kind: 'dead-letters', dry_run: false, deliver: true } })
  const from = '2024-03-01T00:00:00+01:00'
  const events = await call('replays', 'POST', { kind: 'events', log_types: ['Zeek.SSH'], from, dry_run: true })
  expect(events.body).toMatchObject({ id: '01', dry_run: true, deliver: false, first_alerts: [{ alert_id: null }] })
  expect(engine.replaysNow.map(({ ask }) => ask)).toEqual([
    { kind: 'dead-letters', sources: [], reasons: ['wrong_type'], dryRun: false, deliver: true },
    {
      kind: 'events',
      logTypes: ['Zeek.SSH'],
      rules: [],
      by: 'event',
      fromMs: Date.parse(from),
      toMs: 8.64e15,
      dryRun: true,
      deliver: false,
    },
  ])
})

test.each<[string, object, string]>([
  ['a kind that there is not', { kind: 'everything' }, 'kind'],
  ['a key that there is not', { kind: 'dead-letters', source: 'web' }, 'source'],
  ['a source that there is not', { kind: 'dead-letters', sources: ['wbe'] }, "there is no source 'wbe'"],
  ['events without a range', { kind: 'events', log_types: ['Zeek.SSH'] }, 'from'],
  ['an invalid time', { kind: 'events', from: 'yesterday' }, 'from'],
  ['content that is not in force', { kind: 'dead-letters', generation: 'feed' }, 'a replay judges with what is'],
  ['a table of another day', { kind: 'dead-letters', table_versions: { tor_exit_nodes: '2020-01-01' } }, '2024-03-12'],
])('%s is refused with what to do', async (_, body, says) => {
  const answer = await call('replays', 'POST', body)
  expect(answer.status).toBe(400)
  expect(answer.body['detail']).toContain(says)
  expect(engine.replaysNow).toEqual([])
})

test('versions that are in force may be named', async () => {
  const { generation } = engine
  const body = { kind: 'dead-letters', generation, table_versions: { tor_exit_nodes: '2024-03-12' } }
  expect((await call('replays', 'POST', body)).status).toBe(202)
})

test('replays are listed newest first, shown and cancelled by their id', async () => {
  for (let i = 0; i < 2; i++) await call('replays', 'POST', { kind: 'dead-letters' })
  expect((await call('replays')).body['results']).toMatchObject([{ id: '01' }, { id: '00' }])
  const shown = await call('replays/00')
  expect(shown.body).toMatchObject({
    state: 'done',
    records: { read: 12, of: 12 },
    stored: 7,
    failing: { wrong_type: 5 },
    rules: [{ rule_id: 'Tor.SSH.Login', matches: 1, known: 3, last_error: null }],
    notes: ['It waits for the lake.'],
  })
  expect((await call('replays/01', 'DELETE')).body).toMatchObject({ id: '01', state: 'cancelled' })
  expect((await call('replays/07')).status).toBe(404)
  expect((await call('replays/07', 'DELETE')).status).toBe(404)
})
