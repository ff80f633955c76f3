import { messageOf } from '../../util/errors.ts'
import { Inflater } from './inflater.ts'

/** Why a body was not taken, as an HTTP answer. */
export class BodyRefused extends Error {
  readonly status: 400 | 408 | 413

  constructor(status: 400 | 408 | 413, message: string) {
    super(message)
    this.status = status
  }
}

export interface BodyLimits {
  /** Uncompressed bytes. */
  readonly maxBytes: number
  /** The whole body must be there within this time. */
  readonly timeoutMs: number
}

/**
 * Reads a request body, decompressing gzip when the content is gzip (headers are not believed), never holding more than
 * the limit. Throws `BodyRefused` for a body that is too large, too slow or cannot be decompressed.
 */
export async function readBody(request: Request, { maxBytes, timeoutMs }: BodyLimits): Promise<Uint8Array> {
  if (!request.body) return new Uint8Array()
  const deadline = AbortSignal.timeout(timeoutMs)
  const reader = request.body.getReader()
  const onDeadline = () => void reader.cancel(new Error('too slow')).catch(() => {})
  deadline.addEventListener('abort', onDeadline)
  const sink = new Sink(maxBytes)
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (deadline.aborted)
        throw new BodyRefused(408, `the body did not arrive within ${timeoutMs / 1000} s; send smaller bodies`)
      if (done) break
      await sink.write(value)
    }
    return await sink.end()
  } catch (error) {
    sink.destroy()
    if (error instanceof BodyRefused && error.status !== 408) await discard(reader)
    else void reader.cancel(error).catch(() => {})
    if (error instanceof BodyRefused) throw error
    if (deadline.aborted) throw new BodyRefused(408, `the body did not arrive within ${timeoutMs / 1000} s; send smaller bodies`)
    throw new BodyRefused(400, `the body could not be read: ${messageOf(error)}`)
  } finally {
    deadline.removeEventListener('abort', onDeadline)
  }
}

/** Of a refused body at most this much is read and thrown away, for at most so long. */
const DISCARD_BYTES = 64 * 1024 * 1024
const DISCARD_MS = 2000

/**
 * Reads what is left of a body that is refused. Most senders read the answer only when they have sent everything: one that is
 * hung up on in the middle sees a broken connection and no reason.
 */
export async function discardBody(request: Request): Promise<void> {
  if (request.body && !request.bodyUsed) await discard(request.body.getReader())
}

async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), DISCARD_MS)
  try {
    for (let seen = 0; seen < DISCARD_BYTES; ) {
      const { value, done } = await reader.read()
      if (done) return
      seen += value.length
    }
    await reader.cancel()
  } catch {
    // The sender has gone: there is nobody to answer.
  } finally {
    clearTimeout(timer)
  }
}

/** Compressed bytes given to zlib at a time: the output of one step is held before the limit is looked at. */
const COMPRESSED_STEP = 8192

/** Collects bytes up to a limit; the first two decide whether they go through gunzip. */
class Sink {
  readonly #maxBytes: number
  readonly #parts: Uint8Array[] = []
  #size = 0
  #inflater: Inflater | undefined
  #head: Uint8Array | undefined
  #decided = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#decided) return this.#forward(bytes)
    const head = this.#head ? Buffer.concat([this.#head, bytes]) : bytes
    this.#head = head
    if (head.length >= 2) await this.#decide()
  }

  async end(): Promise<Uint8Array> {
    if (!this.#decided) await this.#decide()
    await this.#inflater?.finish()
    this.#check()
    return this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
  }

  destroy(): void {
    this.#inflater?.destroy()
  }

  async #decide(): Promise<void> {
    this.#decided = true
    const head = this.#head ?? new Uint8Array()
    if (head[0] === 0x1f && head[1] === 0x8b) this.#inflater = new Inflater((chunk) => this.#keep(chunk))
    await this.#forward(head)
  }

  async #forward(bytes: Uint8Array): Promise<void> {
    if (!this.#inflater) this.#keep(bytes)
    for (let at = 0; this.#inflater && at < bytes.length; at += COMPRESSED_STEP) {
      await this.#inflater.write(bytes.subarray(at, at + COMPRESSED_STEP))
      this.#check()
    }
    this.#check()
  }

  #keep(bytes: Uint8Array): void {
    this.#size += bytes.length
    if (this.#size > this.#maxBytes) this.#parts.length = 0
    else this.#parts.push(bytes)
  }

  #check(): void {
    if (this.#size > this.#maxBytes)
      throw new BodyRefused(413, `the body is larger than ${this.#maxBytes} bytes uncompressed; split it`)
    const fault = this.#inflater?.fault
    if (fault !== undefined) throw new BodyRefused(400, `the body begins like gzip and cannot be decompressed: ${fault}`)
  }
}
