import type { IndicatorField } from '../../model/event.ts'
import type { Learned } from '../../model/learned.ts'
import { MAX_LEARNED } from '../../model/learned.ts'
import type { Replay, RetroReplay } from '../../model/replay.ts'
import { type DaySightings, indexSql, readSightings } from '../../pipeline/retro/index-search.ts'
import { conditionsFor, fieldOf } from '../../pipeline/retro/terms.ts'
import type { Table } from '../../stages/enrich/table.ts'
import type { StateDb } from '../../state/db.ts'
import { deleteLearned, loadLearned, type StoredLearned, saveLearned } from '../../state/learned.ts'
import { messageOf, Refused, RetryLater } from '../../util/errors.ts'
import { pause } from '../../util/pause.ts'
import type { OpenContent } from '../open-content.ts'
import { schemaOf } from '../path.ts'
import type { ReplayLake } from '../replays/pages.ts'
import { FOUND_LIMITS, type FoundLimits, foundOf } from './found.ts'
import { readersOf } from './readers.ts'

export interface RetroDeps {
  readonly db: StateDb
  /** The content in force. */
  readonly content: () => OpenContent
  readonly lake: Pick<ReplayLake, 'query'>
  /** Resolves when everything that was judged before now is in the lake. */
  readonly settle: () => Promise<void>
  /** True while live records are being processed. */
  readonly isBusy: () => boolean
  /** Queues the replay. Rejects with `RetryLater` if the queue is full. */
  readonly add: (ask: RetroReplay, found: NonNullable<Replay['found']>) => Promise<Replay>
  /** What was not searched of what a table learned; `undefined` once everything was. */
  readonly onCut: (table: string, message: string | undefined) => void
  readonly onTrouble: (message: string | undefined) => void
  readonly now: () => number
  readonly limits?: Partial<RetroLimits>
}

interface RetroLimits {
  /** Maximum time for looking through the index for what a table learned, milliseconds. */
  readonly searchMs: number
  readonly found: FoundLimits
}

const LIMITS: RetroLimits = { searchMs: 10 * 60_000, found: FOUND_LIMITS }
const DAY_MS = 24 * 60 * 60_000
const AGAIN_MS = 5000
const FAILED_MS = 60_000
/** Maximum number of rows of one answer of the index; more are reported as not searched. */
const MAX_ROWS = 100_000
const FREQUENT = `the index has more than ${MAX_ROWS} days on which events contain them`
/** The search gets one part in this number of the time while live records are being processed. */
const BUSY_SHARE = 4

/**
 * When a table has learned of new keys, looks for them in the index of indicators and has the events that contain them judged again by the
 * rules that may read the table. In the background, one table at a time; what was learned stays in state until its replay is queued, so
 * that nothing is forgotten after a stop. A search that is repeated does no harm, since a known match is never stored again.
 */
export class RetroMatch {
  readonly #deps: RetroDeps
  readonly #limits: RetroLimits
  readonly #ending = new AbortController()
  #waiting: StoredLearned[] = []
  #running: Promise<void> | undefined
  #hasStarted = false

  constructor(deps: RetroDeps) {
    this.#deps = deps
    this.#limits = { ...LIMITS, ...deps.limits }
  }

  /** Continues with what was learned before the last stop. */
  async start(): Promise<void> {
    const stored = await loadLearned(this.#deps.db)
    const known = new Set(this.#waiting.map(({ key }) => key))
    this.#waiting = [...stored.filter(({ key }) => !known.has(key)), ...this.#waiting]
    this.#hasStarted = true
    this.#next()
  }

  /** Resolves once it is durable that past events will be searched for these keys. */
  async learned(learned: Learned): Promise<void> {
    if (learned.keys.length === 0 && learned.omitted === 0) return
    this.#waiting.push(await saveLearned(this.#deps.db, learned))
    this.#next()
  }

  /** Resolves when there is nothing left to search for. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** Ends the search in progress; it begins again after the next start. */
  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#running
  }

  #next(): void {
    if (!this.#hasStarted || this.#running || this.#waiting.length === 0 || this.#ending.signal.aborted) return
    this.#running = this.#work().finally(() => {
      this.#running = undefined
      this.#next()
    })
  }

  async #work(): Promise<void> {
    const { db, onTrouble } = this.#deps
    const some = this.#taken()
    try {
      await this.#search(some)
      await deleteLearned(
        db,
        some.map(({ key }) => key),
      )
      this.#waiting = this.#waiting.filter((one) => !some.includes(one))
      onTrouble(undefined)
    } catch (error) {
      if (this.#ending.signal.aborted) return
      const isPassing = error instanceof RetryLater
      if (!isPassing) onTrouble(`Past events cannot be searched for what table ${some[0]!.table} learned: ${messageOf(error)}`)
      await pause(isPassing ? AGAIN_MS : FAILED_MS, this.#ending.signal)
    }
  }

  /** What waits for the first table in the queue, as much of it as is searched at once. */
  #taken(): readonly StoredLearned[] {
    const [first] = this.#waiting
    let keys = 0
    return this.#waiting.filter((one) => {
      if (one.table !== first!.table || (keys > 0 && keys + one.keys.length > MAX_LEARNED)) return false
      keys += one.keys.length
      return true
    })
  }

  async #search(some: readonly StoredLearned[]): Promise<void> {
    const { content, settle, now, onCut } = this.#deps
    const [{ table: name }] = some as [StoredLearned]
    const { loaded, tables, judged } = content()
    const days = loaded.tables.get(name)?.definition.retroDays
    const table = tables.inForce.find((one) => one.name === name)
    // By now it is gone, or nobody wants this of it.
    if (days === undefined || !table) return onCut(name, undefined)
    const field = fieldOf(table)
    if (!field)
      return onCut(
        name,
        `its keys are ${table.match} keys of no indicator, so they are not in the index: remove \`Retro\`, or mark the key's column as what it contains`,
      )
    const readers = readersOf(name, loaded.content, judged)
    const logTypes = [...new Set(readers.flatMap((rule) => [...rule.logTypes, ...(rule.policy?.resourceTypes ?? [])]))]
    const omitted = some.reduce((n, one) => n + one.omitted, 0)
    const cut = omitted > 0 ? [`${omitted} new keys beyond the first ${MAX_LEARNED} of a change`] : []
    if (logTypes.length > 0) {
      // Whatever was judged with the table as it was before is in the index from here on.
      await settle()
      const fromMs = now() - days * DAY_MS
      const { sightings, notes } = await this.#sightings({ some, table, field, logTypes, fromMs })
      const found = foundOf(sightings, learnedTimes(some), this.#limits.found)
      const { left } = found
      const values = left.slice(0, 3).map(({ value, events }) => `${value} (${events} events)`)
      if (left.length > 0)
        notes.push(`events with ${left.length} frequent values: ${values.join(', ')}${left.length > 3 ? ' …' : ''}`)
      cut.push(...notes)
      const seen = Object.keys(found.spans).filter((logType) => schemaOf(logType, loaded) !== undefined)
      const rules = readers.filter(({ logTypes: own, policy }) =>
        [...own, ...(policy?.resourceTypes ?? [])].some((logType) => seen.includes(logType)),
      )
      if (rules.length > 0) {
        const ask = {
          table: name,
          version: some.at(-1)!.version,
          field,
          logTypes: seen,
          rules: rules.map(({ id }) => id),
          fromMs,
        }
        await this.#add(ask, found.spans)
      }
    }
    onCut(name, cut.length > 0 ? `Not searched of what table ${name} learned: ${cut.join('; ')}.` : undefined)
  }

  async #add(
    ask: Pick<RetroReplay, 'table' | 'version' | 'field' | 'logTypes' | 'rules' | 'fromMs'>,
    found: NonNullable<Replay['found']>,
  ) {
    const { add, now } = this.#deps
    try {
      await add({ kind: 'retro-match', toMs: now(), by: 'event', dryRun: false, deliver: true, ...ask }, found)
    } catch (error) {
      // Content has changed since: its rules or log types are gone.
      if (!(error instanceof Refused)) throw error
    }
  }

  /** When and where the index has values that the keys match. */
  async #sightings({ some, table, field, logTypes, fromMs }: Search): Promise<{ sightings: DaySightings[]; notes: string[] }> {
    const { lake, isBusy } = this.#deps
    const sightings: DaySightings[] = []
    const notes: string[] = []
    const conditions = conditionsFor(
      some.flatMap(({ keys }) => keys),
      table.match,
      field,
    )
    const until = performance.now() + this.#limits.searchMs
    for (const [n, condition] of conditions.entries()) {
      this.#ending.signal.throwIfAborted()
      const start = performance.now()
      const isOut = start > until
      if (isOut || sightings.length >= MAX_ROWS) {
        const part = Math.ceil((100 * (conditions.length - n)) / conditions.length)
        const why = isOut ? `looking for them took longer than ${this.#limits.searchMs / 60_000} minutes` : FREQUENT
        notes.push(`about ${part} % of the keys, because ${why}`)
        break
      }
      const rows = await lake.query(indexSql(condition, field, logTypes, fromMs), MAX_ROWS)
      for (const row of rows) {
        const sighting = readSightings(row)
        // Conditions may find more than the keys, and the table may have changed since.
        if (table.find(sighting.value) >= 0) sightings.push(sighting)
      }
      if (rows.length >= MAX_ROWS) notes.push(`some of the values, because ${FREQUENT}`)
      const share = isBusy() ? BUSY_SHARE : 1
      await pause((performance.now() - start) * (share - 1), this.#ending.signal)
    }
    return { sightings, notes }
  }
}

interface Search {
  readonly some: readonly StoredLearned[]
  readonly table: Table
  readonly field: IndicatorField
  readonly logTypes: readonly string[]
  readonly fromMs: number
}

/** When a value was learned: exactly for a key itself, for one that a network or a domain covers when the last of them was. */
function learnedTimes(some: readonly Learned[]): (value: string) => number {
  const times = new Map(some.flatMap(({ keys, learnedMs }) => keys.map((key) => [key, learnedMs] as const)))
  const last = some.at(-1)!.learnedMs
  return (value) => times.get(value) ?? last
}
