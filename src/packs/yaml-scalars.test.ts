import { describe, expect, test } from 'vitest'
import { YamlError, YamlFile } from './yaml-file.ts'

function json(scalar: string): string {
  return new YamlFile(`Tests:\n  - Log: { a: ${scalar} }\n`).json(['Tests', 0, 'Log', 'a'])
}

describe('a scalar is the same as in PyYAML, with decimal integers, dates as strings and no yes or no', () => {
  const cases: readonly [string, readonly string[], (text: string) => string][] = [
    ['an integer', ['0', '7', '12345678901234567890', '-9007199254740993'], (text) => text],
    ['a string', ['yes', 'no', 'On', 'off', 'y', 'tRUE', 'nULL'], (text) => JSON.stringify(text)],
    ['a string', ['2021-01-01', '2021-01-01T00:00:00Z', '2021-01-01 00:00:00'], (text) => JSON.stringify(text)],
    ['a string', ['1e3', '1e+3', '1.5e3', '5.e3', '.5e3', '1.5e+', '1e', '12E03'], (text) => JSON.stringify(text)],
    ['a string', ['0o17', '08', '09', '0B1', '0X1f', '0b2', '0x1G', '0b', '0x', '_1', '--1'], (text) => JSON.stringify(text)],
    ['a string', ['1:30', '1:30:00', '1:60.5', '+.5', '-.5', '._5', '1.2.3', '.iNf', '+.nan'], (text) => JSON.stringify(text)],
    ['a float', ['1.0', '1666275403000.0', '1.666275403e+12', '-0.5', '1.5e-3'], (text) => text],
    ['null', ['~', 'null', 'Null', 'NULL', ''], () => 'null'],
    ['true', ['true', 'True', 'TRUE'], () => 'true'],
  ]
  test.each(cases.flatMap(([kind, texts, gives]) => texts.map((text) => ({ text, kind, gives: gives(text) }))))(
    '$text is $kind',
    ({ text, gives }) => expect(json(text)).toBe(gives),
  )

  const rewritten = [
    ['1_000', '1000'],
    ['-1_0', '-10'],
    ['1_', '1'],
    ['017', '17'],
    ['0644', '644'],
    ['0_7', '7'],
    ['00', '0'],
    ['+1', '1'],
    ['-0', '0'],
    ['0b101', '5'],
    ['-0b1_0', '-2'],
    ['0x1F', '31'],
    ['+0x1_F', '31'],
    ['1.', '1.0'],
    ['.5', '0.5'],
    ['+1.5', '1.5'],
    ['007.5', '7.5'],
    ['1_000.5', '1000.5'],
    ['1.5_0', '1.50'],
    ['1._', '1.0'],
    ['5.e+3', '5e+3'],
    ['.5e+3', '0.5e+3'],
    ['1.5E-3', '1.5E-3'],
    ['1:30.5', '90.5'],
    ['-1:30.', '-90.0'],
    ['190:20:30.15', '685230.15'],
    ['!!str 1', '"1"'],
    ["!!int '5'", '5'],
    ['!!float 1', '1.0'],
    ['!!float 1e3', '1e3'],
    ['!!timestamp 2021-01-01', '"2021-01-01"'],
  ]
  test.each(rewritten)('%s is written as %s', (text, gives) => expect(json(text)).toBe(gives))

  test.each(['0x_', '0b_', '!!int 1e3', '!!float x', '!own x'])('%s is refused with its line', (text) => {
    expect(() => json(text)).toThrow(expect.objectContaining({ name: 'Error', line: 2 }))
    expect(() => json(text)).toThrow(YamlError)
  })

  test('a %YAML line changes nothing', () => {
    expect(new YamlFile('%YAML 1.1\n---\na: [yes, 017, 1e3]\n').value).toEqual({ a: ['yes', 17n, '1e3'].map(plain) })
  })
})

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

describe('a test event written as JSON is read like the same text as YAML', () => {
  const cases = [
    { log: '{"a": 1e3, "b": [1.5e3, -2E5, 1e+3]}', gives: { a: '1e3', b: ['1.5e3', '-2E5', '1e+3'] } },
    { log: '{"a": 1.5e+3, "b": 12.25E-1}', gives: { a: 1500, b: 1.225 } },
    { log: '{"1e3": "1e3, 2e5", "b": ": 1e3"}', gives: { '1e3': '1e3, 2e5', b: ': 1e3' } },
    { log: '{"a": -0, "b": 1.0}', gives: { a: -0, b: 1 } },
    { log: '{"a": 1.0e+999}', gives: { a: Number.POSITIVE_INFINITY } },
  ]
  test.each(cases)('$log', ({ log, gives }) => {
    expect(new YamlFile(`Tests:\n  - Log: ${log}\n    Name: a\n`).value).toEqual({ Tests: [{ Log: gives, Name: 'a' }] })
  })
})

describe('floats that JSON lacks', () => {
  test('are written in test events as Python reads them', () => {
    const file = new YamlFile(
      'Tests:\n  - Log: { a: .nan, b: .inf, c: [-.Inf, 1.0e+999], d: 12345678901234567890, e: float-NaN }\n',
    )
    expect(file.json(['Tests', 0, 'Log'])).toBe('{"a":NaN,"b":1e999,"c":[-1e999,1e999],"d":12345678901234567890,"e":"float-NaN"}')
    const { POSITIVE_INFINITY, NEGATIVE_INFINITY, NaN: nan } = Number
    const log = {
      a: nan,
      b: POSITIVE_INFINITY,
      c: [NEGATIVE_INFINITY, POSITIVE_INFINITY],
      d: 12345678901234567890n,
      e: 'float-NaN',
    }
    expect(file.value).toEqual({ Tests: [{ Log: log }] })
  })

  test.each(['.nan', '.inf', '-.Inf', '1.0e+999'])('%s is refused outside of tests', (text) => {
    expect(() => new YamlFile(`Tests: [.inf]\nA: 1\nB: ${text}\n`)).toThrow(
      expect.objectContaining({ message: `${text} has no JSON form: write it as a quoted string`, line: 3 }),
    )
  })
})
