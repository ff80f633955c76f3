import { expect, test } from 'vitest'
import { readSpans } from './duration.ts'
import { engineLikePattern } from './like.ts'
import { prepare } from './prepare.ts'

test.each([
  ['SELECT 1 -- a note\n;', 'SELECT 1'],
  ['SELECT p_occurs_since(1h, , p_parse_time)', "SELECT p_occurs_since( '1h', NULL, p_parse_time)"],
  ["SELECT p_occurs_since('1 day')", "SELECT p_occurs_since('1 day')"],
  ['SELECT p_occurs_since(1 hour)', "SELECT p_occurs_since( '1 hour')"],
  ['SELECT P_OCCURS_BETWEEN(f(a, 1), b)', 'SELECT P_OCCURS_BETWEEN(f(a, 1), b)'],
  ['SELECT a, FROM t, WHERE b', 'SELECT a, FROM t WHERE b'],
  ["SELECT ', where'", "SELECT ', where'"],
  ['SELECT p_occurs_since(1h', "SELECT p_occurs_since( '1h'"],
])('%s is handed on as %s', (sql, gives) => {
  expect(prepare(sql).sql.replace(/\s+/g, ' ').trim()).toBe(gives.replace(/\s+/g, ' '))
})

test.each([
  ['SELECT /* far\naway */ a FROM t', 'a', 2, 9],
  ['SELECT p_occurs_since(1h, , p_parse_time), b', 'b', 1, 44],
  ["SELECT 'two\nlines', -- and\n  c", 'c', 3, 3],
])('a place in what %j becomes is that in the text itself', (sql, name, line, column) => {
  const prepared = prepare(sql)
  const before = prepared.sql.slice(0, new RegExp(`\\b${name}\\b(?!')`).exec(prepared.sql)!.index).split('\n')
  expect(prepared.placeOf({ line: before.length, column: before.at(-1)!.length + 1 })).toEqual({ line, column })
})

test.each([
  ['1 day', [{ count: 1, unit: 'Day' }]],
  ['90m', [{ count: 90, unit: 'Minute' }]],
  ['3600', [{ count: 3600, unit: 'Second' }]],
  [
    '1 day, 2 hrs',
    [
      { count: 1, unit: 'Day' },
      { count: 2, unit: 'Hour' },
    ],
  ],
  ['2 fortnights', undefined],
  ['-1 day', undefined],
  ['', undefined],
  ['1 constructor', undefined],
])('the span %s is read', (text, gives) => {
  expect(readSpans(text)).toEqual(gives)
})

test.each([
  ['a%b_', undefined, 'a%b_'],
  ['a\\%', undefined, 'a\\\\%'],
  ['100!%', '!', '100\\%'],
  ['a!!b', '!', 'a!b'],
  ['a\\_', '\\', 'a\\_'],
  ['a!', '!', 'a!'],
])('the LIKE pattern %s with the escape %s is %s for the engine', (pattern, escapeWith, gives) => {
  expect(engineLikePattern(pattern, escapeWith)).toBe(gives)
})
