/** A partition of a topic. */
export interface Place {
  readonly topic: string
  readonly partition: number
}

export interface Message {
  readonly offset: number
  /** `null`: a tombstone. */
  readonly value: Uint8Array | null
}

/** What was fetched from a partition, in order of the offsets. */
export interface Fetched extends Place {
  readonly messages: readonly Message[]
  /** The offset after the last one, which may belong to no message (the end of a transaction). */
  readonly next: number
  /** The first offset that still exists, if fetching went on later than where the previous fetch ended. */
  readonly low?: number
}

/** An offset that a group has stored: everything before it was dealt with. */
export interface Committed {
  readonly offset: number
  /** What the one who stored it wrote along with it. */
  readonly by: string
}

/** What a partition holds, and how far its group has come. */
export interface Known {
  /** Its first offset that still exists. */
  readonly low: number
  /** The offset of its next message. */
  readonly high: number
  readonly committed: Committed | undefined
}

/** Takes part in a consumer group. The calls come from the network's side, at any time. */
export interface GroupMember {
  /** Written along with stored offsets. */
  readonly name: string
  /** The partition belongs to this member from now on. Returns the offset where fetching begins. */
  assigned(place: Place, known: Known): number
  /** Never waits: a partition is fetched further only when `settled` resolves, so at most one fetch of each is held. */
  fetched(fetched: Fetched): void
  /** Resolves when everything fetched from the partition has been dealt with, or more of it is needed first. */
  settled(place: Place): Promise<void>
  /** The offset before which everything has been dealt with since the partition was assigned, if anything was. */
  doneTo(place: Place): number | undefined
  /** All partitions are lost. Resolves when what was begun is finished; the rest is forgotten. */
  revoked(): Promise<void>
  /** Why nothing is read; `undefined`: nothing is wrong any more. */
  trouble(message: string | undefined): void
}

/** Membership in a consumer group. */
export interface Group {
  /** What the group has stored for a partition. Rejects if it cannot be asked now. */
  committed(place: Place): Promise<Committed | undefined>
  /** Fetches the partition from this offset. */
  seek(place: Place, offset: number): void
  close(): Promise<void>
}

/** Joins a group, and joins again whenever that fails, until it is closed. */
export type JoinGroup = (member: GroupMember) => Group
