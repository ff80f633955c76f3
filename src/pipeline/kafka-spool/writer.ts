import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { SpoolBody } from '../../model/spool.ts'
import { messageOf, StorageError } from '../../util/errors.ts'
import { KafkaFailure, type KafkaLink } from '../../util/kafka/link.ts'
import { newProducer, type ProducerId, produce } from '../../util/kafka/log.ts'
import { isPassing } from '../../util/kafka/passing.ts'
import { BATCH_BYTES, MESSAGE_OVERHEAD, type Message, messageOfBody, messagesOfParts } from './record.ts'
import type { SpoolTopic } from './topic.ts'

interface Waiting {
  readonly body: SpoolBody
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** A broker that restarts, or a new leader, is waited for this long. */
const RIDE_MS = 6000
const RETRY_MS = 200
/** After a failure, what arrives within this time is refused without a try, and then one try decides. */
const AWAY_MS = 1000
/** Readers give up a body whose parts take much longer. */
const BODY_MS = 60_000
/** Sequence numbers of a producer have 31 bits. */
const MAX_SEQUENCE = 2 ** 30

/** Appends bodies to one topic, those that wait together as one batch, one batch at a time. */
export class TopicWriter {
  readonly #topic: SpoolTopic
  readonly #link: KafkaLink
  readonly #onTrouble: (message: string | undefined) => void
  #waiting: Waiting[] = []
  #isRunning = false
  #producer: ProducerId | undefined
  #sequence = 0
  /** Why the last try failed. */
  #refused: StorageError | undefined
  #failedMs = 0

  constructor(topic: SpoolTopic, link: KafkaLink, onTrouble: (message: string | undefined) => void) {
    this.#topic = topic
    this.#link = link
    this.#onTrouble = onTrouble
  }

  /** Resolves once all replicas in sync have the body. Rejects with `StorageError`; the body may be stored nevertheless. */
  append(body: SpoolBody): Promise<void> {
    if (this.#refused && performance.now() - this.#failedMs < AWAY_MS) return Promise.reject(this.#refused)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ body, resolve, reject })
      if (this.#isRunning) return
      this.#isRunning = true
      // What arrives in this turn of the event loop goes together.
      setImmediate(() => void this.#run())
    })
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#next()
      try {
        await this.#store(batch.map(({ body }) => body))
        for (const { resolve } of batch) resolve()
        this.#refused = undefined
        this.#onTrouble(undefined)
      } catch (error) {
        const refused = refusal(this.#topic.options.name, error)
        this.#refused = refused
        this.#failedMs = performance.now()
        this.#onTrouble(refused.message)
        for (const { reject } of [...batch, ...this.#waiting.splice(0)]) reject(refused)
      }
    }
    this.#isRunning = false
  }

  /** As many as fit in one batch; a body that does not is alone. */
  #next(): Waiting[] {
    let bytes = 0
    let count = 0
    for (const { body } of this.#waiting) {
      bytes += body.body.length + body.decoding.length + MESSAGE_OVERHEAD
      if (count > 0 && bytes > BATCH_BYTES) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  async #store(bodies: readonly SpoolBody[]): Promise<void> {
    // After a failure, senders do not wait again: one try decides.
    const rideMs = this.#refused ? 0 : RIDE_MS
    const [first] = bodies
    if (first && first.body.length + first.decoding.length + MESSAGE_OVERHEAD > BATCH_BYTES) await this.#storeParts(first, rideMs)
    else {
      let { total } = this.#topic
      const messages = bodies.map((body) => {
        total += body.body.length
        return messageOfBody(body, total)
      })
      await this.#send(messages, rideMs)
    }
  }

  async #storeParts(body: SpoolBody, rideMs: number): Promise<void> {
    const untilMs = performance.now() + BODY_MS
    const group = randomBytes(12).toString('hex')
    for (const message of messagesOfParts(body, group, this.#topic.total)) {
      if (performance.now() > untilMs)
        throw new KafkaFailure('REQUEST_TIMED_OUT', `a body of ${body.body.length} bytes takes longer than ${BODY_MS / 1000} s`)
      await this.#send([message], rideMs)
    }
  }

  async #send(messages: readonly Message[], rideMs: number): Promise<void> {
    const untilMs = performance.now() + rideMs
    const bytes = messages.reduce((sum, { value }) => sum + value.length, 0)
    for (;;) {
      try {
        await this.#topic.open()
        const producer = await this.#identified()
        const { epoch } = this.#topic
        const base = await produce(this.#link, this.#topic.place, producer, this.#sequence, messages)
        this.#sequence += messages.length
        if (epoch === this.#topic.epoch) this.#topic.appended(base, messages.length, bytes)
        return
      } catch (error) {
        const isOver = !isPassing(error) || performance.now() >= untilMs
        // What becomes of the batch is not known: its numbers are not used again.
        if (isOver) this.#producer = undefined
        // Only a repetition under the same numbers is recognised, so the producer stays the same.
        else await pause(RETRY_MS)
        if (isPassing(error)) await this.#topic.locate().catch(() => {})
        if (isOver) throw error
      }
    }
  }

  async #identified(): Promise<ProducerId> {
    if (this.#producer && this.#sequence < MAX_SEQUENCE) return this.#producer
    this.#producer = await newProducer(this.#link)
    this.#sequence = 0
    return this.#producer
  }
}

function refusal(topic: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error
  const { type } = error as KafkaFailure
  const what = `The spool cannot be written: topic '${topic}' of Kafka: ${messageOf(error)}`
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE')
    return new StorageError(`${what}. Set max.message.bytes of the topic to at least 1048588.`, { cause: error })
  if (type === 'TOPIC_AUTHORIZATION_FAILED' || type === 'CLUSTER_AUTHORIZATION_FAILED')
    return new StorageError(`${what}. The user needs the permissions listed in docs/spool.md.`, { cause: error })
  if (type === 'NOT_ENOUGH_REPLICAS' || type === 'NOT_ENOUGH_REPLICAS_AFTER_APPEND')
    return new StorageError(`${what}. Fewer brokers are in sync than min.insync.replicas asks for.`, { cause: error })
  return new StorageError(`${what}. It is tried again as bodies arrive.`, { cause: error })
}
