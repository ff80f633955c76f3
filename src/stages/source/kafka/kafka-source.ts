import { randomUUID } from 'node:crypto'
import type { Cursor, Extent } from '../../../model/batch.ts'
import type { Chunk, Fault } from '../../../model/chunk.ts'
import { RetryLater } from '../../../util/errors.ts'
import { hash16, sha256 } from '../../../util/hash.ts'
import type { Fetched, Group, GroupMember, JoinGroup, Known, Message, Place } from '../../../util/kafka/member.ts'
import { inTime } from '../../../util/pause.ts'
import { decodeBody } from '../decoders/decode.ts'
import type { BatchSource, CursorDeps, SourceStatus } from '../source.ts'
import { Partition, type Range, type Start, shown } from './partition.ts'

export interface KafkaSourceOptions {
  readonly id: string
  readonly start: Start
  readonly join: JoinGroup
  readonly deps: Pick<CursorDeps, 'cursors' | 'wake'>
}

interface KafkaExtent extends Extent, Place, Range {
  readonly kind: 'kafka'
}

/** What state stores about a partition. */
interface Progress {
  /** The offset of the next message to read. */
  readonly next: number
  readonly name: string
}

/** After a restart, waits this long for the messages of a recorded batch before the batch is put aside and other sources are read. */
const REFETCH_MS = 2000

/**
 * Reads messages as a member of a consumer group. A partition's offset is part of the cursor in state; the group's own offset is stored
 * after that and used only where state knows none, or another member has come further.
 */
export class KafkaSource implements BatchSource, GroupMember {
  readonly id: string
  readonly isIndependent = true
  /** The same for as long as state is. */
  readonly name: string
  readonly #options: KafkaSourceOptions
  readonly #partitions = new Map<string, Partition>()
  #group: Group | undefined
  #trouble: string | undefined
  #turn = 0

  constructor(options: KafkaSourceOptions) {
    this.id = options.id
    this.#options = options
    const { cursors } = options.deps
    this.name = (cursors[0]?.value as Progress | undefined)?.name ?? randomUUID()
  }

  async next(): Promise<Extent | undefined> {
    this.#joined()
    const all = [...this.#partitions.values()]
    for (let i = 0; i < all.length; i++) {
      const partition = all[(this.#turn + i) % all.length]!
      const range = partition.next()
      if (!range) continue
      this.#turn += i + 1
      return { kind: 'kafka', ...partition.place, ...range } satisfies KafkaExtent
    }
    return undefined
  }

  async read(recorded: Extent): Promise<readonly Chunk[]> {
    const extent = recorded as KafkaExtent
    const group = this.#joined()
    const partition = this.#of(extent)
    if (!partition.isOwned) {
      if (await this.#isElsewhere(group, extent)) return [this.#nothing(extent)]
      throw new RetryLater(`${shown(extent)} is not assigned to this member yet`)
    }
    if (extent.next <= partition.floor) return [this.#nothing(extent)]
    if (extent.from < partition.position! && partition.position! > partition.floor)
      group.seek(extent, partition.rewind(extent.from))
    const untilMs = performance.now() + REFETCH_MS
    for (;;) {
      const taken = partition.take(extent)
      if (taken) return this.#chunks(extent, taken)
      const leftMs = untilMs - performance.now()
      if (leftMs <= 0 || !partition.isOwned)
        throw new RetryLater(`offsets ${extent.from} to ${extent.next - 1} of ${shown(extent)} are being fetched again`)
      await inTime(partition.change(), leftMs)
    }
  }

  receivedMs(): undefined {
    return undefined
  }

  parsed(recorded: Extent): Cursor {
    const { topic, partition, next } = recorded as KafkaExtent
    const value: Progress = { next, name: this.name }
    return { place: placeOf({ topic, partition }), value }
  }

  committed(recorded: Extent): void {
    const extent = recorded as KafkaExtent
    this.#of(extent).committed(extent)
  }

  status(): SourceStatus {
    const backlogBytes = [...this.#partitions.values()].reduce((sum, { waitingBytes }) => sum + waitingBytes, 0)
    const notices = [...this.#partitions.values()].flatMap(({ notice }) => notice ?? [])
    const problems = this.#trouble === undefined ? [] : [this.#trouble]
    return { backlogBytes, notices: [...notices, ...problems], problems }
  }

  async close(): Promise<void> {
    await this.#group?.close()
  }

  assigned(place: Place, known: Known): number {
    const offset = this.#of(place).assigned(known)
    this.#options.deps.wake()
    return offset
  }

  fetched(fetched: Fetched): void {
    this.#of(fetched).fetched(fetched)
    this.#options.deps.wake()
  }

  async settled(place: Place): Promise<void> {
    const partition = this.#of(place)
    while (!partition.isSettled) await partition.change()
  }

  doneTo(place: Place): number | undefined {
    return this.#of(place).doneTo
  }

  async revoked(): Promise<void> {
    const all = [...this.#partitions.values()]
    for (const partition of all) partition.revoked()
    for (const partition of all) while (!partition.isFinished) await partition.change()
  }

  trouble(message: string | undefined): void {
    this.#trouble = message
  }

  #joined(): Group {
    this.#group ??= this.#options.join(this)
    return this.#group
  }

  #of(place: Place): Partition {
    const key = placeOf(place)
    const found = this.#partitions.get(key)
    if (found) return found
    const { start, deps } = this.#options
    const position = (deps.cursors.find((cursor) => cursor.place === key)?.value as Progress | undefined)?.next
    const { topic, partition } = place
    const made = new Partition({ place: { topic, partition }, name: this.name, start, position })
    this.#partitions.set(key, made)
    return made
  }

  /** Whether another member has dealt with the range. */
  async #isElsewhere(group: Group, extent: KafkaExtent): Promise<boolean> {
    const committed = await inTime(group.committed(extent), REFETCH_MS).catch(() => undefined)
    return committed !== undefined && committed.by !== this.name && committed.offset >= extent.next
  }

  /** Each message is a body of its own, so its row ids depend on nothing but its topic, partition and offset. */
  #chunks(extent: KafkaExtent, { messages, lost }: { messages: readonly Message[]; lost: number }): Chunk[] {
    const chunks: Chunk[] = []
    if (lost > 0) chunks.push({ ...this.#nothing(extent), faults: [lostFault(extent, lost)] })
    for (const { offset, value } of messages) {
      if (!value || value.length === 0) continue
      const decoded = decodeBody(value, 'lines')
      if ('broken' in decoded) throw new Error(decoded.broken)
      chunks.push({ ...decoded, place: this.#placeOf(extent, offset), offset: 0, context: '', final: true, faults: [] })
    }
    return chunks.length > 0 ? chunks : [this.#nothing(extent)]
  }

  #nothing(extent: KafkaExtent): Chunk {
    const place = this.#placeOf(extent, extent.from)
    return { bytes: new Uint8Array(), place, offset: 0, context: '', final: true, faults: [] }
  }

  #placeOf({ topic, partition }: Place, offset: number): string {
    return hash16(this.id, topic, String(partition), String(offset))
  }
}

function placeOf({ topic, partition }: Place): string {
  return `${topic}/${partition}`
}

function lostFault(extent: KafkaExtent, lost: number): Fault {
  const message = `up to ${lost} messages of ${shown(extent)} were deleted before they were read, from offset ${extent.from} on: raise the retention of the topic, or find out why reading is behind`
  const raw = new Uint8Array()
  return { reason: 'truncated', message, offset: 0, length: 0, sha256: sha256(raw), raw }
}
