import type { Hints } from '../../model/chunk.ts'
import type { JsonObject } from '../../model/json.ts'
import { sendNothing } from '../../util/http/send.ts'
import { stringifyJson } from '../../util/json.ts'
import { decodeBody } from './decoders/decode.ts'
import type { Intake, IntakeDeps, SpoolEntry } from './source.ts'

/** 2023-11-14T22:13:20Z. */
export const NOW_MS = 1_700_000_000_000

/** A source's intake with a spool in memory, whose senders' token is `good`. */
export class Shipped {
  readonly bodies: { readonly body: Uint8Array; readonly entry: SpoolEntry }[] = []
  /** Thrown in place of storing a body. */
  refuse: unknown
  nowMs = NOW_MS
  #intake: Promise<Intake>

  constructor(open: (deps: IntakeDeps) => Intake | Promise<Intake>) {
    this.#intake = Promise.resolve(
      open({
        append: async (body, entry) => {
          if (this.refuse) throw this.refuse
          this.bodies.push({ body: Uint8Array.from(body), entry })
        },
        now: () => this.nowMs,
        authorised: (token) => token === 'good',
        send: sendNothing,
        secret: () => '',
      }),
    )
  }

  async send(
    path: string,
    init: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: unknown } = {},
  ) {
    const { method = 'POST', headers = {}, body } = init
    const sent = body === undefined || body instanceof Uint8Array || typeof body === 'string' ? body : JSON.stringify(body)
    const all = { authorization: 'Bearer good', 'content-type': 'application/json', ...headers }
    const own = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
    const url = new URL(path, 'http://x/')
    const request = new Request(url, { method, headers: own, body: (sent as string | undefined) ?? null })
    const response = await (await this.#intake).handle!(request, url.pathname)
    const text = await response.text()
    const type = response.headers.get('content-type') ?? ''
    return { status: response.status, body: type.includes('json') ? JSON.parse(text) : text, headers: response.headers }
  }

  /** The records in the spool, each with the hints that apply to it. */
  records(): { readonly text: string; readonly hints: object }[] {
    return this.bodies.flatMap(({ body, entry }) => {
      const decoded = decodeBody(body, entry.decoding)
      if ('broken' in decoded) throw new Error(decoded.broken)
      const { bytes, records = new Uint32Array(), hints = [] } = decoded
      return Array.from({ length: records.length / 2 }, (_, i) => {
        const [from, to] = [records[2 * i]!, records[2 * i + 1]!]
        const text = Buffer.from(bytes.subarray(from, to)).toString().trim()
        return { text, hints: plain(hints.findLast((hint) => hint.from <= from)?.hints ?? {}) }
      })
    })
  }

  texts(): string[] {
    return this.records().map(({ text }) => text)
  }
}

/** Without members that have no value, and with large integers as text. */
function plain(hints: Hints): object {
  return JSON.parse(stringifyJson(hints as JsonObject).replace(/(?<=:)\d{17,}(?=[,}])/g, '"$&"'))
}
