import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { answering } from '../../util/ask.ts'
import { messageOf } from '../../util/errors.ts'
import { inTime } from '../../util/pause.ts'
import { type Handlers, Rpc } from '../../util/rpc.ts'
import { version } from '../../util/version.ts'
import type { AskedHeader, MakerCalls, MakerNews, MakerOptions } from '../makers/maker-calls.ts'
import { type MakerThread, startMakerThread } from '../threads.ts'
import { FramedSocket } from './framed-socket.ts'
import { HEADERS, isProof, newNonce, PROOF_BYTES, PROTOCOL, proofOf, WORKER_PATH } from './handshake.ts'
import type { WorkerCalls, WorkerNews } from './worker-calls.ts'

const PROOF_MS = 5000
const STOP_MS = 5000
/** Connections that may be about to prove themselves: more are not answered. */
const MAX_UNPROVED = 16

export interface MakersHereOptions {
  /** Maximum number of makers at a time. */
  readonly threads: number
  readonly dataDir: string
  /** The key that all nodes with the same state have; `undefined`: not known yet. */
  readonly key: () => Promise<string | undefined>
  /** Called with a sentence when something begins or ends. */
  readonly tell: (sentence: string) => void
  readonly beatMs?: number
}

/** The makers that this process runs for the active node: one for each connection, with a thread of its own, which ends with it. */
export class MakersHere {
  readonly #options: MakersHereOptions
  readonly #ports = new Set<FramedSocket>()
  readonly #ending = new Set<Promise<unknown>>()
  #unproved = 0
  #isStopping = false
  /** Batches made since the start. */
  batches = 0

  constructor(options: MakersHereOptions) {
    this.#options = options
  }

  /** Makers that run now. */
  get running(): number {
    return this.#ports.size
  }

  /** Answers a request to switch protocols. Never rejects. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    try {
      const refused = this.#refusal(request)
      if (refused) return refuse(socket, ...refused)
      this.#unproved++
      try {
        await this.#accept(String(request.headers[HEADERS.nonce]), socket as Socket, head)
      } finally {
        this.#unproved--
      }
    } catch (error) {
      this.#options.tell(`A connection from ${(socket as Socket).remoteAddress} was refused: ${messageOf(error)}.`)
      socket.destroy()
    }
  }

  /** Ends all makers; what they were making is made elsewhere. */
  async stop(): Promise<void> {
    this.#isStopping = true
    for (const port of this.#ports) port.close(new Error('this node stops'))
    await Promise.all(this.#ending)
  }

  #refusal({ url, headers }: IncomingMessage): [status: string, message: string] | undefined {
    if (url !== WORKER_PATH || headers.upgrade !== PROTOCOL) return ['404 Not Found', 'this node only judges for the active one']
    if (headers[HEADERS.version] !== version())
      return [
        '409 Conflict',
        `this node runs version ${version()} of Caracal and the active one ${headers[HEADERS.version]}: they must be the same`,
      ]
    if (typeof headers[HEADERS.nonce] !== 'string') return ['400 Bad Request', 'the header with the nonce is missing']
    if (this.#isStopping) return ['503 Service Unavailable', 'this node stops']
    if (this.#unproved >= MAX_UNPROVED || this.running >= this.#options.threads)
      return ['503 Service Unavailable', `all ${this.#options.threads} threads of this node are taken`]
    return undefined
  }

  async #accept(theirs: string, socket: Socket, head: Buffer): Promise<void> {
    const { key: keyOf, threads, beatMs, tell } = this.#options
    const key = await keyOf()
    if (key === undefined) return refuse(socket, '503 Service Unavailable', 'the state has no key yet')
    const own = newNonce()
    const proof = proofOf('worker', key, [theirs, own]).toString('base64url')
    socket.setTimeout(0)
    socket.setNoDelay(true)
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${PROTOCOL}\r\n${HEADERS.nonce}: ${own}\r\n${HEADERS.proof}: ${proof}\r\n${HEADERS.threads}: ${threads}\r\n\r\n`,
    )
    if (head.length > 0) socket.unshift(head)
    if (!isProof(await readProof(socket), 'active', key, [theirs, own])) throw new Error('it does not have the key of this state')
    if (this.#isStopping) throw new Error('this node stops')
    if (this.running >= threads) throw new Error('all threads were taken in the meantime')
    const from = socket.remoteAddress
    const port = new FramedSocket(socket, beatMs === undefined ? {} : { beatMs })
    this.#ports.add(port)
    tell(`The active node (${from}) has this one judge for it, with thread ${this.running} of ${threads}.`)
    const ended = this.#serve(port).then((error) => {
      this.#ports.delete(port)
      tell(`A thread has ended: ${messageOf(error)}.`)
    })
    this.#ending.add(ended)
    void ended.finally(() => this.#ending.delete(ended))
  }

  /** Runs a maker for the other side until the connection ends. */
  async #serve(port: FramedSocket): Promise<Error> {
    let thread: MakerThread | undefined
    const active = new Rpc<WorkerNews, WorkerCalls>(port, {
      start: (config) => {
        thread = this.#start({ ...config, data_dir: this.#options.dataDir }, active, port)
      },
      ...this.#forwarded(() => thread),
    })
    const error = await port.closed
    active.fail(error)
    // Its rule processes end with it.
    if (thread)
      await inTime(
        thread.rpc.call('stop').catch(() => {}),
        STOP_MS,
      )
    await thread?.end()
    return error
  }

  #start(config: MakerOptions['config'], active: Rpc<WorkerNews, WorkerCalls>, port: FramedSocket): MakerThread {
    const headers = answering<AskedHeader>((question) => active.call('describe', question))
    const news = Object.fromEntries(
      NEWS.map((method) => [method, (argument: never) => active.call(method, argument)]),
    ) as unknown as Handlers<MakerNews>
    const thread = startMakerThread({ config, headers: headers.end }, news)
    void thread.died.then(async (error) => {
      headers.close()
      // Said before the connection ends, so that the active node knows that the work may be the reason.
      await active.call('died', messageOf(error)).catch(() => {})
      port.close(error)
    })
    return thread
  }

  #forwarded(thread: () => MakerThread | undefined): Handlers<MakerCalls> {
    return Object.fromEntries(
      CALLS.map((method) => [
        method,
        (argument: never) => {
          if (method === 'make') this.batches++
          const maker = thread()
          if (!maker) throw new Error('no thread has been started')
          return maker.rpc.call(method, argument)
        },
      ]),
    ) as unknown as Handlers<MakerCalls>
  }
}

const CALLS = [
  'open',
  'prefiltered',
  'swap',
  'close',
  'putTable',
  'make',
  'judge',
  'stop',
] as const satisfies (keyof MakerCalls)[]
const NEWS = ['parsed', 'rules', 'wrote', 'missed', 'slower', 'trouble'] as const satisfies (keyof MakerNews)[]

function refuse(socket: Duplex, status: string, message: string): void {
  const length = Buffer.byteLength(message)
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${length}\r\n\r\n${message}`,
  )
}

/** The first bytes of the other side. Rejects when they do not come in time. */
function readProof(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(new Error('no proof of who it is came in time')), PROOF_MS)
    const end = (error?: Error) => {
      clearTimeout(timer)
      socket.off('readable', look)
      socket.off('close', closed)
      if (error) reject(error)
    }
    const look = () => {
      const bytes = socket.read(PROOF_BYTES) as Buffer | null
      if (!bytes) return
      end()
      resolve(bytes)
    }
    const closed = () => end(new Error('it closed the connection'))
    socket.on('readable', look)
    socket.on('close', closed)
    look()
  })
}
