import type { SourceActivity } from '../../model/activity.ts'
import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { SourceProgress } from '../pipeline-calls.ts'
import type { Check } from './check.ts'

/** After a start, senders that have been waiting get this long to reconnect. */
const GRACE_MS = 5 * 60_000
const MINUTE_MS = 60_000

export interface SilenceDeps {
  readonly sources: () => readonly { readonly id: string; readonly drop_off_minutes?: number | undefined }[]
  readonly activity: (nowMs: number) => Promise<ReadonlyMap<string, SourceActivity>>
  readonly progress: () => Promise<readonly SourceProgress[]>
  /** Epoch ms. */
  readonly now: () => number
}

/** Finds sources that have not sent a record for their `drop_off_minutes`, counted over restarts. */
export function silenceCheck({ sources, activity, progress, now }: SilenceDeps): Check {
  const startedMs = now()
  return {
    name: 'the silence of sources',
    async run() {
      const nowMs = now()
      const watched = sources().flatMap(({ id, drop_off_minutes: minutes }) => (minutes === undefined ? [] : [{ id, minutes }]))
      if (watched.length === 0 || Math.abs(nowMs - startedMs) < GRACE_MS) return []
      const [flows, places] = await Promise.all([activity(nowMs), progress()])
      // What waits to be read has arrived: other checks report why it waits.
      const waiting = new Set(places.filter(({ inFlight, backlogBytes }) => inFlight + backlogBytes > 0).map(({ id }) => id))
      return watched.flatMap(({ id, minutes }) => {
        const flow = flows.get(id)
        return flow && !waiting.has(id) ? silence(id, minutes, flow, nowMs) : []
      })
    },
  }
}

function silence(id: string, minutes: number, { watchedMs, lastReceivedMs }: SourceActivity, nowMs: number): SystemProblem[] {
  const sinceMs = Math.max(watchedMs, lastReceivedMs ?? 0)
  if (nowMs - sinceMs < minutes * MINUTE_MS) return []
  const since = new Date(sinceMs).toISOString()
  const last =
    lastReceivedMs === undefined
      ? `has not sent any record since it was configured at ${since}`
      : `has not sent a record since ${since}`
  const message = `Source ${id} ${last}, longer than its drop_off_minutes (${minutes})`
  // Named with its beginning, so that a later silence is a new cause, even on the same day.
  return [systemProblem('SourceSilent', id, message, { covers: [`${id} since ${since}`] })]
}
