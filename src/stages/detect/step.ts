import type { Event } from '../../model/event.ts'
import type { Finding } from '../../model/match.ts'
import type { DetectBatch, Detector } from './language.ts'
import { toNdjson } from './ndjson.ts'

/**
 * Events of one log type → the findings of all detectors, ordered by event (rules of one detector keep their order).
 * Changes that rules make to their cache are passed to `onCacheWrites` before it resolves. Events are only serialised if some
 * detector has a rule for the log type. Rejects if a detector cannot judge at all.
 */
export async function detectEvents(
  logType: string,
  events: readonly Event[],
  detectors: readonly Detector[],
  { onCacheWrites, tables }: Pick<DetectBatch, 'onCacheWrites' | 'tables'> = {},
): Promise<readonly Finding[]> {
  const concerned = detectors.filter((detector) => detector.logTypes.has(logType))
  if (concerned.length === 0 || events.length === 0) return []
  const batch = toBatch(logType, events, { onCacheWrites, tables })
  const findings = await Promise.all(concerned.map((detector) => detector.evaluate(batch)))
  return findings.length === 1 ? findings[0]! : findings.flat().sort((a, b) => a.event - b.event)
}

/** The text is created on demand, since a detector with a prefilter only needs little of it. */
function toBatch(
  logType: string,
  events: readonly Event[],
  { onCacheWrites, tables }: { [K in 'onCacheWrites' | 'tables']: DetectBatch[K] | undefined },
): DetectBatch {
  let text: Uint8Array | undefined
  return {
    logType,
    events,
    count: events.length,
    tables,
    ...(onCacheWrites && { onCacheWrites }),
    get ndjson() {
      text ??= toNdjson(events)
      return text
    },
  }
}
