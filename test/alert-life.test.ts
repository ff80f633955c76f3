import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { FlakyReceiver } from './support/receiver.ts'
import { until } from './support/until.ts'

/** The whole program with two threads that make batches, killed between what people do and what matches do. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-alert-life-'))
const receiver = new FlakyReceiver(() => 1)
let caracal: Caracal

interface Alert {
  readonly alert_id: string
  readonly title: string
  readonly status: string
  readonly event_count: number
  readonly muted_by: string | null
}

async function call<T>(path: string, body?: object, method = body ? 'POST' : 'GET'): Promise<T> {
  const init = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const response = await caracal.fetch(`/api/v1/${path}`, { method, ...init })
  expect(response.status).toBe(200)
  return (await response.json()) as T
}

async function send(port: number): Promise<void> {
  const event = { protocol: 'tcp', local_address: `0.0.0.0:${port}`, foreign_address: '0.0.0.0:*', state: 'LISTEN' }
  const body = `${JSON.stringify(event)}\n`
  expect((await caracal.fetch('/ingest/web', { method: 'POST', body })).status).toBe(202)
}

/** The alert about a port, once it has that many events. */
const alertOn = (port: number, events: number) =>
  until(async () =>
    (await call<{ results: Alert[] }>('alerts?muted=all')).results.find(
      ({ title, event_count }) => title.endsWith(`: ${port}`) && event_count === events,
    ),
  )

async function killed(): Promise<void> {
  await caracal.end('SIGKILL')
  await caracal.start()
}

/** The alert's timeline without times, once it contains `kind` that often. */
const timeline = (id: string, kind: string, n: number) =>
  until(async () => {
    const { results } = await call<{ results: { kind: string; detail: Record<string, unknown> }[] }>(`alerts/${id}/timeline`)
    const found = results.filter((entry) => entry.kind === kind).length === n
    return found
      ? results.map(({ kind: what, detail }) => [what, detail['field'] ?? detail['sent'] ?? detail['added']])
      : undefined
  })

beforeAll(async () => {
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    workers: 2,
    sources: [{ type: 'http', id: 'web', log_types: ['Custom.Netstat'] }],
    destinations: [
      {
        type: 'webhook',
        id: 'soc',
        url: `http://127.0.0.1:${await receiver.listen()}/`,
        send: ['opened', 'updated', 'resolved'],
      },
    ],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
})
afterAll(async () => {
  await caracal.end('SIGKILL')
  await receiver.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('an alert worked on, over kills', { shuffle: false, timeout: 300_000 }, () => {
  test('is sent as opened, as resolved, and as opened again when a match opens it again', async () => {
    await send(5555)
    const { alert_id: id } = await alertOn(5555, 1)
    await timeline(id, 'delivered', 1)
    await call(`alerts/${id}`, { status: 'RESOLVED', reason: 'done' }, 'PATCH')
    await timeline(id, 'delivered', 2)
    await send(5555)
    await killed()
    expect(await alertOn(5555, 2)).toMatchObject({ alert_id: id, status: 'OPEN' })
    expect(await timeline(id, 'delivered', 3)).toEqual([
      ['opened', undefined],
      ['delivered', 'opened'],
      ['changed', 'status'],
      ['changed', 'reason'],
      ['delivered', 'resolved'],
      ['matches', 1],
      ['changed', 'status'],
      ['changed', 'reason'],
      ['delivered', 'opened'],
    ])
  })

  test('is sent as opened again when a person, or a match of an alert merged with it, opens it again', async () => {
    await send(31339)
    await send(1339)
    const [{ alert_id: parent }, { alert_id: child }] = [await alertOn(31339, 1), await alertOn(1339, 1)]
    await timeline(child, 'delivered', 1)
    await call(`alerts/${parent}/merge`, { ids: [child] })
    await call(`alerts/${parent}`, { status: 'RESOLVED', reason: 'done' }, 'PATCH')
    await timeline(parent, 'delivered', 2)
    await call(`alerts/${parent}`, { status: 'OPEN' }, 'PATCH')
    expect((await timeline(parent, 'delivered', 3)).at(-1)).toEqual(['delivered', 'opened'])
    await call(`alerts/${parent}`, { status: 'CLOSED' }, 'PATCH')
    await timeline(parent, 'delivered', 4)
    await send(1339)
    await killed()
    // The match joined the child; the parent has no new match, and is open again all the same.
    expect((await timeline(parent, 'delivered', 5)).at(-1)).toEqual(['delivered', 'opened'])
    expect(await call(`alerts/${parent}`)).toMatchObject({ status: 'OPEN', event_count: 1 })
  })

  test('is sent as resolved when it is merged into one that is resolved', async () => {
    await send(31337)
    await send(1337)
    const [{ alert_id: parent }, { alert_id: child }] = [await alertOn(31337, 1), await alertOn(1337, 1)]
    await call(`alerts/${parent}`, { status: 'RESOLVED', reason: 'done' }, 'PATCH')
    await timeline(child, 'delivered', 1)
    await call(`alerts/${parent}/merge`, { ids: [child] })
    expect((await timeline(child, 'delivered', 2)).at(-1)).toEqual(['delivered', 'resolved'])
  })

  test('is not sent while a mute covers all of its matches, and is once one does not', async () => {
    const expires = new Date(Date.now() + 3_600_000).toISOString()
    const match = { rule: 'Netstat.*', title: '*: 4444' }
    const mute = await call<{ mute_id: string }>('mutes', { match, owner: 'ana', reason: 'lab', expires })
    await send(4444)
    await killed()
    const { alert_id: id, muted_by } = await alertOn(4444, 1)
    expect(muted_by).toBe(mute.mute_id)
    expect(await call(`mutes/${mute.mute_id}`)).toMatchObject({ matches: 1, alerts: 1 })
    expect(await call(`alerts/${id}`)).toMatchObject({ deliveries: [] })
    await call(`mutes/${mute.mute_id}/end`, {})
    await send(4444)
    expect(await alertOn(4444, 2)).toMatchObject({ alert_id: id, muted_by: null })
    expect(await timeline(id, 'delivered', 1)).toEqual([
      ['opened', undefined],
      ['matches', 1],
      ['changed', 'muted_by'],
      ['delivered', 'opened'],
    ])
    expect(await call(`mutes/${mute.mute_id}`)).toMatchObject({ state: 'ended', matches: 1, alerts: 1 })
  })
})
