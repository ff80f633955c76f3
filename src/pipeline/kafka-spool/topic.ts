import { setTimeout as pause } from 'node:timers/promises'
import { StorageError } from '../../util/errors.ts'
import { KafkaFailure, type KafkaLink } from '../../util/kafka/link.ts'
import { createTopic, fetch, type LogPlace, logEnds, type StoredOffset, storedOffset } from '../../util/kafka/log.ts'
import { isNotReady } from '../../util/kafka/passing.ts'
import { pieceOf } from './record.ts'

export interface TopicOptions {
  readonly name: string
  /** The group whose offsets say what was read. */
  readonly group: string
  readonly mayCreate: boolean
  /** -1: as many as the brokers' default. */
  readonly replicationFactor: number
}

/** How far a topic's bodies were read and committed, as stored for the group. */
export interface Freed {
  /** The id of the last of them. */
  readonly id: number
  /** Bytes appended up to there. */
  readonly total: number
  /** The offset of the first message that may still be needed: a body that is not complete begins there. */
  readonly floor: number
}

/** In the ids of places, so that they differ from those of other spools. */
const EPOCH = 'kafka:'
/** So that what was read is off the disks within about an hour: only closed segments are deleted. */
const CONFIG = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'segment.ms': '3600000',
  'segment.bytes': '134217728',
}
/** With three replicas or more, a body is on two machines before it is acknowledged. */
const SAFE = { 'min.insync.replicas': '2' }
const SAFE_FROM = 3

/** A new topic, and the first group of a new cluster, take a moment. */
const READY_MS = 5000
const RETRY_MS = 100

/** The topic of one source, and what is known about it. */
export class SpoolTopic {
  readonly options: TopicOptions
  readonly #link: KafkaLink
  #place: LogPlace | undefined
  #epoch: string | undefined
  #opening: Promise<void> | undefined
  low = 0
  high = 0
  freed: Freed = { id: 0, total: 0, floor: 0 }
  #total = 0
  #own = { bytes: 0, messages: 0 }

  constructor(link: KafkaLink, options: TopicOptions) {
    this.#link = link
    this.options = options
  }

  /** Where it is. Throws if it is not open. */
  get place(): LogPlace {
    if (!this.#place) throw new KafkaFailure(undefined, `topic '${this.options.name}' is not known`)
    return this.#place
  }

  /** Another one if the topic was deleted and created again; `undefined`: not known. */
  get epoch(): string | undefined {
    return this.#epoch
  }

  /** Bytes appended so far, as far as is known. */
  get total(): number {
    return this.#total
  }

  get waitingBytes(): number {
    return this.high <= Math.max(this.freed.id, this.low) ? 0 : Math.max(0, this.#total - this.freed.total)
  }

  /** Finds or creates it, unless that was done before. @throws {StorageError} that says what is missing. */
  open(): Promise<void> {
    this.#opening ??= this.#openNow().catch((error) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  /** Finds it again, because its leader or the topic itself may be another. */
  async locate(): Promise<void> {
    const { name } = this.options
    let found = await this.#link.topic(name)
    if (!found) {
      await this.#create()
      found = await this.#link.topic(name)
    }
    if (!found || found.leader === undefined) throw new KafkaFailure('LEADER_NOT_AVAILABLE', `topic '${name}' has no leader now`)
    if (found.partitions !== 1)
      throw new StorageError(
        `topic '${name}' has ${found.partitions} partitions, and the spool needs 1, which keeps the order: set another spool.topic_prefix, or delete the topic`,
      )
    if (found.id === undefined)
      throw new StorageError(`the brokers do not give topics an id, which the spool needs: use Kafka 2.8 or later`)
    const place = { topic: name, leader: found.leader }
    this.#place = place
    if (this.#epoch !== EPOCH + found.id) await this.#learn(place, EPOCH + found.id)
  }

  /** Whether the broker that leads it still has the same topic; otherwise it has been found again. */
  async isSame(): Promise<boolean> {
    const { topic, leader } = this.place
    const found = await this.#link.topic(topic, leader)
    if (found?.id !== undefined && EPOCH + found.id === this.#epoch) return true
    await this.locate()
    return false
  }

  /** This process has appended messages, the first of them at this offset. */
  appended(base: number, messages: number, bytes: number): void {
    this.#own = { bytes: this.#own.bytes + bytes, messages: this.#own.messages + messages }
    // Known already, from the message itself.
    if (base + messages <= this.high) return
    // Others have appended meanwhile: of about the same size, until the next message is seen.
    const others = Math.max(0, base - this.high) * (this.#own.bytes / this.#own.messages)
    this.#total += Math.round(bytes + others)
    this.high = base + messages
  }

  /** What a fetch or a look has shown. `total`: of the newest message seen. */
  seen({ low, high, total }: { readonly low: number; readonly high: number; readonly total?: number }): void {
    this.low = Math.max(this.low, low)
    this.high = Math.max(this.high, high)
    if (total !== undefined) this.#total = Math.max(this.#total, total)
  }

  /** Its brokers have lost messages from this offset on. */
  cutTo(high: number): void {
    this.high = high
    this.freed = { id: Math.min(high, this.freed.id), total: this.#total, floor: Math.min(high, this.freed.floor) }
  }

  /** Looks how far others have appended and, unless this process reads, how far it was read. */
  async look(isReader: boolean): Promise<void> {
    const { epoch } = this
    await this.locate()
    if (this.epoch !== epoch) return
    const { low, high } = await logEnds(this.#link, this.place)
    const total = high > this.high && high > low ? await this.#totalAt(this.place, high - 1) : undefined
    this.seen({ low, high, ...(total !== undefined && { total }) })
    if (isReader) return
    const stored = await storedOffset(this.#link, this.options.group, this.options.name)
    if (stored && stored.offset >= this.freed.id) this.freed = freedOf(stored)
  }

  /** What is stored for the group now. */
  async storedId(): Promise<number> {
    return (await storedOffset(this.#link, this.options.group, this.options.name))?.offset ?? 0
  }

  async #openNow(): Promise<void> {
    const untilMs = performance.now() + READY_MS
    for (;;) {
      try {
        return await this.locate()
      } catch (error) {
        if (!isNotReady(error) || performance.now() > untilMs) throw error
        await pause(RETRY_MS)
      }
    }
  }

  async #learn(place: LogPlace, epoch: string): Promise<void> {
    const { low, high } = await logEnds(this.#link, place)
    const stored = await storedOffset(this.#link, this.options.group, this.options.name)
    const isKnown = stored !== undefined && stored.offset <= high
    const total = high > low ? await this.#totalAt(place, high - 1) : undefined
    const before = high > low && !isKnown ? await this.#totalBefore(place, low) : 0
    this.#epoch = epoch
    this.low = low
    this.high = high
    this.freed = isKnown ? freedOf(stored) : { id: 0, total: before, floor: low }
    this.#total = total ?? this.freed.total
  }

  async #totalAt(place: LogPlace, offset: number): Promise<number | undefined> {
    const { records } = await fetch(this.#link, place, offset, 1)
    return records[0] && pieceOf(records[0])?.total
  }

  async #totalBefore(place: LogPlace, offset: number): Promise<number> {
    const { records } = await fetch(this.#link, place, offset, 1)
    const piece = records[0] && pieceOf(records[0])
    return piece ? Math.max(0, piece.total - piece.value.length) : 0
  }

  async #create(): Promise<void> {
    const { name, mayCreate, replicationFactor } = this.options
    const config = { ...CONFIG, ...(replicationFactor >= SAFE_FROM && SAFE) }
    if (!mayCreate) throw new StorageError(`topic '${name}' is missing. ${howToCreate(name, replicationFactor, config)}`)
    try {
      await createTopic(this.#link, { topic: name, replicationFactor, config })
    } catch (error) {
      const { type, message } = error as KafkaFailure
      // Another process was faster.
      if (type === undefined || type === 'TOPIC_ALREADY_EXISTS') return
      throw new StorageError(
        `topic '${name}' is missing and cannot be created (${message}). ${howToCreate(name, replicationFactor, config)}`,
        { cause: error },
      )
    }
  }
}

/** The metadata with which an offset is stored. */
export function storedOf({ id, total, floor }: Freed): StoredOffset {
  return { offset: id, metadata: JSON.stringify({ total, floor }) }
}

function freedOf({ offset, metadata }: StoredOffset): Freed {
  const [, total, floor] = /^\{"total":(\d{1,16}),"floor":(\d{1,16})\}$/.exec(metadata) ?? []
  // Stored by someone else, with a tool: what was appended up to there is not known.
  return { id: offset, total: Number(total ?? 0), floor: Math.min(offset, Number(floor ?? 0)) }
}

function howToCreate(name: string, replicationFactor: number, config: Readonly<Record<string, string>>): string {
  const factor = replicationFactor < 0 ? '' : ` --replication-factor ${replicationFactor}`
  const settings = Object.entries(config).map(([key, value]) => ` --config ${key}=${value}`)
  return `Create it: kafka-topics.sh --bootstrap-server HOST:PORT --create --topic ${name} --partitions 1${factor}${settings.join('')}`
}
