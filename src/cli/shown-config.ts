import { shownUrl } from '../util/http/send.ts'

/** A value of the configuration that has no parts, where it was set, and its keys from the top. */
export interface ShownValue {
  readonly keys: readonly PropertyKey[]
  readonly value: unknown
}

const HIDDEN = '(hidden)'
/** Blocks and keys whose texts may be secrets although they are written in the file. `topic` is all that protects a topic of ntfy. */
const MAY_BE_SECRET = new Set<PropertyKey>(['headers', 'parameters', 'body', 'topic'])
/** A command's arguments may contain passwords. */
const COMMAND = 'command'
/** Where the path of a URL is often a secret, as for webhooks. */
const SECRET_URLS = new Set<PropertyKey>(['destinations', 'heartbeat_url', 'tracing'])

/**
 * The values of a configuration, one for each leaf, in order. What may be a secret is hidden: parts of URLs, headers, bodies, arguments.
 * References to secrets are shown as they are written.
 */
export function shownValues(config: object): ShownValue[] {
  return leaves(config, [])
}

function leaves(value: unknown, keys: readonly PropertyKey[]): ShownValue[] {
  if (value === undefined) return []
  if (isReference(value)) return [{ keys, value }]
  if (Array.isArray(value) && value.every((entry) => typeof entry !== 'object'))
    return [{ keys, value: value.map((entry, i) => shown(entry, [...keys, i])) }]
  if (typeof value !== 'object' || value === null) return [{ keys, value: shown(value, keys) }]
  const entries = Object.entries(value)
  if (entries.length === 0) return [{ keys, value }]
  return entries.flatMap(([key, inner]) => leaves(inner, [...keys, Array.isArray(value) ? Number(key) : key]))
}

/** `{env: NAME}` or `{file: PATH}`. */
function isReference(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const [key, ...others] = Object.keys(value)
  return others.length === 0 && (key === 'env' || key === 'file')
}

function shown(value: unknown, keys: readonly PropertyKey[]): unknown {
  if (typeof value !== 'string') return value
  if (keys.some((key) => MAY_BE_SECRET.has(key))) return HIDDEN
  if (keys.at(-2) === COMMAND && Number(keys.at(-1)) > 0) return HIDDEN
  return value.includes('://') && URL.canParse(value) ? shownAddress(value, SECRET_URLS.has(keys[0]!)) : value
}

function shownAddress(text: string, isSecretPath: boolean): string {
  const { pathname, search, username, password } = new URL(text)
  const isPlain = search === '' && username === '' && password === ''
  if (isPlain && (!isSecretPath || pathname === '/')) return text
  return `${shownUrl(text)}${isSecretPath ? '' : pathname}${HIDDEN}`
}
