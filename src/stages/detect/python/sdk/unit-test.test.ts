import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Detector } from '../../language.ts'
import { python } from '../index.ts'
import { makeRule, makeTest } from '../rule.fixture.ts'

const RULES = [
  makeRule(
    'All',
    `
    def rule(event): return event.get('match', False)
    def title(event): return 't' * 2000
    def dedup(event): return ''
    def severity(event): return 'High'
    def alert_context(event): return {'list': event.get('list'), 'float': 1.0, 'big': 2 ** 70}
    def unique(event): return 'u'
  `,
  ),
  makeRule('Errors', "def rule(event): return None\ndef title(event): return event['x']\ndef severity(event): return 'no'"),
  makeRule(
    'Prints',
    "import sys\ndef rule(event):\n    print('seen', event['n'])\n    print('oops', file=sys.stderr)\n    return True",
  ),
  makeRule('Floods', "def rule(event):\n    for _ in range(5000): print('x' * 100)\n    return True"),
  makeRule(
    'Mocked',
    `
    import json
    from unittest.mock import MagicMock
    from panther_detection_helpers.caching import get_string_set

    NAMES = {'real'}

    def rule(event):
        global NAMES
        if isinstance(NAMES, MagicMock):
            NAMES = set(json.loads(NAMES()))
        return event['name'] in NAMES and get_string_set('k') == 'mocked'
  `,
  ),
  makeRule(
    'Looks',
    `
    from panther_detection_helpers.caching import get_counter, get_dictionary, get_string_set
    def rule(event): return event.lookup('t', 'k') == 1 and event.lookup('t', 'other') is None
    def title(event): return f"{get_counter('n')} {sorted(get_string_set('s'))} {get_dictionary('d')} {len(event)}"
  `,
  ),
  makeRule('Loops', 'def rule(event):\n    while True: pass'),
  makeRule('Dies', 'import os\ndef rule(event): os._exit(1)'),
  makeRule('Broken', 'def rule(event) return'),
]

let detector: Detector
beforeAll(async () => {
  detector = await python.create({ rules: RULES, helpers: [] }, { timeoutMs: 300, all: true })
})
afterAll(() => detector.close())

test('all functions run, matched or not, and what they return is not truncated', async () => {
  const run = await detector.test('All', makeTest({ list: ['a', { b: 'é' }] }))
  expect(run.out).toEqual({
    detection: 'false',
    title: `"${'t'.repeat(2000)}"`,
    severity: '"High"',
    dedup: '""',
    alert_context: '{"list": ["a", {"b": "é"}], "float": 1.0, "big": 1180591620717411303424}',
    unique: '"u"',
  })
  expect(run.errors).toEqual({})
})

test('errors are stored as repr, by function', async () => {
  const run = await detector.test('Errors', makeTest({}))
  expect(run.out).toEqual({})
  expect(run.errors).toEqual({
    detection: "FunctionReturnTypeError('detection [Errors] function [rule] returned [NoneType], expected [bool]')",
    title: "KeyError('x')",
    severity: expect.stringContaining('ValueError('),
  })
  expect(run.where).toEqual({ title: '/root/rules/Errors.py:2 in title' })
})

test('printed text is shown, within a limit', async () => {
  expect((await detector.test('Prints', makeTest({ n: 1 }))).printed).toBe('seen 1\noops\n')
  const flood = await detector.test('Floods', makeTest({}))
  expect(flood.printed.length).toBeLessThan(300_000)
  expect(flood.printed).toMatch(/truncated/)
  expect(flood.out).toEqual({ detection: 'true' })
})

test('a log may contain lookup results and cache entries, for one test only', async () => {
  const log = { a: 1, _mocked_lookup_data_: { t: { k: 1 } } }
  const seeded = await detector.test('Looks', makeTest({ ...log, _mocked_cache_: { n: 3, s: ['b', 'a'], d: { x: [1] } } }))
  expect(seeded.out).toEqual({ detection: 'true', title: JSON.stringify("3 ['a', 'b'] {'x': [1]} 2") })
  expect((await detector.test('Looks', makeTest(log))).out['title']).toBe(JSON.stringify('0 [] {} 2'))
  const wrong = await detector.test('Looks', makeTest({ _mocked_cache_: { n: 'x' } }))
  expect(wrong.errors['detection']).toContain("the cache entry 'n' of a test must be a whole number, a list or a map, not str")
})

test('mocks are MagicMocks in the rule’s own module, for one test only', async () => {
  const mocks = [
    { objectName: 'NAMES', returnValue: '["mock"]' },
    { objectName: 'get_string_set', returnValue: 'mocked' },
  ]
  expect((await detector.test('Mocked', makeTest({ name: 'mock' }, mocks))).out).toEqual({ detection: 'true' })
  const without = await detector.test('Mocked', makeTest({ name: 'real' }))
  expect(without.out).toEqual({ detection: 'false' })
  const unknown = await detector.test('Mocked', makeTest({ name: 'a' }, [{ objectName: 'nothing', returnValue: true }]))
  expect(unknown.errors['detection']).toMatch(/AttributeError.*nothing/)
})

test('big integers and integral floats of a test’s log reach the rule', async () => {
  const run = await detector.test('All', makeTest('{"list": [1.0, 12345678901234567890, -0.0]}'))
  expect(run.out['alert_context']).toContain('[1.0, 12345678901234567890, -0.0]')
})

test('a test that does not end, one that ends the child, and a rule that cannot be loaded are failed tests', async () => {
  expect((await detector.test('Loops', makeTest({}))).errors['detection']).toMatch(/took longer than 300 ms/)
  expect((await detector.test('Dies', makeTest({}))).errors['detection']).toMatch(/crash/)
  expect((await detector.test('Broken', makeTest({}))).errors['detection']).toMatch(/SyntaxError/)
  expect((await detector.test('All', makeTest({ match: true }))).out['detection']).toBe('true')
})
