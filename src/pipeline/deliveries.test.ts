import { expect, test } from 'vitest'
import type { AlertBody, AlertWindow } from '../model/alert.ts'
import type { Rule } from '../model/rule.ts'
import { deliveriesOf, type Route } from './deliveries.ts'

const ROUTES: readonly Route[] = [
  { id: 'all', severities: [] },
  { id: 'loud', severities: ['HIGH', 'CRITICAL'] },
  { id: 'quiet', severities: ['INFO', 'LOW'] },
]

/** An alert's destinations: from what the rule's code returned, its file, and its severity. */
function destinations(severity: string, returned?: readonly string[] | undefined, outputIds?: readonly string[]): string[] {
  const body = { destinations: returned, title: 't', logTypes: [], tags: [], reports: {} } as unknown as AlertBody
  const window = { alertId: 'a', ruleId: 'r', severity, createdMs: 0, body } as AlertWindow
  const rules = new Map([['r', { id: 'r', outputIds } as unknown as Rule]])
  return deliveriesOf(window, rules, { routes: ROUTES, baseUrl: 'http://localhost' }).map(({ destination }) => destination)
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
