import { expect, test } from 'vitest'
import { systemProblem } from '../model/system-problem.ts'
import { healthOf } from './health.ts'
import { Problems } from './problems.ts'

test('a problem lasts from its first report until its reporter no longer names it', () => {
  let nowMs = 1000
  const changes: string[] = []
  const problems = new Problems(() => nowMs)
  problems.onChange = (begun, gone) => changes.push(...begun.map(({ key }) => `+${key}`), ...gone.map(({ key }) => `-${key}`))
  const table = (name: string) => systemProblem('TableStale', name, `Table ${name} is stale`)
  problems.report('tables', [table('a')])
  nowMs = 2000
  problems.report('tables', [table('b'), table('a')])
  problems.add('rules', systemProblem('RulesImpaired', 'x', 'slow'))
  expect(problems.current.map(({ key, sinceMs }) => [key, sinceMs])).toEqual([
    ['b', 2000],
    ['a', 1000],
    ['x', 2000],
  ])
  nowMs = 3000
  problems.report('tables', [table('b')])
  problems.report('tables', [table('a'), table('b')])
  expect(problems.current.map(({ key, sinceMs }) => [key, sinceMs])).toEqual([
    ['a', 3000],
    ['b', 2000],
    ['x', 2000],
  ])
  expect(changes).toEqual(['+a', '+b', '+x', '-a', '+a'])
})

test.each([
  ['ok', []],
  ['degraded', [systemProblem('TableStale', 't', 'stale'), systemProblem('RuleOff', 'r', 'off')]],
  ['failing', [systemProblem('TableStale', 't', 'stale'), systemProblem('LakeDown', 'lake', 'down')]],
])('health is %s, with what makes it failing first', (status, reported) => {
  const problems = new Problems(() => 0)
  problems.report('test', reported)
  const health = healthOf(problems.current)
  expect(health.status).toBe(status)
  expect([...health.problems].sort()).toEqual(reported.map(({ message }) => message).sort())
  if (status === 'failing') expect(health.problems[0]).toBe('down')
})
