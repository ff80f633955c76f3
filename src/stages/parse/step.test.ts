import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fuzzRuns } from '../../../test/support/fuzz.ts'
import type { Chunk } from '../../model/chunk.ts'
import { DEAD_LETTER_REASONS, MAX_DEAD_LETTER_BYTES } from '../../model/outcome.ts'
import { decodeText } from '../source/decoders/decode.ts'
import type { ParseResult } from './parser.ts'
import { all, dns, events, header, outcomes, PLACE, parse, RECEIVED, schema, zeek } from './step.fixture.ts'
import { createParser } from './step.ts'

describe('JSON lines', () => {
  test.each([
    ['one object per line', '{"_path":"conn","ts":1}\n{"_path":"dns","ts":1,"query":"q"}\n', ['Zeek.Conn', 'Zeek.DNS']],
    [
      'CRLF, blank lines and a last line without a newline',
      '{"_path":"conn","ts":1}\r\n\r\n  \n\n{"_path":"conn","ts":2}',
      ['Zeek.Conn', 'Zeek.Conn'],
    ],
    ['white space before the object', '  {"_path":"conn","ts":1}', ['Zeek.Conn']],
    ['a path of two words', '{"_path":"capture_loss","gaps":1}', ['Zeek.CaptureLoss']],
    ['the stream name that streaming writers give', '{"@stream":"conn","ts":1}', ['Zeek.Conn']],
    ['a path without a schema', '{"_path":"conn_summary","ts":1}', ['unknown_log_type']],
    ['a path that is not a word', '{"_path":"__proto__","ts":1}', ['unknown_log_type']],
    ['an array', '[1,2]', ['wrong_type']],
    ['a string', '"x"', ['wrong_type']],
    ['numbers and words', '1.5\ntrue\nnull', ['wrong_type', 'wrong_type', 'wrong_type']],
    ['a cut object', '{"_path":"conn","ts":', ['invalid_json']],
    ['a number out of range', '{"_path":"conn","ts":1e999}', ['wrong_type']],
    ['deep nesting', `{"_path":"conn","ts":${'['.repeat(8)}${']'.repeat(8)}}`, ['too_deep']],
    ['a missing field', '{"_path":"dns","ts":1}', ['missing_field']],
    ['prose', 'Connection closed by peer', ['not_a_log']],
    ['a message whose program is in brackets', '[notice] workerEnv.init() ok', ['not_a_log']],
    ['a message whose time is in brackets', '[2024-04-19 12:00:01] ok', ['not_a_log']],
    ['a cut array', '[1', ['invalid_json']],
    ['prose that begins with a digit', '10 servers were found', ['not_a_log']],
    ['a table without a header', '1713484795.943239\tC1\t192.0.2.1\t80\n1713484795.943239|C1', ['no_header', 'no_header']],
    ['a failing schema', '{"_path":"conn","ts":1,"bug":1}\n{"_path":"conn","ts":2}', ['Zeek.Conn', 'internal']],
  ])('%s', (_, content, expected) => {
    const result = parse(content)
    expect(outcomes(result)).toEqual(expected)
    expect(result.received).toBe(expected.length)
    for (const { message } of result.deadLetters) expect(message.length).toBeGreaterThan(30)
  })

  test('the lines of a long chunk have their own byte offsets, however they lie', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 150 }), { minLength: 700, maxLength: 900 }), fc.boolean(), (lengths, isAscii) => {
        const lines = lengths.map((n, i) => `{"_path":"conn","ts":${i},"text":"${'x'.repeat(n)}"}`)
        const text = `${lines.join('\n')}\n${isAscii ? '' : '{"_path":"conn","ts":"é"}'}`
        const { spans, groups } = parse(text)
        expect(groups[0]!.events.slice(0, lines.length).map(({ ts }) => ts)).toEqual(lines.map((_, i) => i))
        for (let i = 0, at = 0; i < lines.length; at += lines[i++]!.length + 1)
          expect(spans.slice(i * 3, i * 3 + 3)).toEqual([at, at, at + lines[i]!.length])
      }),
      { seed: 4848, numRuns: 10 },
    )
  })

  test('row ids are the place and the byte offset, even after multi-byte characters', () => {
    const result = parse('{"_path":"conn","ts":"é"}\n{"_path":"conn","ts":2}\nprose\n', { offset: 0x1_0000_fff0 })
    expect(events(result).map((e) => e.p_row_id)).toEqual([`${PLACE}00010000fff0`, `${PLACE}00010001000b`])
    expect(result.deadLetters[0]).toMatchObject({
      position: `${PLACE}:${0x1_0000_fff0 + 51}`,
      rowId: `${PLACE}000100010023`,
      source: 'src',
    })
  })

  test('a byte order mark at the beginning of a file is not part of the record', () => {
    expect(outcomes(parse('\ufeff{"_path":"conn","ts":1}\n'))).toEqual(['Zeek.Conn'])
  })

  test('a line that is not UTF-8 is rejected alone, with its bytes', () => {
    const bad = Buffer.from('{"_path":"conn","ts":"\xff"}', 'latin1')
    const result = parse(
      Buffer.concat([Buffer.from('{"_path":"conn","ts":"é"}\n'), bad, Buffer.from('\n{"_path":"conn","ts":2}')]),
    )
    expect(outcomes(result)).toEqual(['Zeek.Conn', 'Zeek.Conn', 'invalid_utf8'])
    expect(events(result)[0]?.['ts']).toBe('é')
    expect(result.deadLetters[0]).toMatchObject({ length: bad.length, sha256: createHash('sha256').update(bad).digest('hex') })
    expect(Buffer.from(result.deadLetters[0]!.raw)).toEqual(bad)
  })

  test('a line over the limit is refused with its length and its first bytes', () => {
    const long = 'x'.repeat(MAX_DEAD_LETTER_BYTES + 10)
    const result = parse(`${long}\n{"_path":"conn","ts":1}`)
    expect(outcomes(result)).toEqual(['Zeek.Conn', 'too_long'])
    expect(result.deadLetters[0]).toMatchObject({ length: long.length, sha256: createHash('sha256').update(long).digest('hex') })
    expect(result.deadLetters[0]!.raw).toHaveLength(MAX_DEAD_LETTER_BYTES)
  })

  test('unknown fields are counted by log type and name', () => {
    const result = parse('{"_path":"conn","ts":1,"new":1}\n{"_path":"conn","ts":1,"new":2,"other":null}')
    expect([...result.unknownFields]).toEqual([
      ['Zeek.Conn\tnew', 2],
      ['Zeek.Conn\tother', 1],
    ])
  })
})

test('a record with a huge number of fields is cheap to reject, with a reason', () => {
  const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`k${i}`, 1])))
  const bytes = Buffer.from(`${wide}\n${wide.replace('{', '{"_path":"conn","ts":1,')}\n`)
  const chunk: Chunk = { bytes, place: PLACE, offset: 0, context: '', final: true, faults: [] }
  const source = { id: 'src', label: 'Source', schemas: all, isNamed: false, logType: undefined }
  const result = createParser({ maxRecordBytes: 1024 * 1024, maxDepth: 8 }).parse(chunk, source, RECEIVED)
  expect(outcomes(result)).toEqual(['Zeek.Conn', 'unknown_log_type'])
  expect(result.unknownFields.size).toBe(1001)
  expect(result.unknownFields.get('Zeek.Conn\t…')).toBe(2000)
})

/** The chunk's records as sources find them. */
const framed = (content: string | Uint8Array, more: Partial<Chunk> = {}) => {
  const bytes = Buffer.from(content as string)
  return parse(bytes, { records: decodeText(bytes, { isStart: true, final: true }).records, ...more })
}

describe('records that are not lines', () => {
  test('their row ids are their byte offsets', () => {
    const result = framed(' [ {"_path":"conn","ts":1}, 5 ,{"_path":"conn","ts":"é"} ] ', { offset: 13 })
    expect(outcomes(result)).toEqual(['Zeek.Conn', 'Zeek.Conn', 'wrong_type'])
    expect(events(result).map((e) => e.p_row_id)).toEqual([`${PLACE}000000000010`, `${PLACE}00000000002c`])
  })

  test.each([
    ['an array on several lines', '[\n  {\n    "_path": "conn",\n    "ts": 1\n  }\n]', ['Zeek.Conn']],
    ['an object on several lines with white space before it', '\r\n\r \t{"_path":"conn",\n"ts":1}', ['Zeek.Conn']],
    ['a truncated array', '[{"_path":"conn","ts":1},{"_path"', ['Zeek.Conn', 'invalid_json']],
    ['an array followed by something', '[{"_path":"conn","ts":1}] x', ['Zeek.Conn', 'not_a_log']],
    ['an array with an extra comma', '[{"_path":"conn","ts":1},]', ['Zeek.Conn']],
    ['an empty array', '[]', []],
    [
      'an element over the limit',
      `[{"_path":"conn","ts":1},{"_path":"conn","ts":1,"text":"${'x'.repeat(200)}"},{"_path":"conn","ts":2}]`,
      ['Zeek.Conn', 'Zeek.Conn', 'too_long'],
    ],
    [
      'an element that nests too deep',
      `[{"_path":"conn","ts":1},{"_path":"conn","ts":${'['.repeat(9)}${']'.repeat(9)}}]`,
      ['Zeek.Conn', 'too_deep'],
    ],
  ])('%s', (_, content, expected) => {
    expect(outcomes(framed(content))).toEqual(expected)
  })

  test.each([
    ['of the maximum length', 0, ['Zeek.Conn', 'Zeek.Conn']],
    ['one byte longer', 1, ['Zeek.Conn', 'too_long']],
  ])('an element %s', (_, more, expected) => {
    const element = (text: string) => `{"_path":"conn","ts":1,"text":"${text}"}`
    const text = 'x'.repeat(200 - element('').length + more)
    expect(outcomes(framed(`[${element('')},${element(text)}]`))).toEqual(expected)
  })

  test('a bad byte only affects its own element', () => {
    const bytes = Buffer.from('[{"_path":"conn","ts":"\xff"},{"_path":"conn","ts":1}]', 'latin1')
    expect(outcomes(framed(bytes))).toEqual(['Zeek.Conn', 'invalid_utf8'])
  })
})

describe('log type', () => {
  test('the user’s log type takes precedence over the record’s', () => {
    expect(outcomes(parse('{"_path":"dns","ts":1}', {}, 'Zeek.Conn'))).toEqual(['Zeek.Conn'])
    expect(outcomes(parse('{"_path":"dns","ts":1}', {}, 'zeek.conn'))).toEqual(['Zeek.Conn'])
    expect(outcomes(parse('{"_path":"dns","ts":1}', {}, 'Zeek.Nothing'))).toEqual(['unknown_log_type'])
  })

  test('without either, the schema with all required, the fewest unknown and the most known fields is chosen', () => {
    expect(outcomes(parse('{"x":1,"y":2}\n{"ts":1,"query":"q"}\n{"nothing":1}\n{}'))).toEqual([
      'Custom.Other',
      'Zeek.DNS',
      'unknown_log_type',
      'unknown_log_type',
    ])
  })

  test('if the best one refuses the record, the next one is tried', () => {
    const both = [schema('Custom.Both', ['x', 'y']), schema('Custom.Other', ['x'], ['y', 'reject'])]
    expect(outcomes(parse('{"x":1,"y":2,"reject":"Custom.Other"}', {}, undefined, both))).toEqual(['Custom.Both'])
  })

  test('a tie is decided by the log type of the previous record, even across chunks; otherwise nothing is guessed', () => {
    const twins = [schema('Custom.A', ['x'], ['reject']), schema('Custom.B', ['x'], ['reject'])]
    const lines = '{"x":1,"reject":"Custom.A"}\n{"x":2,"reject":null}\n'
    for (let i = 0; i < 2; i++) {
      const result = parse(lines, {}, undefined, twins)
      expect(outcomes(result)).toEqual(['Custom.B', 'Custom.B'])
      expect(outcomes(parse('{"x":2,"reject":null}', { context: result.context }, undefined, twins))).toEqual(['Custom.B'])
    }
    const alone = parse('{"x":2,"reject":null}', {}, undefined, twins)
    expect(outcomes(alone)).toEqual(['unknown_log_type'])
    expect(alone.deadLetters[0]!.message).toContain('fits Custom.A and Custom.B equally well')
  })

  test('guesses are counted separately', () => {
    const mixed = '{"_path":"dns","ts":1,"query":"q"}\n{"ts":1,"query":"q"}\n{"x":1,"y":2}\n{"ts":1,"query":"r"}\n'
    expect([...parse(mixed).guessed]).toEqual([
      ['Zeek.DNS', 2],
      ['Custom.Other', 1],
    ])
    expect(parse('{"ts":1,"query":"q"}\n', {}, 'Zeek.DNS').guessed.size).toBe(0)
  })

  test('a source with one schema reports that schema’s reason', () => {
    expect(outcomes(parse('{"a":1}', {}, 'Zeek.DNS', [dns]))).toEqual(['missing_field'])
  })
})

describe('faults of the source', () => {
  test('become dead letters and count as received', () => {
    const fault = {
      reason: 'compression',
      message: 'broken',
      offset: 77,
      length: 5,
      sha256: 'ab',
      raw: new Uint8Array([1]),
    } as const
    const result = parse('{"_path":"conn","ts":1}\n', { faults: [fault] })
    expect(result.received).toBe(2)
    expect(result.deadLetters).toEqual([
      {
        reason: 'compression',
        message: 'broken',
        source: 'src',
        position: `${PLACE}:77`,
        length: 5,
        sha256: 'ab',
        raw: fault.raw,
        rowId: `${PLACE}00000000004d`,
        receivedMs: RECEIVED,
      },
    ])
  })
})

describe('any bytes', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      zeek,
      header,
      '#fields\tts\n',
      '#close\n',
      '{"_path":"conn","ts":1}\n',
      '1\t2\tx\ty\tT\n',
      '{\n',
      '\n',
      '\r\n',
      '[1]\n',
    ),
    fc.string().map((text) => `${text}\n`),
  )
  const content = fc.array(piece, { maxLength: 12 }).map((pieces) => Buffer.from(pieces.join('')))

  test('a file split into chunks at any lines yields the same events and dead letters', () => {
    fc.assert(
      fc.property(content, fc.array(fc.nat(), { maxLength: 4 }), (bytes, cuts) => {
        const whole = parse(bytes)
        const ends = [...new Set([...cuts.map((cut) => bytes.indexOf(10, cut % (bytes.length + 1)) + 1), bytes.length])].sort(
          (a, b) => a - b,
        )
        let context = ''
        let start = 0
        const parts: ParseResult[] = []
        for (const end of ends) {
          parts.push(parse(bytes.subarray(start, end), { offset: start, context }))
          context = parts.at(-1)!.context
          start = end
        }
        const byRow = (list: readonly { p_row_id: string }[]) => [...list].sort((a, b) => (a.p_row_id < b.p_row_id ? -1 : 1))
        expect(byRow(parts.flatMap(events))).toEqual(byRow(events(whole)))
        expect(parts.flatMap((part) => part.deadLetters)).toEqual(whole.deadLetters)
        expect(parts.reduce((sum, part) => sum + part.received, 0)).toBe(whole.received)
      }),
      { seed: 4848, numRuns: 300 },
    )
  })

  test('never throws; received is events plus dead letters, one for each record of the decoder; row ids are unique', () => {
    const odd = fc.array(fc.constantFrom(' ', '\t', '\v', '\f', '\u00a0', '\ufeff', '\r', '\n', 'a'), { maxLength: 12 })
    const binary = fc.oneof(
      content,
      fc.uint8Array({ maxLength: 400 }),
      odd.map((parts) => Buffer.from(parts.join(''))),
    )
    fc.assert(
      fc.property(binary, fc.boolean(), (bytes, isFramed) => {
        const result = isFramed ? framed(bytes) : parse(bytes)
        expect(result.received).toBe(events(result).length + result.deadLetters.length)
        // Lines that begin with # are headers, which are no records.
        if (isFramed && !bytes.includes(0x23))
          expect(result.received).toBe(decodeText(bytes, { isStart: true, final: true }).count)
        const ids = [...events(result).map((e) => e.p_row_id), ...result.deadLetters.map((d) => d.rowId)]
        expect(new Set(ids).size).toBe(ids.length)
        for (const { reason } of result.deadLetters) expect(DEAD_LETTER_REASONS).toContain(reason)
        expect(result.deadLetters.some(({ reason }) => reason === 'internal')).toBe(false)
      }),
      { seed: 4848, numRuns: fuzzRuns() },
    )
  })
})
