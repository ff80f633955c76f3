import { existsSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { GitContent } from '../../config/content.ts'
import { GitFailed, type GitOptions, git } from './command.ts'
import { type GitAccess, gitEnvironment } from './environment.ts'

export interface PullOptions {
  /** The repository's folder: each commit gets a folder in it, named after the commit. */
  readonly folder: string
  /** The commit in force: it is not fetched again. */
  readonly known: string | undefined
  readonly access: Omit<GitAccess, 'home'>
  readonly signal: AbortSignal
}

/** Maximum number of files of a commit. */
const MAX_FILES = 20_000
/** Maximum size in bytes of all files together. */
const MAX_BYTES = 64 * 1024 * 1024
/** Maximum output of commands that list names. */
const MAX_ANSWER = 16 * 1024 * 1024
/** Maximum number of characters of a name in a message. */
const MAX_SHOWN = 100
/** Maximum number of branches that a message lists. */
const MAX_LISTED = 10

/**
 * Queries the repository for the commit of its ref, and puts that commit's files into a folder unless they exist. Returns the commit.
 * Rejects with `GitFailed` and a text for users.
 */
export async function pull(entry: GitContent, { folder, known, access, signal }: PullOptions): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const work = await mkdtemp(join(folder, 'pull-'))
  try {
    const options: GitOptions = { env: gitEnvironment(entry, { ...access, home: work }), signal, maxBytes: MAX_ANSWER }
    const { name, commit } = await find(entry, options)
    if (commit === known || existsSync(join(folder, commit))) return commit
    const repository = join(work, 'git')
    await git(['init', '--quiet', '--bare', repository], options)
    const inside = ['--git-dir', repository]
    const refspec = `+${name}:refs/caracal/pull`
    await git([...inside, 'fetch', '--quiet', '--depth=1', '--no-tags', '--end-of-options', entry.git, refspec], options)
    // The ref may have moved since the query.
    const fetched = await git([...inside, 'rev-parse', '--verify', 'refs/caracal/pull^{commit}'], options)
    const at = fetched.toString().trim()
    const files = await filesOf(entry, at, inside, options)
    const draft = join(work, 'tree')
    await mkdir(draft)
    await write(draft, files, inside, options)
    await rm(join(folder, at), { recursive: true, force: true })
    await rename(draft, join(folder, at))
    return at
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The full name of the ref, preferring a branch to a tag, and its commit. */
async function find({ git: url, ref }: GitContent, options: GitOptions): Promise<{ name: string; commit: string }> {
  const [branch, tag] = [`refs/heads/${ref}`, `refs/tags/${ref}`]
  const answer = await git(['ls-remote', '--quiet', '--end-of-options', url, branch, tag, `${tag}^{}`], options)
  const commits = new Map(linesOf(answer).map((line) => [line.slice(line.indexOf('\t') + 1), line.slice(0, line.indexOf('\t'))]))
  const onBranch = commits.get(branch)
  if (onBranch) return { name: branch, commit: onBranch }
  const onTag = commits.get(`${tag}^{}`) ?? commits.get(tag)
  if (onTag) return { name: tag, commit: onTag }
  const heads = linesOf(await git(['ls-remote', '--quiet', '--heads', '--end-of-options', url], options))
  const names = heads.map((line) => line.slice(line.indexOf('\t') + 1).replace('refs/heads/', ''))
  const listed = names.slice(0, MAX_LISTED).join(', ') + (names.length > MAX_LISTED ? ', …' : '')
  throw new GitFailed(
    `there is no branch and no tag '${ref}'; ${names.length > 0 ? `branches: ${listed}` : 'the repository is empty'}`,
  )
}

interface TreeFile {
  readonly path: string
  readonly id: string
  readonly size: number
}

/** The commit's regular files that may be content. */
async function filesOf(
  { path }: GitContent,
  commit: string,
  inside: readonly string[],
  options: GitOptions,
): Promise<TreeFile[]> {
  const tree = path === undefined ? commit : `${commit}:${path}`
  const listed = await git([...inside, 'ls-tree', '-r', '-l', '-z', tree], options).catch((error: unknown) => {
    if (path === undefined || !(error instanceof GitFailed)) throw error
    throw new GitFailed(`commit ${commit.slice(0, 12)} has no folder '${path}'`)
  })
  const files: TreeFile[] = []
  let bytes = 0
  for (const line of listed.toString().split('\0')) {
    const [, mode, id, size, file = ''] = /^(\d+) \w+ ([0-9a-f]{40}|[0-9a-f]{64}) +(\d+|-)\t(.+)$/s.exec(line) ?? []
    if (id === undefined || (mode !== '100644' && mode !== '100755') || !isUsable(file)) continue
    files.push({ path: file, id, size: Number(size) })
    bytes += Number(size)
    if (files.length > MAX_FILES)
      throw new GitFailed(`it has more than ${MAX_FILES} files: set \`path\` to the folder that contains the content`)
    if (bytes > MAX_BYTES)
      throw new GitFailed(
        `its files are larger than ${MAX_BYTES} bytes together: set \`path\` to the folder that contains the content`,
      )
  }
  return files
}

/** False for files that are not content anyway, and for names that a folder cannot contain. */
function isUsable(path: string): boolean {
  return !/[\p{Cc}\\\uFFFD]/u.test(path) && path.split('/').every((part) => part !== '' && !part.startsWith('.'))
}

async function write(folder: string, files: readonly TreeFile[], inside: readonly string[], options: GitOptions): Promise<void> {
  const input = files.map(({ id }) => `${id}\n`).join('')
  // For each, git writes a header line, the content and a line break.
  const bytes = await git([...inside, 'cat-file', '--batch'], { ...options, input, maxBytes: MAX_BYTES + MAX_FILES * 200 })
  let at = 0
  for (const { path, id, size } of files) {
    const start = bytes.indexOf('\n', at) + 1
    if (bytes.toString('latin1', at, start) !== `${id} blob ${size}\n`) throw new GitFailed(`the file '${path}' cannot be read`)
    const file = join(folder, path)
    try {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, bytes.subarray(start, start + size))
    } catch (error) {
      // A commit can contain names that a folder cannot, such as overlong ones, or the same name for a file and a folder.
      throw new GitFailed(`the file '${path.slice(0, MAX_SHOWN)}' cannot be written (${(error as NodeJS.ErrnoException).code})`)
    }
    at = start + size + 1
  }
}

function linesOf(answer: Buffer): string[] {
  return answer
    .toString()
    .split('\n')
    .filter((line) => line.includes('\t'))
}
