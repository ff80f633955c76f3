import { ApiError } from '../errors.ts'
import type { Place, Range } from './sql.ts'

/** Where a timeline's next page begins. It keeps the time range, which may have been relative to the time of the first call. */
export interface Cursor extends Range {
  readonly after: Place
}

export function cursorOf({ sinceMs, untilMs, after }: Cursor): string {
  return [sinceMs, untilMs, after.time, after.rowId].join('_')
}

/** Throws `ApiError` for a text that `cursorOf` does not return. */
export function readCursor(text: string): Cursor {
  const match = /^(-?\d{1,15})_(-?\d{1,15})_(\d{4}-[\dT:.-]{10,30}Z)_([0-9a-f]{1,64})$/.exec(text)
  if (!match || Number.isNaN(Date.parse(match[3]!)))
    throw new ApiError(
      400,
      'bad_request',
      `the cursor '${text}' does not come from this server: use \`next\` from the previous page`,
    )
  return { sinceMs: Number(match[1]), untilMs: Number(match[2]), after: { time: match[3]!, rowId: match[4]! } }
}
