/** Longest wait that a server can request. */
export const MAX_RETRY_AFTER_MS = 3_600_000

/** Milliseconds of a Retry-After header, given in seconds or as a date; at most an hour, `undefined` if it is invalid. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim()
  if (!text) return undefined
  const isDate = /^[A-Z][a-z]{2,8}[, ]/.test(text)
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : isDate ? Date.parse(text) - nowMs : Number.NaN
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : undefined
}

/** How long to wait after 429 if the server does not say. */
const BUSY_MS = 30_000

/** The same for an answer with this status: 429 asks for a wait, even if it does not say how long. */
export function requestedWaitMs(status: number, header: string | undefined, nowMs: number): number | undefined {
  return retryAfterMs(header, nowMs) ?? (status === 429 ? BUSY_MS : undefined)
}
