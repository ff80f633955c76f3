import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { takeOutJsonLogs } from './json-logs.ts'
import { withoutTests } from './text.ts'
import { readYaml, YamlError, YamlFile } from './yaml-file.ts'

function json(log: string): string {
  return new YamlFile(`Tests:\n  - Name: t\n    Log: ${log}\n`).json(['Tests', 0, 'Log'])
}

/** A number that is written without a point but with an exponent is a string in YAML 1.1. */
function asYaml(_key: string, value: unknown): unknown {
  return typeof value === 'number' && /^-?\de/.test(String(value)) ? String(value) : value
}

describe('lines that are indented too little, within quotes and brackets, are read as Panther’s tool reads them', () => {
  const cases = [
    { text: 'a: "x\ny"\nb: 1\n', gives: '{"a":"x y","b":1}' },
    { text: "m:\n  k: 'it''s\n y'\n  j: 1\n", gives: '{"m":{"k":"it\'s y","j":1}}' },
    { text: 'l:\n  - "x\n\n\ny \\\nz"\n', gives: '{"l":["x\\n\\ny z"]}' },
    { text: 'm:\n  Log: {\n  "a": 1,\n "b": [1,\n2]\n}\n  n: 1\n', gives: '{"m":{"Log":{"a":1,"b":[1,2]},"n":1}}' },
    {
      text: 't:\n  - Name: x\n    Log: {\n"a": "x\ny", b: it\'s\n}\n',
      gives: '{"t":[{"Name":"x","Log":{"a":"x y","b":"it\'s"}}]}',
    },
    {
      text: 'l:\n  - k: |\n      "no {\n      more\n    j: "x\ny" # c "\n',
      gives: '{"l":[{"k":"\\"no {\\nmore\\n","j":"x y"}]}',
    },
    { text: 'a: x # "{\nb: plain "q\nc: [\n{}\n]\n', gives: '{"a":"x","b":"plain \\"q","c":[{}]}' },
  ]
  test.each(cases)('$text', ({ text, gives }) => expect(JSON.parse(readYaml(text))).toEqual(JSON.parse(gives)))

  test('a document mark ends even a quoted text', () => {
    expect(() => readYaml('a: "x\n---\ny"\n')).toThrow(YamlError)
  })

  test('a mistake is reported with its line', () => {
    expect(() => readYaml('a: "x\ny"\nb: [1\nc: "\n')).toThrow(expect.objectContaining({ line: expect.any(Number) }))
    const file = new YamlFile('a: "x\ny"\nb: 7\n')
    expect(file.line(['b'])).toBe(3)
  })
})

describe('exact JSON', () => {
  const cases = [
    { yaml: '{ a: 12345678901234567890 }', gives: '{"a":12345678901234567890}' },
    { yaml: '{ a: 1.666275403e+12 }', gives: '{"a":1.666275403e+12}' },
    { yaml: '{ a: 1666275403000.0 }', gives: '{"a":1666275403000.0}' },
    { yaml: '{ a: 5., b: .5, c: +1.5, d: -0.5, e: 007.5 }', gives: '{"a":5.0,"b":0.5,"c":1.5,"d":-0.5,"e":7.5}' },
    { yaml: '{ a: 0644, b: +7, c: -7, d: 0x1F }', gives: '{"a":644,"b":7,"c":-7,"d":31}' },
    {
      yaml: '{ a: yes, b: on, c: 1:30:00, d: 2024-01-01, e: ~, f: Null, g: }',
      gives: '{"a":"yes","b":"on","c":"1:30:00","d":"2024-01-01","e":null,"f":null,"g":null}',
    },
    { yaml: '{ a: true, b: False, c: TRUE, d: "true" }', gives: '{"a":true,"b":false,"c":true,"d":"true"}' },
    { yaml: '{ __proto__: { x: 1 }, "a.b": 2, 80: http }', gives: '{"__proto__":{"x":1},"a.b":2,"80":"http"}' },
    { yaml: '\n      &b { a: 1, b: 2 }\n', gives: '{"a":1,"b":2}' },
    {
      yaml: '\n      x: &base { a: 1, b: 2 }\n      y: { <<: *base, b: 3 }\n      z: *base',
      gives: '{"x":{"a":1,"b":2},"y":{"a":1,"b":3},"z":{"a":1,"b":2}}',
    },
    {
      yaml: '{"a": 1.0, "b": [1.5e+3, {"c": 12345678901234567890}],\n\n   "d": "x\\n  y"}',
      gives: '{"a": 1.0, "b": [1.5e+3, {"c": 12345678901234567890}],"d": "x\\n  y"}',
    },
    { yaml: '{"a": [1, 2,],\n "b": "x, }", }', gives: '{"a": [1, 2],"b": "x, }" }' },
    { yaml: '{"a": "one\n      two"}', gives: '{"a":"one two"}' },
    { yaml: '{"a": 1} # why', gives: '{"a":1}' },
  ]
  test.each(cases)('$yaml', ({ yaml, gives }) => expect(json(yaml)).toBe(gives))

  test('a key that is not a string has no JSON form', () => {
    expect(() => json('{ ? [x] : y }')).toThrow(YamlError)
  })

  test('aliases that blow up are refused', () => {
    const levels = Array.from({ length: 30 }, (_, at) => `      l${at + 1}: &l${at + 1} [*l${at}, *l${at}]`)
    expect(() => json(`\n      l0: &l0 [x, x]\n${levels.join('\n')}`)).toThrow(YamlError)
  })

  test('any JSON value survives block style, flow style and JSON', () => {
    const value = fc.dictionary(
      fc.string(),
      fc.jsonValue({ noUnicodeString: false }).filter((v) => JSON.stringify(v) !== undefined),
    )
    fc.assert(
      fc.property(value, fc.constantFrom('block', 'flow', 'json'), (log, style) => {
        const indented =
          style === 'json'
            ? JSON.stringify(log, null, 2)
            : stringify(log, {
                ...(style === 'flow' ? { collectionStyle: 'flow' } : {}),
                lineWidth: 0,
                aliasDuplicateObjects: false,
              })
        const text = `\n${indented.replace(/^/gm, '      ')}`
        expect(JSON.parse(json(text))).toEqual(JSON.parse(JSON.stringify(log), asYaml))
      }),
      { seed: 7, numRuns: 300 },
    )
  })
})

describe('test events written as JSON are read fast', () => {
  test('extracting them does not move any line', () => {
    const text =
      'RuleID: A\nTests:\n  - Name: a\n    Log:\n      {\n        "x": 1\n      }\n  - Log: {"y": 2}\n    Name: b\nLast: 1\n'
    const light = takeOutJsonLogs(text)
    expect([...light.logs.values()]).toEqual(['{"x": 1}', '{"y": 2}'])
    expect(light.text.split('\n').length).toBe(text.split('\n').length)
    const file = new YamlFile(text)
    expect([file.line(['Tests', 1, 'Name']), file.line([], 'Last')]).toEqual([9, 10])
    expect(file.value).toEqual({
      RuleID: 'A',
      Tests: [
        { Name: 'a', Log: { x: 1 } },
        { Log: { y: 2 }, Name: 'b' },
      ],
      Last: 1,
    })
  })

  test('a description that looks like one, or a text that names the mark, is left as it is', () => {
    const text = 'Tests:\n  - Name: |\n      Log: {"x": 1}\n    Log: {"y": "json-log-0"}\n'
    const file = new YamlFile(text)
    expect(file.value).toEqual({ Tests: [{ Name: 'Log: {"x": 1}\n', Log: { y: 'json-log-0' } }] })
    expect(file.json(['Tests', 0, 'Log'])).toBe('{"y":"json-log-0"}')
  })
})

describe('a text without its tests', () => {
  const cases = [
    { name: 'keeps what is before and after', text: 'A: 1\nTests:\n  - x\n# c\nB: 2\n', gives: 'A: 1\n\n\n\nB: 2\n' },
    { name: 'knows lists in the first column', text: 'Tests:\n- a: 1\n  b: 2\nB: 2\n', gives: '\n\n\nB: 2\n' },
    { name: 'goes to the end', text: 'A: 1\nTests:\n  - x', gives: 'A: 1\n\n' },
    { name: 'leaves several documents alone', text: 'Tests:\n- a\n---\nB: 1\n', gives: 'Tests:\n- a\n---\nB: 1\n' },
    { name: 'leaves a text without tests alone', text: 'A: 1\n', gives: 'A: 1\n' },
    { name: 'keeps tests whose anchors are used later', text: 'Tests:\n- &a x\nB: *a\n', gives: 'Tests:\n- &a x\nB: *a\n' },
    { name: 'drops tests whose anchors are not', text: 'A: &a 1\nTests:\n- &b x\nB: *a\n', gives: 'A: &a 1\n\n\nB: *a\n' },
  ]
  test.each(cases)('$name', ({ text, gives }) => expect(withoutTests(text)).toBe(gives))
})
