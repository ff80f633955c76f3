import { expect, test } from 'vitest'
import type { HttpAnswer, HttpRequest, Send } from '../../util/http/send.ts'
import { SpanSender } from './span-sender.ts'

const ENDPOINT = 'http://collector.example/v1/traces'

function spans(count: number, name = 'batch') {
  return Array.from({ length: count }, () => ({
    ...{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), name, startMs: 1, endMs: 2, attributes: {} },
  }))
}

const namesOf = ({ body }: HttpRequest): string[] =>
  JSON.parse(String(body)).resourceSpans[0].scopeSpans[0].spans.map(({ name }: { name: string }) => name)

const answer = (status: number): HttpAnswer => ({ status, headers: new Map(), body: new Uint8Array() })

/** A sender and everything that it said. `answers` are those of the endpoint in turn, and the last one from then on; 0: none, ever. */
function created(answers: readonly number[], pauseMs = 1) {
  const requests: HttpRequest[] = []
  const troubles: (string | undefined)[] = []
  const listeners: (() => void)[] = []
  const send: Send = (request) => {
    requests.push(request)
    const status = answers[Math.min(requests.length, answers.length) - 1]!
    for (const listener of listeners.splice(0)) listener()
    if (status > 0) return Promise.resolve(answer(status))
    return new Promise((_, reject) => {
      request.signal!.addEventListener('abort', () => reject(request.signal!.reason))
      if (request.signal!.aborted) reject(request.signal!.reason)
    })
  }
  const onTrouble = (message: string | undefined) => troubles.push(message)
  const headers = { authorization: 'Bearer x' }
  const sender = new SpanSender({ endpoint: ENDPOINT, headers, send, resource: {}, onTrouble, pauseMs })
  const sent = async (count: number) => {
    while (requests.length < count) await new Promise<void>((resolve) => listeners.push(resolve))
  }
  return { sender, requests, troubles, sent }
}

test('spans are sent together after the pause, with the headers', async () => {
  const { sender, requests, troubles, sent } = created([200])
  sender.add(spans(2, 'first'))
  sender.add(spans(1, 'second'))
  await sent(1)
  expect(requests[0]).toMatchObject({
    ...{ url: ENDPOINT, method: 'POST', maxBytes: 0 },
    headers: { authorization: 'Bearer x', 'content-type': 'application/json' },
  })
  expect(namesOf(requests[0]!)).toEqual(['first', 'first', 'second'])
  await sender.stop()
  expect([requests.length, troubles, sender.waiting]).toEqual([1, [undefined], 0])
})

test('many spans do not wait for the pause, and a request has at most 512', async () => {
  const { sender, requests, sent } = created([200], 1e6)
  sender.add(spans(1300))
  await sent(3)
  expect(requests.map((request) => namesOf(request).length)).toEqual([512, 512, 276])
  await sender.stop()
})

test('what may succeed later is tried again, other refusals are final, and each is said with the host alone', async () => {
  const { sender, requests, troubles, sent } = created([503, 200, 401, 200])
  sender.add(spans(1, 'first'))
  await sent(2)
  sender.add(spans(1, 'second'))
  await sent(3)
  sender.add(spans(1, 'third'))
  await sent(4)
  await sender.stop()
  expect(requests.map(namesOf)).toEqual([['first'], ['first'], ['second'], ['third']])
  const said = (reason: string) => expect.stringContaining(`cannot be sent to http://collector.example: ${reason}.`)
  expect(troubles).toEqual([said('it answered 503'), undefined, said('it answered 401'), undefined])
})

test.each([['hangs', 0] as const, ['refuses', 503] as const])(
  'an endpoint that %s costs bounded memory, and stopping ends by itself',
  async (_, status) => {
    const { sender, requests, sent } = created([status], status === 0 ? 1 : 1e6)
    for (let i = 0; i < 10_000; i++) sender.add(spans(10))
    await sent(1)
    expect(sender.waiting).toBe(4090)
    await sender.stop()
    // The one in the background, and the last attempt.
    expect([requests.length, sender.waiting]).toEqual([2, 4090])
  },
)

test('stopping sends what waits', async () => {
  const { sender, requests } = created([200], 1e6)
  sender.add(spans(3))
  await sender.stop()
  expect(requests.map((request) => namesOf(request).length)).toEqual([3])
})
