import { expect, test } from 'vitest'
import { among, behind, instant } from './sql.ts'

test('a point in time is milliseconds, whole ones', () => {
  expect(instant(1_700_000_000_000.9)).toBe('fromUnixTimestamp64Milli(toInt64(1700000000000))')
})

test('rows after a cursor come later, or at the same time with a greater id; without a cursor all do', () => {
  expect(behind('p_event_time', undefined)).toEqual([])
  const moment = "parseDateTime64BestEffort('2024-01-01T00:00:00Z', 9, 'UTC')"
  expect(behind('p_event_time', { time: '2024-01-01T00:00:00Z', rowId: "a'b" })).toEqual([
    `\`p_event_time\` >= ${moment}`,
    `(\`p_event_time\` > ${moment} OR p_row_id > 'a\\'b')`,
  ])
})

test('texts cannot leave their quotes', () => {
  expect(among('p_row_id', ['a', "b') OR ('"])).toBe("p_row_id IN ('a', 'b\\') OR (\\'')")
})
