import type { JsonObject } from '../model/json.ts'
import type { TableDefinition } from '../stages/enrich/definition.ts'
import type { TableHistory, TableKeeper } from '../stages/enrich/keeper.ts'
import type { StoredVersion } from '../stages/enrich/keeper-types.ts'
import { joinKey } from '../stages/enrich/tables/composite-index.ts'
import type { TableDiff } from '../stages/enrich/versions/diff.ts'
import { periodNamed, type VersionPeriod } from '../stages/enrich/versions/history.ts'
import type { StateDb } from '../state/db.ts'
import { ConfigError, Refused } from '../util/errors.ts'
import type { TableWork } from './table-work/table-work.ts'
import type { PipelineThread } from './threads.ts'
import { writtenRowThen } from './written-views.ts'

/** The row that a table has, or had, for a key. */
export interface TableRowThen {
  readonly version: string
  /** When that version came into force, epoch milliseconds. */
  readonly sinceMs: number
  readonly row: JsonObject | null
}

/** How two versions of a table differ. */
export interface VersionsDiff extends TableDiff {
  readonly before: VersionPeriod
  readonly after: VersionPeriod
}

export interface TablePast {
  /** A table's versions, oldest first, and the outcomes of its last refreshes, newest last. Throws `ConfigError` for an unknown table. */
  tableHistory(name: string): Promise<TableHistory & { readonly definition: TableDefinition }>
  /**
   * The row for a key, of several parts if it is composite, as of the version with that name or in force at that time. Rejects with `Refused`
   * if it is no longer stored.
   */
  tableRow(name: string, key: readonly string[], asOf: string | undefined): Promise<TableRowThen>
  /** How two versions differ, each named as for `tableRow`, with at most `limit` keys of each kind. */
  tableDiff(name: string, versions: { readonly before: string; readonly after: string }, limit: number): Promise<VersionsDiff>
}

interface PastDeps {
  readonly tables: () => readonly TableDefinition[]
  readonly keeper: TableKeeper
  readonly pipeline: PipelineThread
  readonly work: TableWork
  readonly state: StateDb
  /** Runs SQL over the lake. */
  readonly query: (sql: string) => Promise<readonly string[]>
}

/** What tables were like before, from their stored versions. */
export function tablePast({ tables, keeper, pipeline, work, state, query }: PastDeps): TablePast {
  const definitionOf = (name: string) => {
    const definition = tables().find((one) => one.name === name)
    if (definition) return definition
    const known = tables().map((one) => one.name)
    throw new ConfigError(`there is no table '${name}'. Known: ${known.join(', ')}`)
  }
  const periodOf = (name: string, which: string) => {
    definitionOf(name)
    return periodNamed(name, keeper.historyOf(name).versions, which)
  }
  const storedOf = (name: string, period: VersionPeriod): StoredVersion => keeper.storedVersion(name, period)
  return {
    tableHistory: async (name) => {
      const definition = definitionOf(name)
      return { definition, ...(definition.events ? { versions: [], outcomes: [] } : keeper.historyOf(name)) }
    },
    tableRow: async (name, key, asOf) => {
      const definition = definitionOf(name)
      const { columns } = definition.key
      if (key.length !== columns.length)
        throw new Refused(`the key of table '${name}' has ${columns.length} parts (${columns.join(', ')}), not ${key.length}`)
      if (definition.events) return writtenRowThen(definition, key, asOf, { state, query, now: Date.now })
      const period = periodOf(name, asOf ?? 'now')
      const files = await pipeline.rpc.call('tableFiles', name)
      const joined = key.length === 1 ? key[0]! : joinKey(key)
      const row = await work.run(name, files, { kind: 'row', version: storedOf(name, period), key: joined })
      return { version: period.version, sinceMs: period.sinceMs, row: row ?? null }
    },
    tableDiff: async (name, which, limit) => {
      if (definitionOf(name).events)
        throw new Refused(
          `rows of table '${name}' change one by one, so it has no versions to compare: query its history in the lake`,
        )
      const [before, after] = [periodOf(name, which.before), periodOf(name, which.after)]
      const files = await pipeline.rpc.call('tableFiles', name)
      const limits = { added: limit, removed: limit, changed: limit, worsened: limit }
      const job = { kind: 'diff', before: storedOf(name, before), after: storedOf(name, after), limits } as const
      return { before, after, ...(await work.run(name, files, job)) }
    },
  }
}
