import { type SystemProblem, systemProblem } from '../../../model/system-problem.ts'
import type { Clock } from '../../../util/clock.ts'

/** How often the servers are asked whether they are there. */
const CHECK_MS = 10_000

interface HealthDeps {
  readonly clock: Clock
  readonly onProblems: (problems: readonly SystemProblem[]) => void
  /** Asks every server anything; whoever sends requests reports the outcome to `heard`. */
  readonly ask: () => Promise<unknown>
  /** What differs between the servers of a cluster, as sentences. */
  readonly differences?: () => Promise<readonly string[]>
}

/** Whether the servers answer, and have the same tables, as system problems. */
export class ServerHealth {
  readonly #deps: HealthDeps
  /** By server, why it does not answer. */
  readonly #away = new Map<string, string>()
  #differences: readonly string[] = []
  #cancel = () => {}
  #isOver = false

  constructor(deps: HealthDeps) {
    this.#deps = deps
  }

  /** Asks the servers from time to time from now on, so that the absence of one is known without rows and queries. */
  watch(): void {
    this.#cancel = this.#deps.clock.after(CHECK_MS, () => {
      void this.#check().then(() => {
        if (!this.#isOver) this.watch()
      })
    })
  }

  /** A request to a server was answered, or was not, for this reason. */
  heard(server: string, why: string | undefined): void {
    if (why === this.#away.get(server) || this.#isOver) return
    if (why === undefined) this.#away.delete(server)
    else this.#away.set(server, why)
    this.#report()
  }

  /** What differs between the servers now. While there is something, it is compared again from time to time. */
  differ(differences: readonly string[]): void {
    if (JSON.stringify(differences) === JSON.stringify(this.#differences) || this.#isOver) return
    this.#differences = differences
    this.#report()
  }

  stop(): void {
    this.#isOver = true
    this.#cancel()
  }

  async #check(): Promise<void> {
    const { ask, differences } = this.#deps
    const wasAway = this.#away.size > 0
    await ask().catch(() => {})
    if (!differences || this.#away.size > 0 || (this.#differences.length === 0 && !wasAway)) return
    await differences().then(
      (found) => this.differ(found),
      () => {},
    )
  }

  #report(): void {
    const down = [...this.#away].map(([server, why]) =>
      systemProblem('LakeDown', server, `Rows do not reach the lake: ${why}. They wait in the state, and nothing is lost.`),
    )
    const uneven = this.#differences.map((text) => systemProblem('LakeUneven', text, text))
    this.#deps.onProblems([...down, ...uneven])
  }
}
