import { Document } from 'yaml'
import { decode } from '../../stages/enrich/content.ts'
import { records } from '../../stages/enrich/formats/csv.ts'
import { json } from '../../stages/enrich/formats/json.ts'
import { jsonl } from '../../stages/enrich/formats/jsonl.ts'
import { TableError } from '../../stages/enrich/table.ts'

/** What a new table is; its content is given apart. */
export interface NewTable {
  readonly name: string
  readonly description: string | undefined
  /** The columns of the key; absent: the first column. */
  readonly primaryKey: readonly string[] | undefined
  readonly match: string | readonly string[] | undefined
  /** What columns contain. */
  readonly indicators: Readonly<Record<string, string>> | undefined
  readonly associations: readonly { readonly logType: string; readonly selectors: readonly (string | readonly string[])[] }[]
}

/** The ending of a file with this content. */
export function endingOf(bytes: Uint8Array): '.csv' | '.jsonl' | '.json' {
  const first = /\S/.exec(Buffer.from(bytes.subarray(0, 1000)).toString())?.[0]
  return first === '{' ? '.jsonl' : first === '[' ? '.json' : '.csv'
}

/**
 * The names of the columns, of JSON those of the first rows.
 *
 * @throws {TableError} if the content cannot be read.
 */
export async function columnsOf(bytes: Uint8Array, ending: string, named?: readonly string[]): Promise<readonly string[]> {
  const text = decode(bytes)
  if (ending === '.csv') {
    if (named) return named
    for await (const { cells } of records(text)) return cells
    throw new TableError('the CSV is empty: its first line must name the columns')
  }
  const context = { primaryKey: '' }
  const batches = ending === '.json' ? json.read(text, context) : jsonl.read(text, context)
  for await (const batch of batches) {
    const names = batch.flatMap((row) => (typeof row === 'string' ? [] : Object.keys(row)))
    if (names.length > 0) return [...new Set(names)]
  }
  throw new TableError('the content has no row: write a CSV with a header line, or one JSON object per line')
}

/** The YAML of a new table. */
export function tableYaml(table: NewTable, primaryKey: readonly string[], fileName: string): string {
  const { name, description, match, indicators, associations } = table
  const document = new Document({
    AnalysisType: 'lookup_table',
    LookupName: name,
    ...(description && { Description: description }),
    Filename: fileName,
    ...(match !== undefined && { Match: match }),
    ...(indicators && Object.keys(indicators).length > 0 && { Indicators: indicators }),
    LogTypeMap: {
      PrimaryKey: primaryKey.length === 1 ? primaryKey[0] : primaryKey,
      ...(associations.length > 0 && {
        AssociatedLogTypes: associations.map(({ logType, selectors }) => ({ LogType: logType, Selectors: selectors })),
      }),
    },
  })
  return document.toString({ lineWidth: 0 })
}
