import { expect, test } from 'vitest'
import type { Column, TableSpec } from '../../model/column.ts'
import { alterations, targetColumns } from './columns.ts'
import { type StoredColumn, typeOf } from './ddl.ts'

const time: Column = { name: 'p_event_time', kind: 'timestamp', required: true }
const specOf = (...columns: Column[]): TableSpec => ({
  database: 'logs',
  table: 't',
  timeColumn: 'p_event_time',
  columns: [time, ...columns],
})
const stored = (...columns: StoredColumn[]): StoredColumn[] => [{ name: time.name, type: typeOf(time), isKey: true }, ...columns]
const noneNegative = async () => false

test('only missing columns are added, all at once', async () => {
  const existing = stored({ name: 'old', type: 'Nullable(String)' })
  const spec = specOf({ name: 'a', kind: 'int' }, { name: 'b', kind: 'strings' })
  expect(await alterations(spec, existing, noneNegative)).toEqual([
    'ALTER TABLE `logs`.`t` ADD COLUMN IF NOT EXISTS `a` Nullable(Int32), ADD COLUMN IF NOT EXISTS `b` Array(String)',
  ])
  expect(await alterations(specOf({ name: 'old', kind: 'json', required: true }), existing, noneNegative)).toEqual([])
})

test('an interrupted change of type is completed: the new column reads the old one', async () => {
  const [statement, ...more] = await alterations(
    specOf({ name: 'b', kind: 'int' }),
    stored({ name: 'p_was_1_string_b', type: 'Nullable(String)' }, { name: 'p_was_1_string_other', type: 'Nullable(String)' }),
    noneNegative,
  )
  expect(statement).toBe(
    "ALTER TABLE `logs`.`t` ADD COLUMN IF NOT EXISTS `b` Nullable(Int32) DEFAULT accurateCastOrNull(`p_was_1_string_b`, 'Int32')",
  )
  expect(more).toEqual([])
})

test('a narrower type than the stored one changes nothing, and its values go into the wider column', async () => {
  const existing = stored({ name: 'n', type: 'Nullable(Int64)' })
  for (const kind of ['int', 'smallint', 'bigint'] as const) {
    expect(await alterations(specOf({ name: 'n', kind }), existing, noneNegative)).toEqual([])
    expect(targetColumns(specOf({ name: 'n', kind }), existing)).toEqual(['p_event_time', 'n'])
  }
})

test('a field whose name looks like an old column has its own history', async () => {
  const existing = stored(
    { name: '1_string_b', type: 'Nullable(String)' },
    { name: 'b', type: 'Nullable(String)' },
    { name: 'p_was_1_int32_b', type: 'Nullable(Int32)' },
  )
  const statements = await alterations(specOf({ name: '1_string_b', kind: 'int' }), existing, noneNegative)
  expect(statements[0]).toBe('ALTER TABLE `logs`.`t` RENAME COLUMN `1_string_b` TO `p_was_1_string_1_string_b`')
})
