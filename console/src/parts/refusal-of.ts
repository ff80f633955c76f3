import { ApiProblem } from '../api/client.ts'

/** What to show when a change of `what` was refused. If somebody else was faster, the page is read again, so that it shows their change. */
export function refusalOf(error: Error, what: string): string {
  const isChanged = error instanceof ApiProblem && error.status === 412
  return isChanged
    ? `${what} was changed by somebody else. The page shows it as it is now: try again if you still want to`
    : error.message
}
