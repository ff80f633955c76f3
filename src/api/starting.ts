import { problemResponse } from './problem.ts'

/** The answer of a node that starts. */
export function starting(): Response {
  return problemResponse(503, 'starting', 'Caracal is starting; try again in a moment', { 'retry-after': '2' })
}
