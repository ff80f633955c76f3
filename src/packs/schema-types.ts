import type { FieldSpec, SchemaSpec, ValueSpec } from '../stages/normalise/document.ts'

const SCALARS: Readonly<Record<string, string>> = {
  string: 'string',
  int: 'number',
  smallint: 'number',
  bigint: 'number | bigint',
  ubigint: 'number | bigint',
  float: 'number',
  boolean: 'boolean',
  timestamp: 'string',
  json: 'unknown',
}

/** TypeScript types of the events of these log types, in order of their names. */
export function schemaTypes(specs: readonly SchemaSpec[]): string {
  const sorted = [...specs].sort((a, b) => (a.name < b.name ? -1 : 1))
  const all = sorted.map(({ name }) => `  ${JSON.stringify(name)}: ${typeName(name)}\n`).join('')
  const types = sorted.map(
    ({ name, fields }) =>
      `/** ${name} */\nexport interface ${typeName(name)} extends StandardFields {\n${members(fields, '  ')}}\n`,
  )
  return [HEAD, `/** Log type → its events. */\nexport interface LogTypes {\n${all}}\n`, ...types].join('\n')
}

const HEAD = `// Written by \`caracal types\`. Times are texts, RFC 3339 in UTC.

/** Fields of every event. */
export interface StandardFields {
  p_log_type: string
  p_row_id: string
  p_event_time: string
  p_parse_time: string
  p_source_id: string
  p_source_label: string
  p_schema_version: number
  /** Collected indicators (\`p_any_…\`), and fields that the schema does not have. */
  [field: string]: unknown
}
`

function typeName(logType: string): string {
  return logType.replaceAll('.', '')
}

function members(fields: readonly FieldSpec[], indent: string): string {
  return fields
    .map((field) => `${indent}${JSON.stringify(field.name)}${field.required ? '' : '?'}: ${typeOf(field, indent)}\n`)
    .join('')
}

function typeOf(value: ValueSpec, indent: string): string {
  if (value.type === 'array') return `(${typeOf(value.element!, indent)} | null)[]`
  if (value.type === 'object') return `{\n${members(value.fields, `${indent}  `)}${indent}  [field: string]: unknown\n${indent}}`
  return SCALARS[value.type]!
}
