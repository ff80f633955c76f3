import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { ConfigError, messageOf, NotSupported } from '../../util/errors.ts'
import { formats } from './formats/index.ts'
import { type ProviderConfig, providerDefinition, providerSchema } from './index.ts'
import { parseSelector } from './selector.ts'
import { MATCH_KINDS, type MatchKind } from './table.ts'

/** A table as its YAML defines it. */
export interface TableDefinition {
  readonly name: string
  readonly enabled: boolean
  /** Name of the schema of its rows. */
  readonly schema: string | undefined
  readonly primaryKey: string
  /** `undefined`: by the schema, else by the keys. */
  readonly match: MatchKind | undefined
  readonly format: string | undefined
  /** Absolute path of the content that lies beside the definition; with a provider it is what is used until that has delivered. */
  readonly filename: string | undefined
  /** `YYYY-MM-DD` of that content. */
  readonly contentDate: string | undefined
  readonly provider: ProviderConfig | undefined
  readonly periodMinutes: number
  /** Older content is shown as stale. */
  readonly alarmMinutes: number
  /** Log type → selectors as written. */
  readonly selectors: ReadonlyMap<string, readonly string[]>
  readonly description: string
  readonly reference: string
  readonly baseVersion: number | undefined
  /** The YAML file. */
  readonly file: string
}

/** Not a path, no control characters, no name that helpers skip or that no object should have. */
const NAME = /^(?!p_any_)(?!__proto__$)(?!\.)[^/\\\p{Cc}]{1,200}$/u
const MINUTES = z.int().min(1).max(525_600)

const refreshSchema = z.strictObject({
  PeriodMinutes: MINUTES.optional().describe('How often the provider is asked.'),
  AlarmPeriodMinutes: MINUTES.optional().describe('Content older than this is shown as stale; three periods by default.'),
})
const associationSchema = z.strictObject({
  LogType: z.string().min(1).max(255),
  Selectors: z.array(z.string().min(1).max(500)).max(1000).nullish(),
})

/** The keys of a table's YAML: Panther's, and `Provider`, `Format`, `Match`, `ContentDate`. */
export const tableDefinitionSchema = z.strictObject({
  AnalysisType: z.literal('lookup_table'),
  LookupName: z.string().regex(NAME, 'must be 1 to 200 characters without slashes, and not begin with a dot or p_any_'),
  Enabled: z.boolean().default(true),
  Schema: z.string().min(1).max(255).optional().describe('Name of the schema of the rows.'),
  Filename: z.string().min(1).optional().describe('Content beside this file; with a Provider: until that has delivered.'),
  ContentDate: z.iso.date().optional().describe('When the content in Filename was current.'),
  Format: z.enum(formats.map((format) => format.type)).optional(),
  Match: z.enum(MATCH_KINDS).optional().describe('How keys are compared, when the schema does not say it.'),
  Provider: providerSchema.optional(),
  Refresh: refreshSchema.optional(),
  LogTypeMap: z.strictObject({
    PrimaryKey: z.string().min(1).max(255),
    AssociatedLogTypes: z.array(associationSchema).max(2000).nullish(),
  }),
  Description: z.string().default(''),
  Reference: z.string().default(''),
  BaseVersion: z.int().optional(),
  DisplayName: z.string().optional(),
  Tags: z.array(z.string()).optional(),
})

/** Keys of Panther's format that a later release may read. */
const LATER: Readonly<Record<string, string>> = {
  Query: 'tables filled by a scheduled search (Query)',
  SnowflakeQuery: 'tables filled by a scheduled search (SnowflakeQuery)',
  DatabricksQuery: 'tables filled by a scheduled search (DatabricksQuery)',
  AthenaQuery: 'tables filled by a scheduled search (AthenaQuery)',
}
const BUCKET_KEYS = ['RoleARN', 'GCSCredentials', 'StorageProvider', 'ObjectPath', 'ObjectKMSKey', 'CronExpression']

/**
 * Reads a table definition.
 *
 * @throws {ConfigError} with file and path when it is wrong.
 * @throws {NotSupported} when it asks for what a later release may do: another definition of the same name may be used instead.
 */
export function defineTable(document: unknown, { file }: { readonly file: string }): TableDefinition {
  refuseLater(document, file)
  const parsed = tableDefinitionSchema.safeParse(document)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new ConfigError(issue.message, { file, path: issue.path.join('.') })
  }
  const yaml = parsed.data
  if (yaml.Filename === undefined && yaml.Provider === undefined) {
    throw new ConfigError('a table needs Filename (content beside this file) or Provider (where content is fetched)', { file })
  }
  const period = yaml.Refresh?.PeriodMinutes ?? (yaml.Provider ? providerDefinition(yaml.Provider.type).periodMinutes : 60)
  return {
    name: yaml.LookupName,
    enabled: yaml.Enabled,
    schema: yaml.Schema,
    primaryKey: yaml.LogTypeMap.PrimaryKey,
    match: yaml.Match,
    format: yaml.Format,
    filename: yaml.Filename === undefined ? undefined : resolve(dirname(file), yaml.Filename),
    contentDate: yaml.ContentDate,
    provider: yaml.Provider,
    periodMinutes: period,
    alarmMinutes: yaml.Refresh?.AlarmPeriodMinutes ?? period * 3,
    selectors: readSelectors(yaml.LogTypeMap.AssociatedLogTypes ?? [], file),
    description: yaml.Description,
    reference: yaml.Reference,
    baseVersion: yaml.BaseVersion,
    file,
  }
}

function refuseLater(document: unknown, file: string): void {
  if (typeof document !== 'object' || document === null) return
  for (const [key, what] of Object.entries(LATER)) if (key in document) throw new NotSupported(`${what}, in ${file}`)
  const refresh = (document as { Refresh?: unknown }).Refresh
  if (typeof refresh !== 'object' || refresh === null) return
  const key = BUCKET_KEYS.find((name) => name in refresh)
  if (key) {
    throw new NotSupported(
      `tables refreshed from a bucket (Refresh.${key}), in ${file}: use \`Provider: {type: url, url: …}\` or \`Filename\``,
    )
  }
}

function readSelectors(
  associations: readonly z.output<typeof associationSchema>[],
  file: string,
): Map<string, readonly string[]> {
  const selectors = new Map<string, readonly string[]>()
  for (const [i, { LogType, Selectors }] of associations.entries()) {
    for (const text of Selectors ?? []) {
      try {
        parseSelector(text)
      } catch (error) {
        throw new ConfigError(messageOf(error), { file, path: `LogTypeMap.AssociatedLogTypes.${i}.Selectors` }, { cause: error })
      }
    }
    const before = selectors.get(LogType) ?? []
    selectors.set(LogType, [...new Set([...before, ...(Selectors ?? [])])])
  }
  return selectors
}
