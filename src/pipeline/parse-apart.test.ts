import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Chunk } from '../model/chunk.ts'
import { lineParser, lineSchema } from './loop.fixture.ts'
import { parseApart } from './parse-apart.ts'

const source = { id: 's', label: 's', schemas: [lineSchema], logType: undefined }

/** A parser that remembers the last header line, like Zeek's, and fails as a whole on a line `throw`. */
function attempt(chunk: Chunk) {
  const header = Buffer.from(chunk.bytes)
    .toString()
    .split('\n')
    .findLast((line) => line.startsWith('#'))
  return { ...lineParser.parse(chunk, source as never, 0), context: header ?? chunk.context }
}

const line = fc.oneof(fc.constantFrom('throw', 'bad x', '#header', ''), fc.stringMatching(/^[a-e]{1,6}$/))

test('each record at fault is a dead letter at its place; all others are the same as without it', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.boolean(), (texts, isFinal) => {
      const bytes = Buffer.from(isFinal ? texts.join('\n') : `${texts.join('\n')}\n`)
      const chunk: Chunk = {
        bytes,
        place: 'f'.repeat(16),
        offset: 7,
        context: 'before',
        final: isFinal,
        faults: [],
      }
      const results = parseApart(chunk, 's', attempt)
      let at = 7
      const wanted = texts.map((text) => {
        const offset = at
        at += text.length + 1
        return { text, offset }
      })
      const events = results.flatMap(({ groups }) => groups.flatMap((group) => group.events))
      expect(events.map((event) => [event['line'], event.p_row_id.slice(16)])).toEqual(
        wanted
          .filter(({ text }) => text !== '' && text !== 'throw' && !text.startsWith('bad'))
          .map(({ text, offset }) => [text, offset.toString(16).padStart(12, '0')]),
      )
      const internal = results.flatMap(({ deadLetters }) => deadLetters.filter(({ reason }) => reason === 'internal'))
      expect(internal.map(({ position }) => position)).toEqual(
        wanted.filter(({ text }) => text === 'throw').map(({ offset }) => `${'f'.repeat(16)}:${offset}`),
      )
      expect(results.at(-1)!.context).toBe(texts.includes('#header') ? '#header' : 'before')
    }),
    { seed: 11 },
  )
})

test('records of several lines are only split between records', () => {
  const texts = ['{\n1}', 'throw', '{\n2}', '{\n3}', 'throw']
  const begins = texts.map((_, i) => texts.slice(0, i).join(' ').length + (i > 0 ? 1 : 0))
  const pairs = texts.flatMap((text, i) => [begins[i]!, begins[i]! + text.length])
  const chunk: Chunk = {
    bytes: Buffer.from(texts.join(' ')),
    records: Uint32Array.from(pairs),
    place: 'f'.repeat(16),
    offset: 0,
    context: '',
    final: true,
    faults: [],
  }
  const read: string[] = []
  const results = parseApart(chunk, 's', ({ bytes, records, context }) => {
    const some: string[] = []
    for (let i = 0; i < records!.length; i += 2) some.push(Buffer.from(bytes.subarray(records![i], records![i + 1])).toString())
    if (some.includes('throw')) throw new Error('the parser broke')
    read.push(...some)
    return {
      received: some.length,
      groups: [],
      deadLetters: [],
      spans: [],
      context,
      filtered: new Map(),
      guessed: new Map(),
      unknownFields: new Map(),
    }
  })
  expect(read).toEqual(['{\n1}', '{\n2}', '{\n3}'])
  expect(
    results.flatMap(({ deadLetters }) => deadLetters.map(({ raw, position }) => [Buffer.from(raw).toString(), position])),
  ).toEqual([pairs[2], pairs[8]].map((offset) => ['throw', `${'f'.repeat(16)}:${offset}`]))
  expect(results.reduce((n, { received }) => n + received, 0)).toBe(5)
})
