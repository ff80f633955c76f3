import { z } from 'zod'
import { correlationRuleDocument } from '../stages/detect/correlation/document.ts'
import { tableDefinitionSchema, tableExtensionSchema } from '../stages/enrich/definition.ts'
import { dashboardItem } from './dashboard-items.ts'
import { dataModelItem, derivedItem, globalItem, packItem, policyItem, ruleItem, scheduledRuleItem } from './item-schemas.ts'
import { overridesFile } from './override-file.ts'
import { savedQueryItem, scheduledQueryItem } from './query-schemas.ts'
import { schemaFile } from './schema-file.ts'

/** A JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** `AnalysisType` → what such a file has. */
const ITEMS: Readonly<Record<string, readonly z.ZodType[]>> = {
  rule: [ruleItem, derivedItem],
  scheduled_rule: [scheduledRuleItem],
  policy: [policyItem],
  correlation_rule: [correlationRuleDocument],
  datamodel: [dataModelItem],
  global: [globalItem],
  pack: [packItem],
  lookup_table: [tableDefinitionSchema, tableExtensionSchema],
  saved_query: [savedQueryItem],
  scheduled_query: [scheduledQueryItem],
  dashboard: [dashboardItem],
  overrides: [overridesFile],
}

/**
 * The JSON Schema of any content file: which keys it has depends on its `AnalysisType`, and a file with `schema` is a log schema, one with `Overrides` that of a content root's overrides. Checks
 * that only Caracal can do (names, code, patterns) are not part of it.
 */
export function contentJsonSchema(): JsonSchema {
  const kinds = Object.entries(ITEMS).map(([type, items]) => ({
    if: { properties: { AnalysisType: { const: type } }, required: ['AnalysisType'] },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: items.length === 1 ? jsonSchemaOf(items[0]!) : { anyOf: items.map(jsonSchemaOf) },
  }))
  // The only file whose kind need not be written.
  const overrides = {
    if: { not: { required: ['AnalysisType'] }, required: ['Overrides'] },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: jsonSchemaOf(overridesFile),
  }
  const logSchema = {
    if: { not: { required: ['AnalysisType'] }, required: ['schema'] },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: jsonSchemaOf(schemaFile),
  }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Content of Caracal',
    type: ['object', 'array', 'null'],
    properties: { AnalysisType: { enum: [...Object.keys(ITEMS), 'scheduled_prompt'] } },
    allOf: [...kinds, overrides, logSchema],
  }
}

/** The JSON Schema of what a user writes. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    target: 'draft-7',
    reused: 'inline',
  })
  return rest
}
