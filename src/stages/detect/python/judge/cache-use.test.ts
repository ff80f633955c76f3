import { expect, test } from 'vitest'
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
  const usesCache = cacheUse([makeRule('R', code), makeRule('Other', 'x = 1')], helpers)
  expect([usesCache('R'), usesCache('Other')]).toEqual([expected, false])
})
