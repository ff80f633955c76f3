import type { Admin, Consumer, EachBatchPayload, Kafka, TopicPartitionOffsetAndMetadata } from 'kafkajs'
import { messageOf } from '../errors.ts'
import { inTime, pause } from '../pause.ts'
import type { Committed, Group, GroupMember, Place } from './member.ts'

export interface GroupOptions {
  /** A client for one attempt. May throw. */
  readonly client: () => Kafka
  readonly group: string
  readonly topics: readonly string[]
}

/** A member that has sent nothing for this long has lost its partitions. After a crash they are free again after this time. */
const SESSION_MS = 15_000
const HEARTBEAT_MS = 1000
/** How long a rebalance waits for each member to finish what it has begun. */
const REBALANCE_MS = 60_000
const FINISH_MS = 12_000
const MIN_PAUSE_MS = 2000
const MAX_PAUSE_MS = 60_000
/** Memory: per fetch of a broker and per partition, as sent. */
const FETCH_BYTES = 16 * 1024 * 1024
const PARTITION_BYTES = 2 * 1024 * 1024
/** How long a broker waits for messages. Also delays closing. */
const WAIT_MS = 500
const PARTITIONS_AT_ONCE = 64

/** A consumer group of Kafka, in which partitions are handed over only when everything begun is finished and its offset stored. */
export class KafkaGroup implements Group {
  readonly #options: GroupOptions
  readonly #member: GroupMember
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  #consumer: Consumer | undefined
  #admin: Admin | undefined
  #generation = 0
  /** Where the next fetch should begin, by partition. */
  readonly #expected = new Map<string, number>()

  constructor(options: GroupOptions, member: GroupMember) {
    this.#options = options
    this.#member = member
    this.#running = this.#run()
  }

  async committed({ topic, partition }: Place): Promise<Committed | undefined> {
    if (!this.#admin) throw new Error('there is no connection to Kafka')
    const [found] = await this.#admin.fetchOffsets({ groupId: this.#options.group, topics: [topic] })
    return committedOf(found?.partitions.find((one) => one.partition === partition))
  }

  seek(place: Place, offset: number): void {
    if (this.#consumer) this.#seek(this.#consumer, place, offset)
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    for (let pauseMs = MIN_PAUSE_MS; !signal.aborted; pauseMs = Math.min(MAX_PAUSE_MS, 2 * pauseMs)) {
      const startedMs = performance.now()
      try {
        await this.#takePart(signal)
      } catch (error) {
        this.#member.trouble(messageOf(error))
      }
      if (performance.now() - startedMs > MAX_PAUSE_MS) pauseMs = MIN_PAUSE_MS
      await pause(pauseMs, signal)
    }
  }

  /** Resolves when the signal is aborted; rejects when membership has ended for another reason. */
  async #takePart(signal: AbortSignal): Promise<void> {
    const { client, group, topics } = this.#options
    const kafka = client()
    const admin = kafka.admin()
    const consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: REBALANCE_MS,
      maxBytes: FETCH_BYTES,
      maxBytesPerPartition: PARTITION_BYTES,
      maxWaitTimeInMs: WAIT_MS,
      allowAutoTopicCreation: false,
      retry: { retries: 3, restartOnFailure: async () => false },
    })
    try {
      const crashed = new Promise<never>((_, reject) => consumer.on('consumer.crash', ({ payload }) => reject(payload.error)))
      crashed.catch(() => {})
      consumer.on('consumer.group_join', ({ payload }) => this.#joined(consumer, admin, payload.memberAssignment))
      await admin.connect()
      await consumer.connect()
      // Where a partition begins is decided when it is assigned; this is where it goes on if that does not exist any more.
      await consumer.subscribe({ topics: [...topics], fromBeginning: true })
      this.#admin = admin
      this.#consumer = consumer
      const eachBatch = (batch: EachBatchPayload) => this.#take(batch)
      const run = {
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
        eachBatch,
      }
      await consumer.run(run)
      const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      if (!signal.aborted) await Promise.race([crashed, stopped])
    } finally {
      this.#consumer = undefined
      this.#admin = undefined
      this.#generation++
      const finished = this.#member.revoked()
      await inTime(finished, FINISH_MS)
      await Promise.allSettled([consumer.disconnect(), admin.disconnect()])
    }
  }

  /** Fetching from the partitions begins when it is known where. */
  #joined(consumer: Consumer, admin: Admin, assignment: Readonly<Record<string, number[]>>): void {
    const generation = ++this.#generation
    void this.#member.revoked()
    const topics = Object.entries(assignment).map(([topic, partitions]) => ({ topic, partitions }))
    consumer.pause(topics)
    void (async () => {
      while (generation === this.#generation) {
        try {
          const known = await this.#known(admin, assignment)
          if (generation !== this.#generation) return
          const beginnings: TopicPartitionOffsetAndMetadata[] = []
          for (const { place, ...of } of known) {
            this.#seek(consumer, place, this.#member.assigned(place, of))
            const offset = this.#member.doneTo(place)
            if (offset !== undefined) beginnings.push({ ...place, offset: String(offset), metadata: this.#member.name })
          }
          consumer.resume(topics)
          if (beginnings.length > 0) void consumer.commitOffsets(beginnings).catch(() => {})
          return this.#member.trouble(undefined)
        } catch (error) {
          if (generation !== this.#generation) return
          this.#member.trouble(messageOf(error))
          await pause(MIN_PAUSE_MS, this.#stopping.signal)
        }
      }
    })()
  }

  async #known(admin: Admin, assignment: Readonly<Record<string, number[]>>) {
    const topics = Object.keys(assignment)
    if (topics.length === 0) return []
    const stored = await admin.fetchOffsets({ groupId: this.#options.group, topics })
    const known = []
    for (const topic of topics) {
      const ends = await admin.fetchTopicOffsets(topic)
      for (const partition of assignment[topic]!) {
        const end = ends.find((one) => one.partition === partition)
        if (!end) throw new Error(`partition ${partition} of topic '${topic}' has no offsets`)
        const own = stored.find((one) => one.topic === topic)?.partitions.find((one) => one.partition === partition)
        const of = { low: Number(end.low), high: Number(end.high), committed: committedOf(own) }
        known.push({ place: { topic, partition }, ...of })
      }
    }
    return known
  }

  #seek(consumer: Consumer, place: Place, offset: number): void {
    this.#expected.set(keyOf(place), offset)
    consumer.seek({ ...place, offset: String(offset) })
  }

  /** The client passes over aborted transactions, and over what was deleted; only the partition tells which it was. */
  async #lowIfSkipped(place: Place, from: number): Promise<number | undefined> {
    if (from <= (this.#expected.get(keyOf(place)) ?? from)) return undefined
    const ends = (await this.#admin?.fetchTopicOffsets(place.topic)) ?? []
    return Number(ends.find(({ partition }) => partition === place.partition)?.low ?? from)
  }

  /** Holds the fetch until it has been dealt with: the group rebalances only when all of them are done. */
  async #take({ batch, heartbeat, resolveOffset, commitOffsetsIfNecessary, isStale }: EachBatchPayload): Promise<void> {
    const { topic, partition } = batch
    const place = { topic, partition }
    const member = this.#member
    if (isStale() || this.#stopping.signal.aborted) return
    const messages = batch.messages.map(({ offset, value }) => ({ offset: Number(offset), value }))
    const low = await this.#lowIfSkipped(place, Number((batch as unknown as { fetchedOffset: string }).fetchedOffset))
    const next = Number(batch.lastOffset()) + 1
    this.#expected.set(keyOf(place), next)
    member.fetched({ ...place, messages, next, ...(low !== undefined && { low }) })
    const store = async () => {
      const offset = member.doneTo(place)
      if (offset === undefined) return
      const partitions = [{ partition, offset: String(offset), metadata: member.name }]
      await commitOffsetsIfNecessary({ topics: [{ topic, partitions }] })
    }
    try {
      let isSettled = false
      while (!isSettled && !this.#stopping.signal.aborted) {
        const settled = member.settled(place).then(() => true)
        isSettled = (await inTime(settled, HEARTBEAT_MS)) ?? false
        await heartbeat()
        if (isStale()) return
      }
    } catch (error) {
      await inTime(member.revoked(), FINISH_MS)
      // Others begin behind what is finished here.
      await store().catch(() => {})
      throw error
    }
    if (this.#stopping.signal.aborted) await inTime(member.revoked(), FINISH_MS)
    else resolveOffset(batch.lastOffset())
    // Only a hint, except to other members; the next heartbeat shows whether this is still one.
    await store().catch(() => {})
  }
}

function keyOf({ topic, partition }: Place): string {
  return `${topic}/${partition}`
}

function committedOf(stored: { readonly offset: string; readonly metadata: string | null } | undefined): Committed | undefined {
  const offset = Number(stored?.offset ?? -1)
  return offset < 0 ? undefined : { offset, by: stored?.metadata ?? '' }
}
