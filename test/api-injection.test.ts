import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request as rawRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Description, groupsOf, type NamedOperation, type Schema } from '../src/api/pages/api-docs/description.ts'
import { sampleOf } from '../src/api/pages/api-docs/sample.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { until } from './support/until.ts'

/**
 * Hostile text in every parameter and every text of every body of the API's description, against the real program. Such a text means nothing
 * but itself: what answers must be as for a harmless text that nothing has, and afterwards everything is as it was.
 */
const LIMIT_MS = 900_000
const folder = mkdtempSync(join(tmpdir(), 'caracal-injection-'))
const CANARY = 'canary-5d0c8e'
const canaryFile = join(folder, 'canary.txt')
const PORTS = [21, 6667, 31337, 4444]
const EVERY = 4
const HARMLESS = 'zzq-nothing-has-this'

let caracal: Caracal
let outside: Server
let hits = 0
let operations: readonly NamedOperation[] = []
let hostile: readonly string[] = []

beforeAll(async () => {
  writeFileSync(canaryFile, `${CANARY}\n`)
  outside = createServer((_, response) => {
    hits++
    response.end(CANARY)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => outside.once('listening', resolve))
  const url = `http://127.0.0.1:${(outside.address() as AddressInfo).port}/x`
  hostile = [
    "' OR '1'='1",
    '" OR ""="',
    "'; DROP TABLE alerts; --",
    "x') UNION ALL SELECT * FROM users /*",
    "\\' OR 1=1 -- ",
    '\u2019 OR \u20191\u2019=\u20191',
    `' || (SELECT * FROM file('${canaryFile}', 'LineAsString')) || '`,
    `') OR (SELECT count() FROM url('${url}', 'LineAsString')) > 0 OR ('`,
    "') OR (SELECT count() FROM remote('127.0.0.1', system.one)) > 0 OR ('",
    "%' OR 1 LIKE '%",
    '{alert:String}',
    '`; ATTACH DATABASE "x" AS y; --',
    "x\0' OR 1=1 --",
    'half \ud800 of a pair',
    '../../../../etc/passwd',
    '..%2f..%2f..%2fetc%2fpasswd',
  ]
  mkdirSync(join(folder, 'content'))
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    risk: {},
    sources: [{ type: 'http', id: 'web', log_types: ['Custom.Netstat'] }],
    destinations: [{ type: 'stdout', id: 'soc' }],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
  const events = PORTS.map((listening) =>
    JSON.stringify({ protocol: 'tcp', local_address: `0.0.0.0:${listening}`, foreign_address: '0.0.0.0:*', state: 'LISTEN' }),
  )
  await caracal.fetch('/ingest/web', { method: 'POST', body: `${events.join('\n')}\n` })
  // Until the first event is stored, its table does not exist.
  await until(async () => ((await state().catch(() => undefined))?.alerts.length === PORTS.length ? true : undefined))
  const description = (await (await caracal.fetch('/api/v1/openapi.json')).json()) as Description
  operations = [...groupsOf(description).values()].flat()
}, LIMIT_MS)
afterAll(async () => {
  expect(await caracal.end('SIGTERM')).toBe(0)
  outside.close()
  rmSync(folder, { recursive: true, force: true })
}, LIMIT_MS)

/** What must not change: rows of the lake, alerts, and that the state answers. */
async function state() {
  const list = async (path: string) =>
    ((await (await caracal.fetch(path)).json()) as { results: Record<string, unknown>[] }).results
  const alerts = (await list('/api/v1/alerts?limit=200')).map((alert) => [alert['alert_id'], alert['title'], alert['dedup']])
  const tables = await caracal
    .query("SELECT name FROM system.tables WHERE database IN ('logs', 'matches') ORDER BY name")
    .catch(() => [])
  const rows = await caracal.query('SELECT local_address, p_row_id FROM logs.custom_netstat ORDER BY p_row_id')
  return { alerts, tables, rows, rules: (await list('/api/v1/rules?limit=200')).map((rule) => rule['rule_id']) }
}

/** Where a text can be put into a call: a parameter, or a member of the body. */
interface Place {
  readonly name: string
  /** The call with this text there. */
  readonly call: (text: string) => { readonly path: string; readonly body?: unknown; readonly headers?: Record<string, string> }
}

function placesOf({ path, parameters = [], requestBody }: NamedOperation): Place[] {
  const schema = requestBody?.content['application/json']?.schema
  const body = schema && sampleOf(schema)
  const sample = (name: string) => encodeURIComponent(String(sampleOf({ type: 'string' }, name)))
  const fill = (where: string, text: string) =>
    path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      name === where ? encodeURIComponent(Buffer.from(text).toString()) : sample(name),
    )
  const required = parameters.filter((one) => one.in === 'query' && one.required)
  const search = (where: string, text: string) => {
    const given = required.filter(({ name }) => name !== where).map(({ name, schema: of }) => [name, String(sampleOf(of, name))])
    return String(new URLSearchParams([...given, ...(where ? [[where, text]] : [])] as [string, string][]))
  }
  const at = (where: string, text: string) => {
    const query = search(parameters.some((one) => one.in === 'query' && one.name === where) ? where : '', text)
    return `${fill(where, text)}${query && `?${query}`}`
  }
  const ofParameters = parameters.flatMap(({ in: kind, name }): Place[] => {
    if (kind !== 'header')
      return [{ name: `${kind} ${name}`, call: (text) => ({ path: at(name, text), ...(body !== undefined && { body }) }) }]
    // Headers have no control characters and no others than those of Latin-1.
    const clean = (text: string) => text.replaceAll(/[^ -~]/g, '?')
    return [
      {
        name: `header ${name}`,
        call: (text) => ({ path: at('', ''), headers: { [name]: clean(text) }, ...(body !== undefined && { body }) }),
      },
    ]
  })
  const ofBody = schema
    ? textsIn(schema).map(
        (keys): Place => ({
          name: `body ${keys.join('.')}`,
          call: (text) => ({ path: at('', ''), body: withText(body, keys, text) }),
        }),
      )
    : []
  return [...ofParameters, ...ofBody]
}

/** The places of texts in values of a schema. */
function textsIn(schema: Schema, keys: readonly string[] = []): (readonly string[])[] {
  if (keys.length > 6) return []
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return choices.flatMap((one) => textsIn(one, keys)).slice(0, 6)
  if (schema.properties) return Object.entries(schema.properties).flatMap(([key, of]) => textsIn(of, [...keys, key]))
  if (schema.items) return textsIn(schema.items, [...keys, '0'])
  if (typeof schema.additionalProperties === 'object') return [[...keys, 'any']]
  return schema.type === 'string' || schema.type === undefined ? [keys] : []
}

function withText(value: unknown, [key, ...rest]: readonly string[], text: string): unknown {
  if (key === undefined) return text
  if (key === '0') return [withText(Array.isArray(value) ? value[0] : undefined, rest, text)]
  const own = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  return { ...own, [key]: withText(own[key], rest, text) }
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly count: number | undefined
}

async function ask(method: string, { path, body, headers }: ReturnType<Place['call']>): Promise<Answer> {
  const response = await caracal.fetch(path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
  })
  if (response.headers.get('content-type') === 'text/event-stream') {
    await response.body!.cancel()
    return { status: response.status, text: '', count: undefined }
  }
  const text = await response.text()
  const isJson =
    response.headers.get('content-type')?.includes('json') && !response.headers.get('content-type')?.includes('ndjson')
  const value = isJson && text ? (JSON.parse(text) as { results?: unknown[] }) : {}
  return { status: response.status, text, count: value.results?.filter(isOther).length }
}

/** The audit log rightly has the texts of these calls. */
const isOther = (result: unknown) => (result as { log_type?: string } | null)?.log_type !== 'Caracal.Audit'

/** What a person may write there is SQL itself, which is guarded in its own way. */
const IS_SQL = /^body sql$/
/** What the call makes is listed by the next one. */
const LISTS = (method: string, path: string) => method === 'GET' || path.includes('/search')

test('a hostile text is only a text, wherever it is put', { timeout: LIMIT_MS }, async () => {
  const before = await state()
  const faults: string[] = []
  let calls = 0
  let places = 0
  for (const operation of operations) {
    const { method, path, name } = operation
    for (const place of placesOf(operation)) {
      const harmless = await ask(method, place.call(HARMLESS))
      // Each place gets some of them, each of them many places; what the state's database cannot hold goes everywhere.
      const some = hostile.filter((text, i) => (i + places) % EVERY === 0 || /[\0\ud800]/.test(text))
      places++
      const answers = await Promise.all(some.map(async (text) => [text, await ask(method, place.call(text))] as const))
      calls += answers.length + 1
      for (const [text, { status, text: answer, count }] of [[HARMLESS, harmless] as const, ...answers]) {
        const say = (what: string) =>
          faults.push(`${name}, ${place.name} ${JSON.stringify(text)}: ${what}: ${answer.slice(0, 200)}`)
        if (status >= 500 && status !== 503) say(`status ${status}`)
        if (answer.includes(CANARY) || /root:.*:0:0:/.test(answer)) say('shows a file of the host')
        const areLists = status === 200 && harmless.status === 200 && LISTS(method, path) && !IS_SQL.test(place.name)
        if (areLists && count !== harmless.count) say(`${count} results instead of ${harmless.count}`)
      }
    }
  }
  expect(faults).toEqual([])
  expect(places).toBeGreaterThan(300)
  expect(calls).toBeGreaterThan(1200)
  expect(hits).toBe(0)
  expect(await state()).toEqual(before)
  expect(caracal.output).not.toContain('An API call failed.')
})

test('no path leads out of what it names, also if it is spelled as a client never would', { timeout: LIMIT_MS }, async () => {
  const up = ['../', '..%2f', '%2e%2e/', '%2e%2e%2f', '..%5c', '....//', '%252e%252e%252f', '..;/', '%c0%ae%c0%ae/', '..%00/']
  const faults: string[] = []
  for (const { method, path, name } of operations.filter((one) => one.path.includes('{')))
    for (const step of up)
      for (const target of ['etc/passwd', 'data/token', 'caracal.yml']) {
        const raw = path.replaceAll(/\{\w+\}/g, `${step.repeat(6)}${target}`)
        const { status, text } = await rawCall(method, raw)
        if (status >= 500 || /root:.*:0:0:|"risk":\{\}/.test(text) || text.includes(token()))
          faults.push(`${name} ${raw}: ${status} ${text.slice(0, 200)}`)
      }
  expect(faults).toEqual([])
})

const token = () => readFileSync(join(folder, 'data/token'), 'utf8').trim()

/** A call whose path is sent as it is. */
function rawCall(method: string, path: string): Promise<{ status: number; text: string }> {
  const authorization = `Bearer ${token()}`
  return new Promise((resolve, reject) => {
    const sent = rawRequest(
      { host: '127.0.0.1', port: caracal.port, path, method, headers: { authorization } },
      async (response) => {
        let text = ''
        for await (const chunk of response) text += chunk
        resolve({ status: response.statusCode!, text })
      },
    )
    sent.on('error', reject).end()
  })
}
