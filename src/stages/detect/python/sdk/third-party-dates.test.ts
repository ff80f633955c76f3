import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Detector } from '../../language.ts'
import { python } from '../index.ts'
import { makeRule, makeTest } from '../rule.fixture.ts'

const DATES = makeRule(
  'Dates',
  `
  import json
  from datetime import date, datetime, timedelta
  from dateutil import easter, parser, rrule, tz, utils
  from dateutil.relativedelta import FR, MO, relativedelta
  from dateutil.rrule import DAILY

  TODAY = datetime(2020, 2, 29)

  def parse(text, **options):
      return parser.parse(text, default=TODAY, **options).isoformat()

  def raised(call):
      try:
          return str(call())
      except Exception as error:
          return f'{type(error).__name__}: {error}'

  def rule(event): return True
  def title(event): return json.dumps(eval(event['do']), default=str)
  `,
)
let dates: Detector
beforeAll(async () => {
  dates = await python.create({ rules: [DATES], helpers: [] }, { timeoutMs: 5000, all: false })
})
afterAll(() => dates.close())

async function ask(expression: string): Promise<unknown> {
  const run = await dates.test('Dates', makeTest({ do: expression }))
  expect(run.errors).toEqual({})
  return JSON.parse(JSON.parse(run.out['title']!) as string)
}

// Results of the original package.
test.each([
  ['January 1, 2021 10:00 PM', '2021-01-01T22:00:00'],
  ['May 5, 2021, 3:04:05 PM', '2021-05-05T15:04:05'],
  ['Jan 1 2021', '2021-01-01T00:00:00'],
  ['1/2/21', '2021-01-02T00:00:00'],
  ['13/2/21', '2021-02-13T00:00:00'],
  ['12-Jan-2021', '2021-01-12T00:00:00'],
  ['01/02/2021 10:00', '2021-01-02T10:00:00'],
  ['2021-01-01 10:00 PM', '2021-01-01T22:00:00'],
  ['2021-01-01T10:00:00z', '2021-01-01T10:00:00+00:00'],
  ['2021-01-01 10:00:00 EST', '2021-01-01T10:00:00'],
  ['2021-01-01 10:00:00.25 UTC', '2021-01-01T10:00:00.250000+00:00'],
  ['2021-01-01 10:00:00 GMT+3', '2021-01-01T10:00:00-03:00'],
  ['2021-01-01 10:00:00 -0300 (BRST)', '2021-01-01T10:00:00-03:00'],
  ['2021-01-01T00', '2021-01-01T00:00:00'],
  ['2021-01-01T10:00:00.1234567Z', '2021-01-01T10:00:00.123456+00:00'],
  ['2021-01-01 10:00:00,5+0530', '2021-01-01T10:00:00.500000+05:30'],
  ['10 September 2021', '2021-09-10T00:00:00'],
  ['5th of March 2020', '2020-03-05T00:00:00'],
  ['Thu, 25 Sep 2003 10:49:41 -0300', '2003-09-25T10:49:41-03:00'],
  ['10.09.2003', '2003-10-09T00:00:00'],
  ['20210101T101112Z', '2021-01-01T10:11:12+00:00'],
  ['199709020908', '1997-09-02T09:08:00'],
  ['Sep of 03', '2003-09-29T00:00:00'],
  ['10h36m28.5s', '2020-02-29T10:36:28.500000'],
  ['10 pm', '2020-02-29T22:00:00'],
  ['Mon', '2020-03-02T00:00:00'],
  ['Feb 2021', '2021-02-28T00:00:00'],
  ['31 12 99', '1999-12-31T00:00:00'],
])('%s is %s', async (text, expected) => {
  expect(await ask(`parse(${JSON.stringify(text)})`)).toBe(expected)
})

test.each([
  '1609459200',
  'soon',
  '',
  '2021-02-30',
  '13:00 foo',
  '2021-01-01 10:00Z UTC',
  '2021-01-01 10:00.Z',
  '25/Sep/2003:10:49:41',
  '2021-01-01T25:00',
  'am',
  '1 2 3 4',
  'inf',
])('%j is not a date', async (text) => {
  expect(await ask(`raised(lambda: parse(${JSON.stringify(text)}))`)).toMatch(/^ParserError: .*: /)
})

test.each<[string, unknown]>([
  ["parse('1/2/21', dayfirst=True), parse('1/2/21', yearfirst=True)", ['2021-02-01T00:00:00', '2001-02-21T00:00:00']],
  ["parse('2021-01-01T10:00:00Z', ignoretz=True)", '2021-01-01T10:00:00'],
  ["parse('login on January 1, 2047 at 8:21:00AM by root', fuzzy=True)", '2047-01-01T08:21:00'],
  ["parser.parse('at 8:21 on 2047-01-01 by root', fuzzy_with_tokens=True)[1]", ['at ', ' on ', ' by root']],
  ["parse('2021-01-01 10:00 EST', tzinfos={'EST': -18000})", '2021-01-01T10:00:00-05:00'],
  ["parser.parse(b'2021-01-01').isoformat()", '2021-01-01T00:00:00'],
  ['raised(lambda: parser.parse(20210101))', 'TypeError: Parser must be a string or character stream, not int'],
  ["parser.isoparse('2021-W05-3T24:00Z').isoformat()", '2021-02-04T00:00:00+00:00'],
  ["raised(lambda: parser.isoparse('2021/01/01'))", "ValueError: '2021/01/01' is no date and time by ISO 8601"],
  // The fast path and the general one agree.
  ["repr(parser.parse('2021-01-01T10:00:00.5+02:00')) == repr(parser.parse('2021-01-01T10:00:00.5+02:00', fuzzy=True))", true],
  // Zones.
  ["tz.UTC == tz.tzutc() == tz.gettz('UTC') == tz.tzoffset(None, 0), repr(tz.tzoffset('X', -60))", [true, "tzoffset('X', -60)"]],
  ["datetime(2021, 1, 1, tzinfo=tz.gettz('EST')).isoformat()", '2021-01-01T00:00:00-05:00'],
  ["parser.parse('2021-01-01T00:30:00+01:00').astimezone(tz.tzutc()).isoformat()", '2020-12-31T23:30:00+00:00'],
  [
    "raised(lambda: tz.gettz('America/New_York'))",
    "TimeZoneUnknown: dateutil.tz: the rules of the time zone 'America/New_York' are not available to rules: use UTC or an offset, such as tz.tzoffset(None, -5 * 3600)",
  ],
  // Differences.
  ['(datetime(2021, 1, 31) + relativedelta(months=1)).isoformat()', '2021-02-28T00:00:00'],
  ['(date(2021, 1, 1) - relativedelta(years=1, days=1)).isoformat()', '2019-12-31'],
  ['(date(2021, 1, 1) + relativedelta(weekday=FR(-1))).isoformat()', '2021-01-01'],
  ['(date(2021, 1, 1) + relativedelta(day=31, weekday=MO(-1))).isoformat()', '2021-01-25'],
  ['(datetime(2021, 1, 1) + relativedelta(hours=36, minute=5)).isoformat()', '2021-01-02T12:05:00'],
  [
    'repr(relativedelta(datetime(2021, 3, 1, 12), datetime(2020, 1, 31)))',
    'relativedelta(years=+1, months=+1, days=+1, hours=+12)',
  ],
  ['relativedelta(months=14) == relativedelta(years=1, months=2), bool(relativedelta())', [true, false]],
  ['raised(lambda: relativedelta(nanoseconds=1))', "TypeError: relativedelta has no field 'nanoseconds'"],
  ['utils.within_delta(datetime(2021, 1, 1), datetime(2021, 1, 2), timedelta(days=-1))', true],
  [
    'raised(lambda: rrule.rrule(DAILY, count=3))',
    expect.stringMatching("^NotImplementedError: 'dateutil.rrule.rrule' was called"),
  ],
  ['raised(lambda: easter.easter(2021))', expect.stringMatching("^NotImplementedError: 'dateutil.easter.easter' was called")],
])('%s is %j', async (expression, expected) => {
  expect(await ask(expression)).toEqual(expected)
})
