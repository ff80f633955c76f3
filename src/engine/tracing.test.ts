import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { configSchema } from '../config/config.ts'
import { pause } from '../util/pause.ts'
import { prepare, SITES, send, startPipeline } from './makers/makers.fixture.ts'
import { MakersHere } from './workers/makers-here.ts'

/** Bodies through a pipeline, and the traces that a real HTTP server receives. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-tracing-'))
const configs = prepare(folder, [1, 11, 12, 13])
const KEY = 'the key of this state'
const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function listening(server: Server): Promise<string> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Received {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: { stringValue?: string; intValue?: string } }[]
  readonly events?: readonly object[]
}

/** Takes OTLP and keeps the texts. */
async function receiver() {
  const bodies: string[] = []
  const asked: unknown[] = []
  const server = createServer((request, response) => {
    asked.push([request.url, request.headers['content-type'], request.headers['x-key']])
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      bodies.push(Buffer.concat(parts).toString())
      response.end('{}')
    })
  })
  const url = await listening(server)
  const spans = () =>
    bodies.flatMap((body) => {
      const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Received[] }[] }[] }
      return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans: some }) => some))
    })
  return { endpoint: `${url}/v1/traces`, bodies, asked, spans }
}

const valuesOf = ({ attributes }: Received) =>
  Object.fromEntries(attributes.map(({ key, value: { stringValue, intValue } }) => [key, stringValue ?? Number(intValue)]))

let sentMs = Date.now() - 600_000
/** Bodies of five logins, which fail, and a broken record. */
function bodies(count: number) {
  return Array.from({ length: count }, (_, n) => {
    sentMs += 1000
    const lines = [0, 1, 2, 3, 4].map((i) => JSON.stringify({ at: sentMs + i, user: `hidden${i}`, ok: false, ip: '10.0.0.1' }))
    return { source: SITES[n % SITES.length]!, text: [...lines, '{"hidden'].join('\n'), receivedMs: sentMs }
  })
}

type Workers = Parameters<typeof startPipeline>[1]

/** Sends bodies through a pipeline, and stops it once everything is committed. */
async function through(n: number, tracing: object, more: Parameters<typeof bodies>[0], workers?: Workers) {
  const config = { ...configs[n]!, node: 'n1', workers: 1, tracing: configSchema.shape.tracing.parse(tracing) }
  const started = await startPipeline(config, workers)
  const problems: string[] = []
  const { events } = started
  const before = events.problems.onChange
  const gone = new Promise<void>((resolve) => {
    events.problems.onChange = (begun, over) => {
      before(begun, over)
      problems.push(...begun.map(({ what, message }) => `${what}: ${message}`))
      if (problems.some((problem) => problem.startsWith('TracesNotSent'))) resolve()
    }
  })
  const settle = async () => {
    for (const source of SITES) await started.pipeline.call('settled', source)
  }
  return {
    ...started,
    problems,
    gone,
    async run() {
      await send(started, bodies(more))
      await settle()
    },
    async stop() {
      await started.pipeline.call('stop')
      await started.close()
    },
  }
}

/** By trace: ids, parents, times that nest, and what is in every trace. */
function checked(spans: readonly Received[]) {
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined)
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length)
  return roots.map((root) => {
    const steps = spans.filter(({ traceId, parentSpanId }) => traceId === root.traceId && parentSpanId !== undefined)
    for (const step of steps) {
      expect(step.parentSpanId).toBe(root.spanId)
      const [from, start, end, to] = [
        root.startTimeUnixNano,
        step.startTimeUnixNano,
        step.endTimeUnixNano,
        root.endTimeUnixNano,
      ].map(BigInt)
      expect(from! <= start! && start! <= end! && end! <= to!, step.name).toBe(true)
    }
    return { root, values: valuesOf(root), steps }
  })
}

const STEPS = ['wait', 'read', 'parse', 'enrich', 'detect', 'encode', 'turn', 'commit']

test('every batch is one trace, with the counts of its records, and nothing of what they say', async () => {
  const { endpoint, bodies: texts, asked, spans } = await receiver()
  const pipeline = await through(0, { endpoint, sample: 1, headers: { 'x-key': 'k' } }, 12)
  await pipeline.run()
  await pipeline.stop()
  expect(asked[0]).toEqual(['/v1/traces', 'application/json', 'k'])
  const traces = checked(spans())
  for (const { steps } of traces) expect(steps.map(({ name }) => name)).toEqual(STEPS)
  const sum = (key: string) => traces.reduce((all, { values }) => all + Number(values[`caracal.${key}`]), 0)
  expect([sum('records.received'), sum('records.stored'), sum('records.dead_lettered'), sum('records.filtered')]).toEqual([
    72, 60, 12, 0,
  ])
  expect(sum('matches')).toBeGreaterThan(0)
  expect(sum('bytes')).toBeGreaterThan(12 * 300)
  const alerts = traces.flatMap(({ root }) => root.events ?? [])
  expect(alerts.length).toBe(sum('alerts'))
  expect(alerts.length).toBeGreaterThan(0)
  expect(new Set(traces.map(({ values }) => values['caracal.node']))).toEqual(new Set(['n1']))
  expect(new Set(traces.map(({ values }) => values['caracal.source']))).toEqual(new Set(SITES))
  expect(texts.join()).not.toContain('hidden')
  expect(texts.join()).not.toContain('10.0.0.1')
  expect(pipeline.problems.filter((problem) => problem.startsWith('TracesNotSent'))).toEqual([])
}, 120_000)

test('what a thread or another node did is in the trace of the batch', async () => {
  const { endpoint, spans } = await receiver()
  const dataDir = join(folder, 'w1')
  mkdirSync(dataDir)
  const makers = new MakersHere({ threads: 1, dataDir, key: async () => KEY, tell: () => {} })
  const url = await listening(createServer().on('upgrade', (request, socket, head) => void makers.upgrade(request, socket, head)))
  const look = async () => ({ key: KEY, workers: [{ name: 'w1', url }] })
  const pipeline = await through(1, { endpoint, sample: 1 }, 24, look)
  while (makers.running < 1) await pause(50, new AbortController().signal)
  while (makers.batches === 0) await pipeline.run()
  await pipeline.stop()
  await makers.stop()
  const traces = checked(spans())
  for (const { steps } of traces) expect(steps.map(({ name }) => name)).toEqual(STEPS)
  const made = traces.map(({ steps }) => steps.filter(({ name }) => ['parse', 'enrich', 'detect', 'encode'].includes(name)))
  const nodes = made.map((steps) => steps.map((step) => valuesOf(step)['caracal.node']))
  for (const each of nodes) expect(new Set(each).size).toBe(1)
  expect(nodes.flat()).toContain('w1')
}, 120_000)

test('an endpoint that refuses connections is said once, and the path goes on', async () => {
  const closed = createServer()
  const endpoint = await listening(closed)
  await new Promise((resolve) => servers.pop()!.close(resolve))
  const pipeline = await through(2, { endpoint, sample: 1 }, 8)
  await pipeline.run()
  await pipeline.gone
  await pipeline.run()
  const said = pipeline.problems.filter((problem) => problem.startsWith('TracesNotSent'))
  expect(said).toEqual([expect.stringContaining(`Traces cannot be sent to ${endpoint}: `)])
  await pipeline.stop()
}, 120_000)

test('with an endpoint that never answers, everything is committed and stopping ends', async () => {
  let asked = 0
  const endpoint = await listening(createServer(() => asked++))
  const pipeline = await through(3, { endpoint, sample: 1 }, 8)
  await pipeline.run()
  await pipeline.stop()
  // The last attempt, which is given up after a second.
  expect(asked).toBeGreaterThan(0)
}, 120_000)
