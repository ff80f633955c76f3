import { type Config, publicUrl } from '../config/config.ts'
import { environment } from '../config/env.ts'
import { apiKeys } from '../config/keys.ts'
import { ROWS_KIND } from '../model/rows-mail.ts'
import { systemProblem } from '../model/system-problem.ts'
import { Deliverer } from '../pipeline/deliverer.ts'
import type { Destination } from '../stages/deliver/destination.ts'
import { systemClock, TableKeeper } from '../stages/enrich/keeper.ts'
import type { TableState } from '../stages/enrich/keeper-types.ts'
import { Askers } from '../stages/enrich/live/askers.ts'
import type { Lake } from '../stages/store/lake.ts'
import { progressOf } from '../state/alert-progress.ts'
import { namedVersions } from '../state/alert-tables.ts'
import { countTexts } from '../state/content-history.ts'
import type { StateDb } from '../state/db.ts'
import { isReferenceOf, referenceOf } from '../state/deliveries.ts'
import { countDue, dueDeliveries, waitingDestinations } from '../state/delivery-queue.ts'
import { heldAlertIds } from '../state/holds.ts'
import { activeMutes } from '../state/mutes.ts'
import { snoozesOf } from '../state/snoozes.ts'
import { getMeta } from '../state/sources.ts'
import { loadTableState } from '../state/table-status.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Http } from '../util/http/http.ts'
import type { Desk, DeskAsk } from './alert-desk.ts'
import { archiveName } from './archive/open-place.ts'
import { knownBackups } from './backup/known.ts'
import { Deletions, type DeletionsDeps } from './deletion/deletions.ts'
import { type DestinationDeskDeps, destinationDesk } from './destination-desk.ts'
import { DestinationHeartbeat } from './destination-heartbeat.ts'
import { openDestinations } from './destinations.ts'
import type { Events } from './events.ts'
import { Heartbeat } from './heartbeat.ts'
import { Lookups } from './lookups/lookups.ts'
import { deliveryNews } from './news/delivery-news.ts'
import { deskWithNews } from './news/desk-news.ts'
import { type ContentReport, queryKey, queryRunKey } from './pipeline-calls.ts'
import { worldOf } from './queries.ts'
import { Scheduler } from './scheduler.ts'
import { TableQueries } from './table-queries.ts'
import type { TableWork } from './table-work/table-work.ts'
import type { PipelineThread } from './threads.ts'

/** What the parts of the running product are created from. */
export interface PartsDeps {
  readonly config: Config
  readonly log: Log
  readonly metrics: Metrics
  readonly events: Events
  readonly http: Http
  readonly lake: Lake
  readonly state: StateDb
  readonly pipeline: PipelineThread
  /** Reads versions of tables. */
  readonly work: TableWork
  /** Brings tables into the lake. */
  readonly lookups: Lookups
  /** Resolves while this process is the active one. */
  readonly sure: () => Promise<void>
}

/** Puts the last good content of every table in force and begins to refresh them. */
export async function startKeeper(
  { tables }: ContentReport,
  { config, state, pipeline, work, lookups, log, http, events }: PartsDeps,
  queries: TableQueries,
): Promise<TableKeeper> {
  const outside = { send: http.fromContent, keys: apiKeys(config.keys, environment()), clock: systemClock }
  const onError = (error: unknown) => log.error({ err: error }, 'A table could not be saved.')
  const live = new Askers({ dataFolder: config.data_dir, ...outside, refresh: (table) => keeper.renew(table), onError })
  const keeper: TableKeeper = new TableKeeper({
    definitions: tables,
    dataFolder: config.data_dir,
    store: {
      load: async (name) => {
        const text = await loadTableState(state, name)
        return text === undefined ? undefined : (JSON.parse(text) as TableState)
      },
      save: async (name, value, outcome) => {
        await pipeline.rpc.call('saveTableState', { name, value: JSON.stringify(value), outcome })
        if (outcome?.outcome === 'swapped' && !outcome.isPending) events.news.publish({ kind: 'table.refreshed', subject: name })
      },
    },
    accept: (content) => pipeline.rpc.call('acceptTable', content),
    changed: async (change) => {
      lookups.changed()
      await pipeline.rpc.call('tableChanged', change)
    },
    ...outside,
    runQuery: queries.run,
    live,
    random: Math.random,
    firstDelayMs: config.table_first_refresh_ms,
    compare: async (name, { before, after }, signal) => {
      const files = await pipeline.rpc.call('tableFiles', name)
      return (await work.run(name, files, { kind: 'diff', before, after, limits: {} }, signal)).counts
    },
    namedVersions: (name) => namedVersions(state, name),
    onError,
  })
  events.onMissed = (missed) => live.missed(missed)
  await keeper.start()
  return keeper
}

/** What brings tables into the lake; it begins at the first `update`. */
export function openLookups({
  config,
  lake,
  work,
  pipeline,
  events,
}: Pick<PartsDeps, 'config' | 'lake' | 'work' | 'pipeline' | 'events'>): Lookups {
  return new Lookups({
    dataFolder: config.data_dir,
    lake,
    work,
    files: (table) => pipeline.rpc.call('tableFiles', table),
    onTrouble: (message) =>
      events.problems.report('lookups', message === undefined ? [] : [systemProblem('RowsLost', 'lookups', message)]),
    now: Date.now,
  })
}

/** What runs the queries that fill tables. */
export function createTableQueries(report: ContentReport, { lake, pipeline }: PartsDeps): TableQueries {
  return new TableQueries({ lake, flush: () => pipeline.rpc.call('flush'), now: Date.now }, worldOf(report))
}

/** Begins to send heartbeats to the destinations that are configured to get them. Returns what ends that. */
function startHeartbeats(
  { config, events: { problems } }: PartsDeps,
  destinations: ReadonlyMap<string, Destination>,
): () => void {
  const heartbeats = config.destinations.flatMap(({ id, heartbeat_minutes: minutes }) => {
    const destination = destinations.get(id)
    if (minutes === undefined || !destination) return []
    return new DestinationHeartbeat({
      ...{ id, destination, everyMs: minutes * 60_000, baseUrl: publicUrl(config), now: Date.now },
      isAlive: () => isPathAlive(problems),
      onProblems: (own) => problems.report(`heartbeat of ${id}`, own),
    })
  })
  for (const heartbeat of heartbeats) heartbeat.start()
  return () => {
    for (const heartbeat of heartbeats) heartbeat.stop()
  }
}

/** Whether alerts can be raised and sent. */
function isPathAlive({ current }: Events['problems']): boolean {
  return current.every(({ what }) => what !== 'PathStuck')
}

/** Begins to send due deliveries, and to receive what people do where alerts are sent to. */
export async function startDeliverer(parts: PartsDeps, audit: DestinationDeskDeps['audit']): Promise<Pick<Deliverer, 'stop'>> {
  const { config, state, pipeline, events, metrics, http, sure } = parts
  const destinations = await openDestinations(config.destinations, {
    env: environment(),
    http,
    write: (text) => void process.stdout.write(text),
  })
  const deliverer = new Deliverer({
    destinations,
    queue: {
      destinations: () => waitingDestinations(state),
      count: (...which) => countDue(state, ...which),
      due: async (...which) =>
        (await dueDeliveries(state, ...which)).map((row) => ({
          deliveryId: row.delivery_id,
          alertId: row.alert_id,
          destination: row.destination,
          createdMs: row.created_ms,
          tries: row.tries,
          body: row.body,
          isRows: row.kind === ROWS_KIND,
        })),
    },
    reference: (alertId, destination) => referenceOf(state, alertId, destination),
    progress: (alertId) => progressOf(state, alertId, Date.now()),
    sure,
    save: async (results) => {
      await pipeline.rpc.call('deliveryResults', results)
      await deliveryNews(state, results, events.news.publish)
    },
    perMinute: new Map(config.destinations.flatMap(({ id, max_per_minute: n }) => (n === undefined ? [] : [[id, n]]))),
    now: Date.now,
    retryMinMs: config.delivery_retry_min_ms,
    retryMaxMs: config.delivery_retry_max_ms,
    onResult: (destination, outcome) => metrics.deliveries(destination, outcome),
    onTrouble: (message) => {
      events.problems.report('deliverer', message === undefined ? [] : [systemProblem('PathStuck', 'deliveries', message)])
    },
  })
  events.onDeliveries = () => deliverer.wake()
  deliverer.start()
  for (const { id, type } of config.destinations)
    destinations.get(id)?.listen?.(
      destinationDesk({
        id,
        type,
        isReferenceOf: (...which) => isReferenceOf(state, ...which),
        snoozes: async (alertId, nowMs) => snoozesOf(state, alertId, await activeMutes(state, nowMs)),
        now: Date.now,
        desk: deskWithNews(((ask: DeskAsk) => pipeline.rpc.call('desk', ask)) as Desk, events.news.publish),
        audit,
        onTrouble: (message) =>
          events.problems.report(
            `buttons of ${id}`,
            message === undefined
              ? []
              : [systemProblem('ButtonsDown', id, `The buttons of destination ${id} do not work: ${message}`)],
          ),
      }),
    )
  const endHeartbeats = startHeartbeats(parts, destinations)
  return {
    stop: (graceMs) => {
      endHeartbeats()
      return deliverer.stop(graceMs)
    },
  }
}

/** Begins to run scheduled queries. */
export async function startScheduler(report: ContentReport, { lake, state, pipeline, events }: PartsDeps): Promise<Scheduler> {
  const scheduler = new Scheduler({
    queries: report.queries,
    ...worldOf(report),
    lake,
    loadDone: async (name) => {
      const text = await getMeta(state, queryKey(name))
      return text === undefined ? undefined : Number(text)
    },
    saveSeen: (name, seenMs) => pipeline.rpc.call('setMeta', { key: queryKey(name), value: String(seenMs) }),
    judge: (rows) => pipeline.rpc.call('judgeRows', rows),
    saveRun: (name, run) => pipeline.rpc.call('setMeta', { key: queryRunKey(name), value: JSON.stringify(run) }),
    flush: () => pipeline.rpc.call('flush'),
    now: Date.now,
    onProblems: (problems) => {
      events.problems.report('scheduler', problems)
    },
  })
  await scheduler.start()
  return scheduler
}

/** Calls `heartbeat_url`, if it is set, while the path is alive. */
export function startHeartbeat({ config, events: { problems }, http }: PartsDeps): Heartbeat | undefined {
  const { heartbeat_url: url } = config
  if (url === undefined) return undefined
  const heartbeat = new Heartbeat({
    url,
    send: http.configured,
    isAlive: () => isPathAlive(problems),
    onProblems: (own) => problems.report('heartbeat', own),
  })
  heartbeat.start()
  return heartbeat
}

/** Deletes values from everything that is stored; continues a deletion that was interrupted. */
export async function startDeletions(
  { config, lake, state, pipeline, log }: PartsDeps,
  own: Pick<DeletionsDeps, 'spool' | 'keeper' | 'jobs' | 'order' | 'audit'>,
): Promise<Deletions> {
  const deletions = new Deletions({
    ...own,
    ...{ dataDir: config.data_dir, lake, pipeline, log },
    heldAlerts: () => heldAlertIds(state),
    getMeta: (key) => getMeta(state, key),
    archive: config.retention.archive && archiveName(config.retention.archive),
    backups: () => knownBackups(config.data_dir).map(({ folder }) => folder),
    inContentHistory: (pattern) => countTexts(state, pattern.test),
    now: Date.now,
  })
  await deletions.start()
  return deletions
}
