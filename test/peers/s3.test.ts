import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { Caracal, freePort } from '../support/caracal.ts'
import { moto, type ObjectServer, seaweed, startMoto, startSeaweed } from './support/object-stores.ts'

const BUCKET = 'logs'
const OBJECTS = 12
const LINES = 50
/** In the table of exit nodes that the pack ships. */
const EXIT_NODE = '185.241.208.232'

let server: ObjectServer | undefined
let caracal: Caracal | undefined
let folder: string
afterEach(async () => {
  await caracal?.end('SIGKILL')
  await server?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The lines of the nth object of each prefix: what a small web server ships. */
const PREFIXES: Readonly<Record<string, { readonly logTypes: string[]; readonly line: (n: number) => string }>> = {
  'nginx/': {
    logTypes: ['Nginx.Access'],
    line: (n) => `192.0.2.10 - - [12/Mar/2024:08:00:01 +0000] "GET /${n} HTTP/1.1" 200 ${n} "-" "curl/8.5.0"`,
  },
  'auth/': {
    logTypes: ['Custom.Auth'],
    line: (n) =>
      JSON.stringify({ host: 'web1', ident: 'sshd', pid: String(n), message: `Invalid user ${n} from 192.0.2.7 port 4022` }),
  },
  'netstat/': {
    logTypes: ['Custom.Netstat'],
    line: (n) =>
      JSON.stringify({
        protocol: 'tcp',
        recv: String(n),
        send: '0',
        local_address: n === 77 ? '0.0.0.0:21' : '0.0.0.0:443',
        foreign_address: '0.0.0.0:*',
        state: 'LISTEN',
        process: '1234/vsftpd',
        name: 'web1',
      }),
  },
  'zeek/': {
    logTypes: ['Zeek.SSH', 'Zeek.Conn'],
    line: (n) =>
      JSON.stringify({
        _path: 'ssh',
        ts: 1_710_230_400 + n,
        uid: `C${n}`,
        'id.orig_h': n === 99 ? EXIT_NODE : '192.0.2.30',
        'id.orig_p': 40_000 + n,
        'id.resp_h': '198.51.100.20',
        'id.resp_p': 22,
        version: 2,
        auth_success: n === 99,
        auth_attempts: 1,
      }),
  },
}

/** Puts objects as the S3 output of Fluentd names and compresses them: `<path><time slice>_<index>.gz`, written hour by hour. */
async function ship(from: number, to: number): Promise<void> {
  for (let index = from; index < to; index++)
    for (const [prefix, { line }] of Object.entries(PREFIXES)) {
      const lines = Array.from({ length: LINES }, (_, i) => line(index * LINES + i))
      await server!.put(BUCKET, `${prefix}20240312-0${index % 3}_${index}.gz`, gzipSync(`${lines.join('\n')}\n`))
    }
}

async function start(source: object): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'caracal-peer-s3-'))
  writeFileSync(join(folder, 'secret'), server!.credentials.secretAccessKey)
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    flush_ms: 300,
    sources: [
      {
        type: 's3',
        id: 'bucket',
        bucket: BUCKET,
        endpoint: server!.url,
        auth: { access_key_id: server!.credentials.accessKeyId, secret_access_key: { file: join(folder, 'secret') } },
        prefixes: Object.entries(PREFIXES).map(([prefix, { logTypes }]) => ({ prefix, log_types: logTypes })),
        poll_ms: 500,
        ...source,
      },
    ],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({
    port,
    dataDir: config.data_dir,
    cwd: folder,
    args: ['--config', join(folder, 'caracal.yml'), '--no-demo'],
  })
  await caracal.start()
}

interface SourceAnswer {
  readonly id: string
  readonly records: { readonly received: number; readonly stored: number; readonly in_flight: number }
  readonly notices: readonly string[]
}

async function bucketSource(): Promise<SourceAnswer> {
  const answer = (await (await caracal!.fetch('/api/v1/sources')).json()) as { results: SourceAnswer[] }
  return answer.results.find(({ id }) => id === 'bucket')!
}

async function received(records: number): Promise<void> {
  await expect
    .poll(async () => (await bucketSource()).records, { timeout: 200_000, interval: 200 })
    .toMatchObject({ received: expect.toSatisfy((n: number) => n >= records) })
}

/** Every record once, under its log type; and the two alerts. */
async function checkAll(): Promise<void> {
  const perPrefix = OBJECTS * LINES
  await received(4 * perPrefix)
  const counted = async () =>
    (await caracal!.query('SELECT p_log_type, count(), uniqExact(p_row_id) FROM logs.all GROUP BY 1 ORDER BY 1')).map(
      ([type, n, distinct]) => [type, Number(n), Number(distinct)],
    )
  const types = ['Custom.Auth', 'Custom.Netstat', 'Nginx.Access', 'Zeek.SSH']
  await expect.poll(counted, { timeout: 60_000 }).toEqual(types.map((type) => [type, perPrefix, perPrefix]))
  expect((await bucketSource()).records).toMatchObject({ received: 4 * perPrefix, stored: 4 * perPrefix })
  const { results } = (await (await caracal!.fetch('/api/v1/alerts?limit=200')).json()) as { results: { title: string }[] }
  const titles = results.map(({ title }) => title)
  expect(titles.filter((title) => title === 'Unexpected Port Opened: 21')).toHaveLength(1)
  expect(titles.filter((title) => title === `SSH Connection Established from TOR Exit Node (${EXIT_NODE})`)).toHaveLength(1)
}

const stores = [
  { name: 'moto', peer: moto, open: startMoto },
  { name: 'SeaweedFS', peer: seaweed, open: startSeaweed },
]
describe.each(stores)('$name', ({ peer, open }) => {
  const why = peer.why ? ` (${peer.why})` : ''

  test.skipIf(peer.why)(`four prefixes as Fluentd writes them, each with its schema, killed in the middle${why}`, async () => {
    server = await open()
    await server.request('s3', 'PUT', `/${BUCKET}`)
    await ship(0, OBJECTS / 2)
    await start({})
    await received(3 * LINES)
    await caracal!.end('SIGKILL')
    await ship(OBJECTS / 2, OBJECTS)
    await caracal!.start()
    await checkAll()
    expect(await caracal!.end('SIGTERM')).toBe(0)
  })
})

test.skipIf(seaweed.why)('SeaweedFS: a wrong secret is shown as the problem that it is', async () => {
  server = await startSeaweed()
  await server.request('s3', 'PUT', `/${BUCKET}`)
  await start({ auth: { access_key_id: 'test', secret_access_key: { env: 'PATH' } } })
  await expect
    .poll(async () => (await bucketSource()).notices, { timeout: 60_000 })
    .toEqual([expect.stringMatching(/cannot be listed: answered 403 \(SignatureDoesNotMatch\): check the secret access key/)])
})

test.skipIf(moto.why)(
  'moto: objects are read with an assumed role as a queue announces them, and messages are deleted',
  async () => {
    server = await startMoto()
    const sqs = async (action: string, input: object) => {
      const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` }
      return JSON.parse((await server!.request('sqs', 'POST', '/', JSON.stringify(input), headers)) || '{}')
    }
    await server.request('s3', 'PUT', `/${BUCKET}`)
    const { QueueUrl: queueUrl } = await sqs('CreateQueue', { QueueName: 'logs' })
    const { Attributes } = await sqs('GetQueueAttributes', { QueueUrl: queueUrl, AttributeNames: ['All'] })
    const target = `<QueueConfiguration><Queue>${Attributes.QueueArn}</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration>`
    await server.request(
      's3',
      'PUT',
      `/${BUCKET}?notification=`,
      `<NotificationConfiguration>${target}</NotificationConfiguration>`,
    )
    await start({ queue_url: queueUrl, role_arn: 'arn:aws:iam::123456789012:role/logs' })
    await ship(0, OBJECTS / 2)
    await received(3 * LINES)
    await caracal!.end('SIGKILL')
    await ship(OBJECTS / 2, OBJECTS)
    // What was received before the kill becomes visible again after a minute.
    await caracal!.start()
    await checkAll()
    const left = async () => {
      const { Attributes: now } = await sqs('GetQueueAttributes', { QueueUrl: queueUrl, AttributeNames: ['All'] })
      return [now.ApproximateNumberOfMessages, now.ApproximateNumberOfMessagesNotVisible]
    }
    await expect.poll(left, { timeout: 100_000, interval: 1000 }).toEqual(['0', '0'])
  },
)
