import { readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { type ContentMark, MAX_TEXT_BYTES } from '../model/content-history.ts'
import { contentFiles, type PresentFile, recordContent } from '../state/content-history.ts'
import type { StateDb } from '../state/db.ts'
import { sha256 } from '../util/hash.ts'
import type { ContentPlace } from './content-places.ts'
import type { LoadedContent } from './path.ts'

/** Tracks which files make up the content and what they contain; files that look unchanged are not read again. */
export class ContentFiles {
  readonly #seen = new Map<string, { readonly look: string; readonly hash: string }>()

  /** The files of the content, plus those of `known` that still exist: a file whose items were removed or do not count is still tracked. */
  async present(loaded: LoadedContent, places: readonly ContentPlace[], known: readonly PresentFile[]): Promise<PresentFile[]> {
    const paths = new Map<string, PresentFile>()
    const add = async (root: string, path: string, file: string) => {
      const hash = await this.#hashOf(file)
      if (hash !== undefined) paths.set(`${root}\0${path}`, { root, path, hash })
    }
    const innermost = [...places].sort((a, b) => b.folder.length - a.folder.length)
    for (const file of filesOf(loaded)) {
      const place = innermost.find(({ folder }) => file.startsWith(folder + sep))
      if (place) await add(place.name, relative(place.folder, file), file)
    }
    for (const { root, path } of known) {
      const place = places.find(({ name }) => name === root)
      if (place && !paths.has(`${root}\0${path}`)) await add(root, path, join(place.folder, path))
    }
    return [...paths.values()]
  }

  /** Records in state which files have changed since the last generation; returns those in folders of this machine, as `root: path`. */
  async record(
    db: StateDb,
    loaded: LoadedContent,
    places: readonly ContentPlace[],
    mark: ContentMark & { readonly generation: string },
  ): Promise<string[]> {
    const files = await this.present(loaded, places, await contentFiles(db))
    const textOf = (file: PresentFile) => this.textOf(file, places)
    const recorded = await recordContent(db, { ...mark, nowMs: Date.now(), files, textOf })
    const folders = new Set(places.filter(({ kind }) => kind === 'folder').map(({ name }) => name))
    return (recorded?.changes ?? []).filter(({ root }) => folders.has(root)).map(({ root, path }) => `${root}: ${path}`)
  }

  /** The text of a file, unless it is too long or has changed since. */
  async textOf({ root, path, hash }: PresentFile, places: readonly ContentPlace[]): Promise<Uint8Array | undefined> {
    const place = places.find(({ name }) => name === root)
    if (!place) return undefined
    const bytes = await readIfShort(join(place.folder, path))
    return bytes && sha256(bytes) === hash ? bytes : undefined
  }

  async #hashOf(file: string): Promise<string | undefined> {
    try {
      const { size, mtimeMs, ctimeMs, ino } = await stat(file)
      const look = [size, mtimeMs, ctimeMs, ino].join()
      const seen = this.#seen.get(file)
      if (seen?.look === look) return seen.hash
      const hash = sha256(await readFile(file))
      this.#seen.set(file, { look, hash })
      return hash
    } catch {
      return undefined
    }
  }
}

async function readIfShort(file: string): Promise<Uint8Array | undefined> {
  try {
    const { size } = await stat(file)
    return size > MAX_TEXT_BYTES ? undefined : await readFile(file)
  } catch {
    return undefined
  }
}

interface Item {
  readonly file: string
  readonly source?: { readonly file: string } | undefined
  readonly definition?: string
}

/** The files of everything in force, as absolute paths. */
function filesOf({ content, tables }: LoadedContent): ReadonlySet<string> {
  const { notices: _, problems: __, ...kinds } = content
  const items: readonly Item[] = Object.values(kinds).flat()
  const files = items.flatMap(({ file, source, definition }) => [file, source?.file ?? [], definition ?? []].flat())
  const rows = [...tables.values()].flatMap(({ definition }) => definition.filename ?? [])
  return new Set([...files, ...rows])
}
