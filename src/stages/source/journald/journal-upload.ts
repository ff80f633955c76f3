import { z } from 'zod'
import { messageOf } from '../../../util/errors.ts'
import { pause } from '../../../util/pause.ts'
import { secretReference } from '../../../util/secret.ts'
import { discardBody, discardRest } from '../read-body.ts'
import { allBodies, clip } from '../receive.ts'
import { RequestRefused, refusalOf } from '../refusal.ts'
import { requireSender } from '../shipper.ts'
import { defineSource, type Intake, type IntakeDeps, type IntakeStatus, sourceBase } from '../source.ts'
import { MalformedExport } from './export-frames.ts'
import { UploadProgress, UploadWriter } from './upload-writer.ts'

const config = z.object({
  ...sourceBase,
  token: secretReference
    .optional()
    .describe('Reference to the token that senders must use. Default: the token in the data folder.'),
  max_entry_bytes: z
    .int()
    .min(1024)
    .max(64 * 1024 * 1024)
    .default(4 * 1024 * 1024)
    .describe('Maximum size of an entry in bytes. Of a larger one, the first bytes become a dead letter.'),
  idle_timeout_ms: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(60_000)
    .describe('An upload from which nothing arrives for this many milliseconds is ended.'),
})

type Settings = z.output<typeof config>

/** A first upload holds a whole journal. What takes longer is cut, and goes on where it was when it is sent again. */
const MAX_UPLOAD_MS = 3_600_000
const RETRY_MS = 500

/** The receiving side of systemd-journal-upload. */
export const journalUpload = defineSource({
  type: 'journal_upload',
  summary: 'Receives entries of the systemd journal in its export format, as systemd-journal-upload sends them.',
  config,
  example: { id: 'journals' },
  onlyReceives: true,
  pushes: (settings, deps) => new JournalUploadIntake(settings, deps),
  listens: ({ token }) => ({ token, requestMs: MAX_UPLOAD_MS }),
})

class JournalUploadIntake implements Intake {
  readonly #settings: Settings
  readonly #deps: IntakeDeps
  readonly #stopping = new AbortController()
  readonly #progress = new UploadProgress()
  /** Why the spool does not take entries at the moment. */
  #waiting: string | undefined

  constructor(settings: Settings, deps: IntakeDeps) {
    this.#settings = settings
    this.#deps = deps
  }

  async handle(request: Request, path: string, sender = ''): Promise<Response> {
    try {
      this.#check(request, path)
      return await this.#receive(request, sender)
    } catch (error) {
      await discardBody(request)
      const { status, message, headers } = refusalOf(error)
      return new Response(`${message}\n`, { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers } })
    }
  }

  status(): IntakeStatus {
    const problems = this.#waiting ? [`entries wait: ${this.#waiting}`] : []
    return { notices: problems, problems }
  }

  async close(): Promise<void> {
    this.#stopping.abort()
  }

  #check({ method, headers }: Request, path: string): void {
    if (path !== '' && path !== '/upload')
      throw new RequestRefused(
        404,
        `there is nothing at '${clip(path)}' below the URL of this source: entries are sent to /upload`,
      )
    if (method !== 'POST') throw new RequestRefused(405, `entries are sent with POST, not ${method}`, { allow: 'POST' })
    requireSender(headers, this.#deps.authorised)
    const type = headers.get('content-type')
    if (type && !/^application\/vnd\.fdo\.journal\s*(;|$)/i.test(type))
      throw new RequestRefused(415, `content type '${clip(type)}' is not accepted: send application/vnd.fdo.journal`)
    const coding = headers.get('content-encoding') ?? 'identity'
    if (coding.toLowerCase() !== 'identity')
      throw new RequestRefused(415, `content encoding '${clip(coding)}' is not accepted: send the entries uncompressed`, {
        'accept-encoding': 'identity',
      })
  }

  async #receive(request: Request, sender: string): Promise<Response> {
    const { max_entry_bytes: maxBytes } = this.#settings
    const writer = new UploadWriter({
      maxBytes,
      progress: this.#progress,
      sender,
      memory: allBodies,
      append: (body) => this.#append(body),
    })
    const reader = request.body?.getReader()
    const { signal } = this.#stopping
    const onStop = () => void reader?.cancel().catch(() => {})
    signal.addEventListener('abort', onStop)
    try {
      for (;;) {
        const piece = reader && (await this.#piece(reader))
        if (signal.aborted) throw new RequestRefused(503, 'Caracal is stopping: send it again later')
        if (!piece) break
        await writer.write(piece)
      }
      await writer.end()
    } catch (error) {
      if (reader) await discardRest(reader)
      if (error instanceof MalformedExport)
        throw new RequestRefused(
          400,
          `this is not the journal export format: ${error.message}; the entries before that were taken`,
        )
      throw error
    } finally {
      signal.removeEventListener('abort', onStop)
      writer.close()
    }
    return new Response('taken\n', { status: 202, headers: { 'content-type': 'text/plain; charset=utf-8' } })
  }

  async #piece(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
    const { idle_timeout_ms: idleMs } = this.#settings
    let isIdle = false
    const timer = setTimeout(() => {
      isIdle = true
      void reader.cancel().catch(() => {})
    }, idleMs)
    const { value } = await reader.read().finally(() => clearTimeout(timer))
    if (isIdle) throw new RequestRefused(408, `nothing arrived for ${idleMs / 1000} s`)
    return value
  }

  /** Waits for room in the spool, and lets the sender wait: one that is refused would begin again from its start. */
  async #append(body: Buffer): Promise<void> {
    const { signal } = this.#stopping
    const entry = { decoding: 'journal-export', receivedMs: this.#deps.now() }
    for (;;) {
      try {
        await this.#deps.append(Uint8Array.from(body), entry)
        this.#waiting = undefined
        return
      } catch (error) {
        this.#waiting = messageOf(error)
        if (signal.aborted) throw error
        await pause(RETRY_MS, signal)
      }
    }
  }
}
