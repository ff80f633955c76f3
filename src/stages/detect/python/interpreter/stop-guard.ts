import vm from 'node:vm'

/** A signal has ended the running code, and the interpreter is no longer usable. */
export class Stopped extends Error {
  /** It came too early to be about the running code: it was meant for earlier work, or did not come from the engine. */
  readonly isEarly: boolean

  constructor(isEarly: boolean) {
    super('the Python child was stopped by a signal')
    this.isEarly = isEarly
  }
}

/**
 * Runs code that SIGINT ends anywhere, even in a loop of the interpreter itself (`sum(range(10 ** 12))`), which never checks
 * whether it should stop. One of Node's threads waits for the signal, and V8 ends the code at the next iteration of any loop; the
 * memory stays readable, so the mark identifies the call. Outside of `run` the signal has no effect.
 */
export class StopGuard {
  readonly #place: { go: () => void } = { go: () => {} }
  readonly #context = vm.createContext(this.#place)
  // Saved before the process is sealed.
  readonly #script = new vm.Script('go()')
  readonly #runInContext = vm.Script.prototype.runInContext

  /** Throws `Stopped`, and anything that `work` throws. Takes about 60 µs. */
  run(work: () => void, limitMs: number): void {
    const started = performance.now()
    this.#place.go = work
    try {
      this.#runInContext.call(this.#script, this.#context, { breakOnSigint: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException | undefined)?.code !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') throw error
      throw new Stopped(performance.now() - started < limitMs)
    } finally {
      this.#place.go = () => {}
    }
  }
}
