import type { z } from 'zod'
import {
  defineExtension,
  defineTable,
  isExtension,
  tableDefinitionSchema,
  tableExtensionSchema,
} from '../stages/enrich/definition.ts'
import { ConfigError, ConfigErrors, NotSupported } from '../util/errors.ts'
import { readCorrelationRule } from './correlation-items.ts'
import { readDashboard } from './dashboard-items.ts'
import { nearest, problemOf, problemsOf } from './issues.ts'
import { broken, checked, type DataModelDraft, type Item } from './item.ts'
import { dataModelItem, globalItem, packItem, promptItem, schemaItem, tableExtensionItem, tableItem } from './item-schemas.ts'
import { readQuery } from './query-items.ts'
import { readDetection } from './rule-items.ts'
import { readSchemaFile, schemaFile } from './schema-file.ts'
import type { YamlFile } from './yaml-file.ts'

type Read = (file: string, yaml: YamlFile, ignoresExtraKeys: boolean) => Item

const KINDS: Readonly<Record<string, Read>> = {
  rule: (file, yaml, ignoresExtraKeys) => readDetection('rule', file, yaml, ignoresExtraKeys),
  scheduled_rule: (file, yaml, ignoresExtraKeys) => readDetection('scheduled_rule', file, yaml, ignoresExtraKeys),
  policy: (file, yaml, ignoresExtraKeys) => readDetection('policy', file, yaml, ignoresExtraKeys),
  correlation_rule: readCorrelationRule,
  datamodel: readDataModel,
  global: (file, yaml) =>
    checked(file, yaml, globalItem, (item) => ({ kind: 'global', id: item.GlobalID, filename: item.Filename })),
  lookup_table: readTable,
  pack: (file, yaml) =>
    checked(
      file,
      yaml,
      packItem,
      ({ PackID: id, Enabled: enabled, DisplayName: displayName, Description: description, PackDefinition }) => ({
        kind: 'pack',
        id,
        pack: { id, displayName, description, file, ids: PackDefinition?.IDs, isOptional: enabled === false },
      }),
    ),
  saved_query: (file, yaml) => readQuery('saved_query', file, yaml),
  scheduled_query: (file, yaml) => readQuery('scheduled_query', file, yaml),
  dashboard: readDashboard,
  scheduled_prompt: (file, yaml) =>
    checked(file, yaml, promptItem, (item) => {
      const id = String(item['PromptName'] ?? item['QueryName'] ?? file)
      return { kind: 'idle', id, notice: `scheduled_prompt '${id}' is accepted and ignored` }
    }),
}

/**
 * Recognises a YAML file's kind from its `AnalysisType` or `schema` key alone, and checks its keys. `ignoresExtraKeys`: keys that rules and
 * policies do not have are notices, as with an option of Panther's tool.
 */
export function readItem(file: string, yaml: YamlFile, ignoresExtraKeys = false): Item {
  const value = yaml.value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const document = value as Readonly<Record<string, unknown>>
  if (!Object.hasOwn(document, 'AnalysisType')) return Object.hasOwn(document, 'schema') ? readSchema(file, yaml) : undefined
  const type = document['AnalysisType']
  if (typeof type === 'string' && Object.hasOwn(KINDS, type)) {
    const item = KINDS[type]!(file, yaml, ignoresExtraKeys)
    if (item?.kind !== 'broken' || typeof document['Filename'] !== 'string') return item
    return { ...item, filename: document['Filename'] }
  }
  const message = `AnalysisType '${String(type)}' is unknown. Known: ${Object.keys(KINDS).join(', ')}`
  return broken([{ file, line: yaml.line(['AnalysisType']), message }])
}

function readDataModel(file: string, yaml: YamlFile): Item {
  return checked(file, yaml, dataModelItem, (item) => {
    // A name may have a path and a method: the method is called if the path has no value.
    const names = item.Mappings.map(({ Name, Path }) => `${Path === undefined ? 'method' : 'path'} ${Name.toLowerCase()}`)
    const twice = names.findIndex((name, at) => names.indexOf(name) !== at)
    if (twice >= 0)
      throw new ConfigError(
        `'${item.Mappings[twice]!.Name}' is mapped twice by a ${item.Mappings[twice]!.Path === undefined ? 'method' : 'path'}: remove one`,
        { path: `Mappings.${twice}.Name` },
      )
    const method = item.Mappings.findIndex(({ Method }) => Method !== undefined)
    if (method >= 0 && item.Filename === undefined) {
      throw new ConfigError('needs a Filename: the Python file that has the method', { path: `Mappings.${method}.Method` })
    }
    const model: DataModelDraft = {
      id: item.DataModelID,
      displayName: item.DisplayName,
      enabled: item.Enabled,
      logTypes: item.LogTypes,
      mappings: item.Mappings.map(({ Name: name, Path: path, Method }) =>
        path === undefined ? { name, method: Method! } : { name, path },
      ),
      file,
      filename: item.Filename,
    }
    return { kind: 'dataModel', id: model.id, model }
  })
}

function readSchema(file: string, yaml: YamlFile): Item {
  const item = checked(file, yaml, schemaItem, ({ schema: id }) =>
    usable(file, yaml, { kind: 'schema', id, document: yaml.value }, schemaFile, readSchemaFile),
  )
  if (item?.kind !== 'broken') return item
  return { ...item, problems: item.problems.map((problem) => ({ ...problem, isSchema: true })) }
}

function readTable(file: string, yaml: YamlFile): Item {
  const document = yaml.value
  if (isExtension(document)) {
    return checked(file, yaml, tableExtensionItem, ({ LookupName: id = `extension in ${file}` }) =>
      usable(file, yaml, { kind: 'table', id, document }, tableExtensionSchema, defineExtension),
    )
  }
  const known = Object.keys(tableDefinitionSchema.shape)
  if (Object.keys(document as object).some((key) => !known.includes(key) && nearest(key, ['Extends', ...known]) === 'Extends'))
    return checked(file, yaml, tableExtensionSchema, () => undefined)
  return checked(file, yaml, tableItem, ({ LookupName: id }) =>
    usable(file, yaml, { kind: 'table', id, document }, tableDefinitionSchema, defineTable),
  )
}

/** Has the stage that uses a document read it once, so that a mistake is found with its line before anything starts. */
function usable(
  file: string,
  yaml: YamlFile,
  item: { readonly kind: 'schema' | 'table'; readonly id: string; readonly document: unknown },
  schema: z.ZodObject,
  read: (document: unknown, where: { readonly file: string }) => unknown,
): Item {
  try {
    read(item.document, { file })
    return item
  } catch (error) {
    // A table that this release cannot fill must not hide a shipped one of the same name.
    if (error instanceof NotSupported) {
      const what = error.message.replace('not supported yet: ', '').replace(`, in ${file}`, '')
      return { kind: 'idle', id: item.id, notice: `not supported yet: ${item.kind} '${item.id}': ${what}` }
    }
    if (!(error instanceof ConfigError)) throw error
    const issues = schema.safeParse(item.document).error?.issues
    const mistakes = error instanceof ConfigErrors ? error.all : [error]
    return broken(issues ? problemsOf(file, yaml, schema, issues) : mistakes.map((one) => problemOf(file, yaml, one)))
  }
}
