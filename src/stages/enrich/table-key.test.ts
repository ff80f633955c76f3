import { describe, expect, test } from 'vitest'
import { buildTable } from './build.ts'
import { defineTable } from './definition.ts'

const file = '/content/x.yml'
const define = (change: object, PrimaryKey: unknown = { Start: 'first', End: 'last' }) =>
  defineTable({ AnalysisType: 'lookup_table', LookupName: 'x', Filename: 'x', LogTypeMap: { PrimaryKey }, ...change }, { file })

describe('ranges in two columns', () => {
  const read = (text: string, fileName = 'x.csv') => buildTable(define({}), undefined, { bytes: Buffer.from(text), fileName })

  test.each([
    ['CSV', 'note,first,last\na,192.0.2.3,192.0.2.9\nb,2001:db8::1,2001:db8::f\n', 'x.csv'],
    [
      'JSON',
      '[{"note":"a","first":"192.0.2.3","last":"192.0.2.9"},{"note":"b","first":"2001:db8::1","last":"2001:db8::f"}]',
      'x.json',
    ],
  ])('%s', async (_, text, fileName) => {
    const table = await read(text, fileName)
    const keys = ['192.0.2.2', '192.0.2.3', '192.0.2.9', '192.0.2.10', '2001:db8::', '2001:db8::8', '2001:db8::10']
    expect(keys.map((key) => table.get(key)?.['note'])).toEqual([undefined, 'a', 'a', undefined, undefined, 'b', undefined])
    expect([table.match, table.skipped.count]).toEqual(['cidr', 0])
  })

  test('the columns keep their values', async () => {
    expect((await read('first,last\n192.0.2.3,192.0.2.9\n')).get('192.0.2.5')).toEqual({ first: '192.0.2.3', last: '192.0.2.9' })
  })

  test('rows without a range are reported', async () => {
    const { size, skipped } = await read(
      'first,last\n192.0.2.0,192.0.2.0\n192.0.2.9,\n192.0.2.9,192.0.2.1\n198.51.100.1,198.51.100.1\n198.51.100.3,198.51.100.3\n',
    )
    expect(size).toBe(3)
    expect(skipped.examples).toEqual([
      "a row has no range from 'first' to 'last' (the primary key)",
      '"192.0.2.9-192.0.2.1" is not a range of addresses',
    ])
  })

  test.each<[object, RegExp, unknown?]>([
    [{ Match: 'exact' }, /x\.yml at Match: must be cidr, or left out.*first to last/],
    [{}, /x\.yml at LogTypeMap\.PrimaryKey: names the column 'a' twice/, { Start: 'a', End: 'a' }],
    [{}, /x\.yml at LogTypeMap\.PrimaryKey: /, { Start: 'a' }],
  ])('%j is refused: %s', (change, message, key) => expect(() => define(change, key)).toThrow(message))
})

describe('rows in the definition', () => {
  const Inline = [{ key: 'a', v: 1 }]
  const refused: [object, RegExp][] = [
    [{ Inline }, /x\.yml at Filename: the rows are in this file \(Inline\): remove Filename, or Inline/],
    [{ Filename: undefined, Inline, Provider: { type: 'file', path: 'x' } }, /at Provider: .*remove Provider/],
    [{ Filename: undefined, Inline, Format: 'csv' }, /at Format: /],
    [{ Filename: undefined, Inline: [] }, /at Inline/],
    [{ Filename: undefined, Inline: ['a'] }, /at Inline\.0/],
    [{ Filename: undefined }, /a table needs Filename .*, Provider .*, Inline .* or Events/],
  ]
  test.each(refused)('%j is refused', (change, message) => expect(() => define(change, 'key')).toThrow(message))

  test('are part of it', () => {
    expect(define({ Filename: undefined, Inline }, 'key')).toMatchObject({ inline: Inline, filename: undefined })
  })
})

describe('PublicSuffix', () => {
  const build = (change: object = {}) =>
    buildTable(define({ PublicSuffix: true, Format: 'list', ...change }, 'key'), undefined, {
      bytes: Buffer.from(
        'example.com\nshop.example.co.uk\nexample.co.uk\nco.uk\nada.github.io\nexample.org\nexample.net\n*.example.edu\n',
      ),
    })

  test('names are found by their registrable domain; names below one and public suffixes are not keys', async () => {
    const table = await build({ Match: 'domain' })
    const names = [
      'www.EXAMPLE.com.',
      'example.co.uk',
      'a.shop.example.co.uk',
      'other.co.uk',
      'x.ada.github.io',
      'bob.github.io',
      'a.example.edu',
    ]
    expect(names.map((name) => table.get(name)?.['key'])).toEqual([
      'example.com',
      'example.co.uk',
      'example.co.uk',
      undefined,
      'ada.github.io',
      undefined,
      '*.example.edu',
    ])
    expect([table.match, table.skipped]).toMatchObject([
      'registrable_domain',
      { count: 2, examples: [expect.stringContaining('"shop.example.co.uk" is not a key'), expect.stringContaining('"co.uk"')] },
    ])
  })

  test('needs domains', async () => {
    expect((await build()).match).toBe('registrable_domain')
    expect(() => define({ PublicSuffix: true, Match: 'ip' }, 'key')).toThrow(
      /x\.yml at PublicSuffix: belongs to a key that is one domain/,
    )
    expect(() => define({ PublicSuffix: true })).toThrow(/at PublicSuffix/)
    expect(() => define({ Match: 'registrable_domain' }, 'key')).toThrow(/at Match/)
  })
})
