import { z } from 'zod'
import { messageOf, Refused, RetryLater } from '../../util/errors.ts'
import type { OpenSocket, Socket } from '../../util/http/open-socket.ts'
import { inTime, pause } from '../../util/pause.ts'
import type { SlackMethod } from './slack-api.ts'

export interface SlackSocketDeps {
  /** With the rights of the app-level token. */
  readonly app: SlackMethod
  readonly socket: OpenSocket
  /** Called for each interaction, once, with the id of the app that it is for. The envelope is acknowledged when it resolves, or in time. */
  readonly onInteraction: (payload: unknown, appId: string) => Promise<void>
  /** Reports why interactions do not arrive; `undefined`: they do. */
  readonly onTrouble: (message: string | undefined) => void
}

/** Slack tells the person that it failed unless an envelope is acknowledged within 3 seconds. */
const ACKNOWLEDGE_WITHIN_MS = 2000
const RETRY_MIN_MS = 1000
const RETRY_MAX_MS = 300_000
/** Consecutive failures before they are reported: a connection may break at any time. */
const MAX_FAILED = 3
const MAX_TEXT_CHARS = 1024 * 1024
/** Envelopes are sent again if they are not acknowledged in time; this many are remembered. */
const MAX_SEEN = 1000

const envelope = z.object({
  type: z.string().max(100),
  envelope_id: z.string().min(1).max(200).optional(),
  reason: z.string().max(100).optional(),
  connection_info: z.object({ app_id: z.string().min(1).max(100) }).optional(),
  payload: z.unknown().optional(),
})

/**
 * A Socket Mode connection to Slack, which is opened again whenever it ends: `apps.connections.open` returns the URL of a WebSocket, on
 * which Slack says `hello`, sends an envelope for each interaction, and announces with `disconnect` that it will close the connection.
 * Source: https://docs.slack.dev/apis/events-api/using-socket-mode.
 */
export class SlackSocket {
  readonly #deps: SlackSocketDeps
  readonly #stopping = new AbortController()
  readonly #seen = new Set<string>()
  readonly #sockets = new Set<Socket>()
  #done: Promise<void> | undefined

  constructor(deps: SlackSocketDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#done ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const socket of this.#sockets) socket.close()
    await this.#done
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    for (let failed = 0; !signal.aborted; ) {
      // The next connection is not opened at once even where Slack asked for it: the old one stays open meanwhile.
      let waitMs = RETRY_MIN_MS
      try {
        await this.#connection(() => {
          failed = 0
          this.#deps.onTrouble(undefined)
        })
      } catch (error) {
        if (signal.aborted) return
        failed++
        const isFinal = error instanceof Refused
        if (isFinal || failed >= MAX_FAILED) this.#deps.onTrouble(messageOf(error))
        const asked = error instanceof RetryLater ? (error.afterMs ?? 0) : 0
        waitMs = Math.max(asked, isFinal ? RETRY_MAX_MS : Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(failed - 1, 20)))
      }
      await pause(waitMs, signal)
    }
  }

  /**
   * Opens one connection. Resolves when Slack wants it replaced: it stays open until Slack closes it, so that nothing is missed in between.
   * Rejects when it ends for another reason.
   */
  async #connection(onHello: () => void): Promise<void> {
    const { app, socket: open } = this.#deps
    const { url } = await app('apps.connections.open', {}, { signal: this.#stopping.signal })
    if (typeof url !== 'string') throw new Refused('Slack answered without the URL of a connection')
    return new Promise((resolve, reject) => {
      let appId: string | undefined
      const socket = open(url, {
        onText: (text) => {
          const message = read(text)
          if (message?.type === 'hello') {
            appId = message.connection_info?.app_id
            onHello()
          } else if (message?.type === 'disconnect') {
            if (message.reason === 'link_disabled')
              reject(new Refused('Socket Mode is switched off in the settings of the Slack app'))
            else resolve()
          } else if (message?.envelope_id !== undefined) {
            void this.#receive({ ...message, envelope_id: message.envelope_id }, appId, socket)
          }
        },
        onClose: (why) => {
          this.#sockets.delete(socket)
          reject(new RetryLater(`Slack: ${why}`))
        },
      })
      this.#sockets.add(socket)
    })
  }

  async #receive(
    { type, envelope_id, payload }: z.output<typeof envelope> & { envelope_id: string },
    appId: string | undefined,
    socket: Socket,
  ): Promise<void> {
    const isNew = !this.#seen.has(envelope_id)
    this.#seen.add(envelope_id)
    if (this.#seen.size > MAX_SEEN) this.#seen.delete(this.#seen.values().next().value!)
    if (isNew && type === 'interactive' && appId !== undefined) {
      const handled = this.#deps.onInteraction(payload, appId).catch(() => {})
      await inTime(handled, ACKNOWLEDGE_WITHIN_MS)
    }
    socket.send(JSON.stringify({ envelope_id }))
  }
}

function read(text: string): z.output<typeof envelope> | undefined {
  if (text.length > MAX_TEXT_CHARS) return undefined
  try {
    return envelope.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
