import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadPath, parseSource } from '../src/engine/path.ts'
import type { JsonObject, JsonValue } from '../src/model/json.ts'
import type { ParseResult } from '../src/stages/parse/parser.ts'
import { createParser } from '../src/stages/parse/step.ts'
import { parseJson, stringifyJson } from '../src/util/json.ts'

const root = join(import.meta.dirname, '..')
const loaded = await loadPath({ content: [] })
const parser = createParser({ maxRecordBytes: 65_536, maxDepth: 32 })
const sources = new Map<string, ReturnType<typeof parseSource>>()

function parse(lines: readonly string[], logTypes: readonly string[] = []): ParseResult {
  const key = logTypes.join()
  const source = sources.get(key) ?? parseSource({ id: 'any', log_types: logTypes }, loaded)
  sources.set(key, source)
  const bytes = Buffer.from(`${lines.join('\n')}\n`)
  const place = '0123456789abcdef'
  return parser.parse({ bytes, place, offset: 0, context: '', final: true, faults: [] }, source, Date.UTC(2026, 11, 1))
}

function exactJson(text: string): JsonValue {
  const result = parseJson(text, { maxDepth: 32 })
  if (result.kind !== 'ok') throw new Error(result.message)
  return result.value
}

const typesOf = (result: ParseResult) => [
  ...result.groups.map(({ schema }) => schema.name),
  ...new Set(result.deadLetters.map(({ reason }) => reason)),
]

const foreign = readFileSync(join(root, 'test/fixtures/foreign.ndjson'), 'utf8').trimEnd().split('\n')

/** What shows the log type of a record that a shipped schema describes. */
const RECOGNISED: readonly [part: string, logType: string][] = [
  ['"columns":', 'Osquery.Differential'],
  ['"event_type":"dns"', 'Suricata.DNS'],
  ['"event_type":"http"', 'Suricata.HTTP'],
  ['"eventVersion":', 'AWS.CloudTrail'],
  ['"auditID":', 'Kubernetes.Audit'],
  ['"TargetUserName":', 'Windows.FlatEventLogs'],
  ['"alternateId":', 'Okta.SystemLog'],
  ['"__REALTIME_TIMESTAMP":', 'Linux.Journal'],
  ['"output_fields":', 'Falco.Alert'],
  ['"body_bytes_sent":', 'Nginx.Access'],
]

describe('records of other programs', () => {
  test.each(foreign)('%s is no Zeek log', (line) => {
    const result = parse([line])
    const known = RECOGNISED.find(([part]) => line.includes(part))?.[1]
    expect(typesOf(result)).toEqual([known ?? 'unknown_log_type'])
    if (known === undefined) expect(result.deadLetters[0]!.message).toContain('does not say what it is')
  })

  test('the message names the nearest schemas and why each does not fit', () => {
    const logTypes = ['Zeek.Software', 'Zeek.Ssl', 'Zeek.Weird']
    const [letter] = parse(['{"ts":1789470153.2,"name":"cron","user":"root"}'], logTypes).deadLetters
    expect(letter!.message).toContain('Closest: Zeek.Weird: 1 of 3 fields are not in the schema (user).')
    expect(letter!.message).toContain('Zeek.Software: the record lacks host;')
  })

  test.each(foreign)('%s belongs to neither of the two log types that its source names', (line) => {
    expect(typesOf(parse([line], ['Zeek.LoadedScripts', 'Zeek.SmbMapping']))).not.toContain('Zeek.SmbMapping')
    if (line !== '{"name":"foo"}')
      expect(typesOf(parse([line], ['Zeek.LoadedScripts', 'Zeek.SmbMapping']))).toEqual(['unknown_log_type'])
  })

  test('nor does it belong to the only log type that its source names', () => {
    const [letter] = parse([foreign[0]!], ['Zeek.LoadedScripts']).deadLetters
    expect(letter).toMatchObject({ reason: 'unknown_log_type' })
    expect(letter!.message).toContain('its source or body says that the record is of type Zeek.LoadedScripts')
  })

  test('field names common to all kinds of logs are not evidence, however many there are', () => {
    const names = 'ts time name user host path msg message level status action operation service node source id version'.split(
      ' ',
    )
    const value = fc.oneof(fc.constantFrom('a', 'web1', 'GET /', '/etc/passwd'), fc.integer(), fc.boolean())
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value, { minKeys: 1 }), (record) => {
        expect(typesOf(parse([JSON.stringify(record)])).filter((name) => name.startsWith('Zeek.'))).toEqual([])
      }),
      { seed: 15, numRuns: 500 },
    )
  })
})

describe('what two programs write alike', () => {
  test('is refused with the line to add to the configuration', () => {
    const [letter] = parse(['192.0.2.1 - - [19/Apr/2024:10:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8.5.0"']).deadLetters
    expect(letter).toMatchObject({ reason: 'unknown_log_type' })
    expect(letter!.message).toContain("Add `log_types: [Apache.AccessCombined]` or `log_types: [Nginx.Access]` to source 'any'")
  })
})

describe('fields that shippers add', () => {
  const bare = { Timestamp: undefined, requestMethod: 'GET', remoteAddr: '192.0.2.1', status: 200 }
  const added = {
    '@timestamp': '2026-11-30T10:00:00Z',
    '@version': '1',
    host: 'web1',
    _index: 'logs',
    agent: {},
    ecs: {},
    log: {},
  }

  test('do not count against a guess', () => {
    const record = { ...bare, ...added }
    const types = typesOf(parse([JSON.stringify(bare)]))
    expect(types).toEqual(['Nginx.Access'])
    expect(typesOf(parse([JSON.stringify(record)]))).toEqual(types)
  })

  test('are evidence of nothing', () => {
    expect(typesOf(parse([JSON.stringify(added)]))).toEqual(['unknown_log_type'])
  })
})

const samples = join(root, 'packs/zeek/samples')
/** Log types that are never guessed, only taken from the record itself. */
const NEVER_GUESSED: ReadonlySet<string> = new Set(
  [...loaded.schemas.values()].filter(({ mayGuess }) => !mayGuess).map(({ name }) => name),
)

describe('Zeek records without _path', () => {
  const files = readdirSync(samples).filter((name) => name.endsWith('.expected.ndjson'))

  test.each(files)('those of %s are of their log type', (file) => {
    const events = readFileSync(join(samples, file), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => exactJson(line) as JsonObject)
    const wanted = [...new Set(events.map((event) => event['p_log_type'] as string))].filter((name) => !NEVER_GUESSED.has(name))
    if (wanted.length === 0) return
    const lines = events.map((event) =>
      stringifyJson(Object.fromEntries(Object.entries(event).filter(([key]) => !/^(p_|_path$|_write_ts$)/.test(key)))),
    )
    const result = parse(lines)
    expect(typesOf(result)).toEqual(wanted)
    expect([...result.guessed]).toEqual(wanted.map((name) => [name, events.length]))
  })

  test('a record that fits several log types has that of the previous one in the same body, or none', () => {
    const bare = '{"ts":1789470153,"uid":"C1","id.orig_h":"192.0.2.1","id.orig_p":1,"id.resp_h":"192.0.2.2","id.resp_p":445}'
    const ntlm = bare.replace('}', ',"username":"bob","domainname":"EXAMPLE"}')
    expect(typesOf(parse([bare]))).toEqual(['unknown_log_type'])
    expect(typesOf(parse([ntlm, bare]))).toEqual(['Zeek.Ntlm'])
    expect(typesOf(parse([bare.replace('{', '{"_path":"kerberos",'), bare]))).toEqual(['Zeek.Kerberos'])
  })

  test('a script is recognised by its file, a host by its address', () => {
    expect(typesOf(parse(['{"name":"/opt/zeek/share/zeek/base/init-bare.zeek"}']))).toEqual(['Zeek.LoadedScripts'])
    expect(typesOf(parse(['{"ts":1789470153,"host":"192.0.2.1"}']))).toEqual(['Zeek.KnownHosts'])
  })
})

describe('records wrapped in an object that is named after their log', () => {
  const inner =
    '{"ts":1789470153,"uid":"C1","id.orig_h":"192.0.2.1","id.orig_p":1,"id.resp_h":"192.0.2.2","id.resp_p":80,"method":"GET","trans_depth":1}'

  test('have that log type, which does not count as a guess', () => {
    const result = parse([`{"http":${inner}}`])
    expect(typesOf(result)).toEqual(['Zeek.HTTP'])
    expect(result.groups[0]!.events[0]).toMatchObject({ uid: 'C1', id_orig_h: '192.0.2.1' })
    expect(result.guessed.size).toBe(0)
    expect(typesOf(parse([`{"http":${inner}}`], ['Zeek.HTTP']))).toEqual(['Zeek.HTTP'])
  })
})
