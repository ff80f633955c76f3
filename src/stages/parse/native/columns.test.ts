import { expect, test } from 'vitest'
import { readColumns, recordOf } from './columns.ts'

test.each([
  ['a "b c" [d e] -', ['a', 'b c', 'd e', undefined]],
  ['[2001:db8::1]:443 x', ['[2001:db8::1]:443', 'x']],
  ['"-" ""', [undefined, undefined]],
  ['[a', ['[a']],
])('%s', (text, values) => {
  expect(readColumns(text)).toEqual(values)
})

test.each(['', 'a  b', ' a', 'a '])('%j has an empty value', (text) => {
  expect(readColumns(text)).toBeUndefined()
})

test.each([
  ['192.0.2.10:443', { atIp: '192.0.2.10', atPort: 443 }],
  ['[2001:db8::1]:443', { atIp: '2001:db8::1', atPort: 443 }],
  ['2001:db8::1', { atIp: '2001:db8::1' }],
])('the endpoint %s', (text, record) => {
  expect(recordOf([['at', 'endpoint']], [text])).toEqual(record)
})
