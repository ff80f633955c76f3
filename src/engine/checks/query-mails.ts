import type { ScheduledQuery } from '../../model/query.ts'
import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { DeadMails } from '../../state/rows-mails.ts'

/** Queries whose rows should be mailed and are not: nothing is configured that could send them, or it did not accept them. */
export function queryMailProblems(
  queries: readonly ScheduledQuery[],
  mailer: string | undefined,
  dead: readonly DeadMails[],
): SystemProblem[] {
  const unsent = mailer === undefined ? queries.filter(({ email }) => email && email.recipients.length > 0) : []
  return [
    ...unsent.map(({ name, file }) =>
      systemProblem(
        'QueryNotMailed',
        name,
        `The rows of query '${name}' (${file}) are not mailed: there is no destination of type email, whose mail server sends them`,
      ),
    ),
    ...dead.map(({ query, destination, mails, error }) =>
      systemProblem(
        'QueryNotMailed',
        query,
        `${mails === 1 ? 'A mail' : `${mails} mails`} with rows of query '${query}' could not be delivered by destination ${destination}: ${error}`,
        { notTo: [destination] },
      ),
    ),
  ]
}
