import { z } from 'zod'
import { DEFAULT_MAX_RECORD_BYTES } from '../model/outcome.ts'
import { destinations } from '../stages/deliver/index.ts'
import { sources } from '../stages/source/index.ts'
import { lakes } from '../stages/store/index.ts'
import { oneOf } from '../util/define.ts'
import { httpSchema } from './http.ts'

const MIB = 1024 * 1024

/** Partitions of the lake are weeks: a shorter retention would rewrite them. */
const MIN_LAKE_DAYS = 7
/** Well below what the lake's 32-bit times can hold. */
const MAX_LAKE_DAYS = 10_000

/** `caracal.yml`. Unknown keys are refused; every key may be absent. */
export const configSchema = z.strictObject({
  listen: z
    .string()
    .regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/, 'address:port, as in 127.0.0.1:4848')
    .default('127.0.0.1:4848')
    .describe('Address and port of the API, of ingest and of the console.'),
  data_dir: z.string().min(1).default('./data').describe('Folder for state, spool, lake, table versions and the token.'),
  content: z
    .array(z.string())
    .default([])
    .describe('More folders of rules, schemas and tables, beside ./content and the shipped packs.'),
  watch_content: z
    .boolean()
    .default(true)
    .describe(
      'Put changes of content files in force while running. Off: only `caracal reload`, `caracal tables refresh`, SIGHUP and the API do.',
    ),
  disabled_packs: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Ids of packs that are switched off: their detections do not run, unless another pack has them too. `caracal packs` lists all packs.',
    ),
  sources: z
    .array(oneOf('source', sources))
    .default([])
    .describe('Where logs come from. The http source `default` always exists.'),
  destinations: z
    .array(oneOf('destination', destinations))
    .default(() => [{ type: 'stdout' as const, id: 'stdout', severities: [], system: true, format: 'text' as const }])
    .describe('Where alerts go.'),
  lake: oneOf('lake', lakes).prefault({ type: 'chdb' }).describe('Where events are kept and asked with SQL.'),
  max_record_bytes: z
    .int()
    .min(1024)
    .max(64 * MIB)
    .default(DEFAULT_MAX_RECORD_BYTES)
    .describe('Record limit in bytes; a longer record becomes a dead letter, `too_long`.'),
  max_depth: z
    .int()
    .min(8)
    .max(500)
    .default(100)
    .describe('Nesting limit of a JSON record; a deeper one becomes a dead letter, `too_deep`.'),
  flush_ms: z
    .int()
    .min(50)
    .max(60_000)
    .default(2000)
    .describe('Longest wait of finished rows before they are written to the lake.'),
  flush_rows: z
    .int()
    .min(1)
    .default(50_000)
    .describe(
      'Finished rows that are written to the lake at once, without waiting for flush_ms; the more in one insert, the less each row costs.',
    ),
  spool_max_bytes: z
    .int()
    .min(MIB)
    .default(1024 * MIB)
    .describe('Spool limit in bytes; above it senders get 503.'),
  spool_source_max_bytes: z
    .int()
    .min(MIB)
    .default(256 * MIB)
    .describe("Spool limit of one source in bytes; above it the source's senders get 429."),
  outbox_max_bytes: z
    .int()
    .min(MIB)
    .default(1024 * MIB)
    .describe('Limit in bytes of rows that wait for the lake; above it reading pauses.'),
  http: httpSchema.prefault({}).describe('How Caracal reaches the outside: destinations, tables, heartbeat.'),
  heartbeat_url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'URL that is called every minute while alerts can be made and sent, so that a monitoring service notices when they cannot.',
    ),
  rule_timeout_ms: z
    .int()
    .min(10)
    .max(15_000)
    .default(1000)
    .describe(
      'Processor time limit of one function of a rule on one event. It is not clock time: a busy machine does not shorten it.',
    ),
  python_children: z
    .enum(['shared', 'per_root'])
    .optional()
    .describe(
      '`per_root`: the Python rules of each content folder run in a process of their own, out of reach of the others. `shared`: all in one, which saves memory; rules then trust each other. Default: `per_root` when more than 4 GiB of memory are free at the start.',
    ),
  rule_errors: z
    .enum(['matching', 'exact'])
    .default('matching')
    .describe(
      '`matching`: a rule sees the events that it may match, so a failure on others stays unseen. `exact`: rules that may fail see every event.',
    ),
  shadow_every: z
    .int()
    .min(0)
    .default(1000)
    .describe('One in this many events is shown to every rule, to check the prefilter; 0: none.'),
  delivery_retry_min_ms: z
    .int()
    .min(1)
    .default(1000)
    .describe('Wait before the second try of a delivery; it doubles with every further try.'),
  delivery_retry_max_ms: z.int().min(1).default(600_000).describe('Longest wait between two tries of a delivery.'),
  table_first_refresh_ms: z.int().min(0).default(180_000).describe('Time from the start until tables are first refreshed.'),
  retention: z
    .strictObject({
      lake_days: z
        .int()
        .min(MIN_LAKE_DAYS)
        .max(MAX_LAKE_DAYS)
        .optional()
        .describe(
          'Rows of the lake are deleted this many days after they were received, a week at a time. Default: they are kept for ever.',
        ),
      alerts_days: z
        .int()
        .min(1)
        .max(36_500)
        .optional()
        .describe('Alerts are deleted this many days after their last event. Default: they are kept for ever.'),
      deliveries_days: z.int().min(1).max(36_500).default(30).describe('Delivered deliveries are deleted after this many days.'),
    })
    .prefault({})
    .describe('When old data is deleted.'),
  query_timeout_ms: z.int().min(100).default(30_000).describe('Time limit of a query.'),
  query_max_rows: z.int().min(1).default(10_000).describe('Row limit of an answer; a longer answer is cut, and says so.'),
})

export type Config = z.output<typeof configSchema>
export type SourceConfig = Config['sources'][number]
