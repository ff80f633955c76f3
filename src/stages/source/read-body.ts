import { isUtf8 } from 'node:buffer'
import { messageOf } from '../../util/errors.ts'
import type { BodyMemory } from './body-memory.ts'
import { BrokenCoding, type Coding, type Decoder, decoderOf, SniffingDecoder, sniff, TooMuch } from './content-coding.ts'

/** Why a body was refused, as an HTTP response. */
export class BodyRefused extends Error {
  readonly status: 400 | 408 | 413 | 503

  constructor(status: 400 | 408 | 413 | 503, message: string) {
    super(message)
    this.status = status
  }
}

export interface BodyLimits {
  /** Maximum number of bytes after decompression. */
  readonly maxBytes: number
  /** Time limit for receiving the whole body. */
  readonly timeoutMs: number
  /** Accounts for the memory of the body while it is being read. */
  readonly memory: BodyMemory
  /** Called with the bytes as they arrive, before they are decompressed. */
  readonly onBytes?: ((bytes: Uint8Array) => void) | undefined
}

/**
 * Reads a request body, undoes its codings and passes it to `take`, never exceeding the limits in memory; its memory is accounted for
 * until `take` has settled. Throws `BodyRefused` for a body that is too large, too slow or cannot be decompressed.
 */
export async function readBody<T>(
  request: Request,
  codings: readonly Coding[],
  limits: BodyLimits,
  take: (body: Uint8Array) => Promise<T>,
): Promise<T> {
  const sink = new Sink(limits, codings)
  try {
    return await take(await receive(request, sink, limits))
  } finally {
    sink.close()
  }
}

async function receive(request: Request, sink: Sink, { maxBytes, timeoutMs, onBytes }: BodyLimits): Promise<Uint8Array> {
  if (!request.body) return new Uint8Array()
  const deadline = AbortSignal.timeout(timeoutMs)
  const reader = request.body.getReader()
  const onDeadline = () => void reader.cancel(new Error('too slow')).catch(() => {})
  deadline.addEventListener('abort', onDeadline)
  const tooSlow = () => new BodyRefused(408, `the body did not arrive within ${timeoutMs / 1000} s; send smaller bodies`)
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (deadline.aborted) throw tooSlow()
      if (done) break
      onBytes?.(value)
      await sink.write(value)
    }
    return await sink.end()
  } catch (caught) {
    const error = deadline.aborted ? tooSlow() : refusalOf(caught, maxBytes)
    if (error.status === 408) void reader.cancel(error).catch(() => {})
    else await discardRest(reader)
    throw error
  } finally {
    deadline.removeEventListener('abort', onDeadline)
  }
}

function refusalOf(error: unknown, maxBytes: number): BodyRefused {
  if (error instanceof BodyRefused) return error
  if (error instanceof TooMuch) return new BodyRefused(413, `the body is larger than ${maxBytes} bytes uncompressed; split it`)
  if (error instanceof BrokenCoding) return new BodyRefused(400, `the body cannot be decompressed: ${error.message}`)
  return new BodyRefused(400, `the body could not be read: ${messageOf(error)}`)
}

/** Size and time limits for reading and discarding the rest of a refused body. */
const DISCARD_BYTES = 64 * 1024 * 1024
const DISCARD_MS = 2000

/**
 * Reads the rest of a refused body. Most senders read the response only after sending everything: if the connection were closed before
 * that, they would see a broken connection instead of the reason.
 */
export async function discardBody(request: Request): Promise<void> {
  if (request.body && !request.bodyUsed) await discardRest(request.body.getReader())
}

/** The same for a body of which a part was read. */
export async function discardRest(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), DISCARD_MS)
  try {
    for (let seen = 0; seen < DISCARD_BYTES; ) {
      const { value, done } = await reader.read()
      if (done) return
      seen += value.length
    }
    await reader.cancel()
  } catch {
    // The sender is gone and needs no answer.
  } finally {
    clearTimeout(timer)
  }
}

/** Collects a body's decoded content, up to a limit. */
class Sink {
  readonly #limits: BodyLimits
  readonly #decoders: Decoder[]
  readonly #parts: Uint8Array[] = []
  #size = 0
  /** Bytes accounted for: the body, and what decoders hold back. */
  #held = 0
  /** A coding that is announced although the body does not begin like it. */
  #absent: Coding | undefined

  constructor(limits: BodyLimits, codings: readonly Coding[]) {
    this.#limits = limits
    // The last one applied is undone first.
    const undo = codings.toReversed()
    const inner = undo.slice(1).map((coding) => this.#decoder(coding))
    this.#decoders = [new SniffingDecoder(4, (head) => this.#outermost(head, undo)), ...inner]
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#pass(bytes, 0)
  }

  async end(): Promise<Uint8Array> {
    for (const [i, decoder] of this.#decoders.entries()) for (const part of await decoder.end()) await this.#pass(part, i + 1)
    const body = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
    if (this.#absent !== undefined && !isText(body)) throw new BrokenCoding(`it does not begin like ${this.#absent}`)
    return body
  }

  /** Frees the decoders and the accounted memory. */
  close(): void {
    for (const decoder of this.#decoders) decoder.destroy()
    this.#limits.memory.release(this.#held)
    this.#held = 0
  }

  async #pass(bytes: Uint8Array, from: number): Promise<void> {
    const decoder = this.#decoders[from]
    if (!decoder) this.#keep(bytes)
    else for (const part of await decoder.write(bytes)) await this.#pass(part, from + 1)
  }

  /** Gzip and zstd are recognised by content, whether announced or not. */
  #outermost(head: Uint8Array, undo: readonly Coding[]): Decoder | undefined {
    const [announced] = undo
    const seen = sniff(head)
    if (announced === undefined) return seen && this.#decoder(seen)
    const hasMagic = announced === 'gzip' || announced === 'zstd'
    if (!hasMagic || seen === announced || undo.length > 1) return this.#decoder(announced)
    // A proxy that has decompressed a body may leave the header in place; if the body is text, assume that.
    this.#absent = announced
    return undefined
  }

  #decoder(coding: Coding): Decoder {
    return decoderOf(coding, { maxBytes: this.#limits.maxBytes, hold: (bytes) => this.#hold(bytes) })
  }

  #hold(bytes: number): void {
    if (!this.#limits.memory.take(bytes)) throw new BodyRefused(503, 'too many bodies are being read; try again')
    this.#held += bytes
  }

  #keep(bytes: Uint8Array): void {
    if (this.#size + bytes.length > this.#limits.maxBytes) throw new TooMuch()
    this.#hold(bytes.length)
    this.#size += bytes.length
    this.#parts.push(bytes)
  }
}

/** True for UTF-8 without control characters, which excludes compressed and damaged data. */
function isText(body: Uint8Array): boolean {
  return isUtf8(body) && body.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0x1e)
}
