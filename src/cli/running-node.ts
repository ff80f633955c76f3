/** A running node that is never active. */
export interface RunningNode {
  /** Resolves if it cannot continue. */
  readonly failed: Promise<Error>
  /** Stops accepting calls, then everything else. */
  stop(): Promise<void>
}
