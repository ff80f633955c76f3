import { createHash, randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { AuditEntry } from '../../model/audit.ts'
import { type Deletion, type DeletionAsk, whyNotDeleted } from '../../model/deletion.ts'
import type { Order } from '../../pipeline/order.ts'
import type { TableKeeper } from '../../stages/enrich/keeper.ts'
import type { Lake } from '../../stages/store/lake.ts'
import type { Log } from '../../telemetry/log.ts'
import { messageOf, Refused, RetryLater } from '../../util/errors.ts'
import { type WordPattern, wordPattern } from '../../util/word-pattern.ts'
import type { QueryJobs } from '../queries/jobs.ts'
import type { PipelineThread, SpoolThread } from '../threads.ts'
import { filesWith } from './scan.ts'

export interface DeletionsDeps {
  readonly dataDir: string
  readonly lake: Pick<Lake, 'find' | 'erase' | 'scrub'>
  readonly pipeline: Pick<PipelineThread, 'rpc'>
  readonly spool: Pick<SpoolThread, 'rpc'>
  readonly keeper: Pick<TableKeeper, 'erase'>
  readonly jobs: Pick<QueryJobs, 'erase'>
  /** Keeps deletions apart from each other, and from the moment at which a backup copies state and lake. */
  readonly order: Order
  readonly heldAlerts: () => Promise<readonly string[]>
  readonly getMeta: (key: string) => Promise<string | undefined>
  /** Folders of known backups. */
  readonly backups: () => readonly string[]
  /** Where rows are archived before retention deletes them; `undefined`: nowhere. */
  readonly archive: string | undefined
  /** How often the history of content has the value. */
  readonly inContentHistory: (pattern: WordPattern) => Promise<number>
  readonly audit: (entry: AuditEntry) => Promise<void>
  readonly log: Log
  readonly now: () => number
}

/** `meta`: the deletion in progress with its value, so that it continues after a crash; '' if nothing is being deleted. */
const PENDING = 'deletion'
const resultKey = (id: string) => `deletion:${id}`
/** Records received before the deletion must have been processed within this time. */
const SPOOL_WAIT_MS = 600_000
const LOOK_MS = 200
/** What arrives meanwhile is found by the next pass. */
const MAX_PASSES = 10

interface Pending {
  readonly deletion: Deletion
  /** Absent: it is deleted, and only has to be removed from disk. */
  readonly value?: string
}

/** Deletions of a value from everything that Caracal stores: see docs/decisions/0070. One runs at a time. */
export class Deletions {
  readonly #deps: DeletionsDeps
  readonly #stopping = new AbortController()
  #running: { deletion: Deletion; readonly done: Promise<void> } | undefined
  readonly #last = new Map<string, Deletion>()

  constructor(deps: DeletionsDeps) {
    this.#deps = deps
  }

  /** Continues a deletion that was not finished, because of a crash or an error. */
  async start(): Promise<void> {
    const text = await this.#deps.getMeta(PENDING)
    if (!text) return
    const { deletion, value } = JSON.parse(text) as Pending
    if (!this.#running) this.#begin({ ...deletion, state: 'running', message: undefined }, value)
  }

  /** Begins a deletion, or a count. @throws {Refused} if one is running, or the value is not one. */
  async add({ value, type, reason, by, isDry }: DeletionAsk): Promise<Deletion> {
    const why = whyNotDeleted(value, type)
    if (why !== undefined) throw new Refused(why)
    if (wordPattern(value).test(`${reason}\n${by}`))
      throw new Refused('the reason contains the value, and would keep it: write another')
    this.#refuseSecond()
    if (!isDry && (await this.#deps.getMeta(PENDING))) {
      this.#refuseSecond()
      await this.start()
      throw new Refused('an earlier deletion was not finished, and now continues: begin this one when it is done')
    }
    this.#refuseSecond()
    const salt = randomBytes(16).toString('hex')
    const sha256 = createHash('sha256').update(`${salt}:${value}`).digest('hex')
    const id = randomBytes(8).toString('hex')
    const none = { rows: {}, held: [], remaining: [], backups: [], message: undefined, finishedMs: undefined }
    const { archive, now } = this.#deps
    const about = { id, sha256, salt, type, reason, by, isDry, startedMs: now(), archive }
    return this.#begin({ ...about, ...none, state: 'running' }, value)
  }

  /** A deletion that runs, or that was finished; `undefined` if the id is unknown. */
  async get(id: string): Promise<Deletion | undefined> {
    if (this.#running?.deletion.id === id) return this.#running.deletion
    const known = this.#last.get(id)
    if (known) return known
    const text = await this.#deps.getMeta(resultKey(id))
    return text === undefined ? undefined : (JSON.parse(text) as Deletion)
  }

  /** Ends the running deletion where it is; it continues at the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running?.done
  }

  #refuseSecond(): void {
    if (this.#running) throw new Refused('a deletion is running: one runs at a time')
  }

  #begin(deletion: Deletion, value: string | undefined): Deletion {
    const done = this.#run(deletion, value).then((result) => {
      this.#last.set(result.id, result)
      this.#running = undefined
    })
    this.#running = { deletion, done }
    return deletion
  }

  /** Never rejects. */
  async #run(deletion: Deletion, value: string | undefined): Promise<Deletion> {
    const { log, now } = this.#deps
    try {
      const result = deletion.isDry ? await this.#count(deletion, value!) : await this.#delete(deletion, value)
      const finished: Deletion = { ...deletion, ...result, state: 'done', finishedMs: now() }
      if (!deletion.isDry) await this.#record(finished)
      return finished
    } catch (error) {
      const later = deletion.isDry ? 'nothing was counted' : 'it continues at the next start, or when a deletion is asked for'
      const message = `the deletion is not finished; ${later}: ${messageOf(error)}`
      log.warn({ deletion: deletion.id }, message)
      return { ...deletion, state: 'failed', message, finishedMs: now() }
    }
  }

  async #count(deletion: Deletion, value: string): Promise<Partial<Deletion>> {
    const { pipeline, lake, heldAlerts } = this.#deps
    const pattern = wordPattern(value)
    await pipeline.rpc.call('flush')
    const state = await pipeline.rpc.call('eraseState', { do: 'count', value })
    const found = await lake.find({ re2: pattern.re2, value, held: await heldAlerts() })
    const others = await this.#others(pattern, true)
    return {
      rows: total(deletion.rows, { ...prefixed(state.rows), ...others }, found),
      held: state.held,
      ...(await this.#left(pattern, false)),
    }
  }

  async #delete(deletion: Deletion, value: string | undefined): Promise<Partial<Deletion>> {
    const { pipeline, spool, lake, order, dataDir } = this.#deps
    let { rows, held } = deletion
    const pattern = value === undefined ? undefined : wordPattern(value)
    if (value !== undefined && pattern) {
      await this.#pending({ deletion, value })
      await this.#processed()
      for (let pass = 0; pass < MAX_PASSES; pass++) {
        this.#stopping.signal.throwIfAborted()
        const erased = await order.run(() => this.#pass(value, pattern))
        rows = total(rows, prefixed(erased.state.rows), erased.found)
        held = erased.state.held
        if (erased.isNone) break
      }
      rows = total(rows, await this.#others(pattern, false), [])
      // A copy of an earlier state, which only serves to undo an upgrade at once.
      await rm(join(dataDir, 'before-upgrade'), { recursive: true, force: true })
    }
    const left = pattern && (await this.#left(pattern, false))
    const { remaining = deletion.remaining, backups = deletion.backups } = left ?? {}
    await this.#pending({ deletion: { ...deletion, rows, held, remaining, backups } })
    const ofSpool = await order.run(async () => {
      await pipeline.rpc.call('eraseState', { do: 'scrub' })
      const left = await spool.rpc.call('scrub')
      await lake.scrub()
      return left
    })
    const now = pattern ? await this.#left(pattern, true) : { remaining, backups }
    return { rows, held, ...now, remaining: [...now.remaining, ...(ofSpool ? [ofSpool] : [])] }
  }

  async #pass(value: string, pattern: WordPattern) {
    const { pipeline, lake, heldAlerts } = this.#deps
    await pipeline.rpc.call('flush')
    const state = await pipeline.rpc.call('eraseState', { do: 'erase', value })
    const found = await lake.erase({ re2: pattern.re2, value, held: await heldAlerts() })
    return { state, found, isNone: Object.keys(state.rows).length === 0 && found.every(({ rows }) => rows === 0) }
  }

  /** Past versions of tables and queries with their results: how many have the value, or had it. */
  async #others(pattern: WordPattern, isDry: boolean): Promise<Record<string, number>> {
    const { keeper, jobs } = this.#deps
    return {
      'versions of tables': await keeper.erase(pattern, isDry),
      queries: await jobs.erase(pattern, isDry, this.#stopping.signal),
    }
  }

  /** Resolves when every body that is in the spool now has been processed. */
  async #processed(): Promise<void> {
    const { spool, now } = this.#deps
    const ends = await spool.rpc.call('ends')
    const untilMs = now() + SPOOL_WAIT_MS
    while (await spool.rpc.call('waits', ends)) {
      this.#stopping.signal.throwIfAborted()
      if (now() > untilMs)
        throw new RetryLater('records that were received before it are still waiting to be processed: `caracal health` says why')
      await setTimeout(LOOK_MS)
    }
  }

  /** Where the value still is. Until the state is rewritten, its log has what was deleted. */
  async #left(pattern: WordPattern, isScrubbed: boolean): Promise<Pick<Deletion, 'remaining' | 'backups'>> {
    const { dataDir, inContentHistory, backups } = this.#deps
    const files = (await filesWith(dataDir, pattern)).filter((file) => isScrubbed || !file.startsWith('state.db-'))
    const texts = await inContentHistory(pattern)
    const history = texts > 0 ? [`the history of content: ${texts} files have it, as they are or were`] : []
    return { remaining: [...files, ...history], backups: backups() }
  }

  async #pending(pending: Pending): Promise<void> {
    await this.#deps.pipeline.rpc.call('setMeta', { key: PENDING, value: JSON.stringify(pending) })
  }

  async #record(deletion: Deletion): Promise<void> {
    const { pipeline, audit, log } = this.#deps
    const { id, sha256, salt, type, reason, by, rows, held } = deletion
    await audit({
      audit_event: 'change',
      caller: by,
      operation: 'deletion finished',
      request_path: `/api/v1/deletions/${id}`,
      status: 200,
      detail: { sha256, salt, ...(type && { type }), reason, rows, held: [...held] },
    })
    await pipeline.rpc.call('setMeta', { key: resultKey(id), value: JSON.stringify(deletion) })
    await pipeline.rpc.call('setMeta', { key: PENDING, value: '' })
    log.info({ deletion: id, sha256, rows }, 'A value was deleted from everything that is stored.')
  }
}

function prefixed(rows: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(rows).map(([table, n]) => [`state.${table}`, n]))
}

/** Adds to the numbers by place; places without any are left out. */
function total(
  before: Deletion['rows'],
  places: Readonly<Record<string, number>>,
  found: readonly { readonly database: string; readonly table: string; readonly rows: number }[],
): Record<string, number> {
  const all: Record<string, number> = { ...before }
  const more = [...Object.entries(places), ...found.map(({ database, table, rows }) => [`${database}.${table}`, rows] as const)]
  for (const [place, n] of more) if (n > 0) all[place] = (all[place] ?? 0) + n
  return all
}
