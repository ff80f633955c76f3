import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seeded } from '../../../test/support/random.ts'
import { type Config, configSchema } from '../../config/config.ts'
import type { Engine } from '../../engine/engine.ts'
import type { TableSpec } from '../../model/column.ts'
import { type ChdbLake, createChdbLake } from '../../stages/store/chdb.ts'
import { insertInto } from '../../stages/store/insert.fixture.ts'
import type { Filter } from './filters.ts'
import { fieldSummary, type SearchAsk, search } from './search.ts'

const START_MS = Date.parse('2024-04-19T08:00:00Z')
const RANGE = { sinceMs: START_MS, untilMs: START_MS + 3_600_000 }
const folder = mkdtempSync(join(tmpdir(), 'caracal-search-'))
const never = new AbortController().signal
let lake: ChdbLake
let engine: Pick<Engine, 'query' | 'config'>

interface Event {
  readonly id: string
  readonly ms: number
  readonly user: string | null
  readonly bytes: number | null
  readonly ok: boolean | null
  readonly detail: { readonly from: { readonly name: string; readonly n: number }; readonly list: string[] }
  readonly ips: string[]
}

/** Texts that would do harm if they were SQL, and some that are only odd. */
const HOSTILE = [
  "' OR 1=1 --",
  "\\' OR 1=1 --",
  "') UNION ALL SELECT name, name, name FROM system.users --",
  '{v0:String}',
  '{v1:Identifier}',
  '`; DROP TABLE logs.shop_login; --',
  '%',
  '_',
  '*/ 1 /*',
  '\\',
  '\u0000',
  '$x$',
  "{'a':1}",
  'ünïcode 😀',
]
const USERS = ['ana', 'Bob', 'carl', '', ...HOSTILE.filter((text) => text !== '\u0000')]
const IPS = ['192.0.2.1', '192.0.2.200', '198.51.100.7', '2001:db8::9', 'not an address']
const events: Event[] = []

function table(name: string): TableSpec {
  const required = ['p_event_time', 'p_parse_time'].map((one) => ({ name: one, kind: 'timestamp' as const, required: true }))
  const texts = ['p_row_id', 'p_log_type', 'p_source_id', 'p_source_label'].map((one) => ({
    name: one,
    kind: 'string' as const,
    required: true,
  }))
  const own = [
    { name: 'user', kind: 'string' as const },
    { name: 'bytes', kind: 'bigint' as const },
    { name: 'ok', kind: 'boolean' as const },
    { name: 'detail', kind: 'json' as const },
    { name: 'p_any_ip_addresses', kind: 'strings' as const, required: true },
  ]
  return { database: 'logs', table: name, timeColumn: 'p_event_time', columns: [...required, ...texts, ...own] }
}

beforeAll(async () => {
  lake = await createChdbLake({ dataDir: folder, fsync: false })
  const random = seeded(11)
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  for (let n = 0; n < 400; n++) {
    events.push({
      id: n.toString(16).padStart(16, '0'),
      ms: START_MS + Math.floor(random() * 3_600_000),
      user: random() < 0.1 ? null : one(USERS),
      bytes: random() < 0.1 ? null : Math.floor(random() * 100),
      ok: random() < 0.1 ? null : random() < 0.5,
      detail: { from: { name: one(USERS), n: Math.floor(random() * 3) }, list: [one(USERS)] },
      ips: random() < 0.2 ? [] : [one(IPS), one(IPS)],
    })
  }
  for (const [name, logType, part] of [
    ['shop_login', 'Shop.Login', events.slice(0, 300)],
    ['shop_logout', 'Shop.Logout', events.slice(300)],
  ] as const) {
    const spec = table(name)
    await lake.ensure(spec)
    const rows = part.map(({ id, ms, user, bytes, ok, detail, ips }) => {
      const time = new Date(ms).toISOString()
      return [time, time, id, logType, 's', 'shop', user, bytes, ok, JSON.stringify(detail), ips]
    })
    expect(await insertInto(lake, spec, rows, name)).toEqual([])
  }
  const other = table('other_log')
  await lake.ensure({ ...other, columns: other.columns.filter(({ name }) => name !== 'user') })
  const config = { ...configSchema.parse({}) } as Config
  engine = { config, query: (sql, options = {}) => lake.query(sql, options) }
})
afterAll(async () => {
  await lake.close()
  rmSync(folder, { recursive: true, force: true })
})

const ask = (filters: readonly Filter[], more: Partial<SearchAsk> = {}): SearchAsk => ({
  logTypes: ['Shop.Login', 'Shop.Logout'],
  filters,
  text: undefined,
  range: RANGE,
  signal: never,
  ...more,
})

async function idsOf(asked: SearchAsk): Promise<string[]> {
  const { events: found } = await search(engine, asked, { after: undefined, skip: 0, limit: 1000, withHistogram: false })
  return found.map(({ rowId }) => rowId).sort()
}

const fits = (test: (event: Event) => boolean) =>
  events
    .filter(test)
    .map(({ id }) => id)
    .sort()
const text = (value: string | null) => value ?? ''
const has = (value: string, part: string) => value.toLowerCase().includes(part.toLowerCase())

const CASES: [Filter, (event: Event) => boolean][] = [
  [{ field: 'user', op: 'equals', values: ['ana', 'Bob'] }, ({ user }) => user === 'ana' || user === 'Bob'],
  [{ field: 'user', op: 'not_equals', values: ['ana'] }, ({ user }) => user !== 'ana'],
  [{ field: 'user', op: 'exists', values: [] }, ({ user }) => text(user) !== ''],
  [{ field: 'user', op: 'missing', values: [] }, ({ user }) => text(user) === ''],
  [{ field: 'user', op: 'contains', values: ['AN'] }, ({ user }) => has(text(user), 'an')],
  [{ field: 'user', op: 'not_contains', values: ['a'] }, ({ user }) => !has(text(user), 'a')],
  [{ field: 'user', op: 'starts_with', values: ['B', 'c'] }, ({ user }) => /^[Bc]/.test(text(user))],
  [{ field: 'user', op: 'ends_with', values: ['l'] }, ({ user }) => text(user).endsWith('l')],
  [{ field: 'bytes', op: 'equals', values: [7, '8'] }, ({ bytes }) => bytes === 7 || bytes === 8],
  [{ field: 'bytes', op: 'not_equals', values: [7] }, ({ bytes }) => bytes !== 7],
  [{ field: 'bytes', op: 'greater', values: [90] }, ({ bytes }) => bytes !== null && bytes > 90],
  [{ field: 'bytes', op: 'less_or_equal', values: ['3'] }, ({ bytes }) => bytes !== null && bytes <= 3],
  [{ field: 'bytes', op: 'missing', values: [] }, ({ bytes }) => bytes === null],
  [{ field: 'bytes', op: 'equals', values: ["7' OR 1=1 --"] }, () => false],
  [{ field: 'bytes', op: 'contains', values: ['9'] }, ({ bytes }) => String(bytes ?? '').includes('9')],
  [{ field: 'ok', op: 'equals', values: [true] }, ({ ok }) => ok === true],
  [{ field: 'ok', op: 'not_equals', values: ['true'] }, ({ ok }) => ok !== true],
  [{ field: 'detail.from.name', op: 'equals', values: ['ana'] }, ({ detail }) => detail.from.name === 'ana'],
  [{ field: 'detail.from.n', op: 'equals', values: [2] }, ({ detail }) => detail.from.n === 2],
  [{ field: 'detail.list.0', op: 'equals', values: ['Bob'] }, ({ detail }) => detail.list[0] === 'Bob'],
  [{ field: 'detail.nothing', op: 'missing', values: [] }, () => true],
  [{ field: 'p_any_ip_addresses', op: 'contains', values: ['198.51'] }, ({ ips }) => ips.includes('198.51.100.7')],
  [{ field: 'p_any_ip_addresses', op: 'missing', values: [] }, ({ ips }) => ips.length === 0],
  [
    { field: 'p_any_ip_addresses', op: 'in_network', values: ['192.0.2.0/25', '2001:db8::/32'] },
    ({ ips }) => ips.includes('192.0.2.1') || ips.includes('2001:db8::9'),
  ],
  [
    { field: 'p_any_ip_addresses', op: 'not_in_network', values: ['0.0.0.0/0'] },
    ({ ips }) => !ips.some((ip) => /^\d+\.\d/.test(ip)),
  ],
  [{ field: 'p_event_time', op: 'less', values: ['2024-04-19T08:10:00Z'] }, ({ ms }) => ms < Date.parse('2024-04-19T08:10:00Z')],
  [{ field: 'p_log_type', op: 'equals', values: ['Shop.Logout'] }, ({ id }) => Number.parseInt(id, 16) >= 300],
]

test.each(CASES)('%j finds what it says', async (filter, fit) => {
  expect(await idsOf(ask([filter]))).toEqual(fits(fit))
})

test('filters together, the text of all fields, pages, and the bars are about the same events', async () => {
  const filters: Filter[] = [{ field: 'bytes', op: 'less', values: [60] }]
  const fit = ({ bytes, user, detail, ips }: Event) =>
    bytes !== null && bytes < 60 && [text(user), JSON.stringify(detail), ...ips].some((one) => has(one, 'ANA'))
  const asked = ask(filters, { text: 'ANA' })
  expect(await idsOf(asked)).toEqual(fits(fit))
  const found: number[] = []
  let [after, bars] = [undefined, 0] as [Parameters<typeof search>[2]['after'], number]
  do {
    const page = await search(engine, asked, { after, skip: 0, limit: 7, withHistogram: after === undefined })
    found.push(...page.events.map(({ time }) => Date.parse(time)))
    bars += page.histogram?.bars.reduce((sum, { events: n }) => sum + n, 0) ?? 0
    after = page.next
  } while (after)
  const expected = events.filter(fit).map(({ ms }) => ms)
  expect(found).toEqual(expected.sort((a, b) => b - a))
  expect(bars).toBe(expected.length)
})

test('a page from the middle has the events that reading from the start would get there, and goes on with its cursor', async () => {
  const asked = ask([{ field: 'bytes', op: 'less', values: [60] }])
  const read = (skip: number, after?: Parameters<typeof search>[2]['after']) =>
    search(engine, asked, { after, skip, limit: 20, withHistogram: false })
  const whole = await search(engine, asked, { after: undefined, skip: 0, limit: 1000, withHistogram: false })
  const ids = whole.events.map(({ rowId }) => rowId)
  expect(ids.length).toBeGreaterThan(100)
  for (const skip of [1, 57, ids.length - 5, ids.length, ids.length + 5]) {
    const { events: found, next } = await read(skip)
    expect(found.map(({ rowId }) => rowId)).toEqual(ids.slice(skip, skip + 20))
    expect(next === undefined).toBe(skip + 20 >= ids.length)
  }
  const { next } = await read(57)
  expect((await read(0, next)).events.map(({ rowId }) => rowId)).toEqual(ids.slice(77, 97))
})

test('without log types, those are searched that have the fields', async () => {
  const filter: Filter = { field: 'user', op: 'equals', values: ['ana'] }
  expect(await idsOf(ask([filter], { logTypes: [] }))).toEqual(fits(({ user }) => user === 'ana'))
  await expect(idsOf(ask([{ ...filter, field: 'nope' }], { logTypes: [] }))).rejects.toThrow("has the field 'nope'")
  expect(await idsOf(ask([filter], { logTypes: ['No.Such'] }))).toEqual([])
})

test('the SQL that is shown finds the same events', async () => {
  for (const user of USERS) {
    const asked = ask([{ field: 'user', op: 'equals', values: [user] }], { logTypes: ['Shop.Login'], text: user || 'a' })
    const { sql, events: found } = await search(engine, asked, { after: undefined, skip: 0, limit: 500, withHistogram: false })
    const { columns, rows } = await lake.query(sql)
    const at = columns.findIndex(({ name }) => name === 'p_row_id')
    expect(rows.map((row) => (JSON.parse(row) as string[])[at])).toEqual(found.map(({ rowId }) => rowId))
  }
})

test('a field’s values are counted', async () => {
  const named = events.filter(({ user }) => text(user) !== '')
  const counts = new Map<string, number>()
  for (const { user } of named) counts.set(user!, (counts.get(user!) ?? 0) + 1)
  const summary = await fieldSummary(engine, ask([]), 'user', 100)
  expect(summary).toMatchObject({ total: events.length, present: named.length, distinct: counts.size })
  expect(new Map(summary.top.map(({ value, events: n }) => [value, n]))).toEqual(counts)
  expect(summary.top.map(({ events: n }) => n)).toEqual([...counts.values()].sort((a, b) => b - a))
  const ips = await fieldSummary(engine, ask([]), 'p_any_ip_addresses', 100)
  expect(ips.present).toBe(events.reduce((sum, one) => sum + one.ips.length, 0))
})

describe('hostile texts', () => {
  test.each(HOSTILE.map((one) => [one]))('%j is only a value', async (value) => {
    expect(await idsOf(ask([{ field: 'user', op: 'equals', values: [value] }]))).toEqual(fits(({ user }) => user === value))
    for (const op of ['contains', 'starts_with', 'ends_with', 'greater'] as const) {
      const fit = ({ user }: Event) => {
        const own = text(user)
        if (op === 'contains') return has(own, value)
        if (op === 'greater') return Buffer.compare(Buffer.from(own), Buffer.from(value)) > 0
        return op === 'starts_with' ? own.startsWith(value) : own.endsWith(value)
      }
      expect(await idsOf(ask([{ field: 'user', op, values: [value] }])), op).toEqual(fits(fit))
    }
    expect(await idsOf(ask([{ field: 'p_any_ip_addresses', op: 'equals', values: [value] }]))).toEqual([])
    for (const field of ['bytes', 'ok', 'p_event_time'])
      expect(await idsOf(ask([{ field, op: 'equals', values: [value] }])), field).toEqual([])
    const member = (key: string) => ask([{ field: `detail.${key}`, op: 'exists', values: [] }])
    expect(await idsOf(member(value.replaceAll('.', '')))).toEqual([])
  })

  test.each(HOSTILE.map((one) => [one]))('%j is no field', async (field) => {
    await expect(idsOf(ask([{ field, op: 'equals', values: ['x'] }]))).rejects.toThrow('has the field')
    await expect(fieldSummary(engine, ask([]), field, 10)).rejects.toThrow('has the field')
    expect(await idsOf(ask([], { logTypes: [field] }))).toEqual([])
  })

  test('nothing is gone afterwards', async () => {
    expect(await idsOf(ask([]))).toHaveLength(events.length)
  })
})
