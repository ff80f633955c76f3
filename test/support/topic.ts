import type { Committed, Group, GroupMember, Message, Place } from '../../src/util/kafka/member.ts'

/** A topic with one partition in memory, and the group that reads it: one member has the partition at a time. */
export class TestTopic {
  readonly place: Place = { topic: 'logs', partition: 0 }
  /** By offset; `undefined`: no message, as the end of a transaction. */
  readonly log: (string | null | undefined)[] = []
  /** The first offset that was not deleted. */
  low = 0
  committed: Committed | undefined
  /** Maximum number of messages per fetch. */
  fetchSize = 100
  #member: GroupMember | undefined
  #at = 0
  #isHeld = false

  produce(records: readonly (string | null | undefined)[]): void {
    this.log.push(...records)
    this.#fetch()
  }

  /** Joins, and gets the partition at once. */
  join(member: GroupMember): Group {
    this.assign(member)
    return {
      committed: async () => this.committed,
      seek: (_, offset) => {
        this.#at = offset
        this.#isHeld = false
        this.#fetch()
      },
      close: async () => {
        if (this.#member === member) this.#member = undefined
      },
    }
  }

  /** Gives the partition to a member; the previous one must have been revoked. */
  assign(member: GroupMember): void {
    this.#member = member
    const { low, committed } = this
    this.#at = member.assigned(this.place, { low, high: this.log.length, committed })
    this.#isHeld = false
    this.#fetch()
  }

  /** Takes the partition away. Resolves when its member has finished and the offset is stored. */
  async revoke(): Promise<void> {
    const member = this.#member!
    this.#member = undefined
    await member.revoked()
    this.#store(member)
  }

  #store(member: GroupMember): void {
    const offset = member.doneTo(this.place)
    if (offset !== undefined) this.committed = { offset, by: member.name }
  }

  #fetch(): void {
    const member = this.#member
    if (!member || this.#isHeld) return
    const from = this.#at
    const low = from < this.low ? this.low : undefined
    const begin = low ?? from
    const next = Math.min(this.log.length, begin + this.fetchSize)
    if (next === begin) return
    const messages: Message[] = []
    for (let offset = begin; offset < next; offset++) {
      const value = this.log[offset]
      if (value !== undefined) messages.push({ offset, value: value === null ? null : Buffer.from(value) })
    }
    this.#at = next
    this.#isHeld = true
    member.fetched({ ...this.place, messages, next, ...(low !== undefined && { low }) })
    void member.settled(this.place).then(() => {
      if (this.#member !== member || !this.#isHeld) return
      this.#store(member)
      this.#isHeld = false
      this.#fetch()
    })
  }
}
