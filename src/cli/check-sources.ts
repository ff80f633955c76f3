import type { Config } from '../config/config.ts'
import type { LoadedContent } from '../engine/path.ts'
import { messageOf } from '../util/errors.ts'

/** What is wrong with the log types and tables that sources of the configuration name: `caracal up` refuses to start with it. */
export async function checkSources(sources: Config['sources'], loaded: LoadedContent): Promise<string[]> {
  const { LiveTables } = await import('../engine/live-tables.ts')
  const { parseSource } = await import('../engine/path.ts')
  const problems: string[] = []
  const tables = new LiveTables(loaded)
  for (const source of sources) {
    try {
      parseSource(source, loaded)
    } catch (error) {
      problems.push(messageOf(error))
    }
    for (const [name, path] of Object.entries(source.tables)) {
      try {
        await tables.build(name, path, undefined, undefined)
      } catch (error) {
        problems.push(`source '${source.id}' replaces the content of table '${name}' by ${path}: ${messageOf(error)}`)
      }
    }
  }
  return problems
}
