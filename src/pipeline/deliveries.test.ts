import { describe, expect, test } from 'vitest'
import type { AlertBody, AlertWindow } from '../model/alert.ts'
import type { Rule } from '../model/rule.ts'
import { type Change, changeDeliveries, deliveriesOf, type Route } from './deliveries.ts'

const ROUTES: readonly Route[] = [
  { id: 'all', severities: [] },
  { id: 'loud', severities: ['HIGH', 'CRITICAL'] },
  { id: 'quiet', severities: ['INFO', 'LOW'] },
]

const BASE = 'http://localhost'

/** An alert with only what routing reads. */
function alertWindow(severity: string, body: object = {}): AlertWindow {
  const full = {
    destinations: null,
    type: 'RULE',
    title: 't',
    logTypes: [],
    tags: [],
    reports: {},
    ...body,
  } as unknown as AlertBody
  return { alertId: 'a', ruleId: 'r', severity, createdMs: 0, body: full } as AlertWindow
}

/** An alert's destinations: from what the rule's code returned, its file, and its severity. */
function destinations(severity: string, returned?: readonly string[] | undefined, outputIds?: readonly string[]): string[] {
  const window = alertWindow(severity, { destinations: returned ?? null })
  const rules = new Map([['r', { id: 'r', outputIds } as unknown as Rule]])
  return deliveriesOf(window, rules, { routes: ROUTES, baseUrl: BASE }).map(({ destination }) => destination)
}

test.each<[what: string, to: string[], severity: string, returned?: string[] | undefined, outputIds?: string[]]>([
  ['by severity', ['all', 'loud'], 'HIGH'],
  ['by another severity', ['all', 'quiet'], 'LOW'],
  ['by a severity that only one takes', ['all'], 'MEDIUM'],
  ["the rule's choice, whatever the severity", ['loud'], 'LOW', undefined, ['loud']],
  ["what the rule returned comes before its file's choice", ['quiet'], 'HIGH', ['quiet'], ['loud']],
  ['SKIP returned: nowhere', [], 'HIGH', ['SKIP']],
  ['SKIP in the file: nowhere', [], 'HIGH', undefined, ['SKIP']],
  ['an unknown destination: by severity, rather than nowhere', ['all', 'loud'], 'HIGH', ['gone']],
  ['SKIP beside an unknown destination is no SKIP', ['all', 'loud'], 'HIGH', ['SKIP', 'gone']],
])('an alert goes to its destinations: %s', (_, to, severity, returned, outputIds) => {
  expect(destinations(severity, returned, outputIds)).toEqual(to)
})

const PICKY: readonly Route[] = [
  { id: 'cloud', severities: [], logTypes: ['AWS.CloudTrail', 'GCP.AuditLog'] },
  { id: 'faults', severities: [], alertTypes: ['RULE_ERROR', 'SYSTEM'] },
  { id: 'hunts', severities: [], alertTypes: ['SCHEDULED_RULE'] },
  { id: 'silent', severities: [], system: false },
  { id: 'endings', severities: [], sends: ['resolved'] },
]

test.each<[what: string, to: string[], body: object]>([
  ['a log type that one takes', ['cloud', 'silent'], { logTypes: ['Zeek.Conn', 'GCP.AuditLog'] }],
  ['a log type that it does not take', ['silent'], { logTypes: ['Zeek.Conn'] }],
  ['a failing rule', ['faults', 'silent'], { type: 'RULE_ERROR', logTypes: ['Zeek.Conn'] }],
  ['a scheduled rule', ['hunts', 'silent'], { type: 'SCHEDULED_RULE', logTypes: ['query/Q'] }],
  ['a failing scheduled rule', ['silent'], { type: 'SCHEDULED_RULE_ERROR', logTypes: ['query/Q'] }],
  ['Caracal itself', ['cloud', 'faults'], { type: 'SYSTEM' }],
  [
    'a log type, though the rule chose a destination that does not take it',
    ['cloud'],
    { logTypes: ['Z'], destinations: ['cloud'] },
  ],
])('an alert about %s goes to %o', (_, to, body) => {
  const made = deliveriesOf(alertWindow('HIGH', body), new Map(), { routes: PICKY, baseUrl: BASE })
  expect(made.map(({ destination }) => destination)).toEqual(to)
})

describe('a change of an alert', () => {
  const routes: readonly Route[] = [
    { id: 'chat', severities: [], sends: ['opened', 'updated', 'resolved'] },
    { id: 'pager', severities: ['CRITICAL'], sends: ['opened', 'resolved'] },
    { id: 'once', severities: [] },
    { id: 'endings', severities: [], sends: ['resolved'] },
  ]
  const changed = (severity: string, part: Partial<Change>) =>
    changeDeliveries(
      alertWindow(severity),
      { kind: 'updated', key: '1', nowMs: 7, sentTo: new Set(['chat', 'once']), ...part },
      new Map(),
      { routes, baseUrl: BASE },
    )
  const shown = (list: ReturnType<typeof changed>) =>
    list.map(({ destination, body }) => `${destination} ${(JSON.parse(body) as { kind: string }).kind}`)

  test('goes to the destinations that were sent the alert and want such changes', () => {
    expect(shown(changed('HIGH', {}))).toEqual(['chat updated'])
  })

  test('opens the alert at a destination that it reaches only now', () => {
    const made = changed('CRITICAL', {})
    expect(shown(made)).toEqual(['pager opened', 'chat updated'])
    // The id is that of an alert which was critical from the start: it cannot be opened there twice.
    const [opened] = deliveriesOf(alertWindow('CRITICAL'), new Map(), { routes: [routes[1]!], baseUrl: BASE })
    expect(made[0]!.deliveryId).toBe(opened!.deliveryId)
  })

  test('to resolved reaches every destination that was sent it, whatever its severity is now', () => {
    const sentTo = new Set(['chat', 'pager', 'once'])
    expect(shown(changed('LOW', { kind: 'resolved', sentTo }))).toEqual(['chat resolved', 'pager resolved', 'endings resolved'])
  })

  test('that opens it again opens it where it had ended, and updates it where nothing ends', () => {
    const more: readonly Route[] = [...routes, { id: 'log', severities: [], sends: ['opened', 'updated'] }]
    const again = (key: string, severity = 'LOW', sentTo = ['chat', 'pager', 'once', 'log', 'endings']) =>
      changeDeliveries(alertWindow(severity), { kind: 'reopened', key, nowMs: 7, sentTo: new Set(sentTo) }, new Map(), {
        routes: more,
        baseUrl: BASE,
      })
    expect(shown(again('2'))).toEqual(['chat opened', 'pager opened', 'log updated'])
    expect(shown(again('2', 'CRITICAL', ['chat', 'log', 'once']))).toEqual(['pager opened', 'chat opened', 'log updated'])
    // Each time is a delivery of its own, but the same one if it is processed again.
    const first = deliveriesOf(alertWindow('CRITICAL'), new Map(), { routes: [routes[1]!], baseUrl: BASE })
    const idsAtPager = [first, again('2'), again('3'), again('3')].map(
      (list) => list.find(({ destination }) => destination === 'pager')!.deliveryId,
    )
    expect(new Set(idsAtPager.slice(0, 3)).size).toBe(3)
    expect(idsAtPager[3]).toBe(idsAtPager[2])
  })

  test('of status or owner reaches only the destinations that show them and have the alert', () => {
    const more: readonly Route[] = [
      { id: 'mirror', severities: [], sends: ['opened'], mirrors: true },
      { id: 'mirror2', severities: [], sends: ['opened', 'resolved'], mirrors: true },
      { id: 'late', severities: ['CRITICAL'], sends: ['opened'], mirrors: true },
      { id: 'plain', severities: [], sends: ['opened', 'updated', 'resolved'] },
    ]
    const of = (kind: Change['kind']) =>
      shown(
        changeDeliveries(
          alertWindow('LOW'),
          { kind, key: 'v2', nowMs: 7, sentTo: new Set(['mirror', 'mirror2', 'plain']) },
          new Map(),
          { routes: more, baseUrl: BASE },
        ),
      )
    expect(of('changed')).toEqual(['mirror changed', 'mirror2 changed'])
    expect(of('resolved')).toEqual(['mirror changed', 'mirror2 changed', 'mirror2 resolved', 'plain resolved'])
    expect(of('reopened')).toEqual(['mirror2 opened', 'plain opened', 'mirror changed'])
    expect(of('updated')).toEqual(['plain updated'])
  })

  test('has the same id if it is processed again, and another one if it is another change', () => {
    const ids = [{ key: '1' }, { key: '1' }, { key: '2' }, { kind: 'resolved' as const, key: '1' }].map(
      (part) => changed('LOW', part)[0]!.deliveryId,
    )
    expect(ids[0]).toBe(ids[1])
    expect(new Set(ids).size).toBe(3)
  })
})
