import { isAbsolute } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Config } from '../../config/config.ts'
import type { Order } from '../../pipeline/order.ts'
import type { Lake } from '../../stages/store/lake.ts'
import { migrationsIn } from '../../state/copy.ts'
import type { Log } from '../../telemetry/log.ts'
import { entryFile } from '../../util/entry.ts'
import { CaracalError, messageOf, Refused, StorageError } from '../../util/errors.ts'
import { Rpc } from '../../util/rpc.ts'
import { version } from '../../util/version.ts'
import type { PipelineThread, SpoolThread } from '../threads.ts'
import type { CopyCalls, CopyNews } from './copy-calls.ts'
import { type BackupFolder, createBackupFolder } from './folder.ts'
import { rememberBackup } from './known.ts'
import { manifestText } from './manifest.ts'
import { refuseServerState } from './server-state.ts'

/** What has been copied. */
export interface BackupProgress {
  readonly files: number
  readonly bytes: number
}

/** A finished backup. */
export interface FinishedBackup extends BackupProgress {
  readonly folder: string
  /** Epoch ms: everything acknowledged before is part of it. */
  readonly createdMs: number
  /** Time in milliseconds during which nothing was moved from the state to the lake. */
  readonly pauseMs: number
  /** Whether the API's token is part of it. */
  readonly token: boolean
}

export interface RunningBackup {
  progress(): BackupProgress
  /** Rejects with what went wrong, once nothing of it is left. */
  readonly done: Promise<FinishedBackup>
}

export interface BackupsDeps {
  readonly dataDir: string
  readonly stateType: Config['state']['type']
  readonly lake: Pick<Lake, 'snapshot' | 'dropSnapshot'>
  readonly pipeline: Pick<PipelineThread, 'rpc'>
  readonly spool: Pick<SpoolThread, 'rpc'>
  /** Keeps deletions that concern state and lake apart from the moment at which both are copied. */
  readonly deletions: Order
  readonly log: Log
}

const ENTRY = 'engine/backup/copy-thread'

/** Backups of the running program: see docs/decisions/0063. */
export class Backups {
  readonly #deps: BackupsDeps
  readonly #stopping = new AbortController()
  #running: { readonly folder: string; readonly done: Promise<unknown> } | undefined

  constructor(deps: BackupsDeps) {
    this.#deps = deps
  }

  /**
   * Begins a backup into a new or empty folder; aborting the signal ends it. One runs at a time.
   *
   * @throws {Refused} if one is running, the folder cannot be used, or the state is not in the data folder.
   * @throws {StorageError} if the folder cannot be written.
   */
  async begin(path: string, signal: AbortSignal): Promise<RunningBackup> {
    refuseServerState(this.#deps.stateType)
    if (!isAbsolute(path)) throw new Refused(`'${path}' is not an absolute path`)
    if (this.#running) throw new Refused(`a backup to ${this.#running.folder} is running: one runs at a time`)
    let settle = () => {}
    // Claimed before anything is awaited.
    this.#running = { folder: path, done: new Promise<void>((resolve) => (settle = resolve)) }
    const over = () => {
      this.#running = undefined
      settle()
    }
    try {
      const folder = await createBackupFolder(path, this.#deps.dataDir)
      const progress = { files: 0, bytes: 0 }
      const done = this.#make(folder, AbortSignal.any([signal, this.#stopping.signal]), progress).finally(over)
      done.catch(() => {})
      return { progress: () => ({ ...progress }), done }
    } catch (error) {
      over()
      throw error
    }
  }

  /** Ends a running backup, of which nothing is left. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Refused('Caracal was stopped before the backup had finished'))
    await this.#running?.done
  }

  async #make(folder: BackupFolder, signal: AbortSignal, progress: { files: number; bytes: number }): Promise<FinishedBackup> {
    const { dataDir, lake, log } = this.#deps
    const worker = new Worker(entryFile(ENTRY), { name: 'caracal-backup' })
    const copy = new Rpc<CopyCalls, CopyNews>(worker, {
      copied: ({ files, bytes }) => {
        progress.files += files
        progress.bytes += bytes
      },
    })
    const fail = (error: unknown) => copy.fail(error instanceof Error ? error : new StorageError(messageOf(error)))
    worker.once('error', fail)
    worker.once('exit', () => fail(new StorageError('the thread that copies files has ended')))
    const abort = () => fail(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      signal.throwIfAborted()
      const { createdMs, pauseMs, lakeFiles } = await this.#deps.deletions.run(() => this.#copyMoment(folder, copy, signal))
      const { files, token } = await copy.call('rest', { dataDir, lake: lakeFiles, to: folder.data })
      signal.throwIfAborted()
      const state = migrationsIn(`${folder.data}/state.db`).at(-1) ?? null
      const created = new Date(createdMs).toISOString()
      await folder.finish(manifestText({ program: version(), created, running: true, state, token, files }))
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
      const finished = { folder: folder.path, createdMs, pauseMs, token, files: files.length, bytes }
      rememberBackup(dataDir, { folder: folder.path, created })
      const without = lakeFiles === undefined ? ' The rows of the lake are on their server, and not in it.' : ''
      log.info(finished, `Backup in ${folder.path}: ${files.length} files, ${bytes} bytes.${without}`)
      return finished
    } catch (error) {
      await worker.terminate()
      await folder
        .discard()
        .catch((left: unknown) => log.warn(`${folder.path} contains an unfinished backup: ${messageOf(left)}`))
      const text = `The backup to ${folder.path} failed: ${messageOf(error)}`
      if (error instanceof CaracalError) log.warn(text)
      else log.error({ err: error }, text)
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
      await worker.terminate()
      await lake
        .dropSnapshot()
        .catch((error: unknown) => log.warn(`A snapshot of the lake cannot be removed: ${messageOf(error)}`))
    }
  }

  /**
   * Copies state and spool, and takes a snapshot of the lake, while no rows move from one to the other: rows are then in the copy of the
   * outbox or in the snapshot, and bodies that the copy of the state has not committed are in the copy of the spool.
   */
  async #copyMoment(folder: BackupFolder, copy: Pick<Rpc<CopyCalls>, 'call'>, signal: AbortSignal) {
    const { dataDir, lake, pipeline, spool } = this.#deps
    const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    aborted.catch(() => {})
    const began = performance.now()
    try {
      // A lake that is away can hold this up.
      await Promise.race([pipeline.rpc.call('pauseFlushes', true), aborted])
      await spool.rpc.call('keepBodies')
      signal.throwIfAborted()
      const createdMs = Date.now()
      const lakeFiles = await Promise.race([lake.snapshot(), aborted])
      await copy.call('databases', { dataDir, to: folder.data })
      return { createdMs, lakeFiles, pauseMs: Math.round(performance.now() - began) }
    } finally {
      await Promise.allSettled([spool.rpc.call('freeBodies'), pipeline.rpc.call('pauseFlushes', false)])
    }
  }
}
