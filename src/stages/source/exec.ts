import { z } from 'zod'
import { type Encoding, toUtf8 } from '../../util/encoding.ts'
import { pause } from '../../util/pause.ts'
import { appendUntilTaken } from './append.ts'
import { type CommandLimits, runCommand } from './run-command.ts'
import { defineSource, type Intake, type IntakeDeps, type IntakeStatus, sourceBase } from './source.ts'
import { streamKeys } from './stream-keys.ts'

/** Config keys common to sources that run commands. */
export const commandKeys = {
  every_seconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(60)
    .describe('Seconds from one start of a command to the next; a run that takes longer delays the next one.'),
  timeout_ms: z.int().min(100).max(3_600_000).default(30_000).describe('A command that runs longer is killed.'),
  max_output_bytes: z
    .int()
    .min(1024)
    .max(64 * 1024 * 1024)
    .default(4 * 1024 * 1024)
    .describe('A command that prints more is killed; the lines before that are taken.'),
} as const

const config = z.object({
  ...sourceBase,
  command: z
    .array(z.string())
    .min(1)
    .refine(([program]) => program !== '', 'the first element is the program')
    .describe('The program and its arguments, a list. There is no shell: no variables, wildcards or pipes.'),
  ...commandKeys,
  encoding: streamKeys.encoding,
  only_changes: z
    .boolean()
    .default(false)
    .describe('Take only lines that the previous run did not print. After a restart, the first run is taken whole.'),
})

/** What a command prints, run again and again: `ss -tulnp`, `lsmod`. */
export const exec = defineSource({
  type: 'exec',
  summary: 'Runs a command at intervals, without a shell, and reads what it prints.',
  config,
  example: { id: 'sockets', command: ['ss', '-tulnp'], log_types: ['Custom.Netstat'] },
  pushes: ({ command, only_changes, ...settings }, deps) =>
    new CommandIntake([{ name: command.join(' '), argv: [command], decoding: 'lines' }], { ...settings, only_changes }, deps),
})

/** One thing to run. */
export interface Command {
  /** For messages. */
  readonly name: string
  /** The first of these whose program exists is run. */
  readonly argv: readonly (readonly string[])[]
  readonly decoding: string
  /** Where it is not installed, that is worth a notice, but no problem. */
  readonly isOptional?: boolean
}

type Settings = Pick<z.output<typeof config>, 'every_seconds' | 'timeout_ms' | 'max_output_bytes' | 'only_changes'> & {
  readonly encoding?: Encoding | undefined
}

/** Runs commands one after the other, and again after the interval. */
export class CommandIntake implements Intake {
  readonly #settings: Settings
  readonly #deps: IntakeDeps
  readonly #stopping = new AbortController()
  readonly #problems = new Map<string, string>()
  readonly #missing = new Set<string>()
  readonly #seen = new Map<string, ReadonlySet<string>>()
  readonly #done: Promise<void>
  readonly #more: () => readonly string[]
  #spoolProblem: string | undefined

  /** `more`: further notices for users. */
  constructor(commands: readonly Command[], settings: Settings, deps: IntakeDeps, more: () => readonly string[] = () => []) {
    this.#more = more
    this.#settings = settings
    this.#deps = deps
    this.#done = this.#run(commands)
  }

  status(): IntakeStatus {
    const failures = [...this.#problems].map(([name, problem]) => `the command '${name}' failed: ${problem}`)
    const problems = [...failures, ...(this.#spoolProblem ? [`output waits: ${this.#spoolProblem}`] : [])]
    const missing = [...this.#missing].map((name) => `'${name}' is not run: there is no such program here`)
    return { notices: [...this.#more(), ...missing, ...problems], problems }
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#done
  }

  async #run(commands: readonly Command[]): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const begunMs = performance.now()
      for (const command of commands) if (!signal.aborted) await this.#once(command)
      await pause(Math.max(0, begunMs + this.#settings.every_seconds * 1000 - performance.now()), signal)
    }
  }

  async #once({ name, argv, decoding, isOptional = false }: Command): Promise<void> {
    const { timeout_ms: timeoutMs, max_output_bytes: maxOutputBytes } = this.#settings
    const limits: CommandLimits = { timeoutMs, maxOutputBytes }
    const { signal } = this.#stopping
    const receivedMs = this.#deps.now()
    for (const [at, words] of argv.entries()) {
      const { output: raw, problem, isMissing } = await runCommand(words, limits, signal)
      if (isMissing && at < argv.length - 1) continue
      if (isMissing && isOptional) this.#missing.add(name)
      else if (problem === undefined) this.#problems.delete(name)
      else if (!signal.aborted) this.#problems.set(name, problem)
      const output = Buffer.from(toUtf8(raw, this.#settings.encoding))
      const body = this.#settings.only_changes ? this.#changes(name, output, problem !== undefined) : output
      if (!body.some((byte) => byte > 0x20)) return
      const onProblem = (now: string | undefined) => {
        this.#spoolProblem = now
      }
      await appendUntilTaken(
        this.#deps.append,
        body,
        { decoding, receivedMs },
        { signal, onProblem, what: `output of '${name}'` },
      )
      return
    }
  }

  /** The lines that the previous run did not print. After a failed run, the lines of the one before it still count as known. */
  #changes(name: string, output: Buffer, isPart: boolean): Buffer {
    const before = this.#seen.get(name)
    const lines = output.toString('latin1').split('\n')
    this.#seen.set(name, new Set(isPart && before ? [...before, ...lines].slice(-MAX_SEEN_LINES) : lines))
    return Buffer.from(lines.filter((line) => !before?.has(line)).join('\n'), 'latin1')
  }
}

/** Lines known from failed runs. */
const MAX_SEEN_LINES = 100_000
