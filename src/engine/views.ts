import type { Config, SourceConfig } from '../config/config.ts'
import type { ProblemWhat } from '../model/system-problem.ts'
import type { TableDefinition } from '../stages/enrich/definition.ts'
import type { TableKeeper } from '../stages/enrich/keeper.ts'
import type { TableStatus } from '../stages/enrich/keeper-types.ts'
import type { Intake } from '../stages/source/source.ts'
import { sourceActivity } from '../state/activity.ts'
import type { StateDb } from '../state/db.ts'
import type { StoredNode } from '../state/nodes.ts'
import { sourceCounts, unknownFields } from '../state/sources.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { ConfigError, Refused } from '../util/errors.ts'
import type { ContentChange, Engine, SourceView, TableView } from './engine.ts'
import { healthOf } from './health.ts'
import type { SystemWatch } from './system-watch.ts'
import type { PipelineThread, SpoolThread } from './threads.ts'
import { writtenViews } from './written-views.ts'

export interface ViewDeps {
  readonly config: Config
  readonly sources: () => readonly SourceConfig[]
  /** Definitions of the tables in force. */
  readonly tables: () => readonly TableDefinition[]
  /** Applies edits of content. */
  readonly reload: () => Promise<ContentChange>
  readonly state: StateDb
  readonly keeper: TableKeeper
  readonly pipeline: PipelineThread
  readonly spool: SpoolThread
  readonly watch: SystemWatch
  readonly intakes: ReadonlyMap<string, Intake>
  /** What is valid but worth knowing. */
  readonly notices: () => readonly string[]
  readonly metrics: Metrics
  /** The processes that share the state. */
  readonly nodes: () => Promise<readonly StoredNode[]>
}

/** What users and programs may see of the running engine. */
export function createViews(
  deps: ViewDeps,
): Pick<Engine, 'sources' | 'tables' | 'refreshTable' | 'health' | 'metrics' | 'settled'> {
  return {
    sources: () => sourceViews(deps),
    tables: async () => {
      const written = await writtenViews(deps.tables(), deps.state, Date.now())
      const views = [...deps.keeper.status().map((status) => tableView(status, deps)), ...written]
      return views.sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    refreshTable: async (name, options) => {
      // An edit of the table's definition or of its file counts.
      const { problems } = await deps.reload()
      const known = deps.tables().map((table) => table.name)
      if (!known.includes(name)) throw new ConfigError(`there is no table '${name}'. Known: ${known.join(', ')}`)
      if (deps.tables().some((table) => table.name === name && table.events))
        throw new Refused(`events write the rows of table '${name}' as they arrive: there is nothing to refresh`)
      const view = tableView(await deps.keeper.refresh(name, options), deps)
      const inForce = deps.keeper.historyOf(name).versions.at(-1)
      return { ...view, contentProblems: problems, passedOver: inForce?.passedOver ?? [] }
    },
    health: async () => ({ ...healthOf(await deps.watch.current(), deps.notices()), ...(await nodesIn(deps)) }),
    metrics: () => metricsText(deps),
    settled: (sourceId) => deps.pipeline.rpc.call('settled', sourceId),
  }
}

/** Health must be known also while the state cannot be read. */
async function nodesIn({ nodes }: ViewDeps): Promise<{ nodes?: readonly StoredNode[] }> {
  const all = await nodes().catch(() => [])
  return all.length > 0 ? { nodes: all } : {}
}

/** System problems whose key is the id of a source. */
const OF_SOURCES: ReadonlySet<ProblemWhat> = new Set([
  'DatagramsLost',
  'DeadLetters',
  'ReaderStuck',
  'SourceSilent',
  'SourceVolume',
  'SpoolFull',
])

async function sourceViews({ sources: configured, state, pipeline, spool, watch, intakes }: ViewDeps): Promise<SourceView[]> {
  const [counts, unknown, activity, progress, problems] = await Promise.all([
    sourceCounts(state),
    unknownFields(state),
    sourceActivity(state, Date.now()),
    pipeline.rpc.call('sources'),
    watch.current(),
  ])
  const sources = configured()
  // A source that is no longer configured still has its counts.
  const gone = [...counts.keys()].filter((id) => !sources.some((source) => source.id === id))
  const all = [
    ...sources.map(({ id, type, label, log_types }) => ({ id, type: type as string, label: label ?? id, logTypes: log_types })),
  ]
  for (const id of gone) all.push({ id, type: 'removed', label: id, logTypes: [] })
  return Promise.all(
    all.map(async (source) => {
      const count = counts.get(source.id)
      const now = progress.find(({ id }) => id === source.id)
      return {
        ...source,
        received: count?.received ?? 0,
        stored: count?.stored ?? 0,
        filtered: count?.filtered ?? 0,
        deadLettered: count?.deadLettered ?? 0,
        deadLetterReasons: count?.reasons ?? {},
        filters: count?.filters ?? {},
        guessed: count?.guessed ?? {},
        inFlight: now?.inFlight ?? 0,
        backlogBytes: (now?.backlogBytes ?? 0) + (await spool.rpc.call('bytes', source.id)),
        notices: [...(now?.notices ?? []), ...(intakes.get(source.id)?.status?.().notices ?? [])],
        activity: activity.get(source.id),
        problems: problems.filter(({ what, key }) => key === source.id && OF_SOURCES.has(what)).map(({ message }) => message),
        deadLetterSamples: await pipeline.rpc.call('deadLetterSamples', source.id),
        unknownFields: unknown.get(source.id) ?? [],
      }
    }),
  )
}

function tableView(status: TableStatus, { tables }: ViewDeps): TableView {
  const definition = tables().find((table) => table.name === status.name)
  return {
    name: status.name,
    rows: status.rows,
    version: status.version,
    state: status.health,
    problem: problemOf(status),
    refreshedMs: status.lastSuccessMs,
    ageSeconds: status.ageSeconds,
    nextRefreshMs: status.nextRefreshMs,
    provider: status.provider,
    file: definition?.file ?? '',
    live: status.live,
  }
}

function problemOf({ lastError, skipped, health, live, nextRefreshMs }: TableStatus): string | undefined {
  if (lastError !== undefined) return lastError
  if (live?.lastError !== undefined) return live.lastError
  if (health === 'missing') {
    const first = nextRefreshMs === undefined ? '' : `: its first refresh is due at ${new Date(nextRefreshMs).toISOString()}`
    return `it has not been fetched yet${first}`
  }
  return skipped > 0 ? `${skipped} rows of its content could not be used` : undefined
}

async function metricsText(deps: ViewDeps): Promise<string> {
  const { metrics, keeper, spool, state } = deps
  const counts = await sourceCounts(state)
  metrics.setRecords(
    [...counts].flatMap(([source, c]) => [
      { source, outcome: 'received' as const, n: c.received },
      { source, outcome: 'stored' as const, n: c.stored },
      { source, outcome: 'filtered' as const, n: c.filtered },
      { source, outcome: 'dead_lettered' as const, n: c.deadLettered },
    ]),
    [...counts].flatMap(([source, { reasons, filters }]) =>
      [...Object.entries(reasons), ...Object.entries(filters)].map(([reason, n]) => ({ source, reason, n })),
    ),
  )
  metrics.setSources(
    [...(await sourceActivity(state, Date.now()))].map(([source, flow]) => ({
      source,
      bytes: flow.bytes,
      lastReceivedSecs: flow.lastReceivedMs === undefined ? undefined : flow.lastReceivedMs / 1000,
      lagSecs: flow.lagMs === undefined ? undefined : flow.lagMs / 1000,
    })),
  )
  const written = await writtenViews(deps.tables(), state, Date.now())
  metrics.setTables([...keeper.status(), ...written].map(({ name, rows, ageSeconds }) => ({ name, rows, ageSecs: ageSeconds })))
  metrics.setProblems((await deps.watch.current()).map(({ what, severity }) => ({ name: what, severity, n: 1 })))
  metrics.setSpoolBytes(await spool.rpc.call('bytesBySource'))
  const progress = await deps.pipeline.rpc.call('sources')
  const waiting = progress.map(({ id, oldestMs }) => [id, oldestMs === undefined ? 0 : (Date.now() - oldestMs) / 1000] as const)
  metrics.setWaiting(Object.fromEntries(waiting))
  return metrics.text()
}
