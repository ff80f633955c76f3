import { buildTable } from '../../stages/enrich/build.ts'
import { checkContent } from '../../stages/enrich/content-checks.ts'
import { readLocalContent } from '../../stages/enrich/local-content.ts'
import { type Table, TableError } from '../../stages/enrich/table.ts'
import { messageOf } from '../../util/errors.ts'
import type { LoadedTable } from '../compile.ts'
import type { Found } from './check.ts'

/**
 * The table from the content on this machine, `undefined` if there is none yet (a provider may still fetch it).
 *
 * @throws {TableError} naming the file if the content is not a valid table, or does not pass its checks.
 */
export async function localTable({ definition, schema }: LoadedTable, dataFolder: string): Promise<Table | undefined> {
  const { filename } = definition
  try {
    const content = await readLocalContent(definition, dataFolder)
    if (!content) return undefined
    const table = await buildTable(definition, schema, content)
    checkContent(table, definition.checks, undefined)
    return table
  } catch (error) {
    const message = messageOf(error)
    const isNamed = filename === undefined || message.includes(filename)
    throw new TableError(isNamed ? message : `${filename}: ${message}`, { cause: error })
  }
}

/** Builds every table whose content is on this machine, as `caracal up` and `caracal run` do. */
export async function checkTables(tables: Iterable<LoadedTable>, dataFolder: string): Promise<Found> {
  const problems = []
  const notices = []
  for (const loaded of tables) {
    const { name, file } = loaded.definition
    try {
      const table = await localTable(loaded, dataFolder)
      const { count, examples } = table?.skipped ?? { count: 0, examples: [] }
      if (count > 0) notices.push(`${file}: ${count} rows of table '${name}' cannot be used: ${examples.join('; ')}`)
    } catch (error) {
      problems.push({ file, line: undefined, message: `table '${name}' cannot be used: ${messageOf(error)}` })
    }
  }
  return { problems, notices }
}
