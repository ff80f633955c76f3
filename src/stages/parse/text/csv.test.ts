import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fuzzRuns } from '../../../../test/support/fuzz.ts'
import { HEADER } from '../native/native.ts'
import { csv, splitRow } from './csv.ts'
import { Miss } from './text-parser.ts'

function read(settings: object, ...texts: string[]) {
  const reader = csv.create(csv.settings.parse(settings)).open('')
  return texts.map((text) => reader.read(text))
}

describe('a row', () => {
  test.each<[string, string[] | string]>([
    ['a,b,c', ['a', 'b', 'c']],
    ['a,,', ['a', '', '']],
    ['"a,b",c', ['a,b', 'c']],
    ['"a ""b""",c', ['a "b"', 'c']],
    ['"",c', ['', 'c']],
    ['a "b" c,d', ['a "b" c', 'd']],
    ['"a "b" c",d', ['a "b" c', 'd']],
    ['"a', 'the quote at character 1 is not closed'],
    ['x,"a,b', 'the quote at character 3 is not closed'],
  ])('%s', (text, expected) => {
    const values = splitRow(text, ',')
    expect(values instanceof Miss ? values.why : values).toEqual(expected)
  })

  test('that a writer quoted is read as it was', () => {
    const value = fc.string({ unit: fc.constantFrom('a', '"', ',', ' ', 'ä'), maxLength: 8 })
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 6 }), (values) => {
        const text = values.map((one) => (/[",]/.test(one) ? `"${one.replaceAll('"', '""')}"` : one)).join(',')
        expect(splitRow(text, ',')).toEqual(values)
      }),
      { seed: 21, numRuns: fuzzRuns(2000) },
    )
  })
})

test('column names come from the first row, and joined files repeat it', () => {
  expect(read({ hasHeader: true, delimiter: ';' }, 'a; b', '1;2', 'a; b', '3;4')).toEqual([
    HEADER,
    { a: '1', b: '2' },
    HEADER,
    { a: '3', b: '4' },
  ])
})

test('columns of the schema replace the names of the first row', () => {
  expect(read({ hasHeader: true, columns: ['x', ''] }, 'a,b', '1,2')).toEqual([HEADER, { x: '1' }])
})

test('a row with another number of columns is refused with both numbers', () => {
  const [reading] = read({ columns: ['a', 'b'] }, '1,2,3')
  expect(reading).toMatchObject({ reason: 'invalid_format', why: 'the row has 3 columns, but should have 2' })
})

test.each<[object, string]>([
  [{}, 'needs `columns`, or `hasHeader: true`'],
  [{ columns: ['a'], delimiter: '"' }, 'must not be a quote'],
])('%j is refused', (settings, message) => {
  expect(csv.settings.safeParse(settings).error?.issues[0]?.message).toContain(message)
})

test('all options of text', () => {
  const settings = {
    columns: ['day', 'time', 'user'],
    emptyValues: ['-', ''],
    trimSpace: true,
    expandFields: { at: '%{day}T%{time}Z', who: '%{user}@%{nothing}' },
    skipPrefix: '//',
    skipLines: 2,
  }
  const texts = ['a title', 'another', '// a comment', '2024-04-19, 10:00:01 , root', '2024-04-19,10:00:02, -']
  expect(read(settings, ...texts)).toEqual([
    HEADER,
    HEADER,
    HEADER,
    { day: '2024-04-19', time: '10:00:01', user: 'root', at: '2024-04-19T10:00:01Z', who: 'root@' },
    { day: '2024-04-19', time: '10:00:02', at: '2024-04-19T10:00:02Z', who: '@' },
  ])
})

test('lines are skipped at the beginning of a place, not of every chunk', () => {
  const parser = csv.create(csv.settings.parse({ hasHeader: true, skipLines: 2 }))
  const texts = ['a title', 'another', 'a,b', '1,2']
  let context = ''
  const readings = texts.map((text) => {
    const reader = parser.open(context)
    const reading = reader.read(text)
    context = reader.context()
    return reading
  })
  expect(readings).toEqual([HEADER, HEADER, HEADER, { a: '1', b: '2' }])
})

test.each(['a,b,a', '"a'])('no row is taken for the header after one that is wrong: %s', (header) => {
  const parser = csv.create(csv.settings.parse({ hasHeader: true }))
  let context = ''
  const readings = [header, '1,2,3', '4,5,6'].map((text) => {
    const reader = parser.open(context)
    const reading = reader.read(text)
    context = reader.context()
    return reading
  })
  expect(readings.map((reading) => reading instanceof Miss && reading.reason)).toEqual(Array(3).fill('invalid_format'))
})
