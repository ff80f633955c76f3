import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { sendNothing } from '../../util/http/send.ts'
import { http } from './http.ts'

const delivery = '{"messageType":"DATA_MESSAGE","logGroup":"g","logEvents":[{"id":"1","timestamp":1,"message":"a"}]}'
const taken: string[] = []
afterEach(() => void taken.splice(0))
const intake = await http.pushes!(http.config.parse({ id: 'hose' }), {
  append: async (body) => void taken.push(Buffer.from(body).toString()),
  now: () => 5,
  authorised: (token) => token === 'good',
  send: sendNothing,
  secret: () => '',
})

const headers = (key = 'good') => ({
  'content-type': 'application/json',
  'x-amz-firehose-protocol-version': '1.0',
  'x-amz-firehose-request-id': 'r-1',
  'x-amz-firehose-access-key': key,
})

async function send(body: string, key?: string) {
  const request = new Request('http://localhost/', { method: 'POST', body, headers: headers(key) })
  const response = await intake.handle!(request, '')
  return { status: response.status, answer: await response.json() }
}

describe('Amazon Data Firehose', () => {
  const control = '{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","timestamp":1,"message":"checking"}]}'
  const request = (...data: readonly Uint8Array[]) =>
    JSON.stringify({
      requestId: 'r-1',
      timestamp: 1,
      records: data.map((one) => ({ data: Buffer.from(one).toString('base64') })),
    })

  test('the data of each record is stored, decompressed, and the answer repeats the id', async () => {
    const { status, answer } = await send(request(gzipSync(delivery), Buffer.from('{"a":1}'), gzipSync(control)))
    expect(status).toBe(200)
    expect(answer).toEqual({ requestId: 'r-1', timestamp: 5 })
    expect(taken).toEqual([`${delivery}\n{"a":1}\n${control}\n`])
  })

  test.each<[string, string, number, RegExp, string?]>([
    ['another key', request(Buffer.from('a')), 401, /bearer token/, 'bad'],
    ['no list', '{"requestId":"r-1"}', 400, /no.* list `records`|not an object with a list `records`/],
    ['data that is not Base64', '{"records":[{"data":"ä"}]}', 400, /record 0 has no `data` in Base64/],
    ['data that is damaged', request(gzipSync('abc').subarray(0, 12)), 400, /cannot be decompressed: gzip/],
  ])('%s is refused in its own words', async (_, body, status, message, key) => {
    const response = await send(body, key)
    expect(response.status).toBe(status)
    expect(response.answer).toMatchObject({ requestId: 'r-1', errorMessage: expect.stringMatching(message) })
    expect(taken).toEqual([])
  })
})
