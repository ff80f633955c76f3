import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DATABASES, quoteText, tableName } from './ddl.ts'
import { rowsOf, type Session } from './engine.ts'

/**
 * Removes what is left on disk of deleted rows: parts that were replaced, and the records of deletions, which say what was deleted. The
 * engine (26.7) keeps both for minutes, and removes them only when it has other work on the table, so this takes the table away from it for a
 * moment; running queries of the table are waited for. Nothing may be inserted meanwhile.
 */
export async function scrubTables(session: Session): Promise<void> {
  const text = await session.run(
    `SELECT database, name, data_paths[1] FROM system.tables WHERE endsWith(engine, 'MergeTree') AND database IN (${DATABASES.map(quoteText).join(', ')})`,
  )
  for (const [database, table, folder] of rowsOf<[string, string, string]>(text)) {
    const records = (await readdir(folder)).filter((file) => /^(?:tmp_)?mutation_\d+\.txt$/.test(file))
    const parts = await partsOf(session, database, table)
    const replaced = parts.filter(({ isActive }) => !isActive)
    if (records.length + replaced.length === 0) continue
    // Until now the replaced parts were what a power cut would have fallen back to.
    for (const { path, isActive } of parts) if (isActive) await syncFolder(path)
    const name = tableName({ database, table })
    await session.run(`DETACH TABLE ${name} SYNC`)
    try {
      for (const { path } of replaced) await rm(path, { recursive: true, force: true })
      for (const file of records) await rm(join(folder, file), { force: true })
    } finally {
      await session.run(`ATTACH TABLE ${name}`)
    }
  }
}

async function partsOf(session: Session, database: string, table: string): Promise<{ path: string; isActive: boolean }[]> {
  const where = `database = ${quoteText(database)} AND table = ${quoteText(table)}`
  const text = await session.run(`SELECT path, active FROM system.parts WHERE ${where}`)
  return rowsOf<[string, number]>(text).map(([path, active]) => ({ path, isActive: Number(active) === 1 }))
}

async function syncFolder(path: string): Promise<void> {
  for (const file of [...(await readdir(path)).map((name) => join(path, name)), path]) {
    const handle = await open(file, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
}
