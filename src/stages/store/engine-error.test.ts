import { expect, test } from 'vitest'
import { Refused, RetryLater } from '../../util/errors.ts'
import { refusalOf, statementError } from './engine-error.ts'

test.each([
  'Query failed: Code: 241. DB::Exception: Memory limit exceeded: while executing (at row 5)',
  'Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space',
  'Code: 252. DB::Exception: Too many parts (3000) in table. Merges are processing significantly slower',
  'std::bad_alloc',
  'Code: 279. DB::Exception: All connection tries failed',
  'Code: 32. DB::Exception: Attempt to read after eof: while receiving packet from 127.0.0.1:9001: Insertion status: Wrote 0 blocks',
  'Code: 242. DB::Exception: Received from 127.0.0.1:9001. DB::Exception: Table is in readonly mode: replica_path=/clickhouse/r1',
  'Code: 999. Coordination::Exception: Session expired. (KEEPER_EXCEPTION)',
  'Code: 319. DB::Exception: Unknown status of part all_0_0_0. Data was written locally but we do not know the status in keeper',
  'Code: 16. DB::Exception: Received from 127.0.0.1:9001. DB::Exception: No such column n in table logs_local.t',
])('an insert that fails with «%s» can work later', (error) => {
  expect(() => refusalOf(new Error(error))).toThrow(RetryLater)
})

test.each([
  'Code: 252. DB::Exception: Too many partitions for single INSERT block (more than 1000)',
  'Code: 33. DB::Exception: Cannot read all data. Bytes read: 5. Bytes expected: 8.',
  'Code: 252. DB::Exception: Received from 127.0.0.1:9001. DB::Exception: Too many partitions: Insertion status: Wrote 0 blocks',
  'Code: 349. DB::Exception: Cannot convert NULL value to non-Nullable type',
])('the rows of an insert that fails with «%s» are at fault', (error) => {
  expect(refusalOf(new Error(error))).toBe(
    error.slice('Code: 252. DB::Exception: '.length - (error.startsWith('Code: 33.') ? 1 : 0)),
  )
})

test.each([
  { error: 'Code: 241. DB::Exception: Memory limit exceeded', is: RetryLater },
  { error: 'Code: 999. Coordination::Exception: All connection tries failed while connecting to ZooKeeper', is: RetryLater },
  { error: 'Code: 517. DB::Exception: Metadata on replica is not up to date with common metadata in Zookeeper', is: RetryLater },
  { error: 'Code: 15. DB::Exception: Cannot add column', is: Refused },
])('a statement that fails with «$error» can work later, or never', ({ error, is }) => {
  expect(statementError('the table', new Error(error))).toBeInstanceOf(is)
})
