import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Chunk } from '../../model/chunk.ts'
import { MAX_DEAD_LETTER_BYTES } from '../../model/outcome.ts'
import { compileSchema } from '../../stages/normalise/compile.ts'
import type { ParseSource } from '../../stages/parse/parser.ts'
import { createParser } from '../../stages/parse/step.ts'
import { internalLetter } from '../internal-letter.ts'
import { parseBatch } from '../parse.ts'
import { DEAD_LETTERS, deadLetterRow } from '../rows.ts'
import type { Parsed } from '../steps.ts'
import { CUT, LETTER_COLUMNS, lettersPage } from './letters.ts'

const RECEIVED = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const parser = createParser({ maxRecordBytes: 10_000_000, maxDepth: 100 })

/** A schema with one field that is required or optional. */
function sourceOf(name: string, required: boolean, native?: string): ParseSource {
  const fields = [
    { name: 'ts', type: 'timestamp', timeFormats: ['unix'], isEventTime: true },
    { name: 'uid', type: 'string', required },
    { name: 'note', type: 'string' },
  ]
  const schema = compileSchema(
    { schema: name, fields, ...(native && { parser: { native: { name: native } } }) },
    { file: 'x.yml' },
  )
  return { id: 'web', label: 'Web', schemas: [schema], isNamed: true, logType: native ? undefined : name }
}

/** Letters as the lake returns them. */
function rowsOf({ deadLetters }: Pick<Parsed, 'deadLetters'>): string[] {
  return deadLetters.map((letter) => {
    const values = deadLetterRow(letter, '2026-01-02T03:09:00Z')
    return JSON.stringify(
      LETTER_COLUMNS.map((name) => values[DEAD_LETTERS.columns.findIndex((column) => column.name === name)] ?? null),
    )
  })
}

const page = (rows: readonly string[]) => lettersPage('r', rows, 0, parser)

/** The events of a whole file or body with the strict schema and after the fix, and those of its letters alone. */
function replayed(chunks: readonly Chunk[], strict: ParseSource, fixed: ParseSource) {
  const rows = rowsOf(parseBatch(chunks, strict, parser, RECEIVED))
  const whole = parseBatch(chunks, fixed, parser, RECEIVED)
  const found = rows.length > 0 ? page(rows) : undefined
  const alone = found && parseBatch(found.chunks, fixed, found.parser, Date.UTC(2027, 0, 1))
  return { rows, whole, found, alone }
}

const eventsOf = ({ groups }: Parsed) => groups.flatMap(({ events }) => events)

const chunk = (text: string, more: Partial<Chunk> = {}): Chunk => ({
  bytes: Buffer.from(text),
  place: 'feedfacefeedface',
  offset: 1_000_000,
  context: '',
  final: true,
  faults: [],
  ...more,
})

const HEADER =
  '#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tthing\n#fields\tts\tuid\tnote\n#types\ttime\tstring\tstring\n'

type Line = { readonly hasUid: boolean; readonly note: string }
const line = fc.record({ hasUid: fc.boolean(), note: fc.string({ unit: 'grapheme', maxLength: 12 }) })
const member = ({ hasUid, note }: Line, n: number) =>
  JSON.stringify({ ts: 1_700_000_000 + n, note, ...(hasUid && { uid: `u${n}` }) })

describe('a dead letter alone, after a fix, becomes the event that its record would have been', () => {
  const check = (chunks: readonly Chunk[], strict: ParseSource, fixed: ParseSource, expected: number) => {
    const { whole, alone, found } = replayed(chunks, strict, fixed)
    if (expected === 0) return expect(found).toBeUndefined()
    const byId = new Map(eventsOf(whole).map((event) => [event.p_row_id, event]))
    const events = eventsOf(alone!)
    expect(events.length).toBe(expected)
    for (const event of events) expect(event).toEqual(byId.get(event.p_row_id))
    expect([...found!.letters.keys()].sort()).toEqual(events.map(({ p_row_id }) => p_row_id).sort())
  }

  test('of JSON lines', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const text = lines.map(member).join('\n')
        const missing = lines.filter(({ hasUid }) => !hasUid).length
        check([chunk(text)], sourceOf('Custom.Thing', true), sourceOf('Custom.Thing', false), missing)
      }),
    )
  })

  test('of a Zeek log, whose header is far before it', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const cell = (text: string) => text.replace(/[\t\n\r\\]/g, '_') || '(empty)'
        const rows = lines.map(({ hasUid, note }, n) => `${1_700_000_000 + n}.5\t${hasUid ? `u${n}` : '-'}\t${cell(note)}\n`)
        const missing = lines.filter(({ hasUid }) => !hasUid).length
        const [strict, fixed] = [true, false].map((required) => sourceOf('Zeek.Thing', required, 'zeek')) as [
          ParseSource,
          ParseSource,
        ]
        check([chunk(HEADER + rows.join(''))], strict, fixed, missing)
      }),
    )
  })

  test('of a body that says more of its records than their bytes do', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (lines) => {
        const texts = lines.map(member)
        const records = new Uint32Array(2 * texts.length)
        let at = 0
        texts.forEach((text, i) => {
          records.set([at, at + Buffer.byteLength(text)], 2 * i)
          at += Buffer.byteLength(text)
        })
        const hints = [
          { from: records[2 * (lines.length >> 1)]!, hints: { host: 'door', sourceLabel: 'Door', time: '2026-01-01T00:00:00Z' } },
        ]
        const missing = lines.filter(({ hasUid }) => !hasUid).length
        check(
          [chunk(texts.join(''), { records, hints })],
          sourceOf('Custom.Thing', true),
          sourceOf('Custom.Thing', false),
          missing,
        )
      }),
    )
  })
})

test('fields that a sender has nested as deep as it may do not stop a replay', () => {
  const deep = JSON.parse(`${'['.repeat(101)}${']'.repeat(101)}`)
  const records = Uint32Array.of(0, 2)
  const letter = parseBatch(
    [chunk('{}', { records, hints: [{ from: 0, hints: { fields: { deep } } }] })],
    sourceOf('Custom.Thing', true),
    parser,
    RECEIVED,
  )
  expect(page(rowsOf(letter)).chunks[0]!.hints).toEqual([{ from: 0, hints: { fields: { deep } } }])
})

test('an event that could not be finished is replayed as its original record, with its row id and receive time', () => {
  const source = sourceOf('Custom.Thing', false)
  const whole = parseBatch([chunk(member({ hasUid: true, note: 'x' }, 1))], source, parser, RECEIVED)
  const [event] = eventsOf(whole)
  event!['p_enrichment'] = { tor: { '192.0.2.1': {} } }
  const found = page(rowsOf({ deadLetters: [internalLetter(event!, 'web', new Error('x'))] }))
  const [again] = eventsOf(parseBatch(found.chunks, source, found.parser, 0))
  expect(again).toEqual({ ...event, p_enrichment: undefined })
})

test('a letter whose record was truncated is skipped', () => {
  const long = JSON.stringify({ ts: 1, note: 'x'.repeat(MAX_DEAD_LETTER_BYTES) })
  const rows = rowsOf(
    parseBatch([chunk(`${long}\n${member({ hasUid: false, note: '' }, 2)}`)], sourceOf('Custom.Thing', true), parser, RECEIVED),
  )
  const { aside, letters, chunks, next } = page(rows)
  expect([...aside]).toEqual([[CUT, 1]])
  expect([letters.size, chunks.length]).toEqual([1, 1])
  expect(next.after).toEqual({ time: new Date(RECEIVED).toISOString(), rowId: JSON.parse(rows.at(-1)!)[1] })
})
