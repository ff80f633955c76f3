import { configSchema, type SourceConfig } from '../../config/config.ts'
import { AUDIT_LOG_TYPE, AUDIT_SOURCE, type AuditEntry } from '../../model/audit.ts'

/** Refused calls recorded per minute of each caller, and of nobody: anyone who reaches the port can make as many as they like. */
const MAX_REFUSED = 120
const MINUTE_MS = 60_000

export interface AuditDeps {
  /** Puts a body into the spool, as from this source. */
  readonly append: (body: Uint8Array<ArrayBuffer>, receivedMs: number) => Promise<void>
  /** Called when an entry could not be stored. The call that it is about has been answered by then. */
  readonly onLost: (error: unknown, entry: AuditEntry) => void
  readonly now: () => number
}

/** Records what is done through the API as events, which take the path of all others. */
export class Audit {
  readonly #deps: AuditDeps
  #minute = 0
  /** Name of the caller, or '' for nobody, so that calls without a token do not hide those of a token → refused calls in this minute. */
  readonly #refused = new Map<string, number>()
  #leftOut = 0

  constructor(deps: AuditDeps) {
    this.#deps = deps
  }

  /** Resolves when the entry is on disk, or cannot be stored; never rejects. */
  async record(entry: AuditEntry): Promise<void> {
    const nowMs = this.#deps.now()
    if (entry.audit_event === 'refused' && !this.#hasRoom(entry.caller ?? '', nowMs)) {
      this.#leftOut++
      return
    }
    const leftOut = this.#leftOut
    this.#leftOut = 0
    const event = { time: new Date(nowMs).toISOString(), ...entry, ...(leftOut > 0 && { left_out: leftOut }) }
    try {
      await this.#deps.append(new Uint8Array(Buffer.from(`${JSON.stringify(event)}\n`)), nowMs)
    } catch (error) {
      this.#leftOut += leftOut
      this.#deps.onLost(error, entry)
    }
  }

  #hasRoom(caller: string, nowMs: number): boolean {
    const minute = Math.floor(nowMs / MINUTE_MS)
    if (minute !== this.#minute) this.#refused.clear()
    this.#minute = minute
    const refused = (this.#refused.get(caller) ?? 0) + 1
    this.#refused.set(caller, refused)
    return refused <= MAX_REFUSED
  }
}

/** The source of audit events. Its id is refused in the configuration, and it listens nowhere. */
export function auditSource(): SourceConfig {
  const written = { type: 'http', id: 'x', label: AUDIT_SOURCE, log_types: [AUDIT_LOG_TYPE], volume_alarm: false }
  return { ...configSchema.parse({ sources: [written] }).sources[0]!, id: AUDIT_SOURCE }
}
