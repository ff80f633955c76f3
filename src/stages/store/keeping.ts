import { rowsOf, type Session } from './chdb-engine.ts'
import { ALL, DATABASES, type Keeping, quoteText, settingsOf, tableName, ttlOf } from './ddl.ts'

/**
 * Applies the retention and settings of a new table to every table that has a parse time. Expired rows are deleted when the engine next
 * merges their parts.
 */
export async function applyKeeping(session: Session, keeping: Keeping): Promise<void> {
  const databases = DATABASES.map(quoteText).join(', ')
  const text = await session.run(
    `SELECT database, name, engine_full FROM system.tables AS t
     WHERE endsWith(engine, 'MergeTree') AND database IN (${databases}) AND name != ${quoteText(ALL)} AND (database, name) IN
       (SELECT database, table FROM system.columns WHERE name = 'p_parse_time')`,
  )
  for (const [database, table, now] of rowsOf<[string, string, string]>(text)) {
    const changes = [retention(now, keeping), settings(now, keeping)].filter((change) => change !== undefined)
    // The engine recalculates the parts' age data in the background.
    for (const change of changes) await session.run(`ALTER TABLE ${tableName({ database, table })} ${change}`)
  }
}

function retention(now: string, keeping: Keeping): string | undefined {
  const days = keeping.retentionDays
  if ((/toIntervalDay\((\d+)\)/.exec(now)?.[1] ?? '') === String(days ?? '')) return undefined
  return days === undefined ? 'REMOVE TTL' : `MODIFY${ttlOf(keeping)}`
}

/** Existing parts keep their settings until they are merged. */
function settings(now: string, keeping: Keeping): string | undefined {
  const [, text = ''] = now.split(' SETTINGS ')
  const set = new Set(text.split(', '))
  const missing = settingsOf(keeping).filter((setting) => !set.has(setting))
  return missing.length === 0 ? undefined : `MODIFY SETTING ${missing.join(', ')}`
}
