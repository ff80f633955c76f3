import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isDynamicPattern } from 'tinyglobby'
import { messageOf } from '../../util/errors.ts'

/**
 * The folders searched by glob `patterns` that exist but cannot be listed, each with a sentence on why. The glob itself silently finds no
 * files there.
 */
export async function unreadableFolders(patterns: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const folder of new Set(patterns.map(fixedFolder))) {
    const fault = await access(folder, constants.R_OK | constants.X_OK).catch((error: NodeJS.ErrnoException) => error)
    if (fault && fault.code !== 'ENOENT') found.set(folder, `the folder ${folder} cannot be read: ${messageOf(fault)}`)
  }
  return found
}

function fixedFolder(pattern: string): string {
  let folder = resolve(pattern)
  do folder = dirname(folder)
  while (isDynamicPattern(folder))
  return folder
}
