import { readFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { Order } from '../../pipeline/order.ts'
import { unpack } from '../../stages/enrich/content.ts'
import type { TableDefinition } from '../../stages/enrich/definition.ts'
import type { TableKeeper } from '../../stages/enrich/keeper.ts'
import { TableError } from '../../stages/enrich/table.ts'
import { ConfigError, messageOf, Refused } from '../../util/errors.ts'
import type { ContentPlace } from '../content-places.ts'
import type { TableFiles } from '../table-work/jobs.ts'
import type { Revised } from '../table-work/revise.ts'
import type { RowEdits } from '../table-work/row-edits.ts'
import type { TableWork } from '../table-work/table-work.ts'
import type { Author, ContentWriter, Edit, Edited } from './edit.ts'
import { conflict } from './named-files.ts'
import { columnsOf, endingOf, type NewTable, tableYaml } from './new-table.ts'
import { documentOf } from './rule-text.ts'
import { contentEdits, contentFault, freePlaces, isCopied } from './table-files.ts'

/** Whether and how the content of a table can be changed. */
export interface TableEditing {
  /** Why it cannot be; `undefined`: it can. */
  readonly readOnly: string | undefined
  /** A change writes a copy of the table into the content folder. */
  readonly isCopied: boolean
  /** Columns of a row; empty if the content cannot be read. */
  readonly columns: readonly string[]
}

export interface TableSave extends Author {
  /** Writes nothing, but answers what would be. */
  readonly isDry: boolean
  /** Accept content that changes the table by more than its checks allow. */
  readonly accept: boolean
}

/** What became of a change. In all cases but `done`, nothing was written. */
export type TableChange =
  | { readonly kind: 'done'; readonly edited: Extract<Edited, { kind: 'done' }> | undefined; readonly revised: Revised }
  | { readonly kind: 'refused'; readonly message: string; readonly revised: Revised | undefined }
  | Extract<Edited, { kind: 'broken' }>
  | { readonly kind: 'conflict'; readonly message: string }

export interface TableAuthoringDeps {
  /** Definitions of the tables in force. */
  readonly tables: () => readonly TableDefinition[]
  readonly places: () => readonly ContentPlace[]
  readonly writer: Pick<ContentWriter, 'write'>
  readonly files: (table: string) => Promise<TableFiles>
  readonly work: Pick<TableWork, 'run'>
  readonly keeper: Pick<TableKeeper, 'historyOf' | 'storedVersion'>
}

class Conflict extends Error {}

/** Maximum number of keys that an answer lists of each kind. */
const MAX_KEYS = 100

/** The content of tables as files. Unknown tables are a `ConfigError`, impossible requests `Refused`. */
export class TableAuthoring {
  readonly #deps: TableAuthoringDeps
  readonly #order = new Order()

  constructor(deps: TableAuthoringDeps) {
    this.#deps = deps
  }

  async editing(name: string): Promise<TableEditing> {
    const definition = this.#definition(name)
    const places = this.#deps.places()
    const readOnly = contentFault(definition, places)
    if (readOnly !== undefined) return { readOnly, isCopied: false, columns: [] }
    const { filename, columns: named } = definition
    const columns = await readFile(filename!)
      .then((bytes) => unpack(bytes))
      .then((bytes) => columnsOf(bytes, extname(filename!), named))
      .catch(() => [])
    return { readOnly, isCopied: isCopied(definition, places), columns }
  }

  /** Puts content in the place of a table's, if it can be used. */
  upload(name: string, bytes: Uint8Array, save: TableSave): Promise<TableChange> {
    return this.#order.run(() => this.#save(name, save, async () => ({ bytes })))
  }

  /** Writes and removes single rows. */
  edit(name: string, edits: RowEdits, save: TableSave): Promise<TableChange> {
    return this.#order.run(() => this.#save(name, save, async ({ filename }) => ({ bytes: await bytesOf(filename!), edits })))
  }

  /** Writes a new table. */
  create(table: NewTable, bytes: Uint8Array, { isDry, actor, message }: Omit<TableSave, 'accept'>): Promise<TableChange> {
    return this.#order.run(async () => {
      const { name } = table
      if (this.#deps.tables().some((one) => one.name === name))
        return conflict(`there is a table '${name}' already: upload a version of it instead`)
      return refusing(async () => {
        const content = await unpack(bytes)
        const [at, contentAt] = freePlaces(name, endingOf(content), this.#deps.places())
        const fileName = basename(contentAt.path)
        const primaryKey = table.primaryKey ?? (await columnsOf(content, extname(fileName))).slice(0, 1)
        const yaml = tableYaml(table, primaryKey, fileName)
        const file = { name, file: join(at.place.folder, at.path), root: at.place.folder, document: documentOf(yaml) }
        const given = { bytes: content, fileName, rowsBefore: undefined, limit: MAX_KEYS }
        const job = { kind: 'revise', content: given, before: undefined } as const
        const revised = await this.#deps.work.run(name, { tables: [file], schemas: [] }, job)
        const edits = [
          { ...contentAt, text: revised.bytes },
          { ...at, text: yaml },
        ]
        return this.#write(edits, revised, { isDry, actor, message, accept: false }, async () => {})
      })
    })
  }

  async #save(
    name: string,
    save: TableSave,
    read: (definition: TableDefinition) => Promise<{ readonly bytes: Uint8Array; readonly edits?: RowEdits }>,
  ): Promise<TableChange> {
    const definition = this.#definition(name)
    const fault = contentFault(definition, this.#deps.places())
    if (fault !== undefined) throw new Refused(fault)
    const filename = definition.filename!
    const was = await bytesOf(filename)
    return refusing(async () => {
      const inForce = this.#deps.keeper.historyOf(name).versions.at(-1)
      const before = inForce && !inForce.isGone ? this.#deps.keeper.storedVersion(name, inForce) : undefined
      const content = { ...(await read(definition)), fileName: basename(filename), rowsBefore: inForce?.rows, limit: MAX_KEYS }
      const revised = await this.#deps.work.run(name, await this.#deps.files(name), { kind: 'revise', content, before })
      const edits = await contentEdits(definition, revised.bytes, this.#deps.places())
      return this.#write(edits, revised, save, async () => {
        if (!was.equals(await bytesOf(filename))) throw new Conflict(`the file of table '${name}' has just changed: try again`)
      })
    })
  }

  async #write(
    edits: readonly Edit[],
    revised: Revised,
    { isDry, accept, actor, message }: TableSave,
    check: () => Promise<void>,
  ): Promise<TableChange> {
    const { failed, unusual } = revised
    const refusals = [...failed, ...(accept ? [] : unusual)]
    if (refusals.length > 0) {
      const advice = failed.length > 0 ? 'the Checks of its definition decide' : 'it can be accepted nevertheless (`accept`)'
      return { kind: 'refused', message: `${refusals.join('; ')}: ${advice}`, revised }
    }
    if (isDry) return { kind: 'done', edited: undefined, revised }
    try {
      const edited = await this.#deps.writer.write(edits, { actor, message }, check)
      return edited.kind === 'done' ? { kind: 'done', edited, revised } : edited
    } catch (error) {
      if (error instanceof Conflict) return conflict(error.message)
      throw error
    }
  }

  #definition(name: string): TableDefinition {
    const found = this.#deps.tables().find((one) => one.name === name)
    if (found) return found
    throw new ConfigError(`there is no table '${name}'`)
  }
}

/** Content that cannot be used is refused with what is wrong with it. */
async function refusing(work: () => Promise<TableChange>): Promise<TableChange> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof TableError)) throw error
    return { kind: 'refused', message: messageOf(error), revised: undefined }
  }
}

async function bytesOf(file: string): Promise<Buffer> {
  return readFile(file).catch((error: unknown) => {
    throw new Refused(`the table's file cannot be read: ${messageOf(error)}`)
  })
}
