import { expect, test } from 'vitest'
import type { AlertNotice } from './engine.ts'
import { Events } from './events.ts'

const alert = (alertId: string): AlertNotice => ({
  alertId,
  severity: 'LOW',
  title: 't',
  ruleId: 'R',
  latencyMs: 1,
  sourceLabels: [],
})

test('the first listener gets alerts that were opened before it listened, each once; later listeners only get new ones', () => {
  const events = new Events()
  const heard: string[] = []
  events.opened(alert('a'))
  events.opened(alert('b'))
  events.listen(({ alertId }) => heard.push(`1${alertId}`))
  events.opened(alert('c'))
  events.listen(({ alertId }) => heard.push(`2${alertId}`))
  events.opened(alert('d'))
  expect(heard).toEqual(['1a', '1b', '1c', '1d', '2d'])
})
