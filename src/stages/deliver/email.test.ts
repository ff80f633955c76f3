import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { outgoingAlert } from '../../../test/support/alerts.ts'
import { type Mail, MailServer, type MailServerOptions } from '../../../test/support/mail-server.ts'
import { SECRET } from '../../../test/support/vendors.ts'
import type { DeliveryKind, OutgoingAlert } from '../../model/outgoing-alert.ts'
import { Refused, RetryLater } from '../../util/errors.ts'
import { connectNowhere } from '../../util/http/open-socket.ts'
import { sendNothing } from '../../util/http/send.ts'
import type { Destination } from './destination.ts'
import { email } from './email.ts'

const [SOC, NIGHT] = ['soc@example.com', 'night@example.com']
let server: MailServer
let destination: Destination
beforeEach(() => open())
afterEach(() => close())

async function open(options: Partial<MailServerOptions> = {}, config: object = {}, trusted?: object): Promise<void> {
  server = await new MailServer({ password: SECRET, ...options }).listen()
  const { hostname: host, port } = new URL(server.url)
  const keys = { id: 'mail', host, port: Number(port), from: 'caracal@example.com', to: [SOC, NIGHT] }
  const auth = { username: 'caracal', password: { env: 'PASSWORD' } }
  destination = await email.create(email.config.parse({ ...keys, ...auth, ...config }), {
    send: sendNothing,
    socket: connectNowhere,
    trusted: trusted ?? server.trusted,
    now: Date.now,
    write: () => {},
    secret: () => SECRET,
  })
}

async function close(): Promise<void> {
  await destination.close()
  await server.close()
}

async function send(alert: Partial<OutgoingAlert> = {}, kind: DeliveryKind = 'opened', id = 'd1'): Promise<Mail | undefined> {
  await destination.send({ id, kind, alert: outgoingAlert(alert) }, AbortSignal.timeout(20_000))
  return server.received.at(-1)
}

/** Headers by lower-case name, unfolded, and the parts, decoded by rules of their own rather than by the library that wrote them. */
function read({ raw }: Mail) {
  const [head, ...rest] = raw.split('\r\n\r\n')
  const headers = new Map<string, string>()
  for (const line of head!.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    expect(headers.has(name), name).toBe(false)
    headers.set(name, words(line.slice(colon + 1).trim()))
  }
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type')!)![1]!
  const parts = rest.join('\r\n\r\n').split(`--${boundary}`).slice(1, -1)
  const [text, html] = parts.map((part) => {
    const at = part.indexOf('\r\n\r\n')
    const encoding = /^Content-Transfer-Encoding: (.*)$/im.exec(part.slice(0, at))![1]!
    return decoded(part.slice(at + 4), encoding)
  })
  return { headers, text: text!, html: html! }
}

function decoded(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString()
  if (encoding !== 'quoted-printable') return body
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}

/** RFC 2047. */
function words(value: string): string {
  return value
    .replace(/(\?=) +(=\?)/g, '$1$2')
    .replace(/=\?utf-8\?([QB])\?([^?]*)\?=/gi, (_, how: string, text: string) =>
      how.toUpperCase() === 'B' ? Buffer.from(text, 'base64').toString() : decoded(text.replaceAll('_', ' '), 'quoted-printable'),
    )
}

test('a message has the alert as text and as HTML, and says which delivery it is', async () => {
  const mail = (await send())!
  expect(mail.to).toEqual([SOC, NIGHT])
  const { headers, text, html } = read(mail)
  expect(Object.fromEntries(headers)).toMatchObject({
    from: 'Caracal <caracal@example.com>',
    to: `${SOC}, ${NIGHT}`,
    subject: 'HIGH: SSH from a Tor exit node',
    'message-id': '<d1@example.com>',
    'auto-submitted': 'auto-generated',
    'caracal-delivery': 'd1',
  })
  for (const part of [text, html]) {
    expect(part).toContain('SSH from Tor (Zeek.Ssh.Tor)')
    expect(part).toContain('45.139.122.241')
    expect(part).toContain(outgoingAlert().link)
  }
})

test('all messages of an alert are a thread, of another alert another one', async () => {
  const threads = new Map<string, string>()
  for (const [id, kind, alertId] of [
    ['d1', 'opened', 'a1'],
    ['d2', 'updated', 'a1'],
    ['d3', 'resolved', 'a1'],
    ['d4', 'opened', 'a2'],
  ] as const) {
    const { headers } = read((await send({ alertId }, kind, id))!)
    expect(headers.get('message-id')).toBe(`<${id}@example.com>`)
    threads.set(id, headers.get('references')!)
    if (kind !== 'opened') expect(headers.get('subject')).toMatch(new RegExp(`^${kind}: HIGH`, 'i'))
  }
  expect(threads.get('d2')).toBe(threads.get('d1'))
  expect(threads.get('d3')).toBe(threads.get('d1'))
  expect(threads.get('d4')).not.toBe(threads.get('d1'))
})

test('a log line adds no header, recipient, markup or link', async () => {
  const line =
    'x\r\nBcc: evil@example.org\r\n\r\n.\r\n<img src=x onerror=alert(1)>"\'&amp; https://evil.example www.evil.example \u202e'
  const mail = (await send({
    title: line,
    description: line,
    runbook: line,
    tags: [line],
    name: line,
    alertId: `a>\r\nBcc: x@y`,
  }))!
  expect(mail.to).toEqual([SOC, NIGHT])
  const { headers, text, html } = read(mail)
  expect([...headers.keys()].filter((name) => name.includes('bcc'))).toEqual([])
  expect(
    html
      .match(/<[a-z0-9]+/gi)!
      .map((tag) => tag.slice(1).toLowerCase())
      .filter((tag) => tag === 'img'),
  ).toEqual([])
  expect(html.match(/href="([^"]*)"/g)).toEqual([`href="${outgoingAlert().link}"`, 'href="https://example.com/tor"'])
  for (const part of [headers.get('subject')!, text, html]) expect(part).not.toMatch(/https:\/\/evil|www\.evil|\u202e/)
  expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;amp; hxxps://evil.example')
})

test('a very long alert is cut between characters', async () => {
  const long = '😀x'.repeat(40_000)
  const mail = (await send({ title: long, description: long, runbook: long, tags: [long] }))!
  const { headers, text, html } = read(mail)
  expect(headers.get('subject')!.length).toBeLessThanOrEqual(200)
  expect(mail.raw.length).toBeLessThan(300_000)
  for (const line of mail.raw.split('\r\n')) expect(line.length).toBeLessThan(1000)
  for (const part of [headers.get('subject')!, text, html]) expect(part).not.toContain('\ufffd')
})

describe('of several recipients', () => {
  test('only those that were refused for the moment get the next attempt', async () => {
    server.refuses = { recipient: { [NIGHT]: 450 } }
    await expect(send()).rejects.toThrow(RetryLater)
    server.refuses = { connect: 421 }
    await expect(send()).rejects.toThrow(RetryLater)
    server.refuses = {}
    await send()
    expect(server.received.map(({ to }) => to)).toEqual([[SOC], [NIGHT]])
    await send({}, 'opened', 'd2')
    expect(server.received.at(-1)!.to).toEqual([SOC, NIGHT])
  })

  test('one that is refused for good is named', async () => {
    server.refuses = { recipient: { [NIGHT]: 550 } }
    const error = await send().catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(Refused)
    expect((error as Error).message).toContain(`refused ${NIGHT} (550)`)
    expect(server.received.map(({ to }) => to)).toEqual([[SOC]])
  })
})

test.each<[MailServer['refuses'], typeof Refused | typeof RetryLater, string]>([
  [{ connect: 421 }, RetryLater, 'answered 421'],
  [{ connect: 554 }, Refused, 'answered 554'],
  [{ auth: 454 }, RetryLater, 'did not accept `username` and `password` (454)'],
  [{ auth: 535 }, Refused, 'did not accept `username` and `password` (535)'],
  [{ sender: 550 }, Refused, 'answered 550 to the sender: check `from`'],
  [{ recipient: { '*': 450 } }, RetryLater, `refused ${SOC}, ${NIGHT} (450)`],
  [{ recipient: { [SOC]: 550, [NIGHT]: 450 } }, RetryLater, `refused ${SOC}, ${NIGHT} (550, 450)`],
  [{ recipient: { '*': 550 } }, Refused, `refused ${SOC}, ${NIGHT} (550)`],
  [{ data: 452 }, RetryLater, 'answered 452'],
  [{ recipient: { [NIGHT]: 550 }, data: 552 }, Refused, 'answered 552'],
])('a server that refuses %o is understood', async (refuses, kind, message) => {
  server.refuses = refuses
  const error = await send().catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(kind)
  expect((error as Error).message).toBe(`the mail server at ${server.url.slice('smtp://'.length)} ${message}`)
  expect(server.received).toEqual([])
})

test.each<[string, Partial<MailServerOptions>, object, object | undefined, string]>([
  ['without TLS gets neither password nor alert', { isTls: false }, {}, undefined, 'does not change to TLS'],
  ['with an unknown certificate gets neither', {}, {}, {}, 'http.ca_file'],
  ['with an unknown certificate from the start gets neither', { isImplicit: true }, { tls: 'implicit' }, {}, 'http.ca_file'],
])('a server %s', async (_, options, config, trusted, message) => {
  await close()
  await open(options, config, trusted)
  await expect(send()).rejects.toThrow(message)
  expect(server.received).toEqual([])
})

test.each<[object, string]>([
  [{ password: undefined }, '`username` and `password` are only of use together'],
  [{ tls: 'none' }, 'a password is not sent without TLS'],
  [{ to: ['a@example.com\r\nBcc: b@example.com'] }, 'an e-mail address'],
  [{ from: 'Caracal <caracal@example.com>' }, 'an e-mail address'],
])('%o is refused', async (config, message) => {
  await expect(open({}, config)).rejects.toThrow(message)
})
