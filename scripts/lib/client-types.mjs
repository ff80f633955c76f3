/** @typedef {Readonly<Record<string, any>>} Schema a JSON Schema, as OpenAPI 3.1 has them */

const METHODS = ['get', 'post', 'put', 'patch', 'delete']

/**
 * The types of every operation of an OpenAPI description, as TypeScript.
 * @param {{ readonly paths: Readonly<Record<string, Readonly<Record<string, any>>>> }} description
 */
export function clientTypes({ paths }) {
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => operationType(`${method.toUpperCase()} ${path}`, item[method])),
  )
  return `// Made from the API's description by \`npm run client\`. Change the routes, not this file.

/** Every operation of the API: what it takes, and what it answers. */
export interface Operations {
${operations.join('\n')}
}
`
}

function operationType(name, { summary = '', parameters = [], requestBody, responses }) {
  const lines = [
    ...parametersOf('path', parameters),
    ...parametersOf('query', parameters),
    ...bodyOf(requestBody),
    ...eventsOf(responses),
    `readonly answer: ${answerOf(responses)}`,
  ]
  return `  /** ${summary.replaceAll('*/', '* /')} */\n  readonly ${JSON.stringify(name)}: {\n${lines.map((line) => `    ${line}`).join('\n')}\n  }`
}

function parametersOf(place, parameters) {
  const own = parameters.filter((parameter) => parameter.in === place)
  if (own.length === 0) return []
  const isNeeded = own.some(({ required }) => required)
  const members = own.map(({ name, required, schema }) => `readonly ${keyOf(name)}${optional(required, typeOf(schema))}`)
  return [`readonly ${place}${isNeeded ? '' : '?'}: { ${members.join('; ')} }`]
}

function bodyOf(body) {
  const schema = body?.content?.['application/json']?.schema
  return schema ? [`readonly body${body.required ? '' : '?'}: ${typeOf(schema)}`] : []
}

/** The data of each event, if the answer is a stream of server-sent events. */
function eventsOf(responses) {
  const schema = responses['200']?.content?.['text/event-stream']?.schema
  return schema ? [`readonly event: ${typeOf(schema)}`] : []
}

function answerOf(responses) {
  const good = Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1]
  const schema = good?.content?.['application/json']?.schema
  // Files and streams are read from the response itself.
  return schema ? typeOf(schema) : 'Response'
}

/** @param {Schema} schema */
export function typeOf(schema) {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return union(schema.enum.map((value) => JSON.stringify(value)))
  if (schema.anyOf ?? schema.oneOf) return union((schema.anyOf ?? schema.oneOf).map(typeOf))
  if (schema.allOf) return schema.allOf.map(typeOf).join(' & ')
  if (Array.isArray(schema.type)) return union(schema.type.map((type) => typeOf({ ...schema, type })))
  switch (schema.type) {
    case 'string':
      return 'string'
    case 'number':
    case 'integer':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'null':
      return 'null'
    case 'array':
      return schema.prefixItems
        ? `readonly [${schema.prefixItems.map(typeOf).join(', ')}]`
        : `readonly (${typeOf(schema.items ?? {})})[]`
    case 'object':
      return objectType(schema)
    default:
      return 'unknown'
  }
}

function objectType({ properties = {}, required = [], additionalProperties }) {
  const members = Object.entries(properties).map(
    ([name, schema]) => `readonly ${keyOf(name)}${optional(required.includes(name), typeOf(schema))}`,
  )
  if (members.length > 0) return `{ ${members.join('; ')} }`
  const value = typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown'
  return `Readonly<Record<string, ${value}>>`
}

/** What follows a member's name. */
function optional(isRequired, type) {
  return isRequired ? `: ${type}` : `?: ${type} | undefined`
}

function union(types) {
  return [...new Set(types)].map((type) => (type.includes(' & ') ? `(${type})` : type)).join(' | ')
}

function keyOf(name) {
  return /^[\w$]+$/.test(name) ? name : JSON.stringify(name)
}
