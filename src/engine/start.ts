import { resolve } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { type Config, configSchema, publicUrl, type SourceConfig } from '../config/config.ts'
import { cacheFolder, environment, resolveSecret } from '../config/env.ts'
import { httpSettings } from '../config/http.ts'
import { AUDIT_SOURCE } from '../model/audit.ts'
import { contentRoots } from '../packs/load.ts'
import { ContentWatch } from '../packs/watch.ts'
import { Order } from '../pipeline/order.ts'
import { DEAD_LETTERS, REPLAYED, SIGNALS } from '../pipeline/rows.ts'
import { isLocal } from '../stages/deliver/index.ts'
import { sources as registry } from '../stages/source/index.ts'
import type { Intake } from '../stages/source/source.ts'
import { lakes } from '../stages/store/index.ts'
import type { Lake } from '../stages/store/lake.ts'
import { readState } from '../state/db.ts'
import { stateReader } from '../state/read.ts'
import { lockDataDir } from '../state/sqlite.ts'
import { storedTokens } from '../state/tokens.ts'
import { type Log, processLog } from '../telemetry/log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { find } from '../util/define.ts'
import { RetryLater } from '../util/errors.ts'
import { createHttp } from '../util/http/http.ts'
import { Started } from '../util/started.ts'
import { Audit, auditSource } from './accounts/audit.ts'
import { Tokens } from './accounts/tokens.ts'
import type { Desk, DeskAsk } from './alert-desk.ts'
import { Backups } from './backup/backups.ts'
import { refuseUnrestored } from './backup/restore.ts'
import { contentProblems } from './checks/content.ts'
import { allChecks } from './checks/index.ts'
import { contentPlaces } from './content-places.ts'
import { ContentReload, reloadQuietly } from './content-reload.ts'
import { undoContent } from './content-undo.ts'
import { DEMO_KEY, DEMO_SOURCE, demoSource, demoState } from './demo.ts'
import type { Engine } from './engine.ts'
import { Events } from './events.ts'
import { GitRoots, reloaded } from './git/roots.ts'
import { logChanges, noticesOf } from './health.ts'
import { mainCalls } from './main-calls.ts'
import type { SourceProgress } from './pipeline-calls.ts'
import { addBacktest } from './replays/backtest-files.ts'
import { sideCalls } from './side-calls.ts'
import {
  createTableQueries,
  openIntakes,
  openLookups,
  type PartsDeps,
  startDeliverer,
  startHeartbeat,
  startKeeper,
  startScheduler,
} from './start-parts.ts'
import { SystemWatch } from './system-watch.ts'
import { tablePast } from './table-past.ts'
import { TableWork } from './table-work/table-work.ts'
import { startPipelineThread, startSpoolThread } from './threads.ts'
import { dataToken } from './token.ts'
import { createViews } from './views.ts'

export interface StartOptions {
  /** On a first start, process the bundled sample. */
  readonly demo: boolean
  /** For tests of a full disk: maximum size of state and spool in pages of 4 KiB. */
  readonly maxPages?: number
}

/**
 * Starts everything below the API: lock, lake, threads, tables, rules, sources, deliveries. Rejects with `StorageError` or `ConfigError` if
 * that fails, with nothing left running.
 */
export function startEngine(config: Config, options: StartOptions): Promise<Engine> {
  return Started.all(
    (message) => process.emitWarning(message),
    (started) => start(config, options, started),
  )
}

/** The startup, step by step; the engine's `stop` undoes the steps from last to first. */
async function start(config: Config, { demo: isDemoWanted, maxPages }: StartOptions, started: Started): Promise<Engine> {
  const log = processLog()
  const metrics = createMetrics()
  const events = new Events()
  await started.step(
    'the lock of the data folder',
    () => lockDataDir(config.data_dir),
    (unlock) => unlock(),
  )
  refuseUnrestored(config.data_dir)
  const machine = dataToken(config.data_dir)
  const contentWatch = await started.step(
    'the look at content folders',
    () => noteContent(config),
    (made) => made?.close(),
  )
  const http = await started.step(
    'outgoing HTTP',
    () => createHttp(httpSettings(config.http, environment())),
    (made) => made.close(),
  )
  const git = await started.step(
    'content in git',
    () => openGit(config, events),
    (made) => made.stop(),
  )
  const lake = await started.step(
    'the lake',
    () => openLake(config, events),
    (made) => made.close(),
  )
  await logLayouts(lake, log)
  // Their first rows would create them as well, but they are queried before.
  await Promise.allSettled([DEAD_LETTERS, REPLAYED, SIGNALS].map((table) => lake.ensure(table)))
  const demoBefore = await demoState(config.data_dir)
  // The sample must not page anyone: its alerts are only sent if every alert stays on this machine.
  const elsewhere = config.destinations.filter((destination) => !isLocal(destination)).map(({ id }) => id)
  const isDemoDue = demoBefore === 'running' || (demoBefore === undefined && isDemoWanted)
  const isDemo = isDemoDue && elsewhere.length === 0
  if (isDemoDue && !isDemo)
    log.info(
      `The demo is skipped, so that none of its alerts go to ${elsewhere.join(', ')}. It only runs if alerts go to stdout alone.`,
    )
  const sources = allSources(config, isDemo ? demoSource() : undefined)
  const pages = maxPages === undefined ? {} : { maxPages }
  const { port1, port2 } = new MessageChannel()
  const spool = await started.step(
    'the spool',
    () => startSpoolThread({ ...spoolOptions(config), ...pages, pipeline: port1 }),
    async ({ rpc, end }) => {
      await rpc.call('close').catch(() => {})
      await end()
    },
  )
  const pipeline = await started.step(
    'the pipeline',
    () =>
      startPipelineThread(
        { config, sources, baseUrl: publicUrl(config), ...pages, spool: port2 },
        mainCalls({ lake, events, metrics }),
      ),
    async ({ rpc, end }) => {
      // A pipeline that still waits for a dead spool cannot stop by itself.
      await Promise.race([rpc.call('stop'), spool.died]).finally(end)
    },
  )
  // A spool that cannot be opened would leave the pipeline waiting for it.
  const report = await Promise.race([
    pipeline.rpc.call('content').catch((error: unknown) => Promise.reject(git.explained(error))),
    spool.died.then((error) => Promise.reject(error)),
  ])
  const state = await started.step(
    'the view of the state',
    () => readState(config.data_dir),
    (made) => made.destroy(),
  )
  const work = new TableWork()
  const lookups = await started.step(
    'lookup tables in the lake',
    () => openLookups({ config, lake, work, pipeline, events }),
    (made) => made.stop(),
  )
  const parts: PartsDeps = { config, log, metrics, events, http, lake, state, pipeline, work, lookups }
  const tableQueries = createTableQueries(report, parts)
  const keeper = await started.step(
    'the tables',
    () => startKeeper(report, parts, tableQueries),
    (made) => made.stop(),
  )
  events.problems.report('content', contentProblems(report.content))
  for (const notice of report.queryNotices) log.warn(notice)
  if (report.children) log.info(report.children)
  if (demoBefore === undefined || isDemo)
    await pipeline.rpc.call('setMeta', { key: DEMO_KEY, value: isDemo ? 'running' : 'skipped' })
  let progress: readonly SourceProgress[] = []
  events.problems.onChange = logChanges(log)
  let reads = () => report.reads
  let intakes: ReadonlyMap<string, Intake> = new Map()
  const watch = new SystemWatch({
    problems: events.problems,
    checks: allChecks({
      ...{ config, sources, keeper, state, pipeline, spool, lake },
      intakes: () => intakes,
      reads: () => reads(),
      onSources: (now) => (progress = now),
    }),
    raise: (problems) => pipeline.rpc.call('raise', problems),
    now: Date.now,
  })
  await started.step(
    'the checks',
    () => watch.start(),
    () => watch.stop(),
  )
  // Started before reading, so that it stops after it: the last alerts are still sent.
  await started.step(
    'the deliveries',
    () => startDeliverer(parts),
    (made) => made.stop(),
  )
  await started.step(
    'reading',
    () => pipeline.rpc.call('start'),
    // A pipeline that has ended reads nothing.
    () => pipeline.rpc.call('stopReading').catch(() => {}),
  )
  await started.step(
    'the heartbeat',
    () => startHeartbeat(parts),
    (made) => made?.stop(),
  )
  const scheduler = await started.step(
    'scheduled queries',
    () => startScheduler(report, parts),
    (made) => made.stop(),
  )
  const content = await started.step(
    'changes of content',
    () =>
      new ContentReload({
        pipeline,
        keeper,
        lookups,
        scheduler,
        tableQueries,
        events,
        log,
        first: report,
        commits: () => git.commits,
      }),
    (made) => made.stop(),
  )
  await content.begin()
  reads = () => content.report.reads
  lookups.update(report.tables)
  git.start((request) => content.reload(request))
  await started.step('the watch over content folders', () => contentWatch?.start(() => reloadQuietly(content, log)))
  const tokens = new Tokens({
    machine,
    stored: await storedTokens(state),
    ask: (ask) => pipeline.rpc.call('tokens', ask),
    now: Date.now,
  })
  const audit = new Audit({
    append: (body, receivedMs) =>
      spool.rpc.move('append', { sourceId: AUDIT_SOURCE, decoding: 'lines', receivedMs, body }, [body.buffer]),
    onLost: (err, entry) => log.error({ err, entry }, 'An audit event could not be stored.'),
    now: Date.now,
  })
  intakes = await started.step(
    'the intakes',
    () => openIntakes(sources, spool, { tokens, send: http.configured }),
    async (made) => {
      for (const intake of made.values()) await intake.close()
    },
  )
  const read = stateReader(state)
  const views = createViews({
    config,
    sources,
    tables: () => content.report.tables,
    reload: () => content.reload({ cause: 'tables' }),
    state,
    keeper,
    pipeline,
    spool,
    watch,
    intakes,
    metrics,
    notices: () => noticesOf(content.report.content, progress),
  })
  const query: Engine['query'] = async (sql, { fresh, ...options } = {}) => {
    // A table that accepts no rows now must not block queries of the others; health reports it.
    const after = fresh && pipeline.rpc.call('flush').catch(unlessLater)
    return lake.query(sql, { ...options, ...(after && { after }) })
  }
  if (isDemo) {
    const done = views.settled(DEMO_SOURCE).then(() => pipeline.rpc.call('setMeta', { key: DEMO_KEY, value: 'done' }))
    // Stopped in the meantime: it continues after the next start.
    done.catch(() => {})
  }
  const deletions = new Order()
  const backups = await started.step(
    'backups',
    () => new Backups({ dataDir: config.data_dir, lake, pipeline, spool, deletions, log }),
    (made) => made.stop(),
  )
  return {
    config,
    tokens,
    audit: (entry) => audit.record(entry),
    isDemo,
    read,
    get content() {
      return content.report.content
    },
    get generation() {
      return content.report.generation
    },
    reloadContent: async (cause, actor) => {
      const pulls = await git.pullAll()
      return reloaded(pulls, await content.reload({ cause, actor }))
    },
    undoContent: (name, actor) => undoContent(name, actor, { read, places: () => contentPlaces(config), content }),
    failed: Promise.race([events.failed, pipeline.died, spool.died]),
    ...views,
    ...tablePast({
      tables: () => content.report.tables,
      keeper,
      pipeline,
      work: parts.work,
      state,
      query: async (sql) => (await lake.query(sql, { maxRows: 1 })).rows,
    }),
    ruleStates: (rules) => rules.map((rule) => events.rules.of(rule)),
    intakes,
    query,
    desk: ((ask: DeskAsk) => pipeline.rpc.call('desk', ask)) as Desk,
    replays: () => pipeline.rpc.call('replays'),
    addReplay: (ask) => pipeline.rpc.call('addReplay', ask),
    addBacktest: (call) => addBacktest(call, config.data_dir, (ask) => pipeline.rpc.call('addReplay', ask)),
    cancelReplay: (id) => pipeline.rpc.call('cancelReplay', id),
    ...sideCalls({ config, cacheFolder: cacheFolder(), query, read }),
    onAlert: (listener) => events.listen(listener),
    removeSource: async (sourceId) => {
      const label = sources.find((source) => source.id === sourceId)?.label ?? sourceId
      await deletions.run(async () => {
        await pipeline.rpc.call('flush')
        await pipeline.rpc.call('removeSource', { sourceId, label })
        await lake.removeSource(sourceId)
      })
    },
    backUp: (folder, signal) => backups.begin(folder, signal),
    stop: () => started.stop(),
  }
}

function openLake({ lake, data_dir, query_timeout_ms, query_max_rows, retention }: Config, events: Events): Promise<Lake> {
  return find('lake', lakes, lake.type).create(lake, {
    dataDir: data_dir,
    maxQueryMs: query_timeout_ms,
    maxRows: query_max_rows,
    onProblems: (problems) => events.problems.report('lake', problems),
    retentionDays: retention.lake_days,
  })
}

async function openGit(config: Config, { problems }: Events): Promise<GitRoots> {
  const env = environment()
  const made = new GitRoots({
    content: config.content,
    dataDir: config.data_dir,
    access: ({ password }) => ({
      http: httpSettings(config.http, env),
      path: env['PATH'] ?? '',
      password: password && resolveSecret(password, env),
    }),
    onProblems: (now) => problems.report('git', now),
  })
  await made.prepare()
  return made
}

/** Started before content is loaded, so that edits during startup are not missed. */
async function noteContent(config: Config): Promise<ContentWatch | undefined> {
  if (!config.watch_content) return undefined
  // Content from git only changes when it is pulled. `content` in the working folder may be created later.
  const configured = config.content.filter((entry) => typeof entry === 'string')
  const folders = new Set([...contentRoots(configured), resolve('content')])
  const watch = new ContentWatch([...folders], { without: [config.data_dir] })
  await watch.note()
  return watch
}

async function logLayouts(lake: Lake, log: Log): Promise<void> {
  for (const { table, rowsBefore, rowsAfter } of await lake.ready())
    log.info(
      { table, rowsBefore, rowsAfter },
      `Lake table ${table} was migrated to the current layout: ${rowsBefore} rows before, ${rowsAfter} after.`,
    )
}

/** The configured sources and those that come with them, the http source that always exists (with the data folder's token), that of audit events, and the sample's. */
function allSources({ sources }: Config, demo: SourceConfig | undefined): SourceConfig[] {
  const ids = new Set(sources.map(({ id }) => id))
  const brought = sources.flatMap((source) => find('source', registry, source.type).brings?.(source as never) ?? [])
  const builtIn = configSchema.parse({ sources: [...brought, { type: 'http', id: 'default' }] }).sources
  return [...sources, ...builtIn, auditSource(), ...(demo ? [demo] : [])].filter(
    (source) => sources.includes(source) || !ids.has(source.id),
  )
}

function spoolOptions({ data_dir, spool_max_bytes, spool_source_max_bytes }: Config) {
  return { dataDir: data_dir, maxBytes: spool_max_bytes, maxSourceBytes: spool_source_max_bytes }
}

function unlessLater(error: unknown): void {
  if (!(error instanceof RetryLater)) throw error
}
