import type { CompiledSchema, Fit } from '../../model/schema.ts'

/**
 * When a record does not say what it is, its log type is a guess, and a guess needs evidence: most of the record's fields
 * are the schema's (`MOST`), and some of them are not names that any log may have (`telling`), or have a value that speaks
 * for the schema (`confirmed`). Thresholds were set on real Zeek logs without `_path` and on foreign JSON.
 */
export interface Assessment {
  readonly schema: CompiledSchema
  readonly fit: Fit
}

/** Share of a record's fields that the schema should know. */
const MOST = 2 / 3

/** With this many telling fields shippers may have added as many fields again as the schema knows. */
const MANY = 5

/** Whether the schema is considered at all: nothing that it requires is missing, and more than a time is known to it. */
export function isPossible({ schema, fit }: Assessment): boolean {
  return !schema.isDescribed || (fit.missing.length === 0 && fit.known > fit.times)
}

/** Whether most of the record's fields are the schema's: without that neither its values nor its neighbours count. */
export function isMostlyKnown({ fit }: Assessment): boolean {
  return shareOf(fit) >= MOST || (fit.telling >= MANY && shareOf(fit) >= 1 / 2)
}

/** Whether a record of mostly known fields is of this log type. `confirmed`: fields with common names whose values tell. */
export function isEvident({ fit }: Assessment, confirmed: number): boolean {
  const telling = fit.telling + confirmed
  if (telling >= 2) return true
  return telling === 1 && fit.unknown.length === 0 && (fit.known >= 3 || fit.isWhole)
}

/**
 * The same among the few log types that a source names: the user has said that records are of one of them, so less tells
 * them apart. A schema of the user's own may describe a part of its records only.
 */
export function isLikely({ schema, fit }: Assessment, confirmed: number): boolean {
  if (!schema.isDescribed) return true
  const telling = fit.telling + confirmed
  if (telling >= 3 || (telling >= 1 && schema.native === undefined)) return true
  return shareOf(fit) >= MOST && (telling >= 1 || fit.unknown.length === 0)
}

/** A record of the one log type that its source names, and yet with next to nothing of its schema. */
export function isForeign({ schema, fit }: Assessment, confirmed: number): boolean {
  if (!schema.isDescribed || fit.unknown.length === 0) return false
  if (schema.native === undefined) return fit.known === 0
  return shareOf(fit) < 1 / 3 && fit.telling + confirmed < 3
}

function shareOf({ known, unknown }: Fit): number {
  return known / (known + unknown.length)
}

/** Better first; 0: nothing tells the two apart. */
export function compareFits(a: Assessment, b: Assessment): number {
  const byFields = a.fit.unknown.length - b.fit.unknown.length || b.fit.known - a.fit.known
  return byFields || Number(b.schema.mayGuess) - Number(a.schema.mayGuess)
}

/** The schemas that come nearest, for a message: with the most telling fields, then with the largest share. */
export function nearest(assessments: readonly Assessment[], count: number): readonly Assessment[] {
  const some = assessments.filter(({ fit }) => fit.known > fit.times)
  const score = ({ fit }: Assessment) => fit.telling * 2 + shareOf(fit) - fit.missing.length
  return some.sort((a, b) => score(b) - score(a)).slice(0, count)
}

/** Names shown of a list in a message. */
const SHOWN = 3

/** What speaks against a schema: `it lacks ts, note; 3 of 4 fields are unknown to it (a, b, c)`. */
export function against({ schema, fit }: Assessment): string {
  const { known, unknown, missing } = fit
  const lacks = missing.length > 0 ? [`the record lacks ${names(missing)}`] : []
  const strange =
    unknown.length > 0 ? [`${unknown.length} of ${known + unknown.length} fields are not its own (${names(unknown)})`] : []
  const why = [...lacks, ...strange]
  return `${schema.name}: ${why.join('; ') || 'the fields have names that any log may have'}`
}

function names(list: readonly string[]): string {
  const shown = list.slice(0, SHOWN).map((name) => name.slice(0, 40))
  return list.length > SHOWN ? `${shown.join(', ')} …` : shown.join(', ')
}
