import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import type { JsonObject } from '../../src/model/json.ts'
import { DEAD_LETTER_REASONS } from '../../src/model/outcome.ts'
import { HEADER } from '../../src/stages/parse/native/native.ts'
import { textParsers } from '../../src/stages/parse/text/index.ts'
import { Miss, type TextParser, type TextParserKind, type TextReader } from '../../src/stages/parse/text/text-parser.ts'
import { stringifyJson } from '../../src/util/json.ts'
import { assertLinear, damaged, fuzzRuns } from '../support/fuzz.ts'
import type { Behaviour, Suite } from './behaviours.ts'

type Reading = ReturnType<TextReader['read']>

function parserOf(kind: TextParserKind): TextParser {
  return kind.create(kind.settings.parse(kind.example.settings))
}

/** Texts read by a sequence of readers: a new one begins before each of the places, with what the previous one remembered. */
function readAll(parser: TextParser, texts: readonly string[], places: ReadonlySet<number> = new Set()): Reading[] {
  let reader = parser.open('')
  return texts.map((text, i) => {
    if (places.has(i)) reader = parser.open(reader.context())
    return reader.read(text)
  })
}

const recordsOf = (readings: readonly Reading[]) =>
  readings.filter((one): one is JsonObject => one !== HEADER && !(one instanceof Miss))

const behaviours: readonly Behaviour<TextParserKind>[] = [
  {
    name: 'reads its example as the records that it names',
    check(kind) {
      assert.ok(kind.example.records.length > 0, 'the example has a record')
      assert.deepEqual(recordsOf(readAll(parserOf(kind), kind.example.texts)), kind.example.records)
    },
  },
  {
    name: 'continues after any text with what the previous reader remembered',
    check(kind) {
      const { texts } = kind.example
      const whole = readAll(parserOf(kind), texts)
      assert.deepEqual(readAll(parserOf(kind), texts, new Set(texts.keys())), whole)
    },
  },
  {
    name: 'never throws, and refuses with a known reason and a sentence',
    check(kind) {
      const parser = parserOf(kind)
      fc.assert(
        fc.property(damaged(kind.example.texts), (text) => {
          const reading = parser.open('').read(text)
          if (reading === HEADER) return
          if (reading instanceof Miss) {
            assert.ok(DEAD_LETTER_REASONS.includes(reading.reason))
            assert.match(reading.why, /\w+ \w+/)
          } else stringifyJson(reading)
        }),
        { numRuns: fuzzRuns(), seed: 13 },
      )
    },
  },
  {
    name: 'takes time linear in the length of the text',
    check(kind) {
      const parser = parserOf(kind)
      assertLinear((text) => parser.open('').read(text), kind.example.texts)
    },
  },
  {
    name: 'refuses keys that it does not know',
    check({ settings, example }) {
      assert.equal(settings.safeParse({ ...(example.settings as object), nonesuch: 1 }).success, false)
    },
  },
]

export const textParserSuite: Suite<TextParserKind, TextParserKind> = {
  kind: 'text parser',
  registry: textParsers,
  subjectOf: (kind) => kind,
  behaviours,
}
