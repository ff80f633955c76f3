import { systemProblem } from '../../model/system-problem.ts'
import type { SourceProgress } from '../pipeline-messages.ts'
import type { Check } from './check.ts'

/** A call to a source that takes longer than this hangs. */
const HANGS_MS = 30_000

/** Looks for sources that do not answer when they are asked or read. */
export function readerCheck(progress: () => Promise<readonly SourceProgress[]>): Check {
  return {
    name: 'the pipeline',
    async run() {
      return (await progress()).flatMap(({ id, waitingMs }) => {
        if (waitingMs < HANGS_MS) return []
        const message = `Reading from source ${id} has not answered for ${Math.floor(waitingMs / 1000)} s; other sources wait too`
        return [systemProblem('ReaderStuck', id, message)]
      })
    },
  }
}
