import { chdb } from './chdb.ts'
import { clickhouse } from './clickhouse/clickhouse.ts'

/** Built-in lakes. A new one is one file or folder here and one name in this list. */
export const lakes = [chdb, clickhouse] as const
