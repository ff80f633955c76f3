import { createRequire } from 'node:module'
import type { Kafka } from 'kafkajs'
import { NotSupported } from '../errors.ts'
import { kafkaLibrary } from './client.ts'

/** A message of a topic, as the library decodes it. */
export interface RawRecord {
  readonly offset: string
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>
  readonly isControlRecord?: boolean
}

interface OfPartition {
  readonly partition: number
}
type Answers<T> = Promise<{ readonly responses: readonly { readonly topicName: string; readonly partitions: readonly T[] }[] }>

/** One broker, as the library talks to it. */
export interface RawBroker {
  readonly connectionPool: { send(request: object): Promise<unknown> }
  connect(): Promise<void>
  disconnect(): Promise<void>
  isConnected(): boolean
  produce(
    ask: object,
  ): Promise<{ readonly topics: readonly { readonly partitions: readonly { readonly baseOffset: string }[] }[] }>
  fetch(ask: object): Answers<OfPartition & { highWatermark: string; lastStartOffset?: string; messages: readonly RawRecord[] }>
  listOffsets(ask: object): Answers<OfPartition & { readonly offset: string }>
  initProducerId(ask: object): Promise<{ readonly producerId: string; readonly producerEpoch: number }>
  createTopics(ask: object): Promise<unknown>
  describeConfigs(ask: object): Promise<{
    readonly resources: readonly {
      readonly configEntries: readonly { readonly configName: string; readonly configValue: string }[]
    }[]
  }>
  deleteRecords(ask: object): Promise<unknown>
  findGroupCoordinator(ask: object): Promise<{ readonly coordinator: { readonly nodeId: number } }>
  offsetCommit(ask: object): Promise<unknown>
  offsetFetch(ask: object): Answers<OfPartition & { readonly offset: string; readonly metadata: string | null }>
}

interface ConnectionPools {
  build(at?: { readonly host: string; readonly port: number }): Promise<object>
}

interface RawCluster {
  readonly connectionPoolBuilder: ConnectionPools
  readonly rootLogger: object
}

type EncoderClass = new () => { writeBuffer(bytes: Buffer): object }
type BrokerClass = new (options: object) => RawBroker

/** Parts of the library that it does not export. */
export interface Internals {
  readonly Encoder: EncoderClass
  /** A broker by its address, or the next of those that the client was given. */
  broker(kafka: Kafka, at?: { readonly host: string; readonly port: number }): Promise<RawBroker>
}

const AUTHENTICATE_MS = 5000

/**
 * The library reads topics only as a member of a group, and its producer hides what became of a batch. The spool needs the calls below that,
 * which have been the same in all releases of its second version.
 *
 * @throws {ConfigError} if the library is not installed.
 * @throws {NotSupported} if it is another version.
 */
export function kafkaInternals(): Internals {
  kafkaLibrary()
  const load = createRequire(import.meta.url)
  const Encoder = load('kafkajs/src/protocol/encoder') as EncoderClass
  const Broker = load('kafkajs/src/broker') as BrokerClass
  return {
    Encoder,
    async broker(kafka, at) {
      const { connectionPoolBuilder, rootLogger } = clusterOf(kafka)
      const connectionPool = await connectionPoolBuilder.build(at)
      return new Broker({
        connectionPool,
        logger: rootLogger,
        authenticationTimeout: AUTHENTICATE_MS,
        allowAutoTopicCreation: false,
      })
    },
  }
}

const clusters = new WeakMap<Kafka, RawCluster>()

function clusterOf(kafka: Kafka): RawCluster {
  const known = clusters.get(kafka)
  if (known) return known
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === 'private:Kafka:createCluster')
  const create = symbol && (kafka as unknown as Record<symbol, unknown>)[symbol]
  if (typeof create !== 'function') throw new NotSupported('this version of the package kafkajs; install kafkajs@2.2.4')
  const made = create({ allowAutoTopicCreation: false }) as RawCluster
  clusters.set(kafka, made)
  return made
}
