import { expect, test } from 'vitest'
import type { Io } from './io.ts'
import { counted, severityText, span } from './style.ts'

test.each([
  [0.4, '0 ms'],
  [999, '999 ms'],
  [1000, '1.0 s'],
  [89_999, '90.0 s'],
  [90_000, '2 min'],
  [5_400_000, '2 h'],
  [172_800_000, '2 d'],
  [86_400_000 * 1234, '1,234 d'],
])('%d milliseconds read %s', (ms, text) => {
  expect(span(ms)).toBe(text)
})

test.each([
  [0, '0 alerts'],
  [1, '1 alert'],
  [1174, '1,174 alerts'],
])('%d alerts read %s', (n, text) => {
  expect(counted(n, 'alert')).toBe(text)
})

test('colour is only used where wanted, and never comes from untrusted text', () => {
  const io = (hasColours: boolean) => ({ hasColours }) as Io
  expect(severityText(io(false), 'HIGH')).toBe('HIGH')
  expect(severityText(io(true), 'HIGH')).toBe('\u001b[31mHIGH\u001b[0m')
  expect(severityText(io(true), '\u001b[0m')).toBe('\\u{1b}[0m')
})
