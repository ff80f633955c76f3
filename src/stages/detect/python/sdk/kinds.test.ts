import { afterEach, expect, test, vi } from 'vitest'
import type { Rule } from '../../../../model/rule.ts'
import { queryLogType } from '../../language.ts'
import type { PythonDetector } from '../detector.ts'
import { python } from '../index.ts'
import { errorsOf, makeBatch, makeRule, makeTest, matchesOf } from '../rule.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })

const open: PythonDetector[] = []
afterEach(async () => {
  for (const detector of open.splice(0)) await detector.close()
})

async function detect(...rules: readonly Rule[]): Promise<PythonDetector> {
  const detector = await python.create({ rules, helpers: [] }, { timeoutMs: 2000, all: false })
  open.push(detector)
  return detector
}

const makePolicy = (id: string, code: string) =>
  makeRule(id, code, {
    kind: 'policy',
    logTypes: [],
    policy: { resourceTypes: ['AWS.S3.Bucket'], suppressions: [], autoRemediationId: undefined, actionDelaySeconds: undefined },
  })

const POLICY = makePolicy(
  'Policy',
  `
  def policy(resource):
      resource['seen'] = True
      return resource['ok'] and type(resource) is dict and type(resource['list']) is list
  def title(resource):
      return f"{type(resource).__name__} {resource.get('seen')} {resource.get('OK')}"
`,
)

test('a policy gets its own plain dict and alerts when it returns False', async () => {
  const detector = await detect(POLICY)
  expect(detector.logTypes).toEqual(new Set(['AWS.S3.Bucket']))
  const findings = await detector.evaluate(
    makeBatch([{ ok: true, list: [] }, { ok: false, list: [] }, { ok: 1, list: [] }, {}], 'AWS.S3.Bucket'),
  )
  expect(matchesOf(findings)).toMatchObject([{ event: 1, title: 'dict None None' }])
  expect(errorsOf(findings)).toMatchObject([
    { event: 3, message: expect.stringMatching(/Policy.py:\d+ in policy: KeyError: 'ok'/) },
  ])
})

test('a policy that returns something else has a wrong return type', async () => {
  const detector = await detect(makePolicy('P', 'def policy(resource): return resource.get("x")'))
  const findings = await detector.evaluate(makeBatch([{ x: null }, { x: 0 }, { x: 'no' }], 'AWS.S3.Bucket'))
  expect(matchesOf(findings)).toEqual([])
  expect(errorsOf(findings).map(({ message }) => message.split(': ')[1])).toEqual([
    'detection [P] function [policy] returned [NoneType], expected [bool]',
    'detection [P] function [policy] returned [int], expected [bool]',
    'detection [P] function [policy] returned [str], expected [bool]',
  ])
})

test('the unit test of a policy shows the result of policy()', async () => {
  const detector = await detect(POLICY)
  expect((await detector.test('Policy', makeTest({ ok: true, list: [] }))).out).toEqual({
    detection: 'true',
    title: '"dict True None"',
  })
  expect((await detector.test('Policy', makeTest({ ok: false, list: [] }))).out['detection']).toBe('false')
})

test('a scheduled rule judges rows of its queries', async () => {
  const extra = { kind: 'scheduled_rule', logTypes: [], scheduledQueries: ['Many logins', 'Other'] } as const
  const all = makeRule('All', "def rule(event): return True\ndef title(event): return event.get('N')", extra)
  const some = makeRule('Some', "def rule(event): return event['n'] == 'b'", extra)
  const detector = await detect(all, some)
  expect(detector.logTypes).toEqual(new Set([queryLogType('Many logins'), queryLogType('Other')]))
  const findings = await detector.evaluate(makeBatch([{ n: 'a' }, { n: 'b' }], queryLogType('Many logins')))
  expect(matchesOf(findings).map(({ ruleId, event }) => `${ruleId} ${event}`)).toEqual(['All 0', 'All 1', 'Some 1'])
  expect((await detector.test('All', makeTest({}))).out['detection']).toBe('true')
})

test('a rule without rule() and a policy without policy() cannot be loaded', async () => {
  const scheduled = { kind: 'scheduled_rule', logTypes: [], scheduledQueries: ['Q'] } as const
  const detector = await detect(
    makeRule('R', 'def policy(event): return True'),
    makeRule('S', 'def ruel(event): return False', scheduled),
    makePolicy('P', 'def rule(event): return True'),
  )
  expect(detector.setupErrors.map(({ message }) => message.split('AttributeError: ')[1])).toEqual([
    "detection needs to have a method named 'rule'",
    "detection needs to have a method named 'rule'",
    "detection needs to have a method named 'policy'",
  ])
})

test('event times of the engine are understood, and in unit tests only the hosted form', async () => {
  const detector = await detect(
    makeRule('T', 'def rule(event): return True\ndef title(event): return str(event.event_time_epoch())'),
  )
  const times = ['2021-01-01T00:00:00.123456789Z', '2021-01-01 00:00:00.123456789', '', 'soon']
  const found = matchesOf(await detector.evaluate(makeBatch(times.map((time) => ({ p_event_time: time })))))
  expect(found.map(({ title }) => title)).toEqual(['1609459200', '1609459200', '0', '0'])
  const titles = await Promise.all(
    times.map(async (time) => (await detector.test('T', makeTest({ p_event_time: time }))).out['title']),
  )
  expect(titles).toEqual(['"0"', '"1609459200"', '"0"', '"0"'])
})

test('unique() is on the match; an invalid return value is an error of the function, not of the match', async () => {
  const rule = makeRule('U', "def rule(event): return True\ndef unique(event): return event['u']")
  const detector = await detect(rule, makeRule('Without', 'def rule(event): return True'))
  const findings = matchesOf(await detector.evaluate(makeBatch([{ u: 'a' }, { u: null }, { u: 7 }, {}, { u: '' }])))
  const own = findings.filter(({ ruleId }) => ruleId === 'U')
  expect(own.map((match) => match.unique)).toEqual(['a', null, undefined, undefined, ''])
  expect(own.map(({ functionErrors }) => Object.keys(functionErrors))).toEqual([[], [], ['unique'], ['unique'], []])
  expect(findings.find(({ ruleId }) => ruleId === 'Without')).not.toHaveProperty('unique')
})
