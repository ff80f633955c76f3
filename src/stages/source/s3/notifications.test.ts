import fc from 'fast-check'
import { expect, test } from 'vitest'
import { notificationOf } from './notifications.ts'

const record = (key: string, eventName = 'ObjectCreated:Put') => ({
  eventSource: 'aws:s3',
  eventName,
  s3: { bucket: { name: 'logs' }, object: { key, size: 3, eTag: 'd41d', sequencer: '0A' } },
})
const s3 = (...records: object[]) => JSON.stringify({ Records: records })
const sns = (message: string) => JSON.stringify({ Type: 'Notification', MessageId: '1', TopicArn: 'arn', Message: message })
const bridge = (kind: string, detail: object) => JSON.stringify({ version: '0', source: 'aws.s3', 'detail-type': kind, detail })
const created = { bucket: { name: 'logs' }, object: { key: 'a b+%c', size: 3, etag: 'd41d' } }
const object = (key: string) => ({ bucket: 'logs', key, etag: 'd41d', size: 3 })

test.each<[string, string, object]>([
  ['S3, with an encoded key', s3(record('a%2Fb+c%2B%C3%A9.json')), [object('a/b c+é.json')]],
  [
    'S3, with several records',
    s3(record('a'), record('b', 's3:ObjectCreated:CompleteMultipartUpload')),
    [object('a'), object('b')],
  ],
  ['S3, about a deletion', s3(record('a', 'ObjectRemoved:Delete')), []],
  ['S3, through SNS', sns(s3(record('a'))), [object('a')]],
  ['EventBridge, with a key as it is', bridge('Object Created', created), [object('a b+%c')]],
  ['EventBridge, about a deletion', bridge('Object Deleted', created), []],
  ['S3, as a test', JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'logs' }), []],
  ['S3, as a test through SNS', sns(JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent' })), []],
])('a message of %s', (_, body, objects) => {
  expect(notificationOf(body)).toEqual({ objects })
})

test.each([
  ['text', 'hello', /not a JSON object/],
  ['another object', '{"a":1}', /not a notification of S3/],
  ['SNS with text', sns('hello'), /its content is not a JSON object/],
  ['records of another service', s3({ eventName: 'ObjectCreated:Put', dynamodb: {} }), /not about S3/],
  ['a key that is not encoded properly', s3(record('%zz')), /names no object/],
  ['EventBridge without an ETag', bridge('Object Created', { ...created, object: { key: 'a' } }), /names no object with an ETag/],
])('%s is not understood', (_, body, why) => {
  expect(notificationOf(body)).toMatch(why)
})

test('never throws, whatever the message', () => {
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string(), fc.json().map(sns)), (body) => void notificationOf(body)))
})
