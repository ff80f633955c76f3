import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { groupFindings, type Judged } from '../../stages/alert/step.ts'
import { saveWindows } from '../../state/alerts.ts'
import { openState, type StateDb } from '../../state/db.ts'
import { readGroups } from '../../state/groups.ts'
import { window as windowOf } from '../../state/state.fixture.ts'
import { evilRule } from '../loop.fixture.ts'
import { DryWindows } from './dry-windows.ts'

let folder: string
let db: StateDb

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-dry-'))
  db = await openState(folder)
})
afterEach(async () => {
  await db.destroy()
  rmSync(folder, { recursive: true, force: true })
})

const MINUTE = 60_000

function matchOf({ minute, dedup }: { readonly minute: number; readonly dedup: string }): Judged {
  const time = new Date(minute * MINUTE).toISOString()
  const standard = {
    p_log_type: 'T',
    p_row_id: 'r',
    p_event_time: time,
    p_parse_time: time,
    p_source_id: 's',
    p_source_label: 's',
  }
  const texts = { title: 't', dedup, description: '', reference: '', runbook: '' }
  return {
    finding: {
      kind: 'match',
      ruleId: 'Evil',
      event: 0,
      severity: 'HIGH',
      destinations: undefined,
      alertContext: undefined,
      functionErrors: {},
      ...texts,
    },
    event: { ...standard, p_schema_version: 1 },
    text: () => '{}',
  }
}

const pages = fc.array(
  fc.array(fc.record({ minute: fc.integer({ min: 0, max: 400 }), dedup: fc.constantFrom('a', 'b', 'c') }), { maxLength: 6 }),
  { maxLength: 6 },
)

test('a dry run decides about windows as the state would', async () => {
  await fc.assert(
    fc.asyncProperty(pages, fc.integer({ min: 1, max: 3 }), async (batches, threshold) => {
      await db.deleteFrom('alerts').execute()
      const rules = new Map([['Evil', { ...evilRule, threshold }]])
      const clock = { atMs: ({ event }: Judged) => Date.parse(event!.p_event_time), nowMs: 7, retroactive: true as const }
      const dry = new DryWindows()
      for (const batch of batches) {
        const decision = groupFindings(batch.map(matchOf), rules, clock, 4)
        const inState = await db.transaction().execute(async (tx) => {
          const decided = decision.decide(await readGroups(tx, decision))
          await saveWindows(tx, decided.windows)
          return decided
        })
        const found = decision.decide(dry.known(decision))
        dry.keep(found.windows)
        const shape = (list: typeof found.windows) =>
          list.map(({ alertId, startMs, eventCount, opened }) => [alertId, startMs, eventCount, opened]).sort()
        expect(shape(found.windows)).toEqual(shape(inState.windows))
        expect(shape(found.opened)).toEqual(shape(inState.opened))
      }
    }),
    { numRuns: 60 },
  )
})

test('the number of windows is bounded, and evictions are reported', () => {
  const dry = new DryWindows(2)
  const decide = (minute: number) => {
    const clock = { atMs: () => minute * MINUTE, nowMs: 7, retroactive: true as const }
    const decision = groupFindings([matchOf({ minute, dedup: 'a' })], new Map([['Evil', evilRule]]), clock)
    const { windows } = decision.decide(dry.known(decision))
    dry.keep(windows)
    return windows[0]!.number
  }
  expect([decide(0), decide(100), dry.isCut, decide(200), dry.isCut]).toEqual([1, 2, false, 3, true])
})

test('a kept window is small, whatever its alert says', () => {
  const long = 'x'.repeat(10_000)
  const big = windowOf()
  Object.assign(big.body, {
    displayName: long,
    description: long,
    reference: long,
    runbook: long,
    tags: [long],
    reports: { MITRE: [long] },
    destinations: [long],
    context: long,
    functionErrors: { title: long },
    logTypes: [long],
    indicators: { p_any_usernames: [long] },
    sampleEvent: long,
    sourceLabels: [long],
    summaries: [{ attribute: 'user', values: [[long, 1]] }],
    ofALaterVersion: long,
  })
  const dry = new DryWindows()
  dry.keep([big])
  const [kept] = dry.opened
  expect(kept).toMatchObject({ alertId: big.alertId, body: { title: 't', dedup: 'd', threshold: big.body.threshold } })
  expect(JSON.stringify(kept).length).toBeLessThan(2000)
  expect(big.body.summaries).toHaveLength(1)
})
