import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { runWith } from './support/cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-schema-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const env = { XDG_CACHE_HOME: join(folder, 'cache') }
const file = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

test('a schema is inferred from a compressed sample, and reads it', async () => {
  const log = '{"at":"2024-04-19T12:00:01Z","door":7}\n{"at":"2024-04-19T12:00:02Z","door":8}\n'
  const sample = file('front-door.log.gz', gzipSync(log))
  const inferred = await runWith(env, ['schema', 'infer', sample])
  expect(inferred).toEqual({
    code: 0,
    out: `schema: Custom.FrontDoor
fields:
- {name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true, required: true}
- {name: door, type: bigint}
`,
    err: `Custom.FrontDoor: 2 fields from 2 records of JSON
checked: the schema reads every record of the sample
`,
  })
  const schema = file('door.yml', inferred.out)
  const other = file('other.log', `${log}{"at":"2024-04-19T12:00:03Z","door":"attic","battery":1}\n`)
  const parsed = await runWith(env, ['schema', 'parse', schema, sample, other])
  expect(parsed.code).toBe(1)
  expect(parsed.out.split('\n')).toHaveLength(5)
  expect(JSON.parse(parsed.out.split('\n')[0]!)).toMatchObject({ p_log_type: 'Custom.FrontDoor', door: 7 })
  expect(parsed.err).toMatch(/^wrong_type: field 'door'.*\n {2}\{"at".*\n5 records, 4 events, 1 refused\n$/)
})

test.each([
  [
    'recognised',
    '<13>Apr 19 10:00:01 web sshd[7]: Connection closed by 192.0.2.1 port 22',
    /Caracal already reads records like these: Syslog\S* \(1 of 1\)/,
  ],
  [
    'ambiguous',
    '192.0.2.1 - - [19/Apr/2024:10:00:01 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"',
    /Caracal has schemas for this format: Apache\.AccessCombined;/,
  ],
])('the schemas that there are for such records are named: %s', async (name, line, note) => {
  const { err } = await runWith(env, ['schema', 'infer', file(`${name}.log`, `${line}\n`)])
  expect(err).toMatch(note)
})

test.each([
  [['infer', '--name', 'door', 'x.log'], /^caracal: --name 'door': a log type is CamelCase/],
  [['infer', 'no-such.log'], /^caracal: no-such\.log: the file cannot be read/],
  [['parse', 'no-such.yml'], /^caracal: no-such\.yml: the file cannot be read/],
])('%j is refused', async (argv, message) => {
  const { code, err, out } = await runWith(env, ['schema', ...argv])
  expect(err).toMatch(message)
  expect([code, out]).toEqual([2, ''])
})

const DOOR = `schema: Custom.Door
fields:
- {name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true}
- {name: door, type: int}
- {name: ip, type: string, indicators: [ip]}
`

test('tests beside a schema: times as times, indicators in any order, differences in both directions', async () => {
  const schema = file('tested.yml', DOOR)
  file(
    'tested_tests.yml',
    `name: right
logType: Custom.Door
input: |
  {"at":"2024-04-19T12:00:01Z","door":"7","ip":"192.0.2.1"}
result: |
  {"at":"2024-04-19 12:00:01.000","door":7,"ip":"192.0.2.1","p_any_ip_addresses":["192.0.2.1"],"p_row_id":"x"}
---
name: refused
input: '{"door":"attic"}'
results: []
---
name: wrong
input: |
  {"door":7,"battery":1}
  {"door":8}
results: [{door: 7}, {door: 9}]
`,
  )
  const { code, out } = await runWith(env, ['schema', 'test', schema])
  expect(out).toBe(`pass  right
pass  refused
FAIL  wrong
      event 1: battery is 1, expected nothing
      event 2: door is 8, expected 9
3 tests, 1 failed
`)
  expect(code).toBe(1)
  const broken = file('broken_tests.yml', 'name: x\ninput: "{}"\nresult: {}\nresults: []\n')
  expect((await runWith(env, ['schema', 'test', schema, broken])).err).toContain('a test has either `result` or `results`')
})

test('versions of a schema are compared, with what becomes of stored rows', async () => {
  const before = file('v1.yml', DOOR)
  const after = file(
    'v2.yml',
    `schema: Custom.Door
version: 2
fields:
- {name: at, type: timestamp, timeFormats: [rfc3339, unix], isEventTime: true}
- {name: door, type: string}
- {name: address, type: string, rename: {from: ip}}
- {name: badge, type: object, fields: [{name: user, type: string}]}
`,
  )
  const { code, out } = await runWith(env, ['schema', 'diff', before, after])
  expect(out).toBe(`~ version: 0 → 2
~ at: timeFormats ["rfc3339"] → ["rfc3339","unix"]
~ door: int → string: old values are read as string where that is possible, and stay as they were in p_was_…_door
+ address: string, renamed from ip: old values stay in the column ip
+ badge: object
+ badge/user: string
- ip: string: the column and its old values stay
`)
  expect(code).toBe(0)
  expect((await runWith(env, ['schema', 'diff', before, before])).out).toBe('no difference\n')
})

test('JSON Schemas for editors, and the settings that name them', async () => {
  const target = join(folder, 'editor')
  const { code, out, err } = await runWith(env, ['schema', 'editor', target])
  expect([code, err]).toEqual([0, expect.stringContaining('.vscode/settings.json')])
  expect(Object.keys(JSON.parse(out)['yaml.schemas'])).toHaveLength(2)
  const content = JSON.parse(readFileSync(join(target, 'content.schema.json'), 'utf8'))
  const types = content.allOf.map(
    (one: { if: { properties?: { AnalysisType: { const: string } } } }) => one.if.properties?.AnalysisType.const,
  )
  expect(types).toEqual(expect.arrayContaining(['rule', 'policy', 'lookup_table', 'scheduled_query', 'pack', undefined]))
  const config = JSON.parse(readFileSync(join(target, 'caracal.schema.json'), 'utf8'))
  expect(Object.keys(config.properties)).toEqual(expect.arrayContaining(['listen', 'sources', 'destinations']))
})

test('types of all log types compile', async () => {
  file('door.yml', DOOR)
  const { code, out } = await runWith(env, ['types', '--content', folder])
  expect(code).toBe(0)
  expect(out).toContain('export interface CustomDoor extends StandardFields {\n  "at"?: string\n  "door"?: number\n')
  expect(out).toContain('  "Zeek.Conn": ZeekConn\n')
  const types = file('types.ts', out)
  const compiled = spawnSync(
    join(import.meta.dirname, '../node_modules/.bin/tsc'),
    ['--noEmit', '--strict', '--ignoreConfig', types],
    { encoding: 'utf8' },
  )
  expect(compiled.stdout).toBe('')
})
