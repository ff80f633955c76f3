import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { Refused, StorageError } from '../../util/errors.ts'
import { createApp } from '../app.ts'

let engine: FakeEngine

beforeEach(async () => {
  engine = await fakeEngine()
})
afterEach(() => engine.dispose())

function post(body: object): Response | Promise<Response> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', host: '127.0.0.1:4848' }
  return createApp(engine).request('/api/v1/backups', { method: 'POST', headers, body: JSON.stringify(body) })
}

test('the last line of the answer is the outcome', async () => {
  const answer = await post({ folder: '/backups/1' })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
  const lines = (await answer.text()).trimEnd().split('\n')
  expect(JSON.parse(lines.at(-1)!)).toMatchObject({ state: 'done', folder: '/backups/1', files: 3, pause_ms: 12, token: true })
  engine.backedUp = () => Promise.reject(new StorageError('the disk is full'))
  expect(await (await post({ folder: '/backups/1' })).text()).toBe('{"state":"failed","message":"the disk is full"}\n')
})

test.each<[Error, number, string]>([
  [new Refused('/backups/1 is not empty'), 409, 'conflict'],
  [new StorageError('The backup folder /backups/1 cannot be written'), 503, 'storage'],
])('%s is refused before anything is copied, and names the folder that the caller gave', async (error, status, code) => {
  engine.backUp = () => Promise.reject(error)
  const answer = await post({ folder: '/backups/1' })
  expect(await answer.json()).toMatchObject({ status, detail: error.message, code })
})

test('a caller that leaves ends the backup', async () => {
  let given: AbortSignal | undefined
  engine.backUp = async (_, signal) => {
    given = signal
    return { progress: () => ({ files: 0, bytes: 0 }), done: new Promise(() => {}) }
  }
  const answer = await post({ folder: '/backups/1' })
  await answer.body!.cancel()
  expect(given!.aborted).toBe(true)
})

test.each([{}, { folder: '' }, { folder: '/a\0b' }, { folder: '/a', extra: 1 }])('the body %j is refused', async (body) => {
  expect((await post(body)).status).toBe(400)
})
