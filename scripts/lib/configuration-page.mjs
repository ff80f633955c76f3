/** docs/configuration.md: every key of caracal.yml, generated from the JSON Schema of the configuration. */

const INTRO = `# Configuration

Caracal reads \`caracal.yml\` in the working folder, or the file given with \`--config\`. Without one, every key has its default. Unknown
keys are refused, with their line. A top-level key with a single value can also be set in the environment: \`CARACAL_FLUSH_MS=500\`.
\`caracal validate\` checks the file. Secrets are not written in this file; refer to them as \`{env: NAME}\` or \`{file: PATH}\`.

This page is generated from the code. Run \`node scripts/configuration.mjs\` after changing a key.
`

/** @param {any} schema JSON Schema of the configuration, as users write it. */
export function configurationPage(schema) {
  const parts = [INTRO, table(schema)]
  for (const [key, value] of Object.entries(schema.properties)) {
    const { description } = value
    const block = value.items?.anyOf?.find(({ type }) => type === 'object')
    if (value.items?.oneOf) parts.push(...kinds(key, description, value.items.oneOf, 'A list; each entry'))
    else if (block)
      parts.push(
        `## ${key}

${description} An entry that is a block has these keys:
`,
        table(block),
      )
    else if (value.additionalProperties?.properties)
      parts.push(`## ${key}\n\n${description} Under its name, each entry has these keys:\n`, table(value.additionalProperties))
    else if (value.oneOf) parts.push(...kinds(key, description, value.oneOf, 'A block that'))
    else if (value.type === 'object' && value.properties)
      parts.push(`## ${key}\n\n${description}\n`, table(value), ...blocks(key, value.properties))
  }
  return `${parts.join('\n').trimEnd()}\n`
}

/** What may have several types: first the shared keys, then those of each type. */
function kinds(key, description, options, what) {
  const [first, ...others] = options
  // With a single type, no keys are shared.
  const shared = Object.keys(others.length > 0 ? first.properties : {}).filter(
    (name) => name !== 'type' && others.every(({ properties }) => same(properties[name], first.properties[name])),
  )
  const common = { required: first.required, properties: pick(first.properties, (name) => shared.includes(name)) }
  const own = options.map(({ properties, required }) => {
    const rest = pick(properties, (name) => name !== 'type' && !shared.includes(name))
    const keys = Object.keys(rest).length > 0 ? table({ required, properties: rest }) : 'No keys of its own.\n'
    const title = `${key}, type \`${properties.type.const}\``
    return [`### ${title}\n\n${keys}`, ...blocks(title, rest)].join('\n')
  })
  if (shared.length === 0) return [`## ${key}\n\n${description} ${what} has a \`type\` and the keys of that type.\n`, ...own]
  return [
    `## ${key}\n\n${description} ${what} has a \`type\` and these keys:\n`,
    table(common),
    ...blocks(key, common.properties),
    ...own,
  ]
}

/** The tables of keys that are blocks themselves, blocks of several types, or lists of blocks. */
function blocks(title, properties) {
  return Object.entries(properties).flatMap(([name, { items, ...one }]) => {
    const value = items?.properties ? items : one
    const options = value.oneOf?.every(({ properties }) => properties?.type?.const) ? value.oneOf : isBlock(value) ? [value] : []
    return options.flatMap((option) => {
      const type = option.properties.type?.const
      const own = `${title}, \`${name}\`${type === undefined ? '' : ` of type \`${type}\``}`
      const rest = pick(option.properties, (key) => key !== 'type' || type === undefined)
      return [`#### ${own}\n\n${table({ required: option.required, properties: rest })}`, ...blocks(own, rest)]
    })
  })
}

/** `{env: …}` needs no table. */
function isBlock({ type, properties }) {
  return type === 'object' && Object.keys(properties ?? {}).length > 1
}

function table({ properties, required = [] }) {
  const rows = Object.entries(properties).map(([name, value]) => {
    const given = required.includes(name) && value.default === undefined ? 'required' : defaultOf(value)
    return `| \`${name}\` | ${shapeOf(value)} | ${given} | ${cell(value.description ?? '')} |`
  })
  return ['| key | value | default | what it does |', '|---|---|---|---|', ...rows, ''].join('\n')
}

function defaultOf(value) {
  if (
    value.default === undefined ||
    value.default === '' ||
    (typeof value.default === 'object' && Object.keys(value.default).length === 0)
  )
    return ''
  return `\`${cell(typeof value.default === 'string' ? value.default : JSON.stringify(value.default))}\``
}

function shapeOf(value) {
  if (value.const !== undefined) return `\`${value.const}\``
  if (value.enum) return value.enum.map((word) => `\`${word}\``).join(', ')
  const options = value.anyOf ?? value.oneOf
  if (options) return [...new Set(options.map(shapeOf))].join(', or ')
  if (value.type === 'array')
    return value.items.oneOf || value.items.properties ? 'list, see below' : `list of ${shapeOf(value.items)}`
  if (value.type === 'object') return objectShape(value)
  if (value.type === 'integer' || value.type === 'number') return `number${rangeOf(value)}`
  if (value.type === 'boolean') return 'true or false'
  return value.format === 'uri' ? 'URL' : 'text'
}

function objectShape({ properties, additionalProperties }) {
  const names = Object.keys(properties ?? {})
  if (names.length === 1) return `\`{${names[0]}: …}\``
  return names.length === 0 && additionalProperties ? `key: ${shapeOf(additionalProperties)}` : 'block, see below'
}

function rangeOf({ minimum, maximum }) {
  const [from, to] = [minimum ?? 0, maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum]
  return to === undefined ? `, at least ${from}` : `, ${from} to ${to}`
}

function pick(properties, isWanted) {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => isWanted(name)))
}

function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b)
}

function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
