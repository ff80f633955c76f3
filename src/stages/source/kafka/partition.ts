import type { Fetched, Known, Message, Place } from '../../../util/kafka/member.ts'

/** Maximum bytes per batch, as for files. A single message may be larger. */
const WINDOW_BYTES = 1024 * 1024
const MAX_MESSAGES = 10_000

/** Offsets of one partition: from the first to before the second. */
export interface Range {
  readonly from: number
  readonly next: number
}

/** Where reading begins if neither state nor the group knows. */
export type Start = 'earliest' | 'latest'

export interface PartitionOptions {
  readonly place: Place
  /** The name under which this source stores offsets. */
  readonly name: string
  readonly start: Start
  /** The committed cursor's offset, if there is one. */
  readonly position: number | undefined
}

/** One partition: what was fetched from it and not read yet, and how far reading has come. */
export class Partition {
  readonly place: Place
  readonly #options: PartitionOptions
  #position: number | undefined
  #waiting: Message[] = []
  #fetchedTo = 0
  #low = 0
  /** Before this, another member has dealt with everything. */
  #floor = 0
  #wanted = 0
  /** Where the ranges begin that were taken and are not committed. */
  readonly #open = new Set<number>()
  #doneTo: number | undefined
  #isOwned = false
  #notice: string | undefined
  #changes: (() => void)[] = []

  constructor(options: PartitionOptions) {
    this.#options = options
    this.place = options.place
    this.#position = options.position
  }

  get isOwned(): boolean {
    return this.#isOwned
  }

  get floor(): number {
    return this.#floor
  }

  get position(): number | undefined {
    return this.#position
  }

  /** For users. */
  get notice(): string | undefined {
    return this.#notice
  }

  /** See `GroupMember.doneTo`. */
  get doneTo(): number | undefined {
    return this.#doneTo
  }

  /** True if nothing that was read is still under way. */
  get isFinished(): boolean {
    return this.#open.size === 0
  }

  get waitingBytes(): number {
    return this.#waiting.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
  }

  /** Returns where fetching begins. */
  assigned({ low, high, committed }: Known): number {
    const own = this.#position
    const { name, start } = this.#options
    if (committed && committed.by !== name && own !== undefined) this.#floor = Math.max(this.#floor, committed.offset)
    // Offsets of this source's own are behind its state, or beyond one that was restored from a backup.
    const known = own === undefined ? committed?.offset : Math.max(own, this.#floor)
    const position = known === undefined ? (start === 'latest' ? high : low) : known > high ? low : known
    if (known !== undefined && known > high)
      this.#notice = `${shown(this.place)} ends at offset ${high}, but was read to ${known}: it seems to have been deleted and created again, so it is read from its beginning`
    this.#position = position
    this.#low = low
    this.#isOwned = true
    this.#fetchFrom(Math.max(position, low))
    this.#doneTo = known === undefined ? position : undefined
    return this.#fetchedTo
  }

  /** What was fetched before is forgotten. */
  revoked(): void {
    this.#isOwned = false
    this.#fetchFrom(0)
  }

  fetched({ messages, next, low = 0 }: Fetched): void {
    if (!this.#isOwned) return
    this.#low = Math.max(this.#low, low)
    for (const message of messages) if (message.offset >= this.#fetchedTo) this.#waiting.push(message)
    this.#fetchedTo = Math.max(this.#fetchedTo, next)
    this.#changed()
  }

  /** Fetched messages are dealt with, or do not suffice. */
  get isSettled(): boolean {
    if (!this.#isOwned) return this.isFinished
    if (this.#wanted > this.#fetchedTo) return true
    return this.#waiting.length === 0 && this.isFinished && this.#position! >= this.#low
  }

  /** What to read next. */
  next(): Range | undefined {
    if (!this.#isOwned) return undefined
    const from = this.#position!
    if (from < this.#low) return { from, next: this.#low }
    if (this.#waiting.length === 0) return undefined
    let bytes = 0
    let count = 0
    for (; count < Math.min(this.#waiting.length, MAX_MESSAGES); count++) {
      bytes += this.#waiting[count]!.value?.length ?? 0
      if (count > 0 && bytes > WINDOW_BYTES) break
    }
    return { from, next: count === this.#waiting.length ? this.#fetchedTo : this.#waiting[count]!.offset }
  }

  /** Takes the messages of a range; `undefined`: not all of them have been fetched. `lost`: offsets that do not exist any more. */
  take({ from, next }: Range): { readonly messages: readonly Message[]; readonly lost: number } | undefined {
    if (this.#fetchedTo < next) {
      this.#wanted = next
      this.#changed()
      return undefined
    }
    this.#wanted = 0
    const count = this.#waiting.findIndex(({ offset }) => offset >= next)
    const messages = this.#waiting.splice(0, count < 0 ? this.#waiting.length : count)
    const lost = Math.max(0, Math.min(next, this.#low) - Math.max(from, this.#floor) - messages.length)
    this.#position = next
    this.#open.add(from)
    return { messages, lost }
  }

  /** Reads from an earlier offset again. Returns where fetching begins. */
  rewind(from: number): number {
    this.#position = from
    this.#fetchFrom(Math.max(from, this.#low))
    return this.#fetchedTo
  }

  /** The range's effects are durable. */
  committed({ from, next }: Range): void {
    // If it was not taken, another member has dealt with it.
    if (!this.#open.delete(from)) return
    this.#doneTo = next
    this.#changed()
  }

  /** Resolves at the next change. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#changes.push(resolve))
  }

  #fetchFrom(offset: number): void {
    this.#waiting = []
    this.#fetchedTo = offset
    this.#changed()
  }

  #changed(): void {
    for (const resolve of this.#changes.splice(0)) resolve()
  }
}

/** A partition's name in messages. */
export function shown({ topic, partition }: Place): string {
  return `partition ${partition} of topic '${topic}'`
}
