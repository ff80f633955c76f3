import type { SearchParams } from '../search-params.ts'
import type { SavedSearch } from './saved-data.ts'

/** Where a saved search is shown and changed. */
export function linkOf({ name, sql, dialect }: Pick<SavedSearch, 'name' | 'sql' | 'dialect'>): SearchParams {
  return { tab: 'sql', sql, saved: name, ...(dialect === 'snowflake' && { dialect }) }
}
