import { z } from 'zod'
import { quote } from './formats/format.ts'
import { type Table, TableError } from './table.ts'
import { joinKey } from './tables/composite-index.ts'

/** Smaller lists may change by more than half for good reasons. */
const LEAST_COMPARED = 100
const EXAMPLES = 3

const part = z.union([z.string().min(1), z.number()]).transform(String)
const key = z.union([part, z.array(part).min(2).transform(joinKey)])
const percent = z.number().min(0).max(1_000_000)

/** Requirements that new content must meet before it replaces the content in force. */
export const checksSchema = z.strictObject({
  MinRows: z.int().min(0).default(1).describe('Minimum number of rows; 0: content without rows is an empty table, too.'),
  MaxShrinkPercent: percent
    .max(100)
    .default(50)
    .describe('Maximum share of rows that a table of 100 rows or more may lose in one refresh.'),
  MaxGrowthPercent: percent.default(400).describe('Maximum share by which a table of 100 rows or more may grow in one refresh.'),
  MustMatch: z.array(key).max(100).default([]).describe('Keys that must be found; a composite key is a list.'),
  MustNotMatch: z.array(key).max(100).default([]).describe('Keys that must not be found.'),
})

export type ContentChecks = z.output<typeof checksSchema>

/**
 * Checks a table before it is put in force. `rowsBefore`: number of rows that the provider delivered last time.
 *
 * @throws {TableError} that says what is wrong and which setting would allow it.
 */
export function checkContent(table: Table, checks: ContentChecks, rowsBefore: number | undefined): void {
  const [failed] = failedChecks(table, checks, rowsBefore)
  if (failed !== undefined) throw new TableError(failed)
}

/** A sentence for each check that the table does not pass. */
export function failedChecks(table: Table, checks: ContentChecks, rowsBefore: number | undefined): string[] {
  const { size } = table
  const { MinRows, MaxShrinkPercent, MaxGrowthPercent, MustMatch, MustNotMatch } = checks
  const failed: string[] = []
  if (size < MinRows) failed.push(`the content has ${size} rows, fewer than MinRows (${MinRows})`)
  if (rowsBefore !== undefined && rowsBefore >= LEAST_COMPARED) {
    const change = (100 * (size - rowsBefore)) / rowsBefore
    const became = `the content went from ${rowsBefore} rows to ${size}`
    if (change < -MaxShrinkPercent) failed.push(`${became}, which is more than MaxShrinkPercent (${MaxShrinkPercent}) less`)
    if (change > MaxGrowthPercent) failed.push(`${became}, which is more than MaxGrowthPercent (${MaxGrowthPercent}) more`)
  }
  const missing = MustMatch.filter((one) => table.find(one) < 0)
  if (missing.length > 0) failed.push(`the content lacks ${listed(missing)}, which MustMatch names`)
  const unwanted = MustNotMatch.filter((one) => table.find(one) >= 0)
  if (unwanted.length > 0) failed.push(`the content has ${listed(unwanted)}, which MustNotMatch names`)
  return failed
}

function listed(keys: readonly string[]): string {
  const shown = keys.slice(0, EXAMPLES).map(quote).join(', ')
  return keys.length > EXAMPLES ? `${shown} and ${keys.length - EXAMPLES} more` : shown
}
