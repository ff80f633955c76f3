import { z } from 'zod'
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts'
import type { Looked, TableRows } from '../../model/lookup.ts'
import { MAX_DEPTH } from '../../stages/detect/ndjson.ts'
import { ConfigError } from '../../util/errors.ts'
import { parseJson, stringifyJson } from '../../util/json.ts'

const rowsSchema = z.array(z.strictObject({ table: z.string(), row: z.custom<JsonObject>(isObject), isOfList: z.boolean() }))
type Row = z.output<typeof rowsSchema>[number]

/** The tables as a rule saw them when it matched, as far as it read them. `text` is `looked.json`. Throws `ConfigError` if it is malformed. */
export function tablesOf(text: string, part: string, file: string): TableRows {
  const json = parseJson(text, { maxDepth: MAX_DEPTH })
  const parsed = json.kind === 'ok' ? rowsSchema.safeParse(json.value) : undefined
  if (!parsed?.success) throw new ConfigError(`its part '${part}' is not a list of rows of tables`, { file })
  const rows = parsed.data
  return {
    stamp: part,
    find: (name, key) => {
      const named = rows.filter(({ table }) => table === name)
      const some = named.length > 0 ? named : rows.filter(({ table }) => table.toLowerCase() === name.toLowerCase())
      return lookedOf(
        some.filter(({ row }) => hasKey(row, key)),
        name,
        key,
      )
    },
  }
}

function hasKey({ p_match: match = null }: JsonObject, key: JsonValue): boolean {
  return stringifyJson(match) === stringifyJson(key)
}

function lookedOf(found: readonly Row[], name: string, key: JsonValue): Looked {
  const [first] = found
  if (!first) return { problem: `the bundle has no row of table '${name}' for ${stringifyJson(key).slice(0, 200)}` }
  const { table, row } = first
  const version = typeof row['p_version'] === 'string' ? row['p_version'] : ''
  if (first.isOfList) return { table, version, row: found.map((one) => one.row) }
  return { table, version, row: row['p_missing'] === true ? null : row }
}
