import { type Config, configSchema, type SourceConfig } from '../config/config.ts'
import { environment, resolveSecret } from '../config/env.ts'
import type { TableSpec } from '../model/column.ts'
import { type SystemProblem, systemProblem } from '../model/system-problem.ts'
import { Deliverer } from '../pipeline/deliverer.ts'
import type { Destination, DestinationDeps } from '../stages/deliver/destination.ts'
import { destinations as destinationDefinitions } from '../stages/deliver/index.ts'
import type { TableDefinition } from '../stages/enrich/definition.ts'
import { systemClock, TableKeeper } from '../stages/enrich/keeper.ts'
import type { TableState } from '../stages/enrich/keeper-types.ts'
import { sources as sourceDefinitions } from '../stages/source/index.ts'
import type { Intake } from '../stages/source/source.ts'
import { createChdbLake } from '../stages/store/chdb.ts'
import type { Lake } from '../stages/store/lake.ts'
import { readState, type StateDb } from '../state/db.ts'
import { dueDeliveries } from '../state/deliveries.ts'
import { getMeta } from '../state/sources.ts'
import { lockDataDir } from '../state/sqlite.ts'
import { loadTableState } from '../state/table-status.ts'
import { type Log, processLog } from '../telemetry/log.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { find } from '../util/define.ts'
import { messageOf, RetryLater } from '../util/errors.ts'
import { contentProblems } from './checks/content.ts'
import { allChecks } from './checks/index.ts'
import { DEMO_KEY, DEMO_SOURCE, demoSource, demoState } from './demo.ts'
import type { Engine } from './engine.ts'
import { Events } from './events.ts'
import { logChanges, noticesOf } from './health.ts'
import { Heartbeat } from './heartbeat.ts'
import {
  type PipelineProgress,
  type PipelineReady,
  queryKey,
  type RulesProgress,
  type SourceProgress,
} from './pipeline-messages.ts'
import { byName } from './queries.ts'
import { Scheduler } from './scheduler.ts'
import { SystemWatch } from './system-watch.ts'
import { startThreads, type Thread } from './threads.ts'
import { dataToken, sameSecret } from './token.ts'
import { createViews } from './views.ts'

export interface StartOptions {
  /** On a first start, send the bundled sample through the path. */
  readonly demo: boolean
  /** For tests of a full disk: pages of 4 KiB that state and spool may have. */
  readonly maxPages?: number
}

/**
 * Starts everything below the API: lock, lake, threads, tables, rules, sources, deliveries. Rejects with `StorageError`
 * or `ConfigError` when that cannot be done, with nothing left running.
 */
export async function startEngine(config: Config, options: StartOptions): Promise<Engine> {
  const starting = new Starting(config, options)
  try {
    return await starting.start()
  } catch (error) {
    await starting.undo()
    throw error
  }
}

/** The http source that is always there, under the data folder's token. */
function builtInSource(): SourceConfig {
  return configSchema.parse({ sources: [{ type: 'http', id: 'default' }] }).sources[0]!
}

class Starting {
  readonly #config: Config
  readonly #options: StartOptions
  readonly #undo: (() => unknown)[] = []

  constructor(config: Config, options: StartOptions) {
    this.#config = config
    this.#options = options
  }

  /** Ends what was started, last first. */
  async undo(): Promise<void> {
    for (const end of this.#undo.splice(0).reverse()) {
      try {
        await end()
      } catch {
        // The error that brought us here is the one to tell.
      }
    }
  }

  async start(): Promise<Engine> {
    const config = this.#config
    const log = processLog()
    const metrics = createMetrics()
    this.#undo.push(lockDataDir(config.data_dir))
    const token = dataToken(config.data_dir)
    const events = new Events()
    const lake = await createChdbLake({
      dataDir: config.data_dir,
      max_query_ms: config.query_timeout_ms,
      max_rows: config.query_max_rows,
      onProblems: (problems) => events.problems.report('lake', problems),
      retentionDays: config.retention.lake_days,
    })
    this.#undo.push(() => lake.close())
    for (const { table, rowsBefore, rowsAfter } of await lake.ready())
      log.info(
        { table, rowsBefore, rowsAfter },
        `Lake table ${table} is brought to the present layout: ${rowsBefore} rows before, ${rowsAfter} after.`,
      )
    const demoBefore = await demoState(config.data_dir)
    const isDemo = demoBefore === 'running' || (demoBefore === undefined && this.#options.demo)
    const demo = isDemo ? demoSource() : undefined
    const sources = this.#sources(demo)
    const { spool, pipeline } = this.#threads(sources, lake, events)
    this.#undo.push(
      () => spool.end(),
      () => pipeline.end(),
    )
    const ready = await Promise.race([
      events.ready,
      pipeline.died.then((e) => Promise.reject(e)),
      spool.died.then((e) => Promise.reject(e)),
    ])
    const state = readState(config.data_dir)
    this.#undo.push(() => state.destroy())
    const keeper = await this.#keeper(ready.tables, state, pipeline, log)
    this.#undo.push(() => keeper.stop())
    events.problems.report('content', contentProblems(ready.content))
    for (const notice of ready.queryNotices) log.warn(notice)
    if (ready.children) log.info(ready.children)
    if (demoBefore === undefined || isDemo)
      await pipeline.rpc.call('setMeta', { key: DEMO_KEY, value: isDemo ? 'running' : 'skipped' })
    let progress: readonly SourceProgress[] = []
    events.problems.onChange = logChanges(log)
    const watch = new SystemWatch({
      problems: events.problems,
      checks: allChecks({ config, sources, keeper, state, pipeline, spool, onSources: (now) => (progress = now) }),
      raise: (problems) => pipeline.rpc.call('raise', problems),
      now: Date.now,
    })
    await watch.start()
    this.#undo.push(() => watch.stop())
    const deliverer = await this.#deliverer(state, pipeline, events, metrics)
    this.#undo.push(() => deliverer.stop())
    events.onProgress = (progress) => {
      observe(metrics, progress)
      events.rules.committed(progress)
      if (progress.hasDeliveries) deliverer.wake()
      for (const alert of progress.opened) events.opened(alert)
    }
    await pipeline.rpc.call('start')
    this.#heartbeat(events)
    const scheduler = await this.#scheduler(ready, lake, state, pipeline, events)
    this.#undo.push(() => scheduler.stop())
    const intakes = this.#intakes(sources, spool, token)
    const failed = Promise.race([events.failed, pipeline.died, spool.died])
    const views = createViews({
      config,
      sources,
      tables: ready.tables,
      state,
      keeper,
      pipeline,
      spool,
      watch,
      metrics,
      notices: () => noticesOf(ready.content, progress),
    })
    if (isDemo) {
      const done = views.settled(DEMO_SOURCE).then(() => pipeline.rpc.call('setMeta', { key: DEMO_KEY, value: 'done' }))
      // Stopped in between: it goes on at the next start.
      done.catch(() => {})
    }
    return {
      config,
      token,
      isDemo,
      state,
      content: ready.content,
      failed,
      ...views,
      ruleStates: (rules) => rules.map((rule) => events.rules.of(rule)),
      ingest: (sourceId) => {
        const intake = intakes.get(sourceId)
        return intake?.handle?.bind(intake)
      },
      query: async (sql, { fresh, ...query } = {}) => {
        // A table that takes no rows now keeps nobody from asking the others; health reports it.
        const after = fresh && pipeline.rpc.call('flush').catch(unlessLater)
        return lake.query(sql, { ...query, ...(after && { after }) })
      },
      setAlertStatus: (alertId, status) => pipeline.rpc.call('setAlertStatus', { alertId, status }),
      onAlert: (listener) => events.listen(listener),
      removeSource: async (sourceId) => {
        const label = sources.find((source) => source.id === sourceId)?.label ?? sourceId
        await pipeline.rpc.call('flush')
        await pipeline.rpc.call('removeSource', { sourceId, label })
        await lake.removeSource(sourceId)
      },
      stop: () => this.#stop(pipeline, spool, intakes, deliverer),
    }
  }

  #heartbeat({ problems }: Events): void {
    const { heartbeat_url: url } = this.#config
    if (url === undefined) return
    const heartbeat = new Heartbeat({
      url,
      fetch,
      isAlive: () => problems.current.every(({ what }) => what !== 'PathStuck'),
      onProblems: (own) => problems.report('heartbeat', own),
    })
    heartbeat.start()
    this.#undo.push(() => heartbeat.stop())
  }

  #sources(demo: SourceConfig | undefined): SourceConfig[] {
    const { sources } = this.#config
    const ids = new Set(sources.map((source) => source.id))
    return [...sources, ...(ids.has('default') ? [] : [builtInSource()]), ...(demo && !ids.has(demo.id) ? [demo] : [])]
  }

  #threads(sources: readonly SourceConfig[], lake: Lake, events: Events) {
    const { data_dir: dataDir, spool_max_bytes: maxBytes, spool_source_max_bytes: maxSourceBytes, listen } = this.#config
    const maxPages = this.#options.maxPages ? { maxPages: this.#options.maxPages } : {}
    return startThreads(
      { dataDir, maxBytes, maxSourceBytes, ...maxPages },
      { config: this.#config, sources, baseUrl: `http://${listen}`, ...maxPages },
      {
        ready: (ready: PipelineReady) => events.setReady(ready),
        ensure: ({ table, late }: { table: TableSpec; late?: boolean }) => lake.ensure(table, late),
        insert: ({ table, rows, token }: { table: TableSpec; rows: Uint8Array; token: string }) =>
          lake.insert(table, rows, token),
        query: ({ sql, maxRows }: { sql: string; maxRows: number }) => lake.query(sql, { maxRows }),
        progress: (progress: PipelineProgress) => events.onProgress(progress),
        problems: (problems: readonly SystemProblem[]) => events.problems.report('pipeline', problems),
        rules: (progress: RulesProgress) => {
          events.rules.set(progress)
          events.problems.report('rules-off', events.rules.problems)
        },
        slower: (text: string) => events.problems.add('rules', systemProblem('RulesImpaired', text, text)),
        failed: (text: string) => events.setFailed(new Error(text)),
      },
    )
  }

  async #keeper(definitions: readonly TableDefinition[], state: StateDb, pipeline: Thread, log: Log): Promise<TableKeeper> {
    const keeper = new TableKeeper({
      definitions,
      dataFolder: this.#config.data_dir,
      store: {
        load: async (name) => {
          const text = await loadTableState(state, name)
          return text === undefined ? undefined : (JSON.parse(text) as TableState)
        },
        save: (name, value) => pipeline.rpc.call('saveTableState', { name, value: JSON.stringify(value) }),
      },
      accept: (content) => pipeline.rpc.call('acceptTable', content),
      fetch,
      clock: systemClock,
      random: Math.random,
      firstDelayMs: this.#config.table_first_refresh_ms,
      onError: (error) => log.error({ err: error }, 'A table could not be kept.'),
    })
    await keeper.start()
    return keeper
  }

  async #deliverer(state: StateDb, pipeline: Thread, events: Events, metrics: Metrics): Promise<Deliverer> {
    const deps: DestinationDeps = {
      fetch,
      now: Date.now,
      write: (text) => void process.stdout.write(text),
      secret: (reference) => resolveSecret(reference, environment()),
    }
    const made = new Map<string, Destination>()
    for (const settings of this.#config.destinations) {
      const definition = find('destination', destinationDefinitions, settings.type)
      made.set(settings.id, await definition.create(settings as never, deps))
    }
    const deliverer = new Deliverer({
      destinations: made,
      due: async (nowMs, limit, except) =>
        (await dueDeliveries(state, nowMs, limit, except)).map((row) => ({
          deliveryId: row.delivery_id,
          alertId: row.alert_id,
          destination: row.destination,
          tries: row.tries,
          body: row.body,
        })),
      save: (result) => pipeline.rpc.call('deliveryResults', [result]),
      now: Date.now,
      retryMinMs: this.#config.delivery_retry_min_ms,
      retryMaxMs: this.#config.delivery_retry_max_ms,
      onResult: (destination, outcome) => metrics.deliveries(destination, outcome),
      onTrouble: (message) => {
        events.problems.report('deliverer', message === undefined ? [] : [systemProblem('PathStuck', 'deliveries', message)])
      },
    })
    deliverer.start()
    return deliverer
  }

  async #scheduler(ready: PipelineReady, lake: Lake, state: StateDb, pipeline: Thread, events: Events): Promise<Scheduler> {
    const scheduler = new Scheduler({
      queries: ready.queries,
      saved: byName(ready.savedQueries),
      tables: ready.lakeTables,
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

  #intakes(sources: readonly SourceConfig[], spool: Thread, token: string): Map<string, Intake> {
    const intakes = new Map<string, Intake>()
    for (const source of sources) {
      const definition = find('source', sourceDefinitions, source.type)
      if (!definition.listen) continue
      const expected = source.type === 'http' && source.token ? resolveSecret(source.token, environment()) : token
      const intake = definition.listen(source as never, {
        append: (framing, body, receivedMs) => {
          const own = body.byteLength === body.buffer.byteLength ? body : new Uint8Array(body)
          return spool.rpc.call('append', { sourceId: source.id, framing, receivedMs, body: own }, [own.buffer as ArrayBuffer])
        },
        now: Date.now,
        authorised: (given) => sameSecret(given, expected),
      })
      intakes.set(source.id, intake)
    }
    return intakes
  }

  async #stop(pipeline: Thread, spool: Thread, intakes: ReadonlyMap<string, Intake>, deliverer: Deliverer): Promise<void> {
    for (const intake of intakes.values()) await intake.close()
    // What alerts made last is still sent: the results are written by the pipeline thread, so it ends after the deliveries.
    await pipeline.rpc.call('stopReading').catch(() => {})
    await deliverer.stop()
    await pipeline.rpc
      .call('stop')
      .catch((error: unknown) => process.emitWarning(`The pipeline did not end well: ${messageOf(error)}`))
    await spool.rpc.call('close').catch(() => {})
    await this.undo()
  }
}

function observe(metrics: Metrics, progress: PipelineProgress): void {
  for (const [stage, seconds] of progress.observations) metrics.observeStage(stage, seconds)
  for (const [rule, n] of progress.matches) metrics.matches(rule, n)
  for (const [rule, n] of progress.ruleErrors) metrics.ruleErrors(rule, n)
  for (const [rule, seconds] of progress.ruleSeconds) metrics.ruleSeconds(rule, seconds)
  for (const ms of progress.latenciesMs) metrics.alertLatency(ms / 1000)
  for (const { severity } of progress.opened) metrics.alerts(severity, 1)
}

function unlessLater(error: unknown): void {
  if (!(error instanceof RetryLater)) throw error
}
