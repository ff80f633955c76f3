import { expect, test } from 'vitest'
import type { MakerReport, RulesInMaker } from './maker-calls.ts'
import { RulesInMakers } from './rules.ts'

const off = (ruleId: string, missed: number) => ({
  ruleId,
  cause: 'crash' as const,
  message: `${ruleId} ends it`,
  missed,
  retryMs: 7,
})
const report = (part: Partial<RulesInMaker> = {}): MakerReport => ({
  hash: 'f00d',
  ruleIds: new Map([['Test.Line', ['A', 'B']]]),
  ...{ off: [], setupErrors: [], pids: [] },
  ...part,
})
const rulesOf = (...reports: MakerReport[]) =>
  new RulesInMakers(new Map(reports.map((one, at) => [at, one])), {
    evaluate: async () => [],
    prefiltered: Promise.resolve(),
  })

test('a rule that is off in one maker is reported as off once, with the events that it missed in all makers', () => {
  const rules = rulesOf(report({ off: [off('A', 3)], pids: [1] }), report({ off: [off('A', 4), off('B', 1)], pids: [2, 3] }))
  expect(rules.off().map(({ ruleId, missed }) => [ruleId, missed])).toEqual([
    ['A', 7],
    ['B', 1],
  ])
  expect(rules.pids).toEqual([1, 2, 3])
})

test('the number of missed events never decreases, whether the rule is on again in one maker or a maker has ended', () => {
  const rules = rulesOf(report({ off: [off('A', 3)] }), report({ off: [off('A', 4)] }))
  rules.judged(1, { missed: [['A', 9]], timings: [] })
  rules.report(0, report())
  expect(rules.off().map(({ missed }) => missed)).toEqual([12])
  rules.gone(0)
  expect(rules.off().map(({ missed }) => missed)).toEqual([12])
  rules.report(2, report({ off: [off('A', 1)] }))
  rules.gone(1)
  expect(rules.off().map(({ missed }) => missed)).toEqual([13])
  rules.gone(2)
  expect(rules.off()).toEqual([])
})

test('times of rules add up over makers until they are read', () => {
  const rules = rulesOf(report(), report())
  rules.judged(0, { missed: [], timings: [{ ruleId: 'A', seconds: 1, events: 10 }] })
  rules.judged(1, { missed: [], timings: [{ ruleId: 'A', seconds: 2, events: 5 }] })
  expect(rules.timings()).toEqual([{ ruleId: 'A', seconds: 3, events: 15 }])
  expect(rules.timings()).toEqual([])
})
