import type { Config } from '../config/config.ts'
import type { LoadedContent } from '../engine/path.ts'
import { messageOf } from '../util/errors.ts'

/** Problems with the log types and tables named by sources in the configuration, with which `caracal up` refuses to start. */
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
