import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { BatchEffects } from '../model/batch.ts'
import type { Event } from '../model/event.ts'
import type { Finding } from '../model/match.ts'
import type { CompiledSchema } from '../model/schema.ts'
import type { Detector } from '../stages/detect/language.ts'
import type { Parser } from '../stages/parse/parser.ts'
import { openState, type StateDb } from '../state/db.ts'
import { limitCounts } from '../state/limits.ts'
import { pipelineState } from '../state/pipeline-state.ts'
import { sourceCounts } from '../state/sources.ts'
import { readBlock } from '../util/block/read.ts'
import {
  anySource,
  evilDetector,
  ListSource,
  type LoopParts,
  lineParser,
  lineSchema,
  loopDeps,
  NO_TABLES,
} from './loop.fixture.ts'
import { Loop } from './loop.ts'
import { SIGNALS } from './rows.ts'

const EVENT = SIGNALS.columns.findIndex(({ name }) => name === 'event')

let folder: string
let db: StateDb

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-apart-'))
  db = await openState(folder)
})

afterEach(async () => {
  await db.destroy()
  rmSync(folder, { recursive: true })
})

/** Runs the batches to their end over a real state, and returns the outcome by table: rows as arrays. */
async function outcome(texts: readonly string[], part: Partial<LoopParts> = {}) {
  let left = texts.length
  const committed: BatchEffects[] = []
  const deps = loopDeps([new ListSource('s', texts)], { state: pipelineState(db), ...part })
  const loop: Loop = new Loop({
    ...deps,
    onCommitted: (effects) => {
      committed.push(effects)
      if (--left === 0) loop.stop()
    },
  })
  await loop.run()
  const rows = (table: string) =>
    committed
      .flatMap((effects) => effects.rows)
      .filter(({ spec }) => `${spec.database}.${spec.table}` === table)
      .flatMap(({ spec, rows: block }) => readBlock(spec.columns, block))
  const count = (await sourceCounts(db)).get('s')!
  expect(count.received).toBe(count.stored + count.filtered + count.deadLettered)
  return {
    events: rows('logs.test_line').map((row) => row[2]),
    matches: rows('matches.test_line').map((row) => row[2]),
    letters: rows('monitor.dead_letters').map((row) => [row[2], row[3]] as [string, string]),
    signals: rows('signals.correlation_signals').map((row) => (JSON.parse(String(row[EVENT])) as { line: string }).line),
    alerts: committed.flatMap(({ opened }) => opened.map(({ body }) => body.dedup)),
    errors: rows('monitor.rule_errors').map((row) => [row[1], row[3]] as [string, string]),
    count,
  }
}

/** Turns lines into events of another schema. */
function parserOf(schema: CompiledSchema): Parser {
  return {
    parse: (...parts) => {
      const parsed = lineParser.parse(...parts)
      return { ...parsed, groups: parsed.groups.map(({ events }) => ({ schema, events })) }
    },
  }
}

/** A batch's lines as a detector sees them. */
const linesOf = ({ ndjson }: { readonly ndjson: Uint8Array }) =>
  Buffer.from(ndjson)
    .toString()
    .trim()
    .split('\n')
    .map((text) => (JSON.parse(text) as { line: string }).line)

/** Fails as a whole if one of the lines contains `poison`. */
function poisoned(good: Detector = evilDetector()): Detector {
  return evilDetector({
    evaluate: async (batch) => {
      if (linesOf(batch).some((line) => line.includes('poison'))) throw new Error('the interpreter returned nonsense')
      return good.evaluate(batch)
    },
  })
}

test('an event that cannot be encoded is the only dead letter of its batch', async () => {
  const { events, letters, count } = await outcome(['a\nunwritable\nevil b\nbad\n', 'c\n'])
  expect(events).toEqual(['a', 'evil b', 'c'])
  expect(letters).toEqual([
    ['invalid_json', 'bad'],
    ['internal', expect.stringContaining('this row cannot be written')],
  ])
  expect([count.received, count.stored]).toEqual([5, 3])
})

test('a matched event that cannot be encoded costs no other finding, and still raises its alert', async () => {
  const { events, matches, letters, signals, alerts } = await outcome(['evil 1\nunwritable evil 3\nevil 2\n'])
  expect([events, matches]).toEqual([
    ['evil 1', 'evil 2'],
    ['evil 1', 'evil 2'],
  ])
  expect(letters).toEqual([['internal', expect.stringContaining('this row cannot be written')]])
  expect(signals).toEqual(['evil 1', 'unwritable evil 3', 'evil 2'])
  expect(alerts.sort()).toEqual([' 1', ' 2', ' 3'])
})

test('events that their table cannot store become dead letters, each with its own reason', async () => {
  const unfit: CompiledSchema = {
    ...lineSchema,
    encode(events, out, origin) {
      const odd = (line: unknown) => (String(line).startsWith('odd') ? Number(String(line).slice(3)) : line)
      lineSchema.encode(
        events.map((event) => ({ ...event, line: odd(event['line']) as string })),
        out,
        origin,
      )
    },
  }
  const generation = { parser: parserOf(unfit) }
  const { events, matches, letters } = await outcome(['evil 1\nodd1\nodd2\nevil 2\n'], { generation })
  expect([events, matches]).toEqual([
    ['evil 1', 'evil 2'],
    ['evil 1', 'evil 2'],
  ])
  expect(letters).toEqual([
    ['internal', expect.stringMatching(/column 'line' of kind string cannot hold 1\b/)],
    ['internal', expect.stringMatching(/column 'line' of kind string cannot hold 2\b/)],
  ])
})

test('events are encoded once, however often their batch has to be committed', async () => {
  let encoded = 0
  const counting: CompiledSchema = {
    ...lineSchema,
    encode(events, out, origin) {
      encoded += events.length
      lineSchema.encode(events, out, origin)
    },
  }
  const state = pipelineState(db)
  let failures = 2
  const commitBatch: typeof state.commitBatch = async (...effects) => {
    if (failures-- <= 0) return state.commitBatch(...effects)
    await state.tryBatch(...effects)
    throw new Error('the transaction could not end')
  }
  const generation = { parser: parserOf(counting) }
  const { events } = await outcome(['a\nb\n'], { state: { ...state, commitBatch }, generation })
  expect([events, encoded]).toEqual([['a', 'b'], 2])
})

test('an event that a detector cannot judge costs its rules an error; the rest of the batch is judged', async () => {
  const { events, matches, errors } = await outcome(['evil 1\npoison\nevil 2\nb\n', 'evil 3\n'], {
    generation: { detectors: [poisoned()] },
  })
  expect(events).toEqual(['evil 1', 'poison', 'evil 2', 'b', 'evil 3'])
  expect(matches).toEqual(['evil 1', 'evil 2', 'evil 3'])
  expect(errors).toEqual([
    ['Evil', expect.stringMatching(/1 events of Test\.Line were not judged, .*the interpreter returned nonsense/)],
  ])
})

test('a detector that can never judge costs its rules one error per batch, and other detectors continue', async () => {
  let calls = 0
  const dead = evilDetector({
    ruleIds: () => ['Dead'],
    evaluate: async () => {
      calls++
      throw new Error('the child cannot be started')
    },
  })
  const many = Array.from({ length: 500 }, (_, i) => `evil ${i}\n`).join('')
  const { events, matches, errors } = await outcome([many], { generation: { detectors: [dead, evilDetector()] } })
  expect([events.length, matches.length]).toEqual([500, 500])
  expect(errors).toEqual([['Dead', expect.stringMatching(/500 events .* were not judged.*the child cannot be started/)]])
  expect(calls).toBeLessThan(50)
})

test('an event for which joining tables fails becomes a dead letter', async () => {
  const enricher = {
    enrich: (_: unknown, some: readonly Event[]) => {
      if (some.some((event) => event['line'] === 'unjoinable')) throw new RangeError('too many rows')
    },
    rows: NO_TABLES,
    rowsAt: () => NO_TABLES,
  }
  const source = new ListSource('s', ['a\nunjoinable\nevil b\n'])
  const bound = new Map([['s', { ...anySource.get('s')!, enricher: () => enricher }]])
  const { events, matches, letters } = await outcome(['-'], { sources: [source], generation: { sources: bound } })
  expect([events, matches]).toEqual([['a', 'evil b'], ['evil b']])
  expect(letters).toEqual([['internal', expect.stringContaining('too many rows')]])
})

/** Values that no rule may return, from a detector that lets them pass. */
const HARMFUL: readonly [string, Partial<Record<string, unknown>>][] = [
  ['a number as its title', { title: 5 }],
  ['null as its title', { title: null }],
  ['a symbol as its severity', { severity: Symbol('x') }],
  ['an object as its dedup string', { dedup: {} }],
  ['a number instead of its function errors', { functionErrors: 7 }],
  ['a context that JSON cannot hold', { alertContext: 5n }],
]

test.each(HARMFUL)('a finding with %s harms no other finding', async (_, harm) => {
  const good = evilDetector()
  const detector = evilDetector({
    evaluate: async (batch) => {
      const findings = (await good.evaluate(batch)) as Finding[]
      return findings.map((finding) =>
        linesOf(batch)[finding.event] === 'evil poison' ? ({ ...finding, ...harm } as Finding) : finding,
      )
    },
  })
  const { events, matches, errors, letters } = await outcome(['evil 1\nevil poison\nevil 2\n', 'evil 3\n'], {
    generation: { detectors: [detector] },
  })
  expect(events).toEqual(['evil 1', 'evil poison', 'evil 2', 'evil 3'])
  expect(letters).toEqual([])
  expect(matches.filter((line) => line !== 'evil poison')).toEqual(['evil 1', 'evil 2', 'evil 3'])
  // Harmless findings are stored; a harmful one becomes an error of its rule.
  expect(errors.length + matches.filter((line) => line === 'evil poison').length).toBe(1)
})

test('an entry of the rules’ cache that cannot be stored is dropped, and nothing else', async () => {
  let calls = 0
  const detector = evilDetector({
    evaluate: async (batch) => {
      calls++
      batch.onCacheWrites?.(
        [
          { key: 'fine', entry: '1', expiresMs: undefined },
          { key: 'harmful', entry: '1', expiresMs: Number.NaN },
        ],
        [
          { ruleId: 'Evil', what: 'cache', n: 3 },
          { ruleId: 'Nobody', what: 'cache', n: 1 },
        ],
      )
      return evilDetector().evaluate(batch)
    },
  })
  const { matches } = await outcome(['evil 1\n', 'evil 2\n'], { generation: { detectors: [detector] } })
  expect(matches).toEqual(['evil 1', 'evil 2'])
  const kept = await db.selectFrom('rule_cache').select('entry').execute()
  expect(kept.map(({ entry }) => entry)).toEqual([expect.stringContaining('fine')])
  // What rules lost is counted, if they exist.
  expect(await limitCounts(db)).toMatchObject([{ ruleId: 'Evil', what: 'cache', n: 3 * calls }])
})
