import fc from 'fast-check'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../test/support/fake-engine.ts'
import { createApp } from './app.ts'
import { tagged } from './etag.ts'

/** Answers every call with this text, in pieces of that size, as JSON by default. */
function serving(text: string, { piece = text.length + 1, type = 'application/json', etag = '' } = {}): Hono {
  const app = new Hono()
  app.use(tagged)
  app.all('/', () => {
    const bytes = Buffer.from(text)
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += piece) controller.enqueue(bytes.subarray(at, at + piece))
        controller.close()
      },
    })
    return new Response(body, { headers: { 'content-type': type, 'x-own': 'kept', ...(etag && { etag }) } })
  })
  return app
}

const tagOf = async (app: Hono) => (await app.request('/')).headers.get('etag')!

describe('an ETag', () => {
  test('is the same for the same text, however it is cut, and another for another text', () =>
    fc.assert(
      fc.asyncProperty(
        fc.string({ minLength: 1 }),
        fc.string({ minLength: 1 }),
        fc.integer({ min: 1, max: 9 }),
        async (a, b, piece) => {
          const tag = await tagOf(serving(a))
          expect(tag).toMatch(/^"[\w-]{22}"$/)
          expect(await tagOf(serving(a, { piece }))).toBe(tag)
          expect((await tagOf(serving(b))) === tag).toBe(Buffer.from(a).equals(Buffer.from(b)))
        },
      ),
    ))

  test('begins with the version that the route has set', async () => {
    expect(await tagOf(serving('{}', { etag: '"7"' }))).toBe(`"7-${(await tagOf(serving('{}'))).slice(1)}`)
  })

  test.each<[string, (tag: string) => string, number]>([
    ['the tag', (tag) => tag, 304],
    ['one of several', (tag) => `"a", ${tag} , "b"`, 304],
    ['a weak one', (tag) => `W/${tag}`, 304],
    ['any', () => '*', 304],
    ['another', () => '"a"', 200],
    ['its beginning', (tag) => tag.slice(0, -2), 200],
  ])('%s in If-None-Match answers as it should', async (_, given, status) => {
    const app = serving('{"a":1}')
    const tag = await tagOf(app)
    for (const method of ['GET', 'HEAD']) {
      const response = await app.request('/', { method, headers: { 'if-none-match': given(tag) } })
      expect([response.status, response.headers.get('etag'), response.headers.get('x-own')]).toEqual([status, tag, 'kept'])
      expect(await response.text()).toBe(status === 304 || method === 'HEAD' ? '' : '{"a":1}')
    }
  })

  test('is not given to what is too long, which arrives whole', async () => {
    const text = JSON.stringify('x'.repeat(5 * 1024 * 1024))
    const response = await serving(text, { piece: 100_000 }).request('/')
    expect([response.headers.get('etag'), (await response.text()) === text]).toEqual([null, true])
  })

  test('is not given to writes and to other types', async () => {
    expect((await serving('{}').request('/', { method: 'POST' })).headers.get('etag')).toBe(null)
    expect(await tagOf(serving('a', { type: 'text/plain' }))).toBe(null)
  })
})

describe('of an alert', () => {
  let engine: FakeEngine
  beforeEach(async () => {
    engine = await fakeEngine()
    await engine.addAlert({ alertId: alertId(1), eventCount: 1 })
  })
  afterEach(() => engine.dispose())

  const call = (method: string, headers: Record<string, string>, body?: object) =>
    createApp(engine).request('/api/v1/alerts/0001', {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })

  test('it allows a change until a person changes the alert, and new answers are seen at once', async () => {
    const tag = (await call('GET', {})).headers.get('etag')!
    expect((await call('GET', { 'if-none-match': tag })).status).toBe(304)
    expect((await call('PATCH', { 'if-match': tag }, { owner: 'ana' })).status).toBe(200)
    expect((await call('GET', { 'if-none-match': tag })).status).toBe(200)
    expect((await call('PATCH', { 'if-match': tag }, { owner: 'bo' })).status).toBe(412)
  })
})
