import { describe, expect, test } from 'vitest'
import { DELIVERY_KINDS, type DeliveryKind, type OutgoingAlert } from '../src/model/outgoing-alert.ts'
import type { Destination } from '../src/stages/deliver/destination.ts'
import { digestAlert } from '../src/stages/deliver/digest.ts'
import { destinations } from '../src/stages/deliver/index.ts'
import { createHttp } from '../src/util/http/http.ts'
import { connectNowhere } from '../src/util/http/open-socket.ts'
import { outgoingAlert } from './support/alerts.ts'
import type { Mail } from './support/mail-server.ts'
import { type Received, TestServer } from './support/servers.ts'
import { type Fitting, fittings } from './support/vendors.ts'

/** In every text that comes from an event. */
const MARK = 'HOSTILE'

/** What an attacker writes into a log line so that a rule repeats it. */
const ATTACK = [
  MARK,
  '@channel @everyone <!here> <!channel> <@U0000ANA> [~accountid:1] <users/all>',
  '[HOSTILE](https://evil.example/a) <https://evil.example|HOSTILE> [HOSTILE|https://evil.example] https://evil.example www.evil.example',
  '<script>alert(1)</script><img src=x onerror=alert(1)><a href="https://evil.example">HOSTILE</a> &lt;b&gt;',
  '\r\nX-Injected: HOSTILE\r\nBcc: all@evil.example\r\n\r\nHOSTILE body\r\n.\r\n',
  '```\nHOSTILE outside\n~~~\n````\n{noformat}HOSTILE{noformat} {code}HOSTILE{code} [code]<b>HOSTILE</b>[/code] **HOSTILE** `HOSTILE`',
  '"},"injected":{"HOSTILE":"1"},"x":"',
  '\u202eELITSOH\u2066 \u200f \u001b[31m\u001b]8;;https://evil.example\u0007HOSTILE\u0000 \u0085 \u2028 \ud800 <165>1 HOSTILE',
].join(' ')
const LONG = `${ATTACK} ${'HOSTILE '.repeat(131_072)}`

/** The same fields, with text that has nothing in it. */
const alertOf = (text: string, long: string): OutgoingAlert =>
  outgoingAlert({
    title: text,
    name: text,
    description: long,
    runbook: text,
    reference: `https://wiki.example/${text === ATTACK ? 'x)"><b>HOSTILE</b>](https://evil.example)|_*' : 'x'}`,
    tags: [text],
    reports: { [text]: [text] },
    dedup: text,
    context: JSON.stringify({ [text]: long }),
    logTypes: [text],
    indicators: { p_any_usernames: [text], p_any_domain_names: ['evil.example', text] },
    sourceLabels: [text],
    summaries: [{ attribute: text, values: [{ value: text, count: 3 }], isEstimated: false }],
  })
const HOSTILE = alertOf(ATTACK, LONG)
const HARMLESS = alertOf('plain', 'plain')

/** Programs get the exact texts, framed so that they are data. */
const PROGRAMS: readonly string[] = ['stdout', 'webhook', 'splunk_hec', 'syslog', 'file', 'sns', 'sqs', 'caracal']

/** For people: the texts of a body in which the receiver sees markup, mentions or links. A missing type has not been thought about. */
const INTERPRETED: Readonly<Record<string, (texts: readonly Text[]) => readonly string[]>> = {
  // Markup is in `mrkdwn` objects and `text`; there, only `<…>` has a meaning, once `&` is escaped.
  slack: (texts) => of(texts, 'text', 'blocks').filter((text) => /[<>]|&(?!amp;|lt;|gt;)/.test(text)),
  discord: (texts) => [
    ...outsideFences(of(texts, 'embeds.0.description')),
    ...of(texts, 'embeds.0.title').map((text) => (/(?<!\\)(?:\\\\)*[`*_~|>#()[\]<@:-]/.test(text) ? text : '')),
  ],
  mattermost: (texts) => outsideFences(texts.map(({ text }) => text)),
  github: (texts) => outsideFences(of(texts, 'body')),
  incidentio: (texts) => outsideFences(of(texts, 'description')),
  // A `TextRun` is not Markdown, unlike a `TextBlock`; `structure` makes sure that no other elements appear.
  msteams: () => [],
  // Without `markdown: true`.
  ntfy: () => [],
  // The entity `pre` covers the text up to our links; without `parse_mode` nothing else is markup.
  telegram: (texts) => of(texts, 'text').map((text) => text.slice(text.lastIndexOf('\nhttp://127.0.0.1')).replace(REFERENCE, '')),
  // Details and descriptions are shown as plain text.
  pagerduty: () => [],
  opsgenie: () => [],
  asana: () => [],
  jira: (texts) =>
    of(texts, 'fields.description', 'body').map((text) =>
      text.replace(/\{noformat\}[\s\S]*?\{noformat\}/g, '').replace(REFERENCE, ''),
    ),
  // Journal fields show what is between `[code]` and `[/code]` as HTML.
  servicenow: (texts) => texts.map(({ text }) => text).filter((text) => /\[\/?code\]/i.test(text)),
  email: () => [],
}

interface Text {
  readonly path: string
  readonly text: string
}

/** The texts directly at these paths, or below them where they are not texts. */
const of = (texts: readonly Text[], ...paths: readonly string[]) =>
  texts.filter(({ path }) => paths.includes(path)).map(({ text }) => text)

function outsideFences(texts: readonly string[]): string[] {
  return texts.map((text) => text.replace(/^```\n[\s\S]*?\n```$/gm, '').replace(REFERENCE, ''))
}

/** Every text of a JSON value, with its path. */
function textsOf(value: unknown, path = ''): Text[] {
  if (typeof value === 'string') return [{ path, text: value }]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => [
    { path: `${path}#key`, text: key },
    ...textsOf(item, path === '' ? key : `${path}.${key}`),
  ])
}

/** A JSON value with its texts left out, except those that say what something is. */
function structure(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => structure(item))
  if (typeof value !== 'object' || value === null) return key === 'type' || key === 'style' ? value : typeof value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name.includes(MARK) || name.includes('plain') ? 'plain' : name,
      structure(item, name),
    ]),
  )
}

interface Sent {
  readonly received: readonly unknown[]
  readonly written: string
}

async function sent(type: string, fitting: Fitting, alert: OutgoingAlert, kind: DeliveryKind): Promise<Sent> {
  const definition = destinations.find((one) => one.type === type)!
  const server = await (fitting.serve?.() ?? new TestServer().listen())
  if (server instanceof TestServer) server.answer = fitting.answer ?? server.answer
  const http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: [] })
  let written = ''
  const secrets = fitting.secrets(server.url)
  const destination: Destination = await definition.create(
    definition.config.parse({ id: 'x', ...fitting.config(server.url) }) as never,
    {
      send: http.configured,
      socket: connectNowhere,
      trusted: ('trusted' in server && server.trusted) || {},
      now: () => 1_700_000_000_000,
      write: (text) => {
        written += text
      },
      secret: (name) => ('env' in name ? secrets[name.env!]! : ''),
    },
  )
  try {
    const work = {
      status: 'TRIAGED',
      owner: alert.title.slice(0, 200),
      reason: alert.title.slice(0, 999),
      by: alert.title,
    } as const
    await destination.send(
      { id: 'd1', kind, alert, reference: 'SEC-24', progress: kind === 'changed' ? work : undefined },
      AbortSignal.timeout(20_000),
    )
    return { received: structuredClone(server.received), written }
  } finally {
    await destination.close()
    await http.close()
    await server.close()
  }
}

const cases = destinations.flatMap(({ type }) =>
  (fittings[type] ?? []).flatMap((fitting, way) => DELIVERY_KINDS.map((kind) => ({ type, way: way + 1, kind, fitting }))),
)

/** An alert for a delivery of that kind: a digest is made of many. */
const given = (alert: OutgoingAlert, kind: DeliveryKind) =>
  kind === 'digest' ? digestAlert([alert, { ...alert, ruleId: alert.title }], 'e1', 1_700_000_000_000) : alert

const UNSAFE = /[\p{Cf}\u2028\u2029]|(?!\n)\p{Cc}/u
/** What the rule itself links to, with nothing of it that any markup reads as its own. */
const REFERENCE = /https:\/\/wiki\.example\/[\w%/:.-]*/g
const LINK = /https?:\/\/evil|(?<!\[\.\])www\.evil/

describe.each(cases)('$type (way $way), $kind', ({ type, kind, fitting }) => {
  test('a hostile event adds no request, header, link, mention or element', { timeout: 60_000 }, async () => {
    const attack = await sent(type, fitting, given(HOSTILE, kind), kind)
    const plain = await sent(type, fitting, given(HARMLESS, kind), kind)
    expect(attack.received.length).toBe(plain.received.length)
    if (type === 'stdout') expect(attack.written.replace(/\n$/, '')).not.toMatch(UNSAFE)
    expect(attack.written.trimEnd().split('\n').length).toBe(plain.written.trimEnd().split('\n').length)
    for (const [i, one] of attack.received.entries()) {
      const other = plain.received[i]
      if (typeof one === 'string') checkFrame(one)
      else if ('raw' in (one as object)) checkMail(one as Mail, other as Mail)
      else checkRequest(type, one as Received, other as Received)
    }
  })
})

/** A line of a file, or a message of syslog whose length the server has read. */
function checkFrame(text: string): void {
  if (text === '') return
  expect(text.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  expect(() => JSON.parse(text.slice(text.indexOf('{')))).not.toThrow()
}

function checkMail({ to, raw }: Mail, other: Mail): void {
  expect(to).toEqual(other.to)
  const [head, otherHead] = [raw, other.raw].map((mail) => mail.slice(0, mail.indexOf('\r\n\r\n')))
  const names = (text: string) => [...text.matchAll(/^([\w-]+):/gm)].map(([, name]) => name)
  expect(names(head!)).toEqual(names(otherHead!))
  const html = decoded(raw, 'text/html')
  const tags = (text: string) => [...text.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(/href="[^"]*"/, 'href'))
  expect(tags(html)).toEqual(tags(decoded(other.raw, 'text/html')))
  expect([...html.matchAll(/href="([^"]*)"/g)].map(([, to]) => new URL(to!).host)).toEqual(
    [...decoded(other.raw, 'text/html').matchAll(/href="([^"]*)"/g)].map(([, to]) => new URL(to!).host),
  )
  for (const text of [html, decoded(raw, 'text/plain')]) {
    expect(UNSAFE.exec(text.replaceAll('\r', ''))?.[0]).toBeUndefined()
    expect(text).toContain(MARK)
    expect(LINK.exec(text.replace(REFERENCE, ''))).toBeNull()
  }
  expect(raw.length).toBeLessThan(400_000)
}

/** The body of the part with that type. */
function decoded(mail: string, type: string): string {
  const part = mail.split(/^--[^\r\n]+\r\n/m).find((text) => text.startsWith(`Content-Type: ${type}`))!
  const [head, ...body] = part.split('\r\n\r\n')
  const text = body.join('\r\n\r\n')
  if (/base64/i.test(head!)) return Buffer.from(text, 'base64').toString()
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}

function checkRequest(type: string, one: Received, other: Received): void {
  const place = ({ method, url }: Received) => `${method} ${url.replace(/:\d+/, '')}`
  expect(place(one)).toBe(place(other))
  expect(Object.keys(one.headers).sort()).toEqual(Object.keys(other.headers).sort())
  expect(JSON.stringify(one.headers)).not.toContain(MARK)
  if (one.body === '') return
  const [body, plain] = [one.body, other.body].map(parsed)
  const texts = textsOf(body)
  if (PROGRAMS.includes(type)) return
  expect(structure(body)).toEqual(structure(plain))
  // One megabyte came in.
  expect(one.body.length).toBeLessThan(300_000)
  for (const { text } of texts) {
    expect(UNSAFE.exec(text)?.[0]).toBeUndefined()
    expect(text.isWellFormed()).toBe(true)
    expect(LINK.exec(text.replaceAll('\\', '').replace(REFERENCE, ''))).toBeNull()
  }
  const check = INTERPRETED[type]
  if (!check) throw new Error(`add to INTERPRETED which texts of destination '${type}' its receiver reads as markup`)
  expect(check(texts).filter((text) => text.includes(MARK))).toEqual([])
}

function parsed(body: string): unknown {
  return body.startsWith('{') || body.startsWith('[') ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body))
}
