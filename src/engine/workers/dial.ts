import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { messageOf } from '../../util/errors.ts'
import type { Trusted } from '../../util/http/http.ts'
import { type Handlers, Rpc } from '../../util/rpc.ts'
import { version } from '../../util/version.ts'
import type { MakerOptions } from '../makers/maker-calls.ts'
import type { MakerThread } from '../threads.ts'
import { FramedSocket } from './framed-socket.ts'
import { HEADERS, isProof, newNonce, PROTOCOL, proofOf, WORKER_PATH } from './handshake.ts'
import type { WorkerCalls, WorkerNews } from './worker-calls.ts'

const CONNECT_MS = 5000

export interface DialOptions {
  /** URL of the worker. */
  readonly url: string
  /** The key that all nodes with the same state have. */
  readonly key: string
  readonly trusted: Trusted
  readonly beatMs?: number
}

/** A connection to a worker, on which it runs one maker. */
export interface Dialled {
  readonly port: FramedSocket
  /** How many makers the worker has room for. */
  readonly threads: number
}

/** What ends the work of a maker on another node without being the fault of that work. */
export class ConnectionLost extends Error {}

/** Connects to a worker. Rejects with a reason in words if it does not answer, or does not know the key. */
export async function dial({ url, key, trusted, beatMs }: DialOptions): Promise<Dialled> {
  const own = newNonce()
  const { response, socket, head } = await upgraded(new URL(WORKER_PATH, url), trusted, own)
  const theirs = String(response.headers[HEADERS.nonce] ?? '')
  const proof = Buffer.from(String(response.headers[HEADERS.proof] ?? ''), 'base64url')
  if (!isProof(proof, 'worker', key, [own, theirs])) {
    socket.destroy()
    throw new Error('it does not have the key of this state: is it another installation?')
  }
  socket.write(proofOf('active', key, [own, theirs]))
  const port = new FramedSocket(socket, { head, ...(beatMs !== undefined && { beatMs }) })
  return { port, threads: Number(response.headers[HEADERS.threads]) || 1 }
}

/** A maker on a worker, used like a thread of this process. */
export function remoteMaker(
  port: FramedSocket,
  { config: { data_dir: _, ...config } }: Pick<MakerOptions, 'config'>,
  handlers: Omit<Handlers<WorkerNews>, 'died'>,
): MakerThread {
  let ended: (error: Error) => void = () => {}
  const died = new Promise<Error>((resolve) => {
    ended = resolve
  })
  const rpc = new Rpc<WorkerCalls, WorkerNews>(port, {
    ...handlers,
    died: (message) => end(new Error(message)),
  })
  const end = (error: Error) => {
    rpc.fail(error)
    ended(error)
    port.close(error)
  }
  void port.closed.then((error) => end(new ConnectionLost(messageOf(error))))
  rpc.call('start', config).catch((error) => end(new ConnectionLost(messageOf(error))))
  return { rpc, died, end: async () => end(new ConnectionLost('it is not needed any more')) }
}

function upgraded(
  url: URL,
  trusted: Trusted,
  nonce: string,
): Promise<{ response: IncomingMessage; socket: Duplex; head: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      headers: {
        connection: 'Upgrade',
        upgrade: PROTOCOL,
        [HEADERS.version]: version(),
        [HEADERS.nonce]: nonce,
      },
      ...trusted,
    })
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${CONNECT_MS / 1000} seconds`)), CONNECT_MS)
    request.on('upgrade', (response, socket, head) => {
      clearTimeout(timer)
      resolve({ response, socket, head })
    })
    request.on('response', (response) => void refusal(response).then((error) => request.destroy(error)))
    request.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    request.end()
  })
}

/** Why a worker did not take the connection. */
async function refusal(response: IncomingMessage): Promise<Error> {
  let text = ''
  for await (const piece of response.setEncoding('utf8')) {
    text += piece as string
    if (text.length > 2000) break
  }
  return new Error(`it answered ${response.statusCode}: ${text.trim().slice(0, 300)}`)
}
