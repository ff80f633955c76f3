import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadPath, parseSource } from '../src/engine/path.ts'
import type { JsonObject } from '../src/model/json.ts'
import type { ParseResult } from '../src/stages/parse/parser.ts'
import { createParser } from '../src/stages/parse/step.ts'

const loaded = await loadPath({ content: [] })
const source = parseSource({ id: 'zeek', log_types: [] }, loaded)
const parser = createParser({ maxRecordBytes: 65_536, maxDepth: 32 })

function parse(content: string): ParseResult {
  const chunk = { framing: 'lines', place: '0123456789abcdef', offset: 0, context: '', final: true, faults: [] } as const
  return parser.parse({ ...chunk, bytes: Buffer.from(content) }, source, Date.UTC(2026, 11, 1))
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
    expect(schema.row(events[0]!)).toContain(',18446744073709551612,')
    expect(schema.columns.find(({ name }) => name === 'n')!.kind).toBe('ubigint')
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
