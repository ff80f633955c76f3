import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Rule } from '../model/rule.ts'
import { ConfigError } from '../util/errors.ts'
import { asksForUntested, parseFilters } from './filter.ts'

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
    { filters: ['GlobalID=helpers'], holds: false },
    { filters: ['DataModelID='], holds: true },
    { filters: ['QueryName!=q'], holds: true },
  ]
  test.each(cases)('$filters: $holds', ({ filters, holds }) => expect(parseFilters(filters)(rule)).toBe(holds))

  const written = [
    { filter: 'AlertTitle=a login', holds: true },
    { filter: 'AlertTitle=another', holds: false },
    { filter: 'AlertTitle=', holds: false },
    { filter: 'OnlyUseBaseRiskScore=true', holds: true },
    { filter: 'BaseVersion=12', holds: true },
    { filter: 'GroupBy=', holds: true },
    { filter: 'Reports!=', holds: true },
    { filter: 'Threshold=1', holds: false },
    { filter: 'Threshold=', holds: true },
    { filter: 'DedupPeriodMinutes=3', holds: true },
    { filter: 'DedupPeriodMinutes=5', holds: false },
  ]
  test.each(written)('on a key that only the file has: $filter: $holds', ({ filter, holds }) => {
    const folder = mkdtempSync(join(tmpdir(), 'caracal-filter-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'a.yml')
    writeFileSync(
      file,
      'AlertTitle: A login\nOnlyUseBaseRiskScore: true\nBaseVersion: 12\nDedupPeriodMinutes: 3\nReports: { CIS: [3.10] }\n',
    )
    expect(parseFilters([filter])({ ...rule, file })).toBe(holds)
  })

  test.each([
    { filters: ['GlobalID=x'], is: true },
    { filters: ['Severity=High', 'LookupName!=x'], is: true },
    { filters: ['Description=x', 'AlertTitle=y'], is: false },
    { filters: [], is: false },
  ])('$filters asks for items without tests: $is', ({ filters, is }) => expect(asksForUntested(filters)).toBe(is))

  test.each(['Severity', 'Severity=a=b', '=x', 'Nope=1', '__proto__=1', ''])("'%s' is refused", (text) => {
    expect(() => parseFilters([text])).toThrow(ConfigError)
  })
})
