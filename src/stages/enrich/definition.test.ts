import { describe, expect, test } from 'vitest'
import { NotSupported } from '../../util/errors.ts'
import { defineTable } from './definition.ts'

const file = '/content/tables/assets.yml'
const minimal = { AnalysisType: 'lookup_table', LookupName: 'assets', Filename: './assets.csv', LogTypeMap: { PrimaryKey: 'ip' } }

test('a definition is read with its defaults', () => {
  expect(defineTable(minimal, { file })).toMatchObject({
    name: 'assets',
    enabled: true,
    primaryKey: 'ip',
    filename: '/content/tables/assets.csv',
    periodMinutes: 60,
    alarmMinutes: 180,
    file,
  })
})

test('selectors are gathered by log type, and a log type with none has none of its own', () => {
  const AssociatedLogTypes = [
    { LogType: 'Zeek.Conn', Selectors: ['id_orig_h', '$.a.b'] },
    { LogType: 'Zeek.Conn', Selectors: ['id_orig_h', 'id_resp_h'] },
    { LogType: 'Zeek.DNS', Selectors: [] },
    { LogType: 'Zeek.Ssl' },
  ]
  const { selectors } = defineTable({ ...minimal, LogTypeMap: { PrimaryKey: 'ip', AssociatedLogTypes } }, { file })
  expect([...selectors]).toEqual([
    ['Zeek.Conn', ['id_orig_h', '$.a.b', 'id_resp_h']],
    ['Zeek.DNS', []],
    ['Zeek.Ssl', []],
  ])
})

test('a provider has its own period unless the table says another', () => {
  const url = { type: 'url', url: 'https://lists.example.com/x.txt' }
  const { Filename: _, ...rest } = minimal
  expect(defineTable({ ...rest, Provider: url }, { file })).toMatchObject({
    periodMinutes: 60,
    alarmMinutes: 180,
    filename: undefined,
  })
  const refresh = { PeriodMinutes: 10, AlarmPeriodMinutes: 1440 }
  expect(defineTable({ ...rest, Provider: url, Refresh: refresh }, { file })).toMatchObject({
    periodMinutes: 10,
    alarmMinutes: 1440,
  })
})

describe('refused with file and place', () => {
  const cases: [what: string, change: object, message: RegExp][] = [
    ['an unknown key', { Reputation: true }, /assets\.yml: Unrecognized key: "Reputation"/],
    [
      'an unknown key of the provider',
      { Provider: { type: 'file', path: 'x', pathh: 'y' } },
      /assets\.yml at Provider: Unrecognized key/,
    ],
    ['an unknown provider', { Provider: { type: 's3' } }, /assets\.yml at Provider/],
    ['an address that is not HTTP', { Provider: { type: 'url', url: 'file:///etc/passwd' } }, /assets\.yml at Provider\.url/],
    ['no content', { Filename: undefined }, /needs Filename .* or Provider/],
    ['a name with a slash', { LookupName: '../x' }, /at LookupName: must be/],
    ['a name that helpers skip', { LookupName: 'p_any_x' }, /at LookupName/],
    ['a name that is a prototype', { LookupName: '__proto__' }, /at LookupName/],
    [
      'a bad selector',
      { LogTypeMap: { PrimaryKey: 'ip', AssociatedLogTypes: [{ LogType: 'A', Selectors: ['a[0]'] }] } },
      /AssociatedLogTypes\.0\.Selectors: selector "a\[0\]"/,
    ],
    ['an unknown format', { Format: 'xml' }, /at Format/],
    ['a day that does not exist', { ContentDate: '2024-02-31' }, /at ContentDate/],
    ['a document that is a list', [], /assets\.yml/],
  ]
  test.each(cases)('%s', (_, change, message) => {
    const document = Array.isArray(change) ? change : { ...minimal, ...change }
    expect(() => defineTable(document, { file })).toThrow(message)
  })
})

describe('not supported yet', () => {
  const cases: [what: string, change: object, message: RegExp][] = [
    [
      'a bucket',
      { Filename: undefined, Refresh: { RoleARN: 'arn:aws:iam::1:role/x', ObjectPath: 's3://b/k', PeriodMinutes: 60 } },
      /Refresh\.RoleARN.*assets\.yml: use `Provider/,
    ],
    ['a scheduled search', { Filename: undefined, Query: 'select 1', Refresh: { PeriodMinutes: 60 } }, /Query.*assets\.yml/],
    ['another dialect', { SnowflakeQuery: 'select 1' }, /SnowflakeQuery/],
  ]
  test.each(cases)('%s', (_, change, message) => {
    const define = () => defineTable({ ...minimal, ...change }, { file })
    expect(define).toThrow(NotSupported)
    expect(define).toThrow(message)
  })
})
