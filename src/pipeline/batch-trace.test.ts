import { expect, test } from 'vitest'
import type { AlertWindow } from '../model/alert.ts'
import type { BatchEffects, RecordedBatch } from '../model/batch.ts'
import type { Chunk } from '../model/chunk.ts'
import type { Span } from '../telemetry/tracing/span.ts'
import { BatchTraces, type BatchTracesDeps } from './batch-trace.ts'

const RECEIVED_MS = 1_700_000_000_000
const batch: RecordedBatch = { batchId: '00000000001', sourceId: 'web', extent: { kind: 'list' }, receivedMs: RECEIVED_MS }

/** Traces with a clock that is set by hand: 40 ms after the receipt at first. */
function created(part: Partial<BatchTracesDeps> = {}) {
  const sent: Span[][] = []
  let ms = 5040
  let spans = 0
  const traces = new BatchTraces({
    node: 'n1',
    sample: 1,
    onSpans: (all) => sent.push([...all]),
    now: () => RECEIVED_MS - 5000 + ms,
    monotonic: () => ms,
    spanId: () => String(++spans).padStart(16, '0'),
    ...part,
  })
  const passes = (by: number) => {
    ms += by
  }
  return { traces, sent, passes }
}

const effects = (opened: number) =>
  ({
    counts: [
      { sourceId: 'web', outcome: 'received', reason: '', n: 7 },
      { sourceId: 'web', outcome: 'stored', reason: '', n: 3 },
      { sourceId: 'web', outcome: 'stored', reason: 'Test.Line', n: 1 },
      { sourceId: 'web', outcome: 'filtered', reason: 'noise', n: 1 },
      { sourceId: 'web', outcome: 'dead_lettered', reason: 'invalid_json', n: 2 },
    ],
    findings: {
      matches: new Map([
        ['Evil', 2],
        ['Odd', 1],
      ]),
      errors: new Map(),
    },
    opened: Array.from(
      { length: opened },
      (_, i) =>
        ({ alertId: `a${i}`, ruleId: 'Evil', severity: 'HIGH', dedup: 'secret', title: 'secret' }) as unknown as AlertWindow,
    ),
  }) as unknown as BatchEffects

/** Name → from and until, in ms since the receipt. */
const timesOf = (spans: readonly Span[]) =>
  Object.fromEntries(spans.map(({ name, startMs, endMs }) => [name, [startMs - RECEIVED_MS, endMs - RECEIVED_MS]]))

test('one trace has the steps of a batch under one root, from its receipt until it is committed', () => {
  const { traces, sent, passes } = created()
  const trace = traces.begin(batch)!
  passes(5)
  trace.hasRead([{ bytes: new Uint8Array(11) }, { bytes: new Uint8Array(5) }] as unknown as Chunk[])
  for (const [step, ms] of [
    ['parse', 10],
    ['enrich', 1],
    ['detect', 20],
    ['encode', 4],
  ] as const) {
    passes(ms)
    trace.step(step, ms / 1000)
  }
  trace.hasJudged()
  passes(30)
  passes(8)
  trace.committed(effects(2))
  trace.step('commit', 0.008)
  expect(sent).toEqual([])
  trace.end()
  const [spans = []] = sent
  expect(timesOf(spans)).toEqual({
    batch: [0, 118],
    wait: [0, 40],
    read: [40, 45],
    parse: [45, 55],
    enrich: [55, 56],
    detect: [56, 76],
    encode: [76, 80],
    turn: [80, 110],
    commit: [110, 118],
  })
  const [root, ...others] = spans
  expect(root).toMatchObject({
    attributes: {
      ...{ 'caracal.source': 'web', 'caracal.batch': '00000000001', 'caracal.node': 'n1', 'caracal.bytes': 16 },
      ...{ 'caracal.records.received': 7, 'caracal.records.stored': 4, 'caracal.records.filtered': 1 },
      ...{ 'caracal.records.dead_lettered': 2, 'caracal.matches': 3, 'caracal.alerts': 2 },
    },
    isFailed: false,
  })
  expect(root!.parentId).toBeUndefined()
  expect(new Set(others.map(({ parentId }) => parentId))).toEqual(new Set([root!.spanId]))
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
  expect(root!.traceId).toMatch(/^[0-9a-f]{32}$/)
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length)
  expect(root!.events?.map(({ attributes }) => attributes)).toEqual([
    { 'caracal.alert': 'a0', 'caracal.rule': 'Evil', 'caracal.severity': 'HIGH' },
    { 'caracal.alert': 'a1', 'caracal.rule': 'Evil', 'caracal.severity': 'HIGH' },
  ])
  expect(JSON.stringify(spans)).not.toContain('secret')
})

test('steps that were done elsewhere are placed by their distances, whatever the clock there says, and within the batch', () => {
  const { traces, sent, passes } = created()
  const trace = traces.begin(batch)!
  trace.hasRead([])
  passes(50)
  trace.steps(
    [
      ['parse', 0.01, 99_010],
      ['enrich', 0.001, 99_031],
      ['detect', 0.009, 99_040],
    ],
    'w1',
  )
  trace.end()
  expect(timesOf(sent[0]!)).toMatchObject({ parse: [50, 60], enrich: [80, 81], detect: [81, 90], batch: [0, 90] })
  expect(sent[0]!.filter(({ attributes }) => attributes['caracal.node'] === 'w1').map(({ name }) => name)).toEqual([
    'parse',
    'enrich',
    'detect',
  ])
  // A node that says that it took longer than there was time.
  const other = traces.begin(batch)!
  other.hasRead([])
  passes(10)
  other.steps([['parse', 60, 60_000]], undefined)
  other.end()
  expect(timesOf(sent[1]!)).toMatchObject({ parse: [90, 100], batch: [0, 100] })
})

test('a receipt by a clock that is ahead does not end before it begins', () => {
  const { traces, sent } = created()
  traces.begin({ ...batch, receivedMs: RECEIVED_MS + 60_000 })!.end()
  expect(timesOf(sent[0]!)).toMatchObject({ wait: [40, 40], batch: [40, 40] })
})

test('a batch that is not committed is marked, and of a storm some alerts are named', () => {
  const { traces, sent } = created()
  traces.begin(batch)!.end(true)
  const trace = traces.begin(batch)!
  trace.committed(effects(500))
  trace.end()
  expect(sent.map(([root]) => [root!.isFailed, root!.events?.length, root!.droppedEvents])).toEqual([
    [true, 0, 0],
    [false, 32, 468],
  ])
})

test('which batches are traced follows from their ids, on every node and after every start', () => {
  const ids = Array.from({ length: 20_000 }, (_, i) => String(1_700_000_000_000_000 + i * 997).padStart(20, '0'))
  const traced = (sample: number, node: string) => {
    const { traces } = created({ sample, node })
    return ids.filter((batchId) => traces.begin({ ...batch, batchId }))
  }
  expect([traced(0, 'n1').length, traced(1, 'n1').length]).toEqual([0, ids.length])
  const tenth = traced(0.1, 'n1')
  expect(tenth.length).toBeGreaterThan(1800)
  expect(tenth.length).toBeLessThan(2200)
  expect(traced(0.1, 'n2')).toEqual(tenth)
  // Those of a smaller share are among those of a larger one.
  const more = new Set(traced(0.3, 'n1'))
  expect(tenth.every((id) => more.has(id))).toBe(true)
})

test('a batch that is processed again has the same trace, and spans of its own', () => {
  const again = [created(), created({ spanId: () => 'f'.repeat(16) }), created({ node: 'n2' })].map(({ traces, sent }) => {
    traces.begin(batch)!.end()
    return sent[0]![0]!
  })
  expect(again[1]!.traceId).toBe(again[0]!.traceId)
  expect(again[1]!.spanId).not.toBe(again[0]!.spanId)
  // Ids of batches are only unique where they were given.
  expect(again[2]!.traceId).not.toBe(again[0]!.traceId)
})
