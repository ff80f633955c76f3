import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { outgoingAlert } from '../../../test/support/alerts.ts'
import { Refused } from '../../util/errors.ts'
import { type AlertForDelivery, deliveryBody, readDeliveryBody } from './body.ts'
import { webhookBody } from './webhook-body.ts'

const CONTEXT = '{"id":9007199254740993,"f":1.0,"2":0,"1":0,"__proto__":{"a":1},"huge":1e999}'

const alert = (part: Partial<AlertForDelivery['body']> = {}): AlertForDelivery => ({
  alertId: 'a',
  ruleId: 'R',
  severity: 'LOW',
  eventCount: 2,
  createdMs: 0,
  body: {
    type: 'RULE',
    title: 't',
    dedup: 'd',
    displayName: 'n',
    description: '',
    reference: 'r',
    runbook: '',
    tags: ['x'],
    reports: { a: ['b'] },
    destinations: null,
    context: CONTEXT,
    functionErrors: {},
    threshold: 1,
    firstEventTime: '',
    lastEventTime: '',
    logTypes: ['T'],
    indicators: { p_any_ip_addresses: ['::1'] },
    indicatorsCut: false,
    sampleEvent: null,
    latencyMs: null,
    sourceLabels: ['s'],
    ...part,
  },
})

test('a stored delivery is read back as the alert that was written', () => {
  const { kind, alert: read } = readDeliveryBody(deliveryBody(alert(), 'http://x'))
  expect(kind).toBe('opened')
  expect(read).toEqual({
    alertId: 'a',
    ruleId: 'R',
    type: 'RULE',
    severity: 'LOW',
    title: 't',
    name: 'n',
    description: '',
    reference: 'r',
    runbook: '',
    tags: ['x'],
    reports: { a: ['b'] },
    dedup: 'd',
    context: CONTEXT,
    createdTime: '1970-01-01T00:00:00.000Z',
    firstEventTime: '',
    lastEventTime: '',
    eventCount: 2,
    logTypes: ['T'],
    indicators: { p_any_ip_addresses: ['::1'] },
    sourceLabels: ['s'],
    link: 'http://x/api/v1/alerts/a',
  })
})

test.each(['updated', 'resolved'] as const)('a delivery of an alert that was %s says so', (kind) => {
  expect(readDeliveryBody(deliveryBody(alert(), 'http://x', kind)).kind).toBe(kind)
})

test('a delivery has the most frequent values of summary attributes, in the webhook too', () => {
  const values: [string, number, number][] = ['a', 'b', 'c', 'd', 'e', 'f'].map((value, i) => [value, i + 1, 0])
  const { alert: read } = readDeliveryBody(deliveryBody(alert({ summaries: [{ attribute: 'user', values }] }), 'http://x'))
  const summary = {
    attribute: 'user',
    values: [...'fedcb'].map((value, i) => ({ value, count: 6 - i })),
    isEstimated: false,
  }
  expect(read.summaries).toEqual([summary])
  expect(JSON.parse(webhookBody(read)).summaries).toEqual([summary])
})

test('only alerts of a replay say so, in every destination’s form', () => {
  const { alert: read } = readDeliveryBody(deliveryBody({ ...alert(), retroactive: true }, 'http://x'))
  expect(read.retroactive).toBe(true)
  expect(JSON.parse(webhookBody(read))).toMatchObject({ retroactive: true })
})

describe('the body of a webhook', () => {
  test('has the documented keys in order and the exact context: long numbers, keys, order', () => {
    const text = webhookBody(readDeliveryBody(deliveryBody(alert(), 'http://x')).alert)
    expect(text).toContain(`"alertContext":${CONTEXT},`)
    expect(Object.keys(JSON.parse(text) as object)).toEqual(
      'id createdAt severity type link title name alertId alertContext description runbook tags version eventCount firstEventTime lastEventTime dedup'.split(
        ' ',
      ),
    )
  })

  test('has an empty context if the rule returned none', () => {
    const text = webhookBody(readDeliveryBody(deliveryBody(alert({ context: null }), 'http://x')).alert)
    expect((JSON.parse(text) as { alertContext: object }).alertContext).toEqual({})
  })

  test('as earlier versions stored it is read, and sent unchanged to the last byte', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.json(), fc.nat(), (text, context, eventCount) => {
        const made = outgoingAlert({ title: text, dedup: text, tags: [text], context, eventCount })
        const before = webhookBody(made)
        const { kind, alert: read } = readDeliveryBody(before)
        expect(kind).toBe('opened')
        expect(read).toMatchObject({ ruleId: made.ruleId, title: text, context, createdTime: made.createdTime })
        expect(webhookBody(read)).toBe(before)
      }),
    )
    expect(webhookBody(readDeliveryBody(webhookBody(outgoingAlert({ context: CONTEXT }))).alert)).toContain(CONTEXT)
  })
})

test.each([
  ['no JSON', '{"version":2'],
  ['another version', JSON.stringify({ version: 3, kind: 'opened', alert: outgoingAlert() })],
  ['another kind', JSON.stringify({ version: 2, kind: 'shouted', alert: outgoingAlert() })],
  ['half an alert', JSON.stringify({ version: 2, kind: 'opened', alert: { alertId: 'a' } })],
])('%s is refused', (_, text) => {
  expect(() => readDeliveryBody(text)).toThrow(Refused)
})
