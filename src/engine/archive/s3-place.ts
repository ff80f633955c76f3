import { readFile } from 'node:fs/promises'
import type { ArchiveBucket } from '../../config/archive.ts'
import { noAnswer } from '../../stages/source/objects/request.ts'
import { ObjectGone } from '../../stages/source/objects/store.ts'
import { refusal, S3Store } from '../../stages/source/s3/s3-store.ts'
import { Credentials } from '../../util/aws/credentials.ts'
import { CaracalError, Refused, RetryLater } from '../../util/errors.ts'
import type { Send } from '../../util/http/send.ts'
import { BucketClient, type BucketOptions } from '../../util/s3/bucket-client.ts'
import type { SecretReference } from '../../util/secret.ts'
import { type ArchivedFile, ArchiveFileMissing, type ArchivePlace } from './place.ts'

const PIECE_BYTES = 8 * 1024 * 1024
const MAX_ANSWER_BYTES = 64 * 1024
const PUT_TIMEOUT_MS = 300_000

/** An archive in a bucket of S3 or a compatible store. */
export class S3Place implements ArchivePlace {
  readonly name: string
  readonly #prefix: string
  readonly #client: BucketClient
  readonly #store: S3Store

  constructor(config: ArchiveBucket, outside: { readonly send: Send; readonly secret: (to: SecretReference) => string }) {
    const { bucket, prefix, region, endpoint, role_arn: arn, external_id: externalId } = config
    const role = arn === undefined ? undefined : { arn, externalId, region, endpoint }
    const credentials = new Credentials(config.auth, role, outside)
    const options: BucketOptions = {
      ...{ bucket, region, endpoint, pathStyle: config.path_style, send: outside.send },
      credentials: (_url, signal) => credentials.get(signal),
    }
    this.#prefix = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`
    this.name = `s3://${bucket}/${this.#prefix}`
    this.#client = new BucketClient(options)
    this.#store = new S3Store(options)
  }

  async put(key: string, file: string, signal: AbortSignal): Promise<void> {
    const body = await readFile(file)
    const request = { key: this.#prefix + key, body, maxBytes: MAX_ANSWER_BYTES, timeoutMs: PUT_TIMEOUT_MS, signal }
    const answer = await this.#named('written to', async () =>
      this.#client.put(request).catch((error: unknown) => {
        throw noAnswer(error, this.#client.url, signal)
      }),
    )
    if (answer.status !== 200) throw this.#failed('written to', refusal(answer, 'write'))
  }

  async *read(key: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const object = { key: this.#prefix + key, modifiedMs: 0, etag: '', size: 0 }
    for (let from = 0; ; ) {
      const { bytes, size } = await this.#named('read', () =>
        this.#store.read(object, { from, length: PIECE_BYTES, signal }).catch((error: unknown) => {
          throw error instanceof ObjectGone ? new ArchiveFileMissing(`${key} does not exist`) : error
        }),
      )
      if (bytes.length > 0) yield bytes
      from += bytes.length
      if (from >= size || bytes.length === 0) return
    }
  }

  async *list(
    folder: string,
    { after, signal }: { readonly after?: string | undefined; readonly signal: AbortSignal },
  ): AsyncIterable<ArchivedFile> {
    const from = after === undefined ? undefined : this.#prefix + after
    let page: string | undefined
    do {
      const listing = await this.#named('listed', () =>
        this.#store.list({ prefix: this.#prefix + folder, after: from, page, signal }),
      )
      for (const { key, size } of listing.objects) yield { key: key.slice(this.#prefix.length), bytes: size ?? 0 }
      page = listing.next
    } while (page !== undefined)
  }

  async #named<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof CaracalError) throw this.#failed(what, error)
      throw error
    }
  }

  /** The same kind of error; a refusal may be the store's passing state, and is repeated as well. */
  #failed(what: string, error: CaracalError): CaracalError {
    const message = `the archive ${this.name} cannot be ${what}: ${error.message}`
    return error instanceof RetryLater
      ? new RetryLater(message, error.afterMs, { cause: error })
      : new Refused(message, { cause: error })
  }
}
