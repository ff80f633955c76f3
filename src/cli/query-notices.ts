import type { Config } from '../config/config.ts'
import type { LoadedContent } from '../engine/path.ts'
import type { TestScope } from '../packs/test-scope.ts'

/**
 * Sentences on the selected scheduled queries that could not run. Tables are those of the content that is checked and of what `up`
 * would load (`whole`, its schemas those of both), with its sources: a folder of queries need not bring the schemas of the logs they are about.
 */
export async function queryNoticesOf(
  { content, selected }: Pick<TestScope, 'content' | 'selected'>,
  whole: LoadedContent,
  sources: Config['sources'],
): Promise<string[]> {
  if (selected.scheduledQueries.length === 0) return []
  const { lakeTables } = await import('../engine/path.ts')
  const { byName, queryNotices } = await import('../engine/queries.ts')
  const saved = byName([...whole.content.savedQueries, ...content.savedQueries])
  const read = new Set(sources.flatMap(({ log_types }) => log_types))
  const tables = [content, whole.content].flatMap((each) => lakeTables({ content: each, schemas: whole.schemas }, read))
  return queryNotices(selected.scheduledQueries, { saved, tables })
}
