import { readdir, realpath, stat } from 'node:fs/promises'
import { join, normalize, relative, resolve } from 'node:path'
import { isListed, isRead } from './layout.ts'
import { isUnder } from './under.ts'

/** A content folder and related paths. Absolute. */
export interface ContentRoot {
  readonly folder: string
  /** Folders elsewhere whose content counts as this root's. */
  readonly also?: readonly string[]
  /** Folders below it that do not count: separate roots, or not content. */
  readonly without?: readonly string[]
  /** A file or folder below it that is read first, so that its items claim their ids. */
  readonly first?: string | undefined
  /** False: `overrides.yml` at its top has no effect, since nothing runs with this folder as a root. Default true. */
  readonly hasOverrides?: boolean
  /** If the root is a repository in Panther's layout, only the folders of that layout are read. */
  readonly byLayout?: boolean
}

/** Content files of a root, absolute and sorted. */
export interface ScannedFiles {
  readonly yaml: readonly string[]
  readonly python: readonly string[]
}

/** Folders that tools create. */
const SKIPPED = new Set(['__pycache__', 'node_modules'])

/** A pack's own file, in the folder of its content. */
export const PACK = 'pack.yml'
/** Next to it: logs and the resulting events, which may look like anything. */
const SAMPLES = 'samples'

/** The folder of a Panther repository with items to copy from, which Panther's tool skips. */
const EXAMPLES = 'templates'

/** More files than any content repository has, so that a wrong folder (a home folder, a disk) is reported instead of read for minutes. */
const MAX_FILES = 50_000

/**
 * Walks a content root. YAML files named in `ignore` (by name, or by path from the root or the working folder) are skipped. Names that
 * begin with a dot are skipped; links are followed, each folder once. Throws if a folder cannot be read or there are too many files.
 */
export async function scan(root: ContentRoot, ignore: ReadonlySet<string> = new Set()): Promise<ScannedFiles> {
  const { folder: top, also = [], without = [], byLayout = false } = root
  const first = root.first === top ? undefined : root.first
  const yaml: string[] = []
  const python: string[] = []
  const visited = new Set<string>()
  const ignored = new Set([...ignore].map((name) => normalize(name)))
  const ignoredPaths = new Set([...ignore].flatMap((name) => [resolve(name), resolve(top, name)]))
  let hasLayout = false
  let files = 0

  async function walk(folder: string): Promise<void> {
    const real = await realpath(folder)
    if (visited.has(real)) return
    visited.add(real)
    const entries = await readdir(folder, { withFileTypes: true })
    const isPack = entries.some(({ name }) => name === PACK)
    if (folder === top) hasLayout = byLayout && entries.some((entry) => entry.isDirectory() && isListed(entry.name))
    const isTaken = !hasLayout || takes(folder)
    for (const entry of entries) {
      if (entry.name.startsWith('.') || SKIPPED.has(entry.name) || (isPack && entry.name === SAMPLES)) continue
      const path = join(folder, entry.name)
      const isExamples = folder === top && entry.name === EXAMPLES && !(first !== undefined && isUnder(path, first))
      if (isExamples || without.includes(path)) continue
      // A dangling link is not a content file, and not a reason to give up the rest.
      const kind = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry
      if (kind?.isDirectory()) {
        await walk(path)
      } else if (kind?.isFile()) {
        files += 1
        if (files > MAX_FILES)
          throw new Error(`contains more than ${MAX_FILES} files: specify the folder that contains the content`)
        if (!isTaken && path !== first) continue
        if (/\.ya?ml$/.test(entry.name)) {
          if (!ignored.has(entry.name) && !ignoredPaths.has(path)) yaml.push(path)
        } else if (entry.name.endsWith('.py')) python.push(path)
      }
    }
  }

  function takes(folder: string): boolean {
    if (folder === top || (first !== undefined && isUnder(first, folder))) return true
    return !isUnder(top, folder) || isRead(relative(top, folder))
  }

  await walk(top)
  for (const folder of also) await walk(folder)
  return { yaml: inOrder(yaml, first), python: python.sort() }
}

function inOrder(files: readonly string[], first: string | undefined): string[] {
  const sorted = files.toSorted()
  if (first === undefined) return sorted
  return [...sorted.filter((file) => isUnder(first, file)), ...sorted.filter((file) => !isUnder(first, file))]
}
