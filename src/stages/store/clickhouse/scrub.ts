import { setTimeout } from 'node:timers/promises'
import { RetryLater } from '../../../util/errors.ts'
import { define, PART_DATABASES } from '../cluster.ts'
import { DATABASES, quoteText, tableName } from '../ddl.ts'
import { rowsOf, type Statements } from '../engine.ts'
import type { EraseAsk, Sought } from '../erase.ts'

const PAUSE_MS = 500
const PATIENCE_MS = 5 * 60_000

const HIDDEN = '`monitor`.`lake_erase`'

/** While this is set, the server removes replaced parts after a second instead of minutes. */
const EAGER = 'old_parts_lifetime'
/** A partition that no table has: when it is dropped, the server removes replaced parts at once. */
const NO_PARTITION = '19000101'

/**
 * Runs `work` with SQL that takes the value from a table in the server's memory. The server keeps records of deletions on disk, some for
 * good, and so none of them contains the value. If the server ends meanwhile, the deletion waits for its repetition.
 */
export async function withHidden<T>(session: Statements, ask: EraseAsk, work: (sought: Sought) => Promise<T>): Promise<T> {
  await define(session, `CREATE OR REPLACE TABLE ${HIDDEN} (re2 String, value String) ENGINE = Memory`)
  await define(session, `INSERT INTO ${HIDDEN} SELECT ${quoteText(ask.re2)}, ${quoteText(ask.value)}`)
  const done = await work({ re2: `(SELECT re2 FROM ${HIDDEN})`, value: `(SELECT value FROM ${HIDDEN})` })
  await define(session, `DROP TABLE IF EXISTS ${HIDDEN} SYNC`)
  return done
}

/** Removes parts that were replaced from the server's disk, and waits until they are gone. Rejects with `RetryLater` if they stay. */
export async function scrubServer(session: Statements): Promise<void> {
  if (!session.cluster) return scrub(session, DATABASES)
  for (const node of session.cluster.nodes) await scrub(node, PART_DATABASES)
}

async function scrub(session: Statements, names: readonly string[]): Promise<void> {
  const databases = names.map(quoteText).join(', ')
  const replaced = await session.run(
    `SELECT DISTINCT database, table FROM system.parts WHERE NOT active AND database IN (${databases})`,
  )
  for (const [database, table] of rowsOf<[string, string]>(replaced)) {
    const name = tableName({ database, table })
    await session.run(`ALTER TABLE ${name} MODIFY SETTING ${EAGER} = 1`)
    try {
      await gone(session, database, table)
    } finally {
      await session.run(`ALTER TABLE ${name} RESET SETTING ${EAGER}`)
    }
  }
}

async function gone(session: Statements, database: string, table: string): Promise<void> {
  const where = `database = ${quoteText(database)} AND table = ${quoteText(table)}`
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    await session.run(`ALTER TABLE ${tableName({ database, table })} DROP PARTITION ID ${quoteText(NO_PARTITION)}`)
    const text = await session.run(`SELECT count() FROM system.parts WHERE NOT active AND ${where}`)
    if (Number(rowsOf<[number]>(text)[0]![0]) === 0) return
    if (performance.now() > end)
      throw new RetryLater(
        `the server still has replaced parts of ${database}.${table} after ${PATIENCE_MS / 60_000} minutes; long queries of it may hold them`,
      )
    await setTimeout(PAUSE_MS)
  }
}
