/** An error with a stable code; every code has a row in docs/errors.md. */
export class CaracalError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** Configuration or content that cannot be used; says which file, where in it, and what to do. */
export class ConfigError extends CaracalError {
  readonly file: string | undefined
  readonly line: number | undefined
  /** Dotted path of the key, as in `sources.0.type`. */
  readonly path: string | undefined

  constructor(message: string, where: { file?: string; line?: number; path?: string } = {}, options?: ErrorOptions) {
    const place = [where.file && (where.line ? `${where.file}:${where.line}` : where.file), where.path]
      .filter(Boolean)
      .join(' at ')
    super('config', place ? `${place}: ${message}` : message, options)
    this.file = where.file
    this.line = where.line
    this.path = where.path
  }
}

/** Several mistakes of one file. Its message has each on a line of its own. */
export class ConfigErrors extends ConfigError {
  readonly all: readonly ConfigError[]

  constructor(all: readonly ConfigError[]) {
    super(all.map(({ message }) => message).join('\n'))
    this.all = all
  }
}

/** Retrying may work, after `afterMs` milliseconds if the other side specified it. */
export class RetryLater extends CaracalError {
  readonly afterMs: number | undefined

  constructor(message: string, afterMs?: number, options?: ErrorOptions) {
    super('retry_later', message, options)
    this.afterMs = afterMs
  }
}

/** Retrying will not work. */
export class Refused extends CaracalError {
  constructor(message: string, options?: ErrorOptions) {
    super('refused', message, options)
  }
}

/** The disk is full, read-only or broken, or another process holds the data folder, so nothing can be guaranteed any more. */
export class StorageError extends CaracalError {
  constructor(message: string, options?: ErrorOptions) {
    super('storage', message, options)
  }
}

/** A feature planned for a later release. */
export class NotSupported extends CaracalError {
  constructor(what: string) {
    super('not_supported', `not supported yet: ${what}`)
  }
}

/** The state's database cannot hold such a text, so nothing in it has it. Untrusted text is stored as JSON or as bytes. */
export class UnstorableText extends CaracalError {
  constructor(message = 'a text with NUL or a lone surrogate cannot be stored or found as it is') {
    super('unstorable_text', message)
  }
}

/** Restores an error that came from another thread or process to the class that callers act on. */
export function rebuiltError(code: string | undefined, message: string, afterMs: number | undefined): CaracalError {
  switch (code) {
    case 'retry_later':
      return new RetryLater(message, afterMs)
    case 'refused':
      return new Refused(message)
    case 'storage':
      return new StorageError(message)
    case 'config':
      return new ConfigError(message)
    case 'unstorable_text':
      return new UnstorableText(message)
    default:
      return new CaracalError(code ?? 'internal', message)
  }
}

/** Plain descriptions of the most common operating system errors. */
const PLAIN: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a folder, not a file',
  ELOOP: 'symbolic links form a loop',
  EMFILE: 'this process has too many files open',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'part of the path is a file, not a folder',
  EPERM: 'the operating system does not permit it',
  EROFS: 'the file system is read-only',
}

/** The text of anything thrown, for a message. File system errors are described in plain words, with path and code. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, syscall, path } = error as NodeJS.ErrnoException
  const plain = code !== undefined && syscall !== undefined ? PLAIN[code] : undefined
  // Socket errors have codes and calls too, but an address instead of a path.
  if (plain === undefined || 'address' in error) return error.message
  return path === undefined ? `${plain} (${code})` : `${plain}: '${path}' (${code})`
}
