import { z } from 'zod'
import { ConfigError } from '../../util/errors.ts'
import { type ProviderConfig, providerSchema } from './index.ts'
import { INDICATORS } from './indicators.ts'
import type { TableKey } from './table-key.ts'

/** Which text is used if there are several, first to last. */
const QUERY_KEYS = ['Query', 'SnowflakeQuery', 'DatabricksQuery', 'AthenaQuery'] as const

const sql = z.string().min(1).optional().describe("Panther's form of a Provider of type query.")
const indicatorSchema = z.enum(INDICATORS)
const field = z.string().min(1)

/** Panther's keys of a table that a query fills. */
export const queryKeys = {
  Query: sql,
  SnowflakeQuery: sql,
  DatabricksQuery: sql,
  AthenaQuery: sql,
  Validations: z
    .array(z.strictObject({ Field: field, Validations: z.array(z.enum(['ip', 'cidr'])).min(1) }))
    .optional()
    .describe("What columns must contain, in Panther's form: `cidr` or `ip` for the key is the same as Match."),
}

const listedIndicators = z.array(z.strictObject({ Field: field, Indicators: z.array(z.string()) }))

/** `Indicators` by column; as a list it is Panther's form. */
export const indicatorsSchema = z
  .preprocess(
    (given) => {
      const { data: listed } = listedIndicators.safeParse(given)
      return listed ? Object.fromEntries(listed.map(({ Field, Indicators }) => [Field, Indicators])) : given
    },
    z.record(
      field,
      z.union([indicatorSchema, z.array(indicatorSchema).min(1)], `must be one of ${INDICATORS.join(', ')}, or a list of these`),
    ),
  )
  .transform(
    (byColumn): Readonly<Record<string, readonly string[]>> =>
      Object.fromEntries(Object.entries(byColumn).map(([column, one]) => [column, [one].flat()])),
  )

type QueryYaml = z.output<z.ZodObject<typeof queryKeys>>

/** The provider that `Query` or its like stands for, with the name of that key; `undefined` without one. */
export function queryProvider(
  yaml: QueryYaml,
  file: string,
): { readonly key: string; readonly config: ProviderConfig } | undefined {
  const key = QUERY_KEYS.find((name) => yaml[name] !== undefined)
  if (key === undefined) return undefined
  const parsed = providerSchema.safeParse({ type: 'query', sql: yaml[key] })
  if (parsed.success) return { key, config: parsed.data }
  throw new ConfigError(parsed.error.issues[0]!.message, { file, path: key })
}

/** The query in a table's YAML, which may be invalid. */
export function queryIn(document: unknown): string | undefined {
  const yaml = document as Readonly<Record<string, unknown>>
  const provider = yaml['Provider'] as { readonly type?: unknown; readonly sql?: unknown } | null | undefined
  const found = provider?.type === 'query' ? provider.sql : QUERY_KEYS.map((key) => yaml[key]).find((text) => text !== undefined)
  return typeof found === 'string' ? found : undefined
}

/** The kind of keys that `Validations` asks for. */
export function validatedMatch({ Validations }: QueryYaml, { kind, columns }: TableKey): 'ip' | 'cidr' | undefined {
  if (kind !== 'column') return undefined
  const kinds = (Validations ?? []).filter(({ Field }) => Field === columns[0]).flatMap((one) => one.Validations)
  return kinds.includes('cidr') ? 'cidr' : kinds[0]
}
