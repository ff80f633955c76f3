import { afterEach, beforeEach, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine } from '../../test/support/fake-engine.ts'
import { startServer } from '../api/server.ts'
import { type Config, configSchema } from '../config/config.ts'
import { createLog } from '../telemetry/log.ts'
import { ConfigError } from '../util/errors.ts'
import type { Io } from './io.ts'
import { type Running, serve } from './serve.ts'

let engine: FakeEngine
let running: Running | undefined

afterEach(async () => {
  await running?.stop()
  running = undefined
  await engine.dispose()
})

const log = createLog({ isPretty: false, write: () => {} })

interface Captured {
  out: string
  err: string
}

function terminal(isTty: boolean): Io & { readonly captured: Captured } {
  const captured = { out: '', err: '' }
  return {
    captured,
    out: (text) => {
      captured.out += text
    },
    write: async () => {},
    err: (text) => {
      captured.err += text
    },
    isTty,
    columns: 80,
    hasColours: false,
    env: {},
    stdin: process.stdin,
    onInterrupt: () => () => {},
  }
}

function config(more: Partial<Config> = {}): Config {
  return { ...engine.config, listen: '127.0.0.1:0', ...more }
}

async function demo(more: Partial<Config> = {}): Promise<FakeEngine> {
  const shown = { ...engine, isDemo: true, config: config(more) }
  await engine.addAlert(
    { alertId: alertId(1), createdMs: 1, severity: 'HIGH', eventCount: 9 },
    { title: 'Unexpected Port Opened: 21', latencyMs: 12 },
  )
  await engine.addAlert({ alertId: alertId(2), createdMs: 2, eventCount: 1 }, { latencyMs: 30 })
  await engine.addAlert({ alertId: alertId(3), createdMs: 3 }, { title: 'of another source', sourceLabels: ['zeek'] })
  return shown
}

beforeEach(async () => {
  engine = await fakeEngine()
})

test('startup prints what is loaded and where it is', async () => {
  const io = terminal(true)
  running = await serve(config(), async () => engine, io, log)
  await running.greet()
  expect(io.captured.out.split('\n').slice(0, 7)).toEqual([
    expect.stringMatching(/^Caracal \d+\.\d+\.\d+ is up at http:\/\/127\.0\.0\.1:\d+$/),
    '',
    'Content    1 rule, 1 log type, 2 tables',
    expect.stringMatching(/^ +1 problem: .* validate$/),
    'Tables     tor_exit_nodes: 1,174 rows, stale',
    '           allowed_ports: 4 rows, static',
    expect.stringMatching(/^Data {7}\//),
  ])
  expect(io.captured.out).not.toContain('What next')
})

test('the demo ends with counts, times and the next steps, below the alerts that the terminal printed', async () => {
  const io = terminal(false)
  const shown = await demo()
  await engine.addDelivery(alertId(1), 'stdout')
  await engine.addDelivery(alertId(2), 'stdout')
  running = await serve(config(), async () => shown, io, log)
  await running.greet()
  expect(io.captured.out).not.toContain('Unexpected Port')
  expect(io.captured.out).toContain(
    [
      'Demo       12 records of the bundled sample (source demo): 9 stored, 2 dead letters (invalid_json 2)',
      '           10 matched events in 2 alerts',
      '           from record to alert in 12 ms, at most 30 ms',
    ].join('\n'),
  )
  for (const line of [
    /curl .*\/token\)".*\/ingest\/default$/m,
    /^ +- type: file$/m,
    / alerts show 00020000$/m,
    / test --path content$/m,
  ]) {
    expect(io.captured.out).toMatch(line)
  }
})

test('without a destination that prints, the demo prints its alerts itself', async () => {
  const io = terminal(false)
  const shown = await demo({ destinations: [] })
  running = await serve(config(), async () => shown, io, log)
  await running.greet()
  expect(io.captured.out).toMatch(
    /^HIGH {6}Unexpected Port Opened: 21\nCRITICAL {2}SSH Connection Established from TOR Exit Node \(45\.139\.122\.241\)\n\nDemo/,
  )
})

test('if alerts are printed as JSON lines, nothing else is printed there', async () => {
  const io = terminal(true)
  const { destinations } = configSchema.parse({ destinations: [{ type: 'stdout', id: 'stdout', format: 'json' }] })
  const shown = await demo({ destinations })
  running = await serve(config(), async () => shown, io, log)
  await running.greet()
  expect(io.captured.out).toBe('')
  expect(io.captured.err).toContain('What next')
})

test('while the engine starts callers get 503, afterwards answers', async () => {
  let started: ((engine: FakeEngine) => void) | undefined
  const free = await startServer(() => new Response(), { listen: '127.0.0.1:0' })
  await free.close(0)
  const listen = new URL(free.url).host
  const serving = serve(
    config({ listen }),
    () =>
      new Promise((resolve) => {
        started = resolve
      }),
    terminal(false),
    log,
  )
  const url = `${free.url}/healthz`
  await expect
    .poll(() =>
      fetch(url).then(
        (response) => response.status,
        () => 0,
      ),
    )
    .toBe(503)
  expect((await fetch(url)).headers.get('retry-after')).toBe('2')
  started!(engine)
  running = await serving
  expect(await (await fetch(url)).json()).toEqual({ status: 'ok' })
})

test('if the engine does not start, the address is released', async () => {
  const free = await startServer(() => new Response(), { listen: '127.0.0.1:0' })
  await free.close(0)
  const listen = new URL(free.url).host
  const failed = serve(config({ listen }), () => Promise.reject(new ConfigError('no rules')), terminal(false), log)
  await expect(failed).rejects.toThrow('no rules')
  running = await serve(config({ listen }), async () => engine, terminal(false), log)
  expect(running.url).toBe(free.url)
})
