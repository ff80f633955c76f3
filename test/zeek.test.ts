import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadPath, parseSource } from '../src/engine/path.ts'
import type { JsonObject } from '../src/model/json.ts'
import { HeaderSchemas } from '../src/stages/normalise/header-schema.ts'
import type { ParseResult } from '../src/stages/parse/parser.ts'
import { createParser } from '../src/stages/parse/step.ts'
import { blocksOf } from '../src/util/block/encode.ts'
import { readBlock } from '../src/util/block/read.ts'

const loaded = await loadPath({ content: [] })
const source = parseSource({ id: 'zeek', log_types: [] }, loaded)
const parser = createParser({ maxRecordBytes: 65_536, maxDepth: 32 })

function parse(content: string, by = source): ParseResult {
  const chunk = { place: '0123456789abcdef', offset: 0, context: '', final: true, faults: [] } as const
  return parser.parse({ ...chunk, bytes: Buffer.from(content) }, by, Date.UTC(2026, 11, 1))
}

const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures/zeek', name), 'utf8')

describe('Zeek as it is in the wild', () => {
  test.each<[name: string, logType: string, events: JsonObject[]]>([
    ['count-beyond-int64.ndjson', 'Zeek.Notice', [{ n: 18446744073709551612n, note: 'Heartbleed::SSL_Heartbeat_Many_Requests' }]],
    ['hole-in-header.log', 'Zeek.Conn', [{ uid: 'Cccc1', service: 'ssh' }]],
    [
      'epoch-millis.ndjson',
      'Zeek.Conn',
      [{ uid: 'C2', ts: '2025-11-28T10:00:00.123Z', p_event_time: '2025-11-28T10:00:00.123Z' }],
    ],
    [
      'separator-and-trailing-tab.log',
      'Zeek.HTTP',
      [
        { uid: 'Cw1', uri: '/', status_code: 200 },
        { uid: 'Cw2', uri: '/a', status_code: 404 },
      ],
    ],
    ['unset-uid.log', 'Zeek.Tunnel', [{ tunnel_type: 'Tunnel::IP', action: 'Tunnel::DISCOVER' }]],
  ])('%s is all %s', (name, logType, wanted) => {
    const { groups, deadLetters, unknownFields } = parse(fixture(name))
    expect(deadLetters).toEqual([])
    expect(groups.map(({ schema }) => schema.name)).toEqual([logType])
    expect(groups[0]!.events).toMatchObject(wanted)
    expect(unknownFields.size).toBe(0)
  })

  test('a count that wrapped around keeps its value in the row for the lake', () => {
    const { schema, events } = parse(fixture('count-beyond-int64.ndjson')).groups[0]!
    const [block] = blocksOf(events, (all, out) => schema.encode(all, out, {}))
    const at = schema.columns.findIndex(({ name }) => name === 'n')
    expect(schema.columns[at]!.kind).toBe('ubigint')
    expect(readBlock(schema.columns, block!.rows)[0]![at]).toBe(18446744073709551612n)
  })

  test.each([
    ['seconds', '1764324000.123'],
    ['milliseconds', '1764324000123'],
    ['milliseconds with a fraction', '1764324000123.0'],
    ['ISO 8601', '"2025-11-28T10:00:00.123000Z"'],
  ])('times in %s are the same times, in every field', (_, time) => {
    const record = `{"_path":"x509","ts":${time},"certificate.serial":"01","certificate.not_valid_after":${time}}`
    expect(parse(record).groups[0]!.events[0]).toMatchObject({
      ts: '2025-11-28T10:00:00.123Z',
      certificate_not_valid_after: '2025-11-28T10:00:00.123Z',
      p_event_time: '2025-11-28T10:00:00.123Z',
    })
  })

  test('fields of records in records are found under their dotted names', () => {
    const record =
      '{"_path":"smb_cmd","ts":1,"uid":"C","id.orig_h":"192.0.2.1","id.orig_p":1,"id.resp_h":"192.0.2.2","id.resp_p":445,"command":"c","referenced_file.id.orig_h":"192.0.2.9"}'
    expect(parse(record).groups[0]!.events[0]).toMatchObject({ referenced_file_id_orig_h: '192.0.2.9' })
    expect(parse(record).unknownFields.size).toBe(0)
  })
})

/** What Zeek leaves out when it does not know it (`&optional` in its record definitions), by log. */
const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  DceRpc: ['operation'],
  DNS: ['trans_id', 'query'],
  Ftp: ['command'],
  Intel: ['uid', 'id_orig_h', 'seen_indicator', 'fuid'],
  KnownCerts: ['subject'],
  LdapSearch: ['scope'],
  Modbus: ['tid'],
  Notice: ['ts', 'uid', 'id_orig_h', 'src'],
  PacketFilter: ['node'],
  Reporter: ['location'],
  Signatures: ['uid', 'src_addr'],
  SmbFiles: ['action'],
  Software: ['ts', 'name'],
  Tunnel: ['uid'],
  Weird: ['uid', 'id_orig_h'],
}

test.each(Object.entries(OPTIONAL))('Zeek.%s does not require %j', (name, fields) => {
  const { missing } = loaded.schemas.get(`Zeek.${name}`)!.fit({})
  expect(missing.filter((field) => fields.includes(field))).toEqual([])
  expect(loaded.schemas.get(`Zeek.${name}`)!.columns.map((column) => column.name)).toEqual(expect.arrayContaining([...fields]))
})

test('no schema of a Zeek log keeps a count in a signed number', () => {
  const signed = [...loaded.schemas.values()].flatMap(({ name, native, columns }) =>
    native === 'zeek' ? columns.filter(({ kind }) => kind === 'bigint').map((column) => `${name} ${column.name}`) : [],
  )
  // Zeek's `int`, each of them.
  expect(signed.sort()).toEqual([
    'Zeek.Conn inner_vlan',
    'Zeek.Conn vlan',
    'Zeek.Ldap message_id',
    'Zeek.Ldap version',
    'Zeek.LdapSearch message_id',
    'Zeek.Netcontrol priority',
  ])
})

describe('a Zeek log that no schema describes', () => {
  const head = (path: string, fields: string, types: string) =>
    `#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t${path}\n#fields\t${fields}\n#types\t${types}\n`
  const FIELDS = 'ts\tuid\tid.orig_h\tn\tok\tnames\tlast\tp_note'
  const TYPES = 'time\tstring\taddr\tcount\tbool\tset[string]\ttime\tstring'
  const ROW = '1764324000.5\tC1\t192.0.2.9\t18446744073709551615\tT\ta,b\t1764324001.0\tx\n'

  test('is kept under its own log type, with the types of its header', () => {
    const { groups, deadLetters, unknownFields } = parse(head('odd_thing', FIELDS, TYPES) + ROW)
    expect(deadLetters).toEqual([])
    const [{ schema, events }] = groups as [(typeof groups)[number]]
    expect([schema.name, schema.table]).toEqual(['Zeek.OddThing', 'zeek_oddthing'])
    expect(events).toMatchObject([
      {
        p_log_type: 'Zeek.OddThing',
        p_event_time: '2025-11-28T10:00:00.5Z',
        p_any_ip_addresses: ['192.0.2.9'],
        id_orig_h: '192.0.2.9',
        n: 18446744073709551615n,
        ok: true,
        names: ['a', 'b'],
        last: '2025-11-28T10:00:01Z',
        _p_note: 'x',
      },
    ])
    expect(unknownFields.size).toBe(0)
    const kinds = new Map(schema.columns.map(({ name, kind }) => [name, kind]))
    expect(['ts', 'id_orig_h', 'n', 'ok', 'names', 'last', '_p_note'].map((name) => kinds.get(name))).toEqual([
      'timestamp',
      'string',
      'ubigint',
      'boolean',
      'json',
      'timestamp',
      'string',
    ])
  })

  test('its rows under one header are of one schema, also in the next chunk; under another header of another', () => {
    const first = parse(head('twice', FIELDS, TYPES) + ROW).groups[0]!.schema
    expect(parse(head('twice', FIELDS, TYPES) + ROW + ROW).groups.map(({ schema }) => schema)).toEqual([first])
    const later = parse(`${head('twice', 'ts\tn\tmore', 'time\tstring\tcount')}1764324000.5\tmany\t5\n`).groups[0]!
    expect([later.schema.name, later.schema.table]).toEqual([first.name, first.table])
    // A field keeps the type that it came with first: no header turns a table's column back and forth.
    expect(later.events).toMatchObject([{ n_string: 'many', more: 5 }])
  })

  test.each<[what: string, path: string, fields: string, types: string, says: string]>([
    ['a path that is no word', '../etc', 'ts', 'time', 'not one word'],
    ['a path as long as a line', 'x'.repeat(200), 'ts', 'time', 'not one word'],
    ['an invalid field name', 'bad_a', 'ts\ta b;DROP', 'time\tstring', 'an invalid field name'],
    ['an overlong field name', 'bad_b', `ts\t${'n'.repeat(200)}`, 'time\tstring', 'an invalid field name'],
    ['too many fields', 'bad_c', Array.from({ length: 301 }, (_, i) => `f${i}`).join('\t'), 'time', 'more than the 300'],
    ['a prototype as field', 'bad_d', 'ts\t__proto__', 'time\tstring', '__proto__'],
    ['no types', 'bad_e', 'ts', '', 'has no schema'],
  ])('is a dead letter with the reason: %s', (_, path, fields, types, says) => {
    const header = types === '' ? head(path, fields, types).replace('#types\t\n', '') : head(path, fields, types)
    const { groups, deadLetters } = parse(
      `${header}${fields
        .split('\t')
        .map(() => '1')
        .join('\t')}\n`,
    )
    expect(groups).toEqual([])
    expect(deadLetters).toMatchObject([{ reason: 'unknown_log_type', message: expect.stringContaining(says) }])
  })

  test('fields that get the same name stay apart', () => {
    const { groups } = parse(`${head('same', 'ts\ta.b\ta_b\textra', 'time\tstring\tstring\tstring')}1\tx\ty\tz\n`)
    expect(groups[0]!.events).toMatchObject([{ a_b: 'x', a_b_2: 'y', _extra: 'z' }])
  })

  test('the number of log types derived from headers is bounded', () => {
    const fresh = parseSource({ id: 'fresh', log_types: [] }, { ...loaded, headerSchemas: new HeaderSchemas() })
    const results = Array.from({ length: 120 }, (_, i) => parse(`${head(`flood${i}`, 'ts', 'time')}1\n`, fresh))
    const made = results.filter(({ groups }) => groups.length > 0)
    expect(made.length).toBe(100)
    expect(results.at(-1)!.deadLetters[0]!.message).toContain('log types have been derived from headers since the start')
  })

  test('a source that names its log types takes no others', () => {
    const named = parseSource({ id: 'named', log_types: ['Zeek.Conn', 'Zeek.DNS'] }, loaded)
    expect(parse(head('odd_thing', FIELDS, TYPES) + ROW, named).deadLetters).toMatchObject([{ reason: 'unknown_log_type' }])
  })
})
