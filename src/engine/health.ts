import type { Health } from './engine.ts'
import { isFailing, type LastingProblem } from './problems.ts'

/** The health that these problems make. */
export function healthOf(problems: readonly LastingProblem[]): Health {
  const status = problems.some(isFailing) ? 'failing' : problems.length > 0 ? 'degraded' : 'ok'
  return { status, problems: problems.map(({ message }) => message), systemProblems: problems }
}
