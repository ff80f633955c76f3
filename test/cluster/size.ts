/** How much one run does. */
interface Size {
  /** Minimum number of records; they arrive until all faults are over. */
  readonly events: number
  readonly perSecond: number
  /** Number of SIGKILLs and of SIGSTOPs, over all kinds of victims. */
  readonly kills: number
  readonly stops: number
  /** About how long a stopped process waits for its SIGCONT. */
  readonly stopSeconds: number
  /** Number of consecutive records for which one alert is opened in each lane, so that alerts are opened all the time. */
  readonly block: number
  /** Minimum number of records that arrive while ClickHouse is away. */
  readonly awayEvents: number
}

const SIZES: Readonly<Record<string, Size>> = {
  short: { events: 10_000, perSecond: 400, kills: 7, stops: 2, stopSeconds: 8, block: 500, awayEvents: 4000 },
  default: { events: 200_000, perSecond: 700, kills: 21, stops: 7, stopSeconds: 20, block: 2000, awayEvents: 20_000 },
  full: { events: 2_000_000, perSecond: 2500, kills: 30, stops: 10, stopSeconds: 20, block: 10_000, awayEvents: 200_000 },
}

export const SIZE_NAME = process.env['CLUSTER'] ?? 'default'

function chosen(): Size {
  const size = SIZES[SIZE_NAME]
  if (!size) throw new Error(`CLUSTER=${SIZE_NAME} is not a size. Known: ${Object.keys(SIZES).join(', ')}`)
  return size
}

export const SIZE = chosen()

/** Of the faults: the same ones in the same order for the same seed. */
export const SEED = Number(process.env['CLUSTER_SEED'] ?? 20_261_201)
