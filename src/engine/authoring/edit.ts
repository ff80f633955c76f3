import { readFile } from 'node:fs/promises'
import { Order } from '../../pipeline/order.ts'
import { messageOf } from '../../util/errors.ts'
import type { ContentReload } from '../content-reload.ts'
import type { ContentChange } from '../engine.ts'
import { commitFiles, refuseUnfinished, type WorkTree, workTreeOf } from '../git/work-tree.ts'
import type { ContentProblem } from '../path.ts'
import { writeFiles } from '../write-files.ts'
import { type Located, writableFile } from './places.ts'

/** A content file as it should be; without text, it is removed. */
export interface Edit extends Located {
  readonly text: string | Uint8Array | undefined
}

/** Who edits, and why. */
export interface Author {
  readonly actor: string
  /** First line and body of a commit. */
  readonly message: string
}

/** What became of edits. `broken`: the files are as they were before. */
export type Edited =
  | {
      readonly kind: 'done'
      readonly change: ContentChange
      /** `root/path` of the files. */
      readonly files: readonly string[]
      /** The commit, if the content folder is part of a git repository. */
      readonly commit: string | undefined
      /** Why there is no commit although there should be one. */
      readonly commitProblem: string | undefined
    }
  | { readonly kind: 'broken'; readonly problems: readonly ContentProblem[] }

/** Names that content files may end in. */
const ENDINGS = ['.yml', '.yaml', '.py', '.csv', '.json', '.jsonl']

/** Writes content files through one door: below a content root, all or none, in force or as before, committed if git knows the folder. */
export class ContentWriter {
  readonly #content: Pick<ContentReload, 'reload'>
  readonly #order = new Order()

  constructor(content: Pick<ContentReload, 'reload'>) {
    this.#content = content
  }

  /**
   * `check` is called when no other edit is in progress, right before the files are written. Rejects as it does, with `Refused` if a file
   * must not be written or a merge is in progress in its repository.
   */
  write(edits: readonly Edit[], author: Author, check: () => Promise<void> = async () => {}): Promise<Edited> {
    return this.#order.run(async () => {
      const files = await writablePaths(edits)
      const repository = await repositoryOf(edits)
      if (repository.tree) refuseUnfinished(repository.tree)
      const steps = edits.map(({ text }, i) => ({ file: files[i]!, text: typeof text === 'string' ? Buffer.from(text) : text }))
      const change = await this.#content.reload({
        cause: 'edit',
        actor: author.actor,
        files,
        apply: async () => {
          await check()
          return writeFiles(
            await Promise.all(steps.map(async ({ file, text }) => ({ file, before: await bytesOf(file), after: text }))),
          )
        },
      })
      if (change.outcome === 'broken') return { kind: 'broken', problems: change.problems }
      const shown = edits.map(({ place, path }) => `${place.name}/${path}`)
      return { kind: 'done', change, files: shown, ...(await commit(repository, steps, author)) }
    })
  }
}

/** The absolute paths of the files. Rejects with `Refused` if one must not be written. */
export function writablePaths(edits: readonly Located[]): Promise<string[]> {
  return Promise.all(edits.map((edit) => writableFile(edit, ENDINGS)))
}

interface Repository {
  readonly tree: WorkTree | undefined
  readonly problem: string | undefined
}

async function repositoryOf(edits: readonly Edit[]): Promise<Repository> {
  try {
    return { tree: await workTreeOf(edits[0]!.place.folder), problem: undefined }
  } catch (error) {
    return { tree: undefined, problem: messageOf(error) }
  }
}

/** Whatever happens to the commit, the edit is in force. */
async function commit(
  { tree, problem }: Repository,
  files: Parameters<typeof commitFiles>[1]['files'],
  { actor, message }: Author,
): Promise<{ readonly commit: string | undefined; readonly commitProblem: string | undefined }> {
  if (!tree) return { commit: undefined, commitProblem: problem }
  try {
    return { commit: await commitFiles(tree, { files, author: actor, message }), commitProblem: undefined }
  } catch (error) {
    return { commit: undefined, commitProblem: messageOf(error) }
  }
}

async function bytesOf(file: string): Promise<Uint8Array | undefined> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}
