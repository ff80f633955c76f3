import { z } from 'zod'
import type { Cursor, Extent } from '../../model/batch.ts'
import type { Chunk } from '../../model/chunk.ts'
import type { Definition } from '../../util/define.ts'
import type { FrameState } from '../../util/framing.ts'

/** What every source's config has beside its own keys. */
export const sourceBase = {
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'lower-case letters, digits, - and _, at most 64')
    .describe('Name of the source: `p_source_id`, and the last part of its ingest address.'),
  label: z.string().max(200).optional().describe('`p_source_label` of its events; the id when absent.'),
  log_types: z
    .array(z.string())
    .default([])
    .describe('Log types its records may have. Empty: any known one, told from each record.'),
  tables: z
    .record(z.string(), z.string())
    .default({})
    .describe('Table name → file: tables pinned to this content for this source, whatever version others see.'),
} as const

/**
 * Something the pipeline reads batches from. One call at a time, always in the order
 * `next` → `read` → `parsed`, and `committed` any time later, once per extent and in order.
 */
export interface BatchSource {
  readonly id: string
  /** The next batch's extent, or `undefined` when there is nothing to read now. Does not wait for data. */
  next(): Promise<Extent | undefined>
  /** The extent's records. For an extent recorded before a crash, exactly the same as the first time. */
  read(extent: Extent): Promise<readonly Chunk[]>
  /** When the extent's first byte came in, epoch ms, if the source knows; else the pipeline's clock counts. */
  receivedMs(extent: Extent): number | undefined
  /** The extent is parsed; `context` is what the parser must remember for the bytes that follow. */
  parsed(extent: Extent, context: string): Cursor
  /** The extent's effects are durable: what it came from may be forgotten. */
  committed(extent: Extent): void
  /** People's view of where it stands. */
  status(): SourceStatus
  close(): Promise<void>
}

export interface SourceStatus {
  /** Bytes known and not yet read. */
  readonly backlogBytes: number
  /** What a person should know, a sentence each (a copy of a file was skipped, a file cannot be opened). */
  readonly notices: readonly string[]
  /** Those of the notices that say why something cannot be read. */
  readonly problems?: readonly string[]
}

export interface CursorDeps {
  /** The cursors of this source as committed. */
  readonly cursors: readonly Cursor[]
  /** Tells the pipeline that `next` may have something. */
  readonly wake: () => void
  readonly now: () => number
  readonly maxRecordBytes: number
}

/** Takes in what cannot be read again; everything is in the spool, on disk, before the sender hears of success. */
export interface IntakeDeps {
  /** Resolves when the body is fsynced; `framing`: what it begins with. Throws `RetryLater` when the source or the spool is full, `StorageError` when the disk is. */
  readonly append: (framing: FrameState, body: Uint8Array, receivedMs: number) => Promise<void>
  readonly now: () => number
  /** True when the bearer token is the one that this source expects. */
  readonly authorised: (token: string | undefined) => boolean
}

export interface Intake {
  /** One ingest request. Always answers, never throws. */
  handle?(request: Request): Promise<Response>
  close(): Promise<void>
}

export interface SourceDefinition<T extends string, S extends z.ZodRawShape> extends Definition<T, S> {
  /** For sources that can be read again: runs in the pipeline thread, keeps a cursor in state. */
  open?(config: z.output<z.ZodObject<S>>, deps: CursorDeps): BatchSource
  /** For sources that cannot: runs in the main thread, writes to the spool. */
  listen?(config: z.output<z.ZodObject<S>>, deps: IntakeDeps): Intake
}

/** Keeps the literal types of a source's definition. */
export function defineSource<const T extends string, S extends z.ZodRawShape>(
  definition: SourceDefinition<T, S>,
): SourceDefinition<T, S> {
  return definition
}
