import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { Check } from './check.ts'

export interface SpoolLimits {
  readonly maxBytes: number
  readonly maxSourceBytes: number
}

const SHARE = 0.8

/** What the spool says about itself. */
export interface SpoolAnswers {
  /** Waiting bytes, of one source or of all. */
  readonly bytes: (sourceId?: string) => Promise<number>
  /** Why nothing can be appended or read, while that is so. */
  readonly trouble: () => Promise<string | undefined>
}

/** Checks whether the spool can be used, and how full it is. */
export function spoolCheck(
  sources: () => readonly string[],
  { maxBytes, maxSourceBytes }: SpoolLimits,
  { bytes, trouble }: SpoolAnswers,
): Check {
  return {
    name: 'the spool',
    async run() {
      const why = await trouble()
      const problems: SystemProblem[] = why === undefined ? [] : [systemProblem('SpoolAway', '', why)]
      const all = await bytes()
      if (all >= maxBytes * SHARE) problems.push(problem('', 'The spool', all, maxBytes, 'all senders get 503'))
      for (const id of sources()) {
        const own = await bytes(id)
        if (own >= maxSourceBytes * SHARE)
          problems.push(problem(id, `The spool of source ${id}`, own, maxSourceBytes, 'its senders get 429'))
      }
      return problems
    },
  }
}

function problem(key: string, what: string, bytes: number, max: number, then: string): SystemProblem {
  const percent = Math.floor((bytes / max) * 100)
  return systemProblem('SpoolFull', key, `${what} is ${percent} % full (${bytes} of ${max} bytes); once it is full, ${then}`)
}
