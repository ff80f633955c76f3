import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, sep } from 'node:path'
import { Refused } from '../../util/errors.ts'
import { GitFailed, type GitOptions, git } from './command.ts'

/** A repository on this machine that a content folder is part of. Absolute paths. */
export interface WorkTree {
  readonly top: string
  readonly gitDir: string
}

/** A file to commit, by its absolute path; without text, it is removed. */
export interface CommittedFile {
  readonly file: string
  readonly text: Uint8Array | undefined
}

export interface CommitAsk {
  readonly files: readonly CommittedFile[]
  readonly author: string
  readonly message: string
}

/** What git leaves in a repository while people have to finish something: a commit would become part of it. */
const UNFINISHED: Readonly<Record<string, string>> = {
  MERGE_HEAD: 'a merge',
  CHERRY_PICK_HEAD: 'a cherry-pick',
  REVERT_HEAD: 'a revert',
  'rebase-merge': 'a rebase',
  'rebase-apply': 'a rebase',
}

const MAX_MS = 30_000
const MAX_ANSWER = 1024 * 1024
const COMMITTER = 'Caracal'
const EMAIL = 'caracal@localhost'

/** The repository that contains a folder; `undefined`: none does. Rejects with `GitFailed` if git cannot read it. */
export async function workTreeOf(folder: string): Promise<WorkTree | undefined> {
  let around = folder
  while (!existsSync(join(around, '.git'))) {
    if (around === dirname(around)) return undefined
    around = dirname(around)
  }
  const answer = await run(around, ['rev-parse', '--show-toplevel', '--absolute-git-dir'])
  const [top, gitDir] = answer.split('\n')
  return { top: top!, gitDir: gitDir! }
}

/** @throws {Refused} while a merge or the like is unfinished. */
export function refuseUnfinished({ top, gitDir }: WorkTree): void {
  const [, what] = Object.entries(UNFINISHED).find(([name]) => existsSync(join(gitDir, name))) ?? []
  if (what !== undefined) throw new Refused(`${what} is in progress in the git repository ${top}: finish or abort it first`)
}

/**
 * Commits these files, and nothing else that has changed, to the current branch. Returns the commit; `undefined` if nothing differs, or git
 * ignores all of them. Rejects with `GitFailed` if it cannot be done.
 *
 * Only commands that store and name objects are used, on an index of their own. So neither hooks nor filters, signing programs, editors or
 * monitors of the repository run, whatever its configuration says. The bytes are stored as they are.
 */
export async function commitFiles(tree: WorkTree, { files, author, message }: CommitAsk): Promise<string | undefined> {
  const { top } = tree
  const work = mkdtempSync(join(tmpdir(), 'caracal-commit-'))
  const own = { GIT_INDEX_FILE: join(work, 'index') }
  const who = { ...identity('AUTHOR', author), ...identity('COMMITTER', COMMITTER) }
  try {
    const branch = await run(top, ['symbolic-ref', '--quiet', 'HEAD']).catch(() => {
      throw new GitFailed('no branch is checked out (detached HEAD)')
    })
    const entries = await entriesOf(tree, files)
    if (entries === '') return undefined
    const parent = await run(top, ['rev-parse', '--quiet', '--verify', 'HEAD^{commit}']).catch(() => undefined)
    await run(top, parent === undefined ? ['read-tree', '--empty'] : ['read-tree', parent], own)
    await run(top, ['update-index', '-z', '--index-info'], own, entries)
    const made = await run(top, ['write-tree'], own)
    if (parent !== undefined && made === (await run(top, ['rev-parse', `${parent}^{tree}`]))) return undefined
    const parents = parent === undefined ? [] : ['-p', parent]
    const commit = await run(top, ['commit-tree', made, ...parents], { ...own, ...who }, `${message}\n`)
    // Refused if somebody else has committed in the meantime.
    await run(top, ['update-ref', '-m', `commit: ${message.split('\n')[0]}`, branch, commit, parent ?? ''], who)
    // Otherwise the repository's own index would show the commit as undone.
    await run(top, ['update-index', '-z', '--index-info'], {}, entries)
    return commit
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The files as lines for an index, their contents stored; without those that git ignores. */
async function entriesOf({ top }: WorkTree, files: readonly CommittedFile[]): Promise<string> {
  let entries = ''
  for (const { file, text } of files) {
    // Git names the repository without the links that lead to it.
    const folder = await realpath(dirname(file)).catch(() => dirname(file))
    const path = relative(top, join(folder, basename(file)))
      .split(sep)
      .join('/')
    if (path.startsWith('../')) throw new GitFailed(`${path} is outside of the repository`)
    const isTracked = (await run(top, ['ls-files', '-z', '--', `:(literal)${path}`])) !== ''
    const isIgnored = !isTracked && (await answers(top, ['check-ignore', '--quiet', '--', path]))
    if (isIgnored) continue
    if (text === undefined) entries += `0 ${'0'.repeat(40)}\t${path}\0`
    else {
      const id = await run(top, ['hash-object', '-w', '--no-filters', '--stdin'], {}, text)
      entries += `${(await isExecutable(file)) ? '100755' : '100644'} ${id}\t${path}\0`
    }
  }
  return entries
}

async function isExecutable(file: string): Promise<boolean> {
  return stat(file).then(
    ({ mode }) => (mode & 0o100) !== 0,
    () => false,
  )
}

async function answers(top: string, args: readonly string[]): Promise<boolean> {
  return run(top, args).then(
    () => true,
    () => false,
  )
}

async function run(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input?: GitOptions['input'],
): Promise<string> {
  const signal = AbortSignal.timeout(MAX_MS)
  const options = {
    env: { ...ENVIRONMENT, PATH: PATHS, ...env },
    signal,
    maxBytes: MAX_ANSWER,
    ...(input !== undefined && { input }),
  }
  return (await git(['-C', folder, ...args], options)).toString().replace(/\n$/, '')
}

/** Git's own programs are found here, whatever the environment of this process says. */
const PATHS = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin'

/** No settings of the user or the machine, no network, no prompts. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_NO_LAZY_FETCH: '1',
  GIT_OPTIONAL_LOCKS: '0',
}

function identity(who: 'AUTHOR' | 'COMMITTER', name: string): Record<string, string> {
  const clean = name
    .replaceAll(/[\p{Cc}<>]/gu, ' ')
    .trim()
    .slice(0, 200)
    .toWellFormed()
  return { [`GIT_${who}_NAME`]: clean || COMMITTER, [`GIT_${who}_EMAIL`]: EMAIL }
}
