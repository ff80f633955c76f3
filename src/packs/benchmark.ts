import type { Rule } from '../model/rule.ts'
import type { Detector } from '../stages/detect/language.ts'
import type { Detectors } from './detectors.ts'

/** The cost of judging events with one rule. */
export interface RuleCost {
  readonly ruleId: string
  readonly events: number
  readonly microsPerEvent: number
  /** Share of the time of all rules, 0 to 1. */
  readonly share: number
}

export interface Benchmark {
  /** Most expensive first. */
  readonly rules: readonly RuleCost[]
  readonly events: number
  /** Events per second, including every rule of an event's log type and the hand-over. */
  readonly eventsPerSecond: number
  readonly errors: number
}

/** Events in exact JSON, by log type. */
export type EventsByType = ReadonlyMap<string, readonly string[]>

/** The events of the rules' own unit tests: each under every log type of its rule. */
export function testEvents(rules: readonly Rule[]): Map<string, string[]> {
  const events = new Map<string, string[]>()
  for (const { logTypes, tests } of rules) {
    for (const logType of logTypes) events.set(logType, [...(events.get(logType) ?? []), ...tests.map(({ log }) => log)])
  }
  return events
}

const BATCH = 500
const encoder = new TextEncoder()

/** Judges the events `rounds` times with all rules of their log types, after one warm-up round. */
export async function measure(events: EventsByType, detectors: Detectors, rounds: number): Promise<Benchmark> {
  const all = [...new Set(detectors.values())]
  await judge(events, all)
  for (const detector of all) detector.timings()
  const started = performance.now()
  let judged = 0
  let errors = 0
  for (let round = 0; round < rounds; round += 1) {
    const once = await judge(events, all)
    judged += once.judged
    errors += once.errors
  }
  const seconds = (performance.now() - started) / 1000
  const spent = all.flatMap((detector) => detector.timings())
  const total = spent.reduce((sum, one) => sum + one.seconds, 0)
  const rules = spent
    .filter((one) => one.events > 0)
    .map((one) => ({
      ruleId: one.ruleId,
      events: one.events,
      microsPerEvent: (one.seconds / one.events) * 1e6,
      share: total > 0 ? one.seconds / total : 0,
    }))
    .sort((a, b) => b.share - a.share)
  return { rules, events: judged, eventsPerSecond: seconds > 0 ? judged / seconds : 0, errors }
}

async function judge(events: EventsByType, detectors: readonly Detector[]): Promise<{ judged: number; errors: number }> {
  let judged = 0
  let errors = 0
  for (const [logType, list] of events) {
    const concerned = detectors.filter((detector) => detector.logTypes.has(logType))
    if (concerned.length === 0) continue
    for (let at = 0; at < list.length; at += BATCH) {
      const batch = list.slice(at, at + BATCH)
      const ndjson = encoder.encode(batch.map((event) => `${event}\n`).join(''))
      const findings = await Promise.all(concerned.map((one) => one.evaluate({ logType, ndjson, count: batch.length })))
      judged += batch.length
      errors += findings.flat().filter(({ kind }) => kind === 'error').length
    }
  }
  return { judged, errors }
}
