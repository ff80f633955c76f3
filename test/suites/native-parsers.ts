import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import type { JsonObject } from '../../src/model/json.ts'
import { nativeParsers } from '../../src/stages/parse/native/index.ts'
import { HEADER, type NativeParser } from '../../src/stages/parse/native/native.ts'
import type { Behaviour, Suite } from './behaviours.ts'

/** 1,000 cases here; a long run sets more. */
export const FUZZ_RUNS = Number(process.env['FUZZ_RUNS'] ?? 1000)

/** Texts of the format with parts cut out, doubled and mixed, and texts of any other kind. */
export function damaged(texts: readonly string[]): fc.Arbitrary<string> {
  const known = fc.constantFrom(...texts)
  const place = fc.nat(400)
  return fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.string({ maxLength: 400 }),
    fc
      .tuple(known, place, place, fc.string({ maxLength: 6 }))
      .map(([text, from, to, more]) => text.slice(0, from) + more + text.slice(to)),
    fc.tuple(known, known, place).map(([a, b, at]) => a.slice(0, at) + b),
    fc
      .tuple(known, place, fc.nat(50))
      .map(([text, at, times]) => text.slice(0, at) + text.slice(at, at + 3).repeat(times) + text.slice(at)),
  )
}

/** Sixteen times the text takes about sixteen times the processor time; quadratic would be 256 times. */
export function assertLinear(parse: (text: string) => unknown, texts: readonly string[]): void {
  const micros = (text: string) => {
    const before = process.cpuUsage()
    parse(text)
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  for (const text of texts) {
    for (const part of [text, text.slice(0, 3), ' ', '"', '\\', '=', '[', '%', 'a']) {
      const of = (length: number) => (text + part.repeat(length / part.length + 1)).slice(0, length)
      const [short, long] = [of(1 << 12), of(1 << 16)]
      micros(short)
      // What else the process does counts against one attempt, not against all.
      const isLinear = [1, 2, 3].some(() => micros(long) / Math.max(micros(short), 400) < 80)
      assert.ok(isLinear, `takes time out of proportion to a text with many ${JSON.stringify(part.slice(0, 40))}`)
    }
  }
}

const behaviours: readonly Behaviour<NativeParser>[] = [
  {
    name: 'reads its example as the records that it names',
    check({ example, parse }) {
      const records = example.texts.map((text) => parse(text)).filter((one): one is JsonObject => typeof one === 'object')
      assert.ok(records.length > 0, 'the example has a record')
      assert.deepEqual(records, example.records)
    },
  },
  {
    name: 'leaves prose and JSON alone',
    check({ parse }) {
      for (const text of ['prose that is no log at all', '{"a":1}', '[{"a":1}]', '', ' ']) assert.equal(parse(text), undefined)
    },
  },
  {
    name: 'never throws, and returns values that are text, numbers, or made of them',
    check({ example, parse }) {
      fc.assert(
        fc.property(damaged(example.texts), (text) => {
          const record = parse(text)
          if (record !== undefined && record !== HEADER) JSON.stringify(record)
        }),
        { numRuns: FUZZ_RUNS, seed: 12 },
      )
    },
  },
  {
    name: 'takes time linear in the length of the text',
    check({ example, parse }) {
      assertLinear(parse, example.texts)
    },
  },
  {
    name: 'keeps nothing from one text for the next',
    check({ example, parse }) {
      const first = example.texts.map((text) => parse(text))
      const again = [...example.texts].reverse().map((text) => parse(text))
      assert.deepEqual(again.reverse(), first)
    },
  },
  {
    name: 'lets no name reach a prototype',
    check({ example, parse }) {
      for (const text of example.texts) {
        for (const name of example.records.flatMap(Object.keys)) parse(text.replaceAll(name, '__proto__'))
      }
      assert.equal('polluted' in {}, false)
      assert.deepEqual(Object.keys(Object.prototype), [])
    },
  },
]

export const nativeParserSuite: Suite<NativeParser, NativeParser> = {
  kind: 'native parser',
  registry: nativeParsers,
  subjectOf: (parser) => parser,
  behaviours,
}
