import { createForwardingApp, forwarderOf } from '../api/forwarding-app.ts'
import { starting } from '../api/starting.ts'
import type { Config } from '../config/config.ts'
import { startStandby } from '../engine/api-node.ts'
import type { Log } from '../telemetry/log.ts'

interface Forwarding {
  readonly app: ReturnType<typeof createForwardingApp>
  readonly stop: () => Promise<void>
}

/** What a process serves before its engine has started: while another one is active, what that one answers. */
export class Standby {
  readonly #config: Config
  readonly #log: Log
  #isWaiting = false
  #forwarding: Promise<Forwarding> | undefined

  constructor(config: Config, log: Log) {
    this.#config = config
    this.#log = log
  }

  /** Another process is active. */
  begin(): void {
    this.#isWaiting = true
  }

  async fetch(request: Request, connection: object): Promise<Response> {
    if (!this.#isWaiting) return starting()
    // The first active node of all creates the state, which cannot be read before.
    this.#forwarding ??= this.#open().catch((error: unknown) => {
      this.#forwarding = undefined
      throw error
    })
    const forwarding = await this.#forwarding.catch(() => undefined)
    return forwarding ? forwarding.app.fetch(request, connection) : starting()
  }

  /** Closes what it has opened. Never rejects. */
  async stop(): Promise<void> {
    this.#isWaiting = false
    await this.#forwarding?.then(
      ({ stop }) => stop(),
      () => {},
    )
  }

  async #open(): Promise<Forwarding> {
    const node = await startStandby(this.#config)
    const forwarder = forwarderOf(node.node, node)
    return {
      app: createForwardingApp(node, forwarder, 'standby', this.#log),
      stop: async () => {
        forwarder.close()
        await node.stop()
      },
    }
  }
}
