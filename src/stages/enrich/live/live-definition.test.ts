import { expect, test } from 'vitest'
import { buildTable } from '../build.ts'
import { checkContent } from '../content-checks.ts'
import { defineTable } from '../definition.ts'

const define = (change: object = {}) =>
  defineTable(
    {
      AnalysisType: 'lookup_table',
      LookupName: 'verdicts',
      Provider: { type: 'live', service: 'abuseipdb' },
      LogTypeMap: { PrimaryKey: 'ip' },
      ...change,
    },
    { file: '/content/verdicts.yml' },
  )

test('a live table may have no rows, and any number of new ones at once', async () => {
  const definition = define()
  const empty = await buildTable(definition, undefined, { bytes: Buffer.from('\n') })
  expect([empty.size, empty.hasAddresses]).toEqual([0, true])
  checkContent(empty, definition.checks, 5000)
  const rows = Array.from({ length: 5000 }, (_, n) => JSON.stringify({ ip: `45.0.${n >> 8}.${n & 255}` }))
  checkContent(await buildTable(definition, undefined, { bytes: Buffer.from(rows.join('\n')) }), definition.checks, 100)
  await expect(buildTable(definition, undefined, { bytes: Buffer.from('{"no":"address"}\n') })).rejects.toThrow(/no usable row/)
})

test.each([
  [{ Format: 'csv' }, /Format: a live table is filled with the answers of its service/],
  [{ Filename: 'x.csv' }, /Filename: a live table/],
  [{ Match: 'exact' }, /Match: is 'exact', but the keys of a live table are addresses/],
  [{ LogTypeMap: { PrimaryKey: 'address' } }, /PrimaryKey: is 'address', but the key of a live table is the column ip/],
  [{ Provider: { type: 'live', service: 'nonesuch' } }, /Provider\.service/],
  [{ Provider: { type: 'live', service: 'abuseipdb', per_day: 0 } }, /Provider\.per_day/],
])('a definition with %j is refused', (change, message) => {
  expect(() => define(change)).toThrow(message)
})
