import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { messageOf, Refused } from '../../../util/errors.ts'
import { TableError } from '../table.ts'

/** The file in a table's folder that lists its versions, oldest first. */
export const HISTORY_FILE = 'versions.json'

const count = z.int().min(0)

const periodSchema = z.object({
  version: z.string().min(1),
  sinceMs: z.number(),
  /** Absent for the version in force. */
  untilMs: z.number().optional(),
  /** `fetched` by a provider, or `shipped` next to the definition. */
  origin: z.enum(['fetched', 'shipped']),
  /** Who has written it through the API. */
  by: z.string().optional(),
  /** Name of the file that it came from, a hint at the format. */
  fileName: z.string().optional(),
  /** Unknown for versions that an earlier version of Caracal has left. */
  rows: count.optional(),
  skipped: count.optional(),
  /** Size of the content, and of its compressed file. */
  bytes: count.optional(),
  storedBytes: count.optional(),
  /** Keys that differ from the version before. Absent: not compared. */
  changes: z.object({ added: count, removed: count, changed: count, worsened: count }).optional(),
  /** Checks that it did not pass, when it was accepted nevertheless. */
  passedOver: z.array(z.string()).optional(),
  /** The content is no longer stored. */
  isGone: z.literal(true).optional(),
})

/** A time during which one version of a table was in force. */
export type VersionPeriod = Readonly<z.output<typeof periodSchema>>

const historySchema = z.object({ versions: z.array(periodSchema) })

/**
 * The versions of a table, oldest first, as its folder lists them; empty if it has none.
 *
 * @throws {TableError} if the list is damaged.
 */
export async function readHistory(folder: string): Promise<VersionPeriod[]> {
  const path = join(folder, HISTORY_FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  try {
    return historySchema.parse(JSON.parse(text)).versions
  } catch (error) {
    throw new TableError(`the list of versions ${path} is damaged: ${messageOf(error)}`, { cause: error })
  }
}

export function historyText(versions: readonly VersionPeriod[]): string {
  return JSON.stringify({ versions })
}

/** The period that contains a time, `undefined` before the first. */
export function periodAt(versions: readonly VersionPeriod[], ms: number): VersionPeriod | undefined {
  return versions.findLast(({ sinceMs }) => sinceMs <= ms)
}

/** The date at the front of a version. */
export function dateOf(version: string): string | undefined {
  return /^\d{4}-\d{2}-\d{2}(?=-)/.exec(version)?.[0]
}

/**
 * The period that a person means: a version's name, or the hash at its end; a time; or `now`, the version in force.
 *
 * @throws {Refused} if there is none, or its content is no longer stored.
 */
export function periodNamed(table: string, versions: readonly VersionPeriod[], which: string): VersionPeriod {
  const period = which === 'now' ? versions.at(-1) : (byName(versions, which) ?? byTime(table, versions, which))
  if (!period) throw new Refused(`table '${table}' has no version yet`)
  return stored(table, period)
}

/** The period, unless its content is no longer stored: then it throws `Refused`. */
export function stored(table: string, period: VersionPeriod): VersionPeriod {
  if (!period.isGone) return period
  const span = `${new Date(period.sinceMs).toISOString()} to ${new Date(period.untilMs ?? period.sinceMs).toISOString()}`
  throw new Refused(
    `version ${period.version} of table '${table}', in force from ${span}, is no longer kept: Keep in its definition says how many are`,
  )
}

function byName(versions: readonly VersionPeriod[], name: string): VersionPeriod | undefined {
  return versions.findLast(({ version }) => version === name || (name.length === HASH_DIGITS && version.endsWith(`-${name}`)))
}

function byTime(table: string, versions: readonly VersionPeriod[], text: string): VersionPeriod {
  const ms = /^\d{4}-\d\d-\d\d(T\d\d:\d\d|$)/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms))
    throw new Refused(`'${text}' is not a version of table '${table}', a time (2024-03-12T10:00:00Z) or \`now\``)
  const period = periodAt(versions, ms)
  if (period) return period
  const first = versions[0]
  const since = first
    ? `its first version is ${first.version}, in force since ${new Date(first.sinceMs).toISOString()}`
    : 'it has none'
  throw new Refused(`table '${table}' has no version from ${new Date(ms).toISOString()}: ${since}`)
}

const HASH_DIGITS = 12
