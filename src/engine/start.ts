import { MessageChannel } from 'node:worker_threads'
import { type Config, publicUrl } from '../config/config.ts'
import { cacheFolder, environment, resolveSecret } from '../config/env.ts'
import { httpSettings } from '../config/http.ts'
import { nodeName } from '../config/node.ts'
import { AUDIT_SOURCE } from '../model/audit.ts'
import type { ActiveNode } from '../model/node.ts'
import { Order } from '../pipeline/order.ts'
import { DEAD_LETTERS, REPLAYED, SIGNALS } from '../pipeline/rows.ts'
import { heldAlertIds } from '../state/holds.ts'
import { storedNodes } from '../state/nodes.ts'
import { stateReader } from '../state/read.ts'
import { getMeta } from '../state/sources.ts'
import { lockDataDir } from '../state/sqlite.ts'
import { processLog } from '../telemetry/log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { ForwardedHeaders } from '../util/http/forwarded.ts'
import { createHttp } from '../util/http/http.ts'
import { Started } from '../util/started.ts'
import { version } from '../util/version.ts'
import { openAccounts } from './accounts/accounts.ts'
import { Audit } from './accounts/audit.ts'
import type { Desk, DeskAsk } from './alert-desk.ts'
import { Backups } from './backup/backups.ts'
import { refuseUnrestored } from './backup/restore.ts'
import { contentProblems } from './checks/content.ts'
import { allChecks } from './checks/index.ts'
import { contentNodes } from './content-nodes.ts'
import { contentPlaces } from './content-places.ts'
import { ContentReload, reloadQuietly } from './content-reload.ts'
import { undoContent } from './content-undo.ts'
import { DEMO_KEY, DEMO_SOURCE, demoNow, demoSource } from './demo.ts'
import type { Engine } from './engine.ts'
import { Events } from './events.ts'
import { reloaded } from './git/roots.ts'
import { logChanges, noticesOf } from './health.ts'
import { spoolOptions } from './kafka-spool.ts'
import { takeLease } from './lease.ts'
import { openRetention } from './lifetime/open-retention.ts'
import { mainCalls } from './main-calls.ts'
import { deskWithNews } from './news/desk-news.ts'
import { problemNews } from './news/problem-news.ts'
import { ReplayNews } from './news/replay-news.ts'
import { isOnServers } from './on-servers.ts'
import { openLake } from './open-lake.ts'
import type { SourceProgress } from './pipeline-calls.ts'
import { asker } from './queries/ask.ts'
import { openJobs, queryCalls } from './queries/open-jobs.ts'
import { worldOf } from './queries.ts'
import { replayCalls } from './replays/replay-calls.ts'
import { Intakes } from './settings/intakes.ts'
import { LiveSettings } from './settings/live-settings.ts'
import { settingsCalls } from './settings/settings.ts'
import { sideCalls } from './side-calls.ts'
import { noteContent, openGit } from './start-content.ts'
import {
  createTableQueries,
  openLookups,
  type PartsDeps,
  startDeletions,
  startDeliverer,
  startHeartbeat,
  startKeeper,
  startScheduler,
} from './start-parts.ts'
import { stateAnswers, viewState } from './state-place.ts'
import { sureLake } from './sure-lake.ts'
import { SystemWatch } from './system-watch.ts'
import { tablePast } from './table-past.ts'
import { TableWork } from './table-work/table-work.ts'
import { startPipelineThread, startSpoolThread } from './threads.ts'
import { dataToken } from './token.ts'
import { createViews } from './views.ts'

export interface StartOptions {
  /** On a first start, process the bundled sample. */
  readonly demo: boolean
  /** Absolute path of the file that the configuration was read from. Absent: nothing in it can be changed while running. */
  readonly configFile?: string | undefined
  /** The roles include no worker: this node judges only while no other one does. */
  readonly isSparing?: boolean | undefined
  /** Called while another process is the active one, with what is known of it. */
  readonly onStandby?: ((active: ActiveNode) => void) | undefined
  /** Aborted: no longer waits for another process to end. */
  readonly signal?: AbortSignal | undefined
  /** For tests of a full disk: maximum size of state and spool in pages of 4 KiB. */
  readonly maxPages?: number
}

/** Starts everything below the API. Rejects with `StorageError` or `ConfigError` if that fails, with nothing left running. */
export function startEngine(config: Config, options: StartOptions): Promise<Engine> {
  return Started.all(
    (message) => process.emitWarning(message),
    (started) => start(config, options, started),
  )
}

/** The startup, step by step; the engine's `stop` undoes the steps from last to first. */
async function start(
  config: Config,
  { demo: isDemoWanted, configFile, maxPages, isSparing, onStandby, signal }: StartOptions,
  started: Started,
): Promise<Engine> {
  const log = processLog()
  const metrics = createMetrics()
  metrics.setNode(nodeName(config), version())
  const events = new Events()
  await started.step(
    'the lock of the data folder',
    () => lockDataDir(config.data_dir),
    (unlock) => unlock(),
  )
  refuseUnrestored(config.data_dir)
  await stateAnswers(config, log, signal)
  const lease = await started.step(
    'the lease',
    () => takeLease(config, { log, events, isSparing, onStandby, signal }),
    (made) => made.release(),
  )
  metrics.setActiveSince(Date.now() / 1000)
  const machine = dataToken(config.data_dir)
  const contentWatch = await started.step(
    'the look at content folders',
    () => noteContent(config, lease, log),
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
    async () => sureLake(await openLake(config, events, log), lease.sure),
    (made) => made.close(),
  )
  // Their first rows would create them as well, but they are queried before.
  await Promise.allSettled([DEAD_LETTERS, REPLAYED, SIGNALS].map((table) => lake.ensure(table)))
  const { before: demoBefore, isDemo } = await demoNow(config, isDemoWanted && !isOnServers(config), log)
  const live = new LiveSettings(config, isDemo ? demoSource() : undefined)
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
        { config, sources: live.sources, baseUrl: publicUrl(config), ...pages, isSparing, spool: port2 },
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
    () => viewState(config),
    (made) => made.destroy(),
  )
  const nodes = async () => (isOnServers(config) ? storedNodes(state) : [])
  const keys = {
    getMeta: (key: string) => getMeta(state, key),
    setMeta: (key: string, value: string) => pipeline.rpc.call('setMeta', { key, value }),
  }
  await lease.shareOwner(keys)
  const work = new TableWork()
  const lookups = await started.step(
    'lookup tables in the lake',
    () => openLookups({ config, lake, work, pipeline, events }),
    (made) => made.stop(),
  )
  const parts: PartsDeps = { config, log, metrics, events, http, lake, state, pipeline, work, lookups, sure: lease.sure }
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
  events.problems.onChange = problemNews(events.problems, events.news.publish, logChanges(log))
  let inForce = () => report
  let intakes: Intakes | undefined
  const watch = new SystemWatch({
    problems: events.problems,
    checks: allChecks({
      ...{ config, keeper, state, pipeline, spool, lake, nodes },
      sources: () => live.sources,
      intakes: () => intakes?.running ?? new Map(),
      reads: () => inForce().reads,
      queries: () => inForce().queries,
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
  const audit = new Audit({
    append: (body, receivedMs) =>
      spool.rpc.move('append', { sourceId: AUDIT_SOURCE, decoding: 'lines', receivedMs, body }, [body.buffer]),
    onLost: (err, entry) => log.error({ err, entry }, 'An audit event could not be stored.'),
    now: Date.now,
  })
  // Started before reading, so that it stops after it: the last alerts are still sent.
  await started.step(
    'the deliveries',
    () => startDeliverer(parts, (entry) => audit.record(entry)),
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
  const retention = await started.step(
    'the lifetime of rows',
    () => openRetention(parts),
    (made) => made.stop(),
  )
  const replayNews = await started.step(
    'news of replays',
    () => new ReplayNews(() => pipeline.rpc.call('replays'), events.news.publish),
    (made) => made.stop(),
  )
  events.onOther = () => replayNews.look()
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
        ...(isOnServers(config) && {
          onRecorded: contentNodes({ ...keys, live, node: nodeName(config), problems: events.problems }),
        }),
      }),
    (made) => made.stop(),
  )
  await content.begin()
  inForce = () => content.report
  lookups.update(report.tables)
  git.start((request) => content.reload(request))
  await started.step('the watch over content folders', () => contentWatch?.start(() => reloadQuietly(content, log)))
  const secret = await lease.signInKey(keys)
  const { accounts, tokens } = await openAccounts({
    ...{ config, state, machine, secret, now: Date.now, send: http.configured },
    clientSecret: config.sign_in.oidc && resolveSecret(config.sign_in.oidc.client_secret, environment()),
    ask: (ask) => pipeline.rpc.call('userRows', ask),
    askTokens: (ask) => pipeline.rpc.call('tokens', ask),
  })
  const receivers = await started.step(
    'the intakes',
    () => Intakes.open(live.sources, { spool, tokens, send: http.configured }),
    (made) => made.closeAll(),
  )
  intakes = receivers
  const read = stateReader(state)
  const views = createViews({
    config,
    sources: () => live.sources,
    tables: () => content.report.tables,
    reload: () => content.reload({ cause: 'tables' }),
    state,
    keeper,
    pipeline,
    spool,
    watch,
    intakes: receivers.running,
    metrics,
    nodes,
    notices: () => noticesOf(content.report.content, progress),
  })
  const query = asker({
    lake,
    flush: () => pipeline.rpc.call('flush'),
    world: () => worldOf(content.report),
    now: Date.now,
  })
  const jobs = await started.step(
    'queries that nobody waits for',
    () => openJobs(config, { query, lake, log }),
    (made) => made.stop(),
  )
  if (isDemo) {
    const done = views.settled(DEMO_SOURCE).then(() => pipeline.rpc.call('setMeta', { key: DEMO_KEY, value: 'done' }))
    // Stopped in the meantime: it continues after the next start.
    done.catch(() => {})
  }
  const deletions = new Order()
  const backups = await started.step(
    'backups',
    () => new Backups({ dataDir: config.data_dir, stateType: config.state.type, lake, pipeline, spool, deletions, log }),
    (made) => made.stop(),
  )
  const deleting = await started.step(
    'deletions',
    () => startDeletions(parts, { spool, keeper, jobs, order: deletions, audit: (entry) => audit.record(entry) }),
    (made) => made.stop(),
  )
  return {
    get config() {
      return live.config
    },
    settings: settingsCalls({ live, content, pipeline, intakes: receivers, configFile }),
    forwardedHeaders: new ForwardedHeaders(secret, nodeName(config)),
    tokens,
    accounts,
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
    intakes: receivers.running,
    query,
    ...retention.calls,
    ...queryCalls(jobs, { report: () => content.report, places: () => contentPlaces(config), state, scheduler }),
    desk: deskWithNews(((ask: DeskAsk) => pipeline.rpc.call('desk', ask)) as Desk, events.news.publish),
    ...replayCalls(pipeline, config.data_dir, replayNews),
    ...sideCalls({ config, cacheFolder: cacheFolder(), query, read, content, http, pipeline, keeper, work }),
    onAlert: (listener) => events.listen(listener),
    news: events.news.subscribe,
    removeSource: async (sourceId) => {
      const label = live.sources.find((source) => source.id === sourceId)?.label ?? sourceId
      await deletions.run(async () => {
        await pipeline.rpc.call('flush')
        await pipeline.rpc.call('removeSource', { sourceId, label })
        await lake.removeSource(sourceId, await heldAlertIds(state))
      })
    },
    deleteValue: (ask) => deleting.add(ask),
    deletion: (id) => deleting.get(id),
    backUp: (folder, signal) => backups.begin(folder, signal),
    stop: () => started.stop(),
  }
}
