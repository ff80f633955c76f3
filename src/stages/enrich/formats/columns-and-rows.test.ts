import { expect, test } from 'vitest'
import { buildTable } from '../build.ts'
import { defineTable } from '../definition.ts'

const tableOf = (content: string, more: object) => {
  const document = { AnalysisType: 'lookup_table', LookupName: 't', Filename: 't', LogTypeMap: { PrimaryKey: 'key' }, ...more }
  return buildTable(defineTable(document, { file: '/content/t.yml' }), undefined, { bytes: Buffer.from(content) })
}

test('a CSV without a header line has the columns that the definition names', async () => {
  const table = await tableOf('# rank,key\n1,a.example\n2,b.example\nshort\n', { Format: 'csv', Columns: ['rank', 'key'] })
  expect([table.size, table.get('a.example'), table.skipped.examples]).toEqual([
    2,
    { rank: '1', key: 'a.example' },
    ['line 4 has 1 values for 2 columns'],
  ])
})

test.each([
  [{ Format: 'csv', Columns: ['rank', 'name'] }, /no column 'key' \(the primary key\): the columns are "rank,name"/],
  [{ Format: 'csv', Columns: ['key', 'key'] }, /names the column "key" twice/],
])('columns that cannot be used are refused', async (more, message) => {
  await expect(tableOf('1,a.example\n', more)).rejects.toThrow(message)
})

const wrapped =
  '{"meta":{"next":"a,}\\"]","list":[1]},"data" : { "list":\n[ {"key":"a","n":[1,{"b":2}]}, {"key":"b"} ] , "x":1},"end":[]}'

test.each([undefined, 'json'])('rows in a JSON object are found by their path', async (Format) => {
  const table = await tableOf(wrapped, { Rows: 'data.list', ...(Format && { Format }) })
  expect([table.size, table.get('a'), table.get('b')]).toEqual([2, { key: 'a', n: [1, { b: 2 }] }, { key: 'b' }])
})

test.each([
  ['a list that is not there', wrapped, 'data.rows', /no list at 'data.rows', which Rows names/],
  ['something else than a list', wrapped, 'meta.next', /no list at 'meta.next'/],
  ['something else than an object', '[{"key":"a"}]', 'data', /no list at 'data'/],
  ['a list that is cut off', wrapped.slice(0, wrapped.indexOf('"b"}')), 'data.list', /JSON is incomplete/],
  ['an object that is cut off', wrapped.slice(0, -10), 'data.list', /JSON is incomplete/],
])('refused: %s', async (_, content, Rows, message) => {
  await expect(tableOf(content, { Rows })).rejects.toThrow(message)
})

test.each([
  ['commas', ','],
  ['quotes', '"'],
  ['letters', 'a'],
])('a CSV with a line of millions of %s is refused before it is a record', async (_, one) => {
  await expect(tableOf(`key,note\na,b\n${one.repeat(5_000_000)}`, { Format: 'csv' })).rejects.toThrow(/^not CSV: /)
})

test.each([
  ['jsonl', (row: string) => `{"key":"a"}\n${row}\n`, 'line 2'],
  ['json', (row: string) => `[{"key":"a"},${row}]`, 'element 1'],
])('a row of more than a million characters in %s is left out', async (Format, contentOf, place) => {
  const keys = Array.from({ length: 200_000 }, (_, i) => i + 100_000)
  const table = await tableOf(contentOf(JSON.stringify({ key: keys })), { Format })
  expect([table.size, table.skipped.examples]).toEqual([1, [`${place} has more than 1048576 characters`]])
})
