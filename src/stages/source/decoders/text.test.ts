import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fuzzRuns } from '../../../../test/support/fuzz.ts'
import { type DecodedText, decodeText } from './decode.ts'
import type { TextState } from './text-walk.ts'

/** The records of bytes that arrive in pieces, framed as a source would: what is incomplete waits for the next piece. */
function framed(pieces: readonly Uint8Array[]): string[] {
  const records: string[] = []
  let state: TextState = 'lines'
  let held = Buffer.alloc(0)
  let isStart = true
  for (const [i, piece] of pieces.entries()) {
    held = Buffer.concat([held, piece])
    const result = decodeText(held, { state, isStart, final: i === pieces.length - 1 })
    records.push(...texts(held, result))
    isStart &&= result.end === 0
    state = result.state
    held = held.subarray(result.end)
  }
  expect(held.length).toBe(0)
  return records
}

function texts(bytes: Buffer, { records, end, count }: DecodedText): string[] {
  const found: string[] = []
  if (records) for (let i = 0; i < records.length; i += 2) found.push(bytes.toString('utf8', records[i], records[i + 1]))
  else
    found.push(
      ...bytes
        .toString('utf8', 0, end)
        .replace(/^\ufeff/, '')
        .split('\n')
        .filter((line) => line.trim() !== ''),
    )
  expect(found.length).toBe(count)
  return found.map((text) => text.trim())
}

function cut(text: string | Uint8Array, at: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text as string)
  const ends = [...new Set([...at.map((n) => n % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
}

const A = '{"a":1}'
const B = '{"b":{"c":[1,"]}"]}}'
const nul = (n: number) => '\0'.repeat(n)
const pretty = (text: string) => JSON.stringify(JSON.parse(text), null, 2)

describe('records of', () => {
  test.each<[string, string, readonly string[]]>([
    ['nothing', '', []],
    ['white space', ' \n\r\n\t', []],
    ['lines', 'one\r\ntwo\n\nthree', ['one', 'two', 'three']],
    ['objects, a line each', `${A}\n${B}\r\n${A}`, [A, B, A]],
    ['objects without anything between', A + B + A, [A, B, A]],
    ['objects with spaces between', `${A} ${B}\t${A}\n${A}`, [A, B, A, A]],
    ['an object on several lines', `${pretty(B)}\n${A}\n`, [pretty(B), A]],
    ['objects on several lines without anything between', pretty(A) + pretty(B), [pretty(A), pretty(B)]],
    ['an object that begins like a whole line', '{"a":{"b":1}\n,"c":2}\n', ['{"a":{"b":1}\n,"c":2}']],
    ['an array on one line', `[${A},${B}]`, [A, B]],
    ['an array on several lines', pretty(`[${A},${B}]`), [pretty(A), pretty(B)].map((t) => t.replaceAll('\n', '\n  '))],
    ['arrays, a line each', `[${A}]\n[${B},${A}]\n`, [A, B, A]],
    ['arrays without anything between', `[${A}][${B}]`, [A, B]],
    ['arrays, objects and lines', `[${A}]${B}\nline\n[]\n${A}`, [A, B, 'line', A]],
    ['an array of anything', '[1,"x",null,[2],{"a":1}]', ['1', '"x"', 'null', '[2]', A]],
    ['an array of numbers on several lines', '[\n1,\n2\n]\nx', ['1', '2', 'x']],
    ['an empty array', '[ ]', []],
    ['an array with commas too many', `[${A},,${B},]`, [A, B]],
    ['a JSON text sequence', `\x1e${A}\n\x1e${pretty(B)}\n`, [A, pretty(B)]],
    ['a JSON text sequence with a text cut off', `\x1e{"a":\x1e${A}\n\x1e{"b":"x\x1e${B}\n`, ['{"a":', A, '{"b":"x', B]],
    ['a byte order mark before an object', `\ufeff${A}\n${A}`, [A, A]],
    [
      'brackets that begin a line of text',
      '[error] no such file\n[12] x\n[2026-01-01 10:00] [x]\n',
      ['[error] no such file', '[12] x', '[2026-01-01 10:00] [x]'],
    ],
    ['text behind an object', `${A} text\n${A}\n`, [`${A} text`, A]],
    ['braces that begin a row', `{x}\t1\t2\n${A}\n`, ['{x}\t1\t2', A]],
    ['a line that is cut off', `{"a":"x\n${A}\n`, ['{"a":"x', A]],
    ['a line that is cut off at a comma', `{"a":1,\n${A}\n${B}\n`, ['{"a":1,', A, B]],
    ['an object that does not end', `${A}\n{"a":[1,\n2`, [A, '{"a":[1,', '2']],
    ['words that JSON does not know', `{"a":NaN}\n[undefined,${A}]`, ['{"a":NaN}', 'undefined', A]],
    ['an array that is cut off', `[${A},{"b":2`, [A, '{"b":2']],
    ['an array that is cut off, with lines behind it', `[${A},\nline, with a comma\n${B}\n`, [A, 'line, with a comma', B]],
    ['an array with a broken element', `[${A},{"b" 1},${B}]\n${A}`, [A, '{"b" 1}', B, A]],
    ['an array with a bracket of the wrong kind', `[${A},{"b":[1},${B}]`, [A, '{"b":[1}', B]],
    ['an array with a bracket missing', `[{"b":1]\n${A}`, ['{"b":1', A]],
    ['an array with a quote missing', `[\n${A},\n{"b":"x},\n${B}\n]\n${A}`, [A, '{"b":"x},', B, A]],
    ['an array with a brace missing', `[\n${A},\n{"b":{"c":1,\n${B}\n]\n${A}`, [A, '{"b":{"c":1,', B, A]],
    [
      'an array with a broken element on several lines',
      '[\n  {\n    "a": 1 2,\n    "b": {\n    }\n  },\n  {"c":3}\n]',
      ['{\n    "a": 1 2,\n    "b": {\n    }\n  }', '{"c":3}'],
    ],
    [
      'an array with a broken element behind another on its line',
      `[${A}":1},\n ${B}, {"d" 2}]\n`,
      [A, `":1},\n ${B}`, '{"d" 2}'],
    ],
    ['a hole before a record', `${nul(5000)}${A}\n${B}\n`, [A, B]],
    ['a hole between records', `${A}\n${nul(1)}${B}\n${nul(200)}\n${A}`, [A, B, A]],
    ['a hole in a line', `lin${nul(64)}${A}\n`, ['lin', A]],
    ['a hole in an object', `{"a":"x${nul(100)}${A}\n`, ['{"a":"x', A]],
    ['a few NULs in a line', `a${nul(3)}b\n`, [`a${nul(3)}b`]],
  ])('%s', (_, text, records) => {
    expect(framed([Buffer.from(text)])).toEqual(records)
    // However the bytes arrive.
    expect(
      framed(
        cut(
          text,
          Array.from({ length: text.length }, (_, i) => i),
        ),
      ),
    ).toEqual(records)
    const half = fc.nat({ max: Buffer.byteLength(text) })
    fc.assert(
      fc.property(fc.array(half, { maxLength: 3 }), (at) => {
        expect(framed(cut(text, at))).toEqual(records)
      }),
      {
        numRuns: 30,
        seed: 5,
      },
    )
  })
})

test('plain lines need no list of records', () => {
  for (const text of ['one\ntwo\n', `${A}\n${B}\r\n \n${A}\n`, `${A}\n  ${B}\n`, `\ufeff${A}\n`])
    expect(decodeText(Buffer.from(text), { isStart: true }).records).toBeUndefined()
})

test('a run of records is framed the same way again without the bytes that follow it', () => {
  const text = `[1,"x",${A}]\n[\n${pretty(B)},\n2]\x1e${A}\n\x1e{"cut":\n{"cut":1,\n${A}${B}\nline\n[${A},\n${nul(9)}${B},oops\nend`
  const bytes = Buffer.from(text)
  for (let n = 1; n <= 13; n++) {
    let at = 0
    let state: TextState = 'lines'
    const again: string[] = []
    while (at < bytes.length) {
      const rest = bytes.subarray(at)
      const first = decodeText(rest, { state, isStart: at === 0, final: true, maxRecords: n })
      const run = rest.subarray(0, first.end)
      const second = decodeText(run, { state, isStart: at === 0, final: true, endState: first.state })
      expect(texts(run, second)).toEqual(texts(rest, first))
      again.push(...texts(run, second))
      at += first.end
      state = first.state
    }
    expect(again).toEqual(framed([bytes]))
  }
})

test('reading stops at the maximum number of records and continues after them', () => {
  const bytes = Buffer.from(`${A}\n${A}${A}\n${A}\n`)
  const first = decodeText(bytes, { maxRecords: 2 })
  expect([first.count, first.end]).toEqual([2, A.length * 2 + 1])
  expect(decodeText(bytes.subarray(first.end)).count).toBe(2)
})

test('random values in any framing are read back unchanged, wherever the bytes are cut', () => {
  const value = fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 })
  const style = fc.record({ indent: fc.constantFrom('', ' ', '    ', '\t'), gap: fc.constantFrom('', '\n', ' ', '\r\n', '\n\n') })
  const group = fc.record({
    values: fc.array(value, { maxLength: 4 }),
    style,
    how: fc.constantFrom('lines', 'array', 'pretty-array', 'concatenated', 'sequence'),
  })
  fc.assert(
    fc.property(fc.array(group, { maxLength: 4 }), fc.array(fc.nat({ max: 5000 }), { maxLength: 5 }), (groups, at) => {
      const text = groups.map(({ values, style, how }) => written(values, how, style)).join('')
      const expected = groups.flatMap(({ values }) => values.map((v) => JSON.stringify(v)))
      const whole = framed([Buffer.from(text)])
      expect(whole.map((record) => JSON.stringify(JSON.parse(record)))).toEqual(expected)
      expect(framed(cut(text, at))).toEqual(whole)
    }),
    { numRuns: fuzzRuns(), seed: 17 },
  )
})

function written(values: readonly object[], how: string, { indent, gap }: { indent: string; gap: string }): string {
  if (how === 'lines') return values.map((value) => `${JSON.stringify(value)}\n`).join('')
  if (how === 'array') return `${JSON.stringify(values)}${gap}`
  if (how === 'pretty-array') return `${JSON.stringify(values, null, indent)}${gap}`
  if (how === 'concatenated') return values.map((value) => JSON.stringify(value, null, indent) + gap).join('')
  return values.map((value) => `\x1e${JSON.stringify(value, null, indent)}\n`).join('')
}

test('for any bytes: no record is empty, none overlap, and all bytes except white space and syntax are in one', () => {
  const piece = fc.constantFrom('[', ']', '{', '}', ',', '"', '\\', ' ', '\n', '1', 'a', ':', '{"a":1}', '\x1e', '\0', 'é')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.array(fc.nat({ max: 60 }), { maxLength: 3 }), (pieces, at) => {
      const bytes = Buffer.from(pieces.join(''))
      const { records, end } = decodeText(bytes, { final: true })
      expect(end).toBe(bytes.length)
      let last = 0
      for (let i = 0; records && i < records.length; i += 2) {
        expect(records[i]).toBeGreaterThanOrEqual(last)
        expect(bytes.toString('utf8', records[i], records[i + 1]).trim()).not.toBe('')
        expect(bytes.toString('latin1', last, records[i]!)).not.toMatch(/[^\s,[\]\p{Cc}]/u)
        last = records[i + 1]!
      }
      for (const text of framed(cut(bytes, at))) expect(text).not.toBe('')
    }),
    { numRuns: fuzzRuns(3000), seed: 3 },
  )
})

test('a hostile text of nested opening brackets takes linear time', () => {
  const steps = (n: number) => {
    const bytes = Buffer.from('{"a":\n'.repeat(n))
    const before = process.cpuUsage()
    expect(decodeText(bytes, { final: true }).count).toBe(n)
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  steps(1000)
  expect(steps(40_000) / Math.max(steps(4000), 2000)).toBeLessThan(60)
})

test.each<[string, (bytes: number) => string]>([
  ['objects without an end of line', (n) => '{}'.repeat(n / 2)],
  ['objects before white space', (n) => `${'{}'.repeat(n / 4)}${' '.repeat(n / 2)}\n`],
  ['texts of a sequence without an end of line', (n) => '\x1ea'.repeat(n / 2)],
  ['broken elements on one line', (n) => `[{"a":1}${',{"a":!}'.repeat(n / 8)}`],
  ['broken elements behind white space', (n) => `[{"a":1},\n${' '.repeat(n / 2)}${'{"a":!},'.repeat(n / 16)}`],
  ['closing brackets that nothing has opened', (n) => `[{"a":1},${'['.repeat(n / 2)}${'}'.repeat(n / 2)}`],
])('%s take time in proportion to their length', (_, text) => {
  const micros = (n: number) => {
    const bytes = Buffer.from(text(n))
    const before = process.cpuUsage()
    decodeText(bytes, { final: true })
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  micros(4096)
  // Sixteen times the bytes: quadratic time would be 256 times as long.
  expect(micros(1 << 20) / Math.max(micros(1 << 16), 4000)).toBeLessThan(80)
})
