import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { outgoingAlert } from '../../../test/support/alerts.ts'
import { type Received, TestServer } from '../../../test/support/servers.ts'
import { type Fitting, fittings } from '../../../test/support/vendors.ts'
import type { DeliveryKind, OutgoingAlert } from '../../model/outgoing-alert.ts'
import { Refused, RetryLater } from '../../util/errors.ts'
import { createHttp, type Http } from '../../util/http/http.ts'
import { connectNowhere } from '../../util/http/open-socket.ts'
import type { Sent } from './destination.ts'
import { createDestination, type DestinationConfig, destinations } from './index.ts'

let server: TestServer
let http: Http
beforeEach(async () => {
  server = await new TestServer().listen()
  http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: [] })
})
afterEach(async () => {
  await http.close()
  await server.close()
})

const ALERT = outgoingAlert()
const { alertId, link } = ALERT

async function sent(
  type: string,
  kind: DeliveryKind,
  alert: Partial<OutgoingAlert> = {},
  { way = 0, config = {}, reference }: { way?: number; config?: object; reference?: string } = {},
): Promise<{ requests: readonly Received[]; body: Record<string, never>; result: Sent }> {
  const fitting: Fitting = fittings[type]![way]!
  server.answer = fitting.answer ?? ((response) => void response.writeHead(204).end())
  const definition = destinations.find((one) => one.type === type)!
  const parsed = definition.config.parse({ id: 'x', ...fitting.config(server.url), ...config })
  const destination = await createDestination({ ...parsed, type } as unknown as DestinationConfig, {
    send: http.configured,
    socket: connectNowhere,
    trusted: {},
    now: Date.now,
    write: () => {},
    secret: (name) => ('env' in name ? fitting.secrets(server.url)[name.env!]! : ''),
  })
  const from = server.received.length
  const given = { id: 'd1', kind, alert: outgoingAlert(alert), reference }
  const result = await destination.send(given, AbortSignal.timeout(5000)).finally(() => destination.close())
  const requests = server.received.slice(from)
  const last = requests.at(-1)?.body ?? ''
  return { requests, body: (last.startsWith('{') ? JSON.parse(last) : {}) as Record<string, never>, result }
}

interface Expected {
  readonly type: string
  readonly way?: number
  readonly kind: DeliveryKind
  readonly reference?: string
  /** Method and path of each request. */
  readonly requests: readonly string[]
  readonly headers?: Record<string, string>
  readonly body: object
  readonly returns?: string
}

const BASIC = (user: string) => `Basic ${Buffer.from(`${user}:s3cr3t-5f1e`).toString('base64')}`
const BEARER = { authorization: 'Bearer s3cr3t-5f1e' }
const ALIAS = `/v2/alerts/${alertId}`

const EXPECTED: readonly Expected[] = [
  {
    type: 'pagerduty',
    kind: 'opened',
    requests: ['POST /v2/enqueue'],
    body: {
      routing_key: 's3cr3t-5f1e',
      event_action: 'trigger',
      dedup_key: alertId,
      payload: {
        summary: 'HIGH: SSH from a Tor exit node',
        source: 'zeek',
        severity: 'error',
        timestamp: '2024-03-12T08:00:00.000Z',
      },
      links: [
        { href: link, text: 'Open the alert' },
        { href: 'https://example.com/tor', text: 'Reference' },
      ],
    },
  },
  { type: 'pagerduty', kind: 'updated', requests: ['POST /v2/enqueue'], body: { event_action: 'trigger', dedup_key: alertId } },
  { type: 'pagerduty', kind: 'resolved', requests: ['POST /v2/enqueue'], body: { event_action: 'resolve', dedup_key: alertId } },
  {
    type: 'opsgenie',
    kind: 'opened',
    requests: ['POST /v2/alerts'],
    headers: { authorization: 'GenieKey s3cr3t-5f1e' },
    body: { alias: alertId, message: 'HIGH: SSH from a Tor exit node', priority: 'P2', tags: ['Zeek'], source: 'Caracal' },
  },
  { type: 'opsgenie', kind: 'updated', requests: [`POST ${ALIAS}/notes?identifierType=alias`], body: { source: 'Caracal' } },
  { type: 'opsgenie', kind: 'resolved', requests: [`POST ${ALIAS}/close?identifierType=alias`], body: { source: 'Caracal' } },
  {
    type: 'incidentio',
    kind: 'opened',
    requests: ['POST /v2/alert_events/http/01HZX'],
    headers: BEARER,
    body: { deduplication_key: alertId, status: 'firing', source_url: link, title: 'HIGH: SSH from a Tor exit node' },
  },
  {
    type: 'incidentio',
    kind: 'resolved',
    requests: ['POST /v2/alert_events/http/01HZX'],
    body: { deduplication_key: alertId, status: 'resolved' },
  },
  {
    type: 'jira',
    kind: 'opened',
    requests: ['POST /rest/api/3/issue'],
    headers: { authorization: BASIC('soc@example.com') },
    returns: 'SEC-24',
    body: {
      fields: {
        project: { key: 'SEC' },
        issuetype: { name: 'Task' },
        summary: 'HIGH: SSH from a Tor exit node',
        labels: ['caracal'],
        description: { type: 'doc', version: 1 },
      },
    },
  },
  {
    type: 'jira',
    kind: 'updated',
    reference: 'SEC-7',
    requests: ['POST /rest/api/3/issue/SEC-7/comment'],
    body: { body: { type: 'doc' } },
    returns: 'SEC-7',
  },
  {
    type: 'jira',
    kind: 'resolved',
    reference: 'SEC-7',
    body: { transition: { id: '31' } },
    requests: ['GET /rest/api/3/issue/SEC-7/transitions', 'POST /rest/api/3/issue/SEC-7/transitions'],
  },
  {
    type: 'jira',
    way: 1,
    kind: 'opened',
    requests: ['POST /rest/api/2/issue'],
    headers: BEARER,
    body: { fields: { project: { key: 'SEC' } } },
    returns: 'SEC-24',
  },
  { type: 'jira', way: 1, kind: 'resolved', reference: 'SEC-7', requests: ['POST /rest/api/2/issue/SEC-7/comment'], body: {} },
  {
    type: 'github',
    kind: 'opened',
    requests: ['POST /repos/acme/alerts/issues'],
    returns: '1347',
    headers: { ...BEARER, accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28', 'user-agent': 'caracal' },
    body: { title: 'HIGH: SSH from a Tor exit node', labels: [], assignees: [] },
  },
  { type: 'github', kind: 'updated', reference: '7', requests: ['POST /repos/acme/alerts/issues/7/comments'], body: {} },
  {
    type: 'github',
    kind: 'resolved',
    reference: '7',
    requests: ['PATCH /repos/acme/alerts/issues/7'],
    body: { state: 'closed', state_reason: 'completed' },
  },
  {
    type: 'servicenow',
    kind: 'opened',
    requests: ['POST /api/now/table/incident'],
    headers: { authorization: BASIC('caracal') },
    body: { short_description: 'HIGH: SSH from a Tor exit node', correlation_id: alertId, urgency: '1', impact: '1' },
    returns: 'c537bae64f411200adf9f8e18110c76e',
  },
  {
    type: 'servicenow',
    kind: 'resolved',
    reference: 'c5',
    requests: ['PATCH /api/now/table/incident/c5'],
    body: { state: '6', close_code: 'Solution provided' },
  },
  {
    type: 'asana',
    kind: 'opened',
    requests: ['POST /tasks'],
    headers: BEARER,
    body: { data: { name: 'HIGH: SSH from a Tor exit node', projects: ['1200000000000001'] } },
    returns: '12345',
  },
  { type: 'asana', kind: 'updated', reference: '5', requests: ['POST /tasks/5/stories'], body: {} },
  { type: 'asana', kind: 'resolved', reference: '5', requests: ['PUT /tasks/5'], body: { data: { completed: true } } },
  {
    type: 'slack',
    kind: 'opened',
    requests: ['POST /s3cr3t-5f1e?key=s3cr3t-5f1e'],
    body: { text: 'HIGH: SSH from a Tor exit node' },
  },
  {
    type: 'slack',
    way: 1,
    kind: 'opened',
    requests: ['POST /chat.postMessage'],
    headers: BEARER,
    body: { channel: 'C0123', unfurl_links: false },
    returns: '1503435956.000247',
  },
  {
    type: 'slack',
    way: 1,
    kind: 'resolved',
    reference: '15.2',
    requests: ['POST /chat.postMessage'],
    body: { thread_ts: '15.2', text: 'Resolved: HIGH: SSH from a Tor exit node' },
    returns: '15.2',
  },
  { type: 'discord', kind: 'opened', requests: ['POST /s3cr3t-5f1e?key=s3cr3t-5f1e'], body: { allowed_mentions: { parse: [] } } },
  { type: 'msteams', kind: 'opened', requests: ['POST /s3cr3t-5f1e?key=s3cr3t-5f1e'], body: { type: 'message' } },
  { type: 'mattermost', kind: 'opened', requests: ['POST /s3cr3t-5f1e?key=s3cr3t-5f1e'], body: {} },
  {
    type: 'ntfy',
    kind: 'opened',
    requests: ['POST /'],
    headers: BEARER,
    body: { topic: 's3cr3t-5f1e', priority: 4, click: link },
  },
  {
    type: 'telegram',
    kind: 'opened',
    requests: ['POST /bots3cr3t-5f1e/sendMessage'],
    body: { chat_id: '-1001', link_preview_options: { is_disabled: true } },
  },
  {
    type: 'splunk_hec',
    kind: 'opened',
    requests: ['POST /services/collector/event'],
    headers: { authorization: 'Splunk s3cr3t-5f1e' },
    body: { time: 1710230400, source: 'caracal', sourcetype: 'caracal:alert', event: { alertId, version: '1' } },
  },
  {
    type: 'caracal',
    kind: 'resolved',
    requests: ['POST /ingest/alerts'],
    headers: { ...BEARER, 'content-type': 'application/x-ndjson' },
    body: { alertId, kind: 'resolved' },
  },
]

test.each(EXPECTED)('$type, way $way, $kind: the requests are as the vendor documents them', async (one) => {
  const { requests, body, result } = await sent(one.type, one.kind, {}, one)
  expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual(one.requests)
  if (one.headers) expect(requests.at(-1)!.headers).toMatchObject(one.headers)
  expect(requests.at(-1)!.headers['caracal-delivery']).toBe('d1')
  expect(body).toMatchObject(one.body)
  if (one.returns !== undefined) expect(result).toBe(one.returns)
})

test.each(['jira', 'github', 'servicenow', 'asana'])(
  '%s: an update of an alert that it does not know is created, and a resolution is not sent',
  async (type) => {
    const { requests } = await sent(type, 'updated')
    expect(requests.map(({ method }) => method)).toEqual(['POST'])
    expect(requests[0]!.url).toMatch(/\/(?:issue|issues|incident|tasks)$/)
    expect(await sent(type, 'resolved')).toMatchObject({ requests: [], result: undefined })
  },
)

const LINES = '<!channel> @everyone @here @channel <@U1> [click](https://evil.example/a) www.evil.example https://evil.example'
const HOSTILE: Partial<OutgoingAlert> = {
  title: `${LINES}\r\nX-Injected: yes \`\`\`\` \u202e`,
  description: `${LINES}\n\`\`\`\n# heading\n@everyone\n{noformat}`,
  runbook: LINES,
  tags: [LINES],
  dedup: LINES,
  context: '{}',
  sourceLabels: [LINES],
  indicators: { p_any_domain_names: [LINES, 'www.evil.example'] },
}

/** Destinations for people: those for programs get the exact text. */
const FOR_PEOPLE = destinations
  .map(({ type }) => type)
  .filter((type) => fittings[type]!.every(({ serve }) => !serve))
  .filter((type) => !['stdout', 'webhook', 'splunk_hec', 'sns', 'sqs', 'caracal'].includes(type))

describe.each(FOR_PEOPLE)('%s: a hostile log line', (type) => {
  test.each(fittings[type]!.map((_, way) => way))('makes no links, mentions or markup (way %i)', async (way) => {
    const { requests, body } = await sent(type, 'opened', HOSTILE, { way })
    const [request] = requests
    const text = strings(body).join('\n')
    expect(text).toContain('hxxps://evil.example')
    expect(text).not.toMatch(/https:\/\/evil|www\.evil|\u202e|\r/)
    expect(request!.headers['x-injected']).toBeUndefined()
    if (type === 'slack') {
      expect(String(body['text'])).not.toMatch(/[<>]/)
      expect(JSON.stringify(body['blocks'])).not.toContain('mrkdwn')
    }
    // Beyond the code block there are only our own links.
    if (type === 'github' || type === 'mattermost') {
      const shown = String(body['body'] ?? body['text'])
      expect(shown.split('```')).toHaveLength(3)
      expect(shown.split('```')[2]).toBe(
        `${type === 'github' ? '\n\n' : '\n'}[Open the alert](${link}) · [Reference](https://example.com/tor)`,
      )
    }
  })
})

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : []
}

const OVER_HTTP = destinations.filter(({ type, isLocal }) => !isLocal && fittings[type]!.every(({ serve }) => !serve))
test.each(OVER_HTTP.map(({ type }) => type))('%s: when asked to wait, it says how long', async (type) => {
  const fitting = fittings[type]![0]!
  const waiting = { ...fitting, answer: undefined }
  expect(waiting.answer).toBeUndefined()
  const before = fittings[type]![0]!.answer
  const busy: NonNullable<Fitting['answer']> = (response) => void response.writeHead(429, { 'retry-after': '7' }).end()
  Object.assign(fitting, { answer: busy })
  const error = await sent(type, 'opened').catch((caught: unknown) => caught)
  Object.assign(fitting, { answer: before })
  expect(error).toBeInstanceOf(RetryLater)
  expect((error as RetryLater).afterMs).toBe(7000)
})

test.each<[string, number, object, typeof Refused | typeof RetryLater, string]>([
  ['slack', 200, { ok: false, error: 'channel_not_found' }, Refused, 'Slack did not accept the message (channel_not_found)'],
  ['slack', 200, { ok: false, error: 'ratelimited' }, RetryLater, 'Slack did not accept the message (ratelimited)'],
  ['slack', 200, { ok: false, error: 'Your token xoxb-1 is bad' }, Refused, 'Slack did not accept the message'],
  [
    'jira',
    201,
    { unexpected: true },
    Refused,
    'Jira accepted the alert, but its answer has no `key`: check the URL of the destination',
  ],
  ['telegram', 400, { ok: false, error_code: 400, error: 'bad_request' }, Refused, 'Telegram at HOST answered 400 (bad_request)'],
  ['splunk_hec', 403, { text: 'Invalid token', code: 4 }, Refused, 'Splunk at HOST answered 403 (4)'],
])('%s, answering %i %o, is understood', async (type, status, body, kind, message) => {
  const way = type === 'slack' ? 1 : 0
  const fitting = fittings[type]![way]!
  const before = fitting.answer
  Object.assign(fitting, {
    answer: (response: Parameters<NonNullable<Fitting['answer']>>[0]) =>
      void response.writeHead(status).end(JSON.stringify(body)),
  })
  const error = await sent(type, 'opened', {}, { way }).catch((caught: unknown) => caught)
  Object.assign(fitting, { answer: before })
  expect(error).toBeInstanceOf(kind)
  expect((error as Error).message).toBe(message.replace('HOST', server.url))
})

test.each<[string, object, string]>([
  ['slack', { url: { env: 'URL' }, token: { env: 'TOKEN' } }, 'give either `url`'],
  ['slack', { url: undefined, token: { env: 'TOKEN' } }, 'is missing'],
  ['webhook', { body: { a: ['{{titel}}'] } }, 'body: {{titel}} is not part of an alert. Known: kind, alert_id'],
])('%s with %o is refused when it is created', async (type, config, message) => {
  await expect(sent(type, 'opened', {}, { config })).rejects.toThrow(message)
})

test('jira: a transition that the issue does not have is refused with its name', async () => {
  const going = sent('jira', 'resolved', {}, { reference: 'SEC-7', config: { done_transition: 'Ship it' } })
  await expect(going).rejects.toThrow(
    "Jira: issue SEC-7 has no transition 'Ship it' in its present status: correct `done_transition`",
  )
})

test('the body of a webhook can be a template, which stays JSON whatever the alert holds', async () => {
  const title = 'quote " backslash \\ newline \n {{link}} \u2028'
  const config = {
    body: {
      text: '{{ severity }}: {{title}}',
      n: 3,
      list: ['{{tags}}', { deep: '{{context}}' }],
      '{{title}}': '{{event_count}}',
    },
  }
  const { body } = await sent('webhook', 'opened', { title, tags: ['a', 'b'], context: '{"n":9007199254740993}' }, { config })
  expect(body).toEqual({ text: `HIGH: ${title}`, n: 3, list: ['a, b', { deep: '{"n":9007199254740993}' }], '{{title}}': '1' })
})

test.each(['jira', 'github', 'servicenow', 'asana'])(
  '%s is not only notified of ends: there would be no ticket to end',
  (type) => {
    const { config } = destinations.find((one) => one.type === type)!
    const given = (send: readonly string[]) => config.safeParse({ id: 'x', ...fittings[type]![0]!.config(server.url), send })
    expect(given(['resolved']).error?.issues.map(({ path, message }) => [path, message])).toEqual([
      [['send'], expect.stringContaining('add `opened`')],
    ])
    expect(given(['opened', 'resolved']).success).toBe(true)
  },
)
