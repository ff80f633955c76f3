import { expect, test } from 'vitest'
import { deliveryBody } from './body.ts'
import { stdout } from './stdout.ts'

const HOSTILE = 'a\x1b[2Jb\r\nc\u202ed\u009b31m\u2028e\u{e0001}😀'

async function print(format: 'text' | 'json', body: string): Promise<string> {
  let out = ''
  const write = (text: string) => {
    out += text
  }
  const destination = await stdout.create(
    { id: 't', severities: [], system: true, format },
    { fetch, now: Date.now, write, secret: () => '' },
  )
  await destination.send({ id: 'd', alertId: 'a', body }, AbortSignal.timeout(1000))
  return out
}

test.each(['text', 'json'] as const)('%s: one line, in which nothing is obeyed by a terminal', async (format) => {
  const out = await print(format, JSON.stringify({ severity: 'HIGH', title: HOSTILE }))
  expect(out.endsWith('\n')).toBe(true)
  expect(out.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
  expect(out).toContain('😀')
})

test('json says the same after the escapes', async () => {
  const body = JSON.stringify({ severity: 'HIGH', title: HOSTILE })
  expect(JSON.parse(await print('json', body))).toEqual(JSON.parse(body))
})

test('text has severity and title', async () => {
  expect(await print('text', JSON.stringify({ severity: 'LOW', title: 'Tor' }))).toBe('LOW       Tor\n')
})

test('the body keeps the context exactly: big integers, keys, order', () => {
  const context = '{"id":9007199254740993,"f":1.0,"__proto__":{"a":1}}'
  const body = {
    type: 'RULE' as const,
    title: 't',
    dedup: 'd',
    displayName: 'n',
    description: '',
    reference: '',
    runbook: '',
    tags: [],
    reports: {},
    destinations: null,
    context,
    functionErrors: {},
    threshold: 1,
    firstEventTime: '',
    lastEventTime: '',
    logTypes: [],
    indicators: {},
    indicatorsCut: false,
    sampleEvent: null,
    latencyMs: null,
    sourceLabels: [],
  }
  const text = deliveryBody({ alertId: 'a', ruleId: 'R', severity: 'LOW', eventCount: 2, createdMs: 0, body }, 'http://x')
  expect(text).toContain(`"alertContext":${context},`)
  expect(Object.keys(JSON.parse(text) as object)).toEqual(
    'id createdAt severity type link title name alertId alertContext description runbook tags version eventCount firstEventTime lastEventTime dedup'.split(
      ' ',
    ),
  )
  const none = deliveryBody(
    { alertId: 'a', ruleId: 'R', severity: 'LOW', eventCount: 2, createdMs: 0, body: { ...body, context: null } },
    'http://x',
  )
  expect((JSON.parse(none) as { alertContext: object }).alertContext).toEqual({})
})
