import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { glob, isDynamicPattern } from 'tinyglobby'

/**
 * The files that match glob patterns, absolute and sorted. Patterns without wildcards are not globbed: with hundreds of them, each file
 * in their folders would be compared with every pattern.
 */
export async function matchingFiles(patterns: readonly string[]): Promise<string[]> {
  // A negated pattern applies to all others.
  const isMixed = patterns.some((pattern) => pattern.startsWith('!'))
  const isSearched = (pattern: string) => isMixed || isDynamicPattern(pattern)
  const searched = patterns.filter(isSearched)
  const named = patterns.filter((pattern) => !isSearched(pattern)).map((pattern) => resolve(pattern.replace(/\\(.)/g, '$1')))
  const found = new Set(await existing(named))
  if (searched.length > 0) {
    const options = { absolute: true, onlyFiles: true, expandDirectories: false, dot: true }
    for (const path of await glob(searched, options)) found.add(path)
  }
  return [...found].sort()
}

async function existing(paths: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const path of paths) if ((await stat(path).catch(() => undefined))?.isFile()) found.push(path)
  return found
}
