import { expect, test } from 'vitest'
import { lakeDaysOf, retentionSchema } from '../../config/retention.ts'
import type { Partition } from '../../stages/store/partitions.ts'
import { expired, oldestFirst } from './plan.ts'

const NOW = Date.parse('2026-03-20T12:00:00Z')
const partition = (table: string, id: string, more: Partial<Partition> = {}): Partition => {
  const [database = '', name = ''] = table.split('.')
  const known = { logType: `Test.${name}`, hasLogTypes: true, hasParseTime: true, rows: 1, bytes: 1 }
  return { database, table: name, id, ...known, ...more }
}
const named = (due: readonly { partition: Partition; beforeMs?: number; logTypes?: readonly string[] }[]) =>
  due.map(({ partition: { table, id }, beforeMs, logTypes }) => [
    `${table} ${id}`,
    ...(beforeMs === undefined ? [] : [new Date(beforeMs).toISOString()]),
    ...(logTypes ?? []),
  ])
const due = async (partitions: readonly Partition[], retention: object, logTypes: readonly string[] = []) =>
  named(await expired(partitions, retentionSchema.parse(retention), { nowMs: NOW, logTypesIn: async () => logTypes }))

test('a name takes precedence over patterns, and of these the first that fits is used', () => {
  const log_types = { 'Test.*': { days: 10 }, '*.B': { days: 20 }, 'test.a': { days: 'forever' } }
  const daysOf = lakeDaysOf(retentionSchema.parse({ lake_days: 90, log_types }))
  expect([undefined, 'Other', 'Test.B', 'X.B', 'Test.A'].map(daysOf)).toEqual([90, 90, 10, 20, undefined])
})

test('a week is due once its last moment is old enough, and nothing is if nothing is configured', async () => {
  const weeks = ['20260302', '20260309', '20260316'].map((id) => partition('logs.a', id))
  expect(await due(weeks, {})).toEqual([])
  expect(await due(weeks, { lake_days: 7 })).toEqual([['a 20260302']])
  expect(await due(weeks, { lake_days: 11 })).toEqual([['a 20260302']])
  expect(await due(weeks, { lake_days: 12 })).toEqual([])
})

test('log types are kept each for its time, also where their rows are in one table', async () => {
  const partitions = [
    partition('logs.a', '20260302'),
    partition('logs.b', '20260302'),
    partition('signals.s', '20260302', { logType: undefined }),
    partition('monitor.dead_letters', '20260302', { logType: undefined, hasLogTypes: false }),
    partition('monitor.lake_layout', 'all', { hasParseTime: false }),
  ]
  const types = ['Test.a', 'Test.b']
  const log_types = { 'Test.a': { days: 7 } }
  expect(await due(partitions, { log_types }, types)).toEqual([['a 20260302'], ['s 20260302', 'Test.a']])
  expect(await due(partitions, { lake_days: 7, log_types: { 'Test.b': { days: 'forever' } } }, types)).toEqual([
    ['a 20260302'],
    ['s 20260302', 'Test.a'],
    ['dead_letters 20260302'],
  ])
})

test('of a month of events that an earlier version stored, the rows received before are due', async () => {
  const month = [partition('logs.a', '202601'), partition('signals.s', '202601', { logType: undefined })]
  expect(await due(month, { lake_days: 10, log_types: { 'Test.b': { days: 7 } } }, ['Test.a', 'Test.b'])).toEqual([
    ['a 202601', '2026-03-10T12:00:00.000Z'],
    ['s 202601', '2026-03-10T12:00:00.000Z', 'Test.a'],
    ['s 202601', '2026-03-13T12:00:00.000Z', 'Test.b'],
  ])
})

test('the size limit deletes the oldest week first, large tables of events before small ones, and never today', () => {
  const partitions = [
    partition('matches.a', '20260302', { bytes: 900 }),
    partition('logs.small', '20260302', { bytes: 10 }),
    partition('logs.large', '20260302', { bytes: 100 }),
    partition('logs.small', '202602'),
    partition('logs.small', '20260316'),
    partition('lookups.rows', 'all', { hasParseTime: false }),
  ]
  expect(named(oldestFirst(partitions, NOW))).toEqual([
    ['small 202602'],
    ['large 20260302'],
    ['small 20260302'],
    ['a 20260302'],
    ['small 20260316', '2026-03-17T00:00:00.000Z'],
    ['small 20260316', '2026-03-18T00:00:00.000Z'],
    ['small 20260316', '2026-03-19T00:00:00.000Z'],
    ['small 20260316', '2026-03-20T00:00:00.000Z'],
  ])
})
