import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { ContentView } from '../engine.ts'

/** Content files that cannot be used, names that nothing answers to, and rules that do not load. */
export function contentProblems({ broken, names, rulesOff }: ContentView): SystemProblem[] {
  return [
    ...broken.map(({ file, message }) => systemProblem('ContentBroken', file, `${file}: ${message}`)),
    ...names.map(({ file, message }) => systemProblem('NameUnknown', `${file}: ${message}`, `${file}: ${message}`)),
    ...rulesOff.map(({ id, message }) => systemProblem('RuleOff', id, `Rule ${id} is off: ${message}`)),
  ]
}
