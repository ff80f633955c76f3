import { expect, test } from 'vitest'
import { changedParts, hashOf, summaryOf } from './content-parts.ts'

const parts = (of: Record<string, string>) => new Map(Object.entries(of).map(([key, hash]) => [key.replace('/', '\0'), hash]))

test('differences between two contents have a kind, a name and an outcome', () => {
  const before = parts({ 'rule/A': '1', 'rule/B': '1', 'query/Q': '1', 'rule/C': '1' })
  const after = parts({ 'rule/A': '2', 'rule/B': '2', 'schema/S': '1', 'rule/C': '1' })
  const changes = changedParts(before, after)
  expect(changes).toEqual([
    { kind: 'rule', name: 'A', change: 'changed' },
    { kind: 'rule', name: 'B', change: 'changed' },
    { kind: 'schema', name: 'S', change: 'added' },
    { kind: 'query', name: 'Q', change: 'removed' },
  ])
  expect(summaryOf(changes)).toBe('2 rules changed, 1 schema added, 1 query removed')
  expect(summaryOf([...changes, { kind: 'query', name: 'R', change: 'removed' }])).toContain('2 queries removed')
})

test('the order in which parts are found does not matter', () => {
  expect(hashOf(parts({ 'rule/A': '1', 'rule/B': '2' }))).toBe(hashOf(parts({ 'rule/B': '2', 'rule/A': '1' })))
  expect(hashOf(parts({ 'rule/A': '1' }))).not.toBe(hashOf(parts({ 'rule/A': '2' })))
})
