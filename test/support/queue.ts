import type { ServerResponse } from 'node:http'
import { signed } from '../../src/util/http/aws-signature.ts'
import { createHttp, type Http } from '../../src/util/http/http.ts'
import type { Send } from '../../src/util/http/send.ts'
import { type Received, TestServer } from './servers.ts'

interface Queued {
  readonly id: string
  readonly body: string
  /** How often it was delivered. */
  deliveries: number
  isHidden: boolean
}

const CREDENTIALS = { accessKeyId: 'AKIDTEST', secretAccessKey: 's3cr3t-7a20' }

/** The part of SQS that receiving needs, on a test server, for requests with the right signature. Messages are hidden until `redeliver`. */
export class TestQueue {
  readonly server: TestServer
  readonly messages: Queued[] = []
  /** By action: what to answer with. */
  readonly refusals = new Map<string, [status: number, code: string]>()
  /** Actions, in order. */
  readonly asked: string[] = []
  readonly secret = CREDENTIALS.secretAccessKey
  readonly #http: Http
  #waiting: (() => void)[] = []
  #onDeleted: (() => void)[] = []
  #sent = 0

  private constructor(server: TestServer) {
    this.server = server
    this.#http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: [] })
    server.answer = (response, request) => this.#answer(response, request)
  }

  static async create(): Promise<TestQueue> {
    return new TestQueue(await new TestServer().listen())
  }

  get config() {
    const auth = { access_key_id: CREDENTIALS.accessKeyId, secret_access_key: { env: 'KEY' } }
    return { queue_url: `${this.server.url}/123456789012/logs`, auth }
  }

  get send(): Send {
    return this.#http.configured
  }

  put(...bodies: string[]): void {
    for (const body of bodies) this.messages.push({ id: `m${this.#sent++}`, body, deliveries: 0, isHidden: false })
    this.#arrived()
  }

  /** What was received but not deleted becomes visible, as after the visibility time-out. */
  redeliver(): void {
    for (const message of this.messages) message.isHidden = false
    this.#arrived()
  }

  /** Resolves when no message is left. */
  async emptied(): Promise<void> {
    while (this.messages.length > 0) await new Promise<void>((resolve) => this.#onDeleted.push(resolve))
  }

  async close(): Promise<void> {
    await this.#http.close()
    await this.server.close()
  }

  #arrived(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #answer(response: ServerResponse, request: Received): void {
    const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '')
    this.asked.push(action)
    const refusal = isSigned(this.server.url, request) ? this.refusals.get(action) : ([403, 'InvalidSignature'] as const)
    if (refusal) {
      response.writeHead(refusal[0]).end(JSON.stringify({ __type: `com.amazonaws.sqs#${refusal[1]}` }))
      return
    }
    const input = JSON.parse(request.body) as Record<string, unknown>
    if (action === 'ReceiveMessage') this.#receive(response)
    else if (action === 'DeleteMessageBatch') response.end(JSON.stringify(this.#delete(input['Entries'] as DeleteEntry[])))
    else response.end('{}')
  }

  #receive(response: ServerResponse): void {
    const visible = this.messages.filter(({ isHidden }) => !isHidden).slice(0, 10)
    if (visible.length === 0) return void this.#waiting.push(() => this.#receive(response))
    const list = visible.map((message) => {
      message.isHidden = true
      return { MessageId: message.id, ReceiptHandle: `${message.id} ${++message.deliveries}`, Body: message.body }
    })
    response.end(JSON.stringify({ Messages: list }))
  }

  #delete(entries: readonly DeleteEntry[]): object {
    const failed: object[] = []
    for (const { Id, ReceiptHandle } of entries) {
      const at = this.messages.findIndex(({ id, deliveries }) => ReceiptHandle === `${id} ${deliveries}`)
      if (at < 0) failed.push({ Id, Code: 'ReceiptHandleIsInvalid', SenderFault: true })
      else this.messages.splice(at, 1)
    }
    for (const resolve of this.#onDeleted.splice(0)) resolve()
    return { Successful: [], Failed: failed }
  }
}

interface DeleteEntry {
  readonly Id: string
  readonly ReceiptHandle: string
}

/** Whether the request carries the signature of the queue's credentials. */
function isSigned(base: string, { url, headers, body }: Received): boolean {
  const names = /SignedHeaders=([^,]+)/.exec(String(headers['authorization']))?.[1]?.split(';') ?? []
  const own = ['host', 'x-amz-content-sha256', 'x-amz-date']
  const others = Object.fromEntries(names.filter((name) => !own.includes(name)).map((name) => [name, String(headers[name])]))
  const time = String(headers['x-amz-date']).replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')
  const request = { method: 'POST' as const, url: new URL(url, base), headers: others, region: 'us-east-1', service: 'sqs', body }
  return signed({ ...request, nowMs: Date.parse(time) }, CREDENTIALS)['authorization'] === headers['authorization']
}
