import { z } from 'zod'
import type { JsonValue } from '../../../model/json.ts'
import type { WrittenTableId } from '../../../model/table-write.ts'
import { ConfigError, messageOf } from '../../../util/errors.ts'
import { hash16 } from '../../../util/hash.ts'
import { parseSelector, type Selector } from '../selector.ts'
import type { KeyMatch, TableKey } from '../table-key.ts'
import type { TableSchema } from '../table-schema.ts'
import { PART_KINDS, type PartKind } from '../tables/composite-index.ts'

/** After how many milliseconds a row is not found any more. */
export interface Timeouts {
  /** Since it was created. */
  readonly createMs: number | undefined
  /** Since an event last wrote it. */
  readonly writeMs: number | undefined
  /** Since an event was last joined with it, or wrote it. */
  readonly readMs: number | undefined
}

/** How events fill a table: `Events` in its YAML. */
export interface EventSource {
  /** Log types, or patterns of them. */
  readonly logTypes: readonly string[]
  /** The condition on events, in the grammar of simple detections. */
  readonly detection: JsonValue | undefined
  /** Where in the event each column is. */
  readonly columns: readonly (readonly [column: string, field: Selector])[]
  readonly maxRows: number
  readonly timeouts: Timeouts
  /** Known once the schema of the rows is. */
  readonly shape?: KeyShape
}

/** Fifty years. */
const MAX_SECONDS = 50 * 366 * 86_400
const seconds = z.int().min(1).max(MAX_SECONDS).optional()
const name = z.string().min(1).max(255)

/** `Events` in a table's YAML. */
export const eventsSchema = z.strictObject({
  LogTypes: z.array(name).min(1).max(1000).describe('The log types whose events write rows, or patterns: `Zeek.*`.'),
  Detection: z
    .array(z.unknown())
    .optional()
    .describe('Only events for which it holds write rows: match expressions as in a rule.'),
  Columns: z
    .record(name, z.string().min(1).max(500))
    .describe(
      'The columns of a row, each with the field of the event that it comes from; the columns of the key must be among them.',
    ),
  MaxRows: z.int().min(1).max(1_000_000).default(100_000).describe('Beyond it, rows that were written longest ago are removed.'),
  TimeoutSeconds: z
    .strictObject({
      Create: seconds.describe('Rows expire this long after they were created.'),
      Write: seconds.describe('Rows expire this long after an event last wrote them.'),
      Read: seconds.describe('Rows expire this long after an event was last joined with them, or wrote them.'),
    })
    .default({})
    .describe('When rows expire. Default: never.'),
})

/** Keys of a table's YAML that say where content comes from, how it is read and kept: not for rows that events write. */
const FOR_CONTENT = [
  ...['Filename', 'Provider', 'Inline', 'ContentDate', 'Format', 'Rows', 'Refresh', 'Query', 'SnowflakeQuery'],
  ...[
    'DatabricksQuery',
    'AthenaQuery',
    'Validations',
    'NewestBy',
    'Retro',
    'Verdict',
    'Keep',
    'Checks',
    'Columns',
    'PublicSuffix',
  ],
] as const

/**
 * Reads `Events`. `given`: the keys that the YAML has.
 *
 * @throws {ConfigError} with file and path.
 */
export function readEventSource(
  yaml: z.output<typeof eventsSchema>,
  { key, match, rowChoice, given, file }: Reading,
): EventSource {
  const refuse = (path: string, message: string) => new ConfigError(message, { file, path })
  const other = FOR_CONTENT.find((one) => given.has(one))
  if (other !== undefined)
    throw refuse(other, 'belongs to tables with content, but events write the rows of this one: remove it, or Events')
  if (rowChoice !== 'last' && rowChoice !== 'first')
    throw refuse('RowsPerKey', 'must be last (an event replaces the row of its key) or first (the first row stays) with Events')
  if (key.kind === 'range') throw refuse('LogTypeMap.PrimaryKey', 'cannot be a range of addresses if events write the rows')
  const kinds: readonly (string | undefined)[] = match.parts ?? [match.match]
  const kind = kinds.find((one) => one !== undefined && !(PART_KINDS as readonly string[]).includes(one))
  if (kind !== undefined) throw refuse('Match', `'${kind}' cannot compare keys that events write: use ${PART_KINDS.join(', ')}`)
  const missing = key.columns.find((column) => !Object.hasOwn(yaml.Columns, column))
  if (missing !== undefined)
    throw refuse(
      'Events.Columns',
      `has no '${missing}', which is the key (LogTypeMap.PrimaryKey): add it with its field of the event`,
    )
  const own = Object.keys(yaml.Columns).find((column) => column.startsWith('p_'))
  if (own !== undefined) throw refuse('Events.Columns', `'${own}' must not begin with p_, as the columns that Caracal adds do`)
  const { Create, Write, Read } = yaml.TimeoutSeconds
  return {
    logTypes: yaml.LogTypes,
    detection: yaml.Detection as JsonValue | undefined,
    columns: Object.entries(yaml.Columns).map(([column, text]) => [
      column,
      fieldOf(text, (message) => refuse(`Events.Columns.${column}`, message)),
    ]),
    maxRows: yaml.MaxRows,
    timeouts: { createMs: inMs(Create), writeMs: inMs(Write), readMs: inMs(Read) },
  }
}

interface Reading {
  readonly key: TableKey
  readonly match: KeyMatch
  readonly rowChoice: string
  readonly given: ReadonlySet<string>
  readonly file: string
}

function fieldOf(text: string, refuse: (message: string) => ConfigError): Selector {
  let field: Selector
  try {
    field = parseSelector(text)
  } catch (error) {
    throw refuse(messageOf(error))
  }
  if (field.path[0] === 'p_enrichment')
    throw refuse('events write rows before they are joined with tables: name a field of the event itself')
  return field
}

function inMs(given: number | undefined): number | undefined {
  return given === undefined ? undefined : given * 1000
}

/** How the keys of a written table are compared. */
export interface KeyShape {
  readonly id: WrittenTableId
  readonly compared: readonly PartKind[]
}

/** How its keys are compared: as its definition says, else as its schema does. */
export function keyShape(
  { name: table, key, match, parts }: KeyMatch & { readonly name: string; readonly key: TableKey },
  schema: Pick<TableSchema, 'matchOf'> | undefined,
): KeyShape {
  const compared = key.columns.map((column, i): PartKind => {
    const kind = parts?.[i] ?? match ?? schema?.matchOf(column)
    return (PART_KINDS as readonly unknown[]).includes(kind) ? (kind as PartKind) : 'exact'
  })
  return { id: { name: table, shape: hash16(JSON.stringify([key.columns, compared])) }, compared }
}
