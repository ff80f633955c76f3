import type { Position } from './remembered.ts'
import type { WindowSpec } from './spec.ts'
import type { Span } from './template.ts'

const HOUR_MS = 3_600_000
/** The oldest records of a service may be dropped between the request and its answer. */
const REACH_MARGIN_MS = 300_000

export interface WindowTerms {
  readonly window: WindowSpec | undefined
  /** How far back the first poll goes, in milliseconds. */
  readonly startMs: number
}

/** The window of the request that follows; `undefined` if it has not begun. Without a window, it only says that a poll is under way. */
export function spanAt({ fromMs, toMs }: Position, nowMs: number, { window, startMs }: WindowTerms): Span | undefined {
  const firstMs = fromMs ?? nowMs - startMs
  if (toMs !== undefined) return { fromMs: firstMs, toMs }
  if (!window) return { fromMs: firstMs, toMs: nowMs }
  const endMs = nowMs - window.delay_seconds * 1000
  const reachMs = window.reach_hours === undefined ? 0 : nowMs - window.reach_hours * HOUR_MS + REACH_MARGIN_MS
  const backMs = fromMs === undefined ? 0 : window.overlap_minutes * 60_000
  const beginMs = Math.max(firstMs - backMs, reachMs, 0)
  const span = { fromMs: beginMs, toMs: Math.min(Math.max(firstMs, beginMs) + window.max_hours * HOUR_MS, endMs) }
  return span.toMs > span.fromMs ? span : undefined
}

/** True if what follows a window is already past, so that it can be read without a pause. */
export function isBehind(toMs: number, nowMs: number, { window }: WindowTerms): boolean {
  return window !== undefined && nowMs - window.delay_seconds * 1000 - toMs > HOUR_MS
}

/** The hours before a span that the service does not have any more, 0 if there are none. */
export function missedHours({ fromMs: wantedMs }: Position, { fromMs }: Span): number {
  return wantedMs === undefined ? 0 : Math.max(0, Math.ceil((fromMs - wantedMs) / HOUR_MS))
}
