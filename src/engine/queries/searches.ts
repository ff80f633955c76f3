import type { QueryEmail, SavedQuery, ScheduledQuery } from '../../model/query.ts'
import type { Schedule } from '../../model/schedule.ts'
import type { SearchRun } from '../../model/search-run.ts'
import { nextRun } from '../../stages/detect/scheduled/schedule.ts'
import type { StateDb } from '../../state/db.ts'
import { getMeta } from '../../state/sources.ts'
import { locate, readOnlyReason } from '../authoring/places.ts'
import type { ContentPlace } from '../content-places.ts'
import { type ContentReport, queryKey, queryRunKey } from '../pipeline-calls.ts'

/** A query in content, for display. Times are epoch ms. */
export interface ContentSearch extends Pick<SavedQuery, 'name' | 'description' | 'tags' | 'sql' | 'dialect'> {
  /** `root/path`, as people know the content folders. */
  readonly file: string
  /** Why it cannot be changed; absent: it can. */
  readonly readOnly?: string
  /** Absent: it only runs when somebody asks for it. */
  readonly schedule?: Schedule
  /** Of one with a schedule. */
  readonly enabled: boolean
  readonly email?: QueryEmail
  /** True if it runs by its schedule: it is enabled, and an enabled rule judges its rows or they are mailed. */
  readonly runs: boolean
  /** Enabled rules that judge its rows. */
  readonly rules: readonly string[]
  /** The due time of its last completed run, or when it was first seen. */
  readonly lastMs?: number
  readonly nextMs?: number
  /** Of one with a schedule; absent: it has not run yet. */
  readonly lastRun?: SearchRun
}

export interface SearchesDeps {
  readonly report: () => Pick<ContentReport, 'savedQueries' | 'scheduledQueries' | 'queries' | 'dashboards'> & {
    readonly content: Pick<ContentReport['content'], 'rules'>
  }
  readonly places: () => readonly ContentPlace[]
  readonly state: StateDb
}

/** The queries of the content in force, by name. */
export async function contentSearches({ report, places, state }: SearchesDeps): Promise<ContentSearch[]> {
  const { savedQueries, scheduledQueries, queries, content } = report()
  const running = new Set(queries.map(({ name }) => name))
  const now = places()
  const saved = savedQueries.map((query): ContentSearch => ({ ...shown(query, now), enabled: true, runs: false, rules: [] }))
  const scheduled = await Promise.all(
    scheduledQueries.map(async (query) => ({
      ...shown(query, now),
      schedule: query.schedule,
      enabled: query.enabled,
      ...(query.email && { email: query.email }),
      runs: running.has(query.name),
      rules: content.rules
        .filter(({ enabled, scheduledQueries: names }) => enabled && names.includes(query.name))
        .map(({ id }) => id)
        .sort(),
      ...(running.has(query.name) && (await timesOf(query, state))),
    })),
  )
  return [...saved, ...scheduled].sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function timesOf(
  { name, schedule }: ScheduledQuery,
  state: StateDb,
): Promise<Pick<ContentSearch, 'lastMs' | 'nextMs' | 'lastRun'>> {
  const [text, run] = [await getMeta(state, queryKey(name)), await getMeta(state, queryRunKey(name))]
  if (text === undefined) return {}
  const nextMs = nextRun(schedule, Number(text))
  const lastRun = run === undefined ? undefined : (JSON.parse(run) as SearchRun)
  return { lastMs: Number(text), ...(nextMs !== undefined && { nextMs }), ...(lastRun && { lastRun }) }
}

function shown({ name, description, tags, sql, dialect, file }: SavedQuery, places: readonly ContentPlace[]) {
  const at = locate(file, places)
  const readOnly = at && readOnlyReason(at.place)
  const path = at ? `${at.place.name}/${at.path}` : file
  return { name, description, tags, sql, dialect, file: path, ...(readOnly !== undefined && { readOnly }) }
}
