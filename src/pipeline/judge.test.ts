import { expect, test } from 'vitest'
import type { Event } from '../model/event.ts'
import { judgeEvents } from './judge.ts'
import { evilDetector } from './loop.fixture.ts'

test('an event’s text is built once, however many rules match it, and only when it is needed', async () => {
  let reads = 0
  const event = {
    p_log_type: 'Test.Line',
    get line() {
      reads++
      return 'evil'
    },
  } as unknown as Event
  const detector = evilDetector({ evaluate: async () => evilDetector().evaluate(batch) })
  const batch = { logType: 'Test.Line', ndjson: Buffer.from('{"line":"evil"}\n'), count: 1 }
  const { judged } = await judgeEvents([{ logType: 'Test.Line', events: [event] }], [detector, detector, detector], undefined)
  reads = 0
  const texts = judged.map(({ text }) => text())
  expect(texts).toEqual(Array(3).fill('{"p_log_type":"Test.Line","line":"evil"}'))
  expect(reads).toBe(1)
})
