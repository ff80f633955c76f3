import type { Config, SourceConfig } from '../config/config.ts'
import { environment, resolveSecret } from '../config/env.ts'
import { apiKeys } from '../config/keys.ts'
import { AUDIT_SOURCE } from '../model/audit.ts'
import { systemProblem } from '../model/system-problem.ts'
import { Deliverer } from '../pipeline/deliverer.ts'
import { systemClock, TableKeeper } from '../stages/enrich/keeper.ts'
import type { TableState } from '../stages/enrich/keeper-types.ts'
import { Askers } from '../stages/enrich/live/askers.ts'
import { sources as sourceDefinitions } from '../stages/source/index.ts'
import type { Intake, IntakeDeps } from '../stages/source/source.ts'
import type { Lake } from '../stages/store/lake.ts'
import { namedVersions } from '../state/alert-tables.ts'
import type { StateDb } from '../state/db.ts'
import { referenceOf } from '../state/deliveries.ts'
import { countDue, dueDeliveries, waitingDestinations } from '../state/delivery-queue.ts'
import { getMeta } from '../state/sources.ts'
import { loadTableState } from '../state/table-status.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { sameSecret } from '../util/bearer.ts'
import { find } from '../util/define.ts'
import type { Http } from '../util/http/http.ts'
import type { Send } from '../util/http/send.ts'
import { senderAddress } from '../util/sender-address.ts'
import type { Tokens } from './accounts/tokens.ts'
import { openDestinations } from './destinations.ts'
import type { Events } from './events.ts'
import { Heartbeat } from './heartbeat.ts'
import { Lookups } from './lookups/lookups.ts'
import { type ContentReport, queryKey } from './pipeline-calls.ts'
import { worldOf } from './queries.ts'
import { Scheduler } from './scheduler.ts'
import { TableQueries } from './table-queries.ts'
import type { TableWork } from './table-work/table-work.ts'
import type { PipelineThread, SpoolThread } from './threads.ts'

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
      save: (name, value, outcome) => pipeline.rpc.call('saveTableState', { name, value: JSON.stringify(value), outcome }),
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

/** Begins to send due deliveries. */
export async function startDeliverer({ config, state, pipeline, events, metrics, http }: PartsDeps): Promise<Deliverer> {
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
          tries: row.tries,
          body: row.body,
        })),
    },
    reference: (alertId, destination) => referenceOf(state, alertId, destination),
    save: (results) => pipeline.rpc.call('deliveryResults', results),
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
  return deliverer
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
    isAlive: () => problems.current.every(({ what }) => what !== 'PathStuck'),
    onProblems: (own) => problems.report('heartbeat', own),
  })
  heartbeat.start()
  return heartbeat
}

/** Creates the receiver of each push source, by source id. If one cannot start, those before it are closed again. */
export async function openIntakes(
  sources: readonly SourceConfig[],
  spool: SpoolThread,
  { tokens, send }: { readonly tokens: Tokens; readonly send: Send },
): Promise<ReadonlyMap<string, Intake>> {
  const intakes = new Map<string, Intake>()
  for (const source of sources) {
    const definition = find('source', sourceDefinitions, source.type)
    if (!definition.pushes || source.id === AUDIT_SOURCE) continue
    const reference = definition.listens?.(source as never).token
    const expected = reference && resolveSecret(reference, environment())
    const deps: IntakeDeps = {
      append: (body, entry) => {
        const own = body.byteLength === body.buffer.byteLength ? body : new Uint8Array(body)
        return spool.rpc.move('append', { sourceId: source.id, ...entry, body: own }, [own.buffer as ArrayBuffer])
      },
      now: Date.now,
      authorised: (given) => (expected === undefined ? tokens.maySend(given, senderAddress()) : sameSecret(given, expected)),
      send,
      secret: (to) => resolveSecret(to, environment()),
    }
    try {
      intakes.set(source.id, await definition.pushes(source as never, deps))
    } catch (error) {
      for (const intake of intakes.values()) await intake.close()
      throw error
    }
  }
  return intakes
}
