import { z } from 'zod'
import { AUDIT_SOURCE } from '../model/audit.ts'
import { DEFAULT_MAX_RECORD_BYTES } from '../model/outcome.ts'
import { destinations } from '../stages/deliver/index.ts'
import { sources } from '../stages/source/index.ts'
import { withPrefixTypes } from '../stages/source/objects/prefixes.ts'
import { planProblem, withPresetTypes } from '../stages/source/poll/plan.ts'
import type { PollConfig } from '../stages/source/poll/poll.ts'
import { type StreamSettings, streamProblem } from '../stages/source/stream-keys.ts'
import { addressProblem } from '../stages/store/clickhouse/cluster-config.ts'
import { lakes } from '../stages/store/index.ts'
import { type ConfigOf, oneOf } from '../util/define.ts'
import { targetUrl } from '../util/http/target-url.ts'
import { gitContent } from './content.ts'
import { httpSchema } from './http.ts'
import { keysSchema } from './keys.ts'
import { nodeSchema } from './node.ts'
import { retentionSchema } from './retention.ts'
import { riskSchema } from './risk.ts'
import { signInSchema } from './sign-in.ts'
import { spoolSchema } from './spool.ts'
import { stateSchema } from './state.ts'
import { proxiesSchema, tlsSchema } from './tls.ts'
import { tracingSchema } from './tracing.ts'

const MIB = 1024 * 1024

/** Keys of polled services that depend on each other. */
function checkPolls(list: readonly { readonly type: string }[], context: z.RefinementCtx): void {
  for (const [i, source] of list.entries()) {
    const problem = source.type === 'poll' ? planProblem(source as unknown as PollConfig) : undefined
    if (problem) context.addIssue({ code: 'custom', path: [i, problem.key], message: problem.message })
  }
}

function checkStreams(list: readonly object[], context: z.RefinementCtx): void {
  for (const [i, source] of list.entries()) {
    const problem = streamProblem(source as StreamSettings)
    if (problem) context.addIssue({ code: 'custom', path: [i, problem.key], message: problem.message })
  }
}

function checkLake(lake: ConfigOf<(typeof lakes)[number]>, context: z.RefinementCtx): void {
  const problem = lake.type === 'clickhouse' ? addressProblem(lake) : undefined
  if (problem) context.addIssue({ code: 'custom', path: [...problem.path], message: problem.message })
}

/** `caracal.yml`. Unknown keys are refused; every key is optional. */
export const configSchema = z.strictObject({
  listen: z
    .string()
    .regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/, 'address:port, as in 127.0.0.1:4848')
    .default('127.0.0.1:4848')
    .describe('Address and port for the API, ingest and the console.'),
  tls: tlsSchema
    .optional()
    .describe(
      'Certificate with which the port speaks HTTPS. Its files are read again when they change, without closing connections. Default: plain HTTP.',
    ),
  trusted_proxies: proxiesSchema
    .default([])
    .describe(
      'Addresses and ranges of reverse proxies. The sender that they name in X-Forwarded-For is believed; from any other address that header has no effect.',
    ),
  public_url: targetUrl
    .transform((url) => url.replace(/\/+$/, ''))
    .optional()
    .describe(
      'URL at which people reach Caracal, for links in alerts, such as https://siem.example.com behind a reverse proxy. Its host name is one that Caracal answers to, and its path is removed from the URLs of requests. Default: `listen`.',
    ),
  sign_in: signInSchema.prefault({}).describe('How people sign in (docs/accounts.md).'),
  data_dir: z.string().min(1).default('./data').describe('Folder for the state, spool, lake, table versions and API token.'),
  content: z
    .array(z.union([z.string().min(1), gitContent], { error: 'a folder, or a block with the key git' }))
    .default([])
    .describe(
      'Additional folders of rules, schemas and tables, besides ./content and the shipped packs: a path, or a git repository, as in `{git: https://git.example.com/detections.git, ref: main, path: rules, every: 5m}`.',
    ),
  watch_content: z
    .boolean()
    .default(true)
    .describe(
      'Apply changes to content files while running. When false, changes apply only on `caracal reload`, `caracal tables refresh`, SIGHUP or an API call.',
    ),
  disabled_packs: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Ids of disabled packs. Their detections do not run unless another enabled pack contains them too, and their tables are not used. `caracal packs` lists all packs.',
    ),
  enabled_packs: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Ids of optional packs to enable. Such packs are off by default, for example because their tables are fetched from other services.',
    ),
  sources: z
    .array(oneOf('source', sources))
    .default([])
    .refine(
      (list) => list.every(({ id }) => id !== AUDIT_SOURCE),
      `the id ${AUDIT_SOURCE} is that of Caracal's own source of audit events: choose another`,
    )
    .superRefine(checkStreams)
    .superRefine(checkPolls)
    .overwrite((list) => list.map((source) => withPresetTypes(withPrefixTypes(source))))
    .describe('Where logs come from. The http source `default` always exists.'),
  destinations: z
    .array(oneOf('destination', destinations))
    .prefault([{ type: 'stdout', id: 'stdout' }])
    .describe('Where alerts go.'),
  lake: oneOf('lake', lakes)
    .superRefine(checkLake)
    .prefault({ type: 'chdb' })
    .describe('Where events are stored and queried with SQL (docs/lake.md).'),
  state: stateSchema
    .prefault({ type: 'sqlite' })
    .describe('Where alerts, users, tokens and what is under way are kept (docs/state.md).'),
  node: nodeSchema
    .optional()
    .describe(
      'Name of this process among several that share a state, in logs, metrics and health (docs/nodes.md). Default: the name of the machine.',
    ),
  max_record_bytes: z
    .int()
    .min(1024)
    .max(64 * MIB)
    .default(DEFAULT_MAX_RECORD_BYTES)
    .describe('Maximum record size in bytes; a longer record becomes a dead letter (`too_long`).'),
  max_depth: z
    .int()
    .min(8)
    .max(500)
    .default(100)
    .describe('Maximum nesting depth of a JSON record; a deeper one becomes a dead letter (`too_deep`).'),
  flush_ms: z
    .int()
    .min(50)
    .max(60_000)
    .default(2000)
    .describe('Longest time, in milliseconds, that finished rows wait before they are written to the lake.'),
  flush_rows: z
    .int()
    .min(1)
    .default(200_000)
    .describe(
      'Number of finished rows that triggers a write to the lake before flush_ms is over. Larger inserts cost less per row.',
    ),
  spool: spoolSchema
    .prefault({ type: 'sqlite' })
    .describe(
      'Where bodies wait that cannot be read again, from their acknowledgement until they are processed (docs/spool.md).',
    ),
  spool_max_bytes: z
    .int()
    .min(MIB)
    .default(1024 * MIB)
    .describe('Maximum size of the spool in bytes; above it senders get 503.'),
  spool_source_max_bytes: z
    .int()
    .min(MIB)
    .default(256 * MIB)
    .describe("Maximum size of one source's share of the spool in bytes; above it the senders of that source get 429."),
  outbox_max_bytes: z
    .int()
    .min(MIB)
    .default(1024 * MIB)
    .describe('Maximum size in bytes of the rows waiting for the lake; above it, reading pauses.'),
  http: httpSchema.prefault({}).describe('Outgoing HTTP: destinations, tables, heartbeat.'),
  keys: keysSchema
    .default({})
    .describe(
      'Secrets that tables are fetched with. A table names a key; the key is only sent to the hosts listed here (docs/tables-reference.md).',
    ),
  heartbeat_url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'URL to call every minute while alerts can be raised and sent, so that a monitoring service notices when they cannot.',
    ),
  tracing: tracingSchema
    .optional()
    .describe('Where to send OpenTelemetry traces of batches (docs/monitoring.md). Default: no batch is traced.'),
  rule_timeout_ms: z
    .int()
    .min(10)
    .max(15_000)
    .default(1000)
    .describe(
      'CPU time limit, in milliseconds, for one function of a rule on one event. It is not wall-clock time, so a busy machine does not shorten it.',
    ),
  workers: z
    .union([z.int().min(1).max(64), z.literal('auto')])
    .default(1)
    .describe(
      'Threads that parse, enrich, judge and encode batches, each with its own processes for Python rules; with 1, the pipeline thread does all the work. `auto`: two fewer than the number of cores, at most 8. More than 1 only helps if more than two cores are free. On a node with the role worker: threads that judge for the active node; `auto`: one for each core.',
    ),
  python_children: z
    .enum(['shared', 'per_root'])
    .optional()
    .describe(
      '`per_root`: the Python rules of each content folder run in a separate process, isolated from the others. `shared`: all rules run in one process, which saves memory but means that they must trust each other. Default: `per_root` if more than 4 GiB of memory are free at startup, otherwise `shared`.',
    ),
  rule_errors: z
    .enum(['matching', 'exact'])
    .default('matching')
    .describe(
      '`matching`: a rule only sees events that it could match, so errors it would raise on other events are not reported. `exact`: rules that could fail see every event.',
    ),
  shadow_every: z
    .int()
    .min(0)
    .default(1000)
    .describe(
      'One in n events is passed to all rules to verify the prefilter; 0 turns this off. From 128 on, samples are runs of up to 16 consecutive events.',
    ),
  delivery_retry_min_ms: z
    .int()
    .min(1)
    .default(1000)
    .describe('Delay before a delivery is first retried, in milliseconds; it doubles with each retry.'),
  delivery_retry_max_ms: z
    .int()
    .min(1)
    .default(600_000)
    .describe('Longest delay between two attempts of a delivery, in milliseconds.'),
  table_first_refresh_ms: z
    .int()
    .min(0)
    .default(180_000)
    .describe('Delay between startup and the first refresh of tables, in milliseconds.'),
  risk: riskSchema
    .optional()
    .describe('Adds up the risk of addresses, users and other entities that matches name (docs/risk.md). Default: off.'),
  retention: retentionSchema.prefault({}).describe('How long data is kept (docs/retention.md).'),
  queries: z
    .strictObject({
      result_hours: z.int().min(1).max(720).default(24).describe('Hours to keep the results of queries.'),
      history_days: z.int().min(1).max(365).default(30).describe('Days to keep the history of queries.'),
      max_result_bytes: z
        .int()
        .min(MIB)
        .default(1024 * MIB)
        .describe('Maximum size of all kept results in bytes; the oldest are removed first.'),
    })
    .prefault({})
    .describe('Queries that run without their caller waiting (docs/searching.md).'),
  backup_max_age_days: z
    .int()
    .min(1)
    .default(7)
    .describe('`caracal doctor` warns if the last backup is older than this number of days.'),
  query_timeout_ms: z.int().min(100).default(30_000).describe('Time limit for a query, in milliseconds.'),
  query_max_rows: z
    .int()
    .min(1)
    .default(10_000)
    .describe('Maximum number of rows in a query result; a longer result is truncated and marked as such.'),
})

export type Config = z.output<typeof configSchema>
/** Where people reach the product, without a slash at the end: links begin with it. */
export function publicUrl({ public_url: url, listen, tls }: Pick<Config, 'public_url' | 'listen' | 'tls'>): string {
  return url ?? `${tls ? 'https' : 'http'}://${listen}`
}

export type SourceConfig = Config['sources'][number]
