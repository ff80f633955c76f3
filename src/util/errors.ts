/** An error with a stable code; every code has a row in docs/errors.md. */
export class CaracalError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** Configuration or content that cannot be used: which file, where in it, and what to do. */
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

/** Another try may work, after `afterMs` milliseconds if the other side said so. */
export class RetryLater extends CaracalError {
  readonly afterMs: number | undefined

  constructor(message: string, afterMs?: number, options?: ErrorOptions) {
    super('retry_later', message, options)
    this.afterMs = afterMs
  }
}

/** No further try will work. */
export class Refused extends CaracalError {
  constructor(message: string, options?: ErrorOptions) {
    super('refused', message, options)
  }
}

/** The disk is full, read-only or broken, or another process holds the data folder: nothing more can be promised. */
export class StorageError extends CaracalError {
  constructor(message: string, options?: ErrorOptions) {
    super('storage', message, options)
  }
}

/** A feature that belongs to a later release. */
export class NotSupported extends CaracalError {
  constructor(what: string) {
    super('not_supported', `not supported yet: ${what}`)
  }
}

/** An error that came over a border between threads or processes, as the class that callers act on. */
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
    default:
      return new CaracalError(code ?? 'internal', message)
  }
}

/** The text of anything thrown, for a message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
