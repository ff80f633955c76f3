import { createHash, randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Restore, RestoreAsk } from '../../model/archive.ts'
import type { Order } from '../../pipeline/order.ts'
import { archivedSpec } from '../../stages/store/archive.ts'
import type { Lake } from '../../stages/store/lake.ts'
import type { PartitionId } from '../../stages/store/partitions.ts'
import type { Log } from '../../telemetry/log.ts'
import { messageOf, Refused, RetryLater } from '../../util/errors.ts'
import { DAY_MS, WEEK_MS, weekOf } from '../lifetime/weeks.ts'
import type { ArchivedDay, ArchiveListing } from './listing.ts'
import type { ArchivePlace } from './place.ts'

export interface RestoresDeps {
  readonly place: ArchivePlace
  readonly listing: ArchiveListing
  readonly lake: Pick<Lake, 'importFile'>
  /** Keeps the beginning of a restore apart from a deletion by retention. */
  readonly order: Order
  readonly workFolder: string
  readonly load: () => Promise<string | undefined>
  readonly save: (text: string) => Promise<void>
  /** Rejects if the lake has no room for this number of bytes. */
  readonly needRoom: (bytes: number) => Promise<void>
  readonly log: Log
  readonly now: () => number
}

const MAX_DAYS = 1000
const MAX_KEPT = 50
/** Rows take about as much room in the lake as in the archive. */
const ROOM = 1.5

/** Loads archived rows back into the lake, without judging them again. One restore runs at a time. */
export class Restores {
  readonly #deps: RestoresDeps
  readonly #stopping = new AbortController()
  #all: readonly Restore[] = []
  #running: Promise<void> | undefined

  constructor(deps: RestoresDeps) {
    this.#deps = deps
  }

  /** Reads which rows are to be kept. Call this before retention deletes anything. */
  async open(): Promise<void> {
    const stored = JSON.parse((await this.#deps.load()) || '[]') as Restore[]
    this.#all = stored.map((one) =>
      one.state === 'running'
        ? { ...one, state: 'failed', message: 'Caracal stopped before it was finished: restore the rest with the same command' }
        : one,
    )
  }

  /** Newest first. */
  get all(): readonly Restore[] {
    return this.#all
  }

  /** Whether retention has to leave a partition alone, because rows of it were restored. */
  keeps({ database, table, id }: PartitionId): boolean {
    const week = weekOf(id)
    return this.#all.some(
      (one) =>
        (database === 'logs' || database === 'matches') &&
        one.table === table &&
        one.keptUntilMs > this.#deps.now() &&
        // A month of events, as an earlier version stored them: its rows were received at any time since.
        (week === undefined || (week < Date.parse(one.to) + DAY_MS && week + WEEK_MS > Date.parse(one.from))),
    )
  }

  /** Begins a restore. Rejects with `Refused` if it makes no sense or one is running, with `StorageError` if there is no room. */
  async begin(ask: RestoreAsk): Promise<Restore> {
    const { listing, needRoom, order, now, place } = this.#deps
    this.#refuseSecond()
    if (ask.to < ask.from) throw new Refused(`${ask.to} is before ${ask.from}`)
    const table = ask.logType.replaceAll('.', '_').toLowerCase()
    const { days, last } = await listing.list({ table, from: ask.from, to: ask.to, limit: MAX_DAYS }, this.#stopping.signal)
    if (days.length === 0)
      throw new Refused(
        `${place.name} has nothing of ${ask.logType} that was received from ${ask.from} to ${ask.to}: \`caracal archive\` lists what it has`,
      )
    if (last !== undefined) throw new Refused(`that is more than ${MAX_DAYS} archived days: restore a part of them`)
    await needRoom(days.flatMap(({ manifest }) => manifest.files).reduce((sum, { bytes }) => sum + bytes, 0) * ROOM)
    this.#refuseSecond()
    const restore: Restore = {
      ...ask,
      ...{
        id: randomBytes(8).toString('hex'),
        table,
        state: 'running',
        message: undefined,
        startedMs: now(),
        finishedMs: undefined,
      },
      ...{ keptUntilMs: now() + ask.keepDays * DAY_MS, days: days.length, daysDone: 0, rows: 0, restored: 0, present: 0 },
    }
    // From here on retention leaves the rows alone; a deletion that has begun is over first.
    this.#running = order.run(() => this.#put(restore)).then(() => this.#run(restore, days))
    this.#running.catch(() => {}).finally(() => (this.#running = undefined))
    return restore
  }

  /** Ends the running restore where it is. What it has loaded stays. */
  async stop(): Promise<void> {
    this.#stopping.abort(new RetryLater('Caracal is stopping'))
    await this.#running?.catch(() => {})
  }

  #refuseSecond(): void {
    if (this.#running) throw new Refused('a restore is running: one runs at a time')
  }

  async #run(begun: Restore, days: readonly ArchivedDay[]): Promise<void> {
    const { log, now, workFolder } = this.#deps
    let restore = begun
    try {
      for (const day of days) {
        const { rows, inserted } = await this.#day(begun.id, day)
        restore = {
          ...restore,
          ...{ daysDone: restore.daysDone + 1, rows: restore.rows + rows, restored: restore.restored + inserted },
          present: restore.present + rows - inserted,
        }
        await this.#put(restore)
      }
      await this.#put({ ...restore, state: 'done', finishedMs: now() })
      log.info({ rows: restore.rows, restored: restore.restored }, `Rows of ${restore.logType} were restored from the archive.`)
    } catch (error) {
      const message = `not all rows were restored; the same command restores the rest: ${messageOf(error)}`
      log.warn({ restore: restore.id }, message)
      await this.#put({ ...restore, state: 'failed', message, finishedMs: now() })
    } finally {
      await rm(workFolder, { recursive: true, force: true })
    }
  }

  async #day(id: string, { folder, manifest }: ArchivedDay): Promise<{ readonly rows: number; readonly inserted: number }> {
    const { place, lake, workFolder } = this.#deps
    const { columns, database, table } = manifest
    const spec = archivedSpec(database, table, columns)
    let [rows, inserted] = [0, 0]
    for (const { name, sha256, rows: expected } of manifest.files) {
      this.#stopping.signal.throwIfAborted()
      const key = folder + name
      const file = join(workFolder, name)
      await mkdir(workFolder, { recursive: true, mode: 0o700 })
      const hash = createHash('sha256')
      const pieces = async function* (source: AsyncIterable<Uint8Array>) {
        for await (const piece of source) {
          hash.update(piece)
          yield piece
        }
      }
      await pipeline(place.read(key, this.#stopping.signal), pieces, createWriteStream(file, { mode: 0o600 }))
      if (hash.digest('hex') !== sha256)
        throw new Refused(`${place.name}: ${key} is damaged: it is not the file that was archived`)
      const read = await lake.importFile({ spec, columns, file, token: `restore/${id}/${key}` })
      if (read.rows !== expected) throw new Refused(`${place.name}: ${key} has ${read.rows} rows instead of ${expected}`)
      await rm(file)
      rows += read.rows
      inserted += read.inserted
    }
    return { rows, inserted }
  }

  async #put(restore: Restore): Promise<void> {
    const others = this.#all.filter(({ id }) => id !== restore.id)
    const isDue = ({ keptUntilMs }: Restore) => keptUntilMs > this.#deps.now()
    const kept = others.filter((one, i) => i < MAX_KEPT || isDue(one))
    this.#all = [restore, ...kept]
    await this.#deps.save(JSON.stringify(this.#all))
  }
}
