import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type StateDb, sqliteState } from '../../src/state/db.ts'
import { deleteWindows } from '../../src/state/groups.ts'
import { states } from '../../src/state/index.ts'
import { pipelineState } from '../../src/state/pipeline-state.ts'
import type { PostgresPlace } from '../../src/state/postgres/place.ts'
import { postgresState } from '../../src/state/postgres/state.ts'
import { hasPostgres } from '../support/postgres.ts'
import { postgresKind } from '../support/states.ts'
import { failedBy, type Suite, testSuite } from './behaviours.ts'
import { type DecidingState, knownOf, type OpenedState, plainBehaviours, type StateSubject, serialBehaviours } from './states.ts'

/** SQLite has one writer: its transactions come one after the other. */
async function openSqliteState(writers = 3): Promise<OpenedState> {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-state-suite-'))
  return subjectOf(await sqliteState.open(folder), writers, () => rmSync(folder, { recursive: true }))
}

const postgres = postgresKind()
let databases = 0

/** One process writes a state on PostgreSQL, in one session. */
async function openPostgresState(writers = 3): Promise<OpenedState> {
  const place = (await postgres.place(`state ${++databases}`)) as PostgresPlace
  return subjectOf(await postgresState.open(place), writers, () => {})
}

function subjectOf(db: StateDb, writers: number, onClosed: () => void): OpenedState {
  const state = pipelineState(db)
  return {
    writers: Array.from({ length: writers }, () => state),
    deleteWindows: (beforeMs) =>
      db.transaction().execute(async (tx) => {
        const old = await tx.selectFrom('alerts').select('alert_id').where('window_end_ms', '<', beforeMs).execute()
        await deleteWindows(
          tx,
          old.map(({ alert_id }) => alert_id),
        )
      }),
    async close() {
      await db.destroy()
      onClosed()
    },
  }
}

/** How to open a new, empty state of each kind. */
const OPEN: Readonly<Record<string, StateSubject>> = { sqlite: () => openSqliteState(), postgres: () => openPostgresState() }

const suite: Suite<(typeof states)[number], StateSubject> = {
  kind: 'state',
  // Some platforms have no package with a server to test against.
  registry: states.filter(({ type }) => type !== 'postgres' || hasPostgres),
  subjectOf({ type }) {
    const open = OPEN[type]
    if (!open) throw new Error(`add to OPEN how an empty state of type '${type}' is opened`)
    return open
  },
  behaviours: [...plainBehaviours, ...serialBehaviours],
}

testSuite(suite)

test('a state that reads the groups before its transaction fails the suite', async () => {
  const early = (state: DecidingState): DecidingState => ({
    ...state,
    commitBatch: async (batch, { groups, fromMs, crowds, decide }) => {
      const known = await knownOf(state, groups, fromMs, crowds)
      return state.commitBatch(batch, { groups: [], fromMs, decide: () => decide(known) })
    },
  })
  const open = async () => {
    const opened = await openSqliteState()
    return { ...opened, writers: opened.writers.map(early) }
  }
  const failed = await failedBy([...plainBehaviours, ...serialBehaviours], () => open)
  expect(failed.map((name) => name.slice(0, 40))).toEqual(
    [
      'writers that find no window at the same t',
      'however batches are cut and interleaved, ',
      'bursts shorter than a period and further ',
    ].map((name) => name.slice(0, 40)),
  )
})

test('a state that forgets the numbers of deleted windows fails the suite', async () => {
  const open = async () => {
    const opened = await openSqliteState()
    const forgetful = (state: DecidingState): DecidingState => ({
      ...state,
      commit: (decision) =>
        state.commit({
          ...decision,
          decide: (known) =>
            decision.decide({
              ...known,
              groups: new Map([...known.groups].map(([key, { windows }]) => [key, { windows, nextNumber: windows.length + 1 }])),
            }),
        }),
    })
    return { ...opened, writers: opened.writers.map(forgetful) }
  }
  expect(await failedBy(plainBehaviours, () => open)).toEqual([
    'windows that have ended are left out',
    'a number is never given twice, also when the windows that had it are deleted',
  ])
})
