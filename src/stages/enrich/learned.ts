import { type Learned, MAX_LEARNED } from '../../model/learned.ts'
import { rankOf } from './verdict.ts'
import { diffContents } from './versions/diff.ts'
import type { EntrySource, ReadTable } from './versions/entries.ts'

/** The rank of the first verdict of an order, and of the score 0. */
const HARMLESS = 0

/**
 * What a table learned from a content: the keys that the content before did not have, and those whose verdict became worse. A new key with
 * a harmless verdict is no news. `before: undefined`: there was nothing.
 */
export async function learnedFrom(
  table: ReadTable,
  before: EntrySource | undefined,
  after: EntrySource,
  max = MAX_LEARNED,
): Promise<Pick<Learned, 'keys' | 'omitted'>> {
  const { counts, keys } = await diffContents(table, before, after, { added: max, worsened: max })
  const { verdict } = table.definition
  const isNews = (row: (typeof keys.added)[number]['after']) => !verdict || (row !== null && rankOf(verdict, row) !== HARMLESS)
  const added = keys.added.filter((change) => isNews(change.after)).map(({ key }) => key)
  const all = [...keys.worsened.map(({ key }) => key), ...added]
  const unlisted = counts.added - keys.added.length + (counts.worsened - keys.worsened.length)
  return { keys: all.slice(0, max), omitted: unlisted + Math.max(0, all.length - max) }
}
