import type { AlertWindow, KnownGroups } from '../model/alert.ts'
import type { BatchEffects, FinishedRows, NewDelivery } from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import type { StateDb } from './db.ts'
import { readGroups } from './groups.ts'
import type { pipelineState } from './pipeline-state.ts'

type State = ReturnType<typeof pipelineState>

export const spec = (table: string, columns = 1): TableSpec => ({
  database: 'logs',
  table,
  columns: Array.from({ length: columns }, (_, i) => ({ name: `c${i}`, kind: 'string' as const })),
  timeColumn: 'c0',
})
export const rows = (table: string, text: string, columns = 1): FinishedRows => ({
  spec: spec(table, columns),
  rows: Buffer.from(text),
  count: text.split('\n').length - 1,
})

/** Commits a batch's effects regardless of the stored state. */
export async function commitTo(state: State, made: BatchEffects): Promise<boolean> {
  return (await state.commitBatch(made.batch, { groups: [], fromMs: 0, decide: () => made })) !== undefined
}

/** The input for a decision about these groups. */
export async function knownTo(db: StateDb, keys: readonly string[], fromMs: number): Promise<KnownGroups['groups']> {
  const { groups } = await db
    .transaction()
    .execute((tx) => readGroups(tx, { groups: keys.map((groupKey) => ({ groupKey, ruleId: 'R' })), fromMs }))
  return groups
}

let lastId = 0
/** Effects of a batch that is recorded here too. */
export async function effectsIn(state: State, sourceId: string, part: Partial<BatchEffects> = {}): Promise<BatchEffects> {
  const batch = { batchId: String(++lastId).padStart(20, '0'), sourceId, extent: { kind: 'x', at: lastId }, receivedMs: 5 }
  await state.recordBatch(batch)
  return {
    batch,
    cursor: { place: 'p', value: { at: lastId } },
    rows: [],
    windows: [],
    opened: [],
    deliveries: [],
    counts: [],
    unknownFields: new Map(),
    cacheWrites: [],
    correlation: { saved: [], removed: [] },
    findings: { matches: new Map(), errors: new Map() },
    nowMs: 1000,
    ...part,
  }
}
export const window = (part: Partial<AlertWindow> = {}): AlertWindow => ({
  alertId: 'a'.repeat(32),
  ruleId: 'R',
  groupKey: 'g',
  startMs: 100,
  endMs: 200,
  opened: true,
  severity: 'LOW',
  eventCount: 1,
  createdMs: 100,
  updatedMs: 100,
  number: 1,
  ruleVersion: null,
  body: {
    type: 'RULE',
    title: 't',
    dedup: 'd',
    displayName: 'n',
    description: '',
    reference: '',
    runbook: '',
    tags: [],
    reports: {},
    destinations: null,
    context: null,
    functionErrors: {},
    threshold: 1,
    firstEventTime: '',
    lastEventTime: '',
    logTypes: [],
    indicators: {},
    indicatorsCut: false,
    sampleEvent: null,
    latencyMs: null,
    sourceLabels: ['web'],
  },
  ...part,
})

export const delivery = (id: string, destination: string, createdMs = 10): NewDelivery => ({
  deliveryId: id,
  alertId: 'a'.repeat(32),
  destination,
  body: '{}',
  createdMs,
})
