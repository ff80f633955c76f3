import type { SourceConfig } from '../../config/config.ts'
import { environment, resolveSecret } from '../../config/env.ts'
import { AUDIT_SOURCE } from '../../model/audit.ts'
import { sources as definitions } from '../../stages/source/index.ts'
import type { Intake, IntakeDeps } from '../../stages/source/source.ts'
import { sameSecret } from '../../util/bearer.ts'
import { find } from '../../util/define.ts'
import type { Send } from '../../util/http/send.ts'
import { senderAddress } from '../../util/sender-address.ts'
import type { Tokens } from '../accounts/tokens.ts'
import type { SpoolThread } from '../threads.ts'

export interface IntakesDeps {
  readonly spool: SpoolThread
  readonly tokens: Pick<Tokens, 'maySend'>
  readonly send: Send
}

/** The receivers of push sources. */
export class Intakes {
  readonly #deps: IntakesDeps
  readonly #running = new Map<string, Intake>()

  private constructor(deps: IntakesDeps) {
    this.#deps = deps
  }

  /** Creates the receiver of each push source. If one cannot start, those before it are closed again. */
  static async open(sources: readonly SourceConfig[], deps: IntakesDeps): Promise<Intakes> {
    const intakes = new Intakes(deps)
    try {
      for (const source of sources) await intakes.open(source)
      return intakes
    } catch (error) {
      await intakes.closeAll()
      throw error
    }
  }

  /** By source id. */
  get running(): ReadonlyMap<string, Intake> {
    return this.#running
  }

  /** Begins to receive for a source; does nothing for one that does not push. Rejects if it cannot start. */
  async open(source: SourceConfig): Promise<void> {
    const { spool, tokens, send } = this.#deps
    const definition = find('source', definitions, source.type)
    if (!definition.pushes || source.id === AUDIT_SOURCE) return
    const reference = definition.listens?.(source as never).token
    const expected = reference && resolveSecret(reference, environment())
    const deps: IntakeDeps = {
      append: (body, entry) => {
        const own = body.byteLength === body.buffer.byteLength ? body : new Uint8Array(body)
        return spool.rpc.move('append', { sourceId: source.id, ...entry, body: own }, [own.buffer as ArrayBuffer])
      },
      now: Date.now,
      authorised: (given) => (expected === undefined ? tokens.maySend(given, senderAddress()) : sameSecret(given, expected)),
      send,
      secret: (to) => resolveSecret(to, environment()),
    }
    this.#running.set(source.id, await definition.pushes(source as never, deps))
  }

  /** Ends receiving for a source: everything that was acknowledged is on disk. */
  async close(sourceId: string): Promise<void> {
    const intake = this.#running.get(sourceId)
    this.#running.delete(sourceId)
    await intake?.close()
  }

  async closeAll(): Promise<void> {
    for (const id of [...this.#running.keys()]) await this.close(id)
  }
}
