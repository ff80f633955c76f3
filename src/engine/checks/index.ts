import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import type { Config, SourceConfig } from '../../config/config.ts'
import type { ScheduledQuery } from '../../model/query.ts'
import { systemRuleId } from '../../model/system-problem.ts'
import type { TableKeeper } from '../../stages/enrich/keeper.ts'
import type { Intake } from '../../stages/source/source.ts'
import type { Lake } from '../../stages/store/lake.ts'
import { hourlyRecords, sourceActivity } from '../../state/activity.ts'
import type { StateDb } from '../../state/db.ts'
import { deadDeliveries, failingDeliveries } from '../../state/deliveries.ts'
import { limitCounts } from '../../state/limits.ts'
import type { StoredNode } from '../../state/nodes.ts'
import { deadMails } from '../../state/rows-mails.ts'
import { getMeta, sourceCounts } from '../../state/sources.ts'
import { blindRuleCheck } from '../blind/blind-rules.ts'
import type { LogTypeReads } from '../blind/reads.ts'
import { mailerIn } from '../mail-route.ts'
import type { SourceProgress } from '../pipeline-calls.ts'
import type { PipelineThread, SpoolThread } from '../threads.ts'
import { certificateCheck } from './certificate.ts'
import type { Check } from './check.ts'
import { clockCheck } from './clock.ts'
import { deadLetterCheck } from './dead-letters.ts'
import { deliveryProblems, failingProblems } from './deliveries.ts'
import { diskCheck } from './disk.ts'
import { intakeCheck } from './intakes.ts'
import { nodeCheck } from './nodes.ts'
import { queryMailProblems } from './query-mails.ts'
import { readerCheck } from './readers.ts'
import { limitProblems } from './rule-limits.ts'
import { silenceCheck } from './silence.ts'
import { spoolCheck } from './spool.ts'
import { tableProblems } from './tables.ts'
import { volumeCheck } from './volume.ts'

export interface CheckDeps {
  readonly config: Config
  readonly sources: () => readonly SourceConfig[]
  readonly keeper: TableKeeper
  readonly state: StateDb
  readonly pipeline: PipelineThread
  readonly spool: SpoolThread
  readonly lake: Pick<Lake, 'query'>
  /** The processes that share the state. */
  readonly nodes: () => Promise<readonly StoredNode[]>
  /** The push sources that run. */
  readonly intakes: () => ReadonlyMap<string, Intake>
  /** The fields that the rules in force read. */
  readonly reads: () => readonly LogTypeReads[]
  /** The scheduled queries that run. */
  readonly queries: () => readonly ScheduledQuery[]
  /** Receives each source's position whenever that is checked. */
  readonly onSources: (progress: readonly SourceProgress[]) => void
}

/** `meta`: counts of records by source, at most an hour old while the program runs. */
const OLDEST_COUNTS = 'oldest_counts'

/** Every check of the running engine. To add one: a file in this folder and a line here. */
export function allChecks({
  config,
  sources,
  keeper,
  state,
  pipeline,
  spool,
  lake,
  nodes,
  intakes,
  reads,
  queries,
  onSources,
}: CheckDeps): Check[] {
  const monotonic = () => performance.now()
  const { tls } = config
  return [
    clockCheck(Date.now, monotonic),
    diskCheck(config.data_dir, statfs),
    certificateCheck(tls && (() => readFileSync(tls.cert.file, 'utf8')), Date.now),
    spoolCheck(
      () => sources().map(({ id }) => id),
      { maxBytes: config.spool_max_bytes, maxSourceBytes: config.spool_source_max_bytes },
      { bytes: (sourceId) => spool.rpc.call('bytes', sourceId), trouble: () => spool.rpc.call('trouble') },
    ),
    deadLetterCheck({
      counts: () => sourceCounts(state),
      samples: (sourceId) => pipeline.rpc.call('deadLetterSamples', sourceId),
      now: monotonic,
      oldest: {
        load: () => getMeta(state, OLDEST_COUNTS),
        save: (value) => pipeline.rpc.call('setMeta', { key: OLDEST_COUNTS, value }),
      },
    }),
    readerCheck(async () => {
      const progress = await pipeline.rpc.call('sources')
      onSources(progress)
      return progress
    }),
    intakeCheck(intakes),
    silenceCheck({
      sources,
      activity: (nowMs) => sourceActivity(state, nowMs),
      progress: () => pipeline.rpc.call('sources'),
      now: Date.now,
    }),
    volumeCheck({
      sources,
      hourly: (fromMs, untilMs) => hourlyRecords(state, fromMs, untilMs),
      firstMs: async () => {
        const flows = await sourceActivity(state, Date.now())
        return new Map([...flows].flatMap(([id, { firstReceivedMs: ms }]) => (ms === undefined ? [] : [[id, ms] as const])))
      },
      progress: () => pipeline.rpc.call('sources'),
      now: Date.now,
    }),
    nodeCheck(nodes),
    { name: 'the limits of rules', run: async () => limitProblems(await limitCounts(state), Date.now()) },
    blindRuleCheck({ reads, lake, now: Date.now }),
    { name: 'the tables', run: () => tableProblems(keeper.status()) },
    { name: 'the deliveries', run: async () => deliveryProblems(await deadDeliveries(state, systemRuleId('DeliveryDead'))) },
    {
      name: 'the mails of queries',
      run: async () => queryMailProblems(queries(), mailerIn(config), await deadMails(state)),
    },
    { name: 'the destinations', run: async () => failingProblems(await failingDeliveries(state, Date.now())) },
  ]
}
