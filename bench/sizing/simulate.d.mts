export interface Station {
  readonly name: string
  readonly machine: string
  readonly servers: number
  readonly perBatchUs: number
  readonly perEventUs: number
  readonly waitUs?: number | undefined
  readonly maxEvents?: number | undefined
  readonly everyMs?: number | undefined
  readonly fullEvents?: number | undefined
}

export interface Setting {
  readonly machines: Readonly<Record<string, number>>
  readonly stations: readonly Station[]
  readonly aside?: Readonly<Record<string, number>>
  readonly until: string
  readonly eventsPerSecond: (seconds: number) => number
  readonly perPost: number
  readonly seconds: number
  readonly warmUpSeconds?: number
  readonly seed?: number
}

export interface Found {
  readonly arrived: number
  readonly done: number
  readonly mostWaiting: number
  readonly coresUsed: Readonly<Record<string, number>>
  readonly stations: readonly {
    readonly name: string
    readonly busy: number
    readonly p50Ms: number | undefined
    readonly p99Ms: number | undefined
    readonly meanMs: number
  }[]
}

/** Runs the model of the path; see simulate.mjs for what each part of the setting means. */
export function simulate(setting: Setting): Found
