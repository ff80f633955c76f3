import type { Finding, RuleError } from '../../../model/match.ts'
import type { Rule } from '../../../model/rule.ts'
import type {
  DetectBatch,
  Detector,
  DetectorOptions,
  DetectorTest,
  Later,
  PrefilterOptions,
  RuleOff,
  TestRun,
} from '../language.ts'
import { fromNdjson } from '../ndjson.ts'
import type { CacheMirror } from './judge/cache-mirror.ts'
import { judgeCrossing } from './judge/judge.ts'
import type { KnownLoads } from './judge/known-loads.ts'
import { PenaltyBox } from './judge/penalty-box.ts'
import { Retries, timer } from './judge/retries.ts'
import type { Runtime } from './judge/runtime.ts'
import { splitBatch } from './judge/split.ts'
import { failedRun, runTests, type WaitingTest } from './judge/tests.ts'
import type { ConditionReader } from './prefilter/conditions.ts'
import { Screen, type Screened } from './prefilter/screen.ts'
import type { RuleSet } from './rules.ts'

/** Judges Python rules: one detector, or one for each content folder. */
interface PythonDetectors extends Detector {
  readonly parts: readonly PythonDetector[]
  /** The rule cache, shared by all parts. */
  readonly cache: CacheMirror
}

/** `Detector.inherit` for Python detectors of either kind. */
export function inheritAll(heir: PythonDetectors, before: Detector, unchanged: ReadonlySet<string>): void {
  const { parts, cache } = before as PythonDetectors
  heir.cache.inherit(cache)
  for (const own of heir.parts) for (const part of parts) own.inheritRules(part, unchanged)
}

/** Judges batches in a Python child, one crossing at a time, in call order. */
export class PythonDetector implements Detector {
  readonly logTypes: ReadonlySet<string>
  readonly #runtime: Runtime
  readonly #penalties = new PenaltyBox()
  readonly #loaded: ReadonlyMap<string, readonly Rule[]>
  readonly #spent = new Map<string, { seconds: number; events: number }>()
  readonly #waiting: WaitingTest[] = []
  readonly #set: RuleSet
  #isClosed = false
  readonly #retries: Retries
  /** Rule id → number of events that it missed while it was off. */
  readonly #missed = new Map<string, number>()
  readonly #onOff: () => void
  readonly #later: Later
  /** Ids of the rules that were off at the last check. */
  #off: string
  /** Cancels the timer for the end of the next penalty. */
  #unwait: (() => void) | undefined
  readonly #isLazy: boolean
  /** Load errors have been reported: by `create`, unless the child starts later. */
  #isReported: boolean
  /** An event has arrived that some rule applies to. */
  #isConcerned = false
  readonly #knownLoads: KnownLoads | undefined
  #screen: Screen | undefined
  #prefilter: { readonly reader: ConditionReader; readonly options: PrefilterOptions } | undefined
  #prefiltered: Promise<void> | undefined
  #queue: Promise<unknown> = Promise.resolve()

  constructor(
    set: RuleSet,
    runtime: Runtime,
    {
      onOff,
      later = timer,
      knownLoads,
    }: Pick<DetectorOptions, 'onOff' | 'later'> & { readonly knownLoads?: KnownLoads | undefined } = {},
  ) {
    const lazy = knownLoads !== undefined
    this.#knownLoads = knownLoads
    this.#isLazy = lazy
    this.#isReported = !lazy
    this.#onOff = onOff ?? (() => {})
    this.#later = later
    this.#retries = new Retries(
      () => runtime.mayRecover,
      () => this.#retry(),
      later,
    )
    this.#set = set
    this.#runtime = runtime
    this.#loaded = set.byLogType
    this.logTypes = new Set(set.byLogType.keys())
    this.#off = this.#offIds()
    this.#retries.plan()
    // Rules never see events that their inline filters reject, with or without a prefilter.
    if (set.rules.some((rule) => rule.inlineFilter)) {
      this.#screen = new Screen(new Map(), set.byLogType, { ruleErrors: 'exact', shadowEvery: 0 })
    }
  }

  get setupErrors(): readonly RuleError[] {
    return this.#runtime.loadErrors
  }

  ruleIds(logType: string): readonly string[] {
    return (this.#loaded.get(logType) ?? []).map(({ id }) => id)
  }

  off(): readonly RuleOff[] {
    const retryMs = this.#runtime.mayRecover ? this.#retries.nextMs : undefined
    const now = performance.now()
    const unloaded = this.#runtime.loadErrors.map(({ ruleId, cause, message }) => {
      const isFinal = cause === 'tampering' || (cause === 'import' && !this.#runtime.hasBroken)
      return { ruleId, cause, message, missed: this.#missedOf(ruleId), retryMs: isFinal ? undefined : retryMs }
    })
    const penalised = this.#penalties.all(now).flatMap(([ruleId, { cause, message, untilMs }]) => {
      if (unloaded.some((one) => one.ruleId === ruleId)) return []
      return [{ ruleId, cause, message, missed: this.#missedOf(ruleId), retryMs: Math.ceil(Date.now() + untilMs - now) }]
    })
    return [...unloaded, ...penalised]
  }

  #missedOf(ruleId: string): number {
    return this.#missed.get(ruleId) ?? 0
  }

  #offIds(): string {
    return JSON.stringify(this.off().map(({ ruleId }) => ruleId))
  }

  /** Reloads what failed for a temporary reason. False if that changed nothing. */
  async #retry(): Promise<boolean> {
    const retried = await this.#runtime.retry()
    if (retried) await this.#enqueue(() => this.#runtime.adopt(retried))
    this.#looked()
    return retried !== undefined
  }

  /** To be called after anything that may have changed which rules are off. */
  #looked(): void {
    this.#retries.plan()
    this.#awaitPenalties()
    const off = this.#offIds()
    if (off === this.#off) return
    this.#off = off
    this.#onOff()
  }

  /** Checks again when the next penalty is over, in case no batch arrives. */
  #awaitPenalties(): void {
    const now = performance.now()
    const untilMs = Math.min(...this.#penalties.all(now).map(([, penalty]) => penalty.untilMs))
    if (this.#unwait || this.#isClosed || !Number.isFinite(untilMs)) return
    this.#unwait = this.#later(untilMs - now + 1, () => {
      this.#unwait = undefined
      this.#looked()
    })
  }

  inherit(before: Detector, unchanged: ReadonlySet<string>): void {
    inheritAll(this, before, unchanged)
  }

  get parts(): readonly PythonDetector[] {
    return [this]
  }

  get cache(): CacheMirror {
    return this.#runtime.mirror
  }

  /** Process id of the living child. */
  get pid(): number | undefined {
    return this.#runtime.pid
  }

  /** The same as a list, because other detectors have several. */
  get pids(): readonly number[] {
    return this.pid === undefined ? [] : [this.pid]
  }

  has(ruleId: string): boolean {
    return this.#set.rules.some(({ id }) => id === ruleId)
  }

  /**
   * Once the rules have been read, each rule sees only events that it can match; until then, and if reading fails, every rule sees
   * every event. Detectors that are closed together may share a reader: the first to close ends it.
   */
  usePrefilter(reader: ConditionReader, options: PrefilterOptions): void {
    this.#prefilter = { reader, options }
    if (!this.#isLazy) void this.#read()
  }

  /** Resolves when the prefilter is ready or has failed; immediately if there is none. */
  get prefiltered(): Promise<void> {
    return this.#read()
  }

  #read(): Promise<void> {
    this.#prefiltered ??= this.#readOnce()
    return this.#prefiltered
  }

  async #readOnce(): Promise<void> {
    const reading = await this.#prefilter?.reader.read()
    if (reading) this.#screen = new Screen(reading.byLogType, this.#loaded, this.#prefilter!.options)
  }

  /** Takes over penalties, counts of missed events and sampling results of the unchanged rules that `before` also has. */
  inheritRules(before: PythonDetector, unchanged: ReadonlySet<string>): void {
    const ids = new Set([...unchanged].filter((id) => this.has(id) && before.has(id)))
    this.#penalties.inherit(before.#penalties, ids)
    for (const id of ids) if (before.#missed.has(id)) this.#missed.set(id, before.#missedOf(id))
    if (before.#screen) this.#screen?.inherit(before.#screen, ids)
    this.#looked()
  }

  evaluate(batch: DetectBatch): Promise<readonly Finding[]> {
    return this.#enqueue(async () => {
      const findings = await this.#judge(batch)
      this.cache.settleFor(batch)
      return findings
    })
  }

  unreported(): Promise<readonly RuleError[]> {
    return this.#enqueue(async () => {
      const known = this.#knownLoads
      if (!known || !this.#isConcerned || (!this.#runtime.isLoaded && (await known.has()))) return []
      await this.#runtime.ready()
      if (this.setupErrors.length === 0) await known.add()
      return this.#late()
    })
  }

  /** As `evaluate`, but changes to the rule cache are not committed, because other detectors judge the same batch. */
  judge(batch: DetectBatch): Promise<readonly Finding[]> {
    return this.#enqueue(() => this.#judge(batch))
  }

  /** Another detector could not judge the batch: its changes to the rule cache are rolled back. */
  discard(): Promise<void> {
    return this.#runtime.discard()
  }

  test(ruleId: string, { log, mocks, rows, isLive = false, trace = false }: DetectorTest): Promise<TestRun> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) queueMicrotask(() => this.#testTogether())
      const request = { ruleId, log, mocks, hasTables: rows !== undefined, isLive, trace }
      this.#waiting.push({ request, rows, resolve, reject })
    })
  }

  timings(): readonly { readonly ruleId: string; readonly seconds: number; readonly events: number }[] {
    const list = [...this.#spent].map(([ruleId, { seconds, events }]) => ({ ruleId, seconds, events }))
    this.#spent.clear()
    return list
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#prefilter?.reader.close()
    this.#retries.stop()
    this.#unwait?.()
    return this.#runtime.close()
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work)
    this.#queue = result.catch(() => {})
    return result
  }

  async #judge(batch: DetectBatch): Promise<readonly Finding[]> {
    const { logType } = batch
    const rules = this.#loaded.get(logType)
    if (!rules) return []
    this.#isConcerned = true
    if (this.#isLazy) await this.#read()
    // Filters work on objects.
    const events = batch.events ?? (rules.some((rule) => rule.inlineFilter) ? fromNdjson(batch.ndjson, logType) : undefined)
    const screened: Screened =
      this.#screen && events
        ? this.#screen.screen(logType, events, rules)
        : { crossings: splitBatch(batch.ndjson), finish: (all) => all }
    const deps = {
      runtime: this.#runtime,
      penalties: this.#penalties,
      tables: batch.tables,
      now: () => performance.now(),
      spent: (ruleId: string, seconds: number, events: number) => this.#add(ruleId, seconds, events),
    }
    const findings: Finding[] = []
    try {
      for (const crossing of screened.crossings) {
        for (const finding of await judgeCrossing(logType, crossing, rules, deps)) findings.push(finding)
      }
    } catch (error) {
      await this.#runtime.discard()
      throw error
    }
    this.#count(rules, batch.count)
    return this.#offMarked([...this.#late(), ...screened.finish(findings)])
  }

  /** Errors for which a rule is suspended need no separate alert: the system alert about the rule contains their text. */
  #offMarked(findings: readonly Finding[]): readonly Finding[] {
    const causes = new Map(this.#penalties.all(performance.now()).map(([ruleId, { cause }]) => [ruleId, cause]))
    if (causes.size === 0) return findings
    return findings.map((finding) =>
      finding.kind === 'error' && causes.get(finding.ruleId) === finding.cause ? { ...finding, isOff: true } : finding,
    )
  }

  /** Load errors that have not been reported because the child started after `create`. */
  #late(): readonly RuleError[] {
    if (this.#isReported || !this.#runtime.isLoaded) return []
    this.#isReported = true
    return this.setupErrors
  }

  /** Tests requested in the same turn of the event loop go to the child together. */
  async #testTogether(): Promise<void> {
    const waiting = this.#waiting.splice(0)
    const broken = new Map(this.setupErrors.map(({ ruleId, message }) => [ruleId, message]))
    const runnable = waiting.filter(({ request, resolve }) => {
      const message = broken.get(request.ruleId)
      if (message !== undefined) resolve(failedRun(message))
      return message === undefined
    })
    try {
      await this.#enqueue(() => runTests(runnable, this.#runtime))
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }

  #count(rules: readonly Rule[], events: number): void {
    for (const { ruleId } of this.off()) {
      if (rules.some(({ id }) => id === ruleId)) this.#missed.set(ruleId, this.#missedOf(ruleId) + events)
    }
    this.#looked()
  }

  #add(ruleId: string, seconds: number, events: number): void {
    const sum = this.#spent.get(ruleId)
    if (sum) {
      sum.seconds += seconds
      sum.events += events
    } else this.#spent.set(ruleId, { seconds, events })
  }
}
