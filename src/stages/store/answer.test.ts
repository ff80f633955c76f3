import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readAnswer, readCountedAnswer } from './answer.ts'

const head = (types: readonly string[]) => `${JSON.stringify(types.map((_, i) => `c${i}`))}\n${JSON.stringify(types)}\n`
const T = "DateTime64(9, 'UTC')"

const cases = [
  { types: [T], row: '["2024-01-02T03:04:05.120000000Z"]', gives: '["2024-01-02T03:04:05.12Z"]' },
  { types: [T], row: '["2024-01-02T03:04:05.000000000Z"]', gives: '["2024-01-02T03:04:05Z"]' },
  { types: [T], row: '["2024-01-02T03:04:05.123456789Z"]', gives: '["2024-01-02T03:04:05.123456789Z"]' },
  { types: [T], row: '["2024-01-02T03:04:05Z"]', gives: '["2024-01-02T03:04:05Z"]' },
  { types: [`Nullable(${T})`], row: '[null]', gives: '[null]' },
  {
    types: [`Array(${T})`],
    row: '[["2024-01-02T03:04:05.100Z","2024-01-02T03:04:05.010Z"]]',
    gives: '[["2024-01-02T03:04:05.1Z","2024-01-02T03:04:05.01Z"]]',
  },
  {
    types: ['String', T, 'Map(String, String)', T],
    row: '["T00:00:00.500Z, [\\"", "2024-01-02T03:04:05.500Z", {"a":"T00:00:00.500Z"}, "2024-01-02T03:04:05.500Z"]',
    gives: '["T00:00:00.500Z, [\\"", "2024-01-02T03:04:05.5Z", {"a":"T00:00:00.500Z"}, "2024-01-02T03:04:05.5Z"]',
  },
  { types: ['String'], row: '["2024-01-02T03:04:05.500Z"]', gives: '["2024-01-02T03:04:05.500Z"]' },
]

test.each(cases)('a row $row of $types is returned as $gives', ({ types, row, gives }) => {
  expect(readAnswer(`${head(types)}${row}\n`).rows).toEqual([gives])
})

test('an answer without rows still has columns, and an empty text has none', () => {
  expect(readAnswer(head(['Int8']))).toEqual({ columns: [{ name: 'c0', type: 'Int8' }], rows: [] })
  expect(readAnswer('')).toEqual({ columns: [], rows: [] })
})

test('text around a time is left unchanged', () => {
  fc.assert(
    fc.property(fc.array(fc.json()), fc.array(fc.json()), (before, after) => {
      const types = [...before.map(() => 'JSON'), T, ...after.map(() => 'JSON')]
      const row = (time: string) => `[${[...before, time, ...after].join(', ')}]`
      const { rows } = readAnswer(head(types) + row('"2024-01-02T03:04:05.700000000Z"'))
      expect(rows).toEqual([row('"2024-01-02T03:04:05.7Z"')])
    }),
    { seed: 7, numRuns: 500 },
  )
})

test('a counted answer has the same rows, exactly, and the number of rows read', () => {
  const text = `{"meta":[{"name":"a","type":"UInt64"},{"name":"at","type":"DateTime64(9, 'UTC')"}]}
{"row":[18446744073709551615, "2024-01-02T03:04:05.120000000Z"]}
{"progress":{"read_rows":"300","read_bytes":"9"}}
{"row":[1, "}"]}
{"progress":{"read_rows":"336"}}
{"rows_before_limit_at_least":2}
`
  expect(readCountedAnswer(text)).toEqual({
    columns: [
      { name: 'a', type: 'UInt64' },
      { name: 'at', type: "DateTime64(9, 'UTC')" },
    ],
    rows: ['[18446744073709551615, "2024-01-02T03:04:05.12Z"]', '[1, "}"]'],
    rowsRead: 336,
    bytesRead: 9,
  })
})
