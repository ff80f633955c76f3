import type { z } from 'zod'
import type { Dashboard } from '../model/dashboard.ts'
import type { DataModelMapping } from '../model/data-model.ts'
import type { SavedQuery, ScheduledQuery } from '../model/query.ts'
import { ConfigError } from '../util/errors.ts'
import type { CorrelationRuleFile, Pack, Problem } from './content.ts'
import { extraKeys, problemOf, problemsOf, withoutExtraKeys } from './issues.ts'
import type { DerivedDraft, RuleDraft } from './rule-items.ts'
import type { YamlFile } from './yaml-file.ts'

/** The content of one YAML file. Code files are referred to, not read. */
export type Item =
  | { readonly kind: 'rule'; readonly id: string; readonly rule: RuleDraft; readonly notices: readonly string[] }
  | { readonly kind: 'derived'; readonly id: string; readonly rule: DerivedDraft; readonly notices: readonly string[] }
  | { readonly kind: 'correlation'; readonly id: string; readonly rule: CorrelationRuleFile }
  | { readonly kind: 'dataModel'; readonly id: string; readonly model: DataModelDraft }
  | { readonly kind: 'savedQuery'; readonly id: string; readonly query: SavedQuery }
  | { readonly kind: 'scheduledQuery'; readonly id: string; readonly query: ScheduledQuery }
  | { readonly kind: 'dashboard'; readonly id: string; readonly dashboard: Dashboard }
  | { readonly kind: 'global'; readonly id: string; readonly filename: string }
  | { readonly kind: 'pack'; readonly id: string; readonly pack: PackDraft }
  | { readonly kind: 'table'; readonly id: string; readonly document: unknown }
  | { readonly kind: 'schema'; readonly id: string; readonly document: unknown }
  /** Valid, but nothing that this program can run: reported, not dropped. */
  | { readonly kind: 'idle'; readonly id: string; readonly notice: string }
  | { readonly kind: 'broken'; readonly problems: readonly Problem[]; readonly filename: string | undefined }
  /** Not content: some other tool's YAML. */
  | undefined

/** A pack whose ids have not been checked for existence yet. */
export type PackDraft = Omit<Pack, 'missing'>

/** A data model without its code, which is read next. */
export interface DataModelDraft {
  readonly id: string
  readonly displayName: string | undefined
  readonly enabled: boolean
  readonly logTypes: readonly string[]
  readonly mappings: readonly DataModelMapping[]
  readonly file: string
  readonly filename: string | undefined
}

export function broken(problems: readonly Problem[]): Item {
  return { kind: 'broken', problems, filename: undefined }
}

/** Checks a document against its schema, then has `make` build the item; errors in either make it a broken item. */
export function checked<T extends z.ZodObject>(file: string, yaml: YamlFile, schema: T, make: (item: z.output<T>) => Item): Item {
  return made(file, yaml, schema, schema.safeParse(yaml.value), make)
}

/** The same, but keys that the schema does not know are notices of the item. */
export function checkedButExtraKeys<T extends z.ZodObject>(
  file: string,
  yaml: YamlFile,
  schema: T,
  make: (item: z.output<T>) => Item,
): Item {
  const first = schema.safeParse(yaml.value)
  const issues = first.error?.issues ?? []
  const parsed = first.success ? first : schema.safeParse(withoutExtraKeys(yaml.value, issues))
  const item = made(file, yaml, schema, parsed, make)
  if (item?.kind !== 'rule' && item?.kind !== 'derived') return item
  const notices = extraKeys(schema, issues, yaml.value).map(({ name, advice }) => `unknown key '${name}' is ignored: ${advice}`)
  return { ...item, notices: [...item.notices, ...notices] }
}

function made<T extends z.ZodObject>(
  file: string,
  yaml: YamlFile,
  schema: T,
  parsed: z.ZodSafeParseResult<z.output<T>>,
  make: (item: z.output<T>) => Item,
): Item {
  if (!parsed.success) return broken(problemsOf(file, yaml, schema, parsed.error.issues))
  try {
    return make(parsed.data)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return broken([problemOf(file, yaml, error)])
  }
}
