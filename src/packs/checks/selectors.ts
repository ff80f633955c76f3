import type { CompiledSchema } from '../../model/schema.ts'
import { type Association, fits, has, isPattern } from '../../stages/enrich/associations.ts'
import { hostedTable } from '../../stages/enrich/hosted-table.ts'
import { parseSelector, selectorFields, selectorName } from '../../stages/enrich/selector.ts'
import { type FieldSpec, readSchemaDocument, type ValueSpec } from '../../stages/normalise/document.ts'
import type { Problem, SchemaFile } from '../content.ts'
import { suggestion } from '../issues.ts'
import type { Check, World } from './check.ts'

/** Fields that tables are joined on: events of the log type, or of one that matches the pattern, must be able to have them. */
export const checkSelectors: Check = ({ tables }, { known }) => {
  const files = new Map(known.content.schemas.map((schema) => [schema.name, schema]))
  const checked = new Set(tables.filter(({ document }) => !hostedTable(document)).map(({ file }) => file))
  const associations = [...known.tables.values()]
    .flatMap(({ definition }) => [...definition.associations, ...definition.added])
    .filter(({ file }) => checked.has(file))
  const problems = associations.flatMap(({ logType, selectors, file }): Problem[] => {
    if (isPattern(logType)) return patternProblems({ logType, selectors, file }, known.schemas)
    const schema = known.schemas.get(logType)
    const source = files.get(logType)
    if (!schema || !source) return []
    const fields = fieldsOf(source)
    return selectors.flatMap(selectorFields).flatMap((text) => {
      const missing = missingField(parseSelector(text).path, schema, fields)
      if (missing === undefined) return []
      const advice =
        suggestion(text, namesOf(schema)) || suggestion(missing, namesOf(schema)) || ': correct the selector or remove it'
      return [{ file, line: undefined, message: `Selectors: ${logType} has no field '${missing}' (selector '${text}')${advice}` }]
    })
  })
  return { problems, notices: [] }
}

/** A selector after a pattern is valid if one of the log types has it. A pattern without matches is reported with the other names. */
function patternProblems({ logType, selectors, file }: Association, schemas: World['known']['schemas']): Problem[] {
  const fitting = [...schemas.values()].filter(({ name }) => fits(logType, name))
  if (fitting.length === 0) return []
  return selectors
    .filter((text) => !fitting.some((schema) => has(schema, text)))
    .map((selector) => {
      const text = selectorName(selector)
      const names = new Set(fitting.flatMap(namesOf))
      const advice = suggestion(text, names) || ': correct the selector or remove it'
      const types = `none of the ${fitting.length} log types that match '${logType}' has the field in the selector '${text}'`
      return { file, line: undefined, message: `Selectors: ${types}${advice}` }
    })
}

/** The fields that a usable schema file names; the compiled schema also has standard columns, and does not know nested fields. */
function fieldsOf({ document, file }: SchemaFile): readonly FieldSpec[] {
  return readSchemaDocument(document, { file }).fields
}

function namesOf({ columns }: CompiledSchema): string[] {
  return columns.map(({ name }) => name)
}

/** The part of a path that no event of the schema has, or `undefined`. */
function missingField(
  [first, ...rest]: readonly string[],
  { columns }: CompiledSchema,
  fields: readonly FieldSpec[],
): string | undefined {
  if (!columns.some(({ name }) => name === first)) return first
  let value: ValueSpec | undefined = fields.find(({ name }) => name === first)
  let path = first!
  for (const step of rest) {
    value = elementOf(value)
    // A standard column, or a value of any shape.
    if (value === undefined || value.type === 'json') return undefined
    path = `${path}.${step}`
    value = value.fields.find(({ name }) => name === step)
    if (value === undefined) return path
  }
  return undefined
}

/** Selectors pass through arrays without a step. */
function elementOf(value: ValueSpec | undefined): ValueSpec | undefined {
  let inner = value
  while (inner?.element !== undefined) inner = inner.element
  return inner
}
