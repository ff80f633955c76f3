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
  /** How long ClickHouse is away. */
  readonly awaySeconds: number
  /** Number of logins of each run that must have the same outcome, and the runs. */
  readonly logins: number
  readonly runs: readonly Run[]
  /** An absence among them takes two minutes more. */
  readonly hasAbsence: boolean
  /** Number of connections whose cost is measured, the workers with which it is, and how long they arrive at half the rate afterwards. */
  readonly connections: number
  readonly measuredWorkers: readonly number[]
  readonly halfLoadSeconds: number
  /** What is judged again by one process in the recorded order. */
  readonly serial: { readonly records: number; readonly perSecond: number; readonly kills: number; readonly stops: number }
  /** What is migrated. */
  readonly migratedEvents: number
  readonly migratedAlerts: number
}

/** One way of processing the same logins. */
export interface Run {
  readonly workers: number
  /** Nodes are killed and stopped meanwhile. */
  readonly isDisturbed: boolean
}

const quiet = (workers: number): Run => ({ workers, isDisturbed: false })
const disturbed = (workers: number): Run => ({ workers, isDisturbed: true })
const ALL_RUNS = [quiet(1), disturbed(1), quiet(2), disturbed(2), quiet(4), disturbed(4)]

const SIZES: Readonly<Record<string, Size>> = {
  short: {
    ...{ events: 10_000, perSecond: 400, kills: 8, stops: 2, stopSeconds: 8, block: 500, awaySeconds: 10 },
    ...{
      logins: 8000,
      runs: [disturbed(2)],
      hasAbsence: false,
      connections: 20_000,
      measuredWorkers: [2],
      halfLoadSeconds: 5,
      serial: { records: 6000, perSecond: 400, kills: 3, stops: 1 },
      migratedEvents: 20_000,
      migratedAlerts: 50,
    },
  },
  default: {
    ...{ events: 200_000, perSecond: 700, kills: 24, stops: 8, stopSeconds: 20, block: 2000, awaySeconds: 60 },
    ...{
      logins: 100_000,
      runs: [quiet(1), quiet(2), disturbed(2), disturbed(4)],
      hasAbsence: true,
      connections: 200_000,
      measuredWorkers: [1, 2],
      halfLoadSeconds: 20,
      serial: { records: 50_000, perSecond: 700, kills: 10, stops: 3 },
      migratedEvents: 500_000,
      migratedAlerts: 100,
    },
  },
  full: {
    ...{ events: 2_000_000, perSecond: 1200, kills: 32, stops: 10, stopSeconds: 20, block: 10_000, awaySeconds: 600 },
    ...{
      logins: 400_000,
      runs: ALL_RUNS,
      hasAbsence: true,
      connections: 1_000_000,
      measuredWorkers: [1, 2, 4],
      halfLoadSeconds: 60,
      serial: { records: 400_000, perSecond: 1200, kills: 28, stops: 10 },
      migratedEvents: 5_000_000,
      migratedAlerts: 1000,
    },
  },
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
