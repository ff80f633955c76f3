import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rfc3339Time, timeText, unixSeconds, unixTime } from './time.ts'

const seed = { seed: 4848, numRuns: 500 }

test('a number of seconds with any number of decimals is read like its text', () => {
  const count = fc.integer({ min: 0, max: 9_214_646_399 })
  fc.assert(
    fc.property(count, fc.integer({ min: 0, max: 999_999 }), fc.integer({ min: 0, max: 6 }), (seconds, fraction, digits) => {
      const value = seconds + Math.floor(fraction / 10 ** (6 - digits)) / 10 ** digits
      expect(unixSeconds(value)).toBe(unixTime(String(value), 0))
      expect(unixSeconds(seconds)).toBe(new Date(seconds * 1000).toISOString().replace('.000', ''))
    }),
    seed,
  )
})

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
  ['2024-04-19T10:00:00Z', '2024-04-19T10:00:00Z'],
  ['2024-04-19T10:00:00.123456789Z', '2024-04-19T10:00:00.123456789Z'],
  ['2024-04-19T10:00:00.1234567891Z', '2024-04-19T10:00:00.123456789Z'],
  ['2024-04-19T10:00:00.120Z', '2024-04-19T10:00:00.12Z'],
  ['2024-04-19T23:59:60Z', '2024-04-20T00:00:00Z'],
  ['2024-04-19t10:00:00Z', '2024-04-19T10:00:00Z'],
  ['2024-02-30T10:00:00Z', undefined],
  ['1899-12-31T23:59:59Z', undefined],
  ['2024-04-19T10:00:00Z ', undefined],
])('a time that is almost in our form: %s', (text, time) => expect(rfc3339Time(text)).toBe(time))
