import type { SpooledBodies, SpoolPlace, SpoolRange } from '../../model/spool.ts'
import { messageOf, RetryLater } from '../../util/errors.ts'
import type { KafkaFailure, KafkaLink } from '../../util/kafka/link.ts'
import { type Fetched, fetch, logEnds } from '../../util/kafka/log.ts'
import { inTime } from '../../util/pause.ts'
import { type Joined, Joiner, rowOf } from './joiner.ts'
import type { Freed, SpoolTopic } from './topic.ts'

/** Maximum size in bytes of the bodies of a range; a larger body is alone. */
const RANGE_BYTES = 1024 * 1024
const FETCH_BYTES = 2 * 1024 * 1024
/** Read ahead: memory of each source that has much waiting. */
const AHEAD_BYTES = 4 * 1024 * 1024
/** `next` waits this long for messages that are known to exist. */
const NEXT_MS = 2000
/** Reading a recorded range again takes at most this long. */
const AGAIN_MS = 20_000

export interface ReaderOptions {
  readonly topic: SpoolTopic
  readonly link: KafkaLink
  /** More bodies can be read. */
  readonly onMore: () => void
  /** Committed bodies can be freed. */
  readonly onFreed: (freed: Freed) => void
  /** Why nothing can be read; `undefined`: it can be. */
  readonly onTrouble: (message: string | undefined) => void
}

/** Reads one topic ahead of the pipeline, and knows which of its messages are still needed. */
export class TopicReader {
  readonly #options: ReaderOptions
  #joiner: Joiner
  /** Of the topic that is read. */
  #epoch: string | undefined
  /** The id of the last body handed out. */
  #after = -1
  /** Where the next fetch begins. */
  #position = 0
  #ahead: Joined[] = []
  #aheadBytes = 0
  /** Handed out, and not read yet. */
  #handed: { readonly range: SpoolRange; readonly bodies: readonly Joined[] } | undefined
  /** Handed out, and not committed. */
  #open: Pick<Joined, 'id' | 'first' | 'total'>[] = []
  #committed: SpoolPlace | undefined
  #filling: Promise<void> | undefined
  #turn = 0

  constructor(options: ReaderOptions) {
    this.#options = options
    this.#joiner = new Joiner(options.topic.options.name)
  }

  /** See `SpoolStore.next`. */
  async next(after: SpoolPlace | undefined): Promise<SpoolRange | undefined> {
    const { topic } = this.#options
    await topic.open()
    const epoch = topic.epoch!
    const receivedMs = Date.now()
    if (after?.epoch.startsWith('kafka:') && after.epoch !== epoch)
      return { epoch, from: 0, to: 0, receivedMs, lost: recreated(topic.options.name, after.id) }
    const afterId = after?.epoch === epoch ? after.id : 0
    if (afterId !== this.#after || this.#epoch !== epoch) this.#seek(epoch, afterId)
    if (afterId > topic.high) {
      const { high } = await logEnds(this.#options.link, topic.place)
      if (afterId > high) {
        topic.cutTo(high)
        return { epoch, from: high, to: high, receivedMs, lost: cutOff(topic.options.name, high, afterId) }
      }
    }
    if (this.#ahead.length === 0 && this.#position < topic.high) await inTime(this.#fill(), NEXT_MS)
    if (this.#epoch !== epoch || this.#after !== afterId || topic.epoch !== epoch) return undefined
    // Without a place in this state, what another has dealt with is not missing.
    const known = afterId === 0 ? topic.freed.id : afterId
    return topic.low > known ? this.#skip(epoch, known, topic.low) : this.#handOut(epoch)
  }

  /** See `SpoolStore.read`. */
  async read(range: SpoolRange): Promise<SpooledBodies> {
    const { topic } = this.#options
    if (range.lost !== undefined) return { rows: [] }
    const handed = this.#handed
    if (handed && handed.range.epoch === range.epoch && handed.range.from === range.from && handed.range.to === range.to) {
      this.#handed = undefined
      void this.#fill()
      return { rows: handed.bodies.map(rowOf) }
    }
    await topic.open()
    if (range.epoch !== topic.epoch) return { rows: [], lost: recreated(topic.options.name, range.to) }
    return this.#again(range)
  }

  /** Everything up to this place is committed. */
  free(upTo: SpoolPlace): void {
    const before = this.#committed
    if (before === undefined || before.epoch !== upTo.epoch || before.id < upTo.id) this.#committed = upTo
    this.#settle()
  }

  /** Whether a body up to this id is not committed, as far as messages were read. */
  waits(id: number): boolean {
    if (this.#epoch === undefined || this.#position < id) return true
    return [...this.#open, ...this.#ahead].some((one) => one.id <= id)
  }

  /** Whether it has fetched all messages that are known to exist. */
  get isAtEnd(): boolean {
    return this.#epoch !== undefined && this.#epoch === this.#options.topic.epoch && this.#position >= this.#options.topic.high
  }

  /** Looks for messages of other processes. */
  async poll(): Promise<void> {
    if (this.#epoch !== undefined) await this.#fill(true)
  }

  #handOut(epoch: string): SpoolRange | undefined {
    const first = this.#ahead[0]
    if (!first || this.#epoch !== epoch) return undefined
    let bytes = 0
    let count = 0
    for (const body of this.#ahead) {
      bytes += body.bytes
      if (count > 0 && bytes > RANGE_BYTES) break
      count++
    }
    const bodies = this.#ahead.splice(0, count)
    this.#aheadBytes -= bodies.reduce((sum, body) => sum + body.bytes, 0)
    const range = { epoch, from: first.id, to: bodies.at(-1)!.id, receivedMs: first.receivedMs }
    this.#after = range.to
    this.#handed = { range, bodies }
    this.#open.push(...bodies.map(({ id, first: begins, total }) => ({ id, first: begins, total })))
    return range
  }

  /** What was deleted before it was read is passed over, and said. */
  #skip(epoch: string, from: number, low: number): SpoolRange {
    this.#seek(epoch, low)
    this.#open.push({ id: low, first: low, total: this.#options.topic.freed.total })
    return { epoch, from: from + 1, to: low, receivedMs: Date.now(), lost: deleted(this.#options.topic.options.name, from, low) }
  }

  #seek(epoch: string, afterId: number): void {
    const { topic } = this.#options
    this.#turn++
    this.#filling = undefined
    this.#epoch = epoch
    this.#after = afterId
    this.#joiner = new Joiner(topic.options.name)
    this.#position = startOf(topic, afterId)
    this.#ahead = []
    this.#aheadBytes = 0
    this.#handed = undefined
    this.#open = []
  }

  /** Reads ahead. Never rejects: what fails is tried again at the next poll. */
  #fill(isPoll = false): Promise<void> {
    if (this.#filling) return this.#filling
    const filling = this.#fillNow(isPoll, this.#turn).finally(() => {
      if (this.#filling === filling) this.#filling = undefined
    })
    this.#filling = filling
    return filling
  }

  async #fillNow(isPoll: boolean, turn: number): Promise<void> {
    const { topic, link, onMore, onTrouble } = this.#options
    try {
      for (let isForced = isPoll; isForced || this.#position < topic.high; isForced = false) {
        if (this.#aheadBytes >= AHEAD_BYTES) return
        const { epoch } = topic
        const fetched = await fetch(link, topic.place, Math.max(this.#position, topic.low), FETCH_BYTES)
        if (turn !== this.#turn) return
        // A topic that was created again has other messages at the same offsets.
        if (fetched.records.length > 0 && (!(await topic.isSame()) || topic.epoch !== epoch)) return onMore()
        if (turn !== this.#turn) return
        topic.seen(fetched)
        this.#take(fetched)
        if (this.#ahead.length > 0) onMore()
        onTrouble(undefined)
        if (fetched.next === this.#position && fetched.records.length === 0) return
        this.#position = fetched.next
      }
    } catch (error) {
      if ((error as KafkaFailure).type === 'OFFSET_OUT_OF_RANGE') await this.#outOfRange(turn)
      else {
        onTrouble(`topic '${topic.options.name}' of Kafka cannot be read: ${messageOf(error)}`)
        // Another broker may lead it now.
        await topic.locate().catch(() => {})
      }
    }
  }

  #take({ records, low, high, next }: Fetched): void {
    const { topic } = this.#options
    const nowMs = performance.now()
    this.#position = Math.max(this.#position, low)
    for (const record of records) {
      const body = this.#joiner.take(record, nowMs)
      if (!body) continue
      topic.seen({ low, high, total: body.total })
      // Handed out before this process began to read; perhaps not committed.
      if (body.id <= this.#after) this.#open.push({ id: body.id, first: body.first, total: body.total })
      else {
        this.#ahead.push(body)
        this.#aheadBytes += body.bytes
      }
    }
    if (next >= high) this.#joiner.expire(nowMs)
    this.#settle()
  }

  async #outOfRange(turn: number): Promise<void> {
    const { topic, link, onMore } = this.#options
    try {
      if (!(await topic.isSame())) return onMore()
      const { low, high } = await logEnds(link, topic.place)
      if (turn !== this.#turn) return
      topic.seen({ low, high })
      if (this.#position > high) topic.high = high
      this.#position = Math.max(this.#position, low)
      onMore()
    } catch {
      // The next poll tries again.
    }
  }

  /** The bodies of a range that was handed out before. */
  async #again(range: SpoolRange): Promise<SpooledBodies> {
    const { topic, link } = this.#options
    const untilMs = performance.now() + AGAIN_MS
    const joiner = new Joiner(topic.options.name)
    const bodies: Joined[] = []
    let low = topic.low
    try {
      for (let at = startOf(topic, range.from - 1); at < range.to; ) {
        const fetched = await fetch(link, topic.place, Math.max(at, low), FETCH_BYTES)
        low = Math.max(low, fetched.low)
        for (const record of fetched.records) {
          const body = joiner.take(record, performance.now())
          if (body && body.id >= range.from && body.id <= range.to) bodies.push(body)
        }
        if (fetched.records.length === 0 && fetched.next >= fetched.high) break
        at = Math.max(fetched.next, low)
        if (performance.now() > untilMs) throw new RetryLater('reading them takes too long')
      }
    } catch (error) {
      if ((error as KafkaFailure).type === 'OFFSET_OUT_OF_RANGE') {
        const ends = await logEnds(link, topic.place).catch(() => undefined)
        if (ends && ends.low > low) {
          topic.seen(ends)
          return this.#again(range)
        }
        if (ends && ends.high < range.to)
          return { rows: bodies.map(rowOf), lost: cutOff(topic.options.name, ends.high, range.to) }
      }
      throw new RetryLater(`bodies ${range.from} to ${range.to} of topic '${topic.options.name}': ${messageOf(error)}`)
    }
    if (!(await topic.isSame())) return { rows: [], lost: recreated(topic.options.name, range.to) }
    const rows = bodies.map(rowOf)
    return low >= range.from ? { rows, lost: deleted(topic.options.name, range.from - 1, Math.min(low, range.to)) } : { rows }
  }

  /** Frees what is committed. Before it was read, it is not known what must be kept. */
  #settle(): void {
    const { topic, onFreed } = this.#options
    if (this.#committed === undefined || this.#committed.epoch !== this.#epoch) return
    const last = this.#open.findLast(({ id }) => id <= this.#committed!.id)
    if (!last) return
    this.#open = this.#open.filter(({ id }) => id > last.id)
    if (last.id <= topic.freed.id) return
    const firsts = [...this.#open, ...this.#ahead].map(({ first }) => first)
    const floor = Math.min(last.id, ...firsts, this.#joiner.floor() ?? last.id)
    topic.freed = { id: last.id, total: last.total, floor }
    onFreed(topic.freed)
  }
}

/** Where to begin so that no part of a body after this id is missed. */
function startOf({ freed, low }: SpoolTopic, afterId: number): number {
  // Stored by a state that was further ahead, it says nothing about this place.
  return freed.id > afterId ? low : Math.max(low, freed.floor)
}

function recreated(topic: string, id: number): string {
  return `topic '${topic}' of the spool was deleted and created again after body ${id}: bodies that waited in it are lost. Do not delete the topics of the spool.`
}

function cutOff(topic: string, high: number, id: number): string {
  return `topic '${topic}' of the spool ends at offset ${high} and was read up to ${id}: its brokers have lost what they had acknowledged. Check its replication factor, min.insync.replicas and unclean.leader.election.enable.`
}

function deleted(topic: string, from: number, to: number): string {
  return `messages of topic '${topic}' of the spool, offsets ${from} to ${to - 1}, were deleted before they were read: set its retention.ms and retention.bytes to -1, and check what deletes its messages`
}
