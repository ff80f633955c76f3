/** One version of an object: a key whose content was replaced is another one. */
export interface StoredObject {
  readonly key: string
  /** Changes with the content. */
  readonly etag: string
  /** Bytes; `undefined` if whoever named the object did not say. */
  readonly size: number | undefined
  /** When it was last modified, epoch ms. */
  readonly modifiedMs: number
}

export interface ObjectPage {
  /** Empty objects may be among them; folders are not. */
  readonly objects: readonly StoredObject[]
  /** What `list` is called with for the next page; `undefined`: there is none. */
  readonly next: string | undefined
}

export interface ListOptions {
  readonly prefix: string
  /** Only keys that come after this one; a store that cannot do that returns all. */
  readonly after?: string | undefined
  readonly page?: string | undefined
  readonly signal: AbortSignal
}

export interface ReadOptions {
  readonly from: number
  /** Bytes; the answer may be shorter at the end of the object. */
  readonly length: number
  readonly signal: AbortSignal
}

export interface ObjectPart {
  readonly bytes: Uint8Array
  /** Size of the whole object in bytes. */
  readonly size: number
}

/**
 * A bucket or container. `list` and `read` may be called side by side. Both reject with `RetryLater` if trying again may help, with
 * `Refused` if something must be changed first, and once `signal` is aborted.
 */
export interface ObjectStore {
  /** As messages name it, as in `s3://logs`. Row ids depend on it. */
  readonly name: string
  /** A page of objects, in the order of their keys. */
  list(options: ListOptions): Promise<ObjectPage>
  /** A part of exactly this version of the object. Rejects with `ObjectGone` if that no longer exists, and with `ObjectUnreachable`. */
  read(object: StoredObject, options: ReadOptions): Promise<ObjectPart>
}

/** No request can name the object; the message says why. */
export class ObjectUnreachable extends Error {}

/** The object was deleted, or its content replaced. */
export class ObjectGone extends Error {}
