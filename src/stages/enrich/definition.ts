import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import type { JsonObject } from '../../model/json.ts'
import { ConfigError, messageOf, NotSupported } from '../../util/errors.ts'
import { exactText } from '../../util/exact-text.ts'
import { hash16 } from '../../util/hash.ts'
import type { Association } from './associations.ts'
import { bucketProvider } from './bucket-refresh.ts'
import { type ContentChecks, checksSchema } from './content-checks.ts'
import { formatTypes } from './formats/index.ts'
import { hostedTable } from './hosted-table.ts'
import { type ProviderConfig, providerDefinition, providerSchema } from './index.ts'
import { inlineRow } from './inline.ts'
import { liveDefinition } from './live/live-definition.ts'
import { indicatorsSchema, queryKeys, queryProvider, validatedMatch } from './query-keys.ts'
import { readPeriod, refreshSchema } from './refresh-keys.ts'
import { parseSelector, selectorFields } from './selector.ts'
import { MATCH_KINDS } from './table.ts'
import { checkSelectorLength, type KeyMatch, primaryKeySchema, readKey, readMatch, type TableKey } from './table-key.ts'
import { PART_KINDS } from './tables/composite-index.ts'
import { ROW_CHOICES, type RowChoice } from './tables/row-groups.ts'
import { type Verdict, verdictSchema } from './verdict.ts'
import { type Keep, keepSchema } from './versions/keep.ts'
import { type EventSource, eventsSchema, readEventSource } from './written/event-source.ts'

/** The definition of a table in its YAML. */
export interface TableDefinition extends KeyMatch {
  readonly name: string
  readonly enabled: boolean
  /** Name of the schema of the rows. */
  readonly schema: string | undefined
  readonly key: TableKey
  /** The first column of the key: formats without column names put the key there. */
  readonly primaryKey: string
  /** Which rows of equal keys count. */
  readonly rowChoice: RowChoice
  /** The column with the times by which the newest row is chosen. */
  readonly newestBy: string | undefined
  readonly format: string | undefined
  /** Names of the columns of a CSV that has no header line. */
  readonly columns: readonly string[] | undefined
  /** Where the rows are in a JSON object. */
  readonly rowsAt: string | undefined
  /** Absolute path of the content next to the definition; if there is a provider, used until it has delivered. */
  readonly filename: string | undefined
  /** The content itself, if the definition contains it. */
  readonly inline: readonly JsonObject[] | undefined
  /** `YYYY-MM-DD` of that content. */
  readonly contentDate: string | undefined
  readonly provider: ProviderConfig | undefined
  /** How events fill it, instead of content. */
  readonly events?: EventSource
  /** When to refresh, if not at an interval. */
  readonly cron: string | undefined
  /** How often it is refreshed; by a cron expression, at least. */
  readonly periodMinutes: number
  /** Content older than this is reported as stale. */
  readonly alarmMinutes: number
  /** Indicators by column name; only without a schema. */
  readonly indicators: Readonly<Record<string, readonly string[]>> | undefined
  /** Rows found by an element of a `p_any_…` field are stored under that element. */
  readonly byValue: boolean
  /** Requirements for new content. */
  readonly checks: ContentChecks
  /** What is kept of earlier versions. */
  readonly keep: Keep
  /** How bad a key is according to its row. */
  readonly verdict: Verdict | undefined
  /** Content without rows is an empty table, not a failure. */
  readonly mayBeEmpty: boolean
  /** Past events are searched for what it learns, this many days back; `undefined`: they are not. */
  readonly retroDays: number | undefined
  readonly associations: readonly Association[]
  /** Added by extensions. */
  readonly added: readonly Association[]
  readonly description: string
  readonly reference: string
  readonly baseVersion: number | undefined
  /** Hash of the schema of the rows; `undefined` until it is known, and without a schema. */
  readonly rowSchema?: string
  /** The YAML file. */
  readonly file: string
}

/** Equal for tables with the same definition and row schema, which build the same table from the same content. */
export function definitionKey(definition: TableDefinition): string {
  return hash16(exactText(definition))
}

/** Refuses paths, control characters, halves of characters, and names that helpers skip or that objects should not have. */
const NAME = /^(?!p_any_)(?!__proto__$)(?!\.)[^/\\\p{Cc}\p{Cs}]{1,200}$/u
const field = z.string().min(1).max(500)
const selector = z.union([field, z.array(field).min(2).max(8)], 'must be a field, or a list of 2 to 8 fields for a composite key')
const retroSchema = z.strictObject({
  Days: z.int().min(1).max(366).default(30).describe('How far back past events are searched.'),
})
const associationSchema = z.strictObject({
  LogType: z.string().min(1).max(255).describe('A log type, or a pattern: `*` stands for any characters.'),
  Selectors: z
    .array(selector)
    .max(1000)
    .nullish()
    .describe("Fields of its events that contain the table's key; for a composite key lists of fields, one for each column."),
})
const columnNames = z.array(z.string().min(1)).min(1).max(1000)

const lookupName = z.string().regex(NAME, 'must be 1 to 200 characters without slashes, and not begin with a dot or p_any_')

/** The keys of a table's YAML: Panther's, and `Provider`, `Format`, `Match`, `ContentDate`, `Indicators`. */
export const tableDefinitionSchema = z.strictObject({
  AnalysisType: z.literal('lookup_table'),
  LookupName: lookupName,
  Enabled: z.boolean().default(true),
  Schema: z.string().min(1).max(255).optional().describe('Name of the schema of the rows.'),
  Filename: z.string().min(1).optional().describe('Content next to this file; with a Provider, used until the first refresh.'),
  Inline: z.array(inlineRow).min(1).max(10_000).optional().describe('The rows themselves, instead of Filename and Provider.'),
  ContentDate: z.iso.date().optional().describe('When the content in Filename was current.'),
  Format: z.enum(formatTypes).optional(),
  Columns: columnNames.optional().describe('Names of the columns of a CSV that has no header line.'),
  Rows: z.string().min(1).max(500).optional().describe('Path of the list of rows in a JSON object: `data`, `result.items`.'),
  Match: z
    .union(
      [z.enum(MATCH_KINDS), z.array(z.enum(PART_KINDS))],
      `must be one of ${MATCH_KINDS.join(', ')}; for a composite key a list of ${PART_KINDS.join(', ')}`,
    )
    .optional()
    .describe('How keys are compared, if the schema does not determine it; for a composite key a list, one for each column.'),
  PublicSuffix: z
    .boolean()
    .default(false)
    .describe(
      'Keys are registrable domains by the Public Suffix List, and names are compared by theirs. Only with `Match: domain`.',
    ),
  RowsPerKey: z.enum(ROW_CHOICES).default('last').describe('Which rows count if several have the same key.'),
  NewestBy: z.string().min(1).max(255).optional().describe('The column with the times by which the newest row is chosen.'),
  Indicators: indicatorsSchema
    .optional()
    .describe('What columns contain (`ip`, `domain`, `username` …), for a table without a Schema.'),
  ByValue: z
    .boolean()
    .default(false)
    .describe(
      'True: a row found through a `p_any_…` field is stored under the value that matched, as newer rules of Panther read it.',
    ),
  Provider: providerSchema.optional(),
  Events: eventsSchema.optional().describe('Events write the rows, instead of Filename, Provider and Inline.'),
  ...queryKeys,
  Refresh: refreshSchema.optional(),
  Checks: checksSchema.prefault({}).describe('Checks that new content must pass before it replaces the last good content.'),
  Keep: keepSchema.prefault({}).describe('How many earlier versions are kept.'),
  Verdict: verdictSchema.optional().describe('The column that says how bad a key is.'),
  Retro: retroSchema
    .optional()
    .describe('Retro-match: past events with a new key, or one whose verdict became worse, are judged again.'),
  LogTypeMap: z.strictObject({
    PrimaryKey: primaryKeySchema,
    AssociatedLogTypes: z.array(associationSchema).max(2000).nullish(),
  }),
  Description: z.string().default(''),
  Reference: z.string().default(''),
  BaseVersion: z.int().optional(),
  DisplayName: z.string().optional(),
  Tags: z.array(z.string()).optional(),
})

const ofTheTable = z.never('an extension only adds selectors; the extended table defines the rest: remove this').optional()

/** The keys of an extension's YAML, which adds selectors to a table that is defined elsewhere. */
export const tableExtensionSchema = z.strictObject({
  AnalysisType: z.literal('lookup_table'),
  Extends: z.string().min(1).max(200).describe('LookupName of the table to add selectors to.'),
  LookupName: lookupName.optional().describe('A name for this file; p_enrichment uses the name of the table.'),
  Enabled: z.boolean().default(true),
  LogTypeMap: z.strictObject({
    PrimaryKey: ofTheTable,
    AssociatedLogTypes: z
      .array(associationSchema.extend({ Selectors: z.array(selector).min(1, 'name at least one selector').max(1000) }))
      .min(1, 'name at least one log type with its selectors')
      .max(2000),
  }),
  Description: z.string().optional(),
  Reference: z.string().optional(),
  DisplayName: z.string().optional(),
  Tags: z.array(z.string()).optional(),
  Schema: ofTheTable,
  Filename: ofTheTable,
  Inline: ofTheTable,
  ContentDate: ofTheTable,
  Format: ofTheTable,
  Columns: ofTheTable,
  Rows: ofTheTable,
  Match: ofTheTable,
  PublicSuffix: ofTheTable,
  RowsPerKey: ofTheTable,
  NewestBy: ofTheTable,
  Indicators: ofTheTable,
  ByValue: ofTheTable,
  Provider: ofTheTable,
  Events: ofTheTable,
  Query: ofTheTable,
  SnowflakeQuery: ofTheTable,
  DatabricksQuery: ofTheTable,
  AthenaQuery: ofTheTable,
  Validations: ofTheTable,
  Refresh: ofTheTable,
  Checks: ofTheTable,
  Keep: ofTheTable,
  Verdict: ofTheTable,
  Retro: ofTheTable,
  BaseVersion: ofTheTable,
})

/** Selectors to add to a table. */
export interface TableExtension {
  /** The table's name. */
  readonly base: string
  readonly enabled: boolean
  readonly associations: readonly Association[]
  /** Its file defines the table, but only Panther's service can fill it: without a shipped table of that name it is left out. */
  readonly isHosted: boolean
  readonly file: string
}

/** True if the YAML is an extension, which has different keys, or has the effect of one. */
export function isExtension(document: unknown): boolean {
  return (typeof document === 'object' && document !== null && Object.hasOwn(document, 'Extends')) || !!hostedTable(document)
}

/** The table that an extension extends. */
export function extendedName(document: unknown): unknown {
  return hostedTable(document)?.name ?? (document as { Extends?: unknown }).Extends
}

/**
 * Reads an extension.
 *
 * @throws {ConfigError} with file and path when it is wrong.
 */
export function defineExtension(document: unknown, { file }: { readonly file: string }): TableExtension {
  const hosted = hostedTable(document)
  if (hosted) {
    const { name: base, enabled, associations } = hosted
    return { base, enabled, associations: readAssociations(associations, file), isHosted: true, file }
  }
  const { Extends: base, Enabled: enabled, LogTypeMap } = parse(tableExtensionSchema, document, file)
  return { base, enabled, associations: readAssociations(LogTypeMap.AssociatedLogTypes, file), isHosted: false, file }
}

/** Keys of Panther's format that a later release may support. */
const BUCKET_KEYS = ['GCSCredentials', 'StorageProvider']

/**
 * Reads a table definition.
 *
 * @throws {ConfigError} with file and path if it is invalid.
 * @throws {NotSupported} if it needs something that a later release may support: another definition of the same name may be used instead.
 */
export function defineTable(document: unknown, { file }: { readonly file: string }): TableDefinition {
  refuseLater(document, file)
  const yaml = parse(tableDefinitionSchema, document, file)
  const inBucket = yaml.Refresh && bucketProvider(yaml.Refresh, file)
  const short = queryProvider(yaml, file) ?? (inBucket && { key: 'Refresh.ObjectPath', config: inBucket })
  if (short && (yaml.Provider || (inBucket && short.config !== inBucket))) {
    const other = yaml.Provider ? 'Provider' : 'Refresh.ObjectPath'
    throw new ConfigError(`says where content is, and so does ${other}: remove one`, { file, path: short.key })
  }
  const config = yaml.Provider ?? short?.config
  const elsewhere = (['Filename', 'Provider', 'Format'] as const).find((name) => yaml[name] !== undefined) ?? short?.key
  if (yaml.Inline !== undefined && elsewhere !== undefined)
    throw new ConfigError(`the rows are in this file (Inline): remove ${elsewhere}, or Inline`, { file, path: elsewhere })
  if (yaml.Filename === undefined && config === undefined && yaml.Inline === undefined && yaml.Events === undefined) {
    const message =
      'a table needs Filename (content next to this file), Provider (where to fetch content), Inline (the rows themselves) or Events (what writes rows)'
    throw new ConfigError(message, { file })
  }
  if (yaml.Schema !== undefined && yaml.Indicators !== undefined) {
    const message = `the schema '${yaml.Schema}' defines what columns contain: mark its fields with \`indicators\` and remove this`
    throw new ConfigError(message, { file, path: 'Indicators' })
  }
  if ((yaml.RowsPerKey === 'newest') !== (yaml.NewestBy !== undefined)) {
    const message =
      '`RowsPerKey: newest` and `NewestBy` (the column with the times) belong together: add the other, or remove this'
    throw new ConfigError(message, { file, path: yaml.NewestBy === undefined ? 'RowsPerKey' : 'NewestBy' })
  }
  const key = readKey(yaml.LogTypeMap.PrimaryKey, file)
  const associations = readAssociations(yaml.LogTypeMap.AssociatedLogTypes ?? [], file)
  checkAssociations(key, associations)
  const match = readMatch({ ...yaml, Match: yaml.Match ?? validatedMatch(yaml, key) }, key, file)
  const given = new Set(Object.keys(document as object))
  const events = yaml.Events && readEventSource(yaml.Events, { key, match, rowChoice: yaml.RowsPerKey, given, file })
  const { cron, period } = readPeriod(yaml.Refresh, config ? providerDefinition(config.type).periodMinutes : 60, file)
  const definition: TableDefinition = {
    name: yaml.LookupName,
    enabled: yaml.Enabled,
    schema: yaml.Schema,
    key,
    primaryKey: key.columns[0]!,
    ...match,
    ...(events && { events }),
    format: yaml.Format ?? (config && providerDefinition(config.type).format),
    rowChoice: yaml.RowsPerKey,
    newestBy: yaml.NewestBy,
    columns: yaml.Columns,
    rowsAt: yaml.Rows,
    filename: yaml.Filename === undefined ? undefined : resolve(dirname(file), yaml.Filename),
    inline: yaml.Inline,
    contentDate: yaml.ContentDate,
    provider: config,
    cron,
    periodMinutes: period,
    alarmMinutes: yaml.Refresh?.AlarmPeriodMinutes ?? period * 3,
    indicators: yaml.Indicators,
    byValue: yaml.ByValue,
    checks: yaml.Checks,
    mayBeEmpty: yaml.Checks.MinRows === 0,
    keep: yaml.Keep,
    verdict: yaml.Verdict,
    retroDays: yaml.Retro?.Days,
    associations,
    added: [],
    description: yaml.Description,
    reference: yaml.Reference,
    baseVersion: yaml.BaseVersion,
    file,
  }
  return yaml.Provider?.type === 'live' ? { ...definition, ...liveDefinition(document, definition) } : definition
}

function refuseLater(document: unknown, file: string): void {
  if (typeof document !== 'object' || document === null) return
  const refresh = (document as { Refresh?: unknown }).Refresh
  if (typeof refresh !== 'object' || refresh === null) return
  const key = BUCKET_KEYS.find((name) => name in refresh)
  if (key) {
    throw new NotSupported(
      `tables refreshed from a bucket (Refresh.${key}), in ${file}: use \`Provider: {type: s3, …}\`, \`Provider: {type: url, url: …}\` or \`Filename\``,
    )
  }
}

function parse<S extends z.ZodObject>(schema: S, document: unknown, file: string): z.output<S> {
  const parsed = schema.safeParse(document)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw new ConfigError(issue.message, { file, path: issue.path.join('.') })
}

function readAssociations(read: readonly z.output<typeof associationSchema>[], file: string): Association[] {
  return read.map(({ LogType: logType, Selectors }, i) => {
    const selectors = Selectors ?? []
    for (const text of selectors.flatMap(selectorFields)) {
      try {
        parseSelector(text)
      } catch (error) {
        throw new ConfigError(messageOf(error), { file, path: `LogTypeMap.AssociatedLogTypes.${i}.Selectors` }, { cause: error })
      }
    }
    return { logType, selectors, file }
  })
}

/**
 * Checks that the selectors of a table or of its extension fit its key.
 *
 * @throws {ConfigError} with file and path.
 */
export function checkAssociations(key: TableKey, associations: readonly Association[]): void {
  for (const [i, { selectors, file }] of associations.entries()) {
    const path = `LogTypeMap.AssociatedLogTypes.${i}.Selectors`
    for (const text of selectors) checkSelectorLength(key, text, { file, path })
  }
}
