import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { APP_TOKEN, BOT_TOKEN, CHANNEL, SlackServer, shownBelow } from './support/slack.ts'
import { until } from './support/until.ts'

/** The whole program and a Slack workspace. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-slack-'))
const slack = new SlackServer()
let caracal: Caracal

beforeAll(async () => {
  await slack.listen()
  const port = await freePort()
  writeFileSync(join(folder, 'bot'), BOT_TOKEN)
  writeFileSync(join(folder, 'app'), APP_TOKEN)
  const chat = {
    ...{ type: 'slack', id: 'chat', api_url: slack.url, token: { file: join(folder, 'bot') }, channel: CHANNEL },
    send: ['opened', 'resolved'],
    buttons: { app_token: { file: join(folder, 'app') }, people: { U0000ANA: 'ana@example.com' } },
  }
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    sources: [{ type: 'http', id: 'web', log_types: ['Custom.Netstat'] }],
    destinations: [
      chat,
      { type: 'file', id: 'life', path: join(folder, 'life.ndjson'), severities: ['CRITICAL'], heartbeat_minutes: 60 },
    ],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
}, 60_000)
afterAll(async () => {
  await caracal.end('SIGKILL')
  await slack.close()
  rmSync(folder, { recursive: true, force: true })
})

async function call<T>(path: string, body?: object, method = body ? 'POST' : 'GET'): Promise<T> {
  const init = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const response = await caracal.fetch(`/api/v1/${path}`, { method, ...init })
  expect(response.status).toBe(200)
  return (await response.json()) as T
}

test('an alert is worked on in Slack and elsewhere, and both show the same', { timeout: 60_000 }, async () => {
  const event = { protocol: 'tcp', local_address: '0.0.0.0:4444', foreign_address: '0.0.0.0:*', state: 'LISTEN' }
  await caracal.fetch('/ingest/web', { method: 'POST', body: `${JSON.stringify(event)}\n` })
  const ts = await until(() => [...slack.messages.keys()][0])
  const below = () => shownBelow(slack.messages.get(ts)!)
  const shows = (line: string) => until(() => (below().line === line ? true : undefined))
  expect(below()).toEqual({ line: undefined, buttons: ['Acknowledge', 'Assign to me', 'Resolve', 'Snooze for 4 hours'] })
  await until(() => slack.sockets[0])
  const { results } = await call<{ results: { alert_id: string }[] }>('alerts')
  const id = results[0]!.alert_id
  // The heartbeat of the other destination is no alert.
  expect(results).toHaveLength(1)
  expect(JSON.parse(readFileSync(join(folder, 'life.ndjson'), 'utf8'))).toMatchObject({
    title: 'Caracal is alive',
    severity: 'INFO',
  })

  slack.press(ts, 'Acknowledge')
  await shows('Acknowledged (last change by ana@example.com)')
  slack.press(ts, 'Assign to me')
  await shows('Acknowledged (last change by ana@example.com) · assigned to ana@example.com')
  expect(await call(`alerts/${id}`)).toMatchObject({ status: 'TRIAGED', owner: 'ana@example.com' })

  // Snoozed and not in Slack, and elsewhere: both show the same.
  slack.press(ts, 'Snooze for 4 hours')
  const snoozed = await until(async () => {
    const { results } = await call<{ results: Record<string, unknown>[] }>('mutes')
    return results[0]
  })
  expect(snoozed).toMatchObject({ owner: 'ana@example.com', by: 'ana@example.com', reason: 'snoozed by slack' })
  expect(snoozed['match']).toMatchObject({ rule: expect.any(String), dedup: expect.any(String), exact: true })
  const until4h = `snoozed until ${String(snoozed['expires_time']).slice(0, 16)}Z`
  await shows(`Acknowledged (last change by ana@example.com) · assigned to ana@example.com · ${until4h}`)
  expect(below().buttons).toEqual(['Assign to me', 'Resolve', 'End the snooze'])
  slack.press(ts, 'End the snooze')
  await shows('Acknowledged (last change by ana@example.com) · assigned to ana@example.com')
  const expires = new Date(Date.now() + 86_400_000 - (Date.now() % 60_000)).toISOString()
  const { mute_id } = await call<{ mute_id: string }>(`alerts/${id}/snooze`, { owner: 'bo', reason: 'known', expires })
  await shows(
    `Acknowledged (last change by ana@example.com) · assigned to ana@example.com · snoozed until ${expires.slice(0, 16)}Z`,
  )
  await call(`mutes/${mute_id}/end`, undefined, 'POST')
  await shows('Acknowledged (last change by ana@example.com) · assigned to ana@example.com')

  await call(`alerts/${id}`, { status: 'RESOLVED', reason: 'our own test' }, 'PATCH')
  await shows('Resolved (last change by cli) · assigned to ana@example.com · reason: our own test')
  expect(below().buttons).toEqual(['Open again'])
  const reply = await until(() => [...slack.messages.values()].find(({ thread_ts }) => thread_ts === ts))
  expect(reply.text).toContain('Resolved: ')

  // A message that was not sent for the alert, with a button that names it, changes nothing.
  slack.messages.set('1.000001', { ...slack.messages.get(ts)!, ts: '1.000001' })
  const forged = slack.press('1.000001', 'Open again')
  await until(() => slack.acknowledged.includes(forged) || undefined)
  expect(slack.whispers).toEqual([{ user: 'U0000ANA', text: 'Nothing was changed: the message does not belong to the alert.' }])
  expect(await call(`alerts/${id}`)).toMatchObject({ status: 'RESOLVED' })

  // Opened again it is sent as a new message, because its end was sent to Slack.
  slack.press(ts, 'Open again')
  const second = await until(() =>
    [...slack.messages.keys()].find((one) => one !== ts && one !== '1.000001' && one > ts && one !== reply.ts),
  )
  expect(shownBelow(slack.messages.get(second)!).buttons).toEqual([
    'Acknowledge',
    'Assign to me',
    'Resolve',
    'Snooze for 4 hours',
  ])

  const audited = await until(async () => {
    await call('query', { sql: 'SELECT 1' })
    const rows = await caracal.query(
      "SELECT caller, caller_kind, operation, status FROM logs.caracal_audit WHERE caller_kind = 'slack' ORDER BY p_event_time",
    )
    return rows.length === 6 ? rows : undefined
  })
  expect(audited).toEqual([
    ['ana@example.com', 'slack', 'change by slack', 200],
    ['ana@example.com', 'slack', 'change by slack', 200],
    ['ana@example.com', 'slack', 'snooze by slack', 200],
    ['ana@example.com', 'slack', 'snooze by slack', 200],
    ['ana@example.com', 'slack', 'change by slack', 403],
    ['ana@example.com', 'slack', 'change by slack', 200],
  ])
})
