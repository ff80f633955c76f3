import { describe, expect, test } from 'vitest'
import type { Filter, Sampling } from '../../model/filter.ts'
import { compileSchema } from '../normalise/compile.ts'
import { compileFilters } from './filters.ts'
import { all, conn, events, header, outcomes, PLACE, parser, RECEIVED } from './step.fixture.ts'

function parse(text: string, filters: readonly Filter[], sampling?: Sampling, schemas = all, logType?: string) {
  const chunk = { bytes: Buffer.from(text), place: PLACE, offset: 0, context: '', final: true, faults: [] }
  const source = { id: 'src', label: 'Source', schemas, isNamed: schemas !== all, logType }
  return parser.parse(chunk, { ...source, filters: compileFilters(filters, sampling) }, RECEIVED)
}

const lines = (...records: object[]) => records.map((one) => `${JSON.stringify(one)}\n`).join('')

describe('filters', () => {
  test('a record is counted under the first filter that leaves it out, and is neither stored nor dead-lettered', () => {
    const result = parse(
      `${lines({ ts: 1, n: 1, tags: [] }, { ts: 2, n: 2, tags: [], text: 'probe' })}not a log, but a probe\n`,
      [
        { name: 'probes', exclude: { contains: ['probe'] } },
        { name: 'small', exclude: { where: [{ field: 'n', below: 2 }] } },
        { name: 'all', exclude: { log_types: ['Zeek.Conn'] } },
      ],
    )
    expect(result.filtered).toEqual(
      new Map([
        ['small', 1],
        ['probes', 2],
      ]),
    )
    expect([result.received, events(result), result.deadLetters, result.spans]).toEqual([3, [], [], []])
  })

  test('several filters that include must all be satisfied', () => {
    const result = parse(lines({ ts: 1, n: 1, text: 'ab' }, { ts: 2, n: 2, text: 'a' }, { ts: 3, n: 3, text: 'b' }), [
      { name: 'with a', include: { matches: 'text":"a' } },
      { name: 'with b', include: { matches: 'b"' } },
    ])
    expect(events(result).map((event) => event['n'])).toEqual([1])
    expect(result.filtered).toEqual(
      new Map([
        ['with b', 1],
        ['with a', 1],
      ]),
    )
  })

  test('a filter of one log type leaves the others alone', () => {
    const result = parse(lines({ ts: 1, n: 1, tags: [] }, { ts: 2, query: 'a' }, { ts: 3, query: 'b' }), [
      { name: 'a only', include: { log_types: ['zeek.dns'], where: [{ field: 'query', in: ['a'] }] } },
    ])
    expect(outcomes(result)).toEqual(['Zeek.Conn', 'Zeek.DNS'])
  })

  test('headers are read, even if a filter fits them', () => {
    const types = '#types\ttime\tcount\tset[string]\tstring\tbool\n'
    const result = parse(`${header}${types}1.0\t1\ta\tb\tT\n2.0\t2\ta\tc\tT\n`, [{ name: 'b', include: { contains: ['\tb\t'] } }])
    expect(events(result).map((event) => event['text'])).toEqual(['b'])
    expect(result.filtered).toEqual(new Map([['b', 1]]))
  })

  test('the columns of a CSV file are known, even if a filter fits their names', () => {
    const table = compileSchema(
      { schema: 'Custom.Table', parser: { csv: { hasHeader: true } }, fields: [{ name: 'a', type: 'int', required: true }] },
      { file: 'table.yml' },
    )
    const result = parse('a\n1\n2\n', [{ name: 'twos', include: { contains: ['2'] } }], undefined, [table], 'Custom.Table')
    expect(events(result).map((event) => event['a'])).toEqual([2])
    expect(result.received).toBe(2)
  })

  test.each<[object, number[]]>([
    [{ field: 'n', in: [1, 3] }, [1, 3]],
    [{ field: 'n', above: 1, below: 3 }, [2]],
    [{ field: 'text', starts: 'a' }, [1, 2]],
    [{ field: 'text', ends: 'b' }, [2]],
    [{ field: 'text', contains: 'b' }, [2, 3]],
    [{ field: 'text', networks: ['192.0.2.0/24'] }, []],
    [{ field: 'tags', exists: true }, [3]],
    [{ field: 'tags', exists: false }, [1, 2]],
    [{ field: 'o.p', in: ['x'] }, [1]],
  ])('%j', (field, kept) => {
    const records = [
      { ts: 1, n: 1, text: 'a', o: { p: 'x' } },
      { ts: 2, n: 2, text: 'ab' },
      { ts: 3, n: 3, text: 'bc', tags: ['t'] },
    ]
    const where = [field as { field: string }]
    const named = [conn] as typeof all
    const included = parse(lines(...records), [{ name: 'f', include: { where } }], undefined, named, 'Zeek.Conn')
    const excluded = parse(lines(...records), [{ name: 'f', exclude: { where } }], undefined, named, 'Zeek.Conn')
    expect(events(included).map((event) => event['n'])).toEqual(kept)
    expect(events(excluded).map((event) => event['n'])).toEqual([1, 2, 3].filter((n) => !kept.includes(n)))
  })
})

describe('sampling', () => {
  const records = Array.from({ length: 4000 }, (_, n) => ({ ts: 1, n, tags: [] }))

  test('keeps about the share, and the same records every time', () => {
    const first = parse(lines(...records), [], { keep: 0.1 })
    const again = parse(lines(...records), [], { keep: 0.1 })
    expect(events(first).length).toBeGreaterThan(300)
    expect(events(first).length).toBeLessThan(500)
    expect(first.filtered.get('sampling')).toBe(4000 - events(first).length)
    expect(events(again)).toEqual(events(first))
  })

  test('concerns the log types that it names', () => {
    const result = parse(lines(...records, { ts: 2, query: 'a' }), [], { keep: 0.001, log_types: ['Zeek.Conn'] })
    expect(outcomes(result)).toContain('Zeek.DNS')
    expect(events(result).length).toBeLessThan(40)
  })
})
