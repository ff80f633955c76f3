import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Chunk } from '../model/chunk.ts'
import type { Event } from '../model/event.ts'
import type { CompiledSchema } from '../model/schema.ts'
import { createParser } from '../stages/parse/step.ts'
import { openState, type StateDb } from '../state/db.ts'
import { pipelineState } from '../state/pipeline-state.ts'
import { sourceCounts } from '../state/sources.ts'
import { endInState } from './end-in-state.ts'
import { anySource, evilDetector, lineGeneration, lineSchema, loopDeps } from './loop.fixture.ts'
import { HERE, takePath } from './path.ts'

/** Every record is counted under exactly one outcome, on every path that a batch can take to its commit. */
let folder: string
let db: StateDb

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-conservation-'))
  db = await openState(folder)
})
afterAll(async () => {
  await db.destroy()
  rmSync(folder, { recursive: true, force: true })
})

/** Records name their own outcome. */
const schema: CompiledSchema = {
  ...lineSchema,
  normalise(raw, meta) {
    const { becomes } = raw
    if (becomes === 'noise' || becomes === 'sampled') return { kind: 'drop', filter: becomes }
    if (becomes === 'letter') return { kind: 'dead-letter', reason: 'missing_field', message: 'no' }
    if (becomes === 'fault') throw new Error('a fault of ours')
    const event: Event = {
      p_log_type: 'Test.Line',
      p_row_id: meta.rowId,
      p_event_time: meta.parseTime,
      p_parse_time: meta.parseTime,
      p_source_id: meta.sourceId,
      p_source_label: meta.sourceLabel,
      p_schema_version: 1,
      line: String(becomes),
    }
    return { kind: 'ok', value: event }
  },
}

const WAYS = ['whole', 'judged apart', 'finished apart'] as const
const RECORDS = {
  fine: { text: '{"becomes":"fine"}', outcome: 'stored' },
  evil: { text: '{"becomes":"evil"}', outcome: 'stored' },
  noise: { text: '{"becomes":"noise"}', outcome: 'noise' },
  sampled: { text: '{"becomes":"sampled"}', outcome: 'sampled' },
  letter: { text: '{"becomes":"letter"}', outcome: 'missing_field' },
  fault: { text: '{"becomes":"fault"}', outcome: 'internal' },
  unwritable: { text: '{"becomes":"unwritable"}', outcome: 'internal' },
  json: { text: '{"becomes":', outcome: 'invalid_json' },
  prose: { text: 'no log at all', outcome: 'not_a_log' },
} as const

let last = 0

/** The counts that a batch of these records leaves in state. */
async function countsAfter(texts: readonly string[], way: (typeof WAYS)[number]) {
  const sourceId = `s${++last}`
  const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''))
  const chunk: Chunk = { bytes, place: 'p', offset: 0, context: '', final: true, faults: [] }
  const state = pipelineState(db)
  const batch = { batchId: String(last).padStart(20, '0'), sourceId, extent: { kind: 'x' }, receivedMs: 1_700_000_000_000 }
  await state.recordBatch(batch)
  // As often as a whole batch is attempted.
  let [refusals, failures] = [way === 'judged apart' ? 3 : 0, way === 'finished apart' ? 3 : 0]
  const detector = evilDetector()
  const evaluate: typeof detector.evaluate = async (events) => {
    if (refusals-- > 0) throw new Error('the child cannot be started')
    return detector.evaluate(events)
  }
  const commitBatch: typeof state.commitBatch = async (...effects) => {
    if (failures-- > 0) throw new Error('the batch cannot be kept')
    return state.commitBatch(...effects)
  }
  const parse = { id: sourceId, label: sourceId, schemas: [schema], logType: 'Test.Line', isNamed: true }
  const generation = lineGeneration({
    parser: createParser({ maxRecordBytes: 10_000, maxDepth: 20 }),
    detectors: [{ ...detector, evaluate }],
    sources: new Map([[sourceId, { ...anySource.get(sourceId)!, parse }]]),
  })
  const end = endInState(batch, () => ({ place: 'p', value: {} }), {
    ...loopDeps([], { state: { ...state, commitBatch } }),
    generation,
    retrying: { onTrouble: () => {}, isStopping: () => false, pauseMs: 0 },
  })
  const { receivedMs } = batch
  await takePath({ sourceId, receivedMs, chunks: [chunk], onParsed: () => {} }, generation, {
    ...end,
    ...HERE,
    turn: async () => {},
  })
  const all = await sourceCounts(db)
  return all.get(sourceId)!
}

test('received = stored + filtered + dead-lettered, each under its name, for all kinds of records and all ways to a commit', async () => {
  const record = fc.constantFrom(...(Object.keys(RECORDS) as (keyof typeof RECORDS)[]))
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 30 }), fc.constantFrom(...WAYS), async (names, way) => {
      const wanted = new Map<string, number>()
      for (const name of names) wanted.set(RECORDS[name].outcome, (wanted.get(RECORDS[name].outcome) ?? 0) + 1)
      const counts = await countsAfter(
        names.map((name) => RECORDS[name].text),
        way,
      )
      expect(counts.received).toBe(names.length)
      expect(counts.stored + counts.filtered + counts.deadLettered).toBe(counts.received)
      const seen = { ...(counts.stored > 0 && { stored: counts.stored }), ...counts.filters, ...counts.reasons }
      expect(seen).toEqual(Object.fromEntries(wanted))
    }),
    { seed: 15, numRuns: 150 },
  )
})
