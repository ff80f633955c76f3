/** What a service file is made of. All paths are absolute. */
export interface Service {
  /** The program and its arguments. */
  readonly command: readonly string[]
  /** The folder with caracal.yml and content. */
  readonly folder: string
  readonly dataDir: string
  readonly user: string
  /** Folders besides the data folder that it writes to. */
  readonly writes: readonly string[]
  /** Folders for backups, which it writes too. */
  readonly backups: readonly string[]
  /** A file for its messages. Default: the journal, or on macOS `caracal.log` in the data folder. */
  readonly log: string | undefined
  /** It listens on a port below 1024. */
  readonly hasLowPort: boolean
  /** It asks the machine about other processes, or runs programs. */
  readonly asksMachine: boolean
}

/** How long work in progress may take to finish. */
export const STOP_SECONDS = 90
/** Open files: a thousand connections and a large lake, with room. */
export const MAX_FILES = 65_536
