import { copyFile, mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DATABASES, quoteText, tableName } from './ddl.ts'
import { rowsOf, type Session } from './engine.ts'

/** The engine's folder of frozen parts, below the lake's folder. */
export const FROZEN = 'shadow'
const NAME = 'caracal'

/** The folder of the snapshot below the lake's folder. */
export const SNAPSHOT = join(FROZEN, NAME)

/** Files of a table or database that change in place: definitions, logs of insert tokens, deletions that have not finished. */
const SMALL = /(?:^|\/)(?:[^/]+\.sql|format_version\.txt|deduplication_logs\/[^/]+|mutation_\d+\.txt)$/

/**
 * Makes the folder `SNAPSHOT` a copy of the lake as it is now, from which the engine can be opened. Nothing may be written meanwhile.
 * Parts never change, so they are hard links, which the engine makes (`FREEZE`); the rest is copied. The copy shares the disk with the
 * lake, and what it links to takes room until it is removed.
 */
export async function takeSnapshot(session: Session, path: string): Promise<void> {
  await rm(join(path, FROZEN), { recursive: true, force: true })
  const databases = DATABASES.map(quoteText).join(', ')
  const text = await session.run(
    `SELECT database, name FROM system.tables WHERE endsWith(engine, 'MergeTree') AND database IN (${databases})`,
  )
  for (const [database, table] of rowsOf<[string, string]>(text))
    await session.run(`ALTER TABLE ${tableName({ database, table })} FREEZE WITH NAME ${quoteText(NAME)}`)
  for (const file of [...(await smallFiles(path, 'metadata', 0)), ...(await smallFiles(path, 'store', 3))]) {
    const copy = join(path, SNAPSHOT, file)
    await mkdir(dirname(copy), { recursive: true })
    await copyFile(join(path, file), copy).catch((error: NodeJS.ErrnoException) => {
      // A deletion that a crash interrupted has just finished.
      if (error.code !== 'ENOENT' || !file.includes('mutation_')) throw error
    })
  }
}

/** Small files in a folder and in those at most `deep` levels below. */
async function smallFiles(path: string, folder: string, deep: number): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(join(path, folder), { withFileTypes: true })) {
    const below = join(folder, entry.name)
    if (entry.isFile() && SMALL.test(below)) found.push(below)
    // A part may be merged away at any moment, and contains nothing of these.
    else if (entry.isDirectory() && deep > 0 && !/_\d+_\d+_\d+/.test(entry.name))
      found.push(...(await smallFiles(path, below, deep - 1)))
  }
  return found
}
