import { expect, test } from 'vitest'
import { RuleStates } from './rule-states.ts'

const HOUR = 3_600_000
const rule = (id: string, enabled = true) => ({ id, displayName: id, enabled, severity: 'LOW', logTypes: ['A.B'], overrides: [] })
const span = (ruleId: string, fromMs: number, toMs: number | null, events = 0) => ({
  ruleId,
  logTypes: ['A.B'],
  why: 'x',
  fromMs,
  toMs,
  events,
})
const off = (ruleId: string, retryMs?: number) =>
  ({ ruleId, cause: 'timeout', message: 'r.py: too slow', missed: 0, retryMs }) as const

test('a rule is on, erring for an hour after an error, off or waiting for another attempt', () => {
  let now = 10 * HOUR
  const states = new RuleStates(() => now)
  expect(states.of(rule('A'))).toEqual({
    ruleId: 'A',
    state: 'on',
    sinceMs: undefined,
    why: undefined,
    matches: 0,
    errors: 0,
    lastMatchMs: undefined,
    lastError: undefined,
    seconds: 0,
    spans: [],
  })
  const batch = {
    matches: [['A', 3]],
    ruleErrors: [['A', 2]],
    lastErrors: [['A', 'KeyError']],
    ruleSeconds: [['A', 0.25]],
  } as const
  states.committed(batch)
  now += HOUR / 2
  states.committed({ ...batch, lastErrors: [['A', 'ValueError']] })
  now += HOUR
  expect(states.of(rule('A'))).toMatchObject({ state: 'erring', sinceMs: 10 * HOUR, why: 'ValueError', matches: 6, errors: 4 })
  expect(states.of(rule('A'))).toMatchObject({
    lastMatchMs: 10.5 * HOUR,
    lastError: { atMs: 10.5 * HOUR, message: 'ValueError' },
    seconds: 0.5,
  })
  now += 1
  expect(states.of(rule('A'))).toMatchObject({ state: 'on', errors: 4 })

  states.set({ off: [off('A', 12 * HOUR), off('B')], spans: [span('A', HOUR, 2 * HOUR), span('A', 11 * HOUR, null, 7)] })
  expect(states.of(rule('A'))).toMatchObject({
    state: 'waiting',
    sinceMs: 11 * HOUR,
    why: 'r.py: too slow; retried at 1970-01-01T12:00:00.000Z',
    spans: [{ toMs: 2 * HOUR }, { toMs: null }],
  })
  expect(states.of(rule('B'))).toMatchObject({ state: 'off', why: 'r.py: too slow' })
  expect(states.of(rule('C', false))).toMatchObject({ state: 'off', why: 'it is disabled in its file' })
  const overrides = [{ key: 'Enabled', file: '/c/overrides.yml', line: 3 }]
  expect(states.of({ ...rule('C', false), overrides }).why).toBe('it is disabled in /c/overrides.yml')
  expect(states.problems.map(({ what, key, message }) => [what, key, message])).toEqual([
    [
      'RuleOff',
      'A',
      'Rule A is off since 1970-01-01T11:00:00.000Z: r.py: too slow. 7 events were not judged by it. It will be retried automatically.',
    ],
    ['RuleOff', 'B', 'Rule B is off: r.py: too slow.'],
  ])

  states.set({ off: [], spans: [span('A', 11 * HOUR, 12 * HOUR, 7)] })
  expect(states.problems).toEqual([])
  expect(states.of(rule('A'))).toMatchObject({ state: 'on', sinceMs: 12 * HOUR, spans: [{ events: 7 }] })
})
