import { expect, test } from 'vitest'
import { Refused, RetryLater } from '../../util/errors.ts'
import { insertError, statementError } from './engine-error.ts'
import { BadRows } from './insert.ts'

test.each([
  { error: 'Query failed: Code: 241. DB::Exception: Memory limit exceeded: while executing (at row 5)', is: RetryLater },
  { error: 'Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space', is: RetryLater },
  {
    error: 'Code: 252. DB::Exception: Too many parts (3000) in table. Merges are processing significantly slower',
    is: RetryLater,
  },
  { error: 'std::bad_alloc', is: RetryLater },
  { error: 'Code: 252. DB::Exception: Too many partitions for single INSERT block (more than 1000)', is: BadRows },
  { error: 'Code: 33. DB::Exception: Cannot read all data. Bytes read: 5. Bytes expected: 8.', is: BadRows },
  { error: "Code: 27. DB::Exception: Cannot parse input: expected '\"' before: 5: (at row 3)", is: BadRows, row: 2 },
  { error: 'Code: 349. DB::Exception: Cannot convert NULL value to non-Nullable type', is: BadRows },
])('an insert that fails with «$error» can work later, or never', ({ error, is, row }) => {
  const found = insertError(new Error(error))
  expect(found).toBeInstanceOf(is)
  expect((found as BadRows).row).toBe(row)
})

test.each([
  { error: 'Code: 241. DB::Exception: Memory limit exceeded', is: RetryLater },
  { error: 'Code: 15. DB::Exception: Cannot add column', is: Refused },
])('a statement that fails with «$error» can work later, or never', ({ error, is }) => {
  expect(statementError('the table', new Error(error))).toBeInstanceOf(is)
})
