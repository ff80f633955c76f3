import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { defineTable } from '../../stages/enrich/definition.ts'
import { writeMmdb } from '../../stages/enrich/mmdb/mmdb.fixture.ts'
import { stringifyJson } from '../../util/json.ts'
import { type WriteLimits, type WrittenRows, writeRows } from './write-rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'write-rows-'))
const file = join(folder, 'rows')
beforeEach(() => rmSync(file, { force: true }))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function write(
  content: string | Uint8Array | readonly object[],
  change: object = {},
  limits?: WriteLimits,
): Promise<WrittenRows> {
  const LogTypeMap = { PrimaryKey: 'k', AssociatedLogTypes: [{ LogType: 'A', Selectors: ['s'] }] }
  const document = { AnalysisType: 'lookup_table', LookupName: 't', Filename: 'x', LogTypeMap, ...change }
  const text = Array.isArray(content) ? stringifyJson(content as never) : (content as string | Uint8Array)
  const definition = defineTable(document, { file: '/x.yml' })
  return writeRows({ definition, schema: undefined }, { bytes: Buffer.from(text) }, file, limits)
}

const written = () =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as [key: string, row: string])

const rows = [
  { k: 'a', v: 1, at: '2024-03-01' },
  { k: 'A', v: 2, at: '2024-03-03' },
  { k: 'b', v: 3 },
  { k: 'a', v: 4, at: '2024-03-02' },
]

test.each<[change: object, found: number[]]>([
  [{}, [4, 3]],
  [{ RowsPerKey: 'first' }, [1, 3]],
  [{ RowsPerKey: 'newest', NewestBy: 'at' }, [2, 3]],
  [{ RowsPerKey: 'all' }, [1, 2, 3, 4]],
])('the rows that count are written: %o', async (change, found) => {
  await write(rows, { Match: 'ignore_case', ...change })
  expect(written().map(([, row]) => (JSON.parse(row) as { v: number }).v)).toEqual(found)
})

test('a row is the same text in whatever order its columns are, and integers of any size are exact', async () => {
  await write('[{"z": 12345678901234567890, "k": "é\\"", "a": null}]')
  expect(written()).toEqual([['é"', '{"a":null,"k":"é\\"","z":12345678901234567890}']])
})

test('a column has the type of all its values', async () => {
  const { columns } = await write(`[
    {"k": "1", "i": 1, "n": 1, "big": 9223372036854775808, "b": true, "l": ["x"], "m": 1, "o": {"x": 1}, "none": null, "p_own": 1},
    {"k": "2", "i": null, "n": 0.5, "b": null, "l": [], "m": "x", "late": "y"}]`)
  expect(Object.fromEntries(columns.map(({ name, kind }) => [name, kind]))).toEqual({
    k: 'text',
    i: 'integer',
    n: 'number',
    big: 'text',
    b: 'boolean',
    l: 'texts',
    m: 'text',
    o: 'text',
    none: 'text',
    late: 'text',
  })
})

test.each<[what: string, written: () => Promise<WrittenRows>, reason: RegExp]>([
  [
    'too many rows',
    () => write(rows, {}, { rows: 1, chars: 1e6 }),
    /^has more than 1 rows or 1 MiB: its rows are not in the lake$/,
  ],
  ['too much text', () => write(rows, {}, { rows: 100, chars: 10 }), /^has more than 100 rows/],
  [
    'an MMDB file',
    () => write(writeMmdb([['192.0.2.0/24', { country: 'SE' }]])),
    /^is an MMDB file, which is read in place: its rows are not in the lake$/,
  ],
])('nothing is written of %s, and the reason is said', async (_, own, reason) => {
  const { columns, reason: said } = await own()
  expect(said).toMatch(reason)
  expect(columns.map(({ name }) => name)).toContain('k')
  expect(existsSync(file)).toBe(false)
})
