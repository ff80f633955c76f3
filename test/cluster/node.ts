import type { Caracal } from '../support/caracal.ts'
import { until } from '../support/until.ts'
import type { Victim } from './victim.ts'

/** One process of `caracal up`, which is started again whenever it ends, as a service manager does. */
export class Node implements Victim {
  readonly name: string
  readonly caracal: Caracal
  /** How it ended by itself, each time: the exit code or signal, and the end of its output. */
  readonly endings: string[] = []
  #running: Promise<void> | undefined
  #isOver = false
  #isKilled = false
  /** Holds back the next start after a kill. */
  #held: Promise<void> = Promise.resolve()
  #release: () => void = () => {}

  constructor(name: string, caracal: Caracal) {
    this.name = name
    this.caracal = caracal
  }

  /** Starts it for the first time; resolves when it answers. */
  async start(): Promise<void> {
    await this.caracal.start()
    this.#running = this.#keepRunning()
  }

  async #keepRunning(): Promise<void> {
    for (;;) {
      const how = await this.caracal.ended
      if (this.#isOver) return
      if (!this.#isKilled) this.endings.push(`${this.name} ended with ${how}: ${this.caracal.output.slice(-1500)}`)
      this.#isKilled = false
      await this.#held
      // One that ends while it starts is found to have ended.
      await this.caracal.start().catch(() => {})
    }
  }

  async kill(): Promise<void> {
    this.#held = new Promise((resolve) => {
      this.#release = resolve
    })
    this.#isKilled = true
    await this.caracal.end('SIGKILL')
  }

  async again(): Promise<void> {
    this.#release()
    await until(async () => (await this.status()) || undefined)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    process.kill(this.caracal.pid!, signal)
  }

  /** What `/healthz` says: `ok`, `degraded`, `failing`, `standby`; empty while nothing useful answers. */
  async status(): Promise<string> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.caracal.port}/healthz`, { signal: AbortSignal.timeout(5000) })
      const { status } = (await answer.json()) as { status: unknown }
      // A node that starts answers with a problem, whose status is a number.
      return typeof status === 'string' ? status : ''
    } catch {
      return ''
    }
  }

  async end(): Promise<void> {
    this.#isOver = true
    this.#release()
    // It may be on its way to another start.
    const over = this.#running?.then(() => true)
    while (over) {
      await this.caracal.end('SIGKILL')
      if (await Promise.race([over, new Promise<false>((resolve) => setTimeout(resolve, 200, false))])) return
    }
  }
}
