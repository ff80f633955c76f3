import { mkdirSync, rmSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { TableSpec } from '../../model/column.ts'
import { insertRows } from './insert.ts'
import type { Lake, LakeWriter, RejectedRow } from './lake.ts'
import { NativeRows } from './native.ts'

/**
 * Transfers finished rows to a lake from the thread that has them. Each statement's rows go into a file whose path is all that is passed
 * on, and which is deleted as soon as they are stored. The outbox survives crashes, so this need not wait for the disk.
 */
export class RowWriter implements LakeWriter {
  readonly #folder: string
  readonly #lake: Pick<Lake, 'ensure' | 'store'>
  #files = 0

  /** Use one per data folder: it deletes what an earlier one left. */
  constructor(dataDir: string, lake: Pick<Lake, 'ensure' | 'store'>) {
    this.#folder = resolve(join(dataDir, 'inserts'))
    this.#lake = lake
    rmSync(this.#folder, { recursive: true, force: true })
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
  }

  ensure(table: TableSpec, late?: boolean): Promise<void> {
    return this.#lake.ensure(table, late)
  }

  async insert(table: TableSpec, blocks: readonly Uint8Array[], token: string): Promise<readonly RejectedRow[]> {
    const rows = new NativeRows(table, blocks)
    const attempt = async (from: number, to: number, rangeToken: string) => {
      const file = join(this.#folder, `${this.#files++}.native`)
      try {
        await writeFile(file, rows.bytes(from, to), { mode: 0o600 })
        return await this.#lake.store(table, file, rangeToken)
      } finally {
        await rm(file, { force: true })
      }
    }
    return insertRows(attempt, rows.ranges(), token)
  }
}
