import type { Config } from '../config/config.ts'
import type { LoadedContent } from '../engine/path.ts'
import type { TestScope } from '../packs/test-scope.ts'

/**
 * Sentences about selected queries that could not run. Tables come from the content being checked and from what `up`
 * would load (`whole`, with the schemas of both) and its sources, since a folder of queries need not contain the schemas of the
 * logs they use.
 */
export async function queryNoticesOf(
  { content, selected }: Pick<TestScope, 'content' | 'selected'>,
  whole: LoadedContent,
  sources: Config['sources'],
): Promise<string[]> {
  if (selected.scheduledQueries.length + selected.tables.length === 0) return []
  const { lakeTables } = await import('../engine/path.ts')
  const { byName, queryNotices } = await import('../engine/queries.ts')
  const saved = byName([...whole.content.savedQueries, ...content.savedQueries])
  const read = new Set(sources.flatMap(({ log_types }) => log_types))
  const tables = [content, whole.content].flatMap((each) => lakeTables({ content: each, schemas: whole.schemas }, read))
  return queryNotices(selected, { saved, tables })
}
