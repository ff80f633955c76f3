import type { JsonObject, JsonValue } from '../../../model/json.ts'
import { parseJson } from '../../../util/json.ts'
import { type MatchKind, TableError } from '../table.ts'
import { batches, type Format, quote, type ReadRow } from './format.ts'

const MAX_DEPTH = 8

/** How the entries of each kind of list are compared. Other kinds contain substrings or patterns: the definition has to say how. */
const MATCHES: Readonly<Record<string, MatchKind>> = { cidr: 'cidr', hostname: 'domain', string: 'exact' }

/** A MISP warning list (https://github.com/MISP/misp-warninglists): an object with its entries under `list`. */
export const misp: Format = {
  type: 'misp',
  summary: "A MISP warning list; each entry has the list's name as its `list`.",
  isText: false,
  isWide: false,
  extensions: [],
  matchOf(text) {
    const { type } = listOf(text)
    const match = typeof type === 'string' && Object.hasOwn(MATCHES, type) ? MATCHES[type] : undefined
    if (match) return match
    throw new TableError(`the warning list is of type ${quote(String(type))}: add \`Match:\` to say how its entries are compared`)
  },
  read: (text, { primaryKey }) => batches(rows(listOf(text), primaryKey)),
}

function* rows({ name, list }: JsonObject, primaryKey: string): Generator<ReadRow> {
  for (const [i, entry] of (list as readonly JsonValue[]).entries()) {
    if (typeof entry !== 'string') yield `entry ${i} of the list is not text`
    else yield { ...(typeof name === 'string' && { list: name }), [primaryKey]: entry }
  }
}

function listOf(text: string): JsonObject {
  const read = parseJson(text, { maxDepth: MAX_DEPTH })
  if (read.kind === 'failure') throw new TableError(`not a MISP warning list: ${read.message}`)
  const { value } = read
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Array.isArray((value as JsonObject)['list']))
    throw new TableError('not a MISP warning list: it has no `list`')
  return value as JsonObject
}
