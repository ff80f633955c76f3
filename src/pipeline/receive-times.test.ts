import { expect, test } from 'vitest'
import { NOTHING_KNOWN } from '../model/alert.ts'
import type { Chunk } from '../model/chunk.ts'
import type { CompiledSchema } from '../model/schema.ts'
import { groupFindings, type Judged } from '../stages/alert/step.ts'
import { createParser } from '../stages/parse/step.ts'
import { endInState, type StateEndDeps } from './end-in-state.ts'
import { evilRule, lineSchema } from './loop.fixture.ts'
import { parseBatch } from './parse.ts'

const HOUR = 3_600_000
const receivedMs = 1_700_000_000_000

const schema: CompiledSchema = {
  ...lineSchema,
  normalise: (_, { rowId, parseTime, sourceId, sourceLabel }) => {
    const times = { p_event_time: '2020-01-01T00:00:00Z', p_parse_time: parseTime }
    const rest = { p_row_id: rowId, p_source_id: sourceId, p_source_label: sourceLabel, p_schema_version: 1 }
    return { kind: 'ok', value: { p_log_type: 'Test.Line', ...times, ...rest } }
  },
}

/** The windows of a batch of one record per body, which all match; each body was received that number of hours after the batch began. */
function windowsOf(hours: readonly (number | undefined)[]) {
  const chunks = hours.map((hour, nth): Chunk => {
    const bytes = Buffer.from('{"a":1}\n')
    const own = { place: `p${nth}`, offset: 0, context: '', final: true, faults: [] }
    return { bytes, ...own, ...(hour !== undefined && { receivedMs: receivedMs + hour * HOUR }) }
  })
  const source = { id: 's', label: 's', schemas: [schema], logType: 'Test.Line', isNamed: true }
  const parsed = parseBatch(chunks, source, createParser({ maxRecordBytes: 10_000, maxDepth: 20 }), receivedMs)
  const { events } = parsed.groups[0]!
  const texts = { title: 't', dedup: 'd', description: '', reference: '', runbook: '' }
  const match = { kind: 'match' as const, ruleId: evilRule.id, severity: 'LOW' as const, ...texts }
  const rest = { destinations: undefined, alertContext: undefined, functionErrors: {} }
  const judged = events.map((event): Judged => ({ finding: { ...match, ...rest, event: 0 }, event, text: () => '{}' }))
  const batch = { batchId: '1', sourceId: 's', extent: { kind: 'x' }, receivedMs }
  const unused = () => {
    throw new Error('only the times are of interest')
  }
  const rules = new Map([[evilRule.id, evilRule]])
  const deps = { now: () => receivedMs + 9 * HOUR, observe: unused, onCommitted: unused, onTrouble: unused }
  const { times } = endInState(batch, unused, deps as unknown as StateEndDeps)
  const { windows } = groupFindings(judged, rules, times({ ...parsed, judged, cacheWrites: [] })).decide(NOTHING_KNOWN)
  return windows.map(({ startMs, eventCount }) => [(startMs - receivedMs) / HOUR, eventCount])
}

test('alert windows use each record’s receive time, wherever its batch begins', () => {
  expect(windowsOf([0, 0.5, 2, 2.5, 7])).toEqual([
    [0, 2],
    [2, 2],
    [7, 1],
  ])
})

test('a record without a receive time has that of its batch', () => {
  expect(windowsOf([undefined, undefined])).toEqual([[0, 2]])
})
