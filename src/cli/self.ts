import { userInfo } from 'node:os'
import { relative } from 'node:path'

/** How this program is called here, for examples that a person can paste. */
export function self(): string {
  return selfName(process.argv[1] ?? '', process.cwd())
}

/** `node bin/caracal.js` where it is run from its own folder, `caracal` where it is installed. */
export function selfName(script: string, folder: string): string {
  if (!script.endsWith('.js')) return 'caracal'
  const path = relative(folder, script)
  return `node ${path.startsWith('..') ? script : path}`
}

const SERVER_FLAG = /^--(config|data-dir|listen)(?:=(.*))?$/s

/**
 * A command to the server that this one runs or asked, as a person can paste it: with the flags that say which server it is, as they
 * were given here.
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
  return [...flags].map(([name, value]) => `--${name} ${quoted(value)}`)
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** Whose shell it is, for the history. */
export function userName(): string {
  try {
    return userInfo().username.slice(0, 200)
  } catch {
    return ''
  }
}
