import { expect, test } from 'vitest'
import type { Column, ColumnKind, TableSpec } from '../../model/column.ts'
import { createTable, quoteName, quoteText, typeOf } from './ddl.ts'

const types: readonly [ColumnKind, boolean, string][] = [
  ['string', false, 'Nullable(String)'],
  ['string', true, 'String'],
  ['int', false, 'Nullable(Int32)'],
  ['smallint', false, 'Nullable(Int16)'],
  ['bigint', false, 'Nullable(Int64)'],
  ['ubigint', false, 'Nullable(UInt64)'],
  ['float', false, 'Nullable(Float64)'],
  ['boolean', false, 'Nullable(Bool)'],
  ['timestamp', false, "Nullable(DateTime64(9, 'UTC'))"],
  ['timestamp', true, "DateTime64(9, 'UTC')"],
  ['json', false, 'Nullable(String)'],
  ['strings', false, 'Array(String)'],
  ['strings', true, 'Array(String)'],
]

test.each(types)('a column of %s (required: %s) is stored as %s', (kind, required, type) => {
  expect(typeOf({ name: 'x', kind, required })).toBe(type)
})

test('names and texts cannot escape their quotes', () => {
  expect(quoteName('a`b\\')).toBe('`a\\`b\\\\`')
  expect(quoteText("a'b\\")).toBe("'a\\'b\\\\'")
})

function specOf(...columns: Column[]): TableSpec {
  return {
    database: 'logs',
    table: 't',
    timeColumn: 'p_event_time',
    columns: [{ name: 'p_event_time', kind: 'timestamp' }, ...columns],
  }
}

test('the time column is never null, even if the schema does not say so', () => {
  expect(createTable(specOf(), { fsync: true })).toContain("(`p_event_time` DateTime64(9, 'UTC')) ENGINE")
})
