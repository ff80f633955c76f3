import { expect, test } from 'vitest'
import { ConfigError } from '../../util/errors.ts'
import { buildTable } from './build.ts'
import { checkContent } from './content-checks.ts'
import { defineTable } from './definition.ts'

const define = (Checks: object) =>
  defineTable(
    {
      AnalysisType: 'lookup_table',
      LookupName: 't',
      Filename: 't.txt',
      Format: 'list',
      Match: 'ip',
      Checks,
      LogTypeMap: { PrimaryKey: 'ip' },
    },
    { file: '/content/t.yml' },
  )

/** Checks a list with this number of addresses, from 10.0.0.0 on. */
async function check(checks: object, rows: number, rowsBefore?: number): Promise<void> {
  const definition = define(checks)
  const lines = Array.from({ length: rows }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
  checkContent(await buildTable(definition, undefined, { bytes: Buffer.from(lines.join('\n')) }), definition.checks, rowsBefore)
}

test.each<[checks: object, rows: number, before: number | undefined, error: RegExp | undefined]>([
  [{}, 1, undefined, undefined],
  [{ MinRows: 10 }, 10, undefined, undefined],
  [{ MinRows: 10 }, 9, undefined, /has 9 rows, fewer than MinRows \(10\)/],
  [{}, 50, 100, undefined],
  [{}, 49, 100, /went from 100 rows to 49, which is more than MaxShrinkPercent \(50\) less/],
  [{}, 1, 99, undefined],
  [{}, 500, 100, undefined],
  [{}, 501, 100, /went from 100 rows to 501, which is more than MaxGrowthPercent \(400\) more/],
  [{ MaxShrinkPercent: 100, MaxGrowthPercent: 10_000 }, 1, 1000, undefined],
  [{ MaxShrinkPercent: 0 }, 999, 1000, /from 1000 rows to 999/],
  [{ MustMatch: ['10.0.0.3', '10.0.0.4'] }, 5, undefined, undefined],
  [{ MustMatch: ['10.0.0.3', '192.0.2.1'] }, 5, undefined, /lacks "192\.0\.2\.1", which MustMatch names/],
  [
    { MustMatch: ['1.0.0.1', '1.0.0.2', '1.0.0.3', '1.0.0.4'] },
    5,
    undefined,
    /lacks "1\.0\.0\.1", "1\.0\.0\.2", "1\.0\.0\.3" and 1 more/,
  ],
  [{ MustNotMatch: ['127.0.0.1'] }, 5, undefined, undefined],
  [{ MustNotMatch: ['127.0.0.1', '10.0.0.0'] }, 5, undefined, /has "10\.0\.0\.0", which MustNotMatch names/],
])('with %j, %i rows after %s: %s', async (checks, rows, before, error) => {
  const checked = check(checks, rows, before)
  if (error) await expect(checked).rejects.toThrow(error)
  else await checked
})

test('an unknown check and an impossible one are refused with their path', () => {
  expect(() => define({ MinRow: 3 })).toThrow(ConfigError)
  expect(() => define({ MaxShrinkPercent: 101 })).toThrow(/MaxShrinkPercent/)
  expect(define({ MustMatch: [443] }).checks.MustMatch).toEqual(['443'])
})
