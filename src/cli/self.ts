import { userInfo } from 'node:os'
import { relative } from 'node:path'

/** How to call this program, for examples that people can paste. */
export function self(): string {
  return selfName(process.argv[1] ?? '', process.cwd())
}

/** `node bin/caracal.js` when run from its own folder, `caracal` when installed. */
export function selfName(script: string, folder: string): string {
  if (!script.endsWith('.js')) return 'caracal'
  const path = relative(folder, script)
  return `node ${path.startsWith('..') ? script : path}`
}

const SERVER_FLAG = /^--(config|data-dir|listen)(?:=(.*))?$/s

/**
 * A command for the server that this process runs or called, ready to paste, with the flags that were used to select that server.
 */
export function selfCall(command: string, args: readonly string[] = process.argv.slice(2)): string {
  return [self(), command, ...serverFlags(args)].join(' ')
}

function serverFlags(args: readonly string[]): string[] {
  const flags = new Map<string, string>()
  for (const [i, arg] of args.entries()) {
    const [, name, inline] = SERVER_FLAG.exec(arg) ?? []
    const value = inline ?? args[i + 1]
    if (name !== undefined && value !== undefined) flags.set(name, value)
  }
  return [...flags].map(([name, value]) => `--${name} ${quotedForShell(value)}`)
}

/** A word for a POSIX shell, in quotes if it needs them. */
export function quotedForShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** The user of this shell, for the history. */
export function userName(): string {
  try {
    return userInfo().username.slice(0, 200)
  } catch {
    return ''
  }
}
