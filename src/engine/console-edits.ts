import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import type { ContentCause, PastGeneration } from '../model/content-history.ts'
import { contentTexts, editedFiles, historyOfFiles } from '../state/content-history.ts'
import type { StateDb } from '../state/db.ts'
import { Refused } from '../util/errors.ts'
import { sha256 } from '../util/hash.ts'
import { writableFile } from './authoring/places.ts'
import type { ContentPlace } from './content-places.ts'
import { writeFiles } from './write-files.ts'

/** What writes files of content through the API, on the node that is active. */
const EDITS: readonly ContentCause[] = ['edit', 'undo']

/** A file as it is here, and the hash of what it should contain; `undefined`: it does not, or should not, exist. */
interface Missed {
  readonly file: string
  readonly before: Uint8Array | undefined
  readonly hash: string | undefined
  readonly shown: string
}

/**
 * Makes up for what people changed through the API while other nodes were active: their files are on those nodes, their texts in the state.
 * Only what has been changed in no other way since this node's version is written, so whoever installs files on this machine has the last word.
 * To be called before content is read; returns the changed files as `root: path`. Rejects with `Refused` if they cannot be written.
 */
export async function takeOverEdits(db: StateDb, places: readonly ContentPlace[]): Promise<string[]> {
  const folders = places.filter(({ kind }) => kind === 'folder')
  const missed = (await Promise.all(folders.map((place) => missedIn(db, place)))).flat()
  const texts = await contentTexts(
    db,
    missed.flatMap(({ hash }) => hash ?? []),
  )
  // A text that is too long is not in the state: that the file differs is reported once content is read.
  const steps = missed.filter(({ hash }) => hash === undefined || texts.has(hash))
  await writeFiles(
    steps.map(({ file, before, hash }) => ({ file, before, after: hash === undefined ? undefined : texts.get(hash) })),
  )
  return steps.map(({ shown }) => shown)
}

/** The files of a content root that are here as they were before edits. */
async function missedIn(db: StateDb, place: ContentPlace): Promise<Missed[]> {
  const paths = await editedFiles(db, place.name, EDITS)
  if (paths.length === 0) return []
  const { current, generations } = await historyOfFiles(db, place.name, paths)
  const missed: Missed[] = []
  for (const path of paths) {
    const file = await fileAt(place, path)
    if (file === undefined) continue
    const hash = current.find((known) => known.path === path)?.hash
    const before = await readFile(file).catch(() => undefined)
    const here = before && sha256(before)
    if (here !== hash && isBeforeEdits(here, path, generations))
      missed.push({ file, before, hash, shown: `${place.name}: ${path}` })
  }
  return missed
}

/** Where a file is, unless a link leads elsewhere on this machine. */
async function fileAt(place: ContentPlace, path: string): Promise<string | undefined> {
  try {
    return await writableFile({ place, path }, [extname(path)])
  } catch (error) {
    if (error instanceof Refused) return undefined
    throw error
  }
}

/** Whether a file was like this once, and everything that has changed it since was an edit. */
function isBeforeEdits(here: string | undefined, path: string, generations: readonly PastGeneration[]): boolean {
  for (const { cause, files } of generations) {
    const change = files.find((file) => file.path === path)
    if (!change) continue
    if (!EDITS.includes(cause)) return false
    if (change.before === here) return true
  }
  return false
}
