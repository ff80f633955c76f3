import { expect, test } from 'vitest'
import { ForwardedHeaders, forwardedHeader } from './forwarded.ts'

const KEY = 'the key of this state'
const SAID = { node: 'door', address: '192.0.2.7', isTls: true }
const REQUEST = { method: 'POST', url: '/api/v1/query?x=1' }
const made = (key = KEY, to = 'a') => forwardedHeader(key, to, SAID, REQUEST)

test('what a node with the key says is accepted, once', () => {
  const headers = new ForwardedHeaders(KEY, 'a')
  const header = made()
  expect(headers.accept(header, REQUEST)).toEqual(SAID)
  expect(headers.accept(header, REQUEST)).toBeUndefined()
  expect(headers.accept(made(), REQUEST)).toEqual(SAID)
})

/** The same with another address and the old proof. */
function changed(header: string): string {
  const [text, proof] = header.split('.')
  const said = JSON.parse(Buffer.from(text!, 'base64url').toString()) as unknown[]
  said[1] = '127.0.0.1'
  return `${Buffer.from(JSON.stringify(said)).toString('base64url')}.${proof}`
}

test.each<[string, string, { method: string; url: string }?]>([
  ['with another key', made('another key')],
  ['for another node', made(KEY, 'b')],
  ['for another path', made(), { ...REQUEST, url: '/api/v1/users' }],
  ['for another method', made(), { ...REQUEST, method: 'DELETE' }],
  ['with another address', changed(made())],
  ['without a proof', made().split('.')[0]!],
  ['with a short proof', made().slice(0, -2)],
  ['that is empty', ''],
  ['that is only a dot', '.'],
  ['that is anything', '192.0.2.7'],
])('a header %s is not accepted', (_what, header, request = REQUEST) => {
  expect(new ForwardedHeaders(KEY, 'a').accept(header, request)).toBeUndefined()
})

test('it is valid for half a minute around the time at which it was written, and remembered as long', () => {
  let offset = 0
  const headers = new ForwardedHeaders(KEY, 'a', () => Date.now() + offset)
  for (const valid of [-29_000, 29_000]) {
    offset = valid
    expect(headers.accept(made(), REQUEST)).toEqual(SAID)
  }
  for (const old of [-31_000, 31_000]) {
    offset = old
    expect(headers.accept(made(), REQUEST)).toBeUndefined()
  }
  const again = new ForwardedHeaders(KEY, 'a', () => Date.now() + offset)
  offset = -29_000
  const header = made()
  expect(again.accept(header, REQUEST)).toEqual(SAID)
  for (offset = -20_000; offset <= 29_000; offset += 7000) {
    again.accept(made(), REQUEST)
    expect(again.accept(header, REQUEST)).toBeUndefined()
  }
})
