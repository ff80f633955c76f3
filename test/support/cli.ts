import { Readable } from 'node:stream'
import type { Io } from '../../src/cli/io.ts'
import { runCli } from '../../src/cli/main.ts'

export interface CliResult {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the command line in this process, with only these environment variables and an empty standard input. */
export async function runWith(
  env: Readonly<Record<string, string>>,
  argv: readonly string[],
  columns = 100,
  interrupt: (run: () => void) => void = () => {},
): Promise<CliResult> {
  const out: string[] = []
  const err: string[] = []
  const io: Io = {
    out: (text) => void out.push(text),
    write: async (text) => void out.push(text),
    err: (text) => void err.push(text),
    isTty: false,
    columns,
    hasColours: false,
    env: { ...env },
    stdin: Readable.from([]),
    onInterrupt: (run) => {
      interrupt(run)
      return () => {}
    },
  }
  process.exitCode = 0
  const code = await runCli(argv, io)
  return { code: Number(code), out: out.join(''), err: err.join('') }
}
