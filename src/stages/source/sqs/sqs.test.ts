import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TestQueue } from '../../../../test/support/queue.ts'
import { until } from '../../../../test/support/until.ts'
import { RetryLater } from '../../../util/errors.ts'
import { decodeBody } from '../decoders/decode.ts'
import type { Intake, IntakeDeps, SpoolEntry } from '../source.ts'
import { withoutSns } from './sns-envelope.ts'
import { sqs } from './sqs.ts'

let queue: TestQueue
let intake: Intake | undefined
let bodies: { readonly body: Uint8Array; readonly entry: SpoolEntry }[]
/** Thrown in place of storing a body. */
let refuse: Error | undefined
beforeEach(async () => {
  queue = await TestQueue.create()
  bodies = []
  refuse = undefined
})
afterEach(async () => {
  vi.useRealTimers()
  await intake?.close()
  await queue.close()
})

async function open(config: object = {}, deps: Partial<IntakeDeps> = {}): Promise<Intake> {
  intake = await sqs.pushes!(sqs.config.parse({ id: 'queue', ...queue.config, ...config }), {
    append: async (body, entry) => {
      if (refuse) throw refuse
      bodies.push({ body, entry })
    },
    now: () => 1_700_000_000_000,
    authorised: () => false,
    send: queue.send,
    secret: () => queue.secret,
    ...deps,
  })
  return intake
}

const records = () =>
  bodies.flatMap(({ body, entry }) => {
    const decoded = decodeBody(body, entry.decoding)
    if ('broken' in decoded) throw new Error(decoded.broken)
    const text = Buffer.from(decoded.bytes)
    if (!decoded.records) return text.toString().split('\n').filter(Boolean)
    const ends = [...decoded.records]
    return ends.flatMap((from, i) => (i % 2 === 0 ? [text.toString('utf8', from, ends[i + 1])] : []))
  })
const sns = (Message: string) =>
  JSON.stringify({ Type: 'Notification', MessageId: 'n1', TopicArn: 'arn:aws:sns:eu-central-1:123456789012:logs', Message })

test('a message is one or more records, directly or through SNS, and is deleted once they are stored', async () => {
  queue.put('{"n":1}', '{"n":2}\n{"n":3}', '[{"n":4},{"n":5}]', sns('{"n":6}'), sns('{"Records":[{"n":7},{"n":8}]}'), ' ')
  await open()
  await queue.emptied()
  expect(records()).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => `{"n":${n}}`))
  expect(intake!.status!()).toEqual({ notices: [], problems: [] })
})

test('`stream_type` and `envelope` say what messages are', async () => {
  queue.put('{"data":{"logs":[{"n":1},{"n":2}]}}')
  await open({ stream_type: 'json_array', envelope: 'data.logs' })
  await queue.emptied()
  expect(records()).toEqual(['{"n":1}', '{"n":2}'])
})

test('more messages than one request returns are received one after the other, and deleted in batches', async () => {
  queue.put(...Array.from({ length: 95 }, (_, n) => `{"n":${n}}`))
  await open()
  await queue.emptied()
  expect(records()).toHaveLength(95)
  expect(queue.asked.filter((action) => action === 'DeleteMessageBatch')).toHaveLength(10)
})

test('a message that cannot be deleted is a problem, is recognised when it comes again, and is deleted then', async () => {
  queue.refusals.set('DeleteMessageBatch', [403, 'AccessDenied'])
  queue.put('{"n":1}')
  await open()
  const [problem] = await until(() => (intake!.status!().problems?.length === 1 ? intake!.status!().problems : undefined))
  expect(problem).toMatch(/^messages that are stored cannot be deleted from the queue: .*403 \(AccessDenied\).*sqs:DeleteMessage/)
  queue.refusals.clear()
  queue.redeliver()
  await queue.emptied()
  expect(records()).toEqual(['{"n":1}'])
  await expect.poll(() => intake!.status!().problems).toEqual([])
})

test('a deletion that the queue refuses for a single message is a problem', async () => {
  let release = () => {}
  const stored = new Promise<void>((resolve) => (release = resolve))
  queue.put('{"n":1}')
  await open({}, { append: () => stored })
  await until(() => queue.messages[0]!.deliveries || undefined)
  // Its receipt is not valid any more.
  queue.messages[0]!.deliveries++
  release()
  const problems = await until(() => (intake!.status!().problems!.length > 0 ? intake!.status!().problems : undefined))
  expect(problems).toEqual([
    expect.stringMatching(/cannot be deleted from the queue: 1 of 1 were left \(ReceiptHandleIsInvalid\)/),
  ])
})

test('while the spool has no room, a message is kept from being delivered again, and no more are received', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  refuse = new RetryLater('the spool is full', 1)
  queue.put('{"n":1}')
  await open()
  const problems = await until(() => (intake!.status!().problems!.length > 0 ? intake!.status!().problems : undefined))
  expect(problems).toEqual(['messages wait in the queue: the spool is full'])
  vi.advanceTimersByTime(20_000)
  await expect.poll(() => queue.asked).toEqual(['ReceiveMessage', 'ChangeMessageVisibility'])
  refuse = undefined
  await queue.emptied()
  expect(records()).toEqual(['{"n":1}'])
  expect(intake!.status!().problems).toEqual([])
})

test('what was received but not stored when the source is closed stays in the queue', async () => {
  refuse = new RetryLater('the spool is full', 60_000)
  queue.put('{"n":1}')
  await open()
  await until(() => intake!.status!().problems!.length || undefined)
  await intake!.close()
  expect(queue.messages).toHaveLength(1)
  expect(queue.asked).toEqual(['ReceiveMessage'])
})

test('a message of too many records is left in the queue and reported', async () => {
  queue.put('1\n'.repeat(200_001), '{"n":1}')
  await open({ stream_type: 'lines' })
  await until(() => (queue.messages.length === 1 ? true : undefined))
  expect(records()).toEqual(['{"n":1}'])
  expect(intake!.status!().problems).toEqual([
    'a message has more than 200000 records and stays in the queue: split what is sent (message id m0)',
  ])
})

test('the events of a delivery of CloudWatch Logs count as records', async () => {
  const events = Array.from({ length: 200_001 }, () => '{"message":"a"}')
  queue.put(`{"messageType":"DATA_MESSAGE","logEvents":[${events.join()}]}`, '{"n":1}')
  await open()
  await until(() => (queue.messages.length === 1 ? true : undefined))
  expect(records()).toEqual(['{"n":1}'])
  expect(intake!.status!().problems).toEqual([expect.stringContaining('more than 200000 records')])
})

test.each<[[number, string], RegExp]>([
  [
    [403, 'AccessDenied'],
    /messages cannot be received: the queue answered 403 \(AccessDenied\): check queue_url, and the permissions/,
  ],
  [[400, 'QueueDoesNotExist'], /answered 400 \(QueueDoesNotExist\): check queue_url/],
  [[503, 'ServiceUnavailable'], /answered 503 \(ServiceUnavailable\)/],
])('a refusal with %j is a problem until it is over', async (refusal, message) => {
  queue.refusals.set('ReceiveMessage', refusal)
  queue.put('{"n":1}')
  await open()
  const problems = await until(() => (intake!.status!().problems!.length > 0 ? intake!.status!().problems : undefined))
  expect(problems).toEqual([expect.stringMatching(message)])
  expect(JSON.stringify(intake!.status!())).not.toContain(queue.secret)
  queue.refusals.clear()
  await queue.emptied()
  expect(intake!.status!().problems).toEqual([])
})

test('a secret that is not there is a problem that names the reference', async () => {
  const secret = () => {
    throw new Error('the environment variable KEY, which should contain a secret, is not set')
  }
  await open({}, { secret })
  const problems = await until(() => (intake!.status!().problems!.length > 0 ? intake!.status!().problems : undefined))
  expect(problems).toEqual([expect.stringMatching(/messages cannot be received: the environment variable KEY.*is not set/)])
})

test.each([
  sns('x').replace('Notification', 'SubscriptionConfirmation'),
  '{"TopicArn":1,"Type":"Notification","Message":"x"}',
  '{"TopicArn":"a","Type":"Notification","Message":{}}',
  'not JSON "TopicArn"',
  `${'['.repeat(5000)}"TopicArn"`,
])('what only resembles an envelope of SNS is a record itself: %#', (body) => {
  expect(withoutSns(body)).toBe(body)
})

test.each<[string, object, RegExp]>([
  ['queue_url', { queue_url: 'https://sqs.eu-central-1.amazonaws.com' }, /the URL of a queue, as in/],
  ['queue_url', { queue_url: 'https://u:p@example.com/q' }, /holds a user name or password/],
  ['region', { region: 'Frankfurt am Main' }, /the name of a region/],
  ['role_arn', { role_arn: 'logs' }, /as in arn:aws:iam/],
  ['secret', { auth: { access_key_id: 'A', secret_access_key: 'plain' } }, /a secret is not written in the configuration/],
])('a wrong %s is refused', (_, config, message) => {
  const parsed = sqs.config.safeParse({ id: 'queue', queue_url: 'https://sqs.us-east-1.amazonaws.com/1/q', ...config })
  expect(JSON.stringify(parsed.error?.issues)).toMatch(message)
})
