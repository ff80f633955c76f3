import { spawn } from 'node:child_process'

export interface CommandLimits {
  readonly timeoutMs: number
  readonly maxOutputBytes: number
}

/** What became of a command. */
export interface CommandResult {
  /** What it printed, up to the limit; when it was stopped, only whole lines. */
  readonly output: Buffer
  /** Why that is not everything or not trusted: it could not be started, was stopped, or failed; with what it wrote to stderr. */
  readonly problem: string | undefined
  /** There is no such program. */
  readonly isMissing: boolean
}

/**
 * The environment of programs that sources run: nothing of this process's, which may hold secrets, and messages and dates that do not
 * depend on the language of the system.
 */
export const COMMAND_ENV = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }
const MAX_STDERR_BYTES = 2000
const NEWLINE = 0x0a

/**
 * Runs a program without a shell, with nothing of this process's environment. It and its children are killed when a
 * limit is reached or the signal is aborted. Never rejects.
 */
export async function runCommand(
  [program = '', ...args]: readonly string[],
  { timeoutMs, maxOutputBytes }: CommandLimits,
  signal: AbortSignal,
): Promise<CommandResult> {
  // The leader of its own process group, so that what it starts can be stopped with it.
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: COMMAND_ENV,
  })
  let stopped: string | undefined
  const stop = (why: string) => {
    stopped ??= why
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has just ended.
    }
  }
  const onAbort = () => stop('it was stopped, as Caracal is stopping')
  signal.addEventListener('abort', onAbort)
  const timer = setTimeout(() => stop(`it ran longer than ${timeoutMs} ms (\`timeout_ms\`)`), timeoutMs)
  const output: Buffer[] = []
  let size = 0
  child.stdout.on('data', (piece: Buffer) => {
    output.push(piece.subarray(0, maxOutputBytes - size))
    size += output.at(-1)!.length
    if (size >= maxOutputBytes && !stopped) stop(`it printed more than ${maxOutputBytes} bytes (\`max_output_bytes\`)`)
  })
  let stderr = Buffer.alloc(0)
  child.stderr.on('data', (piece: Buffer) => {
    if (stderr.length < MAX_STDERR_BYTES) stderr = Buffer.concat([stderr, piece]).subarray(0, MAX_STDERR_BYTES)
  })
  const ended = await new Promise<{ code?: number | null; by?: string | null; error?: NodeJS.ErrnoException }>((resolve) => {
    child.on('error', (error) => resolve({ error }))
    child.on('close', (code, by) => resolve({ code, by }))
  })
  clearTimeout(timer)
  signal.removeEventListener('abort', onAbort)
  const all = Buffer.concat(output)
  const { error, code, by } = ended
  const failure = stopped ?? (error ? error.message : code === 0 ? undefined : `it ended with ${by ?? `exit code ${code}`}`)
  const words = stderr.toString().trim()
  return {
    output: stopped === undefined ? all : all.subarray(0, all.lastIndexOf(NEWLINE) + 1),
    problem: failure && (words ? `${failure}: ${words}` : failure),
    isMissing: error?.code === 'ENOENT',
  }
}
