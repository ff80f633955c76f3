import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import type { JsonObject } from '../../src/model/json.ts'
import { DEAD_LETTER_REASONS } from '../../src/model/outcome.ts'
import type { Format, Reading } from '../../src/stages/parse/format.ts'
import { formats } from '../../src/stages/parse/index.ts'
import { assertLinear, damaged, fuzzRuns } from '../support/fuzz.ts'
import type { Behaviour, Suite } from './behaviours.ts'

const OPTIONS = { maxDepth: 64 }

/** Lines read by a sequence of readers: a new one begins after each of the places, with the state of the previous one. */
function readAll(format: Format, lines: readonly string[], places: ReadonlySet<number> = new Set()): (Reading | undefined)[] {
  let reader = format.open('', OPTIONS)
  return lines.map((line, i) => {
    if (places.has(i)) reader = format.open(reader.context(), OPTIONS)
    return reader.read(line)
  })
}

function recordsOf(readings: readonly (Reading | undefined)[]): JsonObject[] {
  return readings.flatMap((reading) =>
    reading?.kind === 'record'
      ? [Object.fromEntries(Object.entries(reading.raw).filter(([, value]) => value !== undefined))]
      : [],
  ) as JsonObject[]
}

const behaviours: readonly Behaviour<Format>[] = [
  {
    name: 'reads its example as the records that it names',
    check(format) {
      assert.deepEqual(recordsOf(readAll(format, format.example.lines)), format.example.records)
    },
  },
  {
    name: 'continues after any line with what the previous reader remembered',
    check(format) {
      const { lines } = format.example
      const whole = readAll(format, lines)
      for (let i = 0; i <= lines.length; i++) assert.deepEqual(readAll(format, lines, new Set([i])), whole)
      assert.deepEqual(readAll(format, lines, new Set(lines.keys())), whole)
    },
  },
  {
    name: 'leaves lines of other formats alone',
    check(format) {
      for (const other of formats.filter(({ type }) => type !== format.type)) {
        const claimed = other.example.lines.filter((line) => format.open('', OPTIONS).read(line)?.kind === 'record')
        assert.deepEqual(claimed, [])
      }
      assert.equal(format.open('', OPTIONS).read('prose that is no log at all'), undefined)
    },
  },
  {
    name: 'never throws, and refuses with a known reason and a sentence',
    check(format) {
      const { lines } = format.example
      // Whole lines between damaged ones: a header has to be valid for the rows under it to be read at all.
      const line = fc.oneof(fc.constantFrom(...lines), damaged(lines))
      fc.assert(
        fc.property(fc.array(line, { maxLength: 12 }), (mixed) => {
          for (const reading of readAll(format, mixed, new Set([3]))) {
            if (reading?.kind === 'record')
              JSON.stringify(reading.raw, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
            if (reading?.kind !== 'dead-letter') continue
            assert.ok(DEAD_LETTER_REASONS.includes(reading.reason), `${reading.reason} is a reason`)
            assert.match(reading.message, /\w+ \w+/)
          }
        }),
        { numRuns: fuzzRuns(), seed: 11 },
      )
    },
  },
  {
    name: 'takes time linear in the length of the line',
    check(format) {
      const { lines } = format.example
      assertLinear((line) => readAll(format, [...lines, line]), lines)
    },
  },
  {
    name: 'lets a damaged record spoil no other',
    check(format) {
      const { lines, records } = format.example
      const last = lines.at(-1)!
      const damaged = [...lines.slice(0, -1), last.slice(0, last.length / 2), last]
      const found = recordsOf(readAll(format, damaged))
      assert.deepEqual([found.slice(0, records.length - 1), found.at(-1)], [records.slice(0, -1), records.at(-1)])
    },
  },
  {
    name: 'remembers a bounded text, however much it reads',
    check(format) {
      const reader = format.open('', OPTIONS)
      const { lines } = format.example
      for (let i = 0; i < 6000; i++) reader.read(`${lines[i % lines.length]!}${i}`)
      assert.ok(reader.context().length < 128 * 1024)
    },
  },
  {
    name: 'lets no key reach a prototype',
    check(format) {
      for (const line of format.example.lines) {
        for (const name of format.example.records.flatMap(Object.keys)) readAll(format, [line.replace(name, '__proto__'), line])
      }
      readAll(format, ['{"__proto__":{"polluted":1}}'])
      assert.equal('polluted' in {}, false)
    },
  },
]

export const logFormatSuite: Suite<Format, Format> = {
  kind: 'log format',
  registry: formats,
  subjectOf: (format) => format,
  behaviours,
}
