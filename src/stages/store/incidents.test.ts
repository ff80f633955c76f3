import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import type { SystemProblem } from '../../model/system-problem.ts'
import { Incidents } from './incidents.ts'

const MINUTE = 60_000

function started() {
  const clock = new ManualClock()
  let current: readonly SystemProblem[] = []
  const incidents = new Incidents(clock, (problems) => {
    current = problems
  })
  return { clock, incidents, problems: () => current.map(({ what, message }) => `${what}: ${message}`) }
}

test('a replaced process is reported for an hour, with count and reason', async () => {
  const { clock, incidents, problems } = started()
  incidents.replaced('it had not responded for 30 seconds')
  expect(problems()).toEqual([
    "LakeReplaced: The lake's process was replaced once within the last hour, the last time because it had not responded for 30 seconds.",
  ])
  incidents.opened()
  await clock.advance(30 * MINUTE)
  incidents.replaced('it could not stop a query')
  expect(problems()).toEqual([
    expect.stringContaining('2 times within the last hour, the last time because it could not stop a query'),
  ])
  await clock.advance(31 * MINUTE)
  expect(problems()).toEqual([expect.stringContaining('once within the last hour')])
  await clock.advance(30 * MINUTE)
  expect(problems()).toEqual([])
})

test('a lake that cannot be opened is reported until it is open', () => {
  const { incidents, problems } = started()
  incidents.down('its process does not start because it ended by itself (exit 1)')
  expect(problems()).toEqual(['LakeDown: The lake is not open: its process does not start because it ended by itself (exit 1).'])
  incidents.opened()
  expect(problems()).toEqual([])
})
