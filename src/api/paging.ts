import { z } from 'zod'
import { ApiError } from './errors.ts'

/** Parameters of a list. */
export function pageQuery(most: number, usual = most) {
  return {
    limit: z.coerce.number().int().min(1).max(most).default(usual).describe('Maximum number of results.'),
    cursor: z.string().max(2000).optional().describe('`next` of the previous page.'),
  }
}

/** A page of a list. */
export function pageSchema<T extends z.ZodType>(item: T) {
  return z.object({ results: z.array(item), next: nextSchema })
}

export const nextSchema = z
  .string()
  .nullable()
  .describe('Cursor of the next page; null: this is the last one. A page may have fewer results than `limit`.')

/** Texts and numbers that say where the next page begins, as an opaque cursor. */
export function cursorOf(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** What was given to `cursorOf`, of this shape. Throws `ApiError` for any other text. */
export function readCursor<T extends readonly (string | number)[]>(cursor: string, shape: z.ZodType<T>): T {
  let place: unknown
  try {
    place = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    // Refused below.
  }
  const read = shape.safeParse(place)
  if (read.success) return read.data
  const shown = cursor.slice(0, 80)
  throw new ApiError(400, 'bad_request', `the cursor '${shown}' does not come from this list: use \`next\` of the previous page`)
}

const placeSchema = z.tuple([z.string(), z.int().min(0)])

/**
 * A page of a list that is in memory. The next one begins after the last item by its key, and if that is gone by then, where it was: a list
 * that changes in the meantime repeats or leaves out nothing but what has changed.
 */
export function pageOf<T>(
  items: readonly T[],
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  keyOf: (item: T) => string,
): { results: T[]; next: string | null } {
  let from = 0
  if (cursor !== undefined) {
    const [key, at] = readCursor(cursor, placeSchema)
    const found = items.findIndex((item) => keyOf(item) === key)
    from = found < 0 ? at : found + 1
  }
  const results = items.slice(from, from + limit)
  const hasMore = from + results.length < items.length
  return { results, next: hasMore ? cursorOf([keyOf(results.at(-1)!), from + results.length - 1]) : null }
}

/** A page of a list of which one more than `limit` was asked for. */
export function cutPage<T>(
  found: readonly T[],
  limit: number,
  placeOf: (item: T) => readonly (string | number)[],
): { results: T[]; next: string | null } {
  const results = found.slice(0, limit)
  return { results, next: found.length > limit ? cursorOf(placeOf(results.at(-1)!)) : null }
}
