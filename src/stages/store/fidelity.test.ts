import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lakeKinds } from '../../../test/support/lakes.ts'
import type { ColumnKind, TableSpec } from '../../model/column.ts'
import { blocksOfJson } from '../../util/block/json-rows.ts'
import { RowWriter } from './row-writer.ts'

const ROWS = 10_000
const SEED = 20_240_419

/** Texts that something along the way could misinterpret. */
const TRAPS = [
  '',
  'null',
  'NULL',
  '\\N',
  'true',
  '0',
  '-0',
  '1e-320',
  '2024-04-19',
  '2024-04-19T10:00:00.000000000Z',
  '2024-04-19 10:00:00',
  '\u0000',
  'a\u0000b',
  '\u0001\u001f\u007f\u0080\u2028\u2029\ufeff\uffff',
  '\ud800',
  'x\udfffy',
  '😀',
  '"\\"\'`',
  "'); DROP TABLE logs.f; --",
  '\n\nSELECT 1',
  '\r\n\t',
  '[]',
  '{}',
  '{"a.b":{"c":null}}',
  '\\u0000',
  '/',
  ' ',
]

const text = fc
  .oneof(
    fc.constantFrom(...TRAPS),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.string({ minLength: 200, maxLength: 300 }),
  )
  .map((value) => value.toWellFormed())
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(
    0,
    -0,
    5e-324,
    1e-320,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    -1.7976931348623157e308,
    0.1,
    1 / 3,
    2 ** 53,
    1e21,
    1e22,
    123456789.12345679,
  ),
)
const key = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'a.b', 'a.b.c', 'a', 'A', ''))
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 6 },
    fc.oneof(text, number, fc.boolean(), fc.constant(null)),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(key, tie('json'), { maxKeys: 4 }),
    fc.constantFrom({}, [], { 'a.b': 1, a: { b: 2 } }, deep(300)),
  ),
}))

function deep(levels: number): unknown {
  return levels === 0 ? {} : { a: [deep(levels - 1)] }
}

/** Nanoseconds since 1970 in the form in which times are written: no trailing zeros. */
function timeOf(nanos: bigint): string {
  const seconds = nanos / 1_000_000_000n - (nanos % 1_000_000_000n < 0n ? 1n : 0n)
  const fraction = String(nanos - seconds * 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '')
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}${fraction && `.${fraction}`}Z`
}
const YEAR = 31_556_952_000_000_000n
const nanos = fc.bigInt({ min: -69n * YEAR, max: 290n * YEAR })
const time = fc
  .tuple(nanos, fc.constantFrom(1n, 1000n, 1_000_000n, 100_000_000n, 1_000_000_000n))
  .map(([n, unit]) => timeOf((n / unit) * unit))

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 0n),
)

/** Values for each kind, as the JSON text that goes into the row. */
const kinds: { kind: ColumnKind; values: fc.Arbitrary<string> }[] = [
  { kind: 'string', values: text.map((value) => JSON.stringify(value)) },
  { kind: 'int', values: fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1)).map(String) },
  { kind: 'smallint', values: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }).map(String) },
  { kind: 'bigint', values: int64.map(String) },
  {
    kind: 'ubigint',
    values: fc
      .oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(0n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n))
      .map(String),
  },
  { kind: 'float', values: number.map((value) => (Object.is(value, -0) ? '-0.0' : String(value))) },
  { kind: 'boolean', values: fc.boolean().map(String) },
  { kind: 'timestamp', values: time.map((value) => JSON.stringify(value)) },
  { kind: 'json', values: json.map((value) => JSON.stringify(JSON.stringify(value))) },
  { kind: 'strings', values: fc.array(text, { maxLength: 5 }).map((value) => JSON.stringify(value)) },
]

const EXACT: ReadonlySet<ColumnKind> = new Set(['int', 'smallint', 'bigint', 'ubigint', 'boolean'])

/** Compares values by kind: integers by their text, floats bit by bit, everything else as JSON. */
function isSame(kind: ColumnKind, wanted: string, given: string): boolean {
  if (wanted === 'null' || EXACT.has(kind)) return wanted === given
  if (kind === 'float') return Object.is(Number(wanted), Number(given))
  return JSON.stringify(JSON.parse(wanted)) === JSON.stringify(JSON.parse(given))
}

describe.for(lakeKinds)('$title', ({ why, make }) => {
  test.skipIf(why)(
    `${ROWS} hostile values come back as they went in, for each kind of column`,
    { timeout: 180_000 },
    async () => {
      const home = await make()
      const dataDir = mkdtempSync(join(tmpdir(), 'lake-'))
      const lake = await home.open()
      const table: TableSpec = {
        database: 'logs',
        table: 'f',
        timeColumn: 'p_event_time',
        columns: [
          { name: 'p_event_time', kind: 'timestamp', required: true },
          { name: 'n', kind: 'int', required: true },
          ...kinds.map(({ kind }) => ({ name: `c_${kind}`, kind })),
          ...kinds.map(({ kind }) => ({ name: `r_${kind}`, kind, required: true })),
        ],
      }
      const sample = (values: fc.Arbitrary<string>, seed: number) => fc.sample(values, { seed: SEED + seed, numRuns: ROWS })
      const nullable = kinds.map(({ kind, values }, i) =>
        sample(kind === 'strings' ? values : fc.oneof({ weight: 9, arbitrary: values }, fc.constant('null')), i),
      )
      const required = kinds.map(({ values }, i) => sample(values, i + 100))
      const columns = [...nullable, ...required]
      const rows = Array.from(
        { length: ROWS },
        (_, n) => `["2024-04-19T10:00:00Z",${n},${columns.map((values) => values[n]).join(',')}]\n`,
      )
      await lake.ensure(table)
      const writer = new RowWriter(dataDir, lake)
      for (let from = 0; from < ROWS; from += 2500) {
        const { blocks, unfit } = blocksOfJson(table, Buffer.from(rows.slice(from, from + 2500).join('')))
        expect(unfit).toEqual([])
        expect(await writer.insert(table, blocks, `t${from}`)).toEqual([])
      }
      for (const [i, wanted] of columns.entries()) {
        const { kind } = kinds[i % kinds.length]!
        const { name } = table.columns[i + 2]!
        const given = (await lake.query(`SELECT ${name} FROM logs.f ORDER BY n`, { maxRows: 2 * ROWS })).rows.map((row) =>
          row.slice(1, -1),
        )
        const differing = wanted.flatMap((value, n) =>
          isSame(kind, value, given[n] ?? 'nothing') ? [] : [{ name, n, value, given: given[n] }],
        )
        expect(differing.slice(0, 3)).toEqual([])
        expect(given.length).toBe(ROWS)
      }
      await lake.close()
      await home.remove()
      rmSync(dataDir, { recursive: true })
    },
  )
})
