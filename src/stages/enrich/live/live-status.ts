import type { BreakerState } from './breaker.ts'

/** How a live table is filled; for `caracal tables` and health. */
export interface LiveStatus {
  readonly service: string
  /** Stored answers, including those without a row. */
  readonly answers: number
  /** Addresses asked for on this UTC day. */
  readonly askedToday: number
  readonly leftToday: number
  readonly waiting: number
  /** Addresses that were not asked for since the start, because too many were waiting or their requests kept failing. */
  readonly passedOver: number
  /** `open`: no requests are sent for a while, because they failed or the service wants fewer. */
  readonly breaker: BreakerState
  readonly isKeyRefused: boolean
  readonly lastError: string | undefined
}
