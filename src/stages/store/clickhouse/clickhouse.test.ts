import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openTestLake } from '../../../../test/support/server-lake.ts'
import { configSchema } from '../../../config/config.ts'
import { clickhouse } from './clickhouse.ts'

const { url: URL } = clickhouse.example

const messages = (more: Record<string, unknown>) => {
  const parsed = configSchema.safeParse({ lake: { type: 'clickhouse', ...clickhouse.example, ...more } })
  return parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []
}

test.each([
  {},
  { url: 'http://127.0.0.1:8123' },
  { url: 'http://localhost:8123' },
  { url: 'http://[::1]:8123' },
  { url: 'http://clickhouse.example.com:8123', allow_http: true },
  { url: 'https://example.com/clickhouse' },
  { cluster: { name: 'caracal', nodes: ['https://clickhouse.example.com:8443/', 'https://two.example.com:8443'] } },
  { storage_policy: 'tiered', cold: { volume: 'cold', after_days: 30 } },
])('a lake with %o is accepted', (more) => {
  expect(messages(more)).toEqual([])
})

const refused: [more: Record<string, unknown>, message: RegExp][] = [
  [{ url: 'http://clickhouse.example.com:8123' }, /^lake\.url: passwords and rows are only sent to another machine over https/],
  [{ url: 'http://127.0.0.1.example.com:8123' }, /^lake\.url: passwords and rows are only sent/],
  [{ url: 'https://caracal:secret@clickhouse.example.com' }, /^lake\.url: a URL without user, password and parameters/],
  [{ url: 'https://clickhouse.example.com/?user=x' }, /^lake\.url: a URL without user, password and parameters/],
  [{ url: 'clickhouse.example.com:8443' }, /^lake\.url: the https:\/\/ \(or http:\/\/\) URL of the HTTP interface/],
  [{ password: 'secret' }, /^lake\.password: a secret is not written in the configuration/],
  [{ cluster: 'shards' }, /cluster/],
  [{ cluster: { name: 'c', nodes: [URL], shards: 2 } }, /^lake\.cluster: Unrecognized key: "shards"/],
  [{ cluster: { name: "c'", nodes: [URL] } }, /^lake\.cluster\.name: the name of a cluster in remote_servers/],
  [
    { cluster: { name: 'c', nodes: ['https://two.example.com'] } },
    /^lake\.cluster\.nodes: lake\.url, https:.* is not among them/,
  ],
  [{ cluster: { name: 'c', nodes: [URL, `${URL}/`] } }, /^lake\.cluster\.nodes\.1: this server is listed twice/],
  [
    { cluster: { name: 'c', nodes: [URL, 'http://two.example.com'] } },
    /^lake\.cluster\.nodes\.1: passwords and rows are only sent/,
  ],
  [
    { cluster: { name: 'c', nodes: [URL], replicated: true, replica_path: '/tables/{shard}' } },
    /^lake\.cluster\.replica_path: the path needs/,
  ],
  [{ storage_policy: "x', y = 1" }, /^lake\.storage_policy: letters, digits/],
  [{ cold: { volume: 'cold' } }, /^lake\.cold\.after_days/],
  [{ max_memory_bytes: 1e9 }, /max_memory_bytes/],
]
test.each(refused)('a lake with %o is refused', (more, message) => {
  expect(messages(more)).toEqual([expect.stringMatching(message)])
})

test('a first start needs the server, for which it waits a minute', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'caracal-first-start-'))
  const called = () => expect.unreachable('it is not opened later')
  const late = { onOpened: called, onRefused: called }
  try {
    const lake = { url: 'http://127.0.0.1:1', user: 'caracal', password: { env: 'P' }, reader: { password: { env: 'P' } } }
    await expect(openTestLake({ lake }, dataDir, { late })).rejects.toThrow(/127\.0\.0\.1:1 does not answer/)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}, 120_000)
