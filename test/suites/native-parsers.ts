import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import type { JsonObject } from '../../src/model/json.ts'
import { nativeParsers } from '../../src/stages/parse/native/index.ts'
import { HEADER, type NativeParser } from '../../src/stages/parse/native/native.ts'
import { stringifyJson } from '../../src/util/json.ts'
import { assertLinear, damaged, fuzzRuns } from '../support/fuzz.ts'
import type { Behaviour, Suite } from './behaviours.ts'

/** Without the keys whose value is not there. */
function present(record: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
}

const behaviours: readonly Behaviour<NativeParser>[] = [
  {
    name: 'reads its example as the records that it names',
    check({ example, parse }) {
      const records = example.texts.map((text) => parse(text)).filter((one): one is JsonObject => typeof one === 'object')
      assert.ok(records.length > 0, 'the example has a record')
      assert.deepEqual(records.map(present), example.records)
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
          if (record !== undefined && record !== HEADER) stringifyJson(record)
        }),
        { numRuns: fuzzRuns(), seed: 12 },
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
