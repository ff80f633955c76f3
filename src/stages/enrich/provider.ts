import type { z } from 'zod'
import type { Definition } from '../../util/define.ts'
import type { Send } from '../../util/http/send.ts'

/** Content of a table, as fetched. */
export interface Fetched {
  /** As received, possibly gzip. */
  readonly bytes: Uint8Array
  /** `ETag`, `Last-Modified` and the like, for a conditional request next time. */
  readonly validators: Readonly<Record<string, string>>
}

export interface ProviderDeps {
  readonly send: Send
  /** Folder of the table's YAML: relative paths start here. */
  readonly folder: string
  /** The data folder (`data_dir`), for paths that start there. */
  readonly dataFolder: string
}

/** What fills and refreshes a table. */
export interface Provider {
  /**
   * The current content, or `undefined` if it has not changed since `validators` were returned.
   * Throws on anything else; the caller keeps the last good content and shows the failure.
   * One call at a time.
   */
  refresh(validators: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Fetched | undefined>
}

export interface ProviderDefinition<T extends string, S extends z.ZodRawShape> extends Definition<T, S> {
  /** True if `refresh` only accesses this machine; such a table is read at startup, and by `caracal run`. */
  readonly isLocal: boolean
  /** Refresh period of tables that do not set one. */
  readonly periodMinutes: number
  create(config: z.output<z.ZodObject<S>>, deps: ProviderDeps): Provider
}

/** Keeps the literal types of a provider's definition. */
export function defineProvider<const T extends string, S extends z.ZodRawShape>(
  definition: ProviderDefinition<T, S>,
): ProviderDefinition<T, S> {
  return definition
}
