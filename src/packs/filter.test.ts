import { describe, expect, test } from 'vitest'
import type { Rule } from '../model/rule.ts'
import { ConfigError } from '../util/errors.ts'
import { parseFilters } from './filter.ts'

const rule: Rule = {
  id: 'Tor.SSH.Login',
  displayName: undefined,
  enabled: true,
  logTypes: ['Zeek.SSH', 'Zeek.Conn'],
  severity: 'CRITICAL',
  description: '',
  reference: '',
  runbook: '',
  tags: [],
  reports: {},
  dedupPeriodMinutes: 60,
  threshold: 1,
  summaryAttributes: [],
  outputIds: [],
  createAlert: false,
  tests: [],
  file: '/c/a.yml',
  source: { language: 'python', file: '/c/a.py', code: '' },
}

describe('a filter', () => {
  const cases = [
    { filters: [], holds: true },
    { filters: ['Severity=Critical'], holds: true },
    { filters: ['Severity=high,critical'], holds: true },
    { filters: ['Severity=High'], holds: false },
    { filters: ['Severity!=High'], holds: true },
    { filters: ['LogTypes=zeek.conn'], holds: true },
    { filters: ['LogTypes!=Zeek.Conn'], holds: false },
    { filters: ['Enabled=yes', 'CreateAlert=0'], holds: true },
    { filters: ['Enabled=off'], holds: false },
    { filters: ['Threshold=1', 'Severity=Low'], holds: false },
    { filters: ['Severity=Low', 'Severity=Critical'], holds: true },
    { filters: ['DisplayName='], holds: true },
    { filters: ['Tags=x,'], holds: true },
    { filters: ['Tags=x'], holds: false },
    { filters: ['Filename=a.py'], holds: true },
  ]
  test.each(cases)('$filters: $holds', ({ filters, holds }) => expect(parseFilters(filters)(rule)).toBe(holds))

  test.each(['Severity', 'Severity=a=b', '=x', 'Nope=1', '__proto__=1', ''])("'%s' is refused", (text) => {
    expect(() => parseFilters([text])).toThrow(ConfigError)
  })
})
