import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { Chunk } from '../model/chunk.ts'
import type { SpooledRow } from '../model/spool.ts'
import { file } from '../stages/source/file.ts'
import { fileChunks } from '../stages/source/file-chunks.ts'
import { http } from '../stages/source/http.ts'
import { streamChunks } from '../stages/source/line-stream.ts'
import { BUSY, type IntakeDeps, NOTHING_OUTSIDE } from '../stages/source/source.ts'
import { StdinIntake } from '../stages/source/stdin.ts'
import { sendNothing } from '../util/http/send.ts'
import { SpoolSource } from './spool-source.ts'

/**
 * The same bytes yield the same records in every way they can arrive: a growing file, a file or a stream of `caracal run`, an HTTP body,
 * standard input of `caracal up`.
 */
const folder = mkdtempSync(join(tmpdir(), 'caracal-same-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newPath = () => join(folder, `${++files}.log`)
const maxRecordBytes = 4096

function recordsOf(chunks: readonly Chunk[]): string[] {
  return chunks.flatMap(({ bytes, records, faults }) => {
    const text = Buffer.from(bytes)
    const found = faults.map(({ reason, length }) => `${reason} ${length}`)
    for (let i = 0; records && i < records.length; i += 2) found.push(text.toString('utf8', records[i], records[i + 1]))
    if (!records) found.push(...text.toString('utf8').split('\n'))
    return found.map((record) => record.trim()).filter((record) => record !== '')
  })
}

async function growingFile(pieces: readonly Buffer[]): Promise<string[]> {
  const path = newPath()
  const config = file.config.parse({ id: 'f', paths: [path], poll_ms: 20, idle_ms: 1000 })
  let clock = 0
  const now = () => Date.now() + clock
  const source = file.seekable!(config, { cursors: [], wake: () => {}, now, maxRecordBytes, outside: NOTHING_OUTSIDE })
  const chunks: Chunk[] = []
  const pull = async (afterMs: number) => {
    clock += afterMs
    for (let extent = await source.next(); extent; extent = await source.next()) {
      if (extent === BUSY) continue
      const first = await source.read(extent)
      chunks.push(...first)
      source.parsed(extent, '')
      // Repeated as after a crash: the same.
      expect(recordsOf(await source.read(extent))).toEqual(recordsOf(first))
    }
  }
  writeFileSync(path, '')
  for (const piece of pieces) {
    appendFileSync(path, piece)
    // The file system's clock and ours: the file was written just now.
    clock = 0
    await pull(50)
  }
  for (let i = 0; i < 3; i++) await pull(3000)
  await source.close()
  return recordsOf(chunks)
}

async function wholeFile(pieces: readonly Buffer[]): Promise<string[]> {
  const path = newPath()
  writeFileSync(path, Buffer.concat(pieces))
  return drained(fileChunks(path, { sourceId: 'run', maxRecordBytes, tell: () => {} }))
}

async function drained(all: AsyncIterable<{ chunk: Chunk; parsed: (context: string) => void }>): Promise<string[]> {
  const chunks: Chunk[] = []
  for await (const { chunk, parsed } of all) {
    chunks.push(chunk)
    parsed('')
  }
  return recordsOf(chunks)
}

const stream = (pieces: readonly Buffer[]) =>
  drained(streamChunks(Readable.from(pieces), { place: 'p', maxRecordBytes, tell: () => {} }))

/** The contents of the spool, as the pipeline reads them. */
function spool() {
  const rows: SpooledRow[] = []
  const deps: IntakeDeps = {
    append: async (body, { decoding, receivedMs }) => void rows.push({ id: rows.length + 1, decoding, receivedMs, body }),
    now: () => 1,
    authorised: () => true,
    send: sendNothing,
    secret: () => '',
  }
  const port = { next: async () => undefined, read: async () => ({ rows }), free: () => {} }
  const read = async () => {
    const extent = { kind: 'spool', epoch: 'e', from: 1, to: rows.length, receivedMs: 1 }
    return recordsOf(await new SpoolSource('s', port, []).read(extent))
  }
  return { deps, read }
}

async function body(pieces: readonly Buffer[]): Promise<string[]> {
  const { deps, read } = spool()
  const intake = await http.pushes!(http.config.parse({ id: 's' }), deps)
  const request = new Request('http://x/', {
    method: 'POST',
    body: Readable.from(pieces) as never,
    duplex: 'half',
  } as RequestInit)
  const { status } = await intake.handle!(request, '')
  expect(Buffer.concat(pieces).toString().trim() === '' ? [400] : [202]).toContain(status)
  return read()
}

async function standardInput(pieces: readonly Buffer[]): Promise<string[]> {
  const { deps, read } = spool()
  const input = new PassThrough()
  const intake = new StdinIntake(input, deps)
  for (const piece of pieces) input.write(piece)
  input.end()
  await once(input, 'close')
  await intake.close()
  return read()
}

const value = fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 2 }), { minKeys: 1, maxKeys: 4 })
const group = fc.record({
  values: fc.array(value, { minLength: 1, maxLength: 4 }),
  indent: fc.constantFrom('', '  ', '\t'),
  gap: fc.constantFrom('', '\n', ' ', '\r\n'),
  how: fc.constantFrom('lines', 'array', 'concatenated', 'sequence'),
  before: fc.constantFrom(
    '',
    '',
    '',
    `${'\0'.repeat(200)}`,
    'a line of text, [with] {brackets}\n',
    '{"cut":"off\n',
    '#fields\tts\n',
  ),
})

function textOf({ values, indent, gap, how, before }: typeof group extends fc.Arbitrary<infer T> ? T : never): string {
  if (how === 'lines') return before + values.map((v) => `${JSON.stringify(v)}\n`).join('')
  if (how === 'array') return `${before}${JSON.stringify(values, null, indent)}\n`
  if (how === 'sequence') return before + values.map((v) => `\x1e${JSON.stringify(v, null, indent)}\n`).join('')
  return `${before}${values.map((v) => JSON.stringify(v, null, indent)).join(gap)}\n`
}

test('random values, framed and cut at random, are the same records whichever way they arrive', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(group, { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat({ max: 2000 }), { maxLength: 4 }),
      async (groups, at) => {
        const bytes = Buffer.from(groups.map(textOf).join(''))
        const ends = [...new Set([...at.map((n) => 1 + (n % bytes.length)), bytes.length])].sort((a, b) => a - b)
        const pieces = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
        const expected = groups.flatMap(({ before, values }) => [
          ...before
            .split('\0')
            .join('')
            .split('\n')
            .filter((line) => line !== ''),
          ...values.map((v) => JSON.stringify(v)),
        ])
        const whole = await stream([bytes])
        expect(whole.map(compact)).toEqual(expected)
        for (const way of [stream, wholeFile, growingFile, body, standardInput]) {
          expect(await way(pieces)).toEqual(whole)
        }
      },
    ),
    { numRuns: 60, seed: 23 },
  )
})

/** JSON without the white space between its tokens; anything else unchanged. */
function compact(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return text
  }
}

const A = '{"a":1}'
describe.each([
  ['a stream of `caracal run`', stream],
  ['a file of `caracal run`', wholeFile],
  ['a growing file', growingFile],
])('%s', (_, way) => {
  const cutUp = (text: string, size: number) => {
    const bytes = Buffer.from(text)
    return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
  }
  test.each([
    ['a line', `${'x'.repeat(5_000_000)}\n${A}\n`, ['too_long 5000001', A]],
    ['an element of an array', `[${A},{"b":"${'x'.repeat(5_000_000)}"},${A}]\n${A}\n`, [A, 'too_long 5000008', A, A]],
    ['an object on several lines', `{\n"b":[\n${'"x",\n'.repeat(600_000)}1]}\n${A}\n`, ['too_long 3000011', A]],
    ['a hole', `${'\0'.repeat(3_000_000)}${A}\n${A}\n`, [A, A]],
    ['a hole behind a line that is cut off', `cut${'\0'.repeat(3_000_000)}${A}\n`, ['cut', A]],
  ])('%s of millions of bytes is passed over, what follows is read', async (_, text, records) => {
    expect(await way(cutUp(text, 1_500_000))).toEqual(records)
  })
})
