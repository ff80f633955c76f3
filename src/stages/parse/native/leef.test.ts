import { expect, test } from 'vitest'
import { leef } from './leef.ts'

test.each<[string, string, object]>([
  ['a tab in version 1', 'LEEF:1.0|a|b|c|d|x=1\ty=2 3', { x: '1', y: '2 3' }],
  ['version 2 without a delimiter', 'LEEF:2.0|a|b|c|d||x=1\ty=2', { x: '1', y: '2' }],
  ['version 2 without its column', 'LEEF:2.0|a|b|c|d|src=1\ty=2', { src: '1', y: '2' }],
  ['a delimiter in hex', 'LEEF:2.0|a|b|c|d|0x3B|x=1;y=2', { x: '1', y: '2' }],
  ['a value with a bar', 'LEEF:1.0|a|b|c|d|x=1|2\ty=3', { x: '1|2', y: '3' }],
  ['text that is not an attribute', 'LEEF:1.0|a|b|c|d|x=1\tmore', { x: '1', attributes: 'more' }],
])('%s', (_, text, expected) => {
  expect(leef.parse(text)).toEqual({
    leefVersion: text.slice(5, 8),
    vendor: 'a',
    product: 'b',
    version: 'c',
    eventId: 'd',
    ...expected,
  })
})

test('a line that ends within the header is refused', () => expect(leef.parse('LEEF:1.0|a|b|c')).toBeUndefined())
