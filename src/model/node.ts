/** The active process among several that share a state, as one that waits knows it. */
export interface ActiveNode {
  readonly node: string
  /** Its URL; `undefined`: it has not said. */
  readonly url: string | undefined
}

/** The active process, as one that forwards to it knows it. */
export interface KnownActive extends ActiveNode {
  /** The key that all nodes with the same state have; `undefined`: it cannot be read, or not yet. */
  readonly key: string | undefined
  /** It has given no sign of life for a while: another one takes over if there is one. */
  readonly isSilent: boolean
}
