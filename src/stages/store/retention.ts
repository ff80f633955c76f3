import { rowsOf, type Session } from './chdb-engine.ts'
import { ALL, DATABASES, type Keeping, quoteText, tableName, ttlOf } from './ddl.ts'

/** Brings every table that has a parse time to the retention. Rows that are too old go when the engine next merges their parts. */
export async function applyRetention(session: Session, keeping: Keeping): Promise<void> {
  const days = keeping.retentionDays
  const databases = DATABASES.map(quoteText).join(', ')
  const text = await session.run(
    `SELECT database, name, extract(engine_full, 'toIntervalDay\\\\((\\\\d+)\\\\)') FROM system.tables AS t
     WHERE endsWith(engine, 'MergeTree') AND database IN (${databases}) AND name != ${quoteText(ALL)} AND (database, name) IN
       (SELECT database, table FROM system.columns WHERE name = 'p_parse_time')`,
  )
  for (const [database, table, now] of rowsOf<[string, string, string]>(text)) {
    if (now === String(days ?? '')) continue
    const change = days === undefined ? 'REMOVE TTL' : `MODIFY${ttlOf(keeping)}`
    // Recomputing what the parts know of their age goes on in the background.
    await session.run(`ALTER TABLE ${tableName({ database, table })} ${change}`)
  }
}
