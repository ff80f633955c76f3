import { readdir, realpath, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Content files below a root, absolute and sorted. */
export interface ScannedFiles {
  readonly yaml: readonly string[]
  readonly python: readonly string[]
}

/** Folders that never hold content: samples are data, the others are made by tools. */
const SKIPPED = new Set(['__pycache__', 'node_modules', 'samples'])

/** The folder of a Panther repository that holds items to copy from, which its own tool passes over. */
const EXAMPLES = 'templates'

/** More files than any content repository has; a wrong folder (a home folder, a disk) is told instead of read for minutes. */
const MAX_FILES = 50_000

/**
 * Walks a content root. YAML files named in `ignore` (by name, or by path from the root) are passed over. Names that begin with a dot are skipped; links are followed, each folder once.
 * Throws when the root is not a folder or holds too many files.
 */
export async function scan(root: string, ignore: ReadonlySet<string> = new Set()): Promise<ScannedFiles> {
  const yaml: string[] = []
  const python: string[] = []
  const visited = new Set<string>()
  let files = 0

  async function walk(folder: string): Promise<void> {
    const real = await realpath(folder)
    if (visited.has(real)) return
    visited.add(real)
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.name.startsWith('.') || SKIPPED.has(entry.name) || (folder === root && entry.name === EXAMPLES)) continue
      const path = join(folder, entry.name)
      // A dangling link is no content file, and no reason to give up the rest.
      const kind = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry
      if (kind?.isDirectory()) {
        await walk(path)
      } else if (kind?.isFile()) {
        files += 1
        if (files > MAX_FILES) throw new Error(`holds more than ${MAX_FILES} files: name the folder that holds the content`)
        if (/\.ya?ml$/.test(entry.name)) {
          if (!ignore.has(entry.name) && !ignore.has(relative(root, path))) yaml.push(path)
        } else if (entry.name.endsWith('.py')) python.push(path)
      }
    }
  }

  await walk(root)
  return { yaml: yaml.sort(), python: python.sort() }
}
