import { expect, test } from 'vitest'
import { Heartbeat } from './heartbeat.ts'

const url = 'https://beats.example:8443/ping/secret'

function world(answer: () => Response | Promise<Response>) {
  const calls: { address: string; redirect: string | undefined }[] = []
  const problems: string[] = []
  const state = { isAlive: true }
  const heartbeat = new Heartbeat({
    url,
    fetch: async (address, init) => {
      calls.push({ address: String(address), redirect: init?.redirect })
      return answer()
    },
    isAlive: () => state.isAlive,
    onProblems: (all) => problems.splice(0, problems.length, ...all.map(({ what, message }) => `${what}: ${message}`)),
  })
  return { heartbeat, calls, problems, state }
}

test.each([
  { name: 'a refusal', answer: () => new Response(null, { status: 404 }), says: 'it answered 404' },
  {
    name: 'a redirect',
    answer: () => new Response(null, { status: 302, headers: { location: 'http://evil.example/' } }),
    says: 'it answered 302, and redirects are not followed',
  },
  {
    name: 'no network',
    answer: () => Promise.reject(new TypeError('fetch failed', { cause: new Error('ENOTFOUND') })),
    says: 'it cannot be reached: fetch failed: ENOTFOUND',
  },
])('three calls in a row must fail, each by $name, before it is a problem, which names no secret', async ({ answer, says }) => {
  let isDown = true
  const { heartbeat, calls, problems } = world(() => (isDown ? answer() : new Response('ok')))
  await heartbeat.beat()
  await heartbeat.beat()
  expect(problems).toEqual([])
  await heartbeat.beat()
  expect(problems).toEqual([`HeartbeatFailed: 3 calls in a row of the heartbeat's address at beats.example:8443 failed; ${says}`])
  isDown = false
  await heartbeat.beat()
  expect(problems).toEqual([])
  expect(calls).toEqual(Array.from({ length: 4 }, () => ({ address: url, redirect: 'manual' })))
})

test('it is silent while Caracal does not work, and never calls twice at once', async () => {
  let answer: (response: Response) => void = () => {}
  const { heartbeat, calls, state } = world(
    () =>
      new Promise((resolve) => {
        answer = resolve
      }),
  )
  state.isAlive = false
  await heartbeat.beat()
  expect(calls).toEqual([])
  state.isAlive = true
  const first = heartbeat.beat()
  await heartbeat.beat()
  expect(calls).toHaveLength(1)
  answer(new Response())
  await first
  const next = heartbeat.beat()
  answer(new Response())
  await next
  expect(calls).toHaveLength(2)
})
