import { z } from 'zod'
import { hash16 } from '../util/hash.ts'
import { ApiError } from './errors.ts'

/** A condition of a change: the ETag of what the caller has seen, from the entry's member `etag` or the header of its own answer. */
export const ifUnchanged = z.object({
  'if-match': z
    .string()
    .regex(/^(?:\*|"[0-9a-f]{16}(?:-[\w-]{1,64})?")$/, 'an ETag such as "0123456789abcdef"')
    .optional()
    .describe('The ETag of what the caller has seen; refused if it was changed since.'),
})

export const etagSchema = z
  .string()
  .describe('Sent as `If-Match` with a change, the change is refused with 412 if there was another since.')

/** The ETag of what people can change about something; what changes by itself, such as counts, is left out. */
export function etagOf(...parts: readonly unknown[]): string {
  return `"${hash16(JSON.stringify(parts))}"`
}

/** A change, and the ETag of what it changes as it is now. */
interface ConditionalChange<T> {
  readonly given: z.output<typeof ifUnchanged>
  readonly what: string
  readonly etag: () => string | Promise<string>
  readonly change: () => Promise<T>
}

/** Carries out changes one after the other, so that of two with the same ETag one is refused with 412. */
export function changesInTurn(): <T>(one: ConditionalChange<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return ({ given, what, etag, change }) => {
    const turn = last.then(async () => {
      const now = await etag()
      const wanted = given['if-match']
      if (wanted !== undefined && wanted !== '*' && wanted.slice(1, 17) !== now.slice(1, 17)) throw changed(what, now)
      return change()
    })
    last = turn.catch(() => {})
    return turn
  }
}

function changed(what: string, etag: string): ApiError {
  const message = `${what} was changed since you read it: its ETag is now ${etag}. Read it again, and decide whether the change still makes sense`
  return new ApiError(412, 'precondition_failed', message, { etag })
}
