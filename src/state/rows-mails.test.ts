import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import { queryMailProblems } from '../engine/checks/query-mails.ts'
import type { NewDelivery } from '../model/batch.ts'
import type { ScheduledQuery } from '../model/query.ts'
import { mailsOf } from '../model/rows-mail.ts'
import type { StateDb } from './db.ts'
import { deliveredAlerts, saveDeliveries, saveDeliveryResults } from './deliveries.ts'
import { listDeliveries } from './delivery-list.ts'
import { dueDeliveries } from './delivery-queue.ts'
import { deadMails, MAX_WAITING_MAILS, pruneMails } from './rows-mails.ts'

onEachState(({ open }) => {
  let folder: string
  let db: StateDb

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-rows-mails-'))
    db = await open(folder)
  })
  afterEach(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true })
  })

  const mail = (id: string, query = 'Q'): NewDelivery => ({
    deliveryId: id,
    alertId: mailsOf(query),
    destination: 'mail',
    body: `rows of ${id}`,
    createdMs: 10,
    kind: 'rows',
  })
  const add = (...mails: readonly NewDelivery[]) => db.transaction().execute((tx) => saveDeliveries(tx, mails))
  const deliver = (deliveryId: string) => saveDeliveryResults(db, [{ deliveryId, kind: 'delivered', tries: 1, nowMs: 20 }])
  const giveUp = (deliveryId: string, error = 'no') =>
    saveDeliveryResults(db, [{ deliveryId, kind: 'dead', tries: 10, error, nowMs: 20 }])
  const bodyOf = async (id: string) =>
    (await db.selectFrom('deliveries').select('body').where('delivery_id', '=', id).executeTakeFirst())?.body

  test('a mail that was added is not added again, also after it was delivered, and its rows are then dropped', async () => {
    await add(mail('a'))
    expect(await bodyOf('a')).toBe('rows of a')
    await deliver('a')
    await add(mail('a'))
    expect(await bodyOf('a')).toBe('')
    expect(await dueDeliveries(db, 'mail', 100, 10, [])).toEqual([])
    expect(await deliveredAlerts(db, ['a'])).toEqual([])
  })

  test('mails are due alone, never in a digest, and those of one query one after another', async () => {
    await add(mail('a'), mail('b'), mail('c', 'Other'))
    expect((await dueDeliveries(db, 'mail', 100, 10, [], 'alone')).map(({ delivery_id }) => delivery_id)).toEqual(['a', 'c'])
    expect(await dueDeliveries(db, 'mail', 100, 10, [], 'others')).toEqual([])
  })

  test('the list names the query, and no alert', async () => {
    await add(mail('a', 'Doors: by use'))
    expect(await listDeliveries(db, {}, 10)).toMatchObject([
      { kind: 'rows', alertId: '', title: "Rows of query 'Doors: by use'" },
    ])
  })

  test('of one query only the newest mails are kept while they are not delivered; the others are given up, with the reason', async () => {
    const ids = Array.from({ length: MAX_WAITING_MAILS + 2 }, (_, i) => `m${i}`)
    for (const id of ids) await add(mail(id))
    await add(mail('other', 'Other'))
    expect([await bodyOf('m0'), await bodyOf('m1'), await bodyOf('m2'), await bodyOf('other')]).toEqual([
      '',
      '',
      'rows of m2',
      'rows of other',
    ])
    expect(await deadMails(db)).toEqual([
      { query: 'Q', destination: 'mail', mails: 2, error: expect.stringMatching(/^given up, because more than 20/) },
    ])
  })

  test('mails that were given up are reported by query with the last reason, until a later one is delivered', async () => {
    await add(mail('a'), mail('b'), mail('c', 'Other'))
    await giveUp('a', 'first')
    await giveUp('b', 'second')
    await giveUp('c')
    expect(await deadMails(db)).toEqual([
      { query: 'Other', destination: 'mail', mails: 1, error: 'no' },
      { query: 'Q', destination: 'mail', mails: 2, error: 'second' },
    ])
    await add(mail('d'))
    await deliver('d')
    expect((await deadMails(db)).map(({ query }) => query)).toEqual(['Other'])
  })

  test('mails that were given up are deleted when they are old, others are not', async () => {
    await add(mail('old'), mail('waits'))
    await giveUp('old')
    expect(await pruneMails(db, 20, 10)).toBe(0)
    expect(await pruneMails(db, 21, 10)).toBe(1)
    expect([await bodyOf('old'), await bodyOf('waits')]).toEqual([undefined, 'rows of waits'])
  })

  test('a query that should be mailed although nothing can send mail is a problem that names it', () => {
    const email = { recipients: ['a@b.example'], sendEmpty: false, preferAttachment: false }
    const query = { name: 'Q', file: 'q.yml', email } as unknown as ScheduledQuery
    const said = queryMailProblems([query], undefined, []).map(({ message }) => message)
    expect(said).toEqual([expect.stringContaining("query 'Q' (q.yml) are not mailed: there is no destination of type email")])
    expect(queryMailProblems([query], 'mail', [])).toEqual([])
  })
})
