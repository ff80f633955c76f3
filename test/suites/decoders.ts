import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import type { HintsFrom } from '../../src/model/chunk.ts'
import { decodeBody, decodeText } from '../../src/stages/source/decoders/decode.ts'
import type { Decoder } from '../../src/stages/source/decoders/decoder.ts'
import { decoders } from '../../src/stages/source/decoders/index.ts'
import type { TextState } from '../../src/stages/source/decoders/text-walk.ts'
import { assertLinear, damagedBytes, fuzzRuns } from '../support/fuzz.ts'
import type { Behaviour, Suite } from './behaviours.ts'

/** A decoder together with the others, since a body may contain several formats in turn. */
export interface DecoderSubject {
  readonly decoder: Decoder
  readonly among: readonly Decoder[]
}

interface Found {
  readonly text: string
  /** Offset of its first byte, white space included. */
  readonly offset: number
}

/** How a source stores that its bodies are for this decoder. */
function decodingOf({ type, example }: Decoder): string {
  return example.stream === undefined ? type : `${type}?${example.stream}`
}

/** The records of a whole body. Throws if it is invalid. */
function recordsOf({ decoder, among }: DecoderSubject, body: Uint8Array): Found[] {
  const decoded = decodeBody(body, decodingOf(decoder), among)
  if ('broken' in decoded) throw new Error(`the body is broken: ${decoded.broken}`)
  const found = foundIn(Buffer.from(decoded.bytes), decoded.records, 0)
  assert.equal(found.length, decoded.count, 'count is the number of records')
  return found
}

/** The records of text that arrives in pieces: an incomplete record waits for the next piece. */
function recordsOfPieces({ among, decoder }: DecoderSubject, pieces: readonly Uint8Array[]): Found[] {
  const { stream } = decoder.example
  const found: Found[] = []
  let state: TextState = 'lines'
  let held = Buffer.alloc(0)
  let offset = 0
  for (const [i, piece] of pieces.entries()) {
    held = Buffer.concat([held, piece])
    const final = i === pieces.length - 1
    const decoded = decodeText(held, { state, stream, isStart: offset === 0, final }, among)
    found.push(...foundIn(held.subarray(0, decoded.end), decoded.records, offset))
    state = decoded.state
    offset += decoded.end
    held = held.subarray(decoded.end)
  }
  assert.equal(held.length, 0, 'nothing is left over at the end')
  return found
}

function foundIn(bytes: Buffer, records: Uint32Array | undefined, offset: number): Found[] {
  const found: Found[] = []
  if (records) {
    for (let i = 0; i < records.length; i += 2) {
      assert.ok(records[i]! >= (records[i - 1] ?? 0), 'records are in order and apart')
      assert.ok(records[i + 1]! <= bytes.length, 'records are within the bytes')
      found.push({ text: trimmed(bytes.toString('utf8', records[i], records[i + 1])), offset: offset + records[i]! })
    }
    return found
  }
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(10, at)
    const end = newline < 0 ? bytes.length : newline
    const text = trimmed(bytes.toString('utf8', at, end))
    if (text !== '') found.push({ text, offset: offset + at })
    at = end + 1
  }
  return found
}

/** Without the white space that may be around a record: that of JSON. A vertical tab alone on a line is a record. */
function trimmed(text: string): string {
  return text.replace(/^[ \t\r\n]+/, '').replace(/(?<![ \t\r\n])[ \t\r\n]+$/, '')
}

function assertOrdered(hints: readonly HintsFrom[] = []): void {
  const places = hints.map(({ from }) => from)
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  )
}

function bodyOf({ decoder }: DecoderSubject): Buffer {
  return Buffer.from(decoder.example.body as string)
}

const behaviours: readonly Behaviour<DecoderSubject>[] = [
  {
    name: 'splits its example into the records that it names',
    check(subject) {
      const texts = recordsOf(subject, bodyOf(subject)).map(({ text }) => text)
      assert.deepEqual(texts, subject.decoder.example.records)
    },
  },
  {
    name: 'keeps the last record when nothing follows it',
    check(subject) {
      if (subject.decoder.kind !== 'text') return
      const texts = recordsOf(subject, Buffer.from(bodyOf(subject).toString().trimEnd())).map(({ text }) => text)
      assert.deepEqual(texts, subject.decoder.example.records)
    },
  },
  {
    name: 'finds no record in nothing',
    check({ among, decoder }) {
      const decoded = decodeBody(new Uint8Array(), decodingOf(decoder), among)
      assert.ok('broken' in decoded || decoded.count === 0)
    },
  },
  {
    name: 'gives the same bytes and records for the same body, whenever it is asked',
    check(subject) {
      const body = bodyOf(subject)
      const decode = () => decodeBody(Buffer.from(body), decodingOf(subject.decoder), subject.among)
      const first = decode()
      decodeBody(Buffer.concat([body, body]), decodingOf(subject.decoder), subject.among)
      assert.deepEqual(decode(), first)
    },
  },
  {
    name: 'finds the same records at the same places wherever the bytes are split',
    check(subject) {
      if (subject.decoder.kind !== 'text') return
      const body = bodyOf(subject)
      const whole = recordsOf(subject, body)
      for (let at = 0; at <= body.length; at++)
        assert.deepEqual(recordsOfPieces(subject, [body.subarray(0, at), body.subarray(at)]), whole)
      assert.deepEqual(
        recordsOfPieces(
          subject,
          Array.from(body, (byte) => Buffer.of(byte)),
        ),
        whole,
      )
    },
  },
  {
    name: 'goes on behind any number of records as if it had not stopped',
    check(subject) {
      if (subject.decoder.kind !== 'text') return
      const body = bodyOf(subject)
      const whole = recordsOf(subject, body)
      const found: Found[] = []
      let state: TextState = 'lines'
      for (let at = 0; at < body.length; ) {
        const { stream } = subject.decoder.example
        const options = { state, stream, isStart: at === 0, final: true, maxRecords: 1 }
        const decoded = decodeText(body.subarray(at), options, subject.among)
        assert.ok(decoded.end > 0, 'every run is longer than nothing')
        found.push(...foundIn(body.subarray(at, at + decoded.end), decoded.records, at))
        at += decoded.end
        state = decoded.state
      }
      assert.deepEqual(found, whole)
    },
  },
  {
    name: 'lets the lines behind its example alone',
    check(subject) {
      if (subject.decoder.kind !== 'text') return
      const texts = recordsOf(subject, Buffer.concat([bodyOf(subject), Buffer.from('\nnext line\nlast line\n')]))
      assert.deepEqual(
        texts.map(({ text }) => text),
        [...subject.decoder.example.records, 'next line', 'last line'],
      )
    },
  },
  {
    name: 'never throws, whatever the bytes, and says why a body is not in its format',
    check(subject) {
      // Most damage is to the format's own body; what belongs to another decoder is damage, too.
      const own = bodyOf(subject)
      const bodies = [own, own, ...subject.among.map(({ example }) => Buffer.from(example.body as string))]
      fc.assert(
        fc.property(damagedBytes(bodies), (body) => {
          const decoded = decodeBody(body, decodingOf(subject.decoder), subject.among)
          if ('broken' in decoded) {
            assert.match(decoded.broken, /\w+ \w+/)
            return
          }
          const found = foundIn(Buffer.from(decoded.bytes), decoded.records, 0)
          assert.equal(found.length, decoded.count, 'count is the number of records')
          assertOrdered(decoded.hints)
        }),
        { numRuns: fuzzRuns(), seed: 7 },
      )
    },
  },
  {
    name: 'takes time linear in the length of the body',
    check({ decoder, among }) {
      const body = Buffer.from(decoder.example.body as string).toString('latin1')
      assertLinear((text) => decodeBody(Buffer.from(text, 'latin1'), decodingOf(decoder), among), [body])
    },
  },
  {
    name: 'finds the same records in damaged text wherever the bytes are split',
    check(subject) {
      if (subject.decoder.kind !== 'text') return
      fc.assert(
        fc.property(damagedBytes([bodyOf(subject)]), fc.array(fc.nat(400), { maxLength: 3 }), (body, cuts) => {
          const ends = [...new Set([...cuts.filter((cut) => cut < body.length), body.length])].sort((a, b) => a - b)
          const pieces = ends.map((end, i) => body.subarray(ends[i - 1] ?? 0, end))
          assert.deepEqual(recordsOfPieces(subject, pieces), recordsOf(subject, body))
        }),
        { numRuns: fuzzRuns(), seed: 8 },
      )
    },
  },
  {
    name: 'gives hints in order, and only beside a list of records',
    check({ among, decoder }) {
      const decoded = decodeBody(Buffer.from(decoder.example.body as string), decodingOf(decoder), among)
      if ('broken' in decoded || !decoded.hints) return
      assert.ok(decoded.records, 'hints need a list of records')
      assertOrdered(decoded.hints)
    },
  },
]

/** The decoders with one replacing the registered one of its name, or placed before all others. */
export function amongOthers(decoder: Decoder): DecoderSubject {
  const isKnown = decoders.some(({ type }) => type === decoder.type)
  const among = isKnown ? decoders.map((one) => (one.type === decoder.type ? decoder : one)) : [decoder, ...decoders]
  return { decoder, among }
}

export const decoderSuite: Suite<Decoder, DecoderSubject> = {
  kind: 'decoder',
  registry: decoders,
  subjectOf: amongOthers,
  behaviours,
}
