import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Column } from '../../model/column.ts'
import { type ChdbLake, createChdbLake } from '../../stages/store/chdb.ts'
import { insertInto } from '../../stages/store/insert.fixture.ts'
import { blindRuleCheck } from './blind-rules.ts'
import type { LogTypeReads } from './reads.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-blind-'))
const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOW = Date.parse('2026-03-20T12:00:00Z')
const STANDARD: readonly Column[] = [
  { name: 'p_log_type', kind: 'string', required: true },
  { name: 'p_row_id', kind: 'string', required: true },
  { name: 'p_event_time', kind: 'timestamp', required: true },
  { name: 'p_parse_time', kind: 'timestamp', required: true },
]
const COLUMNS: readonly Column[] = [
  ...STANDARD,
  { name: 'Status', kind: 'string' },
  { name: 'size', kind: 'bigint' },
  { name: 'user', kind: 'json' },
  { name: 'p_any_ip_addresses', kind: 'strings' },
  { name: 'extra', kind: 'json' },
  { name: 'p_enrichment', kind: 'json' },
]
type Cells = readonly [status: unknown, size: unknown, user: unknown, ips: unknown, extra: unknown, enrichment: unknown]
const WHOLE: Cells = ['ok', 1, '{"name":"ann","deep":{"id":7}}', ['192.0.2.1'], '{"added":1}', '{"tor":{"ip":{"x":1}}}']
const EMPTY: Cells = [null, null, null, [], null, null]
/** Every field as a rule names it; the first differs in case. */
const PATHS = ['status', 'size', 'user', 'user.name', 'user.deep.id', 'p_any_ip_addresses', 'added', 'p_enrichment.tor']

let lake: ChdbLake
let tables = 0

beforeAll(async () => {
  lake = await createChdbLake({ dataDir: folder })
})
afterAll(async () => {
  await lake.close()
  rmSync(folder, { recursive: true })
})

/** A table with the cells of each day (0: the last 24 hours), each repeated for that many events. */
async function logOf(days: readonly (readonly [cells: Cells, events: number][])[]): Promise<LogTypeReads> {
  const table = `blind_${++tables}`
  const rows = days.flatMap((parts, day) =>
    parts.flatMap(([cells, events]) =>
      Array.from({ length: events }, (_, i) => {
        const time = new Date(NOW - day * DAY - HOUR - i * 1000).toISOString()
        return ['Test.Log', `${day}/${i}`, time, time, ...cells]
      }),
    ),
  )
  const spec = { database: 'logs', table, columns: COLUMNS, timeColumn: 'p_event_time' }
  await lake.ensure(spec)
  expect(await insertInto(lake, spec, rows as never, table)).toEqual([])
  const fields = PATHS.map((path) => ({ path: path.split('.'), ruleIds: [`Reads.${path}`] }))
  return { logType: 'Test.Log', table, columns: COLUMNS, fields }
}

/** The check, once it has looked. */
async function looked(reads: () => readonly LogTypeReads[], clock = { nowMs: NOW }) {
  const start = clock.nowMs
  clock.nowMs = start - 11 * 60_000
  const check = blindRuleCheck({ reads, lake, now: () => clock.nowMs })
  expect(await check.run()).toEqual([])
  clock.nowMs = start
  await check.run()
  await check.settled()
  return check
}

const week = (cells: Cells, events = 30) => Array.from({ length: 7 }, () => [[cells, events] as [Cells, number]])

test('fields that every event of the last day lacks are one problem of their log type, naming the rules', async () => {
  const log = await logOf([[[EMPTY, 40]], ...week(WHOLE)])
  const [problem, ...others] = await (await looked(() => [log])).run()
  expect(others).toEqual([])
  expect(problem).toMatchObject({ what: 'RuleBlind', key: 'Test.Log', severity: 'MEDIUM' })
  expect(problem!.covers).toEqual(PATHS.map((path) => `Reads.${path}`).sort())
  expect(problem!.message).toContain(
    'None of the 40 events of Test.Log in the last 24 hours has status, size, user, user.name, user.deep.id and 3 more, which events had on each of the 7 days before.',
  )
})

test.each<{ name: string; days: readonly (readonly [Cells, number][])[] }>([
  {
    name: 'a single event still has them',
    days: [
      [
        [EMPTY, 400],
        [WHOLE, 1],
      ],
      ...week(WHOLE),
    ],
  },
  { name: 'no event came at all', days: [[], ...week(WHOLE)] },
  { name: 'too few events came to tell', days: [[[EMPTY, 19]], ...week(WHOLE)] },
  {
    name: 'they are too rare to tell',
    days: [[[EMPTY, 40]], ...week(WHOLE, 1).map((day) => [...day, [EMPTY, 30] as [Cells, number]])],
  },
  { name: 'one of the days before lacks them too', days: [[[EMPTY, 40]], ...week(WHOLE).slice(1), [[EMPTY, 30]]] },
  { name: 'there is less than three days of history', days: [[[EMPTY, 40]], ...week(WHOLE).slice(5)] },
  { name: 'they have never been there', days: [[[EMPTY, 40]], ...week(EMPTY)] },
  { name: 'they were there more than a week ago', days: [[[EMPTY, 40]], ...week(EMPTY), [[WHOLE, 30]]] },
])('nothing is reported when $name', async ({ days }) => {
  const log = await logOf(days)
  expect(await (await looked(() => [log])).run()).toEqual([])
})

test('only what is missing is named: a table that joins nothing any more, a member of an object', async () => {
  const without: Cells = ['ok', 1, '{"name":null,"deep":{"id":7}}', ['192.0.2.1'], '{"added":1}', '{"other":{}}']
  const log = await logOf([[[without, 40]], ...week(WHOLE)])
  const [problem] = await (await looked(() => [log])).run()
  expect(problem!.covers).toEqual(['Reads.p_enrichment.tor', 'Reads.user.name'])
})

test('the problem is over when the rule reads another field, or when events have it again', async () => {
  const log = await logOf([[[EMPTY, 40]], ...week(WHOLE)])
  let reads = [log]
  const clock = { nowMs: NOW }
  const check = await looked(() => reads, clock)
  expect(await check.run()).toHaveLength(1)
  reads = [{ ...log, fields: [{ path: ['p_row_id'], ruleIds: ['Changed'] }] }]
  expect(await check.run()).toEqual([])
  reads = [log]
  const time = new Date(NOW).toISOString()
  const table = { database: 'logs', table: log.table, columns: COLUMNS, timeColumn: 'p_event_time' }
  await insertInto(lake, table, [['Test.Log', 'again', time, time, ...WHOLE]] as never, 'again')
  expect(await check.run()).toHaveLength(1)
  clock.nowMs += 31 * 60_000
  await check.run()
  await check.settled()
  expect(await check.run()).toEqual([])
})

test.each([1, 2])('a lake that fails %i queries changes nothing, and is queried again later', async (failures) => {
  const log = await logOf([[[EMPTY, 40]], ...week(WHOLE)])
  const clock = { nowMs: NOW - 10 * 60_000 }
  let queries = 0
  const failing = blindRuleCheck({
    reads: () => [log],
    lake: {
      query: async (...args) => {
        if (queries++ < failures) throw new Error('no answer')
        return lake.query(...args)
      },
    },
    now: () => clock.nowMs,
  })
  const at = async (ms: number) => {
    clock.nowMs = ms
    await failing.run()
    await failing.settled()
    return (await failing.run()).length
  }
  const times = Array.from({ length: failures + 1 }, (_, i) => NOW + i * 30 * 60_000)
  const found: number[] = []
  for (const ms of times) found.push(await at(ms - 60_000), await at(ms))
  expect(found).toEqual([...Array.from({ length: 2 * failures + 1 }, () => 0), 1])
})

test('log types without a table, and columns that it does not have yet, are passed over', async () => {
  const log = await logOf([[[EMPTY, 40]], ...week(WHOLE)])
  const columns = [{ name: 'later', kind: 'string' as const }, ...COLUMNS]
  const later = { path: ['later'], ruleIds: ['Reads.later'] }
  const reads = [
    { ...log, logType: 'Never.Sent', table: 'never_sent' },
    { ...log, columns, fields: [...log.fields, later] },
  ]
  const problems = await (await looked(() => reads)).run()
  expect(problems.map(({ key }) => key)).toEqual(['Test.Log'])
  expect(problems[0]!.covers).not.toContain('Reads.later')
})
