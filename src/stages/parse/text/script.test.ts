import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fuzzRuns } from '../../../../test/support/fuzz.ts'
import { script } from './script.ts'
import { Miss } from './text-parser.ts'

function run(body: string, text = 'a b c') {
  const source = `def parse(log):\n${body
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')}\n`
  const { data, error } = script.settings.safeParse({ function: source })
  if (!data) return error!.issues[0]!.message
  const reading = script.create(data).open('').read(text)
  return reading instanceof Miss ? reading.why : reading
}

const result = (expression: string, text?: string) => {
  const record = run(`return {"r": ${expression}}`, text)
  return typeof record === 'object' ? (record as { r: unknown }).r : record
}

describe('a script', () => {
  test.each<[string, unknown]>([
    ['1 + 2 * 3 - -4', 11],
    ['7 // 2, -7 // 2, 7 % -3, 1 / 2'.replace(/^/, '[').concat(']'), [3, -4, -2, 0.5]],
    ['"a" + "b" * 3', 'abbb'],
    ['"%s=%d, 100%%" % ("x", 7)', 'x=7, 100%'],
    ['log.split()', ['a', 'b', 'c']],
    ['log.split(" ", 1)', ['a', 'b c']],
    ['log.partition(" ")', ['a', ' ', 'b c']],
    ['log.rpartition(" ")[2]', 'c'],
    ['log[0] + log[-1] + log[2:4]', 'acb '],
    ['"-".join([x.upper() for x in log.split() if x != "b"])', 'A-C'],
    ['{k: len(k) for k in ["a", "bb"]}', { a: 1, bb: 2 }],
    ['[x + y for x in [1, 2] for y in [10, 20]]', [11, 21, 12, 22]],
    ['sorted([3, 1, 2]) + list(reversed([1, 2]))', [1, 2, 3, 2, 1]],
    ['[i * v for i, v in enumerate([5, 6], 1)]', [5, 12]],
    ['[a + b for a, b in zip("x y".split(), ["1", "2"])]', ['x1', 'y2']],
    ['[min(3, 1), max([1, 5]), abs(-2), len(range(2, 9, 3))]', [1, 5, 2, 3]],
    ['int("ff", 16) + int(" 12 ") + int(1.9) + int(True)', 269],
    ['int("18446744073709551615")', 18446744073709551615n],
    ['[bool([]), bool("x"), not 1, None == None, 1 == 1.0, "1" == 1]', [false, true, false, true, true, false]],
    ['"b" in log and "d" not in log', true],
    ['None or "x" if False else "y"', 'y'],
    ['json.decode("{\\"a\\": [1, null]}")["a"]', [1, null]],
    ['json.encode({"a": [True, None]})', '{"a":[true,null]}'],
    ['base64.decode("aGk=") + base64.encode("ho")', 'hiaG8='],
    ['str([1, "x", None, {"a": True}])', '[1, "x", None, {"a": True}]'],
    ['dict([("a", 1)]) | {"b": 2}', { a: 1, b: 2 }],
    ['{"a": 1}.get("b", 7)', 7],
    ['r"\\d" + "\\x41\\u00e4"', '\\dAä'],
    ['"xaxbx".strip("x").replace("x", "-")', 'a-b'],
    ['type(1) + type("") + type([]) + type({}) + type(None)', 'intstringlistdictNoneType'],
  ])('%s', (expression, expected) => {
    expect(result(expression)).toEqual(expected)
  })

  test('statements: loops, branches, assignments, functions, constants', () => {
    const source = `
LIMIT = 2  # of parts

def key(text):
    if text == "a": return "first"
    elif text == "b":
        return "second"
    else:
        return text

def parse(log):
    out, seen = {}, []
    for part in log.split():
        if part == "skip":
            continue
        if len(seen) >= LIMIT:
            break
        seen.append(part)
        out[key(part)] = len(seen)
    total = 0
    total += len(out)
    out["total"] = total
    return out
`
    const parser = script.create(script.settings.parse({ function: source }))
    expect(parser.open('').read('a skip b c')).toEqual({ first: 1, second: 2, total: 2 })
    expect(parser.open('').read('z')).toEqual({ z: 1, total: 1 })
  })

  test.each<[string, string]>([
    ['return {"r": log["x"]}', 'its script failed: line 2: an int is needed, not string'],
    ['x = 1\nreturn {"r": y}', "line 3: there is no name 'y'"],
    ['fail("not mine")', 'line 2: not mine'],
    ['return {"r": 1 / 0}', 'a division by zero'],
    ['return {}', 'returned something that is not a dict with fields'],
    ['return "x"', 'returned something that is not a dict with fields'],
    ['return {1: 2}', 'the key 1 of a dict is not a text'],
    ['return {"r": parse}', 'a function is not a value of a record'],
    ['for i in range(99999):\n    for j in range(99999):\n        pass\nreturn {"r": 1}', 'more than 200000 steps'],
    ['x = "x"\nfor i in range(99):\n    x += x\nreturn {"r": x}', 'the script '],
    ['x = []\nfor i in range(60):\n    x = [x, x]\nreturn {"r": x}', 'its script failed'],
    ['x = []\nx.append(x)\nreturn {"r": x}', 'nested too deep'],
    ['return parse(log)', 'functions call each other'],
    ['return {"r": "x" * 99999999999}', 'the script '],
  ])('%s fails as an error of its record', (body, message) => {
    expect(run(body)).toContain(message)
  })

  test.each<[string, string]>([
    ['while True: pass', "line 2: 'while' is not part of the language here"],
    ['import os', "line 2: 'import' is not part of the language here"],
    ['return (1', 'is missing before'],
    ['return 1 +', 'a name is missing before the end of the line'],
    ['return "x', 'line 2: the text is not closed'],
    ['  x = 1\ny = 2', 'line 3: the indentation matches no line before'],
    [`return ${'('.repeat(300)}1${')'.repeat(300)}`, 'nested more than 100 deep'],
  ])('%s is refused when it is loaded', (body, message) => {
    expect(run(body)).toContain(message)
  })

  test.each([
    'h[0].find(h[2])',
    'h[0].rfind(h[2])',
    'h[0].split(h[2])',
    'h[0].partition(h[2])',
    'h[0].replace(h[2], "")',
    'h[0].count(h[2])',
    'h[2] in h[0]',
    'sorted([h[0] + "" for x in range(2000)])',
    'max([h[0] + "" for x in range(2000)])',
  ])('%s with long texts of the record ends at the limit of work', (expression) => {
    const half = 'a'.repeat(50_000)
    const began = process.cpuUsage()
    expect(result(`[${expression} for h in [log.partition("|")]]`, `${'a'.repeat(400_000)}|${half}b${half}`)).toMatch(
      /its script failed: line 2: the script (?:does too much|makes more than)/,
    )
    const { user } = process.cpuUsage(began)
    expect(user / 1000).toBeLessThan(5000)
  })

  test('without a function parse is refused', () => {
    expect(script.settings.safeParse({ function: 'x = 1' }).error?.issues[0]?.message).toContain('needs a function `parse(log)`')
  })

  test('cannot reach what is not its own', () => {
    for (const name of ['constructor', '__proto__', 'prototype', 'toString'])
      for (const of of ['log', '{}', '[]', 'len', '1', 'json', 'parse'])
        expect(result(`${of}.${name}`)).toMatch(/has no method|no function|is not part|is missing/)
    expect(result('constructor')).toContain("there is no name 'constructor'")
    expect(run('x = {}\nx["__proto__"] = {"polluted": 1}\nreturn {"r": x}')).toBeDefined()
    expect('polluted' in {}).toBe(false)
  })

  test('any text is a script, a mistake or a failure, and nothing else', () => {
    const word = fc.constantFrom(
      ...'def parse ( log ) : return { } [ ] , . + - * / % == "a" 1 x for in if else not and or \n \n     = split () 0.5 \\ # ; | True'.split(
        ' ',
      ),
      '\n    ',
      ' ',
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        expect(['object', 'string']).toContain(typeof run(words.join(' ')))
      }),
      { seed: 31, numRuns: fuzzRuns() },
    )
  })
})
