import type { NamedOperation, Schema } from './description.ts'

/** Values that look like what they stand for, by the name of the member or parameter. */
const KNOWN: Readonly<Record<string, unknown>> = {
  id: '1f0a3c5e7b9d2f4a',
  ids: ['1f0a3c5e7b9d2f4a'],
  name: 'ana',
  email: 'ana@example.com',
  owner: 'ana',
  reason: 'maintenance',
  text: 'Seen by the night shift',
  sql: 'SELECT * FROM logs.nginx_access LIMIT 10',
  indicator: '192.0.2.7',
  entity: '192.0.2.7',
  key: '192.0.2.7',
  generation: '7',
  before: '2024-05-01',
  from: '2024-05-01T00:00:00Z',
  to: '2024-05-02T00:00:00Z',
  folder: '/var/backups/caracal',
}
const TIME = '2026-05-01T12:00:00Z'

/** An example of a value of this schema: what is required, or else its first member. */
export function sampleOf(schema: Schema | undefined, name = ''): unknown {
  if (!schema) return null
  if (schema.const !== undefined) return schema.const
  if (schema.default !== undefined) return schema.default
  const [choice] = schema.anyOf ?? schema.oneOf ?? []
  if (choice) return sampleOf(choice, name)
  if (schema.enum) return schema.enum[0]
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  switch (type) {
    case 'object':
      return objectOf(schema)
    case 'array':
      return [sampleOf(schema.items, name.replace(/s$/, ''))]
    case 'string':
      return textOf(schema, name)
    case 'integer':
    case 'number':
      return schema.minimum ?? 1
    case 'boolean':
      return true
    default:
      return null
  }
}

function objectOf({ properties = {}, required = [] }: Schema): Record<string, unknown> {
  const names = required.length > 0 ? required : Object.keys(properties).slice(0, 1)
  return Object.fromEntries(names.map((name) => [name, sampleOf(properties[name], name)]))
}

function textOf({ format, pattern }: Schema, name: string): string {
  if (format === 'date-time') return TIME
  if (format === 'date') return TIME.slice(0, 10)
  const known = KNOWN[name]
  return typeof known === 'string' && (pattern === undefined || new RegExp(pattern, 'u').test(known)) ? known : 'x'
}

/** The call as a line for the shell, with the variables of docs/api.md. */
export function curlOf({ method, path, parameters = [], requestBody }: NamedOperation): string {
  const place = (name: string, schema: Schema | undefined) => encodeURIComponent(String(KNOWN[name] ?? sampleOf(schema, name)))
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    place(name, parameters.find((one) => one.in === 'path' && one.name === name)?.schema),
  )
  const query = parameters.filter((one) => one.in === 'query' && one.required)
  const search = query.map(({ name, schema }) => `${name}=${place(name, schema)}`).join('&')
  const parts = ['curl -s', ...(method === 'GET' ? [] : [`-X ${method}`]), '-H "Authorization: Bearer $TOKEN"']
  const schema = requestBody?.content['application/json']?.schema
  if (schema) parts.push('-H "Content-Type: application/json"', `-d ${quoted(JSON.stringify(sampleOf(schema)))}`)
  return [...parts, `"$CARACAL${filled}${search && `?${search}`}"`].join(' ')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
