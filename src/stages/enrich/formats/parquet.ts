import type { Format } from './format.ts'
import { jsonl } from './jsonl.ts'

/** Parquet, of which a table's content becomes lines of JSON before formats read it (`textOf`). */
export const parquet: Format = {
  ...jsonl,
  type: 'parquet',
  summary: 'Parquet; integers of 64 bits and decimals are exact, times are ISO 8601.',
  extensions: [],
}
