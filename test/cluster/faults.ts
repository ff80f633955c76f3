import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../support/until.ts'
import type { Victim } from './victim.ts'

/** Chooses a victim of its kind when it is needed: which node is active changes. */
export type Kind = () => Promise<Victim>

/** What was done, for the line of figures. */
export interface Done {
  kills: number
  stops: number
}

/** Kills and stops victims of all kinds as records arrive: spread over them evenly, and faster where that takes too long. */
export class Faults {
  readonly done: Done = { kills: 0, stops: 0 }
  /** One line each, with the time. */
  readonly log: string[] = []
  readonly #kinds: readonly Kind[]
  readonly #random: () => number
  /** 0 to 1: how much of the records has been sent. */
  readonly #progress: () => number
  readonly #busy = new Set<Victim>()

  constructor(kinds: readonly Kind[], random: () => number, progress: () => number) {
    this.#kinds = kinds
    this.#random = random
    this.#progress = progress
  }

  /** SIGKILLs, one after the other. Each victim is started again within seconds, with its data. */
  async kill(count: number): Promise<void> {
    for (const [kind, { at, wait }] of this.#plan(count)) {
      await until(() => this.#progress() >= at || undefined)
      await this.#with(kind, async (victim) => {
        this.#note(`kill ${victim.name}`)
        await victim.kill()
        await sleep(wait * 2000)
        await victim.again()
        this.#note(`${victim.name} answers again`)
        this.done.kills++
      })
    }
  }

  /** SIGSTOPs, each followed by SIGCONT after about that time; beside the kills of others. */
  async stop(count: number, seconds: number): Promise<void> {
    for (const [kind, { at, wait }] of this.#plan(count)) {
      await until(() => this.#progress() >= at || undefined)
      await this.#with(kind, async (victim) => {
        this.#note(`stop ${victim.name}`)
        victim.signal('SIGSTOP')
        await sleep((0.75 + wait / 2) * seconds * 1000)
        victim.signal('SIGCONT')
        this.#note(`${victim.name} continues`)
        this.done.stops++
      })
    }
  }

  #note(text: string): void {
    this.log.push(`${new Date().toISOString()} ${text}`)
  }

  async #with(kind: Kind, act: (victim: Victim) => Promise<void>): Promise<void> {
    const victim = await until(async () => {
      const chosen = await kind()
      return this.#busy.has(chosen) ? undefined : chosen
    })
    this.#busy.add(victim)
    await act(victim)
    this.#busy.delete(victim)
  }

  /** Decided at once, so that they depend on the seed alone: each kind as often as the others, in any order. */
  #plan(count: number): [Kind, { readonly at: number; readonly wait: number }][] {
    const kinds: Kind[] = []
    while (kinds.length < count) {
      const rest = [...this.#kinds]
      while (rest.length > 0) kinds.push(...rest.splice(Math.floor(this.#random() * rest.length), 1))
    }
    return kinds.slice(0, count).map((kind, i) => [kind, { at: (i + this.#random()) / count, wait: this.#random() }])
  }
}
