import type { Transaction } from 'kysely'
import type { AlertWindow, CrowdRef, KnownGroup, KnownGroups } from '../model/alert.ts'
import type { Decision } from '../model/batch.ts'
import { windowOf } from './alerts.ts'
import { activeMutes } from './mutes.ts'
import { type Rows, statement } from './statement.ts'
import type { StateTables } from './tables.ts'

/** Far below SQLite's limit on bound values. */
const KEYS_PER_STATEMENT = 200
/** The number of a group's first window, unless windows of its rule have been deleted. */
const FIRST_NUMBER = 1

/**
 * Reads the groups' stored data within the transaction that decides about them. SQLite allows one writer at a time, so the transaction is
 * the lock. A database with several writers must first lock the group keys, in the order of `groups`, including those without a row.
 */
export async function readGroups(
  tx: Transaction<StateTables>,
  { groups: refs, fromMs, crowds = [] }: Omit<Decision<unknown>, 'decide'>,
): Promise<KnownGroups> {
  const ruleOf = new Map(refs.map(({ groupKey, ruleId }) => [groupKey, ruleId]))
  const keys = [...ruleOf.keys()].sort()
  const windows = await openWindows(tx, keys, fromMs)
  const numbers = await lastNumbers(tx, keys)
  const ruleIds = [...new Set(ruleOf.values())]
  const floors = await floorsOf(tx, ruleIds)
  const groups = new Map<string, KnownGroup>()
  for (const [groupKey, ruleId] of ruleOf) {
    const nextNumber = Math.max((numbers.get(groupKey) ?? 0) + 1, floors.get(ruleId) ?? FIRST_NUMBER)
    groups.set(groupKey, { windows: windows.get(groupKey) ?? [], nextNumber })
  }
  const opened = [...windows.values()].flat().filter((window) => window.opened)
  return {
    groups,
    crowds: await countWindows(tx, crowds),
    mutes: refs.length > 0 ? await activeMutes(tx, fromMs) : [],
    sentTo: await sentTo(
      tx,
      opened.map(({ alertId }) => alertId),
    ),
  }
}

/** Destinations that alerts have had deliveries to, by alert. */
async function sentTo(tx: Transaction<StateTables>, alertIds: readonly string[]): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>()
  for (const part of parts(alertIds)) {
    const query = tx.selectFrom('deliveries').select(['alert_id', 'destination']).distinct().where('alert_id', 'in', part)
    for (const { alert_id, destination } of await query.execute())
      found.set(alert_id, (found.get(alert_id) ?? new Set()).add(destination))
  }
  return found
}

async function openWindows(
  tx: Transaction<StateTables>,
  keys: readonly string[],
  fromMs: number,
): Promise<Map<string, AlertWindow[]>> {
  const found = new Map<string, AlertWindow[]>()
  for (const part of parts(keys)) {
    const { rows } = await selectWindows(
      tx,
      part.map((groupKey) => ({ groupKey, fromMs })),
    )
    for (const row of rows) {
      const own = found.get(row.group_key)
      if (own) own.push(windowOf(row))
      else found.set(row.group_key, [windowOf(row)])
    }
  }
  return found
}

const selectWindows = statement((db, rows: Rows<{ groupKey: string; fromMs: number }>) =>
  db
    .selectFrom('alerts')
    .selectAll()
    .where('group_key', 'in', groupKeysOf(rows))
    .where('window_end_ms', '>', rows[0].fromMs)
    .orderBy('window_start_ms')
    .orderBy('window_number'),
)

const selectLast = statement((db, rows: Rows<{ groupKey: string }>) =>
  db
    .selectFrom('alerts')
    .select((eb) => ['group_key', eb.fn.max('window_number').as('last')])
    .where('group_key', 'in', groupKeysOf(rows))
    .groupBy('group_key'),
)

const selectFloors = statement((db, rows: Rows<{ ruleId: string }>) =>
  db
    .selectFrom('window_floors')
    .selectAll()
    .where(
      'rule_id',
      'in',
      rows.map(({ ruleId }) => ruleId),
    ),
)

function groupKeysOf(rows: Rows<{ groupKey: string }>): string[] {
  return rows.map(({ groupKey }) => groupKey)
}

async function lastNumbers(tx: Transaction<StateTables>, keys: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (const part of parts(keys)) {
    const { rows } = await selectLast(
      tx,
      part.map((groupKey) => ({ groupKey })),
    )
    for (const { group_key, last } of rows) found.set(group_key, last)
  }
  return found
}

async function floorsOf(tx: Transaction<StateTables>, ruleIds: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (const part of parts(ruleIds)) {
    const { rows } = await selectFloors(
      tx,
      part.map((ruleId) => ({ ruleId })),
    )
    for (const row of rows) found.set(row.rule_id, row.next_number)
  }
  return found
}

async function countWindows(tx: Transaction<StateTables>, crowds: readonly CrowdRef[]): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (const { ruleIds, fromMs, toMs, retroactive } of crowds)
    for (const part of parts(ruleIds)) {
      const { rows } = await selectCounts(
        tx,
        part.map((ruleId) => ({ ruleId, retroactive: retroactive ? 1 : 0, fromMs, toMs })),
      )
      for (const { rule_id, n } of rows) found.set(rule_id, n)
    }
  return found
}

const selectCounts = statement((db, rows: Rows<{ ruleId: string; retroactive: number; fromMs: number; toMs: number }>) =>
  db
    .selectFrom('alerts')
    .select((eb) => ['rule_id', eb.fn.countAll<number>().as('n')])
    .where(
      'rule_id',
      'in',
      rows.map(({ ruleId }) => ruleId),
    )
    .where('retroactive', '=', rows[0].retroactive)
    .where('window_end_ms', '>', rows[0].fromMs)
    .where('window_end_ms', '<=', rows[0].toMs)
    .groupBy('rule_id'),
)

/** Deletes windows. Their numbers stay used up, so that no id is ever reused. */
export async function deleteWindows(tx: Transaction<StateTables>, alertIds: readonly string[]): Promise<void> {
  for (const part of parts(alertIds)) {
    const used = await tx
      .selectFrom('alerts')
      .select((eb) => ['rule_id', eb.fn.max('window_number').as('last')])
      .where('alert_id', 'in', part)
      .where('window_number', '>=', FIRST_NUMBER)
      .groupBy('rule_id')
      .execute()
    const floors = await floorsOf(
      tx,
      used.map(({ rule_id }) => rule_id),
    )
    for (const { rule_id, last } of used) {
      const next_number = Math.max(last + 1, floors.get(rule_id) ?? FIRST_NUMBER)
      await tx
        .insertInto('window_floors')
        .values({ rule_id, next_number })
        .onConflict((oc) => oc.column('rule_id').doUpdateSet({ next_number }))
        .execute()
    }
    await tx.updateTable('alerts').set({ merged_into: null }).where('merged_into', 'in', part).execute()
    await tx.deleteFrom('alerts').where('alert_id', 'in', part).execute()
  }
}

function* parts<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < all.length; i += KEYS_PER_STATEMENT) yield all.slice(i, i + KEYS_PER_STATEMENT)
}
