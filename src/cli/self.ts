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
