import { z } from 'zod'
import type { Cursor, Extent } from '../../model/batch.ts'
import type { Chunk } from '../../model/chunk.ts'
import type { Definition } from '../../util/define.ts'
import { type Send, sendNothing } from '../../util/http/send.ts'
import type { SecretReference } from '../../util/secret.ts'
import { filterShape } from './filters.ts'

/** Config keys common to all sources. */
export const sourceBase = {
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'lower-case letters, digits, - and _, at most 64')
    .describe('Name of the source, stored as `p_source_id`; also the last part of its ingest URL.'),
  label: z.string().max(200).optional().describe('Stored as `p_source_label`. Default: the id.'),
  log_types: z
    .array(z.string())
    .default([])
    .describe('Log types that its records may have. If empty, the type of each record is detected among all known types.'),
  ...filterShape,
  tables: z
    .record(z.string(), z.string())
    .default({})
    .describe('Tables pinned to a fixed file for this source (table name: file), whatever version other sources use.'),
  drop_off_minutes: z
    .int()
    .min(15)
    .max(43_200)
    .optional()
    .describe(
      'Raise the alert `SourceSilent` when no record has arrived for this many minutes (30 days at most). Default: never.',
    ),
  volume_alarm: z
    .boolean()
    .default(true)
    .describe('Raise the alert `SourceVolume` when an hour has far more or fewer records than the same hour of the days before.'),
} as const

/** Nothing to return yet, but the next call of `next` may return something: this turn's reading limit has been reached. */
export const BUSY = 'busy'

/**
 * Something the pipeline reads batches from. One call at a time, always in the order
 * `next` → `read` → `parsed`, and `committed` any time later, once per extent and in order.
 */
export interface BatchSource {
  readonly id: string
  /** The next batch's extent, or `undefined` if there is nothing to read now. Does not wait for data or read without bound. */
  next(): Promise<Extent | typeof BUSY | undefined>
  /** The extent's records; for an extent recorded before a crash, exactly the same as the first time. */
  read(extent: Extent): Promise<readonly Chunk[]>
  /** When the extent's first byte arrived, epoch ms, if the source knows; otherwise the pipeline's clock is used. */
  receivedMs(extent: Extent): number | undefined
  /** True if no extent affects how later ones are parsed: `parsed` needs no context, and extents can be parsed side by side. */
  readonly isIndependent?: boolean
  /** The extent has been parsed; `context` is what the parser must remember for the following bytes. */
  parsed(extent: Extent, context: string): Cursor
  /** The extent's effects are durable, so its input may be discarded. */
  committed(extent: Extent): void
  /** Its progress, for display. */
  status(): SourceStatus
  close(): Promise<void>
}

export interface SourceStatus {
  /** Bytes that are known but not yet read. */
  readonly backlogBytes: number
  /** Notices for users, one sentence each (a copy of a file was skipped, a file cannot be opened). */
  readonly notices: readonly string[]
  /** The notices that say why something cannot be read. */
  readonly problems?: readonly string[]
}

export interface CursorDeps {
  /** The committed cursors of this source. */
  readonly cursors: readonly Cursor[]
  /** Notifies the pipeline that `next` may return something. */
  readonly wake: () => void
  readonly now: () => number
  readonly maxRecordBytes: number
  /** What a source needs that fetches from elsewhere. */
  readonly outside: Outside
}

export interface Outside {
  /** May reach any address, because only the operator's configuration says which. */
  readonly send: Send
  /** Reads a secret, again at each call. Throws `ConfigError` that names the reference. */
  readonly secret: (reference: SecretReference) => string
  /** A folder for the source's own use, which may not exist yet. Its content is worth nothing after a restart. */
  readonly folder: string
}

/** For use where only local files are read. */
export const NOTHING_OUTSIDE: Outside = {
  send: sendNothing,
  secret: () => {
    throw new Error('this command has no secrets')
  },
  folder: '',
}

export interface SpoolEntry {
  /** How the body's records are found: the name of a decoder, possibly with parameters (`name?key=value`), or `array` for text that begins inside a JSON array. */
  readonly decoding: string
  /** When its first byte arrived, epoch ms. */
  readonly receivedMs: number
}

/** Passed to a source that pushes, to store bodies on disk. A sender is acknowledged only after that. */
export interface IntakeDeps {
  /**
   * Resolves when the body is fsynced. Throws `RetryLater` if the source's share of the spool is used up, `StorageError` if the
   * spool or the disk is full. Takes ownership of the body's memory.
   */
  readonly append: (body: Uint8Array, entry: SpoolEntry) => Promise<void>
  readonly now: () => number
  /** True if this source accepts the token. */
  readonly authorised: (token: string | undefined) => boolean
  /** For sources that ask elsewhere; may reach any address, because only the operator's configuration says which. */
  readonly send: Send
  /** The secret of a reference in the configuration. Throws `ConfigError` if it is not available. */
  readonly secret: (reference: SecretReference) => string
}

export interface IntakeStatus extends Omit<SourceStatus, 'backlogBytes'> {
  /** A sentence about records that were lost before they could be taken, while that is recent. */
  readonly lost?: string | undefined
}

/** A running source that puts what it receives into the spool. */
export interface Intake {
  /** One request from an address to `/ingest/<id><path>`, for sources that listen there. Always answers, never throws. */
  handle?(request: Request, path: string, sender?: string): Promise<Response>
  /**
   * For protocols of shippers that cannot be given another path: whether the protocol has this path. Such requests are also accepted
   * at the path itself, if their sender is known to exactly one source.
   */
  claims?(path: string): boolean
  /** Whether the headers show a sender of this source. Required by `claims`. */
  knows?(headers: Headers): boolean
  /** For display, if it has more to say than its counts do. Called every few seconds. */
  status?(): IntakeStatus
  /** Stops receiving and closes its sockets; everything acknowledged by then is on disk. Always resolves, and promptly. */
  close(): Promise<void>
}

/** What the server needs to know about a source that accepts requests. */
export interface ListenTerms {
  /** A reference to its senders' bearer token. Default: the token in the data folder. */
  readonly token?: SecretReference | undefined
  /** References to other secrets of its senders. */
  readonly secrets?: readonly SecretReference[]
  /** Time limit for one request, milliseconds. */
  readonly requestMs: number
}

/** A source's capabilities are the members that it has: either `seekable` or `pushes`, and optionally `listens` together with `pushes`. */
export interface SourceDefinition<T extends string, S extends z.ZodRawShape> extends Definition<T, S> {
  /** It can be read again from a cursor: runs in the pipeline thread, and its cursors are stored in state. */
  seekable?(config: z.output<z.ZodObject<S>>, deps: CursorDeps): BatchSource
  /**
   * What it receives cannot be read again: runs in the main thread and puts bodies into the spool. It may open its own sockets
   * and respond in its own protocol. Rejects if it cannot start (a port is in use).
   */
  pushes?(config: z.output<z.ZodObject<S>>, deps: IntakeDeps): Intake | Promise<Intake>
  /** Sources that come with it on this machine, as they would be configured. */
  brings?(config: z.output<z.ZodObject<S>>): readonly object[]
  /**
   * It only receives: it reads nothing of this machine, asks nowhere, and runs nothing. Administrators may add such a source while running;
   * with any other, their token could be used to read files or to send secrets elsewhere.
   */
  readonly onlyReceives?: boolean
  /** Senders reach it at `/ingest/<id>`. */
  listens?(config: z.output<z.ZodObject<S>>): ListenTerms
}

/** Keeps the literal types of a source's definition. */
export function defineSource<const T extends string, S extends z.ZodRawShape>(
  definition: SourceDefinition<T, S>,
): SourceDefinition<T, S> {
  return definition
}
