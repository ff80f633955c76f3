import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, Refused } from '../../util/errors.ts'
import { hash16 } from '../../util/hash.ts'
import type { ContentPlace } from '../content-places.ts'
import type { ContentProblem } from '../path.ts'
import type { Author, ContentWriter, Edit, Edited } from './edit.ts'
import { type Located, locate, ownPlace, readOnlyReason } from './places.ts'
import { textOf } from './rule-text.ts'
import { fileNameOf } from './rules.ts'

/** An item's file as it is on disk. */
export interface NamedText {
  readonly name: string
  readonly root: string
  /** Path inside the root. */
  readonly path: string
  readonly yaml: string
  /** Hash of the text: a change names the one that it is based on. */
  readonly revision: string
  /** Why it cannot be edited; `undefined`: it can. */
  readonly readOnly: string | undefined
}

/** What became of a change. `broken`, `conflict`: nothing was written. */
export type NamedChange =
  | (Extract<Edited, { kind: 'done' }> & {
      /** '' once it is deleted. */
      readonly revision: string
      readonly notes: readonly string[]
    })
  | { readonly kind: 'broken'; readonly problems: readonly ContentProblem[] }
  /** It has changed since, exists already, or is in use. */
  | { readonly kind: 'conflict'; readonly message: string }

export interface NamedFilesDeps {
  /** What an item is called in messages. */
  readonly what: string
  /** Where new ones are written, below the content folder. */
  readonly folder: string
  /** Those in force; files are absolute. */
  readonly items: () => readonly { readonly name: string; readonly file: string }[]
  readonly places: () => readonly ContentPlace[]
  readonly writer: Pick<ContentWriter, 'write'>
}

/** An item to write. */
export interface NamedSave extends Author {
  readonly name: string
  /** What the change is based on; absent: the item is new. */
  readonly revision: string | undefined
  /** The new text of the file, made from what it was; '' for a new one. Rejects as `save` then does. */
  readonly change: (before: string) => Promise<string>
}

class Conflict extends Error {}

const MAX_SAME_NAMES = 100

/** Items with a name, each in a file of its own: reads, writes and deletes them. Unknown ones are a `ConfigError`, impossible requests `Refused`. */
export class NamedFiles {
  readonly #deps: NamedFilesDeps

  constructor(deps: NamedFilesDeps) {
    this.#deps = deps
  }

  async text(name: string): Promise<NamedText> {
    const { at, yaml } = await this.#read(name)
    return { name, root: at.place.name, path: at.path, yaml, revision: hash16(yaml), readOnly: readOnlyReason(at.place) }
  }

  async save({ name, revision, change, actor, message }: NamedSave): Promise<NamedChange> {
    const { what } = this.#deps
    const isKnown = this.#isKnown(name)
    if (isKnown && revision === undefined) return conflict(`there is a ${what} '${name}' already: change it instead`)
    if (!isKnown && revision !== undefined) throw this.#unknown(name)
    const before = isKnown ? await this.#read(name) : undefined
    if (before && hash16(before.yaml) !== revision) return conflict(this.#changed(name, revision))
    const why = before && readOnlyReason(before.at.place)
    if (why !== undefined) throw new Refused(`the ${what} '${name}' cannot be changed: ${why}. Save it under another name`)
    const yaml = await change(before?.yaml ?? '')
    const at = before?.at ?? this.#freePlace(name)
    const check = async () => {
      if (!before && existsSync(join(at.place.folder, at.path))) throw new Conflict(`the file ${at.path} exists already`)
      if (before && (await this.#read(name)).yaml !== before.yaml) throw new Conflict(this.#changed(name, revision))
    }
    const edited = await this.#write([{ ...at, text: yaml }], { actor, message }, check)
    return edited.kind === 'done' ? { ...edited, revision: hash16(yaml), notes: [] } : edited
  }

  async remove(name: string, revision: string | undefined, author: Author): Promise<NamedChange> {
    const { at } = await this.#read(name)
    const why = readOnlyReason(at.place)
    if (why !== undefined) throw new Refused(`the ${this.#deps.what} '${name}' cannot be deleted: ${why}`)
    const check = async () => {
      const { yaml } = await this.#read(name)
      if (revision !== undefined && hash16(yaml) !== revision) throw new Conflict(this.#changed(name, revision))
    }
    const edited = await this.#write([{ ...at, text: undefined }], author, check)
    if (edited.kind !== 'done') return edited
    const { what } = this.#deps
    const notes = this.#isKnown(name) ? [`another content folder has a ${what} '${name}', which is now in force`] : []
    return { ...edited, revision: '', notes }
  }

  #isKnown(name: string): boolean {
    return this.#deps.items().some((item) => item.name === name)
  }

  async #read(name: string): Promise<{ readonly at: Located; readonly yaml: string }> {
    const item = this.#deps.items().find((one) => one.name === name)
    const at = item && locate(item.file, this.#deps.places())
    if (!item || !at) throw this.#unknown(name)
    return { at, yaml: await textOf(item.file) }
  }

  /** Different names may lead to the same file name. */
  #freePlace(name: string): Located {
    const place = ownPlace(this.#deps.places())
    for (let n = 1; n <= MAX_SAME_NAMES; n++) {
      const path = `${this.#deps.folder}/${fileNameOf(name)}${n === 1 ? '' : `_${n}`}.yml`
      if (!existsSync(join(place.folder, path))) return { place, path }
    }
    throw new Refused(`there are ${MAX_SAME_NAMES} files for names like '${name}': choose another name`)
  }

  async #write(edits: readonly Edit[], author: Author, check: () => Promise<void>) {
    try {
      return await this.#deps.writer.write(edits, author, check)
    } catch (error) {
      if (error instanceof Conflict) return conflict(error.message)
      throw error
    }
  }

  #unknown(name: string): ConfigError {
    return new ConfigError(`there is no ${this.#deps.what} '${name}' in the content`)
  }

  #changed(name: string, revision: string | undefined): string {
    return `the ${this.#deps.what} '${name}' has changed since revision ${revision}: read it again`
  }
}

export function conflict(message: string) {
  return { kind: 'conflict' as const, message }
}
