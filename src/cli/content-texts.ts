import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { GitFailed, git } from '../engine/git/command.ts'
import { messageOf } from '../util/errors.ts'
import { UsageError } from './exit.ts'
import type { Io } from './io.ts'

/** Content files by their path below the folder that is the root. */
export type ContentTexts = Readonly<Record<string, string>>

/** Which files of a folder count. */
interface Chosen {
  /** Absolute. */
  readonly folder: string
  readonly isChosen: (path: string) => boolean
}

const MAX_BYTES = 12 * 1024 * 1024
const SKIPPED = new Set(['__pycache__', 'node_modules'])

/** The content of a folder, or a rule's YAML file with the Python files next to it. Throws `UsageError` for anything else. */
export async function contentTexts(path: string): Promise<ContentTexts> {
  const { folder, isChosen } = await chosenBy(path)
  const texts: Record<string, string> = {}
  let bytes = 0
  for (const file of await filesBelow(folder)) {
    const name = relative(folder, file)
    if (!isChosen(name)) continue
    const text = await readFile(file, 'utf8')
    bytes += Buffer.byteLength(text)
    if (bytes > MAX_BYTES) throw tooLarge(path)
    texts[name] = text
  }
  if (Object.keys(texts).length === 0) throw new UsageError(`'${path}' has no content: no .yml, .yaml or .py file`)
  return texts
}

/** The same files as they were at a commit, branch or tag of their git repository. Throws `UsageError` if git does not have it. */
export async function contentTextsAt(path: string, ref: string, { env }: Io): Promise<ContentTexts> {
  const { folder, isChosen } = await chosenBy(path)
  const options = {
    env: { PATH: env['PATH'] ?? '', ...(env['HOME'] && { HOME: env['HOME'] }) },
    signal: new AbortController().signal,
    maxBytes: 4 * MAX_BYTES,
  }
  const run = async (args: readonly string[], input?: string) =>
    git(['-C', folder, ...args], { ...options, ...(input !== undefined && { input }) })
  try {
    const commit = (await run(['rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`])).toString().trim()
    const listed = (await run(['ls-tree', '-r', '-z', commit])).toString().split('\0')
    const files = listed.flatMap((entry): { oid: string; name: string }[] => {
      const [, oid, name] = /^100\d{3} blob ([0-9a-f]+)\t(.*)$/s.exec(entry) ?? []
      return oid !== undefined && name !== undefined && isContent(name) && isChosen(name) ? [{ oid, name }] : []
    })
    if (files.length === 0) throw new UsageError(`'${path}' has no content at ${ref}: leave out --against if it is new`)
    const blobs = readBlobs(await run(['cat-file', '--batch'], files.map(({ oid }) => `${oid}\n`).join('')))
    const texts = Object.fromEntries(files.map(({ name }, i) => [name, blobs[i]!]))
    if (Object.values(texts).reduce((sum, text) => sum + text.length, 0) > MAX_BYTES) throw tooLarge(path)
    return texts
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error
    throw new UsageError(`--against '${ref}': git cannot read it in ${folder}: ${messageOf(error)}`)
  }
}

/** The objects in the answer of `git cat-file --batch`. */
function readBlobs(answer: Buffer): string[] {
  const texts: string[] = []
  for (let at = 0; at < answer.length; ) {
    const end = answer.indexOf('\n', at)
    const size = Number(answer.toString('utf8', at, end).split(' ')[2])
    texts.push(answer.toString('utf8', end + 1, end + 1 + size))
    at = end + 1 + size + 1
  }
  return texts
}

async function chosenBy(path: string): Promise<Chosen> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) return { folder: resolve(path), isChosen: () => true }
  if (!found?.isFile() || !/\.ya?ml$/.test(path))
    throw new UsageError(`'${path}' is neither a folder with content nor the YAML file of a rule`)
  const own = basename(path)
  return { folder: dirname(resolve(path)), isChosen: (name) => name === own || (name.endsWith('.py') && !name.includes('/')) }
}

async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.') || SKIPPED.has(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) files.push(...(await filesBelow(path)))
    else if (entry.isFile() && isContent(entry.name)) files.push(path)
  }
  return files.sort()
}

function isContent(name: string): boolean {
  return /\.(?:ya?ml|py)$/.test(name) && name.split('/').every((part) => !part.startsWith('.') && !SKIPPED.has(part))
}

function tooLarge(path: string): UsageError {
  return new UsageError(`'${path}' has more than ${MAX_BYTES / 1024 / 1024} MiB of content: choose a folder in it`)
}
