import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Config } from '../config/config.ts'
import { contentFolders, unpulled } from '../config/content.ts'
import { NOTHING_KNOWN } from '../model/alert.ts'
import type { RuleError } from '../model/match.ts'
import { correlateDue } from '../pipeline/correlate.ts'
import type { Generation } from '../pipeline/generation.ts'
import type { ParsedChunks } from '../pipeline/parse.ts'
import { HERE, type PathEnd, takePath } from '../pipeline/path.ts'
import { type CorrelatedBatch, NO_RECORDS } from '../pipeline/steps.ts'
import { TableWriter } from '../pipeline/table-writer.ts'
import { commitBatch } from '../pipeline/take-apart.ts'
import { groupFindings, type Judged } from '../stages/alert/step.ts'
import { MemoryStore } from '../stages/detect/correlation/store.ts'
import { fileChunks } from '../stages/source/file-chunks.ts'
import { type StreamChunk, streamChunks } from '../stages/source/line-stream.ts'
import { ConfigError, messageOf } from '../util/errors.ts'
import { hash16 } from '../util/hash.ts'
import { stringifyJson } from '../util/json.ts'
import { createGeneration } from './generation.ts'
import { type LoadedContent, loadPath } from './path.ts'
import { foldersApart } from './python-children.ts'
import { alertLine, batchLines, type Emit, newestMs, slim, timeOf } from './run-output.ts'
import { loadTables } from './run-tables.ts'

export interface RunOptions {
  /** Paths; `-` is standard input. Empty: standard input. */
  readonly files: readonly string[]
  readonly logType: string | undefined
  /** Table name → file that replaces its content. */
  readonly tables: Readonly<Record<string, string>>
  readonly emit: Emit
  /** The current time as the run sees it, epoch ms. */
  readonly nowMs: number
  /** Use the versions of tables that were in force at that time. */
  readonly isPast: boolean
  readonly config: Config
  /** Stores parsed and compiled content for the next run. */
  readonly cacheFolder: string
}

export interface RunStreams {
  readonly stdin: Readable
  /** Resolves once the text is written. */
  readonly write: (text: string) => Promise<void>
  /** A message for the user. */
  readonly tell: (text: string) => void
}

interface Totals {
  received: number
  stored: number
  filtered: number
  deadLettered: number
  matches: number
  ruleErrors: number
}

/**
 * Runs files through the path, with NDJSON instead of state and lake. Resolves with the exit code: 0 if every record was stored, 1 if some
 * became dead letters or some rule failed, 2 if some content could not be used, which is printed first. Rejects with `ConfigError` if the
 * run makes no sense: a usage or configuration error, or a table that cannot be used.
 */
export async function runFiles(options: RunOptions, streams: RunStreams): Promise<number> {
  const { config, logType } = options
  const sources = [...config.sources, { log_types: logType === undefined ? [] : [logType] }]
  const { data_dir, disabled_packs, enabled_packs } = config
  const loaded = await loadPath(
    { content: contentFolders(config), data_dir, disabled_packs, enabled_packs, sources },
    join(options.cacheFolder, 'content'),
  )
  for (const sentence of unpulled(config)) streams.tell(sentence)
  for (const { file, message } of [...loaded.problems, ...loaded.names]) streams.tell(`${file}: ${message}`)
  const run = await Run.create(options, streams, loaded)
  try {
    const code = await run.all()
    return loaded.problems.length > 0 ? 2 : code
  } finally {
    await run.close()
  }
}

/** The id of the only source. */
const SOURCE = 'run'

/** Maximum number of rule errors to print; further ones are only counted. */
const MAX_TOLD = 20

/** Printed lines about its events. */
type RunBatch = CorrelatedBatch<readonly string[]>

/** The result of a batch in a run. */
interface Output {
  readonly batch: RunBatch
  readonly lines: readonly string[]
}

/** Later than any other time. */
const END_OF_TIME_MS = 8.64e15

class Run {
  readonly #options: RunOptions
  readonly #streams: RunStreams
  readonly #generation: Generation
  readonly #totals: Totals = { received: 0, stored: 0, filtered: 0, deadLettered: 0, matches: 0, ruleErrors: 0 }
  /** The input of the alerts at the end. */
  readonly #findings: Judged[] = []
  readonly #memory: MemoryStore
  readonly #guessed = new Map<string, number>()
  #unreadable = 0

  static async create(options: RunOptions, streams: RunStreams, loaded: LoadedContent): Promise<Run> {
    const tables = await loadTables(options, loaded, streams.tell)
    const { config, cacheFolder } = options
    const memory = new MemoryStore()
    // What events write lasts as long as the run.
    const load = async () => ({ number: 0, tables: [] })
    const onFull = (_table: string, message: string | undefined) => message !== undefined && streams.tell(message)
    const generation = await createGeneration(loaded, {
      sources: [{ id: SOURCE, log_types: options.logType ? [options.logType] : [] }],
      tables,
      writer: new TableWriter({ load, onFull }),
      parser: { maxRecordBytes: config.max_record_bytes, maxDepth: config.max_depth },
      memory,
      detection: {
        timeoutMs: config.rule_timeout_ms,
        compiledFolder: join(cacheFolder, 'python'),
        apart: foldersApart({ ...config, content: contentFolders(config) }),
        lazy: true,
        prefilter: { ruleErrors: config.rule_errors, shadowEvery: config.shadow_every, onProblem: streams.tell },
      },
    })
    return new Run(options, streams, generation, memory)
  }

  private constructor(options: RunOptions, streams: RunStreams, generation: Generation, memory: MemoryStore) {
    this.#options = options
    this.#streams = streams
    this.#generation = generation
    this.#memory = memory
    this.#tellErrors(generation.detectors.flatMap(({ setupErrors }) => setupErrors))
  }

  /** Errors of rules that could not be loaded. */
  #tellErrors(errors: readonly RuleError[]): void {
    for (const { ruleId, message } of errors) {
      this.#totals.ruleErrors++
      this.#streams.tell(`rule ${ruleId}: ${message}`)
    }
  }

  async all(): Promise<number> {
    const files = this.#options.files.length > 0 ? this.#options.files : ['-']
    let before: Promise<void> = Promise.resolve()
    for (const name of files) {
      for await (const { chunk, parsed } of this.#chunks(name)) {
        const turn = before
        const onParsed = ({ context, guessed }: ParsedChunks) => {
          parsed(context)
          for (const [logType, n] of guessed) this.#guessed.set(logType, (this.#guessed.get(logType) ?? 0) + n)
        }
        const batch = { sourceId: SOURCE, receivedMs: this.#options.nowMs, chunks: [chunk], onParsed }
        const written = this.#generation.written?.begin(batch.receivedMs)
        before = takePath(batch, this.#generation, { ...this.#end, written, turn: () => turn })
        before.catch(() => {}).finally(() => written?.end())
        // One batch is written out while the next one is parsed; no more, so that memory use stays flat.
        await turn
      }
    }
    await before
    for (const detector of this.#generation.detectors) this.#tellErrors((await detector.unreported?.()) ?? [])
    await this.#passTime()
    return this.#finish(await this.#alerts())
  }

  /** The end of a batch's path in a run: standard output. Alerts wait for the end, since windows follow event time. */
  readonly #end: Omit<PathEnd<readonly string[], Output>, 'turn'> = {
    retrying: { onTrouble: (message) => message && this.#streams.tell(message), isStopping: () => false },
    observe: () => {},
    ...HERE,
    encodeEvents: ({ events }) => (this.#options.emit === 'events' ? events.map((event) => stringifyJson(event)) : []),
    times: (batch) => ({ atMs: timeOf, signalsMs: newestMs(batch), nowMs: this.#options.nowMs }),
    encode: (batch) => ({ batch, lines: batchLines(batch, this.#options.emit) }),
    commit: async (judged, finish) => {
      const { retrying } = this.#end
      const keep = async (part: typeof judged) => (await finish(part)).decide(NOTHING_KNOWN)
      const attempt = async (part: typeof judged) => void (await keep(part))
      const what = 'the batch cannot be finished'
      await this.#write(await commitBatch(SOURCE, judged, { what, keep, attempt, onDropped: this.#streams.tell, retrying }))
    },
  }

  async #write({ batch, lines }: Output): Promise<void> {
    const { received, stored, filtered, deadLetters, judged, correlation } = batch
    const totals = this.#totals
    this.#memory.apply(correlation)
    totals.received += received
    for (const n of filtered.values()) totals.filtered += n
    totals.deadLettered += deadLetters.length
    for (const n of stored.values()) totals.stored += n
    for (const { finding, event, span } of judged) {
      if (finding.kind === 'error') {
        totals.ruleErrors++
        if (totals.ruleErrors <= MAX_TOLD) this.#streams.tell(`rule ${finding.ruleId}: ${finding.message}`)
        continue
      }
      totals.matches++
      this.#findings.push({ finding, event: event && slim(event), text: () => '', ...(span && { span }) })
    }
    if (lines.length > 0) await this.#streams.write(`${lines.join('\n')}\n`)
  }

  async #finish(alerts: readonly object[]): Promise<number> {
    if (this.#options.emit === 'alerts') for (const alert of alerts) await this.#streams.write(`${JSON.stringify(alert)}\n`)
    const guesses = [...this.#guessed].map(([logType, n]) => `${logType} ${n}`)
    if (guesses.length > 0) this.#streams.tell(`log type guessed: ${guesses.join(', ')} (set it with --log-type to be sure)`)
    const { received, stored, filtered, deadLettered, matches, ruleErrors } = this.#totals
    this.#streams.tell(
      `received ${received} stored ${stored} filtered ${filtered} dead_lettered ${deadLettered} matches ${matches} alerts ${alerts.length} rule_errors ${ruleErrors}`,
    )
    return deadLettered > 0 || ruleErrors > 0 || this.#unreadable > 0 ? 1 : 0
  }

  async close(): Promise<void> {
    await Promise.all(this.#generation.detectors.map((detector) => detector.close()))
  }

  #chunks(name: string): AsyncGenerator<StreamChunk> {
    if (name !== '-') return this.#fileChunks(name)
    const { max_record_bytes: maxRecordBytes } = this.#options.config
    return streamChunks(this.#streams.stdin, { place: hash16(SOURCE, 'stdin'), maxRecordBytes, tell: this.#streams.tell })
  }

  async *#fileChunks(path: string): AsyncGenerator<StreamChunk> {
    const info = await stat(path).catch((error: unknown) => {
      throw new ConfigError(`the file cannot be read: ${messageOf(error)}`, { file: path })
    })
    if (!info.isFile()) throw new ConfigError('not a file; specify files, or a pattern that your shell expands', { file: path })
    const { max_record_bytes: maxRecordBytes } = this.#options.config
    const tell = (notice: string, isProblem: boolean) => {
      if (isProblem) this.#unreadable++
      this.#streams.tell(notice)
    }
    yield* fileChunks(path, { sourceId: SOURCE, maxRecordBytes, tell })
  }

  /** Lets correlation rules report as if all windows had ended. */
  async #passTime(): Promise<void> {
    const { correlation } = this.#generation
    if (!correlation) return
    for (;;) {
      const found = await correlateDue(correlation, END_OF_TIME_MS)
      const { saved, removed } = found.correlation
      if (found.judged.length === 0 && saved.length === 0 && removed.length === 0) return
      const batch = { ...NO_RECORDS, ...found }
      await this.#write({ batch, lines: batchLines(batch, this.#options.emit) })
    }
  }

  /** Alerts over everything read, with windows in event time. */
  async #alerts(): Promise<object[]> {
    const sorted = this.#findings.sort((a, b) => timeOf(a) - timeOf(b))
    const clock = { atMs: timeOf, nowMs: this.#options.nowMs }
    const { windows } = groupFindings(sorted, this.#generation.rules, clock).decide(NOTHING_KNOWN)
    return windows.filter((window) => window.opened).map(alertLine)
  }
}
