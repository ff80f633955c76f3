import { type Examination, failed, ok, warning } from './examination.ts'

/** Files written a moment ago may be this much ahead on a network drive. */
const TOLERANCE_MS = 60_000

export interface ClockDeps {
  readonly nowMs: number
  /** When Caracal was built, and when it last wrote its data: the clock must be past these. In milliseconds. */
  readonly pastMs: readonly number[]
  /** Whether the operating system says that its clock is synchronised; `undefined` if it does not say. */
  readonly isSynchronised: () => Promise<boolean | undefined>
}

/** Checks the clock: alert windows, retention and certificates depend on it. */
export function clockExamination({ nowMs, pastMs, isSynchronised }: ClockDeps): Examination {
  return {
    name: 'clock',
    async run() {
      const now = new Date(nowMs).toISOString()
      const advice = 'synchronise it: `timedatectl set-ntp true`, or a service such as chrony'
      const latest = Math.max(...pastMs, 0)
      if (nowMs < latest - TOLERANCE_MS)
        return failed(`it shows ${now}, but files here were written at ${new Date(latest).toISOString()}`, advice)
      const isSure = await isSynchronised()
      if (isSure === false) return warning(`it shows ${now} and is not synchronised`, advice)
      return ok(isSure ? `${now}, synchronised` : `${now}; this system does not say whether it is synchronised`)
    },
  }
}
