import type { Kysely, Transaction } from 'kysely'
import {
  KEPT_CALL_MS,
  type KeptAnswer,
  type KeyAsk,
  type KeyedCall,
  type KeyOutcome,
  MAX_KEPT_CALLS,
} from '../model/answered-call.ts'
import type { StateTables } from './tables.ts'

/** Keeps what calls with a key were answered, and forgets calls that are older than a day. */
export function answeredCall(db: Kysely<StateTables>, ask: KeyAsk, nowMs: number): Promise<KeyOutcome> {
  return db.transaction().execute(async (tx) => {
    if (ask.step === 'begin') return begin(tx, ask.call, nowMs)
    const { owner, key } = ask.call
    if (ask.step === 'keep') {
      const answer = JSON.stringify(ask.answer)
      await tx.updateTable('answered_calls').set({ answer }).where('owner', '=', owner).where('key', '=', key).execute()
    } else await tx.deleteFrom('answered_calls').where('owner', '=', owner).where('key', '=', key).execute()
    return 'done'
  })
}

async function begin(tx: Transaction<StateTables>, { owner, key, call }: KeyedCall, nowMs: number): Promise<KeyOutcome> {
  await tx
    .deleteFrom('answered_calls')
    .where('created_ms', '<=', nowMs - KEPT_CALL_MS)
    .execute()
  const known = await tx
    .selectFrom('answered_calls')
    .selectAll()
    .where('owner', '=', owner)
    .where('key', '=', key)
    .executeTakeFirst()
  if (known) {
    if (known.call !== call) return 'other'
    return known.answer === null ? 'unended' : (JSON.parse(known.answer) as KeptAnswer)
  }
  const { n } = await tx
    .selectFrom('answered_calls')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('owner', '=', owner)
    .executeTakeFirstOrThrow()
  if (Number(n) >= MAX_KEPT_CALLS) return 'too_many'
  await tx.insertInto('answered_calls').values({ owner, key, call, created_ms: nowMs }).execute()
  return 'done'
}
