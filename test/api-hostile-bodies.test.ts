import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Description, groupsOf, type NamedOperation, type Schema } from '../src/api/pages/api-docs/description.ts'
import { sampleOf } from '../src/api/pages/api-docs/sample.ts'
import { Caracal, freePort } from './support/caracal.ts'

/**
 * Bodies made to exhaust the server, for every operation of the API's description that takes one, against the real program: each is refused
 * as the caller's fault, memory stays bounded, and other callers are served meanwhile.
 */
const LIMIT_MS = 600_000
const MAX_GROWTH_MB = 400
/** A refusal that repeats what was sent would be an attack on whoever reads it. */
const MAX_ANSWER_CHARS = 5000
const folder = mkdtempSync(join(tmpdir(), 'caracal-bodies-'))
const nested = (open: string, close: string, depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`
const DEEP = [nested('[', ']', 100_000), nested('{"a":', '}', 30_000)]
const MANY = [`[${Array(60_000).fill('{}').join()}]`, `{${Array.from({ length: 15_000 }, (_, i) => `"key${i}":[]`).join()}}`]
const JSON_TYPE = { 'content-type': 'application/json' }

let caracal: Caracal
let operations: readonly NamedOperation[] = []

const schemaOf = ({ requestBody }: NamedOperation) => requestBody?.content['application/json']?.schema
const memory = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${caracal.pid}/status`, 'utf8'))![1]) / 1024

beforeAll(async () => {
  mkdirSync(join(folder, 'content'))
  const port = await freePort()
  const config = { listen: `127.0.0.1:${port}`, risk: {}, sources: [{ type: 'http', id: 'web', log_types: ['Custom.Netstat'] }] }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
  const description = (await (await caracal.fetch('/api/v1/openapi.json')).json()) as Description
  operations = [...groupsOf(description).values()].flat().filter(schemaOf)
  expect(operations.length).toBeGreaterThan(40)
}, LIMIT_MS)
afterAll(async () => {
  expect(await caracal.end('SIGTERM')).toBe(0)
  rmSync(folder, { recursive: true, force: true })
}, LIMIT_MS)

/** Every place of a value in a body, the whole one first. */
function placesIn(schema: Schema, keys: readonly string[] = []): string[][] {
  if (keys.length > 5) return []
  const parts = [
    ...(schema.anyOf ?? schema.oneOf ?? []).flatMap((one) => placesIn(one, keys)),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, of]) => placesIn(of, [...keys, key])),
    ...(schema.items ? placesIn(schema.items, [...keys, '0']) : []),
    ...(typeof schema.additionalProperties === 'object' ? placesIn(schema.additionalProperties, [...keys, 'any']) : []),
  ]
  return [...new Map([[...keys], ...parts].map((place) => [place.join('.'), place])).values()]
}

const MARK = '(the hostile part)'

function marked(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return MARK
  if (key === '0') return [marked(Array.isArray(value) ? value[0] : undefined, rest)]
  const own = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  return { ...own, [key]: marked(own[key], rest) }
}

const withPart = (schema: Schema, place: readonly string[], part: string) =>
  JSON.stringify(marked(sampleOf(schema), place)).replace(JSON.stringify(MARK), () => part)

function pathOf({ path, parameters = [] }: NamedOperation): string {
  const required = parameters.filter((one) => one.in === 'query' && one.required)
  const query = String(
    new URLSearchParams(required.map(({ name, schema }): [string, string] => [name, String(sampleOf(schema, name))])),
  )
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(sampleOf({ type: 'string' }, name))),
  )
  return `${filled}${query && `?${query}`}`
}

/** What is wrong with the answer to such a call; `undefined` if it is refused as it should be. */
async function faultOf(operation: NamedOperation, what: string, init: RequestInit, expected: readonly number[] = []) {
  const response = await caracal.fetch(pathOf(operation), { method: operation.method, headers: JSON_TYPE, ...init })
  const text = await response.text()
  const { status } = response
  const isRight = expected.length > 0 ? expected.includes(status) : status >= 400 && status < 500
  if (isRight && text.length < MAX_ANSWER_CHARS) return undefined
  return `${operation.name}, ${what}: ${status} with ${text.length} characters: ${text.slice(0, 200)}`
}

/** Calls of somebody else until the attack is over: how many were answered, and what failed. */
function others() {
  let isOver = false
  const failed: string[] = []
  let served = 0
  const calling = (async () => {
    while (!isOver)
      for (const path of ['/healthz', '/api/v1/alerts']) {
        const response = await caracal.fetch(path)
        await response.text()
        if (response.ok) served++
        else failed.push(`${path}: ${response.status}`)
      }
  })()
  return async () => {
    isOver = true
    await calling
    return { served, failed }
  }
}

async function attacked(attack: () => Promise<readonly (string | undefined)[]>): Promise<void> {
  const before = memory()
  const end = others()
  const faults = await attack().finally(end)
  const { served, failed } = await end()
  expect(faults.filter((fault) => fault !== undefined)).toEqual([])
  expect(failed).toEqual([])
  expect(served).toBeGreaterThan(0)
  expect(memory() - before).toBeLessThan(MAX_GROWTH_MB)
  expect(caracal.output).not.toContain('An API call failed.')
}

test('what is nested 100,000 deep is refused, wherever it is put', { timeout: LIMIT_MS }, () =>
  attacked(async () => {
    const faults: (string | undefined)[] = []
    for (const operation of operations)
      for (const place of placesIn(schemaOf(operation)!))
        for (const part of DEEP) {
          const what = `${part.slice(0, 5)}… at ${place.join('.') || 'the top'}`
          faults.push(await faultOf(operation, what, { body: withPart(schemaOf(operation)!, place, part) }))
        }
    expect(faults.length).toBeGreaterThan(400)
    return faults
  }),
)

test('what is as deep as a record may be, and deeper, never exhausts the stack', { timeout: LIMIT_MS }, () =>
  attacked(async () => {
    const wanted = ['POST /api/v1/explain event', 'POST /api/v1/rules/test events.0', 'POST /api/v1/schemas/test schema']
    const faults: (string | undefined)[] = []
    for (const operation of operations)
      for (const place of placesIn(schemaOf(operation)!).filter((keys) => wanted.includes(`${operation.name} ${keys.join('.')}`)))
        for (const depth of [100, 510]) {
          const body = withPart(schemaOf(operation)!, place, nested('{"a":', '}', depth))
          const response = await caracal.fetch(pathOf(operation), { method: operation.method, headers: JSON_TYPE, body })
          const text = await response.text()
          if (response.status >= 500) faults.push(`${operation.name} ${depth}: ${response.status} ${text.slice(0, 200)}`)
        }
    return faults
  }),
)

test('thousands of elements and of unknown keys are refused in few words', { timeout: LIMIT_MS }, () =>
  attacked(async () => {
    const faults: (string | undefined)[] = []
    for (const operation of operations)
      for (const part of MANY) faults.push(await faultOf(operation, `${part.slice(0, 9)}…`, { body: part }))
    return faults
  }),
)

test('a compressed body is refused as it is, whatever it would become', { timeout: LIMIT_MS }, () =>
  attacked(async () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000, ' '))
    const faults: (string | undefined)[] = []
    for (const operation of operations)
      for (const encoding of ['gzip', 'deflate', 'br', 'gzip, gzip']) {
        const headers = { ...JSON_TYPE, 'content-encoding': encoding }
        faults.push(await faultOf(operation, encoding, { body: bomb, headers }, [415]))
      }
    return faults
  }),
)

test('a body that never ends is cut off, with its length announced or not', { timeout: LIMIT_MS }, () =>
  attacked(async () => {
    const faults: (string | undefined)[] = []
    for (const operation of operations)
      for (const headers of [{ 'content-length': '1000000000000' }, { 'transfer-encoding': 'chunked' }]) {
        const { status, sent } = await endless(operation, headers)
        if (status !== 413 || sent > 64 * 1024 * 1024)
          faults.push(`${operation.name} ${JSON.stringify(headers)}: ${status} after ${sent} bytes`)
      }
    return faults
  }),
)

test('messages to assistants and forms of the pages have the same limits', { timeout: LIMIT_MS }, () =>
  attacked(async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const call = (part: string) =>
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_alerts","arguments":${part}}}`
    const accept = { ...JSON_TYPE, accept: 'application/json, text/event-stream' }
    const tried: readonly (readonly [string, Record<string, string>, string])[] = [
      ...DEEP.flatMap((part) => [['/mcp', accept, call(part)] as const, ['/mcp/write', accept, part] as const]),
      ['/mcp', accept, call(`"${'x'.repeat(300_000)}"`)],
      ['/sign-in', form, `email=${'x'.repeat(300_000)}`],
      ['/setup', form, 'a=b&'.repeat(70_000)],
    ]
    return Promise.all(
      tried.map(async ([path, headers, body]) => {
        const response = await caracal.fetch(path, { method: 'POST', headers, body })
        const text = await response.text()
        const isRefused = (response.status >= 400 && response.status < 500) || /"error"|"isError":true/.test(text)
        return isRefused && text.length < MAX_ANSWER_CHARS ? undefined : `${path}: ${response.status} ${text.slice(0, 300)}`
      }),
    )
  }),
)

/** Sends white space until there is an answer. */
function endless(operation: NamedOperation, headers: Record<string, string>): Promise<{ status: number; sent: number }> {
  const authorization = `Bearer ${readFileSync(join(folder, 'data/token'), 'utf8').trim()}`
  const options = {
    ...{ host: '127.0.0.1', port: caracal.port, path: pathOf(operation), method: operation.method },
    headers: { authorization, ...JSON_TYPE, ...headers },
  }
  return new Promise((resolve, reject) => {
    const piece = Buffer.alloc(64 * 1024, ' ')
    let sent = 0
    let status = 0
    const call = request(options, (response) => {
      status = response.statusCode!
      call.destroy()
    })
    const more = () => {
      if (call.destroyed) return
      sent += piece.length
      if (call.write(piece)) setImmediate(more)
      else call.once('drain', more)
    }
    // Once it has answered, the server may close the connection while more is sent.
    call.on('error', (error) => status === 0 && reject(error))
    call.on('close', () => resolve({ status, sent }))
    more()
  })
}
