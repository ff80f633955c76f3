import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Learned } from '../../model/learned.ts'
import type { LoadedTable } from '../../packs/compile.ts'
import { definitionKey } from '../../stages/enrich/definition.ts'
import type { VersionInForce } from '../../stages/enrich/keeper-types.ts'
import { learnedFrom } from '../../stages/enrich/learned.ts'
import type { EntrySource } from '../../stages/enrich/versions/entries.ts'
import { contentFile, tableFolder } from '../../stages/enrich/versions/files.ts'
import { readHistory } from '../../stages/enrich/versions/history.ts'
import type { StateDb } from '../../state/db.ts'
import { getMeta, setMeta } from '../../state/sources.ts'
import { messageOf } from '../../util/errors.ts'

export interface LearningDeps {
  readonly dataFolder: string
  readonly db: StateDb
  /** Resolves once what was learned is durable. */
  readonly learned: (learned: Learned) => Promise<void>
  readonly onTrouble: (message: string | undefined) => void
  readonly now: () => number
}

/** Finds out what tables with `Retro` learn from the versions that come into force. */
export class Learning {
  readonly #deps: LearningDeps

  constructor(deps: LearningDeps) {
    this.#deps = deps
  }

  /** Compares a version with the one that was compared last. If that is no longer stored, all of it is new. Never rejects. */
  async changed({ table, definition, version }: VersionInForce, loaded: LoadedTable | undefined): Promise<void> {
    const { db, learned, onTrouble, now } = this.#deps
    if (loaded?.definition.retroDays === undefined || definitionKey(loaded.definition) !== definition) return
    const key = `learned_version:${table}`
    try {
      const last = await getMeta(db, key)
      if (last === version) return
      const before = last === undefined ? undefined : await this.#content(table, last).catch(() => undefined)
      const news = await learnedFrom(loaded, before, await this.#content(table, version))
      // First what was learned: a stop in between leads to the same comparison again.
      await learned({ table, version, ...news, learnedMs: now() })
      await setMeta(db, key, version)
      onTrouble(undefined)
    } catch (error) {
      onTrouble(`What table ${table} learned in version ${version} cannot be determined: ${messageOf(error)}`)
    }
  }

  async #content(table: string, version: string): Promise<EntrySource> {
    const folder = tableFolder(join(this.#deps.dataFolder, 'tables'), table)
    const period = (await readHistory(folder)).findLast((one) => one.version === version)
    return { bytes: await readFile(join(folder, contentFile(version))), fileName: period?.fileName }
  }
}
