import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuzzRuns } from '../../../test/support/fuzz.ts'
import { compileTimeFormat } from './time-format.ts'

const NOW = Date.UTC(2024, 3, 19)

test.each([
  ['%Y-%m-%d %H:%M:%S', '2024-04-19 10:00:01', '2024-04-19T10:00:01Z'],
  ['%Y-%m-%dT%H:%M:%S.%f%z', '2024-04-19T10:00:01.000250+0200', '2024-04-19T08:00:01.00025Z'],
  ['%d/%b/%Y:%H:%M:%S %z', '17/May/2015:10:05:03 +0000', '2015-05-17T10:05:03Z'],
  ['%a %b %e %T %Y', 'Sat Mar  3 01:02:03 2018', '2018-03-03T01:02:03Z'],
  ['%m/%d/%y %I:%M:%S %p', '03/24/18 12:15:20 AM', '2018-03-24T00:15:20Z'],
  ['%m/%d/%y %I:%M:%S %p', '03/24/18 12:15:20 PM', '2018-03-24T12:15:20Z'],
  ['%Y.%j %R UTC', '2024.060 10:05 UTC', '2024-02-29T10:05:00Z'],
  ['%s.%N', '1521911720.000000007', '2018-03-24T17:15:20.000000007Z'],
  ['%d %B %Y %H%%', '1 February 2024 07%', undefined],
  ['%Y-%m-%d', '2024-04-31', undefined],
  ['%Y-%m-%d', '2024-04-30x', undefined],
  ['layout=2006-01-02T15:04:05.999Z07:00', '2024-04-19T10:00:01.25+02:00', '2024-04-19T08:00:01.25Z'],
  ['layout=Mon Jan _2 15:04:05 2006', 'Sat Mar  3 01:02:03 2018', '2018-03-03T01:02:03Z'],
  ['layout=1/2/2006 3:04:05 PM', '3/24/2018 12:15:20 AM', '2018-03-24T00:15:20Z'],
  ['cloudflare', '2024-04-19T08:00:01Z', '2024-04-19T08:00:01Z'],
  ['cloudflare', '1521911720', '2018-03-24T17:15:20Z'],
  ['cloudflare', '1521911720000000007', '2018-03-24T17:15:20.000000007Z'],
  ['cloudflare', 'yesterday', undefined],
])('%s reads %s as %s', (format, text, time) => {
  const reader = compileTimeFormat(format)
  expect(typeof reader).toBe('function')
  if (typeof reader === 'function') expect(reader(text, NOW)).toBe(format.includes('%%') ? '2024-02-01T07:00:00Z' : time)
})

test.each([
  ['iso8601', "unknown time format 'iso8601': use rfc3339, unix"],
  ['%H:%M:%S', 'has neither a year (%Y) nor a month and a day'],
  ['%Y-%Q', "directive '%Q'"],
  ['%Y-%', "directive '%'"],
  ['__proto__', 'unknown time format'],
])('the format %s is refused with a message', (format, message) => {
  expect(compileTimeFormat(format)).toContain(message)
})

function read(format: string, text: string, received: string, zone?: string): string | undefined {
  const reader = compileTimeFormat(format, zone)
  if (typeof reader === 'string') throw new Error(reader)
  return reader(text, Date.parse(received))
}

test.each([
  ['Apr 19 10:00:01', '2024-04-19T10:00:05Z', '2024-04-19T10:00:01Z'],
  ['Dec 31 23:59:58', '2024-01-01T00:00:10Z', '2023-12-31T23:59:58Z'],
  ['Jan  1 00:00:03', '2023-12-31T23:59:59Z', '2024-01-01T00:00:03Z'],
  ['Oct 20 12:00:00', '2024-06-01T00:00:00Z', '2023-10-20T12:00:00Z'],
  ['Feb 29 12:00:00', '2025-03-01T00:00:00Z', '2024-02-29T12:00:00Z'],
  ['Feb 29 12:00:00', '2104-01-01T00:00:00Z', '2096-02-29T12:00:00Z'],
  ['Feb 30 12:00:00', '2024-03-01T00:00:00Z', undefined],
])('%s, received at %s, is %s', (text, received, time) => {
  expect(read('%b %e %H:%M:%S', text, received)).toBe(time)
})

test('the year of any time within the last eleven months is found', () => {
  const received = fc.integer({ min: Date.UTC(1980, 0), max: Date.UTC(2200, 0) })
  const age = fc.integer({ min: -29 * 86_400, max: 330 * 86_400 })
  fc.assert(
    fc.property(received, age, (receivedMs, seconds) => {
      const time = new Date(Math.floor(receivedMs / 1000 - seconds) * 1000).toISOString()
      const text = `${time.slice(5, 10)} ${time.slice(11, 19)}`
      expect(read('%m-%d %T', text, new Date(receivedMs).toISOString())).toBe(time.replace('.000', ''))
    }),
    { seed: 4848, numRuns: fuzzRuns() },
  )
})

test.each([
  ['2024-07-01 12:00:00', 'America/New_York', '2024-07-01T16:00:00Z'],
  ['2024-01-01 12:00:00', 'America/New_York', '2024-01-01T17:00:00Z'],
  ['2024-03-10 02:30:00', 'America/New_York', '2024-03-10T06:30:00Z'],
  ['2024-11-03 01:30:00', 'America/New_York', '2024-11-03T05:30:00Z'],
  ['2024-11-03 02:00:00', 'America/New_York', '2024-11-03T07:00:00Z'],
  ['2024-07-01 12:00:00', 'Asia/Kathmandu', '2024-07-01T06:15:00Z'],
  ['2024-07-01 12:00:00', '+02:00', '2024-07-01T10:00:00Z'],
  ['2024-07-01 12:00:00', '-0330', '2024-07-01T15:30:00Z'],
  ['2024-07-01 12:00:00', undefined, '2024-07-01T12:00:00Z'],
])('%s in the zone %s is %s', (text, zone, time) => {
  expect(read('%F %T', text, '2024-12-01T00:00:00Z', zone)).toBe(time)
})

test('a zone in the text counts, not that of the field', () => {
  expect(read('%F %T %z', '2024-07-01 12:00:00 +0100', '2024-12-01T00:00:00Z', 'Asia/Tokyo')).toBe('2024-07-01T11:00:00Z')
  expect(read('%F %T %Z', '2024-07-01 12:00:00 UTC', '2024-12-01T00:00:00Z', 'Asia/Tokyo')).toBe('2024-07-01T12:00:00Z')
})

test('any time of a zone, written by its clocks, is the same time again, except in the hour that occurs twice', () => {
  const zone = 'Europe/Berlin'
  const clocks = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2035, 0) }), (ms) => {
      const second = Math.floor(ms / 1000) * 1000
      const text = clocks.format(second)
      const found = Date.parse(read('%F %T', text, '2024-12-01T00:00:00Z', zone)!)
      if (found !== second) expect([clocks.format(found), second - found]).toEqual([text, 3_600_000])
    }),
    { seed: 4848, numRuns: fuzzRuns() },
  )
})

test('an unknown zone is refused', () => {
  expect(compileTimeFormat('%F', 'Mars/Olympus')).toContain("unknown time zone 'Mars/Olympus'")
})
