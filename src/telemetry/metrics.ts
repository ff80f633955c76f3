import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** A source's records with one outcome, since the data folder was created. */
export interface RecordCount {
  readonly source: string
  readonly outcome: 'received' | 'stored' | 'filtered' | 'dead_lettered'
  readonly n: number
}

/** A source's records that were dead-lettered or filtered for one reason, since the data folder was created. */
export interface ReasonCount {
  readonly source: string
  readonly reason: string
  readonly n: number
}

/** A source's activity, as stored in state; a missing value is unknown. */
export interface SourceGauge {
  readonly source: string
  /** Since the data folder was created. */
  readonly bytes: number
  readonly lastReceivedSecs: number | undefined
  readonly lagSecs: number | undefined
}

/** A lookup table; `ageSecs` is `undefined` if unknown. */
export interface TableGauge {
  readonly name: string
  readonly rows: number
  readonly ageSecs: number | undefined
}

/** System problems of one name and severity. */
export interface ProblemGauge {
  readonly name: string
  readonly severity: string
  readonly n: number
}

/** What became of a request that this node had to forward to the active one. */
export type ForwardOutcome = 'answered' | 'refused' | 'no_active' | 'unreachable' | 'no_answer' | 'busy'

/** Upper bounds in seconds: a stage takes between tens of microseconds and seconds per batch. */
const STAGE_SECONDS = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
/** Upper bounds in seconds, denser around the targets of 25 ms (p50) and 100 ms (p99). */
const LATENCY_SECONDS = [0.005, 0.01, 0.015, 0.02, 0.025, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10, 60]

/**
 * Metrics in Prometheus's text format. The names are stable. Records are counted in state, so their counters are set to state's
 * absolute values before each scrape and survive a restart; the others start at 0 with the process, as Prometheus expects of
 * counters.
 */
export class Metrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE
  readonly #registry = new Registry()
  readonly #records = this.#counter('caracal_records_total', 'Records by source and outcome.', ['source', 'outcome'])
  readonly #reasons = this.#counter('caracal_records_reason_total', 'Records filtered or dead-lettered, by reason.', [
    'source',
    'reason',
  ])
  readonly #sourceBytes = this.#counter('caracal_source_bytes_total', 'Bytes of a source, once decompressed.', ['source'])
  readonly #sourceLast = this.#gauge('caracal_source_last_received_timestamp_seconds', 'When the last record arrived.', [
    'source',
  ])
  readonly #sourceLag = this.#gauge('caracal_source_lag_seconds', 'From the newest event of the last batch to its receipt.', [
    'source',
  ])
  readonly #matches = this.#counter('caracal_matches_total', 'Events that a rule matched.', ['rule'])
  readonly #ruleErrors = this.#counter('caracal_rule_errors_total', 'Errors of a rule.', ['rule'])
  readonly #ruleSeconds = this.#counter('caracal_rule_seconds_total', 'Time spent in a rule.', ['rule'])
  readonly #alerts = this.#counter('caracal_alerts_total', 'Alerts raised, by severity.', ['severity'])
  readonly #deliveries = this.#counter('caracal_deliveries_total', 'Delivery attempts, by destination and outcome.', [
    'destination',
    'outcome',
  ])
  readonly #tableRows = this.#gauge('caracal_table_rows', 'Rows of a lookup table.', ['table'])
  readonly #tableAge = this.#gauge('caracal_table_age_seconds', 'Time since a lookup table was last known to be current.', [
    'table',
  ])
  readonly #node = this.#gauge('caracal_node_info', 'Name and version of this node; always 1.', ['node', 'version'])
  readonly #spoolBytes = this.#gauge('caracal_spool_bytes', 'Bytes waiting in the spool.', ['source'])
  readonly #waiting = this.#gauge(
    'caracal_source_waiting_seconds',
    'Since the receipt of the oldest record that was read and is not committed; 0 without one.',
    ['source'],
  )
  readonly #activeSince = this.#gauge('caracal_active_since_timestamp_seconds', 'When this node became the active one.', [])
  readonly #workerThreads = this.#gauge('caracal_worker_threads', 'Threads of a worker that judge for the active node.', [])
  readonly #workerBatches = this.#counter('caracal_worker_batches_total', 'Batches that a worker was given to judge.', [])
  readonly #forwarded = this.#counter('caracal_forwarded_total', 'Requests forwarded to the active node, by outcome.', [
    'outcome',
  ])
  readonly #problems = this.#gauge('caracal_system_problems', 'System problems of now, as in `caracal health`.', [
    'name',
    'severity',
  ])
  readonly #stage = new Histogram({
    name: 'caracal_stage_seconds',
    help: 'Time that a batch spends in a stage.',
    labelNames: ['stage'],
    buckets: STAGE_SECONDS,
    registers: [this.#registry],
  })
  readonly #latency = new Histogram({
    name: 'caracal_alert_latency_seconds',
    help: 'From receipt of the record to the committed alert.',
    buckets: LATENCY_SECONDS,
    registers: [this.#registry],
  })

  observeStage(stage: string, seconds: number): void {
    this.#stage.observe({ stage }, seconds)
  }

  matches(rule: string, n: number): void {
    this.#matches.inc({ rule }, n)
  }

  ruleErrors(rule: string, n: number): void {
    this.#ruleErrors.inc({ rule }, n)
  }

  ruleSeconds(rule: string, seconds: number): void {
    this.#ruleSeconds.inc({ rule }, seconds)
  }

  alerts(severity: string, n: number): void {
    this.#alerts.inc({ severity }, n)
  }

  /** One attempt: `delivered`, `again` or `dead`, as in state. */
  deliveries(destination: string, outcome: string): void {
    this.#deliveries.inc({ destination, outcome })
  }

  alertLatency(seconds: number): void {
    this.#latency.observe(seconds)
  }

  setNode(node: string, version: string): void {
    this.#node.set({ node, version }, 1)
  }

  /** `batches`: since the start. */
  setWorker(threads: number, batches: number): void {
    this.#workerThreads.set(threads)
    this.#workerBatches.reset()
    this.#workerBatches.inc(batches)
  }

  forwarded(outcome: ForwardOutcome): void {
    this.#forwarded.inc({ outcome })
  }

  setSpoolBytes(bySource: Readonly<Record<string, number>>): void {
    this.#spoolBytes.reset()
    for (const [source, n] of Object.entries(bySource)) this.#spoolBytes.set({ source }, n)
  }

  /** How long the oldest record of each source has waited since it was read. */
  setWaiting(seconds: Readonly<Record<string, number>>): void {
    this.#waiting.reset()
    for (const [source, n] of Object.entries(seconds)) this.#waiting.set({ source }, n)
  }

  /** Epoch seconds. */
  setActiveSince(seconds: number): void {
    this.#activeSince.set(seconds)
  }

  /** All problems of now; those that are over are no longer shown. */
  setProblems(problems: readonly ProblemGauge[]): void {
    this.#problems.reset()
    for (const { name, severity, n } of problems) this.#problems.inc({ name, severity }, n)
  }

  /** All current tables; a removed one is no longer shown. */
  setTables(tables: readonly TableGauge[]): void {
    this.#tableRows.reset()
    this.#tableAge.reset()
    for (const { name, rows, ageSecs } of tables) {
      this.#tableRows.set({ table: name }, rows)
      if (ageSecs !== undefined) this.#tableAge.set({ table: name }, ageSecs)
    }
  }

  /** All record counts, as absolute values. */
  setRecords(records: readonly RecordCount[], reasons: readonly ReasonCount[]): void {
    this.#records.reset()
    this.#reasons.reset()
    for (const { source, outcome, n } of records) this.#records.inc({ source, outcome }, n)
    for (const { source, reason, n } of reasons) this.#reasons.inc({ source, reason }, n)
  }

  /** The activity of all sources, as absolute values. */
  setSources(sources: readonly SourceGauge[]): void {
    for (const metric of [this.#sourceBytes, this.#sourceLast, this.#sourceLag]) metric.reset()
    for (const { source, bytes, lastReceivedSecs, lagSecs } of sources) {
      this.#sourceBytes.inc({ source }, bytes)
      if (lastReceivedSecs !== undefined) this.#sourceLast.set({ source }, lastReceivedSecs)
      if (lagSecs !== undefined) this.#sourceLag.set({ source }, lagSecs)
    }
  }

  /** Everything in Prometheus's text format. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] })
  }
}

/** The metrics of one engine, all at 0. */
export function createMetrics(): Metrics {
  return new Metrics()
}
