import { OPERATIONS } from './access/operations.ts'

/** Calls that change nothing although they are no `GET`: repeating one does no harm, and what it answers can be long. */
const ONLY_ANSWER = new Set([
  'POST /api/v1/query',
  'POST /api/v1/search',
  'POST /api/v1/search/fields',
  'POST /api/v1/explain',
  'POST /api/v1/rules/test',
  'POST /api/v1/rules/{id}/test',
  'POST /api/v1/schemas/infer',
  'POST /api/v1/schemas/test',
])

/** Their answers are streams that end with the work itself; a second one is refused while it lasts, or finds the folder in use. */
const STREAMED = new Set(['POST /api/v1/backups'])

/** Calls whose answer has a secret that is shown once: that they were made is kept, and the answer is not. */
export const SECRET_ANSWERS: ReadonlySet<string> = new Set([
  'POST /api/v1/tokens',
  'POST /api/v1/me/tokens',
  'POST /api/v1/me/second-factor',
  'POST /api/v1/users',
  'POST /api/v1/users/first-link',
  'POST /api/v1/users/{id}/reset',
])

/** True if an `Idempotency-Key` counts for the operation: it changes something, and who calls is known. */
export function isKeyed(operation: string): boolean {
  if (!operation.includes(' /api/') || operation.startsWith('GET ')) return false
  if (Object.hasOwn(OPERATIONS, operation) && OPERATIONS[operation]!.needs === 'nothing') return false
  return !ONLY_ANSWER.has(operation) && !STREAMED.has(operation)
}
