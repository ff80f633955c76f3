import { availableParallelism } from 'node:os'
import type { Config } from '../../config/config.ts'
import type { ParsedPart } from '../../pipeline/generation.ts'
import type { AskedRows, GivenRows } from '../../pipeline/table-writer.ts'
import type { Missed } from '../../stages/enrich/live/missed-addresses.ts'
import { answering } from '../../util/ask.ts'
import { messageOf } from '../../util/errors.ts'
import type { Handlers } from '../../util/rpc.ts'
import { type MakerThread, startMakerThread } from '../threads.ts'
import { ConnectionLost } from '../workers/dial.ts'
import type { AskedHeader, MakerCalls, MakerContent, MakerNews, MakerOptions, MakerReport, RulesInMaker } from './maker-calls.ts'
import { AT_ONCE, hasGone, inOrder, type Job, type Seat, seatFor, type Work } from './seats.ts'

/** Each takes some 200 MiB, and one committer has no use for more. */
const MAX_AUTO = 8

/** The configured number of threads; 1: none besides the pipeline's own. */
function makerCount({ workers }: Pick<Config, 'workers'>): number {
  return workers === 'auto' ? Math.min(MAX_AUTO, Math.max(1, availableParallelism() - 2)) : workers
}

export interface MakersDeps {
  /** Starts a thread. */
  readonly start?: typeof startMakerThread
  readonly count: number
  /** Threads of this node have work only while no other node can do it. */
  readonly isSparing?: boolean | undefined
  readonly config: Config
  /** Called with addresses that live tables lack. */
  readonly onMissed: (missed: readonly Missed[]) => void | Promise<void>
  /** Answers what batches ask about the tables that events write. */
  readonly onWrote: (asked: AskedRows) => Promise<GivenRows>
  readonly onSlower: (message: string) => void
  /** What prevents one maker, or all of them, from working; `undefined`: nothing any more. */
  readonly onTrouble: (what: string, message: string | undefined) => void
}

/** A generation as makers receive it, at any time. */
export interface GivenGeneration {
  readonly content: () => Omit<MakerContent, 'generation' | 'before'>
  readonly before: number | undefined
  readonly describe: (question: AskedHeader) => object | string
  /** `hash`: of the generation, as the maker has built it. Throws if it is another one. */
  readonly onReport: (seat: number, report: RulesInMaker, hash?: string) => void
  readonly onGone: (seat: number) => void
}

const MAX_DEATHS = 3
const PAUSE_MS = 1000

/** Work that threads have ended on as often as they may. */
export class DeadlyWork extends Error {}

/** Starts a maker with these options and handlers, here or on another node. */
export type StartMaker = (
  options: Pick<MakerOptions, 'config'>,
  handlers: Handlers<MakerNews> & { readonly describe: (question: AskedHeader) => Promise<object | string> },
) => MakerThread

/**
 * The threads that do the first half of the path, of this process and of other nodes. Each has every generation that is in use. A thread that
 * ends is replaced, and another one repeats its work in progress.
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
    return AT_ONCE * this.#seats.length + 2
  }

  /**
   * A maker of another node takes part until its connection ends. Resolves once it does; if it cannot be prepared, rejects, and its connection
   * is ended.
   */
  async join(node: string, start: StartMaker): Promise<void> {
    const seat = this.#seat(node, start)
    try {
      await this.#openAll(seat)
    } catch (error) {
      await seat.thread.end()
      throw error
    }
  }

  /** Prepares a generation in all makers: returns its number, and each maker's report. */
  async open(
    given: GivenGeneration,
  ): Promise<{ readonly generation: number; readonly reports: ReadonlyMap<number, MakerReport> }> {
    const generation = ++this.#lastGeneration
    this.#generations.set(generation, given)
    try {
      // The other makers find the first one's compiled content in its folder.
      const [first, ...others] = this.#here
      // One that cannot be prepared may join again, and says then why it cannot.
      for (const seat of this.#away) void this.#openIn(seat, generation).catch(() => seat.thread.end())
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
    await Promise.allSettled(this.#here.map(({ thread }) => thread.rpc.call('prefiltered', generation)))
  }

  /** Ends a generation that is no longer needed for any work in progress. */
  async close(generation: number, kept: number | undefined): Promise<void> {
    this.#generations.delete(generation)
    const closing = (seats: readonly Seat[]) => seats.map(({ thread }) => thread.rpc.call('close', { generation, kept }))
    // Other nodes are not waited for: one of them may just have been cut off.
    for (const closed of closing(this.#away)) closed.catch(() => {})
    await Promise.allSettled(closing(this.#here))
    for (const { opening, ready } of this.#seats) {
      opening.delete(generation)
      ready.delete(generation)
    }
  }

  /** Assigns the work to a maker; resolves with its answer, its number and its node, if that is another one. */
  run<T>(work: Work<T>): Promise<{ readonly answer: T; readonly seat: number; readonly node: string | undefined }> {
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
        losses: 0,
      })
      this.#dispatch()
    })
  }

  /** Ends all makers. Work in progress is not finished. */
  async stop(): Promise<void> {
    this.#isClosing = true
    const ending = this.#seats.map(async ({ thread, jobs, node }) => {
      // Another node stops its maker when the connection ends.
      if (node === undefined) await thread.rpc.call('stop').catch(() => {})
      await thread.end()
      for (const job of jobs) this.#fail(job, new Error('Caracal is stopping'))
    })
    await Promise.all(ending)
    for (const job of this.#queue.splice(0)) this.#fail(job, new Error('Caracal is stopping'))
  }

  get #here(): readonly Seat[] {
    return this.#seats.filter(({ node }) => node === undefined)
  }

  get #away(): readonly Seat[] {
    return this.#seats.filter(({ node }) => node !== undefined)
  }

  /** Starts a thread of this process. */
  #sit(): Seat {
    const { start = startMakerThread } = this.#deps
    return this.#seat(undefined, ({ config }, { describe, ...handlers }) => {
      const headers = answering(describe)
      const thread = start({ config, headers: headers.end }, handlers)
      void thread.died.then(() => headers.close())
      return thread
    })
  }

  #seat(node: string | undefined, start: StartMaker): Seat {
    const number = ++this.#lastSeat
    const { config, onMissed, onWrote, onSlower, onTrouble } = this.#deps
    const { data_dir, max_record_bytes, max_depth, rule_timeout_ms, rule_errors, shadow_every } = config
    const used = { data_dir, max_record_bytes, max_depth, rule_timeout_ms, rule_errors, shadow_every }
    const trouble = `maker ${number}`
    const thread = start(
      { config: used },
      {
        parsed: ({ number: job, ...parsed }) => this.#parsed(seat, job, parsed),
        rules: ({ generation, ...report }) => this.#generations.get(generation)?.onReport(number, reportFrom(node, report)),
        missed: onMissed,
        wrote: onWrote,
        slower: onSlower,
        trouble: (message) => onTrouble(trouble, message),
        describe: (question) => this.#describe(question),
      },
    )
    const seat: Seat = { number, node, thread, jobs: new Set(), opening: new Map(), ready: new Set(), isGone: false }
    this.#seats.push(seat)
    void thread.died.then((error) => {
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
      given.onReport(seat.number, reportFrom(seat.node, report), report.hash)
      seat.ready.add(generation)
      this.#dispatch()
      return report
    })
    seat.opening.set(generation, opening)
    return opening
  }

  /** The thread has ended by itself: its work is reassigned, and another thread replaces it if it was one of this process. */
  #leave(seat: Seat, error: Error): void {
    if (!this.#unseat(seat) || this.#isClosing) return
    const jobs = inOrder(seat.jobs)
    if (error instanceof ConnectionLost) {
      for (const job of jobs) job.losses++
      this.#giveAgain(jobs)
      return
    }
    this.#deps.onTrouble(
      'makers',
      `a thread that processes batches has ended and its batches are processed again: ${messageOf(error)}`,
    )
    const again = jobs.filter((job) => ++job.deaths < (job.work.isTrial ? 1 : MAX_DEATHS))
    for (const job of jobs)
      if (!again.includes(job))
        this.#fail(job, new DeadlyWork(`${job.deaths} threads have died on the same batch: ${messageOf(error)}`))
    this.#giveAgain(again)
    if (seat.node === undefined) void this.#replace()
    else this.#deps.onTrouble('makers', undefined)
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
        await this.#openAll(seat)
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

  async #openAll(seat: Seat): Promise<void> {
    for (const generation of this.#generations.keys()) await this.#openIn(seat, generation)
  }

  #dispatch(): void {
    for (let job = this.#queue[0]; job; job = this.#queue[0]) {
      const seat = seatFor(job, this.#seats, this.#deps.isSparing === true)
      if (!seat) return
      this.#queue.shift()
      this.#give(job, seat)
    }
  }

  #give(job: Job, seat: Seat): void {
    seat.jobs.add(job)
    job.work.ask(seat.thread.rpc, job.number).then(
      (answer) => {
        seat.jobs.delete(job)
        this.#isParsed(job)
        job.resolve({ answer: answer as never, seat: seat.number, node: seat.node })
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

/** What is known about the rules of a maker. The processes of other nodes are none of this one's. */
function reportFrom<Report extends RulesInMaker>(node: string | undefined, report: Report): Report {
  return node === undefined ? report : { ...report, pids: [] }
}

type Tell = (method: string, argument: unknown) => Promise<unknown>

function unparsed() {
  let isParsed = () => {}
  const parsed = new Promise<void>((resolve) => {
    isParsed = resolve
  })
  return { parsed, isParsed: () => isParsed() }
}

/** Starts the configured number of threads; `undefined`: none besides the pipeline's own. With `others`, nodes may join: at least one. */
export function makersOf(deps: Omit<MakersDeps, 'count'>, others: boolean): Makers | undefined {
  const count = makerCount(deps.config)
  return count === 1 && !others ? undefined : new Makers({ ...deps, count })
}
