import type { Kafka } from 'kafkajs'
import { messageOf } from '../errors.ts'
import { inTime } from '../pause.ts'
import { kafkaInternals, type RawBroker } from './internals.ts'
import { type ClusterDescription, type TopicDescription, topicRequest } from './topic-request.ts'

/** Why a call failed. */
export class KafkaFailure extends Error {
  /** Kafka's name of the error, such as `TOPIC_AUTHORIZATION_FAILED`; `undefined`: there was no answer. */
  readonly type: string | undefined

  constructor(type: string | undefined, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'KafkaFailure'
    this.type = type
  }
}

/** The next call to a broker that is down tries another one. */
const SEEDS = 3
const CLOSE_MS = 2000
const UNKNOWN_TOPIC = 3

/** Connections to the brokers of a cluster, made when they are needed. After a failure without an answer, all of them are made again. */
export class KafkaLink {
  readonly #client: () => Kafka
  #kafka: Kafka | undefined
  /** By node; `seed`: one of those that the configuration names. */
  readonly #brokers = new Map<number | 'seed', Promise<RawBroker>>()
  #described: ClusterDescription | undefined
  #isClosed = false

  /** `client` is called for each set of connections, so that it can read secrets again; it may throw. */
  constructor(client: () => Kafka) {
    this.#client = client
  }

  /** These topics, or all, as far as they exist; asks a broker each time. */
  async topics(names: readonly string[] | 'all'): Promise<ClusterDescription> {
    const described = await this.#on('seed', (broker) => broker.connectionPool.send(topicRequest(names)))
    this.#described = described as ClusterDescription
    return this.#described
  }

  /** A topic as a broker describes it, or `undefined` if it does not exist. */
  async topic(name: string, node: number | 'seed' = 'seed'): Promise<TopicDescription | undefined> {
    const answer = await this.#on(node, (broker) => broker.connectionPool.send(topicRequest([name])))
    this.#described = answer as ClusterDescription
    const found = this.#described.topics.find((topic) => topic.name === name)
    const error = this.#described.errors.get(name)
    if (!found && error !== UNKNOWN_TOPIC) throw await kafkaError(error ?? -1)
    return found
  }

  /** Calls a broker. @throws {KafkaFailure} */
  onNode<T>(node: number, call: (broker: RawBroker) => Promise<T>): Promise<T> {
    return this.#on(node, call)
  }

  /** Calls the broker that creates topics. */
  async onController<T>(call: (broker: RawBroker) => Promise<T>): Promise<T> {
    const { controller } = await this.topics([])
    return this.#on(controller, call)
  }

  /** Calls the broker that stores the offsets of a group. */
  async onCoordinator<T>(groupId: string, call: (broker: RawBroker) => Promise<T>): Promise<T> {
    const found = await this.#on('seed', (broker) => broker.findGroupCoordinator({ groupId, coordinatorType: 0 }))
    return this.#on(found.coordinator.nodeId, call)
  }

  /** Calls any broker. */
  onAny<T>(call: (broker: RawBroker) => Promise<T>): Promise<T> {
    return this.#on('seed', call)
  }

  /** Requests under way have a moment to be answered. */
  async close(): Promise<void> {
    this.#isClosed = true
    await inTime(this.#drop(), CLOSE_MS)
  }

  async #on<T>(node: number | 'seed', call: (broker: RawBroker) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new KafkaFailure(undefined, 'the connection to Kafka is closed')
    try {
      const broker = await this.#broker(node)
      if (!broker.isConnected()) await broker.connect()
      return await call(broker)
    } catch (error) {
      const failure = failureOf(error)
      // Closing waits for answers, which do not come if the broker is gone.
      if (failure.type === undefined) void this.#drop()
      throw failure
    }
  }

  #broker(node: number | 'seed'): Promise<RawBroker> {
    const known = this.#brokers.get(node)
    if (known) return known
    const made = this.#connect(node)
    this.#brokers.set(node, made)
    made.catch(() => this.#brokers.get(node) === made && this.#brokers.delete(node))
    return made
  }

  async #connect(node: number | 'seed'): Promise<RawBroker> {
    const { broker: build } = kafkaInternals()
    this.#kafka ??= this.#client()
    if (node !== 'seed') {
      const { nodes } = this.#described ?? (await this.topics([]))
      const at = nodes.find(({ id }) => id === node)
      if (!at) throw new KafkaFailure('BROKER_NOT_AVAILABLE', `broker ${node} of the cluster is not known`)
      const broker = await build(this.#kafka, at)
      await broker.connect()
      return broker
    }
    for (let i = 1; ; i++) {
      const broker = await build(this.#kafka)
      try {
        await broker.connect()
        return broker
      } catch (error) {
        void broker.disconnect().catch(() => {})
        if (i >= SEEDS || failureOf(error).type !== undefined) throw error
      }
    }
  }

  async #drop(): Promise<void> {
    const all = [...this.#brokers.values()]
    this.#brokers.clear()
    this.#kafka = undefined
    this.#described = undefined
    await Promise.allSettled(all.map(async (made) => (await made).disconnect()))
  }
}

/** What the library throws, without its wrappers. */
function failureOf(error: unknown): KafkaFailure {
  if (error instanceof KafkaFailure) return error
  let type: string | undefined
  for (
    let at = error as { type?: string; cause?: unknown; errors?: unknown[]; partitions?: { error: unknown }[] } | undefined;
    at;
  ) {
    type ??= typeof at.type === 'string' ? at.type : undefined
    at = (at.errors?.[0] ?? at.partitions?.[0]?.error ?? at.cause) as typeof at
  }
  const isAnswer = type !== undefined && type === type.toUpperCase()
  return new KafkaFailure(isAnswer ? type : undefined, messageOf(error), { cause: error })
}

/** The library's words for an error code. */
async function kafkaError(code: number): Promise<KafkaFailure> {
  const { createRequire } = await import('node:module')
  const load = createRequire(import.meta.url)
  const { createErrorFromCode } = load('kafkajs/src/protocol/error') as { createErrorFromCode: (code: number) => Error }
  return failureOf(createErrorFromCode(code))
}
