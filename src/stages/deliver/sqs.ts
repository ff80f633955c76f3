import { z } from 'zod'
import { awsRegion } from '../../util/aws/credentials.ts'
import { targetUrl } from '../../util/http/target-url.ts'
import { attributesOf, awsBase, awsCaller, MAX_MESSAGE_BYTES } from './aws.ts'
import { defineDestination, destinationBase } from './destination.ts'
import { deliveryLine } from './json-line.ts'

const { endpoint: _, ...keys } = awsBase

/** Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html (JSON protocol). */
export const sqs = defineDestination({
  type: 'sqs',
  summary: 'Sends each alert to a queue of Amazon SQS or a compatible service.',
  config: z.object({
    ...destinationBase,
    queue_url: targetUrl
      .refine((url) => new URL(url).pathname.length > 1, {
        error: 'the URL of a queue, as in https://sqs.eu-central-1.amazonaws.com/123456789012/alerts',
      })
      .describe('URL of the queue. In a queue of type FIFO, the messages of an alert are one group.'),
    region: awsRegion.default('us-east-1').describe('Region of the queue, if the host name of `queue_url` does not show it.'),
    ...keys,
  }),
  example: { id: 'queue', queue_url: 'https://sqs.eu-central-1.amazonaws.com/123456789012/alerts' },
  isLocal: false,

  async create(config, deps) {
    const queue = new URL(config.queue_url)
    const [, named] = /^sqs\.([a-z0-9-]{1,40})\.amazonaws\.com/.exec(queue.hostname) ?? []
    const endpoint = named === undefined ? queue.origin : undefined
    const call = awsCaller('sqs', named ?? config.region, { ...config, endpoint }, deps)
    const isFifo = queue.pathname.endsWith('.fifo')
    return {
      async send(delivery, signal) {
        const attributes = Object.entries(attributesOf(delivery))
        const body = JSON.stringify({
          QueueUrl: config.queue_url,
          MessageBody: deliveryLine(delivery, MAX_MESSAGE_BYTES),
          MessageAttributes: Object.fromEntries(
            attributes.map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
          ),
          ...(isFifo && { MessageGroupId: groupOf(delivery.alert.alertId), MessageDeduplicationId: delivery.id }),
        })
        const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessage' }
        await call({ url: new URL('/', queue), headers, body, signal })
      },
      async close() {},
    }
  },
})

/** At most 128 characters of those that a group's name may have. */
export function groupOf(alertId: string): string {
  return alertId.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 128) || '-'
}
