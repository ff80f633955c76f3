import type { TableRows } from '../../../../model/lookup.ts'
import type { RuleError } from '../../../../model/match.ts'
import type { RuleSet } from '../rules.ts'
import { type Checked, readCompiled, readEvaluation, readLoad, readTests } from '../sandbox/answer.ts'
import type { CompiledCode } from '../sandbox/compiled-code.ts'
import {
  type EvaluateAnswer,
  type EvaluateHeader,
  loadingItem,
  type Source,
  type TamperingAnswer,
  type TestAnswer,
  type TestRequest,
} from '../sandbox/protocol.ts'
import type { FindRow } from '../sandbox/row-answer.ts'
import { MalformedAnswer, type Sandbox, SandboxDied } from '../sandbox/sandbox.ts'
import { startSandbox } from '../sandbox/snapshot.ts'
import { type CacheItem, CacheMirror, type CacheReader } from './cache-mirror.ts'
import { ruleError } from './findings.ts'
import { LeftOut } from './left-out.ts'
import type { Crossing } from './split.ts'

const encoder = new TextEncoder()

/** Minimum time limit for importing a file; a longer call limit applies to imports as well. */
const IMPORT_MS = 1000

/** Rules do not run while they are compiled; this allows for a large file on a small machine. */
const COMPILE_MS = 10_000

/** Time without a new spare after one that was not needed. */
const NO_SPARE_MS = 60_000

/** A few megabytes of cache entries are read in less than a second; this allows for a very busy machine. */
const FILL_MS = 30_000

/** The result of another attempt to load. */
export interface Retried {
  readonly sandbox: Sandbox
  readonly left: LeftOut
  /** Ids of rules and data models that are loaded now and were not before. */
  readonly back: readonly string[]
}

/** A second child that starts and loads the rules while the first one judges. */
interface Spare {
  /** With the rules loaded, or dead. */
  readonly loaded: Promise<Sandbox>
  readonly ended: AbortController
}

/** The value of an answer. A malformed one ends the child, whose state cannot be trusted any more. */
async function accepted<T>(answer: Checked<T>, sandbox: Sandbox): Promise<T> {
  if ('value' in answer) return answer.value
  await sandbox.close()
  throw new MalformedAnswer(answer.malformed)
}

async function fill(sandbox: Sandbox, items: readonly CacheItem[]): Promise<void> {
  const request = { kind: 'fill', timeoutMs: FILL_MS, careful: false } as const
  await sandbox.request([[request, encoder.encode(JSON.stringify(items))]], FILL_MS)
}

/** A child with the rules loaded; replaced when it dies. */
export class Runtime {
  readonly #set: RuleSet
  readonly #timeoutMs: number
  /** The rule cache as the child knows it. */
  readonly mirror: CacheMirror
  readonly #cache: CacheReader
  readonly #compiled: CompiledCode
  readonly #start: (signal?: AbortSignal) => Promise<Sandbox>
  #left = new LeftOut()
  /** Rules whose errors the first load has reported; errors that come later are reported with each event. */
  #reported: ReadonlySet<string> | undefined
  #sandbox: Sandbox | undefined
  #spare: Spare | undefined
  /** Earliest time (ms of a monotonic clock) for the next spare, since the last one was not needed. */
  #noSpareUntilMs = 0
  #isClosed = false
  readonly #closed = new AbortController()

  constructor(
    set: RuleSet,
    timeoutMs: number,
    compiled: CompiledCode,
    mirror: CacheMirror = new CacheMirror([]),
    start: (signal?: AbortSignal) => Promise<Sandbox> = startSandbox,
  ) {
    this.#compiled = compiled
    this.#start = start
    this.#set = set
    this.#timeoutMs = timeoutMs
    this.mirror = mirror
    this.#cache = mirror.reader()
  }

  /** Rules that could not be loaded; the first load sets it. */
  get loadErrors(): readonly RuleError[] {
    return this.#left.errors
  }

  /** Rules failed to load for a reason that may pass: `retry` may help. */
  get mayRecover(): boolean {
    return this.#left.mayRecover
  }

  /** Some helper could not be imported in time; the rules that import it report this as their own error. */
  get hasBroken(): boolean {
    return this.#left.broken.size > 0
  }

  /** Process id of the living child. */
  get pid(): number | undefined {
    return this.#sandbox?.alive ? this.#sandbox.pid : undefined
  }

  /** Rules have been loaded at least once, so `loadErrors` says which could not be. */
  get isLoaded(): boolean {
    return this.#reported !== undefined
  }

  /** Starts a child and loads the rules, unless one is alive. Rejects if that is impossible. */
  async ready(): Promise<void> {
    while (!this.#sandbox?.alive) {
      if (this.#isClosed) throw new Error('the Python detector is closed')
      await this.#sandbox?.close()
      const spare = this.#spare
      this.#spare = undefined
      this.#sandbox = await (spare ? spare.loaded : this.#loaded())
      if (this.#isClosed) await this.#sandbox.close()
      else if (this.#sandbox.alive) await this.#fill(this.#sandbox)
    }
    this.#reported ??= new Set(this.loadErrors.map((error) => error.ruleId))
  }

  /** The rule could not be loaded at first, and that has been reported. */
  isUnloadable(ruleId: string): boolean {
    return this.#reported?.has(ruleId) ?? false
  }

  /** The rule was loaded once but could not be loaded into a later child. */
  lostRule(ruleId: string): { readonly cause: RuleError['cause']; readonly message: string } | undefined {
    return this.isUnloadable(ruleId) ? undefined : this.loadErrors.find((error) => error.ruleId === ruleId)
  }

  /** Rejects with `SandboxDied` when the child dies of it. After a `TamperingAnswer` the child has been ended. */
  async evaluate(
    header: EvaluateHeader,
    { ndjson, count }: Pick<Crossing, 'ndjson' | 'count'>,
    tables?: TableRows,
  ): Promise<EvaluateAnswer | TamperingAnswer> {
    await this.ready()
    const missed = this.#cache.missed()
    if (missed.length > 0) await fill(this.#sandbox!, missed)
    const request = {
      kind: 'evaluate',
      timeoutMs: this.#timeoutMs,
      careful: header.careful,
      header: JSON.stringify(header),
      ...(tables && { tables: tables.stamp }),
    } as const
    const options = { careful: header.careful, onSlow: () => this.#warm(), findRow: tables?.find }
    const bytes = await this.#sandbox!.request([[request, ndjson]], this.#timeoutMs, options)
    const answer = await accepted(readEvaluation(bytes, header, count), this.#sandbox!)
    if ('changed' in answer) {
      await this.#sandbox!.close()
      return answer
    }
    await this.#cool()
    this.#cache.add(answer)
    return answer
  }

  /** A batch could not be judged: its changes to the rule cache must not remain, so the child is replaced. */
  async discard(): Promise<void> {
    this.mirror.forget()
    await this.#sandbox?.close()
  }

  /** Rejects with `SandboxDied` when the child dies of it. */
  async test(tests: readonly TestRequest[], findRow: FindRow): Promise<readonly TestAnswer[]> {
    await this.ready()
    const request = { kind: 'test', timeoutMs: this.#timeoutMs, careful: false } as const
    const options = { onSlow: () => this.#warm(), findRow }
    const answer = await this.#sandbox!.request([[request, encoder.encode(JSON.stringify(tests))]], this.#timeoutMs, options)
    await this.#cool()
    return accepted(readTests(answer, tests.length), this.#sandbox!)
  }

  /**
   * Loads everything again in a second child, while the first one continues to judge. Resolves with `undefined` if it changes nothing.
   * Rejects if no child can be started.
   */
  async retry(): Promise<Retried | undefined> {
    const left = this.#left.again()
    let sandbox: Sandbox
    do {
      sandbox = await this.#loaded(this.#closed.signal, left)
    } while (!sandbox.alive && !this.#isClosed)
    const back = this.loadErrors.map(({ ruleId }) => ruleId).filter((id) => !left.errors.some(({ ruleId }) => ruleId === id))
    if (back.length > 0 && !this.#isClosed) return { sandbox, left, back }
    await sandbox.close()
    return undefined
  }

  /** Called between two crossings: switches to the child that `retry` has started. */
  async adopt({ sandbox, left }: Retried): Promise<void> {
    await Promise.all([this.#cool(), this.#sandbox?.close()])
    this.#left = left
    this.#reported = new Set(left.errors.map(({ ruleId }) => ruleId).filter((id) => this.isUnloadable(id)))
    this.#sandbox = sandbox
    if (this.#isClosed) await sandbox.close()
    else if (sandbox.alive) await this.#fill(sandbox)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#closed.abort()
    await Promise.all([this.#cool(), this.#sandbox?.close()])
  }

  /** A call may have to be ended together with the child: the next child starts already, to save that wait. */
  #warm(): void {
    if (this.#spare || this.#isClosed || performance.now() < this.#noSpareUntilMs) return
    const ended = new AbortController()
    const loaded = this.#loaded(ended.signal)
    // Reported to the caller that takes the spare.
    loaded.catch(() => {})
    this.#spare = { loaded, ended }
  }

  /** The call has returned: a second child would only use memory, and rules that are slow but end must not start one each time. */
  async #cool(): Promise<void> {
    const spare = this.#spare
    if (!spare) return
    this.#spare = undefined
    this.#noSpareUntilMs = performance.now() + NO_SPARE_MS
    spare.ended.abort()
    await spare.loaded.then(
      (sandbox) => sandbox.close(),
      () => {},
    )
  }

  /** A new child with the rules loaded, or one that died loading an item, which is left out from then on. */
  async #loaded(signal?: AbortSignal, left = this.#left): Promise<Sandbox> {
    const sandbox = await this.#start(signal)
    const end = () => void sandbox.close()
    signal?.addEventListener('abort', end)
    try {
      signal?.throwIfAborted()
      await this.#load(sandbox, left)
      return sandbox
    } catch (error) {
      await sandbox.close()
      throw error
    } finally {
      signal?.removeEventListener('abort', end)
    }
  }

  /** Sends the rule cache to a new child. */
  async #fill(sandbox: Sandbox): Promise<void> {
    for (const part of this.#cache.parts()) await fill(sandbox, part)
  }

  /** A rule whose import ends the child is left out from then on; `ready` then retries without it. */
  async #load(sandbox: Sandbox, left: LeftOut): Promise<void> {
    try {
      await this.#loadOnce(sandbox, false, left)
    } catch (error) {
      if (!(error instanceof SandboxDied) || this.#isClosed) throw error
      if (!this.#leaveOut(error, left)) await this.#findFaults(left)
    }
  }

  /** Loads again with announcements, in a separate child. */
  async #findFaults(left: LeftOut): Promise<void> {
    const sandbox = await startSandbox()
    try {
      await this.#loadOnce(sandbox, true, left)
    } catch (error) {
      if (!(error instanceof SandboxDied)) throw error
      if (!this.#leaveOut(error, left)) {
        throw new Error(`rules cannot be loaded into the Python child: ${error.message}`, { cause: error })
      }
    } finally {
      await sandbox.close()
    }
  }

  /** Leaves out the rule, data model or helper that was being imported and is therefore at fault, if it is known. */
  #leaveOut(died: SandboxDied, left: LeftOut): boolean {
    const number = died.mark === undefined ? undefined : loadingItem(died.mark)
    if (number === undefined) return false
    const why = `${died.how === 'timeout' ? 'importing it cannot be interrupted' : 'importing it ends the sandbox'}: ${died.message}`
    const item = this.#set.items[number]
    if (item) {
      left.skipped.add(number)
      left.add(ruleError(item.id, -1, died.how, `${item.file}: ${why}`))
      return true
    }
    const helper = number - this.#set.items.length
    if (helper >= this.#set.helpers) return false
    left.broken.set(helper, why)
    return true
  }

  /** Compiles the remaining sources, before the child has run any rule. A source that ends the child is identified when it is loaded. */
  async #compile(sandbox: Sandbox, sources: readonly Source[]): Promise<void> {
    const missing = sources.filter((source) => !this.#compiled.has(source))
    if (missing.length === 0) return
    // Requested once: a source that ends the child would end the next one as well.
    for (const source of missing) this.#compiled.set(source, null)
    const request = { kind: 'compile', timeoutMs: COMPILE_MS, careful: false } as const
    const bytes = await sandbox
      .request([[request, encoder.encode(JSON.stringify(missing))]], COMPILE_MS)
      .catch((error: unknown) => {
        // The mark is not the number of a rule.
        throw error instanceof SandboxDied ? new SandboxDied(error.how, undefined, error.message) : error
      })
    const answer = await accepted(readCompiled(bytes, missing.length), sandbox)
    for (const [i, source] of missing.entries()) this.#compiled.set(source, answer[i]!)
    await this.#compiled.save()
  }

  async #loadOnce(sandbox: Sandbox, careful: boolean, left: LeftOut): Promise<void> {
    const limit = Math.max(this.#timeoutMs, IMPORT_MS)
    const content = this.#set.load([...left.skipped], left.broken, { careful, watch: left.watch })
    if (!careful) await this.#compile(sandbox, content.sources)
    const compiled = content.sources.map((source) => this.#compiled.get(source))
    const payload = encoder.encode(JSON.stringify({ ...content, compiled }))
    const answer = await sandbox.request([[{ kind: 'load', timeoutMs: limit, careful }, payload]], limit, { careful })
    const { items, helpers } = this.#set
    const { errors, broken, changed } = await accepted(readLoad(answer, items.length, helpers), sandbox)
    const isSpoilt = changed !== null || errors.some(([, cause]) => cause === 'tampering')
    if (left.watch === 'each') left.watch = 'never'
    else if (changed !== null) left.watch = 'each'
    for (const [index, why] of broken) left.broken.set(index, why.toWellFormed())
    for (const [number, cause, message] of errors) {
      // It would take the same time again in the next child.
      if (cause === 'timeout' || cause === 'tampering') left.skipped.add(number)
      if (cause === 'tampering') left.banned.add(number)
      left.add(ruleError(items[number]!.id, -1, cause, message.toWellFormed()))
    }
    // The next child is loaded without the culprit, or identifies it.
    if (isSpoilt) await sandbox.close()
  }
}
