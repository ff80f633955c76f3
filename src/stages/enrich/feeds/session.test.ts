import { expect, test } from 'vitest'
import { fetchedRows } from './session.ts'

test('rows that repeat a long text end at the limit, before they fill the memory', () => {
  const pulse = { description: 'a'.repeat(1_000_000) }
  const rows = new Array<object>(1_000_000).fill(pulse) as (typeof pulse)[]
  expect(() => fetchedRows(rows, {}, { max_bytes: 5_000_000 })).toThrow('larger than 5000000 bytes')
  expect(fetchedRows(rows.slice(0, 4), {}, { max_bytes: 5_000_000 })?.bytes.length).toBeGreaterThan(4_000_000)
})
