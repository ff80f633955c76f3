import { rm } from 'node:fs/promises'
import type { Cursor, Extent } from '../../../model/batch.ts'
import type { Chunk, Fault } from '../../../model/chunk.ts'
import type { Encoding } from '../../../util/encoding.ts'
import { RetryLater } from '../../../util/errors.ts'
import { hash16, sha256 } from '../../../util/hash.ts'
import { inTime } from '../../../util/pause.ts'
import { openReader } from '../open-reader.ts'
import type { BatchSource, BUSY, CursorDeps, SourceStatus } from '../source.ts'
import { streamParameters } from '../stream-keys.ts'
import { nextExtent, type Run, readExtent, type TrackedFile } from '../tracked-file.ts'
import { Ahead, type Fetched } from './ahead.ts'
import type { Finder, FoundObject } from './finder.ts'
import type { Prefix } from './prefixes.ts'
import type { ObjectStore } from './store.ts'
import type { Progress, Taken } from './taken.ts'

/** Maximum bytes per batch, as for files. */
const WINDOW_BYTES = 1024 * 1024
/** After a restart, waits this long for the object of a recorded batch before the batch is put aside and other sources are read. */
const REFETCH_MS = 2000
const BEGINNING: Omit<Progress, 'object'> = { offset: 0, context: '', framing: 'lines' }

export interface ObjectSourceOptions {
  readonly id: string
  readonly store: ObjectStore
  readonly prefixes: readonly Prefix[]
  readonly taken: ReadonlyMap<string, Taken>
  readonly finder: Finder
  readonly maxObjectBytes: number
  /** Parameters of how text is split. */
  readonly stream: string
  readonly encoding?: Encoding | undefined
  readonly deps: CursorDeps
}

interface ObjectExtent extends Extent, FoundObject {
  readonly kind: 'object'
  /** Absent: nothing of it can be read. */
  readonly run?: Run
  readonly fault?: NonNullable<Fetched['fault']>
}

/** The object being read. */
interface Current {
  readonly found: FoundObject
  readonly path: string
  readonly file: TrackedFile
  /** The latest extent reaches its end. */
  isLast: boolean
}

/**
 * Reads objects one after the other from local copies, which are fetched in the background. A copy only saves time: after a restart
 * the object is fetched again.
 */
export class ObjectSource implements BatchSource {
  readonly id: string
  readonly #options: ObjectSourceOptions
  readonly #ahead: Ahead
  readonly #window: number
  /** NUL bytes that were skipped since the start, and the last object that had some. */
  #holes: { readonly bytes: number; readonly name: string } | undefined
  #current: Current | undefined
  #refetching: { readonly id: string; readonly fetched: Promise<Fetched> } | undefined

  constructor(options: ObjectSourceOptions) {
    this.id = options.id
    this.#options = options
    const { store, finder, maxObjectBytes, deps } = options
    const { folder } = deps.outside
    const { wake, now } = deps
    this.#ahead = new Ahead({ store, finder, resumed: () => this.#resumed(), folder, maxObjectBytes, wake, now })
    this.#window = Math.max(WINDOW_BYTES, deps.maxRecordBytes + 2)
  }

  async next(): Promise<Extent | typeof BUSY | undefined> {
    if (!this.#current) {
      const fetched = this.#ahead.next()
      if (!fetched) return undefined
      if (fetched.fault) return extentOf(fetched.found, { fault: fetched.fault })
      const { id, prefix } = fetched.found
      this.#current = await this.#open(fetched, this.#options.taken.get(prefix)?.open.get(id) ?? BEGINNING)
    }
    const { found, file } = this.#current
    const extent = await nextExtent(file, this.#window, true)
    if (extent === undefined) return extentOf(found, {})
    if (typeof extent === 'string') {
      this.#options.deps.wake()
      return extent
    }
    return extentOf(found, { run: runOf(extent) })
  }

  async read(recorded: Extent): Promise<readonly Chunk[]> {
    const extent = recorded as ObjectExtent
    const { id, prefix, run, fault } = extent
    const logTypes = this.#options.prefixes.find((one) => one.prefix === prefix)?.log_types
    const own = { ...(logTypes && logTypes.length > 0 && { logTypes }) }
    if (!run) return [{ ...this.#nothing(extent), faults: fault ? [faultOf(fault, extent)] : [], ...own }]
    if (this.#current?.found.id !== id) {
      const gone = await this.#reopen(extent, run)
      if (gone) return [{ ...this.#nothing(extent), faults: [faultOf(gone, extent)], ...own }]
    }
    const current = this.#current!
    const chunk = await readExtent(this.id, current.file.reader, { ...run, fileId: id, path: this.#nameOf(extent) }, current.file)
    const rest = await current.file.reader.read(run.resume, 1)
    current.isLast = run.broken !== null || (rest.bytes.length === 0 && rest.fault === undefined)
    return [{ ...chunk, ...own }]
  }

  receivedMs(): undefined {
    return undefined
  }

  parsed(recorded: Extent, context: string): Cursor {
    const { id, object, prefix, run } = recorded as ObjectExtent
    const taken = this.#options.taken.get(prefix)!
    const current = this.#current
    if (run?.nulBytes)
      this.#holes = { bytes: (this.#holes?.bytes ?? 0) + run.nulBytes, name: this.#nameOf(foundOf(recorded as ObjectExtent)) }
    if (!run || !current || current.isLast) {
      this.#current = undefined
      if (current) void this.#drop(current)
      return taken.read(id, object, undefined)
    }
    const { file } = current
    const framing = run.framingAfter ?? 'lines'
    Object.assign(file, { offset: run.resume, context, framing, framed: undefined, long: undefined })
    return taken.read(id, object, { object, offset: run.resume, context, framing })
  }

  committed(recorded: Extent): void {
    const { id, prefix } = recorded as ObjectExtent
    if (this.#options.taken.get(prefix)?.has(id)) this.#options.finder.done(id)
  }

  status(): SourceStatus {
    const { finder } = this.#options
    const problems = [...(finder.problem === undefined ? [] : [finder.problem]), ...this.#ahead.problems]
    return {
      backlogBytes: finder.waitingBytes + this.#ahead.waitingBytes,
      notices: [...finder.notices, ...this.#holeNotices(), ...problems],
      problems,
    }
  }

  #holeNotices(): string[] {
    if (!this.#holes) return []
    const { bytes, name } = this.#holes
    return [
      `${bytes} NUL bytes between records were skipped, the last of them in ${name}: something overwrote the log before it was uploaded`,
    ]
  }

  async close(): Promise<void> {
    this.#options.finder.close()
    if (this.#current) await this.#current.file.reader.close()
    await this.#ahead.close()
  }

  /** Objects of which a part was read before the restart. */
  #resumed(): FoundObject[] {
    return [...this.#options.taken.values()].flatMap(({ prefix, open }) =>
      [...open].map(([id, { object }]) => ({ id, object, prefix })),
    )
  }

  async #open({ found, path, bytes }: Fetched, { offset, context, framing }: Omit<Progress, 'object'>): Promise<Current> {
    const own = this.#options.prefixes.find((one) => one.prefix === found.prefix)
    const encoding = own?.encoding ?? this.#options.encoding
    const reader = await openReader(path!, encoding)
    const name = this.#nameOf(found)
    // Its id says which file it is, so nothing else need tell it from others.
    const identity = { path: name, ino: 0, birthMs: 0, seenMs: 0, fingerprint: '', fingerprintBytes: 0, complete: false }
    const file: TrackedFile = {
      cursor: { ...identity, fileId: found.id, size: bytes, offset, context },
      offset,
      context,
      framing,
      stream: own?.stream_type === undefined ? this.#options.stream : streamParameters(own),
      path: name,
      ino: 0,
      encoding,
      reader,
      printer: undefined,
      nextPrinter: undefined,
      size: bytes,
      grewMs: 0,
      goneMs: undefined,
      complete: false,
      framed: undefined,
      long: undefined,
      nulBytes: 0,
      problem: undefined,
    }
    return { found, path: path!, file, isLast: false }
  }

  /** After a restart: opens the object of a recorded extent. Returns why that is not possible any more. */
  async #reopen(found: ObjectExtent, { from, context, framing = 'lines' }: Run): Promise<Fetched['fault']> {
    if (this.#current) await this.#drop(this.#current)
    this.#current = undefined
    if (this.#refetching?.id !== found.id) this.#refetching = { id: found.id, fetched: this.#ahead.fetch(foundOf(found)) }
    let fetched: Fetched | undefined
    try {
      fetched = await inTime(this.#refetching.fetched, REFETCH_MS)
    } catch (error) {
      this.#refetching = undefined
      throw error
    }
    if (!fetched) throw new RetryLater(`${this.#nameOf(found)} is being fetched again`)
    this.#refetching = undefined
    if (fetched.fault) {
      const { reason, message } = fetched.fault
      return { reason, message: `${message}; what follows byte ${from} of its content is missing` }
    }
    this.#current = await this.#open(fetched, { offset: from, context, framing })
    return undefined
  }

  async #drop({ file, path }: Current): Promise<void> {
    await file.reader.close()
    await rm(path, { force: true }).catch(() => {})
  }

  #nameOf({ object }: FoundObject): string {
    return `${this.#options.store.name}/${object.key}`
  }

  #nothing({ id, run }: ObjectExtent): Omit<Chunk, 'faults'> {
    return { bytes: new Uint8Array(), place: hash16(this.id, id), offset: run?.from ?? 0, context: '', final: true }
  }
}

function foundOf({ id, object, prefix }: FoundObject): FoundObject {
  return { id, object, prefix }
}

function extentOf(found: FoundObject, what: Pick<ObjectExtent, 'run' | 'fault'>): ObjectExtent {
  return { kind: 'object', ...foundOf(found), ...what }
}

function runOf(extent: Run): Run {
  const {
    from,
    to,
    context,
    framing,
    framingAfter,
    stream,
    encoding,
    isPart,
    final,
    nulBytes,
    isHole,
    oversize,
    sha256,
    broken,
    resume,
  } = extent
  const run = { from, to, context, framing, framingAfter, final, nulBytes, isHole, oversize, broken, resume }
  return {
    ...run,
    ...(sha256 !== undefined && { sha256 }),
    ...(stream !== undefined && { stream }),
    ...(encoding !== undefined && { encoding }),
    ...(isPart && { isPart }),
  } as Run
}

function faultOf({ reason, message }: NonNullable<Fetched['fault']>, { object, run }: ObjectExtent): Fault {
  const offset = run?.from ?? 0
  return {
    reason,
    message,
    offset,
    length: Math.max(0, (object.size ?? 0) - offset),
    sha256: sha256(new Uint8Array()),
    raw: new Uint8Array(),
  }
}
