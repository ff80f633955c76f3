import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { contentFolders } from '../config/content.ts'
import type { LoadedTable } from '../packs/compile.ts'
import { buildTable } from '../stages/enrich/build.ts'
import { failedChecks } from '../stages/enrich/content-checks.ts'
import { defineTable } from '../stages/enrich/definition.ts'
import { ConfigError, messageOf } from '../util/errors.ts'
import { loadPath } from './path.ts'

/** A table's definition: one of the content, by name, or what is needed to read a file without one. */
export type TestedTable = { readonly table: string } | { readonly key: string; readonly format: string | undefined }

/** What a file would be as a table. */
export interface TestedFile {
  readonly version: string
  readonly match: string
  readonly rows: number
  readonly skipped: number
  /** Why rows were skipped, for the first few. */
  readonly examples: readonly string[]
  /** Checks that it does not pass. */
  readonly failed: readonly string[]
}

/** Reads a file as a table would. Rejects with `TableError` if it cannot be one, with `ConfigError` if there is no such file or table. */
export async function testTable(
  file: string,
  tested: TestedTable,
  { config, cacheFolder }: { readonly config: Config; readonly cacheFolder: string },
): Promise<TestedFile> {
  const { definition, schema } =
    'table' in tested ? await loadedTable(tested.table, config, cacheFolder) : plainTable(file, tested)
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new ConfigError(`the file cannot be read: ${messageOf(error)}`, { file })
  })
  const table = await buildTable(definition, schema, { bytes, fileName: basename(file) })
  return {
    version: table.version,
    match: table.match,
    rows: table.size,
    skipped: table.skipped.count,
    examples: table.skipped.examples,
    failed: failedChecks(table, definition.checks, undefined),
  }
}

async function loadedTable(name: string, config: Config, cacheFolder: string): Promise<LoadedTable> {
  const loaded = await loadPath({ ...config, content: contentFolders(config) }, join(cacheFolder, 'content'))
  const table = loaded.tables.get(name)
  if (!table) throw new ConfigError(`there is no table '${name}'. Known: ${[...loaded.tables.keys()].sort().join(', ')}`)
  return table
}

function plainTable(file: string, { key, format }: { readonly key: string; readonly format: string | undefined }): LoadedTable {
  const document = {
    AnalysisType: 'lookup_table',
    LookupName: 'test',
    Filename: basename(file),
    ...(format !== undefined && { Format: format }),
    LogTypeMap: { PrimaryKey: key },
  }
  return { definition: defineTable(document, { file: resolve(file) }), schema: undefined }
}
