import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Detector } from '../../language.ts'
import { python } from '../index.ts'
import { makeRule, makeTest } from '../rule.fixture.ts'

const USING = makeRule(
  'Using',
  `
  import asyncio
  import json
  import zoneinfo
  import boto3
  import requests
  from botocore.config import Config
  from dateutil import parser
  from requests.adapters import HTTPAdapter
  from urllib3.util.retry import Retry
  import six
  from six.moves import range as six_range
  from six.moves.urllib.parse import urlparse

  S3 = boto3.client('s3', config=Config(retries={'max_attempts': 2}))
  TABLE = boto3.resource('dynamodb').Table('t')
  ANSWER = requests.get('https://example.test/').json()

  class Adapter(HTTPAdapter):
      def __init__(self, *arguments, timeout=5, **options):
          self.timeout = timeout
          super().__init__(*arguments, **options)

  class Session(requests.Session):
      def send(self, request):
          return super().send(request)

  SESSION = Session()
  SESSION.mount('https://', Adapter(max_retries=Retry(total=3)))
  SESSION.headers['Accept'] = 'text/plain'

  def fetch(session: requests.Session | None = None) -> requests.Response:
      return (session or SESSION).get('https://example.test/')

  async def doubled(number):
      await asyncio.sleep(0)
      return number * 2

  async def all_doubled(numbers):
      return await asyncio.gather(*(doubled(number) for number in numbers))

  async def never():
      await asyncio.get_running_loop().create_future()

  def raised(call):
      try:
          return call()
      except Exception as error:
          return f'{type(error).__name__}: {error}'

  def rule(event): return True
  def title(event): return json.dumps(eval(event['do']), default=str)
  `,
)
let using: Detector
beforeAll(async () => {
  using = await python.create({ rules: [USING], helpers: [] }, { timeoutMs: 5000, all: false })
})
afterAll(() => using.close())

test.each<[string, unknown]>([
  ['isinstance(SESSION, requests.Session), isinstance(1, requests.Response), Adapter.__name__', [true, false, 'Adapter']],
  [
    "raised(lambda: S3.get_object(Bucket='b'))",
    expect.stringMatching("NotImplementedError: 'boto3.client.get_object' was called: the pac"),
  ],
  ['raised(lambda: TABLE.query())', expect.stringMatching("'boto3.resource.Table.query' was called: the package 'boto3' is not")],
  ["raised(lambda: ANSWER['a'])", expect.stringMatching("'requests.get.json' was used: the package 'requests' is not available")],
  ["raised(lambda: 'a' in ANSWER), raised(lambda: f'{ANSWER}')", Array(2).fill(expect.stringMatching('NotImplementedError'))],
  ['raised(fetch)', expect.stringMatching("'requests.Session.get' was called")],
  ['raised(Session)', expect.stringMatching("'requests.Session' was called")],
  ["raised(lambda: boto3.client('s3'))", expect.stringMatching("'boto3.client' was called")],
  ['raised(lambda: SESSION.send(1))', expect.stringMatching("'requests.Session.send' was called")],
  // Time zones.
  [
    "zoneinfo.ZoneInfo('UTC').utcoffset(parser.parse('2021-01-01')).total_seconds(), zoneinfo.ZoneInfo('Etc/UTC').key",
    [0, 'Etc/UTC'],
  ],
  [
    "raised(lambda: zoneinfo.ZoneInfo('America/New_York'))",
    expect.stringMatching("ZoneInfoNotFoundError: .the rules of the time zone 'America/New_York' are not available to rules"),
  ],
  ["raised(lambda: zoneinfo.ZoneInfo('Japan'))", expect.stringMatching("the time zone 'Japan' are not available")],
  // Coroutines.
  ['asyncio.run(doubled(21)), asyncio.run(all_doubled([1, 2]))', [42, [2, 4]]],
  ['raised(lambda: asyncio.run(never()))', expect.stringMatching('RuntimeError: a coroutine waits for what never comes')],
  // six.
  ["six.PY3, six.string_types == (str,), list(six.iteritems({'a': 1})), list(six_range(2))", [true, true, [['a', 1]], [0, 1]]],
  ["urlparse('https://example.test/a').netloc, six.ensure_text(b'a')", ['example.test', 'a']],
])('%s is %j', async (expression, expected) => {
  const run = await using.test('Using', makeTest({ do: expression }))
  expect(run.errors).toEqual({})
  expect(JSON.parse(JSON.parse(run.out['title']!) as string)).toEqual(expected)
})
