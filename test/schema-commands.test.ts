import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
