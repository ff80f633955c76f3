import { type Logger, pino } from 'pino'
import { printable } from '../util/terminal.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/**
 * The log: `log.info({ source: 'default' }, 'Sentence with a full stop.')`. `error` means that data was lost or that someone must
 * act. Never log secrets, and no event contents at `info` or above.
 */
export type Log = Logger

export interface LogOptions {
  readonly level?: LogLevel
  /** Write lines for people instead of one JSON object per line. */
  readonly isPretty: boolean
  /** Receives each line, including its newline. */
  readonly write: (text: string) => void
}

let nodeOfLog: string | undefined

/** Every line of logs that are created from now on has the name of this node. */
export function nameLog(node: string): void {
  nodeOfLog = node
}

/** Creates a log. Synchronous, so that nothing is missing when the process exits. */
export function createLog({ level = 'info', isPretty, write }: LogOptions): Log {
  const options = {
    level,
    base: nodeOfLog === undefined ? null : { node: nodeOfLog },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: named },
  }
  return pino(options, { write: isPretty ? (line: string) => write(prettyLine(line)) : write })
}

/** The process's log: to stderr, for people if stderr is a terminal. */
export function processLog(level?: LogLevel): Log {
  return createLog({
    ...(level && { level }),
    isPretty: process.stderr.isTTY === true,
    write: (text) => void process.stderr.write(text),
  })
}

function named(label: string): { level: string } {
  return { level: label }
}

/** `10:21:07 warn   Table tor_exit_nodes is stale. table=tor_exit_nodes` */
function prettyLine(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>
  const clock = String(time).slice(11, 19)
  const cause = typeof err === 'object' && err !== null && 'message' in err ? { ...fields, error: err.message } : fields
  const tail = Object.entries(cause).map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return `${clock} ${String(level).padEnd(5)} ${printable(`${String(msg ?? '')}${tail.join('')}`)}\n`
}
