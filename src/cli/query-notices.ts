import { join } from 'node:path'
import { cacheFolder } from '../config/env.ts'
import type { TestScope } from '../packs/test-scope.ts'
import { type ConfigOptions, readConfig } from './config.ts'
import type { Io } from './io.ts'

/**
 * Sentences on the selected scheduled queries that could not run. Tables are those of the content looked at and of what `up`
 * would load, with its sources: a folder of queries need not bring the schemas of the logs they are about.
 */
export async function queryNoticesOf({ content, selected }: TestScope, flags: ConfigOptions, io: Io): Promise<string[]> {
  if (selected.scheduledQueries.length === 0) return []
  const { compileContent, lakeTables, loadPath } = await import('../engine/path.ts')
  const { byName, queryNotices } = await import('../engine/queries.ts')
  const config = readConfig(flags, io)
  const whole = await loadPath(config, join(cacheFolder(io.env), 'content'))
  const saved = byName([...whole.content.savedQueries, ...content.savedQueries])
  const schemas = new Map([...whole.schemas, ...compileContent(content).schemas])
  const read = new Set(config.sources.flatMap(({ log_types }) => log_types))
  const tables = [content, whole.content].flatMap((each) => lakeTables({ content: each, schemas }, read))
  return queryNotices(selected.scheduledQueries, { saved, tables })
}
