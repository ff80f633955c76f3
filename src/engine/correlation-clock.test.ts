import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createCorrelator } from '../stages/detect/correlation/correlator.ts'
import { groupOf, ruleOf } from '../stages/detect/correlation/rule.fixture.ts'
import { correlationStore } from '../state/correlation.ts'
import { openState } from '../state/db.ts'
import { CorrelationClock } from './correlation-clock.ts'
import { CommittedSignals } from './past-signals.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-clock-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Signals that count their listeners. */
class Heard extends CommittedSignals {
  listening = 0
  override listen() {
    this.listening++
    const { rows, end } = super.listen()
    let isOver = false
    return {
      rows,
      end: () => {
        if (!isOver) this.listening--
        isOver = true
        end()
      },
    }
  }
}

test('signals are no longer collected after a look-back that failed or was not used', async () => {
  const db = await openState(folder)
  const rule = ruleOf(groupOf([{ RuleID: 'A' }, { RuleID: 'B' }], { LookbackWindowMinutes: 60 }))
  const correlation = {
    correlator: createCorrelator([rule]),
    rules: new Map([[rule.id, rule]]),
    store: correlationStore(db),
  }
  const signals = new Heard()
  const said: (string | undefined)[] = []
  const clock = (query: () => Promise<readonly string[]>) =>
    new CorrelationClock({
      db,
      generation: { hash: '', parser: undefined as never, detectors: [], rules: new Map(), correlation, sources: new Map() },
      loop: { other: async () => {} },
      signals: { query, listen: () => signals.listen() },
      caughtUp: Promise.resolve(),
      now: () => 0,
      onTrouble: (_, message) => said.push(message),
    })
  const failed = await clock(() => Promise.reject(new Error('the lake is away'))).remember()
  expect(signals.listening).toBe(0)
  await failed.commit()
  expect(said.at(-1)).toContain('the lake is away')
  // The rules never come into force.
  const dropped = await clock(async () => []).remember()
  expect(signals.listening).toBe(1)
  dropped.drop()
  expect(signals.listening).toBe(0)
  await (await clock(async () => []).remember()).commit()
  expect(signals.listening).toBe(0)
  await db.destroy()
})
