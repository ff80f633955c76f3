import { join } from 'node:path'
import { openTable } from '../../stages/enrich/open.ts'
import type { Table } from '../../stages/enrich/table.ts'
import { contentFile, tableFolder } from '../../stages/enrich/versions/files.ts'
import { dateOf, periodAt, readHistory, stored, type VersionPeriod } from '../../stages/enrich/versions/history.ts'
import type { LoadedContent } from '../path.ts'
import { tableFilesOf } from '../table-work/jobs.ts'
import { TableWork } from '../table-work/table-work.ts'

/** Tables as they were at a time. */
export interface PastTables {
  readonly tables: readonly Table[]
  /** Sentences on tables whose versions do not go back that far. */
  readonly notes: ReadonlyMap<string, string>
}

/**
 * Checks that the versions of all tables from that time are still stored.
 *
 * @throws {Refused} that names one which is not.
 */
export async function checkPastTables({ tables }: LoadedContent, asOfMs: number, dataFolder: string): Promise<void> {
  for (const name of tables.keys()) {
    const period = periodAt(await readHistory(folderOf(name, dataFolder)), asOfMs)
    if (period) stored(name, period)
  }
}

/** Builds the tables in a separate thread. One whose versions do not go back that far is left as it is now. */
export async function openPastTables(loaded: LoadedContent, asOfMs: number, dataFolder: string): Promise<PastTables> {
  const work = new TableWork()
  const tables: Table[] = []
  const notes = new Map<string, string>()
  for (const [name, { schema }] of loaded.tables) {
    const folder = folderOf(name, dataFolder)
    const versions = await readHistory(folder)
    const period = periodAt(versions, asOfMs)
    if (!period) {
      if (versions[0]) notes.set(`table ${name}`, noteOf(name, versions[0]))
      continue
    }
    const { version, fileName } = stored(name, period)
    const file = { path: join(folder, contentFile(version)), fileName, date: dateOf(version) }
    const image = await work.run(name, tableFilesOf(loaded.content, name), { kind: 'build', version: file })
    tables.push(openTable(image, schema))
  }
  return { tables, notes }
}

function folderOf(name: string, dataFolder: string): string {
  return tableFolder(join(dataFolder, 'tables'), name)
}

function noteOf(name: string, { sinceMs }: VersionPeriod): string {
  return `Versions of table ${name} go back to ${new Date(sinceMs).toISOString()}, so events were joined with its present content.`
}
