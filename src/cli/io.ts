import type { Readable } from 'node:stream'
import { type Environment, environment } from '../config/env.ts'

/** A command's access to the outside. */
export interface Io {
  /** For requested output. */
  out(text: string): void
  /** The same for large output: resolves once the reader has consumed it. */
  write(text: string): Promise<void>
  /** For messages. */
  err(text: string): void
  readonly isTty: boolean
  /** Width of the terminal in columns. */
  readonly columns: number
  readonly hasColours: boolean
  readonly env: Environment
  readonly stdin: Readable
  /** Aborted by the first Ctrl-C while a command waits; a command that does not listen is killed by it. */
  onInterrupt(run: () => void): () => void
}

/** The process's own. */
export function processIo(): Io {
  const { stdout, stderr } = process
  const env = environment()
  const isTty = stdout.isTTY === true
  return {
    out: (text) => void stdout.write(text),
    write: (text) => new Promise((resolve) => void stdout.write(text, () => resolve())),
    err: (text) => void stderr.write(text),
    isTty,
    columns: stdout.columns ?? 80,
    hasColours: isTty && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    env,
    stdin: process.stdin,
    onInterrupt(run) {
      process.once('SIGINT', run)
      return () => process.off('SIGINT', run)
    },
  }
}

/** Exit code that shells expect of a program whose reader is gone. */
const BROKEN_PIPE = 141

/** If the reader is gone (`caracal query … | head`), a command exits quietly and a server continues. */
export function guardOutput(isServer: boolean): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (isServer) return
    process.exit(error.code === 'EPIPE' ? BROKEN_PIPE : 1)
  })
}
