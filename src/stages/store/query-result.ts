import type { AnswerHead } from './chdb-protocol.ts'
import type { QueryResult } from './lake.ts'

/** The result of a query. `rows`: one on each line. */
export function queryResult({ columns, truncated, ms, rowsRead, bytesRead }: AnswerHead, rows: Uint8Array): QueryResult {
  return {
    columns,
    rows: rows.length > 0 ? Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength).toString().split('\n') : [],
    truncated,
    ms,
    ...(rowsRead !== undefined && { rowsRead }),
    ...(bytesRead !== undefined && { bytesRead }),
  }
}
