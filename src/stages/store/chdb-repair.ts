import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DATABASES, quoteText, tableName } from './ddl.ts'
import type { Statements } from './engine.ts'

/** Far longer than any line of a table's token log. */
const TAIL_BYTES = 8192

/**
 * Makes the engine forget tokens of inserts that a crash has undone. Call this on a freshly opened lake, before any insert.
 *
 * ClickHouse (26.7, found by tracing its system calls) writes an insert's token to the table's token log and renames the new part into
 * place some 200 µs later. If it is killed in between, it would treat the retry as a repetition and silently drop its rows. Inserts into
 * a table run one after another, so only the last token of the log can be affected: if its part does not exist, the token is removed with
 * the log's own "dropped" record. Returns the tables that were repaired.
 */
export async function forgetLostTokens(session: Statements): Promise<string[]> {
  const databases = DATABASES.map(quoteText).join(', ')
  const text = await session.run(
    `SELECT database, name, data_paths[1] FROM system.tables WHERE endsWith(engine, 'MergeTree') AND database IN (${databases})`,
  )
  const repaired: string[] = []
  for (const line of text.split('\n').filter(Boolean)) {
    const [database, table, folder] = JSON.parse(line) as [string, string, string]
    const log = await newestLog(join(folder, 'deduplication_logs'))
    const last = log === undefined ? undefined : await lastRecord(log)
    if (!log || !last?.added || (await hasPart(session, database, table, last.part))) continue
    const name = tableName({ database, table })
    await session.run(`DETACH TABLE ${name}`)
    await append(log, `2\t${last.part}\t${last.token}\n`)
    await session.run(`ATTACH TABLE ${name}`)
    repaired.push(`${database}.${table}`)
  }
  return repaired
}

/** The current log: `deduplication_log_<n>.txt` with the highest number. */
async function newestLog(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => [])
  const number = (name: string) => Number(/^deduplication_log_(\d+)\.txt$/.exec(name)?.[1] ?? -1)
  const newest = names.filter((name) => number(name) >= 0).sort((a, b) => number(b) - number(a))[0]
  return newest === undefined ? undefined : join(folder, newest)
}

/** The last complete line: operation (1 added, 2 dropped), part, token; separated by tabs. */
async function lastRecord(file: string): Promise<{ added: boolean; part: string; token: string } | undefined> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES))
    await handle.read(tail, 0, tail.length, size - tail.length)
    const [operation, part, token] = tail.toString().split('\n').at(-2)?.split('\t') ?? []
    return part && token ? { added: operation === '1', part, token } : undefined
  } finally {
    await handle.close()
  }
}

/** True if the part exists, or one that it was merged into. A part is `<partition>_<first block>_<last block>_<level>`. */
async function hasPart(session: Statements, database: string, table: string, part: string): Promise<boolean> {
  const [partition = '', block = ''] = part.split('_')
  if (!/^\d+$/.test(block)) return true
  const where = `database = ${quoteText(database)} AND table = ${quoteText(table)} AND partition_id = ${quoteText(partition)}`
  const covers = `active AND min_block_number <= ${block} AND max_block_number >= ${block}`
  return (await session.run(`SELECT count() FROM system.parts WHERE ${where} AND ${covers}`)).trim() !== '[0]'
}

async function append(file: string, text: string): Promise<void> {
  const handle = await open(file, 'a')
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
