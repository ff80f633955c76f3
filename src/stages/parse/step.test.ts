import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Chunk } from '../../model/chunk.ts'
import { DEAD_LETTER_REASONS, MAX_DEAD_LETTER_BYTES } from '../../model/outcome.ts'
import type { CompiledSchema, RecordMeta } from '../../model/schema.ts'
import { frame } from '../../util/framing.ts'
import type { ParseResult } from './parser.ts'
import { createParser } from './step.ts'

const RECEIVED = Date.UTC(2024, 3, 19, 12)
const PLACE = 'feedfacefeedface'

/** A schema by hand: what a record must have, and what it may have. Parsing knows schemas by their interface only. */
function schema(name: string, required: readonly string[], optional: readonly string[] = []): CompiledSchema {
  const known = [...required, ...optional]
  return {
    name,
    version: 0,
    table: name.toLowerCase(),
    columns: [],
    normalise(raw, meta: RecordMeta) {
      if (raw['bug']) throw new Error('a bug')
      if (raw['reject'] === name) return { kind: 'dead-letter', reason: 'wrong_type', message: `not for ${name}` }
      const missing = required.find((key) => raw[key] === undefined)
      if (missing)
        return { kind: 'dead-letter', reason: 'missing_field', message: `the field ${missing} is required and missing` }
      const { rowId, parseTime, sourceId, sourceLabel } = meta
      const standard = { p_log_type: name, p_row_id: rowId, p_event_time: parseTime, p_parse_time: parseTime }
      return {
        kind: 'ok',
        value: { ...raw, ...standard, p_source_id: sourceId, p_source_label: sourceLabel, p_schema_version: 0 },
      }
    },
    row: () => '[]',
    unknownFields: (event) => Object.keys(event).filter((key) => !known.includes(key) && !key.startsWith('p_')),
    native: name.startsWith('Zeek.') ? 'zeek' : undefined,
    mayGuess: true,
    isDescribed: true,
    fit(raw) {
      const found = known.filter((key) => key in raw)
      return {
        known: found.length,
        times: found.filter((key) => key === 'ts').length,
        telling: found.filter((key) => key !== 'ts').length,
        unknown: Object.keys(raw).filter((key) => !known.includes(key)),
        missing: required.filter((key) => !(key in raw)),
        isWhole: found.length === known.length,
      }
    },
    confirmed: () => 0,
  }
}

const conn = schema('Zeek.Conn', ['ts'], ['n', 'tags', 'text', 'flag', '_path'])
const dns = schema('Zeek.DNS', ['ts', 'query'])
const capture = schema('Zeek.CaptureLoss', ['gaps'])
const all = [conn, dns, capture, schema('Custom.Both', ['x']), schema('Custom.Other', ['x'], ['y'])]
const parser = createParser({ maxRecordBytes: 200, maxDepth: 8 })

function parse(
  content: string | Uint8Array,
  more: Partial<Chunk> = {},
  logType?: string,
  schemas: readonly CompiledSchema[] = all,
): ParseResult {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const chunk: Chunk = { bytes, place: PLACE, offset: 0, context: '', final: true, faults: [], ...more }
  return parser.parse(chunk, { id: 'src', label: 'Source', schemas, isNamed: schemas !== all, logType }, RECEIVED)
}

const events = (result: ParseResult) => result.groups.flatMap((group) => group.events)
/** What came of each record, short: the log type or the reason. */
const outcomes = (result: ParseResult) => [...events(result).map((e) => e.p_log_type), ...result.deadLetters.map((d) => d.reason)]

const header =
  '#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2024\n#fields\tts\tn\ttags\ttext\tflag\n'
const types = '#types\ttime\tcount\tset[string]\tstring\tbool\n'
const zeek = header + types

describe('JSON lines', () => {
  test.each([
    ['one object a line', '{"_path":"conn","ts":1}\n{"_path":"dns","ts":1,"query":"q"}\n', ['Zeek.Conn', 'Zeek.DNS']],
    [
      'CRLF, blank lines and a last line without newline',
      '{"_path":"conn","ts":1}\r\n\r\n  \n\n{"_path":"conn","ts":2}',
      ['Zeek.Conn', 'Zeek.Conn'],
    ],
    ['white space before the object', '  {"_path":"conn","ts":1}', ['Zeek.Conn']],
    ['a path of two words', '{"_path":"capture_loss","gaps":1}', ['Zeek.CaptureLoss']],
    ['the stream name that streaming writers give', '{"@stream":"conn","ts":1}', ['Zeek.Conn']],
    ['a path without schema', '{"_path":"conn_summary","ts":1}', ['unknown_log_type']],
    ['a path that is no word', '{"_path":"__proto__","ts":1}', ['unknown_log_type']],
    ['an array', '[1,2]', ['wrong_type']],
    ['a string', '"x"', ['wrong_type']],
    ['numbers and words', '1.5\ntrue\nnull', ['wrong_type', 'wrong_type', 'wrong_type']],
    ['a cut object', '{"_path":"conn","ts":', ['invalid_json']],
    ['a number out of range', '{"_path":"conn","ts":1e999}', ['wrong_type']],
    ['deep nesting', `{"_path":"conn","ts":${'['.repeat(8)}${']'.repeat(8)}}`, ['too_deep']],
    ['a missing field', '{"_path":"dns","ts":1}', ['missing_field']],
    ['prose', 'Connection closed by peer', ['not_a_log']],
    ['prose that begins with a digit', '10 servers were found', ['not_a_log']],
    ['a table without header', '1713484795.943239\tC1\t192.0.2.1\t80\n1713484795.943239|C1', ['no_header', 'no_header']],
    ['a failing schema', '{"_path":"conn","ts":1,"bug":1}\n{"_path":"conn","ts":2}', ['Zeek.Conn', 'internal']],
  ])('%s', (_, content, expected) => {
    const result = parse(content)
    expect(outcomes(result)).toEqual(expected)
    expect(result.received).toBe(expected.length)
    for (const { message } of result.deadLetters) expect(message.length).toBeGreaterThan(30)
  })

  test('row ids are the place and the byte offset, also behind characters of several bytes', () => {
    const result = parse('{"_path":"conn","ts":"é"}\n{"_path":"conn","ts":2}\nprose\n', { offset: 0x1_0000_fff0 })
    expect(events(result).map((e) => e.p_row_id)).toEqual([`${PLACE}00010000fff0`, `${PLACE}00010001000b`])
    expect(result.deadLetters[0]).toMatchObject({
      position: `${PLACE}:${0x1_0000_fff0 + 51}`,
      rowId: `${PLACE}000100010023`,
      source: 'src',
    })
  })

  test('a byte order mark at the beginning of a file is no part of the record', () => {
    expect(outcomes(parse('\ufeff{"_path":"conn","ts":1}\n'))).toEqual(['Zeek.Conn'])
  })

  test('a line that is not UTF-8 is refused alone, with its bytes', () => {
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

test('a record with fields beyond number costs little and says so', () => {
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
  return parse(bytes, { records: frame(bytes, { isStart: true, final: true }).records, ...more })
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
    ['an array that is cut off', '[{"_path":"conn","ts":1},{"_path"', ['Zeek.Conn', 'invalid_json']],
    ['an array followed by something', '[{"_path":"conn","ts":1}] x', ['Zeek.Conn', 'not_a_log']],
    ['an array with a comma too many', '[{"_path":"conn","ts":1},]', ['Zeek.Conn']],
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
    ['of the greatest length', 0, ['Zeek.Conn', 'Zeek.Conn']],
    ['one byte longer', 1, ['Zeek.Conn', 'too_long']],
  ])('an element %s', (_, more, expected) => {
    const element = (text: string) => `{"_path":"conn","ts":1,"text":"${text}"}`
    const text = 'x'.repeat(200 - element('').length + more)
    expect(outcomes(framed(`[${element('')},${element(text)}]`))).toEqual(expected)
  })

  test('a bad byte spoils its element only', () => {
    const bytes = Buffer.from('[{"_path":"conn","ts":"\xff"},{"_path":"conn","ts":1}]', 'latin1')
    expect(outcomes(framed(bytes))).toEqual(['Zeek.Conn', 'invalid_utf8'])
  })
})

describe('log type', () => {
  test('what the user says comes before what the record says', () => {
    expect(outcomes(parse('{"_path":"dns","ts":1}', {}, 'Zeek.Conn'))).toEqual(['Zeek.Conn'])
    expect(outcomes(parse('{"_path":"dns","ts":1}', {}, 'zeek.conn'))).toEqual(['Zeek.Conn'])
    expect(outcomes(parse('{"_path":"dns","ts":1}', {}, 'Zeek.Nothing'))).toEqual(['unknown_log_type'])
  })

  test('without either the schema with its required fields, fewest unknown and most known fields is taken', () => {
    expect(outcomes(parse('{"x":1,"y":2}\n{"ts":1,"query":"q"}\n{"nothing":1}\n{}'))).toEqual([
      'Custom.Other',
      'Zeek.DNS',
      'unknown_log_type',
      'unknown_log_type',
    ])
  })

  test('when the best one refuses the record, the next one gets it', () => {
    const both = [schema('Custom.Both', ['x', 'y']), schema('Custom.Other', ['x'], ['y', 'reject'])]
    expect(outcomes(parse('{"x":1,"y":2,"reject":"Custom.Other"}', {}, undefined, both))).toEqual(['Custom.Both'])
  })

  test('of equal ones the log type of the record before decides, also across chunks; without one nothing is guessed', () => {
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

  test('guesses are counted apart from what records or their source say', () => {
    const mixed = '{"_path":"dns","ts":1,"query":"q"}\n{"ts":1,"query":"q"}\n{"x":1,"y":2}\n{"ts":1,"query":"r"}\n'
    expect([...parse(mixed).guessed]).toEqual([
      ['Zeek.DNS', 2],
      ['Custom.Other', 1],
    ])
    expect(parse('{"ts":1,"query":"q"}\n', {}, 'Zeek.DNS').guessed.size).toBe(0)
  })

  test('a source with one schema gives that schema’s reason', () => {
    expect(outcomes(parse('{"a":1}', {}, 'Zeek.DNS', [dns]))).toEqual(['missing_field'])
  })
})

describe('Zeek TSV', () => {
  test('types, unset, empty, sets and escapes', () => {
    const row = '1713484795.943239\t18446744073709551615\ta\\x2cb,-,(empty)\ttab\\x09 caf\\xc3\\xa9 \\\\x41 \\xff\\x00 é\tT'
    const result = parse(`${zeek}${row}\n1\t-\t(empty)\t(empty)\tF\n1\t5\t-\t\\x2d\t-\n1\t1\tx\t\\x28empty)\tx\n`)
    expect(events(result).map(({ ts, n, tags, text, flag }) => ({ ts, n, tags, text, flag }))).toEqual([
      {
        ts: '1713484795.943239',
        n: 18446744073709551615n,
        tags: ['a,b', null, ''],
        text: 'tab\t café \\x41 \\xff\\x00 é',
        flag: true,
      },
      { ts: '1', n: undefined, tags: [], text: '', flag: false },
      { ts: '1', n: 5, tags: undefined, text: '-', flag: undefined },
      { ts: '1', n: 1, tags: ['x'], text: '(empty)', flag: 'x' },
    ])
  })

  test.each([
    [
      'another separator',
      '#separator |\n#set_separator|;\n#unset_field|NONE\n#path|conn\n#fields|ts|n|tags\n#types|time|count|set[string]\n1|NONE|a;b\n',
    ],
    [
      'a separator of two characters',
      '#separator ||\n#set_separator||;\n#path||conn\n#fields||ts||n||tags\n#types||time||count||set[string]\n1||-||a;b\n',
    ],
    [
      'an escaped separator',
      '#separator \\x7c\n#set_separator|\\x3b\n#path|conn\n#fields|ts|n|tags\n#types|time|count|set[string]\n1|-|a;b\n',
    ],
    [
      'lines of another tool before the header',
      '### Baseline data\n#separator ;\n#path;conn\n#fields;ts;n;tags\n#types;time;count;set[string]\n1;-;a,b\n',
    ],
  ])('%s', (_, content) => {
    expect(events(parse(content)).map(({ ts, n, tags }) => ({ ts, n, tags }))).toEqual([
      { ts: '1', n: undefined, tags: ['a', 'b'] },
    ])
  })

  test.each([
    ['a cut row', `${zeek}1\t2\t`, ['truncated']],
    ['a row with a column too many', `${zeek}1\t2\tx\ty\tT\tz\n`, ['truncated']],
    ['rows before the header', `1713484795.9\ta\tb\tc\n${zeek}1\t2\tx\ty\tT\n`, ['Zeek.Conn', 'no_header']],
    ['a header alone', `${zeek}#close\t2024\n`, []],
    ['rows after #close', `${zeek}#close\t2024\n1\t2\tx\ty\tT\n`, ['Zeek.Conn']],
    [
      'another header in the middle',
      `${zeek}1\t2\tx\ty\tT\n#separator \\x09\n#path\tdns\n#fields\tts\tquery\n#types\ttime\tstring\n1\tq\n`,
      ['Zeek.Conn', 'Zeek.DNS'],
    ],
    ['JSON among the rows', `${zeek}{"_path":"dns","ts":1,"query":"q"}\n1\t2\tx\ty\tT\n`, ['Zeek.DNS', 'Zeek.Conn']],
    ['a row that begins with a brace', `${zeek}{\t2\tx\ty\tT\n`, ['Zeek.Conn']],
    ['a header without types', `${header}1\t2\tx\ty\tT\n`, ['Zeek.Conn']],
    ['an unknown path', '#separator \\x09\n#path\tother\n#fields\tts\n1\n', ['unknown_log_type']],
    ['no path', '#separator \\x09\n#fields\tts\tquery\n1\tq\n', ['Zeek.DNS']],
  ])('%s', (_, content, expected) => {
    expect(outcomes(parse(content))).toEqual(expected)
  })

  test.each(['\\x09', '\\X09', '\\t', '\t', 'TAB', '0x09', '"\\x09"', '\\x09\t', '\\x09 '])(
    '#separator %j is a tab',
    (spelling) => {
      const lines = zeek.replace('#separator \\x09', `#separator ${spelling}`)
      expect(events(parse(`${lines}1\t5\ta,b\t-\tT\n`))).toMatchObject([{ ts: '1', n: 5, tags: ['a', 'b'], flag: true }])
    },
  )

  test('an empty column too many is no column, one with a value is', () => {
    const ended = zeek.replaceAll('\n', '\t\n').replace('\\x09\t', '\\x09')
    for (const head of [zeek, ended])
      for (const end of ['', '\t', '\t\t\t']) {
        const result = parse(`${head}1\t5\t-\tx\tT${end}\n`)
        expect(events(result)).toMatchObject([{ p_log_type: 'Zeek.Conn', ts: '1', n: 5, text: 'x', flag: true }])
        expect(Object.keys(events(result)[0]!)).not.toContain('')
      }
    expect(outcomes(parse(`${zeek}1\t5\t-\tx\tT\t\tz\n`))).toEqual(['truncated'])
    expect(outcomes(parse(`${ended}1\t5\t-\tx\n`))).toEqual(['truncated'])
  })

  test('a hole in the header is a column without a name: its cells are dropped when empty, kept otherwise', () => {
    const holed = '#separator \\x09\n#path\tconn\n#fields\tts\t\tn\t\n#types\ttime\t\tcount\t\n'
    const [empty, full] = events(parse(`${holed}1\t\t5\t\n2\tssh\t6\n`))
    expect(empty).toMatchObject({ ts: '1', n: 5 })
    expect(Object.entries(empty!).filter(([key, value]) => value !== undefined && !/^(ts|n|p_.*)$/.test(key))).toEqual([])
    expect(full).toMatchObject({ ts: '2', column_2: 'ssh', n: 6 })
  })

  test('a header whose separator does not split its fields is the reason, not a field that is missing', () => {
    const result = parse('#separator |\n#path|conn\n#fields|ts\tn\ttext\n#types|time\tcount\tstring\n1\t2\tx\n')
    expect(outcomes(result)).toEqual(['no_header'])
    expect(result.deadLetters[0]!.message).toContain('#separator is "|", which does not split #fields ("ts\\tn\\ttext")')
  })

  test('columns of one name do not hide each other, and none reaches a prototype', () => {
    const result = parse('#separator \\x09\n#path\tconn\n#fields\tts\tts\t__proto__\n#types\ttime\ttime\tstring\n1\t2\tx\n')
    expect(events(result)[0]).toMatchObject({ ts: '1', ts_2: '2' })
    expect(Object.getPrototypeOf(events(result)[0]!)).toBe(Object.prototype)
  })

  test('header lines and short rows in turn do not pay for a wide header each time', () => {
    const micros = (fields: number) => {
      const header = ['#separator \\x09', `#fields\t${Array.from({ length: fields }, (_, i) => `c${i}`).join('\t')}`]
      const turns = Array.from({ length: 500 }, (_, i) => `#path\tp${i}\na`)
      const bytes = Buffer.from([...header, ...turns].join('\n'))
      const wide = createParser({ maxRecordBytes: 100_000, maxDepth: 8 })
      const chunk: Chunk = { bytes, place: PLACE, offset: 0, context: '', final: true, faults: [] }
      const before = process.cpuUsage()
      const result = wide.parse(chunk, { id: 's', label: 's', schemas: all, isNamed: false, logType: undefined }, RECEIVED)
      const { user, system } = process.cpuUsage(before)
      expect(result.deadLetters.map(({ reason }) => reason)).toEqual(turns.map(() => 'truncated'))
      return user + system
    }
    micros(2)
    expect(micros(2000) / Math.max(micros(10), 5000)).toBeLessThan(15)
  })

  test('a header beyond any measure is not in force', () => {
    const wide = `#separator \\x09\n#fields\t${'x\t'.repeat(40_000)}\n1\t2\t3\t4\n`
    const chunk: Chunk = {
      bytes: Buffer.from(wide),

      place: PLACE,
      offset: 0,
      context: '',
      final: true,
      faults: [],
    }
    const source = { id: 'src', label: 'Source', schemas: all, isNamed: false, logType: undefined }
    const result = createParser({ maxRecordBytes: 1024 * 1024, maxDepth: 8 }).parse(chunk, source, RECEIVED)
    expect(outcomes(result)).toEqual(['no_header'])
    expect(result.context).toBe('')
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

  test('a file cut into chunks at any lines gives the same events and dead letters', () => {
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

  test('never throws; received is events plus dead letters; every row id is there once', () => {
    const binary = fc.oneof(content, fc.uint8Array({ maxLength: 400 }))
    fc.assert(
      fc.property(binary, fc.boolean(), (bytes, isFramed) => {
        const result = isFramed ? framed(bytes) : parse(bytes)
        expect(result.received).toBe(events(result).length + result.deadLetters.length)
        const ids = [...events(result).map((e) => e.p_row_id), ...result.deadLetters.map((d) => d.rowId)]
        expect(new Set(ids).size).toBe(ids.length)
        for (const { reason } of result.deadLetters) expect(DEAD_LETTER_REASONS).toContain(reason)
        expect(result.deadLetters.some(({ reason }) => reason === 'internal')).toBe(false)
      }),
      { seed: 4848, numRuns: 300 },
    )
  })
})
