import { afterEach, beforeEach, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { createApp } from '../app.ts'

let engine: FakeEngine

beforeEach(async () => {
  engine = await fakeEngine()
})

afterEach(() => engine.dispose())

async function text(path: string, init: RequestInit = {}): Promise<string> {
  const headers = { authorization: `Bearer ${TOKEN}`, ...(init.body !== undefined && { 'content-type': 'application/json' }) }
  const response = await createApp(engine).request(path, { ...init, headers })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json')
  return response.text()
}

interface Page {
  readonly results: { readonly alert_id: string }[]
  readonly next: string | null
}

async function page(query: string): Promise<Page> {
  return JSON.parse(await text(`/api/v1/alerts?${query}`)) as Page
}

test('paging returns every alert once, newest first, even if many were raised in the same millisecond', async () => {
  const made = Array.from({ length: 23 }, (_, i) => ({ alertId: alertId(i + 1), createdMs: 1_000_000 + Math.floor(i / 5) }))
  for (const alert of made) await engine.addAlert(alert)
  const expected = made
    .toSorted((a, b) => b.createdMs - a.createdMs || (a.alertId < b.alertId ? 1 : -1))
    .map((alert) => alert.alertId)
  for (const limit of [1, 4, 22, 23, 24]) {
    const seen: string[] = []
    let cursor = ''
    for (;;) {
      const { results, next } = await page(`limit=${limit}${cursor}`)
      seen.push(...results.map((alert) => alert.alert_id))
      if (next === null) break
      expect(results).toHaveLength(limit)
      cursor = `&cursor=${next}`
    }
    expect(seen).toEqual(expected)
  }
})

test('filters are combined, and a window below its threshold is not an alert', async () => {
  await engine.addAlert({ alertId: alertId(1), severity: 'HIGH', ruleId: 'A' })
  await engine.addAlert({ alertId: alertId(2), severity: 'HIGH', ruleId: 'B' })
  await engine.addAlert({ alertId: alertId(3), severity: 'LOW', ruleId: 'B' })
  await engine.addAlert({ alertId: alertId(4), severity: 'HIGH', ruleId: 'B', opened: false })
  await engine.desk({ do: 'change', alertIds: [alertId(2)], change: { status: 'TRIAGED' }, by: 'ana' })
  const ids = async (query: string) => (await page(query)).results.map((alert) => alert.alert_id)
  expect(await ids('severity=HIGH')).toEqual([alertId(2), alertId(1)])
  expect(await ids('rule=B')).toEqual([alertId(3), alertId(2)])
  expect(await ids('severity=HIGH&rule=B&status=TRIAGED')).toEqual([alertId(2)])
  expect(await ids('status=CLOSED')).toEqual([])
})

const EVENT = `{"id_orig_h":"45.139.122.241","n":9007199254740993,"p_enrichment":{"tor_exit_nodes":{"id_orig_h":{"ip":"45.139.122.241","seen":12345678901234567890,"p_match":"45.139.122.241","p_version":"2024-03-12"}},"hosts":{"p_any_ip_addresses":[{"name":"a","p_match":"10.0.0.1","p_version":"v1"},{"name":"b","p_match":"10.0.0.2","p_version":"v1"}]},"p_any_domain_names":["a.example"]}}`

test('an alert shows why: rows with table and version, exact context and event, and where it was sent', async () => {
  const context = '{"id":9007199254740993,"ratio":1.0}'
  await engine.addAlert({ alertId: alertId(5) }, { context, sampleEvent: EVENT, functionErrors: { runbook: 'KeyError' } })
  await engine.addDelivery(alertId(5), 'soc', 'the webhook answered 410')
  await engine.addDelivery(alertId(5), 'stdout')
  const shown = await text(`/api/v1/alerts/${alertId(5)}`)
  expect(shown).toContain(`"context":${context},`)
  expect(shown).toContain(`"sample_event":${EVENT},`)
  expect(shown).toContain('"seen":12345678901234567890')
  const alert = JSON.parse(shown) as Record<string, unknown> & { enrichment: object[] }
  expect(alert.enrichment.map((found) => ({ ...found, row: undefined }))).toEqual([
    { table: 'tor_exit_nodes', selector: 'id_orig_h', match: '45.139.122.241', version: '2024-03-12' },
    { table: 'hosts', selector: 'p_any_ip_addresses', match: '10.0.0.1', version: 'v1' },
    { table: 'hosts', selector: 'p_any_ip_addresses', match: '10.0.0.2', version: 'v1' },
  ])
  expect(alert).toMatchObject({
    title: 'SSH Connection Established from TOR Exit Node (45.139.122.241)',
    runbook: 'Ask the owner of the account.',
    latency_ms: 21,
    function_errors: { runbook: 'KeyError' },
    deliveries: [
      { destination: 'soc', state: 'dead', tries: 1, next_try_time: null, error: 'the webhook answered 410' },
      { destination: 'stdout', state: 'delivered', tries: 1, error: null },
    ],
  })
})

test('a unique prefix of an id is enough', async () => {
  await engine.addAlert({ alertId: `abcd${'1'.repeat(28)}` })
  await engine.addAlert({ alertId: `abce${'1'.repeat(28)}` })
  expect(JSON.parse(await text('/api/v1/alerts/abcd'))).toMatchObject({ alert_id: `abcd${'1'.repeat(28)}` })
})

test('a status that was set is shown', async () => {
  await engine.addAlert({ alertId: alertId(6) })
  const answer = await text(`/api/v1/alerts/${alertId(6)}`, { method: 'PATCH', body: '{"status":"RESOLVED"}' })
  expect(JSON.parse(answer)).toMatchObject({ status: 'RESOLVED', updated_time: '1970-01-01T00:33:20.000Z' })
})

/** What the lake answers: rows of these times and ids. */
const lakeRows = (rows: readonly string[]) => ({
  columns: [
    { name: 'p_event_time', type: 'DateTime64(9)' },
    { name: 'p_row_id', type: 'String' },
    { name: 'n', type: 'Int64' },
    { name: 'note', type: 'Nullable(String)' },
  ],
  rows,
  truncated: false,
  ms: 1,
})

test('events come from the table of each log type, exactly as the lake has them, without nulls', async () => {
  await engine.addAlert({ alertId: alertId(7) }, { logTypes: ['Zeek.SSH', 'Custom.Net stat"; DROP'] })
  engine.answer = async () =>
    lakeRows(['["2024-01-01T00:00:00Z","C1,\\"",9007199254740993,null]', '["2024-01-01T00:00:00Z","C2",2,"x"]'])
  expect(await text(`/api/v1/alerts/${alertId(7)}/events`)).toBe(
    '{"results":[{"p_event_time":"2024-01-01T00:00:00Z","p_row_id":"C1,\\"","n":9007199254740993},{"p_event_time":"2024-01-01T00:00:00Z","p_row_id":"C2","n":2,"note":"x"}],"next":null}',
  )
  expect(engine.queries.map(({ sql, options }) => [sql, options.params, options.fresh])).toEqual([
    [
      "SELECT * FROM matches.zeek_ssh WHERE p_alert_id = {alert:String} ORDER BY p_event_time, ifNull(p_row_id, '') LIMIT {limit:UInt32}",
      { alert: alertId(7), limit: 101 },
      true,
    ],
  ])
})

test('the events of an alert are read page by page, through all tables, also those without an id', async () => {
  await engine.addAlert({ alertId: alertId(7) }, { logTypes: ['Zeek.SSH', 'Zeek.DNS'] })
  const lake: Record<string, readonly (readonly [time: string, rowId: string | null])[]> = {
    'matches.zeek_ssh': [
      ['2024-01-01T00:00:00Z', 'a'],
      ['2024-01-01T00:00:01Z', null],
      ['2024-01-01T00:00:01Z', null],
      ['2024-01-01T00:00:01Z', null],
      ['2024-01-01T00:00:01Z', 'b'],
    ],
    'matches.zeek_dns': [
      ['2024-01-01T00:00:00Z', 'c'],
      ['2024-01-02T00:00:00Z', 'd'],
    ],
  }
  // As the lake answers such a statement.
  engine.answer = async ({ sql, options: { params = {} } }) => {
    const all = lake[/FROM (\S+)/.exec(sql)![1]!]!.map(([time, id], i) => ({ time, id, i }))
    const { time, row, same = 0, limit } = params as { time?: string; row?: string; same?: number; limit: number }
    const rest = all.filter((one) => time === undefined || one.time > time || (one.time === time && (one.id ?? '') >= row!))
    const page = rest.slice(sql.includes('OFFSET') ? same : 0).slice(0, limit)
    return lakeRows(page.map((one) => JSON.stringify([one.time, one.id, one.i, null])))
  }
  for (const limit of [1, 2, 3, 100]) {
    const found: string[] = []
    for (let next: string | null = ''; next !== null; ) {
      const page = JSON.parse(
        await text(`/api/v1/alerts/${alertId(7)}/events?limit=${limit}${next && `&cursor=${encodeURIComponent(next)}`}`),
      ) as { results: { p_row_id?: string; n: number }[]; next: string | null }
      expect(page.results.length).toBeLessThanOrEqual(limit)
      found.push(...page.results.map(({ p_row_id = '-', n }) => `${p_row_id}${n}`))
      next = page.next
    }
    expect([limit, found]).toEqual([limit, ['a0', '-1', '-2', '-3', 'b4', 'c0', 'd1']])
  }
  const other = Buffer.from('["logs.users","2024-01-01T00:00:00Z","a",1]').toString('base64url')
  const path = `/api/v1/alerts/${alertId(7)}/events?cursor=${other}`
  expect((await createApp(engine).request(path, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(400)
})

test.each([
  ['a scheduled rule', ['query/Users with failures']],
  ['a correlation rule', []],
])('the events of an alert of %s are its signals', async (_name, logTypes) => {
  await engine.addAlert({ alertId: alertId(9) }, { logTypes })
  await text(`/api/v1/alerts/${alertId(9)}/events`)
  expect(engine.queries[0]?.sql).toMatch(/FROM signals\.correlation_signals WHERE p_alert_id .* ORDER BY p_event_time/)
})

test('the events of a rule error are the errors', async () => {
  await engine.addAlert({ alertId: alertId(8) }, { type: 'RULE_ERROR' })
  await text(`/api/v1/alerts/${alertId(8)}/events`)
  expect(engine.queries[0]?.sql).toContain('FROM monitor.rule_errors WHERE p_alert_id')
})
