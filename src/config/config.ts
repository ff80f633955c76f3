import { z } from 'zod'
import { DEFAULT_MAX_RECORD_BYTES } from '../model/outcome.ts'
import { destinations } from '../stages/deliver/index.ts'
import { sources } from '../stages/source/index.ts'
import { oneOf } from '../util/define.ts'
import { httpSchema } from './http.ts'

const MIB = 1024 * 1024

/** Partitions of the lake are weeks: a shorter retention would rewrite them. */
const MIN_LAKE_DAYS = 7
/** Far below what the lake's times of 32 bits hold. */
const MAX_LAKE_DAYS = 10_000

/** `caracal.yml`. Unknown keys are refused; every key may be absent. */
export const configSchema = z.strictObject({
  listen: z
    .string()
    .regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/, 'address:port, as in 127.0.0.1:4848')
    .default('127.0.0.1:4848')
    .describe('Address and port of the API, the ingest and the console.'),
  data_dir: z.string().min(1).default('./data').describe('State, spool, lake and token.'),
  content: z
    .array(z.string())
    .default([])
    .describe('Folders of rules, schemas, tables (beside ./content and the shipped packs).'),
  disabled_packs: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Ids of packs that are off: a detection of theirs that no other pack has does not run. `caracal packs` lists them.',
    ),
  sources: z
    .array(oneOf('source', sources))
    .default([])
    .describe('Where logs come from. An http source `default` is always there.'),
  destinations: z
    .array(oneOf('destination', destinations))
    .default(() => [{ type: 'stdout' as const, id: 'stdout', severities: [], system: true, format: 'text' as const }])
    .describe('Where alerts go.'),
  max_record_bytes: z
    .int()
    .min(1024)
    .max(64 * MIB)
    .default(DEFAULT_MAX_RECORD_BYTES)
    .describe('A longer record is dead-lettered as too_long.'),
  max_depth: z.int().min(8).max(500).default(100).describe('Deepest nesting of a JSON record.'),
  flush_ms: z.int().min(50).max(60_000).default(2000).describe('The longest that finished rows wait for the lake …'),
  flush_rows: z.int().min(1).default(5000).describe('… or until this many wait.'),
  spool_max_bytes: z
    .int()
    .min(MIB)
    .default(1024 * MIB)
    .describe('When this much waits in the spool, senders get 503.'),
  spool_source_max_bytes: z
    .int()
    .min(MIB)
    .default(256 * MIB)
    .describe('When this much of one source waits, its senders get 429.'),
  outbox_max_bytes: z
    .int()
    .min(MIB)
    .default(1024 * MIB)
    .describe('When this much waits for the lake, reading pauses.'),
  http: httpSchema.prefault({}).describe('How Caracal reaches the outside: destinations, tables, heartbeat.'),
  heartbeat_url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Called each minute while alerts can be made and sent, so that a service there notices when they cannot.'),
  rule_timeout_ms: z
    .int()
    .min(10)
    .max(15_000)
    .default(1000)
    .describe('Processor time that one function of a rule may use on one event. A busy machine does not shorten it.'),
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
    .describe('One in this many events is shown to every rule, to check what rules are kept from; 0: none.'),
  delivery_retry_min_ms: z
    .int()
    .min(1)
    .default(1000)
    .describe('Wait before the second try of a delivery; doubles with every try.'),
  delivery_retry_max_ms: z.int().min(1).default(600_000).describe('Longest wait between two tries of a delivery.'),
  table_first_refresh_ms: z.int().min(0).default(180_000).describe('How long after the start tables are first refreshed.'),
  retention: z
    .strictObject({
      lake_days: z
        .int()
        .min(MIN_LAKE_DAYS)
        .max(MAX_LAKE_DAYS)
        .optional()
        .describe(
          'Rows of the lake are deleted this many days after they were received, a week at a time. Absent: they are kept for ever.',
        ),
      alerts_days: z
        .int()
        .min(1)
        .max(36_500)
        .optional()
        .describe('Alerts are deleted this many days after their last event. Absent: they are kept for ever.'),
      deliveries_days: z.int().min(1).max(36_500).default(30).describe('Completed deliveries are deleted after this many days.'),
    })
    .prefault({})
    .describe('What is deleted, and when.'),
  query_timeout_ms: z.int().min(100).default(30_000).describe('A query that takes longer is stopped.'),
  query_max_rows: z.int().min(1).default(10_000).describe('An answer is cut after this many rows, and says so.'),
})

export type Config = z.output<typeof configSchema>
export type SourceConfig = Config['sources'][number]
