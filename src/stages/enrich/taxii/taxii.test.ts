import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Received, TestServer } from '../../../../test/support/servers.ts'
import { apiKeys, keysSchema } from '../../../config/keys.ts'
import { createHttp, type Http } from '../../../util/http/http.ts'
import { buildTable } from '../build.ts'
import { defineTable } from '../definition.ts'
import { taxii } from './taxii.ts'

let server: TestServer
let http: Http
/** The collection: when each object was added, in order. */
let objects: { added: string; object: Record<string, unknown> }[]
/** How the server names the next page. */
let paging: 'next' | 'session' | 'time' | 'neither' | 'same'
/** Where the page after the last one begins. */
let served = 0

beforeEach(async () => {
  server = await new TestServer().listen()
  http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: ['127.0.0.0/8'] })
  objects = Array.from({ length: 25 }, (_, i) => indicator(i))
  paging = 'next'
  server.answer = (response, request) => {
    if (request.headers['accept'] !== 'application/taxii+json;version=2.1') return response.writeHead(406).end()
    if (request.headers['authorization'] !== `Basic ${btoa('ada:s3cr3t-7a20')}`)
      return response.writeHead(401).end(JSON.stringify(request))
    if (!request.url.startsWith('/api1/collections/c-1/objects/')) return response.writeHead(404).end()
    const [page, isMore, last] = pageOf(request)
    response.setHeader('content-type', 'application/taxii+json;version=2.1')
    if (page.length > 0) response.setHeader('x-taxii-date-added-last', paging === 'neither' ? '' : page.at(-1)!.added)
    const next = paging === 'next' ? { next: String(last) } : paging === 'same' || paging === 'session' ? { next: 'same' } : {}
    const envelope = page.length === 0 ? {} : { more: isMore, ...(isMore && next), objects: page.map(({ object }) => object) }
    return response.end(JSON.stringify(envelope))
  }
})
afterEach(async () => {
  await http.close()
  await server.close()
})

function indicator(i: number) {
  const added = new Date(Date.parse('2024-03-12T08:00:00Z') + i * 1000).toISOString()
  return {
    added,
    object: { type: 'indicator', id: `indicator--${i}`, pattern_type: 'stix', pattern: `[ipv4-addr:value = '192.0.2.${i}']` },
  }
}

/** The page of a request, whether there is more, and where the next begins. */
function pageOf({ url }: Received): [typeof objects, boolean, number] {
  const query = new URL(url, 'http://a').searchParams
  const limit = Math.min(10, Number(query.get('limit') ?? 10))
  const after = query.get('added_after')
  const type = query.get('match[type]')
  const matching = objects.filter(
    ({ added, object }) => (after === null || added > after) && (type === null || object['type'] === type),
  )
  // Some servers have one token for all pages and remember where they were.
  const from = paging === 'session' ? (query.get('next') === null ? 0 : served) : Number(query.get('next') ?? 0) || 0
  served = from + limit
  return [matching.slice(from, from + limit), from + limit < matching.length, from + limit]
}

const KEYS = { feed: { value: { env: 'PASSWORD' }, user: 'ada' } }
const refresh = (config: object = {}, validators = {}, password = 's3cr3t-7a20') =>
  taxii
    .create(
      taxii.config.parse({ url: `${server.url}/api1/`, collection: 'c-1', auth: { key: 'feed', scheme: 'Basic' }, ...config }),
      {
        send: http.fromContent,
        keys: apiKeys(keysSchema.parse({ feed: { ...KEYS.feed, hosts: [server.url] } }), { PASSWORD: password }),
        table: 'feed',
        folder: '/',
        dataFolder: '/',
      },
    )
    .refresh(validators, new AbortController().signal)
const idsOf = (bytes: Uint8Array) =>
  (JSON.parse(Buffer.from(bytes).toString()) as { objects: { id: string }[] }).objects.map(({ id }) => id)

test.each(['next', 'session', 'time'] as const)('all pages become one bundle, with pages by %s', async (by) => {
  paging = by
  const fetched = await refresh()
  expect(idsOf(fetched!.bytes)).toEqual(objects.map(({ object }) => object['id']))
  expect(fetched!.validators).toEqual({ added: objects.at(-1)!.added })
  expect(server.received).toHaveLength(3)
})

test('while nothing was added one small request is all; what was added or withdrawn since then shows in a whole fetch', async () => {
  const { validators } = (await refresh())!
  server.received.length = 0
  expect(await refresh({}, validators)).toBeUndefined()
  expect(server.received.map(({ url }) => new URL(url, 'http://a').searchParams.get('limit'))).toEqual(['1'])
  objects = [...objects.slice(1), indicator(30)]
  const changed = await refresh({}, validators)
  expect(idsOf(changed!.bytes)).toEqual(objects.map(({ object }) => object['id']))
})

test('an object of another kind that was added last is not taken for a change', async () => {
  objects.push({ added: '2024-04-01T00:00:00Z', object: { type: 'malware', id: 'malware--1' } })
  const { validators } = (await refresh())!
  expect(await refresh({}, validators)).toBeUndefined()
})

test('other objects are left out, and the table has the values of the patterns', async () => {
  objects = [indicator(1), { added: objects[1]!.added, object: { type: 'malware', id: 'malware--1' } }, indicator(2)]
  const { bytes } = (await refresh())!
  const definition = defineTable(
    {
      AnalysisType: 'lookup_table',
      LookupName: 'feed',
      Provider: { type: 'taxii', url: 'https://taxii.example.com/api1/', collection: 'c-1' },
      LogTypeMap: { PrimaryKey: 'value' },
    },
    { file: '/content/feed.yml' },
  )
  const table = await buildTable(definition, undefined, { bytes })
  expect(table.size).toBe(2)
  expect(table.get('192.0.2.2')).toMatchObject({ id: 'indicator--2', type: 'ip' })
})

describe('failures say what happened, without secrets', () => {
  test.each<[string, object, RegExp]>([
    ['another collection', { collection: 'c-2' }, /answered 404: there is no collection c-2/],
    ['another API root', { url: 'API_ROOT/other' }, /answered 404/],
    ['too many pages', { max_pages: 2 }, /more than 2 pages: raise the provider's max_pages or page_size/],
    ['too much', { max_bytes: 2000 }, /larger than 2000 bytes/],
    ['no key', { auth: undefined }, /answered 401: it needs a key/],
  ])('%s', async (_, config, message) => {
    const url = { ...config, ...('url' in config && { url: `${server.url}/other` }) }
    const failed = refresh(url)
    await expect(failed).rejects.toThrow(message)
    await expect(failed).rejects.toMatchObject({ code: 'table' })
  })

  test('a wrong password is not repeated', async () => {
    await expect(refresh({}, {}, 'wr0ng')).rejects.toThrow(/answered 401: it needs a key, or another one/)
    await expect(refresh({}, {}, 'wr0ng')).rejects.not.toThrow(/wr0ng|d3IwbmdA/)
  })

  test('more objects, but no way to get them', async () => {
    paging = 'neither'
    await expect(refresh()).rejects.toThrow(/says that there are more objects, but not how to get them/)
  })

  test('a server that sends the same page again and again is given up', async () => {
    paging = 'same'
    await expect(refresh({ max_pages: 5 })).rejects.toThrow(/more than 5 pages/)
    expect(server.received).toHaveLength(5)
  })

  test.each(['<html>', '[]', '{"objects":{}}', '{"objects":[1]}'])('what is not an envelope: %s', async (body) => {
    server.answer = (response) => void response.end(body)
    await expect(refresh()).rejects.toThrow(/does not answer with a TAXII 2\.1 envelope/)
  })

  test('stopping ends the fetch', async () => {
    server.answer = () => {}
    const stop = new AbortController()
    const config = taxii.config.parse({ url: server.url, collection: 'c-1' })
    const deps = {
      send: http.fromContent,
      keys: () => ({ user: undefined, secret: '' }),
      table: 'feed',
      folder: '/',
      dataFolder: '/',
    }
    const arrived = new Promise<void>((resolve) => {
      server.answer = () => resolve()
    })
    const refreshed = taxii.create(config, deps).refresh({}, stop.signal)
    await Promise.all([expect(refreshed).rejects.toThrow(), arrived.then(() => stop.abort(new Error('stopped')))])
  })
})
