/** Something that is killed and stopped. */
export interface Victim {
  readonly name: string
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** After `kill`: resolves when it answers. */
  again(): Promise<void>
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
}
