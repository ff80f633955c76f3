import { spawn } from 'node:child_process'
import { printable } from '../../util/terminal.ts'

export interface GitOptions {
  /** Git's entire environment. */
  readonly env: Readonly<Record<string, string>>
  /** Ends the command, and what it started, immediately. */
  readonly signal: AbortSignal
  readonly input?: string | Uint8Array
  /** Maximum output in bytes. */
  readonly maxBytes: number
}

/** Size limit of any file that git writes, in the blocks of `ulimit -f`, which are 512 or 1024 bytes. */
const MAX_FILE_BLOCKS = 256 * 1024

/**
 * Settings of every command: only HTTP, no hooks or other programs of a repository, no password prompts. Repositories are never checked
 * out, so that filters, attributes, links and submodules have no effect.
 */
const SETTINGS = [
  'protocol.allow=never',
  'protocol.http.allow=always',
  'protocol.https.allow=always',
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.askPass=',
  'credential.helper=',
  // Git sends the password to wherever it is redirected.
  'http.followRedirects=false',
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=30',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'pack.threads=1',
].flatMap((setting) => ['-c', setting])

/** Git has failed; the text is from git. */
export class GitFailed extends Error {}

/** Runs git and returns its output. Rejects with `GitFailed`, or with the signal's reason. */
export function git(args: readonly string[], { env, signal, input, maxBytes }: GitOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    // In a separate process group: git leaves the network to a child process.
    const child = spawn('/bin/sh', ['-c', `ulimit -f ${MAX_FILE_BLOCKS}; exec git "$@"`, 'sh', ...SETTINGS, ...args], {
      env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const out: Buffer[] = []
    let [size, errors] = [0, '']
    let fault: unknown
    const end = (reason: unknown) => {
      fault ??= reason
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It has ended by itself.
      }
    }
    const onAbort = () => end(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) end(new GitFailed(`its response is longer than ${maxBytes} bytes`))
      else out.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      if (errors.length < 10_000) errors += chunk.toString()
    })
    child.on('error', (error) => end(error))
    child.on('close', (code) => {
      signal.removeEventListener('abort', onAbort)
      if (fault !== undefined) reject(fault instanceof Error ? fault : new GitFailed(String(fault)))
      else if (code === 0) resolve(Buffer.concat(out, size))
      else reject(new GitFailed(code === 127 ? 'git is not installed: install git 2.31 or later' : textOf(errors, code)))
    })
    // A command that has already ended reads nothing.
    child.stdin.on('error', () => {})
    child.stdin.end(input ?? '')
  })
}

/** Git's message on one line. */
function textOf(errors: string, code: number | null): string {
  if (/could not read (?:Username|Password)|Authentication failed/.test(errors))
    return 'the repository denies access: check `username` and `password`'
  if (/returned error: 30\d/.test(errors))
    return 'the URL redirects to another one, and redirects are not followed: set `git` to the URL of the repository itself'
  const lines = errors
    .split('\n')
    .map((line) => line.replace(/^(?:fatal|error|remote): /, '').trim())
    .filter((line) => line !== '')
  return printable(lines.join('; ')).slice(0, 400) || `git exited with ${code}`
}
