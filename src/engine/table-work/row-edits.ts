import type { JsonObject } from '../../model/json.ts'
import type { LoadedTable } from '../../packs/compile.ts'
import { textOf } from '../../stages/enrich/content.ts'
import { quote } from '../../stages/enrich/formats/format.ts'
import { chooseFormat } from '../../stages/enrich/formats/index.ts'
import { keyKindOf, RowShaper } from '../../stages/enrich/read-row.ts'
import { TableError } from '../../stages/enrich/table.ts'
import { schemaOfIndicators } from '../../stages/enrich/table-schema.ts'
import { joinKey } from '../../stages/enrich/tables/composite-index.ts'
import { pieceReader, type RowPiece } from './row-pieces.ts'

/** Rows to write and to remove. */
export interface RowEdits {
  /** Each takes the place of the row with its key, or is added. */
  readonly set: readonly JsonObject[]
  /** Keys of rows; several parts if the key is composite. */
  readonly remove: readonly (readonly string[])[]
}

/**
 * The content of a table after edits of single rows; everything else stays as it is written, comments too.
 *
 * @throws {TableError} if a row cannot be used, a key is not in the table, or rows of the format cannot be edited one by one.
 */
export async function editedContent(
  { definition, schema: fileSchema }: LoadedTable,
  content: { readonly bytes: Uint8Array; readonly fileName: string },
  { set, remove }: RowEdits,
): Promise<Uint8Array> {
  const schema = fileSchema ?? (definition.indicators && schemaOfIndicators(definition.indicators))
  const text = await textOf(content.bytes, definition)
  const format = chooseFormat(text, { ...definition, type: definition.format, fileName: content.fileName })
  const reader = pieceReader(format.type, definition)
  const pieces: RowPiece[] = await reader.split(text)
  const shaper = new RowShaper(format, schema, definition.key)
  const keysOf = (row: JsonObject): readonly string[] => {
    const shaped = shaper.shape(row)
    return typeof shaped === 'object' ? shaped.keys : []
  }
  const all = pieces.flatMap(({ row }) => (row ? keysOf(row) : []))
  const kind = keyKindOf({ definition, schema, format, text, keys: all })
  const canonicals = (keys: readonly string[]) => keys.map((key) => kind.canonical(key) ?? key)
  const has = (piece: RowPiece, wanted: ReadonlySet<string>) =>
    piece.row !== undefined && canonicals(keysOf(piece.row)).some((key) => wanted.has(key))

  for (const parts of remove) {
    const { columns } = definition.key
    if (parts.length !== columns.length)
      throw new TableError(`the key has ${columns.length} parts (${columns.join(', ')}), not ${parts.length}`)
    const key = parts.length === 1 ? parts[0]! : joinKey(parts)
    const wanted = new Set(canonicals([key]))
    if (!pieces.some((piece) => has(piece, wanted))) throw new TableError(`there is no row with the key ${quote(key)}`)
    replace(pieces, (piece) => has(piece, wanted), undefined)
  }
  for (const row of set) {
    const given = reader.textRow(row)
    const shaped = shaper.shape(given)
    if (typeof shaped !== 'object') throw new TableError(`${shaped ?? 'a row cannot be used'}: ${quote(JSON.stringify(row))}`)
    const wrong = shaped.keys.find((key) => kind.canonical(key) === undefined)
    if (wrong !== undefined) throw new TableError(`${quote(wrong)} is not a key of this table: ${kind.help}`)
    const wanted = new Set(canonicals(shaped.keys))
    const piece = { row: given, text: reader.write(given) }
    if (definition.rowChoice === 'all') pieces.push(piece)
    else replace(pieces, (one) => has(one, wanted), piece)
  }
  return Buffer.from(reader.join(pieces))
}

/** Puts a piece in the place of the first that fits, or at the end, and removes all others that fit. */
function replace(pieces: RowPiece[], fits: (piece: RowPiece) => boolean, piece: RowPiece | undefined): void {
  const at = pieces.findIndex(fits)
  const rest = pieces.filter((one, i) => i === at || !fits(one))
  if (at >= 0) rest.splice(at, 1, ...(piece ? [piece] : []))
  else if (piece) rest.push(piece)
  pieces.splice(0, pieces.length, ...rest)
}
