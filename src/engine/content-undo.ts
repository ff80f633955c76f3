import { readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { FileChange, PastGeneration } from '../model/content-history.ts'
import type { StateReader } from '../state/read.ts'
import { ConfigError, Refused } from '../util/errors.ts'
import { sha256 } from '../util/hash.ts'
import type { ContentPlace } from './content-places.ts'
import type { ContentReload } from './content-reload.ts'
import type { ContentChange } from './engine.ts'
import { type FileStep, writeFiles } from './write-files.ts'

export interface UndoDeps {
  readonly read: Pick<StateReader, 'generation' | 'contentTexts'>
  readonly places: () => readonly ContentPlace[]
  readonly content: Pick<ContentReload, 'reload'>
}

/** A generation that was undone, and the outcome. */
export interface UndoneContent extends ContentChange {
  /** The number of the undone generation. */
  readonly number: number
}

/** A file to restore, and what it should be now. */
interface Step extends FileStep {
  readonly shown: string
  readonly nowHash: string | undefined
}

/** Maximum number of files that a message names. */
const MAX_NAMED = 5

/**
 * Restores the files of a generation to their state before it and reloads; without a name, those of the last generation. If that would
 * break the content, the files stay as they are. Rejects with `ConfigError` if there is no such generation, with `Refused` if it cannot be
 * undone.
 */
export async function undoContent(name: string | undefined, actor: string, deps: UndoDeps): Promise<UndoneContent> {
  const past = await deps.read.generation(name)
  if (!past) {
    const which =
      name === undefined ? 'there is no earlier content' : `there is no generation '${name}', or it is no longer stored`
    throw new ConfigError(`${which}: see \`caracal content history\``)
  }
  const steps = await stepsOf(past, deps)
  const apply = async () => {
    await refuseForeign(steps, past)
    return writeFiles(steps)
  }
  const change = await deps.content.reload({ cause: 'undo', actor: actorOf(past, actor), apply })
  return { ...change, number: past.number }
}

function actorOf({ number }: PastGeneration, actor: string): string {
  return actor === '' ? `undid ${number}` : `${actor}, who undid ${number}`
}

async function stepsOf({ number, files }: PastGeneration, { read, places }: UndoDeps): Promise<Step[]> {
  if (files.length === 0) throw new Refused(`generation ${number} changed no files: there is nothing to restore`)
  const known = new Map(places().map((place) => [place.name, place]))
  refuse(files, ({ root }) => !known.has(root), 'are in a content folder that is no longer configured')
  refuse(
    files,
    ({ root }) => known.get(root)?.kind === 'shipped',
    'belong to shipped packs, which are part of the release: use overrides.yml',
  )
  refuse(files, ({ root }) => known.get(root)?.kind === 'git', 'come from git: revert the commit there, and it will be pulled')
  if (number === 1) throw new Refused('generation 1 is the first one recorded')
  const texts = await read.contentTexts(
    files.flatMap(({ before, after }) => [before, after].filter((hash) => hash !== undefined)),
  )
  const isLost = (hash: string | undefined) => hash !== undefined && !texts.has(hash)
  refuse(files, ({ before, after }) => isLost(before) || isLost(after), 'are too long, so their texts were not stored')
  return files.map((file) => {
    const { folder } = known.get(file.root)!
    const path = join(folder, file.path)
    if (!path.startsWith(folder + sep)) throw new Refused(`${shownOf(file)} is outside its content folder`)
    const textOf = (hash: string | undefined) => (hash === undefined ? undefined : texts.get(hash))
    return { file: path, shown: shownOf(file), before: textOf(file.after), after: textOf(file.before), nowHash: file.after }
  })
}

function refuse(files: readonly FileChange[], isRefused: (file: FileChange) => boolean, why: string): void {
  const refused = files.filter(isRefused)
  if (refused.length > 0) throw new Refused(`this generation cannot be undone: ${named(refused.map(shownOf))} ${why}`)
}

function shownOf({ root, path }: FileChange): string {
  return `${root}/${path}`
}

function named(names: readonly string[]): string {
  const more = names.length - MAX_NAMED
  return names.slice(0, MAX_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** Later edits are never overwritten. */
async function refuseForeign(steps: readonly Step[], { number }: PastGeneration): Promise<void> {
  const changed: string[] = []
  for (const { file, shown, nowHash } of steps) {
    const now = await readFile(file).then(sha256, () => undefined)
    if (now !== nowHash) changed.push(shown)
  }
  if (changed.length > 0)
    throw new Refused(
      `generation ${number} cannot be undone because ${named(changed)} ${changed.length === 1 ? 'was' : 'were'} changed after it: undo the later generations first, or edit the files manually`,
    )
}
