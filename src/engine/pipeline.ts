import type { MessagePort } from 'node:worker_threads'
import type { SourceConfig } from '../config/config.ts'
import type { DeliveryResult, Effects } from '../model/batch.ts'
import type { ContentMark } from '../model/content-history.ts'
import type { Learned } from '../model/learned.ts'
import type { Replay, ReplayAsk } from '../model/replay.ts'
import type { SystemProblem } from '../model/system-problem.ts'
import { type DeadLetterSample, DeadLetterSamples } from '../pipeline/dead-letter-samples.ts'
import type { Flusher } from '../pipeline/flusher.ts'
import type { LoopDeps } from '../pipeline/loop-deps.ts'
import type { PipelineState } from '../pipeline/pipeline-state.ts'
import { SIGNALS } from '../pipeline/rows.ts'
import { effectsOfProblems } from '../pipeline/system-alerts.ts'
import type { QueryRows } from '../stages/detect/scheduled/rows.ts'
import type { ContentFileRef, VersionInForce } from '../stages/enrich/keeper-types.ts'
import { type Missed, MissedAddresses } from '../stages/enrich/live/missed-addresses.ts'
import type { BuiltTable } from '../stages/enrich/table.ts'
import type { StateDb } from '../state/db.ts'
import { saveDeliveryResults } from '../state/deliveries.ts'
import { type ErasedState, eraseState, type StateErasure } from '../state/erase.ts'
import { pipelineState } from '../state/pipeline-state.ts'
import { removeSource, setMeta } from '../state/sources.ts'
import { changeTokens, type TokenAnswer, type TokenAsk } from '../state/tokens.ts'
import { changeUserRows, type UserRowsAnswer, type UserRowsAsk } from '../state/user-rows.ts'
import { steadyClock } from '../util/clock.ts'
import type { Handlers, Remote } from '../util/rpc.ts'
import { Started } from '../util/started.ts'
import { atDesk, type DeskAnswers, type DeskAsk } from './alert-desk.ts'
import { ContentFiles } from './content-files.ts'
import { contentPlaces } from './content-places.ts'
import { createFlusher } from './create-flusher.ts'
import { judgeRows } from './judge-rows.ts'
import { type BuiltContent, LiveContent } from './live-content.ts'
import { mailRoute } from './mail-route.ts'
import { type MakersDeps, makersOf } from './makers/makers.ts'
import { isOnServers } from './on-servers.ts'
import { CommittedSignals } from './past-signals.ts'
import type {
  ContentReport,
  ContentSettings,
  MainCalls,
  PipelineCalls,
  SourceProgress,
  SwappedContent,
} from './pipeline-calls.ts'
import { progressOf } from './progress.ts'
import type { JudgedRows } from './queries/judged-rows.ts'
import { Reading } from './reading.ts'
import { judgeLate, type LateJudging } from './replays/late-judging.ts'
import type { ReplayLake } from './replays/pages.ts'
import { Retro } from './retro/retro.ts'
import { routesOf } from './routes.ts'
import { RulesOff } from './rules-off.ts'
import { openOwnState } from './state-place.ts'
import { openTableFiles } from './table-files.ts'
import { TableRecords, type TableStateToSave } from './table-records.ts'
import { type TableFiles, tableFilesOf } from './table-work/jobs.ts'
import { openTableWriter } from './table-writer.ts'
import { RETRO, Troubles } from './troubles.ts'
import { workerNodes } from './workers/of-state.ts'
import type { WorkerNodes, WorkerNodesDeps } from './workers/worker-nodes.ts'

export interface PipelineOptions extends Pick<MakersDeps, 'config' | 'isSparing'> {
  /** Every source, including the built-in ones. */
  readonly sources: readonly SourceConfig[]
  readonly baseUrl: string
  /** For tests of a full disk: maximum size of the state in pages of 4 KiB. */
  readonly maxPages?: number
  /** For tests: the workers, instead of those in the state. */
  readonly workers?: WorkerNodesDeps['look']
}

/** The path from sources to the state and the lake: what the pipeline thread runs. The only writer of state. */
export class Pipeline implements Handlers<PipelineCalls> {
  readonly #options: PipelineOptions
  readonly #main: Remote<MainCalls>
  readonly #started: Started
  readonly #samples = new DeadLetterSamples()
  readonly #signals = new CommittedSignals()
  readonly #files = new ContentFiles()
  readonly #troubles: Troubles
  /** From then on nothing waits for the state's server. */
  readonly #stopping = new AbortController()
  #observations: [string, number][] = []
  #db!: StateDb
  #state!: PipelineState
  #content!: LiveContent
  #flusher!: Flusher
  #tables!: TableRecords
  #rulesOff!: RulesOff
  /** Set once reading has begun: late judging of earlier events waits for it. */
  #late: LateJudging | undefined
  #reading!: Reading
  #retro!: Retro
  /** Other nodes that judge; absent: there can be none. */
  #workers: WorkerNodes | undefined

  private constructor(options: PipelineOptions, main: Remote<MainCalls>, started: Started) {
    this.#options = options
    this.#main = main
    this.#started = started
    this.#troubles = new Troubles((problems) => void main.call('problems', problems).catch(() => {}))
  }

  /** Opens the state, loads the content and starts the rule processes. If it rejects, nothing is left running. */
  static open(options: PipelineOptions, main: Remote<MainCalls>, spool: MessagePort): Promise<Pipeline> {
    return Started.all(
      (message) => process.emitWarning(`The pipeline: ${message}`),
      async (started) => {
        const pipeline = new Pipeline(options, main, started)
        await pipeline.#open(started, spool)
        return pipeline
      },
    )
  }

  async #open(started: Started, spool: MessagePort): Promise<void> {
    const { config, sources, baseUrl } = this.#options
    const { signal } = this.#stopping
    const fail = (error: unknown) => this.#main.call('failed', String((error as Error)?.stack ?? error)).catch(() => {})
    const onTrouble: LoopDeps['onTrouble'] = (...trouble) => this.#troubles.set(...trouble)
    const db = await started.step(
      'the state',
      () => openOwnState(this.#options, { onTrouble: (message) => onTrouble('state', message), onTaken: fail, signal }),
      (made) => made.destroy(),
    )
    this.#db = db
    this.#state = pipelineState(db)
    this.#rulesOff = await RulesOff.open({
      db,
      report: (progress) => void this.#main.call('rules', progress).catch(() => {}),
      onError: (error) => this.#reading.cannotReport(error),
      now: Date.now,
      onMissed: () => this.#late?.look(),
    })
    const observe = (stage: string, seconds: number) => this.#observations.push([stage, seconds])
    const onSlower = (message: string) => void this.#main.call('slower', message).catch(() => {})
    const onMissed = (missed: readonly Missed[]) => this.#main.call('missed', missed)
    const writer = openTableWriter(db, onTrouble)
    const hasWorkers = isOnServers(config) || this.#options.workers !== undefined
    const makers = await started.step(
      'the makers',
      () => makersOf({ ...this.#options, onMissed, onWrote: (asked) => writer.answer(asked), onSlower, onTrouble }, hasWorkers),
      (made) => made?.stop(),
    )
    if (makers && hasWorkers) this.#workers = workerNodes(makers, { ...this.#options, db, onTrouble })
    const tableFiles = await openTableFiles(db, config)
    this.#content = await started.step(
      'content',
      () =>
        LiveContent.open({
          config,
          sources,
          db,
          lake: this.#main,
          now: Date.now,
          onOff: () => this.#rulesOff.changed(),
          onSlower,
          makers,
          writer,
          missed: new MissedAddresses(onMissed, steadyClock),
          observe,
        }),
      (made) => made.close(),
    )
    this.#flusher = createFlusher({
      config,
      state: this.#state,
      lake: this.#main,
      onTrouble,
      onStored: () => this.#reading.wake(),
    })
    this.#tables = new TableRecords(db, this.#flusher, tableFiles)
    const lake: ReplayLake = {
      query: (sql, maxRows, onRead) => this.#query(sql, maxRows, onRead),
      ensure: (table) => this.#main.call('ensure', { table, late: undefined }),
      flush: () => this.#flusher.flush(),
    }
    this.#reading = new Reading({
      config,
      sources,
      baseUrl,
      db,
      state: this.#state,
      content: this.#content,
      routes: routesOf(this.#options.config),
      now: Date.now,
      isFull: () => this.#isFull(),
      depth: makers && (() => makers.depth),
      observe,
      onCommitted: (effects, sourceId, receivedMs) => this.#committed(effects, sourceId, receivedMs),
      onTrouble,
      lake,
      signals: { query: (sql, maxRows) => this.#querySignals(sql, maxRows), listen: () => this.#signals.listen() },
      onSwapped: ({ generation, judged }) => this.#rulesOff.watch(generation.detectors, judged),
      onRetroCut: (table, message) => onTrouble(`${RETRO}${table}`, message),
      onFailed: fail,
    })
    this.#retro = new Retro({
      dataFolder: config.data_dir,
      db,
      content: () => this.#content.current,
      reading: this.#reading,
      lake,
      onTrouble,
    })
    this.#reading.connect(spool)
    await started.step(
      'the record of rules that are off',
      () => this.#rulesOff.watch(this.#content.current.generation.detectors, this.#content.current.judged),
      () => this.#rulesOff.close(),
    )
  }

  content(): ContentReport {
    return this.#content.current.report
  }

  buildContent(settings?: ContentSettings): Promise<BuiltContent> {
    return this.#content.build(settings)
  }

  openSource(source: SourceConfig): Promise<void> {
    return this.#reading.openSource(source)
  }

  closeSource(sourceId: string): Promise<void> {
    return this.#reading.closeSource(sourceId)
  }

  swapContent(): Promise<SwappedContent> {
    return this.#reading.swap()
  }

  async recordContent(mark: ContentMark): Promise<string[]> {
    const { loaded, generation } = this.#content.current
    return this.#files.record(this.#db, loaded, contentPlaces(this.#options.config), { ...mark, generation: generation.hash })
  }

  async start(): Promise<void> {
    await this.#started.step(
      'the workers',
      () => this.#workers?.start(),
      () => this.#workers?.stop(),
    )
    await this.#started.step(
      'the flusher',
      () => this.#flusher.start(),
      () => this.#endFlusher(),
    )
    await this.#started.step(
      'reading',
      () => this.#reading.start(this.#started),
      () => this.#reading.stop(),
    )
    this.#late = judgeLate(this.#rulesOff, this.#reading, this.#troubles)
    const retro = this.#retro
    await this.#started.step(
      'retro-match',
      () => retro.start(),
      () => retro.stop(),
    )
  }

  stopReading(): Promise<void> {
    this.#stopping.abort()
    return this.#reading.stop()
  }

  readonly stop = (): Promise<void> => this.#started.stop()

  async acceptTable(ref: ContentFileRef): Promise<BuiltTable> {
    const built = await this.#content.accept(ref)
    await this.#tables.version(ref.table, built)
    return built
  }

  tableChanged(change: VersionInForce): Promise<void> {
    return this.#retro.changed(change)
  }

  learned(learned: Learned): Promise<void> {
    return this.#retro.learned(learned)
  }

  saveTableState(state: TableStateToSave): Promise<void> {
    return this.#tables.state(state)
  }

  tableFiles(name: string): TableFiles {
    return tableFilesOf(this.#content.current.loaded.content, name)
  }

  settled(sourceId: string): Promise<void> {
    return this.#reading.settled(sourceId)
  }

  flush(): Promise<void> {
    return this.#flusher.flush()
  }

  async pauseFlushes(isPaused: boolean): Promise<void> {
    return isPaused ? this.#flusher.pause() : this.#flusher.resume()
  }

  desk(ask: DeskAsk): Promise<DeskAnswers[DeskAsk['do']]> {
    const routing = { routes: routesOf(this.#options.config), baseUrl: this.#options.baseUrl }
    return atDesk(ask, { db: this.#db, routing, rules: this.#content.current.generation.rules, now: Date.now })
  }

  readonly tokens = (ask: TokenAsk): Promise<TokenAnswer> => changeTokens(this.#db, ask, Date.now())

  readonly userRows = (ask: UserRowsAsk): Promise<UserRowsAnswer> => changeUserRows(this.#db, ask)

  deliveryResults(results: readonly DeliveryResult[]): Promise<void> {
    return saveDeliveryResults(this.#db, results)
  }

  removeSource({ sourceId, label }: { sourceId: string; label: string }): Promise<void> {
    return removeSource(this.#db, sourceId, label)
  }

  async eraseState(ask: StateErasure): Promise<ErasedState> {
    if (ask.do === 'scrub') await this.#tables.storeFiles()
    return eraseState(this.#db, ask)
  }

  setMeta({ key, value }: { key: string; value: string }): Promise<void> {
    return setMeta(this.#db, key, value)
  }

  sources(): readonly SourceProgress[] {
    return this.#reading.progress()
  }

  deadLetterSamples(sourceId: string): readonly DeadLetterSample[] {
    return this.#samples.of(sourceId)
  }

  /** Not in turn with the batches: a problem may be about a batch that hangs. */
  async raise(problems: readonly SystemProblem[]): Promise<void> {
    const deps = { routes: routesOf(this.#options.config), baseUrl: this.#options.baseUrl, nowMs: Date.now() }
    const effects = await this.#state.commit(effectsOfProblems(problems, deps))
    if (effects) this.#committed(effects, undefined, undefined)
  }

  replays(): readonly Replay[] {
    return this.#reading.replays.list()
  }

  addReplay(ask: ReplayAsk): Promise<Replay> {
    return this.#reading.replays.add(ask)
  }

  cancelReplay(id: string): Promise<Replay | undefined> {
    return this.#reading.replays.cancel(id)
  }

  judgeRows(answer: QueryRows): Promise<JudgedRows> {
    return judgeRows(answer, this.#content.current, this.#reading, mailRoute(this.#options))
  }

  async #query(sql: string, maxRows: number, onRead?: (rows: number) => void): Promise<readonly string[]> {
    const { rows, rowsRead } = await this.#main.call('query', { sql, maxRows, counted: onRead !== undefined })
    onRead?.(rowsRead ?? 0)
    return rows
  }

  async #endFlusher(): Promise<void> {
    await this.#flusher.stop()
    // Rows that cannot be stored now stay in the outbox and are moved to the lake after the next start.
    await this.#flusher.flush().catch(() => {})
  }

  #isFull(): boolean {
    const waiting = this.#flusher.waitingBytes
    const isFull = waiting > this.#options.config.outbox_max_bytes
    this.#troubles.set('outbox', isFull ? `${waiting} bytes wait for the lake: reading pauses until they are stored` : undefined)
    return isFull
  }

  async #querySignals(sql: string, maxRows: number): Promise<readonly string[]> {
    await this.#flusher.flush()
    await this.#main.call('ensure', { table: SIGNALS, late: undefined })
    return this.#query(sql, maxRows)
  }

  #committed(effects: Effects, sourceId: string | undefined, receivedMs: number | undefined): void {
    this.#flusher.added(effects.rows, effects.nowMs)
    this.#samples.added(effects.rows)
    this.#signals.committed(effects.rows)
    const observed = { sourceId, observations: this.#observations, receivedMs, nowMs: Date.now() }
    const timings = this.#content.current.generation.detectors.flatMap((d) => d.timings())
    this.#observations = []
    this.#main.call('progress', progressOf(effects, timings, observed)).catch(() => {})
    this.#rulesOff.committed()
  }
}
