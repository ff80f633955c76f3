import { describe, expect, test } from 'vitest'
import { NotSupported } from '../../util/errors.ts'
import { defineExtension, defineTable, isExtension } from './definition.ts'

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

test('associations keep their order and the file they are from; a log type may have no selectors', () => {
  const AssociatedLogTypes = [
    { LogType: 'Zeek.*', Selectors: ['id_orig_h', '$.a.b'] },
    { LogType: 'Zeek.DNS', Selectors: [] },
    { LogType: 'Zeek.Ssl' },
  ]
  const { associations } = defineTable({ ...minimal, LogTypeMap: { PrimaryKey: 'ip', AssociatedLogTypes } }, { file })
  expect(associations).toEqual([
    { logType: 'Zeek.*', selectors: ['id_orig_h', '$.a.b'], file },
    { logType: 'Zeek.DNS', selectors: [], file },
    { logType: 'Zeek.Ssl', selectors: [], file },
  ])
})

test('a table without a period uses the one of its provider', () => {
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

describe('refused, naming file and path', () => {
  const cases: [what: string, change: object, message: RegExp][] = [
    ['an unknown key', { Reputation: true }, /assets\.yml: Unrecognized key: "Reputation"/],
    [
      'an unknown key of the provider',
      { Provider: { type: 'file', path: 'x', pathh: 'y' } },
      /assets\.yml at Provider: Unrecognized key/,
    ],
    ['an unknown provider', { Provider: { type: 's3' } }, /assets\.yml at Provider/],
    ['an address that is not HTTP', { Provider: { type: 'url', url: 'file:///etc/passwd' } }, /assets\.yml at Provider\.url/],
    ['no content', { Filename: undefined }, /needs Filename .*, Provider .*, Inline .* or Events/],
    ['a name with a slash', { LookupName: '../x' }, /at LookupName: must be/],
    ['a name that helpers skip', { LookupName: 'p_any_x' }, /at LookupName/],
    ['a name that is a prototype', { LookupName: '__proto__' }, /at LookupName/],
    ['a name with half a character', { LookupName: 'a\ud83d' }, /at LookupName/],
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

describe('indicators of a table without a schema', () => {
  test('one or several of a column', () => {
    expect(defineTable({ ...minimal, Indicators: { ip: 'ip', owner: ['username', 'email'] } }, { file }).indicators).toEqual({
      ip: ['ip'],
      owner: ['username', 'email'],
    })
  })

  test.each([
    [{ Indicators: { ip: 'adress' } }, /Indicators\.ip: must be one of ip, net_addr/],
    [{ Indicators: { ip: [] } }, /Indicators\.ip: /],
    [{ Schema: 'X', Indicators: { ip: 'ip' } }, /Indicators: the schema 'X' defines what columns contain.*remove this/],
  ])('%j is refused', (change, message) => expect(() => defineTable({ ...minimal, ...change }, { file })).toThrow(message))
})

describe('extensions', () => {
  const AssociatedLogTypes = [{ LogType: 'Custom.Vpn', Selectors: ['client.address'] }]
  const extension = { AnalysisType: 'lookup_table', Extends: 'tor_exit_nodes', LogTypeMap: { AssociatedLogTypes } }

  test('an extension names a table and adds selectors', () => {
    expect(isExtension(extension) && !isExtension(minimal)).toBe(true)
    expect(defineExtension(extension, { file })).toEqual({
      base: 'tor_exit_nodes',
      isHosted: false,
      enabled: true,
      associations: [{ logType: 'Custom.Vpn', selectors: ['client.address'], file }],
      file,
    })
  })

  const cases: [what: string, change: object, message: RegExp][] = [
    ['content of its own', { Filename: 'x.csv' }, /Filename: an extension only adds selectors.*remove this/],
    ['a provider of its own', { Provider: { type: 'file', path: 'x' } }, /Provider: an extension only adds selectors/],
    ['a refresh of its own', { Refresh: { PeriodMinutes: 1 } }, /Refresh: an extension only adds selectors/],
    ['a schema of its own', { Schema: 'X' }, /Schema: an extension only adds selectors/],
    [
      'a key of its own',
      { LogTypeMap: { PrimaryKey: 'ip', AssociatedLogTypes } },
      /LogTypeMap\.PrimaryKey: an extension only adds/,
    ],
    ['no selectors', { LogTypeMap: { AssociatedLogTypes: [] } }, /AssociatedLogTypes: name at least one log type/],
    [
      'a log type without selectors',
      { LogTypeMap: { AssociatedLogTypes: [{ LogType: 'A', Selectors: [] }] } },
      /Selectors: name at least one/,
    ],
    [
      'a selector that cannot be read',
      { LogTypeMap: { AssociatedLogTypes: [{ LogType: 'A', Selectors: ['a..b'] }] } },
      /selector "a\.\.b" cannot be read/,
    ],
    ['an unknown key', { Foo: 1 }, /Unrecognized key: "Foo"/],
  ]
  test.each(cases)('%s: refused', (_, change, message) =>
    expect(() => defineExtension({ ...extension, ...change }, { file })).toThrow(message),
  )
})

describe("a bucket in Panther's form", () => {
  const define = (Refresh: object, more: object = {}) =>
    defineTable({ ...minimal, Filename: undefined, Refresh, ...more }, { file })

  test('becomes the provider s3 with the key `aws`; the role and the encryption key have no meaning here', () => {
    const { provider, periodMinutes } = define({
      RoleARN: 'arn:aws:iam::1:role/x',
      ObjectPath: 's3://my-bucket/luts/list.csv',
      ObjectKMSKey: '',
      PeriodMinutes: 30,
    })
    expect(provider).toMatchObject({ type: 's3', bucket: 'my-bucket', key: 'luts/list.csv', auth: { key: 'aws' } })
    expect(periodMinutes).toBe(30)
  })

  test.each<[string, object, object, RegExp]>([
    ['a role without a path', { RoleARN: 'arn' }, {}, /Refresh\.RoleARN: needs ObjectPath/],
    ['another store', { ObjectPath: 'gs://b/k' }, {}, /tables from gs:\/\/b\/k.*use s3:\/\/bucket\/key/],
    ['a path that cannot be', { ObjectPath: 's3://my-bucket/../k' }, {}, /Refresh\.ObjectPath: .*must not contain \. or \.\./],
    [
      'two places',
      { ObjectPath: 's3://my-bucket/k' },
      { Provider: { type: 'url', url: 'https://a.example.com' } },
      /so does Provider: remove one/,
    ],
  ])('%s is refused', (_, refresh, more, message) => expect(() => define(refresh, more)).toThrow(message))
})

describe("a query in Panther's form", () => {
  const define = (change: object) => defineTable({ ...minimal, Filename: undefined, ...change }, { file })

  test.each(['Query', 'SnowflakeQuery', 'DatabricksQuery', 'AthenaQuery'])('%s becomes the provider query', (key) => {
    const table = define({ [key]: 'SELECT 1 AS ip', Refresh: { PeriodMinutes: 1440 } })
    expect(table).toMatchObject({ provider: { type: 'query', sql: 'SELECT 1 AS ip' }, format: 'jsonl', periodMinutes: 1440 })
  })

  test('Indicators and Validations are lists there; the key may have to be a network', () => {
    const table = define({
      Query: 'SELECT 1 AS ip',
      Indicators: [{ Field: 'ip', Indicators: ['ip'] }],
      Validations: [
        { Field: 'ip', Validations: ['cidr'] },
        { Field: 'other', Validations: ['ip'] },
      ],
    })
    expect(table).toMatchObject({ indicators: { ip: ['ip'] }, match: 'cidr' })
    expect(define({ Query: 'SELECT 1', Match: 'exact', Validations: [{ Field: 'ip', Validations: ['ip'] }] }).match).toBe('exact')
  })

  test.each<[string, object, RegExp]>([
    [
      'two places',
      { Provider: { type: 'url', url: 'https://a.example.com' } },
      /Query: says where content is, and so does Provider/,
    ],
    [
      'a query and a bucket',
      { Refresh: { ObjectPath: 's3://my-bucket/k' } },
      /Query: says where .* Refresh\.ObjectPath: remove one/,
    ],
    ['rows in the file', { Inline: [{ ip: '192.0.2.1' }] }, /Query: the rows are in this file/],
    ['no text', { Query: '' }, /Query: /],
    ['other validations', { Validations: [{ Field: 'ip', Validations: ['odd'] }] }, /Validations/],
  ])('%s is refused', (_, change, message) => expect(() => define({ Query: 'SELECT 1', ...change })).toThrow(message))
})

describe('a cron expression', () => {
  const define = (Refresh: object) => defineTable({ ...minimal, Provider: { type: 'file', path: 'a.csv' }, Refresh }, { file })

  test.each([
    ['0 6 * * *', 1440],
    ['*/15 9-17 * * *', 15 * 60 + 15],
    ['0 0 29 2 *', 4 * 365 * 1440 + 1440],
    ['* * * * 1', 6 * 1440 + 1],
  ])('%s refreshes at least every %i minutes', (cron, minutes) => {
    expect(define({ CronExpression: cron })).toMatchObject({ cron, periodMinutes: minutes, alarmMinutes: minutes * 3 })
  })

  test.each<[object, RegExp]>([
    [{ CronExpression: 'daily' }, /Refresh\.CronExpression: .*'daily' cannot be read.*five fields/],
    [{ CronExpression: '0 0 30 2 *' }, /never occurs/],
    [{ CronExpression: '0 6 * * *', PeriodMinutes: 60 }, /so does PeriodMinutes/],
  ])('%j is refused', (refresh, message) => expect(() => define(refresh)).toThrow(message))
})

describe('not supported yet', () => {
  const cases: [what: string, change: object, message: RegExp][] = [
    [
      'a bucket',
      { Filename: undefined, Refresh: { GCSCredentials: 'x', ObjectPath: 'gs://b/k', PeriodMinutes: 60 } },
      /Refresh\.GCSCredentials.*assets\.yml: use `Provider/,
    ],
  ]
  test.each(cases)('%s', (_, change, message) => {
    const define = () => defineTable({ ...minimal, ...change }, { file })
    expect(define).toThrow(NotSupported)
    expect(define).toThrow(message)
  })
})

describe('composite keys', () => {
  const composite = (change: object = {}, LogTypeMap: object = {}) =>
    defineTable({ ...minimal, LogTypeMap: { PrimaryKey: ['ip', 'port'], ...LogTypeMap }, ...change }, { file })

  test('the key is named after its columns, and selectors are lists', () => {
    const AssociatedLogTypes = [{ LogType: 'A', Selectors: [['src', '$.dst.port']] }]
    expect(composite({ Match: ['ip', 'exact'] }, { AssociatedLogTypes })).toMatchObject({
      primaryKey: 'ip',
      key: { kind: 'composite', columns: ['ip', 'port'] },
      match: undefined,
      parts: ['ip', 'exact'],
      associations: [{ selectors: [['src', '$.dst.port']] }],
    })
    expect(composite({ Match: 'ignore_case' }).parts).toEqual(['ignore_case', 'ignore_case'])
  })

  const selecting = (...Selectors: unknown[]) => ({
    AssociatedLogTypes: [
      { LogType: 'A', Selectors: [['a', 'b']] },
      { LogType: 'A', Selectors },
    ],
  })
  const cases: [what: string, define: () => unknown, message: RegExp][] = [
    [
      'a selector of one field',
      () => composite({}, selecting('src')),
      /assets\.yml at LogTypeMap\.AssociatedLogTypes\.1\.Selectors: .*'src' has 1 field, but the key has 2 columns \(ip, port\): .*\[field_1, field_2\]/,
    ],
    [
      'a selector of three fields',
      () => composite({}, selecting(['a', 'b', 'c'])),
      /AssociatedLogTypes\.1\.Selectors: .*'a\+b\+c' has 3 fields/,
    ],
    [
      'a list of fields for a key of one column',
      () => defineTable({ ...minimal, LogTypeMap: { PrimaryKey: 'ip', ...selecting(['a', 'b']) } }, { file }),
      /assets\.yml at LogTypeMap\.AssociatedLogTypes\.0\.Selectors: .*'a\+b' is a list of fields, but the key is one value \(ip\)/,
    ],
    [
      'a column named twice',
      () => composite({}, { PrimaryKey: ['ip', 'ip'] }),
      /LogTypeMap\.PrimaryKey: names the column 'ip' twice/,
    ],
    ['a list of one column', () => composite({}, { PrimaryKey: ['ip'] }), /LogTypeMap\.PrimaryKey: Too small/],
    [
      'a part compared as a network',
      () => composite({ Match: 'cidr' }),
      /Match: 'cidr' cannot compare a part of a composite key/,
    ],
    ['too few kinds of parts', () => composite({ Match: ['ip'] }), /Match: has 1 kinds for 2 columns/],
    [
      'kinds of parts for one column',
      () => defineTable({ ...minimal, Match: ['ip', 'port'] }, { file }),
      /Match: is a list, but the key is/,
    ],
    [
      'a bad field in a list',
      () => composite({}, selecting(['a', 'b[0]'])),
      /AssociatedLogTypes\.1\.Selectors: selector "b\[0\]"/,
    ],
  ]
  test.each(cases)('%s: refused', (_, define, message) => expect(define).toThrow(message))
})
