import { afterEach, beforeEach, expect, test } from 'vitest'
import { outgoingAlert } from '../../../test/support/alerts.ts'
import { APP_TOKEN, BOT_TOKEN, CHANNEL, SlackServer, shownBelow } from '../../../test/support/slack.ts'
import { until } from '../../../test/support/until.ts'
import { CROWD_DEDUP } from '../../model/alert.ts'
import type { AlertProgress } from '../../model/alert-work.ts'
import { createHttp, type Http } from '../../util/http/http.ts'
import type { ChangeThere, Delivery, Destination, DestinationDeps, SnoozeThere } from './destination.ts'
import { slack } from './slack.ts'

let server: SlackServer
let http: Http
let destination: Destination
/** What reached the desk. */
let asked: (ChangeThere | SnoozeThere)[]
let troubles: (string | undefined)[]
/** The desk's answer. */
let answer: () => Promise<string | undefined>
beforeEach(async () => {
  server = await new SlackServer().listen()
  http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: [] })
  asked = []
  troubles = []
  answer = async () => undefined
})
afterEach(async () => {
  await destination?.close()
  await http.close()
  await server.close()
})

const deps = (): DestinationDeps => ({
  send: http.configured,
  socket: http.socket,
  trusted: {},
  now: Date.now,
  write: () => {},
  secret: (name) => ('env' in name && name.env === 'APP' ? APP_TOKEN : BOT_TOKEN),
})

const open = (buttons: object = {}, more: object = {}) => {
  const config = {
    ...{ id: 'chat', api_url: server.url, token: { env: 'BOT' }, channel: CHANNEL },
    buttons: { app_token: { env: 'APP' }, people: { U0000ANA: 'ana@example.com' }, ...buttons },
    ...more,
  }
  return slack.create(slack.config.parse(config), deps())
}

async function listening(buttons: object = {}): Promise<void> {
  destination = await open(buttons)
  destination.listen!({
    change: (ask) => {
      asked.push(ask)
      return answer()
    },
    snooze: (ask) => {
      asked.push(ask)
      return answer()
    },
    onTrouble: (message) => troubles.push(message),
  })
  await until(() => server.sockets[0])
}

const ALERT = outgoingAlert()
const send = (part: Partial<Delivery> = {}) =>
  destination.send({ id: 'd1', kind: 'opened', alert: ALERT, ...part }, AbortSignal.timeout(5000)) as Promise<string>
const acknowledged = (id: string) => until(() => server.acknowledged.includes(id) || undefined)
const below = (ts: string) => shownBelow(server.messages.get(ts)!)

test('a pressed button changes the alert in the name of the person, and the envelope is acknowledged', async () => {
  await listening()
  const ts = await send()
  expect(below(ts)).toEqual({ line: undefined, buttons: ['Acknowledge', 'Assign to me', 'Resolve', 'Snooze for 4 hours'] })
  for (const label of ['Acknowledge', 'Assign to me', 'Resolve', 'Snooze for 4 hours'])
    await acknowledged(server.press(ts, label))
  const same = { alertId: ALERT.alertId, reference: ts, by: 'ana@example.com' }
  expect(asked).toEqual([
    { ...same, change: { status: 'TRIAGED' } },
    { ...same, change: { owner: 'ana@example.com' } },
    { ...same, change: { status: 'RESOLVED' } },
    { ...same, forMs: 4 * 3_600_000 },
  ])
  expect(server.whispers).toEqual([])
})

const NOBODY: AlertProgress = { status: 'OPEN', owner: null, reason: null, by: '' }

test.each<[what: string, progress: AlertProgress, line: string, buttons: readonly string[]]>([
  ['is open', NOBODY, 'Open', ['Acknowledge', 'Assign to me', 'Resolve', 'Snooze for 4 hours']],
  [
    'was acknowledged and assigned',
    { ...NOBODY, status: 'TRIAGED', owner: 'bo', by: 'ana' },
    'Acknowledged (last change by ana) · assigned to bo',
    ['Assign to me', 'Resolve', 'Snooze for 4 hours'],
  ],
  [
    'is snoozed',
    { ...NOBODY, snoozedUntilMs: Date.UTC(2026, 0, 2, 3, 4, 59) },
    'Open · snoozed until 2026-01-02T03:04Z',
    ['Acknowledge', 'Assign to me', 'Resolve', 'End the snooze'],
  ],
  [
    'was closed with a reason',
    { ...NOBODY, status: 'CLOSED', reason: 'see https://x.example', by: 'cli' },
    'Closed (last change by cli) · reason: see hxxps://x.example',
    ['Open again'],
  ],
])('the message of an alert that %s says so and offers what can be done', async (_, progress, line, buttons) => {
  destination = await open()
  const ts = await send()
  expect(await send({ kind: 'changed', reference: ts, progress })).toBe(ts)
  expect(below(ts)).toEqual({ line, buttons })
  expect(server.messages.size).toBe(1)
})

test.each([
  ['about Caracal itself', { type: 'SYSTEM' }],
  ['about a rule that fails', { type: 'RULE_ERROR' }],
  ['of many dedup strings', { dedup: CROWD_DEDUP }],
] as const)('an alert %s cannot be snoozed, so its message has no button for that', async (_, part) => {
  destination = await open()
  expect(below(await send({ alert: outgoingAlert(part) })).buttons).toEqual(['Acknowledge', 'Assign to me', 'Resolve'])
})

test('other news of an alert goes to the thread, without buttons; a change of an alert that has no message is not shown', async () => {
  destination = await open()
  const ts = await send()
  expect(await send({ kind: 'resolved', reference: ts })).toBe(ts)
  const reply = [...server.messages.values()].find(({ thread_ts }) => thread_ts === ts)!
  expect(shownBelow(reply).buttons).toEqual([])
  const before = server.calls.length
  expect(await send({ kind: 'changed', progress: NOBODY })).toBeUndefined()
  expect(server.calls.length).toBe(before)
})

test('a person who is not listed is informed, and changes nothing', async () => {
  await listening()
  const ts = await send()
  await acknowledged(server.press(ts, 'Resolve', { user: 'U0000EVE' }))
  expect(asked).toEqual([])
  expect(server.whispers).toEqual([{ user: 'U0000EVE', text: expect.stringContaining('U0000EVE') }])
})

test('with `others: allow`, everybody of the workspace may, under their id, but nobody of another one', async () => {
  await listening({ others: 'allow' })
  const ts = await send()
  await acknowledged(server.press(ts, 'Resolve', { user: 'U0000EVE' }))
  const guest = (payload: object) => ({ ...payload, user: { id: 'U0000MAL', team_id: 'T0000OTHER' } })
  await acknowledged(server.press(ts, 'Resolve', { change: guest }))
  expect(asked.map(({ by }) => by)).toEqual(['slack:U0000EVE'])
  expect(server.whispers.map(({ user }) => user)).toEqual(['U0000MAL'])
})

type Payload = Record<'team' | 'container' | 'user', object> & { actions: readonly object[] }

test.each<[what: string, change: (payload: Payload) => object]>([
  ['another workspace', (payload) => ({ ...payload, team: { id: 'T0000OTHER' } })],
  ['another app', (payload) => ({ ...payload, api_app_id: 'A0000OTHER' })],
  ['another channel', (payload) => ({ ...payload, container: { ...payload.container, channel_id: 'C0000OTHER' } })],
  ['no message', (payload) => ({ ...payload, container: { type: 'view', view_id: 'V1' } })],
  ['a button that is not ours', (payload) => ({ ...payload, actions: [{ ...payload.actions[0], action_id: 'constructor' }] })],
  ['a button without an alert', (payload) => ({ ...payload, actions: [{ ...payload.actions[0], value: "x' OR 1" }] })],
  ['two buttons', (payload) => ({ ...payload, actions: [payload.actions[0], payload.actions[0]] })],
  ['another interaction', (payload) => ({ ...payload, type: 'view_submission' })],
  ['no person', (payload) => ({ ...payload, user: { id: '__proto__' } })],
])('an interaction from %s is acknowledged, and nothing else', async (_, change) => {
  await listening({ others: 'allow' })
  const ts = await send()
  await acknowledged(server.press(ts, 'Resolve', { change: change as (payload: object) => object }))
  expect(asked).toEqual([])
  expect(server.whispers).toEqual([])
  await acknowledged(server.press(ts, 'Resolve'))
  expect(asked).toHaveLength(1)
})

test('a refused change, and a failed one, are explained to the person alone', async () => {
  await listening()
  const ts = await send()
  answer = async () => 'the alert was merged into another one, whose status it has'
  await acknowledged(server.press(ts, 'Resolve'))
  answer = () => Promise.reject(new Error('disk full'))
  await acknowledged(server.press(ts, 'Resolve'))
  expect(server.whispers.map(({ text }) => text)).toEqual([
    'Nothing was changed: the alert was merged into another one, whose status it has.',
    'Nothing was changed, because of an error in Caracal: disk full',
  ])
})

test('an envelope is acknowledged in time while the change takes longer, and one that is sent again is not carried out twice', async () => {
  await listening()
  const ts = await send()
  let finish!: () => void
  answer = () => new Promise((resolve) => (finish = () => resolve(undefined)))
  const id = server.press(ts, 'Resolve')
  await acknowledged(id)
  server.send('interactive', {}, { id })
  await until(() => server.acknowledged.filter((one) => one === id).length === 2 || undefined)
  finish()
  expect(asked).toHaveLength(1)
})

test('other envelopes and garbage do not end the connection', async () => {
  await listening()
  const socket = server.sockets[0]!
  for (const text of ['', '{', '[]', '"x"', '{"type":7}', `{"type":"${'x'.repeat(5000)}"}`]) socket.send(text)
  await acknowledged(server.send('events_api', { event: { type: 'message' } }))
  const ts = await send()
  await acknowledged(server.press(ts, 'Acknowledge'))
  expect(asked).toHaveLength(1)
  expect(server.calls.filter(({ method }) => method === 'apps.connections.open')).toHaveLength(1)
})

test.each(['warning', 'refresh_requested'] as const)(
  'on a %s, a new connection is opened before the old one ends',
  async (reason) => {
    await listening()
    const ts = await send()
    const [old] = server.sockets
    server.disconnect(reason)
    await until(() => server.sockets[1])
    for (const to of [old!, server.sockets[1]!]) await acknowledged(server.press(ts, 'Acknowledge', { to }))
    old!.close()
    await until(() => server.sockets.length === 1 || undefined)
    await acknowledged(server.press(ts, 'Resolve'))
    expect(asked).toHaveLength(3)
    expect(troubles.filter((message) => message !== undefined)).toEqual([])
  },
)

test('a broken connection is opened again', async () => {
  await listening()
  server.sockets[0]!.terminate()
  await until(() => server.sockets.length === 0 || undefined)
  await until(() => server.sockets[0])
  // The server has the connection before the other side has had its hello.
  await until(() => troubles.length === 2 || undefined)
  expect(troubles).toEqual([undefined, undefined])
})

test.each([
  [
    'Socket Mode is off',
    () => server.disconnect('link_disabled'),
    'Socket Mode is switched off in the settings of the Slack app',
  ],
  [
    'the token is revoked',
    () => {
      server.refuses.set('apps.connections.open', 'token_revoked')
      server.sockets[0]!.terminate()
    },
    'Slack did not accept apps.connections.open (token_revoked)',
  ],
])('it is reported that %s', async (_, cause, says) => {
  await listening()
  await until(() => (troubles.length > 0 ? true : undefined))
  cause()
  expect(await until(() => troubles.find((message) => message !== undefined))).toBe(says)
  // Closing does not wait for the next attempt, which is minutes away.
  await destination.close()
})

test.each([
  ['a webhook', { url: 'https://hooks.slack.com/services/x', token: undefined, channel: undefined }, 'only messages of a bot'],
  ['the name of a channel', { channel: '#alerts' }, 'the id of the channel'],
])('buttons with %s are refused', async (_, more, says) => {
  await expect(open({}, more)).rejects.toThrow(says)
})
