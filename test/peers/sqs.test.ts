import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Caracal, freePort } from '../support/caracal.ts'
import { moto, type ObjectServer, startMoto } from './support/object-stores.ts'

const MESSAGES = 300

let server: ObjectServer | undefined
let caracal: Caracal | undefined
let folder: string
afterEach(async () => {
  await caracal?.end('SIGKILL')
  await server?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function sqs(action: string, input: object) {
  const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` }
  return JSON.parse((await server!.request('sqs', 'POST', '/', JSON.stringify(input), headers)) || '{}')
}

function sns(form: Record<string, string>): Promise<string> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return server!.request('sns', 'POST', '/', new URLSearchParams({ Version: '2010-03-31', ...form }).toString(), headers)
}

const record = (n: number) => JSON.stringify({ protocol: 'tcp', recv: String(n), local_address: '0.0.0.0:443', state: 'LISTEN' })

async function sendBatches(QueueUrl: string, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 10) {
    const entries = Array.from({ length: 10 }, (_, i) => ({ Id: String(i), MessageBody: record(at + i) }))
    await sqs('SendMessageBatch', { QueueUrl, Entries: entries })
  }
}

async function start(queueUrl: string): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'caracal-peer-sqs-'))
  writeFileSync(join(folder, 'secret'), server!.credentials.secretAccessKey)
  const port = await freePort()
  const auth = { access_key_id: server!.credentials.accessKeyId, secret_access_key: { file: join(folder, 'secret') } }
  const source = { type: 'sqs', id: 'queue', queue_url: queueUrl, auth, role_arn: 'arn:aws:iam::123456789012:role/logs' }
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    flush_ms: 300,
    sources: [{ ...source, log_types: ['Custom.Netstat'] }],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  const args = ['--config', join(folder, 'caracal.yml'), '--no-demo']
  caracal = new Caracal({ port, dataDir: config.data_dir, cwd: folder, args })
  await caracal.start()
}

async function stored(): Promise<{ readonly rows: number; readonly records: number }> {
  const [[rows, records] = []] = await caracal!.query(
    "SELECT count(), uniqExact(recv) FROM logs.custom_netstat WHERE p_source_id = 'queue'",
  )
  return { rows: Number(rows), records: Number(records) }
}

test.skipIf(moto.why)(
  `moto: messages are received with an assumed role and deleted; a kill loses none and doubles ten at most${moto.why ? ` (${moto.why})` : ''}`,
  async () => {
    server = await startMoto()
    const { QueueUrl: queueUrl } = await sqs('CreateQueue', { QueueName: 'logs' })
    const { Attributes } = await sqs('GetQueueAttributes', { QueueUrl: queueUrl, AttributeNames: ['All'] })
    await sendBatches(queueUrl, 0, MESSAGES / 2)
    await start(queueUrl)
    await expect.poll(async () => (await stored()).records, { timeout: 60_000 }).toBeGreaterThan(0)
    await caracal!.end('SIGKILL')
    await sendBatches(queueUrl, MESSAGES / 2, MESSAGES)
    const topic = /arn:aws:sns:[\w:-]+/.exec(await sns({ Action: 'CreateTopic', Name: 'logs' }))![0]
    await sns({ Action: 'Subscribe', TopicArn: topic, Protocol: 'sqs', Endpoint: Attributes.QueueArn })
    await sns({ Action: 'Publish', TopicArn: topic, Message: record(MESSAGES) })
    await caracal!.start()
    // What was received before the kill becomes visible again after a minute.
    const left = async () => {
      const { Attributes: now } = await sqs('GetQueueAttributes', { QueueUrl: queueUrl, AttributeNames: ['All'] })
      return [now.ApproximateNumberOfMessages, now.ApproximateNumberOfMessagesNotVisible]
    }
    await expect.poll(left, { timeout: 100_000, interval: 1000 }).toEqual(['0', '0'])
    await expect.poll(async () => (await stored()).records, { timeout: 60_000 }).toBe(MESSAGES + 1)
    expect((await stored()).rows).toBeLessThanOrEqual(MESSAGES + 11)
    expect(await caracal!.end('SIGTERM')).toBe(0)
  },
)
