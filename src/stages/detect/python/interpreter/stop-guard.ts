import vm from 'node:vm'

/** A signal has ended what ran: it is gone, and the interpreter is not usable any more. */
export class Stopped extends Error {
  /** It came too soon to be about what ran: it was meant for work before it, or did not come from the engine. */
  readonly isEarly: boolean

  constructor(isEarly: boolean) {
    super('the Python child was stopped by a signal')
    this.isEarly = isEarly
  }
}

/**
 * Runs code that SIGINT ends wherever it is, also in a loop of the interpreter itself (`sum(range(10 ** 12))`), which never looks
 * whether it should stop. Node's own thread waits for the signal, and V8 ends the code at the next turn of any loop; the
 * memory stays readable, so that the mark tells which call it was. Outside of `run` the signal does nothing.
 */
export class StopGuard {
  readonly #place: { go: () => void } = { go: () => {} }
  readonly #context = vm.createContext(this.#place)
  // Taken before the process is sealed.
  readonly #script = new vm.Script('go()')
  readonly #runInContext = vm.Script.prototype.runInContext

  /** Throws `Stopped`, and what `work` throws. About 60 µs. */
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
