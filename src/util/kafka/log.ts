import type { RawRecord } from './internals.ts'
import type { KafkaLink } from './link.ts'

/** A message of a topic. */
export interface LogRecord {
  readonly offset: number
  readonly value: Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

export interface Fetched {
  readonly records: readonly LogRecord[]
  /** The first offset that exists. */
  readonly low: number
  /** The offset of the next message. */
  readonly high: number
  /** Where the next fetch begins. */
  readonly next: number
}

/** A topic with one partition, at the broker that leads it. */
export interface LogPlace {
  readonly topic: string
  readonly leader: number
}

/** Identifies what one producer appends, so that a repeated request is stored once. */
export interface ProducerId {
  readonly producerId: string
  readonly producerEpoch: number
}

const PARTITION = 0
/** How long the broker waits for its replicas. */
const REPLICAS_MS = 4000
const LATEST = -1
const EARLIEST = -2
const TOPIC_RESOURCE = 2
/** Longer headers are not ours. */
const MAX_HEADER_BYTES = 4096

/** An id for a new producer. */
export function newProducer(link: KafkaLink): Promise<ProducerId> {
  return link.onAny((broker) => broker.initProducerId({ transactionalId: null, transactionTimeout: 60_000 }))
}

/** Appends messages as one batch, and resolves with the offset of the first once all replicas in sync have it. */
export async function produce(
  link: KafkaLink,
  { topic, leader }: LogPlace,
  { producerId, producerEpoch }: ProducerId,
  firstSequence: number,
  messages: readonly { readonly value: Uint8Array; readonly headers: Readonly<Record<string, string>> }[],
): Promise<number> {
  const own = messages.map(({ value, headers }) => ({
    key: null,
    value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    headers,
  }))
  const topicData = [{ topic, partitions: [{ partition: PARTITION, firstSequence, messages: own }] }]
  const ask = { acks: -1, timeout: REPLICAS_MS, producerId, producerEpoch, topicData }
  const { topics } = await link.onNode(leader, (broker) => broker.produce(ask))
  return Number(topics[0]!.partitions[0]!.baseOffset)
}

/** The messages from an offset on, up to about this size, but at least one; none at the end. Does not wait for more. */
export async function fetch(link: KafkaLink, { topic, leader }: LogPlace, offset: number, maxBytes: number): Promise<Fetched> {
  const topics = [{ topic, partitions: [{ partition: PARTITION, fetchOffset: String(offset), maxBytes }] }]
  const ask = { replicaId: -1, isolationLevel: 1, maxWaitTime: 0, minBytes: 0, maxBytes, topics }
  const { responses } = await link.onNode(leader, (broker) => broker.fetch(ask))
  const { highWatermark, lastStartOffset, messages } = responses[0]!.partitions[0]!
  const own = messages.filter((message) => Number(message.offset) >= offset)
  const last = own.at(-1)
  return {
    records: own.filter(({ isControlRecord }) => !isControlRecord).map(recordOf),
    low: Number(lastStartOffset ?? 0),
    high: Number(highWatermark),
    next: last ? Number(last.offset) + 1 : offset,
  }
}

/**
 * Waits at a broker until one of these topics, which it leads, has a message at its offset, or until the time is over. Returns the offset
 * of the next message of each. It holds up other requests of the same link.
 */
export async function waitForMore(
  link: KafkaLink,
  leader: number,
  places: readonly { readonly topic: string; readonly offset: number }[],
  maxWaitMs: number,
): Promise<Map<string, number>> {
  // At least one batch is returned, however small the limit is.
  const maxBytes = 1
  const topics = places.map(({ topic, offset }) => ({
    topic,
    partitions: [{ partition: PARTITION, fetchOffset: String(offset), maxBytes }],
  }))
  const ask = { replicaId: -1, isolationLevel: 1, maxWaitTime: maxWaitMs, minBytes: 1, maxBytes, topics }
  const { responses } = await link.onNode(leader, (broker) => broker.fetch(ask))
  return new Map(responses.map(({ topicName, partitions }) => [topicName, Number(partitions[0]!.highWatermark)]))
}

/** The first offset that exists, and that of the next message. */
export async function logEnds(link: KafkaLink, { topic, leader }: LogPlace): Promise<{ low: number; high: number }> {
  const of = async (timestamp: number) => {
    const topics = [{ topic, partitions: [{ partition: PARTITION, timestamp }] }]
    const { responses } = await link.onNode(leader, (broker) => broker.listOffsets({ replicaId: -1, isolationLevel: 1, topics }))
    return Number(responses[0]!.partitions[0]!.offset)
  }
  return { low: await of(EARLIEST), high: await of(LATEST) }
}

/** Removes the messages before an offset. */
export async function deleteBefore(link: KafkaLink, { topic, leader }: LogPlace, offset: number): Promise<void> {
  const topics = [{ topic, partitions: [{ partition: PARTITION, offset: String(offset) }] }]
  await link.onNode(leader, (broker) => broker.deleteRecords({ topics }))
}

export interface NewTopic {
  readonly topic: string
  /** -1: as many as the brokers' default. */
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

export async function createTopic(link: KafkaLink, { topic, replicationFactor, config }: NewTopic): Promise<void> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  const topics = [{ topic, numPartitions: 1, replicationFactor, configEntries }]
  await link.onController((broker) => broker.createTopics({ topics, validateOnly: false, timeout: REPLICAS_MS }))
}

/** Settings of a topic, by name. */
export async function topicConfig(link: KafkaLink, topic: string, names: readonly string[]): Promise<Map<string, string>> {
  const resources = [{ type: TOPIC_RESOURCE, name: topic, configNames: [...names] }]
  const answer = await link.onAny((broker) => broker.describeConfigs({ resources }))
  return new Map(answer.resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]))
}

/** An offset that is stored for a group, with a text. */
export interface StoredOffset {
  readonly offset: number
  readonly metadata: string
}

/** Stores offsets for a group without members. */
export async function storeOffsets(link: KafkaLink, groupId: string, of: ReadonlyMap<string, StoredOffset>): Promise<void> {
  const topics = [...of].map(([topic, { offset, metadata }]) => ({
    topic,
    partitions: [{ partition: PARTITION, offset: String(offset), metadata }],
  }))
  const ask = { groupId, groupGenerationId: -1, memberId: '', retentionTime: -1, topics }
  await link.onCoordinator(groupId, (broker) => broker.offsetCommit(ask))
}

/** The offset stored for a group, or `undefined` before one has been stored. */
export async function storedOffset(link: KafkaLink, groupId: string, topic: string): Promise<StoredOffset | undefined> {
  const ask = { groupId, topics: [{ topic, partitions: [{ partition: PARTITION }] }] }
  const { responses } = await link.onCoordinator(groupId, (broker) => broker.offsetFetch(ask))
  const { offset, metadata } = responses[0]?.partitions[0] ?? { offset: '-1', metadata: null }
  return Number(offset) < 0 ? undefined : { offset: Number(offset), metadata: metadata ?? '' }
}

function recordOf({ offset, value, headers }: RawRecord): LogRecord {
  const own: Record<string, string> = Object.create(null)
  for (const [name, found] of Object.entries(headers ?? {})) {
    const one = Array.isArray(found) ? found[0] : (found as Buffer | string | undefined)
    if (one !== undefined && one !== null && one.length <= MAX_HEADER_BYTES) own[name] = one.toString()
  }
  return { offset: Number(offset), value: value ?? new Uint8Array(), headers: own }
}
