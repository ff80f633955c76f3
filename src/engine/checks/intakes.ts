import { systemProblem } from '../../model/system-problem.ts'
import type { Intake } from '../../stages/source/source.ts'
import type { Check } from './check.ts'

/** Finds push sources that cannot take everything, and those whose records are lost on the way to them. */
export function intakeCheck(intakes: () => ReadonlyMap<string, Intake>): Check {
  return {
    name: 'the intakes',
    run() {
      return [...intakes()].flatMap(([id, intake]) => {
        const { problems: [first, ...others] = [], lost } = intake.status?.() ?? {}
        const more = others.length > 0 ? ` (and ${others.length} more; \`caracal sources\` lists them)` : ''
        return [
          ...(first === undefined ? [] : [systemProblem('ReaderStuck', id, `Source ${id}: ${first}${more}`)]),
          ...(lost === undefined ? [] : [systemProblem('DatagramsLost', id, `Source ${id}: ${lost}`)]),
        ]
      })
    },
  }
}
