import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../model/json.ts'
import type { Match } from '../../../model/match.ts'
import type { Rule } from '../../../model/rule.ts'
import { stringifyJson } from '../../../util/json.ts'
import { simple } from './index.ts'

function rule(id: string, document: object | string, change: Partial<Rule> = {}): Rule {
  const file = `/rules/${id}.yml`
  return {
    id,
    displayName: undefined,
    enabled: true,
    logTypes: ['T.Log'],
    severity: 'LOW',
    description: 'about',
    reference: 'ref',
    runbook: 'run',
    tags: [],
    reports: {},
    dedupPeriodMinutes: 60,
    threshold: 1,
    summaryAttributes: [],
    outputIds: [],
    createAlert: true,
    tests: [],
    file,
    source: { language: 'simple', file, code: typeof document === 'string' ? document : JSON.stringify(document) },
    ...change,
  }
}

const create = (rules: readonly Rule[], all = false) => simple.create({ rules, helpers: [] }, { timeoutMs: 1000, all })
const batch = (events: readonly JsonObject[], logType = 'T.Log') => ({
  logType,
  ndjson: new TextEncoder().encode(events.map((event) => `${stringifyJson(event)}\n`).join('')),
  count: events.length,
})
const equals = (key: string, value: string | number) => ({ Key: key, Condition: 'Equals', Value: value })

async function only(document: object, event: JsonObject, change: Partial<Rule> = {}): Promise<Match> {
  const findings = await (await create([rule('R', document, change)])).evaluate(batch([event]))
  expect(findings).toHaveLength(1)
  return findings[0] as Match
}

describe('evaluate', () => {
  test("leaves out what a rule's inline filter keeps from it", async () => {
    const inlineFilter = { op: 'exists', field: { kind: 'path', segments: ['wanted'] } } as const
    const always = { Detection: [{ Condition: 'AlwaysTrue' }] }
    const detector = await create([rule('filtered', always, { inlineFilter }), rule('other', always)])
    const findings = await detector.evaluate(batch([{ a: 1 }, { wanted: 1 }]))
    expect(findings.map(({ event, ruleId }) => `${event} ${ruleId}`)).toEqual(['0 other', '1 filtered', '1 other'])
  })

  test('returns the matches of all rules, by event and then by rule', async () => {
    const detector = await create([
      rule('always', { Detection: [{ Condition: 'AlwaysTrue' }] }),
      rule('b', { Detection: [equals('a', 'x')] }),
      rule('off', { Detection: [{ Condition: 'AlwaysTrue' }] }, { enabled: false }),
      rule('elsewhere', { Detection: [{ Condition: 'AlwaysTrue' }] }, { logTypes: ['Other.Log'] }),
      rule('c', { Detection: [{ Key: 'a', Condition: 'Exists' }] }),
    ])
    const findings = await detector.evaluate(batch([{ a: 'x' }, {}, { A: 1 }]))
    expect(findings.map((one) => `${one.event} ${one.ruleId}`)).toEqual(['0 always', '0 b', '0 c', '1 always', '2 always', '2 c'])
    expect([...detector.logTypes]).toEqual(['T.Log', 'Other.Log'])
    expect(await detector.evaluate(batch([{}], 'No.Log'))).toEqual([])
    await detector.close()
  })

  test('a rule that cannot be parsed is a setup error and does not stop others', async () => {
    const detector = await create([
      rule('bad', { Detection: [{ Condition: 'No' }] }),
      rule('good', { Detection: [equals('a', 1)] }),
    ])
    expect(detector.setupErrors).toMatchObject([
      { ruleId: 'bad', event: -1, cause: 'import', message: expect.stringContaining('/rules/bad.yml at Detection.0.Condition') },
    ])
    expect(await detector.evaluate(batch([{ a: 1 }]))).toMatchObject([{ kind: 'match', ruleId: 'good' }])
  })

  test('integers beyond 2^53 and hostile keys are read exactly', async () => {
    const code = '{"Detection":[{"Key":"__proto__","Condition":"Equals","Value":9007199254740993}],"AlertTitle":"{__proto__}"}'
    const detector = await create([rule('R', code)])
    const ndjson = new TextEncoder().encode('{"__proto__":9007199254740993}\n{"__proto__":9007199254740992}\n{"constructor":1}\n')
    expect(await detector.evaluate({ logType: 'T.Log', ndjson, count: 3 })).toMatchObject([
      { event: 0, title: '9007199254740993' },
    ])
  })

  test('timings count each event once for each rule of its log type', async () => {
    const detector = await create([rule('a', { Detection: [equals('a', 1)] }), rule('b', { Detection: [equals('a', 2)] })])
    await detector.evaluate(batch([{ a: 1 }, { a: 1 }]))
    const timings = detector.timings()
    expect(timings.map(({ ruleId, events }) => [ruleId, events])).toEqual([
      ['a', 2],
      ['b', 2],
    ])
    expect(timings[0]!.seconds).toBeGreaterThan(0)
    expect(detector.timings()).toEqual([])
  })

  test('invalid JSON rejects, since it comes from the pipeline', async () => {
    const detector = await create([rule('a', { Detection: [equals('a', 1)] })])
    const ndjson = new TextEncoder().encode('{}\n{\n')
    await expect(detector.evaluate({ logType: 'T.Log', ndjson, count: 2 })).rejects.toThrowError('event 1 of a batch of T.Log')
  })
})

describe('the contents of a match', () => {
  const Detection = [{ Condition: 'AlwaysTrue' }]

  test('without alert keys everything comes from the metadata', async () => {
    expect(await only({ Detection }, {}, { displayName: 'Shown' })).toEqual({
      kind: 'match',
      ruleId: 'R',
      event: 0,
      title: 'Shown',
      dedup: 'defaultDedupString:R',
      severity: 'LOW',
      description: 'about',
      reference: 'ref',
      runbook: 'run',
      destinations: undefined,
      alertContext: undefined,
      functionErrors: {},
    })
    expect((await only({ Detection }, {})).title).toBe('R')
  })

  test.each<[string, string, string]>([
    ['{a}', 'by {user.name}', 'by Ann'],
    ['a number, a truth, a list, a map', '{n} {t} {l} {m}', '1.5 true ["x",2] {"k":null}'],
    ['a wildcard yields a list', '{list[*].v}', '[1,2]'],
    ['a missing field and null are shown as named gaps', '{gone.x} and {nil}', '(no gone.x) and (no nil)'],
    ['braces around anything else are text', '{} {{n}} {"a": 1.0..2} }{', '{} {1.5} {"a": 1.0..2} }{'],
    ['names in another case', '{USER.Name}', 'Ann'],
  ])('title: %s', async (_name, template, title) => {
    const event = { user: { name: 'Ann' }, n: 1.5, t: true, l: ['x', 2], m: { k: null }, nil: null, list: [{ v: 1 }, { v: 2 }] }
    expect((await only({ Detection, AlertTitle: template }, event)).title).toBe(title)
  })

  test('a title groups; group-by takes precedence', async () => {
    const event = { a: 'x', b: { c: 2 } }
    const dedup = async (GroupBy: object[] | undefined) => (await only({ Detection, AlertTitle: 't {a}', GroupBy }, event)).dedup
    expect(await dedup(undefined)).toBe('t x')
    expect(await dedup([{ Key: 'a' }])).toBe('x')
    expect(await dedup([{ Key: 'a' }, { KeyPath: 'b.c' }, { Key: 'gone' }])).toBe('["x",2,null]')
    expect(await dedup([{ Key: 'gone' }])).toBe('defaultDedupString:R')
  })

  test('the first severity whose conditions hold decides', async () => {
    const DynamicSeverities = [
      { ChangeTo: 'High', Conditions: [equals('a', 'x'), equals('b', 'y')] },
      { ChangeTo: 'CRITICAL', Conditions: [equals('a', 'x')] },
    ]
    const severity = async (event: JsonObject) => (await only({ Detection, DynamicSeverities }, event)).severity
    expect([await severity({ a: 'x', b: 'y' }), await severity({ a: 'x' }), await severity({})]).toEqual([
      'HIGH',
      'CRITICAL',
      'LOW',
    ])
  })

  test('the alert context keeps order, exact numbers and missing fields', async () => {
    const AlertContext = [
      { KeyName: '2', KeyValue: { Key: 'n' } },
      { KeyName: '1', KeyValue: { KeyPath: 'a.b' } },
      { KeyName: '__proto__', KeyValue: { DeepKey: ['l', 0] } },
    ]
    const match = await only({ Detection, AlertContext }, { n: 9007199254740993n, l: ['é'] })
    expect(match.alertContext).toBe('{"2":9007199254740993,"1":null,"__proto__":"é"}')
  })

  test('long texts are truncated at 1,000 characters and a huge context is replaced', async () => {
    const AlertContext = [{ KeyName: 'a', KeyValue: { Key: 'a' } }]
    const match = await only({ Detection, AlertTitle: '{a}', AlertContext }, { a: 'é'.repeat(40_000) })
    expect([match.title.length, match.title.slice(-16)]).toEqual([1000, 'é... (truncated)'])
    expect(match.dedup).toBe(match.title)
    expect(match.alertContext).toBe(
      '{"_error":"alert_context size is [240008] characters, bigger than maximum of [204800] characters"}',
    )
  })
})

describe('test', () => {
  const unit = (log: string, mocks: Rule['tests'][number]['mocks'] = []) => ({ name: 't', expectedResult: true, log, mocks })

  test('runs every function, even of disabled rules, and truncates nothing', async () => {
    const document = {
      Detection: [equals('a', 'x')],
      AlertTitle: '{b}',
      GroupBy: [{ Key: 'a' }],
      AlertContext: [{ KeyName: 'k', KeyValue: { Key: 'a' } }],
      DynamicSeverities: [{ ChangeTo: 'High', Conditions: [equals('a', 'z')] }],
    }
    const detector = await create([rule('R', document, { enabled: false })], true)
    const run = await detector.test('R', unit(JSON.stringify({ a: 'y', b: 'é'.repeat(2000) })))
    expect(run).toMatchObject({
      out: { detection: 'false', title: `"${'é'.repeat(2000)}"`, severity: '"LOW"', dedup: '"y"', alert_context: '{"k":"y"}' },
      errors: {},
      printed: '',
    })
  })

  test('returns only what the detection defines', async () => {
    const detector = await create([rule('R', { Detection: [equals('a', 'x')] })])
    expect((await detector.test('R', unit('{"a":"x"}'))).out).toEqual({ detection: 'true' })
  })

  test('says why it cannot run', async () => {
    const detector = await create([rule('R', { Detection: [equals('a', 'x')] }), rule('bad', '{}')])
    const error = async (id: string, log: string, mocks: Rule['tests'][number]['mocks'] = []) =>
      (await detector.test(id, unit(log, mocks))).errors['detection']
    expect(await error('bad', '{}')).toContain('/rules/bad.yml at Detection')
    expect(await error('none', '{}')).toContain("there is no simple detection 'none'")
    expect(await error('R', '{')).toContain("the test's Log cannot be read")
    expect(await error('R', '{}', [{ objectName: 'x', returnValue: 'y' }])).toContain('remove Mocks')
  })
})
