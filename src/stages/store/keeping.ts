import { PART_DATABASES } from './cluster.ts'
import { ALL, DATABASES, type Keeping, quoteText, settingsOf, tableName, ttlOf } from './ddl.ts'
import { rowsOf, type Statements } from './engine.ts'

/**
 * Applies the settings of a new table to every table that has a parse time, on each server that has a part of it, and when its rows move to
 * other disks. The engine's own deletion of old rows, which earlier versions used, is removed: it knows neither holds nor archives
 * (docs/decisions/0068).
 */
export async function applyKeeping(session: Statements, keeping: Keeping): Promise<void> {
  if (!session.cluster) return keep(session, DATABASES, keeping)
  for (const node of session.cluster.nodes) await keep(node, PART_DATABASES, keeping)
}

async function keep(session: Statements, databases: readonly string[], keeping: Keeping): Promise<void> {
  const text = await session.run(
    `SELECT database, name, engine_full FROM system.tables AS t
     WHERE endsWith(engine, 'MergeTree') AND database IN (${databases.map(quoteText).join(', ')}) AND name != ${quoteText(ALL)} AND (database, name) IN
       (SELECT database, table FROM system.columns WHERE name = 'p_parse_time')`,
  )
  for (const [database, table, now] of rowsOf<[string, string, string]>(text)) {
    // The policy has to have the volume that the rule names.
    const changes = [settings(now, keeping), ttl(now, ttlOf(database, keeping))].filter((change) => change !== undefined)
    for (const change of changes) await session.run(`ALTER TABLE ${tableName({ database, table })} ${change}`)
  }
}

function ttl(now: string, wanted: string | undefined): string | undefined {
  const present = / TTL (.*?)(?= SETTINGS |$)/s.exec(now)?.[1]
  if (present === wanted) return undefined
  return wanted === undefined ? 'REMOVE TTL' : `MODIFY TTL ${wanted}`
}

/** Existing parts keep their settings until they are merged. */
function settings(now: string, keeping: Keeping): string | undefined {
  const [, text = ''] = now.split(' SETTINGS ')
  const set = new Set(text.split(', '))
  const missing = settingsOf(keeping).filter((setting) => !set.has(setting))
  return missing.length === 0 ? undefined : `MODIFY SETTING ${missing.join(', ')}`
}
