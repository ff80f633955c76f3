import { existsSync, readlinkSync } from 'node:fs'
import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type ContentEntry, type GitContent, gitFolder, gitName, gitTree } from '../../config/content.ts'
import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import { ConfigError, messageOf } from '../../util/errors.ts'
import type { ContentRequest } from '../content-reload.ts'
import type { ContentChange, ReloadedContent } from '../engine.ts'
import { pull } from './pull.ts'

export interface GitRootsDeps {
  readonly content: readonly ContentEntry[]
  readonly dataDir: string
  /** What a pull needs to reach the repository; read each time, since secrets may change. Throws `ConfigError`. */
  readonly access: (entry: GitContent) => Parameters<typeof pull>[1]['access']
  readonly onProblems: (problems: readonly SystemProblem[]) => void
}

/** The outcome of pulling one repository. */
export interface Pulled {
  /** The repository as shown to users. */
  readonly name: string
  /** The commit in force now; `undefined` before the first pull. */
  readonly commit: string | undefined
  /** Why it is not the commit of the ref. */
  readonly problem: string | undefined
  /** The outcome for the content, if the ref had moved. */
  readonly change: ContentChange | undefined
}

interface Root {
  readonly entry: GitContent
  readonly name: string
  problem: string | undefined
  failures: number
  timer: NodeJS.Timeout | undefined
  pulling: Promise<Pulled> | undefined
}

const PULL_MS = 120_000
/** A start waits no longer than this for content that was never pulled. */
const FIRST_MS = 30_000
/** Wait after a failed pull; doubles with each failure, up to the period. */
const RETRY_MS = 10_000

type Reload = (request: ContentRequest) => Promise<ContentChange>

/** Content folders in git: pulled by timer, and put in force like any other change. On any failure, the content in force stays. */
export class GitRoots {
  readonly #deps: GitRootsDeps
  readonly #roots: readonly Root[]
  readonly #stopping = new AbortController()
  #reload: Reload | undefined

  constructor(deps: GitRootsDeps) {
    this.#deps = deps
    const entries = deps.content.filter((entry) => typeof entry !== 'string')
    // A repository that is named twice is pulled once.
    this.#roots = [...new Map(entries.map((entry) => [gitName(entry), entry])).values()].map((entry) => ({
      entry,
      name: gitName(entry),
      problem: undefined,
      failures: 0,
      timer: undefined,
      pulling: undefined,
    }))
  }

  /** The commits in force, by the repository's name. */
  get commits(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.#roots.flatMap((root) => {
        const commit = this.#commitOf(root)
        return commit === undefined ? [] : [[root.name, commit]]
      }),
    )
  }

  /**
   * Pulls repositories that were never pulled, before content is loaded, and deletes those that are no longer configured. Never rejects.
   */
  async prepare(): Promise<void> {
    await this.#forgetOthers().catch(() => {})
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(FIRST_MS)])
    const missing = this.#roots.filter((root) => this.#commitOf(root) === undefined)
    await Promise.all(
      missing.map((root) =>
        this.#fetch(root, signal)
          .then((commit) => this.#putInPlace(root, commit))
          .then(() => this.#worked(root))
          .catch((error: unknown) => this.#failed(root, error)),
      ),
    )
  }

  /** From now on repositories are pulled by timer; `reload` puts their content in force. */
  start(reload: Reload): void {
    this.#reload = reload
    for (const root of this.#roots) this.#schedule(root, root.failures > 0 ? RETRY_MS : 0)
  }

  /** Pulls all repositories now: a pull in progress may have begun before the push that the call is about. */
  pullAll(): Promise<readonly Pulled[]> {
    return Promise.all(
      this.#roots.map(async (root) => {
        await root.pulling
        return this.#pull(root)
      }),
    )
  }

  /** A startup error, with its likely cause. */
  explained(error: unknown): unknown {
    const missing = this.#roots.flatMap((root) => (this.#commitOf(root) === undefined && root.problem ? [root.problem] : []))
    return error instanceof ConfigError && missing.length > 0 ? new ConfigError([error.message, ...missing].join('\n')) : error
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('Caracal is stopping'))
    for (const { timer } of this.#roots) clearTimeout(timer)
    await Promise.allSettled(this.#roots.map(({ pulling }) => pulling))
  }

  #schedule(root: Root, delayMs: number): void {
    if (this.#stopping.signal.aborted) return
    clearTimeout(root.timer)
    root.timer = setTimeout(() => void this.#pull(root), delayMs).unref()
  }

  #pull(root: Root): Promise<Pulled> {
    root.pulling ??= this.#take(root).finally(() => {
      root.pulling = undefined
      const { every } = root.entry
      this.#schedule(root, root.failures === 0 ? every : Math.min(every, RETRY_MS * 2 ** Math.min(20, root.failures - 1)))
    })
    return root.pulling
  }

  async #take(root: Root): Promise<Pulled> {
    let change: ContentChange | undefined
    try {
      const commit = await this.#fetch(root, AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(PULL_MS)]))
      if (commit !== this.#commitOf(root)) {
        const apply = () => this.#putInPlace(root, commit)
        change = await this.#reload!({ cause: 'git', actor: `${root.name} at ${commit.slice(0, 12)}`, apply })
        if (change.outcome === 'broken') throw new Error(brokenText(commit, change))
      }
      this.#worked(root)
      await this.#clean(root)
    } catch (error) {
      this.#failed(root, error)
    }
    return { name: root.name, commit: this.#commitOf(root), problem: root.problem, change }
  }

  async #fetch({ entry }: Root, signal: AbortSignal): Promise<string> {
    const { dataDir, access } = this.#deps
    const known = this.#commitOf({ entry })
    try {
      return await pull(entry, { folder: gitFolder(dataDir, entry), known, access: access(entry), signal })
    } catch (error) {
      if (signal.aborted && !this.#stopping.signal.aborted) throw new Error('it took too long')
      throw error
    }
  }

  #commitOf({ entry }: Pick<Root, 'entry'>): string | undefined {
    const tree = gitTree(this.#deps.dataDir, entry)
    // A dangling link is not content.
    return existsSync(tree) ? readlinkSync(tree) : undefined
  }

  /** Makes the commit's folder the content folder. The function it returns restores the previous one. */
  async #putInPlace(root: Root, commit: string): Promise<() => Promise<void>> {
    const before = this.#commitOf(root)
    await this.#link(root, commit)
    return () => this.#link(root, before)
  }

  async #link({ entry }: Root, commit: string | undefined): Promise<void> {
    const tree = gitTree(this.#deps.dataDir, entry)
    if (commit === undefined) return rm(tree, { force: true })
    await rm(`${tree}.new`, { force: true })
    await symlink(commit, `${tree}.new`)
    await rename(`${tree}.new`, tree)
  }

  #worked(root: Root): void {
    root.failures = 0
    root.problem = undefined
    this.#report()
  }

  #failed(root: Root, error: unknown): void {
    if (this.#stopping.signal.aborted) return
    root.failures++
    const commit = this.#commitOf(root)
    const stays = commit === undefined ? 'It has never been pulled' : `Commit ${commit.slice(0, 12)} stays in force`
    root.problem = `Content from ${root.name} is not up to date and will be retried: ${messageOf(error)}. ${stays}.`
    this.#report()
  }

  #report(): void {
    this.#deps.onProblems(
      this.#roots.flatMap(({ name, problem }) => (problem === undefined ? [] : [systemProblem('ContentStale', name, problem)])),
    )
  }

  /** Deletes the folders of commits that are not in force. */
  async #clean(root: Root): Promise<void> {
    const folder = gitFolder(this.#deps.dataDir, root.entry)
    const commit = this.#commitOf(root)
    for (const name of await readdir(folder))
      if (name !== commit && name !== 'tree') await rm(join(folder, name), { recursive: true, force: true })
  }

  async #forgetOthers(): Promise<void> {
    const all = join(this.#deps.dataDir, 'content-git')
    if (this.#roots.length > 0) await mkdir(all, { recursive: true, mode: 0o700 })
    const kept = new Set(this.#roots.map(({ entry }) => basename(gitFolder(this.#deps.dataDir, entry))))
    for (const name of await readdir(all)) if (!kept.has(name)) await rm(join(all, name), { recursive: true, force: true })
  }
}

function brokenText(commit: string, { problems }: ContentChange): string {
  const [first] = problems
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : ''
  return `commit ${commit.slice(0, 12)} cannot be applied: ${first ? `${first.file}: ${first.message}` : 'it cannot be loaded'}${more}`
}

/** The requested change, with what was pulled for it. */
export function reloaded(pulls: readonly Pulled[], own: ContentChange): ReloadedContent {
  const swapped = [...pulls.map(({ change }) => change), own].filter((change) => change?.outcome === 'swapped')
  const shown = pulls.map(({ name, commit, problem }) => ({ name, commit, problem }))
  if (own.outcome === 'broken' || swapped.length === 0) return { ...own, pulls: shown }
  return {
    ...own,
    outcome: 'swapped',
    summary: swapped.map((change) => change!.summary).join('; '),
    pauseMs: Math.max(...swapped.map((change) => change!.pauseMs)),
    pulls: shown,
  }
}
