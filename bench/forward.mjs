// What a hop through a node that forwards costs: the same small and large answers from a server directly and through it, in turn.
// Three processes: client, node that forwards, active node. `npm run build && node bench/forward.mjs`
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'

const KEY = 'a key of the state'
const ROUNDS = 5
const SMALL = JSON.stringify({ results: Array.from({ length: 10 }, (_, i) => ({ id: i, name: `value ${i}` })) })
const LARGE = Buffer.alloc(32 * 1024 * 1024, 'x')
const [role, activeUrl] = process.argv.slice(2)

if (role === 'active') await serve(() => (request) => answer(request))
else if (role === 'door') {
  const { Forwarder } = await import('../dist/api/forwarder.js')
  const active = { node: 'a', url: activeUrl, key: KEY, isSilent: false }
  const forwarder = new Forwarder({ node: 'door', active: () => active, trusted: {}, onOutcome: () => {} })
  await serve(
    () =>
      (_, { incoming, outgoing }) =>
        forwarder.forward(incoming, outgoing),
  )
} else await measure()

async function serve(handler) {
  const { startServer } = await import('../dist/api/server.js')
  const { ForwardedHeaders, FORWARDED } = await import('../dist/util/http/forwarded.js')
  const headers = new ForwardedHeaders(KEY, 'a')
  const handle = handler()
  const server = await startServer(
    (request, connection) => {
      const header = role === 'active' && connection.incoming.headers[FORWARDED]
      if (header && !headers.accept(header, connection.incoming)) throw new Error('not proven')
      return handle(request, connection)
    },
    { listen: '127.0.0.1:0' },
  )
  process.send(server.url)
}

function answer({ url }) {
  return new Response(url.endsWith('/large') ? LARGE : SMALL, { headers: { 'content-type': 'application/json' } })
}

async function measure() {
  const active = fork(import.meta.filename, ['active'])
  const [direct] = await once(active, 'message')
  const door = fork(import.meta.filename, ['door', direct])
  const [hop] = await once(door, 'message')
  const found = { direct: [], hop: [] }
  for (let round = 0; round <= ROUNDS; round++)
    for (const [name, url] of Object.entries({ direct, hop })) {
      const one = await load(url, '/small', 1, 2000)
      const many = await load(url, '/small', 32, 10_000)
      const large = await load(url, '/large', 1, 8)
      // The first round warms up.
      if (round > 0)
        found[name].push({ p50: one.p50, p99: one.p99, perSecond: many.perSecond, mibPerSecond: large.perSecond * 32 })
    }
  for (const [name, rounds] of Object.entries(found))
    console.log(name, Object.fromEntries(Object.keys(rounds[0]).map((key) => [key, median(rounds.map((one) => one[key]))])))
  active.kill()
  door.kill()
}

async function load(url, path, parallel, n) {
  const agent = new Agent({ keepAlive: true, maxSockets: parallel })
  const times = []
  const began = performance.now()
  let left = n
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (left-- > 0) {
        const at = performance.now()
        await new Promise((resolve, reject) =>
          get(`${url}${path}`, { agent }, (response) => {
            if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`))
            response.resume().on('end', resolve)
          }).on('error', reject),
        )
        times.push(performance.now() - at)
      }
    }),
  )
  const seconds = (performance.now() - began) / 1000
  agent.destroy()
  times.sort((a, b) => a - b)
  return { p50: times[Math.floor(n * 0.5)], p99: times[Math.floor(n * 0.99)], perSecond: n / seconds }
}

function median(values) {
  return Number(values.sort((a, b) => a - b)[Math.floor(values.length / 2)].toFixed(2))
}
