import { z } from 'zod'
import { attributesOf, awsBase, awsCaller, MAX_MESSAGE_BYTES } from './aws.ts'
import { type Delivery, defineDestination, destinationBase } from './destination.ts'
import { deliveryLine } from './json-line.ts'
import { groupOf } from './sqs.ts'
import { alertText, cutBytes, plainBody } from './text.ts'

/** An e-mail's subject: ASCII, no line breaks. */
const MAX_SUBJECT = 100
const MAX_TEXT_BYTES = 16 * 1024

/** Source: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html (query protocol, version 2010-03-31). */
export const sns = defineDestination({
  type: 'sns',
  summary: 'Publishes each alert to a topic of Amazon SNS or a compatible service.',
  config: z.object({
    ...destinationBase,
    topic_arn: z
      .string()
      .regex(
        /^arn:aws(?:-[a-z]{1,20})*:sns:[a-z0-9-]{1,40}:\d{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?$/,
        'as in arn:aws:sns:eu-central-1:123456789012:alerts',
      )
      .describe('ARN of the topic. In a topic of type FIFO, the messages of an alert are one group.'),
    format: z
      .enum(['json', 'text'])
      .default('json')
      .describe('`json` for programs: the body of a webhook; `text` for people who get it by e-mail or SMS.'),
    ...awsBase,
  }),
  example: { id: 'topic', topic_arn: 'arn:aws:sns:eu-central-1:123456789012:alerts' },
  isLocal: false,

  async create(config, deps) {
    const { topic_arn: topic, format } = config
    const [, partition = '', , region = ''] = topic.split(':')
    const url = new URL(config.endpoint ?? `https://sns.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`)
    const call = awsCaller('sns', region, config, deps)
    return {
      async send(delivery, signal) {
        const attributes = Object.entries(attributesOf(delivery)).flatMap(([name, value], i) => [
          [`MessageAttributes.entry.${i + 1}.Name`, name],
          [`MessageAttributes.entry.${i + 1}.Value.DataType`, 'String'],
          [`MessageAttributes.entry.${i + 1}.Value.StringValue`, value],
        ])
        const body = new URLSearchParams({
          Action: 'Publish',
          Version: '2010-03-31',
          TopicArn: topic,
          Subject: subjectOf(delivery),
          Message: format === 'json' ? deliveryLine(delivery, MAX_MESSAGE_BYTES) : textOf(delivery),
          ...Object.fromEntries(attributes),
          ...(topic.endsWith('.fifo') && {
            MessageGroupId: groupOf(delivery.alert.alertId),
            MessageDeduplicationId: delivery.id,
          }),
        }).toString()
        await call({ url, headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }, body, signal })
      },
      async close() {},
    }
  },
})

function textOf(delivery: Delivery): string {
  const text = alertText(delivery)
  return cutBytes(`${text.headline}\n\n${plainBody(text, MAX_TEXT_BYTES)}\n\n${text.link}`, MAX_TEXT_BYTES)
}

function subjectOf(delivery: Delivery): string {
  return alertText(delivery)
    .headline.replace(/[^\x20-\x7e]/g, '?')
    .slice(0, MAX_SUBJECT)
}
