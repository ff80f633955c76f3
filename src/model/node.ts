/** The active process among several that share a state, as one that waits knows it. */
export interface ActiveNode {
  readonly node: string
  /** Its URL; `undefined`: it has not said. */
  readonly url: string | undefined
}
