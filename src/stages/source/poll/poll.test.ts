import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiAnswer, type ApiRequest, TestApi } from '../../../../test/support/api.ts'
import { TestServer } from '../../../../test/support/servers.ts'
import type { Cursor } from '../../../model/batch.ts'
import { lettersOf, take } from '../objects/taking.fixture.ts'
import type { BatchSource } from '../source.ts'
import { numbers, recordsOf, until } from './poll.fixture.ts'
import { poll } from './poll.ts'
import { MAX_LISTED } from './remembered.ts'

let api: TestApi
beforeEach(async () => {
  api = await TestApi.create()
})
afterEach(() => api.close())

const open = (config: object = {}, cursors: readonly Cursor[] = []) =>
  api.open((deps) => poll.seekable!(poll.config.parse({ id: 'api', ...api.config, ...config }), { ...deps, cursors }))

const read = async (source: BatchSource) => recordsOf(await take(source))
/** Pages of a service: `{items}` and what says which page follows. */
const pagesOf = (
  pages: readonly (readonly object[])[],
  more: (next: number) => ApiAnswer,
  at: (request: ApiRequest) => number,
) => {
  api.isFirst = (request) => at(request) === 0
  api.answer = (request) => {
    const i = at(request)
    const { json, ...rest } = i + 1 < pages.length ? more(i + 1) : {}
    return { ...rest, json: { items: pages[i], ...(json as object) } }
  }
}
const PAGES = [[{ n: 1 }, { n: 2 }], [{ n: 3 }, { n: 4 }], [{ n: 5 }]]
const pageIn = (name: string) => (request: ApiRequest) => Number(request.query.get(name) ?? 0)

describe('pages are followed to the last', () => {
  test('by the header Link', async () => {
    const more = (next: number) => ({
      headers: { link: `<${api.server.url}/records?x=1>; rel="self", <${api.server.url}/records?at=${next}>; rel="next"` },
    })
    pagesOf(PAGES, more, pageIn('at'))
    expect(numbers(await read(open({ records: { path: 'items' }, paging: { type: 'link' } })))).toEqual([1, 2, 3, 4, 5])
  })

  test('by a URL in the answer, also a relative one', async () => {
    pagesOf(PAGES, (next) => ({ json: { '@odata.nextLink': `/records?at=${next}` } }), pageIn('at'))
    const paging = { type: 'url', path: ['@odata.nextLink'] }
    expect(numbers(await read(open({ records: { path: 'items' }, paging })))).toEqual([1, 2, 3, 4, 5])
  })

  test('by a URL in a header', async () => {
    pagesOf(PAGES, (next) => ({ headers: { NextPageUri: `${api.server.url}/records?at=${next}` } }), pageIn('at'))
    const paging = { type: 'url', header: 'NextPageUri' }
    expect(numbers(await read(open({ records: { path: 'items' }, paging })))).toEqual([1, 2, 3, 4, 5])
  })

  test('by a cursor in the query, in place of other parameters', async () => {
    pagesOf(
      PAGES,
      (next) => ({ json: { meta: { next: `${next}&=/` } } }),
      (request) => Number.parseInt(request.query.get('cursor') ?? '0', 10),
    )
    const paging = { type: 'cursor', path: 'meta.next', parameter: 'cursor', replaces: ['from'] }
    const source = open({ url: `${api.server.url}/records?from=x&size=2`, records: { path: 'items' }, paging })
    expect(numbers(await read(source))).toEqual([1, 2, 3, 4, 5])
    expect(api.requests.slice(0, 2).map(({ url }) => url)).toEqual([
      '/records?from=x&size=2',
      '/records?size=2&cursor=1%26%3D%2F',
    ])
  })

  test('by number, until one is not full', async () => {
    pagesOf(
      PAGES,
      () => ({}),
      (request) => Number(request.query.get('page')) - 1,
    )
    expect(
      numbers(await read(open({ records: { path: 'items' }, paging: { type: 'page', parameter: 'page', size: 2 } }))),
    ).toEqual([1, 2, 3, 4, 5])
  })

  test('by a cursor in the body, which continues at the next poll', async () => {
    const all = PAGES.flat()
    api.answer = ({ body }) => {
      const { cursor } = JSON.parse(body) as { cursor?: string }
      const from = Number(cursor ?? 0)
      const items = all.slice(from, from + 2)
      return { json: { cursor: String(from + items.length), has_more: from + items.length < all.length, items } }
    }
    const source = open({
      method: 'POST',
      body: { limit: 2, start_time: '{since}' },
      records: { path: 'items', id: 'n' },
      paging: {
        type: 'cursor',
        path: 'cursor',
        parameter: 'cursor',
        in: 'body',
        replaces: ['limit', 'start_time'],
        more: 'has_more',
        keep: true,
      },
      window: { format: 'iso_seconds' },
    })
    const first = await take(source)
    expect(numbers(recordsOf(first))).toEqual([1, 2, 3, 4, 5])
    expect(JSON.parse(api.requests[0]!.body)).toEqual({
      limit: 2,
      start_time: expect.stringMatching(/^2024-03-12T\d\d:\d\d:\d\dZ$/),
    })
    expect(JSON.parse(api.requests[1]!.body)).toEqual({ cursor: '2' })
    all.push({ n: 6 })
    expect(numbers(await read(source))).toEqual([6])
    expect(JSON.parse(api.requests.at(-1)!.body)).toEqual({ cursor: '6' })
  })
})

test('each record is read once, although polls overlap and repeat', async () => {
  const all = [1, 2, 3]
  const stamps = new Set<string>()
  api.answer = ({ query }) => {
    stamps.add(query.get('since')!)
    return { json: all.map((n) => ({ id: `r${n}`, n })) }
  }
  const source = open({
    url: `${api.server.url}/records?since={since}&until={until}`,
    records: { id: 'id' },
    window: { format: 'unix_ms' },
  })
  expect(numbers(await read(source))).toEqual([1, 2, 3])
  all.push(4)
  expect(numbers(await read(source))).toEqual([4])
  const [first, second] = [...stamps].map(Number)
  // The first poll goes back a day, the next ones ten minutes before the end of the one before.
  expect(Math.round((second! - first!) / 60_000)).toBe(24 * 60 - 10)
})

test('a restart in the middle of a page neither loses nor doubles anything, and repeats a recorded batch as it was', async () => {
  const all = Array.from({ length: 1200 }, (_, n) => ({ id: n, n }))
  api.answer = () => ({ json: all })
  const config = { records: { id: 'id' } }
  const before = await take(open(config), 1)
  expect(recordsOf(before)).toHaveLength(500)
  // The service answers differently from now on.
  api.answer = () => ({ json: [...all].reverse() })
  const restarted = open(config, [...before.cursors.values()])
  const again = await restarted.read(before.extents[0]!)
  expect(again).toEqual(before.chunks)
  const rest = await take(restarted)
  const places = [...before.chunks, ...rest.chunks].flatMap(({ place, records }) => (records?.length ? [place] : []))
  expect(new Set(places).size).toBe(1200)
  expect([...numbers(recordsOf(before)), ...numbers(recordsOf(rest))].toSorted((a, b) => a - b)).toEqual(all.map(({ n }) => n))
})

test('a restart between pages continues with the next page', async () => {
  pagesOf(PAGES, (next) => ({ json: { next: String(next) } }), pageIn('at'))
  const config = { records: { path: 'items' }, paging: { type: 'cursor', path: 'next', parameter: 'at' } }
  const first = await take(open(config), 2)
  const asked = api.requests.length
  const second = await take(open(config, [...first.cursors.values()]))
  expect(numbers([...recordsOf(first), ...recordsOf(second)])).toEqual([1, 2, 3, 4, 5])
  expect(api.requests.slice(asked).some(({ query }) => query.get('at') === '2')).toBe(true)
})

test('a page that the service does not know any more is given up, and its window is read again', async () => {
  const at = pageIn('at')
  pagesOf(PAGES, (next) => ({ json: { next: String(next) } }), at)
  const pages = api.answer
  let expired = 3
  api.answer = (request) => (at(request) === 2 && expired-- > 0 ? { status: 400, json: { code: 'expired' } } : pages(request))
  const source = open({ records: { path: 'items' }, paging: { type: 'cursor', path: 'next', parameter: 'at' } })
  expect(numbers(recordsOf(await take(source, 3)))).toEqual([1, 2, 3, 4, 5])
})

describe('what a service refuses', () => {
  test.each<[string, ApiAnswer, string]>([
    ['429', { status: 429, headers: { 'retry-after': '0' } }, 'answered 429: too many requests'],
    ['503', { status: 503 }, 'answered 503'],
    [
      'a used-up limit',
      { status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1700000000' } },
      'too many requests',
    ],
    [
      '401',
      { status: 401, json: { errorCode: 'E0000011' } },
      'answered 401 (E0000011): check the credentials; they may have expired',
    ],
    [
      '403',
      { status: 403, json: { error: { code: 'Forbidden' } } },
      'answered 403 (Forbidden): check what the credentials may read',
    ],
    ['what is not JSON', { text: '<html>' }, 'the answer is not JSON'],
    ['what is not a list', { json: { a: 1 } }, 'the answer is not a list'],
  ])('is shown and tried again: %s', async (what, refusal, says) => {
    let refused = 1
    api.answer = () => (refused-- > 0 ? refusal : { json: [{ n: 1 }] })
    const source = open()
    const reading = read(source)
    await until(() => source.status().notices?.[0])
    expect(source.status().notices![0]).toContain(says)
    const isPassing = ['429', '503', 'a used-up limit'].includes(what)
    expect(source.status().problems).toEqual(isPassing ? [] : source.status().notices)
    expect(numbers(await reading)).toEqual([1])
    expect(source.status()).toMatchObject({ problems: [], notices: [] })
  })

  test.each(['http://169.254.169.254/records', 'https://example.com/', 'http://user:x@127.0.0.1/'])(
    'a next page at %s is not requested',
    async (url) => {
      api.answer = () => ({ json: { items: [{ n: 1 }], next: url } })
      const source = open({
        records: { path: 'items' },
        paging: { type: 'url', path: 'next' },
        auth: { type: 'bearer', token: { env: 'T' } },
      })
      void source.next()
      await until(() => source.status().problems![0])
      expect(source.status().problems![0]).toContain('credentials are not sent to another host')
    },
  )

  test('a page that names itself as the next one is not requested again and again', async () => {
    api.answer = () => ({ json: { items: [{ n: 1 }], next: 'a' } })
    const source = open({ records: { path: 'items' }, paging: { type: 'cursor', path: 'next', parameter: 'at' } })
    expect(numbers(recordsOf(await take(source, 1)))).toEqual([1])
    void source.next()
    await until(() => source.status().problems![0])
    expect(source.status().problems![0]).toContain('names the same page')
  })
})

describe('after a change of the configuration', () => {
  test.each(['link', 'url'])('a next page at the old host is not requested with the new credentials: %s', async (type) => {
    const old = await new TestServer().listen()
    const stored = { no: 0, position: { fromMs: 1, toMs: 2, next: `${old.url}/records?at=1` }, ids: [] }
    api.answer = () => ({ json: [{ n: 1 }] })
    const paging = type === 'url' ? { type, header: 'Next' } : { type }
    const config = { paging, auth: { type: 'bearer', token: { env: 'T' } } }
    expect(numbers(await read(open(config, [{ place: 'records/0', value: stored }])))).toEqual([1])
    expect(old.received).toEqual([])
    await old.close()
  })

  test.each(['3', '', 'not a URL'])("what another kind of paging has stored, '%s', begins the window again", async (next) => {
    api.answer = () => ({ json: [{ n: 1 }] })
    const stored = { no: 0, position: { fromMs: 1, toMs: 2, next }, ids: [] }
    expect(numbers(await read(open({ paging: { type: 'link' } }, [{ place: 'records/0', value: stored }])))).toEqual([1])
  })
})

describe('an answer without a list', () => {
  test.each<[string, object, string]>([
    ['of another form', { events: [] }, 'the answer has no list in `items`: check the path, or set `may_be_missing: true`'],
    ['with an error', { ok: false, error: 'missing_scope' }, 'the answer has no list in `items`, but the error missing_scope'],
    ['with null', { success: false, errors: [{ code: 10000 }], items: null }, 'no list in `items`, but the error 10000'],
    ['with an object', { error: { code: 'Denied', message: 'x' } }, 'the error Denied'],
    ['with a long text', { error: 'You may not see this.' }, 'but the error in `error`'],
  ])('is refused, and its window read again: %s', async (_, json, says) => {
    const windows = new Set<string>()
    let refused = 1
    api.answer = ({ query }) => {
      if (refused-- > 0) return { json }
      windows.add(query.get('since')!)
      return { json: { items: [{ n: 1 }] } }
    }
    const source = open({
      url: `${api.server.url}/records?since={since}`,
      records: { path: 'items' },
      window: { format: 'unix_ms', overlap_minutes: 0 },
    })
    const reading = read(source)
    await until(() => source.status().problems![0])
    expect(source.status().problems![0]).toContain(says)
    expect(numbers(await reading)).toEqual([1])
    expect(Number([...windows][0])).toBeLessThan(api.nowMs - 23 * 3_600_000)
  })

  test('is an empty one with `may_be_missing`, unless it has an error', async () => {
    api.answer = () => ({ json: { kind: 'x' } })
    const source = open({ records: { path: 'items', may_be_missing: true } })
    expect(await read(source)).toEqual([])
    expect(source.status().problems).toEqual([])
    api.answer = () => ({ json: { error: 'busy' } })
    void source.next()
    await until(() => source.status().problems![0])
  })

  test('of URLs is refused too', async () => {
    api.answer = () => ({ json: { error: { code: 'AF1' } } })
    const source = open({ list: { path: 'blobs', url: 'url', id: 'id' } })
    void source.next()
    await until(() => source.status().problems![0])
    expect(source.status().problems![0]).toContain('the answer has no list in `blobs`, but the error AF1')
  })
})

describe('a list that is requested as a whole', () => {
  const most = MAX_LISTED
  const list = (count: number) => Array.from({ length: count }, (_, n) => ({ n }))

  test('and has more records than are remembered is a problem, and none of it is stored', async () => {
    api.answer = () => ({ json: list(most + 1) })
    const source = open()
    void source.next()
    await until(() => source.status().problems![0])
    expect(source.status().problems![0]).toMatch(/^records: the list has more than 130560 records.*`window`$/)
    expect(source.status().backlogBytes).toBe(0)
  })

  test('is counted over its pages, also after a restart', async () => {
    api.answer = () => ({ json: { items: [{ n: 1 }] } })
    const paging = { type: 'cursor', path: 'next', parameter: 'at' }
    const position = { fromMs: 1, toMs: 2, next: '2' }
    const at = (listed: number) => [{ place: 'records/0', value: { no: 0, position: { ...position, listed }, ids: [] } }]
    const full = open({ records: { path: 'items' }, paging }, at(most))
    void full.next()
    await until(() => full.status().problems![0])
    expect(numbers(await read(open({ records: { path: 'items' }, paging }, at(most - 1))))).toEqual([1])
  })
})

test('a list that is never where it should be is a notice', async () => {
  api.answer = () => ({ json: { events: [{ n: 1 }] } })
  const source = open({ records: { path: 'items', may_be_missing: true } })
  await take(source)
  expect(source.status().notices.join()).toContain('no answer has had a list in `items` yet')
})

test('a list of URLs is followed; one that is gone is a dead letter, and a subscription is started once', async () => {
  let starts = 0
  api.isFirst = ({ path }) => path === '/records'
  api.answer = ({ path, method, query }) => {
    if (path === '/start') starts += method === 'POST' ? 1 : 100
    if (path === '/start') return { json: {} }
    if (starts === 0) return { status: 400, json: { error: { code: 'NONE' } } }
    if (path === '/gone') return { status: 410 }
    if (path !== '/records') return { json: [{ n: Number(path.slice(2)), by: query.get('by') }] }
    return { json: ['/p1', '/gone', '/p2'].map((url) => ({ url, id: url })) }
  }
  const config = {
    before: { url: `${api.server.url}/start`, when: ['NONE'] },
    list: { url: 'url', id: 'id', parameters: { by: 'me' } },
    records: { id: 'n' },
  }
  const taken = await take(open(config))
  expect(recordsOf(taken)).toEqual(['{"n":1,"by":"me"}', '{"n":2,"by":"me"}'])
  expect(lettersOf(taken)).toEqual([expect.stringContaining('cannot be fetched any more')])
  expect(starts).toBe(1)
  const fetched = api.requests.filter(({ path }) => path === '/p1').length
  expect(fetched).toBe(1)
  // Neither is fetched again after a restart.
  expect(await read(open(config, [...taken.cursors.values()]))).toEqual([])
  expect(api.requests.filter(({ path }) => path === '/p1')).toHaveLength(1)
})

describe('records keep their text', () => {
  test('on several lines, with large numbers', async () => {
    api.answer = () => ({ text: '{"a": [1], "items" : [ {\n "n": 12345678901234567890,\n "t": "]\\"}" } , {"n":1.0}]}' })
    expect(await read(open({ records: { path: '$.items' } }))).toEqual([
      '{\n "n": 12345678901234567890,\n "t": "]\\"}" }',
      '{"n":1.0}',
    ])
  })

  test('as lines', async () => {
    api.answer = () => ({ text: '{"n":1}\n\n{"n":2}\r\nnot json' })
    expect(await read(open({ records: { format: 'ndjson' } }))).toEqual(['{"n":1}', '{"n":2}', 'not json'])
  })

  test('unless they are split or built', async () => {
    api.answer = () => ({
      json: [
        {
          id: 'a',
          ip: '::1',
          events: [
            {
              name: 'x',
              parameters: [
                { name: 'p', value: '1' },
                { name: 'q', boolValue: true },
              ],
            },
            { name: 'y' },
          ],
        },
      ],
    })
    const source = open({
      records: {
        id: 'id',
        split: 'events',
        named_values: 'parameters',
        fields: { what: 'name', more: 'parameters', kind: { value: 'K' }, all: '' },
      },
    })
    expect((await read(source)).map((text) => JSON.parse(text))).toEqual([
      {
        what: 'x',
        more: { p: '1', q: true },
        kind: 'K',
        all: { id: 'a', ip: '::1', name: 'x', parameters: { p: '1', q: true } },
      },
      { what: 'y', kind: 'K', all: { id: 'a', ip: '::1', name: 'y' } },
    ])
  })

  test('up to the limit: a longer one is a dead letter', async () => {
    api.answer = () => ({ json: [{ n: 1, text: 'x'.repeat(1024 * 1024) }, { n: 2 }] })
    const taken = await take(open())
    expect(numbers(recordsOf(taken))).toEqual([2])
    expect(lettersOf(taken)).toEqual([expect.stringMatching(/^too_long the record is 10485\d\d bytes long/)])
  })
})
