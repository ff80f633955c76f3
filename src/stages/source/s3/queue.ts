import { messageOf, Refused, RetryLater } from '../../../util/errors.ts'
import { type AwsCredentials, signed } from '../../../util/http/aws-signature.ts'
import { retryAfterMs } from '../../../util/http/retry-after.ts'
import { type Send, shownUrl } from '../../../util/http/send.ts'

export interface QueueOptions {
  readonly url: string
  readonly region: string
  readonly send: Send
  readonly credentials: (signal: AbortSignal) => Promise<AwsCredentials>
}

export interface QueueMessage {
  /** The same whenever the message is delivered. */
  readonly id: string
  /** What the message is deleted by. */
  readonly receipt: string
  readonly body: string
}

/** For this long, a received message is not given to anyone else, seconds. */
export const HIDDEN_SECS = 60
/** How long the queue waits for a message before it answers that there is none, seconds. */
const WAIT_SECS = 20
const MAX_MESSAGES = 10
const TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/**
 * A queue of SQS or a compatible service, in its JSON protocol. All calls reject with `RetryLater` or `Refused`, and once `signal` is
 * aborted.
 */
export class Queue {
  readonly #options: QueueOptions

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /** Up to ten messages; waits for them, and returns none after a while. */
  async receive(signal: AbortSignal): Promise<readonly QueueMessage[]> {
    const limits = { MaxNumberOfMessages: MAX_MESSAGES, WaitTimeSeconds: WAIT_SECS, VisibilityTimeout: HIDDEN_SECS }
    const { Messages: messages } = await this.#ask('ReceiveMessage', limits, signal)
    const list = Array.isArray(messages) ? (messages as readonly Record<'MessageId' | 'ReceiptHandle' | 'Body', unknown>[]) : []
    return list.map(({ MessageId: id, ReceiptHandle: receipt, Body: body }) => ({
      id: String(id ?? receipt),
      receipt: String(receipt),
      body: String(body),
    }))
  }

  async delete({ receipt }: QueueMessage, signal: AbortSignal): Promise<void> {
    await this.#ask('DeleteMessage', { ReceiptHandle: receipt }, signal)
  }

  /** Deletes up to ten messages in one request. Rejects with `RetryLater` if some of them are left. */
  async deleteAll(messages: readonly QueueMessage[], signal: AbortSignal): Promise<void> {
    const entries = messages.map(({ receipt }, i) => ({ Id: String(i), ReceiptHandle: receipt }))
    const { Failed: failed } = await this.#ask('DeleteMessageBatch', { Entries: entries }, signal)
    if (!Array.isArray(failed) || failed.length === 0) return
    const code = /^[\w.]{1,80}$/.exec(String((failed[0] as { Code?: unknown }).Code))?.[0] ?? 'no reason given'
    throw new RetryLater(`${failed.length} of ${messages.length} were left (${code})`)
  }

  /** Keeps the message from being given to anyone else for another `HIDDEN_SECS`. */
  async keep({ receipt }: QueueMessage, signal: AbortSignal): Promise<void> {
    await this.#ask('ChangeMessageVisibility', { ReceiptHandle: receipt, VisibilityTimeout: HIDDEN_SECS }, signal)
  }

  async #ask(action: string, input: object, signal: AbortSignal): Promise<Record<string, unknown>> {
    const { url: queue, region, send, credentials } = this.#options
    const url = new URL('/', queue)
    const body = JSON.stringify({ QueueUrl: queue, ...input })
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` }
    const own = await credentials(signal)
    const request = {
      method: 'POST' as const,
      url,
      headers,
      region: regionOf(url) ?? region,
      service: 'sqs',
      body,
      nowMs: Date.now(),
    }
    let text: string
    let status: number
    let waitMs: number | undefined
    try {
      const all = { url, method: 'POST' as const, headers: signed(request, own), body, signal }
      const answer = await send({ ...all, timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES })
      text = Buffer.from(answer.body).toString()
      status = answer.status
      waitMs = retryAfterMs(answer.headers.get('retry-after'), Date.now())
    } catch (error) {
      signal.throwIfAborted()
      throw new RetryLater(`no answer from ${shownUrl(url)}: ${messageOf(error)}`, undefined, { cause: error })
    }
    const answered = jsonOf(text)
    if (status === 200) return answered
    const code = /([A-Za-z]{1,60})$/.exec(String(answered['__type'] ?? ''))?.[1]
    const message = `the queue answered ${status}${code === undefined ? '' : ` (${code})`}`
    if (status === 429 || status >= 500) throw new RetryLater(message, waitMs)
    throw new Refused(
      `${message}: check queue_url, and the permissions sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility`,
    )
  }
}

/** The region in the name of a queue's host at AWS. */
export function regionOf({ hostname }: URL): string | undefined {
  return /^sqs\.([a-z0-9-]{1,40})\.amazonaws\.com/.exec(hostname)?.[1]
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    return Object(text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
  } catch {
    return {}
  }
}
