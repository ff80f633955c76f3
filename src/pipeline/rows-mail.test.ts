import { expect, test } from 'vitest'
import type { QueryEmail } from '../model/query.ts'
import { readRowsMail } from '../stages/deliver/rows-message.ts'
import { rowsDelivery } from './rows-mail.ts'

const EMAIL: QueryEmail = { recipients: ['ana@example.com'], sendEmpty: false, preferAttachment: false }
const ROUTE = { destination: 'mail', baseUrl: 'http://x' }
const COLUMNS = [{ name: 'n', shape: 'number' }]

function made(rows: readonly string[], email: Partial<QueryEmail> = {}, dueMs = 1000) {
  const answer = { query: 'Q', dueMs, columns: COLUMNS, rows }
  return rowsDelivery(answer, { description: '', email: { ...EMAIL, ...email } }, ROUTE, 5)
}

/** How many rows the mail has, of how many. */
function counts(rows: readonly string[], email: Partial<QueryEmail> = {}) {
  const mail = readRowsMail(made(rows, email)!.body)
  return [mail.rows.length, mail.total, mail.isAttached]
}

test('the delivery of a run is the same however often the run is repeated, and differs from that of any other run', () => {
  expect(made(['[1]'])!.deliveryId).toBe(made(['[2]', '[1]'])!.deliveryId)
  expect(made(['[1]'], {}, 2000)!.deliveryId).not.toBe(made(['[1]'])!.deliveryId)
})

test('nothing is mailed without rows, unless SendEmpty wants it, or without recipients', () => {
  expect(made([])).toBeUndefined()
  expect(made(['[1]'], { recipients: [] })).toBeUndefined()
  expect(counts([], { sendEmpty: true, preferAttachment: true })).toEqual([0, 0, false])
})

test.each<[what: string, rows: readonly string[], attached: boolean, kept: number]>([
  ['100 rows in a message', Array.from({ length: 100 }, () => '[1]'), false, 100],
  ['101 rows in a message', Array.from({ length: 101 }, () => '[1]'), false, 100],
  ['64 KiB in a message', Array.from({ length: 3 }, () => `["${'x'.repeat(30_000)}"]`), false, 2],
  ['one row that is too large', [`["${'x'.repeat(70_000)}"]`], false, 0],
  ['bytes, not characters', Array.from({ length: 2 }, () => `["${'€'.repeat(12_000)}"]`), false, 1],
  ['100,001 rows in a file', Array.from({ length: 100_001 }, () => '[1]'), true, 100_000],
  ['10 MiB in a file', Array.from({ length: 11 }, () => `["${'x'.repeat(1024 * 1024 - 4)}"]`), true, 10],
])('limits: %s', (_, rows, preferAttachment, kept) => {
  expect(counts(rows, { preferAttachment })).toEqual([kept, rows.length, preferAttachment])
})
