import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'

/** A schema is edited between two starts: nothing has to wait, and stored rows stay readable. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-schema-'))
const content = join(folder, 'content')
let caracal: Caracal

afterAll(async () => {
  await caracal.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function writeSchema(type: string): void {
  writeFileSync(
    join(content, 'thing.yml'),
    `schema: Custom.Thing\nfields:\n  - { name: a, type: int }\n  - { name: b, type: ${type} }\n`,
  )
}

async function post(source: string, ...events: readonly object[]): Promise<void> {
  const body = events.map((event) => `${JSON.stringify(event)}\n`).join('')
  expect((await caracal.fetch(`/ingest/${source}`, { method: 'POST', body })).status).toBe(202)
}

async function rows(sql: string, count: number): Promise<unknown[][]> {
  for (;;) {
    const found = await caracal.query(sql).catch(() => [])
    if (found.length === count) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const ssh = (uid: string) => ({
  _path: 'ssh',
  ts: 1_700_000_000,
  uid,
  'id.orig_h': '192.0.2.1',
  'id.orig_p': 1,
  'id.resp_h': '192.0.2.2',
  'id.resp_p': 22,
})

test('a field changes from text to number: rows of its table and all others arrive, and old values read as numbers', async () => {
  mkdirSync(content)
  writeSchema('string')
  const port = await freePort()
  const sources = [
    { type: 'http', id: 'things', log_types: ['Custom.Thing'] },
    { type: 'http', id: 'zeek' },
  ]
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ listen: `127.0.0.1:${port}`, sources, flush_ms: 100 }))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
  await post('things', { a: 1, b: '5' }, { a: 2, b: 'five' })
  await post('zeek', ssh('C1'))
  await rows('SELECT b FROM logs.custom_thing', 2)
  await rows('SELECT uid FROM logs.zeek_ssh', 1)
  expect(await caracal.end('SIGTERM')).toBe(0)

  writeSchema('int')
  await caracal.start()
  await post('things', { a: 3, b: 6 })
  await post('zeek', ssh('C2'))
  await rows('SELECT uid FROM logs.zeek_ssh', 2)
  const things = await rows('SELECT a, b, p_was_1_string_b FROM logs.custom_thing ORDER BY a', 3)
  expect(things).toEqual([
    [1, 5, '5'],
    [2, null, 'five'],
    [3, 6, null],
  ])
  const health = (await (await caracal.fetch('/api/v1/health')).json()) as { problems: unknown[] }
  expect(JSON.stringify(health.problems)).not.toContain('lake')
  expect(await caracal.end('SIGTERM')).toBe(0)
})
