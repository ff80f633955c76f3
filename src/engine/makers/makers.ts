import { availableParallelism } from 'node:os'
import type { Config } from '../../config/config.ts'
import type { ParsedPart } from '../../pipeline/generation.ts'
import type { AskedRows, GivenRows } from '../../pipeline/table-writer.ts'
import type { Missed } from '../../stages/enrich/live/missed-addresses.ts'
import { answering } from '../../util/ask.ts'
import { messageOf } from '../../util/errors.ts'
import type { Remote } from '../../util/rpc.ts'
import type { ContentSource } from '../generation.ts'
import { type MakerThread, startMakerThread } from '../threads.ts'
import type { AskedHeader, MakerCalls, MakerContent, MakerReport, RulesInMaker } from './maker-calls.ts'

/** Each takes some 200 MiB, and one committer has no use for more. */
const MAX_AUTO = 8

/** The configured number of threads; 1: none besides the pipeline's own. */
export function makerCount({ workers }: Pick<Config, 'workers'>): number {
  return workers === 'auto' ? Math.min(MAX_AUTO, Math.max(1, availableParallelism() - 2)) : workers
}

export interface MakersDeps {
  /** Starts a thread. */
  readonly start?: typeof startMakerThread
  readonly count: number
  readonly config: Config
  readonly sources: readonly ContentSource[]
  /** Called with addresses that live tables lack. */
  readonly onMissed: (missed: readonly Missed[]) => void | Promise<void>
  /** Answers what batches ask about the tables that events write. */
  readonly onWrote: (asked: AskedRows) => Promise<GivenRows>
  readonly onSlower: (message: string) => void
  /** What prevents one maker, or all of them, from working; `undefined`: nothing any more. */
  readonly onTrouble: (what: string, message: string | undefined) => void
}

/** A maker's work for one generation. */
export interface Work<T> {
  readonly generation: number
  /** For a batch: called once, when it is parsed. */
  readonly onParsed?: (parsed: ParsedPart) => void
  /** Tries whether a thread survives it: alone in its thread, and rejected with `DeadlyWork` at the first death. */
  readonly isTrial?: boolean
  /** Called again with another maker if the first one has ended, with the same `number`. */
  readonly ask: (maker: Remote<MakerCalls>, number: number) => Promise<T>
}

/** A generation as makers receive it, at any time. */
export interface GivenGeneration {
  readonly content: () => Omit<MakerContent, 'generation' | 'before'>
  readonly before: number | undefined
  readonly describe: (question: AskedHeader) => object | string
  readonly onReport: (seat: number, report: RulesInMaker) => void
  readonly onGone: (seat: number) => void
}

interface Job {
  readonly number: number
  readonly work: Work<unknown>
  readonly resolve: (value: { answer: never; seat: number }) => void
  readonly reject: (error: unknown) => void
  isParsed: boolean
  /** The caller has been notified that it is parsed. */
  wasReported: boolean
  deaths: number
}

/** A maker's thread and its work. */
interface Seat {
  readonly number: number
  readonly thread: MakerThread
  readonly jobs: Set<Job>
  readonly opening: Map<number, Promise<MakerReport>>
  readonly ready: Set<number>
  isGone: boolean
}

/** While the rules of one batch are judged, the maker parses the next. */
const AT_ONCE = 2
const MAX_DEATHS = 3
const PAUSE_MS = 1000

/** Work that threads have ended on as often as they may. */
export class DeadlyWork extends Error {}

/**
 * The threads that do the first half of the path. Each has every generation that is in use. A thread that ends is replaced, and another one
 * repeats its work in progress.
 */
export class Makers {
  readonly #deps: MakersDeps
  readonly #seats: Seat[] = []
  readonly #generations = new Map<number, GivenGeneration>()
  readonly #queue: Job[] = []
  /** Batches that are not parsed yet, by number: the meaning of a header is decided in their order. */
  readonly #unparsed = new Map<number, { readonly parsed: Promise<void>; readonly isParsed: () => void }>()
  #lastSeat = 0
  #lastGeneration = 0
  #lastJob = 0
  #isClosing = false

  constructor(deps: MakersDeps) {
    this.#deps = deps
    for (let i = 0; i < deps.count; i++) this.#sit()
  }

  /** Number of batches that keep all makers busy. */
  get depth(): number {
    return AT_ONCE * this.#deps.count + 2
  }

  /** Prepares a generation in all makers: returns its number, and each maker's report. */
  async open(
    given: GivenGeneration,
  ): Promise<{ readonly generation: number; readonly reports: ReadonlyMap<number, MakerReport> }> {
    const generation = ++this.#lastGeneration
    this.#generations.set(generation, given)
    try {
      // The other makers find the first one's compiled content in its folder.
      const [first, ...others] = this.#seats
      const reports = new Map<number, MakerReport>()
      const opened = async (seat: Seat) => {
        const report = await this.#openIn(seat, generation).catch(async (error: unknown) => {
          if (!(await hasGone(seat))) throw error
        })
        if (report) reports.set(seat.number, report)
      }
      if (first) await opened(first)
      await Promise.all(others.map(opened))
      if (reports.size === 0) throw new Error('all threads that process batches have ended')
      return { generation, reports }
    } catch (error) {
      await this.close(generation, undefined)
      throw error
    }
  }

  /** Notifies every maker. */
  tell<M extends 'putTable' | 'swap'>(method: M, argument: Parameters<MakerCalls[M]>[0]): void {
    for (const { thread } of this.#seats) (thread.rpc.call as Tell)(method, argument).catch(() => {})
  }

  async prefiltered(generation: number): Promise<void> {
    await Promise.allSettled(this.#seats.map(({ thread }) => thread.rpc.call('prefiltered', generation)))
  }

  /** Ends a generation that is no longer needed for any work in progress. */
  async close(generation: number, kept: number | undefined): Promise<void> {
    this.#generations.delete(generation)
    await Promise.allSettled(this.#seats.map(({ thread }) => thread.rpc.call('close', { generation, kept })))
    for (const { opening, ready } of this.#seats) {
      opening.delete(generation)
      ready.delete(generation)
    }
  }

  /** Assigns the work to a maker; resolves with its answer and its number. */
  run<T>(work: Work<T>): Promise<{ readonly answer: T; readonly seat: number }> {
    return new Promise((resolve, reject) => {
      if (this.#isClosing) throw new Error('Caracal is stopping')
      const number = ++this.#lastJob
      if (work.onParsed) this.#unparsed.set(number, unparsed())
      this.#queue.push({
        number,
        work,
        resolve: resolve as Job['resolve'],
        reject,
        isParsed: !work.onParsed,
        wasReported: false,
        deaths: 0,
      })
      this.#dispatch()
    })
  }

  /** Ends all makers. Work in progress is not finished. */
  async stop(): Promise<void> {
    this.#isClosing = true
    const ending = this.#seats.map(async ({ thread, jobs }) => {
      await thread.rpc.call('stop').catch(() => {})
      await thread.end()
      for (const job of jobs) this.#fail(job, new Error('Caracal is stopping'))
    })
    await Promise.all(ending)
    for (const job of this.#queue.splice(0)) this.#fail(job, new Error('Caracal is stopping'))
  }

  #sit(): Seat {
    const number = ++this.#lastSeat
    const { config, sources, onMissed, onWrote, onSlower, onTrouble, start = startMakerThread } = this.#deps
    const headers = answering<AskedHeader>((question) => this.#describe(question))
    const { data_dir, max_record_bytes, max_depth, rule_timeout_ms, rule_errors, shadow_every } = config
    const used = { data_dir, max_record_bytes, max_depth, rule_timeout_ms, rule_errors, shadow_every }
    const trouble = `maker ${number}`
    const thread = start(
      {
        config: used,
        sources: sources.map(ofContent),
        headers: headers.end,
      },
      {
        parsed: ({ number: job, ...parsed }) => this.#parsed(seat, job, parsed),
        rules: ({ generation, ...report }) => this.#generations.get(generation)?.onReport(number, report),
        missed: onMissed,
        wrote: onWrote,
        slower: onSlower,
        trouble: (message) => onTrouble(trouble, message),
      },
    )
    const seat: Seat = { number, thread, jobs: new Set(), opening: new Map(), ready: new Set(), isGone: false }
    this.#seats.push(seat)
    void thread.died.then((error) => {
      headers.close()
      onTrouble(trouble, undefined)
      this.#leave(seat, error)
    })
    return seat
  }

  #openIn(seat: Seat, generation: number): Promise<MakerReport> {
    const known = seat.opening.get(generation)
    if (known) return known
    const given = this.#generations.get(generation)
    if (!given) throw new Error(`there is no generation ${generation}`)
    const opening = seat.thread.rpc.call('open', { ...given.content(), generation, before: given.before }).then((report) => {
      seat.ready.add(generation)
      given.onReport(seat.number, report)
      this.#dispatch()
      return report
    })
    seat.opening.set(generation, opening)
    return opening
  }

  /** The thread has ended by itself: its work is reassigned, and another thread replaces it. */
  #leave(seat: Seat, error: Error): void {
    if (!this.#unseat(seat) || this.#isClosing) return
    this.#deps.onTrouble(
      'makers',
      `a thread that processes batches has ended and its batches are processed again: ${messageOf(error)}`,
    )
    const jobs = inOrder(seat.jobs)
    const again = jobs.filter((job) => ++job.deaths < (job.work.isTrial ? 1 : MAX_DEATHS))
    for (const job of jobs)
      if (!again.includes(job))
        this.#fail(job, new DeadlyWork(`${job.deaths} threads have died on the same batch: ${messageOf(error)}`))
    this.#giveAgain(again)
    void this.#replace()
  }

  /** False if it was already gone. */
  #unseat(seat: Seat): boolean {
    seat.isGone = true
    const at = this.#seats.indexOf(seat)
    if (at < 0) return false
    this.#seats.splice(at, 1)
    for (const given of this.#generations.values()) given.onGone(seat.number)
    return true
  }

  #giveAgain(jobs: readonly Job[]): void {
    for (const job of jobs) job.isParsed = !job.work.onParsed
    this.#queue.unshift(...jobs)
    this.#dispatch()
  }

  async #replace(): Promise<void> {
    while (!this.#isClosing) {
      const seat = this.#sit()
      try {
        for (const generation of this.#generations.keys()) await this.#openIn(seat, generation)
        this.#deps.onTrouble('makers', undefined)
        return
      } catch (error) {
        // If it ends, it is replaced in turn.
        if (await hasGone(seat)) return
        this.#deps.onTrouble(
          'makers',
          `a thread that processes batches cannot be started, which will be retried: ${messageOf(error)}`,
        )
        this.#unseat(seat)
        await seat.thread.end()
        // It may have been ready for one generation and not for another.
        this.#giveAgain(inOrder(seat.jobs))
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      }
    }
  }

  #dispatch(): void {
    for (let job = this.#queue[0]; job; job = this.#queue[0]) {
      const seat = this.#seatFor(job)
      if (!seat) return
      this.#queue.shift()
      this.#give(job, seat)
    }
  }

  #seatFor(job: Job): Seat | undefined {
    const { number, work } = job
    const free = this.#seats.filter(
      ({ jobs, ready }) =>
        jobs.size < (isAlone(job) || [...jobs].some(isAlone) ? 1 : AT_ONCE) &&
        ready.has(work.generation) &&
        // While a batch is parsed, its thread may wait for earlier batches to be parsed: none of them may wait for that thread.
        [...jobs].every((one) => one.isParsed || one.number < number),
    )
    return free.sort((a, b) => a.jobs.size - b.jobs.size)[0]
  }

  #give(job: Job, seat: Seat): void {
    seat.jobs.add(job)
    job.work.ask(seat.thread.rpc, job.number).then(
      (answer) => {
        seat.jobs.delete(job)
        this.#isParsed(job)
        job.resolve({ answer: answer as never, seat: seat.number })
        this.#dispatch()
      },
      async (error: unknown) => {
        // The work of a thread that has ended is in the queue again.
        if (await hasGone(seat)) return
        seat.jobs.delete(job)
        this.#fail(job, error)
        this.#dispatch()
      },
    )
  }

  #fail(job: Job, error: unknown): void {
    this.#isParsed(job)
    job.reject(error)
  }

  #parsed(seat: Seat, number: number, parsed: ParsedPart): void {
    const job = [...seat.jobs].find((one) => one.number === number)
    if (!job) return
    if (!job.wasReported) job.work.onParsed?.(parsed)
    job.wasReported = true
    this.#isParsed(job)
  }

  #isParsed(job: Job): void {
    job.isParsed = true
    this.#unparsed.get(job.number)?.isParsed()
    this.#unparsed.delete(job.number)
  }

  async #describe(question: AskedHeader): Promise<object | string> {
    await Promise.all([...this.#unparsed].flatMap(([number, { parsed }]) => (number < question.number ? [parsed] : [])))
    const given = this.#generations.get(question.generation)
    if (!given) throw new Error(`there is no generation ${question.generation}`)
    return given.describe(question)
  }
}

/** Nothing else is blamed for the death of its thread, or the other way round. */
function isAlone({ deaths, work }: Job): boolean {
  return deaths > 0 || work.isTrial === true
}

function inOrder(jobs: Iterable<Job>): Job[] {
  return [...jobs].sort((a, b) => a.number - b.number)
}

type Tell = (method: string, argument: unknown) => Promise<unknown>

/** Whether the thread has ended: calls to it fail a moment before that is known. */
async function hasGone(seat: Seat): Promise<boolean> {
  await new Promise((resolve) => setImmediate(resolve))
  return seat.isGone
}

function unparsed() {
  let isParsed = () => {}
  const parsed = new Promise<void>((resolve) => {
    isParsed = resolve
  })
  return { parsed, isParsed: () => isParsed() }
}

/** What a maker needs to know about a source. */
function ofContent({ id, label, log_types, tables, filters, sampling }: ContentSource): ContentSource {
  return { id, label, log_types, sampling, ...(tables && { tables }), ...(filters && { filters }) }
}
