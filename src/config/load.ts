import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { ConfigError, messageOf } from '../util/errors.ts'
import { type Config, configSchema } from './config.ts'
import type { Environment } from './env.ts'

/** Read when no file is named. */
export const DEFAULT_FILE = 'caracal.yml'
const PREFIX = 'CARACAL_'
/** Size limit of a configuration file. */
const MAX_BYTES = 4 * 1024 * 1024
/** Maximum number of errors listed. */
const MAX_ISSUES = 20
/** Keys whose values are not quoted in messages: an entire URL or header may be a secret. */
const MAY_HOLD_SECRETS = new Set<PropertyKey | undefined>(['content', 'destinations', 'heartbeat_url', 'http', 'keys', 'tracing'])
/** Keys that can only be set in the file. */
const LISTS = new Set([
  'sources',
  'destinations',
  'disabled_packs',
  'enabled_packs',
  'http',
  'keys',
  'tls',
  'tracing',
  'trusted_proxies',
])

/**
 * Loads the configuration from `file`, or from caracal.yml in the working folder if it exists, or from the defaults, and then
 * applies the environment (`CARACAL_LISTEN`, `CARACAL_DATA_DIR` … for single values). Throws `ConfigError` with file, line and
 * key.
 */
export function loadConfig(file: string | undefined, env: Environment): Config {
  return loadWithOrigins(file, env).config
}

/** Where a value was set: `default`, `caracal.yml:3`, or `CARACAL_FLUSH_MS`. */
export type OriginOf = (keys: readonly PropertyKey[]) => string

/** The configuration, and where the value of a key comes from. Throws like `loadConfig`. */
export function loadWithOrigins(
  file: string | undefined,
  env: Environment,
): { readonly config: Config; readonly originOf: OriginOf } {
  const path = configFile(file)
  return withOrigins(path === undefined ? undefined : { path, text: readText(path) }, env)
}

/** The file that is read when this one, or none, is named; `undefined`: no file is. */
export function configFile(file: string | undefined): string | undefined {
  return file ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined)
}

/** The configuration that a file with this text is. Throws like `loadConfig`. */
export function parseConfig(text: string, path: string, env: Environment): Config {
  return withOrigins({ path, text }, env).config
}

function withOrigins(
  from: { readonly path: string; readonly text: string } | undefined,
  env: Environment,
): { readonly config: Config; readonly originOf: OriginOf } {
  const path = from?.path
  const { value, lineOf } = from ? readYaml(from.path, from.text) : { value: {}, lineOf: () => undefined }
  const ofEnvironment = fromEnvironment(env)
  const merged = { ...(value as Record<string, unknown>), ...ofEnvironment }
  const parsed = configSchema.safeParse(merged)
  if (!parsed.success) throw allIssues(parsed.error, merged, path, lineOf)
  const config = parsed.data
  for (const kind of ['sources', 'destinations'] as const) {
    const ids = config[kind].map((entry) => entry.id)
    const twice = ids.find((id, i) => ids.indexOf(id) !== i)
    if (twice)
      throw new ConfigError(`two ${kind} have the id '${twice}'; ids must differ`, { ...(path && { file: path }), path: kind })
  }
  const originOf: OriginOf = (keys) => {
    const top = String(keys[0])
    if (top in ofEnvironment) return `${PREFIX}${top.toUpperCase()}`
    if (path === undefined || at(value, keys) === undefined) return 'default'
    return `${path}:${lineOf(keys) ?? 1}`
  }
  return { config: { ...config, data_dir: resolve(config.data_dir) }, originOf }
}

/** The value at a path, or `undefined`. */
function at(value: unknown, keys: readonly PropertyKey[]): unknown {
  return keys.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key], value)
}

/** The text of a configuration file. Throws `ConfigError`. */
export function readText(path: string): string {
  try {
    const { size } = statSync(path)
    if (size > MAX_BYTES) throw new Error(`it is ${size} bytes long; the limit is ${MAX_BYTES}`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`the configuration cannot be read: ${messageOf(error)}`, { file: path }, { cause: error })
  }
}

function readYaml(path: string, text: string): { value: unknown; lineOf: (keys: readonly PropertyKey[]) => number | undefined } {
  const lines = new LineCounter()
  const document = attempt(path, () => parseDocument(text, { lineCounter: lines, prettyErrors: true }))
  const [fault] = document.errors
  if (fault) throw new ConfigError(fault.message, { file: path, line: fault.linePos?.[0].line ?? 1 })
  const value = attempt(path, () => document.toJS() as unknown) ?? {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw new ConfigError('the configuration must be a mapping of keys', { file: path, line: 1 })
  const lineOf = (keys: readonly PropertyKey[]) => {
    for (let n = keys.length; n > 0; n--) {
      const node = document.getIn(keys.slice(0, n), true) as { range?: [number, number, number] } | undefined
      if (node?.range) return lines.linePos(node.range[0]).line
    }
    return undefined
  }
  return { value, lineOf }
}

/**
 * Reports what the YAML reader throws, such as for aliases that expand to far more than the text or for nesting that is too deep.
 */
function attempt<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const why = /alias/i.test(messageOf(error)) ? 'its aliases expand to too much: write the values out' : messageOf(error)
    throw new ConfigError(`the configuration cannot be read: ${why}`, { file }, { cause: error })
  }
}

/** `CARACAL_*` variables as top-level keys. Numbers are read as numbers, `CARACAL_CONTENT` as folders separated by colons. */
function fromEnvironment(env: Environment): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || text === undefined) continue
    const key = name.slice(PREFIX.length).toLowerCase()
    if (!(key in configSchema.shape) || LISTS.has(key))
      throw new ConfigError(
        `the environment variable ${name} does not correspond to a configuration key that the environment can set; unset it`,
      )
    if (key === 'content') values[key] = text.split(':').filter(Boolean)
    else values[key] = /^\d+$/.test(text) ? Number(text) : text
  }
  return values
}

type LineOf = (keys: readonly PropertyKey[]) => number | undefined

/** The issues of a value that may be of several kinds: those of the kind that it comes closest to. */
function nearest(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || 'discriminator' in issue) return [issue]
  const kinds = issue.errors.filter((errors) => !errors.some(({ code, path }) => code === 'invalid_type' && path.length === 0))
  const [only] = kinds
  if (kinds.length !== 1) return [issue]
  return only!.flatMap((inner) => nearest({ ...inner, path: [...issue.path, ...inner.path] }))
}

/** One error that lists all issues, one per line. */
function allIssues({ issues: found }: z.ZodError, value: unknown, file: string | undefined, lineOf: LineOf): ConfigError {
  const issues = found.flatMap(nearest)
  const errors = issues.slice(0, MAX_ISSUES).map((issue) => {
    const keys = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]!] : issue.path
    const line = lineOf(keys)
    const path = keys.map(String).join('.')
    return { message: wordsOf(issue, value), where: { ...(file && { file }), ...(line && { line }), path } }
  })
  const [first, ...others] = errors
  const more = issues.length > MAX_ISSUES ? [`… and ${issues.length - MAX_ISSUES} more`] : []
  const rest = others.map(({ message, where }) => new ConfigError(message, where).message)
  return new ConfigError([first!.message, ...rest, ...more].join('\n'), first!.where)
}

function wordsOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    const known = issue.path.length === 0 ? ` Known: ${Object.keys(configSchema.shape).join(', ')}.` : ''
    return `${issue.message}.${known}`
  }
  const given = at(value, issue.path)
  const isKind = issue.code === 'invalid_union' && 'discriminator' in issue
  const isSecret = !isKind && (MAY_HOLD_SECRETS.has(issue.path[0]) || issue.path.some((key) => /token|secret/.test(String(key))))
  const shown = given === undefined || isSecret ? '' : `${JSON.stringify(given).slice(0, 80)}: `
  if (!isKind)
    return `${shown}${given === undefined ? 'missing: ' : ''}${issue.message.replace(/^Invalid input: |, received undefined$/g, '')}`
  const { options = [] } = issue as { options?: readonly unknown[] }
  return `${shown}unknown type. Known: ${options.join(', ')}`
}
