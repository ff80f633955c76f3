import type { Fetched } from './provider.ts'

/** Servers behind one name may differ by this much, milliseconds. */
const DAY_MS = 24 * 60 * 60_000

/** A sentence if the content is older than the one in force: a list that was newer before is an old copy, whatever is in it. */
export function olderCopy(validators: Fetched['validators'], before: Fetched['validators'] = {}): string | undefined {
  const [nowMs, beforeMs] = [validators, before].map((one) => Date.parse(one['last_modified'] ?? ''))
  if (!(nowMs! < beforeMs! - DAY_MS)) return undefined
  return `the content was last modified on ${dayOf(nowMs!)}, the one in force on ${dayOf(beforeMs!)}: it is an old copy`
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
