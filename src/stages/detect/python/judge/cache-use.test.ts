import { expect, test } from 'vitest'
import type { DataModel } from '../../../../model/data-model.ts'
import { makeHelper, makeRule } from '../rule.fixture.ts'
import { cacheUse } from './cache-use.ts'

test.each([
  ['imports it', 'from panther_detection_helpers.caching import increment_counter', true],
  ['gets it from an older helper', 'from panther_oss_helpers import get_string_set', true],
  ['imports a helper that imports a helper that uses it', 'import outer', true],
  ['imports by a name made as it runs', 'import importlib\nimportlib.import_module("cach" + "ing")', true],
  ['imports a helper that does not', 'import harmless', false],
  ['has a name with one of the words inside', 'import touter\ncachings = 1', false],
])('whether a rule may use the cache: it %s', (_, code, expected) => {
  const helpers = [
    makeHelper('outer', 'from inner import count', '/a'),
    makeHelper(
      'inner',
      'from panther_detection_helpers import caching\ndef count(key): return caching.increment_counter(key)',
      '/a',
    ),
    makeHelper('harmless', 'LIMIT = 1', '/a'),
  ]
  const usesCache = cacheUse({ rules: [makeRule('R', code), makeRule('Other', 'x = 1')], helpers })
  expect([usesCache('R'), usesCache('Other')]).toEqual([expected, false])
})

test('whether a rule may use the cache through the data model of its log type', () => {
  const model = (id: string, logType: string, code: string | undefined): DataModel => ({
    id,
    displayName: undefined,
    enabled: true,
    logTypes: [logType],
    mappings: [],
    file: `/a/${id}.yml`,
    root: '/a',
    source: code === undefined ? undefined : { file: `/a/${id}.py`, code },
  })
  const helpers = [makeHelper('counts', 'from panther_detection_helpers import caching', '/a')]
  const dataModels = [
    model('Own', 'A.Log', 'from panther_detection_helpers.caching import get_counter'),
    model('ByHelper', 'B.Log', 'import counts'),
    model('Plain', 'C.Log', 'x = 1'),
    model('Paths', 'D.Log', undefined),
  ]
  const code = "def rule(event): return event.udm('user') == 'root'"
  const rules = ['A.Log', 'B.Log', 'C.Log', 'D.Log'].map((logType) => makeRule(logType, code, { logTypes: ['X.Log', logType] }))
  expect(rules.map(({ id }) => id).filter(cacheUse({ rules, helpers, dataModels }))).toEqual(['A.Log', 'B.Log'])
})
