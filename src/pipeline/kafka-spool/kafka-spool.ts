import type { Kafka } from 'kafkajs'
import type { SpoolBody, SpoolEnds, SpooledBodies, SpoolPlace, SpoolRange } from '../../model/spool.ts'
import { messageOf, RetryLater, StorageError } from '../../util/errors.ts'
import { KafkaFailure, KafkaLink } from '../../util/kafka/link.ts'
import { deleteBefore, storeOffsets } from '../../util/kafka/log.ts'
import type { SpoolStore } from '../spool-store.ts'
import { AppendWatch, type Watched } from './append-watch.ts'
import { TopicReader } from './reader.ts'
import { SpoolTopic, storedOf } from './topic.ts'
import { TopicWriter } from './writer.ts'

export interface KafkaSpoolOptions {
  /** Called for each set of connections, so that it can read secrets again. */
  readonly client: () => Kafka
  readonly prefix: string
  readonly mayCreate: boolean
  /** -1: as many as the brokers' default. */
  readonly replicationFactor: number
  /** A source has new bodies, which another process may have appended. */
  readonly onSpooled: (sourceId: string) => void
  /** How often readers look by themselves for what others have appended, in case that waiting for it fails. */
  readonly tickMs?: number
}

interface Kept {
  readonly sourceId: string
  readonly topic: SpoolTopic
  readonly writer: TopicWriter
  reader?: TopicReader
  /** Its offset is to be stored for the group. */
  isDirty: boolean
  deletedTo: number
  deletedMs: number
}

const TICK_MS = 500
/** How often it finds out what others append and read. */
const LOOK_MS = 2000
/** Messages are deleted at most this often per topic. */
const DELETE_MS = 5000
/** After a failure, a topic is not looked for again within this time. */
const AGAIN_MS = 1000

/** The spool in topics of Kafka, one for each source: see docs/decisions/0079. */
export class KafkaSpool implements SpoolStore {
  readonly #options: KafkaSpoolOptions
  /** Reading does not wait behind appending. */
  readonly #writing: KafkaLink
  readonly #reading: KafkaLink
  readonly #watch: AppendWatch
  readonly #topics = new Map<string, Kept>()
  readonly #timer: NodeJS.Timeout
  #isKept = false
  #isTicking = false
  #lookedMs = 0
  /** Why topics cannot be used, by source; `''`: the cluster. */
  readonly #troubles = new Map<string, string>()
  readonly #failedMs = new Map<string, number>()

  constructor(options: KafkaSpoolOptions) {
    this.#options = options
    this.#writing = new KafkaLink(options.client)
    this.#reading = new KafkaLink(options.client)
    this.#watch = new AppendWatch(new KafkaLink(options.client), () => this.#watched())
    this.#timer = setInterval(() => void this.#tick(), options.tickMs ?? TICK_MS)
  }

  async open(sourceId: string): Promise<void> {
    const { topic } = this.#of(sourceId)
    const failedMs = this.#failedMs.get(sourceId)
    if (failedMs !== undefined && performance.now() - failedMs < AGAIN_MS)
      throw new StorageError(this.#troubles.get(sourceId) ?? 'Kafka cannot be reached')
    try {
      await topic.open()
      this.#failedMs.delete(sourceId)
    } catch (error) {
      const refused = cannotOpen(topic.options.name, error)
      this.#failedMs.set(sourceId, performance.now())
      this.#trouble(sourceId, refused.message)
      throw refused
    }
  }

  append(body: SpoolBody): Promise<void> {
    return this.#of(body.sourceId).writer.append(body)
  }

  async next(sourceId: string, after: SpoolPlace | undefined): Promise<SpoolRange | undefined> {
    await this.open(sourceId)
    try {
      const range = await this.#readerOf(sourceId).next(after)
      if (!range) this.#watch.start()
      return range
    } catch (error) {
      throw new RetryLater(messageOf(error), undefined, { cause: error })
    }
  }

  async read(sourceId: string, range: SpoolRange): Promise<SpooledBodies> {
    await this.open(sourceId)
    try {
      return await this.#readerOf(sourceId).read(range)
    } catch (error) {
      throw new RetryLater(messageOf(error), undefined, { cause: error })
    }
  }

  free(sourceId: string, upTo: SpoolPlace): void {
    this.#readerOf(sourceId).free(upTo)
  }

  bytesBySource(): Record<string, number> {
    return Object.fromEntries([...this.#topics].map(([sourceId, { topic }]) => [sourceId, topic.waitingBytes]))
  }

  bytes(sourceId?: string): number {
    if (sourceId !== undefined) return this.#topics.get(sourceId)?.topic.waitingBytes ?? 0
    return [...this.#topics.values()].reduce((sum, { topic }) => sum + topic.waitingBytes, 0)
  }

  async ends(): Promise<SpoolEnds> {
    const begin = `${this.#options.prefix}.`
    const { topics } = await this.#writing.topics('all')
    const ends: Record<string, number> = {}
    for (const { name } of topics.filter((topic) => topic.name.startsWith(begin))) {
      const sourceId = name.slice(begin.length)
      const { topic, reader } = this.#of(sourceId)
      await this.open(sourceId)
      await topic.look(reader !== undefined)
      if (topic.high > topic.low) ends[sourceId] = topic.high
    }
    return ends
  }

  async waits(ends: SpoolEnds): Promise<boolean> {
    for (const [sourceId, id] of Object.entries(ends)) {
      const { topic, reader } = this.#of(sourceId)
      if (reader ? reader.waits(id) : (await topic.storedId()) < id) return true
    }
    return false
  }

  async scrub(): Promise<string> {
    await this.#flush()
    for (const kept of this.#topics.values()) await this.#delete(kept)
    return `topics ${this.#options.prefix}.* of the spool: what was read is deleted in them, and the brokers remove it from their disks with the segment that it is in (segment.ms, an hour where Caracal created the topic, or when the segment is full)`
  }

  keep(): void {
    this.#isKept = true
  }

  release(): void {
    this.#isKept = false
  }

  trouble(): string | undefined {
    return this.#troubles.values().next().value
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#flush().catch(() => {})
    await Promise.all([this.#writing.close(), this.#reading.close(), this.#watch.close()])
  }

  #of(sourceId: string): Kept {
    const known = this.#topics.get(sourceId)
    if (known) return known
    const { prefix, mayCreate, replicationFactor } = this.#options
    const topic = new SpoolTopic(this.#writing, { name: `${prefix}.${sourceId}`, group: prefix, mayCreate, replicationFactor })
    const writer = new TopicWriter(topic, this.#writing, (message) => this.#trouble(sourceId, message))
    const made: Kept = { sourceId, topic, writer, isDirty: false, deletedTo: 0, deletedMs: 0 }
    this.#topics.set(sourceId, made)
    return made
  }

  #readerOf(sourceId: string): TopicReader {
    const kept = this.#of(sourceId)
    kept.reader ??= new TopicReader({
      topic: kept.topic,
      link: this.#reading,
      onMore: () => this.#options.onSpooled(sourceId),
      onFreed: () => {
        kept.isDirty = true
      },
      onTrouble: (message) => this.#trouble(`${sourceId}/read`, message),
    })
    return kept.reader
  }

  #watched(): Watched[] {
    return [...this.#topics.values()].flatMap(({ topic, reader }) => (reader ? [{ topic, reader }] : []))
  }

  #trouble(sourceId: string, message: string | undefined): void {
    if (message === undefined) this.#troubles.delete(sourceId)
    else this.#troubles.set(sourceId, message)
  }

  async #tick(): Promise<void> {
    if (this.#isTicking) return
    this.#isTicking = true
    try {
      await Promise.all([...this.#topics.values()].map(({ reader }) => reader?.poll()))
      this.#watch.start()
      const isLooking = performance.now() - this.#lookedMs > LOOK_MS
      if (isLooking) await this.#look()
      await this.#flush()
      for (const kept of this.#topics.values()) if (performance.now() - kept.deletedMs > DELETE_MS) await this.#delete(kept)
    } catch (error) {
      this.#trouble('', `Kafka cannot be reached: ${messageOf(error)}`)
    } finally {
      this.#isTicking = false
    }
  }

  async #look(): Promise<void> {
    this.#lookedMs = performance.now()
    if (this.#topics.size === 0) await this.#writing.topics([])
    for (const { sourceId, topic, reader } of this.#topics.values()) {
      if (topic.epoch === undefined) await this.open(sourceId).catch(() => {})
      else await topic.look(reader !== undefined)
    }
    this.#trouble('', undefined)
    for (const [sourceId, { topic }] of this.#topics) if (topic.epoch !== undefined) this.#trouble(sourceId, undefined)
  }

  /** Stores offsets for the group, which lag tools and other processes see. State alone decides where reading goes on. */
  async #flush(): Promise<void> {
    const dirty = [...this.#topics.values()].filter(({ isDirty }) => isDirty)
    if (dirty.length === 0 || this.#isKept) return
    for (const kept of dirty) kept.isDirty = false
    try {
      await storeOffsets(
        this.#writing,
        this.#options.prefix,
        new Map(dirty.map(({ topic }) => [topic.options.name, storedOf(topic.freed)])),
      )
    } catch (error) {
      for (const kept of dirty) kept.isDirty = true
      throw error
    }
  }

  /** Deletes what is committed: after its offset is stored, from which others know that it is not lost. */
  async #delete(kept: Kept): Promise<void> {
    const { topic, isDirty } = kept
    const { floor } = topic.freed
    if (this.#isKept || isDirty || !kept.reader || topic.epoch === undefined || floor <= Math.max(topic.low, kept.deletedTo))
      return
    kept.deletedMs = performance.now()
    try {
      await deleteBefore(this.#writing, topic.place, floor)
      kept.deletedTo = floor
      this.#trouble(`${kept.sourceId}/delete`, undefined)
    } catch (error) {
      if ((error as KafkaFailure).type === undefined) throw error
      this.#trouble(
        `${kept.sourceId}/delete`,
        `what was read of topic '${topic.options.name}' cannot be deleted: ${messageOf(error)}. The user needs the permission Delete on it.`,
      )
    }
  }
}

function cannotOpen(topic: string, error: unknown): StorageError {
  if (error instanceof StorageError) return new StorageError(`The spool cannot be used: ${error.message}`, { cause: error })
  const type = error instanceof KafkaFailure ? error.type : undefined
  const advice = type === 'TOPIC_AUTHORIZATION_FAILED' ? ' The user needs the permissions listed in docs/spool.md.' : ''
  return new StorageError(`The spool cannot be used: topic '${topic}' of Kafka: ${messageOf(error)}.${advice}`, { cause: error })
}
