import type { CompiledSchema, Fit } from '../../model/schema.ts'

/**
 * If a record does not say what it is, its log type is guessed, and a guess needs evidence: most of the record's fields are in
 * the schema (`MOST`), and some of them have names that are not common to all logs (`telling`), or values that suggest this
 * schema (`confirmed`). The thresholds were tuned on real Zeek logs without `_path` and on JSON from other programs.
 */
export interface Assessment {
  readonly schema: CompiledSchema
  readonly fit: Fit
}

/** Share of a record's fields that should be in the schema. */
const MOST = 2 / 3

/** With this many telling fields, half of the record's fields may be additions by shippers. */
const MANY = 5

/** Whether to consider the schema at all: no required field is missing, and it has more in common with the record than a time. */
export function isPossible({ schema, fit }: Assessment): boolean {
  return !schema.isDescribed || (fit.missing.length === 0 && fit.known > fit.times)
}

/** Whether most of the record's fields are in the schema; otherwise neither its values nor its neighbours count. */
export function isMostlyKnown({ fit }: Assessment): boolean {
  return shareOf(fit) >= MOST || (fit.telling >= MANY && shareOf(fit) >= 1 / 2)
}

/** Whether a record with mostly known fields has this log type. `confirmed`: fields with common names but telling values. */
export function isEvident({ fit }: Assessment, confirmed: number): boolean {
  const telling = fit.telling + confirmed
  if (telling >= 2) return true
  return telling === 1 && fit.unknown.length === 0 && (fit.known >= 3 || fit.isWhole)
}

/**
 * The same among the few log types that a source names. The user has said that records have one of them, so less evidence is
 * needed. A user's own schema may only describe part of its records.
 */
export function isLikely({ schema, fit }: Assessment, confirmed: number): boolean {
  if (!schema.isDescribed) return true
  const telling = fit.telling + confirmed
  if (telling >= 3 || (telling >= 1 && schema.native === undefined)) return true
  return shareOf(fit) >= MOST && (telling >= 1 || fit.unknown.length === 0)
}

/** Whether a record has almost nothing in common with the only log type that its source names. */
export function isForeign({ schema, fit }: Assessment, confirmed: number): boolean {
  if (!schema.isDescribed || fit.unknown.length === 0) return false
  if (schema.native === undefined) return fit.known === 0
  return shareOf(fit) < 1 / 3 && fit.telling + confirmed < 3
}

function shareOf({ known, unknown }: Fit): number {
  return known / (known + unknown.length)
}

/** Sorts better schemas first; 0 if the two are equally good. */
export function compareFits(a: Assessment, b: Assessment): number {
  const byFields = a.fit.unknown.length - b.fit.unknown.length || b.fit.known - a.fit.known
  return byFields || Number(b.schema.mayGuess) - Number(a.schema.mayGuess)
}

/** The closest schemas, for a message: those with the most telling fields, then with the largest share. */
export function nearest(assessments: readonly Assessment[], count: number): readonly Assessment[] {
  const some = assessments.filter(({ fit }) => fit.known > fit.times)
  const score = ({ fit }: Assessment) => fit.telling * 2 + shareOf(fit) - fit.missing.length
  return some.sort((a, b) => score(b) - score(a)).slice(0, count)
}

/** Maximum number of names to list in a message. */
const SHOWN = 3

/** Why a schema does not fit: `the record lacks ts, note; 3 of 4 fields are not in the schema (a, b, c)`. */
export function against({ schema, fit }: Assessment): string {
  const { known, unknown, missing } = fit
  const lacks = missing.length > 0 ? [`the record lacks ${names(missing)}`] : []
  const strange =
    unknown.length > 0 ? [`${unknown.length} of ${known + unknown.length} fields are not in the schema (${names(unknown)})`] : []
  const why = [...lacks, ...strange]
  return `${schema.name}: ${why.join('; ') || 'its field names are common to all kinds of logs'}`
}

function names(list: readonly string[]): string {
  const shown = list.slice(0, SHOWN).map((name) => name.slice(0, 40))
  return list.length > SHOWN ? `${shown.join(', ')} …` : shown.join(', ')
}
