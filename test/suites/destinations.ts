import { strict as assert } from 'node:assert'
import type { ServerResponse } from 'node:http'
import { DELIVERY_KINDS } from '../../src/model/outgoing-alert.ts'
import type { Delivery, Destination, DestinationDeps } from '../../src/stages/deliver/destination.ts'
import { destinations } from '../../src/stages/deliver/index.ts'
import type { AnyDefinition } from '../../src/util/define.ts'
import { ConfigError, Refused, RetryLater } from '../../src/util/errors.ts'
import { createHttp } from '../../src/util/http/http.ts'
import { connectNowhere } from '../../src/util/http/open-socket.ts'
import { outgoingAlert } from '../support/alerts.ts'
import { type Received, TestServer } from '../support/servers.ts'
import { type Fitting, fittings, type OtherSide, SECRET } from '../support/vendors.ts'
import type { Behaviour, Suite } from './behaviours.ts'

/** A destination's definition for the suite: its config is validated by its own schema. */
export interface AnyDestination extends AnyDefinition {
  readonly isLocal: boolean
  create(config: never, deps: DestinationDeps): Promise<Destination>
}

interface Bench {
  readonly server: OtherSide
  /** Creates the destination, without the named secret, if any. */
  open(missing?: string): Promise<Destination>
  readonly secrets: Readonly<Record<string, string>>
}

async function onBench(definition: AnyDestination, use: (bench: Bench) => Promise<void>): Promise<void> {
  const ways = fittings[definition.type]
  if (!ways)
    throw new Error(`add what destination '${definition.type}' needs to the table \`fittings\` of test/support/vendors.ts`)
  for (const fitting of ways) await onOneBench(definition, fitting, use)
}

async function onOneBench(definition: AnyDestination, fitting: Fitting, use: (bench: Bench) => Promise<void>): Promise<void> {
  const server = await (fitting.serve?.() ?? httpSide(fitting))
  const { url } = server
  const http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: [] })
  const secrets = fitting.secrets(url)
  const open = (missing?: string) =>
    definition.create(definition.config.parse({ id: 'suite', ...fitting.config(url) }) as never, {
      send: http.configured,
      socket: connectNowhere,
      trusted: server.trusted ?? {},
      now: Date.now,
      write: () => {},
      secret: (reference) => {
        const name = 'env' in reference ? reference.env : reference.file
        const value = name === missing ? undefined : secrets[name]
        if (value === undefined) throw new ConfigError(`there is no secret ${name}`)
        return value
      },
    })
  try {
    await use({ server, open, secrets })
  } finally {
    await http.close()
    await server.close()
  }
}

const delivery = (part: Partial<Delivery> = {}): Delivery => ({
  id: 'd0d1d2d3d4d5d6d7',
  kind: 'opened',
  alert: outgoingAlert({ title: 'é \0 \u2028 \x1b[2J 😀' }),
  reference: 'SEC-24',
  ...part,
})

const never = () => new AbortController().signal

async function httpSide({ answer }: Fitting): Promise<OtherSide> {
  const server = await new TestServer().listen()
  if (answer) server.answer = answer
  const set = (next: TestServer['answer']) => {
    server.answer = next
  }
  const failures = Object.entries(FAILURES).map(([name, fails]) => [name, () => set(fails)])
  return Object.assign(server, {
    failures: Object.fromEntries(failures) as OtherSide['failures'],
    hang: (arrived: () => void) => set(() => arrived()),
  })
}

/** Failure responses; each echoes the request wherever a response can. */
const FAILURES: Readonly<Record<string, (response: ServerResponse, request: Received) => void>> = {
  'a fault': (response, request) => void response.writeHead(500, echo(request)).end(echo(request)),
  'too many requests': (response, request) => void response.writeHead(429, { 'retry-after': '1' }).end(echo(request)),
  'a refusal': (response, request) => void response.writeHead(400, echo(request)).end(echo(request)),
  'a wrong token': (response, request) => void response.writeHead(401).end(echo(request)),
  'a redirect': (response, request) => void response.writeHead(302, { location: `http://${SECRET}.test/${request.url}` }).end(),
  'a broken connection': (response) => void response.socket?.destroy(),
  'no HTTP': (response, request) => void response.socket?.end(`${echo(request)}\r\n\r\n`),
}

function echo(request: Received): string {
  return JSON.stringify({ ...request, body: '' }).replace(/[^\x20-\x7e]/g, '?')
}

/** The error of a send, for each failure; `undefined` if it resolved. */
async function failuresOf({ server, open }: Bench): Promise<Map<string, unknown>> {
  const errors = new Map<string, unknown>()
  const destination = await open()
  for (const [name, fail] of Object.entries(server.failures)) {
    fail()
    const error = await destination.send(delivery(), never()).then(
      () => undefined,
      (caught: unknown) => caught,
    )
    errors.set(name, error)
  }
  await destination.close()
  return errors
}

/** Far longer than closing a connection takes; only a destination that does not close it waits this long. */
const PATIENCE_MS = 3000

const behaviours: readonly Behaviour<AnyDestination>[] = [
  {
    name: 'is made without a word to the other side',
    check: (definition) =>
      onBench(definition, async ({ server, open }) => {
        const destination = await open()
        assert.equal(server.connections, 0)
        await destination.close()
        await server.close()
        // The other side may be down when Caracal starts.
        await (await open()).close()
      }),
  },
  {
    name: 'takes alerts of every kind, many at once, and says which delivery each is',
    check: (definition) =>
      onBench(definition, async ({ server, open }) => {
        const destination = await open()
        const ids = DELIVERY_KINDS.flatMap((kind) => Array.from({ length: 8 }, (_, i) => ({ kind, id: `id-${kind}-${i}` })))
        await Promise.all(ids.map((one) => destination.send(delivery(one), never())))
        await destination.close()
        if (definition.isLocal) return
        const texts = server.received.map((request) => JSON.stringify(request))
        for (const { id } of ids) assert.equal(texts.filter((text) => text.includes(id)).length, 1, id)
      }),
  },
  {
    name: 'stops sending when the signal is aborted',
    check: (definition) =>
      onBench(definition, async ({ server, open }) => {
        const destination = await open()
        const stop = new AbortController()
        const arrived = new Promise<void>((resolve) => server.hang(resolve))
        const sent = destination.send(delivery(), stop.signal).catch(() => {})
        await Promise.race([arrived, sent])
        stop.abort()
        let timer: NodeJS.Timeout | undefined
        const patience = new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Error('the send goes on')), PATIENCE_MS)
        })
        await Promise.race([sent, patience]).finally(() => clearTimeout(timer))
        await destination.close()
      }),
  },
  {
    name: 'reports every failure as RetryLater or Refused',
    check: (definition) =>
      onBench(definition, async (bench) => {
        for (const [name, error] of await failuresOf(bench)) {
          if (definition.isLocal && error === undefined) continue
          assert.ok(error instanceof RetryLater || error instanceof Refused, `${name}: ${error}`)
        }
      }),
  },
  {
    name: 'never puts a secret into an error',
    check: (definition) =>
      onBench(definition, async (bench) => {
        for (const [name, error] of await failuresOf(bench))
          for (let at = error; at instanceof Error; at = at.cause)
            assert.ok(!`${at.stack} ${JSON.stringify(at)}`.includes(SECRET), `${name}: ${at.message}`)
      }),
  },
  {
    name: 'cannot be created without one of its secrets, and says which',
    check: (definition) =>
      onBench(definition, async ({ open, secrets }) => {
        for (const name of Object.keys(secrets))
          await assert.rejects(open(name), (error) => error instanceof ConfigError && error.message.includes(name))
      }),
  },
  {
    name: 'may be closed twice',
    check: (definition) =>
      onBench(definition, async ({ open }) => {
        const destination = await open()
        await destination.send(delivery(), never())
        await destination.close()
        await destination.close()
      }),
  },
]

/** Behaviours required of every destination. */
export const destinationSuite: Suite<AnyDestination, AnyDestination> = {
  kind: 'destination',
  registry: destinations as unknown as readonly AnyDestination[],
  subjectOf: (definition) => definition,
  behaviours,
}
