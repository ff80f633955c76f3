import type { ServerResponse } from 'node:http'
import type { Trusted } from '../../src/util/http/http.ts'
import { MailServer } from './mail-server.ts'
import type { Received } from './servers.ts'
import { FileSide, SyslogServer } from './syslog-server.ts'

/** Part of every secret, so that it is found wherever it leaks. */
export const SECRET = 's3cr3t-5f1e'

/** A receiver that the suite of destinations can make fail. */
export interface OtherSide {
  readonly url: string
  /** Connections that were opened. */
  readonly connections: number
  /** What arrived; each delivery's id is in one of them. */
  readonly received: readonly unknown[]
  readonly trusted?: Trusted
  /** By the name of a failure, what makes every further delivery fail in that way. */
  readonly failures: Readonly<Record<string, () => void>>
  /** Lets the next delivery wait forever. */
  hang(arrived: () => void): void
  close(): Promise<void>
}

/** Everything needed to use a destination with a test server: its keys, with secrets as references, and the secrets. */
export interface Fitting {
  readonly config: (serverUrl: string) => object
  readonly secrets: (serverUrl: string) => Readonly<Record<string, string>>
  /** How the receiver answers what it accepts. Default: 204. */
  readonly answer?: (response: ServerResponse, request: Received) => void
  /** Starts the receiver if it does not speak HTTP. */
  readonly serve?: () => Promise<OtherSide>
}

const json =
  (status: number, body: object): NonNullable<Fitting['answer']> =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

const hook = { config: () => ({ url: { env: 'URL' } }), secrets: (url: string) => ({ URL: `${url}/${SECRET}?key=${SECRET}` }) }
const withToken = (keys: object = {}, answer?: Fitting['answer']): Fitting => ({
  config: (url) => ({ url, token: { env: 'TOKEN' }, ...keys }),
  secrets: () => ({ TOKEN: SECRET }),
  ...(answer && { answer }),
})

const AWS_AUTH = { access_key_id: 'AKIDEXAMPLE', secret_access_key: { env: 'SECRET_KEY' }, session_token: { env: 'SESSION' } }

/** By the type of destination, then by way of using it. The answers are those that the vendors document. */
export const fittings: Readonly<Record<string, readonly Fitting[]>> = {
  stdout: [{ config: () => ({}), secrets: () => ({}) }],
  webhook: [
    {
      config: () => ({ url: { env: 'URL' }, headers: { authorization: { env: 'TOKEN' } }, secret: { env: 'KEY' } }),
      secrets: (url) => ({ ...hook.secrets(url), TOKEN: `Bearer ${SECRET}`, KEY: SECRET }),
    },
    {
      ...hook,
      config: () => ({ ...hook.config(), body: { text: '{{headline}}', more: [{ all: '{{text}} {{context}}' }, 3, null] } }),
    },
  ],
  slack: [
    hook,
    {
      config: (url) => ({ api_url: url, token: { env: 'TOKEN' }, channel: 'C0123' }),
      secrets: () => ({ TOKEN: SECRET }),
      answer: json(200, { ok: true, channel: 'C0123', ts: '1503435956.000247' }),
    },
    {
      config: (url) => ({
        ...{ api_url: url, token: { env: 'TOKEN' }, channel: 'C0123' },
        buttons: { app_token: { env: 'APP_TOKEN' }, people: { U0000ANA: 'ana' } },
      }),
      secrets: () => ({ TOKEN: SECRET, APP_TOKEN: `xapp-${SECRET}` }),
      answer: json(200, { ok: true, channel: 'C0123', ts: '1503435956.000247' }),
    },
  ],
  discord: [hook],
  msteams: [hook],
  mattermost: [hook],
  ntfy: [{ ...withToken({ topic: { env: 'TOPIC' } }), secrets: () => ({ TOKEN: SECRET, TOPIC: SECRET }) }],
  telegram: [withToken({ chat_id: '-1001' })],
  email: (['starttls', 'implicit'] as const).map((tls) => ({
    config: (url) => ({
      host: new URL(url).hostname,
      port: Number(new URL(url).port),
      tls,
      username: 'caracal',
      password: { env: 'PASSWORD' },
      from: 'caracal@example.com',
      to: ['soc@example.com', 'night@example.com'],
    }),
    secrets: () => ({ PASSWORD: SECRET }),
    serve: () => new MailServer({ password: SECRET, isImplicit: tls === 'implicit' }).listen(),
  })),
  pagerduty: [
    {
      config: (url) => ({ url, routing_key: { env: 'KEY' } }),
      secrets: () => ({ KEY: SECRET }),
      answer: json(202, { status: 'success', message: 'Event processed', dedup_key: 'a' }),
    },
  ],
  opsgenie: [
    {
      config: (url) => ({ url, api_key: { env: 'KEY' } }),
      secrets: () => ({ KEY: SECRET }),
      answer: json(202, { result: 'Request will be processed', took: 0.3, requestId: '43a2' }),
    },
  ],
  incidentio: [
    withToken({ source_id: '01HZX' }, json(202, { status: 'success', message: 'Event accepted', deduplication_key: 'a' })),
  ],
  jira: [
    withToken({ email: 'soc@example.com', project: 'SEC', done_transition: 'done' }, (response, request) => {
      const transitions = [
        { id: '11', name: 'To Do' },
        { id: '31', name: 'Done' },
      ]
      if (request.method === 'GET') json(200, { expand: 'transitions', transitions })(response, request)
      else
        json(201, { id: '10000', key: 'SEC-24', self: 'https://example.atlassian.net/rest/api/3/issue/10000' })(response, request)
    }),
    withToken({ project: 'SEC' }, json(201, { id: '10000', key: 'SEC-24' })),
  ],
  github: [withToken({ repository: 'acme/alerts' }, json(201, { id: 1, number: 1347, state: 'open' }))],
  servicenow: [
    {
      config: (url) => ({ url, username: 'caracal', password: { env: 'PASSWORD' } }),
      secrets: () => ({ PASSWORD: SECRET }),
      answer: json(201, { result: { sys_id: 'c537bae64f411200adf9f8e18110c76e', number: 'INC0000057' } }),
    },
  ],
  asana: [withToken({ projects: ['1200000000000001'] }, json(201, { data: { gid: '12345', resource_type: 'task' } }))],
  splunk_hec: [withToken({}, json(200, { text: 'Success', code: 0 }))],
  syslog: (['tcp', 'tls'] as const).map((transport) => ({
    config: (url) => ({ host: '127.0.0.1', port: Number(new URL(url).port), transport }),
    secrets: () => ({}),
    serve: () => new SyslogServer(transport === 'tls').listen(),
  })),
  file: [{ config: (url) => ({ path: url }), secrets: () => ({}), serve: async () => new FileSide() }],
  sns: [
    {
      config: (url) => ({ topic_arn: 'arn:aws:sns:eu-central-1:123456789012:alerts', endpoint: url, auth: AWS_AUTH }),
      secrets: () => ({ SECRET_KEY: SECRET, SESSION: SECRET }),
      answer: json(200, {}),
    },
    {
      config: (url) => ({
        ...{ topic_arn: 'arn:aws:sns:eu-central-1:123456789012:alerts.fifo', endpoint: url, auth: AWS_AUTH },
        format: 'text',
      }),
      secrets: () => ({ SECRET_KEY: SECRET, SESSION: SECRET }),
      answer: json(200, {}),
    },
  ],
  sqs: ['alerts', 'alerts.fifo'].map((name) => ({
    config: (url) => ({ queue_url: `${url}/123456789012/${name}`, region: 'eu-central-1', auth: AWS_AUTH }),
    secrets: () => ({ SECRET_KEY: SECRET, SESSION: SECRET }),
    answer: json(200, { MessageId: 'a' }),
  })),
  caracal: [withToken({ source: 'alerts' }, json(200, { accepted: 1 }))],
}
