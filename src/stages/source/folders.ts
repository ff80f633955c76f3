import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isDynamicPattern } from 'tinyglobby'
import { messageOf } from '../../util/errors.ts'

/**
 * Of the folders below which glob `patterns` find their files: each that exists and cannot be listed, with a sentence on why. A glob
 * alone finds no file there and is silent about it.
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
