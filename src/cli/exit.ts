import { CommanderError } from 'commander'
import { CaracalError, ConfigError, messageOf } from '../util/errors.ts'
import { printable } from '../util/terminal.ts'
import type { Io } from './io.ts'

/** Ends a command with this exit code, without a further message. */
export class Exit extends Error {
  readonly code: number

  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}

/** The command line is invalid or asks for something impossible. */
export class UsageError extends CaracalError {
  constructor(message: string) {
    super('usage', message)
  }
}

/** Prints what went wrong and returns the exit code: 0 success, 2 usage, configuration or content, 1 everything else. */
export function exitCodeOf(error: unknown, io: Io): number {
  if (error instanceof Exit) return error.code
  // Commander has already printed its own message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof CaracalError) {
    io.err(`caracal: ${lines(error.message)}\n`)
    return error instanceof ConfigError || error instanceof UsageError ? 2 : 1
  }
  const detail = error instanceof Error && error.stack ? error.stack : messageOf(error)
  io.err(`caracal: this is a bug. Please report it with these lines:\n${lines(detail)}\n`)
  return 1
}

/** Untrusted text made safe line by line. */
function lines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}
