import { quoteName, tableName } from './ddl.ts'
import { type Insert, ONE_BLOCK, type Settings, settingsText } from './engine.ts'

/** The statement that stores rows of `source`, a table function, in one block under the insert's token. `place`: the setting that says where. */
export function insertStatement(
  { spec, columns, values, settings, token }: Insert,
  source: string,
  place: Settings = {},
): string {
  const all = { insert_deduplication_token: token, ...ONE_BLOCK, ...settings, ...place }
  return `INSERT INTO ${tableName(spec)} (${columns.map(quoteName).join(', ')}) SELECT ${values.join(', ')}
FROM ${source}
SETTINGS ${settingsText(all)}`
}
