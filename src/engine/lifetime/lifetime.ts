import type { RetentionConfig } from '../../config/retention.ts'
import type { RetentionRun } from '../../model/retention.ts'
import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { Lake } from '../../stages/store/lake.ts'
import { messageOf, RetryLater } from '../../util/errors.ts'
import { type Due, expired, oldestFirst } from './plan.ts'
import { nameOf, Removal, type RemovalDeps } from './removal.ts'

export interface LifetimeDeps extends RemovalDeps {
  readonly retention: RetentionConfig
  readonly lake: Pick<Lake, 'partitions' | 'logTypesIn' | 'retire'>
  /** Receives all current problems. */
  readonly onProblems: (problems: readonly SystemProblem[]) => void
  /** Called after each run that was not ended early. */
  readonly onRun?: (run: RetentionRun) => void
}

const PERIOD_MS = 3_600_000
/** How long health shows that the size limit deleted something. */
const SHOWN_MS = 86_400_000
const MAX_NAMED = 20

/** Deletes from the lake what is older than `retention` says, and the oldest rows above its size limit; once an hour. */
export class Lifetime {
  readonly #deps: LifetimeDeps
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  readonly #stopping = new AbortController()
  /** What the size limit has deleted lately. */
  #capped: { readonly name: string; readonly rows: number; readonly atMs: number }[] = []

  constructor(deps: LifetimeDeps) {
    this.#deps = deps
  }

  /** Begins now and repeats every hour. */
  start(): void {
    this.#timer = setInterval(() => void this.run(), PERIOD_MS).unref()
    void this.run()
  }

  /** Deletes what is due. Never rejects. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Resolves when nothing is being deleted. */
  async stop(): Promise<void> {
    this.#stopping.abort(new RetryLater('Caracal is stopping'))
    clearInterval(this.#timer)
    await this.#running
  }

  async #run(): Promise<void> {
    const { log, now, onProblems, onRun } = this.#deps
    const problems: SystemProblem[] = []
    const removal = new Removal(this.#deps, this.#stopping.signal)
    const failed: string[] = []
    try {
      await this.#expire(removal)
      const excess = await this.#cap(removal)
      if (excess > 0)
        problems.push(
          systemProblem(
            'LakeTooLarge',
            '',
            `The lake is ${size(excess)} larger than retention.lake_max_bytes allows, and nothing more may be deleted: what is left is from today, of alerts on hold, was restored from the archive or cannot be archived`,
          ),
        )
    } catch (error) {
      if (this.#isStopped) return
      const message = `Old rows cannot be deleted from the lake, which will be retried in an hour: ${messageOf(error)}`
      log.warn(message)
      problems.push(systemProblem('LakeNotPruned', '', message))
      failed.push(message)
    }
    if (this.#isStopped) return
    if (removal.failed.length > 0) {
      const problem = notArchivedProblem(removal.failed)
      log.warn(problem.message)
      problems.push(problem)
      failed.push(...new Set(removal.failed.map(({ name, message }) => `${name}: ${message}`)))
    }
    this.#capped = this.#capped.filter(({ atMs }) => now() - atMs < SHOWN_MS)
    if (this.#capped.length > 0) problems.push(cappedProblem(this.#capped))
    onProblems(problems)
    onRun?.({ atMs: now(), deleted: removal.deleted, failed })
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  async #expire(removal: Removal): Promise<void> {
    const { retention, lake, now } = this.#deps
    const deps = { nowMs: now(), logTypesIn: (partition: Due['partition']) => lake.logTypesIn(partition) }
    for (const due of await expired(await lake.partitions(), retention, deps)) {
      if (this.#isStopped) return
      await removal.remove(due, 'age')
    }
  }

  /** Returns by how many bytes the lake is still too large. */
  async #cap(removal: Removal): Promise<number> {
    const { retention, lake, now } = this.#deps
    const limit = retention.lake_max_bytes
    if (limit === undefined) return 0
    let total = await this.#bytes()
    if (total <= limit) return 0
    for (const due of oldestFirst(await lake.partitions(), now())) {
      if (this.#isStopped || total <= limit) break
      const rows = await removal.remove(due, 'size')
      if (rows === 0) continue
      this.#capped.push({ name: nameOf(due), rows, atMs: now() })
      total = await this.#bytes()
    }
    return this.#isStopped ? 0 : total - limit
  }

  async #bytes(): Promise<number> {
    return (await this.#deps.lake.partitions()).reduce((sum, { bytes }) => sum + bytes, 0)
  }
}

function cappedProblem(capped: readonly { readonly name: string; readonly rows: number }[]): SystemProblem {
  const rows = capped.reduce((sum, one) => sum + one.rows, 0)
  const names = [...new Set(capped.map(({ name }) => name))]
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : ''
  const message = `The lake reached retention.lake_max_bytes, so its oldest rows were deleted: ${rows} rows of ${names.slice(0, MAX_NAMED).join(', ')}${more} (table and week)`
  return systemProblem('LakeCapped', '', message, {
    covers: names.slice(0, MAX_NAMED),
    evidence: { rows, partitions: names.length },
  })
}

function notArchivedProblem(failed: readonly { readonly name: string; readonly message: string }[]): SystemProblem {
  const names = [...new Set(failed.map(({ name }) => name))]
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : ''
  const message = `Rows cannot be archived, so they are not deleted, which will be retried in an hour: ${failed[0]!.message} (${names.slice(0, MAX_NAMED).join(', ')}${more})`
  return systemProblem('LakeNotArchived', '', message, { covers: names.slice(0, MAX_NAMED) })
}

function size(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`
}
