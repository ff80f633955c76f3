import { expect, test } from 'vitest'
import { createLog } from './log.ts'

function captured(isPretty: boolean, level?: 'debug' | 'error') {
  const lines: string[] = []
  return { lines, log: createLog({ isPretty, ...(level && { level }), write: (text) => lines.push(text) }) }
}

test('for programs, a line is a JSON object with level, time and message', () => {
  const { log, lines } = captured(false)
  log.warn({ table: 'tor_exit_nodes' }, 'The table is stale.')
  const { time, ...rest } = JSON.parse(lines[0]!) as Record<string, unknown>
  expect(rest).toEqual({ level: 'warn', table: 'tor_exit_nodes', msg: 'The table is stale.' })
  expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('for people, a line is the message followed by its fields', () => {
  const { log, lines } = captured(true)
  log.error({ source: 'default', n: 3, err: new Error('disk full') }, 'Nothing was stored.')
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d error Nothing was stored\. source=default n=3 error=disk full\n$/)
})

test('untrusted text cannot move the cursor or start a new line', () => {
  const { log, lines } = captured(true)
  log.info({ file: 'a\u001b[2J\nb' }, 'Skipped.')
  expect(lines[0]).toContain('file=a\\u{1b}[2J\\u{a}b')
})

test('lines below the level are not written', () => {
  const { log, lines } = captured(false, 'error')
  log.info('Nothing to see.')
  expect(lines).toEqual([])
})
