import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'
import { until } from './support/until.ts'

/** Fields that a schema lacks become columns, with the real program. */
const LIMIT_MS = 300_000
const folder = mkdtempSync(join(tmpdir(), 'caracal-unknown-'))
const file = join(folder, 'content/schemas/door.yml')
const SCHEMA = `# Doors of the house.
schema: Custom.Door
fields:
  - name: time
    type: timestamp
    timeFormats: [rfc3339]
    isEventTime: true
  - name: door # its name
    type: string
`
let caracal: Caracal

async function call<T>(method: string, path: string, body?: object): Promise<{ status: number; body: T }> {
  const response = await caracal.fetch(path, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as T }
}

async function send(n: number, record: object): Promise<void> {
  const time = `2026-11-01T10:00:0${n}Z`
  await caracal.fetch('/ingest/doors', { method: 'POST', body: `${JSON.stringify({ time, door: 'front', ...record })}\n` })
  await until(async () => {
    // The table comes with the first event.
    const rows = await caracal.query('SELECT count() FROM logs.custom_door').catch(() => [])
    return Number(rows[0]?.[0]) === n || undefined
  })
}

interface Proposal {
  readonly events: number
  readonly fields: readonly {
    readonly name: string
    readonly type: string
    readonly indicators: string[]
    readonly yaml: string
  }[]
}
const path = '/api/v1/schemas/Custom.Door/unknown-fields'

beforeAll(async () => {
  mkdirSync(join(folder, 'content/schemas'), { recursive: true })
  writeFileSync(file, SCHEMA)
  const port = await freePort()
  const config = {
    ...{ listen: `127.0.0.1:${port}`, data_dir: join(folder, 'data'), content: [join(folder, 'content')] },
    sources: [{ type: 'http', id: 'doors', log_types: ['Custom.Door'] }],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: config.data_dir, cwd: folder, args: ['--config', 'caracal.yml'] })
  await caracal.start()
}, LIMIT_MS)

afterAll(async () => {
  await caracal.end('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
})

describe('fields that a schema does not have', { shuffle: false, timeout: LIMIT_MS }, () => {
  test('are proposed with types that fit every value, and without events nothing is', async () => {
    expect((await call<Proposal>('GET', path)).body).toMatchObject({ events: 0, fields: [], stored_from: null })
    await send(1, { from: '192.0.2.7', battery: 97 })
    await send(2, { battery: 96.5, badge: { id: 17 }, tags: ['a'] })
    const { body } = await call<Proposal>('GET', path)
    expect(body.events).toBe(2)
    expect(Object.fromEntries(body.fields.map(({ name, type, indicators }) => [name, [type, ...indicators]]))).toEqual({
      from: ['string', 'ip'],
      battery: ['float'],
      badge: ['object'],
      tags: ['array'],
    })
    expect((await call('GET', '/api/v1/schemas/Custom.Gone/unknown-fields')).status).toBe(404)
  })

  test('are shown in the file before it is written, and a field that no event has is refused', async () => {
    const refused = await call<{ detail: string }>('POST', path, { fields: ['color'] })
    expect(refused).toMatchObject({ status: 400, body: { detail: expect.stringMatching(/'color'.*from/) } })
    const { body } = await call<{ diff: string; yaml: string }>('POST', path, { fields: ['battery', 'from'] })
    expect(body.diff).toContain('\n+  - name: battery\n+    type: float\n+  - name: from\n')
    expect(body.yaml.startsWith(SCHEMA)).toBe(true)
    expect(readFileSync(file, 'utf8')).toBe(SCHEMA)
  })

  test('are columns once they are adopted, without a restart, and are not proposed again', async () => {
    const { body } = await call<{ yaml: string; revision: string }>('POST', path, { fields: ['battery', 'from'] })
    const saved = await call('PUT', '/api/v1/schemas/Custom.Door', { yaml: body.yaml, revision: body.revision })
    expect(saved).toMatchObject({ status: 200, body: { outcome: 'swapped' } })
    await send(3, { from: '192.0.2.8', battery: 95 })
    const columns = 'SELECT battery, `from`, p_any_ip_addresses, extra FROM logs.custom_door ORDER BY p_event_time'
    const [before, , after] = await caracal.query(columns)
    expect(before!.slice(0, 2)).toEqual([null, null])
    expect(after).toEqual([95, '192.0.2.8', ['192.0.2.8'], null])
    expect((await call<Proposal>('GET', path)).body.fields.map(({ name }) => name).sort()).toEqual(['badge', 'tags'])
  })

  test('are adopted by a command, which shows the difference first', async () => {
    const cli = (...argv: readonly string[]) => runWith({}, ['schema', ...argv, '--config', join(folder, 'caracal.yml')])
    const before = readFileSync(file, 'utf8')
    const shown = await cli('adopt', 'Custom.Door', 'tags', '--dry-run')
    expect([shown.code, shown.out]).toEqual([0, expect.stringContaining('\n+  - name: tags\n')])
    expect(readFileSync(file, 'utf8')).toBe(before)
    expect(await cli('adopt', 'Custom.Door', 'nothing')).toMatchObject({ code: 1, err: expect.stringMatching(/'nothing'/) })
    expect(await cli('adopt', 'Custom.Door')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/badge[\s\S]*tags[\s\S]*door\.yml/),
    })
    expect(await cli('adopt', 'Custom.Door')).toMatchObject({ code: 0, out: expect.stringMatching(/nothing to adopt/i) })
    await send(4, { tags: ['b', 'c'] })
    const last = 'SELECT tags FROM logs.custom_door ORDER BY p_event_time DESC LIMIT 1'
    expect(await caracal.query(last)).toEqual([['["b","c"]']])
  })
})
