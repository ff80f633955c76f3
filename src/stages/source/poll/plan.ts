import { ConfigError } from '../../../util/errors.ts'
import { PARAMETERS } from './parameters.ts'
import type { PollConfig } from './poll.ts'
import { presetOf } from './presets.ts'
import { type AuthSpec, authShape, requestShape, type StreamSpec, streamSpec } from './spec.ts'
import { filledTree } from './template.ts'

/** What a source polls. */
export interface Plan {
  readonly auth: AuthSpec | undefined
  readonly streams: readonly StreamSpec[]
  readonly startHours: number
}

const DEFAULT_START_HOURS = 24

/** What is wrong with keys that depend on each other: a key, and why. */
export interface PlanProblem {
  readonly key: string
  readonly message: string
}

/** Keys of requests that the user writes. */
const OWN = ['auth', ...Object.keys(requestShape)] as const

/** Whether a key differs from what it is if it is not in the configuration. */
function isSet(config: PollConfig, key: string): boolean {
  const value = (config as Record<string, unknown>)[key]
  return value !== undefined && !DEFAULTS.get(key)?.(value)
}
const DEFAULTS = new Map<string, (value: unknown) => boolean>([
  ['method', (value) => value === 'GET'],
  ['headers', (value) => Object.keys(value as object).length === 0],
  ['records', (value) => JSON.stringify(value) === JSON.stringify(requestShape.records.parse(undefined))],
  ['paging', (value) => (value as { type: string }).type === 'none'],
])

/** The first problem of a source's keys. */
export function planProblem(config: PollConfig): PlanProblem | undefined {
  const given = PARAMETERS.filter((name) => isSet(config, name))
  if (config.preset === undefined) return ownProblem(config, given)
  const preset = presetOf(config.preset)
  const own = OWN.find((key) => isSet(config, key))
  if (own !== undefined)
    return { key: own, message: `\`${own}\` is for a source without \`preset\`, which writes its own requests` }
  const known = [
    ...Object.keys(preset.parameters),
    'endpoint',
    ...(preset.login_endpoint === undefined ? [] : ['login_endpoint']),
  ]
  const unknown = given.find((name) => !known.includes(name))
  if (unknown !== undefined)
    return { key: unknown, message: `the preset \`${config.preset}\` has no such parameter. Its parameters: ${known.join(', ')}` }
  const missing = Object.entries(preset.parameters).find(([name, kind]) => kind === 'required' && !isSet(config, name))
  return missing && { key: missing[0], message: `the preset \`${config.preset}\` needs it` }
}

function ownProblem({ url, paging, records, method, body, list }: PollConfig, given: readonly string[]): PlanProblem | undefined {
  if (url === undefined) return { key: 'url', message: 'a source of type poll needs a `preset` or a `url`' }
  if (given.length > 0)
    return { key: given[0]!, message: `\`${given[0]}\` is a parameter of a \`preset\`: write it into the \`url\`` }
  if (method === 'GET' && body) return { key: 'body', message: 'a body is only sent with `method: POST`' }
  if (paging.type === 'cursor' && paging.in === 'body' && method === 'GET')
    return { key: 'paging', message: 'a cursor is only sent in a body with `method: POST`' }
  if (paging.type === 'url' && (paging.path === undefined) === (paging.header === undefined))
    return { key: 'paging', message: 'the URL of the next page is either in a `path` of the answer or in a `header`' }
  if (records.format === 'ndjson' && !list && (paging.type === 'cursor' || (paging.type === 'url' && paging.path !== undefined)))
    return { key: 'paging', message: 'an answer in `ndjson` has no member with the next page: use a header, or pages by number' }
  return undefined
}

/** Throws `ConfigError` for a configuration with a problem. */
export function planOf(config: PollConfig): Plan {
  const problem = planProblem(config)
  if (problem) throw new ConfigError(`source '${config.id}': ${problem.key}: ${problem.message}`)
  if (config.preset !== undefined) return presetPlan(config, config.preset)
  const { id, log_types: _, ...own } = config
  const keys = Object.fromEntries(Object.keys(requestShape).map((key) => [key, (own as Record<string, unknown>)[key]]))
  const stream = streamSpec.parse({ name: 'records', ...keys })
  return { auth: config.auth, streams: [stream], startHours: config.start_hours ?? DEFAULT_START_HOURS }
}

function presetPlan(config: PollConfig, name: string): Plan {
  const preset = presetOf(name)
  const values: Record<string, unknown> = {}
  for (const [parameter, kind] of Object.entries(preset.parameters)) {
    const value = (config as Record<string, unknown>)[parameter]
    values[parameter] = value ?? (kind === 'required' || kind === 'optional' ? undefined : kind)
  }
  const url = (text: string) => text.replace(/\/+$/, '')
  values['endpoint'] = url(config.endpoint ?? String(filledTree(preset.endpoint, values)))
  if (preset.login_endpoint !== undefined) values['login_endpoint'] = url(config.login_endpoint ?? preset.login_endpoint)
  const streams = preset.streams.flatMap(({ each, ...stream }) => {
    const items = each === undefined ? [undefined] : (values[each] as readonly string[])
    return items.map((item) => streamSpec.parse(filledTree(stream, item === undefined ? values : { ...values, item })))
  })
  const auth = authShape.parse(filledTree(preset.auth, values))
  return { auth, streams, startHours: config.start_hours ?? preset.start_hours ?? DEFAULT_START_HOURS }
}

/** A source that has a preset has that preset's log types. */
export function withPresetTypes<S extends { readonly type: string; readonly log_types: string[] }>(source: S): S {
  const config = source as unknown as PollConfig
  if (source.type !== 'poll' || config.preset === undefined || planProblem(config)) return source
  const types = planOf(config).streams.flatMap(({ log_types: own }) => own)
  return { ...source, log_types: [...new Set([...source.log_types, ...types])] }
}
