import type { ListedFile } from './manifest.ts'

/** Calls to the thread that copies. */
export interface CopyCalls {
  databases: (ask: { dataDir: string; to: string }) => void
  rest: (ask: { dataDir: string; lake: string | undefined; to: string }) => { files: ListedFile[]; token: boolean }
}

/** Its messages. */
export interface CopyNews {
  /** This number of files and bytes has been copied since the last message. */
  copied: (more: { files: number; bytes: number }) => void
}
