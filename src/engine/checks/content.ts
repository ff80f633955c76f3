import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { ContentView } from '../engine.ts'

/** Content files that cannot be used, and unknown names. Rules that are off: `rule-states.ts`. */
export function contentProblems({ broken, names }: ContentView): SystemProblem[] {
  return [
    ...broken.map(({ file, message }) => systemProblem('ContentBroken', file, `${file}: ${message}`)),
    ...[...byFile(names)].map(([file, messages]) => systemProblem('NameUnknown', file, `${file}: ${messages.join('; ')}`)),
  ]
}

function byFile(problems: ContentView['names']): Map<string, string[]> {
  const files = new Map<string, string[]>()
  for (const { file, message } of problems) files.set(file, [...(files.get(file) ?? []), message])
  return files
}
