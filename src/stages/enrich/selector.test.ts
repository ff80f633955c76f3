import { expect, test } from 'vitest'
import { parseSelector } from './selector.ts'

const read: [text: string, name: string, path: string[]][] = [
  ['id_orig_h', 'id_orig_h', ['id_orig_h']],
  ['a.b.c', 'a.b.c', ['a', 'b', 'c']],
  ['$.a.b', 'a.b', ['a', 'b']],
  ['$.a[*].b', 'a[*].b', ['a', 'b']],
  ["$['odd name'].b", "$['odd name'].b", ['odd name', 'b']],
  ['$["a.b"]', '$["a.b"]', ['a.b']],
  ['p_any_ip_addresses', 'p_any_ip_addresses', ['p_any_ip_addresses']],
  ['user-agent', 'user-agent', ['user-agent']],
]
test.each(read)('%s is read', (text, name, path) => expect(parseSelector(text)).toEqual({ name, path }))

const refused = ['', '$', '$.', 'a..b', 'a.', 'a[0]', 'a[', '$..a', 'a[?(@.b)]', '__proto__', 'a.b'.repeat(40)]
test.each(refused)('%j is refused', (text) => expect(() => parseSelector(text)).toThrow(/cannot be read/))
