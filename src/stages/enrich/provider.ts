import type { z } from 'zod'
import type { JsonObject } from '../../model/json.ts'
import type { Definition } from '../../util/define.ts'
import type { Send } from '../../util/http/send.ts'
import type { ApiKeys } from './api-keys.ts'

/** A table's content, as fetched. */
export interface Fetched {
  /** As received, or the member of a received archive; may be compressed. */
  readonly bytes: Uint8Array
  /** `ETag`, `Last-Modified` and the like, for a conditional request next time. */
  readonly validators: Readonly<Record<string, string>>
}

/** A query over the lake that fills a table. */
export interface TableQuery {
  readonly table: string
  readonly sql: string
  readonly maxRows: number
}

export interface TableQueryResult {
  readonly rows: readonly JsonObject[]
  /** There are more than `maxRows`. */
  readonly truncated: boolean
}

/**
 * Runs such a query. Rejects with `TableError` if that fails, with `NoContentYet` if the query can only run later.
 */
export type RunQuery = (query: TableQuery, signal: AbortSignal) => Promise<TableQueryResult>

export interface ProviderDeps {
  readonly send: Send
  /** Only where there is a lake. */
  readonly runQuery?: RunQuery | undefined
  readonly keys: ApiKeys
  /** The table's name. */
  readonly table: string
  /** Folder of the table's YAML, the base of relative paths. */
  readonly folder: string
  /** The data folder (`data_dir`), for paths below it. */
  readonly dataFolder: string
}

/** What fills and refreshes a table. */
export interface Provider {
  /**
   * The current content, or `undefined` if it has not changed since `validators` were returned.
   * Throws on anything else; the caller retains the last good content and reports the failure.
   * One call at a time.
   */
  refresh(validators: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Fetched | undefined>
}

export interface ProviderDefinition<T extends string, S extends z.ZodRawShape> extends Definition<T, S> {
  /** True if `refresh` only accesses this machine; such a table is read at startup, and by `caracal run`. */
  readonly isLocal: boolean
  /** True if the content is composed here rather than fetched as a whole, so that it may be empty and grow by leaps. */
  readonly isComposed?: boolean
  /** Format of the content, if it is always the same. */
  readonly format?: string
  /** Refresh period of tables that do not set one. */
  readonly periodMinutes: number
  /** Approximate delay of the first refresh after a start, if it need not be as long as that of requests to other services. */
  readonly firstDelayMs?: number
  /** True if there may be nothing at first for good reasons: then the table is missing, not failing. */
  readonly mayStartEmpty?: boolean
  create(config: z.output<z.ZodObject<S>>, deps: ProviderDeps): Provider
}

/** Preserves the literal types of a provider's definition. */
export function defineProvider<const T extends string, S extends z.ZodRawShape>(
  definition: ProviderDefinition<T, S>,
): ProviderDefinition<T, S> {
  return definition
}
