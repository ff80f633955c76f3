/** A file of content, by the name of its content root and its path there. */
export interface ContentFile {
  readonly root: string
  readonly path: string
}

/** What put content in force. `tables`: a refresh of a table took it along. `edit`: it was written through the API. `settings`: sources or packs were changed through the API. */
export const CONTENT_CAUSES = ['start', 'watch', 'reload', 'tables', 'signal', 'git', 'undo', 'edit', 'settings'] as const
export type ContentCause = (typeof CONTENT_CAUSES)[number]

/** What a generation is remembered with, beside its files. */
export interface ContentMark {
  readonly cause: ContentCause
  /** Who asked for it, in words of their own; '' when nobody did. */
  readonly actor: string
  /** The name of a content root in git → the commit that it was at. */
  readonly commits: Readonly<Record<string, string>>
}

/** A file that a generation has changed. Hashes are SHA-256; `undefined`: it was not there, or is not there any more. */
export interface FileChange extends ContentFile {
  readonly before: string | undefined
  readonly after: string | undefined
}

/** Content that was in force. */
export interface PastGeneration extends ContentMark {
  /** Counts up from 1. */
  readonly number: number
  readonly generation: string
  readonly createdMs: number
  readonly files: readonly FileChange[]
}

/** Generations that are kept, the latest. */
export const MAX_GENERATIONS = 1000
/** Texts of files that are kept, in bytes; the oldest generations make room. */
export const MAX_HISTORY_BYTES = 64 * 1024 * 1024
/** Of a longer file only the hash is kept. */
export const MAX_TEXT_BYTES = 1024 * 1024
