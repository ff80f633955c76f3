import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Delivery, Destination, DestinationDeps } from '../../src/stages/deliver/destination.ts'
import { sns } from '../../src/stages/deliver/sns.ts'
import { sqs } from '../../src/stages/deliver/sqs.ts'
import { syslog } from '../../src/stages/deliver/syslog.ts'
import { createHttp } from '../../src/util/http/http.ts'
import { connectNowhere } from '../../src/util/http/open-socket.ts'
import { outgoingAlert } from '../support/alerts.ts'
import { freePort } from '../support/caracal.ts'
import { testAuthority } from '../support/certificates.ts'
import { until } from '../support/until.ts'
import { debianPackages, either, type Peer, program } from './support/installed.ts'
import { moto, type ObjectServer, startMoto } from './support/object-stores.ts'

const rsyslog = either(
  () => program('rsyslogd'),
  () => debianPackages(['rsyslog', 'libestr0', 'libfastjson4']),
)
const rsyslogTls = either(
  () => (existsSync('/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_ossl.so') ? program('rsyslogd') : { why: 'no rsyslog-openssl' }),
  () => debianPackages(['rsyslog', 'rsyslog-openssl', 'libestr0', 'libfastjson4']),
)
const why = ({ why }: Peer) => (why ? ` (${why})` : '')
const ALERT = { title: 'é \u202e "quoted"\nsecond line' }
const delivery = (id: string): Delivery => ({ id, kind: 'opened', alert: outgoingAlert(ALERT) })
const deps = (more: Partial<DestinationDeps> = {}): DestinationDeps => ({
  send: http.configured,
  socket: connectNowhere,
  trusted: {},
  now: Date.now,
  write: () => {},
  secret: () => 'test',
  ...more,
})
const http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: [] })

async function sendAll(destination: Destination, ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => destination.send(delivery(id), AbortSignal.timeout(30_000))))
  await destination.close()
}

const IDS = Array.from({ length: 50 }, (_, n) => `delivery-${n}`)

describe.skipIf(rsyslog.why)(`rsyslog${why(rsyslog)}`, () => {
  let folder: string
  let child: ChildProcess
  afterEach(() => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  const authority = testAuthority()

  async function start({ path: root = '' }: Peer, transport: 'tcp' | 'udp' | 'tls'): Promise<number> {
    folder = mkdtempSync(join(tmpdir(), 'caracal-rsyslog-'))
    mkdirSync(join(folder, 'work'))
    const port = await freePort()
    const pair = authority.server()
    for (const [name, text] of Object.entries({ ...pair, ca: authority.certificate }))
      writeFileSync(join(folder, `${name}.pem`), text)
    const tls = `global(defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="${folder}/ca.pem"
  defaultNetstreamDriverCertFile="${folder}/cert.pem" defaultNetstreamDriverKeyFile="${folder}/key.pem")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" port="${port}" address="127.0.0.1")`
    const plain = (name: string) => `module(load="${name}")\ninput(type="${name}" port="${port}" address="127.0.0.1")`
    const input = { tcp: plain('imtcp'), udp: plain('imudp'), tls }[transport]
    writeFileSync(
      join(folder, 'rsyslog.conf'),
      `global(workDirectory="${folder}/work" maxMessageSize="64k")
${input}
template(name="json" type="string" string="%syslogseverity% %app-name% %msgid% %msg:::drop-last-lf%\\n")
*.* action(type="omfile" file="${folder}/out.log" template="json")
`,
    )
    const isUnpacked = existsSync(join(root, 'usr'))
    const libraries = join(root, 'usr/lib/x86_64-linux-gnu')
    const args = ['-n', '-f', join(folder, 'rsyslog.conf'), '-i', join(folder, 'pid')]
    child = spawn(
      isUnpacked ? join(root, 'usr/sbin/rsyslogd') : root,
      isUnpacked ? [...args, '-M', join(libraries, 'rsyslog')] : args,
      {
        stdio: 'ignore',
        ...(isUnpacked && { env: { LD_LIBRARY_PATH: libraries } }),
      },
    )
    await until(async () => existsSync(join(folder, 'pid')) || undefined)
    if (transport !== 'udp')
      await until(
        () =>
          new Promise<true | undefined>((resolve) => {
            const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(undefined))
            socket.on('connect', () => socket.destroy())
          }),
      )
    return port
  }

  async function received(): Promise<string[]> {
    const lines = await until(async () => {
      const all = existsSync(join(folder, 'out.log')) ? readFileSync(join(folder, 'out.log'), 'utf8').trimEnd().split('\n') : []
      const own = all.filter((line) => line.includes(' caracal '))
      return own.length >= IDS.length ? own : undefined
    })
    return lines.map((line) => {
      const [, severity, body] = /^(\d) caracal opened ?(\{.*\})$/.exec(line)!
      expect(severity).toBe('3')
      const { delivery: id, title } = JSON.parse(body!)
      expect(title).toBe(ALERT.title)
      return id
    })
  }

  describe.each([
    { transport: 'tcp', peer: rsyslog },
    { transport: 'udp', peer: rsyslog },
    { transport: 'tls', peer: rsyslogTls },
  ] as const)('over $transport', ({ transport, peer }) => {
    test.skipIf(peer.why)(`reads every alert once${why(peer)}`, async () => {
      const port = await start(peer, transport)
      const config = syslog.config.parse({ id: 's', host: '127.0.0.1', port, transport })
      await sendAll(await syslog.create(config, deps({ trusted: { ca: [authority.certificate] } })), IDS)
      expect((await received()).sort()).toEqual([...IDS].sort())
    })
  })
})

describe.skipIf(moto.why)(`moto${why(moto)}`, () => {
  let server: ObjectServer
  afterEach(() => server.close())
  const auth = { access_key_id: 'test', secret_access_key: { env: 'X' } }

  const call = async (action: string, input: object) => {
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` }
    return JSON.parse((await server.request('sqs', 'POST', '/', JSON.stringify(input), headers)) || '{}')
  }

  async function take(
    QueueUrl: string,
  ): Promise<{ Body: string; MessageAttributes?: Record<string, { StringValue: string }> }[]> {
    const { Messages = [] } = await call('ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] })
    return Messages
  }

  test('an SQS queue gets every alert, and a FIFO queue the repeated one once', async () => {
    server = await startMoto()
    for (const [name, attributes] of [['plain', {}] as const, ['alerts.fifo', { FifoQueue: 'true' }] as const]) {
      const { QueueUrl } = await call('CreateQueue', { QueueName: name, Attributes: attributes })
      const queue_url = new URL(new URL(QueueUrl).pathname, server.url).href
      const destination = await sqs.create(sqs.config.parse({ id: 'q', queue_url, auth }), deps())
      await sendAll(destination, ['d1', 'd1'])
      const messages = await take(queue_url)
      expect(messages.map(({ Body }) => JSON.parse(Body).delivery)).toEqual(name === 'plain' ? ['d1', 'd1'] : ['d1'])
      expect(messages[0]!.MessageAttributes?.['severity']?.StringValue).toBe('HIGH')
      expect(JSON.parse(messages[0]!.Body).title).toBe(ALERT.title)
    }
    const missing = sqs.config.parse({ id: 'q', queue_url: `${server.url}/123456789012/none`, auth })
    await expect((await sqs.create(missing, deps())).send(delivery('d'), AbortSignal.timeout(9000))).rejects.toMatchObject({
      code: 'refused',
    })
  })

  test('an SNS topic passes an alert on to its subscribers', async () => {
    server = await startMoto()
    const { QueueUrl } = await call('CreateQueue', { QueueName: 'sub' })
    const form = (fields: Record<string, string>) =>
      server.request('sns', 'POST', '/', new URLSearchParams({ Version: '2010-03-31', ...fields }).toString(), {
        'content-type': 'application/x-www-form-urlencoded',
      })
    const [, topic_arn] = /<TopicArn>(.*?)<\/TopicArn>/.exec(await form({ Action: 'CreateTopic', Name: 'alerts' }))!
    const endpoint = `arn:aws:sqs:us-east-1:123456789012:${new URL(QueueUrl).pathname.split('/').at(-1)}`
    await form({ Action: 'Subscribe', TopicArn: topic_arn!, Protocol: 'sqs', Endpoint: endpoint })
    const destination = await sns.create(sns.config.parse({ id: 't', topic_arn, endpoint: server.url, auth }), deps())
    await sendAll(destination, ['d1'])
    const [message] = await take(new URL(new URL(QueueUrl).pathname, server.url).href)
    const envelope = JSON.parse(message!.Body)
    expect(envelope.Subject).toMatch(/^HIGH: /)
    expect(JSON.parse(envelope.Message)).toMatchObject({ delivery: 'd1', title: ALERT.title })
    const none = sns.config.parse({ id: 't', topic_arn: `${topic_arn}-none`, endpoint: server.url, auth })
    await expect((await sns.create(none, deps())).send(delivery('d'), AbortSignal.timeout(9000))).rejects.toMatchObject({
      code: 'refused',
    })
  })
})
