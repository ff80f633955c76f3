import { describe, expect, test } from 'vitest'
import type { Chunk } from '../../model/chunk.ts'
import { all, events, header, outcomes, PLACE, parse, RECEIVED, zeek } from './step.fixture.ts'
import { createParser } from './step.ts'

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
    ['a row with an extra column', `${zeek}1\t2\tx\ty\tT\tz\n`, ['truncated']],
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

  test('an extra column is ignored if it is empty, but not if it has a value', () => {
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

  test('the reason is a header whose separator does not split its fields, not a missing field', () => {
    const result = parse('#separator |\n#path|conn\n#fields|ts\tn\ttext\n#types|time\tcount\tstring\n1\t2\tx\n')
    expect(outcomes(result)).toEqual(['no_header'])
    expect(result.deadLetters[0]!.message).toContain('#separator is "|", which does not split #fields ("ts\\tn\\ttext")')
  })

  test('columns with the same name do not hide each other, and none reaches a prototype', () => {
    const result = parse('#separator \\x09\n#path\tconn\n#fields\tts\tts\t__proto__\n#types\ttime\ttime\tstring\n1\t2\tx\n')
    expect(events(result)[0]).toMatchObject({ ts: '1', ts_2: '2' })
    expect(Object.getPrototypeOf(events(result)[0]!)).toBe(Object.prototype)
  })

  test('alternating header lines and short rows do not recompile a wide header each time', () => {
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

  test('an absurdly long header is ignored', () => {
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
