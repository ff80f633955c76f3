import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rfc3339Time, timeText, unixSeconds, unixTime } from './time.ts'
import { compileTimeFormat } from './time-format.ts'

const seed = { seed: 4848, numRuns: 500 }

test.each([
  ['1521911720.600725', 0, '2018-03-24T17:15:20.600725Z'],
  ['1521911720', 0, '2018-03-24T17:15:20Z'],
  ['1521911720.500000', 0, '2018-03-24T17:15:20.5Z'],
  ['1521911720.1234567891', 0, '2018-03-24T17:15:20.123456789Z'],
  ['1588205199.82437', 0, '2020-04-30T00:06:39.82437Z'],
  ['0', 0, '1970-01-01T00:00:00Z'],
  ['-0.4', 0, '1969-12-31T23:59:59.6Z'],
  ['-315619200.0', 0, '1960-01-01T00:00:00Z'],
  ['-2.1504318496896954e+09', 0, '1901-11-09T17:49:10.310304641Z'],
  ['1e-7', 0, '1970-01-01T00:00:00.0000001Z'],
  ['1521911720600', 3, '2018-03-24T17:15:20.6Z'],
  ['1521911720600.5', 3, '2018-03-24T17:15:20.6005Z'],
  ['7', 3, '1970-01-01T00:00:00.007Z'],
  ['1521911720600725', 6, '2018-03-24T17:15:20.600725Z'],
  ['1521911720600725001', 9, '2018-03-24T17:15:20.600725001Z'],
  ['9214646399', 0, '2261-12-31T23:59:59Z'],
  ['9214646400', 0, undefined],
  ['-2208988801', 0, undefined],
  ['99999999999999999999999999', 0, undefined],
  ['1e400', 0, undefined],
  ['12.', 0, undefined],
  ['.5', 0, undefined],
  ['', 0, undefined],
  ['-', 0, undefined],
  ['1 2', 0, undefined],
  ['0x10', 0, undefined],
  ['XXXXXXXXXX.XXXXXX', 0, undefined],
] as const)('unix time %s with %i digits is %s', (text, digits, time) => {
  // The exponent form is read as a double, so times are compared to the microsecond.
  const found = unixTime(text, digits)
  if (text.includes('e+')) expect(found?.slice(0, 25)).toBe(time?.slice(0, 25))
  else expect(found).toBe(time)
})

test.each([
  ['2018-03-24T17:15:20.615923Z', '2018-03-24T17:15:20.615923Z'],
  ['2018-03-24T17:15:20.500Z', '2018-03-24T17:15:20.5Z'],
  ['2018-03-24t17:15:20z', '2018-03-24T17:15:20Z'],
  ['2018-03-24 17:15:20+00:00', '2018-03-24T17:15:20Z'],
  ['2018-03-24T01:15:20.25+02:30', '2018-03-23T22:45:20.25Z'],
  ['2018-12-31T23:59:59-0100', '2019-01-01T00:59:59Z'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
  ['2023-02-29T00:00:00Z', undefined],
  ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00Z'],
  ['2000-03-01T00:00:00+01:00', '2000-02-29T23:00:00Z'],
  ['2000-02-30T00:00:00Z', undefined],
  ['1900-02-29T00:00:00Z', undefined],
  ['2100-02-29T00:00:00Z', undefined],
  ['2100-02-28T00:00:00Z', '2100-02-28T00:00:00Z'],
  ['2018-13-01T00:00:00Z', undefined],
  ['2018-03-24T24:00:00Z', undefined],
  ['2018-03-24T17:15:20', undefined],
  ['2018-03-24T17:15:20.Z', undefined],
  ['2018-03-24T17:15:20Zx', undefined],
  ['2018-03-24T17:15:20+2:00', undefined],
  ['1899-12-31T23:59:59Z', undefined],
  ['2262-01-01T00:00:00Z', undefined],
  ['2018-03-24', undefined],
])('RFC 3339 %s is %s', (text, time) => {
  expect(rfc3339Time(text)).toBe(time)
})

describe('against Date, the slow oracle', () => {
  const seconds = fc.integer({ min: -2_208_988_800, max: 9_214_646_399 })

  test('a count of milliseconds yields the same time as Date', () => {
    fc.assert(
      fc.property(seconds, fc.nat(999), (s, ms) => {
        const iso = new Date(s * 1000 + ms).toISOString()
        const text = unixTime(String(s * 1000 + ms), 3)!
        expect(new Date(text).toISOString()).toBe(iso)
        expect(rfc3339Time(iso)).toBe(text)
      }),
      seed,
    )
  })

  test('a number of seconds yields the same time as its shortest text', () => {
    const value = fc.oneof(
      fc.double(),
      fc.double({ min: 0, max: 5e9 }),
      fc.tuple(seconds, fc.nat(999_999)).map(([s, us]) => s + us / 1e6),
    )
    fc.assert(
      fc.property(value, (number) => {
        expect(unixSeconds(number)).toBe(unixTime(String(number), 0))
      }),
      { seed: 4848, numRuns: 3000 },
    )
  })

  test('times round-trip, whatever their fraction', () => {
    fc.assert(
      fc.property(seconds, fc.stringMatching(/^\d{0,9}$/), (s, fraction) => {
        const text = timeText(s, fraction)!
        expect(rfc3339Time(text)).toBe(text)
      }),
      seed,
    )
  })
})

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
])('%s reads %s as %s', (format, text, time) => {
  const reader = compileTimeFormat(format)
  expect(typeof reader).toBe('function')
  if (typeof reader === 'function') expect(reader(text)).toBe(format.includes('%%') ? '2024-02-01T07:00:00Z' : time)
})

test.each([
  ['iso8601', "unknown time format 'iso8601': use rfc3339, unix"],
  ['%b %d %H:%M:%S', 'has no year'],
  ['%Y-%Q', "directive '%Q'"],
  ['%Y-%', "directive '%'"],
  ['__proto__', 'unknown time format'],
])('the format %s is refused with a message', (format, message) => {
  expect(compileTimeFormat(format)).toContain(message)
})
