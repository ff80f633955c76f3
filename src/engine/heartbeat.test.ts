import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestServer } from '../../test/support/servers.ts'
import { createHttp, type Http } from '../util/http/http.ts'
import { Heartbeat } from './heartbeat.ts'

let server: TestServer
let http: Http

beforeEach(async () => {
  server = await new TestServer().listen()
  http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: [] })
})
afterEach(async () => {
  await http.close()
  await server.close()
})

function world() {
  const problems: string[] = []
  const state = { isAlive: true }
  const heartbeat = new Heartbeat({
    url: `${server.url}/ping/secret`,
    send: http.configured,
    isAlive: () => state.isAlive,
    onProblems: (all) => problems.splice(0, problems.length, ...all.map(({ what, message }) => `${what}: ${message}`)),
  })
  return { heartbeat, problems, state }
}

test.each<{ name: string; answer: TestServer['answer']; says: string }>([
  { name: 'a refusal', answer: (response) => void response.writeHead(404).end(), says: 'it answered 404' },
  {
    name: 'a redirect',
    answer: (response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
    says: 'it answered 302, and redirects are not followed',
  },
  {
    name: 'a connection that breaks',
    answer: (response) => void response.socket?.destroy(),
    says: 'it cannot be reached: the connection broke (UND_ERR_SOCKET)',
  },
])('three calls in a row must fail, each by $name, before it is a problem, which names no secret', async ({ answer, says }) => {
  const { heartbeat, problems } = world()
  server.answer = answer
  await heartbeat.beat()
  await heartbeat.beat()
  expect(problems).toEqual([])
  await heartbeat.beat()
  expect(problems).toEqual([
    `HeartbeatFailed: 3 consecutive heartbeat calls to ${server.url} failed, most recently because ${says}`,
  ])
  server.answer = (response) => void response.end('ok')
  await heartbeat.beat()
  expect(problems).toEqual([])
  expect(server.received.map(({ url }) => url)).toEqual(Array.from({ length: 4 }, () => '/ping/secret'))
})

test('it is silent while Caracal does not work, and never has two calls in progress', async () => {
  let answer = () => {}
  let heard = () => {}
  server.answer = (response) => {
    answer = () => void response.end()
    heard()
  }
  const { heartbeat, state } = world()
  state.isAlive = false
  await heartbeat.beat()
  expect(server.received).toEqual([])
  state.isAlive = true
  for (const calls of [1, 2]) {
    const arrived = new Promise<void>((resolve) => {
      heard = resolve
    })
    const beat = heartbeat.beat()
    await arrived
    await heartbeat.beat()
    expect(server.received).toHaveLength(calls)
    answer()
    await beat
  }
})
