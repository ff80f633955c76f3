import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { until } from './until.ts'

const MINUTE_MS = 60_000

/** The clock of a program that is started with its `nodeArgs`: it runs as usual, ahead of the real one. */
export class SteppedClock {
  readonly nodeArgs: readonly string[]
  readonly #file: string
  readonly #base: number

  /** `base`: minutes that are added to every step. */
  constructor(folder: string, base = 0) {
    this.#file = join(folder, 'ahead')
    this.#base = base
    writeFileSync(this.#file, String(base * MINUTE_MS))
    const module = pathToFileURL(join(import.meta.dirname, 'stepped-clock.mjs'))
    module.searchParams.set('file', this.#file)
    this.nodeArgs = ['--import', module.href]
  }

  /** Steps to that many minutes ahead of the real clock, and resolves when the program's main thread is there. */
  async stepTo(minutes: number): Promise<void> {
    const ahead = String((minutes + this.#base) * MINUTE_MS)
    writeFileSync(this.#file, ahead)
    await until(() => (readFileSync(`${this.#file}.seen`, 'utf8') === ahead ? true : undefined))
  }
}
