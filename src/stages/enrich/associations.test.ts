import { describe, expect, test } from 'vitest'
import { type Association, type Binding, fits, type LogTypeShape, selectorsFor } from './associations.ts'

describe('patterns', () => {
  const cases: [pattern: string, name: string, fits: boolean][] = [
    ['Zeek.Conn', 'Zeek.Conn', true],
    ['Zeek.Conn', 'Zeek.ConnX', false],
    ['Zeek.*', 'Zeek.Conn', true],
    ['Zeek.*', 'Zeek.', true],
    ['Zeek.*', 'Zeekx.Conn', false],
    ['Zeek.*', 'My.Zeek.Conn', false],
    ['*', 'Custom.Auth', true],
    ['*.Conn', 'Zeek.Conn', true],
    ['*.Conn', 'Conn', false],
    ['A*B*C', 'ABC', true],
    ['A*B*C', 'A-B-C', true],
    ['A*B*C', 'AC', false],
    ['A*B*C', 'AxC', false],
    ['A*BC*C', 'ABC', false],
    ['aa*a', 'aa', false],
    ['**', '', true],
    ['Zeek.+', 'Zeek.Conn', false],
  ]
  test.each(cases)('%s and %s: %s', (pattern, name, expected) => expect(fits(pattern, name)).toBe(expected))
})

const file = '/t.yml'
const of = (logType: string, ...selectors: string[]): Association => ({ logType, selectors, file })
const shape = (name: string, ...fields: string[]): LogTypeShape => ({
  name,
  columns: fields.map((field) => ({ name: field, kind: 'string' })),
  isDescribed: true,
})

describe('what a table is joined on', () => {
  const conn = shape('Zeek.Conn', 'p_any_ip_addresses', 'src', 'dst', 'a')
  const automatic = 'p_any_ip_addresses'
  const cases: [what: string, binding: Partial<Binding>, expected: string[], logType?: LogTypeShape][] = [
    ['nothing named: its indicator', { automatic }, [automatic]],
    ['nothing named, no indicator', {}, []],
    [
      'named fields, each once',
      { associations: [of('Zeek.Conn', 'src', 'dst'), of('Zeek.Conn', 'src')], automatic },
      ['src', 'dst'],
    ],
    ['a log type named without fields', { associations: [of('Zeek.Conn')], automatic }, [automatic]],
    ['of a pattern the fields that the log type has', { associations: [of('Zeek.*', 'src', 'host')], automatic }, ['src']],
    ['a pattern of which it has none', { associations: [of('Zeek.*', 'host')], automatic }, [automatic]],
    ['a path below a field that it has', { associations: [of('*', 'a.b')] }, ['a.b']],
    ['a name and a pattern', { associations: [of('Zeek.*', 'src'), of('Zeek.Conn', 'dst')] }, ['src', 'dst']],
    ['a field that is named and missing is asked for all the same', { associations: [of('Zeek.Conn', 'host')] }, ['host']],
    ['a log type of any fields', { associations: [of('*', 'host')] }, ['host'], { name: 'X', columns: [], isDescribed: false }],
    ['an extension beside the indicator', { added: [of('Zeek.Conn', 'src')], automatic }, [automatic, 'src']],
    [
      'an extension beside named fields',
      { associations: [of('Zeek.*', 'dst')], added: [of('Z*', 'src')], automatic },
      ['dst', 'src'],
    ],
    ['an extension for other log types', { added: [of('Custom.*', 'src')], automatic }, [automatic]],
  ]
  test.each(cases)('%s', (_, { associations = [], added = [], automatic }, expected, logType = conn) => {
    expect(selectorsFor({ associations, added, automatic }, logType)).toEqual(expected)
  })
})
