import { systemProblem } from '../../model/system-problem.ts'
import type { SourceProgress } from '../pipeline-calls.ts'
import type { Check } from './check.ts'

/** A call to a source that takes longer than this hangs. */
const HANGS_MS = 30_000

/** Finds sources that do not answer calls, and those that cannot read part of their input. */
export function readerCheck(progress: () => Promise<readonly SourceProgress[]>): Check {
  return {
    name: 'the pipeline',
    async run() {
      return (await progress()).flatMap(({ id, waitingMs, problems: [first, ...others] = [] }) => {
        if (waitingMs >= HANGS_MS) {
          const message = `Reading from source ${id} has not responded for ${Math.floor(waitingMs / 1000)} s; other sources wait too`
          return [systemProblem('ReaderStuck', id, message)]
        }
        if (first === undefined) return []
        const more = others.length > 0 ? ` (and ${others.length} more; \`caracal sources\` lists them)` : ''
        return [systemProblem('ReaderStuck', id, `Source ${id}: ${first}${more}`)]
      })
    },
  }
}
