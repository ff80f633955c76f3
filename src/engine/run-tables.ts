import { join } from 'node:path'
import { localTable } from '../packs/checks/tables.ts'
import type { LoadedTable } from '../packs/compile.ts'
import type { Table } from '../stages/enrich/table.ts'
import { contentFile, tableFolder } from '../stages/enrich/versions/files.ts'
import { dateOf, periodAt, readHistory, stored } from '../stages/enrich/versions/history.ts'
import { ConfigError, messageOf } from '../util/errors.ts'
import { LiveTables } from './live-tables.ts'
import type { LoadedContent } from './path.ts'
import type { RunOptions } from './run.ts'

type TableOptions = Pick<RunOptions, 'tables' | 'config' | 'nowMs' | 'isPast'>

/**
 * Tables as they are on this machine, or were at the run's time, or from the files that the user named. Rejects with `ConfigError` for one
 * that cannot be used: without it rules would silently return other results.
 */
export async function loadTables(
  options: TableOptions,
  loaded: LoadedContent,
  tell: (text: string) => void,
): Promise<LiveTables> {
  const tables = new LiveTables(loaded)
  const files = new Set(loaded.content.tables.map(({ file }) => file))
  const broken = loaded.problems.find(({ file }) => files.has(file))
  if (broken) throw new ConfigError(broken.message, { file: broken.file })
  for (const [name, path] of Object.entries(options.tables)) {
    try {
      tables.put(await tables.build(name, path, undefined, undefined))
    } catch (error) {
      throw new ConfigError(`--table ${name}=${path}: ${messageOf(error)}`, {}, { cause: error })
    }
  }
  for (const [name, file] of loaded.tables) {
    if (name in options.tables) continue
    try {
      const table = (options.isPast && (await pastTable(name, tables, options, tell))) || (await presentTable(file, options))
      if (table) tables.put(table)
    } catch (error) {
      const advice = `Correct it, or supply other content with --table ${name}=FILE.`
      throw new ConfigError(
        `table '${name}' cannot be used: ${messageOf(error)}. ${advice}`,
        { file: file.definition.file },
        { cause: error },
      )
    }
  }
  return tables
}

function presentTable(file: LoadedTable, { config }: TableOptions): Promise<Table | undefined> {
  return localTable(file, config.data_dir)
}

/** The version that was in force at the run's time, from the data folder; `undefined` if that goes back less far. */
async function pastTable(
  name: string,
  tables: LiveTables,
  { config, nowMs }: TableOptions,
  tell: (text: string) => void,
): Promise<Table | undefined> {
  const folder = tableFolder(join(config.data_dir, 'tables'), name)
  const versions = await readHistory(folder)
  const period = periodAt(versions, nowMs)
  if (period) {
    const { version, fileName } = stored(name, period)
    return tables.build(name, join(folder, contentFile(version)), fileName, dateOf(version))
  }
  const [first] = versions
  if (first)
    tell(`table ${name}: its versions go back to ${new Date(first.sinceMs).toISOString()}, so its present content is used`)
  return undefined
}
