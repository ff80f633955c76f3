import { join } from 'node:path'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { Config, SourceConfig } from '../config/config.ts'
import type { DeliveryResult, Effects } from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import type { Event } from '../model/event.ts'
import type { SystemProblem } from '../model/system-problem.ts'
import { CorrelationRuns, type Memory, type RunPart } from '../pipeline/correlation-runs.ts'
import { DeadLetterSamples } from '../pipeline/dead-letter-samples.ts'
import { effectsOfOff, effectsOfRows, effectsOfTime } from '../pipeline/effects.ts'
import { Flusher } from '../pipeline/flusher.ts'
import { judgeEvents } from '../pipeline/judge.ts'
import { LAST_RULES, lookBack } from '../pipeline/look-back.ts'
import { Loop } from '../pipeline/loop.ts'
import { SIGNALS, tableVersionRow } from '../pipeline/rows.ts'
import { SpoolSource } from '../pipeline/spool-source.ts'
import { effectsOfProblems } from '../pipeline/system-alerts.ts'
import { type WatchedSource, watchedSource } from '../pipeline/watched-source.ts'
import { GRACE_MS } from '../stages/detect/correlation/correlator.ts'
import { queryLogType } from '../stages/detect/language.ts'
import { type QueryRows, rowsToEvents } from '../stages/detect/scheduled/rows.ts'
import type { ContentFileRef } from '../stages/enrich/keeper-types.ts'
import { sources as sourceDefinitions } from '../stages/source/index.ts'
import type { CursorDeps } from '../stages/source/source.ts'
import type { Lake, QueryResult } from '../stages/store/lake.ts'
import { type AlertStatus, setAlertStatus } from '../state/alerts.ts'
import { cursorsOf } from '../state/batches.ts'
import { loadCache } from '../state/cache.ts'
import { correlationStore, forgetCorrelation } from '../state/correlation.ts'
import { openState } from '../state/db.ts'
import { saveDeliveryResults } from '../state/deliveries.ts'
import { pipelineState } from '../state/pipeline-state.ts'
import { getMeta, removeSource, setMeta } from '../state/sources.ts'
import { recordTableVersion, saveTableState } from '../state/table-status.ts'
import { find } from '../util/define.ts'
import { messageOf } from '../util/errors.ts'
import { Rpc } from '../util/rpc.ts'
import { createGeneration } from './generation.ts'
import { LiveTables } from './live-tables.ts'
import { judgedQueries, judgedRules, lakeTables, loadPath, ruleViews } from './path.ts'
import {
  noticeOf,
  type PipelineProgress,
  type PipelineReady,
  queryKey,
  type RulesProgress,
  type SourceProgress,
} from './pipeline-messages.ts'
import { describeChildren, foldersApart } from './python-children.ts'
import { byName, queryNotices } from './queries.ts'
import { Pruning } from './retention.ts'
import { RulesOff } from './rules-off.ts'
import { connectSpool } from './spool-port.ts'
import { Troubles } from './troubles.ts'

/** What the pipeline's thread is started with. */
export interface PipelineThreadData {
  readonly config: Config
  /** Every source, the built-in ones too. */
  readonly sources: readonly SourceConfig[]
  readonly baseUrl: string
  readonly spool: MessagePort
  readonly maxPages?: number
}

const { config, sources, baseUrl, spool, maxPages } = workerData as PipelineThreadData
const now = Date.now
const db = await openState(config.data_dir, maxPages ? { maxPages } : {})
const state = pipelineState(db)
const loaded = await loadPath(config, join(config.data_dir, 'content-cache'))
const tables = new LiveTables(loaded)
const samples = new DeadLetterSamples()
const troubles = new Troubles((problems) => void main.call('problems', problems).catch(() => {}))
const trouble = (kind: string, message: string | undefined) => troubles.set(kind, message)
// Before the detectors: reading their rules goes on in the background and may have something to tell.
const main = new Rpc(parentPort!, {
  acceptTable: async (ref: ContentFileRef) => {
    const built = await tables.accept(ref)
    const { spec, rows, count } = tableVersionRow(ref.table, built.version, built.rows, now())
    if (await recordTableVersion(db, ref.table, built.version, { spec, rows, count }, now()))
      flusher.added([{ spec, rows, count }], now())
    return built
  },
  saveTableState: ({ name, value }: { name: string; value: string }) => saveTableState(db, name, value),
  start,
  stopReading,
  stop,
  settled,
  flush: () => flusher.flush(),
  setAlertStatus: ({ alertId, status }: { alertId: string; status: AlertStatus }) => setAlertStatus(db, alertId, status, now()),
  deliveryResults: (results: readonly DeliveryResult[]) => saveDeliveryResults(db, results),
  removeSource: ({ sourceId, label }: { sourceId: string; label: string }) => removeSource(db, sourceId, label),
  setMeta: ({ key, value }: { key: string; value: string }) => setMeta(db, key, value),
  sources: sourceProgress,
  raise,
  deadLetterSamples: (sourceId: string) => samples.of(sourceId),
  judgeRows,
})

const apart = foldersApart(config)
const starting = createGeneration(loaded, {
  sources,
  tables,
  parser: { maxRecordBytes: config.max_record_bytes, maxDepth: config.max_depth },
  memory: correlationStore(db),
  detection: {
    timeoutMs: config.rule_timeout_ms,
    apart,
    compiledFolder: join(config.data_dir, 'python'),
    cache: { load: () => loadCache(db, now()) },
    onOff: () => offRules.changed(),
    prefilter: {
      ruleErrors: config.rule_errors,
      shadowEvery: config.shadow_every,
      onProblem: (message) => void main.call('slower', message).catch(() => {}),
    },
  },
})
const queryTables = lakeTables(loaded, new Set(sources.flatMap(({ log_types }) => log_types)))
const { scheduledQueries, savedQueries } = loaded.content
// While the rules' processes start.
const [generation, cannotRun] = await Promise.all([
  starting,
  queryNotices(scheduledQueries, { saved: byName(savedQueries), tables: queryTables }),
])
const { detectors, correlation, rules } = generation
const routes = config.destinations.map(({ id, severities, system }) => ({ id, severities, system }))
const spoolPort = await connectSpool(spool, () => loop?.wake())
let loop: Loop | undefined
let observations: [string, number][] = []

const lake: Pick<Lake, 'ensure' | 'insert'> = {
  ensure: (table: TableSpec, late?: boolean) => main.call('ensure', { table, late }),
  insert: (table, rows, token) => {
    // A view on a larger buffer would move all of it: copy then.
    const own = rows.byteLength === rows.buffer.byteLength ? rows : new Uint8Array(rows)
    return main.call('insert', { table, rows: own, token }, [own.buffer as ArrayBuffer])
  },
}

const flusher = new Flusher(state, lake, {
  flushRows: config.flush_rows,
  flushMs: config.flush_ms,
  maxBytes: 16 * 1024 * 1024,
  now,
  onTrouble: (message) =>
    trouble('lake', message && `Rows wait in the state for tables of the lake that do not take them now: ${message}`),
})

const broken = [
  ...loaded.problems,
  ...(correlation?.correlator.problems ?? []).map((error) => ({ file: 'correlation', message: error.message })),
]
const rulesOff = detectors.flatMap((d) => d.setupErrors.map(({ ruleId, message }) => ({ id: ruleId, message })))
await main.call('ready', {
  content: {
    rules: ruleViews(loaded.content, rules),
    schemas: [...loaded.schemas.keys()].sort(),
    tables: loaded.tables.size,
    problems: [...broken, ...loaded.names, ...rulesOff.map(({ id, message }) => ({ file: id, message }))],
    broken,
    names: loaded.names,
    rulesOff,
    notices: [...loaded.notices, ...cannotRun],
  },
  tables: [...loaded.tables.values()].map(({ definition }) => definition),
  lakeTables: queryTables,
  queries: judgedQueries(loaded),
  savedQueries,
  queryNotices: cannotRun,
  children: describeChildren(detectors, apart),
} satisfies PipelineReady)

let running: Promise<void> | undefined
let stopping = false

const reportOff = (progress: RulesProgress) => void main.call('rules', progress).catch(() => {})
const judged = judgedRules(loaded.content)
const offRules = await RulesOff.open({ db, detectors, rules: judged, report: reportOff, onError: cannotReport, now })

/** Opens the sources and lets the loop run. Tables must be in force by now. */
async function start(): Promise<void> {
  for (const source of sources) open.push(await openSource(source))
  loop = new Loop({
    sources: open,
    generation: () => generation,
    state,
    routes,
    baseUrl,
    now,
    isFull: () => {
      const full = flusher.waitingBytes > config.outbox_max_bytes
      trouble(
        'outbox',
        full ? `${flusher.waitingBytes} bytes wait for the lake: reading pauses until they are stored` : undefined,
      )
      return full
    },
    observe: (stage, seconds) => observations.push([stage, seconds]),
    onCommitted: (effects) => committed(effects, effects.batch.sourceId, effects.batch.receivedMs),
    onOtherCommitted: (effects) => committed(effects, undefined, undefined),
    onTrouble: trouble,
  })
  await flusher.start()
  await remember(loop)
  running = loop.run()
  caughtUp(now())
    .then(() => !stopping && pruning.start())
    .catch(() => {})
  const off = detectors.flatMap((d) => d.setupErrors)
  if (off.length > 0) loop.other(async (deps) => effectsOfOff(off, deps)).catch(cannotReport)
  if (correlation) passTime(await CorrelationRuns.start(correlation.correlator.order, memory, now())).catch(() => {})
  running.catch((error: unknown) => main.call('failed', String(error instanceof Error ? error.stack : error)).catch(() => {}))
}

const open: WatchedSource[] = []

const pruning = new Pruning(db, {
  retention: { deliveriesDays: config.retention.deliveries_days, alertsDays: config.retention.alerts_days },
  now,
  behind: () => open.map(({ id }) => id).filter((id) => !loop?.isSettled(id)),
  onTrouble: (message) => trouble('retention', message),
})

async function openSource(source: SourceConfig): Promise<WatchedSource> {
  const cursors = await cursorsOf(db, source.id)
  const definition = find('source', sourceDefinitions, source.type)
  const monotonic = () => performance.now()
  if (!definition.open) return watchedSource(new SpoolSource(source.id, spoolPort, cursors), monotonic)
  const deps: CursorDeps = { cursors, wake: () => loop?.wake(), now, maxRecordBytes: config.max_record_bytes }
  return watchedSource(definition.open(source as never, deps), monotonic)
}

/** Judges a scheduled query's rows with the rules that name it; what comes of them is kept together with the due time. */
async function judgeRows(answer: QueryRows): Promise<void> {
  if (!loop) throw new Error('the pipeline has not begun')
  const events = rowsToEvents(answer) as Event[]
  // Begun before its turn in the commits is taken, as batches do: the order of judging is the order of committing.
  const judgedBy = generation
  const judged = judgeEvents(queryLogType(answer.query), events, judgedBy.detectors)
  judged.catch(() => {})
  const meta = new Map([[queryKey(answer.query), String(answer.dueMs)]])
  await loop.other(async (deps) => effectsOfRows(await judged, meta, deps), judgedBy)
}

/** Makes alerts of problems that have none yet. Not in turn with the batches: a batch that hangs is what one may be about. */
async function raise(problems: readonly SystemProblem[]): Promise<void> {
  const effects = await effectsOfProblems(problems, { store: state.alerts, routes, baseUrl, nowMs: now() })
  if (!effects) return
  await state.commitOther(effects)
  committed(effects, undefined, undefined)
}

/** Without an end, sources that always have something would keep correlation from speaking. */
const MAX_CATCH_UP_MS = 600_000

/**
 * Resolves when what came while the program was down has been read: until then nobody knows what has not happened. Sources that
 * are read now had time to be asked, and had nothing once.
 */
async function caughtUp(startedMs: number): Promise<void> {
  const behind = new Set(open.map(({ id }) => id))
  while (!stopping && now() < startedMs + MAX_CATCH_UP_MS) {
    for (const id of behind) if (loop?.isSettled(id)) behind.delete(id)
    if (behind.size === 0 && now() >= startedMs + GRACE_MS) return
    await new Promise((resolve) => setTimeout(resolve, 1000).unref())
  }
}

const memory: Memory = { get: (key) => getMeta(db, key) }

/** Lets correlation rules that are new or changed see what is stored already. */
async function remember(loop: Loop): Promise<void> {
  try {
    if (!correlation) {
      // Time goes by unseen: what is remembered now would be wrong when there are rules again.
      await forgetCorrelation(db)
      return await setMeta(db, LAST_RULES, '{}')
    }
    const query = async (sql: string, maxRows: number) => {
      await flusher.flush()
      await main.call('ensure', { table: SIGNALS })
      return (await main.call<QueryResult>('query', { sql, maxRows })).rows
    }
    const make = await lookBack({ correlation, memory, query, nowMs: now() })
    if (make) await loop.other(make)
  } catch (error) {
    trouble(
      'look-back',
      `New or changed correlation rules do not know what happened before this start, which could not be looked up (the next start tries again): ${messageOf(error)}`,
    )
  }
}

/** Lets correlation rules see that time has passed, and runs those that are due, as long as the loop runs. */
async function passTime(runs: CorrelationRuns): Promise<void> {
  await caughtUp(now())
  while (loop && !stopping) {
    let isMore = false
    let part: RunPart | undefined
    try {
      await loop.other(async (deps) => {
        const due = await effectsOfTime(deps)
        isMore = due?.more ?? false
        return due?.effects
      })
      await loop.other(async (deps) => {
        part = await runs.part(deps)
        return part?.effects
      })
      part?.committed()
      trouble('correlation', undefined)
    } catch (error) {
      if (stopping) return
      trouble('correlation', `Correlation rules cannot see that time passes, which is tried again: ${messageOf(error)}`)
      isMore = false
      part = undefined
    }
    if (!isMore && !part) await new Promise((resolve) => setTimeout(resolve, 1000).unref())
  }
}

/** Resolves when the source has nothing to read and everything of it is committed; at once for one that is not read at all. */
async function settled(sourceId: string): Promise<void> {
  if (!open.some(({ id }) => id === sourceId)) return
  while (!loop?.isSettled(sourceId)) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** No further batch begins; those under way are committed. */
async function stopReading(): Promise<void> {
  stopping = true
  loop?.stop()
  await running?.catch(() => {})
}

/** Ends the loop, stores what is finished, ends the children. */
async function stop(): Promise<void> {
  await stopReading()
  await pruning.stop()
  await Promise.all(open.map((source) => source.close()))
  await flusher.stop()
  try {
    await flusher.flush()
  } catch {
    // The rows stay in the outbox and go to the lake after the next start.
  }
  await offRules.close()
  await Promise.all(detectors.map((detector) => detector.close()))
  await db.destroy()
}

function committed(effects: Effects, sourceId: string | undefined, receivedMs: number | undefined): void {
  flusher.added(effects.rows, effects.nowMs)
  samples.added(effects.rows)
  const progress: PipelineProgress = {
    sourceId,
    observations,
    matches: [...effects.findings.matches],
    ruleErrors: [...effects.findings.errors],
    lastErrors: [...(effects.findings.lastErrors ?? [])],
    ruleSeconds: detectors.flatMap((d) => d.timings().map(({ ruleId, seconds }): [string, number] => [ruleId, seconds])),
    latenciesMs: receivedMs === undefined ? [] : effects.opened.map(() => now() - receivedMs),
    opened: effects.opened.map(noticeOf),
    hasDeliveries: effects.deliveries.length > 0,
  }
  observations = []
  main.call('progress', progress).catch(() => {})
  offRules.committed()
}

function cannotReport(error: unknown): void {
  if (!stopping) trouble('rules', `Rules are off, and the alert that says so cannot be made: ${messageOf(error)}`)
}

function sourceProgress(): SourceProgress[] {
  return open.map((source) => ({
    id: source.id,
    inFlight: loop?.inFlight.get(source.id) ?? 0,
    waitingMs: source.waitingMs(),
    ...source.status(),
  }))
}
