import type { JsonObject } from '../../../model/json.ts'
import { evaluate } from './evaluate.ts'
import { setPath } from './match.ts'
import type { CorrelationRule, CorrelationTest, Signal, TestOutput } from './rule.ts'

/**
 * Whether the rule matches the given outputs of its members' rules; the test passes if that is its `expectedResult`. All windows
 * have ended.
 */
export function runCorrelationTest(rule: CorrelationRule, test: CorrelationTest): boolean {
  const times = test.outputs.flatMap(({ fields }) => fields?.flatMap(({ timesMs }) => timesMs) ?? [])
  // A rule that fired without fields has no time, so it gets the test's first one, at which the members' order applies.
  const startMs = times.length > 0 ? times.reduce((first, time) => Math.min(first, time)) : 0
  const signals = test.outputs.flatMap((output, at) => signalsOf(rule, output, at, startMs))
  return evaluate(rule, signals, Number.POSITIVE_INFINITY).length > 0
}

/**
 * Several values of one field at one time come from separate signals; values of several fields at one time come from the same
 * signal, repeating the last value of a field with fewer.
 */
function signalsOf(rule: CorrelationRule, { memberId, fields }: TestOutput, at: number, startMs: number): Signal[] {
  const { ruleId } = rule.members.find(({ id }) => id === memberId)!
  if (!fields) return [{ ruleId, rowId: `${at}`, timeMs: startMs, fields: {} }]
  const times = new Map<number, Map<string, string[]>>()
  for (const { path, value, timesMs } of fields) {
    for (const timeMs of timesMs) {
      const atTime = times.get(timeMs) ?? new Map<string, string[]>()
      times.set(timeMs, atTime)
      atTime.set(path, [...(atTime.get(path) ?? []), value])
    }
  }
  return [...times].flatMap(([timeMs, byPath]) => {
    const count = Math.max(...[...byPath.values()].map((values) => values.length))
    return Array.from({ length: count }, (_, i): Signal => {
      const event: JsonObject = {}
      for (const [path, values] of byPath) setPath(event, path, values[Math.min(i, values.length - 1)]!)
      return { ruleId, rowId: `${at}/${timeMs}/${String(i).padStart(4, '0')}`, timeMs, fields: event }
    })
  })
}
