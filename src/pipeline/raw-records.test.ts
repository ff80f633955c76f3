import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Chunk } from '../model/chunk.ts'
import { compileSchema } from '../stages/normalise/compile.ts'
import { createParser } from '../stages/parse/step.ts'
import { parseBatch } from './parse.ts'
import { rawText } from './raw-records.ts'

const schema = compileSchema({ schema: 'Raw.Test', fields: [{ name: 'n', type: 'int', required: true }] }, { file: 'raw.yml' })
const source = { id: 's', label: 's', schemas: [schema], logType: schema.name, isNamed: true }
const parser = createParser({ maxRecordBytes: 1 << 20, maxDepth: 10 })
const chunkOf = (place: string, text: string, offset: number, records?: Uint32Array): Chunk => ({
  bytes: Buffer.from(text),
  records,
  place,
  offset,
  context: '',
  final: true,
  faults: [],
})
/** The positions of an array's elements joined by three bytes. */
function spansOf(elements: readonly string[]): Uint32Array {
  let at = 1
  return Uint32Array.from(
    elements.flatMap((element) => {
      const from = at
      at += Buffer.byteLength(element) + 3
      return [from, at - 3]
    }),
  )
}
const PLACES = ['00000000000000aa', '00000000000000bb']

test('every event leads back to the record it was parsed from, whatever is between records', () => {
  const record = fc.record({ n: fc.nat(9), note: fc.string({ unit: 'grapheme' }) }).map((value) => JSON.stringify(value))
  const junk = fc.constantFrom('', 'no JSON', '{"n":"five"}', '  ')
  const line = fc.oneof(
    { weight: 3, arbitrary: record.map((text) => ({ text, isGood: true })) },
    junk.map((text) => ({ text, isGood: false })),
  )
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 20 }),
      fc.array(record, { maxLength: 9 }),
      fc.constantFrom('\n', '\r\n'),
      fc.nat(5000),
      (lines, elements, end, offset) => {
        const chunks = [
          chunkOf(PLACES[0]!, lines.map(({ text }) => text + end).join(''), offset),
          chunkOf(PLACES[1]!, `[${elements.join(' ,\n')}]`, 0, spansOf(elements)),
        ]
        const { groups, raw } = parseBatch(chunks, source, parser, 0)
        const found = groups.flatMap(({ events }) => events.map((event) => rawText(raw, event.p_row_id)))
        expect(found).toEqual([...lines.filter(({ isGood }) => isGood).map(({ text }) => text), ...elements])
      },
    ),
    { seed: 5, numRuns: 200 },
  )
})

test.each([
  ['x'.repeat(65_536), 65_536],
  ['x'.repeat(65_537), 65_536],
  [`${'x'.repeat(65_535)}é`, 65_535],
  [`${'x'.repeat(65_533)}😀`, 65_533],
])('a record of more than 64 KiB is cut, and at a character', (text, length) => {
  const bytes = Buffer.from(text)
  const raw = [{ place: PLACES[0]!, bytes, spans: [7, 0, bytes.length] }]
  const found = rawText(raw, `${PLACES[0]}000000000007`)!
  expect(found).toBe(text.slice(0, length))
  expect(rawText(raw, `${PLACES[0]}000000000008`)).toBeUndefined()
})
