import type { Judged } from './step.ts'

/** The log type that a finding is about, or `undefined` if that is not one. */
export function logTypeOf({ event, isWider }: Pick<Judged, 'event' | 'isWider'>): string | undefined {
  return isWider ? undefined : event?.p_log_type
}
