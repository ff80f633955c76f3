import type { Column } from '../../model/column.ts'
import { fieldsOf, pathOf } from '../../model/condition/reads.ts'
import type { DataModel } from '../../model/data-model.ts'
import type { Rule } from '../../model/rule.ts'
import type { FieldPath, RuleReads } from '../../model/rule-reads.ts'
import type { CompiledSchema } from '../../model/schema.ts'
import { languages } from '../../stages/detect/index.ts'
import type { Language } from '../../stages/detect/language.ts'

/** A log type's fields that rules read. Plain data, for the main thread. */
export interface LogTypeReads {
  readonly logType: string
  /** Its table in `logs`. */
  readonly table: string
  readonly columns: readonly Column[]
  readonly fields: readonly { readonly path: FieldPath; readonly ruleIds: readonly string[] }[]
}

export interface ReadContent {
  readonly rules: Iterable<Rule>
  readonly schemas: ReadonlyMap<string, CompiledSchema>
  readonly dataModels: readonly DataModel[]
}

/** The fields that enabled rules read, by log type. Of a rule whose text cannot be read nothing is known. */
export function readsByLogType({ rules, schemas, dataModels }: ReadContent): LogTypeReads[] {
  const models = new Map(
    dataModels.filter(({ enabled }) => enabled).flatMap((model) => model.logTypes.map((name) => [name, model])),
  )
  const byLogType = new Map<string, Map<string, { path: FieldPath; ruleIds: string[] }>>()
  for (const rule of rules) {
    if ((rule.kind ?? 'rule') !== 'rule' || !rule.enabled) continue
    const reads = readsOf(rule)
    for (const logType of new Set(rule.logTypes)) {
      const fields = byLogType.get(logType) ?? new Map<string, { path: FieldPath; ruleIds: string[] }>()
      byLogType.set(logType, fields)
      for (const path of [...reads.fields, ...reads.unified.flatMap((name) => mapped(models.get(logType), name))]) {
        const field = fields.get(path.join('\0')) ?? { path, ruleIds: [] }
        if (path.length > 0) fields.set(path.join('\0'), field)
        if (!field.ruleIds.includes(rule.id)) field.ruleIds.push(rule.id)
      }
    }
  }
  return [...byLogType].flatMap(([logType, fields]) => {
    const schema = schemas.get(logType)
    if (!schema || fields.size === 0) return []
    return [{ logType, table: schema.table, columns: schema.columns, fields: [...fields.values()] }]
  })
}

function readsOf(rule: Rule): RuleReads {
  const language: Language | undefined = languages.find(({ type }) => type === rule.source.language)
  const filter = rule.inlineFilter ? fieldsOf(rule.inlineFilter).map(pathOf) : []
  try {
    const { fields, unified } = language?.reads?.(rule) ?? { fields: [], unified: [] }
    return { fields: [...filter, ...fields], unified }
  } catch {
    // A rule that cannot be read does not load either, and is reported for that.
    return { fields: filter, unified: [] }
  }
}

/** The path that a data model maps a name to: a field's name, or a JSONPath of names. */
function mapped(model: DataModel | undefined, name: string): FieldPath[] {
  const mapping = model?.mappings.find((one) => one.name === name)
  if (!mapping || !('path' in mapping)) return []
  const { path } = mapping
  if (!path.startsWith('$')) return [[path]]
  const names = path.replace(/^\$\.?/, '').split('.')
  return names.every((part) => /^\w+$/.test(part)) ? [names] : []
}
