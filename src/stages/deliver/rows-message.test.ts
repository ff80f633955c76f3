import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Mail, MailServer } from '../../../test/support/mail-server.ts'
import { SECRET } from '../../../test/support/vendors.ts'
import type { RowsMail } from '../../model/rows-mail.ts'
import { Refused, RetryLater } from '../../util/errors.ts'
import { connectNowhere } from '../../util/http/open-socket.ts'
import { sendNothing } from '../../util/http/send.ts'
import type { Destination } from './destination.ts'
import { email } from './email.ts'
import { readRowsMail } from './rows-message.ts'

const [ANA, BOB] = ['ana@example.com', 'bob@example.com']
let server: MailServer
let destination: Destination

beforeEach(async () => {
  server = await new MailServer({ password: SECRET }).listen()
  const { hostname: host, port } = new URL(server.url)
  const keys = { id: 'mail', host, port: Number(port), from: 'caracal@example.com', to: ['soc@example.com'] }
  destination = await email.create(email.config.parse({ ...keys, username: 'caracal', password: { env: 'PASSWORD' } }), {
    send: sendNothing,
    socket: connectNowhere,
    trusted: server.trusted,
    now: Date.now,
    write: () => {},
    secret: () => SECRET,
  })
})
afterEach(async () => {
  await destination.close()
  await server.close()
})

const rowsMail = (part: Partial<RowsMail> = {}): RowsMail => ({
  query: 'Doors',
  description: '',
  dueTime: '2026-01-02T03:04:00.000Z',
  recipients: [ANA, BOB],
  columns: ['door', 'uses'],
  rows: ['["east",9007199254740993]', '["west",null]'],
  total: 2,
  isTruncated: false,
  isAttached: false,
  link: 'http://127.0.0.1:4848/search?tab=saved',
  ...part,
})

async function send(part: Partial<RowsMail> = {}, id = 'd1'): Promise<Mail> {
  await destination.mail!(id, rowsMail(part), AbortSignal.timeout(20_000))
  return server.received.at(-1)!
}

const header = (raw: string, name: string) =>
  new RegExp(`^${name}: (.*(?:\\r\\n[ \\t].*)*)`, 'im')
    .exec(raw.slice(0, raw.indexOf('\r\n\r\n')))?.[1]
    ?.replace(/\r\n[ \t]/g, ' ')

/** The leaves of a message in order, decoded by rules of this test rather than by the library that wrote them. */
function parts(raw: string): { readonly head: string; readonly body: string }[] {
  const at = raw.indexOf('\r\n\r\n')
  const head = raw.slice(0, at)
  const boundary = /boundary="([^"]+)"/.exec(head)?.[1]
  if (boundary !== undefined)
    return raw
      .slice(at)
      .split(`--${boundary}`)
      .slice(1, -1)
      .flatMap((part) => parts(part.replace(/^\r\n/, '')))
  const body = raw.slice(at + 4)
  if (/^content-transfer-encoding: base64/im.test(head)) return [{ head, body: Buffer.from(body, 'base64').toString() }]
  if (!/^content-transfer-encoding: quoted-printable/im.test(head)) return [{ head, body }]
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return [{ head, body: Buffer.from(bytes, 'latin1').toString() }]
}

test('rows go to the recipients of the query, as text and as a table, with exact numbers', async () => {
  const { to, raw } = await send()
  expect(to).toEqual([ANA, BOB])
  expect(header(raw, 'subject')).toBe('Query Doors: 2 rows')
  expect(header(raw, 'to')).toBe(`${ANA}, ${BOB}`)
  expect(header(raw, 'caracal-delivery')).toBe('d1')
  const [text, html, ...files] = parts(raw)
  expect(files).toEqual([])
  expect(text!.body).toContain('door: east\nuses: 9007199254740993\n\ndoor: west\nuses: \n'.replaceAll('\n', '\r\n'))
  expect(html!.body).toMatch(/<td[^>]*>east<\/td><td[^>]*>9007199254740993<\/td>/)
})

test('with PreferAttachment all rows are a CSV file, in which no text is a formula', async () => {
  const { raw } = await send({ isAttached: true, rows: ['["=1+1","a,\\"b\\""]', '["",null]'], query: '../Doors & more' })
  const [, , file] = parts(raw)
  expect(file!.head).toContain('filename=Doors-more-2026-01-02T03-04-00-000Z.csv')
  expect(file!.body.trimEnd()).toBe('door,uses\r\n\'=1+1,"a,""b"""\r\n"",')
})

test('a name, a description or a value adds no header, recipient, markup or link', async () => {
  const line = 'x\r\nBcc: evil@example.org\r\n\r\n.\r\n<img src=x onerror=alert(1)>"\'&amp; https://evil.example \u202e'
  const { to, raw } = await send({
    query: line,
    description: line,
    columns: [line, 'b'],
    rows: [JSON.stringify([line, line])],
    total: 1,
  })
  expect(to).toEqual([ANA, BOB])
  expect(header(raw, 'bcc')).toBeUndefined()
  const [text, html] = parts(raw)
  for (const { body } of [text!, html!]) {
    expect(body).not.toMatch(/https:\/\/evil|\u202e/)
    expect(body).not.toMatch(/^Bcc:/m)
  }
  expect(html!.body).not.toContain('<img')
  expect(html!.body.match(/<a /g)).toHaveLength(1)
})

test('what is left out is said: rows beyond the message, beyond the file, and beyond the query', async () => {
  const rows = Array.from({ length: 150 }, (_, i) => `[${i}]`)
  const shown = parts((await send({ columns: ['n'], rows: rows.slice(0, 100), total: 150 })).raw)[0]!.body
  expect(shown).toContain('This message shows the first 100.')
  expect(shown).toContain('n: 99\r\n')
  const cut = await send({ columns: ['n'], rows, total: 900, isAttached: true, isTruncated: true }, 'd2')
  const said = parts(cut.raw)[0]!.body
  expect(said).toContain('The attached file has the first 150. This message shows the first 100.')
  expect(said).toContain('The others are left out because the mail would be too large.')
  expect(said).toContain('The query has more rows than a run returns: narrow it.')
})

test('a recipient whom the server refuses for the moment gets the next attempt, and the others no second mail', async () => {
  server.refuses = { recipient: { [BOB]: 450 } }
  await expect(send()).rejects.toThrow(RetryLater)
  server.refuses = {}
  await send()
  expect(server.received.map(({ to }) => to)).toEqual([[ANA], [BOB]])
})

test.each([
  ['', 'no longer stored'],
  ['{', 'not JSON'],
  ['{"version":9}', 'a newer version'],
])('stored rows %j cannot be sent', (text, message) => {
  expect(() => readRowsMail(text)).toThrow(Refused)
  expect(() => readRowsMail(text)).toThrow(message)
})
