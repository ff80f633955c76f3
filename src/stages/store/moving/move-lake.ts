import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { StorageError } from '../../../util/errors.ts'
import type { RowSum } from '../archive.ts'
import type { Lake } from '../lake.ts'
import type { Piece, PieceLimits } from './pieces.ts'
import type { StoredTable } from './stored-tables.ts'

export interface MovedTable {
  readonly table: string
  readonly rowsBefore: number
  readonly rowsAfter: number
}

export interface MoveOptions {
  /** A folder for one file at a time; it is removed. */
  readonly folder: string
  readonly onRows?: (table: string, done: number, of: number) => void
  readonly signal?: AbortSignal
  /** For tests. */
  readonly limits?: PieceLimits
}

type Mover = Pick<Lake, 'move'>

/** Far below what an insert takes as one block. */
const LIMITS: PieceLimits = { rows: 200_000, bytes: 64 * 1024 * 1024 }

const MAX_TRIES = 5

/**
 * Copies the rows of all tables of a lake to another one, while nothing else uses either. Each piece is compared by number and hash of its
 * rows; those that are there already are left out, so the same call goes on where an earlier one was stopped.
 *
 * @throws {StorageError} if rows cannot be moved, or the tables differ in the end. Rejects with `RetryLater` if the other lake is away.
 */
export async function moveLake(from: Mover, to: Mover, options: MoveOptions): Promise<MovedTable[]> {
  const folder = resolve(options.folder)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    const tables = await from.move({ do: 'storedTables' })
    const all = tables.reduce((sum, { rows }) => sum + rows, 0)
    let done = 0
    for (const table of tables) {
      await to.move({ do: 'createStored', table })
      for (const piece of await from.move({ do: 'pieces', table, limits: options.limits ?? LIMITS })) {
        options.signal?.throwIfAborted()
        done += await movePiece(from, to, { table, piece, file: join(folder, 'rows.native') })
        options.onRows?.(nameOf(table), done, all)
      }
    }
    return await compared(tables, to)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Moving {
  readonly table: StoredTable
  readonly piece: Piece
  readonly file: string
}

/** Returns the number of its rows. */
async function movePiece(from: Mover, to: Mover, { table, piece, file }: Moving): Promise<number> {
  const wanted = await from.move({ do: 'sumPiece', table, piece })
  const token = `move/${nameOf(table)}/${Object.values(piece).join('/')}`
  let present = await to.move({ do: 'sumPiece', table, piece })
  for (let tries = 0; !isSame(present, wanted); tries++) {
    if (tries === MAX_TRIES)
      throw new StorageError(
        `rows of ${nameOf(table)} are not the same on the server after ${tries} attempts: ${wanted.rows} here, ${present.rows} there`,
      )
    if (tries === 0) await from.move({ do: 'unloadPiece', table, piece, file })
    // The server may know the first token from an attempt whose rows a crash has undone.
    const isAgain = present.rows > 0
    await to.move({
      do: 'loadPiece',
      table,
      piece,
      file,
      isAgain,
      token: tries === 0 && !isAgain ? token : `${token}/${randomUUID()}`,
    })
    present = await to.move({ do: 'sumPiece', table, piece })
  }
  return wanted.rows
}

async function compared(tables: readonly StoredTable[], to: Mover): Promise<MovedTable[]> {
  const after = new Map((await to.move({ do: 'storedTables' })).map((table) => [nameOf(table), table.rows]))
  return tables.map((table) => ({
    table: nameOf(table),
    rowsBefore: table.rows,
    rowsAfter: after.get(nameOf(table)) ?? 0,
  }))
}

function isSame(a: RowSum, b: RowSum): boolean {
  return a.rows === b.rows && a.checksum === b.checksum
}

function nameOf({ database, table }: StoredTable): string {
  return `${database}.${table}`
}
