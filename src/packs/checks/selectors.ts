import type { CompiledSchema } from '../../model/schema.ts'
import { parseSelector } from '../../stages/enrich/selector.ts'
import { type FieldSpec, readSchemaDocument, type ValueSpec } from '../../stages/normalise/document.ts'
import type { SchemaFile } from '../content.ts'
import { suggestion } from '../issues.ts'
import type { Check } from './check.ts'

/** Fields that tables are joined on: an event of the log type must be able to have them. */
export const checkSelectors: Check = ({ tables }, { known }) => {
  const files = new Map(known.content.schemas.map((schema) => [schema.name, schema]))
  const problems = tables.flatMap(({ name, file }) => {
    const selectors = known.tables.get(name)?.definition.selectors ?? new Map<string, readonly string[]>()
    return [...selectors].flatMap(([logType, texts]) => {
      const schema = known.schemas.get(logType)
      const source = files.get(logType)
      if (!schema || !source) return []
      const fields = fieldsOf(source)
      return texts.flatMap((text) => {
        const missing = missingField(parseSelector(text).path, schema, fields)
        if (missing === undefined) return []
        const advice =
          suggestion(text, namesOf(schema)) || suggestion(missing, namesOf(schema)) || ': correct the selector or remove it'
        return { file, line: undefined, message: `Selectors: ${logType} has no field '${missing}' (selector '${text}')${advice}` }
      })
    })
  })
  return { problems, notices: [] }
}

/** The fields that a usable schema file names; the compiled schema has standard columns too, and knows nothing of what is nested. */
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

/** Selectors walk through arrays without a step. */
function elementOf(value: ValueSpec | undefined): ValueSpec | undefined {
  let inner = value
  while (inner?.element !== undefined) inner = inner.element
  return inner
}
