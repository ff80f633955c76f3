import { expect, test } from 'vitest'
import { compile } from '../model/condition/compile.ts'
import type { JsonObject } from '../model/json.ts'
import { makeRule } from '../stages/detect/python/rule.fixture.ts'
import { withSuppressions } from './suppressions.ts'

const policy = (suppressions: readonly string[]) => {
  const facts = { resourceTypes: [], suppressions, autoRemediationId: undefined, actionDelaySeconds: undefined }
  return makeRule('P', 'def policy(resource): return False', { kind: 'policy', policy: facts })
}

test.each<[what: string, resource: JsonObject, isSeen: boolean]>([
  ['an id that fits', { ResourceId: 'arn:aws:s3:::site-1' }, false],
  ['an id that is written out', { ResourceId: 'one' }, false],
  ['an id that does not fit', { ResourceId: 'arn:aws:s3:::other', Arn: 'arn:aws:s3:::site-1' }, true],
  ['no id, an ARN that fits', { Arn: 'arn:aws:s3:::site-1' }, false],
  ['an empty id, an ARN that fits', { ResourceId: '', Arn: 'arn:aws:s3:::site-1' }, false],
  ['no id, an ARN that does not fit', { ResourceId: null, Arn: 'arn:aws:s3:::other' }, true],
  ['neither', { Name: 'site-1' }, true],
  ['an id that is no text', { ResourceId: ['one'] }, true],
  ['another key', { resourceid: 'one' }, true],
])('%s', (_what, resource, isSeen) => {
  const { inlineFilter } = withSuppressions(policy(['arn:aws:s3:::site-*', 'one']))
  expect(compile(inlineFilter!)(resource)).toBe(isSeen)
})

test('with nothing suppressed nothing changes', () => {
  const plain = policy([])
  expect(withSuppressions(plain)).toBe(plain)
})

test('an existing filter still applies', () => {
  const { inlineFilter } = withSuppressions({ ...policy(['one']), inlineFilter: { op: 'always', value: false } })
  expect(compile(inlineFilter!)({ ResourceId: 'two' })).toBe(false)
})
