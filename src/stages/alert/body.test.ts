import { describe, expect, test } from 'vitest'
import { type AlertWindow, MAX_INDICATORS, MAX_SAMPLE_CHARS } from '../../model/alert.ts'
import type { Event } from '../../model/event.ts'
import type { Match, RuleError } from '../../model/match.ts'
import type { Rule } from '../../model/rule.ts'
import { bodyOf, crowdBody, join, severityOf } from './body.ts'
import type { Judged } from './step.ts'

const rule: Rule = {
  id: 'R',
  displayName: 'Root login',
  enabled: true,
  severity: 'LOW',
  description: '',
  reference: '',
  runbook: '',
  file: 'r.yml',
  logTypes: ['T'],
  tags: ['ssh'],
  reports: { 'MITRE ATT&CK': ['TA0001:T1078'] },
  summaryAttributes: [],
  outputIds: [],
  tests: [],
  dedupPeriodMinutes: 60,
  threshold: 7,
  createAlert: true,
  source: { language: 'python', file: 'r.py', code: '' },
}
const event = (part: Partial<Event> = {}): Event => ({
  p_log_type: 'T',
  p_row_id: 'r',
  p_event_time: '2024-01-01T00:00:00Z',
  p_parse_time: '2024-01-01T00:00:00Z',
  p_source_id: 's',
  p_source_label: 'web',
  p_schema_version: 1,
  ...part,
})
const match = (part: Partial<Match> = {}): Match => ({
  kind: 'match',
  ruleId: 'R',
  event: 0,
  severity: 'HIGH',
  destinations: undefined,
  alertContext: undefined,
  functionErrors: { title: 'KeyError' },
  title: 'Root logged in',
  dedup: 'root',
  description: 'what happened',
  reference: 'https://example.com',
  runbook: 'look at it',
  ...part,
})
const error: RuleError = {
  kind: 'error',
  ruleId: 'R',
  event: 0,
  cause: 'timeout',
  message: `${'x'.repeat(400)}\nTraceback`,
}
const judged = (finding: Match | RuleError, about: Event | undefined = event(), text = '{"a":1}'): Judged => ({
  finding,
  event: about,
  text: () => text,
})

describe('the body of an alert', () => {
  test('for a match: the rule’s answers, its metadata, and the event', () => {
    expect(bodyOf(judged(match()), rule)).toEqual({
      type: 'RULE',
      title: 'Root logged in',
      dedup: 'root',
      displayName: 'Root login',
      description: 'what happened',
      reference: 'https://example.com',
      runbook: 'look at it',
      tags: ['ssh'],
      reports: { 'MITRE ATT&CK': ['TA0001:T1078'] },
      destinations: null,
      context: null,
      functionErrors: { title: 'KeyError' },
      threshold: 7,
      firstEventTime: '2024-01-01T00:00:00Z',
      lastEventTime: '2024-01-01T00:00:00Z',
      logTypes: [],
      indicators: {},
      indicatorsCut: false,
      sampleEvent: '{"a":1}',
      latencyMs: null,
      sourceLabels: [],
    })
  })

  test.each([
    ['RULE', rule],
    ['RULE', undefined],
    ['SCHEDULED_RULE', { ...rule, kind: 'scheduled_rule' }],
    ['POLICY', { ...rule, kind: 'policy' }],
    ['CORRELATION_RULE', { ...rule, source: { language: 'correlation', file: 'c.yml', code: '' } }],
  ] as const)('%s is the type for such a rule, and its errors have a type of their own', (type, made: Rule | undefined) => {
    expect(bodyOf(judged(match()), made).type).toBe(type)
    expect(bodyOf(judged(error), made).type).toBe(`${type}_ERROR`)
  })

  test('for a match with destinations and a context: both', () => {
    const body = bodyOf(judged(match({ destinations: ['soc'], alertContext: '{"user":"root"}' })), rule)
    expect([body.destinations, body.context]).toEqual([['soc'], '{"user":"root"}'])
  })

  test('for a rule that no longer exists: its id and no metadata', () => {
    expect(bodyOf(judged(match()), undefined)).toMatchObject({ displayName: 'R', tags: [], reports: {}, threshold: 1 })
  })

  test('for a rule error: the first line, truncated, and where to fix it', () => {
    expect(bodyOf(judged(error), rule)).toMatchObject({
      type: 'RULE_ERROR',
      title: `Rule error in R: ${'x'.repeat(300)}`,
      dedup: 'R:error',
      displayName: 'Root login',
      reference: '',
      runbook: 'Fix the rule (r.py) and run `caracal test`.',
      destinations: null,
      functionErrors: {},
      threshold: 1,
    })
    const body = bodyOf(judged({ ...error, message: 'KeyError: x\nTraceback' }), undefined)
    expect(body.title).toBe('Rule error in R: KeyError: x')
    expect(body.runbook).toBe('Fix the rule and run `caracal test`.')
    expect(JSON.parse(body.context!)).toEqual({ cause: 'timeout', error: 'KeyError: x\nTraceback' })
  })

  test('for a finding without an event: no times and no sample', () => {
    const about: Judged = { finding: match(), event: undefined, text: () => '' }
    expect(bodyOf(about, rule)).toMatchObject({ firstEventTime: '', lastEventTime: '', sampleEvent: null })
  })

  test.each([
    [MAX_SAMPLE_CHARS, true],
    [MAX_SAMPLE_CHARS + 1, false],
  ])('an event of %i characters is kept as a sample: %s', (length, isKept) => {
    const text = 'x'.repeat(length)
    expect(bodyOf(judged(match(), event(), text), rule).sampleEvent).toBe(isKept ? text : null)
  })

  test('for matches beyond a rule’s maximum number of windows: why they share one alert, before the description', () => {
    const body = crowdBody(judged(match()), rule, 10)
    expect(body.title).toBe('More than 10 dedup strings at once: Root login')
    expect(body.dedup).toBe('Caracal: further dedup strings')
    expect(body.description).toMatch(/^The rule already has 10 windows.*\n\nwhat happened$/s)
    expect(crowdBody(judged(match({ description: '' })), rule, 10).description).toMatch(
      /^The rule already has 10 windows.*many\.$/,
    )
  })
})

test.each([
  [match({ severity: 'INFO' }), { ...rule, severity: 'HIGH' as const }, 'INFO'],
  [error, { ...rule, severity: 'CRITICAL' as const }, 'HIGH'],
  [error, { ...rule, severity: 'HIGH' as const }, 'HIGH'],
  [error, { ...rule, severity: 'LOW' as const }, 'MEDIUM'],
  [error, undefined, 'MEDIUM'],
])('a %j of a rule has a severity', (finding, of, severity) => {
  expect(severityOf(finding, of)).toBe(severity)
})

describe('the findings of a window', () => {
  const windowOf = (item: Judged): AlertWindow => ({
    alertId: 'a',
    ruleId: 'R',
    groupKey: 'g',
    number: 1,
    ruleVersion: null,
    startMs: 0,
    endMs: 1,
    opened: false,
    severity: 'LOW',
    eventCount: 0,
    createdMs: 0,
    updatedMs: 0,
    body: bodyOf(item, rule),
  })
  function joined(...items: readonly Judged[]): AlertWindow {
    const window = windowOf(items[0]!)
    items.forEach((item, i) => {
      join(window, item, 100 + i)
    })
    return window
  }

  test('are counted, with the time of the last one', () => {
    expect(joined(judged(match()), judged(match()))).toMatchObject({ eventCount: 2, updatedMs: 101 })
  })

  test('set the first and last event time in any order, including fractions of a second', () => {
    const times = ['2024-01-01T00:00:05.5Z', '2024-01-01T00:00:05Z', '2024-01-01T00:00:05.25Z', '2024-01-01T00:00:06Z']
    const at = (time: string) => judged(match(), event({ p_event_time: time }))
    for (const order of [times, [...times].reverse()]) {
      const { body } = joined(...order.map(at))
      expect([body.firstEventTime, body.lastEventTime]).toEqual(['2024-01-01T00:00:05Z', '2024-01-01T00:00:06Z'])
    }
  })

  test('add the times that they span, even without an event', () => {
    const spanning: Judged = {
      finding: match(),
      event: undefined,
      text: () => '',
      span: { first: '2024-01-01T00:00:00Z', last: '2024-01-01T00:00:09Z' },
    }
    const { body } = joined(spanning)
    expect([body.firstEventTime, body.lastEventTime]).toEqual(['2024-01-01T00:00:00Z', '2024-01-01T00:00:09Z'])
    const wider = joined(judged(match(), event({ p_event_time: '2024-01-01T00:00:04Z' })), spanning)
    expect([wider.body.firstEventTime, wider.body.lastEventTime]).toEqual(['2024-01-01T00:00:00Z', '2024-01-01T00:00:09Z'])
  })

  test('add each log type and source label once, up to the maximum number of labels', () => {
    const items = ['web', 'web', 'mail'].map((label) => judged(match(), event({ p_source_label: label })))
    const { body } = joined(...items, judged(match(), event({ p_log_type: 'U' })))
    expect([body.logTypes, body.sourceLabels]).toEqual([
      ['T', 'U'],
      ['web', 'mail'],
    ])
    const many = Array.from({ length: MAX_INDICATORS + 5 }, (_, i) => judged(match(), event({ p_source_label: `l${i}` })))
    expect(joined(...many).body.sourceLabels.length).toBe(MAX_INDICATORS)
  })

  test('add each indicator once, and the window says if some were left out', () => {
    const seen = (...values: string[]) => judged(match(), event({ p_any_ip_addresses: values }))
    const few = joined(seen('192.0.2.1', '192.0.2.2'), seen('192.0.2.1')).body
    expect([few.indicators, few.indicatorsCut]).toEqual([{ p_any_ip_addresses: ['192.0.2.1', '192.0.2.2'] }, false])
    const longest = joined(seen('x'.repeat(2048))).body
    expect([longest.indicators['p_any_ip_addresses']!.length, longest.indicatorsCut]).toEqual([1, false])
    const longer = joined(seen('x'.repeat(2049))).body
    expect([longer.indicators['p_any_ip_addresses'], longer.indicatorsCut]).toEqual([[], true])
    const many = joined(seen(...Array.from({ length: MAX_INDICATORS + 1 }, (_, i) => `v${i}`))).body
    expect([many.indicators['p_any_ip_addresses']!.length, many.indicatorsCut]).toEqual([MAX_INDICATORS, true])
  })
})
