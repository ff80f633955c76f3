import { expect, test } from 'vitest'
import type { JsonObject } from '../../../model/json.ts'
import { cef } from './cef.ts'

/** The fields of an extension. */
function extension(text: string): object {
  const record = cef.parse(`CEF:0|a|b|c|d|e|5|${text}`) as JsonObject
  const { cefVersion, deviceVendor, deviceProduct, deviceVersion, deviceEventClassId, name, severity, ...rest } = record
  expect([cefVersion, deviceVendor, deviceProduct, deviceVersion, deviceEventClassId, name, severity]).toEqual([...'0abcde5'])
  return rest
}

test.each<[string, string, object]>([
  ['spaces in values', 'msg=two words  cs1=three more words', { msg: 'two words', cs1: 'three more words' }],
  ['escaped equals signs and backslashes', 'filePath=C:\\\\x a\\=b msg=c', { filePath: 'C:\\x a=b', msg: 'c' }],
  ['line breaks', 'msg=a\\nb\\r', { msg: 'a\nb' }],
  [
    'an unescaped equals sign in a URL',
    'request=http://example.com/?q=1&r=2 dst=192.0.2.1',
    { request: 'http://example.com/?q=1&r=2', dst: '192.0.2.1' },
  ],
  ['a bar in a value', 'msg=a|b', { msg: 'a|b' }],
  ['an empty value', 'src= dst=192.0.2.1', { src: '', dst: '192.0.2.1' }],
  ['keys of vendors', 'ad.field[0]=x a_b-c=y', { 'ad.field[0]': 'x', 'a_b-c': 'y' }],
  ['a repeated key', 'dvc=a dvc=b', { dvc: ['a', 'b'] }],
  ['text without keys', 'no pairs', { extension: 'no pairs' }],
  ['nothing', '', {}],
])('%s', (_, text, expected) => expect(extension(text)).toEqual(expected))

test('a header without its last bar is whole', () => {
  expect(cef.parse('CEF:0|a|b|c|d|e|High')).toMatchObject({ name: 'e', severity: 'High' })
})

test('an RFC 5424 header is beside the fields', () => {
  const text = '<134>1 2024-03-06T04:07:28Z fw1 guard - - - CEF:0|a|b|c|d|e|5|src=192.0.2.1'
  expect(cef.parse(text)).toMatchObject({ syslog: { hostname: 'fw1', appname: 'guard' }, src: '192.0.2.1' })
})

test.each(['CEF:0|a|b|c|d|e', 'it says CEF:0|a|b|c|d|e|5|', 'LEEF:1.0|a|b|c|d|x=y'])('%s is refused', (text) => {
  expect(cef.parse(text)).toBeUndefined()
})
