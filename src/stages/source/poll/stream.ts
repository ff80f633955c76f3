import { messageOf, Refused, RetryLater } from '../../../util/errors.ts'
import { hash16 } from '../../../util/hash.ts'
import type { HttpAnswer } from '../../../util/http/send.ts'
import { pause } from '../../../util/pause.ts'
import { answerOf, listAt, type PolledRecord, recordsIn } from './answer.ts'
import { textAt } from './json-path.ts'
import { hasMore, nextPage, requestOf, urlOf, withParameter } from './pages.ts'
import { MAX_LISTED, type Position, type Remembered } from './remembered.ts'
import { type PageRequest, RequestFailed, type Service } from './service.ts'
import type { StreamSpec } from './spec.ts'
import type { Span } from './template.ts'
import { isBehind, missedHours, spanAt } from './windows.ts'

/** Records that were fetched together. */
export interface Page {
  readonly records: readonly PolledRecord[]
  /** Ids to remember in addition to those of the records. */
  readonly marks: readonly string[]
  /** Where reading continues once all of them are taken. Absent: the same page is requested again. */
  readonly position?: Position
  /** What could not be fetched and never will be. */
  readonly lost?: string
}

export interface StreamOptions {
  readonly spec: StreamSpec
  readonly service: Service
  readonly remembered: Remembered
  readonly pollMs: number
  readonly startMs: number
  readonly wake: () => void
  readonly now: () => number
}

const MIN_PAUSE_MS = 1000
const MAX_PAUSE_MS = 600_000
/** How many times in a row a service may put us off before that is a problem. With the growing pauses that takes at least half a minute. */
const PASSING_FAILURES = 6
/** A window with more pages is reported, and read more slowly. */
const MAX_PAGES = 10_000
/** A page that is refused this often is not requested any more: the window begins again. */
const MAX_REFUSALS = 3
/** Services limit how often a subscription may be started. */
const PREPARE_MS = 1_200_000

/** Polls one list of a service in the background, one page ahead of what is being read. */
export class PollStream {
  readonly spec: StreamSpec
  readonly remembered: Remembered
  readonly #options: StreamOptions
  readonly #stopping = new AbortController()
  #position: Position
  #ready: Page | undefined
  #room: () => void = () => {}
  #running: Promise<void> | undefined
  #isBegun = false
  #preparedMs = Number.NEGATIVE_INFINITY
  #pages = 0
  #failures = 0
  /** Why nothing can be fetched at the moment. */
  failure: string | undefined
  /** That, if it needs someone: a service that is busy or down for a moment raises no alarm. */
  problem: string | undefined
  #missed: string | undefined
  /** No answer had a list where it should be. */
  #isListMissing = false

  constructor(options: StreamOptions) {
    this.spec = options.spec
    this.remembered = options.remembered
    this.#options = options
    this.#position = options.remembered.position
  }

  get notices(): readonly string[] {
    const path = [this.spec.records.path].flat().join('.')
    const missing = `no answer has had a list in \`${path}\` yet: check \`records.path\`, unless there was nothing to report`
    return [...(this.#missed === undefined ? [] : [this.#missed]), ...(this.#isListMissing ? [this.#named(missing)] : [])]
  }

  /** The page being read; `undefined`: none yet. */
  page(): Page | undefined {
    this.#running ??= this.#run()
    return this.#ready
  }

  /** The same, without beginning to poll. */
  get waiting(): Page | undefined {
    return this.#ready
  }

  /** All of the page has been read. */
  taken(): void {
    this.#ready = undefined
    this.#room()
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    this.#room()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#begin()
        const pauseMs = await this.#step()
        this.#failures = 0
        this.failure = undefined
        this.problem = undefined
        if (pauseMs > 0) await pause(pauseMs, signal)
      } catch (error) {
        if (signal.aborted) return
        this.failure = this.#named(messageOf(error))
        const isPassing = error instanceof RetryLater && this.#failures < PASSING_FAILURES
        this.problem = isPassing ? undefined : this.failure
        this.#startAgain(error)
        const afterMs = error instanceof RetryLater ? (error.afterMs ?? 0) : 0
        const least = MIN_PAUSE_MS * 2 ** Math.min(this.#failures++, 9)
        await pause(Math.max(afterMs, Math.min(MAX_PAUSE_MS, least)), signal)
      }
    }
  }

  /** The request that has to be sent before the first poll. */
  async #begin(): Promise<void> {
    const { before } = this.spec
    if (this.#isBegun || !before || before.when) return
    await this.#prepare(before)
    this.#isBegun = true
  }

  async #prepare({ url, method, accept }: NonNullable<StreamSpec['before']>): Promise<void> {
    try {
      const request: PageRequest = { url, method, headers: this.spec.headers }
      await this.#options.service.get(method === 'POST' ? { ...request, body: '' } : request, this.#stopping.signal)
    } catch (error) {
      if (!isOneOf(error, accept)) throw error
    }
  }

  /** Fetches a page. If the service says that something has to be sent first, that is sent, but not again and again. */
  async #get(request: PageRequest): Promise<HttpAnswer> {
    const { service, now } = this.#options
    const { signal } = this.#stopping
    const { before } = this.spec
    try {
      return await service.get(request, signal)
    } catch (error) {
      if (!before?.when || !isOneOf(error, before.when) || now() - this.#preparedMs < PREPARE_MS) throw error
      this.#preparedMs = now()
      await this.#prepare(before)
      return service.get(request, signal)
    }
  }

  /** Fetches one page. Returns how long to wait for the next, in milliseconds. */
  async #step(): Promise<number> {
    const { pollMs, startMs } = this.#options
    const { spec } = this
    const terms = { window: spec.window, startMs }
    const now = () => Math.floor(this.#options.now())
    const span = spanAt(this.#position, now(), terms)
    if (!span) return pollMs
    if (this.#position.toMs === undefined) this.#noteMissed(span)
    const { next: asked } = this.#position
    const request = requestOf(spec, span, asked)
    const { headers, body } = await this.#get(request)
    const answer = spec.list || spec.records.format === 'json' ? answerOf(body) : undefined
    const records = spec.list ? [] : recordsIn(answer ?? body, spec.records)
    // What is requested as a whole at each poll is recognised only as far as it is remembered.
    const isWhole = spec.window === undefined && !(spec.paging.type === 'cursor' && spec.paging.keep)
    const listed = (this.#position.listed ?? 0) + (records?.length ?? 0)
    if (isWhole && listed > MAX_LISTED)
      throw new Refused(
        `the list has more than ${MAX_LISTED} records, which is as many as are recognised when they come again: request them by time, with \`window\``,
      )
    this.#isListMissing = records === undefined && (this.#isListMissing || this.#position.fromMs === undefined)
    if (spec.list) await this.#followAll(listAt(answer!, spec.list)?.map(({ value }) => value) ?? [], request)
    const pageAnswer = { headers, value: answer?.value, count: records?.length ?? 0 }
    const next = nextPage(spec, request, asked, pageAnswer)
    const more = hasMore(spec, next, pageAnswer)
    if (more && next === asked) throw new Refused('the answer names the same page as the next one')
    this.#position = { ...positionAfter(spec, span, { next, more, asked }), ...(more && isWhole && { listed }) }
    await this.#pass({ records: records ?? [], marks: [], position: this.#position })
    if (!more) {
      this.#pages = 0
      return isBehind(span.toMs, now(), terms) ? 0 : pollMs
    }
    if (++this.#pages % MAX_PAGES === 0)
      throw new Refused(`more than ${MAX_PAGES} pages in one window: a smaller \`window.max_hours\` may help`)
    return 0
  }

  /** Fetches what the elements of a list refer to. */
  async #followAll(elements: readonly Parameters<typeof textAt>[0][], request: PageRequest): Promise<void> {
    const { id: idPath, url: urlPath, parameters } = this.spec.list!
    for (const element of elements) {
      const id = textAt(element, idPath)
      const url = urlOf(textAt(element, urlPath), request)
      if (id === undefined || url === undefined)
        throw new Refused(`an element of the list has no \`${id === undefined ? idPath : [urlPath].flat().join('.')}\``)
      const mark = hash16('list', id)
      if (this.remembered.has(mark)) continue
      await this.#pass({ ...(await this.#follow(withParameters(url, parameters))), marks: [mark] })
    }
  }

  async #follow(url: string): Promise<Pick<Page, 'records' | 'lost'>> {
    const { records: spec, headers } = this.spec
    try {
      const { body } = await this.#options.service.get({ url, method: 'GET', headers }, this.#stopping.signal)
      return { records: recordsIn(spec.format === 'json' ? answerOf(body) : body, spec) ?? [] }
    } catch (error) {
      const isGone = error instanceof RequestFailed && (error.status === 404 || error.status === 410)
      if (!isGone) throw error
      return { records: [], lost: this.#named(`what the list names cannot be fetched any more: ${messageOf(error)}`) }
    }
  }

  /** Hands a page on, once the one before is taken. */
  async #pass(page: Page): Promise<void> {
    this.#ready = page
    this.#options.wake()
    while (this.#ready && !this.#stopping.signal.aborted) await new Promise<void>((resolve) => (this.#room = resolve))
    this.#stopping.signal.throwIfAborted()
  }

  /** Names of pages expire. After several refusals the window begins again; what was read of it is remembered. */
  #startAgain(error: unknown): void {
    const { next, ...position } = this.#position
    if (next === undefined || position.toMs === undefined || !(error instanceof RequestFailed)) return
    if (this.#failures + 1 >= MAX_REFUSALS && [400, 404, 410].includes(error.status)) this.#position = position
  }

  #noteMissed(span: Span): void {
    const hours = missedHours(this.#position, span)
    if (hours > 0)
      this.#missed = this.#named(
        `about ${hours} hours before ${new Date(span.fromMs).toISOString()} are missing: the service does not have them any more`,
      )
  }

  #named(message: string): string {
    return `${this.spec.name}: ${message}`
  }
}

function isOneOf(error: unknown, codes: readonly string[]): boolean {
  return error instanceof RequestFailed && error.error !== undefined && codes.includes(error.error)
}

function withParameters(url: string, parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters).reduce((whole, [name, value]) => withParameter(whole, name, value), url)
}

function positionAfter(
  { paging }: StreamSpec,
  { fromMs, toMs }: Span,
  { next, more, asked }: { readonly next: string | undefined; readonly more: boolean; readonly asked: string | undefined },
): Position {
  const isKept = paging.type === 'cursor' && paging.keep
  const kept = isKept ? (next ?? asked) : next
  if (more) return { fromMs, toMs, ...(kept !== undefined && { next: kept }) }
  return { fromMs: toMs, ...(isKept && kept !== undefined && { next: kept }) }
}
