import { expect, test } from 'vitest'
import { stringifyJson } from '../../../util/json.ts'
import { rowsToEvents } from './rows.ts'

const dueMs = Date.parse('2024-04-19T12:00:00Z')
const text = (name: string) => ({ name, shape: 'text' })

test('a row becomes an event with the missing standard fields added', () => {
  const [event] = rowsToEvents({
    query: 'Many calls',
    dueMs,
    columns: [text('who'), { name: 'calls', shape: 'number' }],
    rows: ['["ann", 7]'],
  })
  expect(event).toEqual({
    who: 'ann',
    calls: 7,
    p_log_type: 'query/Many calls',
    p_row_id: expect.stringMatching(/^[0-9a-f]{16}$/),
    p_event_time: '2024-04-19T12:00:00.000Z',
    p_parse_time: '2024-04-19T12:00:00.000Z',
    p_source_id: 'query/Many calls',
    p_source_label: 'Many calls',
    p_schema_version: 0,
  })
})

test('standard fields that the query selected stay, and those that are NULL are filled', () => {
  const columns = ['p_log_type', 'p_row_id', 'p_event_time'].map(text)
  const [event] = rowsToEvents({ query: 'q', dueMs, columns, rows: ['["AWS.CloudTrail", "id1", null]'] })
  expect(event).toMatchObject({ p_log_type: 'AWS.CloudTrail', p_row_id: 'id1', p_event_time: '2024-04-19T12:00:00.000Z' })
})

test('fields that have no column are fields of the row, after its columns and those found before', () => {
  const rest = (name: string) => ({ name, shape: 'json', isRest: true })
  const [event] = rowsToEvents({
    query: 'q',
    dueMs,
    columns: [rest('extra'), text('user'), rest('extra 1')],
    rows: [
      '["{\\"USER\\":\\"bob\\",\\"n\\":{\\"m\\":1},\\"__proto__\\":2}","ann","{\\"n\\":3,\\"k\\":4}"]',
      '[null,"cid","[1]"]',
    ],
  })
  expect(stringifyJson(event!)).toMatch(/^\{"n":\{"m":1\},"__proto__":2,"user":"ann","k":4,"p_log_type":"query\/q",/)
})

test.each([
  { shape: 'json', cell: '"{\\"a\\":[1,null,\\"x\\"]}"', gives: '{"a":[1,null,"x"]}' },
  { shape: 'json', cell: '"\\"quoted\\""', gives: '"quoted"' },
  { shape: 'json', cell: '"12345678901234567890"', gives: '12345678901234567890' },
  { shape: 'json', cell: 'null', gives: 'null' },
  { shape: 'json', cell: '"no json"', gives: '"no json"' },
  { shape: 'list of json', cell: '["\\"a\\"","{\\"b\\":1}"]', gives: '["a",{"b":1}]' },
  { shape: 'list of text', cell: '["1","x"]', gives: '["1","x"]' },
  { shape: 'text', cell: '"{}"', gives: '"{}"' },
  { shape: 'number', cell: '18446744073709551615', gives: '18446744073709551615' },
])('a cell $cell of the kind $shape is $gives', ({ shape, cell, gives }) => {
  const [event] = rowsToEvents({ query: 'q', dueMs, columns: [{ name: 'x', shape }], rows: [`[${cell}]`] })
  expect(stringifyJson(event!['x'] ?? null)).toBe(gives)
})

test('ids distinguish rows, copies, runs and queries, and do not depend on row order', () => {
  const ids = (query: string, due: number, rows: readonly string[]) =>
    rowsToEvents({ query, dueMs: due, columns: [text('x')], rows }).map((event) => event['p_row_id'])
  const once = ids('q', dueMs, ['["a"]', '["b"]', '["a"]'])
  expect(new Set(once).size).toBe(3)
  expect(new Set(ids('q', dueMs, ['["b"]', '["a"]', '["a"]']))).toEqual(new Set(once))
  expect(new Set([...once, ...ids('q', dueMs + 1, ['["a"]']), ...ids('r', dueMs, ['["a"]'])]).size).toBe(5)
})

test('a column named after a prototype is a column', () => {
  const [event] = rowsToEvents({ query: 'q', dueMs, columns: [text('__proto__'), text('constructor')], rows: ['["a","b"]'] })
  expect(Object.keys(event!).slice(0, 2)).toEqual(['__proto__', 'constructor'])
  expect(Object.getPrototypeOf(event)).toBe(Object.prototype)
})
