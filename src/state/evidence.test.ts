import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import type { Evidence, NewEvidence } from '../model/evidence.ts'
import type { StateDb } from './db.ts'
import { evidenceOfAlert, pruneEvidence } from './evidence.ts'
import { pipelineState } from './pipeline-state.ts'
import { pruneStep } from './retention.ts'
import { removeSource } from './sources.ts'
import { commitTo, effectsIn, window } from './state.fixture.ts'

onEachState(({ open }) => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-evidence-'))
  let db: StateDb
  beforeEach(async () => {
    db = await open(mkdtempSync(join(folder, 'data-')))
  })
  afterEach(() => db.destroy())
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const DAY_MS = 86_400_000
  const [A, B] = ['a'.repeat(32), 'b'.repeat(32)]

  const evidence = (part: Partial<Evidence> = {}): Evidence => ({
    rowId: 'r',
    logType: 'T',
    generation: 'g',
    ruleVersion: null,
    event: '{}',
    looked: '[]',
    raw: null,
    isRawCut: false,
    title: 't',
    dedup: 'd',
    severity: 'LOW',
    description: '',
    reference: '',
    runbook: '',
    destinations: null,
    context: null,
    functionErrors: {},
    ...part,
  })
  const kept = (alertId: string, number: number, part: Partial<NewEvidence> = {}): NewEvidence => ({
    alertId,
    number,
    sourceId: 'web',
    evidence: evidence({ title: `${number}` }),
    ...part,
  })

  async function store(matches: readonly NewEvidence[]): Promise<void> {
    const windows = [window({ alertId: A, groupKey: 'a' }), window({ alertId: B, groupKey: 'b' })]
    await commitTo(pipelineState(db), await effectsIn(pipelineState(db), 'web', { windows, evidence: matches }))
  }
  const titles = async (alertId: string) => (await evidenceOfAlert(db, alertId)).map(({ title }) => title)

  test('evidence is read back as it was, in order, whatever its texts are', async () => {
    const odd = evidence({ raw: 'nul \0 and lone \ud800', context: '{"n":9007199254740993}', functionErrors: { title: '\0' } })
    await store([kept(A, 2), kept(A, 1, { evidence: odd }), kept(B, 1)])
    // The same again, with a later match.
    await store([kept(A, 1), kept(A, 3)])
    expect((await evidenceOfAlert(db, A))[0]).toEqual(odd)
    expect(await titles(A)).toEqual(['t', '2', '3'])
    expect(await titles('c'.repeat(32))).toEqual([])
  })

  test('evidence goes with its alert', async () => {
    await store([kept(A, 1), kept(B, 1)])
    await db
      .updateTable('alerts')
      .set({ updated_ms: 90 * DAY_MS })
      .where('alert_id', '=', B)
      .execute()
    await pruneStep(db, { deliveriesDays: 30, alertsDays: 30 }, { nowMs: 100 * DAY_MS, oldestPendingMs: 100 * DAY_MS })
    expect([await titles(A), await titles(B)]).toEqual([[], ['1']])
  })

  test('evidence goes with its source, though the alert has events of others too', async () => {
    await store([kept(A, 1), kept(A, 2, { sourceId: 'other' })])
    await removeSource(db, 'web', 'no alert has only this label')
    expect(await titles(A)).toEqual(['2'])
  })

  test('if there is too much evidence, the oldest is deleted, and no more than necessary', async () => {
    for (let number = 1; number <= 6; number++) await store([kept(number < 4 ? A : B, number)])
    const sizes = await db.selectFrom('alert_evidence').select('bytes').orderBy('id').execute()
    const last = sizes.slice(-3).reduce((sum, { bytes }) => sum + bytes, 0)
    expect(await pruneEvidence(db, 1, last)).toBe(1)
    expect(await pruneEvidence(db, 500, last)).toBe(2)
    expect(await pruneEvidence(db, 500, last)).toBe(0)
    expect([await titles(A), await titles(B)]).toEqual([[], ['4', '5', '6']])
  })
})
